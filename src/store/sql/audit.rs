//! The audit log. Entries are only added, by the act that they describe.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::read;
use crate::auth::audit::{Actor, AuditUsers, Changes, Entry, Event, GENESIS, Intents, Subject, intended_detail};
use crate::auth::session::{Session, latest};
use crate::auth::storage::StoreError;
use crate::auth::user::User;
use crate::store::engine::{Dialect, Query, Row, Tx, Value};
use crate::store::mapping::{OWN_TIME, SchemaMapping};

pub(super) const COLUMNS: &str = r#""seq", "form", "at", "event", "osUser", "host", "actorId", "actorEmail", "userId", "userEmail",
    "sessionId", "reason", "detail", "changes", "hash""#;

/// Appends entries about what an act did.
pub(in crate::store) fn append(tx: &mut dyn Tx, actor: &Actor, events: Vec<Event>) -> Result<(), StoreError> {
    let (newest, _) = of_newest();
    let newest = tx.query_one(&newest, &[], entry)?;
    let (mut seq, mut hash) = newest.map_or((0, GENESIS.to_owned()), |newest| (newest.seq, newest.hash));
    let count = events.len() as u64;
    let mut rows = events.into_iter().map(|event| {
        let entry = Entry::behind(seq, &hash, actor, event);
        // Acts never fill the log: another program wrote an entry with the highest number.
        let number = i64::try_from(entry.seq).map_err(|_| StoreError::LogFull(seq))?;
        seq = entry.seq;
        hash.clone_from(&entry.hash);
        Ok(cells(entry, number))
    });
    let written = tx.insert_rows(&format!(r#""authctl_audit" ({COLUMNS})"#), &mut rows)?;
    // A trigger on the table may skip an entry, and no act goes without one.
    if written == count { Ok(()) } else { Err(StoreError::Trigger("a trigger skips entries of the audit log".into())) }
}

/// The query by which [`append`] finds the newest entry.
pub(super) fn of_newest() -> Query {
    (format!(r#"SELECT {COLUMNS} FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1"#), Vec::new())
}

/// The values of an entry, in the order of [`COLUMNS`].
fn cells(entry: Entry, seq: i64) -> Vec<Value> {
    vec![
        seq.into(),
        entry.form.into(),
        OWN_TIME.write(entry.at),
        entry.event.into(),
        entry.os_user.into(),
        entry.host.into(),
        entry.actor_id.into(),
        entry.actor_email.into(),
        entry.user_id.into(),
        entry.user_email.into(),
        entry.session_id.into(),
        entry.reason.into(),
        entry.detail.into(),
        entry.changes.into(),
        entry.hash.into(),
    ]
}

/// Finds the newest intended act. The event is a literal and not a parameter, because only then the partial
/// index serves the statement; without it every failed sign-in since then is read.
const NEWEST_INTENDED: &str =
    r#"SELECT "seq" FROM "authctl_audit" WHERE "event" = 'act.intended' ORDER BY "seq" DESC LIMIT 1"#;

/// The newest intended act, if the log does not say how it ended. Earlier ones need no look: the next act
/// recorded how each ended.
pub(in crate::store) fn interrupted(tx: &mut dyn Tx) -> Result<Option<Entry>, StoreError> {
    let seq = tx.query_one(NEWEST_INTENDED, &[], |row| row.integer(0))?;
    let Some(before) = seq.and_then(|seq| seq.unsigned_abs().checked_sub(1)) else { return Ok(None) };
    let mut intents = Intents::default();
    each(tx, before, &mut |entry| {
        intents.follow(&entry);
        // Its end is among the next entries; later ones do not mention it.
        intents.open().is_some()
    })?;
    Ok(intents.open().cloned())
}

/// Whether the log confirms the clock: its first and its newest entry are from before now. That holds when
/// another clock was ahead for a while. When this machine's clock is behind, the first entry is from the
/// future.
pub(in crate::store) fn shows_sane_clock(tx: &mut dyn Tx, now: Timestamp) -> Result<bool, StoreError> {
    let mut is_past = |direction: &str| {
        let sql = format!(r#"SELECT "at" FROM "authctl_audit" ORDER BY "seq" {direction} LIMIT 1"#);
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
    tx.scan(&sql, &[i64::try_from(after).unwrap_or(i64::MAX).into()], &mut |row| {
        Ok(if found(entry(row)?) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
}

/// As [`each`], backwards from before an entry, or from the end.
pub(in crate::store) fn each_back(
    tx: &mut dyn Tx,
    before: Option<u64>,
    found: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" WHERE "seq" < ?1 ORDER BY "seq" DESC"#);
    tx.scan(&sql, &[place(before).into()], &mut |row| {
        Ok(if found(entry(row)?) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
}

/// The number before which entries are read.
fn place(before: Option<u64>) -> i64 {
    before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX)
}

/// The conditions for the entries about a user and by one, by id. Each has an index.
const OF_ID: [&str; 2] = [r#""userId" = ?1"#, r#""actorId" = ?1 AND "actorId" IS DISTINCT FROM "userId""#];

/// The same conditions by address, which a user may have had in another spelling.
fn of_email(dialect: &Dialect) -> [String; 2] {
    let [about, by] = [r#""userEmail""#, r#""actorEmail""#].map(|column| (dialect.is_spelled)(column, "?1"));
    [about, [&by, r#" AND "actorEmail" IS DISTINCT FROM "userEmail""#].concat()]
}

/// All conditions for the entries of users, each with its value.
fn conditions<'u>(dialect: &Dialect, users: &'u AuditUsers) -> Vec<(String, &'u str)> {
    let ids = users.ids.iter().flat_map(|id| OF_ID.map(|condition| (condition.to_owned(), id.as_str())));
    let email = users.email.iter().flat_map(|email| of_email(dialect).map(|condition| (condition, email.as_str())));
    ids.chain(email).collect()
}

/// How many entries are read at a time by each condition.
const CHUNK: usize = 256;

/// Goes through the entries of users. Each condition finds its entries in the order of the log, so that the chunks of
/// all are merged as far as each of them reaches.
pub(in crate::store) fn each_of(
    tx: &mut dyn Tx,
    users: &AuditUsers,
    mut after: u64,
    found: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StoreError> {
    let conditions = conditions(tx.dialect(), users);
    // Entries that are added meanwhile could be seen by one condition and missed by another.
    let newest = tx.query_one(r#"SELECT max("seq") FROM "authctl_audit""#, &[], |row| Ok(row.value(0)?.to_value()))?;
    let Some(Value::Integer(newest)) = newest else { return Ok(()) };
    let newest = newest.unsigned_abs();
    while after < newest {
        let (mut chunk, mut until) = (BTreeMap::new(), newest);
        for (of_user, whom) in &conditions {
            let sql = format!(
                r#"SELECT {COLUMNS} FROM "authctl_audit" WHERE {of_user} AND "seq" > ?2 ORDER BY "seq" LIMIT {CHUNK}"#
            );
            let values = [(*whom).into(), i64::try_from(after).unwrap_or(i64::MAX).into()];
            let entries = tx.query_all(&sql, &values, entry)?;
            if let Some(last) = entries.last().filter(|_| entries.len() == CHUNK) {
                until = until.min(last.seq);
            }
            chunk.extend(entries.into_iter().map(|entry| (entry.seq, entry)));
        }
        for (_, entry) in chunk.into_iter().take_while(|(seq, _)| *seq <= until) {
            if !found(entry) {
                return Ok(());
            }
        }
        after = until;
    }
    Ok(())
}

/// As [`each_of`], backwards from before an entry, or from the end.
pub(in crate::store) fn each_of_back(
    tx: &mut dyn Tx,
    users: &AuditUsers,
    before: Option<u64>,
    found: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StoreError> {
    let conditions = conditions(tx.dialect(), users);
    let mut before = place(before);
    loop {
        let (mut chunk, mut from) = (BTreeMap::new(), 0);
        for (of_user, whom) in &conditions {
            let sql = format!(
                r#"SELECT {COLUMNS} FROM "authctl_audit" WHERE {of_user} AND "seq" < ?2 ORDER BY "seq" DESC LIMIT {CHUNK}"#
            );
            let entries = tx.query_all(&sql, &[(*whom).into(), before.into()], entry)?;
            if let Some(last) = entries.last().filter(|_| entries.len() == CHUNK) {
                from = from.max(last.seq);
            }
            chunk.extend(entries.into_iter().map(|entry| (entry.seq, entry)));
        }
        for (_, entry) in chunk.into_iter().rev().take_while(|(seq, _)| *seq >= from) {
            if !found(entry) {
                return Ok(());
            }
        }
        if from == 0 {
            return Ok(());
        }
        before = place(Some(from));
    }
}

/// The newest entries, the oldest of them first.
pub(in crate::store) fn newest(tx: &mut dyn Tx, count: usize) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(r#"SELECT {COLUMNS} FROM "authctl_audit" ORDER BY "seq" DESC LIMIT ?1"#);
    let mut entries = tx.query_all(&sql, &[i64::try_from(count).unwrap_or(i64::MAX).into()], entry)?;
    entries.reverse();
    Ok(entries)
}

/// Reads an entry. A time outside the calendar, or a value that is not text, was not written by authctl.
pub(super) fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
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
        // A number that no form has is an unknown form too.
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

/// The fields that the entries about the creation and the deletion of a user list.
pub(in crate::store) const LIFE: &[&str] = &["name", "email", "emailVerified", "role"];

/// The user with this id and the current address. Acts that change the address or delete the user call it
/// first.
pub(in crate::store) fn subject(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Subject, StoreError> {
    let (sql, values) = of_subject(mapping, user_id);
    // authctl cannot show a user whose address is not text.
    let email = tx.query_one(&sql, &values, |row| Ok(row.value(0)?.as_text().map(str::to_owned)))?;
    Ok(Subject::read(user_id, email.flatten()))
}

/// The query by which [`subject`] finds the address.
pub(in crate::store) fn of_subject(mapping: &SchemaMapping, user_id: &str) -> Query {
    let sql = format!(r#"SELECT {} FROM "user" WHERE "id" = ?1"#, read::EMAIL);
    (mapping.sql(sql).into_owned(), vec![mapping.key("user", user_id)])
}

/// The actor with the current address. It is read before the act, for users who change or delete themselves.
pub(in crate::store) fn signed(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    mut actor: Actor,
    events: &[Event],
) -> Result<Actor, StoreError> {
    let Some(id) = &actor.signed_in else { return Ok(actor) };
    let about_themselves = events.iter().filter_map(Event::subject).find(|subject| subject.id() == id);
    let email = match about_themselves {
        Some(subject) => subject.email().map(str::to_owned),
        None => subject(tx, mapping, id)?.email().map(str::to_owned),
    };
    actor.signed_in_email = email.or(actor.signed_in_email);
    Ok(actor)
}

pub(in crate::store) fn begun_of(user: &Subject, session: &Session) -> Event {
    Event::session("session.begun", user, &session.id)
}

pub(in crate::store) fn ended_of(user: &Subject, session: &Session) -> Event {
    Event::session("session.ended", user, &session.id)
}

/// The events about sessions that ended, of any users.
pub(in crate::store) fn ended_of_users(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    sessions: &[Session],
) -> Result<Vec<Event>, StoreError> {
    let users = subjects(tx, mapping, sessions.iter().map(|session| session.user_id.as_str()))?;
    let subject = |id: &str| users.get(id).cloned().unwrap_or_else(|| Subject::read(id, None));
    Ok(sessions.iter().map(|session| ended_of(&subject(&session.user_id), session)).collect())
}

/// The users with these ids and their current addresses, by id, as [`subject`] reads one.
pub(in crate::store) fn subjects<'i>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    ids: impl Iterator<Item = &'i str>,
) -> Result<HashMap<String, Subject>, StoreError> {
    let users: BTreeSet<&str> = ids.collect();
    let keys: Vec<[Value; 1]> = users.iter().map(|id| [mapping.key("user", id)]).collect();
    let is_user = tx.dialect().is_listed(r#""id""#, "?1");
    let sql = format!(r#"SELECT "id", {} FROM "user" WHERE {is_user}"#, read::EMAIL);
    let sql = mapping.sql(sql);
    let mut subjects: HashMap<String, Subject> =
        users.iter().map(|id| ((*id).to_owned(), Subject::read(id, None))).collect();
    for lists in tx.dialect().lists(&keys) {
        tx.each(&sql, &lists, |row| {
            let email = row.value(1)?.as_text().map(str::to_owned);
            let id = mapping.ids.of("user").read(row.value(0)?);
            subjects.extend(id.map(|id| {
                let subject = Subject::read(&id, email);
                (id, subject)
            }));
            Ok(())
        })?;
    }
    Ok(subjects)
}

/// The event before the commit: it lists what the act will have done.
pub(in crate::store) fn intended_of(events: &[Event]) -> Event {
    about(Intents::INTENDED, events.first().and_then(Event::subject)).with(intended_detail(events))
}

/// The event about an intended act that failed.
pub(in crate::store) fn failed_of(first: &Event) -> Event {
    about(Intents::FAILED, first.subject()).with(format!("{}: nothing was changed", first.name()))
}

/// The event about an intended act whose process ended before it recorded the outcome.
pub(in crate::store) fn interrupted_of(intended: &Entry) -> Event {
    let what = intended.detail.as_deref().unwrap_or("unknown");
    let detail = format!("{what}: intended by entry {}, not known whether it was done", intended.seq);
    let user = intended.user_id.as_ref().map(|id| Subject::read(id, intended.user_email.clone()));
    about(Intents::INTERRUPTED, user.as_ref()).with(detail)
}

fn about(name: &'static str, user: Option<&Subject>) -> Event {
    user.map_or_else(|| Event::new(name), |user| Event::user(name, user))
}

/// The events about the differences between two states of a user, one for each kind of change.
pub(in crate::store) fn change_events(before: &User, after: &User) -> Vec<Event> {
    let all = Changes::between(Some(before), Some(after));
    let about = |name, fields: &[&str]| Event::user(name, before).changing(all.only(fields));
    let mut events = Vec::new();
    if all.has("name") || all.has("image") {
        events.push(about("user.updated", &["name", "image"]));
    }
    let moves = all.has("email");
    if moves {
        // A change of the address includes that the new one is not verified.
        events
            .push(about("email.changed", if after.email_verified { &["email"] } else { &["email", "emailVerified"] }));
    }
    if after.email_verified && (moves || all.has("emailVerified")) {
        events.push(about("email.verified", &["emailVerified"]));
    } else if all.has("emailVerified") && !moves {
        events.push(about("email.unverified", &["emailVerified"]));
    }
    if all.has("role") {
        events.push(about("role.set", &["role"]).with(format!("roles: {}", after.roles())));
    }
    if all.has("banned") || all.has("banReason") || all.has("banExpires") {
        let name = if after.banned { "user.banned" } else { "user.unbanned" };
        events.push(about(name, &["banned", "banReason", "banExpires"]));
    }
    events
}
