//! Named settings, and the two forms of text that hold them: a URL and `name=value` words.
//!
//! An error never repeats a value. It does not repeat a name either where the name may be part of a password.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::AddressError;

/// How authctl treats a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Honoured,
    /// Means nothing here, or belongs to an ORM or a pool.
    Dropped,
    /// Would weaken or change the connection if it were dropped.
    Refused,
}

use Use::{Dropped, Honoured, Refused};

/// Every known parameter with its environment variable, empty if it has none.
const PARAMETERS: &[(&str, &str, Use)] = &[
    ("host", "PGHOST", Honoured),
    ("hostaddr", "PGHOSTADDR", Honoured),
    ("port", "PGPORT", Honoured),
    ("user", "PGUSER", Honoured),
    ("dbname", "PGDATABASE", Honoured),
    ("password", "PGPASSWORD", Honoured),
    ("passfile", "PGPASSFILE", Honoured),
    ("service", "PGSERVICE", Honoured),
    ("servicefile", "PGSERVICEFILE", Honoured),
    ("sslmode", "PGSSLMODE", Honoured),
    ("sslrootcert", "PGSSLROOTCERT", Honoured),
    ("sslcert", "PGSSLCERT", Honoured),
    ("sslkey", "PGSSLKEY", Honoured),
    ("sslnegotiation", "PGSSLNEGOTIATION", Honoured),
    ("sslsni", "PGSSLSNI", Honoured),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Honoured),
    ("channel_binding", "PGCHANNELBINDING", Honoured),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Honoured),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Honoured),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Honoured),
    ("application_name", "PGAPPNAME", Honoured),
    ("options", "PGOPTIONS", Honoured),
    ("gssencmode", "PGGSSENCMODE", Honoured),
    ("keepalives", "", Honoured),
    ("keepalives_idle", "", Honoured),
    ("keepalives_interval", "", Honoured),
    ("keepalives_count", "", Honoured),
    ("tcp_user_timeout", "", Honoured),
    // Prisma's name of the schema.
    ("schema", "", Honoured),
    // The driver chooses how to authenticate, and it neither shows nor restricts the choice.
    ("require_auth", "PGREQUIREAUTH", Refused),
    ("requirepeer", "PGREQUIREPEER", Refused),
    ("sslcertmode", "PGSSLCERTMODE", Refused),
    ("sslcrl", "PGSSLCRL", Refused),
    ("sslcrldir", "PGSSLCRLDIR", Refused),
    ("sslpassword", "", Refused),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Refused),
    ("replication", "", Refused),
    ("scram_client_key", "", Refused),
    ("scram_server_key", "", Refused),
    // The driver speaks version 3.0 of the protocol, which every server does.
    ("min_protocol_version", "PGMINPROTOCOLVERSION", Refused),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Dropped),
    // libpq.
    ("authtype", "", Dropped),
    ("client_encoding", "", Dropped),
    ("fallback_application_name", "", Dropped),
    ("gssdelegation", "", Dropped),
    ("gsslib", "", Dropped),
    ("krbsrvname", "", Dropped),
    // A server that asks for a token of OAuth is named as one.
    ("oauth_client_id", "", Dropped),
    ("oauth_client_secret", "", Dropped),
    ("oauth_issuer", "", Dropped),
    ("oauth_scope", "", Dropped),
    ("sslcompression", "", Dropped),
    ("sslkeylogfile", "", Dropped),
    ("tty", "", Dropped),
    // Prisma, node-postgres, postgres.js, Neon and Supabase.
    ("connection_limit", "", Dropped),
    ("idle_timeout", "", Dropped),
    ("max", "", Dropped),
    ("max_connection_lifetime", "", Dropped),
    ("max_idle_connection_lifetime", "", Dropped),
    ("pgbouncer", "", Dropped),
    ("pool_timeout", "", Dropped),
    ("prepare", "", Dropped),
    ("prepared_statements", "", Dropped),
    ("single_use_connections", "", Dropped),
    ("socket_timeout", "", Dropped),
    ("sslaccept", "", Dropped),
    ("statement_cache_size", "", Dropped),
    ("uselibpqcompat", "", Dropped),
];

/// Whether a variable of the environment is one that libpq reads and that matters here.
pub(super) fn is_variable(name: &str) -> bool {
    name == "PGSYSCONFDIR" || PARAMETERS.iter().any(|(_, variable, _)| !variable.is_empty() && *variable == name)
}

struct Value {
    /// The name in messages: the parameter or the variable.
    shown: &'static str,
    text: Zeroizing<String>,
}

/// The settings of one source.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<&'static str, Value>);

impl Settings {
    /// Sets a parameter that a text names. A later value replaces an earlier one, as in libpq.
    pub(super) fn set(&mut self, name: &str, text: Zeroizing<String>) -> Result<(), AddressError> {
        match PARAMETERS.iter().find(|(known, ..)| *known == name) {
            Some((name, _, Honoured)) => {
                self.0.insert(name, Value { shown: name, text });
                Ok(())
            }
            Some((_, _, Dropped)) => Ok(()),
            Some((name, _, Refused)) => Err(AddressError::Unsupported(name)),
            None => Err(AddressError::Unknown(name.to_owned())),
        }
    }

    /// Reads the variables of the environment.
    pub(super) fn of_environment(variable: impl Fn(&str) -> Option<Zeroizing<String>>) -> Result<Self, AddressError> {
        let mut settings = Self::default();
        for (name, shown, usage) in PARAMETERS.iter().filter(|(_, shown, _)| !shown.is_empty()) {
            match (variable(shown), usage) {
                (Some(text), Honoured) => drop(settings.0.insert(name, Value { shown, text })),
                (Some(_), Refused) => return Err(AddressError::Unsupported(shown)),
                (Some(_), Dropped) | (None, _) => {}
            }
        }
        Ok(settings)
    }

    /// Takes from another source what this one leaves open.
    pub(super) fn fill(&mut self, other: Self) {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
    }

    /// Fills in what a service names, where the service is the first to name it.
    pub(super) fn set_first(&mut self, name: &str, text: Zeroizing<String>) -> Result<(), AddressError> {
        if self.0.contains_key(name) { Ok(()) } else { self.set(name, text) }
    }

    /// The value of a parameter. An empty value stands for the default.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// An error about the value of a parameter.
    pub(super) fn invalid(&self, name: &'static str, expected: &'static str) -> AddressError {
        let name = self.0.get(name).map_or(name, |value| value.shown);
        AddressError::Value { name, expected }
    }

    /// One of the listed words.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
        expected: &'static str,
    ) -> Result<Option<T>, AddressError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| Some(*value)).ok_or_else(|| self.invalid(name, expected))
    }

    /// A whole number. Like libpq, blanks around it do not matter.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<i32>, AddressError> {
        let number = self.text(name).map(|text| text.trim().parse());
        number.transpose().map_err(|_| self.invalid(name, "must be a whole number"))
    }
}

/// Sets a parameter of a text. An unknown name is not repeated where it may be the rest of a password.
fn set_or_hide(
    settings: &mut Settings,
    name: &str,
    text: Zeroizing<String>,
    may_be_password: bool,
) -> Result<(), AddressError> {
    let is_name = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match settings.set(name, text) {
        Err(AddressError::Unknown(_)) if may_be_password || !is_name => Err(AddressError::Unescaped),
        set => set,
    }
}

/// Reads what follows `postgres://`.
pub(super) fn read_url(rest: &str) -> Result<Settings, AddressError> {
    let mut settings = Settings::default();
    // As in libpq, the login ends at the first @ before the first slash.
    let authority = rest.split('/').next().unwrap_or_default();
    let rest = match authority.split_once('@') {
        Some((login, _)) => {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            if user.contains('?') {
                return Err(AddressError::Unescaped);
            }
            for (name, text) in
                [("user", user), ("password", password)].into_iter().filter(|(_, text)| !text.is_empty())
            {
                settings.set(name, decoded(text)?)?;
            }
            &rest[login.len() + 1..]
        }
        None => rest,
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    // libpq takes such text for a host or a database. More often it is the rest of a password.
    if place.contains('@') {
        return Err(AddressError::Unescaped);
    }
    let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
    read_hosts(hosts, &mut settings)?;
    if !database.is_empty() {
        settings.set("dbname", decoded(database)?)?;
    }
    // The true end of the login may be in what looks like the query.
    let has_at = query.contains('@');
    let mut follows_password = false;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        // libpq refuses a second equals sign. Other clients accept it, and it is common in `options`.
        let (name, text) = parameter.split_once('=').ok_or(AddressError::NoValue)?;
        let (name, text) = (decoded(name)?, decoded(text)?);
        match (name.as_str(), text.as_str()) {
            // JDBC's form, which libpq accepts.
            ("ssl", "true") => settings.set("sslmode", Zeroizing::new("require".to_owned()))?,
            _ => set_or_hide(&mut settings, &name, text, has_at || follows_password)?,
        }
        follows_password = *name == "password";
    }
    Ok(settings)
}

/// Reads `h1:1,[::1]:2`.
fn read_hosts(list: &str, settings: &mut Settings) -> Result<(), AddressError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in list.split(',') {
        let (host, rest) = match part.strip_prefix('[') {
            Some(inner) => inner.split_once(']').filter(|(host, _)| !host.is_empty()).ok_or(AddressError::Host)?,
            None => part.split_at(part.find(':').unwrap_or(part.len())),
        };
        let port = if rest.is_empty() { "" } else { rest.strip_prefix(':').ok_or(AddressError::Host)? };
        hosts.push(host);
        ports.push(port);
    }
    for (name, list) in [("host", hosts), ("port", ports)] {
        let text = decoded(&list.join(","))?;
        if !text.is_empty() {
            settings.set(name, text)?;
        }
    }
    Ok(())
}

/// Decodes percent-encoding as strictly as libpq.
fn decoded(text: &str) -> Result<Zeroizing<String>, AddressError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let byte = if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2).ok_or(AddressError::Escape)?;
            rest = after;
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit(digits[0]), digit(digits[1]));
            high.zip(low).map(|(high, low)| high << 4 | low).ok_or(AddressError::Escape)?
        } else {
            *first
        };
        if byte == 0 {
            return Err(AddressError::Escape);
        }
        bytes.push(byte);
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(AddressError::Escape),
    }
}

/// Whether a text is in the form of `host=... dbname=...`: it begins with a known name and an equals sign.
pub(super) fn is_keywords(text: &str) -> bool {
    let name = text.trim_start().split(|c: char| c == '=' || c.is_ascii_whitespace()).next().unwrap_or_default();
    let rest = text.trim_start()[name.len()..].trim_start();
    rest.starts_with('=') && PARAMETERS.iter().any(|(known, ..)| *known == name)
}

/// Reads `host=... dbname='...'`.
pub(super) fn read_keywords(text: &str) -> Result<Settings, AddressError> {
    let mut settings = Settings::default();
    let mut follows_password = false;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).ok_or(AddressError::NoValue)?;
        let name = &rest[..end];
        let after = rest[end..].trim_start().strip_prefix('=').ok_or(AddressError::NoValue)?;
        let (value, after) = keyword_value(after.trim_start())?;
        set_or_hide(&mut settings, name, value, follows_password)?;
        follows_password = name == "password";
        rest = after.trim_start();
    }
    Ok(settings)
}

/// The value at the beginning of a text, and what follows it.
fn keyword_value(text: &str) -> Result<(Zeroizing<String>, &str), AddressError> {
    let inner = text.strip_prefix('\'');
    let is_quoted = inner.is_some();
    let text = inner.unwrap_or(text);
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut letters = text.char_indices();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            '\'' if is_quoted => return Ok((value, &text[index + 1..])),
            _ if !is_quoted && letter.is_ascii_whitespace() => return Ok((value, &text[index..])),
            _ => value.push(letter),
        }
    }
    if is_quoted { Err(AddressError::Quote) } else { Ok((value, "")) }
}
