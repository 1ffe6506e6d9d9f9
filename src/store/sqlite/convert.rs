//! Turns a native database into one of a Better Auth app. The four tables are made anew, and everything else that authctl
//! made is removed, in one transaction: a reader sees the old state or the new one, also after a kill.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::backup::{contents, copy, failed, read};
use super::connect::connect;
use super::description::Described;
use super::error::SqliteResult as _;
use super::repair::Pattern;
use super::staging::{self, Lock};
use super::{LATEST, integrity, open_own, preflight};
use crate::auth::storage::{BackupSummary, Depth, StoreError};
use crate::store::better_auth::{self, Adapter, Conversion, Converted, Target};
use crate::store::sqlite::engine::Sqlite;
use crate::store::{CopyError, OpenError, SchemaOverrides};

/// Opens a native database that is to become an app's.
///
/// # Errors
/// As for [`super::open_own`], if the file belongs to another user, and if another program removed a part of the schema.
pub fn open_to_convert(path: &Path, overrides: &SchemaOverrides, wait: Duration) -> Result<Sqlite, OpenError> {
    let owner = preflight::inspect_own(path)?.owner();
    if owner != rustix::process::geteuid().as_raw() {
        // What root keeps about an app is of no use to the user who owns the file.
        return Err(preflight::of_another_user(path, owner));
    }
    let mut engine = open_own(path, wait)?;
    let connection = engine.connection();
    prepare(connection).map_err(|source| OpenError::Store { path: path.into(), source })?;
    better_auth::require_readable(&Described(connection), path, overrides)?;
    Ok(engine)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    if let Some(part) = Pattern::of(LATEST)?.first_missing(connection)? {
        return Err(StoreError::Incomplete(part));
    }
    // Tables of other programs go on to refer to `user` while it has another name, and keep their rows when it goes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).engine()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, true).engine()?;
    Ok(())
}

/// Finds out what a conversion would do.
///
/// # Errors
/// The outer error is as for [`open_to_convert`].
pub fn plan_conversion(
    path: &Path,
    adapter: Adapter,
    overrides: &SchemaOverrides,
    wait: Duration,
) -> Result<Result<Converted, StoreError>, OpenError> {
    let mut store = open_to_convert(path, overrides, wait)?.into_store();
    Ok(target(adapter).and_then(|target| store.plan_conversion(&target)))
}

fn target(adapter: Adapter) -> Result<Target, StoreError> {
    Target::new(adapter, Pattern::of(LATEST)?.names())
}

#[derive(Debug)]
pub struct ConvertOptions<'a> {
    pub path: &'a Path,
    /// The path of the copy of the old state.
    pub kept: &'a Path,
    pub adapter: Adapter,
    /// With these the database is read afterwards.
    pub overrides: &'a SchemaOverrides,
    /// How long to wait for other processes.
    pub wait: Duration,
}

/// Converts a database that was opened with [`open_to_convert`].
///
/// # Errors
/// [`CopyError`]. The database is unchanged, unless [`StoreError::may_be_committed`] says otherwise.
pub fn convert(mut conversion: Conversion<'_>, options: &ConvertOptions<'_>) -> Result<Converted, CopyError> {
    let target = target(options.adapter).map_err(CopyError::Act)?;
    let _lock = Lock::take(options.path, options.wait)?;
    if let Err(OpenError::NotOwn(_)) = open_own(options.path, options.wait) {
        return Err(CopyError::Act(StoreError::Converted));
    }
    let mut before = None;
    let mut back_up = || back_up(options).inspect(|copied| before = Some(copied.clone()));
    let converted = conversion.run(&target, &mut back_up).map_err(CopyError::Act).flatten();
    converted.inspect_err(|_| {
        // The copy stays if the database may have changed, because it may be the last one.
        if before.is_some() && contents(options.path, options.wait) == before {
            staging::remove(options.kept);
        }
    })
}

/// Copies the database and reads the copy back.
fn back_up(options: &ConvertOptions<'_>) -> Result<BackupSummary, CopyError> {
    let failed = |source| failed(options.path, source);
    let reader = connect(preflight::inspect_own(options.path)?, options.wait).map_err(failed)?;
    let wanted = read(&reader).map_err(failed)?;
    copy(&reader, options.kept, options.wait, |copied| {
        if let Some(problem) = integrity::damage(copied, Depth::Full).map_err(failed)?.into_iter().next() {
            return Err(CopyError::Damaged { path: options.path.into(), problem });
        }
        if read(copied).map_err(failed)? == wanted { Ok(()) } else { Err(CopyError::Differs(options.kept.into())) }
    })?;
    Ok(wanted)
}

/// Moves the log into the file and removes it, as a new database of an app has none. If another process has the database
/// open, the log stays, and SQLite reads it.
pub fn remove_log(path: &Path) {
    let Some(connection) = preflight::inspect(path).ok().and_then(|file| connect(file, Duration::ZERO).ok()) else {
        return;
    };
    for pragma in ["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE"] {
        let _ = connection.query_row(pragma, [], |_| Ok(()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;
    use std::sync::LazyLock;

    use super::super::connect::is_own;
    use super::*;
    use crate::auth::audit::{Actor, Event};
    use crate::auth::storage::{DoctorStore as _, LooseEnds, Maintenance as _, Store as _};
    use crate::store::sqlite::{Opened, create, migrate, open};
    use crate::store::{SqlStore, State};

    const WAIT: Duration = Duration::from_secs(5);

    /// The path of a new native database.
    fn database() -> (tempfile::TempDir, PathBuf) {
        let private = std::fs::Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("authctl-").permissions(private).tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap().join("app.db");
        create(&path, WAIT).unwrap();
        (directory, path)
    }

    fn to_convert<'a>(path: &Path, loose_ends: &'a mut LooseEnds) -> Conversion<'a> {
        let native = open_to_convert(path, &SchemaOverrides::default(), WAIT).unwrap();
        let state = State::open(&path.with_file_name("state.db"), WAIT).unwrap();
        Conversion::new(native, state, Actor::default().into(), loose_ends)
    }

    fn options<'a>(path: &'a Path, kept: &'a Path) -> ConvertOptions<'a> {
        static OVERRIDES: LazyLock<SchemaOverrides> = LazyLock::new(SchemaOverrides::default);
        ConvertOptions { path, kept, adapter: Adapter::Kysely, overrides: &OVERRIDES, wait: WAIT }
    }

    fn convert(path: &Path) -> Result<Converted, CopyError> {
        super::convert(to_convert(path, &mut LooseEnds::default()), &options(path, &path.with_file_name("kept.db")))
    }

    fn store(path: &Path) -> SqlStore {
        match open(path, WAIT, &SchemaOverrides::default()).unwrap() {
            Opened::Own(store) => store,
            Opened::Guest(_) => unreachable!("authctl made the database"),
        }
    }

    #[test]
    fn process_with_the_native_database_open_writes_nothing_after_a_conversion() {
        let (_directory, path) = database();
        let mut earlier = store(&path);
        let mut loose_ends = LooseEnds::default();
        let second = to_convert(&path, &mut loose_ends);
        convert(&path).unwrap();
        assert!(matches!(earlier.record(Event::new("test.done")), Err(StoreError::Converted)));
        let kept = path.with_file_name("kept2.db");
        let again = super::convert(second, &options(&path, &kept));
        assert!(matches!(again, Err(CopyError::Act(StoreError::Converted))), "{again:?}");
        assert!(!kept.exists());
        let converted = Connection::open(&path).unwrap();
        assert!(!is_own(&converted).unwrap() && !converted.table_exists(None, "authctl_audit").unwrap());
    }

    #[test]
    fn process_that_waited_to_migrate_changes_nothing_after_a_conversion() {
        let (_directory, path) = database();
        let mut waiting = connect(preflight::inspect_own(&path).unwrap(), WAIT).unwrap();
        convert(&path).unwrap();
        let migrated = migrate::bring_up_to_date(&mut waiting, &path, WAIT);
        assert!(matches!(migrated, Err(OpenError::NotOwn(_))), "{migrated:?}");
    }

    #[test]
    fn failed_copy_leaves_the_database_native() {
        let (_directory, path) = database();
        std::fs::write(path.with_file_name("kept.db"), "mine").unwrap();
        Connection::open(&path)
            .unwrap()
            .execute_batch("INSERT INTO authctl_policy VALUES ('password.min-length', '9', 1)")
            .unwrap();
        assert!(matches!(convert(&path), Err(CopyError::Exists(_))));
        assert_eq!(std::fs::read(path.with_file_name("kept.db")).unwrap(), b"mine");
        store(&path).record(Event::new("test.done")).unwrap();
        let mut state = store(&path.with_file_name("state.db"));
        assert_eq!(state.settings().unwrap(), []);
        state.each_entry(0, &mut |entry| panic!("{entry:?}")).unwrap();
    }
}
