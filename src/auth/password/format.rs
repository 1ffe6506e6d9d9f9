//! What kind of password hash a text is, by its shape alone. Nothing is computed.

use super::HashParams;
use crate::auth::policy::PasswordRules;
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
