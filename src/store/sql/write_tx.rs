//! The transactions of a store: `write_tx` is the single way to change a database.
//!
//! Where authctl's own tables are in a database beside that of an app, an act and its log entries are in two databases, and
//! no commit spans both. So the log says "intended" before the act is committed and what was done after it. A process that is
//! killed in between leaves an intention without an end; the next act finds it and records that the outcome is unknown.
//!
//! The entries about the end are written before the act is committed, and committed after it. Until then
//! no other process writes to the log, so an open intention that another process reads is of a process
//! that no longer runs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::audit::{failed_of, intended_of, interrupted_of, signed};
use super::import::OtherSpellings;
use super::{Answer, audit, sample, sessions, throttle};
use crate::auth::Caller;
use crate::auth::audit::{Acting, Actor, Entry, Event};
use crate::auth::storage::{GuestSchema, LooseEnds, StoreError};
use crate::auth::throttle::AttemptKey;
use crate::store::engine::{Engine, Tx, WriteTx};
use crate::store::mapping::{Evidence, NATIVE, SchemaMapping, identifier};

/// The longest wait before the first retry after a conflict with another process. It doubles with each one.
const RETRY_WAIT: Duration = Duration::from_millis(10);
/// How often it doubles: to 80 ms, so that a crowd of processes finds out soon that the database is free.
const DOUBLINGS_MAX: u32 = 3;

/// A store on a database engine: every statement is written once, in the names of a mapping.
#[derive(Debug)]
pub struct SqlStore {
    pub(super) engine: Box<dyn Engine>,
    pub(super) mapping: SchemaMapping,
    pub(super) acting: Acting,
    /// The caller who must be signed in for every act.
    pub(super) caller: Option<Box<Caller>>,
    pub(super) guest: Option<Guest>,
    pub(super) loose_ends: LooseEnds,
    /// What an import has read already.
    pub(super) other_spellings: OtherSpellings,
}

/// What a store has besides when the database belongs to an app.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) schema: GuestSchema,
    /// What the columns show of their encodings.
    evidence: Evidence,
    pub(super) own_tables: OwnTables,
}

/// Where authctl's own tables about an app's database are.
#[derive(Debug)]
pub(in crate::store) enum OwnTables {
    /// In a database of their own.
    Beside(State),
    /// In this schema of the app's database, so that an act and its log entries are one transaction.
    Inside(&'static str),
}

impl Guest {
    /// The database with authctl's own tables, if it is not the app's.
    pub(super) fn state(&mut self) -> Option<&mut State> {
        match &mut self.own_tables {
            OwnTables::Beside(state) => Some(state),
            OwnTables::Inside(_) => None,
        }
    }
}

/// The database with authctl's own tables about an app's. It has a connection of its own, so that an act on these tables
/// alone does not lock the app's database.
#[derive(Debug)]
pub struct State {
    pub(in crate::store) engine: Box<dyn Engine>,
    pub(in crate::store) path: PathBuf,
}

/// An act: reads, decides, writes, and says what the log tells of it. It may run again in a new
/// transaction, so it has no other effects, and ids, tokens and hashes are made before it.
pub(in crate::store) trait Act<T>:
    FnMut(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>
{
}
impl<T, F: FnMut(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>> Act<T> for F {}

/// An act on the mapping of its database.
type BoundAct<'a, T> = dyn FnMut(&mut dyn Tx, &mut Vec<Event>) -> Result<T, StoreError> + 'a;

impl SqlStore {
    /// A store of a database that authctl made.
    pub(in crate::store) fn native(engine: impl Engine + 'static, mapping: SchemaMapping) -> Self {
        Self::on(Box::new(engine), mapping)
    }

    fn on(engine: Box<dyn Engine>, mapping: SchemaMapping) -> Self {
        Self {
            engine,
            mapping,
            acting: Actor::default().into(),
            caller: None,
            guest: None,
            loose_ends: LooseEnds::default(),
            other_spellings: OtherSpellings::default(),
        }
    }

    /// A store of an app's database.
    pub(in crate::store) fn guest(
        engine: Box<dyn Engine>,
        mapping: SchemaMapping,
        (schema, evidence): (GuestSchema, Evidence),
        own_tables: OwnTables,
    ) -> Self {
        Self { guest: Some(Guest { schema, evidence, own_tables }), ..Self::on(engine, mapping) }
    }

    /// The mapping, for tests that write as another program would.
    #[cfg(test)]
    pub(in crate::store) fn mapping(&self) -> &SchemaMapping {
        &self.mapping
    }

    /// The time of the act, as its entries have it.
    pub(in crate::store) fn time_of_act(&self) -> jiff::Timestamp {
        self.acting.actor().at
    }

    /// Runs queries.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] if the times of an app cannot be read, and those of the queries.
    pub(in crate::store) fn read<T>(
        &mut self,
        queries: impl FnMut(&mut dyn Tx, &SchemaMapping) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.guest.as_ref().and_then(|guest| guest.schema.unclear_times()) {
            Some(unclear) => Err(StoreError::NotOurs(unclear.clone())),
            None => self.read_without_times(queries),
        }
    }

    /// Runs queries that need no time of an app.
    pub(in crate::store) fn read_without_times<T>(
        &mut self,
        mut queries: impl FnMut(&mut dyn Tx, &SchemaMapping) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mapping = &self.mapping;
        self.engine.query(|tx| queries(tx, mapping))
    }

    /// Runs queries on authctl's own tables.
    pub(super) fn read_state<T>(
        &mut self,
        queries: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.state().query(queries)
    }

    /// The engine with authctl's own tables.
    pub(super) fn state(&mut self) -> &mut dyn Engine {
        self.guest.as_mut().and_then(Guest::state).map_or(&mut *self.engine, |state| &mut *state.engine)
    }

    /// Runs an act in one transaction together with its log entries. Keeps nothing when the act fails, or
    /// answers that nothing was done.
    pub(in crate::store) fn write_tx<T: Answer>(&mut self, act: impl Act<T>) -> Result<T, StoreError> {
        self.write_tx_and_clear(act, |_| None)
    }

    /// Runs an act that needs the catalog.
    pub(in crate::store) fn write_tx_by_catalog<T: Answer>(&mut self, act: impl Act<T>) -> Result<T, StoreError> {
        self.write_tx_with(true, act, |_| None)
    }

    /// Runs an act that clears a count of attempts when it succeeds.
    pub(super) fn write_tx_clearing<T>(
        &mut self,
        key: &AttemptKey,
        act: impl Act<Option<T>>,
    ) -> Result<Option<T>, StoreError> {
        self.write_tx_and_clear(act, |done| done.is_some().then_some(key))
    }

    pub(super) fn write_tx_and_clear<'k, T: Answer>(
        &mut self,
        act: impl Act<T>,
        cleared: impl Fn(&T) -> Option<&'k AttemptKey>,
    ) -> Result<T, StoreError> {
        // Nearly every act on the rows of an app needs it.
        let needs_catalog = self.guest.is_some();
        self.write_tx_with(needs_catalog, act, cleared)
    }

    /// As [`Self::write_tx_and_clear`], for an act of which it is known whether it needs the catalog.
    pub(super) fn write_tx_with<'k, T: Answer>(
        &mut self,
        needs_catalog: bool,
        mut act: impl Act<T>,
        cleared: impl Fn(&T) -> Option<&'k AttemptKey>,
    ) -> Result<T, StoreError> {
        self.settling(|store| store.write_settled(needs_catalog, &mut act, &cleared))
    }

    fn write_settled<'k, T: Answer>(
        &mut self,
        needs_catalog: bool,
        act: impl Act<T>,
        cleared: impl Fn(&T) -> Option<&'k AttemptKey>,
    ) -> Result<T, StoreError> {
        let expect = |engine: &mut dyn Engine| if needs_catalog { engine.expect_catalog() } else { Ok(()) };
        let Self { engine, mapping, acting, caller, guest, loose_ends, .. } = self;
        let mut act = for_caller(caller.as_deref(), mapping, act);
        match guest.as_mut().and_then(Guest::state) {
            None => retrying(engine.wait(), || {
                expect(&mut **engine)?;
                write(&mut **engine, mapping, acting, loose_ends, &mut act, &cleared)
            }),
            Some(state) => retrying(engine.wait(), || {
                expect(&mut **engine)?;
                let mut both = Both { app: &mut **engine, mapping, state: &mut *state.engine, acting, loose_ends };
                both.write(&mut act, None, &cleared)
            }),
        }
    }

    /// Runs an act on authctl's own tables alone. It is done also where nothing is written to the app's.
    pub(in crate::store) fn state_tx<T: Answer>(&mut self, act: impl Act<T>) -> Result<T, StoreError> {
        let Self { engine, mapping, acting, caller, guest, loose_ends, .. } = self;
        match guest {
            None => self.write_tx(act),
            Some(Guest { own_tables: OwnTables::Beside(state), .. }) => write_state(&mut *state.engine, acting, act),
            Some(Guest { own_tables: OwnTables::Inside(_), .. }) => {
                let mut act = for_caller(caller.as_deref(), mapping, act);
                retrying(engine.wait(), || write(&mut **engine, mapping, acting, loose_ends, &mut act, &|_| None))
            }
        }
    }

    /// Runs an act on authctl's own tables alone that has no log entries and that a crash of the machine may take back.
    pub(in crate::store) fn state_tx_unsynced<T: Answer>(
        &mut self,
        mut act: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let state = self.state();
        retrying(state.wait(), || {
            let mut tx = state.begin_unsynced()?;
            let result = act(&mut *tx)?;
            if result.is_done() {
                tx.commit()?;
            }
            Ok(result)
        })
    }

    /// Runs an act on authctl's own tables alone, while the app's database is locked for writers.
    pub(super) fn state_tx_alone<T: Answer>(&mut self, act: impl Act<T>) -> Result<T, StoreError> {
        match self.guest.as_mut().and_then(Guest::state) {
            None => self.state_tx(act),
            Some(state) => {
                let _app = self.engine.begin()?;
                write_state(&mut *state.engine, &self.acting, act)
            }
        }
    }

    /// Runs an act and takes back what it wrote. What it leaves as it was is reported as for the act itself.
    pub(in crate::store) fn dry_run<T>(&mut self, mut act: impl Act<T>) -> Result<T, StoreError> {
        self.settling(|store| {
            let Self { engine, mapping, caller, loose_ends, .. } = store;
            let mut act = for_caller(caller.as_deref(), mapping, &mut act);
            retrying(engine.wait(), || {
                engine.expect_catalog()?;
                let mut tx = engine.begin()?;
                let result = act(&mut *tx, &mut Vec::new())?;
                loose_ends.leave(std::mem::take(tx.left()));
                Ok(result)
            })
        })
    }

    /// Does the work of an act as [`Self::write_tx`] does, log entries included, and takes all of it back
    /// before the commit. The pages that the act touched are written all the same, with their old content,
    /// so that the work cannot be told from that of the act itself.
    pub(super) fn rehearse(&mut self, mut act: impl Act<()>) -> Result<(), StoreError> {
        self.settling(|store| store.rehearse_settled(&mut act))
    }

    fn rehearse_settled(&mut self, act: impl Act<()>) -> Result<(), StoreError> {
        let Self { engine, mapping, acting, caller, guest, loose_ends, .. } = self;
        let mut act = for_caller(caller.as_deref(), mapping, act);
        match guest.as_mut().and_then(Guest::state) {
            None => retrying(engine.wait(), || {
                let mut tx = engine.begin()?;
                (&mut *tx as &mut dyn Tx).rehearse(|tx| {
                    let mut events = Vec::new();
                    act(tx, &mut events)?;
                    let actor = signed(tx, mapping, acting.actor(), &events)?;
                    audit::append(tx, &actor, events)
                })?;
                tx.commit()
            }),
            Some(state) => retrying(engine.wait(), || {
                let mut both = Both { app: &mut **engine, mapping, state: &mut *state.engine, acting, loose_ends };
                both.rehearse(&mut act)
            }),
        }
    }

    /// Runs a transaction that writes. When it needs a column whose encoding the sample does not decide, all values of the
    /// column are read, and the transaction runs again.
    fn settling<T>(
        &mut self,
        mut transaction: impl FnMut(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        loop {
            self.require_writable()?;
            match transaction(self) {
                Err(StoreError::Unsettled(table)) => self.settle_table(table)?,
                result => return result,
            }
        }
    }

    /// Reads all values of the columns of a table whose encoding the sample does not decide.
    fn settle_table(&mut self, table: &str) -> Result<(), StoreError> {
        let Some(Guest { schema, evidence, .. }) = &mut self.guest else { return Ok(()) };
        let before = evidence.verdict().blockers;
        let mut observed = evidence.of_table(table);
        observed.retain_mut(|column| !column.place().is_settled);
        let columns: Vec<String> = observed.iter_mut().map(|column| identifier(column.place().column)).collect();
        let sql = format!(r#"SELECT {} FROM "{table}" WHERE TRUE"#, columns.join(", "));
        let sql = self.mapping.sql(sql);
        self.engine.query(|tx| sample::count(tx, &sql, &mut observed))?;
        let verdict = evidence.verdict();
        schema.write_blockers.retain(|blocker| !before.contains(blocker));
        schema.write_blockers.extend(verdict.blockers.iter().cloned());
        if schema.unclear_times().is_none() {
            schema.time.clone_from(&verdict.name);
            schema.time_evidence.clone_from(&verdict.evidence);
        }
        self.mapping.decide(verdict);
        Ok(())
    }

    /// Reads all values of every column whose encoding the sample does not decide.
    pub(super) fn settle_all(&mut self) -> Result<(), StoreError> {
        while let Some((table, _)) = self.mapping.unsettled.first() {
            self.settle_table(table)?;
        }
        Ok(())
    }

    /// # Errors
    /// [`StoreError::Unsafe`] or [`StoreError::NotOurs`] if writing to the app's database is unsafe.
    fn require_writable(&self) -> Result<(), StoreError> {
        if let Some(place) = self.guest.as_ref().and_then(|guest| guest.schema.unsafe_place.as_ref()) {
            return Err(StoreError::Unsafe(place.clone()));
        }
        match self.guest.as_ref().and_then(|guest| guest.schema.blocks_everything()) {
            Some(blocker) => Err(StoreError::NotOurs(blocker.clone())),
            None => Ok(()),
        }
    }
}

/// Runs a transaction again, until the wait is over, when another process changed what it had read, or its connection broke
/// before the commit.
#[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
pub(in crate::store) fn retrying<T>(
    wait: Duration,
    mut transaction: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let start = Instant::now();
    let mut retries = 0;
    loop {
        match transaction() {
            Err(StoreError::Conflict | StoreError::Disconnected(_)) if start.elapsed() < wait => {
                std::thread::sleep(jitter(RETRY_WAIT * (1 << retries.min(DOUBLINGS_MAX)), start.elapsed()));
                retries += 1;
            }
            result => return result,
        }
    }
}

/// A part of a time, from a half to the whole. Processes that ran into each other come back at different times: how long an
/// attempt took, to the nanosecond, and the number of the process differ.
fn jitter(longest: Duration, elapsed: Duration) -> Duration {
    let seed = elapsed.subsec_nanos().wrapping_mul(2_654_435_761) ^ std::process::id().wrapping_mul(40_503);
    longest / 2 + longest.mul_f64(f64::from(seed) / f64::from(u32::MAX)) / 2
}

/// Has an act check in its transaction, before anything else, that its caller is signed in. Every act that
/// writes goes through here, so that none can forget it.
fn for_caller<'a, T>(
    caller: Option<&'a Caller>,
    mapping: &'a SchemaMapping,
    mut act: impl Act<T> + 'a,
) -> impl FnMut(&mut dyn Tx, &mut Vec<Event>) -> Result<T, StoreError> + 'a {
    move |tx, log| {
        if let Some(caller) = caller {
            let checked = sessions::check_caller(tx, mapping, caller)?;
            checked.map_err(|refused| StoreError::Caller(Box::new(refused)))?;
        }
        act(tx, mapping, log)
    }
}

/// Runs an act on the database with authctl's own tables.
fn write_state<T: Answer>(state: &mut dyn Engine, acting: &Acting, mut act: impl Act<T>) -> Result<T, StoreError> {
    let mut act = |tx: &mut dyn Tx, log: &mut Vec<Event>| act(tx, &NATIVE, log);
    let mut loose_ends = LooseEnds::default();
    retrying(state.wait(), || write(state, &NATIVE, acting, &mut loose_ends, &mut act, &|_| None))
}

/// Runs an act and its log entries in one transaction.
fn write<'k, T: Answer>(
    engine: &mut dyn Engine,
    mapping: &SchemaMapping,
    acting: &Acting,
    loose_ends: &mut LooseEnds,
    act: &mut BoundAct<'_, T>,
    cleared: &dyn Fn(&T) -> Option<&'k AttemptKey>,
) -> Result<T, StoreError> {
    let mut tx = engine.begin()?;
    let mut events = Vec::new();
    tx.ask_along(&[audit::of_newest()]);
    let result = act(&mut *tx, &mut events)?;
    if !result.is_done() {
        return Ok(result);
    }
    let left = std::mem::take(tx.left());
    if let Some(key) = cleared(&result) {
        throttle::clear_later(&mut *tx, key)?;
    }
    if !events.is_empty() {
        let actor = signed(&mut *tx, mapping, acting.actor(), &events)?;
        audit::append(&mut *tx, &actor, events)?;
    }
    tx.commit()?;
    loose_ends.leave(left);
    Ok(result)
}

/// An act on a guest database: the app's database, and authctl's own with the log.
pub(in crate::store) struct Both<'s> {
    pub(in crate::store) app: &'s mut dyn Engine,
    pub(in crate::store) mapping: &'s SchemaMapping,
    pub(in crate::store) state: &'s mut dyn Engine,
    pub(in crate::store) acting: &'s Acting,
    pub(in crate::store) loose_ends: &'s mut LooseEnds,
}

/// Moves rows to authctl's own tables. Takes the transactions of the app's database and of authctl's.
type Carry<'a> = dyn FnMut(&mut dyn Tx, &mut dyn Tx, &mut Vec<Event>) -> Result<(), StoreError> + 'a;

impl Both<'_> {
    /// Runs an act, and `carry` after it in the same transaction. What is carried is committed together with the intention,
    /// so that it is there when the act is.
    ///
    /// # Errors
    /// The act changed nothing, except with [`StoreError::Uncertain`] and [`StoreError::Unanswered`].
    pub(in crate::store) fn write<'k, T: Answer>(
        &mut self,
        act: &mut BoundAct<'_, T>,
        carry: Option<&mut Carry<'_>>,
        cleared: &dyn Fn(&T) -> Option<&'k AttemptKey>,
    ) -> Result<T, StoreError> {
        let mut app = self.app.begin()?;
        let mut events = Vec::new();
        let result = act(&mut *app, &mut events)?;
        if !result.is_done() {
            return Ok(result);
        }
        let left = std::mem::take(app.left());
        let Some(first) = events.first().cloned() else {
            app.commit()?;
            self.loose_ends.leave(left);
            return Ok(result);
        };
        let actor = signed(&mut *app, self.mapping, self.acting.actor(), &events)?;
        let mut state = self.state.begin()?;
        let mut carried = Vec::new();
        carry.map_or(Ok(()), |carry| carry(&mut *app, &mut *state, &mut carried))?;
        let interrupted = intend(state, &actor, carried, intended_of(&events))?;
        self.loose_ends.interrupted.extend(interrupted);
        match finish(app, self.state, &actor, events, cleared(&result)) {
            Ok(unlogged) => {
                self.loose_ends.add(LooseEnds { unlogged, left, ..LooseEnds::default() });
                Ok(result)
            }
            Err(error) => {
                if !matches!(error, StoreError::Uncertain(_) | StoreError::Unanswered(_)) {
                    // If this fails too, the log says less than is known, and nothing that is false.
                    let _ = append(self.state, &actor, vec![failed_of(&first)]);
                }
                Err(error)
            }
        }
    }

    /// Does the work of [`Self::write`] in both databases, and takes it back before each commit.
    fn rehearse(&mut self, act: &mut BoundAct<'_, ()>) -> Result<(), StoreError> {
        let mut app = self.app.begin()?;
        let mut events = Vec::new();
        let actor = (&mut *app as &mut dyn Tx).rehearse(|app| {
            act(app, &mut events)?;
            signed(app, self.mapping, self.acting.actor(), &events)
        })?;
        let mut intention = self.state.begin()?;
        (&mut *intention as &mut dyn Tx).rehearse(|state| {
            audit::interrupted(state)?;
            audit::append(state, &actor, vec![intended_of(&events)])
        })?;
        commit_state(intention)?;
        let mut entries = self.state.begin()?;
        (&mut *entries as &mut dyn Tx).rehearse(|state| audit::append(state, &actor, events))?;
        app.commit()?;
        commit_state(entries)
    }
}

/// Writes the intention, after an entry about one that was left without an end; returns the latter.
fn intend(
    mut tx: Box<dyn WriteTx + '_>,
    actor: &Actor,
    carried: Vec<Event>,
    intended: Event,
) -> Result<Option<Entry>, StoreError> {
    let interrupted = audit::interrupted(&mut *tx)?;
    let events = interrupted.as_ref().map(interrupted_of).into_iter().chain(carried).chain([intended]).collect();
    audit::append(&mut *tx, actor, events)?;
    commit_state(tx)?;
    Ok(interrupted)
}

/// Commits the act and then its entries; returns why these could not be committed, when the act is done.
fn finish(
    app: Box<dyn WriteTx + '_>,
    state: &mut dyn Engine,
    actor: &Actor,
    events: Vec<Event>,
    cleared: Option<&AttemptKey>,
) -> Result<Option<StoreError>, StoreError> {
    let mut entries = state.begin()?;
    if let Some(key) = cleared {
        throttle::clear_later(&mut *entries, key)?;
    }
    audit::append(&mut *entries, actor, events)?;
    app.commit()?;
    Ok(commit_state(entries).err())
}

fn append(state: &mut dyn Engine, actor: &Actor, events: Vec<Event>) -> Result<(), StoreError> {
    let mut tx = state.begin()?;
    audit::append(&mut *tx, actor, events)?;
    commit_state(tx)
}

/// Commits log entries beside an act. Whether the act is done does not depend on them.
fn commit_state(tx: Box<dyn WriteTx + '_>) -> Result<(), StoreError> {
    tx.commit().map_err(|error| match error {
        StoreError::Uncertain(problem) => StoreError::Io(problem),
        other => other,
    })
}
