//! Detects the encoding of instants in an app's database, column by column: from the values, else from the schema,
//! else from the other columns.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::detect::FoundColumn;
use crate::auth::duration::rfc3339;
use crate::auth::storage::WriteBlocker;
use crate::store::engine::ValueRef;
use crate::store::mapping::{TimeEncoding, TimeEncodings, identifier};
use crate::store::sqlite::engine::value_ref;

/// The number of rows that are read from each end of a table.
const SAMPLE: u32 = 50;

/// What the columns of times show.
#[derive(Debug, Default)]
pub(super) struct Evidence(Vec<ColumnEvidence>);

#[derive(Debug)]
struct ColumnEvidence {
    table: &'static str,
    column: &'static str,
    /// The column as the database names it.
    place: String,
    /// The encodings of sampled values, with their counts.
    values: Vec<(TimeEncoding, u32)>,
    /// A sampled whole number.
    number: Option<i64>,
    /// The encoding that the schema implies, and by what.
    schema: Option<(TimeEncoding, &'static str)>,
}

/// The encodings of a database.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) times: TimeEncodings,
    /// Describes the encodings.
    pub(super) name: String,
    /// What shows them.
    pub(super) evidence: String,
    /// Reasons not to write a time.
    pub(super) blockers: Vec<WriteBlocker>,
}

impl Evidence {
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        (table, column): (&'static str, &'static str),
        physical: &str,
        found: &FoundColumn,
        order: &str,
    ) -> rusqlite::Result<()> {
        let mut evidence = ColumnEvidence {
            table,
            column,
            place: format!("{physical}.{}", found.name),
            values: Vec::new(),
            number: None,
            schema: implied_by(found),
        };
        let (physical, name) = (identifier(physical), identifier(&found.name));
        for direction in ["ASC", "DESC"] {
            let sql = format!(
                "SELECT {name} FROM main.{physical} WHERE {name} IS NOT NULL ORDER BY {order} {direction} LIMIT {SAMPLE}"
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let value = value_ref(row.get_ref(0)?);
                if let Some(encoding) = TimeEncoding::shown_by(value) {
                    if let ValueRef::Integer(number) = value {
                        evidence.number.get_or_insert(number);
                    }
                    match evidence.values.iter_mut().find(|(known, _)| *known == encoding) {
                        Some((_, count)) => *count += 1,
                        None => evidence.values.push((encoding, 1)),
                    }
                }
            }
        }
        self.0.push(evidence);
        Ok(())
    }

    /// Decides the encoding of each column. `named` is the encoding of the `--schema` file, for columns whose values
    /// do not show theirs.
    pub(super) fn verdict(self, named: Option<TimeEncoding>) -> Verdict {
        let settle = WriteBlocker::NAME_THE_ENCODING;
        let mut blockers: Vec<WriteBlocker> = named.and_then(|named| self.contradiction(named)).into_iter().collect();
        let mut shown: Vec<(&ColumnEvidence, TimeEncoding, String)> = Vec::new();
        let mut silent = Vec::new();
        for column in &self.0 {
            let place = &column.place;
            match column.of_values() {
                Some(Ok(encoding)) => shown.push((column, encoding, format!("the values of {place}"))),
                Some(Err((one, other))) if named == Some(one) || named == Some(other) => {
                    shown.push((column, named.unwrap_or(one), "the --schema file".to_owned()));
                }
                Some(Err((one, other))) => {
                    let problem =
                        format!("some of the values of {place} are {}, others are {}", plural(one), plural(other));
                    blockers.push(WriteBlocker {
                        problem,
                        remedy: format!("correct the rows, or {settle}"),
                        only_new_rows_of: None,
                    });
                    shown.push((column, one, format!("the values of {place}")));
                }
                None => match (named, column.schema) {
                    (Some(named), _) => shown.push((column, named, "the --schema file".to_owned())),
                    (None, Some((encoding, what))) => shown.push((column, encoding, format!("the {what} of {place}"))),
                    (None, None) => silent.push(column),
                },
            }
        }
        let single = |table: Option<&str>| {
            let mut encodings = shown.iter().filter(|(column, ..)| table.is_none_or(|table| column.table == table));
            let (_, first, _) = encodings.next()?;
            encodings.all(|(_, encoding, _)| encoding == first).then_some(*first)
        };
        let mut columns: Vec<_> = shown.iter().map(|(column, encoding, _)| (*column, *encoding)).collect();
        let mut unknown = Vec::new();
        for column in silent {
            match single(Some(column.table)).or_else(|| single(None)) {
                Some(encoding) => columns.push((column, encoding)),
                None => unknown.push((column.table, column.column)),
            }
        }
        if shown.is_empty() {
            let problem = "nothing in the file shows how it writes instants: in seconds or in milliseconds";
            blockers.push(WriteBlocker {
                problem: problem.to_owned(),
                remedy: settle.to_owned(),
                only_new_rows_of: None,
            });
        }
        let (name, evidence) = match (single(None), shown.first()) {
            (Some(encoding), Some((_, _, evidence))) => (encoding.name().to_owned(), evidence.clone()),
            (None, Some(_)) => ("mixed".to_owned(), by_column(&columns)),
            (_, None) => ("not known".to_owned(), "nothing: there are no rows".to_owned()),
        };
        let default = single(None).unwrap_or(TimeEncoding::Milliseconds);
        let columns = columns.into_iter().filter(|(_, encoding)| *encoding != default);
        let columns = columns.map(|(column, encoding)| (column.table, column.column, encoding)).collect();
        Verdict { times: TimeEncodings { default, columns, unknown }, name, evidence, blockers }
    }
}

impl Evidence {
    /// Refuses to write when the values contradict the unit of the `--schema` file: it is the unit of no column, and
    /// another one is shown.
    fn contradiction(&self, named: TimeEncoding) -> Option<WriteBlocker> {
        let shown = || self.0.iter().filter_map(|column| Some((column, column.of_values()?.ok()?)));
        if shown().any(|(_, encoding)| encoding == named || encoding.is_text() && named.is_text()) {
            return None;
        }
        let (column, encoding) = shown().next()?;
        let holds = match column.number {
            Some(number) => format!("{} holds {number}: {}", column.place, readings(number)),
            None => format!("the values of {} are {}", column.place, plural(encoding)),
        };
        Some(WriteBlocker {
            problem: format!("the --schema file says that times are {}, and {holds}", plural(named)),
            remedy: "leave \"time\" out of the --schema file, or name the unit of the values".to_owned(),
            only_new_rows_of: None,
        })
    }
}

/// The date of a number in each unit.
fn readings(number: i64) -> String {
    let date = |instant: Result<Timestamp, jiff::Error>| {
        instant.map_or_else(|_| "no date".to_owned(), |instant| rfc3339(instant).chars().take(10).collect())
    };
    let (seconds, milliseconds) = (Timestamp::from_second(number), Timestamp::from_millisecond(number));
    format!("{} as seconds, {} as milliseconds", date(seconds), date(milliseconds))
}

impl ColumnEvidence {
    /// The encoding of most values, or the two that have equally many; `None` without a value.
    fn of_values(&self) -> Option<Result<TimeEncoding, (TimeEncoding, TimeEncoding)>> {
        // Values of SQLite's CURRENT_TIMESTAMP come from a default of the schema and not from the app.
        let is_written = |encoding: TimeEncoding| encoding != TimeEncoding::Spaced;
        let by_app = self.values.iter().any(|(encoding, _)| is_written(*encoding));
        let values = || self.values.iter().filter(|(encoding, _)| !by_app || is_written(*encoding));
        let most = values().map(|(_, count)| *count).max()?;
        let mut winners = values().filter(|(_, count)| *count == most).map(|(encoding, _)| *encoding);
        let first = winners.next()?;
        Some(winners.next().map_or(Ok(first), |second| Err((first, second))))
    }
}

/// Lists the columns of each encoding.
fn by_column(columns: &[(&ColumnEvidence, TimeEncoding)]) -> String {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (column, encoding) in columns {
        places.entry(plural(*encoding)).or_default().push(&column.place);
    }
    let listed = places.into_iter().map(|(encoding, places)| format!("{encoding} in {}", places.join(", ")));
    listed.collect::<Vec<_>>().join("; ")
}

fn plural(encoding: TimeEncoding) -> &'static str {
    match encoding {
        TimeEncoding::Seconds => "seconds",
        TimeEncoding::Milliseconds => "milliseconds",
        TimeEncoding::FractionalSeconds => "seconds with a fraction",
        TimeEncoding::Zulu => "text that ends with Z",
        TimeEncoding::Offset => "text with an offset",
        TimeEncoding::Spaced => "text without milliseconds",
        TimeEncoding::SpacedMilliseconds => "text without an offset",
    }
}

/// The encoding that a column's default or declared type implies: Drizzle's default names the unit, and Kysely
/// declares `date` for text.
fn implied_by(column: &FoundColumn) -> Option<(TimeEncoding, &'static str)> {
    if let Some(default) = &column.default {
        let default = default.to_ascii_lowercase();
        if default.contains("unixepoch") || default.contains("strftime('%s'") {
            let encoding = if default.contains("1000") {
                TimeEncoding::Milliseconds
            } else if default.contains("subsec") && !default.contains("as integer") {
                TimeEncoding::FractionalSeconds
            } else {
                TimeEncoding::Seconds
            };
            return Some((encoding, "default"));
        }
        // Kysely declares `date` with this default, and Prisma `datetime`: their apps write another encoding.
        let is_text = column.declared.to_ascii_lowercase().contains("text");
        if is_text && (default.contains("current_timestamp") || default.contains("datetime('now')")) {
            return Some((TimeEncoding::Spaced, "default"));
        }
        if default.contains("%h:%m:%f") && !default.contains('z') {
            return Some((TimeEncoding::SpacedMilliseconds, "default"));
        }
    }
    column.declared.eq_ignore_ascii_case("date").then_some((TimeEncoding::Zulu, "declared type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on the columns of a table `t`.
    fn verdict(columns: &str, values: &str) -> Verdict {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!(r#"CREATE TABLE "t" ({columns}); {values}"#)).unwrap();
        let mut evidence = Evidence::default();
        for (column, name) in
            crate::store::better_auth::detect::columns_of(&connection, "t").unwrap().iter().zip(["a", "b", "c"])
        {
            evidence.add(&connection, ("t", name), "t", column, "rowid").unwrap();
        }
        evidence.verdict(None)
    }

    fn encodings(verdict: &Verdict) -> [TimeEncoding; 2] {
        assert_eq!(verdict.blockers, []);
        ["a", "b"].map(|column| verdict.times.of("t", column))
    }

    #[test]
    fn value_shows_its_encoding() {
        for (value, encoding) in [
            ("1763904520", TimeEncoding::Seconds),
            ("1763904520302", TimeEncoding::Milliseconds),
            ("1763904520.302", TimeEncoding::FractionalSeconds),
            ("'2025-11-23T13:28:40.302Z'", TimeEncoding::Zulu),
            ("'2025-11-23T13:28:40.302+00:00'", TimeEncoding::Offset),
            ("'2025-11-23 13:28:40'", TimeEncoding::Spaced),
            ("'2025-11-23 13:28:40.302'", TimeEncoding::SpacedMilliseconds),
            ("'2025-11-23 13:28:40.302-05:00'", TimeEncoding::Offset),
        ] {
            let found = verdict("a", &format!("INSERT INTO t VALUES ({value}), (NULL)"));
            assert_eq!(encodings(&found), [encoding; 2], "{value}");
            assert_eq!((found.name.as_str(), found.evidence.as_str()), (encoding.name(), "the values of t.a"));
        }
    }

    #[test]
    fn value_takes_precedence_over_the_schema() {
        let found = verdict("a date", "INSERT INTO t VALUES (1763904520)");
        assert_eq!(encodings(&found), [TimeEncoding::Seconds; 2]);
    }

    #[test]
    fn schema_of_an_empty_table_shows_the_encoding() {
        for (declared, encoding, what) in [
            (
                "INTEGER DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL",
                TimeEncoding::Milliseconds,
                "default",
            ),
            ("date not null DEFAULT CURRENT_TIMESTAMP", TimeEncoding::Zulu, "declared type"),
            ("text DEFAULT CURRENT_TIMESTAMP", TimeEncoding::Spaced, "default"),
            ("real DEFAULT (unixepoch('subsec'))", TimeEncoding::FractionalSeconds, "default"),
        ] {
            let found = verdict(&format!("a {declared}"), "");
            assert_eq!(encodings(&found), [encoding; 2], "{declared}");
            assert_eq!(found.evidence, format!("the {what} of t.a"));
        }
        for declared in ["INTEGER NOT NULL", "DATETIME DEFAULT CURRENT_TIMESTAMP", "INTEGER DEFAULT (julianday('now'))"]
        {
            assert_eq!(verdict(&format!("a {declared}"), "").blockers.len(), 1, "{declared}");
        }
    }

    #[test]
    fn each_column_has_its_own_encoding() {
        let found = verdict("a, b", "INSERT INTO t VALUES (1763904520, 1763904520302)");
        assert_eq!(encodings(&found), [TimeEncoding::Seconds, TimeEncoding::Milliseconds]);
        assert_eq!((found.name.as_str(), found.evidence.as_str()), ("mixed", "milliseconds in t.b; seconds in t.a"));
    }

    #[test]
    fn column_without_values_has_the_encoding_of_its_table() {
        let found = verdict("a, b", "INSERT INTO t VALUES (1763904520302, NULL)");
        assert_eq!(encodings(&found), [TimeEncoding::Milliseconds; 2]);
        let found = verdict("a, b, c", "INSERT INTO t VALUES (1763904520, 1763904520302, NULL)");
        assert_eq!((found.blockers.len(), found.times.unknown), (0, vec![("t", "c")]));
    }

    #[test]
    fn most_values_decide_and_equally_many_do_not() {
        let many = "INSERT INTO t VALUES (1763904520302), (1763904520303), ('2025-11-23 13:28:40')";
        assert_eq!(encodings(&verdict("a", many)), [TimeEncoding::Milliseconds; 2]);
        let default = "INSERT INTO t VALUES (1763904520302), ('2025-11-23 13:28:40'), ('2025-11-23 13:28:41')";
        assert_eq!(encodings(&verdict("a", default)), [TimeEncoding::Milliseconds; 2]);
        let found = verdict("a", "INSERT INTO t VALUES (1763904520302), (1763904520)");
        assert_eq!(found.blockers[0].problem, "some of the values of t.a are milliseconds, others are seconds");
    }

    /// The verdict on seconds in `a`, milliseconds in `b` and nothing in `c`, as far as they are given.
    fn named(values: &str, named: TimeEncoding) -> Verdict {
        let connection = Connection::open_in_memory().unwrap();
        let sql = format!("CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER); INSERT INTO t VALUES {values}");
        connection.execute_batch(&sql).unwrap();
        let mut evidence = Evidence::default();
        let columns = crate::store::better_auth::detect::columns_of(&connection, "t").unwrap();
        for (column, name) in columns.iter().zip(["a", "b", "c"]) {
            evidence.add(&connection, ("t", name), "t", column, "rowid").unwrap();
        }
        evidence.verdict(Some(named))
    }

    #[test]
    fn override_decides_only_columns_without_values() {
        let found = named("(1763904520, 1763904520302, NULL)", TimeEncoding::Seconds);
        assert_eq!(encodings(&found), [TimeEncoding::Seconds, TimeEncoding::Milliseconds]);
        assert_eq!(found.times.of("t", "c"), TimeEncoding::Seconds);
    }

    #[test]
    fn override_that_all_values_contradict_refuses_writes() {
        let found = named("(1764054000, NULL, NULL)", TimeEncoding::Milliseconds);
        assert_eq!(found.times.of("t", "a"), TimeEncoding::Seconds, "reading goes by the values");
        assert_eq!(
            found.blockers[0].problem,
            "the --schema file says that times are milliseconds, and t.a holds 1764054000: \
             2025-11-25 as seconds, 1970-01-21 as milliseconds"
        );
        let found = named("(NULL, 1764054000302, NULL)", TimeEncoding::Seconds);
        assert!(found.blockers[0].problem.contains("no date as seconds, 2025-11-25 as milliseconds"), "{found:?}");
        let found = named("('2025-11-25 07:00:00', NULL, NULL)", TimeEncoding::Seconds);
        assert!(found.blockers[0].problem.ends_with("t.a are text without milliseconds"), "{found:?}");
        assert_eq!(named("('2025-11-25 07:00:00', NULL, NULL)", TimeEncoding::Zulu).blockers, []);
    }
}
