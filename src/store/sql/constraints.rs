//! Names the table, the columns and the rows behind a constraint of the app that refuses a change.

use super::inventory::Effect;
use super::steps::{Step, count};
use crate::auth::storage::{Constraint, Holder, StoreError};
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
            let keys = own.flat_map(|table| &table.foreign_keys);
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
            holders.extend(holder(tx, &step.table, &step.columns, &step.condition, values));
        }
    }
    if holders.is_empty() { error } else { StoreError::Held(holders) }
}

/// Tells an error of a change as the rows that keep the row as it is: they refer to a column by its old value. Takes
/// the id of the row and the columns that change.
pub(in crate::store) fn explain_change(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    id: &Value,
    columns: &[&str],
    error: StoreError,
) -> StoreError {
    let (StoreError::Constraint(constraint), Ok(catalog)) = (&error, tx.catalog()) else { return error };
    let parent = mapping.table(table);
    let changed: Vec<&str> = columns.iter().filter_map(|column| mapping.column(table, column)).collect();
    let is_changed = |referred: &str| changed.iter().any(|column| referred.eq_ignore_ascii_case(column));
    let mut holders: Vec<Holder> = Vec::new();
    for referring in catalog.iter() {
        for key in referring.foreign_keys.iter().filter(|key| key.parent.eq_ignore_ascii_case(parent)) {
            let (own, referred): (Vec<String>, Vec<String>) = key.columns.iter().cloned().unzip();
            if !referred.iter().any(|column| is_changed(column)) || !is_about(constraint, referring, &own) {
                continue;
            }
            let list = |names: &[String]| names.iter().map(|name| identifier(name)).collect::<Vec<_>>().join(", ");
            let condition = format!(
                "({}) IN (SELECT {} FROM {} WHERE {} = ?1)",
                list(&own),
                list(&referred),
                identifier(parent),
                identifier(mapping.column(table, "id").unwrap_or("id"))
            );
            holders.extend(holder(tx, &referring.name, &own, &condition, std::slice::from_ref(id)));
        }
    }
    if holders.is_empty() { explain(tx, mapping, table, error) } else { StoreError::Held(holders) }
}

/// Whether a constraint may be one of a table and of its columns that refer to another.
fn is_about(constraint: &Constraint, table: &CatalogTable, columns: &[String]) -> bool {
    match constraint {
        Constraint::NotNull(place) => columns.iter().any(|column| *place == format!("{}.{column}", table.name)),
        Constraint::Check { label, .. } => table.checks.iter().any(|check| check.label == *label),
        Constraint::ForeignKey { .. } => true,
        Constraint::Role { .. } | Constraint::Other(_) => false,
    }
}

/// The rows that a condition selects; `None` without one, or if they cannot be counted.
fn holder(tx: &mut dyn Tx, table: &str, columns: &[String], condition: &str, values: &[Value]) -> Option<Holder> {
    let rows = count(tx, table, condition, values).ok().filter(|rows| *rows > 0)?;
    Some(Holder { table: table.to_owned(), column: columns.join(", "), rows })
}
