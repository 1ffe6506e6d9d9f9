//! The part of the port that keeps what a Better Auth app encrypts with its secret.

use jiff::Timestamp;

use super::StoreError;
use crate::auth::AuthError;

/// A column whose values an app encrypts, always or with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretColumn {
    TotpSecret,
    BackupCodes,
    /// The private part of a key that signs tokens.
    SigningKey,
    AccessToken,
    RefreshToken,
    IdToken,
    ClientSecret,
    /// The answer to a refresh token that is used a second time.
    RefreshAnswer,
}

impl SecretColumn {
    pub const ALL: [Self; 8] = [
        Self::TotpSecret,
        Self::BackupCodes,
        Self::SigningKey,
        Self::AccessToken,
        Self::RefreshToken,
        Self::IdToken,
        Self::ClientSecret,
        Self::RefreshAnswer,
    ];

    /// The table and the column, in Better Auth's names.
    pub fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::TotpSecret => ("twoFactor", "secret"),
            Self::BackupCodes => ("twoFactor", "backupCodes"),
            Self::SigningKey => ("jwks", "privateKey"),
            Self::AccessToken => ("account", "accessToken"),
            Self::RefreshToken => ("account", "refreshToken"),
            Self::IdToken => ("account", "idToken"),
            Self::ClientSecret => ("oauthClient", "clientSecret"),
            Self::RefreshAnswer => ("oauthRefreshToken", "rotationReplayResponse"),
        }
    }

    /// Whether the column may have texts of others that look like encrypted ones: tokens of providers.
    pub fn has_foreign_texts(self) -> bool {
        matches!(self, Self::AccessToken | Self::RefreshToken | Self::IdToken | Self::ClientSecret)
    }
}

/// A value of a [`SecretColumn`].
#[derive(Debug, Clone, Copy)]
pub struct SecretValue<'a> {
    pub column: SecretColumn,
    pub text: &'a str,
    /// Whether the row is expired.
    pub is_expired: bool,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretChange {
    Keep,
    Write(String),
    /// The row expires, and the app makes another one.
    Expire,
}

/// How many values changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecretChanges {
    pub written: u64,
    pub expired: u64,
}

/// Decides about a value.
pub type DecideSecret<'a> = dyn FnMut(SecretValue<'_>) -> Result<SecretChange, AuthError> + 'a;

pub trait SecretStore {
    /// Goes through the values of all columns that the database has. A native database has none.
    fn each_secret(&mut self, now: Timestamp, found: &mut dyn FnMut(SecretValue<'_>)) -> Result<(), StoreError>;

    /// Changes values in one transaction. The first error of `decide` changes nothing.
    fn change_secrets(
        &mut self,
        now: Timestamp,
        decide: &mut DecideSecret<'_>,
    ) -> Result<Result<SecretChanges, AuthError>, StoreError>;
}
