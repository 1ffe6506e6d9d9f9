//! Recovery codes: they take the place of a code of the authenticator app, each a single time. The database has their
//! digests, which need no key, so that they also help when the key of the secrets is lost.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::totp;
use crate::auth::secret::{Code, Entropy, EntropyError, digest};

/// How many codes a user has.
pub const CODES: usize = 10;

/// 80 bits, so that a digest does not reveal its code.
const CODE_BYTES: usize = 10;
const CODE_CHARS: usize = 16;
const GROUP: usize = 4;

/// New recovery codes, as a person reads them. They are shown once.
pub struct RecoveryCodes(Vec<Zeroizing<String>>);

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCodes(***)")
    }
}

impl RecoveryCodes {
    pub fn generate(entropy: &mut Entropy) -> Result<Self, EntropyError> {
        let mut codes = Vec::with_capacity(CODES);
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        for _ in 0..CODES {
            entropy.fill(bytes.as_mut_slice())?;
            let code = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_slice()).to_lowercase());
            let groups: Vec<&str> = (0..CODE_CHARS / GROUP).map(|at| &code[at * GROUP..(at + 1) * GROUP]).collect();
            codes.push(Zeroizing::new(groups.join("-")));
        }
        Ok(Self(codes))
    }

    /// Codes as Better Auth makes them: two halves of letters and digits.
    pub fn generate_for_app(half: usize, entropy: &mut Entropy) -> Result<Self, EntropyError> {
        let mut codes = Vec::with_capacity(CODES);
        for _ in 0..CODES {
            let mut code = Zeroizing::new(entropy.id()?);
            code.truncate(2 * half);
            code.insert(half, '-');
            codes.push(code);
        }
        Ok(Self(codes))
    }

    pub fn expose(&self) -> Vec<Zeroizing<String>> {
        self.0.clone()
    }

    /// What is stored of them for a user.
    pub fn digests(&self, user_id: &str) -> Vec<String> {
        self.0.iter().map(|code| stored(user_id, &code.replace('-', ""))).collect()
    }
}

/// The digest of a recovery code. The same code of another user has another one.
fn stored(user_id: &str, code: &str) -> String {
    digest(format!("recovery:{user_id}:{code}"))
}

/// A code that a user typed.
#[derive(Debug)]
pub enum GivenCode {
    /// Six digits.
    Totp(Zeroizing<String>),
    /// A recovery code, without the marks between its groups.
    Recovery(Zeroizing<String>),
}

impl GivenCode {
    /// Reads a code. Blanks and hyphens between groups have no meaning, and neither has the case of letters. `None` for a
    /// text that has the form of neither kind.
    pub fn read(code: &Code) -> Option<Self> {
        let plain = code.expose().chars().filter(|c| !c.is_whitespace() && *c != '-');
        let plain = Zeroizing::new(plain.collect::<String>().to_lowercase());
        if totp::is_code(&plain) {
            Some(Self::Totp(plain))
        } else {
            let is_recovery = plain.len() == CODE_CHARS && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_recovery.then_some(Self::Recovery(plain))
        }
    }

    /// The digest of a recovery code of a user; `None` for a code of the authenticator app.
    pub fn digest(&self, user_id: &str) -> Option<String> {
        match self {
            Self::Recovery(code) => Some(stored(user_id, code)),
            Self::Totp(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::entropy;

    fn given(text: &str) -> Option<GivenCode> {
        GivenCode::read(&Code::from_bytes(text.as_bytes()).unwrap())
    }

    #[test]
    fn shown_codes_are_read_back_in_any_spelling() {
        let codes = RecoveryCodes::generate(&mut entropy(1)).unwrap();
        let digests = codes.digests("user-1");
        assert_eq!(digests.len(), CODES);
        for (shown, stored) in codes.expose().iter().zip(&digests) {
            assert_eq!(shown.len(), CODE_CHARS + 3);
            for spelling in [shown.to_string(), shown.to_uppercase(), shown.replace('-', " ")] {
                assert_eq!(given(&spelling).unwrap().digest("user-1").as_ref(), Some(stored), "{spelling}");
            }
            assert_ne!(given(shown).unwrap().digest("user-2").as_ref(), Some(stored));
        }
        let unique: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(unique.len(), CODES);
    }

    #[test]
    fn six_digits_are_a_code_of_the_app_and_other_lengths_are_refused() {
        assert!(matches!(given("123 456"), Some(GivenCode::Totp(code)) if *code == "123456"));
        for text in ["12345", "1234567", "0000123456", "abcd-efgh-ijkl", "abcd-efgh-ijkl-mno!"] {
            assert!(given(text).is_none(), "{text}");
        }
    }
}
