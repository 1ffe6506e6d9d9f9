//! How a database names its tables and columns and writes the values that the rules know. A mapping is
//! data: no statement and no rule exists twice because of one.

mod encoding;
mod names;
mod render;
mod schema;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::auth::secret::Token;
use crate::auth::secret::digest;
use crate::store::engine::{Value, ValueRef};

pub(in crate::store) use encoding::TimeEncoding;
pub(in crate::store) use names::Names;
pub(in crate::store) use render::identifier;
pub(in crate::store) use schema::{Holds, TABLES, Table};

/// The conventions of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchemaMapping {
    /// Its names; `None` when they are those of the statements.
    pub names: Option<Names>,
    /// How it writes instants.
    pub time: TimeEncoding,
    /// How it keeps tokens and codes.
    pub tokens: TokenStorage,
    /// How its rows get their ids.
    pub ids: IdStrategy,
    /// Columns that we know nothing of and that need a value: table, column and the value to write.
    pub fixed: Vec<(&'static str, String, String)>,
    /// Tables whose rows do not keep the order of their insertion: in SQLite those `WITHOUT ROWID`.
    pub without_insertion_order: Vec<&'static str>,
}

/// How a database keeps what lets its holder in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenStorage {
    /// SHA-256 in hex, so that a copy of the file lets nobody in.
    Sha256,
    /// In clear, as a Better Auth app looks for them.
    Plain,
}

/// How rows get their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdStrategy {
    /// Text of our choice.
    Text,
    /// A UUID.
    Uuid,
    /// A number that the database chooses.
    Serial,
}

/// How the tables of our own write instants, in whatever database.
pub(super) const OWN_TIME: TimeEncoding = TimeEncoding::Seconds;

impl IdStrategy {
    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid => "UUIDs",
            Self::Serial => "numbers, chosen by the database",
        }
    }
}

/// A database made by authctl: the article's columns, whole seconds, secrets as digests.
pub(super) const NATIVE: SchemaMapping = SchemaMapping {
    names: None,
    time: TimeEncoding::Seconds,
    tokens: TokenStorage::Sha256,
    ids: IdStrategy::Text,
    fixed: Vec::new(),
    without_insertion_order: Vec::new(),
};

impl SchemaMapping {
    /// Puts the database's names into a statement.
    pub(super) fn sql<'s>(&self, statement: impl Into<Cow<'s, str>>) -> Cow<'s, str> {
        let statement = statement.into();
        match &self.names {
            None => statement,
            Some(names) => Cow::Owned(render::render(&statement, names)),
        }
    }

    /// Whether the database belongs to an app and we are a guest in it.
    pub(super) fn is_guest(&self) -> bool {
        self.names.is_some()
    }

    /// Whether the database has a column.
    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.column(table, column).is_some())
    }

    /// A column as a violated constraint names it.
    pub(super) fn place(&self, table: &str, column: &str) -> String {
        match &self.names {
            None => format!("{table}.{column}"),
            Some(names) => format!("{}.{}", names.table(table), names.column(table, column).unwrap_or(column)),
        }
    }

    /// Writes a truth.
    pub(super) fn truth(truth: bool) -> Value {
        Value::Integer(truth.into())
    }

    /// Writes an instant.
    pub(super) fn time(&self, instant: Timestamp) -> Value {
        self.time.write(instant)
    }

    /// Reads an instant; `None` for what is none here.
    pub(super) fn read_time(&self, value: ValueRef<'_>) -> Option<Timestamp> {
        self.time.read(value)
    }

    /// Writes a token as the `token` column holds it.
    pub(super) fn token<'t>(&self, token: &'t Token) -> Cow<'t, str> {
        match self.tokens {
            TokenStorage::Sha256 => Cow::Owned(digest(token.expose())),
            TokenStorage::Plain => Cow::Borrowed(token.expose()),
        }
    }

    /// Makes an id of the database's kind from a random one.
    pub(super) fn id(&self, random: &str) -> String {
        match self.ids {
            IdStrategy::Text | IdStrategy::Serial => random.to_owned(),
            IdStrategy::Uuid => uuid(random),
        }
    }

    /// Text that is absent: a Better Auth app writes an empty one where it does not know an address.
    pub(super) fn unknown(&self, text: Option<&str>) -> Option<String> {
        match text {
            None if self.is_guest() => Some(String::new()),
            text => text.map(str::to_owned),
        }
    }
}

/// A version 4 UUID (RFC 9562) whose random bits are those of the given text.
fn uuid(random: &str) -> String {
    let mut hex: Vec<char> = digest(random).chars().take(32).collect();
    hex[12] = '4';
    hex[16] = match hex[16].to_digit(16).unwrap_or(0) & 3 {
        0 => '8',
        1 => '9',
        2 => 'a',
        _ => 'b',
    };
    let part = |range: std::ops::Range<usize>| hex[range].iter().collect::<String>();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_stored_as_its_digest_at_home_and_as_it_is_in_an_app() {
        let token = Token::from_bytes(b"abc").unwrap();
        assert_eq!(NATIVE.token(&token), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let app = SchemaMapping { tokens: TokenStorage::Plain, ..NATIVE };
        assert_eq!(app.token(&token), "abc");
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let id = uuid("0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq");
        let parts: Vec<&str> = id.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        assert_ne!(uuid("a"), uuid("b"));
    }
}
