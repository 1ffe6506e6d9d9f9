//! Sessions of others, chosen and ended.

use crate::auth::session::Session;
use crate::auth::session_filter::SessionFilter;
use crate::auth::user::UserRef;
use crate::auth::{Auth, AuthError};

/// Sessions ended by one transaction: other writers wait for a tenth of a second at most.
const BATCH: usize = 1_000;

/// Whose sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of the user with this id.
    User(String),
    /// Everybody's.
    Everybody,
}

impl Auth<'_> {
    /// Lists live sessions that meet every condition, each with its user's address.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn sessions_in(&mut self, scope: &Scope, filter: &SessionFilter) -> Result<Vec<(String, Session)>, AuthError> {
        let now = self.now;
        let is_meant = |session: &Session| session.is_live(now) && filter.matches(session, now);
        let mut chosen = Vec::new();
        match scope {
            Scope::User(id) => {
                let email = self.store.user(&UserRef::Id(id.clone()))?.map(|user| user.email).unwrap_or_default();
                let sessions = self.store.sessions(id)?.into_iter().filter(is_meant);
                chosen.extend(sessions.map(|session| (email.clone(), session)));
            }
            Scope::Everybody => self.store.each_session(&mut |email, session| {
                if is_meant(&session) {
                    chosen.push((email, session));
                }
            })?,
        }
        Ok(chosen)
    }

    /// Ends sessions that were chosen, and returns those that were still there. Many are ended in
    /// several transactions, so that nobody waits long.
    ///
    /// # Errors
    /// [`AuthError::Store`]; what was ended until then stays ended.
    pub fn end_chosen(&mut self, chosen: &[Session]) -> Result<Vec<Session>, AuthError> {
        let mut ended = Vec::new();
        for batch in chosen.chunks(BATCH) {
            let ids: Vec<String> = batch.iter().map(|session| session.id.clone()).collect();
            ended.extend(self.store.end_sessions_by_id(&ids)?);
        }
        Ok(ended)
    }
}
