//! How many sessions a selection ends, and of how many users.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::Selection;
use crate::auth::storage::SessionQuery;
use crate::auth::{Auth, AuthError};

/// How many sessions a selection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenCount {
    pub sessions: u64,
    pub users: u64,
}

impl Auth<'_> {
    /// Counts the sessions that a selection ends, and their users.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn count_chosen(&mut self, selection: &Selection) -> Result<ChosenCount, AuthError> {
        let Selection { scope, filter, after: _ } = selection;
        let query = SessionQuery { user_id: scope.user_id(), filter, after: None, now: self.now };
        let mut sessions = 0;
        // A digest takes less memory than an id.
        let mut users = HashSet::new();
        self.store.each_session(&query, &mut |found| {
            let session = found.session;
            let is_meant = session.may_be_live(query.now) && filter.matches(&session, query.now);
            if is_meant && (session.has_id() || selection.chooses_without_id()) {
                sessions += 1;
                let mut digest = DefaultHasher::new();
                session.user_id.hash(&mut digest);
                users.insert(digest.finish());
            }
            true
        })?;
        Ok(ChosenCount { sessions, users: users.len() as u64 })
    }
}
