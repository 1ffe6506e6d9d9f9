//! What the audit log tells of changes.

use super::rows;
use super::tx::Tx;
use crate::auth::audit::{Actor, Changes, Entry, Event, Intents, Subject};
use crate::auth::session::Session;
use crate::auth::storage::StoreError;
use crate::auth::user::User;
use crate::store::mapping::SchemaMapping;

/// What the entries of the first and the last act of a user say.
pub(in crate::store) const LIFE: &[&str] = &["name", "email", "emailVerified", "role"];

/// The user with this id and the address at this moment. Acts that change the address or delete the user
/// call it before.
pub(in crate::store) fn subject(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Subject, StoreError> {
    let sql = format!(r#"SELECT {} FROM "user" WHERE "id" = ?1"#, rows::EMAIL);
    // An address that is not text belongs to no user that authctl can show.
    let email =
        tx.query_one(&mapping.sql(sql), &[user_id.into()], |row| Ok(row.value(0)?.as_text().map(str::to_owned)))?;
    Ok(Subject::read(user_id, email.flatten()))
}

/// The actor with the address at this moment, before the act for users who change or delete themselves.
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

/// A session began.
pub(in crate::store) fn begun_of(user: &Subject, session: &Session) -> Event {
    Event::session("session.begun", user, &session.id)
}

/// A session ended.
pub(in crate::store) fn ended_of(user: &Subject, session: &Session) -> Event {
    Event::session("session.ended", user, &session.id)
}

/// An act is about to be committed: what will be told of it when it is done.
pub(in crate::store) fn intended_of(events: &[Event]) -> Event {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for event in events {
        match counts.iter_mut().find(|(name, _)| *name == event.name()) {
            Some((_, count)) => *count += 1,
            None => counts.push((event.name(), 1)),
        }
    }
    let words =
        counts.iter().map(|(name, count)| if *count == 1 { (*name).to_owned() } else { format!("{name} ({count})") });
    about(Intents::INTENDED, events.first().and_then(Event::subject)).with(words.collect::<Vec<_>>().join(", "))
}

/// An act that was intended was not done.
pub(in crate::store) fn failed_of(first: &Event) -> Event {
    about(Intents::FAILED, first.subject()).with(format!("{}: nothing was changed", first.name()))
}

/// An act that was intended by a process that is gone.
pub(in crate::store) fn interrupted_of(intended: &Entry) -> Event {
    let what = intended.detail.as_deref().unwrap_or("unknown");
    let detail = format!("{what}: intended by entry {}, not known whether it was done", intended.seq);
    let user = intended.user_id.as_ref().map(|id| Subject::read(id, intended.user_email.clone()));
    about(Intents::INTERRUPTED, user.as_ref()).with(detail)
}

fn about(name: &'static str, user: Option<&Subject>) -> Event {
    user.map_or_else(|| Event::new(name), |user| Event::user(name, user))
}

/// One event for each thing of a user that is not what it was.
pub(in crate::store) fn change_events(before: &User, after: &User) -> Vec<Event> {
    let all = Changes::between(Some(before), Some(after));
    let about = |name, fields: &[&str]| Event::user(name, before).changing(all.only(fields));
    let mut events = Vec::new();
    if all.has("name") || all.has("image") {
        events.push(about("user.updated", &["name", "image"]));
    }
    let moves = all.has("email");
    if moves {
        // That a new address is not verified is a part of the move.
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
