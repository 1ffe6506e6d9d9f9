//! Detects how each table of an app's database stores its ids: from the newest of them, else from the schema, else from
//! the other tables.

use super::description::{ColumnType, Description, FoundColumn, FoundTable};
use crate::auth::storage::{StoreError, WriteBlocker, WriteScope};
use crate::store::engine::ValueRef;
use crate::store::mapping::{IdStrategy, Ids, Names, TABLES, identifier, is_uuid};

/// The number of ids that are read, the newest first.
const SAMPLE: u32 = 50;

/// The ids of a database.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoundIds {
    pub(super) ids: Ids,
    /// Describes the ids.
    pub(super) name: String,
    /// The tables that get no new rows.
    pub(super) without_new_rows: Vec<(&'static str, WriteBlocker)>,
}

/// Finds the ids of the tables that have a name.
pub(super) fn find(database: &dyn Description, names: &Names, without_order: &[&str]) -> Result<FoundIds, StoreError> {
    let mut found = Vec::new();
    let mut without_new_rows = Vec::new();
    for table in TABLES {
        let physical = names.table(table.name);
        let columns = database.columns(physical)?;
        let name = names.column(table.name, "id").unwrap_or("id");
        let Some(column) = columns.iter().find(|column| column.name == name) else { continue };
        let has_insertion_order = !without_order.contains(&table.name);
        let found_table = FoundTable { name: physical.to_owned(), has_insertion_order };
        let strategy = match database.ids_of_type(column, &found_table, &columns) {
            Some(strategy) => Some(strategy),
            None => of_values(database, &found_table, column)?.or_else(|| of_schema(column)),
        };
        if matches!(strategy, Some(IdStrategy::Number | IdStrategy::TypedNumber(_))) {
            without_new_rows.push((table.name, blocker(physical, name)));
        }
        found.push((table.name, strategy));
    }
    let usual = found.iter().find_map(|(_, strategy)| strategy.filter(|one| is_made_by_the_library(*one)));
    let default = usual.unwrap_or(IdStrategy::Text);
    let found: Vec<_> = found.into_iter().map(|(table, strategy)| (table, strategy.unwrap_or(default))).collect();
    let of_user = found.iter().find(|(table, _)| *table == "user").map_or(default, |(_, strategy)| *strategy);
    let ids = Ids {
        default,
        impersonator_is_reference: refers_to_impersonator(database, names, of_user)?,
        tables: found.iter().filter(|(_, strategy)| *strategy != default).copied().collect(),
    };
    Ok(FoundIds { ids, name: describe(&found, names), without_new_rows })
}

/// Whether the library makes such ids, so that the tables without rows have them too.
fn is_made_by_the_library(strategy: IdStrategy) -> bool {
    matches!(strategy, IdStrategy::Text | IdStrategy::Uuid | IdStrategy::TypedUuid)
}

/// The statement that selects ids for a sample. Takes the table as SQL spells it, and the column by which the newest are found,
/// unless it is that of the ids.
pub(in crate::store) fn sample(place: &str, column: &str, order: Option<&str>) -> String {
    let id = identifier(column);
    let order = order.unwrap_or(&id);
    format!("SELECT {id} FROM {place} WHERE {id} IS NOT NULL ORDER BY {order} DESC LIMIT {SAMPLE}")
}

/// The strategy of most of the newest ids; `None` without an id.
fn of_values(
    database: &dyn Description,
    table: &FoundTable,
    column: &FoundColumn,
) -> Result<Option<IdStrategy>, StoreError> {
    let mut counts: Vec<(IdStrategy, u32)> = Vec::new();
    database.read(&mut |tx| {
        let order = table.has_insertion_order.then_some(tx.dialect().insertion);
        let sql = sample(&database.place(&table.name), &column.name, order);
        counts.clear();
        tx.each(&sql, &[], |row| {
            let strategy = match row.value(0)? {
                ValueRef::Integer(_) => numbered(column),
                ValueRef::Text(text) if std::str::from_utf8(text).is_ok_and(is_uuid) => IdStrategy::Uuid,
                ValueRef::Text(_) => IdStrategy::Text,
                ValueRef::Blob(bytes) if bytes.len() == 16 => IdStrategy::UuidBytes,
                _ => return Ok(()),
            };
            match counts.iter_mut().find(|(known, _)| *known == strategy) {
                Some((_, count)) => *count += 1,
                None => counts.push((strategy, 1)),
            }
            Ok(())
        })
    })?;
    let most = counts.iter().map(|(_, count)| *count).max();
    // The newest of those that are equally many.
    Ok(counts.into_iter().find(|(_, count)| Some(*count) == most).map(|(strategy, _)| strategy))
}

fn of_schema(column: &FoundColumn) -> Option<IdStrategy> {
    let declared = column.declared.to_ascii_lowercase();
    if declared.contains("int") {
        Some(numbered(column))
    } else if declared.contains("blob") || declared.contains("binary") {
        Some(IdStrategy::UuidBytes)
    } else if declared.contains("uuid") || declared.contains("(36)") {
        Some(IdStrategy::Uuid)
    } else {
        None
    }
}

/// The strategy of a column of numbers that are not the numbers of SQLite's rows.
fn numbered(column: &FoundColumn) -> IdStrategy {
    if column.default.is_some() { IdStrategy::Serial } else { IdStrategy::Number }
}

fn blocker(table: &str, column: &str) -> WriteBlocker {
    WriteBlocker {
        problem: format!("the app chooses the numbers in {table}.{column}, and authctl does not know which comes next"),
        remedy: "add the row with the app".to_owned(),
        scope: WriteScope::NewRows(table.to_owned()),
    }
}

/// Whether the column for the impersonator of a session has the type of the ids of users. It has their text otherwise.
fn refers_to_impersonator(database: &dyn Description, names: &Names, of_user: IdStrategy) -> Result<bool, StoreError> {
    let Some(name) = names.column("session", "impersonatedBy") else { return Ok(false) };
    if matches!(of_user, IdStrategy::Text | IdStrategy::Uuid) {
        return Ok(false);
    }
    let columns = database.columns(names.table("session"))?;
    Ok(columns.iter().find(|column| column.name == name).is_some_and(|column| match of_user {
        IdStrategy::UuidBytes => {
            let declared = column.declared.to_ascii_lowercase();
            declared.contains("blob") || declared.contains("binary")
        }
        IdStrategy::TypedUuid => column.holds == ColumnType::Uuid,
        _ => matches!(column.holds, ColumnType::Integer(_)),
    }))
}

/// Lists the tables of each strategy.
fn describe(found: &[(&'static str, IdStrategy)], names: &Names) -> String {
    let mut of: Vec<(IdStrategy, Vec<&str>)> = Vec::new();
    for (table, strategy) in found {
        match of.iter_mut().find(|(known, _)| known == strategy) {
            Some((_, tables)) => tables.push(names.table(table)),
            None => of.push((*strategy, vec![names.table(table)])),
        }
    }
    match of.as_slice() {
        [(strategy, _)] => strategy.name().to_owned(),
        of => {
            let listed = of.iter().map(|(strategy, tables)| format!("{} in {}", strategy.name(), tables.join(", ")));
            listed.collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::sqlite::description::Described;

    /// The ids of a database whose four tables have these columns `id` and these values.
    fn found(user: (&str, &str), others: (&str, &str)) -> FoundIds {
        let connection = Connection::open_in_memory().unwrap();
        for table in TABLES {
            let (declared, values) = if table.name == "user" { user } else { others };
            let sql = format!("CREATE TABLE {} (id {declared}, impersonatedBy BLOB)", table.name);
            connection.execute_batch(&sql).unwrap();
            for value in values.split_whitespace() {
                connection.execute_batch(&format!("INSERT INTO {} (id) VALUES ({value})", table.name)).unwrap();
            }
        }
        find(&Described(&connection), &Names::of_schema(), &[]).unwrap()
    }

    fn of(user: (&str, &str), others: (&str, &str)) -> [IdStrategy; 2] {
        let ids = found(user, others).ids;
        ["user", "verification"].map(|table| ids.of(table))
    }

    const UUID: &str = "'00010203-0405-4607-8809-0a0b0c0d0e0f'";
    const BYTES: &str =
        "x'00010203040546078809' x'000102030405460788090a0b0c0d0e0f' x'000102030405460788090a0b0c0d0e10'";

    #[test]
    fn each_table_has_its_own_ids() {
        use IdStrategy::{Number, Serial, Text, Uuid, UuidBytes};
        for (user, others, expected) in [
            (("integer PRIMARY KEY", "1 2"), ("text PRIMARY KEY", "'a' 'b'"), [Serial, Text]),
            (("INTEGER PRIMARY KEY AUTOINCREMENT", ""), ("integer primary key", ""), [Serial, Serial]),
            (("bigint PRIMARY KEY", "7001"), ("text PRIMARY KEY", ""), [Number, Text]),
            (("int PRIMARY KEY", ""), ("text PRIMARY KEY", UUID), [Number, Uuid]),
            (("bigint DEFAULT (random())", "5"), ("text", ""), [Serial, Text]),
            (("text", UUID), ("text", ""), [Uuid, Uuid]),
            (("blob PRIMARY KEY", BYTES), ("blob", ""), [UuidBytes, UuidBytes]),
            (("blob PRIMARY KEY", BYTES), ("text", ""), [UuidBytes, Text]),
            (("", "7 8 'a'"), ("", "'a' 7 'b' 'c'"), [Number, Text]),
            (("text", "'a' 'b' 'c' x'00'"), ("uuid", ""), [Text, Uuid]),
        ] {
            assert_eq!(of(user, others), expected, "{user:?} {others:?}");
        }
    }

    #[test]
    fn table_of_numbers_that_the_app_chooses_gets_no_new_rows() {
        let found = found(("bigint PRIMARY KEY", "7001"), ("text", ""));
        assert_eq!(found.name, "numbers, chosen by the app in user; text in session, account, verification");
        assert_eq!(found.without_new_rows.len(), 1);
        assert_eq!(found.without_new_rows[0].1.scope, WriteScope::NewRows("user".to_owned()));
    }

    #[test]
    fn impersonator_is_bytes_where_users_are() {
        assert!(found(("blob", BYTES), ("text", "")).ids.impersonator_is_reference);
        assert!(!found(("text", UUID), ("text", "")).ids.impersonator_is_reference);
    }
}
