//! How an app writes instants: what its rows show, and what its schema says when there are none.

use rusqlite::Connection;

use super::schema::Column;
use crate::store::mapping::{TimeEncoding, identifier};
use crate::store::sqlite::engine::value_ref;

/// How many rows are looked at from either end of a table.
const SAMPLE: u32 = 50;

/// What was seen of the form of instants.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The forms that values show, each with where it was seen first.
    values: Vec<(TimeEncoding, String)>,
    /// The forms that the schema asks for, likewise.
    schema: Vec<(TimeEncoding, String)>,
}

/// What the evidence says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One form, and what shows it.
    One(TimeEncoding, String),
    /// Two, each with where it was seen.
    Mixed((TimeEncoding, String), (TimeEncoding, String)),
    /// Nothing shows it.
    Unknown,
}

impl Evidence {
    /// Looks at a column.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        table: &str,
        column: &Column,
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
                if let Some(form) = TimeEncoding::shown_by(value_ref(row.get_ref(0)?)) {
                    note(&mut self.values, form, || format!("the values of {place}"));
                }
            }
        }
        if let Some((form, what)) = asked_for(column) {
            note(&mut self.schema, form, || format!("the {what} of {place}"));
        }
        Ok(())
    }

    pub(super) fn verdict(self) -> Verdict {
        let seen = if self.values.is_empty() { self.schema } else { self.values };
        let mut seen = seen.into_iter();
        match (seen.next(), seen.next()) {
            (Some((form, place)), None) => Verdict::One(form, place),
            (Some(one), Some(other)) => Verdict::Mixed(one, other),
            (None, _) => Verdict::Unknown,
        }
    }
}

fn note(seen: &mut Vec<(TimeEncoding, String)>, form: TimeEncoding, place: impl FnOnce() -> String) {
    if seen.iter().all(|(known, _)| *known != form) {
        seen.push((form, place()));
    }
}

/// The form that a column's default or declared type asks for: Drizzle writes the unit into the
/// default, Kysely declares `date` and writes text.
fn asked_for(column: &Column) -> Option<(TimeEncoding, &'static str)> {
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
        for column in crate::store::better_auth::schema::columns(&connection, "t").unwrap() {
            evidence.add(&connection, "t", &column, "rowid").unwrap();
        }
        evidence.verdict()
    }

    #[test]
    fn values_show_their_form() {
        for (value, form) in [
            ("1763904520", TimeEncoding::Seconds),
            ("1763904520302", TimeEncoding::Milliseconds),
            ("'2025-11-23T13:28:40.302Z'", TimeEncoding::Zulu),
            ("'2025-11-23T13:28:40.302+00:00'", TimeEncoding::Offset),
        ] {
            let found = verdict("", &format!("INSERT INTO t VALUES ({value}), (NULL)"));
            assert_eq!(found, Verdict::One(form, "the values of t.at".into()), "{value}");
        }
    }

    #[test]
    fn a_value_outweighs_what_the_schema_says() {
        let found = verdict("date", "INSERT INTO t VALUES (1763904520)");
        assert_eq!(found, Verdict::One(TimeEncoding::Seconds, "the values of t.at".into()));
    }

    #[test]
    fn an_empty_table_may_say_it_in_its_schema() {
        let drizzle = "INTEGER DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL";
        assert_eq!(verdict(drizzle, ""), Verdict::One(TimeEncoding::Milliseconds, "the default of t.at".into()));
        assert_eq!(verdict("date not null", ""), Verdict::One(TimeEncoding::Zulu, "the declared type of t.at".into()));
        assert_eq!(verdict("INTEGER NOT NULL", ""), Verdict::Unknown);
    }

    #[test]
    fn two_units_in_one_file_are_seen() {
        let found = verdict("INTEGER", "INSERT INTO t VALUES (1763904520302), (1763904520)");
        assert!(
            matches!(found, Verdict::Mixed((TimeEncoding::Milliseconds, _), (TimeEncoding::Seconds, _))),
            "{found:?}"
        );
    }
}
