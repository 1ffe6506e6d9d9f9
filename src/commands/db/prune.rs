//! `db prune`: deletes what has expired.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::auth::AuthError;
use crate::auth::audit::counted;
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::StoreError;
use crate::commands::reach::Reach;
use crate::commands::{activity, confirm_if_asked, progress};
use crate::context::Context;
use crate::interrupt::Interrupts;
use crate::output::table::facts;
use crate::output::text::{counted_grouped, escaped, grouped};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
pub struct DbPruneArgs {
    /// Delete expired invitations to organizations too
    #[arg(long)]
    pub invitations: bool,
    /// Say how many rows would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(args: &DbPruneArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    context.now()?;
    let database = context.database()?.location;
    let kinds = || Expiring::ALL.into_iter().filter(|kind| *kind != Expiring::Invitation || args.invitations);
    let expired = |context: &mut Context| -> anyhow::Result<u64> {
        let mut auth = context.auth()?;
        Ok(kinds().map(|kind| auth.count_expired(kind)).sum::<Result<_, _>>()?)
    };
    let line = if args.dry_run {
        activity("counting expired rows", context)
    } else {
        confirm_if_asked("Delete them?", context, |context| {
            let rows = expired(context)?;
            let passwords = context.auth()?.count_expired(Expiring::LegacyPassword)?;
            let effect = format!("This deletes {} from {}.", counted_grouped(rows, "expired row"), escaped(&database));
            let effect = match passwords {
                0 => effect,
                passwords => format!(
                    "{effect}\n{} of them are passwords that password.legacy-until ended: their users need a new one.",
                    grouped(passwords)
                ),
            };
            Ok((rows > 0).then_some(effect))
        })?;
        progress("deleting expired rows", context, expired)?
    };
    let interrupts = (!args.dry_run).then(Interrupts::watch);
    // Opens the database, whose schema the reach is of.
    context.auth()?;
    let reach = Reach::to_find(&["session", "verification"], context);
    let mut pruned = Vec::new();
    let mut total = 0;
    let (mut held, mut broken) = (Vec::new(), Vec::new());
    for kind in kinds() {
        if args.dry_run {
            let count = context.auth()?.count_expired(kind)?;
            pruned.push((kind, reach.count(kind.table(), count)));
            continue;
        }
        let (mut count, mut pruning) = (0, Pruning::default());
        while !pruning.is_over {
            if let Some(interrupts) = &interrupts
                && interrupts.came().is_some()
            {
                line.hide();
                let left = expired(context)?;
                interrupts.check(|| format!("{} deleted, {} not", grouped(total), grouped(left)))?;
            }
            let part = match context.auth()?.prune_expired(kind, &mut pruning) {
                Err(AuthError::Store(StoreError::BrokenKeys(keys))) => {
                    broken.extend(keys);
                    break;
                }
                part => part?,
            };
            line.advance(part);
            (count, total) = (count + part, total + part);
            if total > 0 {
                let what = format!("{} deleted", were(total));
                context.did(what, "run the command again for those that are left");
            }
        }
        // The other kinds go all the same, and the error is shown at the end.
        held.extend(pruning.holders);
        pruned.push((kind, reach.count(kind.table(), count)));
    }
    if !held.is_empty() {
        return Err(StoreError::Held(held).into());
    }
    if !broken.is_empty() {
        return Err(StoreError::BrokenKeys(broken).into());
    }
    reach.note(context);
    Ok(Pruned { counts: pruned, dry_run: args.dry_run, database }.into())
}

fn were(rows: u64) -> String {
    let verb = if rows == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(rows, "expired row"))
}

/// Expired rows that were deleted, or would have been.
#[derive(Debug)]
struct Pruned {
    /// `None` where the rows of a table cannot be counted.
    counts: Vec<(Expiring, Option<u64>)>,
    dry_run: bool,
    database: DatabaseLocation,
}

impl Pruned {
    fn total(&self) -> u64 {
        self.counts.iter().filter_map(|(_, count)| *count).sum()
    }
}

impl Report for Pruned {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let line = format!("{verb} {} in {}", counted(self.total(), "expired row"), escaped(&self.database));
        let rows = self.counts.iter().filter_map(|(kind, count)| Some((kind, (*count).filter(|count| *count > 0)?)));
        let rows: Vec<_> = rows.map(|(kind, count)| (kind.table(), count.to_string())).collect();
        let answer = if rows.is_empty() { String::new() } else { facts(&rows) };
        Page { answer, ..Page::done_if(!self.dry_run && self.total() > 0, line) }
    }

    fn json(&self) -> Value {
        let pruned: Map<_, _> =
            self.counts.iter().map(|(kind, count)| (kind.table().to_owned(), Value::from(*count))).collect();
        json!({
            "pruned": pruned,
            "total": self.total(),
            "dryRun": self.dry_run,
            "database": self.database.to_string(),
        })
    }
}
