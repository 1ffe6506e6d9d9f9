//! Checks codes of second factors, and turns factors on and off: authctl's own, and with the secret of an app those that the
//! app keeps.

use jiff::Timestamp;

use super::app;
use super::recovery::{GivenCode, RecoveryCodes};
use super::sealed::SealedSecret;
use super::totp::{self, TotpSecret};
use crate::auth::audit::Event;
use crate::auth::email::Email;
use crate::auth::secret::{Code, Password, StoredHash};
use crate::auth::session::Session;
use crate::auth::sign_in::Verified;
use crate::auth::storage::{AppFactor, FactorAct, FactorUse, NewFactor, OtpKind, RightOtp, StoredFactor, Which};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::{User, UserRef};
use crate::auth::{Auth, AuthError, InPerson, SignedIn};

/// A second factor of either kind.
#[derive(Debug)]
enum Factor {
    Own(StoredFactor),
    App(AppFactor),
}

impl Factor {
    fn is_confirmed(&self) -> bool {
        match self {
            Self::Own(factor) => factor.is_confirmed,
            Self::App(factor) => factor.is_confirmed,
        }
    }

    /// The end of a lock that is in force.
    fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Own(factor) => factor.locked_until.filter(|_| factor.is_locked(now)),
            Self::App(factor) => factor.locked_until.filter(|_| factor.is_locked(now)),
        }
    }
}

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
        if !user.two_factor_enabled || !self.checks_factors() {
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
        let factor = self.factor(user)?.filter(Factor::is_confirmed).ok_or(AuthError::FactorUnusable)?;
        if let Some(until) = factor.locked_until(self.now) {
            return Err(AuthError::FactorLocked { retry_after: until.duration_since(self.now) });
        }
        self.right_otp(user, &factor, otp.ok_or(AuthError::OtpNeeded)?)
    }

    /// Whether authctl can check the second factors of the database. Those of an app need its secret.
    pub(in crate::auth) fn checks_factors(&self) -> bool {
        self.store.guest().is_none() || !self.app_secrets.is_empty()
    }

    /// Finds the factor of a user, confirmed or not.
    fn factor(&mut self, user: &User) -> Result<Option<Factor>, AuthError> {
        Ok(if self.store.guest().is_some() {
            self.store.app_factor(&user.id)?.map(Factor::App)
        } else {
            self.store.factor(&user.id)?.map(Factor::Own)
        })
    }

    /// Whether a code belongs to a factor and is not used. The code of an app's factor is used from then on.
    fn right_otp(&mut self, user: &User, factor: &Factor, otp: &Code) -> Result<Option<RightOtp>, AuthError> {
        let factor = match factor {
            Factor::Own(factor) => factor,
            Factor::App(factor) => {
                let right = factor.right_otp(otp, self.app_secrets, self.entropy, self.now)?;
                let Some(OtpKind::AppSteps(steps)) = right.as_ref().map(|right| &right.kind) else { return Ok(right) };
                // The transaction that uses the code is one of the app's database, which has no place for the step.
                let claimed = self.store.claim_step(&user.id, steps, self.now)?;
                return Ok(right.filter(|_| claimed.is_some()));
            }
        };
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

    /// Requires that authctl can check and set up second factors: those of an app need its plugin and its secret.
    ///
    /// # Errors
    /// [`AuthError::FactorOfApp`].
    pub fn require_factors(&mut self) -> Result<(), AuthError> {
        let can = self.checks_factors() && (self.store.guest().is_none() || self.store.has_app_factors()?);
        if can { Ok(()) } else { Err(AuthError::FactorOfApp) }
    }

    /// The second factor of the caller.
    ///
    /// # Errors
    /// [`AuthError::FactorOfApp`] in the database of an app.
    pub fn factor_status(&mut self, user: &User) -> Result<FactorStatus, AuthError> {
        self.require_factors()?;
        let (on, begun) = match self.factor(user)? {
            // The app does not ask for what a half reset left.
            Some(Factor::App(factor)) if factor.is_confirmed && !user.two_factor_enabled => (None, None),
            Some(factor) if factor.is_confirmed() => (Some(factor), None),
            other => (None, other),
        };
        let recovery_codes = match &on {
            Some(Factor::Own(factor)) => factor.recovery.len(),
            Some(Factor::App(factor)) => factor.codes(self.app_secrets).map_or(0, |codes| codes.len()),
            None => 0,
        };
        Ok(FactorStatus {
            is_on: on.is_some(),
            is_begun: begun.is_some(),
            recovery_codes,
            locked_until: on.and_then(|factor| factor.locked_until(self.now)),
        })
    }

    /// New recovery codes, and what is stored of them.
    fn make_codes(&mut self, user: &User) -> Result<(RecoveryCodes, Vec<String>), AuthError> {
        if self.store.guest().is_some() {
            let others = self.store.sample_of_app_codes()?;
            let (codes, stored) = app::new_codes(&others, self.app_secrets, self.entropy)?;
            return Ok((codes, vec![stored]));
        }
        let codes = RecoveryCodes::generate(self.entropy)?;
        let digests = codes.digests(&user.id);
        Ok((codes, digests))
    }

    /// Whether the policy makes a user set up a second factor first. An app signs users in under rules of its own.
    pub fn must_set_up_factor(&self, user: &User) -> bool {
        !user.two_factor_enabled && self.policy.second_factor.required.includes(user)
    }

    /// Requires that a caller has a second factor if the policy says so. In an impersonation this is about the user who
    /// acts, because the other one did not sign in.
    ///
    /// # Errors
    /// [`AuthError::FactorRequired`].
    pub fn require_factor_set_up(&mut self, me: &SignedIn) -> Result<(), AuthError> {
        let must = if !me.session.is_impersonated() {
            self.must_set_up_factor(&me.user)
        } else if let Some(by) = me.caller(self.now).impersonator() {
            let by = self.store.user(&UserRef::Id(by.to_owned()))?;
            by.is_some_and(|by| self.must_set_up_factor(&by))
        } else {
            false
        };
        if must { Err(AuthError::FactorRequired) } else { Ok(()) }
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
        let (secret, sealed, recovery) = if self.store.guest().is_some() {
            let (secret, sealed) = app::new_secret(self.app_secrets, self.entropy)?;
            // The app has codes in every row. The user gets others when the factor is on.
            (secret, sealed, self.make_codes(user)?.1.concat())
        } else {
            let secret = TotpSecret::generate(self.entropy)?;
            let key = self.factor_keys.current(self.entropy)?;
            let sealed = SealedSecret::seal(&secret, &user.id, &key, self.entropy)??;
            (secret, sealed, String::new())
        };
        let new = NewFactor {
            id: self.entropy.id()?,
            user_id: &user.id,
            secret: &sealed,
            recovery: &recovery,
            now: self.now,
            verified,
            attempts,
        };
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
        let factor = self.factor(&user)?.ok_or(AuthError::FactorNotBegun)?;
        let code = self.right_otp(&user, &factor, otp)?.ok_or(AuthError::InvalidOtp)?;
        let (codes, recovery) = self.make_codes(&user)?;
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
        let (codes, recovery) = self.make_codes(&me.user)?;
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
