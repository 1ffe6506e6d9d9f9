//! The encryption of secrets with a key that the database does not have: XChaCha20-Poly1305, as Better Auth uses it. The id of the
//! user is a part of what is authenticated, so that a secret cannot be moved to another user.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::totp::TotpSecret;
use crate::auth::secret::{Entropy, EntropyError, digest, hex};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The length of the name of a key.
const NAME_CHARS: usize = 16;

/// A key of secrets.
#[derive(Clone)]
pub struct FactorKey(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for FactorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorKey(***)")
    }
}

/// Why a secret cannot be encrypted or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Holds what failed.
    #[error("the key of second factors in {place} cannot be used: {problem}")]
    Key { place: String, problem: String },
    /// The secret was encrypted with another key than those of the file.
    #[error("the key {name} of second factors is not in {place}")]
    NoKey { name: String, place: String },
    /// The row was edited, or belongs to another user.
    #[error("the stored second factor is damaged")]
    Damaged,
    /// The app encrypted it with another secret.
    #[error("the given secret of the app does not read the second factor")]
    AppSecret,
    /// The app encrypts backup codes with a function of its own.
    #[error("the app stores its backup codes in a form that authctl does not know")]
    AppCodes,
}

/// The keys that encrypt secrets.
pub trait FactorKeys: fmt::Debug {
    /// The key for new secrets. It is made if no key exists.
    ///
    /// # Errors
    /// [`SealError::Key`].
    fn current(&self, entropy: &mut Entropy) -> Result<FactorKey, SealError>;

    /// The key with a name.
    ///
    /// # Errors
    /// [`SealError::Key`], [`SealError::NoKey`].
    fn find(&self, name: &str) -> Result<FactorKey, SealError>;

    /// Makes a new key for new secrets. The others stay, because other databases and backups may need them.
    ///
    /// # Errors
    /// [`SealError::Key`].
    fn add(&self, entropy: &mut Entropy) -> Result<FactorKey, SealError>;

    /// Where the keys are, in words.
    fn place(&self) -> String;
}

impl FactorKey {
    pub fn generate(entropy: &mut Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// Reads a key as [`Self::to_text`] writes it.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let read = base16ct::lower::decode(text, bytes.as_mut_slice()).ok()?;
        (read.len() == KEY_BYTES).then_some(Self(bytes))
    }

    /// The key in hexadecimal.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.0.as_slice()))
    }

    /// The name by which a secret refers to its key: the beginning of its digest.
    pub fn name(&self) -> String {
        let mut name = digest(self.0.as_slice());
        name.truncate(NAME_CHARS);
        name
    }

    /// The key that Better Auth derives from a secret: its SHA-256.
    pub(in crate::auth) fn of_secret(secret: &str) -> Option<Self> {
        Self::from_text(&Zeroizing::new(digest(secret)))
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, SealError> {
        XChaCha20Poly1305::new_from_slice(self.0.as_slice()).map_err(|_| SealError::Damaged)
    }

    /// Encrypts a text, and authenticates it with another one. Returns nonce, text and tag in hexadecimal.
    pub(in crate::auth) fn encrypt(
        &self,
        text: &[u8],
        with: &[u8],
        entropy: &mut Entropy,
    ) -> Result<Result<String, SealError>, EntropyError> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let payload = Payload { msg: text, aad: with };
        let sealed = self
            .cipher()
            .and_then(|cipher| cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Damaged));
        Ok(sealed.map(|sealed| format!("{}{}", hex(&nonce), hex(&sealed))))
    }

    /// Decrypts what [`Self::encrypt`] returned.
    pub(in crate::auth) fn decrypt(&self, digits: &str, with: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let bytes = base16ct::lower::decode_vec(digits).map_err(|_| SealError::Damaged)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Damaged)?;
        let payload = Payload { msg: sealed, aad: with };
        let opened = self.cipher()?.decrypt(&XNonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| SealError::Damaged)
    }
}

/// A secret as the database stores it: the name of the key, a colon, and nonce, text and tag in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret(pub String);

impl SealedSecret {
    /// Encrypts the secret of a user.
    ///
    /// # Errors
    /// Without random bytes.
    pub fn seal(
        secret: &TotpSecret,
        user_id: &str,
        key: &FactorKey,
        entropy: &mut Entropy,
    ) -> Result<Result<Self, SealError>, EntropyError> {
        let sealed = key.encrypt(secret.expose(), user_id.as_bytes(), entropy)?;
        Ok(sealed.map(|sealed| Self(format!("{}:{sealed}", key.name()))))
    }

    /// The name of the key that encrypted it.
    pub fn key_name(&self) -> &str {
        self.0.split_once(':').map_or("", |(name, _)| name)
    }

    /// Decrypts the secret of a user.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, user_id: &str, keys: &dyn FactorKeys) -> Result<TotpSecret, SealError> {
        let (name, sealed) = self.0.split_once(':').ok_or(SealError::Damaged)?;
        let opened = keys.find(name)?.decrypt(sealed, user_id.as_bytes())?;
        TotpSecret::from_bytes(&opened).ok_or(SealError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{FactorKeyring, entropy};

    #[test]
    fn secret_opens_with_its_key_for_its_user_alone() {
        let (mut entropy, keys) = (entropy(1), FactorKeyring::new(7));
        let secret = TotpSecret::generate(&mut entropy).unwrap();
        let key = keys.current(&mut entropy).unwrap();
        let seal = |entropy: &mut Entropy| SealedSecret::seal(&secret, "user-1", &key, entropy).unwrap().unwrap();
        let (sealed, again) = (seal(&mut entropy), seal(&mut entropy));
        assert_ne!(sealed, again, "every nonce is new");
        assert_eq!(sealed.open("user-1", &keys).unwrap().expose(), secret.expose());
        assert_eq!(sealed.open("user-2", &keys).unwrap_err(), SealError::Damaged);
        assert!(matches!(sealed.open("user-1", &FactorKeyring::new(8)), Err(SealError::NoKey { .. })));
        for place in 0..sealed.0.len() {
            let mut edited = sealed.0.clone().into_bytes();
            edited[place] = if edited[place] == b'0' { b'1' } else { b'0' };
            let edited = SealedSecret(String::from_utf8(edited).unwrap());
            assert!(edited.open("user-1", &keys).is_err(), "{place}");
        }
    }

    #[test]
    fn key_is_read_as_it_is_written() {
        let key = FactorKey::generate(&mut entropy(3)).unwrap();
        let read = FactorKey::from_text(&key.to_text()).unwrap();
        assert_eq!((read.name(), read.to_text()), (key.name(), key.to_text()));
        assert_eq!(key.name().len(), NAME_CHARS);
        for text in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            assert!(FactorKey::from_text(text).is_none(), "{text}");
        }
    }

    /// The encryption is that of Better Auth's vectors, which authenticate no id.
    #[test]
    fn cipher_is_that_of_the_app() {
        let key = FactorKey::from_text("d96cc11eb7351e1de971d7a3ac0ac8a9df54d668432de7990296512b5af3a666").unwrap();
        let of_secret = FactorKey::of_secret("interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4").unwrap();
        assert_eq!(of_secret.to_text(), key.to_text());
        let sealed = "db81e7cc808c5b80621363d8a13a92c461054cddb8917804f99ff4c5457907722273f58d0d79b81f52df651b825565eafeca1a830c67\
                      1a263f9552a834f4cc8a2caeeded0fcd9599";
        let opened = key.decrypt(sealed, b"").unwrap();
        assert_eq!(*opened, b"VYyT_lP5Df0rv6sFdw7S2LVFnTV1ekg_");
    }
}
