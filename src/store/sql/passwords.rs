//! Passwords. An act that follows a verification checks that the verified hash is still stored; other acts
//! replace a hash without knowing it.

use super::audit::{begun_of, change_events, ended_of, subject};
use super::{changes, codes, sessions, users};
use crate::auth::audit::{Event, Subject};
use crate::auth::codes::Purpose;
use crate::auth::secret::StoredHash;
use crate::auth::session::Session;
use crate::auth::storage::{NewPassword, NewSessionRow, PasswordChange, StoreError};
use crate::auth::user::{User, UserRef};
use crate::store::engine::Tx;
use crate::store::mapping::SchemaMapping;

/// The result of a verified sign-in.
pub(in crate::store) struct Verified<'a> {
    /// The hash that the password matched.
    pub hash: &'a StoredHash,
    /// A stronger hash to store instead.
    pub upgraded: Option<&'a StoredHash>,
}

/// Whether the verified hash is still stored.
pub(in crate::store) fn is_in_force(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    hash: &StoredHash,
) -> Result<bool, StoreError> {
    Ok(users::password_hash(tx, mapping, user_id)?.is_some_and(|in_force| in_force.expose() == hash.expose()))
}

pub(in crate::store) fn begin_session(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    session: &NewSessionRow,
    verified: &Verified<'_>,
) -> Result<Option<Session>, StoreError> {
    // The user may have been banned while the hash was computed.
    let user = users::find(tx, mapping, &UserRef::Id(session.user_id.clone()))?;
    let Some(user) = user.filter(|user| !user.is_banned(session.now)) else { return Ok(None) };
    if !is_in_force(tx, mapping, &session.user_id, verified.hash)? {
        return Ok(None);
    }
    if user.banned {
        // The ban has expired. Better Auth clears its columns at a sign-in, and so does authctl.
        let lifted = User { banned: false, ban_reason: None, ban_expires: None, ..user.clone() };
        changes::write(tx, mapping, &user, &lifted, session.now)?;
        log.extend(change_events(&user, &lifted));
    }
    if let Some(upgraded) = verified.upgraded {
        users::set_password_hash(tx, mapping, &session.user_id, upgraded, session.now)?;
        log.push(Event::user("password.rehashed", &user));
    }
    let begun = sessions::insert(tx, mapping, session)?;
    log.push(begun_of(&Subject::from(&user), &begun));
    Ok(Some(begun))
}

pub(in crate::store) fn replace(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    change: &PasswordChange<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !is_in_force(tx, mapping, change.user_id, change.verified)? {
        return Ok(None);
    }
    // Sessions go first: if one of them does not exist, nothing has been written yet.
    let ended = match &change.end {
        None => Vec::new(),
        Some(which) => match sessions::delete(tx, mapping, change.user_id, which)? {
            Ok(ended) => ended,
            Err(_) => return Ok(None),
        },
    };
    users::set_password_hash(tx, mapping, change.user_id, change.hash, change.now)?;
    codes::delete_all(tx, mapping, Purpose::ResetPassword, change.user_id)?;
    let user = subject(tx, mapping, change.user_id)?;
    log.push(Event::user("password.changed", &user));
    log.extend(ended.iter().map(|session| ended_of(&user, session)));
    Ok(Some(ended))
}

/// Sets a password. Codes that reset the old one become invalid.
pub(in crate::store) fn set(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewPassword<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !users::upsert_password_hash(tx, mapping, new)? {
        return Ok(None);
    }
    codes::delete_all(tx, mapping, Purpose::ResetPassword, new.user_id)?;
    let ended = sessions::end(tx, mapping, new.user_id, new.end.as_ref())?;
    let user = subject(tx, mapping, new.user_id)?;
    log.push(Event::user("password.set", &user));
    log.extend(ended.iter().map(|session| ended_of(&user, session)));
    Ok(Some(ended))
}
