//! Where the tests keep their databases.

use std::path::PathBuf;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// A directory in memory when the machine has a large one, because most of the time of a test on a disk is
/// spent waiting for `fsync`; otherwise, or when `TMPDIR` is set, the usual directory for temporary files.
#[expect(clippy::disallowed_methods, reason = "the tester chooses the directory")]
pub(crate) fn directory() -> PathBuf {
    const MEMORY: &str = "/dev/shm";
    const FREE_MIN: u64 = 1 << 30;
    let is_large = statvfs(MEMORY).is_ok_and(|it| {
        it.f_bavail.saturating_mul(it.f_frsize) >= FREE_MIN && !it.f_flag.contains(StatVfsMountFlags::NOEXEC)
    });
    if std::env::var_os("TMPDIR").is_none() && is_large { PathBuf::from(MEMORY) } else { std::env::temp_dir() }
}
