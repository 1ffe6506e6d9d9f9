//! The file of keys that encrypt the secrets of second factors: a key in each line, the one for new secrets first. It is
//! never in the directory of a database, so that a copy of that gives no secret.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Environment;
use crate::auth::second_factor::{FactorKey, FactorKeys, SealError};
use crate::auth::secret::Entropy;
use crate::input_file;
use crate::paths;

/// Far more keys than any change of them leaves.
const BYTES_MAX: usize = 64 * 1024;

/// The file of keys, or why it has no place.
#[derive(Debug)]
pub(super) struct KeyFile(Result<PathBuf, String>);

impl KeyFile {
    /// `AUTHCTL_KEY_FILE`, else a file in the directory of authctl's state.
    pub(super) fn of(environment: &Environment) -> Self {
        let named = environment.key_file.clone().map(Ok);
        // Beside the states of apps.
        let default = || match paths::guest_state(&environment.places, OsStr::new("")) {
            Ok(state) => Ok(state.with_file_name("keys").join("second-factors")),
            Err(no_home) => Err(no_home.to_string()),
        };
        Self(named.unwrap_or_else(default))
    }

    fn path(&self) -> Result<&Path, SealError> {
        self.0.as_deref().map_err(|problem| SealError::Key {
            place: "the directory of authctl's state".to_owned(),
            problem: problem.clone(),
        })
    }

    /// Reads the keys. An absent file has none.
    fn read(path: &Path) -> io::Result<Vec<FactorKey>> {
        // A link is followed, because a secret that a container mounts is one.
        let file = match input_file::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if file.metadata()?.mode() & 0o077 != 0 {
            return Err(io::Error::other("others can read it; `chmod 600` makes it private"));
        }
        let bytes = input_file::read(&file, BYTES_MAX)?;
        let text = std::str::from_utf8(input_file::without_bom(&bytes)).map_err(io::Error::other)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Option<Vec<FactorKey>> = lines.map(FactorKey::from_text).collect();
        let keys = keys.ok_or_else(|| io::Error::other("a line is not a key of 64 hexadecimal digits"))?;
        if keys.is_empty() { Err(io::Error::other("it has no key")) } else { Ok(keys) }
    }

    /// Makes the file with a new key. Of two processes at once, one makes it, and both get that key.
    fn make(path: &Path, entropy: &mut Entropy) -> io::Result<FactorKey> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        paths::make_private(directory)?;
        let key = FactorKey::generate(entropy).map_err(io::Error::other)?;
        let part = directory.join(format!(".{}.part", entropy.id().map_err(io::Error::other)?));
        let written = write_private(&part, &Zeroizing::new(format!("{}\n", *key.to_text())));
        // A link does not replace the file of another process, and the file is complete when it gets its name.
        let linked = written.and_then(|()| std::fs::hard_link(&part, path));
        let _ = std::fs::remove_file(&part);
        match linked {
            Ok(()) => {
                File::open(directory)?.sync_all()?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let keys = Self::read(path)?;
                keys.into_iter().next().ok_or_else(|| io::Error::other("it has no key"))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts a new key before those of the file, or makes the file. Of two processes at once, each adds a key.
    fn put_first(path: &Path, entropy: &mut Entropy) -> io::Result<FactorKey> {
        // A link stays one.
        let path = match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::make(path, entropy),
            found => found?,
        };
        let directory = File::open(path.parent().unwrap_or(Path::new("/")))?;
        directory.lock()?;
        let keys = Self::read(&path)?;
        let key = FactorKey::generate(entropy).map_err(io::Error::other)?;
        let mut text = Zeroizing::new(String::with_capacity((keys.len() + 1) * (key.to_text().len() + 1)));
        for key in std::iter::once(&key).chain(&keys) {
            text.push_str(&key.to_text());
            text.push('\n');
        }
        let part = path.with_file_name(format!(".{}.part", entropy.id().map_err(io::Error::other)?));
        let renamed = write_private(&part, &text).and_then(|()| std::fs::rename(&part, &path));
        if let Err(error) = renamed {
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
        directory.sync_all()?;
        Ok(key)
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The error about the file at a path.
fn failed(path: &Path, error: &io::Error) -> SealError {
    SealError::Key { place: path.display().to_string(), problem: error.to_string() }
}

impl FactorKeys for KeyFile {
    fn current(&self, entropy: &mut Entropy) -> Result<FactorKey, SealError> {
        let path = self.path()?;
        let keys = Self::read(path).map_err(|error| failed(path, &error))?;
        match keys.into_iter().next() {
            Some(key) => Ok(key),
            None => Self::make(path, entropy).map_err(|error| failed(path, &error)),
        }
    }

    fn add(&self, entropy: &mut Entropy) -> Result<FactorKey, SealError> {
        let path = self.path()?;
        Self::put_first(path, entropy).map_err(|error| failed(path, &error))
    }

    fn place(&self) -> String {
        match &self.0 {
            Ok(path) => path.display().to_string(),
            Err(problem) => problem.clone(),
        }
    }

    fn find(&self, name: &str) -> Result<FactorKey, SealError> {
        let path = self.path()?;
        let keys = Self::read(path).map_err(|error| failed(path, &error))?;
        let found = keys.into_iter().find(|key| key.name() == name);
        found.ok_or_else(|| SealError::NoKey { name: name.to_owned(), place: path.display().to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::auth::fixtures::entropy;

    #[test]
    fn key_is_made_once_in_a_private_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("authctl/keys/second-factors");
        let file = KeyFile(Ok(path.clone()));
        assert!(matches!(file.find("0"), Err(SealError::NoKey { .. })));
        let made = file.current(&mut entropy(1)).unwrap();
        assert_eq!(file.current(&mut entropy(2)).unwrap().name(), made.name());
        assert_eq!(file.find(&made.name()).unwrap().to_text(), made.to_text());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1, "no part is left");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(file.find(&made.name()).unwrap_err().to_string().contains("others can read it"));
    }

    #[test]
    fn first_key_encrypts_and_every_key_decrypts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let keys: Vec<FactorKey> = (1..3).map(|seed| FactorKey::generate(&mut entropy(seed)).unwrap()).collect();
        write_private(&path, &format!("{}\n\n{}", *keys[0].to_text(), *keys[1].to_text())).unwrap();
        let file = KeyFile(Ok(path.clone()));
        assert_eq!(file.current(&mut entropy(9)).unwrap().name(), keys[0].name());
        assert_eq!(file.find(&keys[1].name()).unwrap().to_text(), keys[1].to_text());
        for text in ["", "\n", "not a key\n", "00\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(file.current(&mut entropy(9)), Err(SealError::Key { .. })), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "it is not replaced");
        }
    }

    #[test]
    fn processes_that_make_the_file_at_once_get_one_key() {
        let directory = tempfile::tempdir().unwrap();
        for round in 0..20_u8 {
            let path = directory.path().join(round.to_string());
            let names: Vec<String> = std::thread::scope(|scope| {
                let make = |seed: u8| {
                    let file = KeyFile(Ok(path.clone()));
                    move || file.current(&mut entropy(seed)).unwrap().name()
                };
                let threads: Vec<_> = (1..5).map(|seed| scope.spawn(make(seed))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
        }
    }

    #[test]
    fn added_key_goes_first_and_the_others_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let file = KeyFile(Ok(path.clone()));
        let first = file.current(&mut entropy(1)).unwrap();
        let names: Vec<String> = std::thread::scope(|scope| {
            let add = |seed: u8| {
                let file = KeyFile(Ok(link.clone()));
                move || file.add(&mut entropy(seed)).unwrap().name()
            };
            let threads: Vec<_> = (2..6).map(|seed| scope.spawn(add(seed))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(names.contains(&file.current(&mut entropy(9)).unwrap().name()));
        for name in names.iter().chain([&first.name()]) {
            assert_eq!(file.find(name).unwrap().name(), *name);
        }
        assert!(link.is_symlink() && path.metadata().unwrap().mode() & 0o777 == 0o600);
        assert_eq!(directory.path().read_dir().unwrap().count(), 2, "no part is left");
    }

    #[test]
    fn without_a_place_there_is_no_key() {
        let file = KeyFile(Err("HOME is not set".into()));
        assert!(matches!(file.current(&mut entropy(1)), Err(SealError::Key { .. })));
    }
}
