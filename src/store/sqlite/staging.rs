//! Files beside a database: the lock, and a database that is being built.
//!
//! The lock is for processes that make, migrate, back up or restore a database, which SQLite's own locks do not cover.
//! A database is built under a temporary name and renamed when it is complete, so that a process that is killed never
//! leaves half of one. A temporary name is hidden and belongs to one process. An error removes the file. After a kill,
//! the next process that builds a database in the same directory removes it.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Pid, Uid};

use super::preflight::{Checked, SIDECARS};
use super::{descriptors, permissions};
use crate::store::OpenError;

/// How often a process that waits tries to take the lock.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// A lock on a file beside the database. The kernel releases it when the process ends. The file stays: if it
/// were removed, two processes could lock two files of the same name.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// # Errors
    /// [`OpenError::Locked`] when another process still holds the lock after the wait.
    pub(super) fn take(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let name = beside(path, "", ".lock");
        let failed = |source| OpenError::CannotCreate { path: name.clone(), source };
        let file = open_lock_file(&name, path).map_err(|error| failed(error.into()))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Interrupted => return Err(failed(error)),
                Err(_) if waited < wait => {
                    std::thread::sleep(LOCK_POLL);
                    waited += LOCK_POLL;
                }
                Err(_) => return Err(OpenError::Locked(path.into())),
            }
        }
    }
}

/// Opens the lock file, or makes it. A umask may have taken the owner's rights away, and the process that made
/// the file may have been killed before it restored them.
fn open_lock_file(name: &Path, database: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let private = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(CWD, name, flags | OFlags::EXCL, private) {
        Ok(made) => {
            rustix::fs::fchmod(&made, private)?;
            leave_to_owner(&made, database);
            return Ok(made.into());
        }
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    let file = match rustix::fs::openat(CWD, name, flags, private) {
        Err(Errno::ACCESS) if is_locked_out(name) => {
            permissions::make_private(name)?;
            rustix::fs::openat(CWD, name, flags, private)?
        }
        opened => opened?,
    };
    if is_locked_out(name) {
        rustix::fs::fchmod(&file, private)?;
    }
    Ok(file.into())
}

/// Gives a lock file that root has just made to the owner of the database, as SQLite does with its log. Otherwise the
/// owner could not use it later. Only a new file is given away: the owner of the directory could put any file of root
/// under the name.
fn leave_to_owner(made: &OwnedFd, database: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    if let Ok(found) = rustix::fs::lstat(database) {
        // A file system without owners refuses this.
        let (owner, group) = (Uid::from_raw(found.st_uid), Gid::from_raw(found.st_gid));
        let _ = rustix::fs::fchown(made, Some(owner), Some(group));
    }
}

/// Whether a file is ours without a right to read and write it.
fn is_locked_out(name: &Path) -> bool {
    rustix::fs::lstat(name).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == rustix::process::geteuid().as_raw()
            && stat.st_mode & 0o600 != 0o600
    })
}

/// The path of a file beside the database, named `prefix`, the database's name, `suffix`.
pub(super) fn beside(path: &Path, prefix: &str, suffix: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

/// Separates the name of the database from the process id in a temporary name.
const MARK: &str = ".authctl-";
const END: &str = ".new";

/// How many files this process has begun. The number is part of the temporary name.
static BEGUN: AtomicU32 = AtomicU32::new(0);

/// A file under its temporary name. It is removed when it is dropped without [`StagedFile::finish`].
#[derive(Debug)]
pub(super) struct StagedFile {
    path: PathBuf,
    target: PathBuf,
}

impl StagedFile {
    /// Makes an empty private file, before SQLite writes the first byte. SQLite gives its log the same mode.
    /// Files that killed processes left are removed.
    pub(super) fn begin(target: &Path) -> io::Result<(Self, Checked)> {
        remove_abandoned(target);
        // NONBLOCK on every file that authctl opens tells its system calls from those of SQLite.
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        loop {
            let number = BEGUN.fetch_add(1, Ordering::Relaxed);
            let path = beside(target, ".", &format!("{MARK}{}-{number}{END}", std::process::id()));
            let file = match rustix::fs::openat(CWD, &path, flags, Mode::RUSR | Mode::WUSR) {
                // A killed process with this id left it.
                Err(Errno::EXIST) => continue,
                opened => opened?,
            };
            let begun = Self { path: path.clone(), target: target.into() };
            // A umask may have taken rights away.
            rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
            return Ok((begun, Checked::made(path, descriptors::hold(file)?)));
        }
    }

    /// Makes the file durable and renames it.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when the name is taken. After an error the name is as it was before.
    pub(super) fn finish(self, file: &Checked) -> io::Result<()> {
        file.held().sync()?;
        self.place()?;
        sync_directory(&self.target).inspect_err(|_| {
            // The rename is not durable: the next attempt must not find the file.
            if file.held().is_at(&self.target) {
                let _ = std::fs::remove_file(&self.target);
            }
        })
    }

    fn place(&self) -> Result<(), Errno> {
        match rustix::fs::renameat_with(CWD, &self.path, CWD, &self.target, RenameFlags::NOREPLACE) {
            // Some file systems do not know the flag. A hard link replaces nothing either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                // Dropping `self` removes the temporary name.
                rustix::fs::linkat(CWD, &self.path, CWD, &self.target, AtFlags::empty())
            }
            placed => placed,
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes a database and the files that SQLite keeps beside it.
pub(super) fn remove(path: &Path) {
    for suffix in [""].into_iter().chain(SIDECARS) {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::fsync(rustix::fs::openat(CWD, directory, flags, Mode::empty())?)?)
}

/// Removes files that killed processes left in the directory. A process on another machine or in another
/// container looks dead from here; if it still builds a database, its rename fails with an error.
fn remove_abandoned(target: &Path) {
    let begun = BEGUN.load(Ordering::Relaxed);
    let entries = target.parent().and_then(|directory| std::fs::read_dir(directory).ok());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_str().and_then(builder).is_some_and(|(process, number)| {
            if process == std::process::id() { number >= begun } else { !is_alive(process) }
        }) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The process id and the number in a temporary name; `None` for any other name.
fn builder(name: &str) -> Option<(u32, u32)> {
    let name = SIDECARS.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    let (_, numbers) = name.strip_prefix('.')?.strip_suffix(END)?.rsplit_once(MARK)?;
    let (process, number) = numbers.split_once('-')?;
    Some((process.parse().ok()?, number.parse().ok()?))
}

fn is_alive(process: u32) -> bool {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| rustix::process::test_kill_process(process) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn two_files_for_one_name_are_apart_and_the_first_wins() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("b.db");
        let (one, first) = StagedFile::begin(&target).unwrap();
        let (other, second) = StagedFile::begin(&target).unwrap();
        assert_ne!(first.path(), second.path());
        std::fs::write(first.path(), "first").unwrap();
        one.finish(&first).unwrap();
        assert_eq!(other.finish(&second).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(names(directory.path()), ["b.db"]);
        assert_eq!(std::fs::read_to_string(target).unwrap(), "first");
    }

    #[test]
    fn dropped_file_is_removed_with_its_sidecars() {
        let directory = tempfile::tempdir().unwrap();
        let (begun, file) = StagedFile::begin(&directory.path().join("b.db")).unwrap();
        for suffix in SIDECARS {
            std::fs::write(format!("{}{suffix}", file.path().display()), "").unwrap();
        }
        drop((begun, file));
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn files_of_dead_processes_are_removed_and_no_others() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let alive = rustix::process::getppid().unwrap().as_raw_pid();
        let kept = [
            format!(".a.db{MARK}{alive}-0{END}"),
            format!(".a.db{MARK}x-0{END}"),
            format!(".a.db.{dead}-0{END}"),
            format!("a.db{MARK}{dead}-0{END}"),
        ];
        let gone = [
            format!(".a.db{MARK}{dead}-0{END}"),
            format!(".old.db{MARK}{dead}-3{END}-wal"),
            format!(".a.db{MARK}{}-{}{END}", std::process::id(), u32::MAX),
        ];
        for name in kept.iter().chain(&gone) {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        drop(StagedFile::begin(&directory.path().join("b.db")).unwrap());
        let mut kept = kept.to_vec();
        kept.sort();
        assert_eq!(names(directory.path()), kept);
    }
}
