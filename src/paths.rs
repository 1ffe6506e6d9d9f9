//! Paths: which database a command uses, and where sessions and state are kept. Opens no files.

mod location;
mod named;
mod url;

use std::ffi::OsStr;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use directories::BaseDirs;
use rustix::fs::Access;

use crate::auth::secret::digest;
pub use location::{DatabaseFile, DatabaseLocation};
pub use named::{ConfigError, ConfigProblem, NamedDatabase, NamedDatabases, name_of};
pub use url::DatabaseUrl;

/// The variables that determine paths, as read once by the context.
#[derive(Debug, Clone, Default)]
pub struct PathEnv {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `AUTHCTL_DB`.
    pub database: Option<PathBuf>,
}

/// What named the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseSource {
    /// `--db`.
    Flag,
    /// `AUTHCTL_DB`.
    Environment,
    /// Neither: the default path.
    Default,
}

impl DatabaseSource {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Default => "default",
        }
    }

    /// The word in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "--db",
            Self::Environment => "AUTHCTL_DB",
            Self::Default => "the default place",
        }
    }
}

/// The database that the flags and the environment name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabasePlace {
    pub location: DatabaseLocation,
    /// Who chose it.
    pub chosen_by: DatabaseSource,
    /// What the configuration file says of it, if it was chosen by name.
    pub named: Option<NamedDatabase>,
}

#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The home directory is unknown, and no variable replaces it.
    #[error("there is no home directory: HOME is not set to an absolute path")]
    NoHome {
        /// What to set instead.
        instead: &'static str,
    },
    /// `--db ''`.
    #[error("the path of the database is empty")]
    Empty,
    /// The address is that of a database in the memory of another process.
    #[error("the address names a database in memory, which only its own process can use")]
    InMemory,
    /// A command for database files was given a database on a server.
    #[error("{0} is a database on a server, and not a file")]
    NotAFile(DatabaseUrl),
    /// The address of a database on a server makes no sense.
    #[error("the address of the database cannot be used")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// `--db postgres://user:password@host`.
    #[error("the address has a password, which every process of this machine can read in the list of processes")]
    PasswordInArguments,
    /// The configuration file does not give the database that was named.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The working directory is gone, or a directory in the path cannot be searched.
    #[error("{} cannot be looked up", path.display())]
    Unreachable { path: PathBuf, source: io::Error },
}

/// Finds the database: the flag, else the environment, else the default path. `named` looks up a name that stands for
/// it.
///
/// # Errors
/// [`PathError`].
pub fn database(
    flag: Option<&Path>,
    env: &PathEnv,
    named: impl FnOnce(&str) -> Result<NamedDatabase, PathError>,
) -> Result<DatabasePlace, PathError> {
    let from_environment = env.database.as_deref().map(unwrapped).filter(|path| !path.as_os_str().is_empty());
    let (path, chosen_by) = if let Some(path) = flag {
        (path.to_owned(), DatabaseSource::Flag)
    } else if let Some(path) = from_environment {
        (path.to_owned(), DatabaseSource::Environment)
    } else {
        (data_directory(env)?.join("auth.db"), DatabaseSource::Default)
    };
    let named = name_of(&path).map(named).transpose()?;
    let location = match &named {
        Some(named) => named.location.clone(),
        None => DatabaseLocation::parse(&path)?,
    };
    Ok(DatabasePlace { location, chosen_by, named })
}

/// A path without blanks at its ends and without one pair of quotes around it, which a file of variables may have and
/// Docker's `--env-file` keeps. A file may have such a name.
fn unwrapped(path: &Path) -> &Path {
    let Some(text) = path.to_str().filter(|_| path.symlink_metadata().is_err()) else { return path };
    let text = text.trim();
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    Path::new(inner.unwrap_or(text).trim())
}

/// The directory of the default database.
fn data_directory(env: &PathEnv) -> Result<PathBuf, PathError> {
    let base = base_directory(env, env.data_home.as_deref(), ".local/share", "XDG_DATA_HOME, AUTHCTL_DB or --db")?;
    Ok(base.join("authctl"))
}

/// Refuses to let root write into a home directory of another user, which `sudo` may have left in `HOME`:
/// that user could not use what root makes there.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`], with the directory and its owner.
pub fn refuse_home_of_another(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let existing = directory.ancestors().find_map(|path| Some((path, path.metadata().ok()?)));
    match existing {
        Some((path, found)) if found.uid() != 0 => {
            let problem = format!(
                "{} belongs to user {}, and root runs this; run as that user, or set HOME to root's own",
                path.display(),
                found.uid()
            );
            Err(io::Error::new(io::ErrorKind::PermissionDenied, problem))
        }
        _ => Ok(()),
    }
}

/// Requires that this process may create files in a directory.
///
/// # Errors
/// An error of the operating system.
pub fn require_writable_directory(directory: &Path) -> io::Result<()> {
    // The dot makes a file an error.
    Ok(rustix::fs::access(directory.join("."), Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Creates a directory and its missing parents, private to their owner under any umask.
///
/// # Errors An error of the operating system, or that of [`refuse_home_of_another`].
pub fn make_private(directory: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = directory.ancestors().take_while(|path| path.symlink_metadata().is_err()).collect();
    if !missing.is_empty() {
        refuse_home_of_another(directory)?;
    }
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(path) {
            // A strict umask may have removed rights of the owner.
            Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(0o700))?,
            // Another process created it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The directory of authctl's configuration, where sessions are kept.
///
/// # Errors
/// [`PathError::NoHome`].
pub fn config_directory(env: &PathEnv) -> Result<PathBuf, PathError> {
    let base = base_directory(env, env.config_home.as_deref(), ".config", "XDG_CONFIG_HOME")?;
    Ok(base.join("authctl"))
}

/// The file with authctl's own data about an app's database: audit log, throttle and policy.
///
/// # Errors
/// [`PathError::NoHome`].
pub fn guest_state(env: &PathEnv, database: &OsStr) -> Result<PathBuf, PathError> {
    let base = base_directory(env, env.state_home.as_deref(), ".local/state", "XDG_STATE_HOME")?;
    Ok(base.join("authctl").join(format!("{}.db", session_key(&DatabaseLocation::File(Path::new(database).into())))))
}

/// A base directory of the XDG specification, on every Unix alike. As it requires, a relative path in the variable is
/// ignored.
fn base_directory(
    env: &PathEnv,
    variable: Option<&Path>,
    under_home: &str,
    instead: &'static str,
) -> Result<PathBuf, PathError> {
    if let Some(path) = variable.filter(|path| path.is_absolute()) {
        return Ok(path.to_owned());
    }
    // `BaseDirs` would fall back on the user database, and a job without HOME would write to an unexpected place.
    if env.home.as_deref().is_none_or(|home| !home.is_absolute()) {
        return Err(PathError::NoHome { instead });
    }
    let base = BaseDirs::new().ok_or(PathError::NoHome { instead })?;
    Ok(base.home_dir().join(under_home))
}

/// Makes a path absolute and resolves the links of its directory, so that each spelling of a path gives the same
/// name, before and after the directory exists.
///
/// # Errors
/// [`PathError::Unreachable`].
pub fn resolve(path: &Path) -> Result<PathBuf, PathError> {
    let unreachable = |source| PathError::Unreachable { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(unreachable)?;
    for existing in absolute.ancestors().skip(1) {
        match existing.canonicalize() {
            Ok(resolved) => {
                let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
                return Ok(resolved.join(rest));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(unreachable(error)),
        }
    }
    Ok(absolute)
}

/// The name of the session file of a database: a digest of its path, or of its address without password.
pub fn session_key(database: &DatabaseLocation) -> String {
    let mut key = digest(database.key().as_encoded_bytes());
    key.truncate(32);
    key
}

/// A path as one word of a POSIX shell.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> DatabaseLocation {
        DatabaseLocation::File(path.into())
    }

    fn unnamed(name: &str) -> Result<NamedDatabase, PathError> {
        unreachable!("{name}")
    }

    fn env(home: &str) -> PathEnv {
        PathEnv { home: Some(home.into()), ..PathEnv::default() }
    }

    #[test]
    fn flag_wins_over_environment_over_default() {
        let mut env = PathEnv { data_home: Some("/data".into()), ..PathEnv::default() };
        let default = database(None, &env, unnamed).unwrap();
        assert_eq!((default.location, default.chosen_by), (file("/data/authctl/auth.db"), DatabaseSource::Default));
        env.database = Some("/env/a.db".into());
        let environment = database(None, &env, unnamed).unwrap();
        assert_eq!((environment.location, environment.chosen_by), (file("/env/a.db"), DatabaseSource::Environment));
        let flag = database(Some(Path::new("/flag/a.db")), &env, unnamed).unwrap();
        assert_eq!((flag.location, flag.chosen_by), (file("/flag/a.db"), DatabaseSource::Flag));
    }

    #[test]
    fn empty_variable_is_ignored_and_empty_flag_is_an_error() {
        let env = PathEnv { database: Some("".into()), data_home: Some("/data".into()), ..PathEnv::default() };
        assert_eq!(database(None, &env, unnamed).unwrap().chosen_by, DatabaseSource::Default);
        assert!(matches!(database(Some(Path::new("")), &env, unnamed), Err(PathError::Empty)));
    }

    #[test]
    fn variable_may_have_blanks_and_quotes_around_it() {
        for (value, path) in [
            ("/a.db ", "/a.db"),
            ("\"/a.db\"", "/a.db"),
            (" 'file:/a.db'\r\n", "/a.db"),
            ("\"/a b.db \"", "/a b.db"),
            ("/it's 'a'.db", "/it's 'a'.db"),
            ("'/a.db", &format!("{}/'/a.db", std::env::current_dir().unwrap().display())),
        ] {
            let env = PathEnv { database: Some(value.into()), ..PathEnv::default() };
            assert_eq!(database(None, &env, unnamed).unwrap().location, file(path), "{value}");
        }
        let empty = PathEnv { database: Some("\"\"".into()), ..env("/home/ada") };
        assert_eq!(database(None, &empty, unnamed).unwrap().chosen_by, DatabaseSource::Default);
    }

    #[test]
    fn missing_home_is_an_error() {
        for home in [env(""), env("relative/home"), PathEnv::default()] {
            assert!(matches!(database(None, &home, unnamed), Err(PathError::NoHome { .. })), "{home:?}");
            assert!(matches!(config_directory(&home), Err(PathError::NoHome { .. })), "{home:?}");
        }
        let relative = PathEnv { config_home: Some("rel".into()), ..PathEnv::default() };
        assert!(matches!(config_directory(&relative), Err(PathError::NoHome { .. })));
    }

    #[test]
    fn path_is_never_a_uri_or_memory() {
        let env = PathEnv::default();
        for name in [":memory:", "x?vfs=unix-none"] {
            let place = database(Some(Path::new(name)), &env, unnamed).unwrap();
            let path = place.location.file().unwrap();
            assert!(path.is_absolute() && path.ends_with(name), "{place:?}");
        }
    }

    #[test]
    fn session_key_does_not_depend_on_the_spelling() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, directory.path().join("link")).unwrap();
        let key = |path: PathBuf| session_key(&database(Some(&path), &PathEnv::default(), unnamed).unwrap().location);
        assert_eq!(key(real.join("a.db")), key(directory.path().join("link/./a.db")));
        let early = key(directory.path().join("link/new/a.db"));
        std::fs::create_dir(real.join("new")).unwrap();
        assert_eq!(key(directory.path().join("link/new/a.db")), early, "before and after it is made");
        assert_ne!(key(real.join("a.db")), key(real.join("b.db")));
    }

    #[test]
    fn shell_reads_a_quoted_path_as_it_was() {
        for path in ["/a b/c", "it's", "$(x) `y` \\ \"z\"", "line\nbreak", "''"] {
            let script = format!("printf %s {}", quoted(Path::new(path)));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), path);
        }
    }
}
