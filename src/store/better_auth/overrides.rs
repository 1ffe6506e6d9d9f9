//! The `--schema` file: what the user knows about an app's database that the database does not show.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::auth::password::HashParams;
use crate::auth::policy::Argon2Cost;
use crate::store::mapping::{Holds, TABLES, TextForm, TimeEncoding, Zone, is_called};

/// The content of a `--schema` file, which is JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchemaOverrides {
    time: Option<TimeUnit>,
    /// Units of single columns, by Better Auth's `table.column`. They come before `time`.
    times: BTreeMap<String, TimeUnit>,
    /// The function of password hashes.
    password: Option<PasswordFunction>,
    /// Names of tables, by Better Auth's name. `None` for a table that the app keeps outside of the database.
    tables: BTreeMap<String, Option<String>>,
    /// Names of columns, by Better Auth's `table.column`.
    columns: BTreeMap<String, String>,
    /// Values for columns of the app that must not be null, by Better Auth's table and the app's column.
    values: BTreeMap<String, String>,
    /// The zone of an app on PostgreSQL whose columns hold local times, as the IANA names it.
    zone: Option<String>,
    /// The schema of PostgreSQL with the app's tables.
    schema: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TimeUnit {
    Seconds,
    Milliseconds,
    Text,
}

impl TimeUnit {
    fn encoding(self) -> TimeEncoding {
        match self {
            Self::Seconds => TimeEncoding::Seconds,
            Self::Milliseconds => TimeEncoding::Milliseconds,
            Self::Text => TimeEncoding::Text(TextForm::ZULU),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PasswordFunction {
    Scrypt,
    Bcrypt,
    Argon2id,
}

/// Entries of a part of a `--schema` file. A value is a name, or null.
pub(in crate::store) type Entries<'v> = Vec<(String, Option<&'v str>)>;

/// The text of a `--schema` file.
pub(in crate::store) fn file_text(parts: &[(&str, Entries<'_>)]) -> String {
    let null_or_name = |value: Option<&str>| value.map_or_else(|| "null".to_owned(), quoted);
    let part = |(name, entries): &(&str, Entries<'_>)| {
        let entries = entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), null_or_name(*value)));
        format!("{}: {{{}}}", quoted(name), entries.collect::<Vec<_>>().join(", "))
    };
    let parts: Vec<String> = parts.iter().filter(|(_, entries)| !entries.is_empty()).map(part).collect();
    format!("{{{}}}", parts.join(", "))
}

/// The text of a `--schema` file with one entry.
pub(super) fn line(part: &str, table: &str, column: &str, value: &str) -> String {
    file_text(&[(part, vec![(format!("{table}.{column}"), Some(value))])])
}

/// The text of a `--schema` file with one key.
pub(in crate::store) fn file_entry(key: &str, value: &str) -> String {
    format!("{{{}: {}}}", quoted(key), quoted(value))
}

/// A string of JSON. It can be copied from a terminal, which shows some characters in another form.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ if c.is_alphanumeric() => quoted.push(c),
            _ => quoted.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether an app may keep a table outside of the database (`secondaryStorage`).
pub(super) fn may_be_elsewhere(table: &str) -> bool {
    ["session", "verification"].contains(&table)
}

/// The default cost of the usual package for bcrypt in Node.
const BCRYPT_COST: u32 = 10;

impl SchemaOverrides {
    /// Parses the text of the file.
    ///
    /// # Errors
    /// A message about invalid JSON or an unknown name.
    pub fn parse(text: &str) -> Result<Self, String> {
        // serde reads a list as the fields in their order.
        if text.trim_start().starts_with('[') {
            return Err("it is a list, and not an object".to_owned());
        }
        let overrides: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(zone) = overrides.zone.as_deref().filter(|zone| Zone::named(zone).is_none()) {
            return Err(format!(
                "this system knows no time zone {zone:?}: write it as \"UTC\" or \"America/New_York\""
            ));
        }
        let known = |table: &str, column: Option<&str>| {
            let table = TABLES.iter().find(|known| known.name == table);
            table.is_some_and(|table| column.is_none_or(|column| table.column(column).is_some()))
        };
        if let Some(table) = overrides.tables.keys().find(|table| !known(table, None)) {
            return Err(format!("Better Auth has no table {table:?}"));
        }
        let is_needed = |(table, name): &(&String, &Option<String>)| name.is_none() && !may_be_elsewhere(table);
        if let Some((table, _)) = overrides.tables.iter().find(is_needed) {
            return Err(format!("no app keeps its table {table:?} outside of the database"));
        }
        let unknown = |key: &&String| !key.split_once('.').is_some_and(|(table, column)| known(table, Some(column)));
        if let Some(column) = overrides.columns.keys().find(unknown) {
            return Err(format!("Better Auth has no column {column:?}: write it as \"user.email\""));
        }
        let is_time = |key: &str| {
            let (table, column) = key.split_once('.')?;
            Some(TABLES.iter().find(|known| known.name == table)?.column(column)?.holds == Holds::Time)
        };
        if let Some(column) = overrides.times.keys().find(|key| is_time(key) != Some(true)) {
            return Err(format!("Better Auth has no time {column:?}: write it as \"session.expiresAt\""));
        }
        let homeless = |key: &&String| !key.split_once('.').is_some_and(|(table, _)| known(table, None));
        if let Some(column) = overrides.values.keys().find(homeless) {
            return Err(format!("{column:?} is no column of a table of Better Auth: write it as \"user.tenant\""));
        }
        Ok(overrides)
    }

    pub(super) fn time(&self) -> Option<TimeEncoding> {
        self.time.map(TimeUnit::encoding)
    }

    pub(super) fn time_of(&self, table: &str, column: &str) -> Option<TimeEncoding> {
        self.times.get(&format!("{table}.{column}")).copied().map(TimeUnit::encoding)
    }

    /// The zone of local times.
    pub(super) fn zone(&self) -> Option<Zone> {
        self.zone.as_deref().and_then(Zone::named)
    }

    /// The schema with the app's tables.
    pub(in crate::store) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// A key of the file that has a meaning for servers alone.
    pub(super) fn key_for_servers(&self) -> Option<&'static str> {
        self.zone.as_ref().map(|_| "zone").or_else(|| self.schema.as_ref().map(|_| "schema"))
    }

    /// Whether the file gives a table or column a name.
    pub(in crate::store) fn has_names(&self) -> bool {
        !self.tables.is_empty() || !self.columns.is_empty()
    }

    /// Every name that a table of Better Auth may have, in small letters.
    pub(in crate::store) fn table_names(&self) -> Vec<String> {
        let usual = TABLES.iter().flat_map(|table| [table.name.to_owned(), format!("{}s", table.name)]);
        usual.chain(self.tables.values().flatten().map(|name| name.to_lowercase())).collect()
    }

    /// Whether a table may be one of Better Auth, by its name.
    pub(in crate::store) fn may_be(&self, found: &str, table: &str) -> bool {
        let is = |name: &str| found.eq_ignore_ascii_case(name);
        self.table(table).map_or_else(|| is(table) || is(&format!("{table}s")), is)
    }

    /// Whether a column may be one of a table of Better Auth, by its name.
    pub(in crate::store) fn may_be_column(&self, found: &str, table: &str, column: &str) -> bool {
        let named = self.column(table, column);
        is_called(found, named.unwrap_or(column), named.is_some())
    }

    pub(super) fn passwords(&self) -> Option<HashParams> {
        self.password.map(|function| match function {
            PasswordFunction::Scrypt => HashParams::Scrypt,
            PasswordFunction::Bcrypt => HashParams::Bcrypt(BCRYPT_COST),
            PasswordFunction::Argon2id => HashParams::Argon2id(Argon2Cost::default()),
        })
    }

    pub(super) fn table(&self, table: &str) -> Option<&str> {
        self.tables.get(table)?.as_deref()
    }

    /// Whether the file says where a table is.
    pub(super) fn has_table(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Whether the app keeps a table outside of the database.
    pub(super) fn is_elsewhere(&self, table: &str) -> bool {
        self.tables.get(table).is_some_and(Option::is_none)
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Option<&str> {
        self.columns.get(&format!("{table}.{column}")).map(String::as_str)
    }

    /// The columns of a table for which the file names a value, with the values.
    pub(super) fn values_of(&self, table: &str) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.values.iter().filter_map(|(key, value)| Some((key.split_once('.')?, value.as_str())));
        columns.filter_map(move |((of, column), value)| (of == table).then_some((column, value)))
    }

    pub(super) fn value(&self, table: &str, column: &str) -> Option<&str> {
        self.values.get(&format!("{table}.{column}")).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read_from_json() {
        let overrides = SchemaOverrides::parse(
            r#"{"time": "seconds", "password": "bcrypt", "tables": {"user": "members"}, "columns": {"user.email": "mail"},
                "values": {"user.tenant": "main"}, "times": {"session.expiresAt": "text"}}"#,
        )
        .unwrap();
        assert_eq!(overrides.time_of("session", "expiresAt"), Some(TimeEncoding::Text(TextForm::ZULU)));
        assert_eq!(overrides.time_of("session", "createdAt"), None);
        assert_eq!(overrides.time(), Some(TimeEncoding::Seconds));
        assert_eq!(overrides.passwords(), Some(HashParams::Bcrypt(BCRYPT_COST)));
        assert_eq!((overrides.table("user"), overrides.table("session")), (Some("members"), None));
        assert_eq!(overrides.column("user", "email"), Some("mail"));
        let elsewhere = SchemaOverrides::parse(r#"{"tables": {"session": null}}"#).unwrap();
        assert_eq!(["session", "verification"].map(|table| elsewhere.is_elsewhere(table)), [true, false]);
        assert_eq!(overrides.value("user", "tenant"), Some("main"));
        assert_eq!((overrides.zone(), overrides.key_for_servers()), (None, None));
        let of_server = SchemaOverrides::parse(r#"{"zone": "America/New_York", "schema": "auth"}"#).unwrap();
        assert_eq!((of_server.zone(), of_server.schema()), (Zone::named("America/New_York"), Some("auth")));
        assert_eq!(of_server.key_for_servers(), Some("zone"));
        assert_eq!(SchemaOverrides::parse("{}").unwrap(), SchemaOverrides::default());
    }

    #[test]
    fn text_of_a_file_is_read_as_it_was_meant() {
        for name in ["mail", "e-mail \"x\" \\ 'y'", "naïve", "tab\tand \u{202e}\u{1f600}", "{\"}"] {
            let text = line("columns", "user", "email", name);
            assert!(!text.contains(['\t', '\u{202e}']), "{text}");
            assert_eq!(SchemaOverrides::parse(&text).unwrap().column("user", "email"), Some(name), "{text}");
        }
        let tables = vec![("session".to_owned(), Some("logins")), ("verification".to_owned(), None)];
        let text = file_text(&[("tables", tables), ("columns", vec![])]);
        assert_eq!(text, r#"{"tables": {"session": "logins", "verification": null}}"#);
    }

    #[test]
    fn unknown_name_or_value_is_an_error() {
        for text in [
            "[]",
            r#" [{"user": "members"}]"#,
            r#"{"tables": {"users": "members"}}"#,
            r#"{"tables": {"user": null}}"#,
            r#"{"columns": {"user.mail": "email"}}"#,
            r#"{"columns": {"email": "mail"}}"#,
            r#"{"values": {"tenant": "main"}}"#,
            r#"{"time": "hours"}"#,
            r#"{"password": "md5"}"#,
            r#"{"zone": "Mars/Olympus"}"#,
            r#"{"times": "seconds"}"#,
            r#"{"times": {"user.email": "seconds"}}"#,
            r#"{"times": {"createdAt": "seconds"}}"#,
            r#"{"times": {"user.createdAt": "hours"}}"#,
            "seconds",
        ] {
            assert!(SchemaOverrides::parse(text).is_err(), "{text}");
        }
    }
}
