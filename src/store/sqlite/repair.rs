//! Makes again what another program took out of the schema of a database that authctl made. `drizzle-kit push` drops
//! every table and column that the app's own schema lacks; the users stay.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, TransactionBehavior};

use super::error::SqliteResult as _;
use super::migrate::{self, HISTORY};
use super::search;
use crate::auth::storage::StoreError;
use crate::store::mapping::identifier;

/// The name of a table while its columns are completed.
const REBUILT: &str = "authctl_rebuilt";

/// A table, index or trigger of the schema.
struct Object {
    kind: String,
    name: String,
    sql: String,
    /// The tables behind a virtual table, which SQLite makes with it.
    behind: Vec<String>,
}

/// What a schema version has: an empty database of it, and the objects in there.
pub(super) struct Pattern {
    database: Connection,
    objects: Vec<Object>,
}

impl Pattern {
    pub(super) fn of(version: u32) -> Result<Self, StoreError> {
        let database = migrate::empty(version)?;
        let objects = objects(&database).engine()?;
        Ok(Self { database, objects })
    }

    /// Whether a database has every table, column, index and trigger.
    pub(super) fn is_complete(&self, connection: &Connection) -> Result<bool, StoreError> {
        Ok(self.first_missing(connection)?.is_none())
    }

    /// The first table, index or trigger that a database lacks, or that lacks columns.
    pub(super) fn first_missing(&self, connection: &Connection) -> Result<Option<String>, StoreError> {
        Ok(self.missing_from(connection)?.first().map(|missing| missing.object.name.clone()))
    }

    /// The names of all tables, indexes and triggers.
    pub(super) fn names(&self) -> Vec<String> {
        self.objects.iter().map(|object| object.name.clone()).collect()
    }

    /// Makes the missing tables, columns, indexes and triggers in one transaction, and names them. The rows of the
    /// tables that are there stay; a new column has its default. All sessions end when nothing shows any more which of
    /// them are impersonated.
    pub(super) fn complete(&self, connection: &mut Connection) -> Result<Vec<String>, StoreError> {
        // A table with other columns is made anew, and SQLite would delete the rows that refer to the old one.
        // Without it no table behind a virtual table can be dropped.
        let settings = [DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, DbConfig::SQLITE_DBCONFIG_DEFENSIVE];
        let set = |connection: &Connection, on| {
            settings.iter().try_for_each(|setting| connection.set_db_config(*setting, on).map(drop)).engine()
        };
        set(connection, false)?;
        let made = self.complete_in_transaction(connection);
        set(connection, true)?;
        made
    }

    fn complete_in_transaction(&self, connection: &mut Connection) -> Result<Vec<String>, StoreError> {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        let missing = self.missing_from(&tx)?;
        let mut made = Vec::new();
        for Missing { object, columns } in &missing {
            if columns.is_empty() {
                if !object.behind.is_empty() {
                    search::remove(&tx, &object.behind).engine()?;
                }
                tx.execute_batch(&object.sql).engine()?;
                made.push(format!("{} {}", object.kind, object.name));
            } else {
                rebuild(&tx, object).engine()?;
                made.extend(columns.iter().map(|column| format!("column {}.{column}", object.name)));
            }
        }
        if missing.iter().any(Missing::hides_impersonators) {
            tx.execute_batch(r#"DELETE FROM "session""#).engine()?;
        }
        // The indexes and triggers of a table went with the table that was made anew.
        for part in self.objects.iter().filter(|object| object.kind != "table") {
            if !exists(&tx, part).engine()? {
                tx.execute_batch(&part.sql).engine()?;
            }
        }
        // A table that was made anew may have other row ids.
        if !missing.is_empty() && self.objects.iter().any(|object| object.name == search::TABLE) {
            search::fill(&tx)?;
        }
        if missing.iter().any(|missing| missing.object.name == HISTORY) {
            copy_history(&self.database, &tx).engine()?;
        }
        tx.commit().engine()?;
        Ok(made)
    }

    fn missing_from(&self, connection: &Connection) -> Result<Vec<Missing<'_>>, StoreError> {
        let mut missing = Vec::new();
        for object in &self.objects {
            if !exists(connection, object).engine()? || object.name == search::TABLE && search::is_stale(connection)? {
                missing.push(Missing { object, columns: Vec::new() });
            } else if object.kind == "table" {
                let found = columns(connection, &object.name).engine()?;
                let wanted = columns(&self.database, &object.name).engine()?;
                let lacking: Vec<String> = wanted.into_iter().filter(|column| !found.contains(column)).collect();
                if !lacking.is_empty() {
                    missing.push(Missing { object, columns: lacking });
                }
            }
        }
        Ok(missing)
    }
}

/// An object that a database lacks, or a table that lacks columns.
struct Missing<'o> {
    object: &'o Object,
    columns: Vec<String>,
}

impl Missing<'_> {
    /// Whether sessions in which an administrator acts as a user look like those of the user now.
    fn hides_impersonators(&self) -> bool {
        self.object.name == "session" && !self.columns.is_empty()
    }
}

/// Makes a table as the schema has it and moves the rows of the old one into it.
fn rebuild(connection: &Connection, table: &Object) -> rusqlite::Result<()> {
    let name = identifier(&table.name);
    let kept = columns(connection, &table.name)?.iter().map(|column| identifier(column)).collect::<Vec<_>>().join(", ");
    let made = table.sql.replacen(&name, REBUILT, 1);
    connection.execute_batch(&format!(
        "{made}; INSERT INTO {REBUILT} ({kept}) SELECT {kept} FROM {name}; DROP TABLE {name};
         ALTER TABLE {REBUILT} RENAME TO {name}"
    ))
}

/// Lists the migrations as applied. Their checksums are those of the pattern.
fn copy_history(pattern: &Connection, connection: &Connection) -> rusqlite::Result<()> {
    let columns = r#""version", "name", "applied_on", "checksum""#;
    let mut rows = pattern.prepare(&format!("SELECT {columns} FROM {HISTORY}"))?;
    let mut rows = rows.query([])?;
    let mut insert = connection.prepare(&format!("INSERT INTO {HISTORY} ({columns}) VALUES (?1, ?2, ?3, ?4)"))?;
    while let Some(row) = rows.next()? {
        let text = |index| row.get::<_, String>(index);
        insert.execute((row.get::<_, i64>(0)?, text(1)?, text(2)?, text(3)?))?;
    }
    Ok(())
}

/// The tables that migrations make, and then the indexes and triggers.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let behind = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'";
    let behind: Vec<String> = connection.prepare(behind)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let sql = "SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY type <> 'table', rowid";
    let object = |row: &Row<'_>| {
        let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_virtual = sql.starts_with("CREATE VIRTUAL");
        let behind = behind.iter().filter(|table| is_virtual && table.starts_with(&name)).cloned().collect();
        Ok(Object { kind, name, sql, behind })
    };
    let objects: Vec<Object> = connection.prepare(sql)?.query_map([], object)?.collect::<Result<_, _>>()?;
    Ok(objects.into_iter().filter(|object| !behind.contains(&object.name)).collect())
}

fn exists(connection: &Connection, object: &Object) -> rusqlite::Result<bool> {
    let mut find = connection.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = ?1 AND name = ?2")?;
    for name in std::iter::once(&object.name).chain(&object.behind) {
        if !find.exists([&object.kind, name])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_info(?1, 'main') ORDER BY cid";
    connection.prepare(sql)?.query_map([table], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::integrity;
    use crate::store::sqlite::migrate::LATEST;

    fn database(damage: &str) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::run(&mut connection).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        let sql = r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
                       VALUES ('u', 'Ada', 'ada@example.com', 1, 1, 1);
                     INSERT INTO "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId")
                       VALUES ('s', 9, 't', 1, 1, 'u');"#;
        connection.execute_batch(sql).unwrap();
        search::fill(&connection).unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {damage}; PRAGMA foreign_keys = ON")).unwrap();
        connection
    }

    fn text(connection: &Connection, sql: &str) -> String {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// What `drizzle-kit push` takes out of a database for the schema of an app without plugins.
    const PUSH: &str = r#"
        DROP TABLE authctl_audit; DROP TABLE authctl_policy; DROP TABLE authctl_throttle; DROP TABLE authctl_schema_history;
        ALTER TABLE "user" DROP COLUMN "role"; ALTER TABLE "user" DROP COLUMN "banned";
        ALTER TABLE "user" DROP COLUMN "banReason"; ALTER TABLE "user" DROP COLUMN "banExpires";
        ALTER TABLE "user" DROP COLUMN "twoFactorEnabled"; ALTER TABLE "session" DROP COLUMN "impersonatedBy""#;

    #[test]
    fn schema_is_whole_again_and_every_row_is_there() {
        let pattern = database("");
        let mut damages: Vec<String> = objects(&pattern)
            .unwrap()
            .iter()
            .filter(|object| !["user", "session"].contains(&object.name.as_str()))
            .map(|object| format!("DROP {} {}", object.kind, identifier(&object.name)))
            .collect();
        let behind = objects(&pattern).unwrap().into_iter().flat_map(|object| object.behind);
        damages.extend(behind.map(|table| format!("DROP TABLE {table}")));
        let indexes: Vec<String> = damages.iter().filter(|damage| damage.starts_with("DROP index")).cloned().collect();
        damages.push(format!("{}; {PUSH}", indexes.join("; ")));
        for damage in damages {
            // Columns with an index cannot be dropped, so a push drops the index before.
            let mut connection = database(&damage);
            let made = Pattern::of(LATEST).unwrap().complete(&mut connection).unwrap();
            assert!(!made.is_empty(), "{damage}");
            assert_eq!(integrity::differences(&connection, LATEST).unwrap(), [], "{damage}");
            assert_eq!(integrity::history_problem(&connection, LATEST), None, "{damage}");
            assert_eq!(text(&connection, r#"SELECT "email" FROM "user""#), "ada@example.com");
            let sessions = text(&connection, r#"SELECT CAST(count(*) AS TEXT) FROM "session""#);
            assert_eq!(sessions, if damage.contains("impersonatedBy") { "0" } else { "1" }, "{damage}");
            let broken = connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap();
            assert!(!broken, "{damage}");
            assert_eq!(Pattern::of(LATEST).unwrap().complete(&mut connection).unwrap(), Vec::<String>::new());
        }
    }

    #[test]
    fn what_was_made_is_named() {
        let mut connection =
            database(r#"ALTER TABLE "session" DROP COLUMN "impersonatedBy"; DROP TABLE authctl_throttle"#);
        let made = Pattern::of(LATEST).unwrap().complete(&mut connection).unwrap();
        assert_eq!(made, ["column session.impersonatedBy", "table authctl_throttle"]);
    }
}
