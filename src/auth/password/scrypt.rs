//! scrypt exactly as Better Auth computes, writes and compares it, so that each program verifies the hashes of the
//! other. Better Auth has one fixed cost, which is not in the hash.

use argon2::password_hash::phc::Output;
use base16ct::lower;
use scrypt::Params;

use super::{HashError, SALT_BYTES};

/// The logarithm of N = 16384.
const LOG_N: u8 = 14;
const R: u32 = 16;
const P: u32 = 1;
/// The longest salt that is accepted, in characters. Better Auth makes 32.
const SALT_CHARS_MAX: usize = 512;
/// Length of the key in bytes.
const KEY_BYTES: usize = 64;

/// The memory of one hash is 128 · N · r bytes.
pub(super) const BLOCK_BYTES: u64 = 128;

/// Checks that there is memory for one hash.
pub(super) fn require_memory(n: u64, r: u32) -> Result<(), HashError> {
    // The crate aborts the process without memory, so this reserves the memory first. `black_box` keeps the
    // optimiser from removing the unused allocation.
    let bytes = usize::try_from(n * u64::from(r) * BLOCK_BYTES).map_err(failed)?;
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(bytes).map_err(failed)?;
    drop(std::hint::black_box(room));
    Ok(())
}

/// Computes a key of any cost.
pub(super) fn derive(text: &str, salt: &[u8], (log_n, r, p): (u8, u32, u32), key: &mut [u8]) -> Result<(), HashError> {
    require_memory(1 << log_n, r)?;
    let params = Params::new(log_n, r, p).map_err(failed)?;
    scrypt::scrypt(text.as_bytes(), salt, &params, key).map_err(failed)
}

/// Computes the key. Better Auth passes the hex text as the salt, not its bytes.
fn key(text: &str, salt: &str) -> Result<[u8; KEY_BYTES], HashError> {
    let mut key = [0; KEY_BYTES];
    derive(text, salt.as_bytes(), (LOG_N, R, P), &mut key)?;
    Ok(key)
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(format!("scrypt: {error}"))
}

pub(super) fn hash(text: &str, salt: [u8; SALT_BYTES]) -> Result<String, HashError> {
    let salt = lower::encode_string(&salt);
    let key = key(text, &salt)?;
    Ok(format!("{salt}:{}", lower::encode_string(&key)))
}

pub(super) fn verify(text: &str, stored: &str) -> Result<bool, HashError> {
    let Some((salt, expected)) = accepted(stored) else { return Ok(false) };
    // `Output` compares in constant time.
    Ok(Output::new(&key(text, salt)?).map_err(failed)? == expected)
}

pub(super) fn is_accepted(stored: &str) -> bool {
    accepted(stored).is_some()
}

/// The form of Lucia 2 and of its `LegacyScrypt`, which Better Auth does not verify: `s2:salt:key`.
const LUCIA: &str = "s2:";
/// The length of the salt of Lucia 2 and of `LegacyScrypt`, in characters.
const LUCIA_SALT_CHARS: [usize; 2] = [16, 32];

pub(super) fn is_lucia(stored: &str) -> bool {
    let Some((salt, key)) = stored.strip_prefix(LUCIA).and_then(|rest| rest.split_once(':')) else { return false };
    let is_salt = salt.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    LUCIA_SALT_CHARS.contains(&salt.len()) && is_salt && !key.contains(':') && is_accepted(&stored[LUCIA.len()..])
}

pub(super) fn verify_lucia(text: &str, stored: &str) -> Result<bool, HashError> {
    if is_lucia(stored) { verify(text, &stored[LUCIA.len()..]) } else { Ok(false) }
}

/// Parses `salt:key`. The app takes any text as the salt, such as one that an earlier system made, and ignores what
/// follows a second colon. It compares keys as text, so it never accepts one in upper case.
fn accepted(stored: &str) -> Option<(&str, Output)> {
    let mut parts = stored.split(':');
    let (salt, key) = (parts.next()?, parts.next()?);
    let mut key_bytes = [0; KEY_BYTES];
    let is_whole = lower::decode(key, &mut key_bytes).ok()?.len() == KEY_BYTES;
    let is_salt = (1..=SALT_CHARS_MAX).contains(&salt.len()) && !salt.contains(char::is_control);
    if is_whole && is_salt { Some((salt, Output::new(&key_bytes).ok()?)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEROES: &str = "00000000000000000000000000000000";

    /// Made by Better Auth 1.7.25.
    const KNOWN: (&str, &str) = (
        "password",
        "00112233445566778899aabbccddeeff:9a098760abf0e95230464650e1160ecd37c82de7f9aea0c41eee704c90daaac45ce13ec6c244f429e4e4ba505cde11131ed35ef08e55b31c226a2ba87069e3ae",
    );

    #[test]
    fn hash_equals_that_of_better_auth_for_the_same_salt() {
        let salt = std::array::from_fn(|index| u8::try_from(index * 0x11).unwrap());
        assert_eq!(hash(KNOWN.0, salt).unwrap(), KNOWN.1);
        assert!(verify(KNOWN.0, KNOWN.1).unwrap());
        assert!(!verify("Password", KNOWN.1).unwrap());
    }

    #[test]
    fn key_that_differs_in_one_digit_is_wrong() {
        let (salt, key) = KNOWN.1.split_once(':').unwrap();
        assert!(!verify(KNOWN.0, &format!("{salt}:{}f", &key[..127])).unwrap());
        assert!(!verify(KNOWN.0, &format!("{salt}:8{}", &key[1..])).unwrap());
    }

    /// Earlier systems and custom hooks choose other salts, and the app verifies them.
    #[test]
    fn salt_is_any_text() {
        for salt in ["c2FsdA==", "NaCl", "0A0B", "ä salt", &"s".repeat(SALT_CHARS_MAX)] {
            let stored = format!("{salt}:{}", lower::encode_string(&key("password", salt).unwrap()));
            assert!(verify("password", &stored).unwrap(), "{salt}");
            assert!(!verify("Password", &stored).unwrap(), "{salt}");
        }
    }

    #[test]
    fn text_after_the_key_is_ignored() {
        assert!(verify(KNOWN.0, &format!("{}:scrypt", KNOWN.1)).unwrap());
        assert!(!verify(KNOWN.0, &format!("scrypt:{}", KNOWN.1)).unwrap());
    }

    #[test]
    fn malformed_hash_is_refused_before_any_work() {
        let key = "0".repeat(128);
        let bad = [
            String::new(),
            ":".into(),
            ZEROES.into(),
            format!(":{key}"),
            format!("{ZEROES}:"),
            format!("{ZEROES}{key}"),
            format!("{ZEROES}:{}", &key[2..]),
            format!("{ZEROES}:{key}00"),
            format!("{ZEROES}:{}", key.replace('0', "F")),
            format!("{}:{key}", "0".repeat(SALT_CHARS_MAX + 1)),
            format!("salt\u{7}:{key}"),
            format!("{ZEROES}:{}", key.replace('0', "g")),
            format!("{ZEROES}:{}", "é".repeat(64)),
            "0".repeat(1_000_000),
        ];
        for text in bad {
            assert!(!is_accepted(&text) && !verify("password", &text).unwrap(), "{text}");
        }
    }
}
