//! How failures of the database are told: opening it, using it, copying it.

use super::Failure;
use super::classify::of_auth;
use super::environment::{FREE_QUOTA, RAISE_SIZE_LIMIT, USE_LOCKS, remedy_of};
use crate::auth::AuthError;
use crate::auth::storage::StoreError;
use crate::exit_code::ExitCode;
use crate::store::{CopyError, OpenError};

pub(super) fn of_store(error: &StoreError) -> Failure {
    match error {
        StoreError::EmailTaken => of_auth(&AuthError::UserExists),
        StoreError::Caller(refused) => of_auth(refused),
        StoreError::NoSuchPlace => Failure::new(ExitCode::NoSuch, "USER_NOT_FOUND").hint("begin again without --after"),
        StoreError::Busy | StoreError::Conflict => {
            Failure::new(ExitCode::Busy, "DATABASE_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        StoreError::ReadOnly => Failure::new(ExitCode::Unwritable, "DATABASE_READ_ONLY").remedy(
            "the file and its directory must be writable for you, also to read: SQLite keeps its log beside the file",
        ),
        StoreError::TooManyFiles => too_many_files(),
        StoreError::Full => Failure::new(ExitCode::Unwritable, "DISK_FULL").remedy("make room").unchanged(),
        StoreError::TooLarge => {
            Failure::new(ExitCode::Unwritable, "FILE_SIZE_LIMIT").remedy(RAISE_SIZE_LIMIT).unchanged()
        }
        StoreError::Quota => Failure::new(ExitCode::Unwritable, "DISK_QUOTA").remedy(FREE_QUOTA).unchanged(),
        StoreError::NoLocks => Failure::new(ExitCode::Unwritable, "NO_LOCKS").remedy(USE_LOCKS).unchanged(),
        StoreError::Io(_) => Failure::new(ExitCode::Unwritable, "DATABASE_IO").remedy("look at the disk").unchanged(),
        StoreError::TooMuch(_) => Failure::new(ExitCode::Database, "DATABASE_LIMIT")
            .remedy("look at its schema and its largest rows with the program that made them")
            .unchanged(),
        StoreError::Uncertain(_) => Failure::new(ExitCode::Unwritable, "COMMIT_UNCERTAIN")
            .remedy("look at the disk")
            .hint("check whether the change is there before you repeat it"),
        StoreError::Inconsistent { table: "authctl_policy", .. } => {
            Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
                .remedy("`authctl policy unset KEY` or `authctl doctor --fix` sets it back")
                .unchanged()
        }
        // How a backup is restored depends on whose database it is: the doctor knows.
        StoreError::Corrupt(_) => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("restore a backup; `authctl doctor` looks closer")
            .unchanged(),
        StoreError::Inconsistent { .. } => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("restore a backup, or correct the row; `authctl doctor` looks closer")
            .unchanged(),
        StoreError::LogFull(_) => Failure::new(ExitCode::Failed, "AUDIT_LOG_BROKEN")
            .remedy("restore a backup; `authctl audit verify` looks closer")
            .unchanged(),
        StoreError::NotOurs(refusal) => {
            Failure::new(ExitCode::Database, "DATABASE_NOT_WRITTEN").remedy(refusal.remedy.clone())
        }
        StoreError::NoColumn { .. } => Failure::new(ExitCode::Database, "COLUMN_MISSING")
            .remedy("add the plugin to the app and run its migration")
            .unchanged(),
        StoreError::NotUnique(_) | StoreError::Engine(_) => Failure::new(ExitCode::Failed, "FAILED"),
    }
}

const WRITABLE: &str = "the directory must exist and be writable for you";

fn too_many_files() -> Failure {
    Failure::new(ExitCode::Unwritable, "TOO_MANY_FILES").remedy("raise the limit, as with `ulimit -n 256`")
}

/// Whether the limit of open files of this process or of the machine is reached.
fn is_limit_of_files(error: &std::io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

pub(super) fn of_open(error: &OpenError) -> Failure {
    let database = |name| Failure::new(ExitCode::Database, name);
    match error {
        OpenError::Unreadable { source, .. } | OpenError::CannotCreate { source, .. } if is_limit_of_files(source) => {
            too_many_files()
        }
        OpenError::Missing(_) => database("DATABASE_MISSING")
            .hint("name another with --db or AUTHCTL_DB; `authctl signup` and `authctl db init` make a new one"),
        OpenError::Exists(_) => {
            Failure::new(ExitCode::Exists, "DATABASE_EXISTS").hint("pass --if-missing if that is what you want")
        }
        OpenError::NotAFile { .. } => database("DATABASE_NOT_A_FILE").hint("name a file with --db"),
        OpenError::Empty(_) => {
            database("DATABASE_EMPTY").hint("if it is of no use, remove it; `authctl db init` makes a new one")
        }
        OpenError::NoEngine(_) => database("DATABASE_NO_ENGINE").hint("name an SQLite file with --db"),
        OpenError::NotSqlite(_) => database("DATABASE_NOT_SQLITE").hint("name another file with --db"),
        OpenError::Foreign(_) => {
            database("DATABASE_FOREIGN").hint("name another file with --db; this one was left as it was")
        }
        OpenError::NotOwn(_) => database("DATABASE_FOREIGN").hint(
            "an app's database is migrated by its app; `sqlite3 FILE '.backup COPY'` copies it, and with the app stopped \
             a copy can take its place",
        ),
        OpenError::Lacking { .. } => database("DATABASE_FOREIGN")
            .hint("finish the app's migration, or name the column in a file given by --schema"),
        OpenError::Ambiguous { .. } => database("DATABASE_AMBIGUOUS")
            .hint("finish the app's migration, or name tables and columns in a file given by --schema"),
        OpenError::Newer { .. } => database("DATABASE_NEWER").hint("upgrade authctl"),
        OpenError::Truncated { .. } => database("DATABASE_TRUNCATED")
            .remedy("move it away and restore a backup with `authctl db restore`; the file was left as it was"),
        OpenError::Unsafe { remedy, .. } => database("DATABASE_UNSAFE").remedy(remedy.clone()),
        OpenError::History { .. } => database("DATABASE_CORRUPT").remedy("restore a backup; the file was left as it was"),
        OpenError::Unreadable { .. } => database("DATABASE_UNREADABLE").remedy("run as the user who owns the file"),
        OpenError::CannotCreate { source, .. } => {
            Failure::new(ExitCode::Unwritable, "DATABASE_NOT_CREATED").remedy(remedy_of(source).unwrap_or(WRITABLE))
        }
        OpenError::Locked(_) => {
            Failure::new(ExitCode::Busy, "DATABASE_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        OpenError::Store { source, .. } => of_store(source),
    }
}

pub(super) fn of_copy(error: &CopyError) -> Failure {
    match error {
        CopyError::CannotWrite { source, .. } if is_limit_of_files(source) => too_many_files(),
        // The file is an argument of `db restore`; the hints of opening speak of --db and of making a new one.
        CopyError::Open(
            error
            @ (OpenError::Missing(_) | OpenError::NotAFile { .. } | OpenError::Empty(_) | OpenError::NotSqlite(_)),
        ) => of_open(error).remedy("name a file that `authctl db backup` made").unchanged(),
        CopyError::Open(error) => of_open(error),
        CopyError::Exists(_) => {
            Failure::new(ExitCode::Exists, "FILE_EXISTS").hint("name another file: none is overwritten")
        }
        CopyError::CannotWrite { source, .. } => {
            Failure::new(ExitCode::Unwritable, "BACKUP_NOT_WRITTEN").remedy(remedy_of(source).unwrap_or(WRITABLE))
        }
        CopyError::Damaged { .. } => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("use another backup; `authctl db check` looks closer")
            .unchanged(),
        CopyError::Differs(_) => Failure::new(ExitCode::Failed, "COPY_DIFFERS").remedy("look at the disk"),
        CopyError::NotReadBack { source, .. } => Failure::new(of_copy(source).code, "RESTORED_NOT_READ_BACK")
            .hint("run `authctl db check`; the backup is in place already"),
        CopyError::Same(_) => Failure::new(ExitCode::Usage, "USAGE").hint("name the backup; --db names the database"),
        CopyError::PageSize(_) => Failure::new(ExitCode::Database, "PAGE_SIZE_DIFFERS")
            .hint("move the database away and restore again: the backup becomes the database then"),
        CopyError::Store { source, .. } => of_store(source),
    }
}
