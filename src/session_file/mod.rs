//! The session file: how a user stays signed in from one command to the next.
//!
//! One file per database, 0600 in a directory of 0700, replaced whole or not at all. A sign-in is
//! in two places, the database and this file, and a process may die between any two instructions.
//! So the file is written first, under another name and locked ([`Pending`]); then the session is
//! committed; then the file gets its name. A locked name whose process is dead is an abandoned
//! sign-in: whoever comes next ends its session, if it ever began.

mod aside;
mod directory;
mod pending;

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::auth::secret::Token;
use crate::input_file;

pub use aside::Removed;
pub use pending::{Abandoned, Pending};

/// More than any file that authctl writes, little enough to read without thought.
const FILE_BYTES_MAX: usize = 4096;

/// Why the session file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    /// Others could read or have planted it.
    #[error("the session file {} is not safe to use: {problem}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// Others could plant files beside it, so nothing is written there.
    #[error("the session directory {} is not safe to use: {problem}", path.display())]
    UnsafeDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What mends it.
        remedy: String,
    },
    /// The content is not what authctl writes.
    #[error("the session file {} is damaged", .0.display())]
    Damaged(PathBuf),
    /// The operating system could not read it.
    #[error("the session file {} could not be read", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process holds the lock of the directory.
    #[error("the session directory {} is locked by another process", .0.display())]
    Busy(PathBuf),
    /// The operating system could not write it.
    #[error("the session file {} could not be written", path.display())]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// What a session file says.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The token.
    pub token: Token,
    /// Who signed in, to tell the user without a database.
    pub email: String,
}

/// The file as written. The path is there for people who look; the file's name decides.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    database: std::borrow::Cow<'a, str>,
    email: std::borrow::Cow<'a, str>,
    token: std::borrow::Cow<'a, str>,
}

/// The place of the session for one database.
#[derive(Debug, Clone)]
pub struct SessionFile {
    /// `.../authctl`.
    root: PathBuf,
    /// `.../authctl/sessions`.
    directory: PathBuf,
    name: String,
    database: PathBuf,
    /// How long to wait for other processes.
    wait: Duration,
}

impl SessionFile {
    /// Names the file for a database under authctl's configuration directory. Touches nothing.
    pub fn new(config_directory: &Path, key: &str, database: &Path, wait: Duration) -> Self {
        Self {
            root: config_directory.to_owned(),
            directory: config_directory.join("sessions"),
            name: format!("{key}.json"),
            database: database.to_owned(),
            wait,
        }
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// Reads the stored session; `None` when there is no file. A session that is kept aside and that
    /// nothing stands in for is stored again by it.
    ///
    /// # Errors
    /// [`SessionFileError::Unsafe`] when others may read the file or it is not a plain one,
    /// [`SessionFileError::Damaged`] when its content makes no sense.
    pub fn read(&self) -> Result<Option<Stored>, SessionFileError> {
        match self.read_named()? {
            None => self.take_back(),
            stored => Ok(stored),
        }
    }

    fn read_named(&self) -> Result<Option<Stored>, SessionFileError> {
        match input_file::open_no_follow(&self.path()) {
            Ok(file) => self.read_open(&file).map(Some),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::LOOP) => Err(self.unsafe_file("it is a symbolic link")),
            Err(error) => Err(self.unreadable(error.into())),
        }
    }

    /// Reads a token for no other use than to end its session: also from a file that others may
    /// have read, because then ending it matters most.
    pub fn read_to_end_session(&self) -> Option<Token> {
        let file = input_file::open_no_follow(&self.path()).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let text = input_file::read(&file, FILE_BYTES_MAX).ok()?;
        parse(&text).map(|stored| stored.token)
    }

    fn read_open(&self, file: &File) -> Result<Stored, SessionFileError> {
        let found = file.metadata().map_err(|error| self.unreadable(error))?;
        if !found.is_file() {
            return Err(self.unsafe_file("it is not a file"));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(self.unsafe_file("it belongs to another user"));
        }
        if found.mode() & 0o077 != 0 {
            return Err(self.unsafe_file("others may use it, so its token may be known"));
        }
        if found.nlink() != 1 {
            return Err(self.unsafe_file("it has another name (a hard link)"));
        }
        let text = match input_file::read(file, FILE_BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(SessionFileError::Damaged(self.path()));
            }
            read => read.map_err(|error| self.unreadable(error))?,
        };
        parse(&text).ok_or_else(|| SessionFileError::Damaged(self.path()))
    }

    fn unsafe_file(&self, problem: &'static str) -> SessionFileError {
        SessionFileError::Unsafe { path: self.path(), problem }
    }

    fn unreadable(&self, source: io::Error) -> SessionFileError {
        SessionFileError::Unreadable { path: self.path(), source }
    }

    fn unwritable(&self, source: impl Into<io::Error>) -> SessionFileError {
        let source = source.into();
        if source.kind() == io::ErrorKind::WouldBlock {
            return SessionFileError::Busy(self.directory.clone());
        }
        SessionFileError::Unwritable { path: self.path(), source }
    }

    /// Writes a token where it will be kept, durable but not yet under its name.
    ///
    /// # Errors
    /// [`SessionFileError`]; nothing is left behind.
    pub fn prepare(&self, token: &Token, email: &str, unique: &str) -> Result<Pending, SessionFileError> {
        self.make_directories()?;
        let directory = self.open_directory()?;
        let mut pending = Pending::begin(self, directory, unique).map_err(|error| self.unwritable(error))?;
        pending.fill(token, email).map_err(|error| self.unwritable(error))?;
        Ok(pending)
    }

    /// Finds sign-ins whose process died before it could finish.
    ///
    /// # Errors
    /// [`SessionFileError::Busy`] when another process holds the directory: what is in it is not known then.
    pub fn abandoned(&self) -> Result<Vec<Abandoned>, SessionFileError> {
        let Ok(directory) = self.open_directory() else {
            return Ok(Vec::new());
        };
        // Held, so that no file is seen between being made and being locked by its maker.
        let _lock = self.lock(&directory).map_err(|error| self.unwritable(error))?;
        let Ok(entries) = std::fs::read_dir(&self.directory) else {
            return Ok(Vec::new());
        };
        let prefix = self.temporary_prefix();
        Ok(entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)))
            .filter_map(|entry| Abandoned::claim(entry.path()))
            .collect())
    }

    fn temporary_prefix(&self) -> String {
        format!(".{}.", self.name)
    }
}

fn parse(text: &[u8]) -> Option<Stored> {
    let content: Content<'_> = serde_json::from_slice(text).ok()?;
    let token = Token::from_bytes(content.token.as_bytes()).ok()?;
    let _wiped = Zeroizing::new(content.token.into_owned());
    Some(Stored { token, email: content.email.into_owned() })
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FlockOperation, Mode, OFlags};

    use super::*;

    #[test]
    fn abandoned_sign_ins_in_a_locked_directory_are_not_none() {
        let home = tempfile::tempdir().unwrap();
        let place = SessionFile::new(home.path(), "key", Path::new("/a.db"), Duration::ZERO);
        assert!(matches!(place.abandoned(), Ok(found) if found.is_empty()), "no directory");
        let token = Token::from_bytes(b"0123456789abcdef0123456789abcdef").unwrap();
        drop(place.prepare(&token, "ada@example.com", "0123456789abcdef").unwrap());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let other = rustix::fs::openat(CWD, home.path().join("sessions"), flags, Mode::empty()).unwrap();
        rustix::fs::flock(&other, FlockOperation::LockExclusive).unwrap();
        assert!(matches!(place.abandoned(), Err(SessionFileError::Busy(_))));
        drop(other);
        assert!(matches!(place.abandoned(), Ok(found) if found.is_empty()));
    }
}
