//! Finds the session and the user of a token, and checks the caller of an act.

use jiff::Timestamp;

use super::audit::Actor;
use super::secret::Token;
use super::session::Session;
use super::storage::StoreError;
use super::user::{User, UserRef};
use super::{Auth, AuthError, SignedOut};

/// A signed-in caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub session: Session,
    pub user: User,
}

impl SignedIn {
    /// The id of the impersonator, or of the user if the session is not impersonated.
    pub fn actor(&self) -> &str {
        self.session.actor()
    }

    /// Proves that the session is not impersonated.
    ///
    /// # Errors
    /// [`AuthError::Impersonated`].
    pub fn in_person(&self) -> Result<InPerson<'_>, AuthError> {
        if self.session.is_impersonated() { Err(self.impersonated()) } else { Ok(InPerson(self)) }
    }

    fn impersonated(&self) -> AuthError {
        AuthError::Impersonated { email: self.user.email.clone() }
    }

    /// The caller whom the transaction of an act checks.
    pub(super) fn caller(&self, now: Timestamp) -> Caller {
        Caller {
            user_id: self.user.id.clone(),
            session_id: self.session.id.clone(),
            impersonated_by: self.session.impersonated_by.clone(),
            now,
        }
    }
}

/// A signed-in caller of an act. The sign-in was checked before the act, perhaps minutes before, so the
/// transaction of the act checks it again with [`Caller::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user_id: String,
    pub session_id: String,
    /// The impersonator in the session, if there is one.
    pub impersonated_by: Option<String>,
    /// The time of the act.
    pub now: Timestamp,
}

impl Caller {
    /// The user id of the impersonator. An operator of the operating system has no user.
    pub fn impersonator(&self) -> Option<&str> {
        self.impersonated_by.as_deref().filter(|by| !Actor::is_os_name(by))
    }

    /// Checks that the caller is still signed in. The arguments are the rows of [`Caller::session_id`],
    /// [`Caller::user_id`] and [`Caller::impersonator`]; `None` if a row does not exist.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session ended or expired, or the impersonator is no longer an
    /// administrator; [`AuthError::Banned`] if the user is banned.
    pub fn check(
        &self,
        session: Option<&Session>,
        user: Option<&User>,
        impersonator: Option<&User>,
    ) -> Result<(), AuthError> {
        let is_same =
            |session: &&Session| session.user_id == self.user_id && session.impersonated_by == self.impersonated_by;
        let (Some(session), Some(user)) = (session.filter(is_same), user) else {
            return Err(AuthError::NotSignedIn(SignedOut::Ended));
        };
        if !session.is_live(self.now) {
            return Err(AuthError::NotSignedIn(SignedOut::Expired));
        }
        user.require_not_banned(self.now)?;
        if self.impersonator().is_some() && !impersonator.is_some_and(|user| user.may_impersonate(self.now)) {
            return Err(AuthError::NotSignedIn(SignedOut::ImpersonatorGone));
        }
        Ok(())
    }
}

/// Proof that a session is not impersonated. Acts that only the user may do take this type instead of
/// [`SignedIn`].
#[derive(Debug, Clone, Copy)]
pub struct InPerson<'a>(&'a SignedIn);

impl std::ops::Deref for InPerson<'_> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        self.0
    }
}

/// An [`InPerson`] that an act of several transactions keeps from one to the next.
#[derive(Debug, Clone)]
pub struct Person(Box<SignedIn>);

impl InPerson<'_> {
    pub fn keep(self) -> Person {
        Person(Box::new(self.0.clone()))
    }
}

impl Person {
    pub fn user_id(&self) -> &str {
        &self.0.user.id
    }

    pub fn in_person(&self) -> InPerson<'_> {
        InPerson(&self.0)
    }
}

/// The user whom `guard` admitted. Under `guard`, sessions of other users do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    pub user_id: String,
    pub impersonated_by: Option<String>,
}

impl Admitted {
    /// Whether a session has the same user and the same impersonator.
    pub fn has(&self, session: &Session) -> bool {
        session.user_id == self.user_id && session.impersonated_by == self.impersonated_by
    }
}

impl Auth<'_> {
    /// Finds the session and the user of a token, and extends the session if that is due. Otherwise it writes
    /// nothing. It never writes to an app's database, because only the app knows how far it extends sessions.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session is unknown or over, [`AuthError::Banned`] if the user is banned.
    pub fn authenticate(&mut self, token: &Token) -> Result<SignedIn, AuthError> {
        self.authenticate_under(token, None)
    }

    /// As [`Auth::authenticate`], under a `guard` that admitted a user.
    ///
    /// # Errors
    /// As for [`Auth::authenticate`], and [`AuthError::NotSignedIn`] if the session is of another user.
    pub fn authenticate_under(&mut self, token: &Token, admitted: Option<&Admitted>) -> Result<SignedIn, AuthError> {
        self.require_safe_place()?;
        let Some((session, user)) = self.store.session(token)? else { return Err(self.unknown_token(token)) };
        if admitted.is_some_and(|admitted| !admitted.has(&session)) {
            return Err(AuthError::NotSignedIn(SignedOut::Guarded));
        }
        if !session.is_live(self.now) {
            return Err(AuthError::NotSignedIn(SignedOut::Expired));
        }
        user.require_not_banned(self.now)?;
        if let Some(by) = &session.impersonated_by {
            self.require_impersonator(by)?;
        }
        if self.store.guest().is_some() || !session.is_due_to_move(self.now, &self.policy.session) {
            return Ok(SignedIn { session, user });
        }
        let expires_at = self.after(self.policy.session.lives_for);
        let moved = match self.store.move_session(&session.id, self.now, expires_at) {
            // A replica leaves the session as it is, and the next use at the primary extends it.
            Err(StoreError::ReadOnlyServer) => return Ok(SignedIn { session, user }),
            moved => moved?,
        };
        let session = moved.ok_or(AuthError::NotSignedIn(SignedOut::Ended))?;
        Ok(SignedIn { session, user })
    }

    /// The error about a token that no session of the database has. The app may have one elsewhere, or it is an API key.
    pub fn unknown_token(&mut self, token: &Token) -> AuthError {
        match self.store.is_app_key(token) {
            Ok(true) => return AuthError::NotSignedIn(SignedOut::TokenOfApp),
            Ok(false) => {}
            Err(error) => return error.into(),
        }
        let finds_tokens = self.store.guest().is_none_or(|schema| schema.has("session", "token"));
        AuthError::NotSignedIn(if finds_tokens { SignedOut::Ended } else { SignedOut::Unreached })
    }

    /// Requires that an impersonator is still an administrator and not banned. A user of the operating system has
    /// no account that could lose the role.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`].
    fn require_impersonator(&mut self, by: &str) -> Result<(), AuthError> {
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

    /// Runs acts that require a signed-in caller. The store checks the caller in the transaction of each
    /// act, because the session may have ended since it was looked up.
    ///
    /// # Errors
    /// As for [`Caller::check`], with nothing changed, and those of the act.
    pub(super) fn act_for<T>(
        &mut self,
        me: &SignedIn,
        act: impl FnOnce(&mut Self) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        let caller = me.caller(self.now);
        self.store.require_caller(Some(caller));
        let done = act(self);
        self.store.require_caller(None);
        done
    }

    /// Reads the user of a caller again before work that is too slow for a transaction, because a prompt may have
    /// taken minutes since the sign-in was checked. This only saves the work; [`Auth::act_for`] decides.
    ///
    /// # Errors
    /// As for [`Caller::check`].
    pub(super) fn reread(&mut self, me: InPerson<'_>) -> Result<User, AuthError> {
        if !me.session.has_id() {
            return Err(self.store.without_id("session", "the session of the caller").into());
        }
        let session = self.store.session_by_id(&me.session.id)?;
        let user = self.store.user(&UserRef::Id(me.user.id.clone()))?;
        me.caller(self.now).check(session.as_ref(), user.as_ref(), None)?;
        user.ok_or(AuthError::NotSignedIn(SignedOut::Ended))
    }

    /// Requires a recent sign-in, for acts that cannot be undone.
    ///
    /// # Errors
    /// [`AuthError::NotFresh`], [`AuthError::Impersonated`].
    pub fn require_fresh(&self, me: &SignedIn) -> Result<(), AuthError> {
        if me.session.is_fresh(self.now, &self.policy.session) {
            Ok(())
        } else if me.session.is_impersonated() {
            Err(me.impersonated())
        } else {
            Err(AuthError::NotFresh)
        }
    }
}
