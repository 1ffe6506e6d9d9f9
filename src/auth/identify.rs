//! What kind of password hash a text is, by its shape alone. Nothing is computed.

use super::password;
use super::policy::{Argon2Cost, PasswordRules};
use super::secret::StoredHash;

/// A kind of password hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// argon2id within the accepted bounds, with its cost.
    Argon2id(Argon2Cost),
    /// An argon2 hash that is not accepted: another variant or version, or out of bounds.
    Argon2Refused,
    /// Better Auth's default: scrypt, salt and key in hex with a colon between.
    BetterAuthScrypt,
    /// bcrypt in its modular crypt form.
    Bcrypt,
    /// Something else.
    Unknown,
}

impl HashKind {
    /// Tells the kind of a hash.
    pub fn of(stored: &StoredHash) -> Self {
        let text = stored.expose();
        if let Some(cost) = password::accepted_cost(stored) {
            Self::Argon2id(cost)
        } else if text.starts_with("$argon2") {
            Self::Argon2Refused
        } else if is_better_auth_scrypt(text) {
            Self::BetterAuthScrypt
        } else if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) && text.len() == 60 {
            Self::Bcrypt
        } else {
            Self::Unknown
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "argon2id",
            Self::Argon2Refused => "argon2-refused",
            Self::BetterAuthScrypt => "better-auth-scrypt",
            Self::Bcrypt => "bcrypt",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a sign-in in an authctl database can verify it.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Argon2id(_))
    }

    /// Whether a sign-in would replace it by a stronger one.
    pub fn is_outdated(self, rules: &PasswordRules) -> bool {
        matches!(self, Self::Argon2id(cost) if cost.is_weaker_than(rules.cost))
    }
}

/// 32 hex digits of salt, a colon, 128 hex digits of key, all lower case.
fn is_better_auth_scrypt(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.split_once(':').is_some_and(|(salt, key)| salt.len() == 32 && key.len() == 128 && is_hex(salt) && is_hex(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_shape() {
        let kind = |text: &str| HashKind::of(&StoredHash::from_bytes(text.as_bytes()).unwrap()).name();
        let argon2 = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(kind(argon2), "argon2id");
        assert_eq!(kind(&argon2.replace("argon2id", "argon2i")), "argon2-refused");
        assert_eq!(kind(&argon2.replace("m=65536", "m=8")), "argon2-refused");
        assert_eq!(kind(&format!("{}:{}", "0a".repeat(16), "1b".repeat(64))), "better-auth-scrypt");
        assert_eq!(kind(&format!("{}:{}", "0A".repeat(16), "1b".repeat(64))), "unknown");
        assert_eq!(kind(&format!("$2b$12${}", "a".repeat(53))), "bcrypt");
        assert_eq!(kind("5f4dcc3b5aa765d61d8327deb882cf99"), "unknown");
    }
}
