//! Hashes of other systems, from their texts. A text is read whole, and its cost is checked, before any function
//! computes with it.

use super::crypt::{ShaCrypt, Yescrypt};
use super::encoding::equal;
use super::kind::{HashKind, HashRefusal};
use super::pbkdf2::Pbkdf2;
use super::pepper::{Peppered, Peppers};
use super::prehashed::Prehashed;
use super::scrypt_phc::{Firebase, ScryptPhc};
use super::weak::{WeakFunction, WeakHash};
use super::{HashError, argon2id, bcrypt, scrypt};
use crate::auth::secret::SECRET_BYTES_MAX;

/// A hash that a sign-in to a native database verifies.
#[derive(Debug)]
pub(super) enum StrongHash {
    BetterAuth(String),
    Lucia(String),
    Argon2(HashKind, String),
    Bcrypt(String),
    Peppered(Peppered),
    Prehashed(Prehashed),
    Pbkdf2(Pbkdf2),
    Scrypt(ScryptPhc),
    Firebase(Firebase),
    ShaCrypt(ShaCrypt),
    Yescrypt(Yescrypt),
    Wrapped(Wrapped),
}

/// argon2id over the result of a weak function. The weak result is not stored.
#[derive(Debug)]
pub(super) struct Wrapped {
    inner: WeakFunction,
    argon2id: String,
}

const WRAP: &str = "$authctl-wrap$";

/// A hash of another system.
#[derive(Debug)]
pub(super) enum ForeignHash {
    Strong(StrongHash),
    Weak(WeakHash),
}

impl Wrapped {
    /// The text of a wrap around a weak hash.
    pub(super) fn text(inner: &WeakFunction, argon2id: &str) -> String {
        format!("{WRAP}{}{argon2id}", inner.to_header())
    }

    fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let rest = text.strip_prefix(WRAP)?;
        let (header, argon2id) = rest.split_at_checked(rest.find('$')?)?;
        let inner = match WeakFunction::of_header(header)? {
            Ok(inner) => inner,
            Err(refused) => return Some(Err(refused)),
        };
        match argon2id::canonical(argon2id)? {
            Ok((HashKind::Argon2id, argon2id)) => Some(Ok(Self { inner, argon2id })),
            Ok(_) => None,
            Err(refused) => Some(Err(refused)),
        }
    }
}

impl StrongHash {
    pub(super) fn kind(&self) -> HashKind {
        match self {
            Self::BetterAuth(_) => HashKind::BetterAuthScrypt,
            Self::Lucia(_) => HashKind::LuciaScrypt,
            Self::Argon2(kind, _) => *kind,
            Self::Bcrypt(_) => HashKind::Bcrypt,
            Self::Peppered(_) => HashKind::BcryptPepper,
            Self::Prehashed(hash) => hash.kind(),
            Self::Pbkdf2(hash) => hash.kind(),
            Self::Scrypt(_) => HashKind::Scrypt,
            Self::Firebase(_) => HashKind::FirebaseScrypt,
            Self::ShaCrypt(hash) => hash.kind(),
            Self::Yescrypt(_) => HashKind::Yescrypt,
            Self::Wrapped(wrapped) => wrapped.inner.kind,
        }
    }

    pub(super) fn is_wrapped(&self) -> bool {
        matches!(self, Self::Wrapped(_))
    }

    /// Whether the verification computes argon2, which takes about as long as authctl's own hash.
    pub(super) fn computes_argon2(&self) -> bool {
        matches!(self, Self::Argon2(..) | Self::Wrapped(_))
    }

    /// Whether the system that made the hash converted the password to NFKC.
    pub(super) fn normalises(&self) -> bool {
        matches!(self, Self::BetterAuth(_) | Self::Lucia(_))
    }

    /// How many bytes of a password count, if not all.
    pub(super) fn read_bytes(&self) -> Option<usize> {
        matches!(self, Self::Bcrypt(_) | Self::Peppered(_)).then_some(bcrypt::READ_BYTES)
    }

    /// The text that a database stores.
    pub(super) fn canonical(&self) -> String {
        match self {
            Self::BetterAuth(text) | Self::Lucia(text) | Self::Argon2(_, text) | Self::Bcrypt(text) => text.clone(),
            Self::Peppered(hash) => hash.canonical(),
            Self::Prehashed(hash) => hash.canonical(),
            Self::Pbkdf2(hash) => hash.canonical(),
            Self::Scrypt(hash) => hash.canonical(),
            Self::Firebase(hash) => hash.canonical(),
            Self::ShaCrypt(hash) => hash.canonical(),
            Self::Yescrypt(hash) => hash.canonical(),
            Self::Wrapped(Wrapped { inner, argon2id }) => Wrapped::text(inner, argon2id),
        }
    }

    /// Compares one form of a password with the hash.
    pub(super) fn verify(&self, text: &str, peppers: &dyn Peppers) -> Result<bool, HashError> {
        match self {
            Self::Peppered(hash) => hash.verify(text, peppers),
            Self::BetterAuth(stored) => scrypt::verify(text, stored),
            Self::Lucia(stored) => scrypt::verify_lucia(text, stored),
            Self::Argon2(HashKind::Argon2i, stored) => argon2id::verify_argon2i(text.as_bytes(), stored),
            Self::Argon2(_, stored) => argon2id::verify(text.as_bytes(), stored),
            Self::Bcrypt(stored) => Ok(bcrypt::verify(text, stored)),
            Self::Prehashed(hash) => hash.verify(text),
            Self::Pbkdf2(hash) => Ok(hash.verify(text)),
            Self::Scrypt(hash) => hash.verify(text),
            Self::Firebase(hash) => hash.verify(text),
            Self::ShaCrypt(hash) => hash.verify(text),
            Self::Yescrypt(hash) => hash.verify(text),
            Self::Wrapped(Wrapped { inner, argon2id }) => argon2id::verify(&inner.compute(text)?, argon2id),
        }
    }
}

/// A prefix that LDAP puts before the texts of other systems, in any case.
fn without_ldap_name<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(rest)
}

fn strong(text: &str) -> Option<Result<StrongHash, HashRefusal>> {
    if scrypt::is_accepted(text) {
        return Some(Ok(StrongHash::BetterAuth(text.to_owned())));
    }
    if scrypt::is_lucia(text) {
        return Some(Ok(StrongHash::Lucia(text.to_owned())));
    }
    // Django puts the name of its hasher before the text.
    let argon2 = text.strip_prefix("argon2").filter(|rest| rest.starts_with('$')).unwrap_or(text);
    let bcrypt = text.strip_prefix("bcrypt$").unwrap_or(text);
    argon2id::canonical(argon2)
        .map(|read| read.map(|(kind, text)| StrongHash::Argon2(kind, text)))
        .or_else(|| {
            let portable = || bcrypt::portable(bcrypt).unwrap_or_else(|| bcrypt.to_owned());
            bcrypt::read(bcrypt).map(|read| read.map(|_| StrongHash::Bcrypt(portable())))
        })
        .or_else(|| Peppered::parse(text).map(|read| read.map(StrongHash::Peppered)))
        .or_else(|| Prehashed::parse(text).map(|read| read.map(StrongHash::Prehashed)))
        .or_else(|| Pbkdf2::parse(text).map(|read| read.map(StrongHash::Pbkdf2)))
        .or_else(|| ScryptPhc::parse(text).map(|read| read.map(StrongHash::Scrypt)))
        .or_else(|| Firebase::parse(text).map(|read| read.map(StrongHash::Firebase)))
        .or_else(|| ShaCrypt::parse(text).map(|read| read.map(StrongHash::ShaCrypt)))
        .or_else(|| Yescrypt::parse(text).map(|read| read.map(StrongHash::Yescrypt)))
        .or_else(|| Wrapped::parse(text).map(|read| read.map(StrongHash::Wrapped)))
}

impl ForeignHash {
    /// Reads the text of a hash in any spelling. Nothing is computed.
    pub(super) fn parse(text: &str) -> Result<Self, HashRefusal> {
        if text.len() > SECRET_BYTES_MAX {
            return Err(HashRefusal::Unknown);
        }
        let inner = ["{CRYPT}", "{ARGON2}"].into_iter().find_map(|name| without_ldap_name(text, name));
        let inner = inner.filter(|inner| inner.starts_with('$')).unwrap_or(text);
        strong(inner)
            .map(|read| read.map(Self::Strong))
            .or_else(|| WeakHash::parse(inner).map(|read| read.map(Self::Weak)))
            .unwrap_or_else(|| Err(HashRefusal::of_unknown(text)))
    }

    pub(super) fn kind(&self) -> HashKind {
        match self {
            Self::Strong(hash) => hash.kind(),
            Self::Weak(hash) => hash.function.kind,
        }
    }

    pub(super) fn verify(&self, text: &str, peppers: &dyn Peppers) -> Result<bool, HashError> {
        match self {
            Self::Strong(hash) => hash.verify(text, peppers),
            Self::Weak(WeakHash { function, digest }) => Ok(equal(&function.compute(text)?, digest)),
        }
    }
}
