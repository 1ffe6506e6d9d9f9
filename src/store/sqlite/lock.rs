//! One process at a time makes or migrates a database: refinery does not see to that.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

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
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, &name, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
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

/// The path of a file beside the database: `prefix`, the database's name, `suffix`.
pub(super) fn beside(path: &Path, prefix: &str, suffix: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}
