//! Entries of the audit log, told to people and to programs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::escape::escape;
use super::page::Style;
use super::table::table;
use super::time::{relative, rfc3339};
use crate::auth::audit::Entry;

/// An entry, for programs.
pub(super) fn json(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq,
        "at": rfc3339(entry.at),
        "event": entry.event,
        "osUser": entry.os_user,
        "host": entry.host,
        "actorId": entry.actor_id,
        "userId": entry.user_id,
        "sessionId": entry.session_id,
        "reason": entry.reason,
        "detail": entry.detail,
        "hash": entry.hash,
    })
}

/// Entries one per line: JSON for programs, words for people.
pub fn lines(entries: &[Entry], for_programs: bool) -> String {
    let mut text = String::new();
    for entry in entries {
        let line = if for_programs { json(entry).to_string() } else { cells(entry, rfc3339(entry.at)).join("  ") };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Entries under a header.
pub(super) fn table_of(entries: &[Entry], now: Timestamp, style: Style) -> String {
    let when = |instant| if style.terminal { relative(instant, now) } else { rfc3339(instant) };
    let header = ["SEQ", "WHEN", "EVENT", "BY", "USER", "SESSION", "REASON", "DETAIL"];
    table(&header, entries.iter().map(|entry| cells(entry, when(entry.at))).collect(), 2, style)
}

fn cells(entry: &Entry, when: String) -> Vec<String> {
    let text = |text: &Option<String>| escape(text.as_deref().unwrap_or("-")).into_owned();
    let by = match &entry.actor_id {
        Some(id) => format!("{}@{} as {}", escape(&entry.os_user), escape(&entry.host), escape(id)),
        None => format!("{}@{}", escape(&entry.os_user), escape(&entry.host)),
    };
    vec![
        entry.seq.to_string(),
        when,
        escape(&entry.event).into_owned(),
        by,
        text(&entry.user_id),
        text(&entry.session_id),
        text(&entry.reason),
        text(&entry.detail),
    ]
}
