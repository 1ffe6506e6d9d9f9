//! How the tables of plugins encode instants and booleans. Each has the encoding of its app, and no mapping lists them.
//! Names are quoted for SQL.

use jiff::Timestamp;

use crate::auth::storage::StoreError;
use crate::store::engine::{Tx, Value, ValueRef};
use crate::store::mapping::{FoundPlugin, SchemaMapping, TimeEncoding, identifier};

/// The number of values that show the encoding of a column.
const SAMPLE: u32 = 50;

/// The spellings of false, as a list for SQL.
pub(super) const FALSE: &str = "0, '0', 'false'";

/// The name of a plugin's column; `None` if the database lacks it.
pub(super) fn quoted(found: &FoundPlugin, column: &str) -> Option<String> {
    found.column(column).map(identifier)
}

/// Reads an instant in whatever encoding it shows.
pub(super) fn instant(value: ValueRef<'_>) -> Option<Timestamp> {
    TimeEncoding::shown_by(value).and_then(|encoding| encoding.read(value))
}

/// Whether an instant has come. A value that cannot be read has not.
pub(super) fn is_over(value: ValueRef<'_>, now: Timestamp) -> bool {
    instant(value).is_some_and(|instant| instant <= now)
}

/// The encoding of most values of the first column that shows one, else the usual one of the database.
pub(super) fn encoding(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    columns: &[&str],
) -> Result<TimeEncoding, StoreError> {
    for column in columns {
        let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {SAMPLE}");
        let mut counts: Vec<(TimeEncoding, u32)> = Vec::new();
        tx.each(&sql, &[], |row| {
            if let Some(encoding) = TimeEncoding::shown_by(row.value(0)?) {
                match counts.iter_mut().find(|(known, _)| *known == encoding) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((encoding, 1)),
                }
            }
            Ok(())
        })?;
        if let Some((encoding, _)) = counts.into_iter().max_by_key(|(_, count)| *count) {
            return Ok(encoding);
        }
    }
    Ok(mapping.times.default)
}

/// False as the values of a column spell it.
pub(super) fn falsity(tx: &mut dyn Tx, table: &str, column: &str) -> Result<Value, StoreError> {
    let sql = format!("SELECT {column} FROM {table} WHERE {column} IN ('true', 'false') LIMIT 1");
    let word = tx.query_one(&sql, &[], |_| Ok(()))?;
    Ok(word.map_or(Value::Integer(0), |()| "false".into()))
}
