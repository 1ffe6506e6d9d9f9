//! Small values for the tests of the rules.

use jiff::Timestamp;

use super::policy::{Argon2Cost, PasswordRules};
use super::secret::Password;
use super::session::Session;
use super::user::User;

/// Some day in 2026, plus seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// The cheapest hash that is accepted, for tests that need many.
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
