//! Checks of a database file before SQLite opens it. SQLite would follow links, create a missing file, replay
//! a journal into another user's file and report "unable to open" for every failure. Here each reason has its
//! own error, and the file stays byte for byte as it was.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::descriptors::{self, Found, HEADER_BYTES, Held};
use crate::auth::storage::UnsafePlace;
use crate::paths::quoted;
use crate::store::OpenError;

/// `application_id` of databases made by authctl: "actl" in ASCII. The migrations write it.
pub(super) const APPLICATION_ID: u32 = 0x6163_746c;

/// The first bytes of an SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Suffixes of the files that SQLite makes beside a database.
pub(super) const SIDECARS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Which program made a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Made by authctl.
    Own,
    /// Made by another program.
    Other,
}

/// A database file that passed the checks, or a new one. A connection takes it and keeps its descriptor open
/// until SQLite has closed the file.
#[derive(Debug)]
pub(super) struct Checked {
    path: PathBuf,
    kind: Kind,
    /// The user id of the owner.
    owner: u32,
    held: Held,
}

impl Checked {
    /// A file that authctl just made under a temporary name.
    pub(super) fn made(path: PathBuf, held: Held) -> Self {
        Self { path, kind: Kind::Own, owner: rustix::process::geteuid().as_raw(), held }
    }

    /// The same file for one more connection.
    pub(super) fn again(&self) -> Self {
        Self { path: self.path.clone(), kind: self.kind, owner: self.owner, held: self.held.again() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Which program made the database, as the header in the file says. A log or a journal beside it may say otherwise:
    /// [`super::connect::is_own`] has the last word.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }
}

/// Requires a complete authctl database that only its owner can use.
///
/// # Errors
/// [`OpenError`], the reason.
pub fn require_own(path: &Path) -> Result<(), OpenError> {
    inspect_own(path).map(drop)
}

/// As [`require_own`], for a connection.
pub(super) fn inspect_own(path: &Path) -> Result<Checked, OpenError> {
    let checked = inspect(path)?;
    match checked.kind {
        Kind::Own => Ok(checked),
        Kind::Other => Err(OpenError::NotOwn(path.into())),
    }
}

/// Requires a complete database. An authctl database must be private, in a directory that others cannot write to. An
/// app decides who can read its file, and [`unsafe_directory`] tells of its directory.
pub(super) fn inspect(path: &Path) -> Result<Checked, OpenError> {
    let Found { held, stat, header } = match descriptors::open(path) {
        Ok(found) => found,
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(OpenError::Missing(path.into())),
        Err(Errno::LOOP) => {
            return Err(OpenError::Unsafe {
                path: path.into(),
                problem: "it is a symbolic link".into(),
                remedy: "name the file itself with --db".into(),
            });
        }
        Err(error) => return Err(unreadable(path, error.into())),
    };
    if let Some(kind) = other_kind(&stat) {
        return Err(OpenError::NotAFile { path: path.into(), kind });
    }
    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
    let is_own = judge_header(path, &header, bytes)?;
    if is_own {
        refuse_unsafe_file(path, &stat)?;
        refuse_unsafe_directory(path, stat.st_uid)?;
    }
    refuse_unsafe_sidecars(path, is_own)?;
    let kind = if is_own { Kind::Own } else { Kind::Other };
    Ok(Checked { path: path.into(), kind, owner: stat.st_uid, held })
}

/// Whether another program made the SQLite database. A file that cannot be read is not one.
pub(super) fn is_of_another_program(path: &Path) -> bool {
    let Ok(Found { header, .. }) = descriptors::open(path) else { return false };
    header.len() == HEADER_BYTES && header.starts_with(MAGIC) && word(&header, 68) != APPLICATION_ID
}

/// A big-endian number of four bytes in the header.
fn word(header: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn unreadable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unreadable { path: path.into(), source }
}

/// What a file is, with its article, unless it is a regular one.
fn other_kind(stat: &Stat) -> Option<&'static str> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("a directory"),
        FileType::Fifo => Some("a named pipe"),
        FileType::Socket => Some("a socket"),
        FileType::Symlink => Some("a symbolic link"),
        _ => Some("a device"),
    }
}

/// Refuses pipes, links and devices in place of SQLite's journal or log: SQLite would wait for a pipe without
/// end. A file beside an authctl database must have one name, as the database itself.
fn refuse_unsafe_sidecars(path: &Path, is_own: bool) -> Result<(), OpenError> {
    for suffix in SIDECARS {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let name = PathBuf::from(name);
        let stat = match rustix::fs::lstat(&name) {
            Err(Errno::NOENT) => continue,
            found => found.map_err(|error| unreadable(&name, error.into()))?,
        };
        let other = other_kind(&stat);
        let problem = match other {
            Some(kind) => format!("it is {kind}, where SQLite keeps a file of its own"),
            None if is_own && stat.st_nlink > 1 => format!("it has {} names (hard links)", stat.st_nlink),
            None => continue,
        };
        // The target of a link may be a journal that SQLite needs for recovery, so it stays.
        let remedy = if matches!(other, None | Some("a symbolic link")) {
            format!("find out where it leads and who made it: ls -li {}", quoted(&name))
        } else {
            let mut aside = name.clone().into_os_string();
            aside.push(".aside");
            format!("find out who made it, then: mv {} {}", quoted(&name), quoted(Path::new(&aside)))
        };
        return Err(OpenError::Unsafe { path: name, problem, remedy });
    }
    Ok(())
}

/// Whether authctl made the file.
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
    // Pages may still be in the log. SQLite deletes the log when it has moved them all, so the size is read
    // again after a look at the log.
    if bytes < expected && !has_log(path) {
        let bytes = std::fs::metadata(path).map_or(bytes, |file| file.len());
        if bytes < expected {
            return Err(OpenError::Truncated { path: path.into(), bytes, expected });
        }
    }
    Ok(word(header, 68) == APPLICATION_ID)
}

pub(super) fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

pub(super) fn refuse_unsafe_file(path: &Path, stat: &Stat) -> Result<(), OpenError> {
    let me = rustix::process::geteuid().as_raw();
    if stat.st_uid != me && me != 0 {
        return Err(of_another_user(path, stat.st_uid));
    }
    let (problem, remedy) = if stat.st_mode & 0o077 != 0 {
        (format!("others may use it (mode {:04o})", stat.st_mode & 0o7777), format!("chmod 600 {}", quoted(path)))
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

/// The error about a file of another user.
pub(super) fn of_another_user(path: &Path, owner: u32) -> OpenError {
    OpenError::Unsafe {
        path: path.into(),
        problem: "it belongs to another user".to_owned(),
        remedy: format!("run as that user: sudo -u '#{owner}' authctl ..."),
    }
}

/// Refuses a directory that is not safe.
pub(super) fn refuse_unsafe_directory(path: &Path, owner: u32) -> Result<(), OpenError> {
    match unsafe_directory(path, owner)? {
        None => Ok(()),
        Some(UnsafePlace { directory, problem, remedy }) => {
            Err(OpenError::Unsafe { path: directory.into(), problem, remedy })
        }
    }
}

/// Finds a directory in which others can plant a journal that SQLite would replay into the database.
///
/// A sticky bit does not help. The group of the user passes: many systems give each user a group of their
/// own.
pub(super) fn unsafe_directory(path: &Path, owner: u32) -> Result<Option<UnsafePlace>, OpenError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let stat = rustix::fs::stat(directory).map_err(|error| unreadable(directory, error.into()))?;
    let me = rustix::process::geteuid().as_raw();
    let my_group = rustix::process::getegid().as_raw();
    let problem = if ![0, me, owner].contains(&stat.st_uid) {
        "the directory belongs to another user"
    } else if stat.st_mode & 0o002 != 0 {
        "everybody may write to the directory"
    } else if stat.st_mode & 0o020 != 0 && stat.st_gid != my_group {
        "another group may write to the directory"
    } else {
        return Ok(None);
    };
    let elsewhere = "keep the database in a directory that only you can write";
    // A sticky directory such as /tmp is shared on purpose, and only its owner may change a directory.
    let remedy = if stat.st_uid == me && stat.st_mode & 0o1000 == 0 {
        format!("{elsewhere}, or: chmod go-w {}", quoted(directory))
    } else {
        format!("{elsewhere}, and name it with --db")
    };
    Ok(Some(UnsafePlace { directory: directory.display().to_string(), problem: problem.into(), remedy }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_read_again_once_the_log_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("auth.db");
        let mut header = [0; HEADER_BYTES];
        header[..MAGIC.len()].copy_from_slice(MAGIC);
        header[16..18].copy_from_slice(&4096_u16.to_be_bytes());
        header[28..32].copy_from_slice(&2_u32.to_be_bytes());
        std::fs::write(&path, [0; 8192]).unwrap();
        assert!(judge_header(&path, &header, 4096).is_ok(), "a checkpoint has ended since the size was read");
        std::fs::write(&path, [0; 4096]).unwrap();
        assert!(matches!(judge_header(&path, &header, 4096), Err(OpenError::Truncated { bytes: 4096, .. })));
    }
}
