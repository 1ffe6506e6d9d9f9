//! Detects the encoding of instants in an app's database from its rows, or from its schema when it has no rows.

use rusqlite::Connection;

use super::detect::FoundColumn;
use crate::store::mapping::{TimeEncoding, identifier};
use crate::store::sqlite::engine::value_ref;

/// The number of rows that are read from each end of a table.
const SAMPLE: u32 = 50;

/// The encodings that were seen.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The encodings of values, each with the column where it was seen first.
    values: Vec<(TimeEncoding, String)>,
    /// The encodings that the schema implies, likewise.
    schema: Vec<(TimeEncoding, String)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One encoding, and its evidence.
    One(TimeEncoding, String),
    /// Two encodings, each with its evidence.
    Mixed((TimeEncoding, String), (TimeEncoding, String)),
    Unknown,
}

impl Evidence {
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        table: &str,
        column: &FoundColumn,
        order: &str,
    ) -> rusqlite::Result<()> {
        let place = format!("{table}.{}", column.name);
        let (table, name) = (identifier(table), identifier(&column.name));
        for direction in ["ASC", "DESC"] {
            let sql = format!(
                "SELECT {name} FROM main.{table} WHERE {name} IS NOT NULL ORDER BY {order} {direction} LIMIT {SAMPLE}"
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Some(encoding) = TimeEncoding::shown_by(value_ref(row.get_ref(0)?)) {
                    note(&mut self.values, encoding, || format!("the values of {place}"));
                }
            }
        }
        if let Some((encoding, what)) = implied_by(column) {
            note(&mut self.schema, encoding, || format!("the {what} of {place}"));
        }
        Ok(())
    }

    pub(super) fn verdict(self) -> Verdict {
        let seen = if self.values.is_empty() { self.schema } else { self.values };
        let mut seen = seen.into_iter();
        match (seen.next(), seen.next()) {
            (Some((encoding, place)), None) => Verdict::One(encoding, place),
            (Some(one), Some(other)) => Verdict::Mixed(one, other),
            (None, _) => Verdict::Unknown,
        }
    }
}

fn note(seen: &mut Vec<(TimeEncoding, String)>, encoding: TimeEncoding, place: impl FnOnce() -> String) {
    if seen.iter().all(|(known, _)| *known != encoding) {
        seen.push((encoding, place()));
    }
}

/// The encoding that a column's default or declared type implies: Drizzle's default names the unit, and Kysely
/// declares `date` for text.
fn implied_by(column: &FoundColumn) -> Option<(TimeEncoding, &'static str)> {
    if let Some(default) = &column.default {
        let default = default.to_ascii_lowercase();
        if default.contains("unixepoch") || default.contains("strftime('%s'") {
            let milliseconds = default.contains("1000");
            return Some((if milliseconds { TimeEncoding::Milliseconds } else { TimeEncoding::Seconds }, "default"));
        }
    }
    column.declared.eq_ignore_ascii_case("date").then_some((TimeEncoding::Zulu, "declared type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(declared: &str, values: &str) -> Verdict {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!(r#"CREATE TABLE "t" ("at" {declared}); {values}"#)).unwrap();
        let mut evidence = Evidence::default();
        for column in crate::store::better_auth::detect::columns_of(&connection, "t").unwrap() {
            evidence.add(&connection, "t", &column, "rowid").unwrap();
        }
        evidence.verdict()
    }

    #[test]
    fn value_shows_its_encoding() {
        for (value, encoding) in [
            ("1763904520", TimeEncoding::Seconds),
            ("1763904520302", TimeEncoding::Milliseconds),
            ("'2025-11-23T13:28:40.302Z'", TimeEncoding::Zulu),
            ("'2025-11-23T13:28:40.302+00:00'", TimeEncoding::Offset),
        ] {
            let found = verdict("", &format!("INSERT INTO t VALUES ({value}), (NULL)"));
            assert_eq!(found, Verdict::One(encoding, "the values of t.at".into()), "{value}");
        }
    }

    #[test]
    fn value_takes_precedence_over_the_schema() {
        let found = verdict("date", "INSERT INTO t VALUES (1763904520)");
        assert_eq!(found, Verdict::One(TimeEncoding::Seconds, "the values of t.at".into()));
    }

    #[test]
    fn schema_of_an_empty_table_shows_the_encoding() {
        let drizzle = "INTEGER DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL";
        assert_eq!(verdict(drizzle, ""), Verdict::One(TimeEncoding::Milliseconds, "the default of t.at".into()));
        assert_eq!(verdict("date not null", ""), Verdict::One(TimeEncoding::Zulu, "the declared type of t.at".into()));
        assert_eq!(verdict("INTEGER NOT NULL", ""), Verdict::Unknown);
    }

    #[test]
    fn mixed_units_are_reported() {
        let found = verdict("INTEGER", "INSERT INTO t VALUES (1763904520302), (1763904520)");
        assert!(
            matches!(found, Verdict::Mixed((TimeEncoding::Milliseconds, _), (TimeEncoding::Seconds, _))),
            "{found:?}"
        );
    }
}
