//! The servers of an address, and the password for each.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::files::PasswordFile;
use super::libpq::Libpq;
use super::settings::Settings;
use super::{AddressError, Notice};

/// The port of a server without another one.
const PORT: u16 = 5432;

/// The directories of a local server's socket: Debian's, and that of PostgreSQL itself.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// A password of a server. It may be longer than a user's, because some services issue tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerPassword(Zeroizing<String>);

impl ServerPassword {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerPassword(***)")
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The directory of a socket.
    Socket(PathBuf),
    /// A name or an address. `ip` is where to connect, if that is given beside the name.
    Tcp { name: String, ip: Option<IpAddr> },
}

/// One of the servers of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub endpoint: Endpoint,
    pub port: u16,
    pub password: Option<ServerPassword>,
}

impl Host {
    /// Whether data for this server stays on this machine.
    pub fn is_local(&self) -> bool {
        match &self.endpoint {
            Endpoint::Socket(_) => true,
            Endpoint::Tcp { ip: Some(ip), .. } => ip.is_loopback(),
            // The connection to `localhost` does not ask a name server.
            Endpoint::Tcp { name, ip: None } => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }

    /// The server as messages show it: a socket by its path.
    pub fn shown(&self) -> String {
        match &self.endpoint {
            Endpoint::Socket(directory) => directory.join(format!(".s.PGSQL.{}", self.port)).display().to_string(),
            Endpoint::Tcp { .. } => self.to_string(),
        }
    }
}

/// As in a URL: `db.example.com:5432`.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Socket(path) => write!(f, "{}:{}", encoded(&path.to_string_lossy()), self.port),
            Endpoint::Tcp { name, .. } if name.contains(':') => {
                write!(f, "[{}]:{}", utf8_percent_encode(name, ADDRESS), self.port)
            }
            Endpoint::Tcp { name, .. } => write!(f, "{}:{}", encoded(name), self.port),
        }
    }
}

/// Everything but the characters that may stand in a name, a host or a database.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// For an IPv6 address, which keeps its colons.
const ADDRESS: &AsciiSet = &ENCODED.remove(b':');

pub(super) fn hosts(settings: &Settings, libpq: &Libpq) -> Result<Vec<Host>, AddressError> {
    let list = |name| settings.text(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port").unwrap_or_default());
    let count = addresses.as_ref().or(names.as_ref()).map_or(1, Vec::len);
    let at = |list: &Option<Vec<&str>>, index: usize| {
        let text = list.as_ref().and_then(|list| list.get(index)).copied();
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(names) = names.as_ref().filter(|names| names.len() != count) {
        return Err(AddressError::Count { hosts: names.len(), others: count, what: "addresses in hostaddr" });
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(AddressError::Count { hosts: count, others: ports.len(), what: "ports" });
    }
    let host = |index| {
        let ip = at(&addresses, index).map(|text| text.parse::<IpAddr>());
        let ip = ip.transpose().map_err(|_| settings.invalid("hostaddr", "must be an IP address"))?;
        let endpoint = match (at(&names, index), ip) {
            (Some(name), None) => endpoint(name)?,
            // As in libpq, the address decides where to connect, and the name what the certificate must show.
            (Some(name), Some(_)) if name.starts_with('/') => return Err(AddressError::Host),
            (Some(name), ip) => Endpoint::Tcp { name: host_name(name)?, ip },
            (None, Some(ip)) => Endpoint::Tcp { name: ip.to_string(), ip: Some(ip) },
            (None, None) => default_endpoint(libpq),
        };
        let port = match ports.get(index).or(ports.first()).copied().unwrap_or_default() {
            "" => PORT,
            text => text
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| settings.invalid("port", "must be a number from 1 to 65535"))?,
        };
        Ok(Host { endpoint, port, password: None })
    };
    (0..count).map(host).collect()
}

fn endpoint(name: String) -> Result<Endpoint, AddressError> {
    if name.starts_with('/') {
        return Ok(Endpoint::Socket(name.into()));
    }
    Ok(Endpoint::Tcp { name: host_name(name)?, ip: None })
}

/// Refuses what can only be a mistake, such as the rest of a password.
fn host_name(name: String) -> Result<String, AddressError> {
    let is_wrong =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '/' | '?' | '#' | '[' | ']' | '=');
    if name.contains(is_wrong) { Err(AddressError::Host) } else { Ok(name) }
}

/// The server of this machine.
fn default_endpoint(libpq: &Libpq) -> Endpoint {
    let directory = SOCKET_DIRECTORIES.into_iter().map(Path::new).find(|path| libpq.files.exists(path));
    match directory {
        Some(path) => Endpoint::Socket(path.to_owned()),
        None => Endpoint::Tcp { name: "localhost".to_owned(), ip: None },
    }
}

/// Adds the given password, else that of the password file for each host.
pub(super) fn add_passwords(
    hosts: &mut [Host],
    settings: &Settings,
    libpq: &Libpq,
    (database, user): (&str, &str),
    notices: &mut Vec<Notice>,
) {
    if let Some(given) = settings.text("password") {
        let password = ServerPassword(Zeroizing::new(given.to_owned()));
        for host in hosts {
            host.password = Some(password.clone());
        }
        return;
    }
    let path = settings.text("passfile").map(PathBuf::from).or_else(|| libpq.env.in_home(".pgpass"));
    let Some(path) = path else { return };
    let file = PasswordFile::read(&path, libpq, notices);
    for host in hosts {
        let name = match &host.endpoint {
            Endpoint::Socket(path) if path == Path::new(SOCKET_DIRECTORIES[0]) => "localhost".into(),
            Endpoint::Socket(path) => path.to_string_lossy(),
            Endpoint::Tcp { name, .. } => name.into(),
        };
        host.password = file.password(&name, host.port, database, user).map(ServerPassword);
    }
}
