//! What libpq reads from outside, as values.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::settings;

/// The environment of a client, as read once by the context.
#[derive(Clone)]
pub struct LibpqEnv {
    /// The variables that [`Self::is_read`] names. An empty variable counts as unset.
    pub variables: Vec<(String, Zeroizing<String>)>,
    /// Looks up the name of the operating system's user, for an address that names none: the directory of users may be on
    /// another machine.
    pub os_user: fn() -> Option<String>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

impl LibpqEnv {
    /// Whether a variable is one of libpq's that authctl reads.
    pub fn is_read(name: &str) -> bool {
        settings::is_variable(name)
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let mut texts = self.variables.iter().filter(|(known, _)| known == name).map(|(_, text)| text.as_str());
        texts.next().filter(|text| !text.is_empty())
    }

    /// A path in the home directory.
    pub(super) fn in_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_deref().filter(|home| home.is_absolute()).map(|home| home.join(path))
    }
}

/// An empty environment, in which the user has no name.
impl Default for LibpqEnv {
    fn default() -> Self {
        Self { variables: Vec::new(), os_user: || None, home: None }
    }
}

/// Without the values, one of which may be a password.
impl fmt::Debug for LibpqEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// A file as read.
#[derive(Clone)]
pub struct LibpqFile {
    pub text: Zeroizing<String>,
    /// The permission bits.
    pub mode: u32,
}

/// Reads files for [`super::Address::parse`].
pub trait LibpqFiles {
    /// Reads a small text file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for a missing file; another kind for anything that is not a readable text file.
    fn read(&self, path: &Path) -> io::Result<LibpqFile>;

    /// Whether a path names anything.
    fn exists(&self, path: &Path) -> bool;
}

/// Everything outside the text of an address that decides what the address means.
#[derive(Clone, Copy)]
pub struct Libpq<'a> {
    pub env: &'a LibpqEnv,
    pub files: &'a dyn LibpqFiles,
}
