//! Second factors of other systems: the secrets whose codes are those of authctl are kept, if the import asks for that.
//!
//! A secret is kept only where the export shows it in clear, or encrypted with a secret of the app that is given, and
//! where its codes are those of RFC 6238 with SHA-1, six digits and 30 seconds.

use serde::{Deserialize, Serialize};

use super::examine::Examined;
use super::row::RowFault;
use crate::auth::AuthError;
use crate::auth::app_secrets::AppSecrets;
use crate::auth::second_factor::totp::{TotpSecret, UriError};
use crate::auth::second_factor::{FactorKeys, SealedSecret, secret_of_app};
use crate::auth::secret::Entropy;
use crate::auth::storage::ImportedFactor;

/// The second factor of a user, as far as the export shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceFactor {
    /// The secret of an authenticator app in base32.
    Base32(String),
    /// The characters of the text are the secret.
    Text(String),
    /// The address that an authenticator app reads.
    Uri(String),
    /// As Better Auth stores it: encrypted with the secret of the app.
    Sealed(String),
    /// It cannot be kept.
    Unusable(FactorProblem),
}

impl std::fmt::Debug for SourceFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unusable(problem) => f.debug_tuple("Unusable").field(problem).finish(),
            _ => f.write_str("SourceFactor(..)"),
        }
    }
}

/// Why a second factor is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactorProblem {
    /// It could be kept, and the import does not ask for that.
    NotAsked,
    NoSecret,
    OtherCodes,
    OtherKind,
    Encrypted,
}

impl FactorProblem {
    /// The name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "totp",
            Self::NoSecret => "no-secret",
            Self::OtherCodes => "other-codes",
            Self::OtherKind => "other-kind",
            Self::Encrypted => "encrypted",
        }
    }

    /// The reason in words.
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotAsked => "the user has a second factor, which --second-factor keep takes along",
            Self::NoSecret => "the user has a second factor, and its secret is not in the export",
            Self::OtherCodes => {
                "the user has a second factor, and its codes are not those of SHA-1, six digits and 30 seconds"
            }
            Self::OtherKind => "the user has a second factor that is not an authenticator app",
            Self::Encrypted => {
                "the user has a second factor, and BETTER_AUTH_SECRET is not the secret that encrypts it"
            }
        }
    }
}

impl SourceFactor {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`FactorProblem`].
    pub fn secret(&self, secrets: &AppSecrets) -> Result<TotpSecret, FactorProblem> {
        match self {
            Self::Base32(text) => TotpSecret::from_base32(text).ok_or(FactorProblem::NoSecret),
            Self::Text(text) => TotpSecret::from_bytes(text.as_bytes()).ok_or(FactorProblem::NoSecret),
            Self::Uri(uri) => TotpSecret::from_uri(uri).map_err(|error| match error {
                UriError::OtherKind => FactorProblem::OtherKind,
                UriError::OtherCodes => FactorProblem::OtherCodes,
                UriError::NoSecret => FactorProblem::NoSecret,
            }),
            Self::Sealed(stored) => secret_of_app(stored, secrets).map_err(|_| FactorProblem::Encrypted),
            Self::Unusable(problem) => Err(*problem),
        }
    }
}

/// Encrypts the secrets of the second factors that are kept.
///
/// # Errors
/// [`AuthError::Seal`] if the key of secrets cannot be used.
pub(super) fn seal_all(
    rows: &mut [Result<Examined, RowFault>],
    keys: &dyn FactorKeys,
    entropy: &mut Entropy,
) -> Result<(), AuthError> {
    let kept = rows.iter_mut().flatten().filter_map(|row| Some((row.factor.take()?, &mut row.user)));
    let mut key = None;
    for (secret, user) in kept {
        let key = match &key {
            Some(key) => key,
            None => &*key.insert(keys.current(entropy)?),
        };
        let sealed = SealedSecret::seal(&secret, &user.user.id, key, entropy)??;
        user.factor = Some(ImportedFactor { id: entropy.id()?, secret: sealed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(factor: &SourceFactor) -> Result<Vec<u8>, FactorProblem> {
        factor.secret(&AppSecrets::default()).map(|secret| secret.expose().to_vec())
    }

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn secret_is_read_from_every_form() {
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "gezd gnbv gy3t qojq gezd-gnbv-gy3t-qojq",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ======",
        ] {
            assert_eq!(read(&SourceFactor::Base32(text.into())).unwrap(), SECRET, "{text}");
        }
        assert_eq!(read(&SourceFactor::Text("12345678901234567890".into())).unwrap(), SECRET);
        for more in ["", "&algorithm=SHA1&digits=6&period=30", "&issuer=Acme%20Co&algorithm=sha1"] {
            let uri = format!("otpauth://totp/Acme:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ{more}");
            assert_eq!(read(&SourceFactor::Uri(uri)).unwrap(), SECRET, "{more}");
        }
    }

    #[test]
    fn other_factors_have_their_problems() {
        let uri = |more: &str| SourceFactor::Uri(format!("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ{more}"));
        for (factor, problem) in [
            (uri("&algorithm=SHA256"), FactorProblem::OtherCodes),
            (uri("&digits=8"), FactorProblem::OtherCodes),
            (uri("&period=60"), FactorProblem::OtherCodes),
            (SourceFactor::Uri("otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ&counter=1".into()), FactorProblem::OtherKind),
            (SourceFactor::Uri("otpauth://totp/a?issuer=b".into()), FactorProblem::NoSecret),
            (SourceFactor::Base32("not base32!".into()), FactorProblem::NoSecret),
            (SourceFactor::Base32(String::new()), FactorProblem::NoSecret),
            (SourceFactor::Sealed("00".repeat(60)), FactorProblem::Encrypted),
        ] {
            assert_eq!(read(&factor).unwrap_err(), problem, "{factor:?}");
        }
    }
}
