//! Reads the files of libpq: `~/.pgpass` and `pg_service.conf`.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::input_file;
use crate::store::postgres::{LibpqFile, LibpqFiles};

/// The largest file, in bytes.
const BYTES_MAX: usize = 256 << 10;

/// The files of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemFiles;

impl LibpqFiles for SystemFiles {
    fn read(&self, path: &Path) -> io::Result<LibpqFile> {
        let file = input_file::open(path)?;
        let mode = file.metadata()?.permissions().mode() & 0o7777;
        let bytes = input_file::read(&file, BYTES_MAX)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not valid UTF-8"))?;
        Ok(LibpqFile { text: Zeroizing::new(text.to_owned()), mode })
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::postgres::{Address, Libpq, LibpqEnv};

    #[test]
    fn password_comes_from_a_private_file_in_the_home() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".pgpass");
        let env = LibpqEnv { os_user: || Some("me".into()), home: Some(home.path().into()), ..LibpqEnv::default() };
        let found = || {
            let address = Address::parse("postgres://h", &Libpq { env: &env, files: &SystemFiles }).unwrap();
            (address.hosts()[0].password.is_some(), address.notices().len())
        };
        assert_eq!(found(), (false, 0));
        fs::write(&path, "*:*:*:*:secret\n").unwrap();
        for (mode, expected) in [(0o644, (false, 1)), (0o600, (true, 0))] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(found(), expected, "{mode:o}");
        }
        fs::write(&path, b"*:*:*:*:\xff\n").unwrap();
        assert_eq!(found(), (false, 1));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(found(), (false, 1), "a directory is reported");
    }
}
