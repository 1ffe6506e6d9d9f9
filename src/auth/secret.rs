//! Secrets as types, the random source that makes them, and the digest that is stored of them.
//!
//! Secrets have no `Display` and no `Serialize`, their `Debug` is masked, and their memory is wiped on drop. Code
//! reads the text with `expose`, which a reviewer can search for.

use std::fmt;
use std::io::{self, BufRead};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The longest secret in bytes. The longest password of the policy is far shorter: 256 UTF-16 units are at most
/// 768 bytes.
pub const SECRET_BYTES_MAX: usize = 1024;

/// Why a text cannot be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("it is empty")]
    Empty,
    /// Other programs would cut the secret at a NUL byte.
    #[error("it contains a NUL byte")]
    Nul,
    /// Another program may read such bytes as another secret.
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

/// A secret that can be read from input.
pub trait Secret: Sized {
    /// The name in messages.
    const NAME: &'static str;

    /// As `from_bytes` of each type.
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
            /// Takes the exact bytes: nothing is trimmed.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
                checked(bytes).map(Self)
            }

            /// The text of the secret.
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
    /// A password as the user typed it, not normalised.
    Password, "password"
}
secret_type! {
    /// A session token in clear. The session file stores it, a native database only its digest.
    Token, "token"
}
secret_type! {
    /// A password hash as the database stores it.
    StoredHash, "hash"
}

secret_type! {
    /// A code in clear. A native database stores its digest.
    Code, "code"
}

secret_type! {
    /// A text that another system hashed behind each password.
    Pepper, "pepper"
}

secret_type! {
    /// The secret that signs the cookies of a Better Auth app.
    AppSecret, "secret"
}

impl PartialEq for Token {
    /// Compares two tokens of the caller, to find which session a file holds. The token of a request is looked up
    /// by its digest and never compared here.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

/// The characters of codes that people type: digits and capitals that do not look alike, as in Crockford's base 32.
const TYPED: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many characters such a code has: 30 of 32 are 150 bits.
const TYPED_CHARS: usize = 30;
/// The characters of a group, for reading and typing.
const TYPED_GROUP: usize = 5;
/// The length of such a code with the marks between its groups.
pub const CODE_LENGTH: usize = TYPED_CHARS + TYPED_CHARS / TYPED_GROUP - 1;
/// The length of the code of an app: 24 characters of 62 are 142 bits.
pub const APP_CODE_LENGTH: usize = 24;

impl Code {
    /// The code as its digest has it. Of a code that [`Entropy::code`] made, the case of letters, blanks and hyphens have no
    /// meaning, and letters that look like digits stand for these. Any other text is meant as it is.
    pub fn canonical(&self) -> Zeroizing<String> {
        let typed = self.expose().chars().filter(|c| !c.is_whitespace() && *c != '-');
        let plain: Zeroizing<String> = Zeroizing::new(
            typed
                .map(|c| match c.to_ascii_uppercase() {
                    'O' => '0',
                    'I' | 'L' => '1',
                    other => other,
                })
                .collect(),
        );
        let is_typed = plain.len() == TYPED_CHARS && plain.bytes().all(|byte| TYPED.contains(&byte));
        if is_typed { plain } else { self.0.clone() }
    }
}

/// The characters of ids and tokens, those of Better Auth's `generateId`.
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Length of a row id in characters, as in Better Auth.
pub const ID_LENGTH: usize = 32;

/// Length of a session token in characters, as in Better Auth. 32 characters of 62 are 190 bits; OWASP ASVS 7.2.3
/// requires 128.
pub const TOKEN_LENGTH: usize = 32;

#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct EntropyError(pub String);

type Fill = dyn FnMut(&mut [u8]) -> Result<(), EntropyError>;

/// A source of random bytes: the operating system in the program, a counter in tests.
pub struct Entropy(Box<Fill>);

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(..)")
    }
}

impl Entropy {
    /// Takes a function that fills a buffer with random bytes.
    pub fn new(fill: impl FnMut(&mut [u8]) -> Result<(), EntropyError> + 'static) -> Self {
        Self(Box::new(fill))
    }

    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        (self.0)(buffer)
    }

    pub fn id(&mut self) -> Result<String, EntropyError> {
        self.text(ID_LENGTH)
    }

    /// Makes a code that is easy to type, in groups such as `7K2QF-9XWRT-...`.
    pub fn code(&mut self) -> Result<Code, EntropyError> {
        let plain = Zeroizing::new(self.text_of(TYPED, TYPED_CHARS)?);
        let mut grouped = Zeroizing::new(String::with_capacity(CODE_LENGTH));
        for (index, c) in plain.chars().enumerate() {
            if index > 0 && index % TYPED_GROUP == 0 {
                grouped.push('-');
            }
            grouped.push(c);
        }
        Code::from_bytes(grouped.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    /// Makes a code as Better Auth makes it.
    pub fn app_code(&mut self) -> Result<Code, EntropyError> {
        let text = Zeroizing::new(self.text(APP_CODE_LENGTH)?);
        Code::from_bytes(text.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    /// Makes a password: 24 characters of 62 are 142 bits.
    pub fn password(&mut self) -> Result<Password, EntropyError> {
        let text = zeroize::Zeroizing::new(self.text(24)?);
        Password::from_bytes(text.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    pub fn token(&mut self) -> Result<Token, EntropyError> {
        let text = zeroize::Zeroizing::new(self.text(TOKEN_LENGTH)?);
        Token::from_bytes(text.as_bytes()).map_err(|error| EntropyError(error.to_string()))
    }

    pub(super) fn text(&mut self, length: usize) -> Result<String, EntropyError> {
        self.text_of(ALPHABET, length)
    }

    /// Draws characters evenly. A byte that would favour the first letters is dropped.
    fn text_of(&mut self, alphabet: &[u8], length: usize) -> Result<String, EntropyError> {
        let even = 256 - 256 % alphabet.len();
        let mut text = String::with_capacity(length);
        let mut bytes = zeroize::Zeroizing::new([0_u8; 64]);
        while text.len() < length {
            self.fill(bytes.as_mut_slice())?;
            let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < even);
            text.extend(drawn.take(length - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])));
        }
        Ok(text)
    }
}

/// The length of a [`digest`], in characters.
pub const DIGEST_LENGTH: i64 = 64;

/// SHA-256 in lower-case hex. It suffices for random texts of more than 112 bits, such as tokens. A guessable text
/// needs a password hash.
pub fn digest(text: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(text.as_ref()))
}

/// The digest of all that a reader gives.
///
/// # Errors
/// Those of the reader.
pub fn digest_of(reader: &mut impl BufRead) -> io::Result<String> {
    let mut digest = Sha256::new();
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hex(&digest.finalize()));
        }
        digest.update(bytes);
        let length = bytes.len();
        reader.consume(length);
    }
}

/// The length of a [`fingerprint`] in bytes. Two lists of texts with the same one are not met by chance.
pub const FINGERPRINT_BYTES: usize = 16;

/// The first bytes of the digest of texts. Texts that read the same together differ in their lengths.
pub fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> [u8; FINGERPRINT_BYTES] {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    let mut first = [0; FINGERPRINT_BYTES];
    first.copy_from_slice(&digest.finalize()[..FINGERPRINT_BYTES]);
    first
}

/// Writes bytes in hexadecimal, in small letters.
pub fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// The length of [`hashed_identifier`] in bytes. No other identifier of Better Auth with the id of a user has it.
pub const HASHED_BYTES: u32 = 43;

/// SHA-256 in base64 for addresses without padding, as Better Auth writes hashed identifiers.
pub fn hashed_identifier(identifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(identifier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::entropy;

    #[test]
    fn identifier_is_hashed_as_by_the_app() {
        assert_eq!(hashed_identifier("reset-password:abc"), "IMUqJ3lXuvod79AbI4EdsWmdAkZeIP5syfKs7-d5fQQ");
    }

    #[test]
    fn debug_of_a_secret_is_masked() {
        let password = Password::from_bytes(b"canary-password").unwrap();
        let token = Token::from_bytes(b"canary-token").unwrap();
        let hash = StoredHash::from_bytes(b"canary-hash").unwrap();
        let shown = format!("{password:?} {token:?} {hash:?}");
        assert_eq!(shown, "Password(***) Token(***) StoredHash(***)");
    }

    #[test]
    fn unusable_bytes_are_refused_with_their_reason() {
        assert_eq!(Password::from_bytes(b"").unwrap_err(), SecretError::Empty);
        assert_eq!(Password::from_bytes(b"a\0b").unwrap_err(), SecretError::Nul);
        assert_eq!(Password::from_bytes(b"\xff\xfe").unwrap_err(), SecretError::NotUtf8);
        let long = vec![b'a'; SECRET_BYTES_MAX + 1];
        assert_eq!(Password::from_bytes(&long).unwrap_err(), SecretError::TooLong);
    }

    #[test]
    fn secret_is_not_trimmed() {
        assert_eq!(Password::from_bytes(b"  a b \t").unwrap().expose(), "  a b \t");
    }

    #[test]
    fn bytes_that_would_favour_some_letters_are_dropped() {
        // 248..=255 are past the last whole multiple of 62. One usable byte in each buffer ends the loop.
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
    fn ids_and_tokens_have_their_length_and_alphabet() {
        let mut entropy = entropy(1);
        let id = entropy.id().unwrap();
        let token = entropy.token().unwrap();
        assert_eq!((id.len(), token.expose().len()), (ID_LENGTH, TOKEN_LENGTH));
        assert!(id.bytes().chain(token.expose().bytes()).all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(id, token.expose());
    }

    #[test]
    fn code_is_read_in_any_spelling_and_other_texts_as_they_are() {
        let code = |text: &str| Code::from_bytes(text.as_bytes()).unwrap();
        let made = entropy(1).code().unwrap();
        let shown = made.expose();
        assert_eq!((shown.len(), shown.split('-').map(str::len).collect::<Vec<_>>()), (CODE_LENGTH, vec![5; 6]));
        let plain = made.canonical();
        assert_eq!(*plain, shown.replace('-', ""));
        let look_alike = shown.replace('0', "o").replace('1', "l");
        for spelling in
            [&*shown.to_lowercase(), &plain, &shown.replace('-', " "), &format!(" {shown}\u{a0}"), &look_alike]
        {
            assert_eq!(code(spelling).canonical(), plain, "{spelling}");
        }
        // Codes of apps and of older versions, and codes with a letter that no code has.
        for other in ["aB3dEfGh1jKlMnOpQrStUvWx", "7k2qf-9xwrt", &shown[1..], &format!("{}u", &shown[1..])] {
            assert_eq!(*code(other).canonical(), other);
        }
        assert_eq!(entropy(1).app_code().unwrap().expose().len(), APP_CODE_LENGTH);
    }

    #[test]
    fn missing_random_bytes_are_an_error() {
        let mut entropy = Entropy::new(|_| Err(EntropyError("closed".into())));
        assert!(entropy.token().is_err());
    }

    #[test]
    fn digest_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
