//! The text of an API token: a prefix that secret scanners know, random characters, and check digits.

use std::fmt;

use zeroize::Zeroizing;

use crate::auth::secret::{Entropy, EntropyError, Token, digest, hashed_identifier};

const PREFIX: &str = ApiToken::PREFIX;

/// The random characters. With the check digits they are as many as in a key of Better Auth, which refuses shorter ones.
const RANDOM_LENGTH: usize = 58;
const CHECK_LENGTH: usize = 6;
/// How many characters of a token are shown in lists, so that its owner knows it again.
const START_LENGTH: usize = PREFIX.len() + 4;

/// The digits of the check sum, in the order of their value.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An API token in clear. It is shown once, and a database stores its digest.
#[derive(Clone)]
pub struct ApiToken(Token);

/// The text begins as an API token does, and its check digits are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its check digits are wrong, so it is mistyped or cut off")]
pub struct Mistyped;

impl ApiToken {
    /// What every token begins with.
    pub const PREFIX: &str = "authctl_";

    /// Makes a token: 58 characters of 62 are 345 bits.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn generate(entropy: &mut Entropy) -> Result<Self, EntropyError> {
        let random = Zeroizing::new(entropy.text(RANDOM_LENGTH)?);
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + RANDOM_LENGTH + CHECK_LENGTH));
        text.push_str(PREFIX);
        text.push_str(&random);
        let check = check_digits(&text);
        text.extend(check.map(char::from));
        Token::from_bytes(text.as_bytes()).map(Self).map_err(|error| EntropyError(error.to_string()))
    }

    /// Reads a token; `None` for a text that does not begin as one, such as the token of a session.
    ///
    /// # Errors
    /// [`Mistyped`].
    pub fn parse(token: &Token) -> Result<Option<Self>, Mistyped> {
        let Some(rest) = token.expose().strip_prefix(PREFIX) else { return Ok(None) };
        if rest.len() != RANDOM_LENGTH + CHECK_LENGTH || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Mistyped);
        }
        let (checked, check) = token.expose().split_at(PREFIX.len() + RANDOM_LENGTH);
        if check.as_bytes() == check_digits(checked) { Ok(Some(Self(token.clone()))) } else { Err(Mistyped) }
    }

    /// The text of the token.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The first characters, which give no access.
    pub fn start(&self) -> &str {
        &self.expose()[..START_LENGTH]
    }

    /// What a database of authctl stores.
    pub fn digest(&self) -> String {
        digest(self.expose())
    }

    /// What a Better Auth app stores.
    pub fn digest_of_app(&self) -> String {
        hashed_identifier(self.expose())
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(***)")
    }
}

/// The CRC-32 of a text in base 62, as other systems have it in their tokens. It finds every single wrong character.
fn check_digits(text: &str) -> [u8; CHECK_LENGTH] {
    let mut rest = crc32(text.as_bytes()) as usize;
    let mut digits = [DIGITS[0]; CHECK_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % DIGITS.len()];
        rest /= DIGITS.len();
    }
    digits
}

/// The polynomial of CRC-32 (ISO 3309), with the lowest bit first.
const POLYNOMIAL: u32 = 0xedb8_8320;

fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..u8::BITS).fold(
            sum ^ u32::from(*byte),
            |sum, _| {
                if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 }
            },
        )
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::entropy;

    fn parse(text: &str) -> Result<Option<ApiToken>, Mistyped> {
        ApiToken::parse(&Token::from_bytes(text.as_bytes()).unwrap())
    }

    #[test]
    fn check_sum_is_crc_32() {
        // The check value of the catalogue of CRC algorithms.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn token_is_read_back_and_masked() {
        let token = ApiToken::generate(&mut entropy(3)).unwrap();
        assert_eq!(token.expose().len(), 72);
        assert!(token.expose().starts_with(token.start()) && token.start().starts_with(PREFIX));
        assert_eq!(parse(token.expose()).unwrap().unwrap().expose(), token.expose());
        assert_eq!(format!("{token:?}"), "ApiToken(***)");
        assert_eq!(token.digest(), digest(token.expose()));
    }

    #[test]
    fn every_typo_is_found() {
        let token = ApiToken::generate(&mut entropy(4)).unwrap();
        let text = token.expose();
        for at in PREFIX.len()..text.len() {
            for other in DIGITS {
                let mut typo = text.as_bytes().to_vec();
                if std::mem::replace(&mut typo[at], *other) != *other {
                    assert_eq!(parse(std::str::from_utf8(&typo).unwrap()).unwrap_err(), Mistyped);
                }
            }
        }
        let mut swapped = text.as_bytes().to_vec();
        let at = (PREFIX.len()..text.len() - 1).find(|at| swapped[*at] != swapped[at + 1]).unwrap();
        swapped.swap(at, at + 1);
        for wrong in [std::str::from_utf8(&swapped).unwrap(), &text[..text.len() - 1], PREFIX, "authctl_ä"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq").unwrap().is_none());
    }

    #[test]
    fn digest_of_an_app_is_that_of_its_plugin() {
        let key = Token::from_bytes(b"bob_eNzBHrBXYlDDXXdLScVBxjJjFdUCsJxLpRXNnmzXcBXwJsBoKUKTWhgwIgPEEDig").unwrap();
        assert_eq!(ApiToken(key).digest_of_app(), "xNFy-OUCJuW6SM_geuzRMgfJOf9-HGqA9dVh-4aT9M4");
    }
}
