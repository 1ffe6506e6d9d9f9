//! Where the database is, and how it is opened on first use.

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

/// Larger than any useful schema file.
const SCHEMA_FILE_BYTES_MAX: usize = 64 * 1024;

/// A schema file (`--schema`) that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the schema file {} cannot be used: {problem}", path.display())]
pub struct SchemaFileError {
    path: PathBuf,
    problem: String,
}

fn hints(path: &Path) -> Result<SchemaOverrides, SchemaFileError> {
    let parsed = input_file::open(path)
        .and_then(|file| input_file::read(&file, SCHEMA_FILE_BYTES_MAX))
        .map_err(|error| error.to_string())
        .and_then(|bytes| SchemaOverrides::parse(std::str::from_utf8(&bytes).map_err(|error| error.to_string())?));
    parsed.map_err(|problem| SchemaFileError { path: path.to_owned(), problem })
}

impl Context {
    /// The database that the flags and the environment name.
    pub fn database(&self) -> Result<DatabasePlace, PathError> {
        if let Some(place) = self.place.get() {
            return Ok(place.clone());
        }
        let place = paths::database(self.options.database.as_deref(), &self.environment.places)?;
        Ok(self.place.get_or_init(|| place).clone())
    }

    /// The path of the database file.
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

    /// Opens the database, which must exist, and returns the rules for it.
    pub fn auth(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let mut opened = self.open()?;
            self.policy = opened.policy()?;
            self.store = Some(opened);
        }
        self.at_work()
    }

    /// Whether the open database belongs to a Better Auth app.
    pub fn is_guest(&self) -> bool {
        self.store.as_deref().is_some_and(|store| store.guest().is_some())
    }

    /// As [`Context::auth`], but ignores invalid values of the policy, so that a command can fix them.
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
        // Read first, because a migration is dated too.
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

    /// Opens a native database, or an app's database with authctl's state beside it.
    fn open_file(&self, path: &Path) -> anyhow::Result<SqlStore> {
        let hints = match self.options.schema.as_deref().or(self.environment.schema.as_deref()) {
            None => SchemaOverrides::default(),
            Some(file) => hints(file)?,
        };
        match sqlite::open(path, self.options.wait, &hints)? {
            Opened::Own(store) => Ok(store),
            Opened::Guest(app) => {
                let state = paths::guest_state(&self.environment.places, path)?;
                let directory = state.parent().unwrap_or(Path::new("/"));
                paths::make_private(directory)
                    .map_err(|source| OpenError::CannotCreate { path: state.clone(), source })?;
                app.with_state(&state).context("could not open what authctl keeps about this app's database")
            }
        }
    }

    /// As [`Context::auth`], but creates a missing database and notes that.
    pub fn auth_or_create(&mut self) -> anyhow::Result<Auth<'_>> {
        let place = self.database()?;
        if place.location.is_missing_file() && self.create_database(&place, None)? {
            self.notices.push(format!("created the database {}", place.location));
        }
        self.auth()
    }

    /// Creates a native database, or one for an app. Returns `false` when it exists, perhaps created by another
    /// process meanwhile.
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

    /// Creates the directory of the default database. Any other directory must exist.
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
