//! Secrets as types: what must never be shown cannot be shown.
//!
//! None of these types has `Display` or `Serialize`, their `Debug` is a mask, and their memory is
//! wiped when they go. Whoever needs the text says so with `expose`, which a reviewer can search for.

use std::fmt;

use zeroize::Zeroizing;

/// The most bytes a typed secret may have. Far above the longest password the policy allows
/// (128 UTF-16 units are at most 384 bytes), and small enough to read without thought.
pub const SECRET_BYTES_MAX: usize = 1024;

/// Why a secret that somebody handed over cannot be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// A NUL byte inside: other programs would cut the secret there.
    #[error("it contains a NUL byte")]
    Nul,
    /// Bytes that are not UTF-8: another program might read them as another secret.
    #[error("it is not valid UTF-8")]
    NotUtf8,
    /// More than [`SECRET_BYTES_MAX`] bytes.
    #[error("it is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
}

fn checked(bytes: &[u8]) -> Result<Zeroizing<String>, SecretError> {
    if bytes.is_empty() {
        return Err(SecretError::Empty);
    }
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(SecretError::TooLong);
    }
    if bytes.contains(&0) {
        return Err(SecretError::Nul);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| SecretError::NotUtf8)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// What all secrets have in common.
pub trait Secret: Sized {
    /// What a person calls it.
    const NAME: &'static str;

    /// Takes the secret's exact bytes, as each type's own `from_bytes` does.
    ///
    /// # Errors
    /// [`SecretError`].
    fn read(bytes: &[u8]) -> Result<Self, SecretError>;
}

macro_rules! secret_type {
    ($(#[$meta:meta])* $name:ident, $called:literal) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl Secret for $name {
            const NAME: &'static str = $called;

            fn read(bytes: &[u8]) -> Result<Self, SecretError> {
                Self::from_bytes(bytes)
            }
        }

        impl $name {
            /// Takes the secret's exact bytes.
            ///
            /// # Errors
            /// [`SecretError`] when the bytes are empty, too many, not UTF-8 or contain a NUL.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
                checked(bytes).map(Self)
            }

            /// Shows the secret's text to code that must handle it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
}

secret_type! {
    /// A password as its owner typed it: not trimmed, not normalised.
    Password, "password"
}
secret_type! {
    /// A session token in clear. It exists where it is made, in the session file, and nowhere else.
    Token, "token"
}
secret_type! {
    /// A password hash as the database holds it.
    StoredHash, "hash"
}

secret_type! {
    /// A code in clear: it exists where it is made, where it is handed out, and where it is typed.
    Code, "code"
}

secret_type! {
    /// The secret with which a Better Auth app signs its cookies.
    AppSecret, "secret"
}

impl PartialEq for Token {
    /// Compares two tokens that are both ours already, to tell which session a file holds. A token
    /// that somebody presents is looked up by its digest and never compared here.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself_in_debug() {
        let password = Password::from_bytes(b"canary-password").unwrap();
        let token = Token::from_bytes(b"canary-token").unwrap();
        let hash = StoredHash::from_bytes(b"canary-hash").unwrap();
        let shown = format!("{password:?} {token:?} {hash:?}");
        assert_eq!(shown, "Password(***) Token(***) StoredHash(***)");
    }

    #[test]
    fn unusable_bytes_are_refused_each_with_its_reason() {
        assert_eq!(Password::from_bytes(b"").unwrap_err(), SecretError::Empty);
        assert_eq!(Password::from_bytes(b"a\0b").unwrap_err(), SecretError::Nul);
        assert_eq!(Password::from_bytes(b"\xff\xfe").unwrap_err(), SecretError::NotUtf8);
        let long = vec![b'a'; SECRET_BYTES_MAX + 1];
        assert_eq!(Password::from_bytes(&long).unwrap_err(), SecretError::TooLong);
    }

    #[test]
    fn nothing_is_trimmed() {
        assert_eq!(Password::from_bytes(b"  a b \t").unwrap().expose(), "  a b \t");
    }
}
