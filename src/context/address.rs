//! The address of a database on a server, with what the environment adds to it.

use std::cell::OnceCell;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::{Context, Environment, SystemFiles};
use crate::auth::secret::Token;
use crate::paths::{self, DatabaseLocation, DatabaseUrl, PathError};
use crate::store::postgres::{self, Address, Begun, Libpq};
use crate::store::sqlite::{self, Opened};
use crate::store::{OpenError, SchemaOverrides, SqlStore};

/// A connection to the server of the environment, begun before the command line is read.
#[derive(Debug)]
pub struct Approach {
    url: DatabaseUrl,
    address: Address,
    begun: Begun,
}

impl Approach {
    /// Begins the connection, if `AUTHCTL_DB` names a server with a socket on this machine. The server starts a process for
    /// it, and needs about as long as authctl needs to prepare its first query.
    pub fn begin(environment: &Environment) -> Option<Self> {
        let given =
            environment.places.database.as_deref().filter(|given| given.to_str().is_some_and(Address::is_address))?;
        let DatabaseLocation::Url(url) = DatabaseLocation::parse(given).ok()? else { return None };
        let address = read(&url, environment).ok()??;
        let begun = postgres::begin(&address)?;
        Some(Self { url, address, begun })
    }
}

/// Reads the address of a PostgreSQL database; `None` if it is one of another kind.
fn read(url: &DatabaseUrl, environment: &Environment) -> Result<Option<Address>, PathError> {
    if !Address::is_address(url.expose()) {
        return Ok(None);
    }
    let libpq = Libpq { env: environment.libpq(), files: &SystemFiles };
    Address::parse(url.expose(), &libpq).map(Some).map_err(|error| PathError::Address(error.into()))
}

impl Context {
    /// Takes a connection that was begun. Another database does not use it.
    #[must_use]
    pub fn approaching(mut self, approach: Option<Approach>) -> Self {
        if let Some(Approach { url, address, begun }) = approach {
            self.server = OnceCell::from((url, address));
            self.begun = Some(begun);
        }
        self
    }

    /// As [`read`]. The first address is kept: it is that of the command's database, which is named before it is opened, and
    /// files of libpq belong to it.
    pub(super) fn address(&self, url: &DatabaseUrl) -> Result<Option<Address>, PathError> {
        if let Some((_, known)) = self.server.get().filter(|(known, _)| known.expose() == url.expose()) {
            return Ok(Some(known.clone()));
        }
        let address = read(url, &self.environment)?;
        if let Some(address) = &address {
            // Another one stays as it is.
            let _kept = self.server.set((url.clone(), address.clone()));
        }
        Ok(address)
    }

    /// Reads an argument that names a database besides that of the command.
    ///
    /// # Errors
    /// [`PathError`], also for a password in the address.
    pub fn other_database(&self, given: &Path) -> Result<DatabaseLocation, PathError> {
        match paths::name_of(given) {
            Some(name) => self.named(self.find_database(name)?.location, false),
            None => self.named(DatabaseLocation::parse(given)?, true),
        }
    }

    /// A location with what the environment adds to the address of a server.
    pub(super) fn named(&self, location: DatabaseLocation, is_argument: bool) -> Result<DatabaseLocation, PathError> {
        let DatabaseLocation::Url(url) = &location else { return Ok(location) };
        let Some(address) = self.address(url)? else { return Ok(location) };
        if is_argument && address.has_password_in_text() {
            return Err(PathError::PasswordInArguments);
        }
        Ok(DatabaseLocation::Url(url.clone().named(address.shown(), address.key())))
    }

    /// The address of a PostgreSQL database to connect to. What the user should know of it is noted once.
    ///
    /// # Errors
    /// [`OpenError::NoEngine`] for another kind of database.
    pub fn server_address(&mut self, url: &DatabaseUrl) -> anyhow::Result<Address> {
        let address = self.address(url)?.ok_or_else(|| OpenError::NoEngine(url.to_string()))?;
        for notice in address.notices().iter().map(ToString::to_string) {
            if !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        Ok(address)
    }

    /// Opens a database on a server. One of an app is marked, so that the next command looks for the app first.
    pub(super) fn open_on_server(
        &mut self,
        url: &DatabaseUrl,
        location: &DatabaseLocation,
        token: Option<&Token>,
        overrides: &SchemaOverrides,
    ) -> anyhow::Result<Opened> {
        let mark = self.app_mark(location);
        let is_app = mark.as_ref().is_some_and(|mark| mark.exists());
        let address = self.server_address(url)?;
        let is_approached = self.server.get().is_some_and(|(known, _)| known.expose() == url.expose());
        let begun = self.begun.take().filter(|_| is_approached);
        let (opened, behind) = postgres::open(&address, begun, token, self.wait(), overrides, is_app)?;
        self.notices.extend(behind.and_then(of_replica));
        if let (Opened::Guest(_), Some(mark)) = (&opened, mark.filter(|_| !is_app)) {
            // Without a mark, the next command finds the app too.
            let _made = make_mark(&mark);
        }
        Ok(opened)
    }

    /// Opens the database to complete the words of a command line. Nothing is migrated, made or noted.
    ///
    /// # Errors
    /// Those of opening a database.
    pub fn open_to_complete(&self) -> anyhow::Result<SqlStore> {
        let (location, overrides, wait) = (self.database()?.location, self.schema_overrides()?, self.wait());
        match &location {
            DatabaseLocation::File(path) => Ok(sqlite::open_to_complete(path, wait, &overrides)?),
            DatabaseLocation::Url(url) => {
                let address = self.address(url)?.ok_or_else(|| OpenError::NoEngine(url.to_string()))?;
                let is_app = self.app_mark(&location).is_some_and(|mark| mark.exists());
                Ok(postgres::open_to_complete(&address, wait, &overrides, is_app)?)
            }
        }
    }

    /// The empty file that marks a database as an app's: it stands beside authctl's own data about apps.
    fn app_mark(&self, location: &DatabaseLocation) -> Option<PathBuf> {
        let state = paths::guest_state(&self.environment.places, location.to_string().as_ref());
        state.ok().map(|state| state.with_extension("app"))
    }
}

fn make_mark(mark: &Path) -> io::Result<()> {
    paths::make_private(mark.parent().unwrap_or(Path::new("/")))?;
    OpenOptions::new().append(true).create(true).mode(0o600).open(mark).map(drop)
}

/// What a reader of a replica should know, unless it is behind by less than a second.
pub(super) fn of_replica(behind: SignedDuration) -> Option<String> {
    let seconds = behind.as_secs();
    let notice =
        || format!("the server is a replica, up to {seconds} s behind: what was changed since then is not shown");
    (seconds > 0).then(notice)
}
