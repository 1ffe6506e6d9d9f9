//! The session cookie of a Better Auth app, signed as the app signs it. A client that sends it is signed in.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret::{AppSecret, SecretError, Token};

/// The ASCII characters that JavaScript's `encodeURIComponent` encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieName {
    /// `better-auth.session_token`, over HTTP.
    Plain,
    /// With the prefix `__Secure-`, which browsers accept over HTTPS only.
    Secure,
}

impl CookieName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "better-auth.session_token",
            Self::Secure => "__Secure-better-auth.session_token",
        }
    }
}

/// A cookie in clear. It gives the same access as its token.
pub struct Cookie(Zeroizing<String>);

impl Cookie {
    /// Signs a token: `NAME=TOKEN.SIGNATURE`, where the signature is the HMAC-SHA256 of the token under the
    /// secret, in base64 with padding, as `encodeURIComponent` writes it.
    ///
    /// # Errors
    /// [`SecretError`] if the secret cannot be a key.
    pub fn sign(token: &Token, secret: &AppSecret, name: CookieName) -> Result<Self, SecretError> {
        let key = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| SecretError::TooLong)?;
        let signature = STANDARD.encode(key.chain_update(token.expose()).finalize().into_bytes());
        // Allocated at once, because the memory that a growing text leaves behind is not wiped.
        let mut cookie = Zeroizing::new(String::with_capacity(128 + 3 * token.expose().len()));
        cookie.push_str(name.as_str());
        cookie.push('=');
        for part in [token.expose(), ".", &signature] {
            cookie.extend(utf8_percent_encode(part, ENCODED));
        }
        Ok(Self(cookie))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(token: &str, name: CookieName) -> String {
        let secret = AppSecret::from_bytes(b"interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4").unwrap();
        Cookie::sign(&Token::from_bytes(token.as_bytes()).unwrap(), &secret, name).unwrap().expose().to_owned()
    }

    #[test]
    fn cookie_equals_the_one_of_better_auth() {
        let token = "abcdefghijklmnopqrstuvwxyzABCDEF";
        // Made by better-auth 1.7.25.
        let value = "abcdefghijklmnopqrstuvwxyzABCDEF.wJwpk9455d70HsNfKnhYlisDR6kH%2Fsh9yuvrPbBS9l8%3D";
        assert_eq!(signed(token, CookieName::Plain), format!("better-auth.session_token={value}"));
        assert_eq!(signed(token, CookieName::Secure), format!("__Secure-better-auth.session_token={value}"));
    }

    #[test]
    fn encoding_equals_encode_uri_component() {
        let written = utf8_percent_encode("aZ9-_.!~*'()+/=; %é", ENCODED).to_string();
        assert_eq!(written, "aZ9-_.!~*'()%2B%2F%3D%3B%20%25%C3%A9");
    }

    #[test]
    fn debug_of_a_cookie_is_masked() {
        let secret = AppSecret::from_bytes(b"canary-secret").unwrap();
        let cookie = Cookie::sign(&Token::from_bytes(b"canary").unwrap(), &secret, CookieName::Plain).unwrap();
        assert_eq!(format!("{cookie:?} {secret:?}"), "Cookie(***) AppSecret(***)");
    }
}
