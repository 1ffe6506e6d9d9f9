//! The session of an operator who acts as somebody else: kept aside under a second name and given back.
//!
//! The stored session gets the second name before the new one gets the first, so a process that dies
//! between the two leaves a session that is kept and nothing that stands in for it: the next look takes
//! it back. Neither is ever overwritten by the other.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::{SessionFile, SessionFileError, Stored, none_if_damaged};
use crate::auth::secret::Token;

/// What became of a stored session that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// There was none, or another one.
    Nothing,
    /// It is gone.
    Gone,
    /// It is gone, and the one that was kept aside is stored again.
    GaveBack,
}

impl SessionFile {
    /// The file that keeps a session aside. It is looked at like any other.
    fn aside(&self) -> Self {
        let key = self.name.strip_suffix(".json").unwrap_or(&self.name);
        Self { name: format!("{key}.own.json"), ..self.clone() }
    }

    /// Whether a session is kept aside.
    pub fn keeps_aside(&self) -> bool {
        self.aside().path().symlink_metadata().is_ok()
    }

    /// Reads the session that is kept aside.
    ///
    /// # Errors
    /// As for [`SessionFile::read`].
    pub fn read_aside(&self) -> Result<Option<Stored>, SessionFileError> {
        self.aside().read_named()
    }

    /// Stores the session again that is kept aside, when no other is stored.
    pub(super) fn take_back(&self) -> Result<Option<Stored>, SessionFileError> {
        if !self.keeps_aside() {
            return Ok(None);
        }
        let directory = self.open_directory()?;
        let lock = self.lock(&directory).map_err(|error| self.unwritable(error))?;
        // Not over a file that another process has stored meanwhile.
        if self.path().symlink_metadata().is_err() {
            match rustix::fs::renameat(&directory, &self.aside().name, &directory, &self.name) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(self.unwritable(error)),
            }
        }
        drop(lock);
        self.read_named()
    }

    /// Keeps the stored session aside, if it is the one with this token. One that was kept before, and
    /// that nothing stood in for, becomes an abandoned one. Under the lock of the directory.
    pub(super) fn set_aside(&self, directory: &OwnedFd, own: &Token, temporary: &str) -> Result<(), SessionFileError> {
        let is_stored = none_if_damaged(self.read_named())?.is_some_and(|stored| stored.token == *own);
        if !is_stored {
            return Ok(());
        }
        self.abandon_aside(directory, temporary)
            .and_then(|()| rustix::fs::renameat(directory, &self.name, directory, &self.aside().name))
            .map_err(|error| self.unwritable(error))
    }

    /// Makes an abandoned one of the session that is kept aside, so that somebody ends it. Under the
    /// lock of the directory.
    pub(super) fn abandon_aside(&self, directory: &OwnedFd, temporary: &str) -> Result<(), Errno> {
        match rustix::fs::renameat(directory, &self.aside().name, directory, format!("{temporary}.own")) {
            Err(Errno::NOENT) => Ok(()),
            done => done,
        }
    }

    /// Removes the stored session. One that is kept aside takes its place. With a token, only a file
    /// that holds it: another process may have signed in meanwhile.
    ///
    /// # Errors
    /// [`SessionFileError`].
    pub fn remove(&self, holding: Option<&Token>) -> Result<Removed, SessionFileError> {
        let Some(directory) = self.open_if_there()? else {
            return Ok(Removed::Nothing);
        };
        let _lock = self.lock(&directory).map_err(|error| self.unwritable(error))?;
        if let Some(token) = holding
            && none_if_damaged(self.read_named())?.is_none_or(|stored| stored.token != *token)
        {
            return Ok(Removed::Nothing);
        }
        let removed = match rustix::fs::renameat(&directory, &self.aside().name, &directory, &self.name) {
            Ok(()) => Ok(Removed::GaveBack),
            Err(Errno::NOENT) => rustix::fs::unlinkat(&directory, &self.name, AtFlags::empty()).map(|()| Removed::Gone),
            Err(error) => Err(error),
        };
        match removed {
            Ok(removed) => {
                rustix::fs::fsync(&directory).map_err(|error| self.unwritable(error))?;
                Ok(removed)
            }
            Err(Errno::NOENT) => Ok(Removed::Nothing),
            Err(error) => Err(self.unwritable(error)),
        }
    }
}
