//! Detects the encoding of instants in an app's database, column by column: from the values, else from the schema,
//! else from the other columns.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::detect::FoundColumn;
use super::overrides::{SchemaOverrides, line};
use crate::auth::duration::rfc3339;
use crate::auth::storage::{WriteBlocker, WriteScope};
use crate::store::engine::ValueRef;
use crate::store::mapping::{Elected, Encoding as _, TextForm, TimeEncoding, TimeEncodings, Votes, identifier};
use crate::store::sqlite::engine::value_ref;

/// The number of rows that are read from each end of a table.
const SAMPLE: u32 = 50;

const ZULU: TimeEncoding = TimeEncoding::Text(TextForm::ZULU);
const SPACED: TimeEncoding = TimeEncoding::Text(TextForm::SPACED);
const SPACED_MILLISECONDS: TimeEncoding = TimeEncoding::Text(TextForm::SPACED_MILLISECONDS);

/// The evidence of what the user says.
const BY_FILE: &str = "the --schema file";

/// What the columns of times show.
#[derive(Debug, Default)]
pub(super) struct Evidence(Vec<ColumnEvidence>);

#[derive(Debug)]
struct ColumnEvidence {
    table: &'static str,
    column: &'static str,
    /// The column as the database names it.
    place: String,
    /// The encodings of sampled values.
    values: Votes<TimeEncoding>,
    /// Whether a default of the database writes times as SQLite does, and not as the app does.
    has_default_of_sqlite: bool,
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
            values: Votes::default(),
            has_default_of_sqlite: found.default.as_deref().is_some_and(is_now_of_sqlite),
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
                    evidence.values.add(encoding);
                }
            }
        }
        self.0.push(evidence);
        Ok(())
    }

    /// Decides the encoding of each column. Where values do not show it, the `--schema` file does, else the schema of the
    /// database, else the other columns.
    pub(super) fn verdict(self, overrides: &SchemaOverrides) -> Verdict {
        let known: Vec<Known> = self.0.iter().map(|column| column.known(overrides)).collect();
        let shown: Vec<Decided<'_>> = self.0.iter().zip(&known).filter_map(|(one, known)| known.decided(one)).collect();
        let mut blockers: Vec<WriteBlocker> =
            overrides.time().and_then(|named| self.contradiction(named)).into_iter().collect();
        let mut columns = Vec::new();
        let mut read_only = Vec::new();
        for (column, known) in self.0.iter().zip(&known) {
            let of_others = || single(&shown, Some(column.table)).or_else(|| single(&shown, None));
            match known {
                Known::Shown(encoding, _) => columns.push((column, *encoding)),
                Known::Unclear(first, second, blocker) => {
                    let encoding = of_others().filter(|others| others == second).unwrap_or(*first);
                    columns.push((column, encoding));
                    blockers.push(blocker.clone());
                    read_only.push((column.table, column.column, blocker.clone()));
                }
                Known::Silent => match of_others() {
                    Some(encoding) => columns.push((column, encoding)),
                    None => read_only.push((column.table, column.column, column.unknown())),
                },
            }
        }
        blockers.extend(columns.is_empty().then(no_encoding));
        let (name, evidence) = described(&columns, &known);
        let default = single(&columns, None).unwrap_or(TimeEncoding::Milliseconds);
        let columns = columns.into_iter().filter(|(_, encoding)| *encoding != default);
        let columns = columns.map(|(column, encoding)| (column.table, column.column, encoding)).collect();
        Verdict { times: TimeEncodings { default, columns, read_only }, name, evidence, blockers }
    }

    /// Refuses to write when the values contradict the unit of the `--schema` file: it is the unit of no column, and
    /// another one is shown.
    fn contradiction(&self, named: TimeEncoding) -> Option<WriteBlocker> {
        let shown = || {
            self.0.iter().filter_map(|column| match column.of_values()? {
                Elected::One(encoding) => Some((column, encoding)),
                Elected::Tie(..) => None,
            })
        };
        if shown().any(|(_, encoding)| is_named(encoding, named)) {
            return None;
        }
        let (column, encoding) = shown().next()?;
        Some(WriteBlocker {
            problem: format!(
                "the --schema file says that times are {}, and {}",
                named.plural(),
                column.holds(encoding)
            ),
            remedy: "leave \"time\" out of the --schema file, or name the unit of the values".to_owned(),
            scope: WriteScope::Everything,
        })
    }
}

/// What is known of a column without the others.
enum Known {
    /// Its encoding, and what shows it.
    Shown(TimeEncoding, String),
    /// Two encodings that it may have, and why it is not written.
    Unclear(TimeEncoding, TimeEncoding, WriteBlocker),
    Silent,
}

/// A column and its encoding.
type Decided<'e> = (&'e ColumnEvidence, TimeEncoding);

impl Known {
    fn decided<'e>(&self, column: &'e ColumnEvidence) -> Option<Decided<'e>> {
        match self {
            Self::Shown(encoding, _) => Some((column, *encoding)),
            Self::Unclear(..) | Self::Silent => None,
        }
    }
}

/// The encoding of all columns, or of all in a table; `None` when they are different numbers or texts, or none has one.
fn single(columns: &[Decided<'_>], table: Option<&str>) -> Option<TimeEncoding> {
    let mut encodings = columns.iter().filter(|(column, _)| table.is_none_or(|table| column.table == table));
    let (_, first) = encodings.next()?;
    encodings.all(|(_, encoding)| encoding.is_alike(*first)).then_some(*first)
}

/// Whether a unit in the `--schema` file means an encoding. All texts have the same word there.
fn is_named(encoding: TimeEncoding, named: TimeEncoding) -> bool {
    encoding.is_alike(named) || encoding.is_text() && named.is_text()
}

/// The unit of an encoding, as the `--schema` file names it.
fn unit(encoding: TimeEncoding) -> &'static str {
    match encoding {
        TimeEncoding::Seconds | TimeEncoding::FractionalSeconds => "seconds",
        TimeEncoding::Milliseconds | TimeEncoding::RealMilliseconds => "milliseconds",
        TimeEncoding::Text(_) => "text",
    }
}

/// Describes the encodings of a database, and what shows them.
fn described(columns: &[Decided<'_>], known: &[Known]) -> (String, String) {
    let shown_by = known.iter().find_map(|known| match known {
        Known::Shown(_, evidence) => Some(evidence.clone()),
        Known::Unclear(..) | Known::Silent => None,
    });
    match (single(columns, None), shown_by) {
        (Some(encoding), Some(evidence)) => (encoding.name().into_owned(), evidence),
        _ if columns.is_empty() => ("not known".to_owned(), "nothing: there are no rows".to_owned()),
        _ => ("mixed".to_owned(), by_column(columns)),
    }
}

/// The reason not to write to a database without any instant.
fn no_encoding() -> WriteBlocker {
    WriteBlocker {
        problem: "nothing in the file shows how it writes instants: in seconds or in milliseconds".to_owned(),
        remedy: r#"name it in the --schema file: {"time": "seconds"}, {"time": "milliseconds"} or {"time": "text"}"#
            .to_owned(),
        scope: WriteScope::Everything,
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
    fn known(&self, overrides: &SchemaOverrides) -> Known {
        let place = &self.place;
        let own = overrides.time_of(self.table, self.column);
        let named = own.or_else(|| overrides.time());
        match (self.of_values(), named) {
            (Some(Elected::One(encoding)), _) => match own.filter(|own| !is_named(encoding, *own)) {
                Some(own) => Known::Unclear(encoding, encoding, self.contradicts(encoding, own)),
                None => Known::Shown(encoding, format!("the values of {place}")),
            },
            (None, Some(named)) => Known::Shown(named, BY_FILE.to_owned()),
            (Some(Elected::Tie(one, other)), named) => {
                let is_right = |one: &TimeEncoding| named.is_some_and(|named| is_named(*one, named));
                match [one, other].into_iter().find(is_right) {
                    Some(encoding) => Known::Shown(encoding, BY_FILE.to_owned()),
                    None => Known::Unclear(one, other, self.differ(one, other)),
                }
            }
            (None, None) => match self.schema {
                Some((encoding, what)) => Known::Shown(encoding, format!("the {what} of {place}")),
                None => Known::Silent,
            },
        }
    }

    fn read_only(&self, problem: String, remedy: String) -> WriteBlocker {
        WriteBlocker { problem, remedy, scope: WriteScope::Column(self.place.clone()) }
    }

    /// The lines of the `--schema` file that name these units.
    fn lines(&self, units: &[&str]) -> String {
        let mut lines: Vec<String> = units.iter().map(|unit| line("times", self.table, self.column, unit)).collect();
        lines.dedup();
        format!("in the --schema file: {}", lines.join(" or "))
    }

    /// No value shows the encoding, and the other columns differ.
    fn unknown(&self) -> WriteBlocker {
        let problem = format!("no value shows how {} encodes instants, and other columns differ", self.place);
        self.read_only(problem, format!("name it {}", self.lines(&["seconds", "milliseconds", "text"])))
    }

    /// Equally many values have two encodings.
    fn differ(&self, one: TimeEncoding, other: TimeEncoding) -> WriteBlocker {
        let (place, some, others) = (&self.place, one.plural(), other.plural());
        let problem = format!("some of the values of {place} are {some}, others are {others}");
        let lines = self.lines(&[unit(one), unit(other)]);
        self.read_only(problem, format!("correct the rows, or name the right encoding {lines}"))
    }

    /// The `--schema` file names another encoding than the values have.
    fn contradicts(&self, encoding: TimeEncoding, named: TimeEncoding) -> WriteBlocker {
        let (place, named, holds) = (&self.place, named.plural(), self.holds(encoding));
        let problem = format!("the --schema file says that the values of {place} are {named}, and {holds}");
        let name = format!("{}.{}", self.table, self.column);
        self.read_only(problem, format!("leave \"{name}\" out of the --schema file, or name the unit of the values"))
    }

    /// Describes the values, a number as the date that it is in each unit.
    fn holds(&self, encoding: TimeEncoding) -> String {
        match self.number {
            Some(number) => format!("{} holds {number}: {}", self.place, readings(number)),
            None => format!("the values of {} are {}", self.place, encoding.plural()),
        }
    }

    /// What the values show. Those that a default wrote count only where there are no others.
    fn of_values(&self) -> Option<Elected<TimeEncoding>> {
        let by_app = self.values.only(|encoding| !self.has_default_of_sqlite || encoding != SPACED);
        by_app.elected().or_else(|| self.values.elected())
    }
}

/// Lists the columns of each encoding.
fn by_column(columns: &[Decided<'_>]) -> String {
    let mut places: BTreeMap<Cow<'_, str>, Vec<&str>> = BTreeMap::new();
    for (column, encoding) in columns {
        places.entry(encoding.plural()).or_default().push(&column.place);
    }
    let listed = places.into_iter().map(|(encoding, places)| format!("{encoding} in {}", places.join(", ")));
    listed.collect::<Vec<_>>().join("; ")
}

/// Whether a default is the time as SQLite writes it.
fn is_now_of_sqlite(default: &str) -> bool {
    let default = default.to_ascii_lowercase();
    default.contains("current_timestamp") || default.contains("datetime('now')")
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
        if is_text && is_now_of_sqlite(&default) {
            return Some((SPACED, "default"));
        }
        if default.contains("%h:%m:%f") && !default.contains('z') {
            return Some((SPACED_MILLISECONDS, "default"));
        }
    }
    column.declared.eq_ignore_ascii_case("date").then_some((ZULU, "declared type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on the columns of the table `session`, which are its first times.
    fn verdict(columns: &str, values: &str) -> Verdict {
        verdict_with("{}", columns, values)
    }

    /// As [`verdict`], with a `--schema` file.
    fn verdict_with(overrides: &str, columns: &str, values: &str) -> Verdict {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!(r#"CREATE TABLE "t" ({columns}); {values}"#)).unwrap();
        let mut evidence = Evidence::default();
        let columns = crate::store::better_auth::detect::columns_of(&connection, "t").unwrap();
        for (column, name) in columns.iter().zip(TIMES) {
            evidence.add(&connection, ("session", name), "t", column, "rowid").unwrap();
        }
        evidence.verdict(&SchemaOverrides::parse(overrides).unwrap())
    }

    /// What Better Auth calls the columns `a`, `b` and `c`.
    const TIMES: [&str; 3] = ["expiresAt", "createdAt", "updatedAt"];

    fn encodings(verdict: &Verdict) -> [TimeEncoding; 2] {
        assert_eq!(verdict.blockers, []);
        [TIMES[0], TIMES[1]].map(|column| verdict.times.of("session", column))
    }

    /// The encoding of a text.
    fn of_text(text: &str) -> TimeEncoding {
        TimeEncoding::shown_by(ValueRef::Text(text.as_bytes())).unwrap()
    }

    #[test]
    fn value_shows_its_encoding() {
        for (value, encoding) in [
            ("1763904520", TimeEncoding::Seconds),
            ("1763904520302", TimeEncoding::Milliseconds),
            ("1763904520.302", TimeEncoding::FractionalSeconds),
            ("1763904520302.0", TimeEncoding::RealMilliseconds),
            ("'2025-11-23T13:28:40.302Z'", ZULU),
            ("'2025-11-23T13:28:40.302+00:00'", of_text("2025-11-23T13:28:40.302+00:00")),
            ("'2025-11-23 13:28:40'", SPACED),
            ("'2025-11-23 13:28:40.302'", SPACED_MILLISECONDS),
            ("'2025-11-23 13:28:40-05:00'", of_text("2025-11-23 13:28:40-05:00")),
            ("'2025-11-23T13:28:40.302001'", of_text("2025-11-23T13:28:40.302001")),
        ] {
            let found = verdict("a", &format!("INSERT INTO t VALUES ({value}), (NULL)"));
            assert_eq!(encodings(&found), [encoding; 2], "{value}");
            assert_eq!((found.name.as_str(), found.evidence.as_str()), (&*encoding.name(), "the values of t.a"));
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
            ("date not null DEFAULT CURRENT_TIMESTAMP", ZULU, "declared type"),
            ("text DEFAULT CURRENT_TIMESTAMP", SPACED, "default"),
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
        assert_eq!(found.blockers, []);
        assert_eq!(found.times.read_only("session", TIMES[2]).unwrap().scope, WriteScope::Column("t.c".to_owned()));
    }

    #[test]
    fn most_values_decide_and_equally_many_do_not() {
        let many = "INSERT INTO t VALUES (1763904520302), (1763904520303), ('2025-11-23 13:28:40')";
        assert_eq!(encodings(&verdict("a", many)), [TimeEncoding::Milliseconds; 2]);
        let default = "INSERT INTO t VALUES (1763904520302), ('2025-11-23 13:28:40'), ('2025-11-23 13:28:41')";
        let column = "a DEFAULT CURRENT_TIMESTAMP";
        assert_eq!(
            encodings(&verdict(column, default)),
            [TimeEncoding::Milliseconds; 2],
            "the default wrote the others"
        );
        assert_eq!(encodings(&verdict("a", default)), [SPACED; 2]);
        let found = verdict("a", "INSERT INTO t VALUES (1763904520302), (1763904520)");
        assert_eq!(found.blockers[0].problem, "some of the values of t.a are milliseconds, others are seconds");
    }

    #[test]
    fn milliseconds_of_both_types_do_not_differ() {
        let found = verdict("a, b, c", "INSERT INTO t VALUES (1763904520302, 1763904520302.0, NULL)");
        assert_eq!(encodings(&found), [TimeEncoding::Milliseconds, TimeEncoding::RealMilliseconds]);
        assert_eq!(found.times.of("session", TIMES[2]), TimeEncoding::Milliseconds);
        assert_eq!((found.times.read_only.len(), found.name.as_str()), (0, "a number of milliseconds"));
        let both = "INSERT INTO t VALUES (1763904520302.0), (1763904520302)";
        assert_eq!(encodings(&verdict("a", both)), [TimeEncoding::RealMilliseconds; 2]);
        let named = verdict_with(r#"{"time": "milliseconds"}"#, "a real", both);
        assert_eq!(encodings(&named), [TimeEncoding::RealMilliseconds; 2]);
        let seconds = "INSERT INTO t VALUES (1763904520302.0), (1763904520)";
        assert_eq!(verdict("a", seconds).blockers.len(), 1);
        let named = verdict_with(r#"{"time": "milliseconds"}"#, "a", seconds);
        assert_eq!(encodings(&named), [TimeEncoding::RealMilliseconds; 2]);
    }

    /// The verdict on values of `a`, `b` and `c`, where the `--schema` file names the unit.
    fn named(values: &str, unit: &str) -> Verdict {
        let overrides = format!(r#"{{"time": "{unit}"}}"#);
        verdict_with(&overrides, "a INTEGER, b INTEGER, c INTEGER", &format!("INSERT INTO t VALUES {values}"))
    }

    #[test]
    fn override_decides_only_columns_without_values() {
        let found = named("(1763904520, 1763904520302, NULL)", "seconds");
        assert_eq!(encodings(&found), [TimeEncoding::Seconds, TimeEncoding::Milliseconds]);
        assert_eq!(found.times.of("session", TIMES[2]), TimeEncoding::Seconds);
    }

    #[test]
    fn override_that_all_values_contradict_refuses_writes() {
        let found = named("(1764054000, NULL, NULL)", "milliseconds");
        assert_eq!(found.times.of("session", TIMES[0]), TimeEncoding::Seconds, "reading goes by the values");
        assert_eq!(
            found.blockers[0].problem,
            "the --schema file says that times are milliseconds, and t.a holds 1764054000: \
             2025-11-25 as seconds, 1970-01-21 as milliseconds"
        );
        let found = named("(NULL, 1764054000302, NULL)", "seconds");
        assert!(found.blockers[0].problem.contains("no date as seconds, 2025-11-25 as milliseconds"), "{found:?}");
        let found = named("('2025-11-25 07:00:00', NULL, NULL)", "seconds");
        assert!(found.blockers[0].problem.ends_with("t.a are text such as 2026-11-23 13:28:40"), "{found:?}");
        assert_eq!(named("('2025-11-25 07:00:00', NULL, NULL)", "text").blockers, []);
    }

    #[test]
    fn only_the_unclear_column_is_read_only() {
        let values = "INSERT INTO t VALUES (1763904520302, 1763904520302, NULL), (1763904520, 1763904520303, NULL)";
        let found = verdict("a, b, c", values);
        assert_eq!(found.blockers.len(), 1);
        assert_eq!(found.blockers[0].scope, WriteScope::Column("t.a".to_owned()));
        assert!(found.blockers[0].remedy.contains(r#"{"times": {"session.expiresAt": "seconds"}}"#), "{found:?}");
        let read_only: Vec<_> = found.times.read_only.iter().map(|(_, column, _)| *column).collect();
        assert_eq!(read_only, ["expiresAt"]);
        // It is read as the others are, and they decide for a column without values.
        assert_eq!(TIMES.map(|column| found.times.of("session", column)), [TimeEncoding::Milliseconds; 3]);
        let swapped =
            verdict("a, b", "INSERT INTO t VALUES (1763904520, 1763904520302), (1763904520302, 1763904520303)");
        assert_eq!(swapped.times.of("session", TIMES[0]), TimeEncoding::Milliseconds);
    }

    #[test]
    fn override_of_a_column_decides_and_may_contradict_its_values_alone() {
        let values = "INSERT INTO t VALUES (1763904520302, 1763904520302), (1763904520, 1763904520303)";
        let own = |unit: &str| format!(r#"{{"time": "milliseconds", "times": {{"session.expiresAt": "{unit}"}}}}"#);
        let found = verdict_with(&own("seconds"), "a, b", values);
        assert_eq!(encodings(&found), [TimeEncoding::Seconds, TimeEncoding::Milliseconds]);
        for (values, problem) in [
            ("INSERT INTO t VALUES (1764054000302, 1764054000302)", "t.a holds 1764054000302: no date as seconds"),
            (values, "some of the values of t.a are milliseconds, others are seconds"),
        ] {
            let unit = if problem.contains("no date") { "seconds" } else { "text" };
            let found = verdict_with(&own(unit), "a, b", values);
            assert_eq!(found.blockers.len(), 1, "{found:?}");
            assert!(found.blockers[0].problem.contains(problem), "{found:?}");
            assert_eq!(found.blockers[0].scope, WriteScope::Column("t.a".to_owned()));
        }
    }
}
