//! An act on an app's database and the entries about it are in two files, and no commit spans both. So
//! the log says "intended" before the app's file is committed and what was done after it. A process
//! that dies in between leaves an intention without an end; the next act finds it and says so.
//!
//! The entries of the end are written, but not committed, before the app's file is: from then on no
//! other process writes to the log, so that an open intention which another one reads is of a process
//! that is gone.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::engine_error::Engine as _;
use super::tx::SqliteTx;
use super::{commit, take_back};
use crate::auth::audit::{Acting, Actor, Entry, Event};
use crate::auth::storage::{LooseEnds, StoreError};
use crate::auth::throttle::AttemptKey;
use crate::store::mapping::SchemaMapping;
use crate::store::sql::events::{failed_of, intended_of, interrupted_of, signed};
use crate::store::sql::tx::Tx;
use crate::store::sql::{Answer, audit, throttle};

/// What an act needs of a guest's two files.
pub(in crate::store) struct Act<'s> {
    /// The app's file.
    pub app: &'s mut Connection,
    /// How it is written.
    pub mapping: &'s SchemaMapping,
    /// The file with the log.
    pub own: &'s mut Connection,
    /// Who acts.
    pub acting: &'s Acting,
    /// What the caller has to be told besides the result.
    pub loose_ends: &'s mut LooseEnds,
}

impl Act<'_> {
    /// Runs an act.
    ///
    /// # Errors
    /// Nothing was changed then, except with [`StoreError::Uncertain`].
    pub(in crate::store) fn run<'k, T: Answer>(
        self,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<T, StoreError>,
        cleared: impl FnOnce(&T) -> Option<&'k AttemptKey>,
    ) -> Result<T, StoreError> {
        let app = self.app.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        let mut events = Vec::new();
        let tx = &mut SqliteTx::new(&app);
        let result = act(tx, self.mapping, &mut events)?;
        if !result.is_done() {
            app.rollback().engine()?;
            return Ok(result);
        }
        let Some(first) = events.first().cloned() else {
            commit(app)?;
            return Ok(result);
        };
        let actor = signed(tx, self.mapping, self.acting.actor(), &events)?;
        let interrupted = intend(self.own, &actor, intended_of(&events))?;
        self.loose_ends.interrupted.extend(interrupted);
        match finish(app, self.own, &actor, events, cleared(&result)) {
            Ok(unlogged) => {
                self.loose_ends.unlogged = self.loose_ends.unlogged.take().or(unlogged);
                Ok(result)
            }
            Err(error) => {
                if !matches!(error, StoreError::Uncertain(_)) {
                    // Should this fail too, the log says less than is known, and nothing that is false.
                    let _ = write(self.own, &actor, vec![failed_of(&first)]);
                }
                Err(error)
            }
        }
    }

    /// Does the work of [`Self::run`] in both files, and takes it back before each commit.
    ///
    /// # Errors
    /// As there. Nothing is changed in any case.
    pub(in crate::store) fn rehearse(
        self,
        act: impl FnOnce(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let app = self.app.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        let mut events = Vec::new();
        let actor = take_back(&app, |app| {
            act(app, self.mapping, &mut events)?;
            signed(app, self.mapping, self.acting.actor(), &events)
        })?;
        let intention = self.own.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        take_back(&intention, |own| {
            audit::interrupted(own)?;
            audit::append(own, &actor, vec![intended_of(&events)])
        })?;
        intention.commit().engine()?;
        let entries = self.own.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        take_back(&entries, |own| audit::append(own, &actor, events))?;
        commit(app)?;
        entries.commit().engine()
    }
}

/// Writes the intention, after a word about one that was left without an end; returns the latter.
fn intend(own: &mut Connection, actor: &Actor, intended: Event) -> Result<Option<Entry>, StoreError> {
    let transaction = own.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
    let interrupted = audit::interrupted(&mut SqliteTx::new(&transaction))?;
    let events = interrupted.as_ref().map(interrupted_of).into_iter().chain([intended]).collect();
    audit::append(&mut SqliteTx::new(&transaction), actor, events)?;
    transaction.commit().engine()?;
    Ok(interrupted)
}

/// Commits the act and then its entries; returns why these could not be, when the act is done.
fn finish(
    app: Transaction<'_>,
    own: &mut Connection,
    actor: &Actor,
    events: Vec<Event>,
    cleared: Option<&AttemptKey>,
) -> Result<Option<StoreError>, StoreError> {
    let entries = own.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
    if let Some(key) = cleared {
        throttle::clear(&mut SqliteTx::new(&entries), key)?;
    }
    audit::append(&mut SqliteTx::new(&entries), actor, events)?;
    commit(app)?;
    Ok(entries.commit().engine().err())
}

fn write(own: &mut Connection, actor: &Actor, events: Vec<Event>) -> Result<(), StoreError> {
    let transaction = own.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
    audit::append(&mut SqliteTx::new(&transaction), actor, events)?;
    transaction.commit().engine()
}
