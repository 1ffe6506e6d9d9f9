//! Conversion of SQLite's errors to the store's.

use std::io;

use rusqlite::{Error, ErrorCode, ffi};
use rustix::io::Errno;

use super::descriptors;
use crate::auth::storage::{Constraint, StoreError};

pub(in crate::store) trait SqliteResult<T> {
    /// Converts the error.
    fn engine(self) -> Result<T, StoreError>;
}

impl<T> SqliteResult<T> for Result<T, Error> {
    fn engine(self) -> Result<T, StoreError> {
        self.map_err(|error| translate(&error))
    }
}

/// The cause that the operating system gave, for result codes with several causes. SQLite does not report it,
/// but the last failed call of this thread made the statement fail.
///
/// It is used only for calls whose failure leaves the change undone. A failed `fsync` may have written
/// everything.
fn cause_of(code: i32, errno: Option<Errno>) -> Option<StoreError> {
    let is_lock = matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_PROTOCOL)
        || matches!(code, ffi::SQLITE_IOERR_LOCK | ffi::SQLITE_IOERR_RDLOCK | ffi::SQLITE_IOERR_SHMLOCK);
    let is_write = code & 0xff == ffi::SQLITE_FULL
        || matches!(
            code,
            ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_TRUNCATE
                | ffi::SQLITE_IOERR_SHMOPEN
                | ffi::SQLITE_IOERR_SHMSIZE
        );
    match errno? {
        Errno::NOLCK if is_lock => Some(StoreError::NoLocks),
        Errno::FBIG if is_write => Some(StoreError::TooLarge),
        Errno::DQUOT if is_write => Some(StoreError::Quota),
        Errno::NOSPC if is_write => Some(StoreError::Full),
        _ => None,
    }
}

/// Each kind of failure has its own error, so that a locked database never looks like a wrong password.
pub(in crate::store) fn translate(error: &Error) -> StoreError {
    let (failure, message) = match error {
        Error::SqliteFailure(failure, message) => (failure, message),
        // The statements are right, so a table is missing or was changed. The message leaves the statement
        // out.
        Error::SqlInputError { error, msg, .. } if error.code == ErrorCode::Unknown => {
            return of_schema(msg.clone());
        }
        Error::SqlInputError { error, msg, .. } => (error, &Some(msg.clone())),
        other => return StoreError::Engine(other.to_string()),
    };
    let text = message.clone().unwrap_or_else(|| failure.to_string());
    if let Some(cause) = cause_of(failure.extended_code, Errno::from_io_error(&io::Error::last_os_error())) {
        return cause;
    }
    match failure.code {
        ErrorCode::DatabaseBusy if failure.extended_code == ffi::SQLITE_BUSY_SNAPSHOT => StoreError::Conflict,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => StoreError::Busy,
        // SQLite does not report why it could not open a file.
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure if descriptors::are_exhausted() => StoreError::TooManyFiles,
        // The database itself was opened before, so this is a file beside it.
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => StoreError::ReadOnly,
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::SystemIoFailure => StoreError::Io(text),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(text),
        ErrorCode::TooBig => StoreError::TooMuch("a value or a row is too large"),
        ErrorCode::OutOfMemory => StoreError::TooMuch("a statement needs too much memory"),
        ErrorCode::ConstraintViolation => of_constraint(failure.extended_code, text),
        // Only the limit of steps interrupts a statement.
        ErrorCode::OperationInterrupted => StoreError::TooMuch("a statement takes too long for a database of its size"),
        // As for `SqlInputError`, if SQLite finds it later.
        ErrorCode::Unknown if text.starts_with("no such ") || is_of_trigger(&text) || is_only_the_apps(&text) => {
            of_schema(text)
        }
        _ => StoreError::Engine(text),
    }
}

/// The message about a foreign key, which names nothing.
const FOREIGN_KEY: &str = "FOREIGN KEY constraint failed";

/// The error about a constraint. Only the message names columns.
fn of_constraint(code: i32, message: String) -> StoreError {
    let named = message.split_once(": ").map(|(_, named)| named.to_owned());
    match (code, named) {
        // `RESTRICT` is a trigger of SQLite's own.
        (ffi::SQLITE_CONSTRAINT_TRIGGER, _) if message != FOREIGN_KEY => StoreError::Trigger(message),
        (ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY, Some(columns)) => {
            StoreError::NotUnique(columns)
        }
        (ffi::SQLITE_CONSTRAINT_NOTNULL, Some(column)) => StoreError::Constraint(Constraint::NotNull(column)),
        (ffi::SQLITE_CONSTRAINT_CHECK, Some(label)) => {
            StoreError::Constraint(Constraint::Check { label, columns: Vec::new() })
        }
        (ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER, _) => {
            StoreError::Constraint(Constraint::ForeignKey { keys: Vec::new() })
        }
        _ => StoreError::Constraint(Constraint::Other(message)),
    }
}

/// The error about a statement that does not fit the schema.
fn of_schema(message: String) -> StoreError {
    match message.strip_prefix("no such table: ") {
        Some(table) if table.starts_with("authctl_") => StoreError::Incomplete(table.to_owned()),
        _ if is_of_trigger(&message) => StoreError::Trigger(message),
        _ if is_only_the_apps(&message) => StoreError::OnlyTheApps(message),
        _ => StoreError::Corrupt(message),
    }
}

/// Whether an error is about something that authctl's own statements do not name: a function, or a table or column that
/// only a trigger, view or foreign key names. SQLite then adds the name of the database to a table.
fn is_of_trigger(message: &str) -> bool {
    let starts = ["no such function", "unsafe use of ", "no such table: main.", "foreign key mismatch"];
    let message = message.to_ascii_lowercase();
    starts.iter().any(|start| message.starts_with(start))
}

/// Whether an error is about a function, collation or module that an index, constraint, column or virtual table of the
/// schema uses, and that the program which made the schema registers.
fn is_only_the_apps(message: &str) -> bool {
    ["unknown function: ", "no such collation sequence: ", "no such module: "]
        .iter()
        .any(|start| message.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_is_taken_from_the_system_only_for_calls_it_can_explain() {
        let told = |code, errno| cause_of(code, errno).map(|error| error.to_string());
        let words = |error: StoreError| Some(error.to_string());
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_TRUNCATE, ffi::SQLITE_FULL] {
            assert_eq!(told(code, Some(Errno::FBIG)), words(StoreError::TooLarge), "{code}");
            assert_eq!(told(code, Some(Errno::DQUOT)), words(StoreError::Quota), "{code}");
            assert_eq!(told(code, Some(Errno::NOSPC)), words(StoreError::Full), "{code}");
            assert_eq!(told(code, Some(Errno::NOLCK)), None, "{code}");
            assert_eq!(told(code, Some(Errno::IO)), None, "{code}");
        }
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_RECOVERY, ffi::SQLITE_PROTOCOL, ffi::SQLITE_IOERR_LOCK] {
            assert_eq!(told(code, Some(Errno::NOLCK)), words(StoreError::NoLocks), "{code}");
            assert_eq!(told(code, Some(Errno::AGAIN)), None, "{code}");
            assert_eq!(told(code, None), None, "{code}");
        }
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_CORRUPT] {
            assert_eq!(told(code, Some(Errno::DQUOT)), None, "{code}: the change may be there");
        }
    }
}
