//! Looks at the database file before SQLite does. SQLite would follow links, make what is missing,
//! replay a journal into somebody else's file and say "unable to open" to all of it; here each
//! reason gets its own answer and the file stays as it was, byte for byte.

use std::io;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat};

use crate::store::OpenError;

/// `application_id` of databases made by authctl: "actl" in ASCII. The migrations write it.
pub(super) const APPLICATION_ID: u32 = 0x6163_746c;

/// Length of SQLite's file header in bytes (SQLite file format, section 1.3).
const HEADER_BYTES: usize = 100;
/// How it begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whose a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Made by authctl.
    Own,
    /// Made by another program.
    Other {
        /// The file's owner, by number.
        owner: u32,
    },
}

/// Refuses everything that is not an authctl database of whole size that only its owner can write.
///
/// # Errors
/// [`OpenError`], why not.
pub fn inspect(path: &Path) -> Result<(), OpenError> {
    match look(path)? {
        Kind::Own => Ok(()),
        Kind::Other { .. } => Err(OpenError::NotOwn(path.into())),
    }
}

/// Refuses everything that is not a database of whole size in a directory that others cannot write,
/// and one of our own that others can use. Who else may read an app's file is the app's affair.
pub(super) fn look(path: &Path) -> Result<Kind, OpenError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Err(OpenError::Missing(path.into())),
        Err(rustix::io::Errno::LOOP) => {
            return Err(OpenError::Unsafe {
                path: path.into(),
                problem: "it is a symbolic link".into(),
                remedy: "name the file itself with --db".into(),
            });
        }
        Err(error) => return Err(unreadable(path, error.into())),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| unreadable(path, error.into()))?;
    refuse_other_kinds(path, &stat)?;
    let mut header = [0_u8; HEADER_BYTES];
    let read = rustix::io::pread(&file, &mut header, 0).map_err(|error| unreadable(path, error.into()))?;
    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
    let is_own = judge_header(path, &header[..read], bytes)?;
    if is_own {
        refuse_unsafe_file(path, &stat)?;
    }
    refuse_unsafe_directory(path, stat.st_uid)?;
    Ok(if is_own { Kind::Own } else { Kind::Other { owner: stat.st_uid } })
}

/// Whether the file is an SQLite database that authctl did not make. What cannot be read is none.
pub(super) fn is_of_another_program(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut header = [0_u8; HEADER_BYTES];
    let Ok(file) = rustix::fs::openat(CWD, path, flags, Mode::empty()) else { return false };
    let read = rustix::io::pread(&file, &mut header, 0).unwrap_or(0);
    read == HEADER_BYTES && header.starts_with(MAGIC) && word(&header, 68) != APPLICATION_ID
}

/// Four bytes of the header, as a number.
fn word(header: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn unreadable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unreadable { path: path.into(), source }
}

fn refuse_other_kinds(path: &Path, stat: &Stat) -> Result<(), OpenError> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "a directory",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    };
    Err(OpenError::NotAFile { path: path.into(), kind })
}

/// Tells whether authctl made the file.
fn judge_header(path: &Path, header: &[u8], bytes: u64) -> Result<bool, OpenError> {
    if header.is_empty() {
        return Err(OpenError::Empty(path.into()));
    }
    if header.len() < HEADER_BYTES || !header.starts_with(MAGIC) {
        return Err(OpenError::NotSqlite(path.into()));
    }
    let page_size = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        size => size,
    };
    let expected = page_size * u64::from(word(header, 28));
    // While a log lies beside the file, pages may still be on their way from there.
    if bytes < expected && !has_log(path) {
        return Err(OpenError::Truncated { path: path.into(), bytes, expected });
    }
    Ok(word(header, 68) == APPLICATION_ID)
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

pub(super) fn refuse_unsafe_file(path: &Path, stat: &Stat) -> Result<(), OpenError> {
    let me = rustix::process::geteuid().as_raw();
    let shown = path.display();
    let (problem, remedy) = if stat.st_uid != me && me != 0 {
        ("it belongs to another user".to_owned(), format!("run as that user: sudo -u '#{}' authctl ...", stat.st_uid))
    } else if stat.st_mode & 0o077 != 0 {
        (format!("others may use it (mode {:04o})", stat.st_mode & 0o7777), format!("chmod 600 '{shown}'"))
    } else if stat.st_nlink != 1 {
        (
            format!("it has {} names (hard links), and SQLite's log would follow only one", stat.st_nlink),
            "make a copy of its own for one of them".to_owned(),
        )
    } else {
        return Ok(());
    };
    Err(OpenError::Unsafe { path: path.into(), problem, remedy })
}

/// Whoever can write the directory can plant a journal that SQLite replays into the database.
///
/// A sticky bit does not help. A directory of one's own group passes: on systems that give each
/// user a group, that is the user.
pub(super) fn refuse_unsafe_directory(path: &Path, owner: u32) -> Result<(), OpenError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let stat = rustix::fs::stat(directory).map_err(|error| unreadable(directory, error.into()))?;
    let me = rustix::process::geteuid().as_raw();
    let my_group = rustix::process::getegid().as_raw();
    let shown = directory.display();
    let problem = if ![0, me, owner].contains(&stat.st_uid) {
        "the directory belongs to another user"
    } else if stat.st_mode & 0o002 != 0 {
        "everybody may write to the directory"
    } else if stat.st_mode & 0o020 != 0 && stat.st_gid != my_group {
        "another group may write to the directory"
    } else {
        return Ok(());
    };
    Err(OpenError::Unsafe {
        path: directory.into(),
        problem: problem.into(),
        remedy: format!("keep the database in a directory that only you can write, or: chmod go-w '{shown}'"),
    })
}
