//! The rules on a real database, called through the library with time passed in. Runs of the program would
//! have to wait for days.

mod account;
mod admin;
mod blockers;
mod codes;
mod email_verification;
mod impersonation;
mod model;
mod second_factor;
mod sessions;
mod signing_in;

use std::path::PathBuf;
use std::time::Duration;

use authctl::auth::app_secrets::AppSecrets;
use authctl::auth::email::Email;
use authctl::auth::policy::{Argon2Cost, PasswordRules, Policy};
use authctl::auth::second_factor::{FactorKey, FactorKeys, SealError};
use authctl::auth::secret::Entropy;
use authctl::auth::secret::{Password, Token};
use authctl::auth::session::Session;
use authctl::auth::storage::{AdminGuard, ClientInfo, Store};
use authctl::auth::user::User;
use authctl::auth::{
    Auth, AuthError, DeletionOptions, Lifetime, NewUser, PasswordInput, SessionRequest, SignIn, SignedIn,
};
use authctl::store::sqlite;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::scratch;

use crate::sandbox::past_authctl;
pub use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

/// A day in seconds.
const DAY: i64 = 86_400;

/// The cheapest accepted parameters of a hash.
const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 7_168, passes: 1, lanes: 1 };

/// The plain deletion of a user.
fn deletion(guard: AdminGuard) -> DeletionOptions {
    DeletionOptions { guard, force_shared: false, new_owner: None }
}

/// A fixed instant plus seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// A single key of second factors.
#[derive(Debug)]
struct Keyring(FactorKey);

impl FactorKeys for Keyring {
    fn current(&self, _: &mut Entropy) -> Result<FactorKey, SealError> {
        Ok(self.0.clone())
    }

    fn find(&self, name: &str) -> Result<FactorKey, SealError> {
        assert_eq!(name, self.0.name());
        Ok(self.0.clone())
    }

    fn add(&self, _: &mut Entropy) -> Result<FactorKey, SealError> {
        Err(SealError::Key { place: self.place(), problem: "it has a single key".into() })
    }

    fn place(&self) -> String {
        "a test".into()
    }
}

/// A database, a policy with cheap hashes, and deterministic randomness.
struct World {
    store: Box<dyn Store>,
    policy: Policy,
    entropy: Entropy,
    factor_keys: Keyring,
    app_secrets: AppSecrets,
    path: PathBuf,
    _directory: TempDir,
}

impl World {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o700);
        let directory =
            tempfile::Builder::new().prefix("authctl-").permissions(private).tempdir_in(scratch::directory()).unwrap();
        let path = directory.path().canonicalize().unwrap().join("auth.db");
        sqlite::create(&path, Duration::ZERO).unwrap();
        let store = Box::new(sqlite::open_own(&path, Duration::from_secs(5)).unwrap().into_store());
        let password = PasswordRules { cost: CHEAP, ..PasswordRules::default() };
        let policy = Policy { password, ..Policy::default() };
        let mut state = 0_u64;
        let entropy = Entropy::new(move |buffer| {
            for byte in buffer {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = state.to_be_bytes()[0];
            }
            Ok(())
        });
        let factor_keys = Keyring(FactorKey::generate(&mut Entropy::new(|_| Ok(()))).unwrap());
        let app_secrets = AppSecrets::default();
        Self { store, policy, entropy, factor_keys, app_secrets, path, _directory: directory }
    }

    /// A world where ada@example.com signed up at second 0 and has no session.
    fn with_ada() -> Self {
        let mut world = Self::new();
        world.sign_up("ada");
        world
    }

    /// The rules at an instant.
    fn at(&mut self, seconds: i64) -> Auth<'_> {
        let (store, policy, entropy) = (&mut *self.store, &self.policy, &mut self.entropy);
        Auth {
            store,
            policy,
            now: at(seconds),
            entropy,
            peppers: &authctl::auth::password::NoPeppers,
            factor_keys: &self.factor_keys,
            app_secrets: &self.app_secrets,
        }
    }

    fn session_request(&mut self, lifetime: Lifetime) -> SessionRequest {
        SessionRequest { token: self.entropy.token().unwrap(), lifetime, client_info: ClientInfo::default() }
    }

    /// Signs a user up at second 0, with [`PASSWORD`].
    fn sign_up(&mut self, name: &str) -> User {
        self.create(0, &format!("{name}@example.com"), name, None).unwrap().0
    }

    /// Creates a user with [`PASSWORD`].
    fn create(
        &mut self,
        seconds: i64,
        email: &str,
        name: &str,
        session: Option<&SessionRequest>,
    ) -> Result<(User, Option<Session>), AuthError> {
        let password = PasswordInput::Clear(password(PASSWORD));
        let new_user = NewUser { email, name, password: Some(&password), ..NewUser::default() };
        let new_user = new_user.check(&self.policy.password)?;
        self.at(seconds).create_user(&new_user, session)
    }

    /// Signs in and returns the token.
    fn sign_in(&mut self, name: &str, seconds: i64, lifetime: Lifetime) -> Token {
        let session_request = self.session_request(lifetime);
        self.at(seconds).sign_in(&request(name, PASSWORD), &session_request).unwrap();
        session_request.token
    }

    /// Tries to sign in with a remembered session.
    fn try_sign_in(&mut self, name: &str, password: &str, seconds: i64) -> Result<(User, Session), AuthError> {
        let session_request = self.session_request(Lifetime::Remembered);
        self.at(seconds).sign_in(&request(name, password), &session_request)
    }

    /// The user of a token, which must be valid.
    fn authenticate(&mut self, token: &Token, seconds: i64) -> SignedIn {
        self.at(seconds).authenticate(token).unwrap()
    }

    /// A connection of the test itself.
    fn sql(&self) -> rusqlite::Connection {
        past_authctl(&self.path)
    }

    /// Changes the data as another program would.
    fn edit(&self, sql: &str) {
        self.sql().execute_batch(sql).unwrap();
    }

    /// The stored hash of a user.
    fn hash_of(&mut self, user_id: &str) -> String {
        self.store.password_hash(user_id).unwrap().unwrap().expose().to_owned()
    }
}

fn request(name: &str, text: &str) -> SignIn {
    SignIn { email: Email::parse(&format!("{name}@example.com")).unwrap(), password: password(text), otp: None }
}

fn password(text: &str) -> Password {
    Password::from_bytes(text.as_bytes()).unwrap()
}

/// An error's message with all its causes.
fn message<T: std::fmt::Debug>(result: Result<T, AuthError>) -> String {
    let error = result.unwrap_err();
    format!("{error} ({error:?})")
}

fn wait_of<T: std::fmt::Debug>(result: Result<T, AuthError>) -> i64 {
    match result {
        Err(AuthError::Throttled { retry_after }) => retry_after.as_secs(),
        other => unreachable!("{other:?}"),
    }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}
