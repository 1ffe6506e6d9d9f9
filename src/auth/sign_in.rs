//! Signing in: the attempt is counted before the hash runs, an unknown user costs the same work as
//! a known one, and everything but the password is told only to whoever knows the password.

use super::audit::Event;
use super::email::Email;
use super::password::{self, Verdict};
use super::secret::{Password, StoredHash};
use super::session::Session;
use super::sign_in_blocker::SignInBlocker;
use super::throttle::AttemptKey;
use super::user::{User, UserRef};
use super::{Auth, AuthError, SessionRequest};

/// What somebody signs in with.
#[derive(Debug)]
pub struct SignIn {
    /// Canonical address.
    pub email: Email,
    /// Password as typed.
    pub password: Password,
}

/// A user whose password has just been verified.
pub(super) struct Verified {
    pub(super) user: User,
    pub(super) hash: StoredHash,
    pub(super) outdated: bool,
    pub(super) attempts: AttemptKey,
}

impl Auth<'_> {
    /// Makes a session for whoever knows the password.
    ///
    /// # Errors
    /// [`AuthError::InvalidCredentials`] for an unknown address and a wrong password alike,
    /// [`AuthError::Throttled`] after too many of them, [`AuthError::Banned`] or
    /// [`AuthError::SecondFactor`] only after the right password.
    pub fn sign_in(
        &mut self,
        request: &SignIn,
        session_request: &SessionRequest,
    ) -> Result<(User, Session), AuthError> {
        let verified = self.verify_user(request)?;
        let user = verified.user;
        let upgraded = verified.outdated.then(|| self.hash(&request.password)).transpose();
        let upgraded = self.or_release(&verified.attempts, upgraded)?;
        let session = self.new_session(session_request, &user.id);
        let session = self.or_release(&verified.attempts, session)?;
        let begun = self.store.begin_session(&session, &verified.hash, upgraded.as_ref(), &verified.attempts)?;
        let Some(session) = begun else {
            // The password was changed, or the user banned or deleted, while the hash was computed.
            self.fail_attempt(&verified.attempts, None)?;
            return Err(AuthError::InvalidCredentials);
        };
        Ok((user, session))
    }

    /// Finds out whether a sign-in would succeed, and keeps nothing of it.
    ///
    /// # Errors
    /// As for [`Auth::sign_in`].
    pub fn check_password(&mut self, request: &SignIn) -> Result<User, AuthError> {
        let verified = self.verify_user(request)?;
        self.store.clear_attempts(&verified.attempts)?;
        Ok(verified.user)
    }

    fn verify_user(&mut self, request: &SignIn) -> Result<Verified, AuthError> {
        let verified = self.verify_password(&request.email, &request.password)?.ok_or(AuthError::InvalidCredentials)?;
        match SignInBlocker::after_password(&verified.user, self.policy, self.now).into_iter().next() {
            Some(blocker) => {
                let event = Event::user("signin.failed", &verified.user).with(blocker.code());
                self.fail_attempt(&verified.attempts, Some(event))?;
                Err(blocker.refusal(self.now))
            }
            None => Ok(verified),
        }
    }

    /// Reserves an attempt, then compares a password with the stored hash; `None` when it is not the
    /// user's, for whatever reason. After the right password the attempt is still to be decided, by the
    /// act that the password is for.
    pub(super) fn verify_password(&mut self, email: &Email, given: &Password) -> Result<Option<Verified>, AuthError> {
        let attempts = self.reserve_attempt(AttemptKey::sign_in(email))?;
        let user = self.store.user(&UserRef::Email(email.clone()))?;
        let scheme = self.store.scheme()?;
        // Asked for nobody as well, so that both ways run the same statements.
        let hash = self.store.password_hash(user.as_ref().map_or("", |user| &user.id))?;
        if let (Some(user), Some(hash)) = (user, hash) {
            let verdict = password::verify(given, &hash, &scheme, &self.policy.password);
            match self.or_release(&attempts, verdict)? {
                Verdict::Right { outdated } => return Ok(Some(Verified { user, hash, outdated, attempts })),
                Verdict::Wrong => {
                    self.fail_attempt(&attempts, Some(Event::user("signin.failed", &user)))?;
                    return Ok(None);
                }
                Verdict::Unacceptable => {}
            }
        }
        // Nobody is verified at the same cost, so that an unknown user takes as long as a known one.
        let work = password::work(given, scheme.usual(&self.policy.password));
        self.or_release(&attempts, work)?;
        // Of an unknown address only a part of its digest is kept: it may be a mistyped password.
        let key: String = attempts.as_str().chars().take(12).collect();
        let event = Event::new("signin.failed").with(format!("nobody: {key}"));
        self.fail_attempt(&attempts, Some(event))?;
        Ok(None)
    }

    pub(super) fn refuse_banned(&self, user: &User) -> Result<(), AuthError> {
        SignInBlocker::ban(user, self.now).map_or(Ok(()), |ban| Err(ban.refusal(self.now)))
    }
}
