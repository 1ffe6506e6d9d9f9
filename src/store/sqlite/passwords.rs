//! Acts that rest on a password that was verified outside the transaction: they look whether it is
//! still the one in force.

use rusqlite::Transaction;

use super::events::{begun_of, ended_of};
use super::{attempts, sessions, users};
use crate::auth::audit::Event;
use crate::auth::secret::StoredHash;
use crate::auth::session::Session;
use crate::auth::store::{Ended, NewSession, PasswordChange, StoreError};
use crate::auth::throttle::AttemptKey;
use crate::store::dialect::Dialect;

/// What a sign-in has shown.
pub(super) struct Verified<'a> {
    /// The hash that the password was compared with.
    pub hash: &'a StoredHash,
    /// A stronger one to put in its place.
    pub upgraded: Option<&'a StoredHash>,
    /// The count of attempts to clear.
    pub attempts: &'a AttemptKey,
}

/// Whether the hash is still the user's.
fn is_in_force(tx: &Transaction<'_>, user_id: &str, hash: &StoredHash) -> Result<bool, StoreError> {
    Ok(users::password_hash(tx, user_id)?.is_some_and(|in_force| in_force.expose() == hash.expose()))
}

pub(super) fn begin_session(
    tx: &Transaction<'_>,
    dialect: Dialect,
    log: &mut Vec<Event>,
    session: &NewSession,
    verified: &Verified<'_>,
) -> Result<Option<Session>, StoreError> {
    if !is_in_force(tx, &session.user_id, verified.hash)? {
        return Ok(None);
    }
    if let Some(upgraded) = verified.upgraded {
        users::set_password_hash(tx, dialect, &session.user_id, upgraded, session.now)?;
        log.push(Event::user("password.rehashed", &session.user_id));
    }
    attempts::clear(tx, verified.attempts)?;
    let begun = sessions::insert(tx, dialect, session)?;
    log.push(begun_of(&begun));
    Ok(Some(begun))
}

pub(super) fn replace(
    tx: &Transaction<'_>,
    dialect: Dialect,
    log: &mut Vec<Event>,
    change: &PasswordChange<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !is_in_force(tx, change.user_id, change.verified)? {
        return Ok(None);
    }
    // Sessions first: should one of them not be there, nothing has been written yet.
    let ended = match &change.end {
        None => Vec::new(),
        Some(which) => match sessions::delete(tx, dialect, change.user_id, which)? {
            Ended::Sessions(ended) => ended,
            Ended::Missing(_) => return Ok(None),
        },
    };
    users::set_password_hash(tx, dialect, change.user_id, change.hash, change.now)?;
    attempts::clear(tx, change.attempts)?;
    log.push(Event::user("password.changed", change.user_id));
    log.extend(ended.iter().map(ended_of));
    Ok(Some(ended))
}
