//! A database that does not exist yet: it is made, unless it is to be an app's.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Context, app_signs};
use crate::auth::Auth;
use crate::paths::{self, DatabaseLocation, DatabasePlace, DatabaseSource};
use crate::store::OpenError;
use crate::store::postgres::{self, ServerError};
use crate::store::sqlite::{self, Adapter};

impl Context {
    /// As [`Context::auth`], but creates a missing database and notes that.
    pub fn auth_or_create(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let place = self.database()?;
            self.refuse_to_take_the_place_of_an_app()?;
            if !self.open_if_it_exists()? && self.create_database(&place, None)?.is_ok() {
                self.notices.push(match &place.location {
                    location @ DatabaseLocation::File(_) => format!("created the database {location:#}"),
                    location @ DatabaseLocation::Url(_) => format!("created authctl's tables in {location:#}"),
                });
            }
        }
        self.auth()
    }

    /// Opens the database; returns whether it exists. That of a server is known only then.
    pub fn open_if_it_exists(&mut self) -> anyhow::Result<bool> {
        if self.database()?.location.is_missing_file() {
            return Ok(false);
        }
        match self.auth().err() {
            None => Ok(true),
            Some(error) if is_missing_on_server(&error) => Ok(false),
            Some(error) => Err(error),
        }
    }

    /// Refuses to create a missing database where an app's is to be.
    ///
    /// # Errors
    /// [`NotReady`].
    pub fn refuse_to_take_the_place_of_an_app(&self) -> anyhow::Result<()> {
        let place = self.database()?;
        match place.location.is_missing_file().then(|| not_ready(&place, false)).flatten() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Refuses to create a missing database for a command that runs again and again, as at each start of a container,
    /// under a name that somebody chose: an app may be about to make it.
    ///
    /// # Errors
    /// [`NotReady`].
    pub fn refuse_to_come_before_an_app(&self) -> anyhow::Result<()> {
        self.refuse_to_take_the_place_of_an_app()?;
        let DatabasePlace { location, chosen_by, .. } = self.database()?;
        match &location {
            DatabaseLocation::File(path) if location.is_missing_file() && chosen_by != DatabaseSource::Default => {
                Err(NotReady { path: path.to_path_buf(), is_empty: false, sign: None }.into())
            }
            _ => Ok(()),
        }
    }

    /// The file that shows that the database is an app's. The default path is authctl's own.
    pub fn sign_of_an_app(place: &DatabasePlace) -> Option<PathBuf> {
        let path = place.location.file().ok().filter(|_| place.chosen_by != DatabaseSource::Default)?;
        app_signs::find(path)
    }

    /// Creates a native database, or a file for an app. Returns an error that says what exists there if something does,
    /// perhaps created by another process meanwhile.
    pub fn create_database(
        &mut self,
        place: &DatabasePlace,
        app: Option<Adapter>,
    ) -> anyhow::Result<Result<(), OpenError>> {
        self.now().context("could not make the database")?;
        Self::make_default_directory(place).context("could not make the database")?;
        let wait = self.options.wait;
        let made = match (&place.location, app) {
            (DatabaseLocation::File(path), None) => sqlite::create(path, wait),
            (DatabaseLocation::File(path), Some(adapter)) => sqlite::create_for_app(path, adapter, wait),
            (DatabaseLocation::Url(url), _) => {
                let address = self.server_address(url)?;
                postgres::create(&address, wait).map_err(OpenError::from)
            }
        };
        match made {
            Ok(()) => Ok(Ok(())),
            Err(error) if is_about_what_exists(&error) => Ok(Err(error)),
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
            .map_err(|source| OpenError::CannotCreate { path: path.to_path_buf(), source })
    }
}

/// Whether an error says that there is a database already.
fn is_about_what_exists(error: &OpenError) -> bool {
    match error {
        OpenError::Exists(_) => true,
        OpenError::Server(error) => matches!(**error, ServerError::Exists { .. }),
        _ => false,
    }
}

/// Whether an error says that a database on a server has no tables of authctl.
fn is_missing_on_server(error: &anyhow::Error) -> bool {
    let Some(OpenError::Server(error)) = error.downcast_ref() else { return false };
    matches!(**error, ServerError::Missing { .. })
}

/// A database that is missing or empty where an app's is to be.
#[derive(Debug, thiserror::Error)]
pub struct NotReady {
    path: PathBuf,
    is_empty: bool,
    /// The file that shows the app; `None` for a missing database that only a command with `--if-missing` names.
    sign: Option<PathBuf>,
}

impl std::fmt::Display for NotReady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_empty { "is empty" } else { "does not exist" };
        write!(f, "{} {state}", self.path.display())?;
        match &self.sign {
            Some(sign) => write!(f, "; by {} it is an app's, which may not have made its tables yet", sign.display()),
            None => f.write_str("; an app may not have made its tables yet"),
        }
    }
}

/// The error about a database that is missing or empty; `None` if it is not to be an app's.
pub(super) fn not_ready(place: &DatabasePlace, is_empty: bool) -> Option<anyhow::Error> {
    let path = place.location.file().ok()?.to_owned();
    let sign = Context::sign_of_an_app(place)?;
    Some(NotReady { path, is_empty, sign: Some(sign) }.into())
}

impl NotReady {
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }
}
