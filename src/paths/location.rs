//! Where a database is: a file, or an address on a server.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::{DatabaseUrl, PathError, resolve, unwrapped};

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseLocation {
    /// An absolute path. The links of its directory are resolved; the file may be missing.
    File(DatabaseFile),
    /// The address of a database on a server.
    Url(DatabaseUrl),
}

/// The path of a database file, with the name that the configuration file has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFile {
    path: PathBuf,
    name: Option<String>,
}

impl std::ops::Deref for DatabaseFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl<P: Into<PathBuf>> From<P> for DatabaseFile {
    fn from(path: P) -> Self {
        Self { path: path.into(), name: None }
    }
}

impl DatabaseLocation {
    /// Reads a location as users and ORMs write it: a path, `file:` or `sqlite:` before one, or the address of a
    /// server. SQLite never gets more than the path.
    ///
    /// # Errors
    /// [`PathError::Empty`], [`PathError::InMemory`], [`PathError::Unreachable`].
    pub fn parse(given: &Path) -> Result<Self, PathError> {
        Self::parse_in(Path::new(""), given)
    }

    /// As [`Self::parse`], with relative paths in a directory.
    pub(super) fn parse_in(directory: &Path, given: &Path) -> Result<Self, PathError> {
        let is_there = || directory.join(given).symlink_metadata().is_ok();
        let file = |path: &Path| Ok(Self::File(resolve(&directory.join(path))?.into()));
        if given.as_os_str().is_empty() {
            return Err(PathError::Empty);
        }
        let text = given.to_str().unwrap_or_default();
        // An address in quotes must not be shown as a path, with a password in it.
        let address = unwrapped(given).to_str().unwrap_or_default();
        match (file_of_url(text), DatabaseUrl::parse(address)) {
            // A file may have such a name.
            (Some(_), _) if is_there() => file(given),
            (Some(path), _) => file(Path::new(path?)),
            // So may a file have words for a name.
            (None, Some(_)) if !text.contains("://") && is_there() => file(given),
            (None, Some(url)) => Ok(Self::Url(url)),
            (None, None) => file(given),
        }
    }

    /// The path of a database file.
    ///
    /// # Errors
    /// [`PathError::NotAFile`] for a database on a server.
    pub fn file(&self) -> Result<&Path, PathError> {
        match self {
            Self::File(path) => Ok(path),
            Self::Url(url) => Err(PathError::NotAFile(url.clone())),
        }
    }

    /// The name of the database in the configuration file, if it was chosen by that.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::File(file) => file.name.as_deref(),
            Self::Url(url) => url.name.as_deref(),
        }
    }

    /// The same location, under a name of the configuration file.
    pub(super) fn with_name(self, name: &str) -> Self {
        let name = Some(name.to_owned());
        match self {
            Self::File(file) => Self::File(DatabaseFile { name, ..file }),
            Self::Url(url) => Self::Url(DatabaseUrl { name, ..url }),
        }
    }

    /// Whether nothing has the name of the database file.
    pub fn is_missing_file(&self) -> bool {
        self.file().is_ok_and(|path| path.symlink_metadata().is_err())
    }

    /// The location as [`Self::parse`] reads it, without a password and other parameters of an address.
    pub fn without_password(&self) -> OsString {
        match self {
            Self::File(file) => file.as_os_str().into(),
            Self::Url(url) => url.to_string().into(),
        }
    }

    /// Whether two locations are known to be one database.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// What tells databases apart: the path, or what [`DatabaseUrl::named`] sets, else the address as it is shown.
    pub(super) fn key(&self) -> OsString {
        match self {
            Self::Url(DatabaseUrl { key: Some(key), .. }) => key.into(),
            other => other.without_password(),
        }
    }

    /// The location as [`Self::parse`] reads it, a password included: for the environment of a child process,
    /// never for output.
    pub fn expose(&self) -> &OsStr {
        match self {
            Self::File(path) => path.as_os_str(),
            Self::Url(url) => url.text.as_ref(),
        }
    }
}

/// The path in the address of a file, as Prisma (`file:./dev.db`), libsql, Drizzle and others write it, without
/// parameters. `None` for another text.
fn file_of_url(text: &str) -> Option<Result<&str, PathError>> {
    let text = text.strip_prefix("libsql:").filter(|rest| rest.starts_with("file:")).unwrap_or(text);
    let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| matches!(*scheme, "file" | "sqlite"))?;
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let path = match rest.strip_prefix("//") {
        Some(local) if scheme == "file" => local.strip_prefix("localhost").filter(|path| path.starts_with('/')),
        _ => None,
    };
    let path = path.unwrap_or_else(|| rest.strip_prefix("//").unwrap_or(rest));
    Some(match path {
        "" => Err(PathError::Empty),
        _ if path == ":memory:" || parameters.split('&').any(|one| one == "mode=memory") => Err(PathError::InMemory),
        path => Ok(path),
    })
}

/// The path or the address. The alternate form has the name before it.
impl fmt::Display for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().filter(|_| f.alternate());
        name.map_or(Ok(()), |name| write!(f, "@{name} ("))?;
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => fmt::Display::fmt(url, f),
        }?;
        name.map_or(Ok(()), |_| f.write_str(")"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{session_key, url};
    use super::*;

    #[test]
    fn address_of_a_file_is_its_path() {
        let parse = |text: &str| DatabaseLocation::parse(Path::new(text));
        for (address, path) in [
            ("file:dev.db", "dev.db"),
            ("file:./dev.db?mode=rw&cache=shared", "dev.db"),
            ("file:/srv/app.db", "/srv/app.db"),
            ("file:///srv/app.db", "/srv/app.db"),
            ("file://localhost/srv/app.db", "/srv/app.db"),
            ("sqlite:dev.db", "dev.db"),
            ("sqlite://dev.db", "dev.db"),
            ("sqlite:///srv/app.db?mode=rwc", "/srv/app.db"),
            ("libsql:file:dev.db", "dev.db"),
        ] {
            assert_eq!(parse(address).unwrap(), parse(path).unwrap(), "{address}");
        }
        for memory in ["file::memory:", "file:x?mode=memory", "sqlite::memory:", "file:x?cache=shared&mode=memory"] {
            assert!(matches!(parse(memory), Err(PathError::InMemory)), "{memory}");
        }
        assert!(matches!(parse("file:"), Err(PathError::Empty)));
        for path in ["profile:dev.db", "libsql:dev.db", "files/dev.db"] {
            assert!(parse(path).unwrap().file().unwrap().ends_with(path), "{path}");
        }
    }

    #[test]
    fn address_is_shown_without_password_and_parameters() {
        for (address, shown) in [
            ("postgres://ada:s3cret@db.example.com:5432/app?sslmode=require", "postgres://ada@db.example.com:5432/app"),
            ("postgresql://ada@h1,h2/app", "postgresql://ada@h1,h2/app"),
            ("postgres://host/app?password=s3cret", "postgres://host/app"),
            ("postgres://ada:s3/c?r#e@t@host/app", "postgres://ada@host/app"),
            ("postgres://", "postgres://"),
            ("mysql://root:s3cret@db/app", "mysql://db/app"),
            ("libsql://app.turso.io?authToken=s3cret", "libsql://app.turso.io"),
            ("https://s3cret@db.example.com", "https://db.example.com"),
            ("jdbc:sqlserver://db:1433;password=s3cret", "jdbc:sqlserver://db:1433"),
            ("mongodb+srv://ada:s3cret@db/app", "mongodb+srv://db/app"),
        ] {
            let location = DatabaseLocation::parse(Path::new(address)).unwrap();
            assert_eq!(location.to_string(), shown);
            assert!(!format!("{location:?}").contains("s3"), "{location:?}");
            assert_eq!(location.expose(), address);
            assert!(location.file().is_err() && !location.is_missing_file());
        }
        let one = DatabaseLocation::parse(Path::new("postgres://ada:old@host/app")).unwrap();
        let other = DatabaseLocation::parse(Path::new("postgres://ada:new@host/app")).unwrap();
        assert_eq!(session_key(&one), session_key(&other));
    }

    #[test]
    fn slip_in_an_address_does_not_make_it_a_path() {
        for (address, shown) in [
            ("'postgres://ada:s3cret@db/app'", "postgres://ada@db/app"),
            (" postgres://ada:s3cret@db/app", "postgres://ada@db/app"),
            ("postgres:/ada:s3cret@db/app", "postgres://"),
            ("postgresql:ada:s3cret@db/app", "postgres://"),
            ("ada:s3cret@db.example.com/app", "postgres://"),
        ] {
            assert_eq!(DatabaseLocation::parse(Path::new(address)).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn words_of_an_address_are_no_path_and_not_shown() {
        for word in url::KEYWORDS {
            let address = format!("{word}=s3cret host=h");
            let location = DatabaseLocation::parse(Path::new(&address)).unwrap();
            assert_eq!((location.to_string().as_str(), location.expose()), ("postgres://", address.as_ref()), "{word}");
        }
        assert!(DatabaseLocation::parse(Path::new("name=x.db")).unwrap().file().unwrap().ends_with("name=x.db"));
    }
}
