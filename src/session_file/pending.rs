//! A sign-in between its two halves, and files whose session nobody holds any more: left by a process
//! that died there, or replaced by a later sign-in.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{Content, FILE_BYTES_MAX, SessionFile, SessionFileError, parse};
use crate::auth::secret::Token;
use crate::input_file;

/// A token that is on disk, but not yet under the name that commands read.
///
/// Dropped without [`Pending::keep`] or [`Pending::leave`], it is gone: its session never began.
#[derive(Debug)]
pub struct Pending {
    place: SessionFile,
    directory: OwnedFd,
    temporary: String,
    /// Open and locked for as long as the process lives.
    file: File,
    ends: End,
    replaces: Replaces,
}

/// What a session that gets its name does to those that are stored.
#[derive(Debug)]
enum Replaces {
    /// It takes the place of the stored one and of the one that is kept aside.
    All,
    /// It stands in for the one with this token, which is kept aside.
    StandsIn(Option<Token>),
}

/// What happens to a file whose sign-in is over.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Removed,
    Left,
}

impl Pending {
    /// Makes the empty file and locks it, before anybody who looks for abandoned ones can see it.
    pub(super) fn begin(place: &SessionFile, directory: OwnedFd, unique: &str) -> Result<Self, Errno> {
        let _lock = place.lock(&directory)?;
        let temporary = format!("{}{unique}.tmp", place.temporary_prefix());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&directory, &temporary, flags, Mode::RUSR | Mode::WUSR)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self {
            place: place.clone(),
            directory,
            temporary,
            file: File::from(file),
            ends: End::Removed,
            replaces: Replaces::All,
        })
    }

    pub(super) fn fill(&mut self, token: &Token, email: &str) -> io::Result<()> {
        // A strange umask may have taken rights away.
        rustix::fs::fchmod(&self.file, Mode::RUSR | Mode::WUSR)?;
        let content = Content {
            database: self.place.database.as_str().into(),
            email: email.into(),
            token: token.expose().into(),
        };
        let mut text = Zeroizing::new(serde_json::to_vec(&content)?);
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_all()
    }

    /// Has the stored session with this token kept aside instead of replaced.
    #[must_use]
    pub fn stand_in_for(mut self, own: Option<Token>) -> Self {
        self.replaces = Replaces::StandsIn(own);
        self
    }

    /// Gives the file its name. A file that had the name gets this one's, and so becomes an
    /// abandoned one, whose session somebody has yet to end.
    ///
    /// # Errors
    /// [`SessionFileError::Unwritable`]; then this file is the abandoned one.
    pub fn keep(mut self) -> Result<(), SessionFileError> {
        self.ends = End::Left;
        let failed = |error: Errno| self.place.unwritable(error);
        let lock = self.place.lock(&self.directory).map_err(failed)?;
        if let Replaces::StandsIn(Some(own)) = &self.replaces {
            self.place.set_aside(&self.directory, own, &self.temporary)?;
        }
        if matches!(self.replaces, Replaces::All) {
            // First: a process that dies between the two must not leave a session that is kept aside beside
            // one that does not stand in for it.
            self.place.abandon_aside(&self.directory, &self.temporary).map_err(failed)?;
        }
        self.rename().map_err(failed)?;
        rustix::fs::fsync(&self.directory).map_err(failed)?;
        // Unlocked before others may look, so that whoever replaces this file finds it claimable.
        rustix::fs::flock(&self.file, FlockOperation::Unlock).map_err(failed)?;
        drop(lock);
        Ok(())
    }

    fn rename(&self) -> Result<(), Errno> {
        let (directory, from, to) = (&self.directory, &self.temporary, &self.place.name);
        let stands_there = rustix::fs::statat(directory, to, AtFlags::SYMLINK_NOFOLLOW);
        let holds_a_token =
            stands_there.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile);
        if holds_a_token {
            match rustix::fs::renameat_with(directory, from, directory, to, RenameFlags::EXCHANGE) {
                // Not every file system can exchange; then the old token is overwritten.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                done => return done,
            }
        }
        // Replaces a link or pipe that somebody planted; nothing is written through it.
        rustix::fs::renameat(directory, from, directory, to)
    }

    /// Leaves the file as an abandoned one: whether its session began cannot be known now.
    pub fn leave(mut self) {
        self.ends = End::Left;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.ends == End::Removed {
            // Should this fail, the next sign-in finds an abandoned file and removes it.
            let _ = rustix::fs::unlinkat(&self.directory, &self.temporary, AtFlags::empty());
        }
    }
}

/// A token that nobody holds: a dead process left it between two steps, or a later sign-in replaced it.
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
        let file = input_file::open_no_follow(&path).ok()?;
        // A living process still holds its lock.
        rustix::fs::flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive).ok()?;
        // It may have got its name, or been removed, before we had the lock.
        let named = path.symlink_metadata().ok()?;
        let held = file.metadata().ok()?;
        if named.ino() != held.ino() || !held.is_file() {
            return None;
        }
        // One that is too large is not one that authctl wrote whole.
        let text = input_file::read(&file, FILE_BYTES_MAX).unwrap_or_default();
        Some(Self { token: parse(&text).map(|stored| stored.token), path, _file: file })
    }

    /// Forgets the token, once its session has been ended.
    pub fn discard(self) {
        // Should this fail, the next sign-in does it.
        let _ = std::fs::remove_file(&self.path);
    }
}
