//! Sessions of others, chosen and ended.

use crate::auth::session::Session;
use crate::auth::session_filter::SessionFilter;
use crate::auth::user::UserRef;
use crate::auth::{Auth, AuthError, InPerson};

/// Whose sessions.
#[derive(Debug, Clone)]
pub enum Scope<'a> {
    /// Those of the user who asks.
    Own(InPerson<'a>),
    /// Those of the user with this id, for an operator.
    User(String),
    /// Everybody's.
    Everybody,
}

impl Auth<'_> {
    /// Lists live sessions that meet every condition, each with its user's address.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn sessions_in(
        &mut self,
        scope: &Scope<'_>,
        filter: &SessionFilter,
    ) -> Result<Vec<(String, Session)>, AuthError> {
        let now = self.now;
        let is_meant = |session: &Session| session.is_live(now) && filter.matches(session, now);
        let mut chosen = Vec::new();
        match scope {
            Scope::Own(me) => {
                let sessions = self.store.sessions(&me.user.id)?.into_iter().filter(is_meant);
                chosen.extend(sessions.map(|session| (me.user.email.clone(), session)));
            }
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

    /// Ends sessions that [`Auth::sessions_in`] chose in this scope in one transaction, and returns those
    /// that still existed.
    ///
    /// # Errors
    /// For sessions of the caller, as for [`super::super::Caller::check`].
    pub fn end_chosen(&mut self, scope: &Scope<'_>, chosen: &[Session]) -> Result<Vec<Session>, AuthError> {
        let ids: Vec<String> = chosen.iter().map(|session| session.id.clone()).collect();
        match scope {
            Scope::Own(me) => self.act_for(me, |auth| Ok(auth.store.end_sessions_by_id(&ids)?)),
            Scope::User(_) | Scope::Everybody => Ok(self.store.end_sessions_by_id(&ids)?),
        }
    }
}
