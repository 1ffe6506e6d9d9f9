//! The audit log. Entries are only ever added, by the act that they tell of.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::engine_error::Engine as _;
use crate::auth::audit::{Actor, Entry, Event};
use crate::auth::store::StoreError;
use crate::store::dialect::OWN_TIME;

const COLUMNS: &str =
    r#""seq", "at", "event", "osUser", "host", "actorId", "userId", "sessionId", "reason", "detail", "hash""#;

/// Adds entries for what an act did.
pub(super) fn append(tx: &Transaction<'_>, actor: &Actor, events: Vec<Event>) -> Result<(), StoreError> {
    let newest = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1"#);
    let mut previous = tx.query_row(&newest, [], |row| Ok(entry(row))).optional().engine()?.transpose()?;
    let insert =
        format!(r#"INSERT INTO "authctl_audit" ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"#);
    let mut statement = tx.prepare(&insert).engine()?;
    for event in events {
        let entry = Entry::following(previous.as_ref(), actor, event);
        let seq = i64::try_from(entry.seq).map_err(|error| StoreError::Engine(error.to_string()))?;
        statement
            .execute((
                seq,
                OWN_TIME.write(entry.at),
                &entry.event,
                &entry.os_user,
                &entry.host,
                &entry.actor_id,
                &entry.user_id,
                &entry.session_id,
                &entry.reason,
                &entry.detail,
                &entry.hash,
            ))
            .engine()?;
        previous = Some(entry);
    }
    Ok(())
}

pub(super) fn each(
    connection: &Connection,
    after: u64,
    found: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" WHERE "seq" > ?1 ORDER BY "seq""#);
    let mut statement = connection.prepare(&sql).engine()?;
    let mut rows = statement.query([i64::try_from(after).unwrap_or(i64::MAX)]).engine()?;
    while let Some(row) = rows.next().engine()? {
        if !found(entry(row)?) {
            break;
        }
    }
    Ok(())
}

/// An entry with a time that no calendar knows, or text that is none, was not written by authctl.
fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let seq: i64 = row.get(0).engine()?;
    let nonsense = |column, problem: &str| StoreError::Inconsistent {
        table: "authctl_audit",
        column,
        row: seq.to_string(),
        problem: problem.to_owned(),
    };
    let text = |index, column| row.get::<_, String>(index).map_err(|_| nonsense(column, "is not text"));
    let optional = |index, column| row.get::<_, Option<String>>(index).map_err(|_| nonsense(column, "is not text"));
    Ok(Entry {
        seq: seq.unsigned_abs(),
        at: OWN_TIME
            .read(row.get_ref(1).engine()?)
            .ok_or_else(|| nonsense("at", "is no time that a calendar knows"))?,
        event: text(2, "event")?,
        os_user: text(3, "osUser")?,
        host: text(4, "host")?,
        actor_id: optional(5, "actorId")?,
        user_id: optional(6, "userId")?,
        session_id: optional(7, "sessionId")?,
        reason: optional(8, "reason")?,
        detail: optional(9, "detail")?,
        hash: text(10, "hash")?,
    })
}
