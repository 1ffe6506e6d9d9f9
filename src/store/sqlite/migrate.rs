//! Migrations by refinery, in one transaction and by one process at a time. Each migration writes its number
//! to `user_version`, so that one read of the file's header tells whether the schema is up to date.

use std::path::Path;
use std::time::Duration;

use refinery::error::Kind;
use refinery::{Migration, Runner};
use rusqlite::{Connection, TransactionBehavior};

use super::connect::{connect, is_own, schema_version, with_large_rows};
use super::engine::WRITER_SETTINGS;
use super::error::{self, SqliteResult as _};
use super::repair::Pattern;
use super::staging::Lock;
use super::{integrity, preflight};
use crate::auth::storage::StoreError;
use crate::store::{Migrated, OpenError};

/// Every migration: its name and its SQL. A released migration is never edited, because refinery compares its
/// checksum with the one in each user's database.
pub const MIGRATIONS: &[(&str, &str)] = &[
    ("V001__accounts", include_str!("../../../migrations/V001__accounts.sql")),
    ("V002__throttle", include_str!("../../../migrations/V002__throttle.sql")),
    ("V003__policy", include_str!("../../../migrations/V003__policy.sql")),
    ("V004__users", include_str!("../../../migrations/V004__users.sql")),
    ("V005__audit", include_str!("../../../migrations/V005__audit.sql")),
    ("V006__audit_addresses", include_str!("../../../migrations/V006__audit_addresses.sql")),
    ("V007__audit_intended", include_str!("../../../migrations/V007__audit_intended.sql")),
    ("V008__app_writes", include_str!("../../../migrations/V008__app_writes.sql")),
    ("V009__filters", include_str!("../../../migrations/V009__filters.sql")),
    ("V010__search", include_str!("../../../migrations/V010__search.sql")),
    ("V011__second_factor", include_str!("../../../migrations/V011__second_factor.sql")),
    ("V012__api_tokens", include_str!("../../../migrations/V012__api_tokens.sql")),
];

/// The newest schema version. Every database is migrated to it when it is opened.
pub const LATEST: u32 = 12;

/// The table in which refinery lists the applied migrations.
pub(super) const HISTORY: &str = "authctl_schema_history";

/// Brings the database to the newest schema, and makes again what another program took out of it.
///
/// # Errors
/// [`OpenError`], as for opening.
pub fn migrate(path: &Path, wait: Duration) -> Result<Migrated, OpenError> {
    let failed = |source| OpenError::Store { path: path.into(), source };
    let mut connection = connect(preflight::inspect_own(path)?, wait).map_err(failed)?;
    let before = schema_version(&connection).engine().map_err(failed)?;
    if before > LATEST {
        return Err(OpenError::Newer { path: path.into(), found: before, known: LATEST });
    }
    let pattern = Pattern::of(before).map_err(failed)?;
    let restored = if pattern.is_complete(&connection).map_err(failed)? {
        Vec::new()
    } else {
        let _lock = lock(&connection, path, wait)?;
        connection.execute_batch(WRITER_SETTINGS).engine().map_err(failed)?;
        pattern.complete(&mut connection).map_err(failed)?
    };
    let from = if before < LATEST { bring_up_to_date(&mut connection, path, wait)? } else { before };
    let to = schema_version(&connection).engine().map_err(failed)?;
    Ok(Migrated { from, to, restored })
}

/// Takes the lock for a change of the schema.
///
/// # Errors
/// [`OpenError::NotOwn`] when another process converted the database during the wait.
fn lock(connection: &Connection, path: &Path, wait: Duration) -> Result<Lock, OpenError> {
    let lock = Lock::take(path, wait)?;
    match is_own(connection).engine() {
        Ok(true) => Ok(lock),
        Ok(false) => Err(OpenError::NotOwn(path.into())),
        Err(source) => Err(OpenError::Store { path: path.into(), source }),
    }
}

/// Migrates under the lock and returns the version that was found under it. Another process may have migrated
/// the database while this one waited.
pub(super) fn bring_up_to_date(connection: &mut Connection, path: &Path, wait: Duration) -> Result<u32, OpenError> {
    let _lock = lock(connection, path, wait)?;
    let failed = |source| OpenError::Store { path: path.into(), source };
    let found = schema_version(connection).engine().map_err(failed)?;
    if found < LATEST {
        run_after(connection, path, found)?;
    }
    Ok(found)
}

/// Applies the migrations after version `found`, if the list of applied ones is that of authctl. refinery panics on a
/// list that it did not write.
pub(super) fn run_after(connection: &mut Connection, path: &Path, found: u32) -> Result<(), OpenError> {
    match integrity::history_problem(connection, found) {
        Some(problem) => Err(OpenError::History { path: path.into(), problem }),
        None => run(connection).map_err(|source| OpenError::Store { path: path.into(), source }),
    }
}

/// Applies the missing migrations in one transaction.
pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    run_up_to(connection, LATEST)
}

/// An empty database of a schema version, to compare others with.
pub(super) fn empty(version: u32) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory().engine()?;
    run_up_to(&mut connection, version)?;
    Ok(connection)
}

/// As [`run`], up to a version.
fn run_up_to(connection: &mut Connection, version: u32) -> Result<(), StoreError> {
    let migrations = MIGRATIONS
        .iter()
        .take(version as usize)
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| StoreError::Engine(error.to_string()))?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let mut runner = Runner::new(&migrations).set_grouped(true);
    runner.set_migration_table_name(HISTORY);
    // The index for searches reads names of any size.
    with_large_rows(connection, |connection| runner.run(&mut **connection).map_err(|error| translate(&error)))?;
    Ok(())
}

/// Finds SQLite's error under refinery's.
fn translate(error: &refinery::Error) -> StoreError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if let Some(engine) = one.downcast_ref::<rusqlite::Error>() {
            return error::translate(engine);
        }
        cause = one.source();
    }
    match error.kind() {
        Kind::Connection(_, source) => match source.downcast_ref::<rusqlite::Error>() {
            Some(engine) => error::translate(engine),
            None => StoreError::Engine(error.to_string()),
        },
        _ => StoreError::Engine(error.to_string()),
    }
}

/// SQLite's plan for a statement on a native database.
#[cfg(test)]
pub(in crate::store) fn plan(sql: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    for (_, migration) in MIGRATIONS {
        connection.execute_batch(migration).unwrap();
    }
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    explained.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::secret::digest;

    #[test]
    fn a_released_migration_is_never_edited() {
        let sums: Vec<_> = MIGRATIONS.iter().map(|(name, sql)| (*name, digest(sql))).collect();
        let released = [
            ("V001__accounts", "adf4aab0b159af1566552bbb981038eda4ed4a54a8e5f7b2efc1614ce9581567"),
            ("V002__throttle", "3fffb2547426706c5e584e20e2128b5f7c08828db3522d30e89269a8756cde0a"),
            ("V003__policy", "8314525205b1816751b5497b77285075d2ac4a980beb9f0436096eb1f0d2102b"),
            ("V004__users", "7247ccf2a6afc35efaa446660d70adc730534fe6574952189cbd71318e58e3d2"),
            ("V005__audit", "149449443bfaceead2da03e1ec7c69f9cfef3de9356bcffecce0f24297da2f0e"),
            ("V006__audit_addresses", "b0e699df7347a4971d9095f642206cd069d0100368ec0c3a4ac5170d5b683a5c"),
            ("V007__audit_intended", "ff560573f18062c7261a2024670eae9900a0095cb7bb61483eeabd3f80851a93"),
            ("V008__app_writes", "d915d038468d99b4cbdeb310d5206bc72563008aa05bbf84a7a75c3a2a7b6a9b"),
            ("V009__filters", "25d5584cd979fb4bde878354416bfdf7e8bf1098543a819261cd64cb73af75aa"),
            ("V010__search", "c2405133474cfc637ec7e9a26a5680a2a6b2c7c2270f3116c154166e05eca4a5"),
            ("V011__second_factor", "453ddec2695d01ed9838fa1c111063ec581a11148e607c085242208b341cd0e4"),
            ("V012__api_tokens", "25cca24b5fababaddb9c5e1a064b43e3afec549a05cc999bfcd7fbcef59452d6"),
        ];
        assert!(sums.iter().map(|(name, sum)| (*name, sum.as_str())).eq(released), "{sums:#?}");
    }

    #[test]
    fn latest_version_is_that_of_the_last_migration() {
        for (index, (name, sql)) in MIGRATIONS.iter().enumerate() {
            let number = index + 1;
            assert!(name.starts_with(&format!("V{number:03}__")), "{name}");
            assert!(sql.contains(&format!("PRAGMA user_version = {number};")), "{name}");
            assert!(!sql.contains('\r'), "{name} has line ends that change its checksum");
        }
        assert_eq!(LATEST as usize, MIGRATIONS.len());
    }
}
