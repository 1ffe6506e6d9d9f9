//! Changes and deletions of users. They protect the last administrator.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::audit::{LIFE, change_events, ended_of};
use super::users::{find, read_back};
use super::{codes, rows, sessions};
use crate::auth::AuthError;
use crate::auth::audit::{Changes, Event, Subject, counted};
use crate::auth::codes::Purpose;
use crate::auth::storage::{AdminGuard, Ban, StoreError, UserChange, UserUpdated};
use crate::auth::user::{User, UserRef};
use crate::store::engine::Tx;
use crate::store::mapping::SchemaMapping;

/// Changes a user and ends the sessions that the change names, if the guard agrees with the result.
pub(in crate::store) fn update(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    id: &str,
    change: &UserChange,
    guard: AdminGuard,
    now: Timestamp,
) -> Result<Result<UserUpdated, AuthError>, StoreError> {
    let Some(before) = find(tx, mapping, &UserRef::Id(id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(id.to_owned())));
    };
    if change.ban.is_some() && !mapping.has("user", "banned") {
        // Lifting a ban that does not exist changes nothing.
        return Err(StoreError::NoColumn { table: "user", column: "banned" });
    }
    let mut user = before.clone();
    user.name = change.name.clone().unwrap_or(user.name);
    if let Some(image) = &change.image {
        (user.image, user.image_left_out) = (image.clone(), None);
    }
    user.email_verified = change.is_verified_after(&before);
    user.email = change.email.as_ref().map_or(user.email, |email| email.as_str().to_owned());
    user.role = change.role.clone().unwrap_or(user.role);
    match &change.ban {
        None => {}
        Some(Ban::Lifted) => (user.banned, user.ban_reason, user.ban_expires) = (false, None, None),
        Some(Ban::Imposed { reason, until }) => {
            (user.banned, user.ban_reason, user.ban_expires) = (true, reason.clone(), *until);
        }
    }
    if guard == AdminGuard::KeepLastAdmin
        && is_admin(&before, now)
        && !is_admin(&user, now)
        && !has_other_admin(tx, mapping, id, now)?
    {
        return Ok(Err(AuthError::LastAdmin));
    }
    let mut changed = !Changes::between(Some(&before), Some(&user)).is_empty();
    if changed {
        write(tx, mapping, &before, &user, now)?;
        user = read_back(tx, mapping, id)?;
        // A column may store instants with less precision.
        changed = !Changes::between(Some(&before), Some(&user)).is_empty();
    }
    if user.email != before.email {
        // Codes are bound to the address. They are deleted, so that they do not work again when the address
        // returns.
        for purpose in Purpose::ALL {
            codes::delete_all(tx, mapping, purpose, id)?;
        }
    }
    let mut ended = sessions::end(tx, mapping, id, change.end.which(&before, &user).as_ref())?;
    log.extend(change_events(&before, &user));
    let subject = Subject::from(&before);
    log.extend(ended.iter().map(|session| ended_of(&subject, session)));
    if before.has_role("admin") && !user.may_impersonate(now) {
        ended.extend(sessions::end_impersonations(tx, mapping, log, id)?);
    }
    Ok(Ok(UserUpdated { user, ended, changed }))
}

/// Writes the fields that differ. An unchanged column is not written, because it may hold more than was read.
pub(in crate::store) fn write(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    before: &User,
    after: &User,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = |user: &User| {
        vec![
            ("name", user.name.clone().into()),
            ("image", user.image_or_size().into()),
            ("email", user.email.clone().into()),
            ("emailVerified", SchemaMapping::truth(user.email_verified)),
            ("role", user.role.clone().into()),
            ("banned", SchemaMapping::truth(user.banned)),
            ("banReason", user.ban_reason.clone().into()),
            ("banExpires", user.ban_expires.map(|until| mapping.time(until)).into()),
        ]
    };
    let mut changed: rows::Values = values(after);
    let as_before: rows::Values = values(before);
    changed.retain(|value| !as_before.contains(value));
    changed.push(("updatedAt", mapping.time(now)));
    rows::update(tx, mapping, "user", &after.id, changed)
}

pub(in crate::store) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    id: &str,
    guard: AdminGuard,
    now: Timestamp,
) -> Result<Result<u64, AuthError>, StoreError> {
    let Some(user) = find(tx, mapping, &UserRef::Id(id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(id.to_owned())));
    };
    if guard == AdminGuard::KeepLastAdmin && is_admin(&user, now) && !has_other_admin(tx, mapping, id, now)? {
        return Ok(Err(AuthError::LastAdmin));
    }
    if user.has_role("admin") {
        sessions::end_impersonations(tx, mapping, log, id)?;
    }
    // Rows that refer to the user go first, for the foreign keys. SQLite reads a large value to delete its
    // entry in an index.
    let values = [id.into()];
    let sessions = tx.change(&mapping.sql(r#"DELETE FROM "session" WHERE "userId" = ?1"#), &values)?;
    tx.change(&mapping.sql(r#"DELETE FROM "account" WHERE "userId" = ?1"#), &values)?;
    codes::delete_of_user(tx, mapping, id)?;
    tx.change(&mapping.sql(r#"DELETE FROM "user" WHERE "id" = ?1"#), &values)?;
    let event = Event::user("user.deleted", &user).with(format!("with {}", counted(sessions, "session")));
    log.push(event.changing(Changes::between(Some(&user), None).only(LIFE)));
    Ok(Ok(sessions))
}

fn is_admin(user: &User, now: Timestamp) -> bool {
    user.has_role("admin") && !user.is_banned(now)
}

/// Whether another administrator can sign in. SQL finds candidates by the word; the rule reads their roles.
fn has_other_admin(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = format!(r#"SELECT {} FROM "user" WHERE "role" LIKE '%admin%' AND "id" <> ?1"#, rows::USER);
    let mut found = false;
    tx.query(&mapping.sql(sql), &[id.into()], &mut |row| {
        found = is_admin(&rows::user(row, 0, mapping)?, now);
        Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}
