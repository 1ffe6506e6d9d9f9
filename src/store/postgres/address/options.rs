//! The options of a connection and their words.

use std::path::PathBuf;
use std::time::Duration;

use super::AddressError;
use super::libpq::Libpq;
use super::settings::Settings;

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// How much of the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum Verify {
    Nothing,
    /// The chain, but not the name.
    Chain,
    ChainAndName,
}

/// TLS for one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum Encryption {
    Never,
    /// If the server offers it.
    Offered(Verify),
    Required(Verify),
}

/// What TLS needs besides the mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::postgres) struct TlsOptions {
    /// The trusted roots in PEM; without a file, those of the system.
    pub roots: Option<PathBuf>,
    /// The client's certificate and its key in PEM.
    pub client: Option<(PathBuf, PathBuf)>,
    /// TLS begins at once, without a question to the server.
    pub is_direct: bool,
    pub sends_server_name: bool,
    pub needs_version_1_3: bool,
}

/// The state of a server that the connection needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum TargetSession {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// TCP keepalives. `None` leaves a value to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) struct Keepalives {
    pub is_on: bool,
    pub idle: Option<Duration>,
    pub interval: Option<Duration>,
    pub count: Option<u32>,
}

/// The mode and the file of roots.
pub(super) fn ssl_mode(settings: &Settings, libpq: &Libpq) -> Result<(Option<SslMode>, Option<PathBuf>), AddressError> {
    let words = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];
    let expected = "must be disable, allow, prefer, require, verify-ca or verify-full";
    let mode = settings.choice("sslmode", &words, expected)?;
    match settings.text("sslrootcert") {
        // Any public authority would do for a weaker mode, so libpq refuses it.
        Some("system") if mode.is_some_and(|mode| mode != SslMode::VerifyFull) => {
            Err(AddressError::WeakMode { needed_by: "sslrootcert=system", least: "verify-full" })
        }
        Some("system") => Ok((Some(SslMode::VerifyFull), None)),
        Some(path) => Ok((mode, Some(path.into()))),
        None => Ok((mode, in_home_if_there(libpq, ".postgresql/root.crt"))),
    }
}

fn in_home_if_there(libpq: &Libpq, path: &str) -> Option<PathBuf> {
    libpq.env.in_home(path).filter(|path| libpq.files.exists(path))
}

/// The client's certificate with its key.
pub(super) fn client_certificate(
    settings: &Settings,
    libpq: &Libpq,
) -> Result<Option<(PathBuf, PathBuf)>, AddressError> {
    let path = |name, default| settings.text(name).map(PathBuf::from).or_else(|| in_home_if_there(libpq, default));
    let certificate = path("sslcert", ".postgresql/postgresql.crt");
    match (certificate, path("sslkey", ".postgresql/postgresql.key")) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (Some(_), None) => {
            Err(settings.invalid("sslcert", "names a client certificate, and sslkey names no key for it"))
        }
        (None, _) => Ok(None),
    }
}

pub(super) fn refuse_gss(settings: &Settings) -> Result<(), AddressError> {
    match settings.text("gssencmode") {
        None | Some("disable" | "prefer") => Ok(()),
        Some(_) => Err(settings.invalid("gssencmode", "must be disable or prefer: authctl has no GSSAPI")),
    }
}

pub(super) fn needs_tls_1_3(settings: &Settings) -> Result<bool, AddressError> {
    // No connection uses a version before 1.2.
    let words = [("TLSv1", false), ("TLSv1.1", false), ("TLSv1.2", false), ("TLSv1.3", true)];
    let expected = "must be TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3";
    Ok(settings.choice("ssl_min_protocol_version", &words, expected)?.unwrap_or(false))
}

pub(super) fn channel_binding(settings: &Settings) -> Result<ChannelBinding, AddressError> {
    use ChannelBinding::{Disable, Prefer, Require};
    let words = [("disable", Disable), ("prefer", Prefer), ("require", Require)];
    Ok(settings.choice("channel_binding", &words, "must be disable, prefer or require")?.unwrap_or(Prefer))
}

pub(super) fn target_session(settings: &Settings) -> Result<TargetSession, AddressError> {
    use TargetSession::{Any, PreferStandby, Primary, ReadOnly, ReadWrite, Standby};
    let words = [
        ("any", Any),
        ("read-write", ReadWrite),
        ("read-only", ReadOnly),
        ("primary", Primary),
        ("standby", Standby),
        ("prefer-standby", PreferStandby),
    ];
    let expected = "must be any, read-write, read-only, primary, standby or prefer-standby";
    Ok(settings.choice("target_session_attrs", &words, expected)?.unwrap_or(Any))
}

/// Whether TLS begins without a question to the server.
pub(super) fn is_tls_direct(settings: &Settings) -> Result<bool, AddressError> {
    let words = [("postgres", false), ("direct", true)];
    Ok(settings.choice("sslnegotiation", &words, "must be postgres or direct")?.unwrap_or(false))
}

pub(super) fn sends_server_name(settings: &Settings) -> Result<bool, AddressError> {
    Ok(settings.choice("sslsni", &[("0", false), ("1", true)], "must be 0 or 1")?.unwrap_or(true))
}

pub(super) fn is_balanced(settings: &Settings) -> Result<bool, AddressError> {
    let words = [("disable", false), ("random", true)];
    Ok(settings.choice("load_balance_hosts", &words, "must be disable or random")?.unwrap_or(false))
}

/// A number above zero. Zero and less is the default, as in libpq.
fn positive(settings: &Settings, name: &'static str) -> Result<Option<u32>, AddressError> {
    let number = settings.number(name)?;
    Ok(number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0))
}

pub(super) fn seconds(settings: &Settings, name: &'static str) -> Result<Option<Duration>, AddressError> {
    Ok(positive(settings, name)?.map(|number| Duration::from_secs(number.into())))
}

pub(super) fn milliseconds(settings: &Settings, name: &'static str) -> Result<Option<Duration>, AddressError> {
    Ok(positive(settings, name)?.map(|number| Duration::from_millis(number.into())))
}

impl Keepalives {
    pub(super) fn of(settings: &Settings) -> Result<Self, AddressError> {
        Ok(Self {
            is_on: settings.number("keepalives")? != Some(0),
            idle: seconds(settings, "keepalives_idle")?,
            interval: seconds(settings, "keepalives_interval")?,
            count: positive(settings, "keepalives_count")?,
        })
    }
}
