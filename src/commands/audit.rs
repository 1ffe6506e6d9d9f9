//! `audit`: shows the log of what was done and by whom, and verifies it.

pub(crate) mod follow;
mod sentence;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::list_flags::ListFlags;
use super::pages::{End, List, Pages, PagesOf};
use super::session_start::{Printed, refuse_lost};
use super::{interruption, progress};
use crate::auth::audit::{AuditQuery, Chain, Entry, Intents};
use crate::cli::when::{self, When};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::list::{Cell, Format, Item, Layout, Row, Rows};
use crate::output::table::{Column, facts};
use crate::output::text::{escaped, rfc3339};
use crate::output::{Followed, Listing, Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;
use sentence::Addresses;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl audit list --user ada@example.com
  authctl audit verify";

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what was done, the newest first on a terminal, else the oldest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl audit list --failed --since 2h
  authctl audit list --json | jq -r '.entries[].event'"
    )]
    List(ListEntriesArgs),
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
    /// Print entries as JSON, one per line, the oldest first
    #[command(after_help = "Examples:
  authctl audit export > audit.jsonl
  authctl audit export --follow --after 5000 >> audit.jsonl

With --follow, each line is written as soon as its entry is there, as a whole. After an
interruption, --after with the `seq` of the last line goes on where it ended.")]
    Export(ExportEntriesArgs),
}

#[derive(Debug, Args)]
pub struct ListEntriesArgs {
    #[command(flatten)]
    pub filter: AuditFilterArgs,
    #[command(flatten)]
    pub list: ListFlags,
}

#[derive(Debug, Args)]
pub struct ExportEntriesArgs {
    #[command(flatten)]
    pub filter: AuditFilterArgs,
    /// Go on as entries come, until interrupted
    #[arg(short, long, conflicts_with_all = ["until", "before", "limit"])]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct AuditFilterArgs {
    /// About or by this user, by email address or id, also of a user who was deleted
    #[arg(long)]
    pub user: Option<String>,
    /// Whose event begins with this, such as session or signin.failed
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// What failed: sign-ins, mail and acts
    #[arg(long)]
    pub failed: bool,
    /// From this time on: 2h for two hours ago, today, yesterday, 2026-11-25 or 2026-11-25T12:00:00Z (days in UTC)
    #[arg(long, value_name = "TIME", value_parser = when::past)]
    pub since: Option<When>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = when::past)]
    pub until: Option<When>,
    /// After the entry with this number, the oldest first: where the page before ended
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
    /// Before the entry with this number: where the page before ended on a terminal
    #[arg(long, value_name = "SEQ")]
    pub before: Option<u64>,
    /// At most this many entries [default: 200 on a terminal, else all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

#[derive(Debug, Args)]
pub struct TailArgs {
    /// How many entries
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    pub lines: usize,
    /// Go on as entries come, until interrupted
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub list: ListFlags,
}

pub(super) fn run(command: &AuditCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        AuditCommand::List(args) => {
            let query = query(&args.filter, context).context("could not read the audit log")?;
            let interrupted = context.auth_without_times()?.store.interrupted()?;
            context.notices.extend(interrupted.as_ref().map(interruption));
            Ok(Outcome::list(Listing::Entries { query }, args.list.layout()))
        }
        AuditCommand::Export(args) => {
            refuse_lost(Printed::Export, context)?;
            let query = query(&args.filter, context).context("could not read the audit log")?;
            if args.follow {
                let entries = Vec::new();
                return Ok(Outcome::Follow(Box::new(Followed { entries, query, as_lines: true })));
            }
            Ok(Outcome::list(Listing::Entries { query }, Layout { format: Format::Lines, ..Layout::default() }))
        }
        AuditCommand::Tail(args) => {
            let store = context.auth_without_times().context("could not read the audit log")?.store;
            // A log of which no entry is asked for is followed from its end.
            let mut entries = store.newest_entries(args.lines.max(1)).context("could not read the audit log")?;
            let newest = entries.last().map_or(0, |entry| entry.seq);
            entries.truncate(args.lines);
            let layout = args.list.layout();
            match (args.follow, layout.format) {
                (false, _) => {
                    let mut addresses = Addresses::default();
                    addresses.read(&entries, context)?;
                    Ok(Outcome::list(Listing::Rows(rows(&entries, &addresses)), layout))
                }
                (true, Format::Table | Format::Lines | Format::Document) if layout.columns.is_empty() => {
                    let query = AuditQuery { after: newest, ..AuditQuery::default() };
                    let as_lines = layout.format != Format::Table;
                    Ok(Outcome::Follow(Box::new(Followed { entries, query, as_lines })))
                }
                (true, _) => Err(CommandError::Usage {
                    message: "entries that come are printed whole, as text or as JSON".to_owned(),
                    hint: "use -o jsonl with --follow",
                }
                .into()),
            }
        }
        AuditCommand::Verify { contains } => verify(contains.as_deref(), context),
    }
}

fn query(args: &AuditFilterArgs, context: &mut Context) -> anyhow::Result<AuditQuery> {
    let now = context.now()?;
    let mut auth = context.auth_without_times()?;
    Ok(AuditQuery {
        users: args.user.as_deref().map(|named| auth.users_in_log(named)).transpose()?,
        event: args.event.clone(),
        failed: args.failed,
        since: args.since.map(|when| when.instant(now)),
        until: args.until.map(|when| when.instant(now)),
        after: args.after.unwrap_or(0),
        before: args.before,
        limit: args.limit.map(|limit| limit as usize),
    })
}

/// The log, from the entry where the last page ended.
#[derive(Debug)]
struct Log {
    query: AuditQuery,
    is_newest_first: bool,
    addresses: Addresses,
    /// Whether entries are printed as text, in which addresses stand for ids.
    is_text: bool,
}

pub(super) fn pages(query: AuditQuery, layout: &Layout, style: Style) -> anyhow::Result<Box<dyn Pages>> {
    let limit = query.limit;
    // A person looks for what happened last, and programs go on after the last entry that they have.
    let is_newest_first = layout.format == Format::Table && style.terminal && query.after == 0;
    let is_text = !matches!(layout.format, Format::Lines | Format::Document);
    let log = Log { query, is_newest_first, addresses: Addresses::default(), is_text };
    PagesOf::boxed(log, layout, limit, style)
}

impl List for Log {
    type Item = Entry;

    fn name(&self) -> &'static str {
        "entries"
    }

    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Entry>, bool)> {
        let Self { query, is_newest_first, .. } = self;
        let (mut entries, mut has_more) = (Vec::new(), false);
        let is_beyond = |entry: &Entry| !*is_newest_first && query.before.is_some_and(|before| entry.seq >= before);
        let mut read = |entry: Entry| {
            if is_beyond(&entry) {
                return false;
            }
            if query.matches(&entry) {
                has_more = entries.len() == size;
                if !has_more {
                    entries.push(entry);
                }
            }
            !has_more
        };
        let store = context.auth_without_times().context("could not read the audit log")?.store;
        match &query.users {
            _ if *is_newest_first => store.each_entry_back(query.users.as_ref(), query.before, &mut read),
            Some(users) => store.each_entry_of(users, query.after, &mut read),
            None => store.each_entry(query.after, &mut read),
        }
        .context("could not read the audit log")?;
        if let Some(last) = entries.last() {
            if *is_newest_first {
                query.before = Some(last.seq);
            } else {
                query.after = last.seq;
            }
        }
        if self.is_text {
            self.addresses.read(&entries, context).context("could not read the users of the log")?;
        }
        Ok((entries, has_more))
    }

    fn end(&mut self, has_more: bool, _printed: usize, _context: &mut Context) -> anyhow::Result<End> {
        let Self { query, is_newest_first, .. } = self;
        let next = has_more.then_some(query.after);
        let place = match (*is_newest_first, query.before) {
            (true, Some(before)) => format!("--before {before}"),
            _ => format!("--after {}", query.after),
        };
        let notes = next.map(|_| format!("the next page: {place}")).into_iter().collect();
        Ok(End { fields: vec![("next", json!(next))], notes, ..End::default() })
    }

    fn cut_off(&self) -> Vec<(&'static str, Value)> {
        vec![("next", json!(self.query.after))]
    }

    fn json(&self, entry: &Entry) -> Value {
        entry_json(entry)
    }

    fn columns(&self) -> Vec<Column> {
        COLUMNS.to_vec()
    }

    fn row(&self, entry: &Entry, _now: Timestamp) -> Row {
        row(entry, &self.addresses)
    }
}

fn verify(contains: Option<&str>, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let line = progress("verifying the log", context, |context| {
        let newest = context.auth_without_times()?.store.newest_entries(1)?;
        Ok(newest.first().map_or(0, |entry| entry.seq))
    })?;
    let mut chain = Chain::default();
    let mut broken = None;
    let mut is_contained = contains.is_none();
    let mut intents = Intents::default();
    let store = context.auth_without_times().context("could not read the audit log")?.store;
    store
        .each_entry(0, &mut |entry| {
            line.advance(1);
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
        // Another process committed the act between the two reads.
        unfinished.pop();
    }
    let (entries, old_form, head) = (chain.entries(), chain.entries_of_old_form(), chain.head().to_owned());
    Ok(WholeLog { entries, old_form, head, unfinished, database }.into())
}

fn rows(entries: &[Entry], addresses: &Addresses) -> Rows {
    let item = |entry: &Entry| Item { document: entry_json(entry), row: row(entry, addresses), group: "" };
    let (columns, items) = (COLUMNS.to_vec(), entries.iter().map(item).collect());
    Rows { name: "entries", columns, items, ..Rows::default() }
}

/// No entry was edited, removed or moved.
#[derive(Debug)]
struct WholeLog {
    entries: u64,
    /// The number of first entries that were written before the log kept addresses and values.
    old_form: u64,
    head: String,
    /// The numbers of the entries that intend an act without a later entry about its end.
    unfinished: Vec<u64>,
    database: DatabaseLocation,
}

impl Report for WholeLog {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let Self { entries, old_form, head, unfinished, database } = self;
        let entries = match old_form {
            0 => entries.to_string(),
            old => format!("{entries}, the first {old} in the old form, without addresses"),
        };
        let mut lines = vec![("entries", entries), ("newest hash", head.clone())];
        if !unfinished.is_empty() {
            let numbers = unfinished.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            lines.push(("interrupted", format!("{numbers}: the log does not say whether these acts were done")));
        }
        Page {
            answer: facts(&lines),
            ..Page::note(format!(
                "no entry was edited, removed or moved in {}; note the hash elsewhere to notice a cut end",
                escaped(database)
            ))
        }
    }

    fn json(&self) -> Value {
        let Self { entries, old_form, head, unfinished, database } = self;
        json!({
            "whole": true,
            "entries": entries,
            "oldForm": old_form,
            "head": head,
            "interrupted": unfinished,
            "database": database.to_string(),
        })
    }
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq,
        "at": rfc3339(entry.at),
        "event": entry.event,
        "osUser": entry.os_user,
        "host": entry.host,
        "actorId": entry.actor_id,
        "actorEmail": entry.actor_email,
        "userId": entry.user_id,
        "userEmail": entry.user_email,
        "sessionId": entry.session_id,
        "reason": entry.reason,
        "detail": entry.detail,
        "changes": entry.changes.as_deref().map(changes_json),
        "form": entry.form,
        "hash": entry.hash,
    })
}

/// The changes of an entry. Text that is not JSON was written by another program and is shown unchanged.
pub(super) fn changes_json(changes: &str) -> Value {
    serde_json::from_str(changes).unwrap_or_else(|_| changes.into())
}

const COLUMNS: [Column; 10] = [
    Column::whole("SEQ"),
    Column::optional("WHEN", 5),
    Column::whole("EVENT"),
    Column::shrinking("BY", 8, 3).unfitted(),
    Column::shrinking("BY", 8, 3).fitted(),
    Column::shrinking("USER", 10, 4),
    // Most entries have no session and no reason: without these columns there is room for addresses.
    Column::shrinking("SESSION", 8, 1).unfitted(),
    Column::shrinking("REASON", 8, 1).unfitted(),
    // Who did what to whom matters more than how.
    Column::shrinking("DETAIL", 16, 2).unfitted(),
    Column::shrinking("DETAIL", 16, 2).fitted(),
];

/// The characters of an id beside the detail of an entry; commands take them.
const SHORT_ID: usize = 8;

fn row(entry: &Entry, addresses: &Addresses) -> Row {
    let detail = addresses.what_changed(entry);
    let short = |id: &str| id.chars().take(SHORT_ID).collect::<String>();
    let session = entry.session_id.as_ref().map(|id| format!("session {}", short(id)));
    let reason = entry.reason.as_ref().map(|reason| format!("reason: {reason}"));
    // The detail about a token begins with its id.
    let of_token = entry.event.starts_with("token.").then(|| detail.split_once(", ")).flatten();
    let what = of_token.map_or_else(|| detail.clone(), |(id, rest)| format!("token {}, {rest}", short(id)));
    let all = Some(what).filter(|what| !what.is_empty()).into_iter().chain(session).chain(reason);
    vec![
        Cell::text(entry.seq.to_string()),
        Cell::Time(entry.at),
        Cell::text(&entry.event),
        Cell::text(addresses.actors(entry)),
        Cell::text(addresses.actor(entry)),
        addresses.user(entry).map_or_else(|| id(entry.user_id.as_deref()), Cell::text),
        id(entry.session_id.as_deref()),
        entry.reason.as_ref().into(),
        Cell::text(&detail),
        Cell::text(all.collect::<Vec<_>>().join("; ")),
    ]
}

fn id(id: Option<&str>) -> Cell {
    id.map_or_else(|| Cell::text(""), Cell::id)
}
