//! The directory of session files: made private, looked at before each use, locked while a file in
//! it is replaced.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::{SessionFile, SessionFileError};
use crate::paths;

impl SessionFile {
    pub(super) fn make_directories(&self) -> Result<(), SessionFileError> {
        if self.directory.symlink_metadata().is_ok() {
            return Ok(());
        }
        // Under sudo, HOME may still be somebody else's: what root made there they could not use.
        let existing = self.directory.ancestors().find_map(|path| path.metadata().ok());
        let me = rustix::process::geteuid().as_raw();
        if me == 0 && existing.is_some_and(|found| found.uid() != 0) {
            return Err(SessionFileError::UnsafeDirectory {
                path: self.directory.clone(),
                problem: "it would be made by root in another user's directory".into(),
                remedy: "run as that user, or set HOME or XDG_CONFIG_HOME to root's own".into(),
            });
        }
        paths::make_private(&self.directory).map_err(|error| self.unwritable(error))
    }

    /// Opens the directory after looking at who else may write there.
    pub(super) fn open_directory(&self) -> Result<OwnedFd, SessionFileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let me = rustix::process::geteuid().as_raw();
        let mut opened = None;
        for path in [&self.root, &self.directory] {
            let directory =
                rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|error| self.unwritable(error))?;
            let found = rustix::fs::fstat(&directory).map_err(|error| self.unwritable(error))?;
            let problem = if found.st_uid != me {
                "it belongs to another user"
            } else if found.st_mode & 0o022 != 0 {
                "others may write to it"
            } else {
                opened = Some(directory);
                continue;
            };
            let remedy =
                format!("look at what is in it, then: chown \"$(id -u)\" '{0}' && chmod 700 '{0}'", path.display());
            return Err(SessionFileError::UnsafeDirectory { path: path.clone(), problem: problem.into(), remedy });
        }
        opened.ok_or_else(|| self.unwritable(Errno::NOENT))
    }

    /// Holds off other processes between looking at the file and changing it.
    pub(super) fn lock(directory: &OwnedFd) -> Result<OwnedFd, Errno> {
        // A lock belongs to an open file description, so it needs one of its own.
        let own =
            rustix::fs::openat(directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::flock(&own, FlockOperation::LockExclusive)?;
        Ok(own)
    }
}
