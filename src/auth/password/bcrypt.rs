//! bcrypt in its modular crypt form, `$2b$`.
//!
//! bcrypt reads the first 72 bytes of a password. A longer password is compared by these bytes, because the app
//! does the same. No hash is made of a longer password, because the user expects all of it to count.

use std::ops::RangeInclusive;

use bcrypt::Version;

use super::encoding::number;
use super::kind::HashRefusal;
use super::{HashError, SALT_BYTES};

/// The number of bytes of a password that bcrypt reads.
pub(super) const READ_BYTES: usize = 72;
/// Cost of an accepted hash, from the lowest of bcrypt to about a second of work.
const COST: RangeInclusive<u32> = 4..=14;
const COST_CHARS: usize = 2;

pub(super) fn hash(text: &str, salt: [u8; SALT_BYTES], cost: u32) -> Result<String, HashError> {
    if text.len() > READ_BYTES {
        return Err(HashError::TooLong { bytes: READ_BYTES });
    }
    let parts = bcrypt::hash_with_salt(text, cost, salt);
    let parts = parts.map_err(|error| HashError::Failed(format!("bcrypt: {error}")))?;
    Ok(parts.format_for_version(Version::TwoB))
}

pub(super) fn verify(text: &str, stored: &str) -> bool {
    cost(stored).is_some() && bcrypt::verify(text, stored).unwrap_or(false)
}

/// Does the work of one hash of a password of any length.
pub(super) fn work(text: &str, cost: u32) -> Result<(), HashError> {
    let done = bcrypt::hash_with_salt(text, cost, [0; SALT_BYTES]);
    done.map(drop).map_err(|error| HashError::Failed(format!("bcrypt: {error}")))
}

/// The name that PHP has for `$2b$`.
const PHP: &str = "$2y$";

/// A hash under the name that every bcrypt reads: the usual package of Node does not know PHP's.
pub(super) fn portable(stored: &str) -> Option<String> {
    stored.strip_prefix(PHP).map(|rest| format!("$2b${rest}"))
}

/// The cost of a stored hash that is accepted.
pub(super) fn cost(stored: &str) -> Option<u32> {
    read(stored)?.ok()
}

/// The cost of a stored hash; `None` for a text of another form.
pub(super) fn read(stored: &str) -> Option<Result<u32, HashRefusal>> {
    let rest = ["$2a$", "$2b$", PHP].iter().find_map(|prefix| stored.strip_prefix(prefix))?;
    let (cost, _) = rest.split_once('$')?;
    if cost.len() != COST_CHARS {
        return None;
    }
    let cost = number(cost).and_then(|cost| u32::try_from(cost).ok())?;
    if !COST.contains(&cost) {
        return Some(Err(HashRefusal::Cost));
    }
    stored.parse::<bcrypt::HashParts>().is_ok().then_some(Ok(cost))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of jBCrypt, which took them from the original in C.
    const KNOWN: [(&str, &str); 4] = [
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        ("abcdefghijklmnopqrstuvwxyz", "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC"),
        ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO"),
    ];

    #[test]
    fn vectors_of_the_original_verify_under_every_name() {
        for (text, hash) in KNOWN {
            assert_eq!(cost(hash), Some(6), "{hash}");
            assert!(verify(text, hash) && verify(text, &hash.replace("$2a$", "$2b$")), "{hash}");
            let php = hash.replace("$2a$", "$2y$");
            assert!(verify(text, &php), "{php}");
            assert_eq!(portable(&php), Some(hash.replace("$2a$", "$2b$")));
            assert_eq!(portable(hash), None);
            assert!(!verify(&format!("{text} "), hash), "{hash}");
        }
    }

    #[test]
    fn longer_password_compares_by_72_bytes_and_is_not_hashed() {
        let whole = "é".repeat(36);
        let made = hash(&whole, [7; SALT_BYTES], 4).unwrap();
        assert!(made.starts_with("$2b$04$") && made.len() == 60, "{made}");
        assert!(verify(&whole, &made) && verify(&format!("{whole}more"), &made));
        assert!(!verify(&whole[..70], &made));
        assert!(matches!(hash(&format!("{whole}m"), [7; SALT_BYTES], 4), Err(HashError::TooLong { bytes: 72 })));
    }

    #[test]
    fn hash_out_of_bounds_is_refused_before_any_work() {
        let (_, good) = KNOWN[0];
        let bad = [
            good.replace("$06$", "$31$"),
            good.replace("$06$", "$15$"),
            good.replace("$06$", "$03$"),
            good.replace("$06$", "$00$"),
            good.replace("$06$", "$99$"),
            good.replace("$06$", "$+6$"),
            good.replace("$06$", "$6$"),
            good.replace("$06$", "$4294967302$"),
            good.replace("$2a$", "$2x$"),
            good.replace("$2a$", "$2$"),
            good[..59].into(),
            format!("{good}e"),
            good.replace("m0Cr", "m0C:"),
            format!("{}é", &good[..58]),
            "$2b$".into(),
            "$2b$06$".into(),
            String::new(),
        ];
        for text in bad {
            assert!(cost(&text).is_none() && !verify("a", &text), "{text}");
        }
    }
}
