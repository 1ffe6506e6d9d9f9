//! Where mail goes: the value of `mail.url`, checked without touching the network.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// The port for mail that users hand in (RFC 6409).
const SUBMISSION_PORT: u16 = 587;
/// The same inside TLS (RFC 8314).
const SUBMISSIONS_PORT: u16 = 465;

/// How the way to a server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// TLS after a few words in clear. A server that does not offer it gets nothing: who sits in
    /// between could have taken the offer away.
    StartTls,
    /// None, even if the server offers it: only for this machine's own loopback
    /// addresses, which nobody sits in between, and where servers have certificates for another
    /// name, or made by themselves, that no check would pass.
    Loopback,
}

/// A way for mail to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To an SMTP server.
    Smtp {
        /// A name in lower case or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// What protects the way.
        protection: Protection,
    },
    /// Through a local program; without a path, the system's own.
    Sendmail(Option<PathBuf>),
}

/// Why a text is no `mail.url`. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("the mail URL must begin with smtp://, smtps:// or sendmail:")]
    Scheme,
    /// A user or password inside, where everybody reads them who reads the policy.
    #[error("the mail URL must not hold a user or a password")]
    Credentials,
    /// No usable host.
    #[error("the mail URL has no valid host name or address")]
    Host,
    /// No usable port.
    #[error("the port of the mail URL must be a number from 1 to 65535")]
    Port,
    /// More than host and port.
    #[error("the mail URL must end after host and port")]
    Rest,
    /// A path that depends on where the program runs, or with signs that no path needs.
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
    /// Reads a URL. Touches neither network nor files.
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

/// As in a URL; holds no secret.
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
    // `sendmail://host` is somebody's guess at another form, and no path.
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

/// Takes host and port apart, the host checked.
pub(super) fn split_port(authority: &str) -> Result<(String, Option<&str>), UrlError> {
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
    // `127.1` and `0x7f.1` are old ways to write an address, and no names.
    let ends_as_name = host.rsplit('.').next().is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()));
    host.len() <= HOST_BYTES_MAX && labels_are_plain && ends_as_name
}

/// Reads a port; zero is none.
pub(super) fn parse_port(text: &str) -> Result<u16, UrlError> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port != 0).ok_or(UrlError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(host: &str, port: u16, protection: Protection) -> Route {
        Route::Smtp { host: host.into(), port, protection }
    }

    #[test]
    fn each_form_of_a_url_is_read() {
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
    fn only_the_three_names_of_this_machine_go_without_tls() {
        for url in
            ["smtp://localhost.example.com", "smtp://127.0.0.2", "smtp://[::ffff:127.0.0.1]", "smtp://localhosts"]
        {
            let Ok(Route::Smtp { protection, .. }) = Route::parse(url) else { panic!("{url}") };
            assert_eq!(protection, Protection::StartTls, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_reason() {
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
    fn an_error_repeats_nothing_of_a_url_with_a_password() {
        let error = Route::parse("smtp://ada:canary@mail.example.com").unwrap_err();
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("canary"));
    }
}
