//! A lock for those who make, migrate, back up or restore a database, which SQLite's own locks do not cover.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::permissions;
use crate::store::OpenError;

/// How often a process that waits tries to take the lock.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// A lock on a file beside the database. The kernel releases it when the process ends. The file stays: if it
/// were removed, two processes could lock two files of the same name.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// # Errors
    /// [`OpenError::Locked`] when another process still holds the lock after the wait.
    pub(super) fn take(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let name = beside(path, "", ".lock");
        let failed = |source| OpenError::CannotCreate { path: name.clone(), source };
        let file = open(&name).map_err(|error| failed(error.into()))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Interrupted => return Err(failed(error)),
                Err(_) if waited < wait => {
                    std::thread::sleep(LOCK_POLL);
                    waited += LOCK_POLL;
                }
                Err(_) => return Err(OpenError::Locked(path.into())),
            }
        }
    }
}

/// Opens the lock file, or makes it. A umask may have taken the owner's rights away, and the process that made
/// the file may have been killed before it restored them.
fn open(name: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let private = Mode::RUSR | Mode::WUSR;
    let file = match rustix::fs::openat(CWD, name, flags, private) {
        Err(Errno::ACCESS) if is_locked_out(name) => {
            permissions::make_private(name)?;
            rustix::fs::openat(CWD, name, flags, private)?
        }
        opened => opened?,
    };
    if is_locked_out(name) {
        rustix::fs::fchmod(&file, private)?;
    }
    Ok(file.into())
}

/// Whether a file is ours without a right to read and write it.
fn is_locked_out(name: &Path) -> bool {
    rustix::fs::lstat(name).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == rustix::process::geteuid().as_raw()
            && stat.st_mode & 0o600 != 0o600
    })
}

/// The path of a file beside the database, named `prefix`, the database's name, `suffix`.
pub(super) fn beside(path: &Path, prefix: &str, suffix: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}
