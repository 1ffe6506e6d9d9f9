//! The PostgreSQL engine: connects to a server, and makes, migrates and opens the schema with authctl's tables.

mod address;
mod ahead;
mod app_tables;
mod catalog;
mod client;
mod connect;
mod description;
mod dialect;
pub(in crate::store) mod engine;
mod error;
mod guest;
mod info;
mod migrate;
mod place;
mod row;
mod schema;
#[cfg(test)]
pub(super) mod server;
mod state_owner;
mod statement;
mod tls;
mod unencrypted;

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::engine::Tx;
use super::mapping::{NATIVE_POSTGRES, identifier};
use super::sql::{SqlStore, audit, policy, sessions};
use super::{Migrated, OpenError, Opened, SchemaOverrides};
use crate::auth::audit::{Actor, Event};
use crate::auth::secret::Token;
use crate::auth::storage::StoreError;

pub use address::{Address, AddressError, Host, Libpq, LibpqEnv, LibpqFile, LibpqFiles, Notice};
#[cfg(test)]
pub(in crate::store) use client::tests::waits;
#[cfg(test)]
pub(in crate::store) use connect::tests::address as address_of;
pub use connect::{Begun, ConnectError, begin};
pub use engine::Postgres;
use migrate::Contents;
use place::Place;
pub use tls::TlsError;

/// The schema with authctl's tables, unless the address names another one.
const SCHEMA: &str = "authctl";

/// Reasons why a database on a server cannot be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database has no tables of authctl.
    #[error("{address} has no schema {schema} of authctl")]
    Missing { address: String, schema: String },
    /// The database was to be made.
    #[error("{address} has the tables of {whose} already")]
    Exists {
        address: String,
        /// `authctl` or `a Better Auth app`.
        whose: &'static str,
    },
    /// The database has the tables of an app, where only authctl's own are accepted.
    #[error("{address} has the tables of a Better Auth app, and none of authctl's own")]
    NotOwn { address: String },
    /// The role may not see the rows of an app.
    #[error("{address} cannot be used: {problem}")]
    NoRights { address: String, problem: String, remedy: String },
    /// A later version of authctl has migrated the schema.
    #[error("{address} has schema version {found}; this authctl knows versions up to {}", migrate::LATEST)]
    Newer { address: String, found: u32 },
    /// The list of migrations is not one that authctl wrote.
    #[error("{address} has a damaged list of migrations: {problem}")]
    History { address: String, problem: String },
    /// The list of migrations is empty or missing, beside authctl's tables.
    #[error("{address} has lost its list of migrations")]
    ListLost { address: String },
    /// The server is older than what is tested.
    #[error("{address} is PostgreSQL {version}, and authctl needs {VERSION_MIN} or later")]
    TooOld { address: String, version: String },
    /// The database cannot hold every name.
    #[error("{address} has the encoding {encoding}, and authctl needs {ENCODING}")]
    Encoding { address: String, encoding: String },
    /// The schema for authctl's own tables is taken.
    #[error("{address} has a schema {SCHEMA} of {whose} already")]
    Taken {
        address: String,
        /// `another program` or `a database of authctl's own`.
        whose: &'static str,
    },
    /// The schema for authctl's own tables has those about another app.
    #[error("the schema {SCHEMA} of {address} is about the app in the schema {owner}")]
    OfAnother {
        address: String,
        /// In quotes.
        owner: String,
    },
    #[error("{address} cannot be opened")]
    Store { address: String, source: StoreError },
}

/// The oldest supported version of the server.
const VERSION_MIN: u32 = 13;

/// The encoding of the database, as the server calls it.
const ENCODING: &str = "UTF8";

impl Postgres {
    /// The store of a database that authctl made.
    pub fn into_store(self) -> SqlStore {
        SqlStore::native(self, NATIVE_POSTGRES)
    }
}

/// Opens a database that authctl made. An older schema is migrated.
///
/// `wait` is how long to wait for the server and for other processes, here and in every later act.
///
/// # Errors
/// [`ServerError`]. The database is unchanged.
pub fn open_own(address: &Address, wait: Duration) -> Result<Postgres, ServerError> {
    let engine = connected(address, wait)?;
    match version(&engine, address)? {
        Some((found, Contents::Native)) => at_latest(engine, address, found),
        Some((_, Contents::State)) | None => Err(missing(&engine, address)?),
    }
}

/// Opens an existing database. An app's is recognised with the help of overrides, and stays as it is. One that authctl made is
/// opened as by [`open_own`], also beside the tables of an app.
///
/// The act begins with the policy, and with the look-up of a token if there is one: in a database that authctl made, both are
/// asked for in the same round trip. Where that is the database of an app, the server logs that the tables do not exist. So
/// a caller who found an app there before says so (`is_app`), and the tables of an app are looked for first. `begun` is a
/// connection to the server, if the caller has begun one. Also returns how far a replica is behind.
///
/// # Errors
/// [`OpenError`]. The database is unchanged.
pub fn open(
    address: &Address,
    begun: Option<Begun>,
    token: Option<&Token>,
    wait: Duration,
    overrides: &SchemaOverrides,
    is_app: bool,
) -> Result<(Opened, Option<SignedDuration>), OpenError> {
    let schema = address.schema().or(overrides.schema()).unwrap_or(SCHEMA);
    let mut begun = begun.or_else(|| begin(address));
    if is_app {
        let mut engine = connected_over(begun.take(), schema, address, wait)?;
        let behind = engine.behind().ok().flatten();
        if let Some(guest) = guest::open(engine, address, overrides, true)? {
            return Ok((Opened::Guest(guest), behind));
        }
    }
    let mut engine = connected_for(begun, schema, address, token, wait)?;
    let found = version(&engine, address)?;
    // What fails here fails for the act too, which reports it.
    let behind = engine.behind().ok().flatten();
    let opened = if let Some((found, Contents::Native)) = found {
        Opened::Own(at_latest(engine, address, found)?.into_store())
    } else {
        let Some(app) = guest::open(engine, address, overrides, true)? else {
            return Err(missing(&connected_to(schema, address, wait)?, address)?.into());
        };
        Opened::Guest(app)
    };
    Ok((opened, behind))
}

/// Opens a database to read a few rows for the completion of a shell. It migrates nothing, and reads nothing that authctl keeps
/// about an app. `is_app` as for [`open`].
///
/// # Errors
/// [`OpenError`], also for a newer schema of authctl's own.
pub fn open_to_complete(
    address: &Address,
    wait: Duration,
    overrides: &SchemaOverrides,
    is_app: bool,
) -> Result<SqlStore, OpenError> {
    let schema = address.schema().or(overrides.schema()).unwrap_or(SCHEMA);
    let engine = connected_to(schema, address, wait)?;
    let found = if is_app { None } else { version(&engine, address)? };
    match found {
        Some((found, Contents::Native)) if found <= migrate::LATEST => return Ok(engine.into_store()),
        Some((found, Contents::Native)) => return Err(ServerError::Newer { address: address.shown(), found }.into()),
        Some((_, Contents::State)) | None => {}
    }
    let Some(app) = guest::open(engine, address, overrides, false)? else {
        return Err(missing(&connected_to(schema, address, wait)?, address)?.into());
    };
    app.to_complete(wait)
}

/// Connects for an act that begins as [`open`] says.
fn connected_for(
    begun: Option<Begun>,
    schema: &str,
    address: &Address,
    token: Option<&Token>,
    wait: Duration,
) -> Result<Postgres, ServerError> {
    let policy = (policy::SETTINGS.to_owned(), Vec::new());
    let session = token.map(|token| sessions::look_up(&NATIVE_POSTGRES, token));
    let engine = connected_over(begun, schema, address, wait)?;
    let behind = engine.is_standby().then(|| (info::BEHIND.to_owned(), Vec::new()));
    engine.ask_ahead([policy].into_iter().chain(session).chain(behind).collect());
    Ok(engine)
}

/// Requires the newest schema version, to which an older schema is migrated. Takes the version that was found.
fn at_latest(engine: Postgres, address: &Address, found: u32) -> Result<Postgres, ServerError> {
    match found {
        found if found > migrate::LATEST => Err(ServerError::Newer { address: address.shown(), found }),
        migrate::LATEST => Ok(engine),
        _ => bring_up_to_date(&engine, address, Contents::Native).map(|_| engine),
    }
}

/// Makes the schema in a database that exists.
///
/// # Errors
/// [`ServerError::Exists`] when the schema has authctl's tables already, also if another process made them during the wait, and
/// when the database has those of an app.
pub fn create(address: &Address, wait: Duration) -> Result<(), ServerError> {
    let engine = vacant(address, wait)?;
    let made = bring_up_to_date(&engine, address, Contents::Native);
    let (before, _) = made.map_err(|error| with_right(error, &engine, address, "authctl db init"))?;
    before.map_or(Ok(()), |_| Err(exists(address)))
}

/// Makes the schema as [`create`] does, with the rows that `fill` writes, all in one transaction.
///
/// # Errors
/// As for [`create`], and those of `fill`. There is no schema then, except with [`StoreError::Unanswered`].
pub(in crate::store) fn create_with<T, E: From<OpenError> + From<StoreError>>(
    address: &Address,
    wait: Duration,
    fill: impl FnOnce(&mut dyn Tx) -> Result<T, E>,
) -> Result<T, E> {
    let engine = vacant(address, wait).map_err(OpenError::from)?;
    let mut tx = engine.migration();
    let before =
        migrate::apply(&mut tx, engine.schema(), Contents::Native).map_err(|failure| of_migration(failure, address));
    let before = match before {
        Ok(before) => before,
        Err(error) => {
            drop(tx);
            return Err(OpenError::from(with_right(error, &engine, address, "authctl db copy")).into());
        }
    };
    if before.is_some() {
        return Err(OpenError::from(exists(address)).into());
    }
    let filled = fill(&mut tx)?;
    tx.commit()?;
    Ok(filled)
}

/// Requires that the schema can be made.
///
/// # Errors
/// As for [`create`]. [`ServerError::NoRights`] when the role may not make it.
pub(in crate::store) fn require_vacant(address: &Address, wait: Duration) -> Result<(), ServerError> {
    let engine = vacant(address, wait)?;
    let place = Place::ask(&engine).map_err(|source| failed(address, source))?;
    place.require_rights(address, "do this")
}

/// Connects to a database that has neither the tables of authctl nor those of an app.
fn vacant(address: &Address, wait: Duration) -> Result<Postgres, ServerError> {
    let engine = connected(address, wait)?;
    if version(&engine, address)?.is_some_and(|(_, contents)| contents == Contents::Native) {
        return Err(exists(address));
    }
    match missing(&engine, address)? {
        ServerError::NotOwn { address } => Err(ServerError::Exists { address, whose: "a Better Auth app" }),
        lost @ ServerError::ListLost { .. } => Err(lost),
        _ => Ok(engine),
    }
}

/// Names the right that the role lacks to make the schema, if that is the error.
fn with_right(error: ServerError, engine: &Postgres, address: &Address, command: &str) -> ServerError {
    if !matches!(error, ServerError::Store { source: StoreError::Denied(_), .. }) {
        return error;
    }
    let refused = Place::ask(engine).map(|place| place.require_rights(address, &format!("run `{command}`")).err());
    refused.ok().flatten().unwrap_or(error)
}

fn exists(address: &Address) -> ServerError {
    ServerError::Exists { address: address.shown(), whose: "authctl" }
}

/// Makes the schema `authctl` with authctl's own tables alone, in the database of an app, and the first entry of its log,
/// which names the schema of the app. Takes what the entry says besides.
///
/// # Errors
/// [`ServerError::Taken`] when the schema has other tables, [`ServerError::OfAnother`] when they are about another app of the
/// database. [`ServerError::NoRights`] when the role may not make it.
pub fn create_state(
    address: &Address,
    wait: Duration,
    actor: &Actor,
    more: &str,
    overrides: &SchemaOverrides,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::from(failed(address, source));
    let engine = connected_to(SCHEMA, address, wait)?;
    let app = guest::schema_of(&engine, address, overrides)?;
    let place = Place::ask(&engine).map_err(failed)?;
    let taken = |whose| Err(ServerError::Taken { address: address.shown(), whose }.into());
    match version(&engine, address)? {
        Some((_, Contents::Native)) => return taken("a database of authctl's own"),
        None if place.has_tables => return taken("another program"),
        Some((_, Contents::State)) | None => {}
    }
    place.require_rights(address, "run `authctl db init --state`")?;
    let mut tx = engine.migration();
    let before = migrate::apply(&mut tx, SCHEMA, Contents::State).map_err(|failure| of_migration(failure, address))?;
    if before.is_none() {
        let event = Event::new("state.created").with(state_owner::detail(&app, more));
        audit::append(&mut tx, actor, vec![event]).map_err(failed)?;
    } else if let Some(owner) = state_owner::owner(&mut tx).map_err(failed)?.filter(|owner| *owner != identifier(&app))
    {
        return Err(ServerError::OfAnother { address: address.shown(), owner }.into());
    }
    tx.commit().map_err(failed)
}

/// Brings the schema to the newest version, and makes again what another program took out of it.
///
/// # Errors
/// [`ServerError`], as for [`open`].
pub fn migrate(address: &Address, wait: Duration) -> Result<Migrated, ServerError> {
    let mut engine = connected(address, wait)?;
    let mut found = version(&engine, address)?;
    if found.is_none() && engine.schema() != SCHEMA {
        // The address names the schema of the app.
        let state = connected_to(SCHEMA, address, wait)?;
        found = version(&state, address)?.filter(|(_, contents)| *contents == Contents::State);
        if found.is_some() {
            engine = state;
        }
    }
    let Some((found, contents)) = found else {
        return match missing(&engine, address)? {
            ServerError::ListLost { .. } => {
                let restored = migrate::list_again(&engine).map_err(|failure| of_migration(failure, address))?;
                Ok(Migrated { from: migrate::LATEST, to: migrate::LATEST, restored })
            }
            error => Err(error),
        };
    };
    let (before, restored) = bring_up_to_date(&engine, address, contents)?;
    Ok(Migrated { from: before.unwrap_or(found), to: migrate::LATEST, restored })
}

fn schema_of(address: &Address) -> &str {
    address.schema().unwrap_or(SCHEMA)
}

fn connected(address: &Address, wait: Duration) -> Result<Postgres, ServerError> {
    connected_to(schema_of(address), address, wait)
}

fn connected_to(schema: &str, address: &Address, wait: Duration) -> Result<Postgres, ServerError> {
    connected_over(None, schema, address, wait)
}

/// As [`connected_to`], over a connection that was begun.
#[expect(clippy::disallowed_methods, reason = "measures how long the server takes")]
fn connected_over(
    begun: Option<Begun>,
    schema: &str,
    address: &Address,
    wait: Duration,
) -> Result<Postgres, ServerError> {
    let start = Instant::now();
    let client = connect::connect(address, wait, begun)?;
    if let Some(version) = client.version().filter(|version| major(version).is_some_and(|major| major < VERSION_MIN)) {
        return Err(ServerError::TooOld { address: address.shown(), version: version.to_owned() });
    }
    if let Some(encoding) = client.encoding().filter(|encoding| *encoding != ENCODING) {
        return Err(ServerError::Encoding { address: address.shown(), encoding: encoding.to_owned() });
    }
    let again = address.clone();
    let reconnect =
        move || connect::connect(&again, wait, None).map_err(|error| StoreError::Disconnected(error.to_string()));
    Ok(Postgres::new(client, reconnect, schema.to_owned(), wait, start))
}

/// The number before the first dot of a version.
fn major(version: &str) -> Option<u32> {
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn version(engine: &Postgres, address: &Address) -> Result<Option<(u32, Contents)>, ServerError> {
    migrate::version(engine).map_err(|source| failed(address, source))
}

/// The error about a database that authctl did not make, or whose list of migrations is lost.
fn missing(engine: &Postgres, address: &Address) -> Result<ServerError, ServerError> {
    let failed = |source| failed(address, source);
    let shown = address.shown();
    if description::Found::has_app(engine).map_err(failed)? {
        return Ok(ServerError::NotOwn { address: shown });
    }
    let tables: Vec<&str> = migrate::OWN_TABLES.iter().copied().filter(|table| *table != migrate::HISTORY).collect();
    // In this order: another process that makes both commits them at once, and may do so between the two questions.
    if migrate::has_any(engine, &tables).map_err(failed)? && version(engine, address)?.is_none() {
        return Ok(ServerError::ListLost { address: shown });
    }
    Ok(ServerError::Missing { address: shown, schema: engine.schema().to_owned() })
}

/// Migrates. Returns the version before, and what was made again.
fn bring_up_to_date(
    engine: &Postgres,
    address: &Address,
    contents: Contents,
) -> Result<(Option<u32>, Vec<String>), ServerError> {
    migrate::run(engine, contents).map_err(|failure| of_migration(failure, address))
}

fn of_migration(failure: migrate::Failed, address: &Address) -> ServerError {
    match failure {
        migrate::Failed::Newer(found) => ServerError::Newer { address: address.shown(), found },
        migrate::Failed::History(problem) => ServerError::History { address: address.shown(), problem },
        migrate::Failed::Store(source) => failed(address, source),
    }
}

fn failed(address: &Address, source: StoreError) -> ServerError {
    ServerError::Store { address: address.shown(), source }
}
