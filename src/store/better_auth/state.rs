//! Where authctl keeps its own tables about an app's database: a native database whose tables of users stay empty.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::auth::storage::{NoState, StoreError};
use crate::store::OpenError;
use crate::store::sql::State;
use crate::store::sqlite::unwritable_state::UnwritableState;
use crate::store::sqlite::{self, open_own};

impl State {
    /// Opens the file at a path, and creates it if it is missing. A file that does not exist and cannot be made holds
    /// nothing, so an app's database can be read without it.
    ///
    /// # Errors
    /// [`OpenError`] about that file.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        match sqlite::create(path, wait) {
            Ok(()) | Err(OpenError::Exists(_)) => {}
            Err(OpenError::CannotCreate { source, .. }) if is_unwritable(&source) => {
                return Self::without_file(NoState::unwritable(path, source), wait);
            }
            Err(OpenError::Store { source, .. })
                if matches!(source, StoreError::ReadOnly | StoreError::Full | StoreError::Quota) =>
            {
                return Self::without_file(NoState::unwritable(path, source), wait);
            }
            Err(error) => return Err(error),
        }
        match open_own(path, wait) {
            Ok(own) => Ok(Self { engine: Box::new(own), path: path.into() }),
            Err(error @ OpenError::Store { source: StoreError::ReadOnly, .. }) => {
                let copy = UnwritableState::copy(path, wait)?.ok_or(error)?;
                Ok(Self { engine: Box::new(copy), path: path.into() })
            }
            Err(error) => Err(error),
        }
    }

    /// Empty tables without a file. They can only be read.
    ///
    /// # Errors
    /// [`OpenError::Store`].
    pub fn without_file(why: NoState, wait: Duration) -> Result<Self, OpenError> {
        let path = PathBuf::from(why.path.clone().unwrap_or_default());
        match UnwritableState::empty(why, wait) {
            Ok(empty) => Ok(Self { engine: Box::new(empty), path }),
            Err(source) => Err(OpenError::Store { path, source }),
        }
    }
}

/// Whether the place of a new file is read-only, full or of another user.
fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kinds = [NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
    kinds.contains(&error.kind())
}
