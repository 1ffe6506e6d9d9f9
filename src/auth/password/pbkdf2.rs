//! PBKDF2 (RFC 8018) with HMAC, in the spellings of Django, passlib, Werkzeug and the PHC form.

use std::ops::RangeInclusive;

use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::encoding::{base64, equal, hex, number, parameters, parts, to_base64};
use super::kind::{HashKind, HashRefusal};

const ROUNDS_MIN: u64 = 10_000;
const ROUNDS_MAX: u64 = 5_000_000;
/// A round of SHA-512 takes longer.
const ROUNDS_MAX_SHA512: u64 = 2_000_000;
const KEY_BYTES: RangeInclusive<usize> = 16..=64;
const SALT_BYTES: RangeInclusive<usize> = 1..=256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    fn of(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

#[derive(Debug)]
pub(super) struct Pbkdf2 {
    digest: Digest,
    rounds: u32,
    salt: Vec<u8>,
    key: Vec<u8>,
}

/// The parts of a hash before their bounds are checked.
struct Parts {
    digest: Digest,
    rounds: u64,
    salt: Vec<u8>,
    key: Vec<u8>,
}

/// The key of Django's form. Clerk writes such hashes with the key in hex.
fn key(digest: Digest, text: &str) -> Option<Vec<u8>> {
    hex(text).filter(|key| key.len() == digest.bytes()).or_else(|| base64(text))
}

fn read(text: &str) -> Option<Parts> {
    if let Some(rest) = text.strip_prefix("$pbkdf2") {
        let [name, cost, salt, tag] = parts(rest)?;
        let digest = if name.is_empty() { Digest::Sha1 } else { Digest::of(name.strip_prefix('-')?)? };
        let (salt, tag) = (base64(salt)?, base64(tag)?);
        let rounds = match parameters(cost, ["i", "l"]) {
            Some([rounds, length]) if number(length) == Some(tag.len() as u64) => number(rounds)?,
            Some(_) => return None,
            None => number(cost)?,
        };
        return Some(Parts { digest, rounds, salt, key: tag });
    }
    if let Some(rest) = text.strip_prefix("pbkdf2_") {
        let [name, rounds, salt, tag] = parts(rest)?;
        let digest = Digest::of(name)?;
        return Some(Parts { digest, rounds: number(rounds)?, salt: salt.into(), key: key(digest, tag)? });
    }
    let [function, salt, tag] = parts(text.strip_prefix("pbkdf2:")?)?;
    let (name, rounds) = function.split_once(':')?;
    Some(Parts { digest: Digest::of(name)?, rounds: number(rounds)?, salt: salt.into(), key: hex(tag)? })
}

impl Pbkdf2 {
    /// Reads every spelling; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let Parts { digest, rounds, salt, key } = read(text)?;
        if !KEY_BYTES.contains(&key.len()) || !SALT_BYTES.contains(&salt.len()) {
            return None;
        }
        let most = if digest == Digest::Sha512 { ROUNDS_MAX_SHA512 } else { ROUNDS_MAX };
        let rounds = u32::try_from(rounds).ok().filter(|_| (ROUNDS_MIN..=most).contains(&rounds));
        Some(rounds.map(|rounds| Self { digest, rounds, salt, key }).ok_or(HashRefusal::Cost))
    }

    pub(super) fn kind(&self) -> HashKind {
        match self.digest {
            Digest::Sha1 => HashKind::Pbkdf2Sha1,
            Digest::Sha256 => HashKind::Pbkdf2Sha256,
            Digest::Sha512 => HashKind::Pbkdf2Sha512,
        }
    }

    pub(super) fn canonical(&self) -> String {
        let (salt, key) = (to_base64(&self.salt), to_base64(&self.key));
        format!("$pbkdf2-{}$i={},l={}${salt}${key}", self.digest.name(), self.rounds, self.key.len())
    }

    pub(super) fn verify(&self, text: &str) -> bool {
        let mut made = vec![0; self.key.len()];
        let (text, salt) = (text.as_bytes(), &self.salt);
        match self.digest {
            Digest::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(text, salt, self.rounds, &mut made),
            Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(text, salt, self.rounds, &mut made),
            Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(text, salt, self.rounds, &mut made),
        }
        equal(&made, &self.key)
    }
}
