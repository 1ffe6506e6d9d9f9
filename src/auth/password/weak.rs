//! Hashes that are so cheap that a stolen file gives most passwords: digests with and without a salt, phpass and
//! MD5 crypt. They are stored only in a wrap.

use std::ops::RangeInclusive;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::HashError;
use super::encoding::{base64, crypt_base64, crypt_digit, hex, number, parameters, parts};
use super::kind::{HashKind, HashRefusal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        fn of<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut digest = D::new();
            for part in parts {
                digest.update(part);
            }
            digest.finalize().to_vec()
        }
        match self {
            Self::Md5 => of::<Md5>(parts),
            Self::Sha1 => of::<Sha1>(parts),
            Self::Sha256 => of::<Sha256>(parts),
            Self::Sha384 => of::<Sha384>(parts),
            Self::Sha512 => of::<Sha512>(parts),
        }
    }

    fn hmac(self, key: &[u8], text: &[u8]) -> Result<Vec<u8>, HashError> {
        macro_rules! hmac {
            ($digest:ty) => {
                Hmac::<$digest>::new_from_slice(key).map(|mut mac| {
                    mac.update(text);
                    mac.finalize().into_bytes().to_vec()
                })
            };
        }
        let made = match self {
            Self::Md5 => hmac!(Md5),
            Self::Sha1 => hmac!(Sha1),
            Self::Sha256 => hmac!(Sha256),
            Self::Sha384 => hmac!(Sha384),
            Self::Sha512 => hmac!(Sha512),
        };
        made.map_err(|error| HashError::Failed(format!("hmac: {error}")))
    }
}

/// Where the salt of a digest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Behind,
    /// The salt is the key of an HMAC.
    Key,
}

const BEFORE: &str = "prefix";
const BEHIND: &str = "suffix";
const KEY: &str = "hmac";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Phpass,
    /// MD5 crypt with the text that begins its input.
    Md5Crypt(&'static str),
    Digest(Algorithm, Place),
}

const MD5_CRYPT: &str = "$1$";
const APR1: &str = "$apr1$";

/// The function of a weak kind. The salt of a digest may be behind the password in each kind that has one.
fn function(kind: HashKind, behind: bool) -> Option<Function> {
    let place = if behind { Place::Behind } else { Place::Before };
    Some(match kind {
        HashKind::Phpass => Function::Phpass,
        HashKind::Apr1 => Function::Md5Crypt(APR1),
        HashKind::Md5Crypt => Function::Md5Crypt(MD5_CRYPT),
        HashKind::LdapSmd5 | HashKind::LdapMd5 => Function::Digest(Algorithm::Md5, Place::Behind),
        HashKind::LdapSsha | HashKind::LdapSha => Function::Digest(Algorithm::Sha1, Place::Behind),
        HashKind::LdapSsha256 => Function::Digest(Algorithm::Sha256, Place::Behind),
        HashKind::LdapSsha384 => Function::Digest(Algorithm::Sha384, Place::Behind),
        HashKind::LdapSsha512 => Function::Digest(Algorithm::Sha512, Place::Behind),
        HashKind::Md5 | HashKind::SaltedMd5 => Function::Digest(Algorithm::Md5, place),
        HashKind::Sha1 | HashKind::SaltedSha1 => Function::Digest(Algorithm::Sha1, place),
        HashKind::Sha256 | HashKind::SaltedSha256 => Function::Digest(Algorithm::Sha256, place),
        HashKind::Sha512 | HashKind::SaltedSha512 => Function::Digest(Algorithm::Sha512, place),
        HashKind::HmacMd5 => Function::Digest(Algorithm::Md5, Place::Key),
        HashKind::HmacSha1 => Function::Digest(Algorithm::Sha1, Place::Key),
        HashKind::HmacSha256 => Function::Digest(Algorithm::Sha256, Place::Key),
        HashKind::HmacSha512 => Function::Digest(Algorithm::Sha512, Place::Key),
        _ => return None,
    })
}

/// The kind of a digest.
fn kind_of(algorithm: Algorithm, place: Place, salted: bool) -> Option<HashKind> {
    Some(match (algorithm, place, salted) {
        (Algorithm::Md5, Place::Key, _) => HashKind::HmacMd5,
        (Algorithm::Sha1, Place::Key, _) => HashKind::HmacSha1,
        (Algorithm::Sha256, Place::Key, _) => HashKind::HmacSha256,
        (Algorithm::Sha512, Place::Key, _) => HashKind::HmacSha512,
        (Algorithm::Md5, _, true) => HashKind::SaltedMd5,
        (Algorithm::Sha1, _, true) => HashKind::SaltedSha1,
        (Algorithm::Sha256, _, true) => HashKind::SaltedSha256,
        (Algorithm::Sha512, _, true) => HashKind::SaltedSha512,
        (Algorithm::Md5, _, false) => HashKind::Md5,
        (Algorithm::Sha1, _, false) => HashKind::Sha1,
        (Algorithm::Sha256, _, false) => HashKind::Sha256,
        (Algorithm::Sha512, _, false) => HashKind::Sha512,
        (Algorithm::Sha384, ..) => return None,
    })
}

/// The logarithm of the rounds of phpass.
const PHPASS_COST: RangeInclusive<u64> = 7..=20;
const PHPASS_SALT_CHARS: usize = 8;
/// How often a digest is computed. The default of `FusionAuth` is 20,000.
const REPEATS: RangeInclusive<u64> = 1..=1_000_000;
const SALT_BYTES_MAX: usize = 256;
const MD5_CRYPT_SALT_CHARS_MAX: usize = 8;

/// A weak function with its salt and cost, without a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WeakFunction {
    pub(super) kind: HashKind,
    /// The logarithm of the rounds of phpass, or how often a digest is computed.
    cost: Option<u32>,
    salt: Vec<u8>,
    function: Function,
}

impl WeakFunction {
    fn new(kind: HashKind, cost: Option<u64>, behind: bool, salt: Vec<u8>) -> Option<Result<Self, HashRefusal>> {
        let function = function(kind, behind)?;
        let (range, salt_max) = match function {
            Function::Phpass => (PHPASS_COST, PHPASS_SALT_CHARS),
            Function::Md5Crypt(_) => (1..=1, MD5_CRYPT_SALT_CHARS_MAX),
            Function::Digest(..) => (REPEATS, SALT_BYTES_MAX),
        };
        let is_salt = salt.len() <= salt_max && (function != Function::Phpass || salt.len() == salt_max);
        is_salt.then_some(())?;
        let within = range.contains(&cost.unwrap_or(1)) && (cost.is_some() || function != Function::Phpass);
        let cost = cost.filter(|cost| *cost != 1 || function == Function::Phpass);
        match cost.map(u32::try_from).transpose() {
            Ok(cost) if within => Some(Ok(Self { kind, cost, salt, function })),
            _ => Some(Err(HashRefusal::Cost)),
        }
    }

    /// The length of the result in bytes.
    fn bytes(&self) -> usize {
        match self.function {
            Function::Digest(algorithm, _) => algorithm.bytes(),
            Function::Phpass | Function::Md5Crypt(_) => Algorithm::Md5.bytes(),
        }
    }

    /// The description in a wrap.
    pub(super) fn to_header(&self) -> String {
        let name = self.kind.name();
        let cost = self.cost.map(|cost| format!(",c={cost}")).unwrap_or_default();
        let behind = match self.function {
            Function::Digest(_, Place::Behind) if function(self.kind, false) != Some(self.function) => ",o=suffix",
            _ => "",
        };
        format!("v=1,k={name}{cost}{behind},s={}", super::encoding::to_base64(&self.salt))
    }

    /// Reads the description in a wrap.
    pub(super) fn of_header(text: &str) -> Option<Result<Self, HashRefusal>> {
        let mut parts = text.strip_prefix("v=1,k=")?.split(',').peekable();
        let kind = HashKind::of_name(parts.next()?)?;
        let cost = parts.next_if(|part| part.starts_with("c=")).map(|part| number(&part[2..]));
        let behind = parts.next_if(|part| *part == "o=suffix").is_some();
        let salt = base64(parts.next()?.strip_prefix("s=")?)?;
        parts.next().is_none().then_some(())?;
        match cost {
            Some(cost) => Self::new(kind, Some(cost?), behind, salt),
            None => Self::new(kind, None, behind, salt),
        }
    }

    /// The raw bytes of the result for a password.
    pub(super) fn compute(&self, text: &str) -> Result<Vec<u8>, HashError> {
        let (text, salt) = (text.as_bytes(), self.salt.as_slice());
        Ok(match self.function {
            Function::Phpass => phpass(text, salt, self.cost.unwrap_or(0)),
            Function::Md5Crypt(magic) => md5_crypt(text, salt, magic),
            Function::Digest(algorithm, place) => {
                let mut digest = match place {
                    Place::Before => algorithm.digest(&[salt, text]),
                    Place::Behind => algorithm.digest(&[text, salt]),
                    Place::Key => algorithm.hmac(salt, text)?,
                };
                for _ in 1..self.cost.unwrap_or(1) {
                    digest = algorithm.digest(&[&digest]);
                }
                digest
            }
        })
    }
}

fn phpass(text: &[u8], salt: &[u8], log_rounds: u32) -> Vec<u8> {
    let mut digest = Algorithm::Md5.digest(&[salt, text]);
    for _ in 0..1_u32 << log_rounds {
        digest = Algorithm::Md5.digest(&[&digest, text]);
    }
    digest
}

const MD5_CRYPT_ROUNDS: usize = 1_000;

/// MD5 crypt of FreeBSD, and Apache's, which differs in the magic text.
fn md5_crypt(text: &[u8], salt: &[u8], magic: &str) -> Vec<u8> {
    let both = Algorithm::Md5.digest(&[text, salt, text]);
    let mut input = [text, magic.as_bytes(), salt].concat();
    input.extend(both.iter().cycle().take(text.len()));
    let mut length = text.len();
    while length > 0 {
        let first = text.first().copied().unwrap_or(0);
        input.push(if length & 1 == 1 { 0 } else { first });
        length >>= 1;
    }
    let mut digest = Algorithm::Md5.digest(&[&input]);
    for round in 0..MD5_CRYPT_ROUNDS {
        let mut input = Vec::with_capacity(text.len() * 2 + salt.len() + digest.len());
        let (first, last) = if round % 2 == 1 { (text, digest.as_slice()) } else { (digest.as_slice(), text) };
        input.extend(first);
        if round % 3 != 0 {
            input.extend(salt);
        }
        if round % 7 != 0 {
            input.extend(text);
        }
        input.extend(last);
        digest = Algorithm::Md5.digest(&[&input]);
    }
    digest
}

/// The order of the bytes in the text of MD5 crypt.
const MD5_CRYPT_ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/// A weak hash of an export.
#[derive(Debug)]
pub(super) struct WeakHash {
    pub(super) function: WeakFunction,
    /// The raw bytes, so that case, padding and alphabet of the text do not matter.
    pub(super) digest: Vec<u8>,
}

/// What a text says, before its bounds are checked.
struct Read {
    kind: HashKind,
    cost: Option<u64>,
    behind: bool,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Read {
    fn of(kind: HashKind, salt: impl Into<Vec<u8>>, digest: Vec<u8>) -> Self {
        Self { kind, cost: None, behind: false, salt: salt.into(), digest }
    }
}

fn read_phpass(text: &str) -> Option<Read> {
    let rest = text.strip_prefix("$P$").or_else(|| text.strip_prefix("$H$"))?;
    let cost = crypt_digit(*rest.as_bytes().first()?)?;
    let (salt, digest) = rest[1..].split_at_checked(PHPASS_SALT_CHARS)?;
    let read = Read::of(HashKind::Phpass, salt, crypt_base64(digest)?);
    Some(Read { cost: Some(cost.into()), ..read })
}

fn read_md5_crypt(text: &str) -> Option<Read> {
    let (kind, rest) = match text.strip_prefix(APR1) {
        Some(rest) => (HashKind::Apr1, rest),
        None => (HashKind::Md5Crypt, text.strip_prefix(MD5_CRYPT)?),
    };
    let [salt, spread] = parts(rest)?;
    let spread = crypt_base64(spread)?;
    let mut digest = vec![0; MD5_CRYPT_ORDER.len()];
    for (from, to) in MD5_CRYPT_ORDER.into_iter().enumerate() {
        digest[to] = *spread.get(from)?;
    }
    (spread.len() == MD5_CRYPT_ORDER.len()).then(|| Read::of(kind, salt, digest))
}

/// The forms of LDAP: the name in braces in any case, then digest and salt in base64.
fn read_ldap(text: &str) -> Option<Read> {
    let (name, rest) = text.strip_prefix('{')?.split_once('}')?;
    let (kind, salted, algorithm) = match name.to_ascii_uppercase().as_str() {
        "SSHA" => (HashKind::LdapSsha, true, Algorithm::Sha1),
        "SSHA256" => (HashKind::LdapSsha256, true, Algorithm::Sha256),
        "SSHA384" => (HashKind::LdapSsha384, true, Algorithm::Sha384),
        "SSHA512" => (HashKind::LdapSsha512, true, Algorithm::Sha512),
        "SMD5" => (HashKind::LdapSmd5, true, Algorithm::Md5),
        "SHA" => (HashKind::LdapSha, false, Algorithm::Sha1),
        "MD5" => (HashKind::LdapMd5, false, Algorithm::Md5),
        _ => return None,
    };
    let both = base64(rest)?;
    let (digest, salt) = both.split_at_checked(algorithm.bytes())?;
    (salt.is_empty() != salted).then(|| Read::of(kind, salt, digest.to_vec()))
}

/// Django's `md5$salt$hex`, and digests in hex alone, which are taken to have no salt.
fn read_hex(text: &str) -> Option<Read> {
    let django = ["md5", "sha1"].into_iter().find_map(|name| {
        let [salt, digest] = parts(text.strip_prefix(name)?.strip_prefix('$')?)?;
        Some((Algorithm::of(name)?, salt, digest))
    });
    let (algorithm, salt, digest) = if let Some((algorithm, salt, digest)) = django {
        (algorithm, salt, hex(digest)?)
    } else {
        let digest = hex(text)?;
        let algorithms = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256];
        (algorithms.into_iter().find(|algorithm| algorithm.bytes() == digest.len())?, "", digest)
    };
    Some(Read::of(kind_of(algorithm, Place::Before, !salt.is_empty())?, salt, digest))
}

/// authctl's own notation of a digest that an export has in pieces.
fn read_pieces(text: &str) -> Option<Read> {
    let [params, digest] = parts(text.strip_prefix("$authctl-digest$")?)?;
    let [algorithm, place, cost, salt] = parameters(params, ["a", "o", "f", "s"])?;
    let algorithm = Algorithm::of(algorithm)?;
    let place = match place {
        BEFORE => Place::Before,
        BEHIND => Place::Behind,
        KEY => Place::Key,
        _ => return None,
    };
    let salt = base64(salt)?;
    let kind = kind_of(algorithm, place, !salt.is_empty())?;
    // Without a salt both orders are one.
    let behind = place == Place::Behind && !salt.is_empty();
    Some(Read { kind, cost: Some(number(cost)?), behind, salt, digest: base64(digest)? })
}

impl WeakHash {
    /// Reads every spelling; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let readers = [read_phpass, read_md5_crypt, read_ldap, read_hex, read_pieces];
        let Read { kind, cost, behind, salt, digest } = readers.into_iter().find_map(|read| read(text))?;
        match WeakFunction::new(kind, cost, behind, salt)? {
            Ok(function) if function.bytes() == digest.len() => Some(Ok(Self { function, digest })),
            Ok(_) => None,
            Err(refused) => Some(Err(refused)),
        }
    }
}
