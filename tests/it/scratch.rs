//! The directory for the databases of tests.

use std::path::PathBuf;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// A directory in memory when the machine has a large one. Otherwise, or when `TMPDIR` is set, the usual directory for
/// temporary files.
pub(crate) fn directory() -> PathBuf {
    memory().unwrap_or_else(std::env::temp_dir)
}

/// The directory in memory of a machine that has a large one, because a test on a disk spends most of its time in `fsync`
/// and in making files. None when `TMPDIR` is set.
#[expect(clippy::disallowed_methods, reason = "TMPDIR sets the directory of tests")]
pub(crate) fn memory() -> Option<PathBuf> {
    const MEMORY: &str = "/dev/shm";
    const FREE_MIN: u64 = 1 << 30;
    let is_large = statvfs(MEMORY).is_ok_and(|it| {
        it.f_bavail.saturating_mul(it.f_frsize) >= FREE_MIN && !it.f_flag.contains(StatVfsMountFlags::NOEXEC)
    });
    (std::env::var_os("TMPDIR").is_none() && is_large).then(|| PathBuf::from(MEMORY))
}
