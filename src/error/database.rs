//! The failures of databases: opening one, reading and writing it, and copies of it.

use super::os::{
    FREE_QUOTA, RAISE_SIZE_LIMIT, USE_LOCKS, WRITABLE, is_limit_of_files, no_home, remedy_of, too_many_files,
};
use super::rules::of_auth;
use super::server::of_server;
use super::{ExitCode, Failure};
use crate::auth::AuthError;
use crate::auth::storage::StoreError;
use crate::context::NotReady;
use crate::store::postgres::ServerError;
use crate::store::transfer::TransferError;
use crate::store::{CopyError, OpenError};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn of_store(error: &StoreError) -> Failure {
    match error {
        StoreError::EmailTaken => of_auth(&AuthError::UserExists),
        StoreError::Caller(refused) => of_auth(refused),
        StoreError::NoSuchPlace(what) => {
            let name = if *what == "session" { "SESSION_NOT_FOUND" } else { "USER_NOT_FOUND" };
            Failure::new(ExitCode::NoSuch, name).hint("begin again without --after")
        }
        StoreError::Busy | StoreError::Conflict | StoreError::Unsettled(_) => {
            Failure::new(ExitCode::Busy, "DATABASE_BUSY").hint("try again, or wait longer with --wait 30s")
        }
        StoreError::Converted => {
            Failure::new(ExitCode::Busy, "DATABASE_CONVERTED").hint("nothing was changed; run the command again")
        }
        StoreError::ReadOnly => Failure::new(ExitCode::Unwritable, "DATABASE_READ_ONLY").remedy(
            "a file and its directory must be writable for you, also to read: SQLite keeps its log beside the file",
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
        StoreError::ReadOnlyServer => Failure::new(ExitCode::Database, "DATABASE_READ_ONLY")
            .remedy(
                "name the primary, or all hosts with target_session_attrs=read-write; if it is the primary, look at \
                 default_transaction_read_only",
            )
            .unchanged(),
        StoreError::NoTransactions => Failure::new(ExitCode::Database, "POOLER_UNSUITABLE")
            .remedy("set pool_mode = transaction for the pooler, or name the server itself")
            .unchanged(),
        StoreError::Canceled => Failure::new(ExitCode::Database, "DATABASE_LIMIT")
            .remedy("try again, or have the role given a longer one: ALTER ROLE ... SET statement_timeout")
            .unchanged(),
        StoreError::SchemaChanged(_) => Failure::new(ExitCode::Database, "DATABASE_INCOMPLETE")
            .remedy("`authctl doctor` shows what another program changed: undo it, or restore a backup")
            .unchanged(),
        StoreError::Unanswered(_) => Failure::new(ExitCode::Unknown, "COMMIT_UNKNOWN")
            .hint("`authctl audit tail` shows whether the change is there: look before you repeat it"),
        StoreError::Denied(_) => Failure::new(ExitCode::Database, "DATABASE_DENIED")
            .remedy("connect as the owner of the schema, or have the owner grant the right")
            .unchanged(),
        StoreError::Disconnected(_) => {
            Failure::new(ExitCode::Busy, "DATABASE_DISCONNECTED").hint("nothing was changed; try again")
        }
        StoreError::Inconsistent { table: "authctl_policy", .. } => {
            Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
                .remedy("`authctl policy unset KEY` or `authctl doctor --fix` sets it back")
                .unchanged()
        }
        // How to restore a backup depends on the kind of the database, which `doctor` shows.
        StoreError::Corrupt(_) => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("restore a backup; `authctl doctor` looks closer")
            .unchanged(),
        StoreError::Incomplete(_) => Failure::new(ExitCode::Database, "DATABASE_INCOMPLETE").hint(
            "`drizzle-kit push` does that in a database that is not its own; the users are there, and `authctl db migrate` makes \
             the tables again",
        ),
        StoreError::Inconsistent { .. } => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("restore a backup, or correct the row; `authctl doctor` looks closer")
            .unchanged(),
        StoreError::NoId { .. } => Failure::new(ExitCode::Database, "ROW_WITHOUT_ID")
            .remedy("give the row an id with the program that wrote it; `authctl doctor` names all such rows")
            .unchanged(),
        StoreError::LogFull(_) => Failure::new(ExitCode::Failed, "AUDIT_LOG_BROKEN")
            .remedy("restore a backup; `authctl audit verify` looks closer")
            .unchanged(),
        StoreError::NotOurs(refusal) => {
            let code = if refusal.is_about_times() { "DATABASE_AMBIGUOUS" } else { "DATABASE_NOT_WRITTEN" };
            Failure::new(ExitCode::Database, code).remedy(refusal.remedy.clone())
        }
        StoreError::Held(_) => Failure::new(ExitCode::Refused, "ROWS_HELD").remedy(error.way_out()).unchanged(),
        StoreError::TooManyKeys(_) => {
            Failure::new(ExitCode::Database, "DATABASE_LIMIT").remedy("do this in the app").unchanged()
        }
        StoreError::BrokenKeys(_) => {
            Failure::new(ExitCode::Refused, "APP_REFUSES").remedy(error.way_out()).unchanged()
        }
        StoreError::Trigger(_) => Failure::new(ExitCode::Refused, "APP_REFUSES")
            .remedy("a trigger or foreign key says so; `authctl db status` or `authctl doctor` names the triggers")
            .unchanged(),
        StoreError::OnlyTheApps(_) => Failure::new(ExitCode::Refused, "APP_REFUSES")
            .remedy("do this in the app; `authctl doctor` names the tables")
            .unchanged(),
        StoreError::Constraint(constraint) => {
            Failure::new(ExitCode::Refused, "APP_REFUSES").remedy(constraint.remedy()).unchanged()
        }
        StoreError::NotUnique(_) => Failure::new(ExitCode::Refused, "APP_REFUSES")
            .remedy("choose another value, or change the other row first")
            .unchanged(),
        StoreError::Unsafe(place) => Failure::new(ExitCode::Database, "DATABASE_UNSAFE").remedy(place.remedy.clone()),
        StoreError::NoState(why) if why.path.is_none() => no_home("XDG_STATE_HOME"),
        StoreError::NoState(_) => Failure::new(ExitCode::Unwritable, "DATABASE_NOT_CREATED")
            .remedy("set XDG_STATE_HOME to a directory that you can write to")
            .unchanged(),
        StoreError::NoColumn { remedy, .. } => {
            Failure::new(ExitCode::Database, "COLUMN_MISSING").remedy(remedy.clone()).unchanged()
        }
        StoreError::Engine(_) => Failure::new(ExitCode::Failed, "FAILED"),
    }
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
            database("DATABASE_EMPTY").hint("an app may not have made its tables yet; if it is of no use, remove it, and `authctl db init` makes a new one")
        }
        OpenError::NoEngine(_) => database("DATABASE_NO_ENGINE").hint("name an SQLite file or a postgres:// address with --db"),
        OpenError::Server(error) => of_server(error),
        OpenError::NotSqlite(_) => database("DATABASE_NOT_SQLITE").hint("name another file with --db"),
        OpenError::Foreign(_) => {
            database("DATABASE_FOREIGN").hint(
            "name another file with --db; this one was left as it was; if an app of Better Auth has renamed its tables, \
             name them in a file given by --schema",
        )
        }
        OpenError::NotOwn(_) => database("DATABASE_FOREIGN").hint(
            "an app's database is migrated by its app; `sqlite3 FILE '.backup COPY'` copies it, and with the app stopped \
             a copy can take its place",
        ),
        OpenError::Lacking { remedy, .. } | OpenError::Renamed { remedy, .. } => {
            database("DATABASE_FOREIGN").remedy(remedy.clone())
        }
        OpenError::Ambiguous { remedy, .. } => database("DATABASE_AMBIGUOUS").remedy(remedy.clone()),
        OpenError::Misfit { remedy, .. } => Failure::new(ExitCode::Usage, "SCHEMA_FILE").remedy(remedy.clone()),
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

pub(super) fn of_not_ready(error: &NotReady) -> Failure {
    let by_hand = "`authctl db init --better-auth ADAPTER` makes them for the app, `authctl db init` makes a database \
                   of authctl's own";
    if error.is_empty() {
        Failure::new(ExitCode::Database, "DATABASE_EMPTY")
            .hint(format!("let the app make its tables first; or remove the empty file: then {by_hand}"))
    } else {
        Failure::new(ExitCode::Database, "DATABASE_MISSING")
            .hint(format!("let the app make its tables first; or {by_hand}"))
    }
}

pub(super) fn of_transfer(error: &TransferError) -> Failure {
    match error {
        TransferError::Open(
            error @ (OpenError::Missing(_)
            | OpenError::NotAFile { .. }
            | OpenError::Empty(_)
            | OpenError::NotSqlite(_)
            | OpenError::Foreign(_)
            | OpenError::NotOwn(_)),
        ) => not_own(error),
        TransferError::Open(error @ OpenError::Server(server))
            if matches!(**server, ServerError::Missing { .. } | ServerError::NotOwn { .. }) =>
        {
            not_own(error)
        }
        TransferError::Open(error) if of_open(error).code == ExitCode::Exists => {
            of_open(error).remedy("name another place as TO: no database is overwritten").unchanged()
        }
        TransferError::Open(error) => of_open(error),
        TransferError::Read(source) | TransferError::Write(source) => of_store(source),
        TransferError::Refused { .. } => Failure::new(ExitCode::Database, "DATABASE_CORRUPT")
            .remedy("correct or delete the row in the old database; `authctl doctor` looks closer")
            .unchanged(),
        TransferError::Differs(_) => Failure::new(ExitCode::Failed, "COPY_DIFFERS")
            .remedy("look at the disk, and on a server at its event triggers")
            .hint("there is no new database"),
        TransferError::NotLogged(_) => Failure::new(ExitCode::Unwritable, "AUDIT_LOG_NOT_FINISHED"),
    }
}

/// Authctl did not make the old database.
fn not_own(error: &OpenError) -> Failure {
    of_open(error).remedy("name a database of authctl's own as FROM").unchanged()
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
        CopyError::Store { source, .. } | CopyError::Act(source) => of_store(source),
    }
}
