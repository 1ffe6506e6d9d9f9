//! Migrations, in one transaction and by one process at a time. The names, the checksums and the list of those that were
//! applied are refinery's; it runs them itself only without a lock, and panics on a list that it did not write.

use refinery::Migration;

use super::engine::{Postgres, PostgresTx};
use super::schema;
use crate::auth::storage::StoreError;
use crate::store::engine::{Row, Tx, Value};
use crate::store::mapping::identifier;

/// Every migration: its name and its SQL. A released migration is never edited.
const MIGRATIONS: &[(&str, &str)] = &[
    ("V010__accounts", include_str!("../../../migrations/postgres/V010__accounts.sql")),
    ("V011__second_factor", include_str!("../../../migrations/postgres/V011__second_factor.sql")),
    ("V012__api_tokens", include_str!("../../../migrations/postgres/V012__api_tokens.sql")),
];

/// The newest schema version, the same for every engine.
pub(super) const LATEST: u32 = 12;

/// The table in which refinery lists the applied migrations.
pub(super) const HISTORY: &str = "authctl_schema_history";

/// The tables of authctl's own.
pub(super) const OWN_TABLES: &[&str] =
    &["authctl_audit", "authctl_head", "authctl_policy", "authctl_throttle", HISTORY];

/// The tables of second factors and API tokens, in native schemas alone.
const OF_USERS: [&str; 2] = ["authctl_twoFactor", "authctl_apikey"];

/// "actl" in ASCII: the lock for a change of the schema.
const LOCK: u32 = 0x6163_746c;

/// What a schema of authctl holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// All tables of a native database.
    Native,
    /// Only authctl's own tables: its state about the app of the same database.
    State,
}

impl Contents {
    /// Whether an object of a native schema is in this one: those of authctl's own tables have its name. Second factors
    /// and API tokens belong to users, so they are where the users are.
    pub(super) fn has(self, object: &str) -> bool {
        self == Self::Native || object.contains("authctl_") && !OF_USERS.iter().any(|table| object.contains(table))
    }

    /// The part of a migration that this schema gets. A migration consists of parts between empty lines, and each part is
    /// about authctl's own tables, whose names begin with `authctl_`, or about the others.
    fn part_of(self, sql: &str) -> String {
        sql.split(BETWEEN_PARTS).filter(|part| self.has(part)).collect::<Vec<_>>().join(BETWEEN_PARTS)
    }
}

/// What is between the parts of a migration.
const BETWEEN_PARTS: &str = "\n\n";

/// The number of the newest migration that was applied, and what the schema holds; `None` if the schema or its list of
/// migrations does not exist.
pub(super) fn version(engine: &Postgres) -> Result<Option<(u32, Contents)>, StoreError> {
    // The server plans the few rows in half of the time that the largest of them would take. To look one name up takes it as
    // long as to read them, so the others are looked up only where this one is not found.
    let applied = format!(r#"SELECT "version", to_regclass('"user"') IS NOT NULL FROM "{HISTORY}""#);
    let read = |row: &Row<'_>| Ok((row.value(0)?.to_value(), row.truth(1)?));
    let applied = match (&mut engine.look_up() as &mut dyn Tx).query_all(&applied, &[], read) {
        Err(StoreError::Incomplete(_)) => return Ok(None),
        applied => applied?,
    };
    let versions = applied.into_iter().filter_map(|(version, has_users)| match version {
        Value::Integer(version) => Some((u32::try_from(version).ok()?, has_users)),
        _ => None,
    });
    let Some((version, has_users)) = versions.max() else { return Ok(None) };
    let is_native = has_users || has_any(engine, &["session", "account", "verification"])?;
    Ok(Some((version, if is_native { Contents::Native } else { Contents::State })))
}

/// Whether the schema of an engine has one of some tables.
pub(super) fn has_any(engine: &Postgres, tables: &[&str]) -> Result<bool, StoreError> {
    let places: Vec<String> = tables.iter().map(|table| format!("to_regclass('\"{table}\"')")).collect();
    let found = format!("SELECT coalesce({}) IS NOT NULL", places.join(", "));
    let found = (&mut engine.look_up() as &mut dyn Tx).query_one(&found, &[], |row| row.truth(0))?;
    Ok(found == Some(true))
}

/// A migration that was applied, as the list has it.
#[derive(Debug, PartialEq, Eq)]
struct Applied {
    version: u32,
    name: String,
    checksum: String,
}

impl From<&Migration> for Applied {
    fn from(migration: &Migration) -> Self {
        let version = u32::try_from(migration.version()).unwrap_or_default();
        Self { version, name: migration.name().to_owned(), checksum: migration.checksum().to_string() }
    }
}

/// Why the schema cannot be brought to the newest version.
#[derive(Debug)]
pub(super) enum Failed {
    /// A later version of authctl has migrated it.
    Newer(u32),
    /// The list of migrations is not one that authctl wrote.
    History(String),
    Store(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes the schema if it is missing, applies the missing migrations, and makes again what another program removed, all in
/// one transaction. Returns the version before, and what was made again.
pub(super) fn run(engine: &Postgres, contents: Contents) -> Result<(Option<u32>, Vec<String>), Failed> {
    let name = engine.schema();
    let mut tx = engine.migration();
    let before = apply(&mut tx, name, contents)?;
    let restored = schema::restore(&mut tx, name, contents)?;
    tx.commit()?;
    Ok((before, restored))
}

/// Makes the list of migrations again in a native schema that has lost it, and what else another program removed. Returns what
/// was made again.
///
/// # Errors
/// [`Failed::History`] where the schema is not that of the newest version: the list does not say which migrations it needs.
pub(super) fn list_again(engine: &Postgres) -> Result<Vec<String>, Failed> {
    let name = engine.schema();
    let mut tx = engine.migration();
    begin(&mut tx, name)?;
    let mut restored = Vec::new();
    // Another process may have been faster.
    if applied(&mut tx)?.is_empty() {
        for migration in known()? {
            enter(&mut tx, &migration)?;
        }
        restored.push(format!("rows of {HISTORY}"));
    }
    restored.extend(schema::restore(&mut tx, name, Contents::Native)?);
    // A later version may have added something.
    if let Some(other) = schema::differences(&mut tx, name, Contents::Native)?.first() {
        return Err(Failed::History(format!("it is lost, and this differs from the newest version: {}", other.object)));
    }
    tx.commit()?;
    Ok(restored)
}

/// Makes the schema if it is missing, and applies the missing migrations. Returns the version before.
pub(super) fn apply(tx: &mut PostgresTx<'_>, name: &str, contents: Contents) -> Result<Option<u32>, Failed> {
    apply_first(MIGRATIONS.len(), tx, name, contents)
}

/// As [`apply`], up to a number of migrations, as an older authctl did.
pub(super) fn apply_first(
    count: usize,
    tx: &mut PostgresTx<'_>,
    name: &str,
    contents: Contents,
) -> Result<Option<u32>, Failed> {
    let known = known()?;
    begin(tx, name)?;
    let applied = applied(tx)?;
    let before = applied.last().map(|last| last.version);
    if before.is_some() {
        tx.wait_for_indexes();
    }
    if let Some(newer) = before.filter(|before| *before > LATEST) {
        return Err(Failed::Newer(newer));
    }
    if let Some(problem) = applied.iter().find(|one| !known.iter().any(|known| Applied::from(known) == **one)) {
        return Err(Failed::History(format!("migration {} is not one of authctl", problem.version)));
    }
    for (migration, (_, sql)) in known.iter().zip(MIGRATIONS).take(count).skip(applied.len()) {
        tx.batch(&contents.part_of(sql)).map_err(|error| match error {
            // The list says that the migration was not applied.
            StoreError::SchemaChanged(problem) => Failed::History(problem),
            error => error.into(),
        })?;
        enter(tx, migration)?;
    }
    Ok(before)
}

/// Every migration.
fn known() -> Result<Vec<Migration>, StoreError> {
    let known = MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<_, _>>();
    known.map_err(|error| StoreError::Engine(error.to_string()))
}

/// Waits for other processes that migrate, and makes the schema and the list of migrations if they are missing.
fn begin(tx: &mut PostgresTx<'_>, name: &str) -> Result<(), StoreError> {
    tx.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
    let exists = "SELECT count(*) FROM pg_namespace WHERE nspname = ?1";
    if (tx as &mut dyn Tx).count(exists, &[Value::from(name)])? == 0 {
        tx.batch(&format!("CREATE SCHEMA {}", identifier(name)))?;
    }
    // The server passes over a schema that the role may not use, and would make temporary tables.
    let may_make = "SELECT has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE') FROM pg_namespace
        WHERE nspname = ?1";
    let may_make = (tx as &mut dyn Tx).query_one(may_make, &[Value::from(name)], |row| row.truth(0))?;
    if may_make != Some(true) {
        return Err(StoreError::Denied(format!("the schema {name} is not open to it")));
    }
    // As refinery makes it.
    tx.batch(&format!(
        r#"CREATE TABLE IF NOT EXISTS "{HISTORY}"
           (version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255))"#
    ))?;
    Ok(())
}

/// Enters a migration in the list.
fn enter(tx: &mut PostgresTx<'_>, migration: &Migration) -> Result<(), StoreError> {
    let Applied { version, name, checksum } = migration.into();
    let done = format!(
        r#"INSERT INTO "{HISTORY}" (version, name, applied_on, checksum) VALUES
           (?1, ?2, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ?3)"#
    );
    tx.execute(&done, &[version.into(), name.into(), checksum.into()]).map(drop)
}

fn applied(tx: &mut dyn Tx) -> Result<Vec<Applied>, StoreError> {
    let all = format!(r#"SELECT version, name, checksum FROM "{HISTORY}" ORDER BY version"#);
    tx.query_all(&all, &[], |row| {
        let version = u32::try_from(row.integer(0)?).unwrap_or_default();
        Ok(Applied { version, name: row.text(1)?, checksum: row.text(2)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_the_same_newest_version() {
        assert_eq!(LATEST, crate::store::sqlite::LATEST);
        let newest = MIGRATIONS.last().unwrap();
        assert!(newest.0.starts_with(&format!("V{LATEST:03}__")));
    }

    #[test]
    fn part_of_a_migration_is_about_one_kind_of_tables() {
        for (name, sql) in MIGRATIONS {
            for part in sql.split(BETWEEN_PARTS) {
                let others = ["user", "session", "account", "verification"].map(|table| format!("\"{table}\""));
                let is_about_others = others.iter().any(|table| part.contains(table));
                assert!(!(is_about_others && Contents::State.has(part)), "{name}: {part}");
            }
        }
    }
}
