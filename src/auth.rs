//! The rules of accounts, passwords and sessions.
//!
//! This module knows no terminal, file, SQL or clock. Time and random bytes are passed in, so tests control
//! them.

pub mod access;
pub mod api_token;
pub mod app_secrets;
pub mod audit;
pub mod codes;
pub mod converge;
pub mod cookie;
pub mod doctor;
pub mod duration;
pub mod email;
mod id_prefix;
pub mod import;
pub mod odd;
pub mod organization;
pub mod password;
pub mod policy;
pub mod prune;
pub mod second_factor;
pub mod secret;
pub mod session;
pub mod stats;
pub mod storage;
pub mod throttle;
pub mod user;

mod account;
mod admin;
mod authenticate;
mod sign_in;

use jiff::{SignedDuration, Timestamp};

use email::InvalidEmail;
use password::strength::WeakPassword;
use password::{HashError, HashFormat};
use policy::PolicyError;
use secret::EntropyError;
use storage::StoreError;
use user::ProfileError;

pub use access::{LockdownRequest, LockedDown};
pub use account::{Expected, NewUser, PasswordChanged, ValidatedNewUser};
pub use admin::{ActAs, DeletionOptions, Impersonator, PasswordInput};
pub use authenticate::{Admitted, Caller, InPerson, Person, SignedIn};
pub use codes::{AddressConfirmed, OwnerProof, PasswordReset};
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
    /// The peppers of hashes that Devise made.
    pub peppers: &'a dyn password::Peppers,
    /// The keys that encrypt the secrets of second factors.
    pub factor_keys: &'a dyn second_factor::FactorKeys,
    /// The secrets of the app of the database, if they were given.
    pub app_secrets: &'a app_secrets::AppSecrets,
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

    /// Refuses to admit a user by a database that others can replace.
    fn require_safe_place(&self) -> Result<(), AuthError> {
        match self.store.guest().and_then(|guest| guest.unsafe_place.clone()) {
            Some(place) => Err(StoreError::Unsafe(place).into()),
            None => Ok(()),
        }
    }

    fn hash(&mut self, password: &secret::Password) -> Result<secret::StoredHash, AuthError> {
        let scheme = self.store.scheme()?;
        Ok(password::hash(password, &scheme, &self.policy.password, self.entropy)?)
    }

    fn after(&self, life: jiff::SignedDuration) -> Timestamp {
        self.now.saturating_add(life).unwrap_or(Timestamp::MAX)
    }
}

/// Why the caller is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedOut {
    Expired,
    /// No session has this token. It ended, or never existed.
    Ended,
    /// The database does not have the sessions of its app, or not the column of their tokens.
    Unreached,
    /// The session is of another user than `guard` admitted.
    Guarded,
    /// `guard` took the session away (`--drop-session`).
    GuardDropped,
    /// `guard` admitted a user to another database.
    ElsewhereGuarded,
    /// The impersonator is no longer an administrator, or is banned.
    ImpersonatorGone,
    /// The impersonation is over, and the impersonator's own session is stored.
    ImpersonationOver,
    /// The API token has expired.
    TokenExpired,
    /// The database does not have the API token. It was revoked, or never existed.
    TokenEnded,
    /// The API keys of an app are checked by the app.
    TokenOfApp,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error(transparent)]
    InvalidEmail(#[from] InvalidEmail),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    #[error("a user with this email address exists")]
    UserExists,
    /// The user exists with other values than the requested ones (`--if-missing`).
    #[error("{email} exists and is not what was asked for: {differences}")]
    UserDiffers { email: String, differences: String },
    /// The address is unknown, or the password is wrong. The message does not say which.
    #[error("invalid email or password")]
    InvalidCredentials,
    /// The code is unknown, used, expired, or for another purpose. The message does not say which.
    #[error("the code is wrong, used or expired")]
    InvalidCode,
    /// The code is valid, but for another user than the caller.
    #[error("the code is for another user than the one who is signed in")]
    CodeOfAnother,
    /// The code is valid, but the password is not that of its user, who may have no password.
    #[error("the password is not that of the user whom the code is for")]
    PasswordOfAnother,
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("too many failed attempts")]
    Throttled { retry_after: SignedDuration },
    /// Other attempts are not decided yet, and the wait for a turn is over.
    #[error("other attempts are being checked")]
    AttemptsUndecided,
    /// The user is banned, and gave the right password.
    #[error("this user is banned")]
    Banned {
        /// The reason that the operator gave.
        reason: Option<String>,
        /// The end of the ban; `None` for a permanent one.
        until: Option<Timestamp>,
    },
    /// The app asks this user for a second factor, which authctl cannot check without the app's secret.
    #[error("this user has a second factor, which authctl checks only with the secret of the app")]
    SecondFactor,
    /// The user has a second factor, and gave no code of it beside the right password.
    #[error("a code of the second factor is needed too")]
    OtpNeeded,
    /// The code is wrong, or was used before. The message does not say which.
    #[error("the code of the second factor is wrong or was used before")]
    InvalidOtp,
    /// Too many codes were wrong.
    #[error("the second factor is locked after wrong codes")]
    FactorLocked { retry_after: SignedDuration },
    /// The user is marked as having a second factor, and no code of it can be right.
    #[error("this user has a second factor that cannot be used")]
    FactorUnusable,
    /// The app of the database checks its second factors.
    #[error("the second factors of this database are those of its app")]
    FactorOfApp,
    #[error("a second factor is on already")]
    FactorIsOn,
    #[error("no second factor is on")]
    FactorIsOff,
    /// The policy lets the user only set up a second factor.
    #[error("the policy requires a second factor, and yours is off")]
    FactorRequired,
    /// No secret waits for its first code.
    #[error("no second factor waits for a code that turns it on")]
    FactorNotBegun,
    /// The given secrets of the app do not read some values. Holds their number.
    #[error("the given secrets of the app read all but {} of what the app encrypted", audit::counted(*.0, "value"))]
    SecretsUnreadable(u64),
    #[error(transparent)]
    Seal(#[from] second_factor::SealError),
    /// The policy requires a verified address.
    #[error("the email address is not verified")]
    EmailNotVerified { email: String },
    #[error("the email address is verified already")]
    AlreadyVerified,
    #[error("this is the address of the account already")]
    SameEmail,
    #[error("not signed in")]
    NotSignedIn(SignedOut),
    /// Under `guard`, the command would store or replace a session of another user.
    #[error("`authctl guard` let one user in, and this would store or replace a session of another")]
    NotAdmitted,
    #[error("the sign-in is too long ago for this")]
    NotFresh,
    /// The session is impersonated, and only the user may do this.
    #[error("you are acting as {email}; only the user can do this")]
    Impersonated { email: String },
    #[error("you are acting as another user already")]
    ImpersonatesAlready,
    #[error("you are not acting as another user")]
    NotImpersonating,
    /// The app's database takes only the id of a user as the impersonator.
    #[error("this app records the user who acts as another, and you are not signed in")]
    ImpersonatorNotAUser,
    /// Acting as an administrator needs `--force`.
    #[error("this user is an administrator")]
    ActingAsAdmin,
    /// The user does not have the required role.
    #[error("the role {0} is needed")]
    WrongRole(String),
    #[error("no such user: {0}")]
    NoSuchUser(String),
    /// No user has the address as given, and several have it in another spelling.
    #[error("no user has the address {address} as written, and several have it in another spelling: {ids}")]
    AmbiguousUser {
        address: String,
        /// Their ids.
        ids: String,
    },
    /// Several ids begin with the text that was given for one.
    #[error("several ids begin with {prefix}: {matches}")]
    AmbiguousId { prefix: String, matches: String },
    #[error("a role is made of letters, digits, _ and -; several are separated by commas")]
    InvalidRole,
    /// The role looks like `admin` and gives none of its rights.
    #[error("the role {0} differs from admin in case only, and gives none of an administrator's rights")]
    RoleTwin(String),
    /// No sign-in would accept the hash.
    #[error("a hash of this kind is {} ({})", .0.problem(), .0.name())]
    HashNotAccepted(HashFormat),
    /// The app would not verify the hash.
    #[error("the app that owns this database keeps {kept}, and this hash is {given}")]
    HashNotTheApps { given: &'static str, kept: &'static str },
    /// The password was set, but the stored hash does not match it.
    #[error("the stored hash is not that of the password")]
    NotInForce,
    #[error("no such session: {0}")]
    NoSuchSession(String),
    #[error("no such API token: {0}")]
    NoSuchToken(String),
    /// The caller is a program with an API token, and the act needs a person or a scope that does not exist.
    #[error("an API token cannot do this")]
    NotByToken,
    #[error("the API token does not have the scope {0}")]
    ScopeMissing(String),
    /// The user is a machine, and the act is about a password, a session or mail.
    #[error("this is a machine user: it has no password and does not sign in")]
    MachineUser,
    /// An app has permissions for resources and actions, and the scope names no action.
    #[error("the scope {0} is no permission of an app")]
    NotAPermission(String),
    /// The database has no organizations.
    #[error("the app of this database has no organizations")]
    NoOrganizations,
    #[error("no such organization: {0}")]
    NoSuchOrganization(String),
    #[error("{0} is a member already")]
    AlreadyMember(String),
    #[error("{0} has an open invitation already")]
    AlreadyInvited(String),
    #[error("not a member of the organization: {0}")]
    NotAMember(String),
    #[error("this is the last owner of {0}")]
    LastOwner(String),
    /// The database of an app has no table of API keys.
    #[error("the app of this database has no API keys")]
    NoApiKeys,
    /// The user signs in with another provider.
    #[error("this user has no password")]
    NoPassword,
    /// Another process changed the password at the same time.
    #[error("another process has changed the password in the meantime")]
    ChangedMeanwhile,
    #[error("this is the last administrator")]
    LastAdmin,
    /// Other users sign in with what belongs to the user to delete.
    #[error("other users need what belongs to this one: {}", storage::needed(.0))]
    SharedWithOthers(Vec<storage::SharedRow>),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::EmailTaken => Self::UserExists,
            StoreError::Caller(refused) => *refused,
            other => Self::Store(other),
        }
    }
}

/// Values for tests.
#[cfg(test)]
pub(crate) mod fixtures {
    use jiff::Timestamp;

    use super::policy::{Argon2Cost, PasswordRules};
    use super::second_factor::{FactorKey, FactorKeys, SealError};
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
            odd: Vec::new(),
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
            odd: Vec::new(),
        }
    }

    /// A single key, which a seed decides.
    #[derive(Debug)]
    pub(crate) struct FactorKeyring(FactorKey);

    impl FactorKeyring {
        pub(crate) fn new(seed: u8) -> Self {
            Self(FactorKey::generate(&mut entropy(seed)).unwrap())
        }
    }

    impl FactorKeys for FactorKeyring {
        fn current(&self, _: &mut Entropy) -> Result<FactorKey, SealError> {
            Ok(self.0.clone())
        }

        fn find(&self, name: &str) -> Result<FactorKey, SealError> {
            let key = (self.0.name() == name).then(|| self.0.clone());
            key.ok_or_else(|| SealError::NoKey { name: name.to_owned(), place: "a test".to_owned() })
        }

        fn add(&self, _: &mut Entropy) -> Result<FactorKey, SealError> {
            Err(SealError::Key { place: self.place(), problem: "it has a single key".to_owned() })
        }

        fn place(&self) -> String {
            "a test".to_owned()
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
