//! Files that a command writes besides its answer. They are readable by their owner alone, and none replaces another file.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, RenameFlags};

/// The rights of new files.
const PRIVATE: u32 = 0o600;

/// Creates a file.
///
/// # Errors
/// The error of the operating system, [`io::ErrorKind::AlreadyExists`] if the name is taken.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(PRIVATE).open(path)?;
    // A strict umask may have removed rights of the owner.
    make_private(&file)?;
    Ok(file)
}

/// Opens a file to go on with it, or creates it. The rights of a file that exists stay until [`make_private`], when the caller
/// knows that the file is its own.
///
/// # Errors
/// The error of the operating system.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(PRIVATE).open(path)
}

/// Lets only the owner read and write a file.
///
/// # Errors
/// The error of the operating system.
pub fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(PRIVATE))
}

/// A file that is not complete. It is removed if it gets no name of its own.
#[derive(Debug)]
pub struct Part {
    pub file: File,
    /// `None` for a file without a name.
    path: Option<PathBuf>,
}

impl Part {
    /// A file beside another one, with its name and `.part`.
    ///
    /// # Errors
    /// The error of the operating system, [`io::ErrorKind::AlreadyExists`] if that file exists.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        Ok(Self { file: create(&part)?, path: Some(part) })
    }

    /// A file in the directory of temporary files that no other process can open. It is gone when it is closed.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn nameless() -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, std::env::temp_dir(), flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Self { file: file.into(), path: None })
    }

    /// Gives the complete file its name, when its content is on the disk.
    ///
    /// # Errors
    /// The error of the operating system, [`io::ErrorKind::AlreadyExists`] if the name is taken.
    pub fn complete(mut self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(part) = &self.path {
            rustix::fs::renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE)?;
            self.path = None;
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn part_gets_its_name_when_it_is_complete_and_goes_otherwise() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users.jsonl");
        drop(Part::beside(&path).unwrap());
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
        let mut part = Part::beside(&path).unwrap();
        assert_eq!(Part::beside(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        part.file.write_all(b"whole").unwrap();
        part.complete(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let other = Part::beside(&path).unwrap();
        assert_eq!(other.complete(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole", "another file is not replaced");
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn nameless_file_is_in_no_directory() {
        let mut part = Part::nameless().unwrap();
        part.file.write_all(b"x").unwrap();
        part.complete(Path::new("/nowhere/at/all")).unwrap();
    }
}
