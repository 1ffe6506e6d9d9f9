//! The address of a database on a server, with what the environment adds to it.

use std::path::Path;

use jiff::SignedDuration;

use super::{Context, SystemFiles};
use crate::paths::{DatabaseLocation, DatabaseUrl, PathError};
use crate::store::OpenError;
use crate::store::postgres::{Address, Libpq};

impl Context {
    /// Reads the address of a PostgreSQL database; `None` if it is one of another kind.
    pub(super) fn address(&self, url: &DatabaseUrl) -> Result<Option<Address>, PathError> {
        if !Address::is_address(url.expose()) {
            return Ok(None);
        }
        let env = self.environment.libpq();
        let parsed = Address::parse(url.expose(), &Libpq { env: &env, files: &SystemFiles });
        parsed.map(Some).map_err(|error| PathError::Address(error.into()))
    }

    /// Reads an argument that names a database besides that of the command.
    ///
    /// # Errors
    /// [`PathError`], also for a password in the address.
    pub fn other_database(&self, given: &Path) -> Result<DatabaseLocation, PathError> {
        self.named(DatabaseLocation::parse(given)?, true)
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
}

/// What a reader of a replica should know, unless it is behind by less than a second.
pub(super) fn of_replica(behind: SignedDuration) -> Option<String> {
    let seconds = behind.as_secs();
    let notice =
        || format!("the server is a replica, up to {seconds} s behind: what was changed since then is not shown");
    (seconds > 0).then(notice)
}
