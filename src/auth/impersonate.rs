//! Sessions without a sign-in: one in which somebody acts as a user, marked with who that is, for a time that
//! use does not prolong; or one like any other of the user's.

use jiff::Timestamp;

use crate::auth::audit::Actor;
use crate::auth::session::Session;
use crate::auth::storage::NewSessionRow;
use crate::auth::user::{User, UserRef};
use crate::auth::{Auth, AuthError, SessionRequest, SignInBlocker, SignedIn, SignedOut};

/// As whom an operator may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActAs {
    /// As anybody who is no administrator: whoever may act as one has all of an administrator's rights.
    NoAdministrator,
    /// As anybody (`--force`).
    Anybody,
}

/// The operator of an impersonated session.
#[derive(Debug, Clone)]
pub enum Impersonator {
    /// An administrator who is signed in. The session ends with the role.
    Administrator(Box<SignedIn>),
    /// A user of the operating system, by the name of [`Actor::os_name`], who needs no sign-in.
    System(String),
}

impl ActAs {
    /// Says no to a user who is banned, or an administrator when that matters. The store asks in the
    /// transaction that makes the session, with the user as the row is then.
    ///
    /// # Errors
    /// [`AuthError::Banned`], [`AuthError::ActingAsAdmin`].
    pub fn check(self, user: &User, now: Timestamp) -> Result<(), AuthError> {
        if let Some(ban) = SignInBlocker::ban(user, now) {
            return Err(ban.refusal(now));
        }
        match self {
            Self::NoAdministrator if user.has_role("admin") => Err(AuthError::ActingAsAdmin),
            Self::NoAdministrator | Self::Anybody => Ok(()),
        }
    }
}

impl Auth<'_> {
    /// Requires that whoever acts as a user may still do so: an administrator who is not banned. An
    /// operator of the operating system has no account that could lose anything; such a session has
    /// its time.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`].
    pub(in crate::auth) fn require_impersonator(&mut self, by: &str) -> Result<(), AuthError> {
        if Actor::is_os_name(by) {
            return Ok(());
        }
        let impersonator = self.store.user(&UserRef::Id(by.to_owned()))?;
        if impersonator.is_some_and(|user| user.may_impersonate(self.now)) {
            Ok(())
        } else {
            Err(AuthError::NotSignedIn(SignedOut::ImpersonatorGone))
        }
    }

    /// Makes a session in which an operator acts as the user. It is no sign-in: the password, the address
    /// and the second factor do not matter.
    ///
    /// # Errors
    /// As for [`ActAs::check`], and [`AuthError::NoSuchUser`]. For an administrator, as for
    /// [`super::Caller::check`], and [`AuthError::NotSignedIn`] without the role.
    pub fn impersonate(
        &mut self,
        user: &User,
        by: &Impersonator,
        session_request: &SessionRequest,
        whom: ActAs,
    ) -> Result<(User, Session), AuthError> {
        let impersonated_by = Some(match by {
            Impersonator::Administrator(me) => me.user.id.clone(),
            Impersonator::System(name) => name.clone(),
        });
        let session = NewSessionRow { impersonated_by, ..self.new_session(session_request, &user.id)? };
        match by {
            Impersonator::Administrator(me) => self.act_for(me, |auth| auth.store.issue_session(&session, whom)?),
            Impersonator::System(_) => self.store.issue_session(&session, whom)?,
        }
    }

    /// Makes a session like any other of the user's, which is handed to somebody. It is no sign-in either;
    /// that it was made so, only the audit log says.
    ///
    /// # Errors
    /// As for [`ActAs::check`], and [`AuthError::NoSuchUser`].
    pub fn issue_session(
        &mut self,
        user: &User,
        session_request: &SessionRequest,
        whom: ActAs,
    ) -> Result<(User, Session), AuthError> {
        let session = self.new_session(session_request, &user.id)?;
        self.store.issue_session(&session, whom)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, user};

    #[test]
    fn nobody_acts_as_who_is_banned_and_only_by_force_as_an_administrator() {
        let anybody = user();
        let admin = User { role: Some("editor, admin".into()), ..user() };
        let banned = User { banned: true, ban_expires: Some(at(60)), ..admin.clone() };
        for whom in [ActAs::NoAdministrator, ActAs::Anybody] {
            assert!(whom.check(&anybody, at(0)).is_ok());
            assert!(matches!(whom.check(&banned, at(59)), Err(AuthError::Banned { .. })));
        }
        for admin in [(&admin, at(0)), (&banned, at(60))] {
            assert!(matches!(ActAs::NoAdministrator.check(admin.0, admin.1), Err(AuthError::ActingAsAdmin)));
            assert!(ActAs::Anybody.check(admin.0, admin.1).is_ok());
        }
    }
}
