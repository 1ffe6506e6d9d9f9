//! The rules of accounts, passwords and sessions.
//!
//! This module knows no terminal, file, SQL or clock. Time and random bytes are passed in, so tests control
//! them.

pub mod audit;
pub mod codes;
pub mod cookie;
pub mod doctor;
pub mod duration;
pub mod email;
pub mod error;
pub mod password;
pub mod policy;
pub mod secret;
pub mod session;
pub mod storage;
pub mod throttle;
pub mod user;

mod account;
mod admin;
mod authenticate;
mod impersonate;
mod sign_in;

use jiff::Timestamp;

pub use account::{Expected, NewUser, PasswordChanged, ValidatedNewUser};
pub use admin::PasswordInput;
pub use authenticate::{Admitted, Caller, InPerson, SignedIn};
pub use codes::{AddressConfirmed, OwnerProof, PasswordReset};
pub use error::{AuthError, SignedOut};
pub use impersonate::{ActAs, Impersonator};
pub use session::Scope;
pub use sign_in::{MissingPassword, SignIn, SignInBlocker};

/// The rules, applied to one database at one time.
#[derive(Debug)]
pub struct Auth<'a> {
    pub store: &'a mut dyn storage::Store,
    pub policy: &'a policy::Policy,
    /// The time of the call.
    pub now: Timestamp,
    pub entropy: &'a mut secret::Entropy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// The lifetime that the policy sets. Use extends it.
    Remembered,
    /// The short lifetime that the policy sets (`--no-remember`). Use does not extend it.
    Short,
    Exactly(jiff::SignedDuration),
}

/// A request for a session of a user who is not known yet.
#[derive(Debug, Clone)]
pub struct SessionRequest {
    /// Made and stored by the caller before the session exists.
    pub token: secret::Token,
    pub lifetime: Lifetime,
    pub client_info: storage::ClientInfo,
}

impl Auth<'_> {
    fn new_session(
        &mut self,
        session_request: &SessionRequest,
        user_id: &str,
    ) -> Result<storage::NewSessionRow, AuthError> {
        let rules = &self.policy.session;
        let life = match session_request.lifetime {
            Lifetime::Remembered => rules.lives_for,
            Lifetime::Short => rules.short_for,
            Lifetime::Exactly(life) => life,
        };
        Ok(storage::NewSessionRow {
            id: self.entropy.id()?,
            token: session_request.token.clone(),
            user_id: user_id.to_owned(),
            now: self.now,
            expires_at: self.after(life),
            client_info: session_request.client_info.clone(),
            impersonated_by: None,
        })
    }

    /// Counts an attempt as failed before its result is known, or refuses it.
    fn count_attempt(&mut self, key: &throttle::AttemptKey) -> Result<(), AuthError> {
        self.store.count_attempt(key, self.now, &self.policy.throttle)?.require()
    }

    /// Reserves an attempt, or refuses it. The caller must end the reservation: with [`Auth::fail_attempt`],
    /// with an act that succeeds, or with a release.
    fn reserve_attempt(&mut self, key: throttle::AttemptKey) -> Result<throttle::AttemptKey, AuthError> {
        let key = key.reserved(self.entropy.id()?);
        self.store.reserve_attempt(&key, self.now, &self.policy.throttle)?.require()?;
        Ok(key)
    }

    fn fail_attempt(&mut self, key: &throttle::AttemptKey, event: Option<audit::Event>) -> Result<(), AuthError> {
        Ok(self.store.fail_attempt(key, self.now, &self.policy.throttle, event)?)
    }

    /// Releases a reserved attempt if its result could not be computed, because then it was no guess. If the
    /// release fails too, the reservation counts as a failure after a minute.
    fn or_release<T, E: Into<AuthError>>(
        &mut self,
        key: &throttle::AttemptKey,
        computed: Result<T, E>,
    ) -> Result<T, AuthError> {
        computed.map_err(|error| {
            let _ = self.store.release_attempt(key);
            error.into()
        })
    }

    fn hash(&mut self, password: &secret::Password) -> Result<secret::StoredHash, AuthError> {
        let scheme = self.store.scheme()?;
        Ok(password::hash(password, &scheme, &self.policy.password, self.entropy)?)
    }

    fn after(&self, life: jiff::SignedDuration) -> Timestamp {
        self.now.saturating_add(life).unwrap_or(Timestamp::MAX)
    }
}

/// Values for tests.
#[cfg(test)]
pub(crate) mod fixtures {
    use jiff::Timestamp;

    use super::policy::{Argon2Cost, PasswordRules};
    use super::secret::{Entropy, Password};
    use super::session::Session;
    use super::user::User;

    /// A day in 2026, plus seconds.
    pub(crate) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    /// The cheapest accepted hash, for tests that compute many.
    pub(crate) fn cheap() -> PasswordRules {
        PasswordRules { cost: Argon2Cost { memory_kib: 7_168, passes: 1, lanes: 1 }, ..PasswordRules::default() }
    }

    pub(crate) fn password(text: &str) -> Password {
        Password::from_bytes(text.as_bytes()).unwrap()
    }

    pub(crate) fn session(created: i64, expires: i64) -> Session {
        Session {
            id: "session-1".into(),
            user_id: "user-1".into(),
            expires_at: at(expires),
            created_at: at(created),
            updated_at: at(created),
            ip_address: None,
            user_agent: None,
            impersonated_by: None,
        }
    }

    pub(crate) fn user() -> User {
        User {
            id: "user-1".into(),
            name: "Ada".into(),
            email: "ada@example.com".into(),
            email_verified: false,
            image: None,
            image_left_out: None,
            created_at: at(0),
            updated_at: at(0),
            role: None,
            banned: false,
            ban_reason: None,
            ban_expires: None,
            two_factor_enabled: false,
        }
    }

    /// Bytes that are the same in every run.
    pub(crate) fn entropy(seed: u8) -> Entropy {
        let mut next = u32::from(seed).wrapping_mul(2_654_435_761);
        Entropy::new(move |buffer| {
            for byte in buffer {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = next.to_be_bytes()[0];
            }
            Ok(())
        })
    }
}
