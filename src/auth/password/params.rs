//! The hash functions that are known, each with its cost.

use super::{argon2id, bcrypt, scrypt};
use crate::auth::policy::{Argon2Cost, PasswordRules};
use crate::auth::secret::StoredHash;

/// How a hash is made: the function and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashParams {
    /// argon2id in PHC form.
    Argon2id(Argon2Cost),
    /// Better Auth's default: scrypt, salt and key in hex with a colon between.
    Scrypt,
    /// bcrypt in its modular crypt form; each step of the cost doubles the work.
    Bcrypt(u32),
}

impl HashParams {
    /// Tells how a stored hash was made, when it may be computed here. Nothing is computed.
    pub fn of(stored: &StoredHash) -> Option<Self> {
        let text = stored.expose();
        if scrypt::is_accepted(text) {
            return Some(Self::Scrypt);
        }
        argon2id::cost(text).map(Self::Argon2id).or_else(|| bcrypt::cost(text).map(Self::Bcrypt))
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "argon2id",
            Self::Scrypt => "better-auth-scrypt",
            Self::Bcrypt(_) => "bcrypt",
        }
    }

    /// Whether a sign-in to a database of authctl would replace such a hash by a stronger one. To
    /// have one function for all is worth more than to weigh one against another.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        match self {
            Self::Argon2id(cost) => cost.is_weaker_than(rules.cost),
            Self::Scrypt | Self::Bcrypt(_) => true,
        }
    }

    /// How much there is to do, to be compared with another cost of the same function.
    pub(super) fn work(self) -> u64 {
        match self {
            Self::Argon2id(cost) => u64::from(cost.memory_kib) * u64::from(cost.passes),
            Self::Scrypt => 1,
            Self::Bcrypt(cost) => cost.into(),
        }
    }
}
