//! argon2id in PHC form. A stored hash names its own cost, and the crate would accept 4 GiB or millions of passes,
//! so costs that are too high or too low are refused.

use std::ops::RangeInclusive;

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use super::{HashError, SALT_BYTES};
use crate::auth::policy::Argon2Cost;

/// Length of the hash in bytes (RFC 9106, section 4).
const TAG_BYTES: usize = 32;
const STORED_BYTES_MAX: usize = 512;
/// Memory of an accepted hash in KiB: from the cheapest of OWASP's equal sets to 256 MiB.
const MEMORY_KIB: RangeInclusive<u32> = 7_168..=262_144;
const PASSES: RangeInclusive<u32> = 1..=10;
/// The crate computes lanes one after the other.
const LANES: RangeInclusive<u32> = 1..=8;

fn function(cost: Argon2Cost) -> Result<Argon2<'static>, HashError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(TAG_BYTES)).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(format!("argon2: {error}"))
}

pub(super) fn hash(text: &str, salt: [u8; SALT_BYTES], cost: Argon2Cost) -> Result<String, HashError> {
    let made = function(cost)?.hash_password_with_salt(text.as_bytes(), &salt).map_err(failed)?;
    Ok(made.to_string())
}

pub(super) fn verify(text: &str, stored: &str) -> Result<bool, HashError> {
    let Some((hash, _)) = accepted(stored) else { return Ok(false) };
    match Argon2::default().verify_password(text.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// The cost of a stored hash that is accepted.
pub(super) fn cost(stored: &str) -> Option<Argon2Cost> {
    accepted(stored).map(|(_, cost)| cost)
}

/// Parses a stored hash; `None` if it is out of bounds.
fn accepted(stored: &str) -> Option<(PasswordHash, Argon2Cost)> {
    if stored.len() > STORED_BYTES_MAX {
        return None;
    }
    let parsed = PasswordHash::new(stored).ok()?;
    let cost = Argon2Cost {
        memory_kib: parsed.params.get_decimal("m")?,
        passes: parsed.params.get_decimal("t")?,
        lanes: parsed.params.get_decimal("p")?,
    };
    let salt_fits = parsed.salt.as_ref().is_some_and(|salt: &Salt| (8..=64).contains(&salt.len()));
    let tag_fits = parsed.hash.as_ref().is_some_and(|tag| (16..=64).contains(&tag.len()));
    let within = parsed.algorithm.as_str() == "argon2id"
        && parsed.version == Some(19)
        && MEMORY_KIB.contains(&cost.memory_kib)
        && PASSES.contains(&cost.passes)
        && LANES.contains(&cost.lanes);
    (within && salt_fits && tag_fits).then_some((parsed, cost))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test program of the reference implementation: 64 MiB, 2 passes.
    const KNOWN: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn vector_of_the_reference_implementation_verifies() {
        assert!(verify("password", KNOWN).unwrap());
        assert!(!verify("passwore", KNOWN).unwrap());
    }

    #[test]
    fn hash_out_of_bounds_is_refused_before_any_work() {
        let bad = [
            KNOWN.replace("m=65536", "m=4194304"),
            KNOWN.replace("m=65536", "m=7167"),
            KNOWN.replace("m=65536", "m=8"),
            KNOWN.replace("t=2", "t=4294967295"),
            KNOWN.replace("t=2", "t=11"),
            KNOWN.replace("t=2", "t=0"),
            KNOWN.replace("p=1", "p=16777215"),
            KNOWN.replace("argon2id", "argon2d"),
            KNOWN.replace("argon2id", "argon2i"),
            KNOWN.replace("v=19", "v=16"),
            KNOWN.replace("$v=19", ""),
            "$argon2id$".into(),
            "$argon2id$v=19$m=7168,t=1,p=1$c29tZXNhbHQ".into(),
            "x".repeat(600),
        ];
        for text in bad {
            assert!(cost(&text).is_none() && !verify("password", &text).unwrap(), "{text}");
        }
    }
}
