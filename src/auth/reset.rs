//! A new password without the old one, by a code.

use super::admin::{Weakness, attempts_of};
use super::code::{Purpose, RightCode};
use super::secret::{Code, Password};
use super::session::Session;
use super::storage::{CodeEffect, CodeProof, CodeUse, NewPassword, Which};
use super::user::User;
use super::{Auth, AuthError, PasswordInput};

/// What a reset did.
#[derive(Debug)]
pub struct PasswordReset {
    /// Whose password it is.
    pub user: User,
    /// Live sessions that ended with it.
    pub ended: Vec<Session>,
    /// The new password, for [`Auth::require_in_force`].
    pub password: PasswordInput,
}

impl Auth<'_> {
    /// Sets a new password for whoever has a code. All sessions of the user end; nobody is signed in
    /// by it.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`] for a code that does not count, [`AuthError::Throttled`] after too
    /// many of them, [`AuthError::WeakPassword`]; the code stays good then.
    pub fn reset_password(&mut self, code: &Code, new: Password) -> Result<PasswordReset, AuthError> {
        let right = self.right_code(&[Purpose::ResetPassword], code)?;
        let done = self.reset_with(&right, code, new);
        self.decide_attempt(&right.attempt, done)
    }

    fn reset_with(&mut self, right: &RightCode, code: &Code, new: Password) -> Result<PasswordReset, AuthError> {
        let RightCode { purpose, user, .. } = right;
        let given = PasswordInput::Clear(new);
        given.check(&[&user.name, &user.email], Weakness::Refused, &self.policy.password)?;
        let hash = self.hash_given(&given)?;
        let password = NewPassword {
            user_id: &user.id,
            account_id: self.entropy.id()?,
            hash: &hash,
            end: Some(Which::All),
            attempts: &attempts_of(user),
            now: self.now,
        };
        let (user, ended) = self.store.use_code(&CodeUse {
            purpose: *purpose,
            code,
            proof: CodeProof::Nothing,
            effect: CodeEffect::Password(&password),
            now: self.now,
        })??;
        Ok(PasswordReset { ended: self.only_live(ended), user, password: given })
    }
}
