//! Codes that follow from a secret and the time (RFC 6238): HMAC with SHA-1, six digits, steps of 30 seconds. Every
//! authenticator app makes these without being told otherwise.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::auth::secret::{Entropy, EntropyError};

/// The length of a new secret, that of the hash, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;

const STEP_SECONDS: i64 = 30;

/// How many steps the clock of the user's device may differ.
const DRIFT: i64 = 1;

const DIGITS: usize = 6;
const CODES: u32 = 1_000_000;

/// The name under which an authenticator app lists the account.
const ISSUER: &str = "authctl";

/// The secret from which codes follow.
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(***)")
    }
}

impl TotpSecret {
    pub fn generate(entropy: &mut Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES]);
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// `None` without bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Reads a secret as a person types it: in any case, with blanks, hyphens and padding.
    pub fn from_base32(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|c| !c.is_ascii_whitespace() && !matches!(c, '-' | '='));
        let letters: Zeroizing<String> = Zeroizing::new(letters.map(|c| c.to_ascii_uppercase()).collect());
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(letters.as_bytes()).ok()?);
        Self::from_bytes(&bytes)
    }

    /// Reads an address as [`Self::uri`] writes it. What it does not say is as apps assume it.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn from_uri(uri: &str) -> Result<Self, UriError> {
        let rest = uri.strip_prefix("otpauth://totp/").ok_or(UriError::OtherKind)?;
        let (_, query) = rest.split_once('?').ok_or(UriError::NoSecret)?;
        let mut secret = None;
        for part in query.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = Zeroizing::new(percent_decode_str(value).decode_utf8_lossy().into_owned());
            let is_ours = match name {
                "secret" => {
                    secret = Self::from_base32(&value);
                    true
                }
                "algorithm" => ["SHA1", "SHA-1", "HMACSHA1"].iter().any(|own| value.eq_ignore_ascii_case(own)),
                "digits" => value.parse() == Ok(DIGITS),
                "period" => value.parse() == Ok(STEP_SECONDS),
                _ => true,
            };
            if !is_ours {
                return Err(UriError::OtherCodes);
            }
        }
        secret.ok_or(UriError::NoSecret)
    }

    pub fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret as a person types it into an authenticator app.
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.expose()))
    }

    /// The address that an authenticator app reads from a QR code. The algorithm, the digits and the step are those that
    /// apps assume.
    pub fn uri(&self, email: &str) -> Zeroizing<String> {
        let label = utf8_percent_encode(email, NON_ALPHANUMERIC);
        Zeroizing::new(format!("otpauth://totp/{ISSUER}:{label}?secret={}&issuer={ISSUER}", *self.base32()))
    }

    /// The code of a step of time.
    pub fn code(&self, step: i64) -> String {
        format!("{:0DIGITS$}", self.number(step))
    }

    fn number(&self, step: i64) -> u32 {
        // A key of any length is accepted.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.expose()) else { return CODES };
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let start = usize::from(hash[hash.len() - 1] & 0x0f);
        let mut word = [0; 4];
        word.copy_from_slice(&hash[start..start + 4]);
        (u32::from_be_bytes(word) & 0x7fff_ffff) % CODES
    }

    /// The steps around a time whose code is the given one, the newest first. All steps are computed for every code.
    pub fn steps_of(&self, code: &str, now: Timestamp) -> Vec<i64> {
        let current = step_at(now);
        let steps = (current - DRIFT..=current + DRIFT).rev();
        let compared: Vec<(i64, bool)> = steps.map(|step| (step, self.code(step) == code)).collect();
        compared.into_iter().filter(|(_, is_same)| *is_same).map(|(step, _)| step).collect()
    }
}

/// Why an address has no secret that makes these codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriError {
    /// It is not of codes that follow from the time.
    OtherKind,
    /// The codes have another algorithm, length or step.
    OtherCodes,
    NoSecret,
}

/// The step of a time.
pub fn step_at(now: Timestamp) -> i64 {
    now.as_second().div_euclid(STEP_SECONDS)
}

/// The time at which a step begins.
pub fn time_of(step: i64) -> Timestamp {
    Timestamp::from_second(step.saturating_mul(STEP_SECONDS)).unwrap_or(Timestamp::MAX)
}

/// Whether the code of a step is still to be accepted after that of `last`. A last step that no clock allows beside
/// this one was stored by a clock that was ahead.
pub fn is_unused(step: i64, last: Option<i64>) -> bool {
    last.is_none_or(|last| step > last || last > step + 2 * DRIFT)
}

/// Whether a text has the form of a code.
pub fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, entropy};

    fn of_rfc() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfcs() {
        // RFC 6238, appendix B, without the first two of its eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(of_rfc().code(step_at(now)), code);
            assert!(of_rfc().steps_of(code, now).contains(&step_at(now)));
        }
        // RFC 4226, appendix D.
        let codes: Vec<String> = (0..10).map(|step| of_rfc().code(step)).collect();
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        assert_eq!(codes, expected);
    }

    #[test]
    fn code_is_accepted_one_step_early_and_late() {
        let (secret, now) = (of_rfc(), at(0));
        let current = step_at(now);
        for (offset, is_right) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let found = secret.steps_of(&secret.code(current + offset), now);
            assert_eq!(found.contains(&(current + offset)), is_right, "{offset}");
        }
    }

    #[test]
    fn step_is_used_up_with_all_before_it() {
        for (step, last, is) in [
            (5, None, true),
            (5, Some(4), true),
            (5, Some(5), false),
            (5, Some(6), false),
            (5, Some(7), false),
            // A clock was ahead.
            (5, Some(8), true),
        ] {
            assert_eq!(is_unused(step, last), is, "{last:?}");
        }
    }

    #[test]
    fn code_has_exactly_six_digits() {
        for (text, is) in [("012345", true), ("12345", false), ("0123456", false), ("01234a", false), ("٠١٢", false)]
        {
            assert_eq!(is_code(text), is, "{text}");
        }
    }

    #[test]
    fn address_in_the_uri_has_no_meaning_there() {
        let uri = of_rfc().uri("a:b?secret=X\"@x.org");
        assert_eq!(
            *uri,
            "otpauth://totp/authctl:a%3Ab%3Fsecret%3DX%22%40x%2Eorg?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=authctl"
        );
    }

    #[test]
    fn secret_is_random_and_masked() {
        let mut entropy = entropy(1);
        let [one, other] = [(); 2].map(|()| TotpSecret::generate(&mut entropy).unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(format!("{one:?}"), "TotpSecret(***)");
    }
}
