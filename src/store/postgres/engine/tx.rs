//! A transaction of a connection to PostgreSQL. It begins with its first statement, in the same message.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{join, join_all, join3, join5};
use futures_util::pin_mut;
use tokio_postgres::{Error, SimpleQueryMessage};

use super::{App, Postgres, Tables};
use crate::auth::storage::StoreError;
use crate::store::engine::{Catalog, Dialect, EachRow, NewRows, Query, Row, Tx, Value, WriteTx};
use crate::store::mapping::identifier;
use crate::store::postgres::ahead::Ahead;
use crate::store::postgres::app_tables::{own_tables, with_absent, with_schemas};
use crate::store::postgres::catalog;
use crate::store::postgres::client::{Client, Exchange};
use crate::store::postgres::dialect::DIALECT;
use crate::store::postgres::error::{native_columns, of_commit, translate};
use crate::store::postgres::row::Cells;
use crate::store::postgres::statement::{Statement, is_write};

/// How many rows a cursor reads at once, and the statement: a page of a list, and the row that shows that it goes on.
pub(super) const FETCHED: usize = 1_001;
const FETCH: &str = "FETCH 1001 FROM part";

/// Ends a transaction that changed nothing, or takes back what it changed.
pub(super) const ROLLBACK: &str = "ROLLBACK";

/// The statement by which [`Tx`] takes back a part of a transaction.
pub(super) const TAKE_BACK: &str = "ROLLBACK TO SAVEPOINT";

/// How the name of each of authctl's own tables begins.
const OWN_TABLE: &str = "\"authctl_";

/// The statements that begin a transaction.
pub(in crate::store::postgres) struct Begin {
    pub(super) sql: String,
    /// Whether the last one must find a row: the one at which writers go one after the other.
    pub(super) needs_row: bool,
}

impl From<String> for Begin {
    fn from(sql: String) -> Self {
        Self { sql, needs_row: false }
    }
}

/// Runs statements in a transaction.
pub(in crate::store::postgres) struct PostgresTx<'c> {
    pub(super) client: &'c Client,
    schema: &'c str,
    pub(super) app: Option<&'c App>,
    /// What begins the transaction, until it is sent together with the first query.
    pub(super) begin: Option<Begin>,
    /// What ends a transaction of one statement, and is sent together with it.
    pub(super) end: Option<&'static str>,
    /// How long one answer may take.
    pub(super) limit: Duration,
    /// Whether the transaction has begun and not ended.
    pub(super) is_open: bool,
    /// Whether a statement failed. The server then refuses all others, and would answer `COMMIT` with a rollback.
    pub(super) has_failed: bool,
    /// Whether somebody has seen rows, so that the queries cannot run again.
    pub(super) has_rows: bool,
    pub(super) ahead: Option<&'c Ahead>,
    /// What is sent together with the next statement: before it, and after it.
    later: Vec<Query>,
    along: Ahead,
    /// Why a query failed that was asked along. The next statement fails for it.
    failure: Option<StoreError>,
    catalog: Option<Catalog>,
    /// The tables of other schemas in the catalog: their names there, and as SQL spells them.
    elsewhere: Vec<[String; 2]>,
    left: Vec<String>,
}

impl<'c> PostgresTx<'c> {
    pub(super) fn new(engine: &'c Postgres, begin: Option<Begin>, limit: Duration) -> Self {
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
            later: Vec::new(),
            along: Ahead::default(),
            failure: None,
            catalog: None,
            elsewhere: app.as_ref().filter(|app| app.has_state).map(|_| own_tables()).unwrap_or_default(),
            left: Vec::new(),
        }
    }

    /// Reads the tables of the schema.
    pub(super) fn tables(&mut self) -> Result<Tables, StoreError> {
        let schema = self.schema;
        let (tables, elsewhere) = catalog::read(self, schema)?;
        Ok((Catalog::from(tables), elsewhere))
    }

    /// Takes over what is known of the tables.
    pub(super) fn know(&mut self, (catalog, elsewhere): &Tables) {
        self.catalog = Some(catalog.clone());
        self.elsewhere.extend_from_slice(elsewhere);
    }

    /// Waits for the answer to a statement, which is sent at once with what begins the transaction.
    pub(super) fn wait_for<T>(
        &mut self,
        answer: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        self.exchange(async |exchange| exchange.within(answer(exchange.driver)).await)
    }

    /// As [`Self::wait_for`], for an answer in parts, each of which is waited for.
    pub(super) fn exchange<T>(
        &mut self,
        parts: impl AsyncFnOnce(Exchange<'_>) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let (begin, later, end) = (self.begin.take(), std::mem::take(&mut self.later), self.end.take());
        let later = statements(&later)?;
        let (ahead, along) = (self.ahead.filter(|_| begin.is_some()), &self.along);
        self.is_open = end.is_none();
        let (answered, asked) = self.client.exchange(self.limit, async |exchange| {
            let (has_row, done, answer, asked, ended) = join5(
                send_begin(exchange, begin),
                send(exchange, &later),
                parts(exchange),
                ask(exchange, ahead, along),
                send_end(exchange, end),
            )
            .await;
            // The first error is the reason for those after it.
            let answered = has_row.and_then(|has_row| {
                done?;
                let answer = answer?;
                ended.map(|()| (answer, has_row))
            });
            (answered, asked)
        });
        let (answer, has_row) = answered.map_err(|error| {
            self.has_failed = true;
            self.named(self.of_silence(translate(&error)))
        })?;
        if !has_row {
            self.has_failed = true;
            return Err(StoreError::SchemaChanged("authctl_head has no row".into()));
        }
        if let Err(error) = asked {
            self.has_failed = true;
            self.failure = Some(self.of_silence(error));
        }
        Ok(answer)
    }

    /// As [`Self::exchange`], for a statement that writes. The transaction goes on after its failure, as on SQLite, so that it can
    /// be told what the constraints of other programs are about.
    fn guarded<T>(&mut self, parts: impl AsyncFnOnce(Exchange<'_>) -> Result<T, Error>) -> Result<T, StoreError> {
        let done = self.exchange(async |exchange| {
            let before = exchange.batch("SAVEPOINT statement");
            let after = exchange.batch("RELEASE SAVEPOINT statement");
            let (before, done, after) = join3(before, parts(exchange), after).await;
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
        let name = match error {
            StoreError::NotUnique(name) if self.app.is_some() => name,
            error => return error,
        };
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
        let parts = async |exchange: Exchange<'_>| {
            let rows = exchange.driver.query_typed_raw(&statement.sql, statement.parameters());
            let rows = exchange.within(rows).await?;
            pin_mut!(rows);
            while let Some(row) = exchange.within(rows.next()).await {
                let row = Cells::of(&row?)?;
                has_rows = true;
                match each(&Row::new(&row)) {
                    Ok(goes_on) if goes_on.is_continue() => {}
                    ended => return Ok(ended.map(drop)),
                }
            }
            Ok(Ok(()))
        };
        let read = if is_write(&statement.sql) {
            self.require_begun()?;
            self.forget_written(&statement.sql);
            if self.app.is_some() { self.guarded(parts) } else { self.exchange(parts) }
        } else {
            self.exchange(parts)
        };
        self.has_rows |= has_rows;
        read?
    }

    /// Runs a statement. The transaction goes on after the failure of a guarded one that writes.
    fn run(&mut self, sql: &str, values: &[Value], is_guarded: bool) -> Result<u64, StoreError> {
        let Some(placed) = self.placed(sql) else { return Ok(0) };
        let statement = Statement::new(&placed, values)?;
        if is_write(sql) {
            self.require_begun()?;
        }
        self.forget_written(sql);
        if sql.starts_with(TAKE_BACK) {
            self.has_failed = false;
        }
        let done = async |exchange: Exchange<'_>| exchange.execute(&statement).await;
        if is_guarded && is_write(sql) { self.guarded(done) } else { self.exchange(done) }
    }

    /// Waits until the transaction has begun. A statement that writes must not run outside of it where it cannot begin.
    fn require_begun(&mut self) -> Result<(), StoreError> {
        if self.begin.is_some() { self.wait_for(async |_| Ok(())) } else { Ok(()) }
    }

    /// Forgets the answers that a statement may change. A trigger of an app writes to any table but authctl's own.
    pub(super) fn forget_written(&self, sql: &str) {
        let target = sql.split('"').nth(1).filter(|_| is_write(sql)).map(identifier);
        self.along.retain(|query| {
            let is_changed = target.as_ref().is_none_or(|target| query.contains(target));
            !is_changed && (self.app.is_none() || query.contains(OWN_TABLE))
        });
    }

    /// Runs statements that have no parameters.
    pub(in crate::store::postgres) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.exchange(async |exchange| exchange.batch(sql).await)
    }

    /// Ends the transaction.
    pub(in crate::store::postgres) fn commit(mut self) -> Result<(), StoreError> {
        // An act that had nothing to write is refused too where nothing can be written.
        self.require_begun()?;
        if !self.is_open {
            return Ok(());
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.has_failed {
            return Err(StoreError::Engine("a statement of the transaction failed".into()));
        }
        let later = std::mem::take(&mut self.later);
        let later = statements(&later)?;
        self.is_open = false;
        let (done, ended) = self
            .client
            .exchange(self.limit, async |exchange| join(send(exchange, &later), exchange.batch("COMMIT")).await);
        // After a statement that the server refuses, it answers the commit with a rollback.
        let done =
            done.map_err(|error| if error.as_db_error().is_some() { translate(&error) } else { of_commit(&error) });
        let ended = done.and(ended.map_err(|error| of_commit(&error)));
        ended.map_err(|error| self.named(self.of_silence(error)))?;
        if self.client.has_stopped_waiting() {
            return Err(StoreError::Unanswered("the server stopped waiting for its standby".into()));
        }
        Ok(())
    }
}

/// Statements as the server reads them.
fn statements(queries: &[Query]) -> Result<Vec<Statement<'_>>, StoreError> {
    queries.iter().map(|(sql, values)| Statement::new(sql, values)).collect()
}

/// Begins a transaction, if it has not begun. Returns whether the last statement found the row that it needs.
async fn send_begin(exchange: Exchange<'_>, begin: Option<Begin>) -> Result<bool, Error> {
    let Some(Begin { sql, needs_row }) = begin else { return Ok(true) };
    let answers = exchange.within(exchange.driver.simple_query(&sql)).await?;
    Ok(!needs_row || matches!(answers.last(), Some(SimpleQueryMessage::CommandComplete(1))))
}

/// Sends statements together, whose answers only say whether they failed. Returns the first error.
async fn send(exchange: Exchange<'_>, statements: &[Statement<'_>]) -> Result<(), Error> {
    join_all(statements.iter().map(|statement| exchange.execute(statement)))
        .await
        .into_iter()
        .try_for_each(|done| done.map(drop))
}

/// Sends queries whose answers are kept. Those that were asked ahead of the transaction may fail.
async fn ask(exchange: Exchange<'_>, ahead: Option<&Ahead>, along: &Ahead) -> Result<(), StoreError> {
    if let Some(ahead) = ahead {
        let _needs_no_answer = exchange.within(ahead.ask(exchange.driver)).await;
    }
    exchange.within(along.ask(exchange.driver)).await
}

/// Ends a transaction of one statement.
async fn send_end(exchange: Exchange<'_>, end: Option<&str>) -> Result<(), Error> {
    match end {
        Some(end) => exchange.batch(end).await,
        None => Ok(()),
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
        let tables = self.tables()?;
        self.know(&tables);
        Ok(tables.0)
    }

    fn left(&mut self) -> &mut Vec<String> {
        &mut self.left
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.run(sql, values, self.app.is_some())
    }

    fn ask_along(&mut self, queries: &[Query]) {
        for query in queries {
            if let Some(placed) = self.placed(&query.0).map(Cow::into_owned) {
                self.along.add_as(query.clone(), placed);
            }
        }
    }

    fn execute_later(&mut self, sql: &str, values: &[Value]) -> Result<(), StoreError> {
        self.require_begun()?;
        self.forget_written(sql);
        if let Some(placed) = self.placed(sql).map(Cow::into_owned) {
            Statement::new(&placed, values)?;
            self.later.push((placed, values.to_vec()));
        }
        Ok(())
    }

    fn insert_rows(&mut self, target: &str, rows: &mut NewRows<'_>) -> Result<u64, StoreError> {
        self.insert_or_copy(target, rows)
    }

    fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.run(sql, values, true)
    }

    fn query(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let ahead = self.ahead.and_then(|ahead| ahead.take(sql, values));
        if let Some(rows) = ahead.or_else(|| self.along.take(sql, values)) {
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
