//! The rules' numbers, each with its unit and source, and the keys under which a database may set
//! its own.

mod key;
mod keys;

use jiff::SignedDuration;

pub use key::{Key, PolicyError, Range};
pub use keys::KEYS;

/// The longest life that a policy can give to a session (`session.lifetime`).
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Everything about the rules that a database may set for itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// How long sessions live.
    pub session: SessionRules,
    /// What a password must be and how it is hashed.
    pub password: PasswordRules,
    /// How guessing is slowed down.
    pub throttle: ThrottleRules,
    /// What an address must have shown.
    pub email: EmailRules,
    /// How mail is sent.
    pub mail: MailRules,
}

/// How mail is sent; nothing is by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailRules {
    /// `smtp://HOST`, `smtps://HOST` or `sendmail:`.
    pub url: Option<String>,
    /// The sender.
    pub from: Option<String>,
    /// A file with the user and the password for the server, a line each.
    pub credentials_file: Option<String>,
}

/// What an address must have shown before its owner may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmailRules {
    /// Whether sign-in refuses users whose address is not verified. Off, as in Better Auth.
    pub verification_required: bool,
}

/// How long sessions live. The defaults are Better Auth's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRules {
    /// Life of a session, counted again from each move: 7 days.
    pub lives_for: SignedDuration,
    /// Life of a session asked for with `--no-remember`: 1 day.
    pub short_for: SignedDuration,
    /// Least time between two moves: 1 day.
    pub move_after: SignedDuration,
    /// How long after sign-in a session may do what cannot be undone: 1 day.
    pub fresh_for: SignedDuration,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            lives_for: SignedDuration::from_hours(7 * 24),
            short_for: SignedDuration::from_hours(24),
            move_after: SignedDuration::from_hours(24),
            fresh_for: SignedDuration::from_hours(24),
        }
    }
}

/// What a password must be and how it is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest UTF-16 units: 8, as Better Auth counts.
    pub length_min: u32,
    /// Most UTF-16 units: 128, as Better Auth counts.
    pub length_max: u32,
    /// Least zxcvbn score, 0 to 4. 2 means more than a million guesses: beyond what the throttle
    /// lets through in the life of a session.
    pub strength_min: u32,
    /// Cost of a new hash.
    pub cost: Argon2Cost,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { length_min: 8, length_max: 128, strength_min: 2, cost: Argon2Cost::default() }
    }
}

/// What one argon2id hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Argon2Cost {
    /// Whether a hash of this cost is cheaper to guess than one of the other: it takes less memory,
    /// or less work in all.
    pub fn is_weaker_than(self, other: Self) -> bool {
        let work = |cost: Self| u64::from(cost.memory_kib) * u64::from(cost.passes);
        self.memory_kib < other.memory_kib || work(self) < work(other)
    }
}

impl Default for Argon2Cost {
    /// OWASP Password Storage Cheat Sheet, the first of its equal sets: 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// How guessing is slowed down, counted for each address, known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThrottleRules {
    /// Attempts that cost no wait: 5.
    pub free_attempts: u32,
    /// The first wait, doubled by each further failure: 15 seconds.
    pub first_wait: SignedDuration,
    /// The longest wait: 15 minutes. A stranger cannot lock a user out permanently.
    pub longest_wait: SignedDuration,
    /// Failures older than this are forgotten: 24 hours.
    pub forget_after: SignedDuration,
}

impl ThrottleRules {
    /// The rules for codes that name no user. All of them count together, so their waits are short: a
    /// stranger keeps nobody waiting, and a code of 142 bits is not found by guessing.
    #[must_use]
    pub fn of_unknown_codes(&self) -> Self {
        Self {
            first_wait: self.first_wait.min(SignedDuration::from_secs(1)),
            longest_wait: self.longest_wait.min(SignedDuration::from_secs(5)),
            ..self.clone()
        }
    }
}

impl Default for ThrottleRules {
    fn default() -> Self {
        Self {
            free_attempts: 5,
            first_wait: SignedDuration::from_secs(15),
            longest_wait: SignedDuration::from_mins(15),
            forget_after: SignedDuration::from_hours(24),
        }
    }
}
