//! One delivery: everything it needs, to be carried to a thread of its own.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lettre::Message;
use rustix::fs::Access;

use super::credentials::Credentials;
use super::error::{Failure, MailError, answer_text};
use super::route::Route;
use super::smtp;

/// Where systems keep their `sendmail`, which is in few people's `PATH`.
const SENDMAILS: &[&str] = &["/usr/sbin/sendmail", "/usr/lib/sendmail"];

pub(super) struct Delivery {
    pub(super) route: Route,
    pub(super) credentials: Option<Credentials>,
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) step_wait: Duration,
    pub(super) message: Message,
    /// All that a `sendmail` finds in its environment.
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Delivery {
    pub(super) fn run(&self) -> Result<(), MailError> {
        match &self.route {
            Route::Smtp { host, port, protection } => smtp::deliver(self, host, *port, *protection)
                .map_err(|(step, source)| MailError::Smtp { server: self.route.to_string(), step, source }),
            Route::Sendmail(program) => {
                let program = sendmail(program.as_deref());
                self.hand_to(&program).map_err(|source| MailError::Sendmail { program, source })
            }
        }
    }

    /// Runs `sendmail -i -f FROM -- TO` with the message on its standard input.
    fn hand_to(&self, program: &Path) -> Result<(), Failure> {
        let io = |error: io::Error| Failure::Io(error.kind().into());
        let envelope = self.message.envelope();
        let mut command = Command::new(program);
        command.arg("-i");
        if let Some(from) = envelope.from() {
            command.arg("-f").arg(from);
        }
        command.arg("--").args(envelope.to());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(io)?;
        let written = write_to(&mut child, &self.message.formatted());
        let output = child.wait_with_output().map_err(io)?;
        if !output.status.success() {
            // What it said says more than that it read no further.
            return Err(Failure::Said(answer_text(&String::from_utf8_lossy(&output.stderr))));
        }
        written.map_err(io)
    }
}

/// Writes all of it and closes the pipe.
fn write_to(child: &mut Child, bytes: &[u8]) -> io::Result<()> {
    child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(bytes))
}

/// Fails where the program cannot be started: it is not there, or not executable.
pub(super) fn require_sendmail(program: Option<&Path>, environment: &[(OsString, OsString)]) -> Result<(), MailError> {
    let program = sendmail(program);
    let found = if program.is_absolute() {
        executable(&program)
    } else {
        let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let places = std::env::split_paths(path.unwrap_or(OsStr::new("/bin:/usr/bin")));
        let mut found = places.map(|place| executable(&place.join(&program)));
        found.find(Result::is_ok).unwrap_or(Err(ErrorKind::NotFound))
    };
    found.map_err(|kind| MailError::Sendmail { program, source: Failure::Io(kind.into()) })
}

fn executable(program: &Path) -> Result<(), ErrorKind> {
    let found = program.metadata().map_err(|error| error.kind())?;
    // A directory may be executable too, and nothing else there is a program.
    let runs = found.is_file() && rustix::fs::access(program, Access::EXEC_OK).is_ok();
    if runs { Ok(()) } else { Err(ErrorKind::PermissionDenied) }
}

/// The program that was named, else the system's own.
fn sendmail(named: Option<&Path>) -> PathBuf {
    let usual = || SENDMAILS.iter().map(PathBuf::from).find(|path| path.exists());
    named.map(Path::to_owned).or_else(usual).unwrap_or_else(|| "sendmail".into())
}
