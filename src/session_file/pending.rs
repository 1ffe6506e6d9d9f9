//! Sign-ins that are not finished, abandoned sign-ins, and the session that an operator keeps aside while
//! acting as another user.
//!
//! The session kept aside has a second name. The stored session gets it before the new session gets the first
//! name. If the process dies in between, only the second name exists, and the next read restores it. Neither
//! file overwrites the other.

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
/// Without [`Pending::keep`] or [`Pending::leave`], drop removes the file: its session never began.
#[derive(Debug)]
pub struct Pending {
    place: SessionFile,
    directory: OwnedFd,
    temporary: String,
    /// Locked until the process ends or [`Pending::keep`] succeeds.
    file: File,
    ends: End,
    replaces: Replaces,
}

/// What happens to stored sessions when a new one gets its name.
#[derive(Debug)]
enum Replaces {
    /// The new session replaces the stored one and the one kept aside.
    All,
    /// The stored session with this token is kept aside.
    StandsIn(Option<Token>),
}

/// What drop does with the file.
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
        // A strict umask may have removed rights of the owner.
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

    /// Keeps the stored session with this token aside instead of replacing it.
    #[must_use]
    pub fn stand_in_for(mut self, own: Option<Token>) -> Self {
        self.replaces = Replaces::StandsIn(own);
        self
    }

    /// Gives the file its name. A file that had the name gets the temporary one and is abandoned, so that its session
    /// ends.
    ///
    /// # Errors [`SessionFileError::Unwritable`]; then this file is abandoned.
    pub fn keep(mut self) -> Result<(), SessionFileError> {
        self.ends = End::Left;
        let failed = |error: Errno| self.place.unwritable(error);
        let lock = self.place.lock(&self.directory)?;
        match &self.replaces {
            Replaces::StandsIn(Some(own)) => self.place.set_aside(&self.directory, own, &self.temporary)?,
            Replaces::StandsIn(None) => {}
            // First, because a session kept aside belongs to the session that stands in for it, and not to this one.
            Replaces::All => self.place.abandon_aside(&self.directory, &self.temporary).map_err(failed)?,
        }
        self.rename().map_err(failed)?;
        rustix::fs::fsync(&self.directory).map_err(failed)?;
        // Unlocked before the directory, so that a process that replaces this file can claim it.
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
                // Not every file system can exchange names. The rename below then overwrites the old token.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                done => return done,
            }
        }
        // Replaces a planted link or pipe without writing through it.
        rustix::fs::renameat(directory, from, directory, to)
    }

    /// Leaves the file as an abandoned one, because its session may have begun.
    pub fn leave(mut self) {
        self.ends = End::Left;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.ends == End::Removed {
            // If this fails, the next sign-in removes the file as an abandoned one.
            let _ = rustix::fs::unlinkat(&self.directory, &self.temporary, AtFlags::empty());
        }
    }
}

/// An abandoned token, of a process that died during a sign-in or of a session that a later sign-in replaced.
#[derive(Debug)]
pub struct Abandoned {
    path: PathBuf,
    /// The token. If it was not written completely, its session never began.
    pub token: Option<Token>,
    /// Holds the lock, so that two processes do not both clean up.
    _file: File,
}

impl Abandoned {
    pub(super) fn claim(path: PathBuf) -> Option<Self> {
        let file = input_file::open_no_follow(&path).ok()?;
        // The process of a pending sign-in holds the lock.
        file.try_lock().ok()?;
        // The file may have been renamed or removed before the lock was taken.
        let named = path.symlink_metadata().ok()?;
        let held = file.metadata().ok()?;
        if named.ino() != held.ino() || !held.is_file() {
            return None;
        }
        // authctl does not write files that are too large.
        let text = input_file::read(&file, FILE_BYTES_MAX).unwrap_or_default();
        Some(Self { token: parse(&text).map(|stored| stored.token), path, _file: file })
    }

    /// Removes the file, after its session has ended.
    pub fn discard(self) {
        // If this fails, the next sign-in does it.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl SessionFile {
    /// The file of the session kept aside, with the same checks.
    pub(super) fn aside(&self) -> Self {
        let key = self.name.strip_suffix(".json").unwrap_or(&self.name);
        Self { name: format!("{key}.own.json"), ..self.clone() }
    }

    pub fn keeps_aside(&self) -> bool {
        self.aside().path().symlink_metadata().is_ok()
    }

    /// Reads the session kept aside.
    ///
    /// # Errors
    /// As for [`SessionFile::read`].
    pub fn read_aside(&self) -> Result<Option<Stored>, SessionFileError> {
        self.aside().read_named()
    }

    /// Restores the session kept aside, if no other is stored.
    pub(super) fn take_back(&self) -> Result<Option<Stored>, SessionFileError> {
        if !self.keeps_aside() {
            return Ok(None);
        }
        let directory = self.open_directory()?;
        let lock = self.lock(&directory)?;
        // Does not replace a file that another process stored meanwhile.
        if self.path().symlink_metadata().is_err() {
            match rustix::fs::renameat(&directory, &self.aside().name, &directory, &self.name) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(self.unwritable(error)),
            }
        }
        drop(lock);
        self.read_named()
    }

    /// Keeps the stored session with this token aside, and abandons one that was kept before. The caller holds the
    /// lock of the directory.
    pub(super) fn set_aside(&self, directory: &OwnedFd, own: &Token, temporary: &str) -> Result<(), SessionFileError> {
        let is_stored = none_if_damaged(self.read_named())?.is_some_and(|stored| stored.token == *own);
        if !is_stored {
            return Ok(());
        }
        self.abandon_aside(directory, temporary)
            .and_then(|()| rustix::fs::renameat(directory, &self.name, directory, &self.aside().name))
            .map_err(|error| self.unwritable(error))
    }

    /// Abandons the session kept aside, so that the next command ends it. The caller holds the lock of the directory.
    pub(super) fn abandon_aside(&self, directory: &OwnedFd, temporary: &str) -> Result<(), Errno> {
        match rustix::fs::renameat(directory, &self.aside().name, directory, format!("{temporary}.own")) {
            Err(Errno::NOENT) => Ok(()),
            done => done,
        }
    }
}
