//! Codes: a secret that its owner types back, once, to show that they got it. Stored as a digest,
//! bound to a purpose, a user and an address.

use jiff::{SignedDuration, Timestamp};

use super::email::Email;
use super::operator::Weakness;
use super::secret::{Code, Password};
use super::session::Session;
use super::store::{NewCode, NewPassword, Which};
use super::throttle::{AttemptKey, Decision};
use super::user::{User, UserRef};
use super::{Auth, AuthError, GivenPassword, operator};

/// What a code is for. A code for one purpose is none for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Setting a new password without the old one.
    ResetPassword,
}

impl Purpose {
    /// The word before the colon in the `identifier` column: Better Auth's.
    pub fn word(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset-password",
        }
    }
}

/// A code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    /// Whose.
    pub user_id: String,
    /// The address it was made for; a code dies when the address changes.
    pub email: String,
    /// From this instant on it is worth nothing.
    pub expires_at: Timestamp,
}

impl StoredCode {
    /// Whether the code still counts for this user. Expired is expired at the very instant, as with
    /// sessions.
    fn counts_for(&self, user: &User, now: Timestamp) -> bool {
        now < self.expires_at && self.user_id == user.id && self.email == user.email
    }
}

/// What a reset did.
#[derive(Debug)]
pub struct PasswordReset {
    /// Whose password it is.
    pub user: User,
    /// Live sessions that ended with it.
    pub ended: Vec<Session>,
}

impl Auth<'_> {
    /// Makes a code with which a user can set a new password. Older ones of the user are dead then.
    ///
    /// # Errors
    /// [`AuthError::Store`], [`AuthError::Entropy`].
    pub fn reset_code(&mut self, user: &User, ttl: SignedDuration) -> Result<(Code, Timestamp), AuthError> {
        let code = self.entropy.code()?;
        let expires_at = self.after(ttl);
        self.store.create_code(&NewCode {
            id: self.entropy.id()?,
            purpose: Purpose::ResetPassword,
            code: &code,
            stored: StoredCode { user_id: user.id.clone(), email: user.email.clone(), expires_at },
            now: self.now,
        })?;
        Ok((code, expires_at))
    }

    /// Sets a new password for whoever has a code. All sessions of the user end; nobody is signed in
    /// by it.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`] for a code that is unknown, expired, used, for something else or
    /// for an address that changed, all alike; [`AuthError::Throttled`] after too many of them.
    pub fn reset_password(&mut self, code: &Code, new: Password) -> Result<PasswordReset, AuthError> {
        let attempts = AttemptKey::codes();
        if let Decision::Wait(retry_after) = self.store.count_attempt(&attempts, self.now, &self.policy.throttle)? {
            return Err(AuthError::Throttled { retry_after });
        }
        let user = self.code_owner(code)?.ok_or(AuthError::InvalidCode)?;
        // The code is right, so what follows is no guess.
        self.store.clear_attempts(&attempts)?;
        let given = GivenPassword::Clear(new);
        given.check(&[&user.name, &user.email], Weakness::Refused, &self.policy.password)?;
        let hash = self.hash_given(&given)?;
        let taken = self.store.use_code(
            Purpose::ResetPassword,
            code,
            &NewPassword {
                user_id: &user.id,
                account_id: self.entropy.id()?,
                hash: &hash,
                end: Some(Which::All),
                attempts: &operator::attempts_of(&user),
                now: self.now,
            },
        )?;
        // Somebody else used it meanwhile.
        let ended = taken.ok_or(AuthError::InvalidCode)?;
        self.require_in_force(&user.id, &given, &hash)?;
        Ok(PasswordReset { ended: self.only_live(ended), user })
    }

    /// Makes a code for whoever asks for one by address, to be mailed there. `None`, at the same cost
    /// but for the mail, when nobody has the address.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] when the address has been asked for too often.
    pub fn forgotten(&mut self, email: &Email, ttl: SignedDuration) -> Result<Option<(User, Code)>, AuthError> {
        let attempts = AttemptKey::mail(email);
        if let Decision::Wait(retry_after) = self.store.count_attempt(&attempts, self.now, &self.policy.throttle)? {
            return Err(AuthError::Throttled { retry_after });
        }
        let Some(user) = self.store.user(&UserRef::Email(email.clone()))? else {
            return Ok(None);
        };
        let (code, _) = self.reset_code(&user, ttl)?;
        Ok(Some((user, code)))
    }

    fn code_owner(&mut self, code: &Code) -> Result<Option<User>, AuthError> {
        let Some(stored) = self.store.code(Purpose::ResetPassword, code)? else {
            return Ok(None);
        };
        let user = self.store.user(&UserRef::Id(stored.user_id.clone()))?;
        Ok(user.filter(|user| stored.counts_for(user, self.now)))
    }
}
