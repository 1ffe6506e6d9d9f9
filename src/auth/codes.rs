//! Codes: a secret that its owner types back, once, to show that they got it. Stored as a digest,
//! bound to a purpose, a user and an address. What a code of each purpose does is told beside the
//! rules of that matter; here is what all of them have in common.

use jiff::{SignedDuration, Timestamp};

use super::admin::attempts_of;
use super::email::Email;
use super::secret::{Code, Password, StoredHash};
use super::session::{Session, latest};
use super::sign_in::Verified;
use super::storage::{CodeEffect, CodeProof, CodeUse, EndSessions, NewCodeRow, NewPassword, UserChange, Which};
use super::throttle::{AttemptKey, Decision};
use super::user::{User, UserRef};
use super::{Auth, AuthError, InPerson, PasswordInput};

/// What a code is for. A code for one purpose is none for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Setting a new password without the old one.
    ResetPassword,
    /// Showing that the user reads mail at their address.
    EmailVerification,
    /// Moving to another address, to which the code goes.
    ChangeEmail,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::ResetPassword, Self::EmailVerification, Self::ChangeEmail];

    /// The word before the colon in the `identifier` column: Better Auth's.
    pub fn word(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset-password",
            Self::EmailVerification => "email-verification",
            Self::ChangeEmail => "change-email",
        }
    }

    /// How long a mailed code counts: long enough to read mail the next morning, and less where the
    /// code opens an account.
    pub fn life(self) -> SignedDuration {
        match self {
            Self::ResetPassword => SignedDuration::from_hours(1),
            Self::EmailVerification | Self::ChangeEmail => SignedDuration::from_hours(24),
        }
    }
}

/// The longest life that authctl gives to a code, whatever it is for.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Whether a code that authctl made can end at this instant. One that ends later was made by a clock that
/// was ahead.
pub fn can_end_at(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at <= latest(now).saturating_add(LONGEST_LIFE).unwrap_or(Timestamp::MAX)
}

/// A code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    pub user_id: String,
    /// The address that the user had; a code dies when the address changes.
    pub email: String,
    /// The address to move to, with a code for that.
    pub new_email: Option<Email>,
    /// From this instant on it is worth nothing.
    pub expires_at: Timestamp,
    /// When an app made it, which may give its codes any life; `None` for a code of authctl.
    pub made_at: Option<Timestamp>,
}

impl StoredCode {
    /// Whether the code still counts for this user. Expired is expired at the very instant, as with
    /// sessions. A code from a clock that was years ahead does not count either.
    pub fn counts_for(&self, user: &User, now: Timestamp) -> bool {
        let is_possible = self.made_at.map_or_else(|| can_end_at(self.expires_at, now), |made| made <= latest(now));
        now < self.expires_at && is_possible && self.user_id == user.id && self.email == user.email
    }
}

/// A code that counts, and whose it is.
pub(super) struct RightCode {
    pub(super) purpose: Purpose,
    pub(super) stored: StoredCode,
    pub(super) user: User,
    pub(super) attempt: AttemptKey,
}

/// A code to be mailed to the address that somebody asked for.
#[derive(Debug)]
pub struct CodeToMail {
    /// Id of the user whom the code is for.
    pub user_id: String,
    /// In clear; it exists in the mail and nowhere else.
    pub code: Code,
}

impl Auth<'_> {
    /// Makes a code with which a user can set a new password, for an operator to hand over.
    ///
    /// # Errors
    /// [`AuthError::Store`], [`AuthError::Entropy`].
    pub fn reset_code(&mut self, user: &User, ttl: SignedDuration) -> Result<(Code, Timestamp), AuthError> {
        self.make_code(Purpose::ResetPassword, user, None, ttl)
    }

    /// Makes a code for an address, to be mailed there. Returns `None` if no user has the address, or if
    /// it is verified already and the code would verify it.
    ///
    /// The storage does the same work either way: without a user it writes the code and takes it back
    /// in one transaction, so that neither time nor writes show who is here.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] when the address has been asked for too often.
    pub fn code_to_mail(&mut self, purpose: Purpose, email: &Email) -> Result<Option<CodeToMail>, AuthError> {
        self.count_attempt(&AttemptKey::mail(email))?;
        let user = self.store.user(&UserRef::Email(email.clone()))?;
        let is_needed = |user: &User| purpose != Purpose::EmailVerification || !user.email_verified;
        let Some(user) = user.filter(is_needed) else {
            self.rehearse_code(purpose, email)?;
            return Ok(None);
        };
        let (code, _) = self.make_code(purpose, &user, None, purpose.life())?;
        Ok(Some(CodeToMail { user_id: user.id, code }))
    }

    /// Does the work of [`Self::make_code`] for a user who does not exist, and leaves nothing behind.
    fn rehearse_code(&mut self, purpose: Purpose, email: &Email) -> Result<(), AuthError> {
        let code = self.entropy.code()?;
        let expires_at = self.after(purpose.life());
        // As long as an id, and nobody's.
        let (user_id, email) = ("-".repeat(32), email.to_string());
        Ok(self.store.rehearse_code(&NewCodeRow {
            id: self.entropy.id()?,
            purpose,
            code: &code,
            stored: StoredCode { user_id, email, new_email: None, expires_at, made_at: None },
            now: self.now,
        })?)
    }

    /// Makes a code. Older ones of the user for the same purpose are dead then.
    pub(super) fn make_code(
        &mut self,
        purpose: Purpose,
        user: &User,
        new_email: Option<&Email>,
        ttl: SignedDuration,
    ) -> Result<(Code, Timestamp), AuthError> {
        let code = self.entropy.code()?;
        let expires_at = self.after(ttl);
        let (user_id, email) = (user.id.clone(), user.email.clone());
        self.store.create_code(&NewCodeRow {
            id: self.entropy.id()?,
            purpose,
            code: &code,
            stored: StoredCode { user_id, email, new_email: new_email.cloned(), expires_at, made_at: None },
            now: self.now,
        })?;
        Ok((code, expires_at))
    }

    /// Finds a code for one of these purposes that counts, and reserves an attempt under its user before
    /// anything is done with it. It is not used up by that; [`Auth::decide_attempt`] decides the attempt.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`] for a code that is unknown, expired, used, for something else or
    /// for an address that changed, all alike; [`AuthError::Throttled`] after too many wrong uses of codes
    /// of the same user, or of codes that name no user.
    pub(super) fn right_code(&mut self, purposes: &[Purpose], code: &Code) -> Result<RightCode, AuthError> {
        let Some((purpose, stored)) = self.named_by(code)? else {
            // It names no user, and is 142 bits long: strangers who guess stop no right code.
            let rules = self.policy.throttle.of_unknown_codes();
            return Err(match self.store.count_attempt(&AttemptKey::unknown_codes(), self.now, &rules)? {
                Decision::Wait(retry_after) => AuthError::Throttled { retry_after },
                Decision::Proceed(_) | Decision::Undecided => AuthError::InvalidCode,
            });
        };
        let attempt = self.reserve_attempt(AttemptKey::codes_of(&stored.user_id))?;
        let user = self.store.user(&UserRef::Id(stored.user_id.clone()))?;
        let Some(user) = user.filter(|user| purposes.contains(&purpose) && stored.counts_for(user, self.now)) else {
            self.fail_attempt(&attempt, None)?;
            return Err(AuthError::InvalidCode);
        };
        Ok(RightCode { purpose, stored, user, attempt })
    }

    /// Finds a code, whatever it is for and whether or not it counts.
    fn named_by(&mut self, code: &Code) -> Result<Option<(Purpose, StoredCode)>, AuthError> {
        for purpose in Purpose::ALL {
            if let Some(stored) = self.store.code(purpose, code)? {
                return Ok(Some((purpose, stored)));
            }
        }
        Ok(None)
    }

    /// Decides the attempt with a code that counted, or with the password that was shown with it, from what
    /// the act did. A refusal of the act, such as for a weak password, is no guess: it neither counts nor
    /// clears the count. Another user, or another
    /// password, is one.
    pub(super) fn decide_attempt<T>(
        &mut self,
        attempt: &AttemptKey,
        done: Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        let decided = match &done {
            Ok(_) => self.store.clear_attempts(attempt).map_err(AuthError::from),
            Err(AuthError::CodeOfAnother | AuthError::PasswordOfAnother) => self.fail_attempt(attempt, None),
            // It is not known what was done.
            Err(AuthError::Store(_)) => Ok(()),
            Err(_) => self.store.release_attempt(attempt).map_err(AuthError::from),
        };
        // What happened is told as it is. An attempt that could not be decided is a failure in a minute.
        drop(decided);
        done
    }
}

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
        given.check(&[&user.name, &user.email], false, &self.policy.password)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, user};

    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    fn code(expires: i64, made: Option<i64>) -> StoredCode {
        let (user, expires_at, made_at) = (user(), at(expires), made.map(at));
        StoredCode { user_id: user.id, email: user.email, new_email: None, expires_at, made_at }
    }

    #[test]
    fn code_counts_until_its_end_for_its_user_and_address() {
        let ada = user();
        assert!(code(HOUR, None).counts_for(&ada, at(HOUR - 1)));
        assert!(!code(HOUR, None).counts_for(&ada, at(HOUR)));
        assert!(!code(HOUR, None).counts_for(&User { id: "user-2".into(), ..user() }, at(0)));
        assert!(!code(HOUR, None).counts_for(&User { email: "eve@example.com".into(), ..user() }, at(0)));
    }

    #[test]
    fn code_that_ends_later_than_any_life_allows_does_not_count() {
        let ada = user();
        assert!(code(2 * DAY, None).counts_for(&ada, at(0)));
        assert!(!code(2 * DAY + 1, None).counts_for(&ada, at(0)));
        assert!(!code(3_650 * DAY, None).counts_for(&ada, at(0)));
    }

    #[test]
    fn code_of_an_app_has_any_life_unless_it_was_made_in_the_future() {
        let ada = user();
        assert!(code(60 * DAY, Some(0)).counts_for(&ada, at(0)));
        assert!(code(60 * DAY, Some(DAY)).counts_for(&ada, at(0)));
        assert!(!code(60 * DAY, Some(DAY + 1)).counts_for(&ada, at(0)));
        assert!(!code(60 * DAY, Some(0)).counts_for(&ada, at(60 * DAY)));
    }

    #[test]
    fn no_purpose_has_a_longer_life() {
        assert!(Purpose::ALL.iter().all(|purpose| purpose.life() <= LONGEST_LIFE));
    }
}
