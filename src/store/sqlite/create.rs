//! Makes a database: built whole under another name, then given its own. Whoever looks finds either
//! no file or a finished one, also after a kill at any moment.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::connect::connect;
use super::engine_error::Engine as _;
use super::lock::{Lock, beside};
use super::{file, migrate};
use crate::auth::store::StoreError;
use crate::store::OpenError;

/// Makes a database at an absolute path whose directory exists.
///
/// # Errors
/// [`OpenError::Exists`] when there is one already, also when another process made it while this
/// one waited.
pub fn create(path: &Path, wait: Duration) -> Result<(), OpenError> {
    if path.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(path.into()));
    }
    let me = rustix::process::geteuid().as_raw();
    match file::refuse_unsafe_directory(path, me) {
        Err(OpenError::Unreadable { path: directory, source }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::CannotCreate {
                path: path.into(),
                source: io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("the directory {} does not exist", directory.display()),
                ),
            });
        }
        checked => checked?,
    }
    let _lock = Lock::take(path, wait)?;
    if path.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(path.into()));
    }
    let unfinished = beside(path, ".", ".new");
    let made = build(&unfinished, wait).and_then(|()| {
        rename_without_replacing(&unfinished, path)?;
        sync_directory(path)
    });
    made.map_err(|error| {
        // Whatever stands there is of no use to anybody; the next attempt would remove it as well.
        remove_unfinished(&unfinished);
        match error {
            Failure::Io(source) if source.kind() == io::ErrorKind::AlreadyExists => OpenError::Exists(path.into()),
            Failure::Io(source) => OpenError::CannotCreate { path: path.into(), source },
            Failure::Store(source) => OpenError::Store { path: path.into(), source },
        }
    })
}

enum Failure {
    Io(io::Error),
    Store(StoreError),
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn remove_unfinished(unfinished: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = unfinished.as_os_str().to_owned();
        name.push(suffix);
        // Not being there is what is wanted.
        let _ = std::fs::remove_file(name);
    }
}

fn build(unfinished: &Path, wait: Duration) -> Result<(), Failure> {
    // The lock is held, so what stands there is left from a process that was killed.
    remove_unfinished(unfinished);
    // The file is private before SQLite writes the first byte; SQLite gives its log the same mode.
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, unfinished, flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    drop(file);
    let mut connection = connect(unfinished, wait)?;
    // A build that is interrupted is thrown away, so its journal need not survive.
    connection.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).engine()?;
    migrate::run(&mut connection)?;
    // Persistent: with a log, readers and a writer do not wait for each other.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine()?;
    connection.close().map_err(|(_, error)| error).engine()?;
    Ok(())
}

fn rename_without_replacing(from: &Path, to: &Path) -> Result<(), Failure> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag. The lock keeps other authctls away.
        Err(Errno::INVAL | Errno::NOSYS) => Ok(rustix::fs::renameat(CWD, from, CWD, to)?),
        done => Ok(done?),
    }
}

fn sync_directory(path: &Path) -> Result<(), Failure> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let directory =
        rustix::fs::openat(CWD, directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::fsync(directory)?)
}
