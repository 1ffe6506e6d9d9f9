//! Signing in: the attempt is counted before the hash runs, an unknown user costs the same work as
//! a known one, and everything but the password is told only to whoever knows the password.

use jiff::Timestamp;

use super::audit::Event;
use super::email::Email;
use super::password::{self, HashFormat, Verdict};
use super::policy::Policy;
use super::secret::{Password, StoredHash};
use super::session::Session;
use super::storage::Account;
use super::throttle::AttemptKey;
use super::user::{User, UserRef};
use super::{Auth, AuthError, SessionRequest};

/// What somebody signs in with.
#[derive(Debug)]
pub struct SignIn {
    /// Canonical address.
    pub email: Email,
    /// Password as typed.
    pub password: Password,
}

/// A user whose password has just been verified.
pub(super) struct Verified {
    pub(super) user: User,
    pub(super) hash: StoredHash,
    pub(super) outdated: bool,
    pub(super) attempts: AttemptKey,
}

impl Auth<'_> {
    /// Makes a session for whoever knows the password.
    ///
    /// # Errors
    /// [`AuthError::InvalidCredentials`] for an unknown address and a wrong password alike,
    /// [`AuthError::Throttled`] after too many of them, [`AuthError::Banned`] or
    /// [`AuthError::SecondFactor`] only after the right password.
    pub fn sign_in(
        &mut self,
        request: &SignIn,
        session_request: &SessionRequest,
    ) -> Result<(User, Session), AuthError> {
        let verified = self.verify_user(request)?;
        let user = verified.user;
        let upgraded = verified.outdated.then(|| self.hash(&request.password)).transpose();
        let upgraded = self.or_release(&verified.attempts, upgraded)?;
        let session = self.new_session(session_request, &user.id);
        let session = self.or_release(&verified.attempts, session)?;
        let begun = self.store.begin_session(&session, &verified.hash, upgraded.as_ref(), &verified.attempts)?;
        let Some(session) = begun else {
            // The password was changed, or the user banned or deleted, while the hash was computed.
            self.fail_attempt(&verified.attempts, None)?;
            return Err(AuthError::InvalidCredentials);
        };
        Ok((user, session))
    }

    /// Finds out whether a sign-in would succeed, and keeps nothing of it.
    ///
    /// # Errors
    /// As for [`Auth::sign_in`].
    pub fn check_password(&mut self, request: &SignIn) -> Result<User, AuthError> {
        let verified = self.verify_user(request)?;
        self.store.clear_attempts(&verified.attempts)?;
        Ok(verified.user)
    }

    fn verify_user(&mut self, request: &SignIn) -> Result<Verified, AuthError> {
        let verified = self.verify_password(&request.email, &request.password)?.ok_or(AuthError::InvalidCredentials)?;
        match SignInBlocker::after_password(&verified.user, self.policy, self.now).into_iter().next() {
            Some(blocker) => {
                let event = Event::user("signin.failed", &verified.user).with(blocker.code());
                self.fail_attempt(&verified.attempts, Some(event))?;
                Err(blocker.refusal(self.now))
            }
            None => Ok(verified),
        }
    }

    /// Reserves an attempt, then compares a password with the stored hash; `None` when it is not the
    /// user's, for whatever reason. After the right password the attempt is still to be decided, by the
    /// act that the password is for.
    pub(super) fn verify_password(&mut self, email: &Email, given: &Password) -> Result<Option<Verified>, AuthError> {
        let attempts = self.reserve_attempt(AttemptKey::sign_in(email))?;
        let user = self.store.user(&UserRef::Email(email.clone()))?;
        let scheme = self.store.scheme()?;
        // Asked for nobody as well, so that both ways run the same statements.
        let hash = self.store.password_hash(user.as_ref().map_or("", |user| &user.id))?;
        if let (Some(user), Some(hash)) = (user, hash) {
            let verdict = password::verify(given, &hash, &scheme, &self.policy.password);
            match self.or_release(&attempts, verdict)? {
                Verdict::Right { outdated } => return Ok(Some(Verified { user, hash, outdated, attempts })),
                Verdict::Wrong => {
                    self.fail_attempt(&attempts, Some(Event::user("signin.failed", &user)))?;
                    return Ok(None);
                }
                Verdict::Unacceptable => {}
            }
        }
        // Nobody is verified at the same cost, so that an unknown user takes as long as a known one.
        let work = password::work(given, scheme.usual(&self.policy.password));
        self.or_release(&attempts, work)?;
        // Of an unknown address only a part of its digest is kept: it may be a mistyped password.
        let key: String = attempts.as_str().chars().take(12).collect();
        let event = Event::new("signin.failed").with(format!("nobody: {key}"));
        self.fail_attempt(&attempts, Some(event))?;
        Ok(None)
    }

    pub(super) fn refuse_banned(&self, user: &User) -> Result<(), AuthError> {
        SignInBlocker::ban(user, self.now).map_or(Ok(()), |ban| Err(ban.refusal(self.now)))
    }
}

/// Why a sign-in fails, the right password given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInBlocker {
    /// After so many failures no attempt is let through yet.
    Throttled {
        /// Failures since the last success.
        failures: u32,
        /// From this instant on one is.
        until: Timestamp,
    },
    /// The stored address breaks the syntax, so nobody can sign in with it.
    AddressUnusable,
    /// The stored address is not the one that a sign-in looks for.
    AddressNotFound {
        /// The address that it looks for: the same in lower case.
        sought: Email,
        /// It is somebody else's.
        taken: bool,
    },
    /// There is no password to compare with.
    NoPassword {
        /// What is missing.
        lack: MissingPassword,
        /// Other ways to sign in, in the app: the names of their providers.
        others: Vec<String>,
    },
    /// The stored hash is of a kind that is never computed here.
    HashNotAccepted(HashFormat),
    /// The policy asks for a verified address.
    EmailNotVerified {
        /// As stored.
        email: String,
    },
    /// Banned.
    Banned {
        /// Why, in the words of whoever did it.
        reason: Option<String>,
        /// When the ban ends; `None` for a permanent one.
        until: Option<Timestamp>,
    },
    /// The app asks for a second factor, which cannot be checked here.
    SecondFactor,
}

/// What a user without a password lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingPassword {
    /// A credential account.
    Account,
    /// A credential account whose `accountId` is the user's id: there is one with another.
    OwnAccount,
    /// A hash in the credential account.
    Hash,
}

impl SignInBlocker {
    /// Its name for programs: that of the error which a sign-in would tell, where it tells.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "TOO_MANY_REQUESTS",
            Self::AddressUnusable => "INVALID_EMAIL",
            Self::AddressNotFound { .. } => "EMAIL_NOT_LOWER_CASE",
            Self::NoPassword { .. } => "CREDENTIAL_ACCOUNT_NOT_FOUND",
            Self::HashNotAccepted(_) => "HASH_NOT_ACCEPTED",
            Self::EmailNotVerified { .. } => "EMAIL_NOT_VERIFIED",
            Self::Banned { .. } => "BANNED_USER",
            Self::SecondFactor => "TWO_FACTOR_REQUIRED",
        }
    }

    /// When it is gone by itself.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Throttled { until, .. } => Some(*until),
            Self::Banned { until, .. } => *until,
            _ => None,
        }
    }

    /// The ban of a user, if one is in force.
    pub fn ban(user: &User, now: Timestamp) -> Option<Self> {
        user.is_banned(now).then(|| Self::Banned { reason: user.ban_reason.clone(), until: user.ban_expires })
    }

    /// Those that are told only to whoever knows the password, in Better Auth's order.
    pub(super) fn after_password(user: &User, policy: &Policy, now: Timestamp) -> Vec<Self> {
        let unverified = policy.email.verification_required && !user.email_verified;
        let blockers = [
            unverified.then(|| Self::EmailNotVerified { email: user.email.clone() }),
            Self::ban(user, now),
            user.two_factor_enabled.then_some(Self::SecondFactor),
        ];
        blockers.into_iter().flatten().collect()
    }

    /// What a sign-in that stops here says. What is wrong with the stored address or password looks
    /// like a wrong password.
    pub fn refusal(self, now: Timestamp) -> AuthError {
        match self {
            Self::Throttled { until, .. } => AuthError::Throttled { retry_after: until.duration_since(now) },
            Self::AddressUnusable => AuthError::InvalidEmail(super::email::InvalidEmail),
            Self::AddressNotFound { .. } | Self::NoPassword { .. } | Self::HashNotAccepted(_) => {
                AuthError::InvalidCredentials
            }
            Self::EmailNotVerified { email } => AuthError::EmailNotVerified { email },
            Self::Banned { reason, until } => AuthError::Banned { reason, until },
            Self::SecondFactor => AuthError::SecondFactor,
        }
    }
}

impl Auth<'_> {
    /// Lists everything that a sign-in of this user would meet. Nothing is counted or written.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn blockers(&mut self, user: &User) -> Result<Vec<SignInBlocker>, AuthError> {
        let before = [self.throttle_of(user)?, self.address_of(user)?, self.password_of(user)?];
        Ok(before.into_iter().flatten().chain(SignInBlocker::after_password(user, self.policy, self.now)).collect())
    }

    fn throttle_of(&mut self, user: &User) -> Result<Option<SignInBlocker>, AuthError> {
        let (failures, wait) = self.attempts(user)?;
        Ok(wait.map(|wait| SignInBlocker::Throttled { failures, until: self.after(wait) }))
    }

    /// Looks for the user as a sign-in would: by the address, in its canonical form.
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
            return Ok((!kind.is_accepted()).then_some(SignInBlocker::HashNotAccepted(kind)));
        }
        let accounts = self.store.accounts(&user.id)?;
        let own = accounts.iter().find(|account| account.is_credential() && account.account_id == user.id);
        let lack = match own {
            // A text that is there and is not read as a hash: empty, endless, not printable.
            Some(own) if own.has_password => return Ok(Some(SignInBlocker::HashNotAccepted(HashFormat::Unknown))),
            Some(_) => MissingPassword::Hash,
            None if accounts.iter().any(Account::is_credential) => MissingPassword::OwnAccount,
            None => MissingPassword::Account,
        };
        let others = accounts.into_iter().filter(|account| !account.is_credential());
        Ok(Some(SignInBlocker::NoPassword { lack, others: others.map(|account| account.provider_id).collect() }))
    }
}
