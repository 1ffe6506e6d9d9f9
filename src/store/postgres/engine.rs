//! PostgreSQL behind the seam: one connection, and how its transactions begin.
//!
//! No statement has a name, but for a `COPY` of many rows, and every setting is local to a transaction, so that a pooler may
//! give each transaction another session of the server.

mod copy;
#[cfg(test)]
mod damage_tests;
mod migration;
#[cfg(test)]
mod tests;
mod turn;
mod tx;

use std::fmt;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

pub(super) use self::tx::PostgresTx;
use self::tx::{Begin, ROLLBACK};
use super::ahead::Ahead;
use super::app_tables::AbsentTable;
use super::client::Client;
use super::dialect::ROWS_PER_STATEMENT;
use super::migrate::Contents;
use super::{SCHEMA, info, migrate, schema};
use crate::auth::prune::Pace;
use crate::auth::storage::{Depth, SchemaDifference, Server, Storage, StoreError};
use crate::store::engine::{Catalog, Engine, EngineInfo, Query, Tx, Value, WriteTx};
use crate::store::mapping::identifier;

/// How much longer than for other writers an act waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// An open PostgreSQL database.
pub struct Postgres {
    client: Client,
    /// Makes another connection when this one is broken.
    connect: Box<dyn Fn() -> Result<Client, StoreError>>,
    wait: Duration,
    /// The time before the connection was made.
    pub(super) start: Instant,
    /// The schema with authctl's tables, or with those of the app.
    schema: String,
    ahead: Ahead,
    /// The tables, as they were before the act.
    tables: Option<Tables>,
    app: Option<App>,
}

/// The catalog of a schema, and the tables of other schemas in it: their names there, and as SQL spells them.
type Tables = (Catalog, Vec<[String; 2]>);

/// What an engine knows of the app that made the tables.
#[derive(Debug, Default)]
struct App {
    absent: Vec<AbsentTable>,
    /// Whether authctl's own tables are in the same database, in the schema [`SCHEMA`].
    has_state: bool,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, wait, schema, app, .. } = self;
        f.debug_struct("Postgres")
            .field("client", client)
            .field("wait", wait)
            .field("schema", schema)
            .field("app", app)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) fn new(
        client: Client,
        connect: impl Fn() -> Result<Client, StoreError> + 'static,
        schema: String,
        wait: Duration,
        start: Instant,
    ) -> Self {
        Self {
            client,
            connect: Box::new(connect),
            wait,
            start,
            schema,
            app: None,
            ahead: Ahead::default(),
            tables: None,
        }
    }

    /// Asks queries together with the first statement of the next snapshot.
    pub(super) fn ask_ahead(&self, queries: Vec<Query>) {
        self.ahead.forget();
        for query in queries {
            self.ahead.add(query);
        }
    }

    /// The engine for the tables of an app in a schema, without those whose rows are not reached.
    pub(in crate::store) fn of_app(self, schema: String, absent: Vec<AbsentTable>) -> Self {
        Self { schema, app: Some(App { absent, has_state: false }), ..self }
    }

    /// The engine for the tables of an app, with authctl's own in the same database.
    pub(super) fn with_state(mut self) -> Self {
        if let Some(app) = &mut self.app {
            app.has_state = true;
        }
        self
    }

    /// What authctl's schema holds, and its name.
    fn own_schema(&self) -> (&str, Contents) {
        match &self.app {
            Some(app) if app.has_state => (SCHEMA, Contents::State),
            _ => (&self.schema, Contents::Native),
        }
    }

    /// Whether the server says that it repeats the changes of another one.
    pub(super) fn is_standby(&self) -> bool {
        self.client.is_standby()
    }

    /// How far a replica is behind its primary, at most; `None` if it is not, as far as it knows, or is no replica.
    ///
    /// # Errors
    /// As for any query.
    pub(super) fn behind(&mut self) -> Result<Option<SignedDuration>, StoreError> {
        if !self.is_standby() {
            return Ok(None);
        }
        Ok((&mut self.snapshot() as &mut dyn Tx).query_one(info::BEHIND, &[], info::behind)?.flatten())
    }

    /// Connects again if the connection is broken. Between two transactions nothing depends on it.
    fn reconnect(&mut self) -> Result<(), StoreError> {
        if self.client.is_closed() {
            self.client = (self.connect)()?;
        }
        Ok(())
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// Begins a transaction by a statement, followed by the settings that hold for every one. The server looks names up in
    /// its own schema first, so that no function or operator of another program takes the place of one of its own, and
    /// among temporary tables last. A row that a policy hides is an error, and not left out.
    fn guarding(&self, begin: &str) -> String {
        let wait = self.lock_timeout();
        format!(
            "{begin}; SET LOCAL search_path = {schema}, pg_temp; SET LOCAL lock_timeout = {wait}; \
             SET LOCAL row_security = off",
            schema = identifier(&self.schema)
        )
    }

    /// As [`Self::guarding`], with the settings for a transaction that may run any statement. The server converts times in
    /// UTC, by the one name of it that needs no file of time zones. A backslash in a text is a backslash, and definitions
    /// are spelled as in the list of the schema. It compiles no statement: a cursor that reads a page of a large table would
    /// be compiled for the whole of it.
    fn settings(&self, begin: &str) -> String {
        format!(
            "{guarding}; SET LOCAL timezone = 'GMT'; SET LOCAL standard_conforming_strings = on; \
             SET LOCAL quote_all_identifiers = off; {INTERPRET}",
            guarding = self.guarding(begin)
        )
    }

    /// In milliseconds. Zero would mean to wait without end.
    fn lock_timeout(&self) -> u128 {
        self.wait.as_millis().max(1)
    }

    /// Begins a transaction that no other writer of the database is in.
    fn begin_writing(&mut self, is_synced: bool) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        self.ahead.forget();
        self.reconnect()?;
        if self.app.is_some() {
            return Ok(Box::new(self.begin_in_turn(is_synced)?));
        }
        let begin = format!(
            r#"{settings}; {synced} SELECT FROM "authctl_head" FOR UPDATE"#,
            settings = self.writing(WRITING),
            synced = if is_synced { "" } else { UNSYNCED },
        );
        Ok(Box::new(self.writer(Begin { sql: begin, needs_row: true })))
    }

    /// A transaction that writes and begins with its first query. What is known of the tables is not read while others wait.
    /// A key that another program has added since then does what it says, or refuses a statement.
    fn writer(&self, begin: Begin) -> PostgresTx<'_> {
        let mut tx = self.transaction(None);
        tx.begin = Some(begin);
        if let Some(tables) = &self.tables {
            tx.know(tables);
        }
        tx
    }

    /// As [`Self::settings`], for a transaction of a writer. One who has vanished without the end of the connection must not
    /// hold the others up.
    fn writing(&self, begin: &str) -> String {
        let idle = ANSWER_MAX.as_millis();
        format!("{}; SET LOCAL idle_in_transaction_session_timeout = {idle}", self.settings(begin))
    }

    /// A transaction that takes no lock of writers. It begins with its first statement, or has begun.
    fn transaction(&self, begin: Option<&str>) -> PostgresTx<'_> {
        let begin = begin.map(|begin| self.settings(begin));
        PostgresTx::new(self, begin.map(Begin::from), self.wait + ANSWER_MAX)
    }

    /// A transaction whose queries see the database at one moment.
    pub(super) fn snapshot(&self) -> PostgresTx<'_> {
        let mut tx = self.transaction(Some(SNAPSHOT));
        tx.ahead = Some(&self.ahead);
        tx
    }

    /// As [`Self::snapshot`], for one statement. Nothing of it is left to wait for when its answer is there.
    pub(super) fn snapshot_of_one(&self) -> PostgresTx<'_> {
        let mut tx = self.snapshot();
        tx.end = Some(ROLLBACK);
        tx
    }

    /// As [`Self::snapshot_of_one`], for statements that look a few rows up, convert no time and have no backslash. What they
    /// do not need is not set: it would take the server a tenth of the time of a look-up.
    pub(super) fn look_up(&self) -> PostgresTx<'_> {
        let mut tx = self.snapshot_of_one();
        tx.begin = Some(self.guarding(SNAPSHOT).into());
        tx
    }

    /// A snapshot for one statement, in which `authctl.path` says in which schemas the session looked names up, as an array.
    pub(super) fn discovery(&self) -> PostgresTx<'_> {
        let path = "pg_catalog.set_config('authctl.path', pg_catalog.current_schemas(false)::pg_catalog.text, true)";
        let mut tx = self.transaction(Some(&format!("{SNAPSHOT}; SELECT {path}")));
        tx.end = Some(ROLLBACK);
        tx
    }
}

impl Engine for Postgres {
    fn wait(&self) -> Duration {
        self.wait
    }

    fn read(&mut self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.reconnect()?;
        let mut snapshot = self.snapshot();
        match queries(&mut snapshot) {
            // A replica cancels a query that is in the way of what it repeats.
            Err(StoreError::Disconnected(_) | StoreError::Conflict)
                if !snapshot.has_rows && snapshot.client.exceeded().is_none() => {}
            result => return result,
        }
        drop(snapshot);
        self.reconnect()?;
        queries(&mut self.snapshot())
    }

    fn expect_catalog(&mut self) -> Result<(), StoreError> {
        self.reconnect()?;
        let tables = self.snapshot().tables()?;
        self.tables = Some(tables);
        Ok(())
    }

    fn begin(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        self.begin_writing(true)
    }

    fn begin_unsynced(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        self.begin_writing(false)
    }

    /// The server checks its pages itself.
    fn check(&mut self, _: Depth) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError> {
        let (name, contents) = self.own_schema();
        schema::differences(&mut self.snapshot(), name, contents)
    }

    fn schema_version(&mut self) -> Result<u32, StoreError> {
        let found = migrate::version(self)?;
        found.map(|(version, _)| version).ok_or_else(|| StoreError::Incomplete(migrate::HISTORY.into()))
    }

    fn server(&mut self) -> Result<Option<Server>, StoreError> {
        info::ask(self)
    }

    fn info(&mut self) -> Result<EngineInfo, StoreError> {
        let server = self.server()?.ok_or_else(|| StoreError::Engine("the server does not describe itself".into()))?;
        let size = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class AS c
                    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ?1 AND c.relkind IN ('r', 'p')";
        let bytes = (&mut self.snapshot() as &mut dyn Tx).count(size, &[Value::from(&self.schema)])?;
        Ok(EngineInfo { storage: Storage::Server(server), bytes })
    }

    /// The others wait in a queue, and before every part the catalogue is read.
    fn pace(&self) -> Pace {
        Pace { locked: Duration::from_millis(100), rows_min: ROWS_PER_STATEMENT }
    }

    fn end_with_process(&mut self) {
        self.client.end_with_process();
    }

    /// The server reclaims what is deleted by itself.
    fn tidy(&mut self, _: bool) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Lets a crash of the server take back what a transaction commits.
const UNSYNCED: &str = "SET LOCAL synchronous_commit = off;";

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Begins a transaction that writes. It does not say so: a role or server that is set to read only stays so.
const WRITING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Turns the compiler of the server off, if it has one. Relatives of PostgreSQL refuse a setting that they lack.
const INTERPRET: &str = "SELECT pg_catalog.set_config('jit', 'off', true)
    WHERE pg_catalog.current_setting('jit', true) IS NOT NULL";
