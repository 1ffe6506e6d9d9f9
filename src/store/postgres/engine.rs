//! PostgreSQL behind the seam: one connection, and a transaction of it.
//!
//! Every statement is typed and unnamed, and every setting is local to a transaction, so that a pooler may give each
//! transaction another session of the server.

mod copy;
#[cfg(test)]
mod tests;
mod turn;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::{join3, join4};
use futures_util::pin_mut;
use jiff::SignedDuration;

use super::ahead::{Ahead, Query};
use super::app_tables::{AbsentTable, own_tables, with_absent, with_schemas};
use super::client::Client;
use super::dialect::{DIALECT, ROWS_PER_STATEMENT};
use super::error::{native_columns, of_commit, translate};
use super::migrate::Contents;
use super::row::Cells;
use super::statement::{Statement, is_write};
use super::{SCHEMA, catalog, info, migrate, schema};
use crate::auth::prune::Pace;
use crate::auth::storage::{Depth, SchemaDifference, Server, Storage, StoreError};
use crate::store::engine::{Catalog, Dialect, EachRow, Engine, EngineInfo, NewRows, Row, Tx, Value, WriteTx};
use crate::store::mapping::identifier;

/// How much longer than for other writers an act waits for an answer, and a change of the schema, which may make an index.
const ANSWER_MAX: Duration = Duration::from_secs(10);
const MIGRATION_MAX: Duration = Duration::from_mins(10);

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
    app: Option<App>,
}

/// What an engine knows of the app that made the tables.
#[derive(Debug, Default)]
struct App {
    absent: Vec<AbsentTable>,
    /// Whether the catalogue was read.
    has_read: Cell<bool>,
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
        Self { client, connect: Box::new(connect), wait, start, schema, app: None, ahead: Ahead::default() }
    }

    /// Asks queries together with the first statement of the next snapshot.
    pub(super) fn ask_ahead(&mut self, queries: Vec<Query>) {
        self.ahead = Ahead::new(queries);
    }

    /// The engine for the tables of an app in a schema, without those whose rows are not reached.
    pub(in crate::store) fn of_app(self, schema: String, absent: Vec<AbsentTable>) -> Self {
        Self { schema, app: Some(App { absent, has_read: Cell::default(), has_state: false }), ..self }
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
    pub fn behind(&mut self) -> Result<Option<SignedDuration>, StoreError> {
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
    /// among temporary tables last. A row that a policy hides is an error, and not left out. The server converts times in
    /// UTC, by the one name of it that needs no file of time zones. A backslash in a text is a backslash, and definitions
    /// are spelled as in the list of the schema. It compiles no statement: a cursor that reads a page of a large table would
    /// be compiled for the whole of it.
    fn settings(&self, begin: &str) -> String {
        let wait = self.lock_timeout();
        format!(
            "{begin}; SET LOCAL search_path = {schema}, pg_temp; SET LOCAL lock_timeout = {wait}; \
             SET LOCAL row_security = off; SET LOCAL timezone = 'GMT'; SET LOCAL standard_conforming_strings = on; \
             SET LOCAL quote_all_identifiers = off; {INTERPRET}",
            schema = identifier(&self.schema)
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
        let mut tx = self.transaction(None);
        tx.is_open = true;
        tx.wait_for(async |driver| driver.batch_execute(&begin).await)?;
        Ok(Box::new(tx))
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
        PostgresTx::new(self, begin, self.wait + ANSWER_MAX)
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

    /// A snapshot for one statement, in which `authctl.path` says in which schemas the session looked names up, as an array.
    pub(super) fn discovery(&self) -> PostgresTx<'_> {
        let path = "pg_catalog.set_config('authctl.path', pg_catalog.current_schemas(false)::pg_catalog.text, true)";
        let mut tx = self.transaction(Some(&format!("{SNAPSHOT}; SELECT {path}")));
        tx.end = Some(ROLLBACK);
        tx
    }

    /// A transaction for changes of the schema.
    pub(super) fn migration(&self) -> PostgresTx<'_> {
        let mut tx = self.transaction(Some(WRITING));
        tx.limit = self.wait + MIGRATION_MAX;
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
        let found = migrate::version(&mut self.snapshot())?;
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

    /// The others wait in a queue, and every part reads the catalogue.
    fn pace(&self) -> Pace {
        Pace { locked: Duration::from_millis(100), rows_min: ROWS_PER_STATEMENT }
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

/// How many rows a cursor reads at once, and the statement: a page of a list, and the row that shows that it goes on.
const FETCHED: usize = 1_001;
const FETCH: &str = "FETCH 1001 FROM part";

/// Turns the compiler of the server off, if it has one. Relatives of PostgreSQL refuse a setting that they lack.
const INTERPRET: &str = "SELECT pg_catalog.set_config('jit', 'off', true)
    WHERE pg_catalog.current_setting('jit', true) IS NOT NULL";

/// Ends a transaction that changed nothing, or takes back what it changed.
const ROLLBACK: &str = "ROLLBACK";

/// The statement by which [`Tx`] takes back a part of a transaction.
const TAKE_BACK: &str = "ROLLBACK TO SAVEPOINT";

/// Runs statements in a transaction.
pub(super) struct PostgresTx<'c> {
    client: &'c Client,
    schema: &'c str,
    app: Option<&'c App>,
    /// What begins the transaction, until it is sent together with the first statement.
    begin: Option<String>,
    /// What ends a transaction of one statement, and is sent together with it.
    end: Option<&'static str>,
    /// How long one answer may take.
    limit: Duration,
    /// Whether the transaction has begun and not ended.
    is_open: bool,
    /// Whether a statement failed. The server then refuses all others, and would answer `COMMIT` with a rollback.
    has_failed: bool,
    /// Whether somebody has seen rows, so that the queries cannot run again.
    has_rows: bool,
    ahead: Option<&'c Ahead>,
    catalog: Option<Catalog>,
    /// The tables of other schemas in the catalog: their names there, and as SQL spells them.
    elsewhere: Vec<[String; 2]>,
    left: Vec<String>,
}

impl<'c> PostgresTx<'c> {
    fn new(engine: &'c Postgres, begin: Option<String>, limit: Duration) -> Self {
        let Postgres { client, schema, app, .. } = engine;
        Self {
            client,
            schema,
            app: app.as_ref(),
            begin,
            end: None,
            limit,
            is_open: false,
            has_failed: false,
            has_rows: false,
            ahead: None,
            catalog: None,
            elsewhere: app.as_ref().filter(|app| app.has_state).map(|_| own_tables()).unwrap_or_default(),
            left: Vec::new(),
        }
    }

    /// Waits for the answer to a statement, which is sent at once with what begins the transaction.
    fn wait_for<T>(
        &mut self,
        answer: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let (client, limit) = (self.client, self.limit);
        self.drive(async |driver| client.within(limit, answer(driver)).await)
    }

    /// As [`Self::wait_for`], for an answer in parts, each of which is waited for.
    fn drive<T>(
        &mut self,
        parts: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let (client, limit, ahead) = (self.client, self.limit, self.ahead);
        let begin = self.begin.take();
        let end = self.end.take();
        self.is_open = end.is_none();
        let answered = client.drive(async |driver| match begin {
            None => parts(driver).await,
            Some(begin) => {
                let first = client.within(limit, driver.batch_execute(&begin));
                let ahead = async {
                    if let Some(ahead) = ahead {
                        client.within(limit, ahead.ask(driver)).await;
                    }
                };
                let end = async {
                    match end {
                        Some(end) => client.within(limit, driver.batch_execute(end)).await,
                        None => Ok(()),
                    }
                };
                let (has_begun, answered, (), has_ended) = join4(first, parts(driver), ahead, end).await;
                has_begun.and(answered).and_then(|answer| has_ended.map(|()| answer))
            }
        });
        answered.map_err(|error| {
            self.has_failed = true;
            self.named(self.of_silence(translate(&error)))
        })
    }

    /// As [`Self::drive`], for a statement that writes. In an app's database the transaction goes on after its failure, as on
    /// SQLite, so that it can be told what the app's constraints are about.
    fn guarded<T>(
        &mut self,
        parts: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        if self.app.is_none() {
            return self.drive(parts);
        }
        let (client, limit) = (self.client, self.limit);
        let done = self.drive(async |driver| {
            let before = client.within(limit, driver.batch_execute("SAVEPOINT statement"));
            let after = client.within(limit, driver.batch_execute("RELEASE SAVEPOINT statement"));
            let (before, done, after) = join3(before, parts(driver), after).await;
            before?;
            let done = done?;
            after.map(|()| done)
        });
        done.map_err(|error| match error {
            StoreError::Conflict | StoreError::Disconnected(_) | StoreError::Unanswered(_) => error,
            error => self.taken_back(error),
        })
    }

    /// Takes back a statement that failed, and completes its error.
    fn taken_back(&mut self, error: StoreError) -> StoreError {
        let undo = "ROLLBACK TO SAVEPOINT statement; RELEASE SAVEPOINT statement";
        if self.batch(undo).is_err() {
            return error;
        }
        self.has_failed = false;
        let StoreError::NotUnique(name) = error else { return error };
        let values = [self.schema.into(), name.clone().into()];
        let found = (self as &mut dyn Tx).query_one(catalog::UNIQUE, &values, |row| row.optional_text(0));
        StoreError::NotUnique(found.ok().flatten().flatten().unwrap_or(name))
    }

    /// Names the columns of a unique constraint of the native schema.
    fn named(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::NotUnique(name) if self.app.is_none() => {
                StoreError::NotUnique(native_columns(&name).map_or(name, str::to_owned))
            }
            other => other,
        }
    }

    /// The statement as the server can run it; `None` if it writes to a table whose rows the app keeps elsewhere.
    fn placed<'s>(&self, sql: &'s str) -> Option<Cow<'s, str>> {
        let absent = self.app.map(|app| &app.absent[..]).unwrap_or_default();
        match with_schemas(&self.elsewhere, sql) {
            Cow::Borrowed(sql) => with_absent(absent, sql),
            Cow::Owned(sql) => with_absent(absent, &sql).map(|sql| Cow::Owned(sql.into_owned())),
        }
    }

    /// Says why the connection ended, if it was because the server said nothing.
    fn of_silence(&self, error: StoreError) -> StoreError {
        let Some(limit) = self.client.exceeded() else { return error };
        let problem = format!("the server did not answer within {} seconds", limit.as_secs());
        match error {
            StoreError::Disconnected(_) => StoreError::Disconnected(problem),
            StoreError::Unanswered(_) => StoreError::Unanswered(problem),
            other => other,
        }
    }

    fn rows(&mut self, statement: &Statement<'_>, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let mut has_rows = false;
        let (client, limit) = (self.client, self.limit);
        let parts = async |driver: &tokio_postgres::Client| {
            let rows = driver.query_typed_raw(&statement.sql, statement.parameters());
            let rows = client.within(limit, rows).await?;
            pin_mut!(rows);
            while let Some(row) = client.within(limit, rows.next()).await {
                let row = Cells::of(&row?)?;
                has_rows = true;
                match each(&Row::new(&row)) {
                    Ok(goes_on) if goes_on.is_continue() => {}
                    ended => return Ok(ended.map(drop)),
                }
            }
            Ok(Ok(()))
        };
        let read = if is_write(&statement.sql) { self.guarded(parts) } else { self.drive(parts) };
        self.has_rows |= has_rows;
        read?
    }

    /// Runs statements that have no parameters.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.wait_for(async |driver| driver.batch_execute(sql).await)
    }

    /// Ends the transaction.
    pub(super) fn commit(mut self) -> Result<(), StoreError> {
        if !self.is_open {
            return Ok(());
        }
        if self.has_failed {
            return Err(StoreError::Engine("a statement of the transaction failed".into()));
        }
        self.is_open = false;
        let ended = self.client.wait_for(self.limit, async |driver| driver.batch_execute("COMMIT").await);
        ended.map_err(|error| self.named(self.of_silence(of_commit(&error))))?;
        if self.client.has_stopped_waiting() {
            return Err(StoreError::Unanswered("the server stopped waiting for its standby".into()));
        }
        Ok(())
    }
}

impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.client.send(ROLLBACK);
        }
    }
}

impl Tx for PostgresTx<'_> {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn catalog(&mut self) -> Result<Catalog, StoreError> {
        if let Some(known) = &self.catalog {
            return Ok(known.clone());
        }
        let schema = self.schema;
        let (tables, elsewhere) = catalog::read(self, schema)?;
        self.elsewhere.extend(elsewhere);
        Ok(self.catalog.insert(Catalog::from(tables)).clone())
    }

    fn left(&mut self) -> &mut Vec<String> {
        &mut self.left
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let Some(placed) = self.placed(sql) else { return Ok(0) };
        let statement = Statement::new(&placed, values)?;
        if sql.starts_with(TAKE_BACK) {
            self.has_failed = false;
        }
        let (client, limit) = (self.client, self.limit);
        let done = async |driver: &tokio_postgres::Client| {
            let parameters = statement.parameters();
            client.within(limit, driver.execute_typed(&statement.sql, &parameters)).await
        };
        if is_write(sql) { self.guarded(done) } else { self.drive(done) }
    }

    fn insert_rows(&mut self, target: &str, rows: &mut NewRows<'_>) -> Result<(), StoreError> {
        self.insert_or_copy(target, rows)
    }

    fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.execute(sql, values)
    }

    fn query(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        if let Some(rows) = self.ahead.and_then(|ahead| ahead.take(sql, values)) {
            for row in &rows {
                self.has_rows = true;
                if each(&Row::new(row))?.is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let Some(placed) = self.placed(sql) else { return Ok(()) };
        self.rows(&Statement::new(&placed, values)?, each)
    }

    /// Reads by a cursor.
    fn scan(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let Some(placed) = self.placed(sql) else { return Ok(()) };
        let query = Statement::new(&placed, values)?;
        let declare = ["DECLARE part NO SCROLL CURSOR FOR ", &query.sql].concat();
        self.wait_for(async |driver| driver.execute_typed(&declare, &query.parameters()).await)?;
        let fetch = Statement::new(FETCH, &[])?;
        loop {
            let (mut rows, mut is_enough) = (0, false);
            self.rows(&fetch, &mut |row| {
                rows += 1;
                each(row).inspect(|goes_on| is_enough = goes_on.is_break())
            })?;
            if is_enough || rows < FETCHED {
                self.client.send("CLOSE part");
                return Ok(());
            }
        }
    }
}

impl WriteTx for PostgresTx<'_> {
    fn hold(&mut self) -> Result<(), StoreError> {
        self.batch("SET LOCAL idle_in_transaction_session_timeout = 0")
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        PostgresTx::commit(*self)
    }
}
