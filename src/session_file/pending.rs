//! A sign-in between its two halves, and files whose session nobody holds any more: left by a process
//! that died there, or replaced by a later sign-in.
//!
//! The session of an operator who acts as somebody else: kept aside under a second name and given back.
//!
//! The stored session gets the second name before the new one gets the first, so a process that dies
//! between the two leaves a session that is kept and nothing that stands in for it: the next look takes
//! it back. Neither is ever overwritten by the other.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{Content, FILE_BYTES_MAX, SessionFile, SessionFileError, Stored, none_if_damaged, parse};
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
    /// Creates the empty file and locks it. The caller holds the lock of the directory, so no process sees the
    /// file without its lock and takes it for an abandoned one.
    pub(super) fn begin(place: &SessionFile, directory: OwnedFd, unique: &str) -> io::Result<Self> {
        let temporary = format!("{}{unique}.tmp", place.temporary_prefix());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&directory, &temporary, flags, Mode::RUSR | Mode::WUSR)?);
        file.try_lock()?;
        Ok(Self { place: place.clone(), directory, temporary, file, ends: End::Removed, replaces: Replaces::All })
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
        let lock = self.place.lock(&self.directory)?;
        match &self.replaces {
            Replaces::StandsIn(Some(own)) => self.place.set_aside(&self.directory, own, &self.temporary)?,
            Replaces::StandsIn(None) => {}
            // First: a process that dies between the two must not leave a session that is kept aside beside
            // one that does not stand in for it.
            Replaces::All => self.place.abandon_aside(&self.directory, &self.temporary).map_err(failed)?,
        }
        self.rename().map_err(failed)?;
        rustix::fs::fsync(&self.directory).map_err(failed)?;
        // Unlocked before others may look, so that whoever replaces this file finds it claimable.
        self.file.unlock().map_err(|error| self.place.unwritable(error))?;
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
        file.try_lock().ok()?;
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

impl SessionFile {
    /// The file that keeps a session aside. It is looked at like any other.
    pub(super) fn aside(&self) -> Self {
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
        let lock = self.lock(&directory)?;
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
}
