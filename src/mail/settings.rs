//! The mail settings of the policy: `mail.url`, `mail.from` and `mail.credentials-file`. They are checked
//! without the network.
//!
//! The `url` crate would not replace this parser: for `smtp:` it does not check the host, silently drops tabs
//! and line breaks, and accepts an empty port, so every check would remain.

use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use rustix::io::Errno;

use crate::auth::email::Email;
use crate::auth::secret::{Password, SECRET_BYTES_MAX, SecretError};
use crate::input_file;

/// The port for mail submission (RFC 6409).
const SUBMISSION_PORT: u16 = 587;
/// The port for mail submission inside TLS (RFC 8314).
const SUBMISSIONS_PORT: u16 = 465;

/// How the connection to a server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS. A server that does not offer it gets nothing, because an attacker in between could hide the offer.
    StartTls,
    /// No TLS, even if the server offers it. Only for loopback addresses, where no attacker sits in between and where
    /// certificates are self-signed or for another name.
    Loopback,
}

/// How mail leaves the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To an SMTP server.
    Smtp {
        /// A name in lower case or an address, without brackets.
        host: String,
        port: u16,
        protection: Protection,
    },
    /// Through a local program; `None` is the `sendmail` of the system.
    Sendmail(Option<PathBuf>),
}

/// Why a `mail.url` is not valid. The error does not repeat the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The scheme is missing or unknown.
    #[error("the mail URL must begin with smtp://, smtps:// or sendmail:")]
    Scheme,
    /// The URL holds a user or password, which every reader of the policy would see.
    #[error("the mail URL must not hold a user or a password")]
    Credentials,
    #[error("the mail URL has no valid host name or address")]
    Host,
    #[error("the port of the mail URL must be a number from 1 to 65535")]
    Port,
    /// The URL continues after host and port.
    #[error("the mail URL must end after host and port")]
    Rest,
    /// The path is relative or holds control characters.
    #[error("`sendmail:` takes nothing or the absolute path of a program")]
    Program,
}

impl UrlError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Credentials => "put user and password into a file of two lines with mode 0600 and name that file",
            Self::Program => "for example sendmail:/usr/sbin/sendmail",
            _ => "for example smtps://mail.example.com, smtp://localhost:25 or sendmail:",
        }
    }
}

impl Route {
    /// Parses a URL without using the network or files.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        if let Some(program) = url.strip_prefix("sendmail:") {
            return sendmail(program);
        }
        let (authority, port, tls) = if let Some(authority) = url.strip_prefix("smtp://") {
            (authority, SUBMISSION_PORT, false)
        } else if let Some(authority) = url.strip_prefix("smtps://") {
            (authority, SUBMISSIONS_PORT, true)
        } else {
            return Err(if url.contains('@') { UrlError::Credentials } else { UrlError::Scheme });
        };
        if authority.contains('@') {
            return Err(UrlError::Credentials);
        }
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#']) {
            return Err(UrlError::Rest);
        }
        let (host, port) = match split_port(authority)? {
            (host, Some(text)) => (host, parse_port(text)?),
            (host, None) => (host, port),
        };
        let protection = match host.as_str() {
            _ if tls => Protection::Tls,
            "localhost" | "127.0.0.1" | "::1" => Protection::Loopback,
            _ => Protection::StartTls,
        };
        Ok(Self::Smtp { host, port, protection })
    }
}

/// As in a URL, without secrets.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Smtp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Sendmail(None) => f.write_str("sendmail"),
            Self::Sendmail(Some(path)) => write!(f, "{}", path.display()),
        }
    }
}

fn sendmail(program: &str) -> Result<Route, UrlError> {
    if program.is_empty() {
        return Ok(Route::Sendmail(None));
    }
    // `sendmail://host` is a mistaken form and not a path.
    let is_absolute = program.starts_with('/') && !program.starts_with("//") && !program.ends_with('/');
    if !is_absolute || program.contains(char::is_control) {
        return Err(UrlError::Program);
    }
    Ok(Route::Sendmail(Some(program.into())))
}

/// The longest host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;
/// The longest part of a host name between two dots (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

/// Splits host and port, and checks the host.
fn split_port(authority: &str) -> Result<(String, Option<&str>), UrlError> {
    if let Some(inner) = authority.strip_prefix('[') {
        let (address, rest) = inner.split_once(']').ok_or(UrlError::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| UrlError::Host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address.to_string(), Some(port))),
            None if rest.is_empty() => Ok((address.to_string(), None)),
            None => Err(UrlError::Host),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    if is_host(&host) { Ok((host, port)) } else { Err(UrlError::Host) }
}

fn is_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_ipv4();
    }
    let labels_are_plain = host.split('.').all(|label| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    // `127.1` and `0x7f.1` are old forms of an address and not names.
    let ends_as_name = host.rsplit('.').next().is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()));
    host.len() <= HOST_BYTES_MAX && labels_are_plain && ends_as_name
}

/// Parses a port; 0 is not valid.
fn parse_port(text: &str) -> Result<u16, UrlError> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port != 0).ok_or(UrlError::Port)
}

/// The longest name in bytes. Encoded, it fits into two lines of a header.
const NAME_BYTES_MAX: usize = 128;

/// An address with or without a name before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The display name.
    pub name: Option<String>,
    /// The address for answers and failure reports.
    pub email: Email,
}

/// Why a `mail.from` is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// The address is missing or not valid.
    #[error("the sender has no valid email address")]
    Address,
    /// The name holds a character that could end a header or that mail programs interpret.
    #[error("the sender's name may hold no line break, control character, quote, backslash or angle bracket")]
    Name,
    #[error("the sender's name is longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
}

impl SenderError {
    pub fn hint(&self) -> &'static str {
        "for example accounts@example.com or Example <accounts@example.com>"
    }
}

impl Sender {
    /// Parses `a@b.co`, `Name <a@b.co>` or `"Name" <a@b.co>`.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        let address = |text| Email::parse(text).map_err(|_| SenderError::Address);
        let Some(inner) = text.strip_suffix('>') else {
            return Ok(Self { name: None, email: address(text)? });
        };
        let (name, email) = inner.split_once('<').ok_or(SenderError::Address)?;
        // Checked before trimming, which would remove a line break.
        if name.contains(char::is_control) {
            return Err(SenderError::Name);
        }
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(name).trim();
        if name.contains(['"', '\\', '<', '>']) {
            return Err(SenderError::Name);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(SenderError::TooLong);
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), email: address(email)? })
    }
}

/// Two secrets of maximum length with their line ends.
const FILE_BYTES_MAX: usize = 2 * (SECRET_BYTES_MAX + 2);

/// User and password for the server. The user is masked too, because some services put a key there.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) user: Password,
    pub(super) password: Password,
}

/// Why a credentials file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Other users could read the file or have planted it.
    #[error("the mail credentials file {} is not safe to use: {problem}", path.display())]
    Unsafe { path: PathBuf, problem: &'static str },
    /// The file does not hold two lines of text.
    #[error("the mail credentials file {} cannot be used: {problem}", path.display())]
    Content { path: PathBuf, problem: String },
    #[error("the mail credentials file {} could not be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

impl Credentials {
    /// Reads the user from the first line and the password from the second.
    pub(super) fn read(path: &Path) -> Result<Self, CredentialsError> {
        // The checks use the open file and not the path, which may change.
        let refused = |problem| CredentialsError::Unsafe { path: path.to_owned(), problem };
        let unreadable = |source| CredentialsError::Unreadable { path: path.to_owned(), source };
        let content = |problem| CredentialsError::Content { path: path.to_owned(), problem };
        let file = match input_file::open_no_follow(path) {
            Ok(file) => file,
            Err(Errno::LOOP) => return Err(refused("it is a symbolic link")),
            Err(error) => return Err(unreadable(error.into())),
        };
        let found = file.metadata().map_err(unreadable)?;
        if !found.is_file() {
            return Err(refused("it is not a file"));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refused("it belongs to another user"));
        }
        if found.mode() & 0o077 != 0 {
            return Err(refused("others may use it, so its password may be known"));
        }
        let text = match input_file::read(&file, FILE_BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(content(error.to_string())),
            read => read.map_err(unreadable)?,
        };
        parse_credentials(&text).map_err(content)
    }
}

fn parse_credentials(text: &[u8]) -> Result<Credentials, String> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (Some(user), Some(password), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err("it must have two lines, the user and the password".into());
    };
    let secret = |line, what| Password::from_bytes(line).map_err(|error: SecretError| format!("its {what}: {error}"));
    Ok(Credentials { user: secret(user, "first line")?, password: secret(password, "second line")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(host: &str, port: u16, protection: Protection) -> Route {
        Route::Smtp { host: host.into(), port, protection }
    }

    #[test]
    fn url_is_read_in_each_form() {
        use Protection::{Loopback, StartTls, Tls};
        for (url, route) in [
            ("smtp://mail.example.com", smtp("mail.example.com", 587, StartTls)),
            ("smtp://Mail.Example.com:25/", smtp("mail.example.com", 25, StartTls)),
            ("smtps://mail.example.com", smtp("mail.example.com", 465, Tls)),
            ("smtps://localhost:8465", smtp("localhost", 8465, Tls)),
            ("smtp://192.0.2.1", smtp("192.0.2.1", 587, StartTls)),
            ("smtp://[2001:DB8::1]:25", smtp("2001:db8::1", 25, StartTls)),
            ("smtp://LOCALHOST", smtp("localhost", 587, Loopback)),
            ("smtp://127.0.0.1:25", smtp("127.0.0.1", 25, Loopback)),
            ("smtp://[0:0:0:0:0:0:0:1]:25", smtp("::1", 25, Loopback)),
            ("sendmail:", Route::Sendmail(None)),
            ("sendmail:/usr/lib/sendmail", Route::Sendmail(Some("/usr/lib/sendmail".into()))),
        ] {
            assert_eq!(Route::parse(url), Ok(route), "{url}");
        }
    }

    #[test]
    fn only_loopback_goes_without_tls() {
        for url in
            ["smtp://localhost.example.com", "smtp://127.0.0.2", "smtp://[::ffff:127.0.0.1]", "smtp://localhosts"]
        {
            let Ok(Route::Smtp { protection, .. }) = Route::parse(url) else { panic!("{url}") };
            assert_eq!(protection, Protection::StartTls, "{url}");
        }
    }

    #[test]
    fn invalid_url_is_refused_with_its_reason() {
        use UrlError::{Credentials, Host, Port, Program, Rest, Scheme};
        for (url, error) in [
            ("", Scheme),
            ("mail.example.com", Scheme),
            ("http://mail.example.com", Scheme),
            ("SMTP:mail.example.com", Scheme),
            ("smtp://ada:secret@mail.example.com", Credentials),
            ("smtp://ada@mail.example.com", Credentials),
            ("smtp:ada:secret@mail.example.com", Credentials),
            ("smtps://mail.example.com/ada:secret@x", Credentials),
            ("smtp://", Host),
            ("smtp://:25", Host),
            ("smtp://[::1", Host),
            ("smtp://[::1]25", Host),
            ("smtp://::1", Host),
            ("smtp://[fe80::1%eth0]", Host),
            ("smtp://127.1", Host),
            ("smtp://0x7f000001", Host),
            ("smtp://mail..example.com", Host),
            ("smtp://mail.example.com.", Host),
            ("smtp://-mail.example.com", Host),
            ("smtp://mail example.com", Host),
            ("smtp://mail.example.com\r\nX", Host),
            ("smtp://mäil.example.com", Host),
            ("smtp://mail.example.com:", Port),
            ("smtp://mail.example.com:0", Port),
            ("smtp://mail.example.com:+25", Port),
            ("smtp://mail.example.com:65536", Port),
            ("smtp://mail.example.com?tls=none", Rest),
            ("smtp://mail.example.com/name", Rest),
            ("sendmail:sendmail", Program),
            ("sendmail://usr/sbin/sendmail", Program),
            ("sendmail:/", Program),
            ("sendmail:/usr/sbin/send\nmail", Program),
        ] {
            assert_eq!(Route::parse(url), Err(error), "{url:?}");
        }
    }

    #[test]
    fn url_error_does_not_repeat_a_password() {
        let error = Route::parse("smtp://ada:canary@mail.example.com").unwrap_err();
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("canary"));
    }

    #[test]
    fn sender_has_an_address_and_an_optional_name() {
        for (text, name, email) in [
            ("a@b.co", None, "a@b.co"),
            ("<A@b.co>", None, "a@b.co"),
            ("Ada Lovelace <a@b.co>", Some("Ada Lovelace"), "a@b.co"),
            ("\"Lovelace, Ada\" <a@b.co>", Some("Lovelace, Ada"), "a@b.co"),
            ("Zoë <a@b.co>", Some("Zoë"), "a@b.co"),
        ] {
            let sender = Sender::parse(text).unwrap();
            assert_eq!((sender.name.as_deref(), sender.email.as_str()), (name, email), "{text}");
        }
    }

    #[test]
    fn sender_that_could_break_a_header_is_refused() {
        let long = format!("{} <a@b.co>", "n".repeat(NAME_BYTES_MAX + 1));
        for (text, error) in [
            ("", SenderError::Address),
            ("Ada", SenderError::Address),
            ("Ada a@b.co", SenderError::Address),
            ("Ada <>", SenderError::Address),
            ("Ada <a@b.co", SenderError::Address),
            ("a@b.co>", SenderError::Address),
            ("Ada <a@b.co\r\nBcc: x@y.zz>", SenderError::Address),
            ("a@b.co, c@d.ef", SenderError::Address),
            ("Ada\r\nBcc: x@y.zz <a@b.co>", SenderError::Name),
            ("Ada\n <a@b.co>", SenderError::Name),
            ("A\u{85}da <a@b.co>", SenderError::Name),
            ("A\"da <a@b.co>", SenderError::Name),
            (long.as_str(), SenderError::TooLong),
        ] {
            assert_eq!(Sender::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn credentials_keep_blanks_of_both_lines() {
        for text in ["ada\n pass word \n", "ada\r\n pass word \r\n", "ada\n pass word "] {
            let read = parse_credentials(text.as_bytes()).unwrap();
            assert_eq!((read.user.expose(), read.password.expose()), ("ada", " pass word "));
        }
    }

    #[test]
    fn invalid_credentials_are_refused_and_not_repeated() {
        for text in
            [&b""[..], b"canary", b"canary\n", b"canary\n\n", b"\ncanary\n", b"a\ncanary\nb\n", b"a\n\xffcanary\n"]
        {
            let error = parse_credentials(text).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn credentials_are_masked_in_debug() {
        let shown = format!("{:?}", parse_credentials(b"canary-user\ncanary-password\n").unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
