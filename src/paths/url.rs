//! The address of a database on a server, as it is kept and shown.

use std::fmt;

/// The address of a database on a server, such as `postgres://ada@db.example.com/app`, of any scheme. It is shown
/// without its password and its parameters. The user of a scheme other than `postgres` may be a token, and is not
/// shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    pub(super) text: String,
    /// As it is shown, when more is known than the text says.
    pub(super) shown: Option<String>,
    pub(super) key: Option<String>,
    /// The name of the database in the configuration file.
    pub(super) name: Option<String>,
}

/// The words with which an address in the form `host=... dbname=...` may begin: the parameters of libpq. One that is not
/// recognised would be shown as a path, with a password in it.
pub(super) const KEYWORDS: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "require_auth",
    "service",
    "servicefile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

impl DatabaseUrl {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_url = text.split_once("://").is_some_and(|(scheme, _)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-:".contains(c))
        });
        let has_slip = || ["postgres:", "postgresql:"].iter().any(|scheme| text.starts_with(scheme));
        // A login before a host, without the scheme.
        let has_login = || {
            let host = text.split('/').next().unwrap_or_default().rsplit_once('@');
            host.is_some_and(|(login, host)| login.contains(':') && !host.is_empty())
        };
        let is_words = || text.split_once('=').is_some_and(|(word, _)| KEYWORDS.contains(&word.trim()));
        (is_url || has_slip() || has_login() || is_words()).then(|| Self {
            text: text.to_owned(),
            shown: None,
            key: None,
            name: None,
        })
    }

    /// The address as it was given, a password included: never for output.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The same address with what it and the environment mean together: how it is shown, and what tells databases
    /// apart.
    #[must_use]
    pub fn named(self, shown: String, key: String) -> Self {
        Self { shown: Some(shown), key: Some(key), ..self }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shown) = &self.shown {
            return f.write_str(shown);
        }
        // Words, and an address without its slashes or its scheme, may hold a password anywhere.
        let Some((scheme, rest)) = self.text.split_once("://") else { return f.write_str("postgres://") };
        // Up to the last @: a password may hold any other separator.
        let (user, server) = match rest.rsplit_once('@') {
            Some((login, server)) => (login.split(':').next(), server),
            None => (None, rest),
        };
        let user = user.filter(|_| matches!(scheme, "postgres" | "postgresql"));
        let server = server.split(['?', '#', ';']).next().unwrap_or_default();
        write!(f, "{scheme}://")?;
        user.map_or(Ok(()), |user| write!(f, "{user}@"))?;
        f.write_str(server)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
