//! argon2id and argon2i in PHC form. A stored hash names its own cost, and the crate would accept 4 GiB or millions of passes,
//! so costs that are too high or too low are refused.

use std::ops::RangeInclusive;

use allocator_api2::vec::Vec;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hugealloc::HugeAlloc;

use super::kind::{HashKind, HashRefusal};
use super::{HashError, SALT_BYTES};
use crate::auth::policy::Argon2Cost;

/// Length of the hash in bytes (RFC 9106, section 4).
const TAG_BYTES: usize = 32;
const STORED_BYTES_MAX: usize = 512;
/// Memory of an accepted hash in KiB: from the cheapest of OWASP's equal sets to 256 MiB.
const MEMORY_KIB: RangeInclusive<u32> = 7_168..=262_144;
/// From the default of `OpenLDAP`, which takes three passes.
const MEMORY_KIB_ARGON2I: RangeInclusive<u32> = 4_096..=262_144;
const PASSES: RangeInclusive<u32> = 1..=10;
/// The crate computes lanes one after the other.
const LANES: RangeInclusive<u32> = 1..=8;

/// The blocks on a huge page of 2 MiB.
const BLOCKS_OF_PAGE: usize = 2 * 1024 * 1024 / Block::SIZE;

/// Computes the hash in memory on huge pages, where the system has them. Page faults are a third of the time of a hash
/// in new memory, and a process of authctl computes one hash. Elsewhere the memory is as any other.
fn compute(algorithm: Algorithm, text: &[u8], salt: &[u8], params: &Params) -> Result<Output, HashError> {
    let blocks = params.block_count();
    let mut memory: Vec<Block, HugeAlloc> = Vec::new_in(HugeAlloc);
    // Whole pages, because what is left of the last one would be on small pages.
    memory
        .try_reserve_exact(blocks.next_multiple_of(BLOCKS_OF_PAGE))
        .map_err(|_| failed(argon2::Error::OutOfMemory))?;
    memory.resize(blocks, Block::new());
    let mut tag = [0; Output::MAX_LENGTH];
    let tag = &mut tag[..params.output_len().unwrap_or(TAG_BYTES)];
    Argon2::new(algorithm, Version::V0x13, params.clone())
        .hash_password_into_with_memory(text, salt, tag, &mut memory[..])
        .map_err(failed)?;
    Output::new(tag).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(format!("argon2: {error}"))
}

pub(super) fn hash(text: &[u8], salt: [u8; SALT_BYTES], cost: Argon2Cost) -> Result<String, HashError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(TAG_BYTES)).map_err(failed)?;
    let made = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(failed)?,
        salt: Some(Salt::new(&salt).map_err(failed)?),
        hash: Some(compute(Algorithm::Argon2id, text, &salt, &params)?),
    };
    Ok(made.to_string())
}

pub(super) fn verify(text: &[u8], stored: &str) -> Result<bool, HashError> {
    verify_of(Algorithm::Argon2id, text, stored)
}

/// Compares a password with a hash of argon2i, an older variant, which `OpenLDAP` makes.
pub(super) fn verify_argon2i(text: &[u8], stored: &str) -> Result<bool, HashError> {
    verify_of(Algorithm::Argon2i, text, stored)
}

fn verify_of(algorithm: Algorithm, text: &[u8], stored: &str) -> Result<bool, HashError> {
    let Some(Ok((PasswordHash { salt: Some(salt), hash: Some(tag), .. }, cost))) = parse(algorithm, stored) else {
        return Ok(false);
    };
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(tag.len())).map_err(failed)?;
    // Tags compare in constant time.
    Ok(compute(algorithm, text, &salt, &params)? == tag)
}

/// The cost of a stored hash that is accepted.
pub(super) fn cost(stored: &str) -> Option<Argon2Cost> {
    parse(Algorithm::Argon2id, stored)?.ok().map(|(_, cost)| cost)
}

/// The text of a hash of either variant with its kind; `None` for a text of another form.
pub(super) fn canonical(stored: &str) -> Option<Result<(HashKind, String), HashRefusal>> {
    // The crate reads no other spelling than the one that it writes.
    let of = |kind, algorithm| parse(algorithm, stored).map(|read| read.map(|_| (kind, stored.to_owned())));
    of(HashKind::Argon2id, Algorithm::Argon2id).or_else(|| of(HashKind::Argon2i, Algorithm::Argon2i))
}

/// Parses a stored hash; `None` for a text of another form.
fn parse(algorithm: Algorithm, stored: &str) -> Option<Result<(PasswordHash, Argon2Cost), HashRefusal>> {
    let of = stored.strip_prefix('$').and_then(|rest| rest.strip_prefix(algorithm.as_str()));
    if stored.len() > STORED_BYTES_MAX || !of.is_some_and(|rest| rest.starts_with('$')) {
        return None;
    }
    let parsed = PasswordHash::new(stored).ok()?;
    let salt_fits = parsed.salt.as_ref().is_some_and(|salt: &Salt| (8..=64).contains(&salt.len()));
    let tag_fits = parsed.hash.as_ref().is_some_and(|tag| (16..=64).contains(&tag.len()));
    let cost = cost_of(&parsed.params)?;
    if parsed.version != Some(19) || !(salt_fits && tag_fits) {
        return None;
    }
    let memory_kib = if algorithm == Algorithm::Argon2i { MEMORY_KIB_ARGON2I } else { MEMORY_KIB };
    if !(memory_kib.contains(&cost.memory_kib) && PASSES.contains(&cost.passes) && LANES.contains(&cost.lanes)) {
        return Some(Err(HashRefusal::Cost));
    }
    Some(Ok((parsed, cost)))
}

/// The three parameters of the cost, each once. A key and associated data would be two more.
fn cost_of(params: &ParamsString) -> Option<Argon2Cost> {
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for (name, value) in params.iter() {
        let number = match name.as_str() {
            "m" => &mut memory,
            "t" => &mut passes,
            "p" => &mut lanes,
            _ => return None,
        };
        if number.replace(value.decimal().ok()?).is_some() {
            return None;
        }
    }
    Some(Argon2Cost { memory_kib: memory?, passes: passes?, lanes: lanes? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test program of the reference implementation: 64 MiB, 2 passes.
    const KNOWN: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn vector_of_the_reference_implementation_verifies() {
        assert!(verify(b"password", KNOWN).unwrap());
        assert!(!verify(b"passwore", KNOWN).unwrap());
    }

    #[test]
    fn tags_are_those_of_the_crate_with_its_own_memory() {
        for (memory_kib, passes, lanes, bytes) in
            [(7168, 1, 1, 16), (7169, 2, 1, 32), (8192, 1, 3, 33), (9000, 3, 8, 64), (19456, 2, 1, 32)]
        {
            let params = Params::new(memory_kib, passes, lanes, Some(bytes)).unwrap();
            let mut tag = vec![0; bytes];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
                .hash_password_into("pässword".as_bytes(), b"somesaltsomesalt", &mut tag)
                .unwrap();
            let made = compute(Algorithm::Argon2id, "pässword".as_bytes(), b"somesaltsomesalt", &params).unwrap();
            assert_eq!(made.as_bytes(), tag, "{params:?}");
        }
    }

    #[test]
    fn hash_in_another_spelling_is_refused() {
        assert_eq!(PasswordHash::new(KNOWN).unwrap().to_string(), KNOWN);
        assert!(matches!(canonical(KNOWN), Some(Ok((HashKind::Argon2id, text))) if text == KNOWN));
        for (part, other) in [
            ("t=2", "t=02"),
            ("t=2", "t=+2"),
            ("v=19", "v=019"),
            ("v=19", "v=0x13"),
            ("$c29tZXNhbHQ$", "$c29tZXNhbHQ=$"),
            ("$c29tZXNhbHQ$", "$c29tZXNhbHR$"),
            ("GRPPc", "GRPPd"),
            ("GRPPc", "GRPPc="),
            ("GRPPc", "GRPPc "),
            ("$argon2id", "$Argon2id"),
        ] {
            let text = KNOWN.replace(part, other);
            assert!(text != KNOWN && canonical(&text).is_none(), "{text}");
        }
        let turned = KNOWN.replace("m=65536,t=2", "t=2,m=65536");
        if let Ok(read) = PasswordHash::new(&turned) {
            assert_eq!(read.to_string(), turned);
        }
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
            assert!(cost(&text).is_none() && !verify(b"password", &text).unwrap(), "{text}");
        }
    }
}
