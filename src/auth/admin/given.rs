//! Passwords that an operator gives somebody: in clear or as a hash, and proven to be in force before
//! a command says "done".

use super::attempts_of;
use crate::auth::password::{self, HashFormat, Verdict, strength};
use crate::auth::policy::PasswordRules;
use crate::auth::secret::{Password, StoredHash};
use crate::auth::session::Session;
use crate::auth::storage::{NewPassword, Which};
use crate::auth::user::User;
use crate::auth::{Auth, AuthError};

/// A password that an operator gives somebody.
#[derive(Debug)]
pub enum PasswordInput {
    /// In clear, to be hashed.
    Clear(Password),
    /// As a hash of a kind that is accepted.
    Hash(StoredHash),
}

impl PasswordInput {
    /// Checks a new password, of which only the length counts with `allow_weak`, or whether a hash is of a
    /// kind that is accepted.
    ///
    /// # Errors
    /// [`AuthError::WeakPassword`], [`AuthError::HashNotAccepted`].
    pub fn check(&self, own_words: &[&str], allow_weak: bool, rules: &PasswordRules) -> Result<(), AuthError> {
        match self {
            Self::Hash(hash) if HashFormat::of(hash).is_accepted() => {}
            Self::Hash(hash) => return Err(AuthError::HashNotAccepted(HashFormat::of(hash))),
            Self::Clear(password) if allow_weak => strength::check_form(password, rules)?,
            Self::Clear(password) => strength::check(password, own_words, rules)?,
        }
        Ok(())
    }
}

impl Auth<'_> {
    /// Sets a user's password; all sessions end unless `keep_sessions`. Returns those that were live.
    ///
    /// # Errors
    /// [`AuthError::WeakPassword`], [`AuthError::HashNotAccepted`]. [`Auth::require_in_force`] checks
    /// what was written.
    pub fn set_password(
        &mut self,
        user: &User,
        given: &PasswordInput,
        allow_weak: bool,
        keep_sessions: bool,
    ) -> Result<Vec<Session>, AuthError> {
        given.check(&[&user.name, &user.email], allow_weak, &self.policy.password)?;
        let hash = self.hash_given(given)?;
        let ended = self.store.set_password(&NewPassword {
            user_id: &user.id,
            account_id: self.entropy.id()?,
            hash: &hash,
            end: (!keep_sessions).then_some(Which::All),
            attempts: &attempts_of(user),
            now: self.now,
        })?;
        let ended = ended.ok_or_else(|| AuthError::NoSuchUser(user.id.clone()))?;
        Ok(self.only_live(ended))
    }

    /// Hashes a password that was checked; a hash of a kind that belongs in the database stays what it
    /// is.
    pub(in crate::auth) fn hash_given(&mut self, given: &PasswordInput) -> Result<StoredHash, AuthError> {
        match given {
            PasswordInput::Hash(hash) => self.store.scheme()?.takes(hash).map(|()| hash.clone()),
            PasswordInput::Clear(password) => self.hash(password),
        }
    }

    /// Reads the stored hash again and compares the password with it: "done" must mean that the user
    /// can sign in. A step of its own, because the password is set whatever comes of it.
    ///
    /// # Errors
    /// [`AuthError::NotInForce`] when the stored hash, read again, is not what was written.
    pub fn require_in_force(&mut self, user_id: &str, given: &PasswordInput) -> Result<(), AuthError> {
        let stored = self.store.password_hash(user_id)?.ok_or(AuthError::NotInForce)?;
        let scheme = self.store.scheme()?;
        let right = match given {
            PasswordInput::Hash(hash) => stored.expose() == hash.expose(),
            PasswordInput::Clear(password) => {
                matches!(password::verify(password, &stored, &scheme, &self.policy.password)?, Verdict::Right { .. })
            }
        };
        if right { Ok(()) } else { Err(AuthError::NotInForce) }
    }
}
