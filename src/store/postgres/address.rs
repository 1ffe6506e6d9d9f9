//! The address of a PostgreSQL database, read as libpq reads it: a URL or `name=value` words, completed by a service
//! file, the environment and defaults. Connects to nothing, and reads files only through [`LibpqFiles`].
//!
//! authctl differs from libpq in one default: without `sslmode`, a server on another machine must prove its name
//! (`verify-full`).

mod files;
mod hosts;
mod libpq;
mod options;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use hosts::encoded;
use options::SslMode;
use settings::Settings;

pub(super) use hosts::Endpoint;
pub use hosts::Host;
pub use libpq::{Libpq, LibpqEnv, LibpqFile, LibpqFiles};
pub(super) use options::{ChannelBinding, Encryption, Keepalives, TargetSession, TlsOptions, Verify};

/// Why an address cannot be used. No message holds a password: values are not repeated, and neither is a name that may
/// be the rest of a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text begins with neither a scheme nor `name=`.
    #[error("the address of the database must begin with postgres:// or postgresql://")]
    Scheme,
    #[error("the address of the database has a percent sign that does not begin an encoded character")]
    Escape,
    /// A character such as @ or / in a user name or password is not encoded.
    #[error("the user or the password in the address of the database has a character that must be percent-encoded")]
    Unescaped,
    #[error("the address of the database has a host name or address that is not valid")]
    Host,
    #[error("the address of the database has a parameter without `=` and a value")]
    NoValue,
    #[error("the address of the database has a quote that is not closed")]
    Quote,
    #[error("the parameter `{0}` in the address of the database is unknown")]
    Unknown(String),
    /// A parameter of libpq that would be unsafe to drop.
    #[error("authctl does not support `{0}` for a connection to PostgreSQL")]
    Unsupported(&'static str),
    #[error("`{name}` {expected}")]
    Value {
        /// The parameter, or the variable of the environment.
        name: &'static str,
        expected: &'static str,
    },
    #[error("the address of the database has {hosts} hosts and {others} {what}")]
    Count { hosts: usize, others: usize, what: &'static str },
    /// `sslmode` is weaker than another parameter requires.
    #[error("{needed_by} needs sslmode={least}")]
    WeakMode { needed_by: &'static str, least: &'static str },
    #[error("the user of the database is not known: the operating system has no name for this user")]
    NoUser,
    #[error("the service `{0}` is not defined in pg_service.conf")]
    Service(String),
    #[error("{} cannot be used: {problem}", path.display())]
    ServiceFile { path: PathBuf, problem: String },
}

/// What a caller should show once, although the address can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Other users can read the password file.
    PasswordFileOpen(PathBuf),
    PasswordFileUnreadable(PathBuf, String),
    /// The connection is encrypted, and the server is not verified.
    Unverified,
    /// The connection to another machine may be clear text.
    ClearText,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PasswordFileOpen(path) => {
                write!(f, "{} is ignored, because other users can read it: set its mode to 0600", path.display())
            }
            Self::PasswordFileUnreadable(path, problem) => write!(f, "{} is ignored: {problem}", path.display()),
            Self::Unverified => f.write_str(
                "the connection is encrypted, but the server is not verified: use sslmode=verify-full to verify it",
            ),
            Self::ClearText => f.write_str(
                "the connection to another machine may be clear text: use sslmode=verify-full to encrypt it",
            ),
        }
    }
}

/// How long a name may be. The server cuts a longer one off.
const NAME_MAX: usize = 63;

/// The address of a database, with everything that a connection needs.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// At least one.
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) database: String,
    schema: Option<String>,
    ssl_mode: Option<SslMode>,
    pub(super) tls: TlsOptions,
    pub(super) channel_binding: ChannelBinding,
    pub(super) target_session: TargetSession,
    /// The servers are used in random order.
    pub(super) is_balanced: bool,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) application_name: Option<String>,
    pub(super) options: Option<String>,
    pub(super) keepalives: Keepalives,
    pub(super) tcp_user_timeout: Option<Duration>,
    has_password_in_text: bool,
    notices: Vec<Notice>,
}

impl Address {
    /// Whether a text is meant as the address of a PostgreSQL database: a URL, or words that begin with a parameter of
    /// libpq, such as `host=... dbname=...`.
    pub fn is_address(text: &str) -> bool {
        url_rest(text).is_some() || settings::is_keywords(text)
    }

    /// Reads an address. What it leaves open comes from the service that it or the environment names, then from the
    /// environment, then from defaults. `postgres://` alone takes everything from there.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str, libpq: &Libpq) -> Result<Self, AddressError> {
        let mut settings = match url_rest(text) {
            Some(rest) => settings::read_url(rest)?,
            None if settings::is_keywords(text) => settings::read_keywords(text)?,
            None => return Err(AddressError::Scheme),
        };
        let has_password_in_text = settings.text("password").is_some();
        let variable = |name: &str| libpq.env.variable(name).map(|text| Zeroizing::new(text.to_owned()));
        let environment = Settings::of_environment(variable)?;
        let service = settings.owned("service").or_else(|| environment.owned("service"));
        if let Some(name) = service {
            let file = settings.owned("servicefile").or_else(|| environment.owned("servicefile"));
            settings.fill(files::service(&name, file.as_deref(), libpq)?);
        }
        settings.fill(environment);
        let mut address = Self::of(&settings, libpq)?;
        address.has_password_in_text = has_password_in_text;
        Ok(address)
    }

    fn of(settings: &Settings, libpq: &Libpq) -> Result<Self, AddressError> {
        let user = settings.owned("user").or_else(|| (libpq.env.os_user)()).ok_or(AddressError::NoUser)?;
        let database = settings.owned("dbname").unwrap_or_else(|| user.clone());
        let mut notices = Vec::new();
        let mut hosts = hosts::hosts(settings, libpq)?;
        hosts::add_passwords(&mut hosts, settings, libpq, (&database, &user), &mut notices);
        let schema = settings.owned("schema");
        if schema.as_ref().is_some_and(|schema| schema.len() > NAME_MAX) {
            return Err(AddressError::Value { name: "schema", expected: "must have at most 63 bytes" });
        }
        let (ssl_mode, roots) = options::ssl_mode(settings, libpq)?;
        options::refuse_gss(settings)?;
        let mut address = Self {
            hosts,
            user,
            database,
            schema,
            ssl_mode,
            tls: TlsOptions {
                roots,
                client: options::client_certificate(settings, libpq)?,
                is_direct: options::is_tls_direct(settings)?,
                sends_server_name: options::sends_server_name(settings)?,
                needs_version_1_3: options::needs_tls_1_3(settings)?,
            },
            channel_binding: options::channel_binding(settings)?,
            target_session: options::target_session(settings)?,
            is_balanced: options::is_balanced(settings)?,
            connect_timeout: options::seconds(settings, "connect_timeout")?,
            application_name: settings.owned("application_name"),
            options: settings.owned("options"),
            keepalives: Keepalives::of(settings)?,
            tcp_user_timeout: options::milliseconds(settings, "tcp_user_timeout")?,
            has_password_in_text: false,
            notices,
        };
        let may_be_clear = |host: &Host| matches!(address.encryption(host), Encryption::Never | Encryption::Offered(_));
        let is_tcp = |host: &&Host| matches!(host.endpoint, Endpoint::Tcp { .. });
        // The server has no chance to say that it does not speak TLS.
        if address.tls.is_direct && address.hosts.iter().filter(is_tcp).any(may_be_clear) {
            return Err(AddressError::WeakMode { needed_by: "sslnegotiation=direct", least: "require" });
        }
        let remote = || address.hosts.iter().filter(|host| !host.is_local());
        let is_clear = remote().any(may_be_clear);
        let is_unverified = remote().any(|host| address.encryption(host) == Encryption::Required(Verify::Nothing));
        address.notices.extend(is_clear.then_some(Notice::ClearText));
        address.notices.extend(is_unverified.then_some(Notice::Unverified));
        Ok(address)
    }

    /// How the connection to a host is protected. A socket never speaks TLS, as in libpq.
    pub(super) fn encryption(&self, host: &Host) -> Encryption {
        if matches!(host.endpoint, Endpoint::Socket(_)) {
            return Encryption::Never;
        }
        // As in libpq, roots are used in every mode.
        let chain = if self.tls.roots.is_some() { Verify::Chain } else { Verify::Nothing };
        let default = if host.is_local() { SslMode::Prefer } else { SslMode::VerifyFull };
        match self.ssl_mode.unwrap_or(default) {
            SslMode::Disable => Encryption::Never,
            SslMode::Allow | SslMode::Prefer => Encryption::Offered(chain),
            SslMode::Require => Encryption::Required(chain),
            SslMode::VerifyCa => Encryption::Required(Verify::Chain),
            SslMode::VerifyFull => Encryption::Required(Verify::ChainAndName),
        }
    }

    /// The address for messages, JSON and the log: `postgres://user@host:port/db`, without a password, and with no parameter but
    /// the schema, by which databases of authctl in one database of the server differ.
    pub fn shown(&self) -> String {
        let schema = in_query(self.schema.as_deref());
        format!("postgres://{}@{}/{}{schema}", encoded(&self.user), self.servers(), encoded(&self.database))
    }

    fn servers(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(ToString::to_string).collect();
        hosts.join(",")
    }

    /// A text that identifies the database, for the name of the session file: hosts and ports in order of their names,
    /// the database and the schema. The user does not belong to it: sessions belong to the database, whichever role
    /// authctl connects as. Different names of one server (a socket, `localhost`, an address) are different keys.
    pub fn key(&self) -> String {
        self.key_in(self.schema.as_deref())
    }

    /// As [`Self::key`], for a schema that the address need not name.
    pub(super) fn key_in(&self, schema: Option<&str>) -> String {
        let mut hosts: Vec<String> = self.hosts.iter().map(|host| host.to_string().to_ascii_lowercase()).collect();
        hosts.sort_unstable();
        format!("postgres://{}/{}{}", hosts.join(","), encoded(&self.database), in_query(schema))
    }

    /// The schema, as Prisma's `schema` parameter names it.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The role to connect as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The name of the database on the server.
    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Whether the text itself holds a password, which `ps` would show.
    pub fn has_password_in_text(&self) -> bool {
        self.has_password_in_text
    }

    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The parameter that names a schema, as the only one of an address.
fn in_query(schema: Option<&str>) -> String {
    schema.map(|schema| format!("?schema={}", encoded(schema))).unwrap_or_default()
}

/// What follows the scheme of a URL.
fn url_rest(text: &str) -> Option<&str> {
    text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))
}
