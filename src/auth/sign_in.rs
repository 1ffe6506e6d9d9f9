//! Signs users in, and lists the reasons why a sign-in is refused.
//!
//! An attempt is counted before the hash runs. An unknown user costs the same work as a known one. Reasons other
//! than a wrong password are shown only after the right password.

use jiff::Timestamp;

use super::audit::Event;
use super::email::Email;
use super::password::{self, HashFormat, Scheme, Verdict};
use super::secret::{Code, Password, StoredHash};
use super::session::Session;
use super::storage::{FactorAct, FactorUse, RightOtp};
use super::throttle::AttemptKey;
use super::user::{User, UserRef};
use super::{Auth, AuthError, SessionRequest};

/// A request to sign in.
#[derive(Debug)]
pub struct SignIn {
    pub email: Email,
    pub password: Password,
    /// A code of the second factor, if the user gave one.
    pub otp: Option<Code>,
}

/// A user whose password was verified. The attempt is still reserved.
pub(super) struct Verified {
    pub(super) user: User,
    pub(super) hash: StoredHash,
    pub(super) outdated: bool,
    pub(super) attempts: AttemptKey,
}

impl Auth<'_> {
    /// Creates a session for a user who gives the right password.
    ///
    /// # Errors
    /// [`AuthError::InvalidCredentials`] for an unknown address or a wrong password, [`AuthError::Throttled`]
    /// after too many of them. Only after the right password: [`AuthError::Banned`],
    /// [`AuthError::EmailNotVerified`] and [`AuthError::SecondFactor`], and without a right code of the
    /// second factor [`AuthError::OtpNeeded`], [`AuthError::InvalidOtp`] and [`AuthError::FactorLocked`].
    pub fn sign_in(
        &mut self,
        request: &SignIn,
        session_request: &SessionRequest,
    ) -> Result<(User, Session), AuthError> {
        let (verified, code) = self.verify_user(request)?;
        let user = verified.user;
        let upgraded = verified.outdated.then(|| self.hash(&request.password)).transpose();
        let upgraded = self.or_release(&verified.attempts, upgraded)?;
        let session = self.new_session(session_request, &user.id);
        let session = self.or_release(&verified.attempts, session)?;
        let begun =
            self.store.begin_session(&session, &verified.hash, upgraded.as_ref(), code.as_ref(), &verified.attempts)?;
        let Some(session) = begun else {
            if code.is_some() {
                return Err(self.reject_code(&user, &verified.attempts)?);
            }
            // The password was changed, or the user banned or deleted, during the hash.
            self.fail_attempt(&verified.attempts, None)?;
            return Err(AuthError::InvalidCredentials);
        };
        Ok((user, session))
    }

    /// Checks whether a sign-in would succeed, without a session.
    ///
    /// # Errors
    /// As for [`Auth::sign_in`].
    pub fn check_password(&mut self, request: &SignIn) -> Result<User, AuthError> {
        let (verified, code) = self.verify_user(request)?;
        let Some(code) = code else {
            self.store.clear_attempts(&verified.attempts)?;
            return Ok(verified.user);
        };
        let (user_id, proof) = (&verified.user.id, Some((&verified.hash, &verified.attempts)));
        let act = FactorUse { user_id, code: &code, verified: proof, act: FactorAct::Check, now: self.now };
        match self.store.use_factor(&act)? {
            Ok(_) => Ok(verified.user),
            Err(_) => Err(self.reject_code(&verified.user, &verified.attempts)?),
        }
    }

    /// Verifies the password, and the code of the second factor if the user has one.
    fn verify_user(&mut self, request: &SignIn) -> Result<(Verified, Option<RightOtp>), AuthError> {
        let verified = self.verify_password(&request.email, &request.password)?.ok_or(AuthError::InvalidCredentials)?;
        if let Some(blocker) = self.blockers_after_password(&verified.user).into_iter().next() {
            let event = Event::user("signin.failed", &verified.user).with(blocker.code());
            self.fail_attempt(&verified.attempts, Some(event))?;
            return Err(blocker.refusal(self.now));
        }
        let code = self.require_code(&verified.user, &verified.attempts, request.otp.as_ref())?;
        Ok((verified, code))
    }

    /// Reserves an attempt and compares a password with the stored hash. Returns `None` for a wrong password or an
    /// unknown user. After the right password the caller must end the reservation.
    pub(super) fn verify_password(&mut self, email: &Email, given: &Password) -> Result<Option<Verified>, AuthError> {
        self.require_safe_place()?;
        let attempts = self.reserve_attempt(AttemptKey::sign_in(email))?;
        let user = self.store.user(&UserRef::Email(email.clone()))?.filter(|user| !user.is_machine());
        let scheme = self.store.scheme()?;
        // Asked without a user too, so that both paths run the same statements.
        let hash = self.store.password_hash(user.as_ref().map_or("", |user| &user.id))?;
        let legacy_end = hash.as_ref().and_then(|hash| self.legacy_end(HashFormat::of(hash), &scheme));
        let ended = user.as_ref().filter(|_| legacy_end.is_some_and(|end| end <= self.now));
        let ended = ended.map(|user| Event::user("signin.failed", user).with(LEGACY_HASH));
        if let (Some(user), Some(hash), None) = (user, hash, &ended) {
            let verdict = password::verify(given, &hash, &scheme, &self.policy.password, self.peppers);
            match self.or_release(&attempts, verdict)? {
                Verdict::Right { outdated } => return Ok(Some(Verified { user, hash, outdated, attempts })),
                Verdict::Wrong => {
                    let work = password::work_beside(given, &hash, &scheme, &self.policy.password);
                    self.or_release(&attempts, work)?;
                    self.fail_attempt(&attempts, Some(Event::user("signin.failed", &user)))?;
                    return Ok(None);
                }
                Verdict::Unacceptable => {}
            }
        }
        // Hash anyway, so that unknown users take as long.
        let work = password::work_of_wrong_password(given, &scheme, &self.policy.password);
        self.or_release(&attempts, work)?;
        let event = ended.unwrap_or_else(|| {
            // The log has only a part of the digest, because an unknown address may be a mistyped password.
            let key: String = attempts.as_str().chars().take(12).collect();
            Event::new("signin.failed").with(format!("nobody: {key}"))
        });
        self.fail_attempt(&attempts, Some(event))?;
        Ok(None)
    }

    /// The format of a user's password hash and when it stops to sign in, if the policy sets an end for it.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn legacy_password(&mut self, user: &User) -> Result<Option<(HashFormat, Timestamp)>, AuthError> {
        if self.policy.password.legacy_until.is_none() || self.store.guest().is_some() {
            return Ok(None);
        }
        let format = self.store.password_hash(&user.id)?.as_ref().map(HashFormat::of);
        Ok(format.and_then(|format| Some((format, self.legacy_end(format, &Scheme::Native)?))))
    }

    /// When a password with a hash of this format stops to sign in, if the policy sets an end. The hashes of an app
    /// have none.
    fn legacy_end(&self, format: HashFormat, scheme: &Scheme) -> Option<Timestamp> {
        self.policy.password.legacy_end().filter(|_| *scheme == Scheme::Native && format.is_legacy())
    }
}

/// The code of [`SignInBlocker::LegacyHash`].
const LEGACY_HASH: &str = "LEGACY_HASH";

/// A reason why a sign-in with the right password is refused. A sign-in stops at the first reason; `users explain`
/// reports all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInBlocker {
    /// Too many attempts failed.
    Throttled {
        /// Failures since the last success.
        failures: u32,
        /// The next attempt is allowed at this time.
        until: Timestamp,
    },
    /// The stored address is invalid, so no sign-in finds it.
    AddressUnusable,
    /// A sign-in looks for the address in lower case, and the stored address has capitals.
    AddressNotFound {
        /// The address in lower case.
        sought: Email,
        /// Whether another user has the address in lower case.
        taken: bool,
    },
    NoPassword {
        lack: MissingPassword,
        /// The names of other providers with which the user signs in to the app.
        others: Vec<String>,
    },
    /// The format of the stored hash is not accepted.
    HashNotAccepted(HashFormat),
    /// The policy has ended passwords whose hashes are not argon2id.
    LegacyHash { kind: HashFormat, since: Timestamp },
    /// The policy requires a verified address.
    EmailNotVerified { email: String },
    Banned {
        /// The reason that the operator gave.
        reason: Option<String>,
        /// The end of the ban; `None` for a permanent one.
        until: Option<Timestamp>,
    },
    /// The app asks for a second factor, which authctl cannot check without the app's secret.
    SecondFactor,
    /// The app refuses every second factor of the user for a while, after wrong codes.
    SecondFactorLocked { until: Timestamp },
    /// The app asks for a second factor, and the user has none.
    SecondFactorMissing,
    /// The app asks for a second factor, and the user never confirmed the own one.
    SecondFactorUnverified,
}

/// What a user without a password does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingPassword {
    /// A credential account.
    Account,
    /// A credential account whose `accountId` is the user's id. Others with a hash exist, and these are their `accountId`s.
    OwnAccount(Vec<String>),
    /// A hash in the credential account.
    Hash,
}

impl SignInBlocker {
    /// The name for programs. It equals the code of the error, if a sign-in shows one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "TOO_MANY_REQUESTS",
            Self::AddressUnusable => "INVALID_EMAIL",
            Self::AddressNotFound { .. } => "EMAIL_NOT_LOWER_CASE",
            Self::NoPassword { .. } => "CREDENTIAL_ACCOUNT_NOT_FOUND",
            Self::HashNotAccepted(_) => "HASH_NOT_ACCEPTED",
            Self::LegacyHash { .. } => LEGACY_HASH,
            Self::EmailNotVerified { .. } => "EMAIL_NOT_VERIFIED",
            Self::Banned { .. } => "BANNED_USER",
            Self::SecondFactor => "TWO_FACTOR_REQUIRED",
            Self::SecondFactorLocked { .. } => "ACCOUNT_TEMPORARILY_LOCKED",
            Self::SecondFactorMissing | Self::SecondFactorUnverified => "TOTP_NOT_ENABLED",
        }
    }

    /// When the reason ends by itself.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Throttled { until, .. } | Self::SecondFactorLocked { until } => Some(*until),
            Self::Banned { until, .. } => *until,
            _ => None,
        }
    }

    /// The ban of a user, if it is in force.
    fn ban(user: &User, now: Timestamp) -> Option<Self> {
        user.is_banned(now).then(|| Self::Banned { reason: user.ban_reason.clone(), until: user.ban_expires })
    }

    /// The error of a sign-in that is refused for this reason. Problems of the stored address or password look
    /// like a wrong password.
    pub fn refusal(self, now: Timestamp) -> AuthError {
        match self {
            Self::Throttled { until, .. } => AuthError::Throttled { retry_after: until.duration_since(now) },
            Self::AddressUnusable => AuthError::InvalidEmail(super::email::InvalidEmail),
            Self::AddressNotFound { .. }
            | Self::NoPassword { .. }
            | Self::HashNotAccepted(_)
            | Self::LegacyHash { .. } => AuthError::InvalidCredentials,
            Self::EmailNotVerified { email } => AuthError::EmailNotVerified { email },
            Self::Banned { reason, until } => AuthError::Banned { reason, until },
            Self::SecondFactor => AuthError::SecondFactor,
            Self::SecondFactorLocked { until } => AuthError::FactorLocked { retry_after: until.duration_since(now) },
            Self::SecondFactorMissing | Self::SecondFactorUnverified => AuthError::FactorUnusable,
        }
    }
}

impl Auth<'_> {
    /// The reasons that are shown only after the right password, in Better Auth's order.
    fn blockers_after_password(&self, user: &User) -> Vec<SignInBlocker> {
        let unverified = self.policy.email.verification_required && !user.email_verified;
        let is_of_app = user.two_factor_enabled && !self.checks_factors();
        let blockers = [
            unverified.then(|| SignInBlocker::EmailNotVerified { email: user.email.clone() }),
            SignInBlocker::ban(user, self.now),
            is_of_app.then_some(SignInBlocker::SecondFactor),
        ];
        blockers.into_iter().flatten().collect()
    }

    /// Lists every reason to refuse a sign-in of this user. Nothing is counted or written. A second factor that is
    /// checked is no reason unless it is locked or cannot be used.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn blockers(&mut self, user: &User) -> Result<Vec<SignInBlocker>, AuthError> {
        let before = [self.throttle_of(user)?, self.address_of(user)?, self.password_of(user)?];
        let mut after = self.blockers_after_password(user);
        if let Some(factor) = self.second_factor(user)? {
            after.retain(|blocker| *blocker != SignInBlocker::SecondFactor);
            after.extend(factor.blocker());
        }
        Ok(before.into_iter().flatten().chain(after).collect())
    }

    fn throttle_of(&mut self, user: &User) -> Result<Option<SignInBlocker>, AuthError> {
        let (failures, wait) = self.attempts(user)?;
        Ok(wait.map(|wait| SignInBlocker::Throttled { failures, until: self.after(wait) }))
    }

    /// Looks for the user as a sign-in does, by the address in lower case.
    fn address_of(&mut self, user: &User) -> Result<Option<SignInBlocker>, AuthError> {
        let Ok(sought) = Email::parse(&user.email) else {
            return Ok(Some(SignInBlocker::AddressUnusable));
        };
        let found = self.store.user(&UserRef::Email(sought.clone()))?;
        if found.as_ref().is_some_and(|found| found.id == user.id) {
            return Ok(None);
        }
        Ok(Some(SignInBlocker::AddressNotFound { sought, taken: found.is_some() }))
    }

    fn password_of(&mut self, user: &User) -> Result<Option<SignInBlocker>, AuthError> {
        if let Some(hash) = self.store.password_hash(&user.id)? {
            let kind = HashFormat::of(&hash);
            let scheme = self.store.scheme()?;
            if !scheme.verifies(kind) {
                return Ok(Some(SignInBlocker::HashNotAccepted(kind)));
            }
            let ended = self.legacy_end(kind, &scheme).filter(|end| *end <= self.now);
            return Ok(ended.map(|since| SignInBlocker::LegacyHash { kind, since }));
        }
        let accounts = self.store.accounts(&user.id)?;
        let own = accounts.iter().find(|account| account.is_credential() && account.account_id == user.id);
        let credentials = || accounts.iter().filter(|account| account.is_credential());
        let lack = match own {
            // The stored text cannot be a hash: it is empty, too long or not printable.
            Some(own) if own.has_password => return Ok(Some(SignInBlocker::HashNotAccepted(HashFormat::Unknown))),
            Some(_) => MissingPassword::Hash,
            None if credentials().next().is_none() => MissingPassword::Account,
            None if !credentials().any(|account| account.has_password) => MissingPassword::Hash,
            None => MissingPassword::OwnAccount(credentials().map(|account| account.account_id.clone()).collect()),
        };
        let others = accounts.into_iter().filter(|account| !account.is_credential());
        Ok(Some(SignInBlocker::NoPassword { lack, others: others.map(|account| account.provider_id).collect() }))
    }
}
