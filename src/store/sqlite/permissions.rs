//! Access of other users to a database: to its file, the files that SQLite makes beside it, its directory and
//! its file system.

use std::io;
use std::path::Path;

use nix::sys::stat::FchmodatFlags;
use rustix::fs::{CWD, FileType, Mode, Stat};
use rustix::io::Errno;

use super::preflight::{self, SIDECARS, refuse_unsafe_directory, refuse_unsafe_file};
use crate::store::OpenError;

/// Suffixes of the files beside a database: those of SQLite, and the lock.
const BESIDE: [&str; 4] = [SIDECARS[0], SIDECARS[1], SIDECARS[2], ".lock"];

/// A file or directory that other users can access.
#[derive(Debug)]
pub struct InsecurePath {
    /// The error that opening the database returns.
    pub error: OpenError,
    /// Whether [`tighten`] can fix it: this user is the owner.
    pub is_ours: bool,
}

fn files(path: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    [""].into_iter().chain(BESIDE).map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

/// Finds files that others can access. An app decides who can use its file, but not who can write to the
/// directory.
pub fn insecure(path: &Path) -> Vec<InsecurePath> {
    let me = rustix::process::geteuid().as_raw();
    let mut found = Vec::new();
    let mut owner = me;
    let is_an_apps = preflight::is_of_another_program(path);
    for file in files(path) {
        let Ok(stat) = rustix::fs::lstat(&file) else { continue };
        if file == path {
            owner = stat.st_uid;
        }
        if is_an_apps {
            continue;
        }
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            // Opening reports a database that is not a file.
            continue;
        }
        if let Err(error) = refuse_unsafe_file(&file, &stat) {
            found.push(InsecurePath { error, is_ours: stat.st_uid == me && stat.st_mode & 0o077 != 0 });
        }
    }
    if let Err(error @ OpenError::Unsafe { .. }) = refuse_unsafe_directory(path, owner) {
        found.push(InsecurePath { error, is_ours: !is_an_apps && own_directory(path).is_some() });
    }
    found
}

/// Whether every user can read an app's file.
pub fn is_open_to_all(path: &Path) -> bool {
    let is_open = || rustix::fs::lstat(path).is_ok_and(|stat| stat.st_mode & 0o004 != 0);
    preflight::is_of_another_program(path) && is_open()
}

/// The directory, if this user owns it and it is not shared on purpose by a sticky bit.
fn own_directory(path: &Path) -> Option<(&Path, Stat)> {
    let directory = path.parent()?;
    let stat = rustix::fs::stat(directory).ok()?;
    let me = rustix::process::geteuid().as_raw();
    (stat.st_uid == me && stat.st_mode & 0o1000 == 0).then_some((directory, stat))
}

/// Removes the access of others to files of this user.
pub fn tighten(path: &Path) -> io::Result<()> {
    if preflight::is_of_another_program(path) {
        return Ok(());
    }
    let me = rustix::process::geteuid().as_raw();
    for file in files(path) {
        let stat = match rustix::fs::lstat(&file) {
            Err(Errno::NOENT) => continue,
            found => found?,
        };
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if is_file && stat.st_uid == me && stat.st_mode & 0o077 != 0 {
            make_private(&file)?;
        }
    }
    if refuse_unsafe_directory(path, me).is_err()
        && let Some((directory, stat)) = own_directory(path)
    {
        rustix::fs::chmod(directory, Mode::from_raw_mode(stat.st_mode & 0o7755))?;
    }
    Ok(())
}

/// Removes the access of others to a file. It works by name and does not follow a link, because closing a
/// descriptor would release SQLite's locks.
pub(super) fn make_private(file: &Path) -> Result<(), Errno> {
    let private = nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR;
    nix::sys::stat::fchmodat(CWD, file, private, FchmodatFlags::NoFollowSymlink)
        .map_err(|error| Errno::from_raw_os_error(error as i32))
}

/// The name of the file system of a database, if SQLite's locks and shared memory are unreliable on it.
#[cfg(target_os = "linux")]
pub fn unreliable_file_system(path: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(path.parent()?).ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a magic number of 32 bits")]
    let magic = found.f_type as u32;
    named(magic)
}

/// Always `None`: only Linux tells the file system.
#[cfg(not(target_os = "linux"))]
pub fn unreliable_file_system(_path: &Path) -> Option<&'static str> {
    None
}

/// Names of network file systems by number (`statfs(2)`, Linux's `magic.h`).
#[cfg(any(target_os = "linux", test))]
fn named(magic: u32) -> Option<&'static str> {
    match magic {
        0x6969 => Some("nfs"),
        0xFF53_4D42 => Some("cifs"),
        0xFE53_4D42 => Some("smb2"),
        0x517B => Some("smb"),
        0x6573_5546 => Some("fuse"),
        0x0102_1997 => Some("9p"),
        0x00C3_6400 => Some("ceph"),
        0x5346_414F => Some("afs"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_named_and_local_ones_are_not() {
        assert_eq!((named(0x6969), named(0xFF53_4D42), named(0x6573_5546)), (Some("nfs"), Some("cifs"), Some("fuse")));
        for disk in [0xEF53, 0x9123_683E, 0x5846_5342, 0x0102_1994, 0x794C_7630] {
            assert_eq!(named(disk), None, "{disk:#x}");
        }
    }
}
