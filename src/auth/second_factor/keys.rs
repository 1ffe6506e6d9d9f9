//! The keys that encrypt the secrets of native second factors: which of them are there, and a new one for all secrets.

use super::sealed::{SealError, SealedSecret};
use crate::auth::{Auth, AuthError};

/// The key of some secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    pub name: String,
    pub secrets: u64,
    /// Why the secrets cannot be read.
    pub problem: Option<SealError>,
}

impl Auth<'_> {
    /// The keys that the secrets of the database need.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn factor_key_uses(&mut self) -> Result<Vec<KeyUse>, AuthError> {
        let names = self.store.factor_key_names()?;
        let key_use =
            |(name, secrets): (String, u64)| KeyUse { problem: self.factor_keys.find(&name).err(), name, secrets };
        Ok(names.into_iter().map(key_use).collect())
    }

    /// Makes a new key and encrypts all secrets with it. The former keys stay in their file, because other databases and
    /// backups may need them. Returns the name of the key and the number of secrets.
    ///
    /// # Errors
    /// [`AuthError::Seal`] if a secret cannot be read or the file of keys not be written. Nothing changes then in the
    /// database.
    pub fn change_factor_key(&mut self) -> Result<(String, u64), AuthError> {
        // A key is made only for secrets that can be read.
        if let Some(problem) = self.factor_key_uses()?.into_iter().find_map(|key| key.problem) {
            return Err(problem.into());
        }
        let key = self.factor_keys.add(self.entropy)?;
        let Self { store, entropy, factor_keys, .. } = self;
        let mut reseal = |user_id: &str, sealed: &SealedSecret| {
            let secret = sealed.open(user_id, *factor_keys)?;
            Ok(SealedSecret::seal(&secret, user_id, &key, entropy)??)
        };
        let count = store.reseal_factors(&key.name(), &mut reseal)??;
        Ok((key.name(), count))
    }
}
