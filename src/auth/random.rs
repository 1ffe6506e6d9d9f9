//! Random text for ids and tokens, and the digest under which a token is stored.

use sha2::{Digest as _, Sha256};

use super::secret::{Code, Password, Token};

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
    hex(&Sha256::digest(text.as_ref()))
}

/// Bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Entropy that repeats itself from one run to the next: bytes counted up from a seed.
    pub(crate) fn counted(seed: u8) -> Entropy {
        let mut next = u32::from(seed).wrapping_mul(2_654_435_761);
        Entropy::new(move |buffer| {
            for byte in buffer {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = next.to_be_bytes()[0];
            }
            Ok(())
        })
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
        let mut entropy = counted(1);
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
