//! What the schema of an app's database says of the encodings of its columns, beside a sample of their values.

use super::description::{ColumnType, Description, FoundColumn};
use super::detect::NotRead;
use super::local_times::LocalTimes;
use super::overrides::SchemaOverrides;
use crate::store::mapping::{
    DeclaredTruth, Evidence, Holds, Place, Table, TextForm, TimeEncoding, TimeEvidence, TruthEncoding, TruthEvidence,
    TruthValues, Votes, identifier,
};
use crate::store::sql::sample::{self, Source};

/// A table of the database.
pub(super) struct ReadTable<'t> {
    pub(super) known: &'static Table,
    /// Its name in the database.
    pub(super) name: &'t str,
    /// The column by which its rows are ordered, quoted; `None` for the order of their insertion.
    pub(super) order: Option<&'t str>,
    /// Better Auth's names of columns, and the columns.
    pub(super) columns: Vec<(&'static str, &'t FoundColumn)>,
}

impl ReadTable<'_> {
    /// Adds what the columns of times and booleans show.
    pub(super) fn add_to(
        &self,
        evidence: &mut Evidence,
        local_times: &mut LocalTimes,
        database: &dyn Description,
        overrides: &SchemaOverrides,
    ) -> Result<(), NotRead> {
        let names = |of: Holds| {
            let is_meant = move |name: &str| self.known.column(name).is_some_and(|column| column.holds == of);
            self.columns.iter().filter(move |(name, _)| is_meant(name))
        };
        let mut columns = Vec::new();
        for (name, found) in names(Holds::Time) {
            let place = self.place(name, found);
            if matches!(found.holds, ColumnType::Texts | ColumnType::Other) {
                return Err(NotRead::Lacking {
                    problem: format!("{} has the type {}, which holds no instants", place.name, found.declared),
                    remedy: "let the app store instants there, as Better Auth's own schema does".to_owned(),
                });
            }
            let typed = self.time_of_type(found, &place, local_times);
            if typed.is_none() {
                columns.push(identifier(&found.name));
            }
            evidence.times.push(TimeEvidence {
                place: Place { is_settled: typed.is_some(), ..place },
                votes: Votes::default(),
                number: None,
                named: overrides.time_of(self.known.name, name),
                schema: implied_by(found),
                has_default_of_sqlite: found.default.as_deref().is_some_and(is_now_of_sqlite),
                typed,
            });
        }
        for (name, found) in names(Holds::Truth) {
            let place = self.place(name, found);
            let typed = match found.holds {
                ColumnType::Boolean => Some(TruthEncoding::Boolean),
                _ => self.time_of_type(found, &place, local_times).map(|(encoding, _)| TruthEncoding::Time(encoding)),
            };
            if typed.is_none() {
                columns.push(identifier(&found.name));
            }
            evidence.truths.push(TruthEvidence {
                place: Place { is_settled: typed.is_some(), ..place },
                values: TruthValues::default(),
                schema: declared_by(found),
                typed,
            });
        }
        if columns.is_empty() {
            return Ok(());
        }
        let mut observed = evidence.of_table(self.known.name);
        observed.retain_mut(|column| !column.place().is_settled);
        database.read(&mut |tx| {
            let order = self.order.unwrap_or(tx.dialect().insertion);
            let source = Source { table: &database.place(self.name), columns: &columns, order };
            sample::sample(tx, &source, &mut observed)
        })?;
        Ok(())
    }

    /// The encoding of a column whose type alone shows it, and by what.
    fn time_of_type(
        &self,
        found: &FoundColumn,
        place: &Place,
        local_times: &mut LocalTimes,
    ) -> Option<(TimeEncoding, String)> {
        match found.holds {
            ColumnType::Instant => Some((TimeEncoding::Calendar, format!("the type of {}", place.name))),
            ColumnType::LocalTime { has_milliseconds } => {
                let is_snake_case = self.columns.iter().any(|(_, column)| column.name.contains('_'));
                Some(local_times.of(&place.name, has_milliseconds, is_snake_case))
            }
            _ => None,
        }
    }

    fn place(&self, column: &'static str, found: &FoundColumn) -> Place {
        let name = format!("{}.{}", self.name, found.name);
        Place { table: self.known.name, column, name, is_settled: false }
    }
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
            return Some((TimeEncoding::Text(TextForm::SPACED), "default"));
        }
        if default.contains("%h:%m:%f") && !default.contains('z') {
            return Some((TimeEncoding::Text(TextForm::SPACED_MILLISECONDS), "default"));
        }
    }
    column.declared.eq_ignore_ascii_case("date").then_some((TimeEncoding::Text(TextForm::ZULU), "declared type"))
}

/// What the default of a column of booleans, else its type, say.
fn declared_by(column: &FoundColumn) -> DeclaredTruth {
    let declared = column.declared.to_ascii_lowercase();
    match column.default.as_deref().map(|default| default.trim_matches(['(', ')'])) {
        Some("'true'" | "'false'") => DeclaredTruth::Encoding(TruthEncoding::Word),
        Some("'TRUE'" | "'FALSE'") => DeclaredTruth::Encoding(TruthEncoding::UpperWord),
        _ if declared.contains("date") || declared.contains("time") => DeclaredTruth::Date,
        _ => DeclaredTruth::Encoding(TruthEncoding::Number),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::auth::storage::{WriteBlocker, WriteScope};
    use crate::store::engine::ValueRef;
    use crate::store::mapping::{TABLES, Verdict};
    use crate::store::sqlite::description::Described;
    use crate::store::sqlite::engine::SqliteTx;

    const ZULU: TimeEncoding = TimeEncoding::Text(TextForm::ZULU);
    const SPACED: TimeEncoding = TimeEncoding::Text(TextForm::SPACED);
    const SPACED_MILLISECONDS: TimeEncoding = TimeEncoding::Text(TextForm::SPACED_MILLISECONDS);

    /// What the columns of a table `t` show under names of Better Auth.
    fn evidence(overrides: &str, table: &str, names: &[&'static str], sql: &str) -> Evidence {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        let database = Described(&connection);
        let columns = database.columns("t").unwrap();
        let known = TABLES.iter().find(|known| known.name == table).unwrap();
        let columns = names.iter().copied().zip(&columns).collect();
        let overrides = SchemaOverrides::parse(overrides).unwrap();
        let mut evidence = Evidence { named: overrides.time(), ..Evidence::default() };
        let mut local_times = LocalTimes::new(None, database.signs());
        let order = sql.contains("WITHOUT ROWID").then_some("a");
        ReadTable { known, name: "t", order, columns }
            .add_to(&mut evidence, &mut local_times, &database, &overrides)
            .unwrap();
        evidence
    }

    /// The verdict on the columns of the table `session`, which are its first times.
    fn verdict(columns: &str, values: &str) -> Verdict {
        verdict_with("{}", columns, values)
    }

    /// As [`verdict`], with a `--schema` file.
    fn verdict_with(overrides: &str, columns: &str, values: &str) -> Verdict {
        evidence(overrides, "session", &TIMES, &format!("CREATE TABLE t ({columns}); {values}")).verdict()
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
        assert_eq!(found.blockers.len(), 1, "db status shows the line for the --schema file");
        let scope = WriteScope::Silent { column: "t.c".to_owned(), key: "session.updatedAt".to_owned() };
        assert_eq!(found.blockers[0].scope, scope);
        assert_eq!(found.times.read_only("session", TIMES[2]), Some(&found.blockers[0]));
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
        assert!(found.blockers[0].problem.contains("57870-08-24 as seconds, 2025-11-25 as milliseconds"), "{found:?}");
        let found = named("('2025-11-25 07:00:00', NULL, NULL)", "seconds");
        assert!(found.blockers[0].problem.ends_with("t.a are text such as 2026-11-23 13:28:40"), "{found:?}");
        assert_eq!(named("('2025-11-25 07:00:00', NULL, NULL)", "text").blockers, []);
        let found = named("(1764054000302, NULL, NULL)", "text");
        assert!(
            found.blockers[0]
                .problem
                .contains("text such as 2026-11-23T13:28:40.302Z, and the values of t.a are numbers"),
            "{found:?}"
        );
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
            ("INSERT INTO t VALUES (1764054000302, 1764054000302)", "t.a holds 1764054000302: 57870-08-24 as seconds"),
            (values, "some of the values of t.a are milliseconds, others are seconds"),
        ] {
            let unit = if problem.contains("as seconds") { "seconds" } else { "text" };
            let found = verdict_with(&own(unit), "a, b", values);
            assert_eq!(found.blockers.len(), 1, "{found:?}");
            assert!(found.blockers[0].problem.contains(problem), "{found:?}");
            assert_eq!(found.blockers[0].scope, WriteScope::Column("t.a".to_owned()));
        }
    }

    /// The encoding of `user.emailVerified` with a declaration and values, and why it is not written.
    fn of(declared: &str, values: &str) -> (TruthEncoding, Vec<WriteBlocker>) {
        let values = values.split_whitespace().map(|value| format!("INSERT INTO t (a) VALUES ({value});"));
        let sql = format!("CREATE TABLE t (a {declared}, b date); {}", values.collect::<String>());
        let verdict = evidence("{}", "user", &["emailVerified", "createdAt"], &sql).verdict();
        let read_only: Vec<_> = verdict.times.read_only.iter().map(|(_, column, blocker)| (*column, blocker)).collect();
        assert_eq!(read_only, verdict.blockers.iter().map(|blocker| ("emailVerified", blocker)).collect::<Vec<_>>());
        (verdict.truths.first().map_or(TruthEncoding::Number, |(_, _, encoding)| *encoding), verdict.blockers)
    }

    #[test]
    fn values_else_the_schema_show_the_encoding_of_booleans() {
        let time = TruthEncoding::Time;
        for (declared, values, encoding) in [
            ("integer", "0 1 1", TruthEncoding::Number),
            ("integer DEFAULT false", "", TruthEncoding::Number),
            ("text", "'true' 'false'", TruthEncoding::Word),
            ("text DEFAULT 'false'", "", TruthEncoding::Word),
            ("varchar(5)", "'TRUE' 'FALSE' 'true'", TruthEncoding::UpperWord),
            ("", "'1' '0'", TruthEncoding::Digit),
            ("", "0.0 0.0", TruthEncoding::Real),
            ("", "0.5 1 -1.0", TruthEncoding::Number),
            ("", "1763904520.302 NULL 1763904521.5", time(TimeEncoding::FractionalSeconds)),
            ("", "1763904520.302 0.0", TruthEncoding::TimeOrZero(TimeEncoding::FractionalSeconds)),
            ("datetime", "1763904520302 NULL", time(TimeEncoding::Milliseconds)),
            ("integer", "1763904520 1763904521 0 NULL", time(TimeEncoding::Seconds)),
            // Zero is false in a column of dates, and written where it outnumbers NULL.
            ("integer", "1763904520 0 0 NULL", TruthEncoding::TimeOrZero(TimeEncoding::Seconds)),
            ("integer", "1763904520 0", TruthEncoding::TimeOrZero(TimeEncoding::Seconds)),
            ("integer", "1763904520 1 1 0", TruthEncoding::Number),
            ("text", "'2025-11-23T13:28:40.302Z'", time(ZULU)),
            ("date", "", time(ZULU)),
            ("boolean", "2 1 1", TruthEncoding::Number),
        ] {
            assert_eq!(of(declared, values), (encoding, Vec::new()), "{declared}: {values}");
        }
    }

    #[test]
    fn column_of_unknown_booleans_is_not_written() {
        for (values, shown) in [
            ("'yes' 'no' 'yes' NULL", "'yes', 'no'"),
            ("'t' 'f' 2", "'t', 'f'"),
            ("x'01' x'00'", "X'01', X'00'"),
            ("'a' 'b' 'c' 'd'", "'a', 'b', 'c'"),
            ("x'ff'||''", "'\u{fffd}'"),
            ("'a-text-of-which-only-a-part-is-shown'", "'a-text-of-which-only'"),
        ] {
            let (_, blockers) = of("", values);
            let problem = "no value of t.a is a boolean that authctl knows: it holds ";
            let found: Vec<_> = blockers.iter().map(|blocker| (&*blocker.problem, &blocker.scope)).collect();
            let scope = WriteScope::Column("t.a".to_owned());
            assert_eq!(found, [(&*format!("{problem}{shown}"), &scope)], "{values}");
        }
        // One value is enough to know.
        assert_eq!(of("", "'yes' 'no' 1"), (TruthEncoding::Number, Vec::new()));
    }

    #[test]
    fn column_with_as_many_dates_as_ones_is_not_written() {
        for (values, problem) in [
            ("1763904520 1 0 0", "some of the values of t.a are dates, others are 0 and 1"),
            ("'true' 1", "some of the values of t.a are 'true' and 'false', others are 0 and 1"),
        ] {
            let (_, blockers) = of("", values);
            assert_eq!(blockers.iter().map(|blocker| &*blocker.problem).collect::<Vec<_>>(), [problem]);
        }
    }

    /// Rows numbered from 1 to `last`, whose time is `value`, which may use their number `i`.
    fn rows(last: u32, value: &str) -> String {
        format!(
            "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT {value} FROM n"
        )
    }

    const SECONDS: TimeEncoding = TimeEncoding::Seconds;
    const MILLISECONDS: TimeEncoding = TimeEncoding::Milliseconds;

    #[test]
    fn rows_of_the_middle_outvote_those_of_the_ends() {
        let values = "iif(i BETWEEN 101 AND 10100, 1790000000302, 1790000000)";
        let mut evidence =
            evidence("{}", "session", &TIMES[..1], &format!("CREATE TABLE t (a); {}", rows(10_200, values)));
        let verdict = evidence.verdict();
        assert_eq!(verdict.times.of("session", TIMES[0]), MILLISECONDS);
        assert_eq!(verdict.unsettled, [("session", TIMES[0])], "the sample differs");
        assert!(evidence.of_table("user").is_empty());
    }

    #[test]
    fn sample_decides_only_if_it_agrees_and_stands_for_all() {
        let table = "CREATE TABLE t (a);";
        for (what, sql, is_settled) in [
            ("few rows that differ", format!("{table} {}", rows(100, "iif(i < 9, 1790000000, 1790000000302)")), true),
            ("many rows that agree", format!("{table} {}", rows(5000, "1790000000")), true),
            (
                "many rows with a stray one",
                format!("{table} {}", rows(5000, "iif(i = 1, 1790000000, 1790000000302)")),
                false,
            ),
            ("many rows without a value", format!("{table} {}", rows(5000, "NULL")), false),
            (
                "most rows before a gap",
                format!("{table} {}; UPDATE t SET rowid = 1000000 WHERE rowid = 5000", rows(5000, "1790000000")),
                false,
            ),
            (
                "no order of insertion",
                format!("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID; {}", rows(5000, "1790000000 + i")),
                false,
            ),
        ] {
            let verdict = evidence("{}", "session", &TIMES[..1], &sql).verdict();
            assert_eq!(verdict.unsettled.is_empty(), is_settled, "{what}");
        }
    }

    #[test]
    fn all_values_decide_where_the_sample_does_not() {
        // Most rows are in a part of the table of which the sample sees little.
        let sql = format!(
            "CREATE TABLE t (a); {}; INSERT INTO t (rowid, a) SELECT rowid + 1000000, 1790000000302 FROM t;
             INSERT INTO t (rowid, a) SELECT rowid * 10000 + 2000000, 1790000000 FROM t WHERE rowid <= 300",
            rows(5000, "1790000000302")
        );
        let mut evidence = evidence("{}", "session", &TIMES[..1], &sql);
        assert_eq!(evidence.verdict().unsettled, [("session", TIMES[0])]);
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&sql).unwrap();
        let mut tx = SqliteTx::new(&connection);
        sample::count(&mut tx, "SELECT a FROM t WHERE TRUE", &mut evidence.of_table("session")).unwrap();
        let verdict = evidence.verdict();
        assert_eq!((verdict.times.of("session", TIMES[0]), verdict.unsettled), (MILLISECONDS, Vec::new()));
        assert_eq!(evidence.times[0].votes.count(), 10_300);
    }

    #[test]
    fn tie_of_a_sample_is_no_reason_not_to_write() {
        let sql = format!("CREATE TABLE t (a); {}", rows(5000, "iif(i % 2, 1790000000, 1790000000302)"));
        let mut evidence = evidence("{}", "session", &TIMES[..1], &sql);
        evidence.times[0].votes = Votes::default();
        for encoding in [SECONDS, MILLISECONDS] {
            evidence.times[0].votes.add(encoding);
        }
        assert_eq!(evidence.verdict().blockers, []);
        evidence.times[0].place.is_settled = true;
        assert_eq!(evidence.verdict().blockers.len(), 1);
    }
}
