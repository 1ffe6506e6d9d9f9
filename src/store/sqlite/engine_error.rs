//! From what SQLite says to what the rules understand.

use rusqlite::{Error, ErrorCode};

use super::descriptors;
use crate::auth::store::StoreError;

/// Turns the engine's results into the store's.
pub(super) trait Engine<T> {
    /// Translates the error, if it is one.
    fn engine(self) -> Result<T, StoreError>;
}

impl<T> Engine<T> for Result<T, Error> {
    fn engine(self) -> Result<T, StoreError> {
        self.map_err(|error| translate(&error))
    }
}

/// Everything stays what it is, so that a locked database never looks like a wrong password.
pub(super) fn translate(error: &Error) -> StoreError {
    let (failure, message) = match error {
        Error::SqliteFailure(failure, message) => (failure, message),
        // The statements are ours and right, so it is the tables that are not: missing or changed.
        // The statement itself is not told.
        Error::SqlInputError { error, msg, .. } if error.code == ErrorCode::Unknown => {
            return StoreError::Corrupt(msg.clone());
        }
        Error::SqlInputError { error, msg, .. } => (error, &Some(msg.clone())),
        other => return StoreError::Engine(other.to_string()),
    };
    let text = message.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => StoreError::Busy,
        // SQLite does not say why it could not open a file.
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure if descriptors::are_exhausted() => StoreError::TooManyFiles,
        // The main file was opened and read before; what cannot be opened is a file beside it.
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => StoreError::ReadOnly,
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::SystemIoFailure => StoreError::Io(text),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(text),
        ErrorCode::TooBig => StoreError::TooMuch("a value or a row is too large"),
        ErrorCode::OutOfMemory => StoreError::TooMuch("a statement needs too much memory"),
        // Only the number of steps interrupts a statement.
        ErrorCode::OperationInterrupted => StoreError::TooMuch("a statement takes too long for a database of its size"),
        // As above, where SQLite finds out later.
        ErrorCode::Unknown if text.starts_with("no such ") => StoreError::Corrupt(text),
        _ => StoreError::Engine(text),
    }
}
