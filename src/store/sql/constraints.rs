//! Names the table, the columns and the rows behind a constraint of the app that refuses a change.

use super::inventory::Effect;
use super::steps::{Step, count};
use crate::auth::storage::{Constraint, Holder, KeyFault, Release, StoreError};
use crate::store::engine::{CatalogCheck, CatalogTable, Tx, Value};
use crate::store::mapping::{SchemaMapping, identifier};

/// Adds to the error about a new or changed row what the catalog says of the constraint.
pub(in crate::store) fn explain(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    error: StoreError,
) -> StoreError {
    let (StoreError::Constraint(constraint), Ok(catalog)) = (&error, tx.catalog()) else { return error };
    let table = mapping.table(table);
    let own = catalog.iter().filter(|known| known.name == table);
    StoreError::Constraint(match constraint {
        Constraint::Check { label, .. } => {
            // A trigger writes other tables too.
            let others = catalog.iter().filter(|known| known.name != table);
            let columns = own.chain(others).find_map(|table| {
                let check = table.checks.iter().find(|check| check.label == *label)?;
                Some(columns_of(table, check).map(|column| format!("{}.{column}", table.name)).collect())
            });
            Constraint::Check { label: label.clone(), columns: columns.unwrap_or_default() }
        }
        Constraint::ForeignKey { .. } => {
            let keys = own.flat_map(CatalogTable::working_keys);
            // The users that authctl refers to exist.
            let unknown = keys.filter(|key| !key.parent.eq_ignore_ascii_case(mapping.table("user")));
            let keys = unknown.flat_map(|key| {
                key.columns.iter().map(|(column, _)| (format!("{table}.{column}"), key.parent.clone()))
            });
            Constraint::ForeignKey { keys: keys.collect() }
        }
        other => other.clone(),
    })
}

/// The columns of a table in one of its conditions.
pub(in crate::store) fn columns_of<'c>(
    table: &'c CatalogTable,
    check: &'c CatalogCheck,
) -> impl Iterator<Item = &'c str> {
    let names = table.columns.iter().map(|column| column.name.as_str());
    names.filter(|column| check.names.iter().any(|name| name.eq_ignore_ascii_case(column)))
}

/// Tells an error of a deletion as the rows that keep the other one: their reference would be cleared, and a
/// constraint forbids it, or their key keeps the other row. `steps` and `values` are those of the deletion.
pub(in crate::store) fn explain_deletion(
    tx: &mut dyn Tx,
    steps: &[Step],
    values: &[Value],
    error: StoreError,
) -> StoreError {
    let (StoreError::Constraint(constraint), Ok(catalog)) = (&error, tx.catalog()) else { return error };
    let mut holders: Vec<Holder> = Vec::new();
    let writes = [Effect::Clear, Effect::Cleared];
    let is_key = matches!(constraint, Constraint::ForeignKey { .. });
    let refuses = |step: &&Step| writes.contains(&step.effect) || is_key && step.effect == Effect::HoldToEnd;
    for step in steps.iter().filter(refuses) {
        let table = catalog.iter().find(|table| table.name == step.table);
        if table.is_some_and(|table| is_about(constraint, table, &step.columns)) {
            let rows = count(tx, &step.table, &step.condition, values).unwrap_or_default();
            holders.extend((rows > 0).then(|| step.holder(rows)));
        }
    }
    if holders.is_empty() { error } else { StoreError::Held(holders) }
}

/// As [`explain_changes`], for the row with an id.
pub(in crate::store) fn explain_change(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    id: &Value,
    columns: &[&str],
    error: StoreError,
) -> StoreError {
    let ids: Vec<Value> = tx.dialect().lists(&[[id.clone()]]).flatten().collect();
    explain_changes(tx, mapping, table, &ids, columns, error)
}

/// Tells an error of a change as the rows that keep others as they are: they refer to a column by its old value. Takes
/// the ids of the rows, as [`Dialect::lists`] makes them, and the columns that change.
pub(in crate::store) fn explain_changes(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    ids: &[Value],
    columns: &[&str],
    error: StoreError,
) -> StoreError {
    let (StoreError::Constraint(constraint), Ok(catalog)) = (&error, tx.catalog()) else { return error };
    let parent = mapping.table(table);
    let changed: Vec<&str> = columns.iter().filter_map(|column| mapping.column(table, column)).collect();
    let is_changed = |referred: &str| changed.iter().any(|column| referred.eq_ignore_ascii_case(column));
    let mut holders: Vec<Holder> = Vec::new();
    for referring in catalog.iter() {
        for key in referring.working_keys().filter(|key| key.parent.eq_ignore_ascii_case(parent)) {
            let (own, referred): (Vec<String>, Vec<String>) = key.columns.iter().cloned().unzip();
            if !referred.iter().any(|column| is_changed(column)) || !is_about(constraint, referring, &own) {
                continue;
            }
            let list = |names: &[String]| names.iter().map(|name| identifier(name)).collect::<Vec<_>>().join(", ");
            let id = identifier(mapping.column(table, "id").unwrap_or("id"));
            let condition = format!(
                "({}) IN (SELECT {} FROM {} WHERE {})",
                list(&own),
                list(&referred),
                identifier(parent),
                tx.dialect().is_listed(&id, "?1")
            );
            let rows = count(tx, &referring.name, &condition, ids).unwrap_or_default();
            if rows > 0 {
                let release = match release(referring, &own, mapping.table("user")) {
                    // Nothing is deleted.
                    Release::Schema(_) => Release::Rows,
                    other => other,
                };
                holders.push(Holder { table: referring.name.clone(), column: own.join(", "), rows, release });
            }
        }
    }
    if holders.is_empty() { explain(tx, mapping, table, error) } else { StoreError::Held(holders) }
}

/// What helps where rows of a table keep those to which their columns refer. `users` is the table of users.
pub(super) fn release(table: &CatalogTable, columns: &[String], users: &str) -> Release {
    if table.name == users {
        let mut own = table.columns.iter().filter(|column| columns.contains(&column.name));
        return Release::Users { is_nullable: own.any(|column| column.is_nullable) };
    }
    let mut broken = table.broken_keys().filter(|key| key.fault == KeyFault::NeverNull);
    broken.find(|key| key.columns == columns).map_or(Release::Rows, Release::Schema)
}

/// Whether a constraint may be one of a table and of its columns that refer to another.
fn is_about(constraint: &Constraint, table: &CatalogTable, columns: &[String]) -> bool {
    match constraint {
        Constraint::NotNull(place) => columns.iter().any(|column| *place == format!("{}.{column}", table.name)),
        Constraint::Check { label, .. } => table.checks.iter().any(|check| check.label == *label),
        Constraint::ForeignKey { .. } => true,
        Constraint::Deferred(_) | Constraint::Role { .. } | Constraint::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::sqlite::catalog;

    #[test]
    fn holding_rows_are_released_as_their_table_and_key_allow() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE user (id TEXT PRIMARY KEY, name TEXT, manager TEXT REFERENCES user (id),
               boss TEXT NOT NULL REFERENCES user (id));
             CREATE TABLE post (a TEXT NOT NULL REFERENCES user (id) ON DELETE SET NULL, b TEXT REFERENCES user (name),
               c TEXT REFERENCES user (id));",
        )
        .unwrap();
        let tables = catalog::read(&db).unwrap();
        let release = |table: usize, column: &str| release(&tables[table], &[column.to_owned()], "user");
        assert_eq!(release(0, "manager"), Release::Users { is_nullable: true });
        assert_eq!(release(0, "boss"), Release::Users { is_nullable: false });
        assert!(matches!(release(1, "a"), Release::Schema(key) if key.columns == ["a"]));
        assert_eq!(["b", "c"].map(|column| release(1, column)), [Release::Rows, Release::Rows]);
    }
}
