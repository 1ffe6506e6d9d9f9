//! Ids by their first characters, as tables on a terminal show them.

use super::session::Session;
use super::storage::{Completed, StoreError};
use super::user::{User, UserRef};
use super::{Auth, AuthError, Scope};

/// The fewest characters that stand for an id.
const ID_PREFIX_MIN: usize = 6;

/// The most ids that an error lists.
const LISTED_MAX: usize = 10;

/// Whether a text may stand for a longer id. A number never does, because a missing digit makes another number.
fn may_be_prefix(text: &str) -> bool {
    text.chars().count() >= ID_PREFIX_MIN
}

fn is_number(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Chooses the only match.
///
/// # Errors
/// [`AuthError::AmbiguousId`], with what there is to say of each match.
fn only<T>(prefix: &str, mut found: Vec<T>, told: impl Fn(&T) -> String) -> Result<Option<T>, AuthError> {
    if found.len() > 1 {
        let mut matches: Vec<String> = found.iter().take(LISTED_MAX).map(told).collect();
        if found.len() > LISTED_MAX {
            matches.push("others".to_owned());
        }
        return Err(AuthError::AmbiguousId { prefix: prefix.to_owned(), matches: matches.join(", ") });
    }
    Ok(found.pop())
}

impl Auth<'_> {
    /// Finds a user by the whole id, else by the first characters of it if no other id begins with them.
    ///
    /// # Errors
    /// [`AuthError::AmbiguousId`].
    pub(super) fn user_with_id(&mut self, named: &str) -> Result<Option<User>, AuthError> {
        if let Some(user) = self.store.user(&UserRef::Id(named.to_owned()))? {
            return Ok(Some(user));
        }
        let mut found = Vec::new();
        for id in self.ids_with_prefix(Completed::User, named)? {
            found.extend(self.store.user(&UserRef::Id(id))?);
        }
        only(named, found, |user| format!("{} ({})", user.id, user.email))
    }

    /// The whole id of a user whom entries of the log are about, by the first characters of it if no other id begins with
    /// them, whether the user still exists or not; a text that means no other id as it is.
    ///
    /// # Errors
    /// [`AuthError::AmbiguousId`].
    pub(super) fn logged_user_id(&mut self, named: &str) -> Result<String, AuthError> {
        let mut found = self.ids_with_prefix(Completed::User, named)?;
        found.extend(beginning(named, || self.store.logged_users_with_prefix(named))?);
        found.sort();
        found.dedup();
        let is_whole = found.iter().any(|id| id == named);
        let only = if is_whole { None } else { only(named, found, Clone::clone)? };
        Ok(only.unwrap_or_else(|| named.to_owned()))
    }

    /// Finds a session that is meant, by the whole id, else by the first characters of it if no other session that is
    /// meant begins with them.
    ///
    /// # Errors
    /// [`AuthError::AmbiguousId`].
    pub(super) fn session_with_id(
        &mut self,
        named: &str,
        is_meant: impl Fn(&Session) -> bool,
    ) -> Result<Option<Session>, AuthError> {
        if let Some(session) = self.store.session_by_id(named)? {
            return Ok(Some(session).filter(is_meant));
        }
        let mut found = Vec::new();
        for id in self.ids_with_prefix(Completed::Session, named)? {
            found.extend(self.store.session_by_id(&id)?.filter(&is_meant));
        }
        only(named, found, |session| session.id.clone())
    }

    /// The whole id of a token of a scope that is meant by the first characters of it; a text that means no other id as it
    /// is.
    ///
    /// # Errors
    /// [`AuthError::AmbiguousId`].
    pub fn token_id(&mut self, scope: &Scope, named: &str) -> Result<String, AuthError> {
        let mut found = self.ids_with_prefix(Completed::Token, named)?;
        if found.iter().any(|id| id == named) {
            return Ok(named.to_owned());
        }
        if !found.is_empty() && scope.user_id().is_some() {
            let tokens = self.tokens(scope)?;
            found.retain(|id| tokens.iter().any(|token| token.id == *id));
        }
        Ok(only(named, found, Clone::clone)?.unwrap_or_else(|| named.to_owned()))
    }

    /// Runs an act on an organization that is named by its id or slug, else on the only one whose id begins with the name.
    ///
    /// # Errors
    /// [`AuthError::AmbiguousId`], and those of the act.
    pub(super) fn in_organization<T>(
        &mut self,
        named: &str,
        mut act: impl FnMut(&mut Self, &str) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        match act(self, named) {
            Err(unknown @ AuthError::NoSuchOrganization(_)) if may_be_prefix(named) => {
                let mut found = self.organizations()?;
                found.retain(|one| one.id.starts_with(named) && !is_number(&one.id));
                let only = only(named, found, |one| format!("{} ({})", one.id, one.slug))?.ok_or(unknown)?;
                act(self, &only.id)
            }
            done => done,
        }
    }

    fn ids_with_prefix(&mut self, what: Completed, prefix: &str) -> Result<Vec<String>, AuthError> {
        beginning(prefix, || self.store.with_prefix(what, prefix))
    }
}

/// The ids that begin with a text, if it may stand for one.
fn beginning(prefix: &str, find: impl FnOnce() -> Result<Vec<String>, StoreError>) -> Result<Vec<String>, AuthError> {
    if !may_be_prefix(prefix) {
        return Ok(Vec::new());
    }
    let mut ids = find()?;
    // The column of an app may compare without regard to case.
    ids.retain(|id| id.starts_with(prefix) && !is_number(id));
    Ok(ids)
}

/// The id of the session that is meant among some: see [`Auth::session_with_id`].
///
/// # Errors
/// [`AuthError::NoSuchSession`] and [`AuthError::AmbiguousId`].
pub(super) fn session_among(named: &str, sessions: &[Session]) -> Result<String, AuthError> {
    let sessions: Vec<&Session> = sessions.iter().filter(|session| session.has_id()).collect();
    if sessions.iter().any(|session| session.id == named) {
        return Ok(named.to_owned());
    }
    let begins = |session: &&Session| may_be_prefix(named) && session.id.starts_with(named) && !is_number(&session.id);
    let found: Vec<&Session> = sessions.into_iter().filter(begins).collect();
    let only = only(named, found, |session| session.id.clone())?;
    only.map(|session| session.id.clone()).ok_or_else(|| AuthError::NoSuchSession(named.to_owned()))
}
