//! Password hashing: argon2id made to the policy's cost, verified within bounds.
//!
//! A stored hash names its own cost, and the argon2 crate would obey it: 4 GiB, or passes without
//! end. So the parameters are read and bounded before any work is done, and a hash that is too
//! cheap is refused like one that is too dear.

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::policy::{Argon2Cost, PasswordRules};
use super::secret::{Password, StoredHash};
use super::token::{Entropy, EntropyError};

/// Salt length in bytes (RFC 9106, 3.1: 16 bytes are recommended for passwords).
const SALT_BYTES: usize = 16;
/// Length of the hash in bytes (RFC 9106, section 4).
const TAG_BYTES: usize = 32;
/// Longest stored hash worth reading.
const STORED_BYTES_MAX: usize = 512;
/// Memory of an accepted hash in KiB: from the cheapest of OWASP's equal sets to 256 MiB.
const MEMORY_KIB: std::ops::RangeInclusive<u32> = 7_168..=262_144;
/// Passes of an accepted hash.
const PASSES: std::ops::RangeInclusive<u32> = 1..=10;
/// Lanes of an accepted hash. The crate computes them one after the other.
const LANES: std::ops::RangeInclusive<u32> = 1..=8;

/// What comparing a password with a stored hash showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Another password.
    Wrong,
    /// The right one.
    Right {
        /// The hash is weaker than the policy asks for now, so it is worth replacing.
        outdated: bool,
    },
    /// The stored text is no hash that may be computed here. Nothing was computed.
    Unacceptable,
}

/// A hash could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No random salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The hash function failed: no memory, or a cost that argon2 does not know.
    #[error("argon2 could not compute the hash: {0}")]
    Argon2(String),
}

/// The bytes that are hashed: NFKC, so that one password typed on two keyboards stays one.
fn normalised(password: &Password) -> Zeroizing<String> {
    let text = password.expose();
    if text.is_ascii() {
        return Zeroizing::new(text.to_owned());
    }
    // Room for the longest expansion, so that no half-grown copy is left behind unwiped.
    let mut normal = Zeroizing::new(String::with_capacity(text.len() * 18));
    normal.extend(text.nfkc());
    normal
}

fn argon2(cost: Argon2Cost) -> Result<Argon2<'static>, HashError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(TAG_BYTES))
        .map_err(|error| HashError::Argon2(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password at the policy's cost.
///
/// # Errors
/// [`HashError`] when there is no randomness or no memory.
pub fn hash(password: &Password, rules: &PasswordRules, entropy: &mut Entropy) -> Result<StoredHash, HashError> {
    let mut salt = [0_u8; SALT_BYTES];
    entropy.fill(&mut salt)?;
    let made = argon2(rules.cost)?
        .hash_password_with_salt(normalised(password).as_bytes(), &salt)
        .map_err(|error| HashError::Argon2(error.to_string()))?;
    StoredHash::from_bytes(made.to_string().as_bytes()).map_err(|error| HashError::Argon2(error.to_string()))
}

/// Does the work of one hash at some cost and throws the result away.
///
/// # Errors
/// [`HashError`] when there is no memory, or argon2 does not know the cost.
pub fn work(password: &Password, cost: Argon2Cost) -> Result<(), HashError> {
    let mut tag = [0_u8; TAG_BYTES];
    argon2(cost)?
        .hash_password_into(normalised(password).as_bytes(), &[0; SALT_BYTES], &mut tag)
        .map_err(|error| HashError::Argon2(error.to_string()))
}

/// Compares a password with a stored hash, within the accepted bounds.
pub fn verify(password: &Password, stored: &StoredHash, rules: &PasswordRules) -> Verdict {
    let Some((parsed, cost)) = accepted(stored) else {
        return Verdict::Unacceptable;
    };
    match Argon2::default().verify_password(normalised(password).as_bytes(), &parsed) {
        Ok(()) => Verdict::Right { outdated: cost.is_weaker_than(rules.cost) },
        Err(_) => Verdict::Wrong,
    }
}

/// Parses a stored hash and returns it with its cost when both are within bounds.
fn accepted(stored: &StoredHash) -> Option<(PasswordHash, Argon2Cost)> {
    if stored.expose().len() > STORED_BYTES_MAX {
        return None;
    }
    let parsed = PasswordHash::new(stored.expose()).ok()?;
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

/// The cost of a stored hash that is accepted.
pub(super) fn accepted_cost(stored: &StoredHash) -> Option<Argon2Cost> {
    accepted(stored).map(|(_, cost)| cost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{cheap, password};
    use crate::auth::token::tests::counted;

    fn stored(text: &str) -> StoredHash {
        StoredHash::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_default_hash_is_argon2id_at_the_owasp_cost_with_its_own_salt() {
        let rules = PasswordRules::default();
        let mut entropy = counted(7);
        let first = hash(&password("correct horse"), &rules, &mut entropy).unwrap();
        let second = hash(&password("correct horse"), &rules, &mut entropy).unwrap();
        assert!(first.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.expose());
        assert_ne!(first.expose(), second.expose());
    }

    #[test]
    fn the_right_password_verifies_and_its_neighbours_do_not() {
        let rules = cheap();
        let right = "a".repeat(127) + "z";
        let hash = hash(&password(&right), &rules, &mut counted(1)).unwrap();
        assert_eq!(verify(&password(&right), &hash, &rules), Verdict::Right { outdated: false });
        for wrong in [&right[..127], &right[..72], &("a".repeat(127) + "Z"), &format!(" {right}"), &format!("{right} ")]
        {
            assert_eq!(verify(&password(wrong), &hash, &rules), Verdict::Wrong, "{wrong:?}");
        }
    }

    #[test]
    fn one_password_in_two_unicode_spellings_is_one_password() {
        let rules = cheap();
        let hash = hash(&password("ﬁnger-Ångström-9"), &rules, &mut counted(2)).unwrap();
        let decomposed = "finger-A\u{30a}ngstro\u{308}m-9";
        assert_eq!(verify(&password(decomposed), &hash, &rules), Verdict::Right { outdated: false });
    }

    #[test]
    fn a_vector_of_the_reference_implementation_verifies() {
        // From the test program of the reference implementation (argon2id, version 19, 64 MiB, 2 passes).
        let known = stored("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
        let rules = PasswordRules::default();
        assert_eq!(verify(&password("password"), &known, &rules), Verdict::Right { outdated: false });
        assert_eq!(verify(&password("passwore"), &known, &rules), Verdict::Wrong);
    }

    #[test]
    fn a_hash_outside_the_bounds_is_refused_before_any_work() {
        let rules = cheap();
        let good = hash(&password("correct horse"), &rules, &mut counted(3)).unwrap();
        let good = good.expose();
        assert!(good.contains("m=7168,t=1,p=1"), "{good}");
        let bad = [
            good.replace("m=7168", "m=4194304"),
            good.replace("m=7168", "m=7167"),
            good.replace("m=7168", "m=8"),
            good.replace("t=1", "t=4294967295"),
            good.replace("t=1", "t=11"),
            good.replace("t=1", "t=0"),
            good.replace("p=1", "p=16777215"),
            good.replace("argon2id", "argon2d"),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("$v=19", ""),
            "$argon2id$".into(),
            "$argon2id$v=19$m=7168,t=1,p=1$c29tZXNhbHQ".into(),
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".into(),
            format!("{}:{}", "0".repeat(32), "0".repeat(128)),
            "x".repeat(600),
        ];
        for text in bad {
            assert_eq!(verify(&password("correct horse"), &stored(&text), &rules), Verdict::Unacceptable, "{text}");
        }
    }

    #[test]
    fn a_hash_below_the_policy_is_right_and_outdated() {
        let old = hash(&password("correct horse"), &cheap(), &mut counted(4)).unwrap();
        let rules = PasswordRules::default();
        assert_eq!(verify(&password("correct horse"), &old, &rules), Verdict::Right { outdated: true });
        let costlier = Argon2Cost { memory_kib: 46_080, passes: 1, lanes: 1 };
        assert!(!costlier.is_weaker_than(rules.cost), "46 MiB in one pass is one of OWASP's equal sets");
    }
}
