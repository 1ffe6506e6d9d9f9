//! The SQLite engine: one connection, one statement text per fact, every write `BEGIN IMMEDIATE`.
//!
//! Nothing slow runs between `BEGIN` and `COMMIT`: passwords are hashed before.

mod backup;
pub(in crate::store) mod connect;
pub(in crate::store) mod create;
mod descriptors;
mod doctor;
pub(in crate::store) mod engine_error;
mod guest_act;
mod info;
mod integrity;
pub(in crate::store) mod limits;
mod lock;
mod maintenance;
mod migrate;
mod open;
mod permissions;
mod preflight;
mod restore;
mod staging;
mod store;
pub(in crate::store) mod tx;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::mapping::SchemaMapping;
use super::sql::tx::Tx;
use super::sql::{Answer, audit, events, sessions, throttle};
use crate::auth::Caller;
use crate::auth::audit::{Acting, Actor, Event};
use crate::auth::storage::{GuestSchema, LooseEnds, StoreError};
use crate::auth::throttle::AttemptKey;
use connect::Connected;
use engine_error::Engine as _;
use tx::SqliteTx;

pub use crate::store::better_auth::{Adapter, App, create_for_app};
pub use backup::contents;
pub use create::create;
pub use migrate::{LATEST, MIGRATIONS, migrate};
pub use open::{Opened, open, open_own};
pub use permissions::{InsecurePath, insecure, is_open_to_all, tighten, unreliable_file_system};
pub use preflight::inspect;
pub use restore::{Additions, Examined, RestoreOptions, Restored, examine, restore};

/// Durable before it is told, on macOS too, where a plain sync stops at the drive's cache. What is
/// deleted is overwritten: an old hash must not stay readable in free pages.
const WRITER_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;";

/// An open SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connected,
    mapping: SchemaMapping,
    path: PathBuf,
    /// How long to wait for other processes.
    wait: Duration,
    /// Who acts.
    acting: Acting,
    /// The caller who must be signed in for every act.
    caller: Option<Box<Caller>>,
    /// Whether the settings that only a writer needs have been made.
    prepared_to_write: bool,
    /// What was recognised, when the database is an app's.
    app: Option<GuestSchema>,
    /// The file of authctl's own beside an app's database, by a connection of its own: what concerns
    /// that file alone does not lock the app's.
    aside: Option<Box<Sqlite>>,
    /// What the caller has to be told besides the results.
    loose_ends: LooseEnds,
}

impl Sqlite {
    pub(in crate::store) fn new(connection: Connected, mapping: SchemaMapping, path: &Path, wait: Duration) -> Self {
        Self {
            connection,
            mapping,
            path: path.into(),
            wait,
            acting: Actor::default().into(),
            caller: None,
            prepared_to_write: false,
            app: None,
            aside: None,
            loose_ends: LooseEnds::default(),
        }
    }

    /// The store of a guest, whose own tables are in another file.
    pub(in crate::store) fn with_state(self, app: GuestSchema, state: Self) -> Self {
        Self { app: Some(app), aside: Some(Box::new(state)), ..self }
    }

    /// A statement in the names of this database, for the tester's own hand.
    #[cfg(test)]
    pub(super) fn spelled(&self, sql: &str) -> String {
        self.mapping.sql(sql).into_owned()
    }

    /// An instant as this database writes it, for the same hand.
    #[cfg(test)]
    pub(super) fn written(&self, instant: jiff::Timestamp) -> super::sql::tx::Value {
        self.mapping.time(instant)
    }

    /// Runs an act that writes to authctl's own tables alone, wherever they are.
    fn act_aside<T: Answer>(
        &mut self,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &mut self.aside {
            None => self.act(act),
            Some(aside) => aside.act(act),
        }
    }

    /// Reads from the database.
    fn reader(&self) -> SqliteTx<'_> {
        SqliteTx::new(&self.connection)
    }

    /// Reads from the file with authctl's own tables.
    fn own_reader(&self) -> SqliteTx<'_> {
        SqliteTx::new(self.aside.as_ref().map_or(&self.connection, |aside| &aside.connection))
    }

    /// Runs one act: `BEGIN IMMEDIATE`, the act, what the audit log tells of it, `COMMIT`; nothing is
    /// kept when the act fails or answers that nothing was done.
    fn act<T: Answer>(
        &mut self,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.act_and_clear(act, |_| None)
    }

    /// Runs an act that clears a count of attempts when it succeeds.
    fn act_clearing<T>(
        &mut self,
        key: &AttemptKey,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.act_and_clear(act, |done| done.is_some().then_some(key))
    }

    fn act_and_clear<'k, T: Answer>(
        &mut self,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>,
        cleared: impl FnOnce(&T) -> Option<&'k AttemptKey>,
    ) -> Result<T, StoreError> {
        let act = only_for(self.caller.clone(), act);
        let (connection, mapping, acting) = match self.writer()? {
            Writer::Guest(guest) => return guest.run(act, cleared),
            Writer::Own { connection, mapping, acting } => (connection, mapping, acting),
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        let mut events = Vec::new();
        let tx = &mut SqliteTx::new(&transaction);
        let result = act(tx, mapping, &mut events)?;
        if !result.is_done() {
            transaction.rollback().engine()?;
            return Ok(result);
        }
        if let Some(key) = cleared(&result) {
            throttle::clear(tx, key)?;
        }
        if !events.is_empty() {
            let actor = events::signed(tx, mapping, acting.actor(), &events)?;
            audit::append(tx, &actor, events)?;
        }
        commit(transaction)?;
        Ok(result)
    }

    /// Does the work of an act as [`Self::act`] does, entries of the log included, and takes all of it back
    /// before `COMMIT`. The pages that the act touched are written all the same, with their old content, so
    /// that the work cannot be told from that of the act itself.
    fn rehearse(
        &mut self,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let act = only_for(self.caller.clone(), act);
        let (connection, mapping, acting) = match self.writer()? {
            Writer::Guest(guest) => return guest.rehearse(act),
            Writer::Own { connection, mapping, acting } => (connection, mapping, acting),
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        take_back(&transaction, |tx| {
            let mut events = Vec::new();
            act(tx, mapping, &mut events)?;
            let actor = events::signed(tx, mapping, acting.actor(), &events)?;
            audit::append(tx, &actor, events)
        })?;
        commit(transaction)
    }

    /// Prepares the connections to write.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] if writing to the database is unsafe.
    fn writer(&mut self) -> Result<Writer<'_>, StoreError> {
        if let Some(refusal) = self.app.as_ref().and_then(|app| app.write_blockers.first()) {
            return Err(StoreError::NotOurs(refusal.clone()));
        }
        self.prepare_to_write()?;
        let Self { connection, mapping, acting, aside, loose_ends, .. } = self;
        let Some(aside) = aside else { return Ok(Writer::Own { connection, mapping, acting }) };
        aside.prepare_to_write()?;
        let (own, acting) = (&mut aside.connection, &aside.acting);
        Ok(Writer::Guest(guest_act::Act { app: connection, mapping, own, acting, loose_ends }))
    }

    fn prepare_to_write(&mut self) -> Result<(), StoreError> {
        if !self.prepared_to_write {
            self.connection.execute_batch(WRITER_SETTINGS).engine()?;
            self.prepared_to_write = true;
        }
        Ok(())
    }
}

/// The connections that an act writes to, ready for it.
enum Writer<'s> {
    /// Everything is in one file.
    Own { connection: &'s mut Connection, mapping: &'s SchemaMapping, acting: &'s Acting },
    /// The app's file and authctl's own.
    Guest(guest_act::Act<'s>),
}

/// Has an act check in its transaction, before anything else, that its caller is signed in. Every act that
/// writes goes through here, so that none can forget it.
fn only_for<T>(
    caller: Option<Box<Caller>>,
    act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>,
) -> impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError> {
    move |tx, mapping, log| {
        if let Some(caller) = caller {
            let checked = sessions::check_caller(tx, mapping, &caller)?;
            checked.map_err(|refused| StoreError::Caller(Box::new(refused)))?;
        }
        act(tx, mapping, log)
    }
}

/// Commits. When the operating system fails in the middle of it, what was written may be durable or not.
pub(in crate::store) fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    transaction.commit().engine().map_err(|error| match error {
        StoreError::Io(problem) => StoreError::Uncertain(problem),
        other => other,
    })
}

/// Runs a part of a transaction and takes back what it wrote.
pub(in crate::store) fn take_back<T>(
    transaction: &Transaction<'_>,
    part: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    transaction.execute_batch("SAVEPOINT rehearsal").engine()?;
    let done = part(&mut SqliteTx::new(transaction))?;
    transaction.execute_batch("ROLLBACK TO rehearsal; RELEASE rehearsal").engine()?;
    Ok(done)
}
