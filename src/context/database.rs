//! The database that is meant: where it is, and the rules at work on it, opened when they are first asked
//! for.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Context;
use crate::auth::Auth;
use crate::auth::policy::Policy;
use crate::auth::storage::Store;
use crate::input_file;
use crate::paths::{self, DatabaseLocation, DatabasePlace, DatabaseSource, PathEnv, PathError};
use crate::store::sqlite::{self, Adapter, Opened};
use crate::store::{OpenError, SchemaOverrides, SqlStore};

/// Far more than hints about every column need.
const SCHEMA_FILE_BYTES_MAX: usize = 64 * 1024;

/// Why a file of hints about a schema is of no use.
#[derive(Debug, thiserror::Error)]
#[error("the schema file {} cannot be used: {problem}", path.display())]
pub struct SchemaFileError {
    path: PathBuf,
    problem: String,
}

/// Reads a file of hints.
fn hints(path: &Path) -> Result<SchemaOverrides, SchemaFileError> {
    let parsed = input_file::open(path)
        .and_then(|file| input_file::read(&file, SCHEMA_FILE_BYTES_MAX))
        .map_err(|error| error.to_string())
        .and_then(|bytes| SchemaOverrides::parse(std::str::from_utf8(&bytes).map_err(|error| error.to_string())?));
    parsed.map_err(|problem| SchemaFileError { path: path.to_owned(), problem })
}

impl Context {
    /// The database that is meant.
    pub fn database(&self) -> Result<DatabasePlace, PathError> {
        if let Some(place) = self.place.get() {
            return Ok(place.clone());
        }
        let place = paths::database(self.options.database.as_deref(), &self.environment.places)?;
        Ok(self.place.get_or_init(|| place).clone())
    }

    /// The path of the database that is meant.
    ///
    /// # Errors
    /// [`PathError::NotAFile`] when it is on a server.
    pub fn database_file(&self) -> Result<PathBuf, PathError> {
        Ok(self.database()?.location.file()?.to_owned())
    }

    /// The default database, when it exists and `AUTHCTL_DB` names another one.
    pub fn shadowed_database(&self) -> Option<PathBuf> {
        let meant = self.database().ok().filter(|place| place.chosen_by == DatabaseSource::Environment)?;
        let env = PathEnv { database: None, ..self.environment.places.clone() };
        let default = paths::database(None, &env).ok()?.location;
        let path = default.file().ok().filter(|path| path.exists())?;
        (default != meant.location).then(|| path.to_owned())
    }

    /// The rules at work on the database that is meant, which must exist.
    pub fn auth(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let mut opened = self.open()?;
            self.policy = opened.policy()?;
            self.store = Some(opened);
        }
        self.at_work()
    }

    /// Whether the database that is open belongs to an app.
    pub fn is_guest(&self) -> bool {
        self.store.as_deref().is_some_and(|store| store.app().is_some())
    }

    /// As [`Context::auth`], to fix an invalid policy: what is wrong with it counts
    /// for nothing.
    pub fn auth_under_any_policy(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let mut opened = self.open()?;
            (self.policy, _) = Policy::sound(&opened.settings()?);
            self.store = Some(opened);
        }
        self.at_work()
    }

    fn open(&self) -> anyhow::Result<Box<dyn Store>> {
        let place = self.database()?;
        // Before a migration is applied, which is dated too.
        let acting = self.acting()?;
        let mut opened = self
            .open_at(&place.location)
            .with_context(|| format!("could not open the database ({})", place.chosen_by.as_str()))?;
        opened.act_as(acting);
        Ok(Box::new(opened))
    }

    fn at_work(&mut self) -> anyhow::Result<Auth<'_>> {
        let now = self.now()?;
        let store = self.store.as_deref_mut().context("the store is not open")?;
        Ok(Auth { store, policy: &self.policy, now, entropy: &mut self.entropy })
    }

    fn open_at(&self, location: &DatabaseLocation) -> anyhow::Result<SqlStore> {
        match location {
            DatabaseLocation::File(path) => self.open_file(path),
            DatabaseLocation::Url(url) => Err(OpenError::NoEngine(url.to_string()).into()),
        }
    }

    /// Opens a database of our own, or an app's with our own state beside it.
    fn open_file(&self, path: &Path) -> anyhow::Result<SqlStore> {
        let hints = match self.options.schema.as_deref().or(self.environment.schema.as_deref()) {
            None => SchemaOverrides::default(),
            Some(file) => hints(file)?,
        };
        match sqlite::open(path, self.options.wait, &hints)? {
            Opened::Own(store) => Ok(store),
            Opened::App(app) => {
                let state = paths::guest_state(&self.environment.places, path)?;
                let directory = state.parent().unwrap_or(Path::new("/"));
                paths::make_private(directory)
                    .map_err(|source| OpenError::CannotCreate { path: state.clone(), source })?;
                app.with_state(&state).context("could not open what authctl keeps about this app's database")
            }
        }
    }

    /// As [`Context::auth`], but makes a database that is missing, and says so.
    pub fn auth_or_create(&mut self) -> anyhow::Result<Auth<'_>> {
        let place = self.database()?;
        if place.location.is_missing_file() && self.create_database(&place, None)? {
            self.notices.push(format!("created the database {}", place.location));
        }
        self.auth()
    }

    /// Makes the database, our own or for an app; `false` when it was there, perhaps since a moment ago.
    pub fn create_database(&mut self, place: &DatabasePlace, app: Option<Adapter>) -> anyhow::Result<bool> {
        self.now().context("could not make the database")?;
        Self::make_default_directory(place).context("could not make the database")?;
        let wait = self.options.wait;
        let made = match (&place.location, app) {
            (DatabaseLocation::File(path), None) => sqlite::create(path, wait),
            (DatabaseLocation::File(path), Some(adapter)) => sqlite::create_for_app(path, adapter, wait),
            (DatabaseLocation::Url(url), _) => Err(OpenError::NoEngine(url.to_string())),
        };
        match made {
            Ok(()) => Ok(true),
            Err(OpenError::Exists(_)) => Ok(false),
            Err(error) => Err(anyhow::Error::new(error).context("could not make the database")),
        }
    }

    /// Makes the directory of the default database; any other must be there.
    pub fn make_default_directory(place: &DatabasePlace) -> Result<(), OpenError> {
        let (DatabaseSource::Default, DatabaseLocation::File(path)) = (place.chosen_by, &place.location) else {
            return Ok(());
        };
        let directory = path.parent().unwrap_or(Path::new("/"));
        paths::refuse_home_of_another(directory)
            .and_then(|()| paths::make_private(directory))
            .map_err(|source| OpenError::CannotCreate { path: path.clone(), source })
    }
}
