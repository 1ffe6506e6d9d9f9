//! Opens and reads files that the user or the environment names. To open never blocks, and to read stops at a
//! limit, because the file may be a pipe without a writer, an endless device or huge.
//!
//! The caller checks owner and permissions on the open descriptor.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// `NONBLOCK` stays set for regular files, because some files of the kernel are regular and block their reader.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens a file, or a pipe that the caller's shell opened (`<(...)`, which is `/dev/fd/N`).
///
/// A named pipe is refused, because it may never get a writer.
///
/// # Errors The error of the operating system, or the kind of the file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = rustix::fs::openat(CWD, path, FLAGS, Mode::empty())?;
    let kind = match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
        FileType::RegularFile => return Ok(file.into()),
        FileType::Fifo if is_descriptor(path) => {
            // The process of the shell writes when it is ready.
            rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
            return Ok(file.into());
        }
        FileType::Fifo => "a named pipe",
        FileType::Directory => "a directory",
        _ => "a device",
    };
    Err(io::Error::other(format!("it is {kind}")))
}

/// Whether a path names a descriptor that this process inherited. A descriptor of another process counts as a named
/// pipe.
fn is_descriptor(path: &Path) -> bool {
    let own = format!("/proc/{}/fd", std::process::id());
    let is_own = |directory: &Path| ["/dev/fd", "/proc/self/fd", &own].iter().any(|own| directory == Path::new(own));
    path == Path::new("/dev/stdin") || path.parent().is_some_and(is_own)
}

/// Opens a file of any kind, without following a symbolic link.
///
/// # Errors [`Errno::LOOP`] for a symbolic link, or another error of the operating system.
pub fn open_no_follow(path: &Path) -> Result<File, Errno> {
    rustix::fs::openat(CWD, path, FLAGS | OFlags::NOFOLLOW, Mode::empty()).map(File::from)
}

/// Reads a whole file of at most `max` bytes.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] when it has more.
pub fn read(file: &File, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Allocates everything at once, with one byte to notice more: a growing buffer would leave copies of a secret.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
    file.take(max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {max} bytes")));
    }
    Ok(bytes)
}

/// The bytes after a byte order mark. Editors write one at the start of a file; it is not part of the text.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FileType, Mode, mknodat};

    use super::*;

    fn why(path: &Path) -> String {
        open(path).unwrap_err().to_string()
    }

    #[test]
    fn open_refuses_pipes_directories_and_devices_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(why(&pipe), "it is a named pipe");
        assert_eq!(why(directory.path()), "it is a directory");
        for device in ["/dev/zero", "/dev/null"] {
            assert_eq!(why(Path::new(device)), "it is a device");
        }
    }

    #[test]
    fn open_takes_only_pipes_of_this_process() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut other = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let (number, own) = (std::os::fd::AsRawFd::as_raw_fd(&reader), std::process::id());
        for directory in ["/dev/fd", "/proc/self/fd", &format!("/proc/{own}/fd")] {
            assert!(open(&Path::new(directory).join(number.to_string())).is_ok(), "{directory}");
        }
        let others = format!("/proc/{}/fd/0", other.id());
        for path in [&others, &format!("/proc/self/task/{own}/fd/{number}"), "/proc/self/../self/fd/0"] {
            assert!(!is_descriptor(Path::new(path)), "{path}");
        }
        let refused = open(Path::new(&others)).unwrap_err().to_string();
        drop((writer, other.stdin.take()));
        other.wait().unwrap();
        assert_eq!(refused, "it is a named pipe");
    }

    #[test]
    fn read_refuses_a_file_above_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for (bytes, fits) in [(0, true), (10, true), (11, false), (100_000, false)] {
            std::fs::write(&path, vec![b'a'; bytes]).unwrap();
            let read = read(&open(&path).unwrap(), 10);
            assert_eq!(read.map(|read| read.len()).map_err(|error| error.kind()).ok(), fits.then_some(bytes));
        }
        // A sparse file larger than memory.
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read(&open(&path).unwrap(), 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
