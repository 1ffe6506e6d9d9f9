//! Codes that reset a password, verify an address or change it. A code has a single use and is bound to a purpose,
//! a user and an address. A native database stores its digest.
//!
//! A mailed code works without a session, because mail may be read on another machine. But a code for an
//! address proves only who reads mail there: an attacker may have created the account with a stranger's
//! address. So such a code also needs a proof that the account is the user's own ([`OwnerProof`]), and all
//! other sessions end.

use jiff::{SignedDuration, Timestamp};

use super::email::Email;
use super::secret::{APP_CODE_LENGTH, CODE_LENGTH, Code, Password, StoredHash};
use super::session::{Session, latest};
use super::sign_in::Verified;
use super::storage::{
    CodeEffect, CodeProof, CodeUse, EndSessions, NewCodeRow, NewPassword, RightOtp, UserChange, Which,
};
use super::throttle::{AttemptKey, Decision};
use super::user::{User, UserRef};
use super::{Auth, AuthError, InPerson, PasswordInput};

/// The purpose of a code. A code for one purpose is invalid for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    ResetPassword,
    EmailVerification,
    /// The code is sent to the new address.
    ChangeEmail,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::ResetPassword, Self::EmailVerification, Self::ChangeEmail];

    /// The word before the colon in the `identifier` column, as Better Auth writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset-password",
            Self::EmailVerification => "email-verification",
            Self::ChangeEmail => "change-email",
        }
    }

    /// Whether the codes for this purpose are those of the app, in the database of an app.
    pub fn is_of_app(self, is_guest: bool) -> bool {
        is_guest && self == Self::ResetPassword
    }

    /// The length of a code for this purpose in characters.
    pub fn code_length(self, is_guest: bool) -> usize {
        if self.is_of_app(is_guest) { APP_CODE_LENGTH } else { CODE_LENGTH }
    }

    /// How long a mailed code is valid. A day is enough to read mail the next morning; a code that opens an
    /// account is valid for less.
    pub fn life(self) -> SignedDuration {
        match self {
            Self::ResetPassword => SignedDuration::from_hours(1),
            Self::EmailVerification | Self::ChangeEmail => SignedDuration::from_hours(24),
        }
    }
}

/// The longest life that authctl gives to a code.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Whether a code of authctl can end at this time. One that ends later was made while the clock was ahead.
pub fn can_end_at(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at <= latest(now).saturating_add(LONGEST_LIFE).unwrap_or(Timestamp::MAX)
}

/// A code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    pub user_id: String,
    /// The address of the user when the code was made. The code is invalid once the address changes.
    pub email: String,
    /// The new address, in a code that changes it.
    pub new_email: Option<Email>,
    pub expires_at: Timestamp,
    /// When an app made the code. An app may give its codes any life. `None` for a code of authctl.
    pub made_at: Option<Timestamp>,
}

impl StoredCode {
    /// Whether the code is valid for this user. Like a session, it is invalid at the time of its end. A code made
    /// while the clock was years ahead is invalid too.
    pub fn counts_for(&self, user: &User, now: Timestamp) -> bool {
        let is_possible = self.made_at.map_or_else(|| can_end_at(self.expires_at, now), |made| made <= latest(now));
        now < self.expires_at && is_possible && self.user_id == user.id && self.email == user.email
    }
}

/// A valid code and its user.
pub(super) struct RightCode {
    pub(super) purpose: Purpose,
    pub(super) stored: StoredCode,
    pub(super) user: User,
    pub(super) attempt: AttemptKey,
}

/// A code to mail to the user.
#[derive(Debug)]
pub struct CodeToMail {
    pub user_id: String,
    /// In clear. Only the mail has it.
    pub code: Code,
}

impl Auth<'_> {
    /// Creates a code that sets a new password, for an operator who gives it to the user.
    ///
    /// # Errors
    /// [`AuthError::Store`], [`AuthError::Entropy`].
    pub fn reset_code(&mut self, user: &User, ttl: SignedDuration) -> Result<(Code, Timestamp), AuthError> {
        self.make_code(Purpose::ResetPassword, user, None, ttl)
    }

    /// Creates a code to mail to an address. Returns `None` if no user has the address, or if the code would
    /// verify an address that is verified already.
    ///
    /// The storage does the same work either way: without a user it writes the code and takes it back in one
    /// transaction, so that neither time nor writes show which addresses exist.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] after too many requests for the address.
    pub fn code_to_mail(&mut self, purpose: Purpose, email: &Email) -> Result<Option<CodeToMail>, AuthError> {
        self.count_attempt(&AttemptKey::mail(email))?;
        let user = self.store.user(&UserRef::Email(email.clone()))?;
        let is_needed = |user: &User| user.has_id() && (purpose != Purpose::EmailVerification || !user.email_verified);
        let Some(user) = user.filter(|user| is_needed(user) && !user.is_machine()) else {
            self.rehearse_code(purpose, email)?;
            return Ok(None);
        };
        let (code, _) = self.make_code(purpose, &user, None, purpose.life())?;
        Ok(Some(CodeToMail { user_id: user.id, code }))
    }

    /// Does the work of [`Self::make_code`] for a user who does not exist, and takes it back.
    fn rehearse_code(&mut self, purpose: Purpose, email: &Email) -> Result<(), AuthError> {
        let code = self.new_code(purpose)?;
        let expires_at = self.after(purpose.life());
        // As long as an id, and no user has it.
        let (user_id, email) = ("-".repeat(32), email.to_string());
        Ok(self.store.rehearse_code(&NewCodeRow {
            id: self.entropy.id()?,
            purpose,
            code: &code,
            stored: StoredCode { user_id, email, new_email: None, expires_at, made_at: None },
            now: self.now,
        })?)
    }

    /// Draws a code for a purpose, in the form of the app if the app takes it too.
    pub(super) fn new_code(&mut self, purpose: Purpose) -> Result<Code, AuthError> {
        let is_of_app = purpose.is_of_app(self.store.guest().is_some());
        Ok(if is_of_app { self.entropy.app_code() } else { self.entropy.code() }?)
    }

    /// Creates a code. Older codes of the user for the same purpose become invalid.
    pub(super) fn make_code(
        &mut self,
        purpose: Purpose,
        user: &User,
        new_email: Option<&Email>,
        ttl: SignedDuration,
    ) -> Result<(Code, Timestamp), AuthError> {
        let code = self.new_code(purpose)?;
        let new = self.code_row(purpose, user, new_email, &code, ttl)?;
        let expires_at = new.stored.expires_at;
        self.store.create_code(&new)?;
        Ok((code, expires_at))
    }

    /// The row of a code that is valid for `ttl`.
    pub(super) fn code_row<'c>(
        &mut self,
        purpose: Purpose,
        user: &User,
        new_email: Option<&Email>,
        code: &'c Code,
        ttl: SignedDuration,
    ) -> Result<NewCodeRow<'c>, AuthError> {
        user.require_person()?;
        let (user_id, email, expires_at) = (user.id.clone(), user.email.clone(), self.after(ttl));
        let stored = StoredCode { user_id, email, new_email: new_email.cloned(), expires_at, made_at: None };
        Ok(NewCodeRow { id: self.entropy.id()?, purpose, code, stored, now: self.now })
    }

    /// Finds a valid code for one of these purposes and reserves an attempt of its user. It does not use the code
    /// up. [`Auth::decide_attempt`] ends the reservation.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`] for a code that is unknown, expired, used, for another purpose or for an address
    /// that changed. [`AuthError::Throttled`] after too many invalid codes of the same user, or unknown codes.
    pub(super) fn right_code(&mut self, purposes: &[Purpose], code: &Code) -> Result<RightCode, AuthError> {
        let Some((purpose, stored)) = self.named_by(code)? else {
            // A code has at least 142 bits, so guesses are only slowed down and do not lock out valid codes.
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

    /// Finds a code of any purpose, valid or not.
    fn named_by(&mut self, code: &Code) -> Result<Option<(Purpose, StoredCode)>, AuthError> {
        for purpose in Purpose::ALL {
            if let Some(stored) = self.store.code(purpose, code)? {
                return Ok(Some((purpose, stored)));
            }
        }
        Ok(None)
    }

    /// Ends the reservation of an attempt with a valid code, or with the password beside it, as the act went. A
    /// wrong user or password counts as a failure. Any other refusal, such as for a weak password, is no guess and
    /// changes no count.
    pub(super) fn decide_attempt<T>(
        &mut self,
        attempt: &AttemptKey,
        done: Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        let decided = match &done {
            Ok(_) => self.store.clear_attempts(attempt).map_err(AuthError::from),
            Err(AuthError::CodeOfAnother | AuthError::PasswordOfAnother) => self.fail_attempt(attempt, None),
            // It is unknown whether the act was done.
            Err(AuthError::Store(_)) => Ok(()),
            Err(_) => self.store.release_attempt(attempt).map_err(AuthError::from),
        };
        // The result of the act matters more. A reservation that could not be ended counts as a failure after a
        // minute.
        drop(decided);
        done
    }
}

#[derive(Debug)]
pub struct PasswordReset {
    pub user: User,
    /// The live sessions that ended.
    pub ended: Vec<Session>,
    /// The argument for [`Auth::require_in_force`].
    pub password: PasswordInput,
}

impl Auth<'_> {
    /// Sets a new password with a code. All sessions of the user end, and no session begins.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`], [`AuthError::Throttled`] after too many invalid codes,
    /// [`AuthError::WeakPassword`], which leaves the code valid.
    pub fn reset_password(&mut self, code: &Code, new: Password) -> Result<PasswordReset, AuthError> {
        let right = self.right_code(&[Purpose::ResetPassword], code)?;
        let done = self.reset_with(&right, code, new);
        self.decide_attempt(&right.attempt, done)
    }

    fn reset_with(&mut self, right: &RightCode, code: &Code, new: Password) -> Result<PasswordReset, AuthError> {
        let RightCode { purpose, user, .. } = right;
        let input = PasswordInput::Clear(new);
        input.check(&[&user.name, &user.email], false, &self.policy.password)?;
        let hash = self.hash_input(&input)?;
        let password = NewPassword {
            user_id: &user.id,
            account_id: self.entropy.id()?,
            hash: &hash,
            end: Some(Which::All),
            attempts: &AttemptKey::of_user(user),
            now: self.now,
        };
        let (user, ended) = self.store.use_code(&CodeUse {
            purpose: *purpose,
            code,
            proof: CodeProof::Nothing,
            effect: CodeEffect::Password(&password),
            now: self.now,
        })??;
        Ok(PasswordReset { ended: self.only_live(ended), user, password: input })
    }
}

/// How a user who has a code proves that the account is their own.
#[derive(Debug, Clone, Copy)]
pub enum OwnerProof<'a> {
    /// By a session. It stays when the others end.
    Session(InPerson<'a>),
    /// By the password, and by a code of the second factor if the user has one.
    Password { password: &'a Password, otp: Option<&'a Code> },
}

/// A checked [`OwnerProof`].
enum Owner<'a> {
    Session(InPerson<'a>),
    /// The hash that matched, and the reservation of the attempt.
    Password {
        hash: StoredHash,
        code: Option<RightOtp>,
        attempts: AttemptKey,
    },
}

#[derive(Debug)]
pub struct AddressConfirmed {
    /// After the change.
    pub user: User,
    /// The former address, if it was changed.
    pub before: Option<String>,
    /// The live sessions that ended.
    pub ended: Vec<Session>,
}

impl Auth<'_> {
    /// Creates a code that changes the caller's address, to mail to the new address.
    ///
    /// Returns `None` if a user has that address. The effects are the same, so that the caller does not learn it:
    /// older codes become invalid, and the attempt counts.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session has ended, [`AuthError::SameEmail`], [`AuthError::NotFresh`], and
    /// [`AuthError::Throttled`] after too many requests of the user or for the address.
    pub fn change_email(&mut self, me: InPerson<'_>, new: &Email) -> Result<Option<Code>, AuthError> {
        let user = self.reread(me)?;
        if new.as_str() == user.email {
            return Err(AuthError::SameEmail);
        }
        self.require_fresh(&me)?;
        // One limit protects a mailbox, the other stops a user who writes to many addresses.
        self.count_attempt(&AttemptKey::mail_of(&user.id))?;
        self.count_attempt(&AttemptKey::mail(new))?;
        let is_taken = self.is_taken(new, Some(&user.id))?;
        let purpose = Purpose::ChangeEmail;
        let (code, _) = self.act_for(&me, |auth| auth.make_code(purpose, &user, Some(new), purpose.life()))?;
        Ok((!is_taken).then_some(code))
    }

    /// Verifies the user's address, or changes it, with a code that was mailed to the address. If the address
    /// changes, other codes of the user become invalid. All sessions of the user end but that of the proof.
    ///
    /// # Errors
    /// [`AuthError::InvalidCode`], [`AuthError::Throttled`] after too many invalid codes or wrong passwords. The
    /// code stays valid with [`AuthError::CodeOfAnother`] and [`AuthError::PasswordOfAnother`] for a wrong proof, with
    /// [`AuthError::OtpNeeded`] and others about the second factor,
    /// [`AuthError::Banned`], and [`AuthError::UserExists`] if another user has taken the new address.
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
            // Only the act clears the count of wrong passwords. The right password of a banned user does not.
            Owner::Password { attempts, .. } => self.decide_attempt(attempts, done),
        }
    }

    fn confirm_as(&mut self, owner: &Owner<'_>, right: &RightCode, code: &Code) -> Result<AddressConfirmed, AuthError> {
        let user = &right.user;
        user.require_not_banned(self.now)?;
        let (proof, end) = match owner {
            Owner::Session(me) => (CodeProof::Session(&me.session.id), EndSessions::Others(me.session.id.clone())),
            Owner::Password { hash, code, .. } => {
                (CodeProof::Password { hash, code: code.as_ref() }, EndSessions::Always)
            }
        };
        let email = right.stored.new_email.clone();
        if let Some(email) = &email
            && self.is_taken(email, Some(&user.id))?
        {
            return Err(AuthError::UserExists);
        }
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

    /// Checks the proof. The transaction that uses the code checks the result again.
    fn require_owner<'a>(&mut self, user: &User, proof: OwnerProof<'a>) -> Result<Owner<'a>, AuthError> {
        match proof {
            // A user who is tricked into typing a stranger's code must not confirm the stranger's account.
            OwnerProof::Session(me) if me.user.id != user.id => Err(AuthError::CodeOfAnother),
            OwnerProof::Session(me) => Ok(Owner::Session(me)),
            OwnerProof::Password { password, otp } => {
                // If another user has the address by now, the code is invalid.
                let verified = self.verify_password(&Email::parse(&user.email)?, password)?;
                let Verified { user, hash, attempts, .. } = verified.ok_or(AuthError::PasswordOfAnother)?;
                let code = self.require_code(&user, &attempts, otp)?;
                Ok(Owner::Password { hash, code, attempts })
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
    fn code_is_valid_until_its_end_for_its_user_and_address() {
        let ada = user();
        assert!(code(HOUR, None).counts_for(&ada, at(HOUR - 1)));
        assert!(!code(HOUR, None).counts_for(&ada, at(HOUR)));
        assert!(!code(HOUR, None).counts_for(&User { id: "user-2".into(), ..user() }, at(0)));
        assert!(!code(HOUR, None).counts_for(&User { email: "eve@example.com".into(), ..user() }, at(0)));
    }

    #[test]
    fn code_that_ends_later_than_any_life_is_invalid() {
        let ada = user();
        assert!(code(2 * DAY, None).counts_for(&ada, at(0)));
        assert!(!code(2 * DAY + 1, None).counts_for(&ada, at(0)));
        assert!(!code(3_650 * DAY, None).counts_for(&ada, at(0)));
    }

    #[test]
    fn code_of_an_app_has_any_life_unless_made_in_the_future() {
        let ada = user();
        assert!(code(60 * DAY, Some(0)).counts_for(&ada, at(0)));
        assert!(code(60 * DAY, Some(DAY)).counts_for(&ada, at(0)));
        assert!(!code(60 * DAY, Some(DAY + 1)).counts_for(&ada, at(0)));
        assert!(!code(60 * DAY, Some(0)).counts_for(&ada, at(60 * DAY)));
    }

    #[test]
    fn longest_life_bounds_every_purpose() {
        assert!(Purpose::ALL.iter().all(|purpose| purpose.life() <= LONGEST_LIFE));
    }
}
