//! The secrets of a Better Auth app, and the values that the app encrypts with them: XChaCha20-Poly1305 with the SHA-256 of
//! a secret as the key and nothing else authenticated, in hexadecimal. A value of a versioned secret begins with `$ba$`
//! and the version.

mod values;

use std::fmt;

use zeroize::Zeroizing;

use super::second_factor::FactorKey;
use super::secret::{AppSecret, Entropy, EntropyError};

pub use values::{Reading, Rotation, SecretScan};

/// The nonce and the tag.
const BYTES_MIN: usize = 24 + 16;

/// The beginning of a value of a versioned secret.
const ENVELOPE: &str = "$ba$";

/// A secret of the app.
#[derive(Clone)]
pub struct VersionedSecret {
    /// The version in `BETTER_AUTH_SECRETS`; `None` for a secret that stands alone.
    version: Option<u32>,
    /// Where it came from, for messages.
    name: String,
    key: Option<FactorKey>,
}

impl fmt::Debug for VersionedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionedSecret({}, ***)", self.name)
    }
}

impl VersionedSecret {
    pub fn new(version: Option<u32>, name: impl Into<String>, secret: &AppSecret) -> Self {
        Self { version, name: name.into(), key: FactorKey::of_secret(secret.expose()) }
    }
}

/// The secrets of an app. The first one encrypts.
#[derive(Debug, Clone, Default)]
pub struct AppSecrets(Vec<VersionedSecret>);

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It has not the form of an encrypted one.
    Plain,
    /// Encrypted with the secret of a version, or with one that stands alone.
    Encrypted { version: Option<u32> },
}

impl Form {
    pub fn of(stored: &str) -> Self {
        match parts(stored) {
            Some((version, _)) => Self::Encrypted { version },
            None => Self::Plain,
        }
    }
}

/// The version of an encrypted value, and its hexadecimal digits.
fn parts(stored: &str) -> Option<(Option<u32>, &str)> {
    if let Some(rest) = stored.strip_prefix(ENVELOPE) {
        let (version, digits) = rest.split_once('$')?;
        return Some((Some(version.parse().ok()?), digits));
    }
    let is_hex = |digits: &str| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let length = stored.len();
    (length.is_multiple_of(2) && length >= 2 * BYTES_MIN && is_hex(stored)).then_some((None, stored))
}

/// A value that was read.
pub struct Opened<'s> {
    pub text: Zeroizing<String>,
    /// The name of the secret that read it.
    pub by: &'s str,
    /// Whether the app would write it like that now.
    pub is_current: bool,
}

impl AppSecrets {
    pub fn new(secrets: Vec<VersionedSecret>) -> Self {
        Self(secrets)
    }

    pub fn push(&mut self, secret: VersionedSecret) {
        self.0.push(secret);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the secret that encrypts.
    pub fn current(&self) -> Option<&str> {
        self.0.first().map(|secret| secret.name.as_str())
    }

    /// Decrypts a value with the secret that fits; `None` if none does.
    pub fn open(&self, stored: &str) -> Option<Opened<'_>> {
        let (version, digits) = parts(stored)?;
        self.0.iter().enumerate().find_map(|(at, secret)| {
            let opened = secret.key.as_ref()?.decrypt(digits, &[]).ok()?;
            let text = Zeroizing::new(std::str::from_utf8(&opened).ok()?.to_owned());
            Some(Opened { text, by: &secret.name, is_current: at == 0 && secret.version == version })
        })
    }

    /// Encrypts a text as the app does; `None` without a secret.
    ///
    /// # Errors
    /// Without random bytes.
    pub fn seal(&self, text: &str, entropy: &mut Entropy) -> Result<Option<String>, EntropyError> {
        let Some((secret, key)) = self.0.first().and_then(|secret| Some((secret, secret.key.as_ref()?))) else {
            return Ok(None);
        };
        let sealed = key.encrypt(text.as_bytes(), &[], entropy)?.ok();
        let version = secret.version.map(|version| format!("{ENVELOPE}{version}$")).unwrap_or_default();
        Ok(sealed.map(|sealed| format!("{version}{sealed}")))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::auth::fixtures::entropy;

    pub(crate) const SECRET: &str = "interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4";
    const NEXT: &str = "another-secret-Z9y8X7w6V5u4T3s2R1q0P9o8N7m6";

    /// Values of better-auth 1.7.25.
    const PLAIN: &str = "VYyT_lP5Df0rv6sFdw7S2LVFnTV1ekg_";
    pub(crate) const BARE: &str = "db81e7cc808c5b80621363d8a13a92c461054cddb8917804f99ff4c5457907722273f58d0d79b81f52df651b\
                                   825565eafeca1a830c671a263f9552a834f4cc8a2caeeded0fcd9599";
    const SECOND: &str = "$ba$2$4abd93a46f6e3df9df0c4d1e1108c984a7676a00db917b0c4e34b697585c09b86ec609fc7ad3be64606baf501\
                          aa24446c915583499d7c4ccf3c6f065bbb70c5ea65880be695e6e62";
    const CODES: &str = "6cdd9dc952b8a19d85bc856f0eaad4b9dcfd5a3753ac2da98f4a7f268f507fd2718f9038b170f2397f262bf7c6b219955b\
                         7df4518f81c0ab020af6070363fc31253ee68cfb";

    pub(crate) fn secrets(given: &[(Option<u32>, &str)]) -> AppSecrets {
        let secret = |(version, text): &(Option<u32>, &str)| {
            VersionedSecret::new(*version, *text, &AppSecret::from_bytes(text.as_bytes()).unwrap())
        };
        AppSecrets::new(given.iter().map(secret).collect())
    }

    #[test]
    fn values_of_the_app_are_read() {
        let alone = secrets(&[(None, SECRET)]);
        for (stored, text) in [(BARE, PLAIN), (CODES, r#"["AAAAA-BBBBB","ccccc-11111"]"#)] {
            let opened = alone.open(stored).unwrap();
            assert_eq!((opened.text.as_str(), opened.by, opened.is_current), (text, SECRET, true));
        }
        assert!(alone.open(SECOND).is_none());
        let both = secrets(&[(Some(2), NEXT), (None, SECRET)]);
        let opened = both.open(SECOND).unwrap();
        assert_eq!((opened.text.as_str(), opened.by, opened.is_current), (PLAIN, NEXT, true));
        let opened = both.open(BARE).unwrap();
        assert_eq!((opened.text.as_str(), opened.by, opened.is_current), (PLAIN, SECRET, false));
        assert!(secrets(&[]).open(BARE).is_none() && secrets(&[(Some(1), NEXT)]).open(BARE).is_none());
    }

    #[test]
    fn written_values_have_the_form_of_the_app() {
        for (given, form) in [(None, None), (Some(7), Some(7))] {
            let secrets = secrets(&[(given, SECRET), (None, NEXT)]);
            let mut entropy = entropy(1);
            let sealed = secrets.seal("text", &mut entropy).unwrap().unwrap();
            assert_eq!(Form::of(&sealed), Form::Encrypted { version: form });
            assert_ne!(secrets.seal("text", &mut entropy).unwrap().unwrap(), sealed, "every nonce is new");
            let opened = secrets.open(&sealed).unwrap();
            assert!(*opened.text == "text" && opened.is_current);
            for place in 0..sealed.len() {
                let mut edited = sealed.clone().into_bytes();
                edited[place] = if edited[place] == b'0' { b'1' } else { b'0' };
                let edited = String::from_utf8(edited).unwrap();
                // The version is no part of what is authenticated.
                assert!(place == 4 && given.is_some() || secrets.open(&edited).is_none(), "{place}");
            }
        }
        assert_eq!(secrets(&[]).seal("text", &mut entropy(1)).unwrap(), None);
    }

    #[test]
    fn form_is_told_by_the_text() {
        for text in ["", "[]", "[\"AAAAA-BBBBB\"]", "{\"kty\":\"OKP\"}", "abcd", "$ba$", "$ba$x$00", "ya29.a0Af"] {
            assert_eq!(Form::of(text), Form::Plain, "{text}");
        }
        assert_eq!(Form::of(BARE), Form::Encrypted { version: None });
        assert_eq!(Form::of(&BARE.to_uppercase()), Form::Plain);
        assert_eq!(Form::of(SECOND), Form::Encrypted { version: Some(2) });
    }
}
