//! Detects how each column of an app's database encodes booleans: from its values, else from its default and type.

use rusqlite::Connection;

use super::detect::{FoundColumn, columns_of};
use super::encodings::Verdict;
use crate::auth::storage::{WriteBlocker, WriteScope};
use crate::store::engine::ValueRef;
use crate::store::mapping::{Holds, Names, TABLES, TruthEncoding, identifier};
use crate::store::sqlite::engine::value_ref;

/// The number of values that are read.
const SAMPLE: u32 = 100;

/// The number of unknown values that a message shows, and how much of each.
const SHOWN: usize = 3;
const SHOWN_LENGTH: u32 = 20;

/// What the values of a column show.
enum Shown {
    Nothing,
    /// The encoding of most.
    Encoding(TruthEncoding),
    /// No encoding; these are some of them, as literals of SQL.
    Unknown(Vec<String>),
}

/// The columns whose booleans are not 0 and 1. Those whose booleans are not known join the ones that are not written.
pub(super) fn find(
    connection: &Connection,
    names: &Names,
    verdict: &mut Verdict,
) -> rusqlite::Result<Vec<(&'static str, &'static str, TruthEncoding)>> {
    let mut found = Vec::new();
    for table in TABLES {
        let physical = names.table(table.name);
        let columns = columns_of(connection, physical)?;
        for known in table.columns.iter().filter(|known| known.holds == Holds::Truth) {
            let Some(name) = names.column(table.name, known.name) else { continue };
            let Some(column) = columns.iter().find(|column| column.name == name) else { continue };
            let encoding = match of_values(connection, physical, name)? {
                Shown::Encoding(encoding) => encoding,
                Shown::Nothing => of_schema(column, || TruthEncoding::Time(verdict.times.of(table.name, "createdAt"))),
                Shown::Unknown(values) => {
                    let blocker = unknown(format!("{physical}.{name}"), &values);
                    verdict.times.read_only.push((table.name, known.name, blocker.clone()));
                    verdict.blockers.push(blocker);
                    continue;
                }
            };
            if encoding != TruthEncoding::Number {
                found.push((table.name, known.name, encoding));
            }
        }
    }
    Ok(found)
}

/// The reason not to write a column whose booleans are not known.
fn unknown(place: String, values: &[String]) -> WriteBlocker {
    WriteBlocker {
        problem: format!("no value of {place} is a boolean that authctl knows: it holds {}", values.join(", ")),
        remedy: format!("let the app write 0 and 1 to {place}, or true and false as text"),
        scope: WriteScope::Column(place),
    }
}

/// A number that is no boolean is a fault of its row. Text and blobs may be booleans of the app.
fn of_values(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<Shown> {
    let (table, column) = (identifier(table), identifier(column));
    let sql = format!(
        "SELECT {column}, quote(substr({column}, 1, {SHOWN_LENGTH})) FROM main.{table} WHERE {column} IS NOT NULL LIMIT {SAMPLE}"
    );
    let mut counts: Vec<(TruthEncoding, u32)> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value = value_ref(row.get_ref(0)?);
        if let Some(encoding) = TruthEncoding::shown_by(value) {
            match counts.iter_mut().find(|(known, _)| *known == encoding) {
                Some((_, count)) => *count += 1,
                None => counts.push((encoding, 1)),
            }
        } else if matches!(value, ValueRef::Text(_) | ValueRef::Blob(_)) {
            let literal = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned();
            if unknown.len() < SHOWN && !unknown.contains(&literal) {
                unknown.push(literal);
            }
        }
    }
    Ok(match counts.into_iter().max_by_key(|(_, count)| *count) {
        Some((encoding, _)) => Shown::Encoding(encoding),
        None if unknown.is_empty() => Shown::Nothing,
        None => Shown::Unknown(unknown),
    })
}

fn of_schema(column: &FoundColumn, time: impl Fn() -> TruthEncoding) -> TruthEncoding {
    let declared = column.declared.to_ascii_lowercase();
    match column.default.as_deref().map(|default| default.trim_matches(['(', ')'])) {
        Some("'true'" | "'false'") => TruthEncoding::Word,
        Some("'TRUE'" | "'FALSE'") => TruthEncoding::UpperWord,
        _ if declared.contains("date") || declared.contains("time") => time(),
        _ => TruthEncoding::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mapping::{TextForm, TimeEncoding, TimeEncodings};

    /// The encoding of `emailVerified` with a declaration and values, and why it is not written.
    fn of(declared: &str, values: &str) -> (TruthEncoding, Vec<WriteBlocker>) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("CREATE TABLE user (emailVerified {declared})")).unwrap();
        for value in values.split_whitespace() {
            connection.execute_batch(&format!("INSERT INTO user VALUES ({value})")).unwrap();
        }
        let times =
            TimeEncodings { default: TimeEncoding::Text(TextForm::ZULU), columns: Vec::new(), read_only: Vec::new() };
        let mut verdict = Verdict { times, name: String::new(), evidence: String::new(), blockers: Vec::new() };
        let found = find(&connection, &Names::of_schema(), &mut verdict).unwrap();
        let read_only = verdict.times.read_only.iter().map(|(table, column, blocker)| {
            assert_eq!((*table, *column), ("user", "emailVerified"));
            blocker
        });
        assert!(read_only.eq(&verdict.blockers));
        (found.first().map_or(TruthEncoding::Number, |(_, _, encoding)| *encoding), verdict.blockers)
    }

    #[test]
    fn values_else_the_schema_show_the_encoding() {
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
            ("", "1763904520.302 0.0 1763904521.5", time(TimeEncoding::FractionalSeconds)),
            ("datetime", "1763904520302 NULL", time(TimeEncoding::Milliseconds)),
            ("integer", "1763904520 1763904521 0", time(TimeEncoding::Seconds)),
            ("text", "'2025-11-23T13:28:40.302Z'", time(TimeEncoding::Text(TextForm::ZULU))),
            ("date", "", time(TimeEncoding::Text(TextForm::ZULU))),
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
            let problem = "no value of user.emailVerified is a boolean that authctl knows: it holds ";
            let found: Vec<_> = blockers.iter().map(|blocker| (&*blocker.problem, &blocker.scope)).collect();
            let scope = WriteScope::Column("user.emailVerified".to_owned());
            assert_eq!(found, [(&*format!("{problem}{shown}"), &scope)], "{values}");
        }
        // One value is enough to know.
        assert_eq!(of("", "'yes' 'no' 1"), (TruthEncoding::Number, Vec::new()));
    }
}
