//! What the files of an export say, one row at a time, in the words that all systems share.
//!
//! Readers make these rows. They decide what a field of their system means, and no rule of
//! authctl: whether an address is valid or a hash strong enough is decided later, and alike for all systems.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::factor::{FactorProblem, SourceFactor};

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The number of the file on the command line, from 0.
    pub file: u32,
    /// The number of the row in the file, from 1, without a header. In a file with several tables, rows of users
    /// are counted.
    pub row: u64,
    /// The line of the file in which the row begins, from 1.
    pub line: u64,
}

/// A row of an export.
#[derive(Debug)]
pub struct SourceRow {
    pub place: Place,
    /// What the row says, or why it says nothing that can be taken.
    pub fact: Result<Fact, RowFault>,
}

/// A row that a reader refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    pub reason: Reason,
    /// What is wrong, in words for people. Quotes neither the line nor a hash.
    pub detail: String,
    /// The id and the address, as far as the row shows them.
    pub id: Option<String>,
    pub email: Option<String>,
}

/// Why a row of an export is not taken. The names are those of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    NoEmail,
    BadEmail,
    BadName,
    BadId,
    /// A field with a value that its column cannot have, such as a word where a date belongs.
    BadValue,
    DuplicateInFile,
    Exists,
    HashUnknown,
    HashCost,
    HashWeak,
    HashNotTheApps,
    PlainPassword,
    NoPassword,
    Deleted,
    ServiceAccount,
    SecondFactor(FactorProblem),
    Syntax,
    TooLarge,
}

impl Reason {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoEmail => "no-email",
            Self::BadEmail => "bad-email",
            Self::BadName => "bad-name",
            Self::BadId => "bad-id",
            Self::BadValue => "bad-value",
            Self::DuplicateInFile => "duplicate-in-file",
            Self::Exists => "exists",
            Self::HashUnknown => "hash-unknown",
            Self::HashCost => "hash-cost",
            Self::HashWeak => "hash-weak",
            Self::HashNotTheApps => "hash-not-the-apps",
            Self::PlainPassword => "plain-password",
            Self::NoPassword => "no-password",
            Self::Deleted => "deleted",
            Self::ServiceAccount => "service-account",
            Self::SecondFactor(_) => "second-factor",
            Self::Syntax => "syntax",
            Self::TooLarge => "too-large",
        }
    }
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    User(Box<SourceUser>),
    /// A fact about a user of another row, which may stand before or behind it, also in another file.
    About {
        /// The [`SourceUser::key`] of the user.
        user: String,
        what: About,
    },
}

/// A fact about the user of another row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    Password(Credential),
    Account(ProviderAccount),
    /// A second factor, as far as the row shows it.
    SecondFactor(Option<SourceFactor>),
    /// An address that the system has verified. It counts if it is the address of the user.
    Verified(String),
}

/// A user of an export. `None` means that the export says nothing about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceUser {
    /// The text by which other rows refer to the user, usually the id.
    pub key: Option<String>,
    /// The id, byte for byte. A user without one gets an id.
    pub id: Option<String>,
    /// The primary address as the file has it.
    pub email: Option<String>,
    /// Further addresses, which are not taken.
    pub other_emails: Vec<String>,
    /// The name to show, never empty: the name of the file, else made of its parts, else the name to sign in with.
    /// Without all of these it is `None`, and becomes the part of the address before the `@`.
    pub name: Option<String>,
    /// The name to sign in with, where the system has one beside the address or instead of it.
    pub username: Option<String>,
    pub image: Option<String>,
    /// Whether the system has verified this very address.
    pub verified: bool,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    /// Roles of the system. Only those of Better Auth and authctl become roles by themselves.
    pub roles: Vec<String>,
    pub ban: Option<SourceBan>,
    pub password: Credential,
    pub accounts: Vec<ProviderAccount>,
    /// Whether the user signs in with a second factor.
    pub second_factor: bool,
    /// The factor itself, as far as the export shows it.
    pub factor: Option<SourceFactor>,
    /// Names of filled fields that authctl has no place for, such as metadata or a phone number.
    pub left_out: Vec<String>,
}

/// A user who may not sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceBan {
    /// The reason of the file; without one it is that the user was disabled in the system.
    pub reason: Option<String>,
    /// The end; `None` for a permanent ban.
    pub until: Option<Timestamp>,
}

/// The password of a user, as the export shows it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// No password: the user signs in elsewhere, or the export never has hashes.
    #[default]
    None,
    Hash {
        /// A form of hash that [`password`](crate::auth::password) reads. Hashes in pieces are put together by the readers.
        text: String,
        /// The kind that the file names, which must be that of the text.
        claimed: Option<String>,
    },
    /// A password as it was typed. It is refused, and never kept.
    Plain,
    /// A password that cannot be taken, with the reason.
    Refused(Reason),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Hash { .. } => "Hash(..)",
            Self::Plain => "Plain",
            Self::Refused(reason) => return f.debug_tuple("Refused").field(reason).finish(),
        })
    }
}

/// An account at another provider, with which the user signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAccount {
    /// The provider as Better Auth names it, such as `google`.
    pub provider: String,
    /// The subject of the provider.
    pub subject: String,
    pub created_at: Option<Timestamp>,
    pub tokens: Option<Box<OauthTokens>>,
}

/// The tokens with which an app acts at a provider for a user.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthTokens {
    pub access: Option<String>,
    pub refresh: Option<String>,
    pub id: Option<String>,
    pub access_expires_at: Option<Timestamp>,
    pub refresh_expires_at: Option<Timestamp>,
    pub scope: Option<String>,
}

impl OauthTokens {
    /// `None` without any token.
    pub fn any(self) -> Option<Box<Self>> {
        let is_any = self.texts().next().is_some();
        is_any.then(|| Box::new(self))
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.access, &self.refresh, &self.id].into_iter().flatten().map(String::as_str)
    }
}

impl std::fmt::Debug for OauthTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OauthTokens(..)")
    }
}
