//! Secrets as types: what must never be shown cannot be shown.
//!
//! None of these types has `Display` or `Serialize`, their `Debug` is a mask, and their memory is
//! wiped when they go. Whoever needs the text says so with `expose`, which a reviewer can search for.

use std::fmt;

use sha2::{Digest as _, Sha256};
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

/// The characters of ids and tokens: Better Auth's `generateId` alphabet.
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Length of a row id in characters, as Better Auth makes them.
pub const ID_LENGTH: usize = 32;

/// Length of a session token in characters. 32 characters of 62 are 190 bits; OWASP ASVS 7.2.3
/// asks for 128. Longer than Better Auth's column habit would gain nothing.
pub const TOKEN_LENGTH: usize = 32;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct EntropyError(pub String);

/// A source of random bytes that fills the given buffer.
type Fill = dyn FnMut(&mut [u8]) -> Result<(), EntropyError>;

/// Where random bytes come from: the operating system in the program, a counter in a test.
pub struct Entropy(Box<Fill>);

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(..)")
    }
}

impl Entropy {
    /// Takes the function that fills a buffer with random bytes.
    pub fn new(fill: impl FnMut(&mut [u8]) -> Result<(), EntropyError> + 'static) -> Self {
        Self(Box::new(fill))
    }

    /// Fills a buffer with random bytes.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        (self.0)(buffer)
    }

    /// Makes a fresh row id.
    pub fn id(&mut self) -> Result<String, EntropyError> {
        self.text(ID_LENGTH)
    }

    /// Makes a fresh code, as long as Better Auth's: 24 characters of 62 are 142 bits.
    pub fn code(&mut self) -> Result<Code, EntropyError> {
        let text = zeroize::Zeroizing::new(self.text(24)?);
        Code::from_bytes(text.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    /// Makes a random password: 24 characters of 62 are 142 bits, far beyond guessing.
    pub fn password(&mut self) -> Result<Password, EntropyError> {
        let text = zeroize::Zeroizing::new(self.text(24)?);
        Password::from_bytes(text.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    /// Makes a fresh session token.
    pub fn token(&mut self) -> Result<Token, EntropyError> {
        let text = zeroize::Zeroizing::new(self.text(TOKEN_LENGTH)?);
        Token::from_bytes(text.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    /// Draws characters evenly: a byte that would favour the first letters is thrown away.
    fn text(&mut self, length: usize) -> Result<String, EntropyError> {
        let even = 256 - 256 % ALPHABET.len();
        let mut text = String::with_capacity(length);
        let mut bytes = zeroize::Zeroizing::new([0_u8; 64]);
        while text.len() < length {
            self.fill(bytes.as_mut_slice())?;
            let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < even);
            text.extend(drawn.take(length - text.len()).map(|byte| char::from(ALPHABET[byte % ALPHABET.len()])));
        }
        Ok(text)
    }
}

/// SHA-256 of some bytes in lower-case hex.
///
/// Enough for what has more than 112 bits of its own (a token); a guessable text needs the
/// password hash instead.
pub fn digest(text: impl AsRef<[u8]>) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::entropy;

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

    #[test]
    fn bytes_that_would_favour_some_letters_are_thrown_away() {
        // 248..=255 are past the last whole multiple of 62; a source of nothing but 255 would
        // never end, so mix one usable byte in.
        let mut turn = 0_u8;
        let mut entropy = Entropy::new(move |buffer| {
            buffer.fill(255);
            buffer[0] = turn;
            turn += 1;
            Ok(())
        });
        assert_eq!(entropy.text(4).unwrap(), "abcd");
    }

    #[test]
    fn ids_and_tokens_have_the_promised_shape() {
        let mut entropy = entropy(1);
        let id = entropy.id().unwrap();
        let token = entropy.token().unwrap();
        assert_eq!((id.len(), token.expose().len()), (ID_LENGTH, TOKEN_LENGTH));
        assert!(id.bytes().chain(token.expose().bytes()).all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(id, token.expose());
    }

    #[test]
    fn no_randomness_is_an_error_and_not_a_weak_token() {
        let mut entropy = Entropy::new(|_| Err(EntropyError("closed".into())));
        assert!(entropy.token().is_err());
    }

    #[test]
    fn the_digest_is_plain_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
