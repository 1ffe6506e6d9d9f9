//! Places: which database is meant, and where sessions are kept. Knows names, opens nothing.

use std::ffi::OsStr;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// What the environment says about places, as read once by the context.
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

/// Who chose the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseSource {
    /// `--db`.
    Flag,
    /// `AUTHCTL_DB`.
    Environment,
    /// Nobody: the default place.
    Default,
}

impl DatabaseSource {
    /// How a program would name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Default => "default",
        }
    }

    /// How a person would name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "--db",
            Self::Environment => "AUTHCTL_DB",
            Self::Default => "the default place",
        }
    }
}

/// The database that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabasePlace {
    /// Absolute path; the directory's links are resolved, the file itself may be missing.
    pub path: PathBuf,
    /// Who chose it.
    pub chosen_by: DatabaseSource,
}

/// Why there is no place.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// Neither a home directory nor the variable that would replace it.
    #[error("there is no home directory: HOME is not set to an absolute path")]
    NoHome {
        /// What to set instead.
        instead: &'static str,
    },
    /// `--db ''`.
    #[error("the path of the database is empty")]
    Empty,
    /// The working directory is gone, or a directory on the way cannot be entered.
    #[error("{} cannot be looked up", path.display())]
    Unreachable {
        /// As given.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Finds the database: the flag, else the environment, else the default place.
///
/// # Errors
/// [`PathError`].
pub fn database(flag: Option<&Path>, env: &PathEnv) -> Result<DatabasePlace, PathError> {
    let from_environment = env.database.as_deref().filter(|path| !path.as_os_str().is_empty());
    let (path, chosen_by) = if let Some(path) = flag {
        (path.to_owned(), DatabaseSource::Flag)
    } else if let Some(path) = from_environment {
        (path.to_owned(), DatabaseSource::Environment)
    } else {
        (data_directory(env)?.join("auth.db"), DatabaseSource::Default)
    };
    if path.as_os_str().is_empty() {
        return Err(PathError::Empty);
    }
    Ok(DatabasePlace { path: resolve(&path)?, chosen_by })
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

/// Makes a directory and those above it that are missing, private to their owner under any umask.
///
/// # Errors
/// Whatever the operating system said; [`refuse_home_of_another`].
pub fn make_private(directory: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = directory.ancestors().take_while(|path| path.symlink_metadata().is_err()).collect();
    if !missing.is_empty() {
        refuse_home_of_another(directory)?;
    }
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(path) {
            // A strange umask may have taken rights away.
            Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(0o700))?,
            // Another process was faster.
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

/// The file in which authctl keeps what is its own about an app's database: log, attempts, rules.
///
/// # Errors
/// [`PathError::NoHome`].
pub fn guest_state(env: &PathEnv, database: &Path) -> Result<PathBuf, PathError> {
    let base = base_directory(env, env.state_home.as_deref(), ".local/state", "XDG_STATE_HOME")?;
    Ok(base.join("authctl").join(format!("{}.db", session_key(database))))
}

/// A base directory of the XDG specification, on every Unix alike. As it asks, a relative path in
/// the variable is as good as none.
fn base_directory(
    env: &PathEnv,
    variable: Option<&Path>,
    under_home: &str,
    instead: &'static str,
) -> Result<PathBuf, PathError> {
    if let Some(path) = variable.filter(|path| path.is_absolute()) {
        return Ok(path.to_owned());
    }
    // The entry in the user list that `BaseDirs` falls back on is not taken without a word: a job
    // that lost its HOME would write where nobody looks.
    if env.home.as_deref().is_none_or(|home| !home.is_absolute()) {
        return Err(PathError::NoHome { instead });
    }
    let base = BaseDirs::new().ok_or(PathError::NoHome { instead })?;
    Ok(base.home_dir().join(under_home))
}

/// Makes a path absolute and resolves the links of its directory, so that one database has one
/// name however it is spelled, and before and after its directory is made.
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

/// The name under which the session for a database is kept: a digest of its path.
pub fn session_key(database: &Path) -> String {
    let bytes = OsStr::as_encoded_bytes(database.as_os_str());
    let mut key = crate::auth::secret::digest(bytes);
    key.truncate(32);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(home: &str) -> PathEnv {
        PathEnv { home: Some(home.into()), ..PathEnv::default() }
    }

    #[test]
    fn the_flag_wins_over_the_environment_and_the_environment_over_the_default() {
        let mut env = PathEnv { data_home: Some("/data".into()), ..PathEnv::default() };
        let default = database(None, &env).unwrap();
        assert_eq!((default.path, default.chosen_by), ("/data/authctl/auth.db".into(), DatabaseSource::Default));
        env.database = Some("/env/a.db".into());
        let environment = database(None, &env).unwrap();
        assert_eq!((environment.path, environment.chosen_by), ("/env/a.db".into(), DatabaseSource::Environment));
        let flag = database(Some(Path::new("/flag/a.db")), &env).unwrap();
        assert_eq!((flag.path, flag.chosen_by), ("/flag/a.db".into(), DatabaseSource::Flag));
    }

    #[test]
    fn an_empty_variable_is_no_choice_and_an_empty_flag_is_a_mistake() {
        let env = PathEnv { database: Some("".into()), data_home: Some("/data".into()), ..PathEnv::default() };
        assert_eq!(database(None, &env).unwrap().chosen_by, DatabaseSource::Default);
        assert!(matches!(database(Some(Path::new("")), &env), Err(PathError::Empty)));
    }

    #[test]
    fn without_a_home_nothing_is_kept_in_the_working_directory() {
        for home in [env(""), env("relative/home"), PathEnv::default()] {
            assert!(matches!(database(None, &home), Err(PathError::NoHome { .. })), "{home:?}");
            assert!(matches!(config_directory(&home), Err(PathError::NoHome { .. })), "{home:?}");
        }
        let relative = PathEnv { config_home: Some("rel".into()), ..PathEnv::default() };
        assert!(matches!(config_directory(&relative), Err(PathError::NoHome { .. })));
    }

    #[test]
    fn a_path_is_never_read_as_a_uri_or_as_memory() {
        let env = PathEnv::default();
        for name in [":memory:", "file:x?mode=memory", "x?vfs=unix-none"] {
            let place = database(Some(Path::new(name)), &env).unwrap();
            assert!(place.path.is_absolute() && place.path.ends_with(name), "{place:?}");
        }
    }

    #[test]
    fn one_database_has_one_key_however_it_is_spelled() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, directory.path().join("link")).unwrap();
        let key = |path: PathBuf| session_key(&database(Some(&path), &PathEnv::default()).unwrap().path);
        assert_eq!(key(real.join("a.db")), key(directory.path().join("link/./a.db")));
        let early = key(directory.path().join("link/new/a.db"));
        std::fs::create_dir(real.join("new")).unwrap();
        assert_eq!(key(directory.path().join("link/new/a.db")), early, "before and after it is made");
        assert_ne!(key(real.join("a.db")), key(real.join("b.db")));
    }
}
