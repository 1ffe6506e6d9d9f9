//! One process at a time makes or migrates a database: refinery does not see to that.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::permissions;
use crate::store::OpenError;

/// How often a process that waits for the lock looks again.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// The right to make or migrate a database: a lock on a file beside it, given back by the kernel
/// when the process ends in whatever way. The file stays, because removing it would let two
/// processes hold locks on two files of the same name.
pub(super) struct Lock {
    _file: OwnedFd,
}

impl Lock {
    pub(super) fn take(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let name = beside(path, "", ".lock");
        let failed = |error: Errno| OpenError::CannotCreate { path: name.clone(), source: error.into() };
        let file = open(&name).map_err(failed)?;
        let mut waited = Duration::ZERO;
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::WOULDBLOCK | Errno::INTR) if waited < wait => {
                    std::thread::sleep(LOCK_POLL);
                    waited += LOCK_POLL;
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Err(OpenError::Locked(path.into())),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// Opens the lock file, which is made if it is missing. A strange umask takes the owner's rights away, also
/// from a file whose maker was killed before it could give them back; so they are given back here.
fn open(name: &Path) -> Result<OwnedFd, Errno> {
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
    Ok(file)
}

/// Whether a file is ours and we may not use it.
fn is_locked_out(name: &Path) -> bool {
    rustix::fs::lstat(name).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == rustix::process::geteuid().as_raw()
            && stat.st_mode & 0o600 != 0o600
    })
}

/// The path of a file beside the database: `prefix`, the database's name, `suffix`.
pub(super) fn beside(path: &Path, prefix: &str, suffix: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}
