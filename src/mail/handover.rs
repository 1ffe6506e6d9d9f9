//! Hands a message to a separate process, which delivers it after the command has answered.
//!
//! A code is mailed only to addresses of users, and the caller must not learn which those are. If the command
//! waited for the delivery, its time or its failure would tell. A rehearsal for unknown addresses does not
//! help: it is faster without the message, and its `RCPT` tells the server the address. So the command never
//! waits for the delivery. In both cases it starts the same process, gives it the same number of bytes, waits
//! until they are read, and answers.
//!
//! The delivery process survives the terminal and Ctrl-C, because it leads a session without a terminal before
//! the command continues. It keeps no descriptor and no working directory of the command, only the variables
//! [`PASSED_ON`], and has no secret on its command line. The command itself reports failures that it can find
//! without a server: a missing program, an unsafe credentials file, an invalid address.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::FileType;
use zeroize::Zeroizing;

use super::{MailError, Mailer};
use crate::auth::email::Email;

/// The argument of the delivery process. It is not a command and not in the help.
pub const DELIVERY_PROCESS: &str = "--internal-deliver-mail";

/// The variables that a mailer gets. The list names what is allowed, because variables with secrets of other programs
/// are unknown.
pub const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TZ",
    "TMPDIR",
    // For the configuration of mailers, and authctl's audit log for an app's database.
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    // Trusted authorities.
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Whether the delivery process and a `sendmail` get a variable.
pub fn is_passed_on(name: &OsStr) -> bool {
    PASSED_ON.iter().any(|passed| *passed == name) || name.as_bytes().starts_with(b"LC_")
}

/// The size of every parcel. It is less than the 64 KiB of a pipe, so that the command can write it without waiting,
/// and enough for the longest paths and texts.
const PARCEL_BYTES: usize = 48 * 1024;
const _: () = assert!(PARCEL_BYTES < 64 * 1024);

/// The first bytes of a parcel.
const MAGIC: &[u8] = b"authctl mail 1\n";

/// The answer of the delivery process when it has the whole parcel and is independent.
const TAKEN: &[u8] = b"taken\n";

/// The input of the delivery process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Whether to deliver the message. The other fields are filled in either case.
    pub deliver: bool,
    /// `mail.url`.
    pub url: String,
    /// `mail.from`.
    pub from: String,
    /// `mail.credentials-file`, absolute.
    pub credentials_file: Option<PathBuf>,
    pub to: String,
    pub subject: String,
    pub body: Zeroizing<String>,
    /// The code in the text, which must not appear in a report of a failure; empty without one.
    pub secret: Zeroizing<String>,
    pub report: Report,
}

/// Where and how a failed delivery is reported. The mailer does not use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Absolute path of the database.
    pub database: PathBuf,
    /// Absolute path of the schema file (`--schema`).
    pub schema: Option<PathBuf>,
    /// How long to wait for a busy database.
    pub wait: Duration,
    /// Id of the user whom the message is for.
    pub user_id: String,
    /// What the message is about, in a word.
    pub about: String,
}

impl Parcel {
    /// The parcel as bytes: each field with its length before it, then zeros up to the fixed size.
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, MailError> {
        let path =
            |path: &Option<PathBuf>| path.as_ref().map_or_else(Vec::new, |path| path.as_os_str().as_bytes().to_vec());
        let fields: [&[u8]; 12] = [
            &[u8::from(self.deliver)],
            self.url.as_bytes(),
            self.from.as_bytes(),
            &path(&self.credentials_file),
            self.to.as_bytes(),
            self.subject.as_bytes(),
            self.body.as_bytes(),
            self.secret.as_bytes(),
            self.report.database.as_os_str().as_bytes(),
            &path(&self.report.schema),
            &u64::try_from(self.report.wait.as_millis()).unwrap_or(u64::MAX).to_le_bytes(),
            &[self.report.user_id.as_bytes(), b"\n", self.report.about.as_bytes()].concat(),
        ];
        let mut bytes = Zeroizing::new(Vec::with_capacity(PARCEL_BYTES));
        bytes.extend_from_slice(MAGIC);
        for field in fields {
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX).to_le_bytes();
            // Checked first, because a growing buffer would leave a copy of the code.
            if bytes.len() + length.len() + field.len() > PARCEL_BYTES {
                return Err(MailError::TooLong);
            }
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(field);
        }
        bytes.resize(PARCEL_BYTES, 0);
        Ok(bytes)
    }

    /// Reads what [`Self::encode`] wrote; `None` for anything else.
    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != PARCEL_BYTES {
            return None;
        }
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut field = || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (field, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
            rest = after;
            Some(field)
        };
        let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
        let path = |field: &[u8]| PathBuf::from(OsString::from_vec(field.to_vec()));
        let optional_path = |field: &[u8]| (!field.is_empty()).then(|| path(field));
        let deliver = match field()? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let (url, from) = (text(field()?)?, text(field()?)?);
        let credentials_file = optional_path(field()?);
        let (to, subject) = (text(field()?)?, text(field()?)?);
        let (body, secret) = (Zeroizing::new(text(field()?)?), Zeroizing::new(text(field()?)?));
        let (database, schema) = (path(field()?), optional_path(field()?));
        let wait = Duration::from_millis(u64::from_le_bytes(field()?.try_into().ok()?));
        let about = text(field()?)?;
        let (user_id, about) = about.split_once('\n')?;
        let report = Report { database, schema, wait, user_id: user_id.to_owned(), about: about.to_owned() };
        Some(Self { deliver, url, from, credentials_file, to, subject, body, secret, report })
    }

    /// Starts the delivery process, writes the parcel and waits until it is read. `environment` is the whole
    /// environment of the process.
    ///
    /// # Errors
    /// [`MailError::HandOver`] when the process cannot be started or does not take the parcel,
    /// [`MailError::TooLong`] when the message does not fit.
    pub fn hand_over(&self, environment: &[(OsString, OsString)]) -> Result<(), MailError> {
        let parcel = self.encode()?;
        start(&parcel, environment).map_err(MailError::HandOver)
    }

    /// In the delivery process: sends the message. `environment` is the whole environment of a `sendmail`.
    ///
    /// # Errors
    /// What was attempted and why it failed, in one line without the code.
    pub fn deliver(&self, environment: Vec<(OsString, OsString)>) -> Result<(), String> {
        self.send(environment).map_err(|error| {
            let mut words = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                words = format!("{words}: {cause}");
                source = cause.source();
            }
            // A `sendmail` may quote what it refuses.
            if self.secret.is_empty() { words } else { words.replace(self.secret.as_str(), "[code]") }
        })
    }

    fn send(&self, environment: Vec<(OsString, OsString)>) -> Result<(), MailError> {
        let mailer = Mailer::new(&self.url, &self.from, self.credentials_file.as_deref())?;
        let to = Email::parse(&self.to).map_err(|_| MailError::Address(self.to.clone()))?;
        mailer.with_environment(environment).send(&to, &self.subject, &self.body)
    }
}

fn start(parcel: &[u8], environment: &[(OsString, OsString)]) -> io::Result<()> {
    let mut child = Command::new(this_program()?)
        .arg0("authctl")
        .arg(DELIVERY_PROCESS)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(parcel));
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(TAKEN.len() as u64).read_to_end(&mut said)?;
    }
    if said == TAKEN {
        // The process is independent now. When this one ends, init waits for it.
        return Ok(());
    }
    let status = child.wait()?;
    written?;
    Err(io::Error::other(format!("the delivery process did not take it and ended with {status}")))
}

/// The running program, even if its file was replaced or deleted.
fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// In the delivery process: detaches it from the command and reads the parcel.
///
/// # Errors Standard input is not a pipe with one whole parcel.
pub fn take_over() -> io::Result<Parcel> {
    let refused = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
    let stdin = rustix::stdio::stdin();
    if FileType::from_raw_mode(rustix::fs::fstat(stdin)?.st_mode) != FileType::Fifo {
        return Err(refused("standard input is not a pipe"));
    }
    close_inherited()?;
    rustix::process::setsid()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(PARCEL_BYTES + 1));
    io::stdin().lock().take(PARCEL_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let parcel = Parcel::decode(&bytes).ok_or_else(|| refused("standard input holds no message"))?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    io::stdout().lock().write_all(TAKEN)?;
    io::stdout().lock().flush()?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(parcel)
}

/// Closes descriptors that the command inherited from its caller, so that a lock or a pipe of a script is not held
/// until the mail is delivered.
fn close_inherited() -> io::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for descriptor in open {
        // The descriptor of the directory listing is among them and closed already.
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(deliver: bool) -> Parcel {
        Parcel {
            deliver,
            url: "smtp://localhost".into(),
            from: "Zoë <a@b.co>".into(),
            credentials_file: None,
            to: "ada@example.com".into(),
            subject: "A code".into(),
            body: Zeroizing::new("The code: 4711\n".into()),
            secret: Zeroizing::new("4711".into()),
            report: Report {
                database: "/tmp/a.db".into(),
                schema: Some("/tmp/schema.json".into()),
                wait: Duration::from_millis(1500),
                user_id: "id".into(),
                about: "reset-password".into(),
            },
        }
    }

    #[test]
    fn parcel_survives_encoding() {
        for deliver in [false, true] {
            let parcel = parcel(deliver);
            assert_eq!(Parcel::decode(&parcel.encode().unwrap()), Some(parcel));
        }
    }

    #[test]
    fn parcel_size_does_not_depend_on_the_content() {
        let mut long = parcel(true);
        long.body = Zeroizing::new("x".repeat(20_000));
        let sizes = [parcel(false), parcel(true), long].map(|parcel| parcel.encode().unwrap().len());
        assert_eq!(sizes, [PARCEL_BYTES; 3]);
    }

    #[test]
    fn parcel_that_is_too_long_is_refused() {
        let mut long = parcel(true);
        long.body = Zeroizing::new("x".repeat(PARCEL_BYTES));
        assert!(matches!(long.encode(), Err(MailError::TooLong)));
    }

    #[test]
    fn damaged_parcel_is_refused() {
        let good = parcel(true).encode().unwrap();
        assert_eq!(Parcel::decode(&good[1..]), None);
        assert_eq!(Parcel::decode(&[]), None);
        for at in [0, MAGIC.len(), MAGIC.len() + 3, MAGIC.len() + 4] {
            let mut bad = good.to_vec();
            bad[at] ^= 0x80;
            assert_eq!(Parcel::decode(&bad), None, "byte {at}");
        }
    }

    #[test]
    fn secret_variables_are_not_passed_on() {
        for name in ["AUTHCTL_TOKEN", "AUTHCTL_TOKEN_FILE", "BETTER_AUTH_SECRET", "AUTH_SECRET", "PGPASSWORD", "LC", ""]
        {
            assert!(!is_passed_on(OsStr::new(name)), "{name}");
        }
        assert!(is_passed_on(OsStr::new("PATH")) && is_passed_on(OsStr::new("LC_ALL")));
    }
}
