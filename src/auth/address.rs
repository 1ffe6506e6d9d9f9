//! The address of a user: showing that they read mail there, and moving to another one.
//!
//! Both are shown by a code that was mailed. Such a code does both its work without a session, because
//! mail may be read on another machine.

use super::code::{Purpose, RightCode};
use super::email::Email;
use super::secret::Code;
use super::store::{CodeEffect, UserChange};
use super::throttle::AttemptKey;
use super::user::{User, UserRef};
use super::{Auth, AuthError, SignedIn};

/// What a code for an address did.
#[derive(Debug)]
pub struct AddressConfirmed {
    /// The user as it is now.
    pub user: User,
    /// The address that the user had, if it was changed.
    pub before: Option<String>,
}

impl Auth<'_> {
    /// Makes a code with which whoever is signed in moves to another address, to be mailed there.
    ///
    /// `None` when somebody has that address. What can be seen is the same: older codes are dead, and
    /// the attempt counts.
    ///
    /// # Errors
    /// [`AuthError::SameEmail`], [`AuthError::NotFresh`], and [`AuthError::Throttled`] when the
    /// address has been asked for, or the user has asked, too often.
    pub fn change_email(&mut self, me: &SignedIn, new: &Email) -> Result<Option<Code>, AuthError> {
        if new.as_str() == me.user.email {
            return Err(AuthError::SameEmail);
        }
        self.require_fresh(&me.session)?;
        // Neither is somebody's mailbox filled, nor does one user write to many.
        self.count_attempt(&AttemptKey::mail_of(&me.user.id))?;
        self.count_attempt(&AttemptKey::mail(new))?;
        let is_taken = self.store.user(&UserRef::Email(new.clone()))?.is_some();
        let (code, _) = self.make_code(Purpose::ChangeEmail, &me.user, Some(new), Purpose::ChangeEmail.life())?;
        Ok((!is_taken).then_some(code))
    }

    /// Uses up a code that was mailed to an address: the address is the user's and verified then. Other
    /// codes of a user whose address changed are dead.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`] for a code that does not count, [`AuthError::Throttled`] after too
    /// many of them. The code stays good with [`AuthError::CodeOfAnother`], when somebody else is
    /// signed in, [`AuthError::Banned`], and [`AuthError::UserExists`], when the new address was taken
    /// meanwhile.
    pub fn confirm_address(&mut self, code: &Code, signed_in: Option<&User>) -> Result<AddressConfirmed, AuthError> {
        let RightCode { purpose, stored, user } =
            self.right_code(&[Purpose::EmailVerification, Purpose::ChangeEmail], code)?;
        // Who was talked into typing a stranger's code gives that stranger no address.
        if signed_in.is_some_and(|me| me.id != user.id) {
            return Err(AuthError::CodeOfAnother);
        }
        self.refuse_banned(&user)?;
        let change = UserChange { email: stored.new_email, email_verified: Some(true), ..UserChange::default() };
        let before = change.email.is_some().then_some(user.email);
        let done = self.store.use_code(purpose, code, &CodeEffect::User(&change), self.now)?;
        // `None`: somebody else used it meanwhile.
        let (user, _) = done.ok_or(AuthError::InvalidCode)?;
        Ok(AddressConfirmed { user, before })
    }
}
