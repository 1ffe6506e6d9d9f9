//! The arguments and results of the storage port.

use jiff::Timestamp;

use super::second_factor::RightOtp;
use crate::auth::audit::counted;
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::email::Email;
use crate::auth::odd::is_id;
use crate::auth::secret::{Code, StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::throttle::AttemptKey;
use crate::auth::user::User;

/// A user to insert.
#[derive(Debug, Clone)]
pub struct NewUserRow {
    pub id: String,
    /// The row id of the credential account, if a hash is given.
    pub account_id: String,
    pub email: Email,
    pub name: String,
    pub image: Option<String>,
    pub email_verified: bool,
    /// Roles, separated by commas.
    pub role: Option<String>,
    pub ban: Option<NewBan>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The ban of a user to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBan {
    pub reason: Option<String>,
    /// The end; `None` for a permanent one.
    pub until: Option<Timestamp>,
}

/// A session to insert.
#[derive(Debug, Clone)]
pub struct NewSessionRow {
    pub id: String,
    /// In clear. The store writes the token or its digest, as the database asks.
    pub token: Token,
    pub user_id: String,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
    pub expires_at: Timestamp,
    pub client_info: ClientInfo,
    pub impersonated_by: Option<String>,
}

/// The client of a sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The address of a remote client.
    pub ip_address: Option<String>,
    /// The program, user and host.
    pub user_agent: Option<String>,
}

/// What a shell completes, and what is found by its first characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// An email address.
    Address,
    /// The id of a user.
    User,
    /// The id of a session.
    Session,
    /// The id of an API token.
    Token,
}

/// Selects sessions of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    All,
    /// All but the session with this id.
    Others(String),
    Ids(Vec<String>),
}

impl Which {
    /// Whether the session with this id is selected.
    pub fn means(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Others(current) => id != current,
            Self::Ids(ids) => ids.iter().any(|one| one == id),
        }
    }

    /// The first selected id that does not exist.
    pub fn missing(&self, exists: impl Fn(&str) -> bool) -> Option<&str> {
        match self {
            Self::All | Self::Others(_) => None,
            Self::Ids(ids) => ids.iter().map(String::as_str).find(|id| !is_id(id) || !exists(id)),
        }
    }
}

/// A change of a password.
#[derive(Debug)]
pub struct PasswordChange<'a> {
    pub user_id: &'a str,
    /// The hash that the current password matched.
    pub verified: &'a StoredHash,
    pub hash: &'a StoredHash,
    /// The code of the second factor, if the user gave one.
    pub code: Option<&'a RightOtp>,
    /// The sessions that end.
    pub end: Option<Which>,
    /// The count of attempts to clear.
    pub attempts: &'a AttemptKey,
    /// Written as `updatedAt`.
    pub now: Timestamp,
}

/// A password to set without the current one.
#[derive(Debug)]
pub struct NewPassword<'a> {
    pub user_id: &'a str,
    /// The row id of the credential account, if the user has none yet.
    pub account_id: String,
    pub hash: &'a StoredHash,
    /// The sessions that end.
    pub end: Option<Which>,
    /// The count of attempts to clear.
    pub attempts: &'a AttemptKey,
    /// Written as `updatedAt`.
    pub now: Timestamp,
}

/// A way in which a user can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `credential` for a password, else the name of a provider.
    pub provider_id: String,
    /// The user's id at the provider.
    pub account_id: String,
    /// Whether the row has a password hash.
    pub has_password: bool,
}

impl Account {
    /// Better Auth's provider of accounts with a password.
    pub const CREDENTIAL: &str = "credential";

    pub fn is_credential(&self) -> bool {
        self.provider_id == Self::CREDENTIAL
    }
}

/// Whether an act may remove the last administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminGuard {
    /// Keeps the only user who has the role `admin` and is not banned.
    KeepLastAdmin,
    Off,
}

/// A change of a user. `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    pub name: Option<String>,
    /// `Some(None)` removes the picture.
    pub image: Option<Option<String>>,
    pub email: Option<Email>,
    /// `None` as [`UserChange::is_verified_after`] decides.
    pub email_verified: Option<bool>,
    /// Roles, separated by commas; `Some(None)` removes them.
    pub role: Option<Option<String>>,
    pub ban: Option<Ban>,
    /// The sessions that end.
    pub end: EndSessions,
}

impl UserChange {
    /// Whether the address is verified after the change. An address that differs from the stored one is not,
    /// unless the change says so. Decided in the transaction, because the row may have changed since it was read.
    pub fn is_verified_after(&self, before: &User) -> bool {
        let moves = self.email.as_ref().is_some_and(|email| email.as_str() != before.email);
        self.email_verified.unwrap_or(before.email_verified && !moves)
    }

    /// Whether the change gives a column a value, by Better Auth's name of the column.
    pub fn sets(&self, column: &str) -> bool {
        match column {
            "name" => self.name.is_some(),
            "image" => self.image.is_some(),
            "email" => self.email.is_some(),
            "emailVerified" => self.email_verified.is_some() || self.email.is_some(),
            "role" => self.role.is_some(),
            "banned" | "banReason" | "banExpires" => self.ban.is_some(),
            _ => false,
        }
    }
}

/// The sessions that a change of a user ends. Decided in the transaction, because the row may have changed since
/// it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EndSessions {
    #[default]
    Never,
    Always,
    /// All sessions but the one with this id end.
    Others(String),
    /// All sessions end if the change removes a role.
    IfRoleIsLost,
}

impl EndSessions {
    /// Decides from the user before and after the change.
    pub fn which(&self, before: &User, after: &User) -> Option<Which> {
        match self {
            Self::Never => None,
            Self::Always => Some(Which::All),
            Self::Others(current) => Some(Which::Others(current.clone())),
            Self::IfRoleIsLost => after.has_lost_a_role(before).then_some(Which::All),
        }
    }
}

/// A change of a ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ban {
    Lifted,
    /// Permanent without `until`.
    Imposed {
        reason: Option<String>,
        until: Option<Timestamp>,
    },
}

/// The result of a change of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserUpdated {
    /// After the change.
    pub user: User,
    /// The sessions that ended.
    pub ended: Vec<Session>,
    /// The tables in which the change ends rows, by Better Auth's names, whether it found any or not.
    pub ends_in: Vec<&'static str>,
    /// Whether a value differs from before. If not, neither the row nor an entry was written.
    pub changed: bool,
}

/// A code to insert.
#[derive(Debug)]
pub struct NewCodeRow<'a> {
    pub id: String,
    pub purpose: Purpose,
    /// In clear. The store writes the code or its digest, as the database asks.
    pub code: &'a Code,
    pub stored: StoredCode,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
}

/// A use of a code.
#[derive(Debug)]
pub struct CodeUse<'a> {
    /// The purpose that the code must have.
    pub purpose: Purpose,
    pub code: &'a Code,
    pub proof: CodeProof<'a>,
    pub effect: CodeEffect<'a>,
    pub now: Timestamp,
}

/// A proof beside a code that was checked before the transaction. The transaction checks it again.
#[derive(Debug, Clone, Copy)]
pub enum CodeProof<'a> {
    /// The code suffices.
    Nothing,
    /// The user's password matched this hash. A user with a second factor also gave a code of it, which is used up.
    Password { hash: &'a StoredHash, code: Option<&'a RightOtp> },
    /// The user has the session with this id.
    Session(&'a str),
}

/// The effect of a code.
#[derive(Debug, Clone, Copy)]
pub enum CodeEffect<'a> {
    /// Sets a password as [`super::Store::set_password`] does.
    Password(&'a NewPassword<'a>),
    /// Changes the user as [`super::Store::update_user`] does.
    User(&'a UserChange),
}

/// How many rows of a table the deletion of another row reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// The table, as the database names it.
    pub table: String,
    pub deleted: u64,
    /// Rows that stay, without their reference.
    pub cleared: u64,
}

/// The deletion of a user.
#[derive(Debug, Clone, Copy)]
pub struct DeletionRequest<'a> {
    pub id: &'a str,
    pub guard: AdminGuard,
    /// Whether to delete what other users need too.
    pub force_shared: bool,
    /// The user who gets what other users need.
    pub new_owner: Option<NewOwner<'a>>,
    pub now: Timestamp,
}

/// A user who becomes an owner in place of another.
#[derive(Debug, Clone, Copy)]
pub struct NewOwner<'a> {
    pub user_id: &'a str,
    /// Random text for the ids of new rows.
    pub random: &'a str,
}

/// What the deletion of a user reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Session rows, those in which the user acts as others included.
    pub sessions: u64,
    pub accounts: u64,
    /// Codes and other rows of the table of verifications.
    pub codes: u64,
    /// The rows of other tables.
    pub tables: Vec<TableRows>,
    /// Organizations that lose their only owner.
    pub ownerless: Vec<Organization>,
    /// What other users lose.
    pub shared: Vec<SharedRow>,
    /// Organizations that get another owner.
    pub moved_organizations: Vec<Organization>,
    /// What gets another owner, so that the others keep it.
    pub moved: Vec<SharedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: String,
    pub name: String,
}

/// A row that belongs to one user and with which others sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRow {
    /// `OAuth client` or `SSO provider`.
    pub kind: &'static str,
    /// The table, as the database names it.
    pub table: String,
    pub id: String,
    /// The name by which others refer to it.
    pub name: String,
    /// How many other users need it.
    pub users: u64,
}

/// Lists what others need.
pub(in crate::auth) fn needed(shared: &[SharedRow]) -> String {
    let of =
        |SharedRow { kind, name, users, .. }: &SharedRow| format!("the {kind} {name} ({})", counted(*users, "user"));
    shared.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// The contents of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// The number of the newest applied migration.
    pub schema_version: u32,
    pub users: u64,
    pub sessions: u64,
    /// The number of entries of the audit log.
    pub entries: u64,
    /// The hash of the newest entry; empty without one.
    pub head: String,
}
