//! scrypt at a cost that the hash names, in the spellings of passlib, Kratos, Werkzeug and Django; and Firebase's,
//! which encrypts a key of the project with the result.

use std::ops::RangeInclusive;

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};

use super::encoding::{base64, equal, hex, number, parameters, parts, to_base64};
use super::kind::HashRefusal;
use super::{HashError, scrypt};

/// 128 · N · r.
const MEMORY_BYTES: RangeInclusive<u64> = 16 << 20..=256 << 20;
const P: RangeInclusive<u64> = 1..=16;
/// N · r · p.
const WORK_MAX: u64 = 1 << 22;
const KEY_BYTES: RangeInclusive<usize> = 16..=64;
const SALT_BYTES: RangeInclusive<usize> = 1..=256;
/// The largest logarithm of N. Kratos writes N itself, which is larger.
const LOG_N_MAX: u64 = 63;

/// A cost within the bounds.
#[derive(Debug, Clone, Copy)]
struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Cost {
    fn of(n: u64, r: u64, p: u64) -> Result<Self, HashRefusal> {
        let memory = n.saturating_mul(r).saturating_mul(scrypt::BLOCK_BYTES);
        let work = n.saturating_mul(r).saturating_mul(p);
        let within = n.is_power_of_two() && MEMORY_BYTES.contains(&memory) && P.contains(&p) && work <= WORK_MAX;
        match (u8::try_from(n.trailing_zeros()), u32::try_from(r), u32::try_from(p)) {
            (Ok(log_n), Ok(r), Ok(p)) if within => Ok(Self { log_n, r, p }),
            _ => Err(HashRefusal::Cost),
        }
    }
}

fn power(log_n: u64) -> u64 {
    u32::try_from(log_n).ok().and_then(|log_n| 1_u64.checked_shl(log_n)).unwrap_or(u64::MAX)
}

#[derive(Debug)]
pub(super) struct ScryptPhc {
    cost: Cost,
    salt: Vec<u8>,
    key: Vec<u8>,
}

/// N, r and p, and salt and key, before their bounds are checked.
type Read = ([u64; 3], Vec<u8>, Vec<u8>);

fn read(text: &str) -> Option<Read> {
    if let Some(rest) = text.strip_prefix("$scrypt$") {
        let [cost, salt, key] = parts(rest)?;
        let [ln, r, p] = parameters(cost, ["ln", "r", "p"])?;
        let ln = number(ln)?;
        let n = if ln <= LOG_N_MAX { power(ln) } else { ln };
        return Some(([n, number(r)?, number(p)?], base64(salt)?, base64(key)?));
    }
    if let Some(rest) = text.strip_prefix("scrypt$") {
        let [n, salt, r, p, key] = parts(rest)?;
        return Some(([number(n)?, number(r)?, number(p)?], salt.into(), base64(key)?));
    }
    let [cost, salt, key] = parts(text.strip_prefix("scrypt:")?)?;
    let mut cost = cost.split(':').map(number);
    let numbers = [cost.next()??, cost.next()??, cost.next()??];
    cost.next().is_none().then_some(())?;
    Some((numbers, salt.into(), hex(key)?))
}

impl ScryptPhc {
    /// Reads every spelling; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let ([n, r, p], salt, key) = read(text)?;
        if !KEY_BYTES.contains(&key.len()) || !SALT_BYTES.contains(&salt.len()) {
            return None;
        }
        Some(Cost::of(n, r, p).map(|cost| Self { cost, salt, key }))
    }

    pub(super) fn canonical(&self) -> String {
        let Cost { log_n, r, p } = self.cost;
        format!("$scrypt$ln={log_n},r={r},p={p}${}${}", to_base64(&self.salt), to_base64(&self.key))
    }

    pub(super) fn verify(&self, text: &str) -> Result<bool, HashError> {
        let Cost { log_n, r, p } = self.cost;
        let mut made = vec![0; self.key.len()];
        scrypt::derive(text, &self.salt, (log_n, r, p), &mut made)?;
        Ok(equal(&made, &self.key))
    }
}

const FIREBASE_LOG_N_MAX: u64 = 17;
const FIREBASE_R_MAX: u64 = 16;
/// The length of the key of a project and of each hash in bytes.
const FIREBASE_BYTES: usize = 64;
const SEPARATOR_BYTES_MAX: usize = 64;
const AES_KEY_BYTES: usize = 32;
const AES_BLOCK_BYTES: usize = 16;

#[derive(Debug)]
pub(super) struct Firebase {
    cost: Cost,
    separator: Vec<u8>,
    /// The signer key of the project, the same for all its users.
    signer: Vec<u8>,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Firebase {
    /// Reads the forms of Supabase and Kratos; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let (cost, salt, hash, separator, signer) = if let Some(rest) = text.strip_prefix("$fbscrypt$") {
            let [params, salt, hash] = parts(rest)?;
            let ["1", n, r, p, separator, signer] = parameters(params, ["v", "n", "r", "p", "ss", "sk"])? else {
                return None;
            };
            ([n, r, p], salt, hash, separator, signer)
        } else {
            let [params, salt, hash, separator, signer] = parts(text.strip_prefix("$firescrypt$")?)?;
            (parameters(params, ["ln", "r", "p"])?, salt, hash, separator, signer)
        };
        let [log_n, r, p] = [number(cost[0])?, number(cost[1])?, number(cost[2])?];
        let (salt, hash) = (base64(salt)?, base64(hash)?);
        let (separator, signer) = (base64(separator)?, base64(signer)?);
        let fits = SALT_BYTES.contains(&salt.len()) && separator.len() <= SEPARATOR_BYTES_MAX;
        if !fits || hash.len() != FIREBASE_BYTES || signer.len() != FIREBASE_BYTES {
            return None;
        }
        if log_n > FIREBASE_LOG_N_MAX || r > FIREBASE_R_MAX || p != 1 {
            return Some(Err(HashRefusal::Cost));
        }
        Some(Cost::of(power(log_n), r, p).map(|cost| Self { cost, separator, signer, salt, hash }))
    }

    pub(super) fn canonical(&self) -> String {
        let (separator, signer) = (to_base64(&self.separator), to_base64(&self.signer));
        let (salt, hash) = (to_base64(&self.salt), to_base64(&self.hash));
        let Cost { log_n, r, p } = self.cost;
        format!("$fbscrypt$v=1,n={log_n},r={r},p={p},ss={separator},sk={signer}${salt}${hash}")
    }

    pub(super) fn verify(&self, text: &str) -> Result<bool, HashError> {
        let Cost { log_n, r, p } = self.cost;
        let mut key = zeroize::Zeroizing::new([0; AES_KEY_BYTES]);
        let salt = [self.salt.as_slice(), &self.separator].concat();
        scrypt::derive(text, &salt, (log_n, r, p), key.as_mut_slice())?;
        let cipher = Aes256::new(&(*key).into());
        // Counter mode from a counter of zero.
        let mut made = Vec::with_capacity(FIREBASE_BYTES);
        for (counter, clear) in (0_u128..).zip(self.signer.chunks(AES_BLOCK_BYTES)) {
            let mut block = counter.to_be_bytes().into();
            cipher.encrypt_block(&mut block);
            made.extend(clear.iter().zip(block).map(|(clear, stream)| clear ^ stream));
        }
        Ok(equal(&made, &self.hash))
    }
}
