//! A database is built whole under another name, then given its own. Whoever looks finds either no
//! file or a finished one, also after a kill at any moment.

use std::io;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Makes an empty file that is private before `SQLite` writes the first byte; `SQLite` gives its log the
/// same mode. What stood there is removed: it is left from a process that was killed.
pub(super) fn begin(unfinished: &Path) -> io::Result<()> {
    remove(unfinished);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, unfinished, flags, Mode::RUSR | Mode::WUSR)?;
    Ok(rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?)
}

/// Removes what was begun, with all that `SQLite` keeps beside it.
pub(super) fn remove(unfinished: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = unfinished.as_os_str().to_owned();
        name.push(suffix);
        // Not being there is what is wanted.
        let _ = std::fs::remove_file(name);
    }
}

/// Makes it durable and gives it its name, unless there is something of that name.
pub(super) fn finish(unfinished: &Path, path: &Path) -> io::Result<()> {
    let file = rustix::fs::openat(CWD, unfinished, OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::fsync(file)?;
    match rustix::fs::renameat_with(CWD, unfinished, CWD, path, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag. The lock keeps other authctls away.
        Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::renameat(CWD, unfinished, CWD, path)?,
        done => done?,
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    let directory =
        rustix::fs::openat(CWD, directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::fsync(directory)?)
}
