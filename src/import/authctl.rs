//! The exports of authctl itself: a first line that says the version and the number of users, then one user a line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ImportError;
use super::record::{Fault, Read, Reading, Record, hash_text};
use super::system::Context;
use crate::auth::import::row::{Credential, ProviderAccount, Reason, SourceBan, SourceUser};

/// The version of the form of exports.
pub const VERSION: u64 = 1;

/// The first line of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHead {
    /// [`VERSION`].
    pub authctl: u64,
    /// The version of the database's schema.
    pub schema: u32,
    /// The number of users.
    pub count: u64,
}

/// The line of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the line")]
pub struct ExportedUser {
    pub id: String,
    pub email: String,
    pub name: String,
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub email_verified: bool,
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    pub banned: bool,
    #[serde(default)]
    pub ban_reason: Option<String>,
    #[serde(default)]
    pub ban_expires: Option<Timestamp>,
    /// Accounts at other providers.
    #[serde(default)]
    pub accounts: Vec<ExportedAccount>,
    /// Whether the user signs in with a second factor, which no export holds.
    #[serde(default)]
    pub second_factor: bool,
    /// Whether the user has a password.
    #[serde(default)]
    pub has_password: bool,
    /// The kind of the password hash.
    #[serde(default)]
    pub password_kind: Option<String>,
    /// The password as it is stored, in exports with hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
}

/// An account at another provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedAccount {
    pub provider_id: String,
    pub account_id: String,
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if let Some(version) = record.value("authctl").and_then(Value::as_u64) {
        if version != VERSION {
            return Err(Fault::File(ImportError::NewerExport { file: context.file.clone(), version }));
        }
        context.expected = record.value("count").and_then(Value::as_u64);
        return Ok(Reading::Nothing);
    }
    context.found += 1;
    let user: ExportedUser = serde_json::from_value(record.to_value())
        .map_err(|_| Fault::new(Reason::Syntax, "it is not a user of an export of authctl"))?;
    Ok(Reading::user(user.into()))
}

/// The parts of a text between commas.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

impl From<ExportedUser> for SourceUser {
    fn from(user: ExportedUser) -> Self {
        let accounts = user.accounts.into_iter().map(|account| ProviderAccount {
            provider: account.provider_id,
            subject: account.account_id,
            created_at: account.created_at,
            tokens: None,
        });
        Self {
            key: Some(user.id.clone()),
            id: Some(user.id),
            email: Some(user.email),
            name: Some(user.name),
            image: user.image,
            verified: user.email_verified,
            created_at: user.created_at,
            updated_at: user.updated_at,
            roles: user.role.as_deref().map(list).unwrap_or_default(),
            ban: user.banned.then_some(SourceBan { reason: user.ban_reason, until: user.ban_expires }),
            password: user.password_hash.map_or(Credential::None, hash_text),
            accounts: accounts.collect(),
            second_factor: user.second_factor,
            ..Self::default()
        }
    }
}
