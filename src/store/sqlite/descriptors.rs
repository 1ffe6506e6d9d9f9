//! Descriptors of database files, open as long as a connection of this process uses the file.
//!
//! A POSIX lock belongs to the process and the file: closing any descriptor of the file releases all locks of
//! the process on it, including SQLite's (`fcntl(2)`). So a file is opened for checking once, and its
//! descriptor is closed when the last holder is dropped. The table is process-wide because the locks are;
//! SQLite has such a table for the same reason.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// Length of SQLite's file header in bytes (SQLite file format, section 1.3).
pub(super) const HEADER_BYTES: usize = 100;

/// Device and inode.
type FileId = (u64, u64);

struct OpenFile {
    descriptors: Vec<OwnedFd>,
    holders: usize,
}

static OPEN_FILES: Mutex<BTreeMap<FileId, OpenFile>> = Mutex::new(BTreeMap::new());

/// Keeps the descriptors of a file open. It must be dropped after the connection.
#[derive(Debug)]
pub(super) struct Held {
    id: FileId,
}

pub(super) struct Found {
    pub(super) held: Held,
    pub(super) stat: Stat,
    /// The first bytes, at most [`HEADER_BYTES`]; empty unless it is a regular file.
    pub(super) header: Vec<u8>,
}

/// Opens a file for reading, without following a link or waiting for a pipe. A file that is already open is
/// read through its descriptor.
pub(super) fn open(path: &Path) -> Result<Found, Errno> {
    let mut files = table();
    let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if let Some(file) = files.get_mut(&id_of(&stat)) {
        file.holders += 1;
        // Dropping `held` locks the table, so the table must be unlocked first.
        let held = Held { id: id_of(&stat) };
        let read = file.descriptors.first().map_or(Err(Errno::BADF), read);
        drop(files);
        return read.map(|(stat, header)| Found { held, stat, header });
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    let read = read(&descriptor);
    let held = add(files, descriptor)?;
    read.map(|(stat, header)| Found { held, stat, header })
}

/// Holds a new file.
pub(super) fn hold(descriptor: OwnedFd) -> Result<Held, Errno> {
    add(table(), descriptor)
}

/// Whether this process can open no more files.
pub(super) fn are_exhausted() -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    matches!(rustix::fs::openat(CWD, "/", flags, Mode::empty()), Err(Errno::MFILE | Errno::NFILE))
}

fn table() -> MutexGuard<'static, BTreeMap<FileId, OpenFile>> {
    OPEN_FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name may lead to another file by now, and that one may be open too.
fn add(mut files: MutexGuard<'static, BTreeMap<FileId, OpenFile>>, descriptor: OwnedFd) -> Result<Held, Errno> {
    let id = id_of(&rustix::fs::fstat(&descriptor)?);
    let file = files.entry(id).or_insert_with(|| OpenFile { descriptors: Vec::new(), holders: 0 });
    file.descriptors.push(descriptor);
    file.holders += 1;
    Ok(Held { id })
}

#[expect(clippy::unnecessary_cast, reason = "the types differ between systems")]
fn id_of(stat: &Stat) -> FileId {
    (stat.st_dev as u64, stat.st_ino as u64)
}

fn read(descriptor: &impl AsFd) -> Result<(Stat, Vec<u8>), Errno> {
    let stat = rustix::fs::fstat(descriptor)?;
    let mut header = vec![0_u8; HEADER_BYTES];
    let length = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => rustix::io::pread(descriptor, header.as_mut_slice(), 0)?,
        _ => 0,
    };
    header.truncate(length);
    Ok((stat, header))
}

impl Held {
    pub(super) fn again(&self) -> Self {
        if let Some(file) = table().get_mut(&self.id) {
            file.holders += 1;
        }
        Self { id: self.id }
    }

    /// Makes the file durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        let files = table();
        let file = files.get(&self.id).and_then(|file| file.descriptors.first());
        Ok(file.map_or(Ok(()), rustix::fs::fsync)?)
    }

    /// One more descriptor, for a file that no connection uses any more: closing it would release the locks.
    pub(super) fn duplicate(&self) -> io::Result<File> {
        let files = table();
        let file = files.get(&self.id).and_then(|file| file.descriptors.first()).ok_or(Errno::BADF)?;
        Ok(file.try_clone()?.into())
    }

    /// Reads the whole file; `None` if it has more bytes than allowed.
    pub(super) fn read(&self, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
        let files = table();
        let file = files.get(&self.id).and_then(|file| file.descriptors.first()).ok_or(Errno::BADF)?;
        let size = usize::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(usize::MAX);
        if size > bytes_max {
            return Ok(None);
        }
        let mut bytes = vec![0; size];
        let mut filled = 0;
        while filled < size {
            match rustix::io::pread(file, &mut bytes[filled..], filled as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
        }
        Ok(Some(bytes))
    }

    /// Whether the path leads to this file.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| id_of(&stat) == self.id)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The table stays locked while the descriptors close, so that no thread opens and locks the file in
        // between.
        let mut files = table();
        if let Some(file) = files.get_mut(&self.id) {
            file.holders -= 1;
            if file.holders == 0 {
                files.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

    /// How many descriptors of a file this process has, as the kernel counts them.
    fn descriptors(path: &Path) -> usize {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == path)).count()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn descriptor_closes_with_the_last_holder() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap().join("a.db");
        std::fs::write(&path, "content").unwrap();
        let first = open(&path).unwrap();
        let second = open(&path).unwrap();
        assert_eq!(second.header, b"content");
        assert_eq!(descriptors(&path), 1, "a second check opens nothing");
        let third = first.held.again();
        drop((first, second));
        assert_eq!(descriptors(&path), 1);
        drop(third);
        assert_eq!(descriptors(&path), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn adding_a_descriptor_closes_none_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap().join("a.db");
        let one = std::fs::File::create(&path).unwrap();
        let other = std::fs::File::open(&path).unwrap();
        assert_ne!(one.as_raw_fd(), other.as_raw_fd());
        let (one, other) = (hold(one.into()).unwrap(), hold(other.into()).unwrap());
        assert!(one.is_same(&other) && one.is_at(&path));
        drop(other);
        assert_eq!(descriptors(&path), 2, "closing one would drop the locks of the process");
        drop(one);
        assert_eq!(descriptors(&path), 0);
    }

    #[test]
    fn what_is_no_regular_file_is_opened_without_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let found = open(directory.path()).unwrap();
        assert!(found.header.is_empty());
        assert_eq!(FileType::from_raw_mode(found.stat.st_mode), FileType::Directory);
        std::os::unix::fs::symlink("nowhere", directory.path().join("link")).unwrap();
        assert_eq!(open(&directory.path().join("link")).err(), Some(Errno::LOOP));
    }
}
