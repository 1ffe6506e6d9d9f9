//! The failures and remedies that the operating system decides.

use rustix::io::Errno;

use super::{ExitCode, Failure};

pub(super) const WRITABLE: &str = "the directory must exist and be writable for you";

pub(super) fn too_many_files() -> Failure {
    Failure::new(ExitCode::Unwritable, "TOO_MANY_FILES").remedy("raise the limit, as with `ulimit -n 256`")
}

/// Whether the process or the machine has too many open files.
pub(super) fn is_limit_of_files(error: &std::io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

/// What to do about an error of the operating system.
pub(super) fn remedy_of(error: &std::io::Error) -> Option<&'static str> {
    match Errno::from_io_error(error)? {
        Errno::MFILE | Errno::NFILE => Some("raise the limit, as with `ulimit -n 256`"),
        Errno::FBIG => Some(RAISE_SIZE_LIMIT),
        Errno::DQUOT => Some(FREE_QUOTA),
        Errno::NOSPC => Some("make room"),
        Errno::NOLCK => Some(USE_LOCKS),
        _ => None,
    }
}

pub(super) const RAISE_SIZE_LIMIT: &str = "raise the limit of file sizes, as with `ulimit -f unlimited`";
pub(super) const FREE_QUOTA: &str = "delete files of yours, or ask for a larger quota";
pub(super) const USE_LOCKS: &str = "keep the file on a file system that can lock, such as a local disk";

/// Whether the file would exceed a size limit.
pub(super) fn is_size_limit(error: &std::io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::FBIG)
}

pub(super) fn no_home(instead: &str) -> Failure {
    Failure::new(ExitCode::Usage, "NO_HOME").hint(format!("set HOME, or {instead}"))
}
