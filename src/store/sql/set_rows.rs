//! Changes many rows alike, in a statement for as many as the engine takes at once.

use jiff::Timestamp;

use super::{constraints, rows};
use crate::auth::storage::StoreError;
use crate::store::engine::{Tx, Value, ignored};
use crate::store::mapping::SchemaMapping;

/// Sets a column of the rows with these ids to what an expression makes of the row, and `updatedAt`. The expression makes the
/// same of the changed row.
///
/// # Errors
/// As for [`rows::update`] of an exact spelling.
pub(super) fn set_all<'i>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    ids: impl Iterator<Item = &'i str>,
    (column, expression): (&'static str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let keys: Vec<[Value; 1]> = ids.map(|id| [mapping.key(table, id)]).collect();
    if keys.is_empty() {
        return Ok(());
    }
    rows::require_writable(mapping, table, column)?;
    let now = rows::update_time(tx, mapping, table, now)?;
    let stamp = if now.is_some() { r#", "updatedAt" = ?2"# } else { "" };
    let changes = format!(r#""{column}" = {expression}{stamp}"#);
    let differs = format!(r#""{column}" IS DISTINCT FROM {expression}"#);
    let is_user = tx.dialect().is_listed(r#""id""#, "?1");
    let change = format!(r#"UPDATE "{table}" SET {changes} WHERE {is_user}"#);
    let undone = format!(r#"SELECT count(*) FROM "{table}" WHERE {is_user} AND ({differs})"#);
    let (change, undone) = (mapping.sql(change), mapping.sql(undone));
    for ids in tx.dialect().lists(&keys) {
        let values: Vec<Value> = ids.iter().chain(&now).cloned().collect();
        let done = tx.change(&change, &values).map_err(|error| rows::taken(mapping, error));
        done.map_err(|error| constraints::explain_changes(tx, mapping, table, &ids, &[column], error))?;
        if tx.count(&undone, &ids)? > 0 {
            return Err(ignored("undoes the change"));
        }
    }
    Ok(())
}
