//! The directory of session files: made private, looked at before each use, locked while a file in
//! it is replaced.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::{SessionFile, SessionFileError};
use crate::paths::{self, quoted};

/// How a directory is opened.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// How often a process that waits for the lock looks again.
const LOCK_POLL: Duration = Duration::from_millis(5);
/// A directory in which everybody may write, and nobody removes what is another's.
const STICKY: u32 = 0o1000;
/// The rights of others to plant files.
const OTHERS_WRITE: u32 = 0o022;

/// How long one command may still wait for the lock of the directory. Clones share it, so that several
/// steps together wait no longer than one may.
#[derive(Debug, Clone)]
pub struct LockWait(Rc<Cell<Duration>>);

impl From<Duration> for LockWait {
    fn from(total: Duration) -> Self {
        Self(Rc::new(Cell::new(total)))
    }
}

impl LockWait {
    /// Waits for a moment, if time is left.
    #[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
    fn pause(&self) -> bool {
        let left = self.0.get();
        if left.is_zero() {
            return false;
        }
        let start = std::time::Instant::now();
        std::thread::sleep(LOCK_POLL.min(left));
        self.0.set(left.saturating_sub(start.elapsed()));
        true
    }
}

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
        self.open_one(&self.root)?;
        self.open_one(&self.directory)
    }

    /// As [`Self::open_directory`]; `None` when there is no directory.
    pub(super) fn open_if_there(&self) -> Result<Option<OwnedFd>, SessionFileError> {
        match self.open_directory() {
            Err(SessionFileError::Unwritable { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn open_one(&self, path: &Path) -> Result<OwnedFd, SessionFileError> {
        let directory =
            rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()).map_err(|error| self.unwritable(error))?;
        let found = rustix::fs::fstat(&directory).map_err(|error| self.unwritable(error))?;
        let elsewhere = "set XDG_CONFIG_HOME to a directory that only you can write";
        let (problem, remedy) = if found.st_uid != rustix::process::geteuid().as_raw() {
            ("it belongs to another user", elsewhere.to_owned())
        } else if found.st_mode & OTHERS_WRITE == 0 {
            return Ok(directory);
        } else if found.st_mode & STICKY != 0 {
            // Shared on purpose.
            ("others may write to it", elsewhere.to_owned())
        } else {
            ("others may write to it", format!("look at what is in it, then: chmod 700 {}", quoted(path)))
        };
        Err(SessionFileError::UnsafeDirectory { path: path.to_owned(), problem: problem.into(), remedy })
    }

    /// Finds what is not safe or not whole about the directories and every file in them, and tells
    /// whether closing the directories helps against any of it.
    pub fn insecure(&self) -> (Vec<SessionFileError>, bool) {
        let mut exposed = Vec::new();
        let mut is_ours = false;
        for path in [&self.root, &self.directory] {
            if let Err(error @ SessionFileError::UnsafeDirectory { .. }) = self.open_one(path) {
                is_ours |= path.metadata().is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw());
                exposed.push(error);
            }
        }
        for entry in std::fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            // Hidden ones are sign-ins on their way.
            if let Some(name) =
                entry.file_name().to_str().filter(|name| name.strip_suffix(".json").is_some() && !name.starts_with('.'))
            {
                let file = Self { name: name.to_owned(), ..self.clone() };
                exposed.extend(file.read().err());
            }
        }
        (exposed, is_ours)
    }

    /// Takes away the rights of others to the directories that are ours.
    ///
    /// # Errors
    /// [`SessionFileError::Unwritable`].
    pub fn close_directories(&self) -> Result<(), SessionFileError> {
        for path in [&self.root, &self.directory] {
            let directory =
                rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()).map_err(|error| self.unwritable(error))?;
            let found = rustix::fs::fstat(&directory).map_err(|error| self.unwritable(error))?;
            if found.st_uid == rustix::process::geteuid().as_raw() && found.st_mode & OTHERS_WRITE != 0 {
                rustix::fs::fchmod(&directory, Mode::RWXU).map_err(|error| self.unwritable(error))?;
            }
        }
        Ok(())
    }

    /// Holds off other processes between looking at the file and changing it.
    ///
    /// # Errors
    /// [`Errno::WOULDBLOCK`] when another process holds the lock and nothing of `--wait` is left.
    pub(super) fn lock(&self, directory: &OwnedFd) -> Result<OwnedFd, Errno> {
        // A lock belongs to an open file description, so it needs one of its own.
        let own =
            rustix::fs::openat(directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        loop {
            match rustix::fs::flock(&own, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK | Errno::INTR) if self.wait.pause() => {}
                locked => return locked.map(|()| own),
            }
        }
    }
}
