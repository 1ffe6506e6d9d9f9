//! The audit log. Entries are only ever added, by the act that they tell of.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::tx::{Row, Tx};
use crate::auth::audit::{Actor, Entry, Event, Intents};
use crate::auth::session::latest;
use crate::auth::storage::StoreError;
use crate::store::mapping::OWN_TIME;

const COLUMNS: &str = r#""seq", "form", "at", "event", "osUser", "host", "actorId", "actorEmail", "userId", "userEmail",
    "sessionId", "reason", "detail", "changes", "hash""#;

/// Adds entries for what an act did.
pub(in crate::store) fn append(tx: &mut dyn Tx, actor: &Actor, events: Vec<Event>) -> Result<(), StoreError> {
    let newest = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1"#);
    let mut previous = tx.query_one(&newest, &[], entry)?;
    let insert = format!(
        r#"INSERT INTO "authctl_audit" ({COLUMNS})
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"#
    );
    for event in events {
        let entry = Entry::following(previous.as_ref(), actor, event);
        // No log gets so long by acts: the entry with the highest number was not written by authctl.
        let seq = i64::try_from(entry.seq).map_err(|_| StoreError::LogFull(entry.seq.saturating_sub(1)))?;
        let values = [
            seq.into(),
            entry.form.into(),
            OWN_TIME.write(entry.at),
            (&entry.event).into(),
            (&entry.os_user).into(),
            (&entry.host).into(),
            (&entry.actor_id).into(),
            (&entry.actor_email).into(),
            (&entry.user_id).into(),
            (&entry.user_email).into(),
            (&entry.session_id).into(),
            (&entry.reason).into(),
            (&entry.detail).into(),
            (&entry.changes).into(),
            (&entry.hash).into(),
        ];
        tx.execute(&insert, &values)?;
        previous = Some(entry);
    }
    Ok(())
}

/// Finds the newest intended act. The event is spelled and not a parameter: the partial index serves no other
/// statement, and without it every failed sign-in since then is read.
const NEWEST_INTENDED: &str =
    r#"SELECT "seq" FROM "authctl_audit" WHERE "event" = 'act.intended' ORDER BY "seq" DESC LIMIT 1"#;

/// The newest act that was intended, if the log does not say how it ended. One before it needs no look:
/// the act that followed it has said what became of it.
pub(in crate::store) fn interrupted(tx: &mut dyn Tx) -> Result<Option<Entry>, StoreError> {
    let seq = tx.query_one(NEWEST_INTENDED, &[], |row| row.integer(0))?;
    let Some(before) = seq.and_then(|seq| seq.unsigned_abs().checked_sub(1)) else { return Ok(None) };
    let mut intents = Intents::default();
    each(tx, before, &mut |entry| {
        intents.follow(&entry);
        // Its end is among the next entries; those after it say nothing of it.
        intents.open().is_some()
    })?;
    Ok(intents.open().cloned())
}

/// Whether the log speaks for a clock: its first and its newest entry are from before now, as they are when
/// another clock was ahead for a while. On a machine whose clock is behind, the first one is from the future.
pub(in crate::store) fn shows_sane_clock(tx: &mut dyn Tx, now: Timestamp) -> Result<bool, StoreError> {
    let mut is_past = |order: &str| {
        let sql = format!(r#"SELECT "at" FROM "authctl_audit" ORDER BY "seq" {order} LIMIT 1"#);
        let at = tx.query_one(&sql, &[], |row| Ok(OWN_TIME.read(row.value(0)?)))?;
        Ok::<bool, StoreError>(at.flatten().is_some_and(|at| at <= latest(now)))
    };
    Ok(is_past("ASC")? && is_past("DESC")?)
}

pub(in crate::store) fn each(
    tx: &mut dyn Tx,
    after: u64,
    found: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" WHERE "seq" > ?1 ORDER BY "seq""#);
    tx.query(&sql, &[i64::try_from(after).unwrap_or(i64::MAX).into()], &mut |row| {
        Ok(if found(entry(row)?) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
}

/// An entry with a time that no calendar knows, or text that is none, was not written by authctl.
fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let seq = row.integer(0)?;
    let nonsense = |column, problem: &str| StoreError::Inconsistent {
        table: "authctl_audit",
        column,
        row: seq.to_string(),
        problem: problem.to_owned(),
    };
    let text = |index, column| row.text(index).map_err(|_| nonsense(column, "is not text"));
    let optional = |index, column| row.optional_text(index).map_err(|_| nonsense(column, "is not text"));
    Ok(Entry {
        seq: seq.unsigned_abs(),
        // A number beyond all forms is an unknown form too.
        form: row.integer(1)?.try_into().unwrap_or(u32::MAX),
        at: OWN_TIME.read(row.value(2)?).ok_or_else(|| nonsense("at", "is no time that a calendar knows"))?,
        event: text(3, "event")?,
        os_user: text(4, "osUser")?,
        host: text(5, "host")?,
        actor_id: optional(6, "actorId")?,
        actor_email: optional(7, "actorEmail")?,
        user_id: optional(8, "userId")?,
        user_email: optional(9, "userEmail")?,
        session_id: optional(10, "sessionId")?,
        reason: optional(11, "reason")?,
        detail: optional(12, "detail")?,
        changes: optional(13, "changes")?,
        hash: text(14, "hash")?,
    })
}
