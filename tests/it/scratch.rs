//! The directory for the databases of tests.

use std::path::PathBuf;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// A directory in memory when the machine has a large one, because a test on a disk spends most of its time
/// in `fsync`. Otherwise, or when `TMPDIR` is set, the usual directory for temporary files.
#[expect(clippy::disallowed_methods, reason = "TMPDIR sets the directory of tests")]
pub(crate) fn directory() -> PathBuf {
    const MEMORY: &str = "/dev/shm";
    const FREE_MIN: u64 = 1 << 30;
    let is_large = statvfs(MEMORY).is_ok_and(|it| {
        it.f_bavail.saturating_mul(it.f_frsize) >= FREE_MIN && !it.f_flag.contains(StatVfsMountFlags::NOEXEC)
    });
    if std::env::var_os("TMPDIR").is_none() && is_large { PathBuf::from(MEMORY) } else { std::env::temp_dir() }
}
