//! Rows written: with the columns that the database has, and with what it asks for besides.

use super::rows;
use super::tx::{Tx, Value};
use crate::auth::storage::StoreError;
use crate::store::mapping::{IdStrategy, SchemaMapping, identifier};

/// Logical columns and the values they get.
pub(in crate::store) type Values = Vec<(&'static str, Value)>;

/// Adds a row and returns its id, which the database may choose itself.
///
/// # Errors
/// [`StoreError::NoColumn`] when there is no place for a value that says something.
pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    id: &str,
    values: Values,
) -> Result<String, StoreError> {
    let id = mapping.id(id);
    let mut row = Vec::new();
    if mapping.ids != IdStrategy::Serial {
        row.push((identifier("id"), Value::Text(id.clone())));
    }
    row.extend(present(mapping, table, values)?.into_iter().map(|(column, value)| (identifier(column), value)));
    let fixed = mapping.fixed.iter().filter(|(owner, _, _)| *owner == table);
    row.extend(fixed.map(|(_, column, value)| (identifier(column), Value::Text(value.clone()))));
    let (columns, values): (Vec<String>, Vec<Value>) = row.into_iter().unzip();
    let places: Vec<String> = (1..=values.len()).map(|number| format!("?{number}")).collect();
    let sql = format!(r#"INSERT INTO "{table}" ({}) VALUES ({})"#, columns.join(", "), places.join(", "));
    let inserted = if mapping.ids == IdStrategy::Serial {
        // All rows, because SQLite checks foreign keys when the statement ends.
        tx.query_all(&mapping.sql(format!(r#"{sql} RETURNING "id""#)), &values, |row| rows::key(row, 0))
            .map(|mut ids| ids.pop())
    } else {
        tx.execute(&mapping.sql(sql), &values).map(|_| Some(id))
    };
    inserted
        .map_err(|error| taken(mapping, error))?
        .ok_or_else(|| StoreError::Engine("the database did not return the id of a new row".into()))
}

/// Changes the row with this id.
///
/// # Errors
/// As for [`insert`].
pub(in crate::store) fn update(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    id: &str,
    values: Values,
) -> Result<(), StoreError> {
    let (columns, mut values): (Vec<&str>, Vec<Value>) = present(mapping, table, values)?.into_iter().unzip();
    let changes = columns.iter().enumerate().map(|(index, column)| format!(r#""{column}" = ?{}"#, index + 1));
    let changes = changes.collect::<Vec<_>>().join(", ");
    values.push(Value::Text(id.to_owned()));
    let sql = format!(r#"UPDATE "{table}" SET {changes} WHERE "id" = ?{}"#, values.len());
    tx.change(&mapping.sql(sql), &values).map_err(|error| taken(mapping, error))?;
    Ok(())
}

/// Deletes the rows with these ids, however large they are.
pub(in crate::store) fn delete<'i>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    ids: impl IntoIterator<Item = &'i String>,
) -> Result<(), StoreError> {
    let sql = format!(r#"DELETE FROM "{table}" WHERE "id" = ?1"#);
    let delete = mapping.sql(sql);
    for id in ids {
        tx.change(&delete, &[id.into()])?;
    }
    Ok(())
}

/// Only a violated uniqueness of `user.email` means that an address is taken.
fn taken(mapping: &SchemaMapping, error: StoreError) -> StoreError {
    match error {
        StoreError::NotUnique(columns) if columns.split(", ").any(|one| one == mapping.place("user", "email")) => {
            StoreError::EmailTaken
        }
        other => other,
    }
}

/// Leaves out the columns that the database lacks; what they would hold must say nothing.
fn present(mapping: &SchemaMapping, table: &'static str, values: Values) -> Result<Values, StoreError> {
    let mut kept = Values::new();
    for (column, value) in values {
        if mapping.has(table, column) {
            kept.push((column, value));
        } else if !matches!(&value, Value::Null | Value::Integer(0)) {
            return Err(StoreError::NoColumn { table, column });
        }
    }
    Ok(kept)
}
