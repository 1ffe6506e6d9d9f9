//! bcrypt of something other than the password: a digest of it, or the password with a pepper behind it.

use base16ct::lower;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha384};
use zeroize::Zeroizing;

use super::encoding::{parameters, parts, to_padded_base64};
use super::kind::{HashKind, HashRefusal};
use super::{HashError, bcrypt};

/// What bcrypt hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// Django: SHA-256 in hex.
    Hex,
    /// The first version of passlib: SHA-256 in base64.
    Base64,
    /// The second version of passlib: HMAC-SHA-256 in base64. The key is the text of the salt.
    Hmac,
    /// `WordPress`: HMAC-SHA-384 of the trimmed password in base64.
    Wordpress,
}

const DJANGO: &str = "bcrypt_sha256$";
const WORDPRESS: &str = "$wp";
const WORDPRESS_KEY: &[u8] = b"wp-sha384";
/// What PHP trims.
const WORDPRESS_BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\u{b}'];
const SALT_CHARS: usize = 22;

/// A bcrypt hash of a digest of the password, so that every byte of a long password counts.
#[derive(Debug)]
pub(super) struct Prehashed {
    input: Input,
    /// The text as it is stored.
    text: String,
    /// The bcrypt hash of the digest.
    bcrypt: String,
}

impl Prehashed {
    /// Reads the forms of Django, passlib and `WordPress`; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let (input, bcrypt) = if let Some(bcrypt) = text.strip_prefix(DJANGO) {
            (Input::Hex, bcrypt.to_owned())
        } else if let Some(bcrypt) = text.strip_prefix(WORDPRESS) {
            (Input::Wordpress, bcrypt.to_owned())
        } else {
            let [params, salt, tag] = parts(text.strip_prefix("$bcrypt-sha256$")?)?;
            let (input, version, cost) = match parameters(params, ["v", "t", "r"]) {
                Some(["2", version, cost]) => (Input::Hmac, version, cost),
                Some(_) => return None,
                None => {
                    let (version, cost) = params.split_once(',')?;
                    (Input::Base64, version, cost)
                }
            };
            (salt.len() == SALT_CHARS).then_some(())?;
            (input, format!("${version}${cost:0>2}${salt}{tag}"))
        };
        Some(bcrypt::read(&bcrypt)?.map(|_| Self { input, text: text.to_owned(), bcrypt }))
    }

    pub(super) fn kind(&self) -> HashKind {
        if self.input == Input::Wordpress { HashKind::WordpressBcrypt } else { HashKind::BcryptSha256 }
    }

    pub(super) fn canonical(&self) -> String {
        self.text.clone()
    }

    pub(super) fn verify(&self, text: &str) -> Result<bool, HashError> {
        let digest = Zeroizing::new(match self.input {
            Input::Hex => lower::encode_string(&Sha256::digest(text)),
            Input::Base64 => to_padded_base64(&Sha256::digest(text)),
            Input::Hmac => {
                let salt = self.bcrypt.rsplit('$').next().and_then(|rest| rest.get(..SALT_CHARS)).unwrap_or_default();
                let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).map_err(failed)?;
                mac.update(text.as_bytes());
                to_padded_base64(&mac.finalize().into_bytes())
            }
            Input::Wordpress => {
                let mut mac = Hmac::<Sha384>::new_from_slice(WORDPRESS_KEY).map_err(failed)?;
                mac.update(text.trim_matches(WORDPRESS_BLANKS).as_bytes());
                to_padded_base64(&mac.finalize().into_bytes())
            }
        });
        Ok(bcrypt::verify(&digest, &self.bcrypt))
    }
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(format!("hmac: {error}"))
}
