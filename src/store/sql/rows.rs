//! Writes and deletes rows, and finds them again.

use jiff::Timestamp;

use super::constraints;
use super::inventory::Inventory;
use super::steps::RowDeletion;
use crate::auth::audit::counted;
use crate::auth::odd::NO_ID;
use crate::auth::storage::StoreError;
use crate::store::engine::{Dialect, Row, Tx, Value, ignored, insertion};
use crate::store::mapping::{SchemaMapping, identifier};

/// Reads the id of a row of a table from one column.
pub(in crate::store) fn key(
    row: &Row<'_>,
    column: usize,
    mapping: &SchemaMapping,
    table: &str,
) -> Result<String, StoreError> {
    Ok(mapping.ids.of(table).read(row.value(column)?).unwrap_or_else(|| NO_ID.to_owned()))
}

/// Columns and their values.
pub(in crate::store) type Values = Vec<(&'static str, Value)>;

/// Counts the rows of a table.
///
/// SQLite walks all pages for a bare `count(*)` in a single step of its virtual machine, where the limit of
/// steps does not apply. With a condition, every row is a step.
pub(in crate::store) fn count(tx: &mut dyn Tx, mapping: &SchemaMapping, table: &str) -> Result<u64, StoreError> {
    tx.count(&mapping.sql(format!(r#"SELECT count(*) FROM "{table}" WHERE TRUE"#)), &[])
}

/// Requires that a row of a table can be found by some columns. Without that a row that is not found may exist.
///
/// # Errors
/// [`StoreError::NotOurs`].
pub(in crate::store) fn require_found_by(
    mapping: &SchemaMapping,
    table: &str,
    columns: &[&str],
) -> Result<(), StoreError> {
    mapping.not_found_by(table, columns).map_or(Ok(()), |blocker| Err(StoreError::NotOurs(blocker.clone())))
}

/// Requires that authctl can fill every column of a new row of each table.
///
/// # Errors
/// [`StoreError::NotOurs`] with all columns that it cannot fill.
pub(in crate::store) fn require_new_rows(mapping: &SchemaMapping, tables: &[&str]) -> Result<(), StoreError> {
    mapping.blocks_new_rows(tables).map_or(Ok(()), |blocker| Err(StoreError::NotOurs(blocker)))
}

/// Adds a row and returns its id, which the database may choose itself.
///
/// # Errors
/// [`StoreError::NoColumn`] when the database has no column for a value.
pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    id: &str,
    values: Values,
) -> Result<String, StoreError> {
    require_new_rows(mapping, &[table])?;
    let strategy = mapping.ids.of(table);
    let id = strategy.make(id);
    let mut row = Vec::new();
    if !strategy.is_chosen_by_database() {
        row.push((identifier("id"), strategy.write(&id)));
    }
    row.extend(present(mapping, table, values, true)?.into_iter().map(|(column, value)| (identifier(column), value)));
    let fixed = mapping.fixed.iter().filter(|(owner, _, _)| *owner == table);
    row.extend(fixed.map(|(_, column, value)| (identifier(column), Value::Text(value.clone()))));
    let (columns, values): (Vec<String>, Vec<Value>) = row.into_iter().unzip();
    let sql = insertion(&format!(r#""{table}" ({})"#, columns.join(", ")), values.len(), 1);
    let find = mapping.sql(format!(r#"SELECT count(*) FROM "{table}" WHERE "id" = ?1"#));
    if mapping.is_guest() && !strategy.is_chosen_by_database() {
        tx.ask_along(&[(find.clone().into_owned(), vec![mapping.key(table, &id)])]);
    }
    let id = if strategy.is_chosen_by_database() {
        // Reads all rows, because SQLite checks foreign keys when the statement ends.
        tx.query_all(&mapping.sql(format!(r#"{sql} RETURNING "id""#)), &values, |row| key(row, 0, mapping, table))
            .map(|mut ids| ids.pop())
    } else {
        tx.execute(&mapping.sql(sql), &values).map(|_| Some(id))
    };
    let id = id.map_err(|error| constraints::explain(tx, mapping, table, taken(mapping, error)))?;
    let id = id.ok_or_else(|| ignored("skips a new row"))?;
    // No trigger runs in a database that authctl made.
    if mapping.is_guest() && tx.count(&find, &[mapping.key(table, &id)])? == 0 {
        return Err(ignored("skips a new row"));
    }
    Ok(id)
}

/// Adds rows, which have their ids, to a table of a database that authctl made. Rows in a row with the same columns cost the
/// least.
pub(super) fn insert_all(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    rows: impl Iterator<Item = Values>,
) -> Result<(), StoreError> {
    let mut rows = rows.peekable();
    while let Some(first) = rows.peek() {
        let columns: Vec<&str> = first.iter().map(|(column, _)| *column).collect();
        let names: Vec<String> = columns.iter().copied().map(identifier).collect();
        let is_alike = |values: &Values| values.iter().map(|(column, _)| *column).eq(columns.iter().copied());
        let mut alike = std::iter::from_fn(|| rows.next_if(is_alike))
            .map(|values| Ok(values.into_iter().map(|(_, value)| value).collect()));
        let target = format!(r#""{table}" ({})"#, names.join(", "));
        tx.insert_rows(&target, &mut alike).map_err(|error| taken(mapping, error))?;
    }
    Ok(())
}

/// What a trigger of the app may make of the values of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Spelling {
    /// Another spelling. The caller reads the row back.
    Any,
    /// Nothing else, but for `updatedAt`, which apps write by triggers.
    Exact,
}

/// Changes the row with this id.
///
/// # Errors
/// As for [`insert`], and [`StoreError::Trigger`] when a trigger skips an exact change or undoes it.
pub(in crate::store) fn update(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    id: &str,
    values: Values,
    spelling: Spelling,
) -> Result<(), StoreError> {
    let (columns, mut values): (Vec<&str>, Vec<Value>) = present(mapping, table, values, false)?.into_iter().unzip();
    if columns.is_empty() {
        return Ok(());
    }
    let key = mapping.key(table, id);
    values.push(key.clone());
    // The last, because the comparison leaves out the value of `updatedAt`, and no parameter after the last used one exists.
    let id = values.len();
    let parts = |verb: &str, by: &str, is_meant: &dyn Fn(&str) -> bool| {
        let meant = (1..).zip(&columns).filter(|(_, column)| is_meant(column));
        meant.map(|(place, column)| format!(r#""{column}" {verb} ?{place}"#)).collect::<Vec<_>>().join(by)
    };
    let changes = parts("=", ", ", &|_| true);
    let sql = format!(r#"UPDATE "{table}" SET {changes} WHERE "id" = ?{id}"#);
    let done = tx.change(&mapping.sql(sql), &values).map_err(|error| taken(mapping, error));
    done.map_err(|error| constraints::explain_change(tx, mapping, table, &key, &columns, error))?;
    let differs = parts("IS DISTINCT FROM", " OR ", &|column| column != "updatedAt");
    if spelling == Spelling::Any || differs.is_empty() {
        return Ok(());
    }
    let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE "id" = ?{id} AND ({differs})"#);
    if tx.count(&mapping.sql(sql), &values)? > 0 { Err(ignored("undoes the change")) } else { Ok(()) }
}

/// The value of `updatedAt` for a row that changes; `None` when the column is not written. Then it stays as it is, and the
/// act says so.
pub(in crate::store) fn update_time(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &'static str,
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    if !mapping.has(table, "updatedAt") || mapping.computed(table, "updatedAt").is_some() {
        return Ok(None);
    }
    require_settled(mapping, table, "updatedAt")?;
    let Some(blocker) = mapping.read_only(table, "updatedAt") else {
        return Ok(Some(mapping.time(table, "updatedAt", now)));
    };
    tx.left().push(format!("{}, and the column stays as it was: {}", blocker.problem, blocker.remedy));
    Ok(None)
}

/// # Errors
/// [`StoreError::Unsettled`] if the column's encoding is to be decided before it is written.
fn require_settled(mapping: &SchemaMapping, table: &'static str, column: &'static str) -> Result<(), StoreError> {
    if mapping.unsettled.contains(&(table, column)) { Err(StoreError::Unsettled(table)) } else { Ok(()) }
}

/// What finds a row again in the same transaction: the place of the row, and its id, or NULL for a row without one. A trigger
/// may add the row again at another place.
pub(in crate::store) type RowKey = [Value; 2];

/// Reads the key of a row of a table from two columns: the one of its order, and its id.
pub(in crate::store) fn row_key(
    row: &Row<'_>,
    first: usize,
    mapping: &SchemaMapping,
    table: &str,
) -> Result<RowKey, StoreError> {
    let id = row.value(first + 1)?;
    let has_id = mapping.ids.of(table).read(id).is_some();
    Ok([row.value(first)?.to_value(), if has_id { id.to_value() } else { Value::Null }])
}

/// The condition for the rows of some keys. Its values are those of [`Dialect::lists`].
pub(in crate::store) fn is_row(dialect: &Dialect, mapping: &SchemaMapping, table: &str) -> String {
    let order = dialect.order(mapping, table);
    format!("({} OR {})", dialect.is_listed(order, "?1"), dialect.is_listed(r#""id""#, "?2"))
}

/// Goes through the rows of some keys: the two columns of [`row_key`], and others.
pub(in crate::store) fn each_row(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    (table, columns): (&str, &str),
    keys: &[RowKey],
    mut found: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (order, is_row) = (tx.dialect().order(mapping, table), is_row(tx.dialect(), mapping, table));
    let sql = format!(r#"SELECT {order}, "id", {columns} FROM "{table}" WHERE {is_row}"#);
    let sql = mapping.sql(sql);
    tx.dialect().lists(keys).try_for_each(|lists| tx.each(&sql, &lists, &mut found))
}

/// Prepares the deletion of rows of a table of Better Auth by their keys.
///
/// # Errors
/// [`StoreError::TooManyKeys`].
pub(in crate::store) fn deletion<'i>(
    tx: &mut dyn Tx,
    inventory: &'i Inventory,
    mapping: &SchemaMapping,
    table: &str,
) -> Result<RowDeletion<'i>, StoreError> {
    let id = identifier(mapping.column(table, "id").unwrap_or("id"));
    let is_row = is_row(tx.dialect(), mapping, table).replace(r#""id""#, &id);
    inventory.deletion(mapping.table(table), &is_row)
}

/// Deletes rows of a table of Better Auth, however large they are, and returns their number.
///
/// # Errors
/// [`StoreError::Engine`] when none of them exists.
pub(in crate::store) fn delete_rows(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    keys: &[RowKey],
) -> Result<u64, StoreError> {
    let is_row = is_row(tx.dialect(), mapping, table);
    let sql = format!(r#"DELETE FROM "{table}" WHERE {is_row}"#);
    let delete = mapping.sql(sql);
    let mut deleted = 0;
    for lists in tx.dialect().lists(keys) {
        deleted += tx.delete(&delete, &lists)?;
    }
    require_some(mapping.table(table), keys.len(), deleted)
}

/// Deletes the row with an id, however large it is.
///
/// # Errors
/// [`StoreError::Engine`] when it does not exist.
pub(in crate::store) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    id: &str,
) -> Result<u64, StoreError> {
    let sql = format!(r#"DELETE FROM "{table}" WHERE "id" = ?1"#);
    let deleted = tx.delete(&mapping.sql(sql), &[mapping.key(table, id)])?;
    require_some(mapping.table(table), 1, deleted)
}

/// Deletes the rows with these ids.
///
/// # Errors
/// [`StoreError::Engine`] when none of them exists.
pub(in crate::store) fn delete_all<'i>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    ids: impl Iterator<Item = &'i str>,
) -> Result<u64, StoreError> {
    let keys: Vec<[Value; 1]> = ids.map(|id| [mapping.key(table, id)]).collect();
    let is_user = tx.dialect().is_listed(r#""id""#, "?1");
    let sql = format!(r#"DELETE FROM "{table}" WHERE {is_user}"#);
    let delete = mapping.sql(sql);
    let mut deleted = 0;
    for lists in tx.dialect().lists(&keys) {
        deleted += tx.delete(&delete, &lists)?;
    }
    require_some(mapping.table(table), keys.len(), deleted)
}

/// The number of deleted rows of a table (in the name of the database), of which a number was read before.
///
/// # Errors
/// [`StoreError::Engine`] when none was deleted: their ids do not find them.
pub(in crate::store) fn require_some(table: &str, expected: usize, deleted: u64) -> Result<u64, StoreError> {
    if expected > 0 && deleted == 0 {
        let rows = counted(expected as u64, "row");
        return Err(StoreError::Engine(format!("{rows} of the table {table} could not be found again by the id")));
    }
    Ok(deleted)
}

/// The error about a row whose id finds no row. `table` is Better Auth's name, and `row` says what else is known of it.
pub(in crate::store) fn without_id(mapping: &SchemaMapping, table: &str, row: impl Into<String>) -> StoreError {
    StoreError::NoId { place: mapping.place(table, "id"), row: row.into() }
}

/// Converts a violated unique constraint on `user.email` into [`StoreError::EmailTaken`].
pub(super) fn taken(mapping: &SchemaMapping, error: StoreError) -> StoreError {
    match error {
        StoreError::NotUnique(columns) if columns.split(", ").any(|one| one == mapping.place("user", "email")) => {
            StoreError::EmailTaken
        }
        other => other,
    }
}

/// # Errors
/// Why a column is not written.
pub(super) fn require_writable(
    mapping: &SchemaMapping,
    table: &'static str,
    column: &'static str,
) -> Result<(), StoreError> {
    present(mapping, table, vec![(column, Value::Integer(1))], false).map(drop)
}

/// Leaves out columns that the database lacks, if their values say nothing, and of a new row those that it computes, if
/// their values are the time or say nothing.
fn present(mapping: &SchemaMapping, table: &'static str, values: Values, is_new: bool) -> Result<Values, StoreError> {
    let says_nothing =
        |value: &Value| matches!(value, Value::Null | Value::Integer(0)) || *value == Value::Text(String::new());
    let mut kept = Values::new();
    for (column, value) in values {
        if let Some(blocker) = mapping.computed(table, column) {
            if is_new && (says_nothing(&value) || ["createdAt", "updatedAt"].contains(&column)) {
                continue;
            }
            return Err(StoreError::NotOurs(blocker.clone()));
        }
        if value != Value::Null {
            require_settled(mapping, table, column)?;
            if let Some(blocker) = mapping.read_only(table, column) {
                return Err(StoreError::NotOurs(blocker.clone()));
            }
        }
        if mapping.has(table, column) {
            kept.push((column, value));
        } else if !says_nothing(&value) {
            return Err(mapping.no_column(table, column));
        }
    }
    Ok(kept)
}
