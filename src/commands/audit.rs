//! `audit`: shows the log of what was done and by whom, and verifies it.

use std::collections::VecDeque;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::guest::interruption;
use super::{Printed, refuse_lost};
use crate::auth::audit::{AuditQuery, Chain, Entry, Intents};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::{AuditOutcome, Outcome};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl audit list --user ada@example.com
  authctl audit verify";

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what was done, the oldest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl audit list --event signin.failed --since 2026-01-01T00:00:00Z
  authctl audit list --json | jq -r '.entries[].event'"
    )]
    List(AuditFilterArgs),
    /// Show the newest entries
    #[command(after_help = "Examples:\n  authctl audit tail\n  authctl audit tail --follow")]
    Tail(TailArgs),
    /// Look for entries that were edited, removed or moved
    #[command(after_help = "Example:\n  authctl audit verify --contains \"$HASH_NOTED_LAST_WEEK\"")]
    Verify {
        /// Also require an entry with this hash, which `verify` printed before
        #[arg(long, value_name = "HASH")]
        contains: Option<String>,
    },
    /// Print entries as JSON, one per line
    #[command(after_help = "Example:\n  authctl audit export > audit.jsonl")]
    Export(AuditFilterArgs),
}

#[derive(Debug, Args)]
pub struct AuditFilterArgs {
    /// About or by this user, by email address or id, also of a user who was deleted
    #[arg(long)]
    pub user: Option<String>,
    /// Whose event begins with this, such as session or signin.failed
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// From this instant on, such as 2026-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this instant
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub struct TailArgs {
    /// How many entries
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    pub lines: usize,
    /// Go on as entries come, until interrupted
    #[arg(short, long)]
    pub follow: bool,
}

pub(super) fn run(command: &AuditCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        AuditCommand::List(args) => {
            let entries = chosen(args, context).context("could not read the audit log")?;
            let interrupted = context.auth()?.store.interrupted()?;
            context.notices.extend(interrupted.as_ref().map(interruption));
            Ok(AuditOutcome::Entries(entries).into())
        }
        AuditCommand::Export(args) => {
            refuse_lost(Printed::Export, context)?;
            let entries = chosen(args, context).context("could not read the audit log")?;
            Ok(AuditOutcome::EntryLines(entries).into())
        }
        AuditCommand::Tail(args) => {
            let (entries, newest) = newest(args.lines, context).context("could not read the audit log")?;
            Ok(if args.follow { Outcome::Follow { entries, newest } } else { AuditOutcome::Entries(entries).into() })
        }
        AuditCommand::Verify { contains } => verify(contains.as_deref(), context),
    }
}

fn chosen(args: &AuditFilterArgs, context: &mut Context) -> anyhow::Result<Vec<Entry>> {
    let mut auth = context.auth()?;
    let query = AuditQuery {
        users: args.user.as_deref().map(|named| auth.users_in_log(named)).transpose()?,
        event: args.event.clone(),
        since: args.since,
        until: args.until,
    };
    let mut entries = Vec::new();
    auth.store.each_entry(0, &mut |entry| {
        if query.matches(&entry) {
            entries.push(entry);
        }
        true
    })?;
    Ok(entries)
}

/// The newest entries, and the number of the last one there is.
fn newest(count: usize, context: &mut Context) -> anyhow::Result<(Vec<Entry>, u64)> {
    let mut entries = VecDeque::new();
    let mut newest = 0;
    context.auth()?.store.each_entry(0, &mut |entry| {
        newest = entry.seq;
        entries.push_back(entry);
        if entries.len() > count {
            entries.pop_front();
        }
        true
    })?;
    Ok((entries.into(), newest))
}

fn verify(contains: Option<&str>, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.path;
    let mut chain = Chain::default();
    let mut broken = None;
    let mut is_contained = contains.is_none();
    let mut intents = Intents::default();
    let store = context.auth().context("could not read the audit log")?.store;
    store
        .each_entry(0, &mut |entry| {
            is_contained |= contains == Some(&entry.hash);
            intents.follow(&entry);
            broken = chain.follow(&entry).err();
            broken.is_none()
        })
        .context("could not read the audit log")?;
    if let Some(broken) = broken {
        return Err(CommandError::LogBroken(broken).into());
    }
    if !is_contained {
        return Err(CommandError::LogLacksHash.into());
    }
    let mut unfinished = intents.unfinished();
    if intents.open().is_some() && store.interrupted().context("could not read the audit log")?.is_none() {
        // Another process was just committing it.
        unfinished.pop();
    }
    let (entries, old_form, head) = (chain.entries(), chain.entries_of_old_form(), chain.head().to_owned());
    Ok(AuditOutcome::Whole { entries, old_form, head, unfinished, database }.into())
}
