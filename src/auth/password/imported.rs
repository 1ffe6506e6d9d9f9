//! A hash from an export of another system, for an import.

use std::num::NonZeroUsize;

use super::foreign::{ForeignHash, StrongHash, Wrapped};
use super::kind::{HashKind, HashRefusal};
use super::pepper::{Peppered, Peppers};
use super::{HashError, SALT_BYTES, argon2id, forms};
use crate::auth::policy::Argon2Cost;
use crate::auth::secret::{Entropy, Password, StoredHash};

/// A hash from an export of another system, read and within the bounds of its kind.
#[derive(Debug)]
pub struct ImportedHash(ForeignHash);

impl ImportedHash {
    /// Reads the text of a hash. `claimed` is the name that the file has for its kind, as Clerk's column
    /// `password_hasher`; it must agree with the text. Nothing is computed.
    ///
    /// # Errors
    /// [`HashRefusal`], which never holds the text.
    pub fn parse(text: &str, claimed: Option<&str>) -> Result<Self, HashRefusal> {
        let hash = ForeignHash::parse(text)?;
        match claimed {
            Some(name) if !hash.kind().is_claimed_as(name) => Err(HashRefusal::Unknown),
            _ => Ok(Self(hash)),
        }
    }

    /// The hash with the name of its pepper, which cannot be seen in the text of an export; `None` if the hash is not
    /// bcrypt, or the name is not letters and digits.
    #[must_use]
    pub fn peppered(&self, name: &str) -> Option<Self> {
        let ForeignHash::Strong(StrongHash::Bcrypt(bcrypt)) = &self.0 else { return None };
        Peppered::new(name, bcrypt).map(|hash| Self(ForeignHash::Strong(StrongHash::Peppered(hash))))
    }

    /// The kind; of a wrapped hash that of the hash inside.
    pub fn kind(&self) -> HashKind {
        self.0.kind()
    }

    /// Whether the hash is too cheap to be stored without [`Self::wrap`].
    pub fn is_weak(&self) -> bool {
        matches!(self.0, ForeignHash::Weak(_))
    }

    /// The canonical text to store, for every system that made the hash the same; `None` for a weak hash.
    pub fn stored(&self) -> Option<StoredHash> {
        match &self.0 {
            ForeignHash::Strong(hash) => StoredHash::from_bytes(hash.canonical().as_bytes()).ok(),
            ForeignHash::Weak(_) => None,
        }
    }

    /// Computes argon2id over a weak hash: the text to store instead of it. This costs one hash. Strong hashes are
    /// returned as [`Self::stored`] gives them.
    ///
    /// # Errors
    /// [`HashError`] without random bytes or memory.
    pub fn wrap(&self, cost: Argon2Cost, entropy: &mut Entropy) -> Result<StoredHash, HashError> {
        self.wrap_with(new_salt(entropy)?, cost)
    }

    /// Wraps hashes as [`Self::wrap`] does, up to `jobs` at a time. Each of them takes the memory of the cost.
    ///
    /// # Errors
    /// [`HashError`] without random bytes or memory.
    pub fn wrap_all(
        hashes: &[&Self],
        cost: Argon2Cost,
        entropy: &mut Entropy,
        jobs: NonZeroUsize,
    ) -> Result<Vec<StoredHash>, HashError> {
        let salted = hashes.iter().map(|hash| Ok((*hash, new_salt(entropy)?)));
        let salted = salted.collect::<Result<Vec<_>, HashError>>()?;
        let wrapped = |part: &[(&Self, [u8; SALT_BYTES])]| {
            part.iter().map(|(hash, salt)| hash.wrap_with(*salt, cost)).collect::<Result<Vec<_>, _>>()
        };
        let wrapped = &wrapped;
        let parts = std::thread::scope(|scope| {
            let parts = salted.chunks(salted.len().div_ceil(jobs.get()).max(1));
            let threads: Vec<_> = parts.map(|part| scope.spawn(move || wrapped(part))).collect();
            let ended = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err(HashError::Failed("a thread has stopped".to_owned())))
            };
            threads.into_iter().map(ended).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(parts.into_iter().flatten().collect())
    }

    fn wrap_with(&self, salt: [u8; SALT_BYTES], cost: Argon2Cost) -> Result<StoredHash, HashError> {
        let text = match &self.0 {
            ForeignHash::Strong(hash) => hash.canonical(),
            ForeignHash::Weak(weak) => Wrapped::text(&weak.function, &argon2id::hash(&weak.digest, salt, cost)?),
        };
        StoredHash::from_bytes(text.as_bytes()).map_err(|error| HashError::Failed(error.to_string()))
    }

    /// Compares a password with the hash, weak or not, in the forms that a sign-in compares.
    ///
    /// # Errors
    /// [`HashError`] without memory or pepper.
    pub fn verify(&self, password: &Password, peppers: &dyn Peppers) -> Result<bool, HashError> {
        let normalises = matches!(&self.0, ForeignHash::Strong(hash) if hash.normalises());
        for form in forms(password, normalises, true) {
            if self.0.verify(&form, peppers)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn new_salt(entropy: &mut Entropy) -> Result<[u8; SALT_BYTES], HashError> {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt)?;
    Ok(salt)
}

/// The canonical text of a hash that can be stored, or the hash as it is.
pub(in crate::auth) fn canonical(hash: StoredHash) -> StoredHash {
    match ForeignHash::parse(hash.expose()) {
        Ok(ForeignHash::Strong(strong)) => StoredHash::from_bytes(strong.canonical().as_bytes()).unwrap_or(hash),
        _ => hash,
    }
}

/// A stored hash that authctl does not make itself, as a sign-in to a native database verifies it.
pub(super) fn verifiable(stored: &StoredHash) -> Option<StrongHash> {
    match ForeignHash::parse(stored.expose()) {
        Ok(ForeignHash::Strong(hash)) => Some(hash),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
