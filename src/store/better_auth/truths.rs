//! Detects how each column of an app's database encodes booleans: from its values, else from its default and type.

use rusqlite::Connection;

use super::detect::{FoundColumn, columns_of};
use crate::store::mapping::{Holds, Names, TABLES, TimeEncodings, TruthEncoding, identifier};
use crate::store::sqlite::engine::value_ref;

/// The number of values that are read.
const SAMPLE: u32 = 100;

/// The columns whose booleans are not 0 and 1.
pub(super) fn find(
    connection: &Connection,
    names: &Names,
    times: &TimeEncodings,
) -> rusqlite::Result<Vec<(&'static str, &'static str, TruthEncoding)>> {
    let mut found = Vec::new();
    for table in TABLES {
        let physical = names.table(table.name);
        let columns = columns_of(connection, physical)?;
        for known in table.columns.iter().filter(|known| known.holds == Holds::Truth) {
            let Some(name) = names.column(table.name, known.name) else { continue };
            let Some(column) = columns.iter().find(|column| column.name == name) else { continue };
            let encoding = match of_values(connection, physical, name)? {
                Some(encoding) => encoding,
                None => of_schema(column, || TruthEncoding::Time(times.of(table.name, "createdAt"))),
            };
            if encoding != TruthEncoding::Number {
                found.push((table.name, known.name, encoding));
            }
        }
    }
    Ok(found)
}

/// The encoding of most values; `None` without one.
fn of_values(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<Option<TruthEncoding>> {
    let (table, column) = (identifier(table), identifier(column));
    let sql = format!("SELECT {column} FROM main.{table} WHERE {column} IS NOT NULL LIMIT {SAMPLE}");
    let mut counts: Vec<(TruthEncoding, u32)> = Vec::new();
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(encoding) = TruthEncoding::shown_by(value_ref(row.get_ref(0)?)) {
            match counts.iter_mut().find(|(known, _)| *known == encoding) {
                Some((_, count)) => *count += 1,
                None => counts.push((encoding, 1)),
            }
        }
    }
    Ok(counts.into_iter().max_by_key(|(_, count)| *count).map(|(encoding, _)| encoding))
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
    use crate::store::mapping::TimeEncoding;

    /// The encoding of `emailVerified` with a declaration and values.
    fn of(declared: &str, values: &str) -> TruthEncoding {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("CREATE TABLE user (emailVerified {declared})")).unwrap();
        for value in values.split_whitespace() {
            connection.execute_batch(&format!("INSERT INTO user VALUES ({value})")).unwrap();
        }
        let times = TimeEncodings { default: TimeEncoding::Zulu, columns: Vec::new(), read_only: Vec::new() };
        let found = find(&connection, &Names::of_schema(), &times).unwrap();
        found.first().map_or(TruthEncoding::Number, |(_, _, encoding)| *encoding)
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
            ("text", "'2025-11-23T13:28:40.302Z'", time(TimeEncoding::Zulu)),
            ("date", "", time(TimeEncoding::Zulu)),
            ("boolean", "2 1 1", TruthEncoding::Number),
        ] {
            assert_eq!(of(declared, values), encoding, "{declared}: {values}");
        }
    }
}
