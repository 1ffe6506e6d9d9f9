//! What kind of password hash a text is, by its shape alone. Nothing is computed.

use super::{argon2id, bcrypt, scrypt};
use crate::auth::policy::{Argon2Cost, PasswordRules};
use crate::auth::random::EntropyError;
use crate::auth::secret::StoredHash;

/// A kind of password hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFormat {
    /// One that a sign-in verifies, with its cost.
    Accepted(HashParams),
    /// An argon2 hash that is not accepted: another variant or version, or out of bounds.
    Argon2Refused,
    /// A bcrypt hash that is not accepted: another variant, out of bounds or damaged.
    BcryptRefused,
    /// Something else.
    Unknown,
}

impl HashFormat {
    /// Tells the kind of a hash.
    pub fn of(stored: &StoredHash) -> Self {
        let text = stored.expose();
        if let Some(recipe) = HashParams::of(stored) {
            Self::Accepted(recipe)
        } else if text.starts_with("$argon2") {
            Self::Argon2Refused
        } else if ["$2$", "$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            Self::BcryptRefused
        } else {
            Self::Unknown
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted(recipe) => recipe.name(),
            Self::Argon2Refused => "argon2-refused",
            Self::BcryptRefused => "bcrypt-refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a sign-in in an authctl database can verify it.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// Whether a sign-in in an authctl database would replace it by a stronger one.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        matches!(self, Self::Accepted(recipe) if recipe.is_outdated(rules))
    }
}

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

/// A hash could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No random salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The hash function failed: no memory, or a cost that it does not know.
    #[error("the password hash could not be computed: {0}")]
    Failed(String),
    /// The function of the app does not read as much.
    #[error("the password is longer than {bytes} bytes, and the app's bcrypt reads no more")]
    TooLong {
        /// What it reads.
        bytes: usize,
    },
    /// Nobody can tell which hash the app would verify.
    #[error("it is not clear what the app that owns the database can verify: it holds {kinds}")]
    Unclear {
        /// The names of the kinds of hashes that are there.
        kinds: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_shape() {
        let kind = |text: &str| HashFormat::of(&StoredHash::from_bytes(text.as_bytes()).unwrap()).name();
        let argon2 = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(kind(argon2), "argon2id");
        assert_eq!(kind(&argon2.replace("argon2id", "argon2i")), "argon2-refused");
        assert_eq!(kind(&argon2.replace("m=65536", "m=8")), "argon2-refused");
        assert_eq!(kind(&format!("{}:{}", "0a".repeat(16), "1b".repeat(64))), "better-auth-scrypt");
        assert_eq!(kind(&format!("{}:{}", "0A".repeat(16), "1b".repeat(64))), "unknown");
        let bcrypt = "$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
        assert_eq!(kind(bcrypt), "bcrypt");
        assert_eq!(kind(&bcrypt.replace("$06$", "$31$")), "bcrypt-refused");
        assert_eq!(kind(&bcrypt.replace("$2b$", "$2y$")), "bcrypt-refused");
        assert_eq!(kind("5f4dcc3b5aa765d61d8327deb882cf99"), "unknown");
    }
}
