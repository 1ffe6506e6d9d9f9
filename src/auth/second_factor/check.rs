//! Checks codes of second factors, and turns factors on and off. In a database of an app, the app does all of this.

use jiff::Timestamp;

use super::recovery::{GivenCode, RecoveryCodes};
use super::sealed::SealedSecret;
use super::totp::{self, TotpSecret};
use crate::auth::audit::Event;
use crate::auth::email::Email;
use crate::auth::secret::{Code, Password, StoredHash};
use crate::auth::session::Session;
use crate::auth::sign_in::Verified;
use crate::auth::storage::{FactorAct, FactorUse, NewFactor, OtpKind, RightOtp, StoredFactor, Which};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::User;
use crate::auth::{Auth, AuthError, InPerson};

/// What a user proves to change a second factor that is on.
#[derive(Debug)]
pub struct FactorOwner<'a> {
    pub password: &'a Password,
    pub otp: &'a Code,
}

/// The second factor of a user, as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorStatus {
    pub is_on: bool,
    /// Whether a secret waits for its first code.
    pub is_begun: bool,
    pub recovery_codes: usize,
    pub locked_until: Option<Timestamp>,
}

impl Auth<'_> {
    /// The code of a user's second factor, if the user must give one and it is right. The attempt stays reserved. After
    /// an error it does not.
    ///
    /// # Errors
    /// [`AuthError::OtpNeeded`] without a code, [`AuthError::InvalidOtp`], [`AuthError::FactorLocked`],
    /// [`AuthError::FactorUnusable`], and [`AuthError::Seal`] if the secret cannot be read.
    pub(in crate::auth) fn require_code(
        &mut self,
        user: &User,
        attempts: &AttemptKey,
        otp: Option<&Code>,
    ) -> Result<Option<RightOtp>, AuthError> {
        if self.store.guest().is_some() || !user.two_factor_enabled {
            return Ok(None);
        }
        let checked = self.check_code(user, otp);
        match self.or_release(attempts, checked)? {
            Some(code) => Ok(Some(code)),
            None => Err(self.reject_code(user, attempts)?),
        }
    }

    /// Compares a code with the factor that is on. `None` if it is wrong.
    fn check_code(&mut self, user: &User, otp: Option<&Code>) -> Result<Option<RightOtp>, AuthError> {
        let factor = self.store.factor(&user.id)?.filter(|factor| factor.is_confirmed);
        let factor = factor.ok_or(AuthError::FactorUnusable)?;
        if let Some(until) = factor.locked_until.filter(|_| factor.is_locked(self.now)) {
            return Err(AuthError::FactorLocked { retry_after: until.duration_since(self.now) });
        }
        self.right_otp(user, &factor, otp.ok_or(AuthError::OtpNeeded)?)
    }

    /// Whether a code belongs to a factor and is not used.
    fn right_otp(&self, user: &User, factor: &StoredFactor, otp: &Code) -> Result<Option<RightOtp>, AuthError> {
        let Some(given) = GivenCode::read(otp) else { return Ok(None) };
        let kind = match (&given, given.digest(&user.id)) {
            (GivenCode::Totp(digits), _) => {
                let steps = factor.secret.open(&user.id, self.factor_keys)?.steps_of(digits, self.now);
                let unused = steps.into_iter().find(|step| totp::is_unused(*step, factor.last_step));
                unused.map(OtpKind::Step)
            }
            (GivenCode::Recovery(_), digest) => {
                digest.filter(|digest| factor.recovery.contains(digest)).map(OtpKind::Recovery)
            }
        };
        Ok(kind.map(|kind| RightOtp { factor_id: factor.id.clone(), kind }))
    }

    /// Counts a wrong code, for the factor and as a failed attempt to sign in. Returns the error about it.
    pub(in crate::auth) fn reject_code(&mut self, user: &User, attempts: &AttemptKey) -> Result<AuthError, AuthError> {
        self.store.fail_factor(&user.id, self.now)?;
        let event = Event::user("signin.failed", user).with("wrong code of the second factor");
        self.fail_attempt(attempts, Some(event))?;
        Ok(AuthError::InvalidOtp)
    }

    /// The second factor of the caller.
    ///
    /// # Errors
    /// [`AuthError::FactorOfApp`] in the database of an app.
    pub fn factor_status(&mut self, user: &User) -> Result<FactorStatus, AuthError> {
        self.require_own_factors()?;
        let factor = self.store.factor(&user.id)?;
        let (on, begun): (Option<_>, Option<_>) = match factor {
            Some(factor) if factor.is_confirmed => (Some(factor), None),
            other => (None, other),
        };
        Ok(FactorStatus {
            is_on: on.is_some(),
            is_begun: begun.is_some(),
            recovery_codes: on.as_ref().map_or(0, |factor| factor.recovery.len()),
            locked_until: on.filter(|factor| factor.is_locked(self.now)).and_then(|factor| factor.locked_until),
        })
    }

    /// Requires that authctl itself keeps the second factors of the database.
    fn require_own_factors(&self) -> Result<(), AuthError> {
        if self.store.guest().is_some() { Err(AuthError::FactorOfApp) } else { Ok(()) }
    }

    /// Makes a secret for a caller who gives the right password. It is on after [`Auth::confirm_factor`].
    ///
    /// # Errors
    /// [`AuthError::FactorIsOn`], [`AuthError::WrongPassword`], [`AuthError::Throttled`], [`AuthError::NoPassword`], and
    /// [`AuthError::Seal`] if the key of secrets cannot be used.
    pub fn begin_factor(&mut self, me: InPerson<'_>, password: &Password) -> Result<TotpSecret, AuthError> {
        self.require_factor_off(me)?;
        let user = self.reread(me)?;
        let Verified { hash, attempts, .. } = self.verify_own_password(&user, password)?;
        let begun = self.seal_and_begin(me, &user, &hash, &attempts);
        if !matches!(begun, Ok(_) | Err(AuthError::Store(_))) {
            // The password was right, so the attempt is no guess.
            self.store.release_attempt(&attempts)?;
        }
        begun
    }

    fn seal_and_begin(
        &mut self,
        me: InPerson<'_>,
        user: &User,
        verified: &StoredHash,
        attempts: &AttemptKey,
    ) -> Result<TotpSecret, AuthError> {
        let secret = TotpSecret::generate(self.entropy)?;
        let key = self.factor_keys.current(self.entropy)?;
        let sealed = SealedSecret::seal(&secret, &user.id, &key, self.entropy)??;
        let new = NewFactor { id: self.entropy.id()?, user_id: &user.id, secret: &sealed, verified, attempts };
        self.act_for(&me, |auth| auth.store.begin_factor(&new)?)?;
        Ok(secret)
    }

    /// Requires that a caller can begin a factor.
    ///
    /// # Errors
    /// [`AuthError::FactorIsOn`], [`AuthError::FactorOfApp`].
    pub fn require_factor_off(&mut self, me: InPerson<'_>) -> Result<(), AuthError> {
        if self.factor_status(&me.user)?.is_on { Err(AuthError::FactorIsOn) } else { Ok(()) }
    }

    /// Requires that the factor of a caller is on.
    ///
    /// # Errors
    /// [`AuthError::FactorIsOff`], [`AuthError::FactorOfApp`].
    pub fn require_factor_on(&mut self, me: InPerson<'_>) -> Result<(), AuthError> {
        if self.factor_status(&me.user)?.is_on { Ok(()) } else { Err(AuthError::FactorIsOff) }
    }

    /// Requires that a secret of a caller waits for its first code.
    ///
    /// # Errors
    /// [`AuthError::FactorNotBegun`], [`AuthError::FactorIsOn`], [`AuthError::FactorOfApp`].
    pub fn require_factor_begun(&mut self, me: InPerson<'_>) -> Result<(), AuthError> {
        match self.factor_status(&me.user)? {
            FactorStatus { is_on: true, .. } => Err(AuthError::FactorIsOn),
            FactorStatus { is_begun: true, .. } => Ok(()),
            FactorStatus { .. } => Err(AuthError::FactorNotBegun),
        }
    }

    /// Turns the factor on with its first code. The other sessions of the caller end, which began without it. Returns
    /// the recovery codes, and the number of live sessions that ended.
    ///
    /// # Errors
    /// [`AuthError::FactorNotBegun`], [`AuthError::FactorIsOn`], [`AuthError::InvalidOtp`], which leaves the secret as it
    /// is.
    pub fn confirm_factor(&mut self, me: InPerson<'_>, otp: &Code) -> Result<(RecoveryCodes, usize), AuthError> {
        self.require_factor_begun(me)?;
        let user = self.reread(me)?;
        let factor = self.store.factor(&user.id)?.ok_or(AuthError::FactorNotBegun)?;
        let code = self.right_otp(&user, &factor, otp)?.ok_or(AuthError::InvalidOtp)?;
        let codes = RecoveryCodes::generate(self.entropy)?;
        let recovery = codes.digests(&user.id);
        let act = FactorAct::Confirm { recovery: &recovery, end: Which::Others(me.session.id.clone()) };
        let request = FactorUse { user_id: &user.id, code: &code, verified: None, act, now: self.now };
        let ended = self.act_for(&me, |auth| auth.store.use_factor(&request)?)?;
        Ok((codes, self.only_live(ended).len()))
    }

    /// Turns the factor of a caller off, who proves to have it. The other sessions end. Returns the number of those that
    /// were live.
    ///
    /// # Errors
    /// [`AuthError::FactorIsOff`], [`AuthError::WrongPassword`], [`AuthError::InvalidOtp`], [`AuthError::Throttled`],
    /// [`AuthError::FactorLocked`].
    pub fn disable_factor(&mut self, me: InPerson<'_>, owner: &FactorOwner<'_>) -> Result<usize, AuthError> {
        let ended = self.change_factor(me, owner, FactorAct::Remove { end: Which::Others(me.session.id.clone()) })?;
        Ok(self.only_live(ended).len())
    }

    /// Makes new recovery codes for a caller who proves to have the factor. The old ones become invalid.
    ///
    /// # Errors
    /// As for [`Auth::disable_factor`].
    pub fn new_recovery_codes(
        &mut self,
        me: InPerson<'_>,
        owner: &FactorOwner<'_>,
    ) -> Result<RecoveryCodes, AuthError> {
        let codes = RecoveryCodes::generate(self.entropy)?;
        let recovery = codes.digests(&me.user.id);
        self.change_factor(me, owner, FactorAct::NewRecoveryCodes(&recovery))?;
        Ok(codes)
    }

    fn change_factor(
        &mut self,
        me: InPerson<'_>,
        owner: &FactorOwner<'_>,
        act: FactorAct<'_>,
    ) -> Result<Vec<Session>, AuthError> {
        self.require_factor_on(me)?;
        let user = self.reread(me)?;
        let verified = self.verify_own_password(&user, owner.password)?;
        let code = self.require_code(&user, &verified.attempts, Some(owner.otp))?.ok_or(AuthError::FactorIsOff)?;
        let proof = Some((&verified.hash, &verified.attempts));
        let request = FactorUse { user_id: &user.id, code: &code, verified: proof, act, now: self.now };
        let done = self.act_for(&me, |auth| auth.store.use_factor(&request)?);
        match done {
            Err(AuthError::InvalidOtp) => Err(self.reject_code(&user, &verified.attempts)?),
            Ok(_) | Err(AuthError::Store(_)) => done,
            Err(refused) => {
                self.store.release_attempt(&verified.attempts)?;
                Err(refused)
            }
        }
    }

    /// Verifies the password of a signed-in user. The attempt stays reserved.
    fn verify_own_password(&mut self, user: &User, password: &Password) -> Result<Verified, AuthError> {
        if self.store.password_hash(&user.id)?.is_none() {
            return Err(AuthError::NoPassword);
        }
        self.verify_password(&Email::parse(&user.email)?, password)?.ok_or(AuthError::WrongPassword)
    }
}
