//! The session file: how a user stays signed in from one command to the next.
//!
//! Each database has one file, mode 0600 in a directory of mode 0700, which is replaced atomically. A sign-in
//! changes the database and this file, and the process may die in between. So the file is first written under a
//! temporary name and locked ([`Pending`]), then the session is committed, then the file gets its name. A
//! temporary file without a lock is an abandoned sign-in: the next command ends its session.

mod pending;

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::auth::secret::Token;
use crate::input_file;
use crate::paths::{self, quoted};

pub use pending::{Abandoned, Pending};

/// Larger than any file that authctl writes.
const FILE_BYTES_MAX: usize = 4096;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// The pause between two attempts to take the lock.
const LOCK_POLL: Duration = Duration::from_millis(5);
/// The sticky bit: users share the directory, but remove only their own files.
const STICKY: u32 = 0o1000;
/// The permissions with which other users could plant files.
const OTHERS_WRITE: u32 = 0o022;

#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    /// Other users could read the file or have planted it.
    #[error("the session file {} is not safe to use: {problem}", path.display())]
    Unsafe { path: PathBuf, problem: &'static str },
    /// Other users could plant files in the directory.
    #[error("the session directory {} is not safe to use: {problem}", path.display())]
    UnsafeDirectory { path: PathBuf, problem: String, remedy: String },
    /// authctl did not write this content.
    #[error("the session file {} is damaged", .0.display())]
    Damaged(PathBuf),
    #[error("the session file {} could not be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// Another process holds the lock of the directory.
    #[error("the session directory {} is locked by another process", .0.display())]
    Busy(PathBuf),
    #[error("the session file {} could not be written", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

/// The content of a session file.
#[derive(Debug, Clone)]
pub struct Stored {
    pub token: Token,
    /// The address of the user, known without the database.
    pub email: String,
}

/// The file as JSON. The path of the database is informative; the name of the file decides.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    database: std::borrow::Cow<'a, str>,
    email: std::borrow::Cow<'a, str>,
    token: std::borrow::Cow<'a, str>,
}

/// The result of [`SessionFile::remove`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// No session was stored, or another one.
    Nothing,
    /// The session was removed.
    Gone,
    /// The session was removed, and the one kept aside is stored again.
    GaveBack,
}

/// The session file of one database.
#[derive(Debug, Clone)]
pub struct SessionFile {
    /// `.../authctl`.
    root: PathBuf,
    /// `.../authctl/sessions`.
    directory: PathBuf,
    name: String,
    database: String,
    wait: LockWait,
}

/// How long a command may still wait for the lock of the directory. Clones share the remaining time, so that all
/// steps together wait no longer than `--wait`.
#[derive(Debug, Clone)]
pub struct LockWait(Rc<Cell<Duration>>);

impl From<Duration> for LockWait {
    fn from(total: Duration) -> Self {
        Self(Rc::new(Cell::new(total)))
    }
}

impl LockWait {
    /// Pauses, if time is left.
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
    /// Names the file for a database under authctl's configuration directory. Opens nothing.
    pub fn new(config_directory: &Path, key: &str, database: String, wait: impl Into<LockWait>) -> Self {
        Self {
            root: config_directory.to_owned(),
            directory: config_directory.join("sessions"),
            name: format!("{key}.json"),
            database,
            wait: wait.into(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// Whether the name exists, as any kind of file.
    pub fn is_there(&self) -> bool {
        self.path().symlink_metadata().is_ok()
    }

    /// Reads the stored session; `None` when there is no file. If only a session kept aside exists, stores that one
    /// again.
    ///
    /// # Errors [`SessionFileError::Unsafe`] when other users may read the file or it is not a regular file,
    /// [`SessionFileError::Damaged`] when its content is not valid.
    pub fn read(&self) -> Result<Option<Stored>, SessionFileError> {
        match self.read_named()? {
            None => self.take_back(),
            stored => Ok(stored),
        }
    }

    /// As [`SessionFile::read`], for a caller that replaces or removes the file: a damaged file counts as none,
    /// because it holds no session.
    ///
    /// # Errors
    /// As for [`SessionFile::read`], but never [`SessionFileError::Damaged`].
    pub fn read_whole(&self) -> Result<Option<Stored>, SessionFileError> {
        none_if_damaged(self.read())
    }

    fn read_named(&self) -> Result<Option<Stored>, SessionFileError> {
        match input_file::open_no_follow(&self.path()) {
            Ok(file) => self.read_open(&file).map(Some),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::LOOP) => Err(self.unsafe_file("it is a symbolic link")),
            Err(error) => Err(self.unreadable(error.into())),
        }
    }

    /// Reads the token only to end its session, even from an unsafe file: a token that others may have read must end.
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

    /// Writes a token durably, under a temporary name.
    ///
    /// # Errors [`SessionFileError`]; no file remains.
    pub fn prepare(&self, token: &Token, email: &str, unique: &str) -> Result<Pending, SessionFileError> {
        self.make_directories()?;
        let directory = self.open_directory()?;
        let lock = self.lock(&directory)?;
        let mut pending = Pending::begin(self, directory, unique).map_err(|error| self.unwritable(error))?;
        drop(lock);
        pending.fill(token, email).map_err(|error| self.unwritable(error))?;
        Ok(pending)
    }

    /// Removes the stored session and stores the one kept aside again. With a token, removes only a file that holds
    /// it, because another process may have signed in meanwhile.
    ///
    /// # Errors
    /// [`SessionFileError`].
    pub fn remove(&self, holding: Option<&Token>) -> Result<Removed, SessionFileError> {
        let Some(directory) = self.open_if_there()? else {
            return Ok(Removed::Nothing);
        };
        let _lock = self.lock(&directory)?;
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

    /// Finds sign-ins whose process died before it finished.
    ///
    /// # Errors [`SessionFileError`] when the directory is unsafe, unreadable or locked, so that its content is
    /// unknown.
    pub fn abandoned(&self) -> Result<Vec<Abandoned>, SessionFileError> {
        let Some(directory) = self.open_if_there()? else {
            return Ok(Vec::new());
        };
        // With the lock, no file is seen between its creation and its own lock.
        let _lock = self.lock(&directory)?;
        let prefix = self.temporary_prefix();
        let mut abandoned = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(|error| self.unreadable(error))? {
            let entry = entry.map_err(|error| self.unreadable(error))?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                abandoned.extend(Abandoned::claim(entry.path()));
            }
        }
        Ok(abandoned)
    }

    fn make_directories(&self) -> Result<(), SessionFileError> {
        if self.directory.symlink_metadata().is_ok() {
            return Ok(());
        }
        // Under sudo, HOME may belong to another user, who could not use what root creates there.
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

    /// Opens the directory, and refuses it if other users may write to it.
    fn open_directory(&self) -> Result<OwnedFd, SessionFileError> {
        self.open_one(&self.root)?;
        self.open_one(&self.directory)
    }

    /// As [`Self::open_directory`]; `None` when the directory does not exist.
    fn open_if_there(&self) -> Result<Option<OwnedFd>, SessionFileError> {
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
            // A shared directory: chmod would break it for others.
            ("others may write to it", elsewhere.to_owned())
        } else {
            ("others may write to it", format!("look at what is in it, then: chmod 700 {}", quoted(path)))
        };
        Err(SessionFileError::UnsafeDirectory { path: path.to_owned(), problem: problem.into(), remedy })
    }

    /// Checks the directories and every file in them. Also returns whether [`Self::close_directories`] fixes any of
    /// it.
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
            // Hidden files are pending sign-ins.
            if let Some(name) =
                entry.file_name().to_str().filter(|name| name.strip_suffix(".json").is_some() && !name.starts_with('.'))
            {
                let file = Self { name: name.to_owned(), ..self.clone() };
                exposed.extend(file.read().err());
            }
        }
        (exposed, is_ours)
    }

    /// Removes the permissions of other users on the caller's directories.
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

    /// Locks the directory, so that no other process changes a file between a check and a change.
    ///
    /// # Errors
    /// [`SessionFileError::Busy`] when another process holds the lock and nothing of `--wait` is left.
    fn lock(&self, directory: &OwnedFd) -> Result<File, SessionFileError> {
        // A lock belongs to an open file description, so it needs one of its own.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = rustix::fs::openat(directory, ".", flags, Mode::empty()).map_err(|error| self.unwritable(error))?;
        let own = File::from(own);
        loop {
            match own.try_lock().map_err(io::Error::from) {
                Err(error) if is_temporary(&error) && self.wait.pause() => {}
                locked => return locked.map(|()| own).map_err(|error| self.unwritable(error)),
            }
        }
    }

    fn temporary_prefix(&self) -> String {
        format!(".{}.", self.name)
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn none_if_damaged(read: Result<Option<Stored>, SessionFileError>) -> Result<Option<Stored>, SessionFileError> {
    match read {
        Err(SessionFileError::Damaged(_)) => Ok(None),
        read => read,
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

    use super::*;

    #[test]
    fn locked_directory_is_an_error_for_abandoned_sign_ins() {
        let home = tempfile::tempdir().unwrap();
        let place = SessionFile::new(home.path(), "key", "/a.db".into(), Duration::ZERO);
        assert!(matches!(place.abandoned(), Ok(found) if found.is_empty()), "no directory");
        let token = Token::from_bytes(b"0123456789abcdef0123456789abcdef").unwrap();
        drop(place.prepare(&token, "ada@example.com", "0123456789abcdef").unwrap());
        let other = File::open(home.path().join("sessions")).unwrap();
        other.lock().unwrap();
        assert!(matches!(place.abandoned(), Err(SessionFileError::Busy(_))));
        drop(other);
        assert!(matches!(place.abandoned(), Ok(found) if found.is_empty()));
    }

    fn token(byte: u8) -> Token {
        Token::from_bytes(&[byte; 32]).unwrap()
    }

    /// Stores a session in place of another one.
    fn store(place: &SessionFile, byte: u8, stands_in_for: Option<Token>) -> Result<(), SessionFileError> {
        let pending = place.prepare(&token(byte), "ada@example.com", &format!("{byte:016}"))?;
        if stands_in_for.is_some() { pending.stand_in_for(stands_in_for).keep() } else { pending.keep() }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "measures the wait")]
    fn steps_of_one_command_share_the_wait_for_the_lock() {
        let home = tempfile::tempdir().unwrap();
        store(&SessionFile::new(home.path(), "key", "/a.db".into(), Duration::ZERO), b'a', None).unwrap();
        let other = File::open(home.path().join("sessions")).unwrap();
        other.lock().unwrap();
        let (total, wait) = (Duration::from_millis(100), LockWait::from(Duration::from_millis(100)));
        let start = std::time::Instant::now();
        for _ in 0..8 {
            let place = SessionFile::new(home.path(), "key", "/a.db".into(), wait.clone());
            assert!(matches!(place.abandoned(), Err(SessionFileError::Busy(_))));
            assert!(matches!(place.remove(None), Err(SessionFileError::Busy(_))));
            assert!(matches!(store(&place, b'b', None), Err(SessionFileError::Busy(_))));
        }
        assert!((total..total * 12).contains(&start.elapsed()), "{:?}", start.elapsed());
    }

    #[test]
    fn unsafe_file_is_never_replaced_or_removed() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let place = SessionFile::new(home.path(), "key", "/a.db".into(), Duration::ZERO);
        store(&place, b'a', None).unwrap();
        let content = std::fs::read(place.path()).unwrap();
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(place.read_whole(), Err(SessionFileError::Unsafe { .. })));
        assert!(matches!(place.remove(Some(&token(b'a'))), Err(SessionFileError::Unsafe { .. })));
        assert!(matches!(store(&place, b'b', Some(token(b'a'))), Err(SessionFileError::Unsafe { .. })));
        assert_eq!(std::fs::read(place.path()).unwrap(), content);
        std::fs::write(place.path(), "{").unwrap();
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(place.read_whole(), Ok(None)));
        assert!(matches!(place.remove(Some(&token(b'a'))), Ok(Removed::Nothing)));
        store(&place, b'c', Some(token(b'a'))).unwrap();
        assert!(!place.keeps_aside());
    }

    /// Both files exist only while one stands in for the other.
    #[test]
    fn session_kept_aside_is_abandoned_by_a_sign_in() {
        let home = tempfile::tempdir().unwrap();
        let place = SessionFile::new(home.path(), "key", "/a.db".into(), Duration::ZERO);
        let holds = |found: Option<Stored>, byte| found.is_some_and(|stored| stored.token == token(byte));
        store(&place, b'a', None).unwrap();
        store(&place, b'b', Some(token(b'a'))).unwrap();
        assert!(holds(place.read().unwrap(), b'b') && holds(place.read_aside().unwrap(), b'a'));
        let stale = std::fs::read(place.path()).unwrap();
        store(&place, b'c', None).unwrap();
        assert!(holds(place.read().unwrap(), b'c') && !place.keeps_aside());
        // Written by another program.
        let aside = place.path().with_file_name("key.own.json");
        std::fs::write(&aside, stale).unwrap();
        std::fs::set_permissions(&aside, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        store(&place, b'd', Some(token(b'c'))).unwrap();
        assert!(holds(place.read().unwrap(), b'd') && holds(place.read_aside().unwrap(), b'c'));
        let left: Vec<_> = place.abandoned().unwrap().into_iter().filter_map(|left| left.token).collect();
        assert_eq!(left.iter().filter(|left| **left == token(b'b')).count(), 2);
        assert!(left.contains(&token(b'a')) && !left.contains(&token(b'c')) && !left.contains(&token(b'd')));
    }

    #[test]
    fn unsafe_directory_is_an_error_for_abandoned_sign_ins() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let place = SessionFile::new(home.path(), "key", "/a.db".into(), Duration::ZERO);
        store(&place, b'a', None).unwrap();
        let sessions = home.path().join("sessions");
        std::fs::set_permissions(&sessions, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(place.abandoned(), Err(SessionFileError::UnsafeDirectory { .. })));
    }
}
