//! Second factors that a Better Auth app keeps, read and written as the app does. They need the app's secret.

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::recovery::RecoveryCodes;
use super::sealed::{SealError, SealedSecret};
use super::totp::{self, TotpSecret};
use crate::auth::AuthError;
use crate::auth::app_secrets::{AppSecrets, Form};
use crate::auth::secret::{Code, Entropy};
use crate::auth::storage::{AppFactor, OtpKind, RightOtp};

/// What precedes a secret that the app imported. Others are a text whose bytes are the key.
const IMPORTED: &str = "base32:";

/// Characters of a backup code before and after its hyphen.
const CODE_HALF: usize = 5;

/// How an app stores backup codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodesForm {
    Plain,
    Encrypted,
}

impl AppFactor {
    /// Whether the app refuses codes for now.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    fn secret(&self, secrets: &AppSecrets) -> Result<TotpSecret, SealError> {
        secret_of_app(&self.secret, secrets)
    }

    /// The backup codes that are left.
    ///
    /// # Errors
    /// [`SealError::AppCodes`] if the app encrypts them with a function of its own.
    pub fn codes(&self, secrets: &AppSecrets) -> Result<Vec<Zeroizing<String>>, SealError> {
        let text = match form_of_codes(&self.codes)? {
            CodesForm::Plain => Zeroizing::new(self.codes.clone()),
            CodesForm::Encrypted => secrets.open(&self.codes).ok_or(SealError::AppSecret)?.text,
        };
        let codes: Vec<String> = serde_json::from_str(&text).map_err(|_| SealError::Damaged)?;
        Ok(codes.into_iter().map(Zeroizing::new).collect())
    }

    /// Whether a code is right. It is not used yet.
    ///
    /// # Errors
    /// [`AuthError::Seal`] if the secret of the factor cannot be read.
    pub(super) fn right_otp(
        &self,
        otp: &Code,
        secrets: &AppSecrets,
        entropy: &mut Entropy,
        now: Timestamp,
    ) -> Result<Option<RightOtp>, AuthError> {
        let typed: String = otp.expose().chars().filter(|c| !c.is_whitespace()).collect();
        let typed = Zeroizing::new(typed);
        let steps = if totp::is_code(&typed) { self.secret(secrets)?.steps_of(&typed, now) } else { Vec::new() };
        let kind =
            if steps.is_empty() { self.right_code(typed, secrets, entropy)? } else { Some(OtpKind::AppSteps(steps)) };
        Ok(kind.map(|kind| RightOtp { factor_id: self.secret.clone(), kind }))
    }

    /// Whether a text is a backup code, and the codes without it.
    fn right_code(
        &self,
        typed: Zeroizing<String>,
        secrets: &AppSecrets,
        entropy: &mut Entropy,
    ) -> Result<Option<OtpKind>, AuthError> {
        let form = match form_of_codes(&self.codes) {
            Ok(form) => form,
            // It is rather a wrong code of the authenticator app.
            Err(_) if totp::is_code(&typed) => return Ok(None),
            Err(unknown) => return Err(unknown.into()),
        };
        let mut codes = self.codes(secrets)?;
        let before = codes.len();
        let typed = with_hyphen(typed);
        codes.retain(|code| **code != *typed);
        if codes.len() == before {
            return Ok(None);
        }
        let left = write_codes(&codes, form, secrets, entropy)?;
        Ok(Some(OtpKind::AppCode { before: self.codes.clone(), left }))
    }
}

/// Reads a secret as an app stores it.
///
/// # Errors
/// [`SealError::AppSecret`] if no secret of the app reads it, [`SealError::Damaged`].
pub fn secret_of_app(stored: &str, secrets: &AppSecrets) -> Result<TotpSecret, SealError> {
    let opened = secrets.open(stored).ok_or(SealError::AppSecret)?;
    let bytes = match opened.text.strip_prefix(IMPORTED) {
        Some(text) => Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| SealError::Damaged)?),
        None => Zeroizing::new(opened.text.as_bytes().to_vec()),
    };
    TotpSecret::from_bytes(&bytes).ok_or(SealError::Damaged)
}

fn form_of_codes(stored: &str) -> Result<CodesForm, SealError> {
    match Form::of(stored) {
        Form::Encrypted { .. } => Ok(CodesForm::Encrypted),
        Form::Plain if stored.starts_with('[') => Ok(CodesForm::Plain),
        Form::Plain => Err(SealError::AppCodes),
    }
}

/// A backup code with its hyphen, which a person may have left out.
fn with_hyphen(mut typed: Zeroizing<String>) -> Zeroizing<String> {
    if typed.len() == 2 * CODE_HALF && typed.is_ascii() && !typed.contains('-') {
        typed.insert(CODE_HALF, '-');
    }
    typed
}

fn write_codes(
    codes: &[Zeroizing<String>],
    form: CodesForm,
    secrets: &AppSecrets,
    entropy: &mut Entropy,
) -> Result<String, AuthError> {
    let texts: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let json = Zeroizing::new(serde_json::json!(texts).to_string());
    match form {
        CodesForm::Plain => Ok(json.to_string()),
        CodesForm::Encrypted => Ok(secrets.seal(&json, entropy)?.ok_or(SealError::AppSecret)?),
    }
}

/// A new secret, and what the app stores of it.
pub(super) fn new_secret(secrets: &AppSecrets, entropy: &mut Entropy) -> Result<(TotpSecret, SealedSecret), AuthError> {
    // The app draws from two characters more, and takes any text.
    let text = Zeroizing::new(entropy.id()?);
    let sealed = secrets.seal(&text, entropy)?.ok_or(SealError::AppSecret)?;
    let secret = TotpSecret::from_bytes(text.as_bytes()).ok_or(SealError::Damaged)?;
    Ok((secret, SealedSecret(sealed)))
}

/// New backup codes, and what the app stores of them. `others` are those of other users, which show the form.
pub(super) fn new_codes(
    others: &[String],
    secrets: &AppSecrets,
    entropy: &mut Entropy,
) -> Result<(RecoveryCodes, String), AuthError> {
    let forms = others.iter().map(|stored| form_of_codes(stored)).collect::<Result<Vec<_>, _>>()?;
    let is_plain = !forms.is_empty() && forms.iter().all(|form| *form == CodesForm::Plain);
    let form = if is_plain { CodesForm::Plain } else { CodesForm::Encrypted };
    let codes = RecoveryCodes::generate_for_app(CODE_HALF, entropy)?;
    let stored = write_codes(&codes.expose(), form, secrets, entropy)?;
    Ok((codes, stored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::app_secrets::tests::{BARE, SECRET, secrets};
    use crate::auth::fixtures::entropy;

    const CODES: &str = r#"["AAAAA-BBBBB","ccccc-11111"]"#;

    fn factor(secret: &str, codes: &str) -> AppFactor {
        AppFactor { secret: secret.into(), codes: codes.into(), is_confirmed: true, failures: 0, locked_until: None }
    }

    fn right(factor: &AppFactor, code: &str, second: i64) -> Result<Option<RightOtp>, AuthError> {
        let (code, now) = (Code::from_bytes(code.as_bytes()).unwrap(), Timestamp::from_second(second).unwrap());
        factor.right_otp(&code, &secrets(&[(None, SECRET)]), &mut entropy(1), now)
    }

    #[test]
    fn codes_of_the_apps_vectors_are_right() {
        let secrets = secrets(&[(None, SECRET)]);
        let imported = secrets.seal("base32:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", &mut entropy(1)).unwrap().unwrap();
        for (stored, step, code) in [
            (BARE, 1, "652364"),
            (BARE, 59, "553184"),
            (BARE, 59_999_999, "201636"),
            (imported.as_str(), 1, "287082"),
            (imported.as_str(), 37_037_036, "081804"),
        ] {
            let factor = factor(stored, CODES);
            let found = right(&factor, code, step * 30).unwrap().unwrap();
            assert_eq!((found.factor_id.as_str(), found.kind), (stored, OtpKind::AppSteps(vec![step])));
            assert!(right(&factor, code, step * 30 + 60).unwrap().is_none(), "{code}");
        }
        assert_eq!(
            *factor(BARE, CODES).secret(&secrets).unwrap().base32(),
            "KZMXSVC7NRIDKRDGGBZHMNTTIZSHON2TGJGFMRTOKRLDCZLLM5PQ"
        );
    }

    #[test]
    fn backup_code_is_taken_out_in_the_form_of_the_others() {
        let secrets = secrets(&[(None, SECRET)]);
        let encrypted = secrets.seal(CODES, &mut entropy(1)).unwrap().unwrap();
        for stored in [CODES, &encrypted] {
            let factor = factor(BARE, stored);
            for typed in ["AAAAA-BBBBB", "AAAAABBBBB", " AAAAA BBBBB "] {
                let OtpKind::AppCode { before, left } = right(&factor, typed, 0).unwrap().unwrap().kind else {
                    panic!()
                };
                assert_eq!((before.as_str(), Form::of(&left)), (stored, Form::of(stored)));
                let left = AppFactor { codes: left, ..factor.clone() };
                assert_eq!(
                    left.codes(&secrets).unwrap().iter().map(|code| code.as_str()).collect::<Vec<_>>(),
                    ["ccccc-11111"]
                );
            }
            // The app tells capitals apart.
            assert!(right(&factor, "aaaaa-bbbbb", 0).unwrap().is_none());
        }
        // An app may make codes of another shape.
        let digits = factor(BARE, r#"["123456"]"#);
        assert!(matches!(right(&digits, "123456", 0).unwrap().unwrap().kind, OtpKind::AppCode { .. }));
        let custom = factor(BARE, "a form of its own");
        assert!(right(&custom, "123456", 0).unwrap().is_none());
        assert!(matches!(right(&custom, "AAAAA-BBBBB", 0), Err(AuthError::Seal(SealError::AppCodes))));
        assert!(right(&custom, "652364", 30).unwrap().is_some(), "codes of the authenticator app work");
    }

    #[test]
    fn wrong_secret_of_the_app_reads_nothing() {
        let (other, code) = (secrets(&[(None, "another")]), Code::from_bytes(b"652364").unwrap());
        let read = factor(BARE, CODES).right_otp(&code, &other, &mut entropy(1), Timestamp::UNIX_EPOCH);
        assert!(matches!(read, Err(AuthError::Seal(SealError::AppSecret))));
    }

    #[test]
    fn new_factor_is_read_as_it_is_shown() {
        let secrets = secrets(&[(Some(2), SECRET)]);
        let (secret, stored) = new_secret(&secrets, &mut entropy(1)).unwrap();
        for (others, form) in [(vec![], CodesForm::Encrypted), (vec![CODES.to_owned()], CodesForm::Plain)] {
            let (codes, text) = new_codes(&others, &secrets, &mut entropy(2)).unwrap();
            assert_eq!(form_of_codes(&text), Ok(form));
            let factor = factor(&stored.0, &text);
            assert_eq!(factor.secret(&secrets).unwrap().expose(), secret.expose());
            assert_eq!(factor.codes(&secrets).unwrap(), codes.expose());
            assert!(codes.expose().iter().all(|code| code.len() == 11 && code.as_bytes()[5] == b'-'));
        }
        assert!(new_codes(&["own".to_owned()], &secrets, &mut entropy(2)).is_err());
    }
}
