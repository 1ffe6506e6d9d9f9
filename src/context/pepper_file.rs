//! The file of peppers beside a database: one per line, after the name that the hashes have for it. A stolen database
//! does not hold them.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::auth::password::{HashError, Peppers};
use crate::auth::secret::{Entropy, Pepper};
use crate::input_file;
use crate::paths::{self, DatabaseLocation, PathEnv};

const BYTES_MAX: usize = 64 * 1024;
/// Room for 62 to the power of 16 names.
const NAME_CHARS: usize = 16;

/// The file of peppers of one database; without a path where none can be.
#[derive(Debug, Default)]
pub(super) struct PepperFile(Option<PathBuf>);

impl PepperFile {
    /// Beside a database file, and with the states of apps for a database on a server.
    pub(super) fn of(places: &PathEnv, database: &DatabaseLocation) -> Self {
        Self(match database {
            DatabaseLocation::File(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(".pepper");
                Some(name.into())
            }
            DatabaseLocation::Url(_) => {
                let state = paths::guest_state(places, &database.without_password());
                state.ok().map(|state| state.with_extension("pepper"))
            }
        })
    }

    /// Reads the file; an absent one is empty.
    fn read(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let Some(path) = &self.0 else { return Ok(Zeroizing::default()) };
        let file = match input_file::open_no_follow(path) {
            Ok(file) => file,
            Err(rustix::io::Errno::NOENT) => return Ok(Zeroizing::default()),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.mode() & 0o077 != 0 {
            return Err(io::Error::other("others can read it; `chmod 600` makes it private"));
        }
        input_file::read(&file, BYTES_MAX)
    }

    /// Adds a pepper, if it is not there. Returns its name.
    ///
    /// # Errors
    /// If the file cannot be written, or without random bytes.
    pub(super) fn add(&self, pepper: &Pepper, entropy: &mut Entropy) -> io::Result<String> {
        let text = pepper.expose();
        if text.contains('\n') {
            return Err(io::Error::other("a pepper is one line"));
        }
        let known = self.read()?;
        if let Some((name, _)) = lines(&known).find(|(_, known)| *known == text) {
            return Ok(name.to_owned());
        }
        let path = self.0.as_ref().ok_or_else(|| io::Error::other("there is no place for it: HOME is not set"))?;
        if let Some(directory) = path.parent() {
            paths::make_private(directory)?;
        }
        let mut name = entropy.id().map_err(io::Error::other)?;
        name.truncate(NAME_CHARS);
        let line = Zeroizing::new(format!("{name} {text}\n"));
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        Ok(name)
    }
}

/// Names and peppers of the lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    std::str::from_utf8(bytes).unwrap_or_default().lines().filter_map(|line| line.split_once(' '))
}

impl Peppers for PepperFile {
    fn find(&self, name: &str) -> Result<Pepper, HashError> {
        let place = self.0.as_deref().unwrap_or(std::path::Path::new("")).display();
        let failed = |problem: String| HashError::Failed(format!("the pepper {name} in {place}: {problem}"));
        let bytes = self.read().map_err(|error| failed(error.to_string()))?;
        let found = lines(&bytes).find(|(known, _)| *known == name);
        let (_, pepper) = found.ok_or_else(|| failed("it is not there".to_owned()))?;
        Pepper::from_bytes(pepper.as_bytes()).map_err(|error| failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::auth::fixtures::entropy;

    #[test]
    fn pepper_is_kept_once_in_a_private_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("auth.db.pepper");
        let (file, mut entropy) = (PepperFile(Some(path.clone())), entropy(1));
        let pepper = |text: &str| Pepper::from_bytes(text.as_bytes()).unwrap();
        let first = file.add(&pepper("salt and pepper"), &mut entropy).unwrap();
        let second = file.add(&pepper("chili"), &mut entropy).unwrap();
        assert_eq!(file.add(&pepper("salt and pepper"), &mut entropy).unwrap(), first);
        assert_eq!(file.find(&first).unwrap().expose(), "salt and pepper");
        assert_eq!(file.find(&second).unwrap().expose(), "chili");
        assert!(file.find("x").is_err() && file.add(&pepper("a\nb"), &mut entropy).is_err());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(file.find(&first).unwrap_err().to_string().contains("others can read it"));
    }

    #[test]
    fn absent_file_has_no_peppers() {
        let directory = tempfile::tempdir().unwrap();
        for path in [None, Some(directory.path().join("none"))] {
            assert!(PepperFile(path).find("x").is_err());
        }
    }
}
