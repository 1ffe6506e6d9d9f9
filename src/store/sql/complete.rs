//! Values that a shell completes, and ids by their first characters: ranges of an index, with few rows.

use super::app_keys::AppKeys;
use super::inventory::Inventory;
use crate::auth::storage::{Completed, StoreError};
use crate::store::engine::Tx;
use crate::store::mapping::{IdStrategy, Range, SchemaMapping};

/// The most values that are read.
pub(super) const COMPLETED_MAX: usize = 50;

/// Ids of users that entries of the log are about and that begin with a prefix, the first of them. A step of the index finds
/// each one, as a user may have many entries.
pub(in crate::store) fn logged_users(tx: &mut dyn Tx, prefix: &str) -> Result<Vec<String>, StoreError> {
    let sql =
        r#"SELECT "userId" FROM "authctl_audit" WHERE "userId" >= ?1 AND "userId" <= ?2 ORDER BY "userId" LIMIT 1"#;
    steps(tx, sql, prefix)
}

/// Values that begin with a prefix, in the order of their bytes, the first of them.
pub(in crate::store) fn with_prefix(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    what: Completed,
    prefix: &str,
) -> Result<Vec<String>, StoreError> {
    if what == Completed::Token && mapping.is_guest() {
        let inventory = Inventory::read(tx, mapping)?;
        let keys = AppKeys::find(&inventory, mapping);
        return keys.map_or(Ok(Vec::new()), |keys| keys.ids_with_prefix(tx, mapping, prefix));
    }
    match what {
        Completed::Address => beginning_with(tx, IdStrategy::Text, r#""email""#, prefix, |of_email| {
            let sql = format!(
                r#"SELECT "email" FROM "user" WHERE {of_email} >= ?1 AND {of_email} <= ?2 ORDER BY {of_email} LIMIT {COMPLETED_MAX}"#
            );
            mapping.sql(sql).into_owned()
        }),
        Completed::User => beginning_with(tx, mapping.ids.of("user"), r#""id""#, prefix, |of_id| {
            let sql = format!(
                r#"SELECT "id" FROM "user" WHERE {of_id} >= ?1 AND {of_id} <= ?2 ORDER BY {of_id} LIMIT {COMPLETED_MAX}"#
            );
            mapping.sql(sql).into_owned()
        }),
        Completed::Session => beginning_with(tx, mapping.ids.of("session"), r#""id""#, prefix, |of_id| {
            let sql = format!(
                r#"SELECT "id" FROM "session" WHERE {of_id} >= ?1 AND {of_id} <= ?2 ORDER BY {of_id} LIMIT {COMPLETED_MAX}"#
            );
            mapping.sql(sql).into_owned()
        }),
        Completed::Token => beginning_with(tx, IdStrategy::Text, r#""id""#, prefix, |of_id| {
            format!(
                r#"SELECT "id" FROM "authctl_apikey" WHERE {of_id} >= ?1 AND {of_id} <= ?2 ORDER BY {of_id} LIMIT {COMPLETED_MAX}"#
            )
        }),
    }
}

/// Reads the values of a column that begin with a prefix. `select` makes the statement for the range from `?1` to `?2`, and
/// takes the column as it is compared with these.
pub(super) fn beginning_with(
    tx: &mut dyn Tx,
    strategy: IdStrategy,
    column: &str,
    prefix: &str,
    select: impl FnOnce(&str) -> String,
) -> Result<Vec<String>, StoreError> {
    let Some(Range { first, last, is_text }) = strategy.range(prefix) else { return Ok(Vec::new()) };
    // Only text has an order of its bytes.
    let compared = if is_text { (tx.dialect().bytewise)(column) } else { column.to_owned() };
    let mut found = Vec::new();
    tx.each(&select(&compared), &[first, last], |row| {
        found.extend(strategy.read(row.value(0)?));
        Ok(())
    })?;
    Ok(found)
}

/// Roles that begin with a prefix, apart from `user`, which nearly all have. A step of the index finds each one.
pub(in crate::store) fn roles(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    prefix: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = mapping.sql(
        r#"SELECT "role" FROM "user" WHERE "role" <> 'user' AND "role" >= ?1 AND "role" < ?2 ORDER BY "role" LIMIT 1"#,
    );
    steps(tx, &sql, prefix)
}

/// Values that begin with a prefix, the first of them. The statement selects the first value from `?1` to `?2`.
fn steps(tx: &mut dyn Tx, sql: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
    let end = format!("{prefix}{}", char::MAX);
    let (mut found, mut start) = (Vec::new(), prefix.to_owned());
    while found.len() < COMPLETED_MAX {
        let next = tx.query_one(sql, &[start.into(), end.clone().into()], |row| {
            Ok(row.value(0)?.as_text().map(str::to_owned))
        })?;
        let Some(value) = next.flatten() else { break };
        // The least text after the value, as roles and ids have no control characters.
        start = format!("{value}\u{1}");
        found.push(value);
    }
    Ok(found)
}
