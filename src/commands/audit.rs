//! `audit`: shows the log of what was done and by whom, and verifies it.

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
use crate::output::text::{cell, escaped, rfc3339};
use crate::output::{Listing, Outcome, Page, Report, Style, json};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl audit list --user ada@example.com
  authctl audit verify";

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what was done, the oldest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl audit list --event signin.failed --since 2h
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
    /// Print entries as JSON, one per line
    #[command(after_help = "Example:\n  authctl audit export > audit.jsonl")]
    Export(AuditFilterArgs),
}

#[derive(Debug, Args)]
pub struct ListEntriesArgs {
    #[command(flatten)]
    pub filter: AuditFilterArgs,
    #[command(flatten)]
    pub list: ListFlags,
}

#[derive(Debug, Args)]
pub struct AuditFilterArgs {
    /// About or by this user, by email address or id, also of a user who was deleted
    #[arg(long)]
    pub user: Option<String>,
    /// Whose event begins with this, such as session or signin.failed
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// From this time on: 2h for two hours ago, today, yesterday, 2026-11-25 or 2026-11-25T12:00:00Z (days in UTC)
    #[arg(long, value_name = "TIME", value_parser = when::past)]
    pub since: Option<When>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = when::past)]
    pub until: Option<When>,
    /// After the entry with this number, where the page before ended
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
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
            let interrupted = context.auth()?.store.interrupted()?;
            context.notices.extend(interrupted.as_ref().map(interruption));
            Ok(Outcome::list(Listing::Entries { query }, args.list.layout()))
        }
        AuditCommand::Export(args) => {
            refuse_lost(Printed::Export, context)?;
            let query = query(args, context).context("could not read the audit log")?;
            Ok(Outcome::list(Listing::Entries { query }, Layout { format: Format::Lines, ..Layout::default() }))
        }
        AuditCommand::Tail(args) => {
            let store = context.auth().context("could not read the audit log")?.store;
            // A log of which no entry is asked for is followed from its end.
            let mut entries = store.newest_entries(args.lines.max(1)).context("could not read the audit log")?;
            let newest = entries.last().map_or(0, |entry| entry.seq);
            entries.truncate(args.lines);
            let layout = args.list.layout();
            match (args.follow, layout.format) {
                (false, _) => Ok(Outcome::list(Listing::Rows(rows(&entries)), layout)),
                (true, Format::Table | Format::Lines | Format::Document) if layout.columns.is_empty() => {
                    Ok(Outcome::Follow { entries, newest })
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
    let mut auth = context.auth()?;
    Ok(AuditQuery {
        users: args.user.as_deref().map(|named| auth.users_in_log(named)).transpose()?,
        event: args.event.clone(),
        since: args.since.map(|when| when.instant(now)),
        until: args.until.map(|when| when.instant(now)),
        after: args.after.unwrap_or(0),
        limit: args.limit.map(|limit| limit as usize),
    })
}

/// The log, from the entry where the last page ended.
#[derive(Debug)]
struct Log(AuditQuery);

pub(super) fn pages(query: AuditQuery, layout: &Layout, style: Style) -> anyhow::Result<Box<dyn Pages>> {
    let limit = query.limit;
    PagesOf::boxed(Log(query), layout, limit, style)
}

impl List for Log {
    type Item = Entry;

    fn name(&self) -> &'static str {
        "entries"
    }

    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Entry>, bool)> {
        let Self(query) = self;
        let (mut entries, mut has_more) = (Vec::new(), false);
        let mut read = |entry: Entry| {
            if query.matches(&entry) {
                has_more = entries.len() == size;
                if !has_more {
                    entries.push(entry);
                }
            }
            !has_more
        };
        let store = context.auth().context("could not read the audit log")?.store;
        match &query.users {
            Some(users) => store.each_entry_of(users, query.after, &mut read),
            None => store.each_entry(query.after, &mut read),
        }
        .context("could not read the audit log")?;
        query.after = entries.last().map_or(query.after, |entry| entry.seq);
        Ok((entries, has_more))
    }

    fn end(&mut self, has_more: bool, _printed: usize, _context: &mut Context) -> anyhow::Result<End> {
        let next = has_more.then_some(self.0.after);
        let notes = next.map(|next| format!("the next page: --after {next}")).into_iter().collect();
        Ok(End { fields: vec![("next", json!(next))], notes, ..End::default() })
    }

    fn cut_off(&self) -> Vec<(&'static str, Value)> {
        vec![("next", json!(self.0.after))]
    }

    fn json(&self, entry: &Entry) -> Value {
        entry_json(entry)
    }

    fn columns(&self) -> Vec<Column> {
        COLUMNS.to_vec()
    }

    fn row(&self, entry: &Entry, _now: Timestamp) -> Row {
        row(entry)
    }
}

fn verify(contains: Option<&str>, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let line = progress("verifying the log", context, |context| {
        let newest = context.auth()?.store.newest_entries(1)?;
        Ok(newest.first().map_or(0, |entry| entry.seq))
    })?;
    let mut chain = Chain::default();
    let mut broken = None;
    let mut is_contained = contains.is_none();
    let mut intents = Intents::default();
    let store = context.auth().context("could not read the audit log")?.store;
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

fn rows(entries: &[Entry]) -> Rows {
    let item = |entry: &Entry| Item { document: entry_json(entry), row: row(entry), group: "" };
    let (columns, items) = (COLUMNS.to_vec(), entries.iter().map(item).collect());
    Rows { name: "entries", columns, items, fields: Vec::new(), notes: Vec::new() }
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

/// Formats entries one per line, as JSON or as text.
pub(crate) fn lines(entries: &[Entry], for_programs: bool) -> String {
    let mut text = String::new();
    for entry in entries {
        if for_programs {
            text.push_str(&json::line(&entry_json(entry)));
        } else {
            let cells = row(entry).into_iter().take(LINE_CELLS).map(|value| match value {
                Cell::Time(instant) => rfc3339(instant),
                Cell::Text(text) | Cell::Id(text) => cell(&text),
                Cell::Mark(_) => String::new(),
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        text.push('\n');
    }
    text
}

const COLUMNS: [Column; 9] = [
    Column::whole("SEQ"),
    Column::optional("WHEN", 3),
    Column::whole("EVENT"),
    Column::shrinking("BY", 12, 1),
    Column::shrinking("USER", 12, 2),
    // Most entries have no session and no reason: without these columns there is room for addresses.
    Column::shrinking("SESSION", 8, 1).unfitted(),
    Column::shrinking("REASON", 8, 1).unfitted(),
    Column::shrinking("DETAIL", 24, 4).unfitted(),
    Column::shrinking("DETAIL", 24, 4).fitted(),
];

/// The cells of a line without columns: all but the last, which repeats others.
const LINE_CELLS: usize = COLUMNS.len() - 1;

fn row(entry: &Entry) -> Row {
    let by = match entry.actor_email.as_ref().or(entry.actor_id.as_ref()) {
        Some(actor) => format!("{}@{} as {actor}", entry.os_user, entry.host),
        None => format!("{}@{}", entry.os_user, entry.host),
    };
    let detail = what_changed(entry);
    let session = entry.session_id.as_ref().map(|id| format!("session {id}"));
    let reason = entry.reason.as_ref().map(|reason| format!("reason: {reason}"));
    let all = Some(detail.clone()).filter(|detail| !detail.is_empty()).into_iter().chain(session).chain(reason);
    vec![
        Cell::text(entry.seq.to_string()),
        Cell::Time(entry.at),
        Cell::text(&entry.event),
        Cell::text(by),
        match &entry.user_email {
            Some(email) => Cell::text(email),
            None => id(entry.user_id.as_deref()),
        },
        id(entry.session_id.as_deref()),
        entry.reason.as_ref().into(),
        Cell::text(&detail),
        Cell::text(all.collect::<Vec<_>>().join("; ")),
    ]
}

fn id(id: Option<&str>) -> Cell {
    id.map_or_else(|| Cell::text(""), Cell::id)
}

/// Old and new values, such as `role: user -> admin`; the detail when there are no values or when the act created
/// or deleted everything.
fn what_changed(entry: &Entry) -> String {
    let value = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let changes = entry.changes.as_deref().map(changes_json).unwrap_or_default();
    let fields: Vec<_> = changes.as_object().into_iter().flatten().collect();
    let is_one_sided = |side: &str| fields.iter().all(|(_, change)| change[side].is_null());
    if fields.is_empty() || fields.len() > 1 && (is_one_sided("from") || is_one_sided("to")) {
        return entry.detail.clone().unwrap_or_default();
    }
    let parts =
        fields.iter().map(|(name, change)| format!("{name}: {} -> {}", value(&change["from"]), value(&change["to"])));
    parts.collect::<Vec<_>>().join(", ")
}
