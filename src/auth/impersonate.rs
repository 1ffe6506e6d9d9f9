//! Sessions without a sign-in. In an impersonated session an operator acts as a user: the session names the
//! operator, and use does not extend it. An issued session is like any other of the user.

use jiff::Timestamp;

use crate::auth::session::Session;
use crate::auth::storage::NewSessionRow;
use crate::auth::user::User;
use crate::auth::{Auth, AuthError, SessionRequest, SignedIn};

/// The users whom an operator may act as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActAs {
    /// Every user but administrators, because acting as one gives all of an administrator's rights.
    NonAdmins,
    /// Every user (`--force`).
    AnyUser,
}

/// The operator of an impersonated session.
#[derive(Debug, Clone)]
pub enum Impersonator {
    /// An administrator who is signed in. The session ends with the role.
    Administrator(Box<SignedIn>),
    /// A user of the operating system, by the name of [`super::audit::Actor::os_name`], who needs no sign-in.
    System(String),
}

impl ActAs {
    /// Refuses a banned user, and an administrator as `self` asks. The store calls this in the transaction that
    /// creates the session.
    ///
    /// # Errors
    /// [`AuthError::Banned`], [`AuthError::ActingAsAdmin`].
    pub fn check(self, user: &User, now: Timestamp) -> Result<(), AuthError> {
        user.require_not_banned(now)?;
        match self {
            Self::NonAdmins if user.has_role("admin") => Err(AuthError::ActingAsAdmin),
            Self::NonAdmins | Self::AnyUser => Ok(()),
        }
    }
}

impl Auth<'_> {
    /// Creates a session in which an operator acts as the user. Password, address and second factor are not
    /// checked.
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

    /// Creates an ordinary session of the user without a sign-in. Only the audit log shows how it was created.
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
    fn act_as_refuses_banned_users_and_without_force_admins() {
        let ordinary = user();
        let admin = User { role: Some("editor, admin".into()), ..user() };
        let banned = User { banned: true, ban_expires: Some(at(60)), ..admin.clone() };
        for whom in [ActAs::NonAdmins, ActAs::AnyUser] {
            assert!(whom.check(&ordinary, at(0)).is_ok());
            assert!(matches!(whom.check(&banned, at(59)), Err(AuthError::Banned { .. })));
        }
        for admin in [(&admin, at(0)), (&banned, at(60))] {
            assert!(matches!(ActAs::NonAdmins.check(admin.0, admin.1), Err(AuthError::ActingAsAdmin)));
            assert!(ActAs::AnyUser.check(admin.0, admin.1).is_ok());
        }
    }
}
