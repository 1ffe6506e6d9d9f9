//! The audit log, told.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::escape::escape;
use super::json;
use super::page::{Page, Style};
use super::report::Report;
use super::table::{facts, table};
use super::time::rfc3339;
use super::words::shown;
use crate::auth::audit::Entry;

/// What `audit` found.
#[derive(Debug)]
pub enum AuditOutcome {
    /// Entries.
    Entries(Vec<Entry>),
    /// The same, one JSON document per line.
    EntryLines(Vec<Entry>),
    /// The log is as it was written.
    Whole {
        /// How many entries it has.
        entries: u64,
        /// How many of them, the first ones, were written before the log kept addresses and values.
        old_form: u64,
        /// The hash of the newest.
        head: String,
        /// The entries that intend an act of which the log does not say whether it was done.
        unfinished: Vec<u64>,
        /// Where.
        database: PathBuf,
    },
}

impl Report for AuditOutcome {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        match self {
            Self::Entries(list) => Page::answer(table_of(list, now, style)),
            Self::EntryLines(list) => Page::answer(lines(list, true)),
            Self::Whole { entries, old_form, head, unfinished, database } => {
                let entries = match old_form {
                    0 => entries.to_string(),
                    old => format!("{entries}, the first {old} in the old form, without addresses"),
                };
                let mut lines = vec![("entries", entries), ("newest hash", head.clone())];
                if !unfinished.is_empty() {
                    let numbers = unfinished.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
                    lines
                        .push(("interrupted", format!("{numbers}: the log does not say whether these acts were done")));
                }
                Page {
                    answer: facts(&lines),
                    ..Page::note(format!(
                        "no entry was edited, removed or moved in {}; note the hash elsewhere to notice a cut end",
                        shown(database)
                    ))
                }
            }
        }
    }

    /// The entries as one document; [`lines`] makes many.
    fn json(&self) -> Value {
        match self {
            Self::Entries(list) | Self::EntryLines(list) => {
                json!({ "entries": list.iter().map(entry_json).collect::<Vec<_>>() })
            }
            Self::Whole { entries, old_form, head, unfinished, database } => json!({
                "whole": true,
                "entries": entries,
                "oldForm": old_form,
                "head": head,
                "interrupted": unfinished,
                "database": database.to_string_lossy(),
            }),
        }
    }

    fn document(&self) -> String {
        match self {
            Self::EntryLines(entries) => lines(entries, true),
            Self::Entries(_) | Self::Whole { .. } => json::document(&self.json()),
        }
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

/// What changed, as written. A text that is no JSON was not written by authctl, and is shown as it is.
fn changes_json(changes: &str) -> Value {
    serde_json::from_str(changes).unwrap_or_else(|_| changes.into())
}

/// Entries one per line: JSON for programs, words for people.
pub fn lines(entries: &[Entry], for_programs: bool) -> String {
    let mut text = String::new();
    for entry in entries {
        let line =
            if for_programs { json::line(&entry_json(entry)) } else { cells(entry, rfc3339(entry.at)).join("  ") };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn table_of(entries: &[Entry], now: Timestamp, style: Style) -> String {
    let mut header = vec!["SEQ", "WHEN", "EVENT", "BY", "USER", "SESSION", "REASON", "DETAIL"];
    let mut rows: Vec<_> = entries.iter().map(|entry| cells(entry, style.when(entry.at, now))).collect();
    if style.terminal {
        // Most entries have no session and no reason: two columns less leave room for addresses.
        header.drain(5..7);
        for row in &mut rows {
            let [session, reason] = [row.remove(5), row.remove(5)];
            let parts = [(row.pop(), ""), (Some(session), "session "), (Some(reason), "reason: ")];
            let parts = parts.into_iter().filter_map(|(text, word)| Some((text.filter(|text| text != "-")?, word)));
            let told = parts.map(|(text, word)| format!("{word}{text}")).collect::<Vec<_>>().join("; ");
            row.push(if told.is_empty() { "-".to_owned() } else { told });
        }
    }
    table(&header, rows, 2, style)
}

fn cells(entry: &Entry, when: String) -> Vec<String> {
    let text = |text: &Option<String>| escape(text.as_deref().unwrap_or("-")).into_owned();
    let by = match entry.actor_email.as_ref().or(entry.actor_id.as_ref()) {
        Some(actor) => format!("{}@{} as {}", escape(&entry.os_user), escape(&entry.host), escape(actor)),
        None => format!("{}@{}", escape(&entry.os_user), escape(&entry.host)),
    };
    vec![
        entry.seq.to_string(),
        when,
        escape(&entry.event).into_owned(),
        by,
        text(if entry.user_email.is_some() { &entry.user_email } else { &entry.user_id }),
        text(&entry.session_id),
        text(&entry.reason),
        escape(&what_changed(entry)).into_owned(),
    ]
}

/// Old and new values in words, such as `role: user -> admin`; where there are none, or everything is new
/// or gone, the detail.
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
        return entry.detail.clone().unwrap_or_else(|| "-".to_owned());
    }
    let told =
        fields.iter().map(|(name, change)| format!("{name}: {} -> {}", value(&change["from"]), value(&change["to"])));
    told.collect::<Vec<_>>().join(", ")
}
