//! The hashes of Unix systems: SHA-256 and SHA-512 crypt, and yescrypt.

use std::ops::RangeInclusive;

use sha_crypt::Params;
use yescrypt::Mode;

use super::HashError;
use super::encoding::{crypt_base64, crypt_digit, equal, number, parts};
use super::kind::{HashKind, HashRefusal};

/// The rounds of a hash that names none.
const ROUNDS_DEFAULT: u64 = 5_000;
const ROUNDS: RangeInclusive<u64> = ROUNDS_DEFAULT..=1_000_000;
const SALT_CHARS_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct ShaCrypt {
    text: String,
    is_sha512: bool,
    rounds: u32,
    salt: String,
    digest: Vec<u8>,
}

/// Puts the bytes of a digest in order. The text has the bytes of the three thirds in turn, and each next triple
/// begins one third further on.
fn in_order(is_sha512: bool, spread: &[u8]) -> Option<Vec<u8>> {
    let bytes = if is_sha512 { sha_crypt::BLOCK_SIZE_SHA512 } else { sha_crypt::BLOCK_SIZE_SHA256 };
    let third = bytes / 3;
    let mut order = Vec::with_capacity(bytes);
    for index in 0..third {
        let mut triple = [index, index + third, index + 2 * third];
        if is_sha512 {
            triple.rotate_left(index % 3);
        } else {
            triple.rotate_right(index % 3);
        }
        order.extend(triple.iter().rev());
    }
    order.extend(3 * third..bytes);
    let mut digest = vec![0; bytes];
    for (from, to) in order.into_iter().enumerate() {
        *digest.get_mut(to)? = *spread.get(from)?;
    }
    (spread.len() == bytes).then_some(digest)
}

impl ShaCrypt {
    /// Reads `$5$` and `$6$`; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let (is_sha512, rest) = match (text.strip_prefix("$6$"), text.strip_prefix("$5$")) {
            (Some(rest), _) => (true, rest),
            (_, rest) => (false, rest?),
        };
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            Some(rest) => {
                let (rounds, rest) = rest.split_once('$')?;
                (number(rounds)?, rest)
            }
            None => (ROUNDS_DEFAULT, rest),
        };
        let Some(rounds) = u32::try_from(rounds).ok().filter(|_| ROUNDS.contains(&rounds)) else {
            return Some(Err(HashRefusal::Cost));
        };
        let [salt, digest] = parts(rest)?;
        let digest = in_order(is_sha512, &crypt_base64(digest)?)?;
        let is_salt = salt.len() <= SALT_CHARS_MAX && salt.bytes().all(|byte| byte.is_ascii_graphic());
        is_salt.then(|| Ok(Self { text: text.to_owned(), is_sha512, rounds, salt: salt.to_owned(), digest }))
    }

    pub(super) fn kind(&self) -> HashKind {
        if self.is_sha512 { HashKind::Sha512Crypt } else { HashKind::Sha256Crypt }
    }

    pub(super) fn canonical(&self) -> String {
        self.text.clone()
    }

    pub(super) fn verify(&self, text: &str) -> Result<bool, HashError> {
        let params = Params::new(self.rounds).map_err(|error| HashError::Failed(format!("sha-crypt: {error}")))?;
        let (text, salt) = (text.as_bytes(), self.salt.as_bytes());
        Ok(if self.is_sha512 {
            equal(&sha_crypt::sha512_crypt(text, salt, params), &self.digest)
        } else {
            equal(&sha_crypt::sha256_crypt(text, salt, params), &self.digest)
        })
    }
}

/// The flavour that every system writes.
const FLAVOUR: u8 = b'j';
/// The last digit that is a number of its own. Later ones begin longer numbers.
const DIGIT_MAX: u8 = 47;
const MEMORY_BYTES: RangeInclusive<u64> = 1 << 20..=256 << 20;
/// The least that the function allows in this flavour.
const R_MIN: u32 = 5;
const YESCRYPT_SALT_BYTES_MAX: usize = 64;
const YESCRYPT_KEY_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Yescrypt {
    text: String,
    n: u64,
    r: u32,
    salt: Vec<u8>,
    key: Vec<u8>,
}

impl Yescrypt {
    /// Reads `$y$`; `None` for a text of another form. The parameters after N and r are those that nothing writes:
    /// p, t and upgrades.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let [params, salt, key] = parts(text.strip_prefix("$y$")?)?;
        let [FLAVOUR, log_n, r, more @ ..] = params.as_bytes() else { return None };
        let (log_n, r) = (crypt_digit(*log_n)?, crypt_digit(*r)?);
        if !more.is_empty() || log_n > DIGIT_MAX || r > DIGIT_MAX {
            return Some(Err(HashRefusal::Cost));
        }
        // Both begin at 1.
        let (n, r) = (1_u64 << (u32::from(log_n) + 1), u32::from(r) + 1);
        let memory = n.saturating_mul(128 * u64::from(r));
        if !MEMORY_BYTES.contains(&memory) || r < R_MIN {
            return Some(Err(HashRefusal::Cost));
        }
        let (salt, key) = (crypt_base64(salt)?, crypt_base64(key)?);
        let fits = salt.len() <= YESCRYPT_SALT_BYTES_MAX && key.len() == YESCRYPT_KEY_BYTES;
        fits.then(|| Ok(Self { text: text.to_owned(), n, r, salt, key }))
    }

    pub(super) fn canonical(&self) -> String {
        self.text.clone()
    }

    pub(super) fn verify(&self, text: &str) -> Result<bool, HashError> {
        let failed = |error| HashError::Failed(format!("yescrypt: {error}"));
        super::scrypt::require_memory(self.n, self.r)?;
        let params = yescrypt::Params::new(Mode::default(), self.n, self.r, 1).map_err(failed)?;
        let mut made = [0; YESCRYPT_KEY_BYTES];
        yescrypt::yescrypt(text.as_bytes(), &self.salt, &params, &mut made).map_err(failed)?;
        Ok(equal(&made, &self.key))
    }
}
