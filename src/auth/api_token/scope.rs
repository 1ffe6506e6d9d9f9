//! What an API token may do, in words.

use std::fmt;
use std::str::FromStr;

/// The longest scope in bytes.
const BYTES_MAX: usize = 64;

/// A word for something that a token may do. authctl knows a few; the others are for `guard --scope`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenScope(String);

impl TokenScope {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a command of authctl asks for it by itself.
    pub fn is_known(&self) -> bool {
        TokenRight::ALL.iter().any(|right| right.name() == self.0)
    }

    /// Reads scopes as stored, with blanks between them. A word that cannot be a scope is left out.
    pub fn read_all(stored: &str) -> Vec<Self> {
        stored.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// Writes scopes as [`Self::read_all`] reads them.
    pub fn write_all(scopes: &[Self]) -> String {
        scopes.iter().map(Self::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TokenRight> for TokenScope {
    fn from(right: TokenRight) -> Self {
        Self(right.name().to_owned())
    }
}

impl FromStr for TokenScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let may_be = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'_' | b'-');
        let is_scope = text.len() <= BYTES_MAX && text.bytes().all(may_be);
        if is_scope && text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "a scope is made of letters, digits and : . _ -, begins with a letter and has at most {BYTES_MAX}: such as \
                 guard, users:read or deploy"
            ))
        }
    }
}

/// What authctl itself lets a token do. Everything else needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRight {
    /// `whoami`.
    Whoami,
    /// `guard` without `--scope`.
    Guard,
    /// `users list`, `show`, `explain` and `exists`.
    UsersRead,
    /// `audit list` and `verify`.
    AuditRead,
}

impl TokenRight {
    pub const ALL: [Self; 4] = [Self::Whoami, Self::Guard, Self::UsersRead, Self::AuditRead];

    /// The scope that gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whoami => "whoami",
            Self::Guard => "guard",
            Self::UsersRead => "users:read",
            Self::AuditRead => "audit:read",
        }
    }

    /// Whether the owner must be an administrator, because the right is about other users.
    pub fn needs_admin(self) -> bool {
        matches!(self, Self::UsersRead | Self::AuditRead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_is_one_word() {
        for text in ["guard", "users:read", "deploy", "Deploy.prod-1_a"] {
            assert_eq!(text.parse::<TokenScope>().unwrap().as_str(), text);
        }
        for text in ["", "1a", ":a", "a b", "a,b", "ä", "a\n", &"a".repeat(65)] {
            assert!(text.parse::<TokenScope>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn scopes_are_read_as_written() {
        let scopes = ["guard", "users:read"].map(|text| text.parse::<TokenScope>().unwrap());
        assert_eq!(TokenScope::read_all(&TokenScope::write_all(&scopes)), scopes);
        assert_eq!(TokenScope::read_all("  guard\t ü "), scopes[..1]);
        assert_eq!(TokenScope::read_all(""), []);
        assert!(scopes.iter().all(TokenScope::is_known) && !"deploy".parse::<TokenScope>().unwrap().is_known());
    }
}
