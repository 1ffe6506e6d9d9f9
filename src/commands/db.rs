//! `db`: the file itself.

use anyhow::Context as _;

use crate::context::Context;
use crate::output::{ChosenBy, DatabaseOutcome, DatabaseState, Outcome};
use crate::store::{OpenError, sqlite};

pub(super) fn init(if_missing: bool, context: &mut Context) -> anyhow::Result<Outcome> {
    let place = context.database()?;
    let created = context.create_database(&place)?;
    if !created && !if_missing {
        return Err(OpenError::Exists(place.path)).context("could not make the database");
    }
    // Read back: a database that cannot be opened was not made, and one that was there must be ours.
    context.auth()?;
    Ok(DatabaseOutcome::Ready { path: place.path, created }.into())
}

pub(super) fn status(context: &mut Context) -> anyhow::Result<Outcome> {
    let place = context.database()?;
    let now = context.now;
    let chosen_by = ChosenBy { word: place.chosen_by.word(), name: place.chosen_by.as_str() };
    let census = context.auth()?.store.census(now).context("could not describe the database")?;
    Ok(DatabaseOutcome::State(DatabaseState { path: place.path, chosen_by, census }).into())
}

pub(super) fn migrate(context: &mut Context) -> anyhow::Result<Outcome> {
    let path = context.database()?.path;
    let (from, to) = sqlite::migrate(&path, context.wait())?;
    Ok(DatabaseOutcome::Migrated { path, from, to }.into())
}
