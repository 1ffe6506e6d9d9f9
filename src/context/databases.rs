//! The databases that the configuration file names (`--db @prod`). The file is read only for a name.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Context;
use crate::input_file;
use crate::paths::{self, ConfigError, ConfigProblem, DatabaseLocation, NamedDatabase, NamedDatabases, PathError};

/// Larger than any useful configuration file.
const CONFIG_BYTES_MAX: usize = 256 * 1024;

impl Context {
    /// The databases of the configuration file, and its path. A file that does not exist names none.
    ///
    /// # Errors
    /// [`PathError::Config`], [`PathError::NoHome`].
    pub fn named_databases(&self) -> Result<(PathBuf, Vec<NamedDatabase>), PathError> {
        let path = paths::config_directory(&self.environment.places)?.join("config.toml");
        let read = self.read_config(&path).map_err(|problem| config_error(&path, problem))?;
        let mut databases = read.unwrap_or_default().0;
        for one in &mut databases {
            one.location = self.named(one.location.clone(), false)?;
        }
        Ok((path, databases))
    }

    /// Looks up a name.
    ///
    /// # Errors
    /// As for [`Self::named_databases`].
    pub(super) fn find_database(&self, name: &str) -> Result<NamedDatabase, PathError> {
        let path = paths::config_directory(&self.environment.places)?.join("config.toml");
        let found = self.read_config(&path).and_then(|databases| match databases {
            Some(databases) => databases.find(name),
            None => Err(ConfigProblem::Missing { name: name.to_owned() }),
        });
        found.map_err(|problem| config_error(&path, problem))
    }

    /// The schema file of the command: the flag, else that of the named database, else the variable.
    pub(super) fn schema_file(&self) -> Option<PathBuf> {
        let of_name = || self.database().ok()?.named?.schema;
        self.options.schema.clone().or_else(of_name).or_else(|| self.environment.schema.clone())
    }

    /// Warns about a password in a configuration file that other users may read.
    pub(super) fn open_config(&self) -> Option<String> {
        let named = self.place.get()?.named.as_ref()?;
        let path = named.readable_config.as_ref()?;
        let DatabaseLocation::Url(url) = &named.location else { return None };
        let has_password = self.address(url).ok()??.has_password_in_text();
        has_password.then(|| {
            format!("others may read {}, which has the password of @{}: chmod 600 it", path.display(), named.name)
        })
    }

    fn read_config(&self, path: &Path) -> Result<Option<NamedDatabases>, ConfigProblem> {
        let file = match input_file::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(ConfigProblem::Unreadable)?,
        };
        let is_readable = require_own(path, &file)?;
        let bytes = input_file::read(&file, CONFIG_BYTES_MAX).map_err(ConfigProblem::Unreadable)?;
        let text = std::str::from_utf8(input_file::without_bom(&bytes))
            .map_err(|_| ConfigProblem::Text { line: None, problem: "it is not UTF-8".to_owned() })?;
        let mut databases = NamedDatabases::parse(text, path, &self.environment.places)?;
        for one in databases.0.iter_mut().filter(|_| is_readable) {
            one.readable_config = Some(path.to_owned());
        }
        Ok(Some(databases))
    }
}

fn config_error(path: &Path, problem: ConfigProblem) -> PathError {
    PathError::Config(Box::new(ConfigError { path: path.to_owned(), problem }))
}

/// Requires that only this user and root can change the file: who changes it chooses the database that commands write
/// to. Returns whether others can read it.
fn require_own(path: &Path, file: &File) -> Result<bool, ConfigProblem> {
    let found = file.metadata().map_err(ConfigProblem::Unreadable)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let around = directory.metadata().map_err(ConfigProblem::Unreadable)?;
    for (what, path, of) in [("it", path, &found), ("its directory", directory, &around)] {
        let insecure = |problem: String, remedy: String| Err(ConfigProblem::Insecure { problem, remedy });
        if of.uid() != 0 && of.uid() != rustix::process::geteuid().as_raw() {
            return insecure(
                format!("{what} belongs to user {}", of.uid()),
                format!("make a file of your own: {} must belong to you", path.display()),
            );
        }
        if of.mode() & 0o022 != 0 {
            return insecure(format!("others can write to {what}"), format!("chmod go-w {}", paths::quoted(path)));
        }
    }
    Ok(found.mode() & 0o044 != 0)
}
