//! A sign-in between its two halves, and what is left of one whose process died there.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{Content, FILE_BYTES_MAX, SessionFile, SessionFileError, parse};
use crate::auth::secret::Token;

/// A token that is on disk, but not yet under the name that commands read.
///
/// Dropped without [`Pending::keep`], it is gone.
#[derive(Debug)]
pub struct Pending {
    place: SessionFile,
    directory: OwnedFd,
    temporary: String,
    /// Open and locked for as long as the process lives.
    file: File,
    kept: bool,
}

impl Pending {
    /// Makes the empty file and locks it, before anybody who looks for abandoned ones can see it.
    pub(super) fn begin(place: &SessionFile, directory: OwnedFd, unique: &str) -> Result<Self, Errno> {
        let _lock = SessionFile::lock(&directory)?;
        let temporary = format!("{}{unique}.tmp", place.temporary_prefix());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&directory, &temporary, flags, Mode::RUSR | Mode::WUSR)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { place: place.clone(), directory, temporary, file: File::from(file), kept: false })
    }

    pub(super) fn fill(&mut self, token: &Token, email: &str) -> io::Result<()> {
        // A strange umask may have taken rights away.
        rustix::fs::fchmod(&self.file, Mode::RUSR | Mode::WUSR)?;
        let content = Content {
            database: self.place.database.to_string_lossy(),
            email: email.into(),
            token: token.expose().into(),
        };
        let mut text = Zeroizing::new(serde_json::to_vec(&content)?);
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_all()
    }

    /// Gives the file its name and returns the token that it replaced, if any.
    ///
    /// # Errors
    /// [`SessionFileError::Unwritable`]; then nothing was replaced.
    pub fn keep(mut self) -> Result<Option<Token>, SessionFileError> {
        let failed = |error: Errno| self.place.unwritable(error);
        let _lock = SessionFile::lock(&self.directory).map_err(failed)?;
        let replaced = self.place.read().ok().flatten().map(|stored| stored.token);
        rustix::fs::renameat(&self.directory, &self.temporary, &self.directory, &self.place.name).map_err(failed)?;
        let synced = rustix::fs::fsync(&self.directory).map_err(failed);
        self.kept = true;
        synced.map(|()| replaced)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.kept {
            // Should this fail, the next sign-in finds an abandoned file and removes it.
            let _ = rustix::fs::unlinkat(&self.directory, &self.temporary, AtFlags::empty());
        }
    }
}

/// A token that a dead process left between two steps.
#[derive(Debug)]
pub struct Abandoned {
    path: PathBuf,
    /// The token, if it was written whole. If not, its session cannot have begun.
    pub token: Option<Token>,
    /// Holds the lock, so that two processes do not both clean up.
    _file: File,
}

impl Abandoned {
    pub(super) fn claim(path: PathBuf) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, &path, flags, Mode::empty()).ok()?;
        // A living process still holds its lock.
        rustix::fs::flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive).ok()?;
        let file = File::from(file);
        // It may have got its name, or been removed, before we had the lock.
        let named = path.symlink_metadata().ok()?;
        let held = file.metadata().ok()?;
        if named.ino() != held.ino() || !held.is_file() || held.len() > FILE_BYTES_MAX as u64 {
            return None;
        }
        let mut text = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX));
        (&file).take(FILE_BYTES_MAX as u64).read_to_end(&mut text).ok()?;
        Some(Self { token: parse(&text).map(|stored| stored.token), path, _file: file })
    }

    /// Forgets the token, once its session has been ended.
    pub fn discard(self) {
        // Should this fail, the next sign-in does it.
        let _ = std::fs::remove_file(&self.path);
    }
}
