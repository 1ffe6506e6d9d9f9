//! The address of a user: showing that they read mail there, and moving to another one.
//!
//! Both are shown by a code that was mailed. Mail may be read on another machine, so such a code does its
//! work without a session too; but it shows who has the address, and not whose the account is. Somebody
//! may have made the account with a stranger's address and wait for the stranger to verify it. So whoever
//! brings a code also shows that the account is theirs, and no other session outlives it.

use super::codes::{Purpose, RightCode};
use super::email::Email;
use super::secret::{Code, Password, StoredHash};
use super::session::Session;
use super::sign_in::Verified;
use super::storage::{CodeEffect, CodeProof, CodeUse, EndSessions, UserChange};
use super::throttle::AttemptKey;
use super::user::{User, UserRef};
use super::{Auth, AuthError, InPerson};

/// How whoever brings a code shows that the account is theirs.
#[derive(Debug, Clone, Copy)]
pub enum OwnerProof<'a> {
    /// They are signed in. This session stays when the others end.
    Session(InPerson<'a>),
    /// They know the password.
    Password(&'a Password),
}

/// What was found to be theirs. Sessions of which nobody knows that they are theirs too end.
enum Owner<'a> {
    /// This session, which stays.
    Session(InPerson<'a>),
    /// The password that has this hash, and the attempt with it, which is not decided yet.
    Password { hash: StoredHash, attempts: AttemptKey },
}

/// What a code for an address did.
#[derive(Debug)]
pub struct AddressConfirmed {
    /// The user as it is now.
    pub user: User,
    /// The address that the user had, if it was changed.
    pub before: Option<String>,
    /// Live sessions that ended with it.
    pub ended: Vec<Session>,
}

impl Auth<'_> {
    /// Makes a code with which whoever is signed in moves to another address, to be mailed there.
    ///
    /// `None` when somebody has that address. What can be seen is the same: older codes are dead, and
    /// the attempt counts.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] when the session has ended meanwhile, [`AuthError::SameEmail`],
    /// [`AuthError::NotFresh`], and [`AuthError::Throttled`] when the
    /// address has been asked for, or the user has asked, too often.
    pub fn change_email(&mut self, me: InPerson<'_>, new: &Email) -> Result<Option<Code>, AuthError> {
        let user = self.reread(me)?;
        if new.as_str() == user.email {
            return Err(AuthError::SameEmail);
        }
        self.require_fresh(&me)?;
        // Neither is somebody's mailbox filled, nor does one user write to many.
        self.count_attempt(&AttemptKey::mail_of(&user.id))?;
        self.count_attempt(&AttemptKey::mail(new))?;
        let is_taken = self.store.user(&UserRef::Email(new.clone()))?.is_some();
        let purpose = Purpose::ChangeEmail;
        let (code, _) = self.act_for(&me, |auth| auth.make_code(purpose, &user, Some(new), purpose.life()))?;
        Ok((!is_taken).then_some(code))
    }

    /// Uses up a code that was mailed to an address: the address is the user's and verified then. Other
    /// codes of a user whose address changed are dead. All sessions of the user end but the one that is
    /// the proof.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`] for a code that does not count, [`AuthError::Throttled`] after too
    /// many of them, or of wrong passwords. The code stays good with [`AuthError::CodeOfAnother`] and
    /// [`AuthError::PasswordOfAnother`], when the proof is no proof, [`AuthError::Banned`], and
    /// [`AuthError::UserExists`], when the new address was taken meanwhile.
    pub fn confirm_address(&mut self, code: &Code, proof: OwnerProof<'_>) -> Result<AddressConfirmed, AuthError> {
        let right = self.right_code(&[Purpose::EmailVerification, Purpose::ChangeEmail], code)?;
        let done = self.confirm_with(&right, code, proof);
        self.decide_attempt(&right.attempt, done)
    }

    fn confirm_with(
        &mut self,
        right: &RightCode,
        code: &Code,
        proof: OwnerProof<'_>,
    ) -> Result<AddressConfirmed, AuthError> {
        let owner = self.require_owner(&right.user, proof)?;
        let done = self.confirm_as(&owner, right, code);
        match &owner {
            Owner::Session(_) => done,
            // Only the act clears the count of wrong passwords: a right one of a banned user does not.
            Owner::Password { attempts, .. } => self.decide_attempt(attempts, done),
        }
    }

    fn confirm_as(&mut self, owner: &Owner<'_>, right: &RightCode, code: &Code) -> Result<AddressConfirmed, AuthError> {
        let user = &right.user;
        self.refuse_banned(user)?;
        let (proof, end) = match owner {
            Owner::Session(me) => (CodeProof::Session(&me.session.id), EndSessions::Others(me.session.id.clone())),
            Owner::Password { hash, .. } => (CodeProof::Password(hash), EndSessions::Always),
        };
        let email = right.stored.new_email.clone();
        let change = UserChange { email, email_verified: Some(true), end, ..UserChange::default() };
        let before = change.email.is_some().then(|| user.email.clone());
        let (user, ended) = self.store.use_code(&CodeUse {
            purpose: right.purpose,
            code,
            proof,
            effect: CodeEffect::User(&change),
            now: self.now,
        })??;
        Ok(AddressConfirmed { user, before, ended: self.only_live(ended) })
    }

    /// Requires a proof that the account is theirs who bring its code. The transaction that uses the code
    /// looks at what comes back again.
    fn require_owner<'a>(&mut self, user: &User, proof: OwnerProof<'a>) -> Result<Owner<'a>, AuthError> {
        match proof {
            // Who was talked into typing a stranger's code gives that stranger no address.
            OwnerProof::Session(me) if me.user.id != user.id => Err(AuthError::CodeOfAnother),
            OwnerProof::Session(me) => Ok(Owner::Session(me)),
            OwnerProof::Password(password) => {
                // Should the address be somebody else's by now, the code no longer counts.
                let verified = self.verify_password(&Email::parse(&user.email)?, password)?;
                let Verified { hash, attempts, .. } = verified.ok_or(AuthError::PasswordOfAnother)?;
                Ok(Owner::Password { hash, attempts })
            }
        }
    }
}
