//! What the store is told, and what it answers.

use jiff::Timestamp;

use super::{GuestSchema, StoreError};
use crate::auth::audit::Entry;
use crate::auth::email::Email;
use crate::auth::secret::{StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::throttle::AttemptKey;

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUserRow {
    /// Row id.
    pub id: String,
    /// Row id of the credential account, if there will be one.
    pub account_id: String,
    /// Canonical address.
    pub email: Email,
    /// Display name.
    pub name: String,
    /// Address of a picture.
    pub image: Option<String>,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// Roles, separated by commas.
    pub role: Option<String>,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
}

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewSessionRow {
    /// Row id.
    pub id: String,
    /// Token in clear; the store keeps what its database is used to.
    pub token: Token,
    /// Whose session it is.
    pub user_id: String,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where it comes from.
    pub client_info: ClientInfo,
    /// Who acts as the user in it, when it is somebody else.
    pub impersonated_by: Option<String>,
}

/// Where a sign-in comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// Address of the remote client.
    pub ip_address: Option<String>,
    /// Program, user and host.
    pub user_agent: Option<String>,
}

/// Which of a user's sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// Every one but the one with this id.
    Others(String),
    /// These ids.
    Ids(Vec<String>),
}

impl Which {
    /// Whether the session with this id is meant.
    pub fn means(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Others(current) => id != current,
            Self::Ids(ids) => ids.iter().any(|one| one == id),
        }
    }

    /// The first id asked for by name that is not among the given sessions.
    pub fn missing_from(&self, sessions: &[Session]) -> Option<&str> {
        match self {
            Self::All | Self::Others(_) => None,
            Self::Ids(ids) => {
                ids.iter().map(String::as_str).find(|id| !sessions.iter().any(|session| session.id == **id))
            }
        }
    }
}

/// The result of ending sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// These sessions have ended, those included that were over already.
    Sessions(Vec<Session>),
    /// The user has no session with this id; nothing has ended.
    Missing(String),
}

/// A password to be replaced.
#[derive(Debug)]
pub struct PasswordChange<'a> {
    /// Whose.
    pub user_id: &'a str,
    /// The hash that the current password was compared with.
    pub verified: &'a StoredHash,
    /// The new hash.
    pub hash: &'a StoredHash,
    /// Sessions that end with it.
    pub end: Option<Which>,
    /// Count of attempts to clear.
    pub attempts: &'a AttemptKey,
    /// Written as `updatedAt`.
    pub now: Timestamp,
}

/// A password to be set by somebody who need not know the current one.
#[derive(Debug)]
pub struct NewPassword<'a> {
    /// Whose.
    pub user_id: &'a str,
    /// Row id of the credential account, should there be none yet.
    pub account_id: String,
    /// The hash.
    pub hash: &'a StoredHash,
    /// Sessions that end with it.
    pub end: Option<Which>,
    /// Count of attempts to clear.
    pub attempts: &'a AttemptKey,
    /// Written as `updatedAt`.
    pub now: Timestamp,
}

/// How a user can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who vouches: `credential` for a password, else the name of a provider.
    pub provider_id: String,
    /// The user's id there.
    pub account_id: String,
    /// Whether it holds a password hash.
    pub has_password: bool,
}

impl Account {
    /// The provider of accounts that sign in with a password, as Better Auth names it.
    pub const CREDENTIAL: &str = "credential";

    /// Whether it is meant to hold a password.
    pub fn is_credential(&self) -> bool {
        self.provider_id == Self::CREDENTIAL
    }
}

/// Whether the last administrator may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminGuard {
    /// Refuse to delete the only user who has the role `admin` and is not banned.
    KeepLastAdmin,
    /// Delete anyway.
    Off,
}

/// What a deletion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The user is gone, with this many sessions.
    User {
        /// Session rows deleted with the user.
        sessions: u64,
    },
    /// Refused: no other administrator would be left.
    LastAdmin,
    /// There was no such user.
    Missing,
}

/// What acts left to be told besides their results, where the audit log is in another file than their
/// effect.
#[derive(Debug, Default)]
pub struct LooseEnds {
    /// Acts of earlier processes that died before the log could say whether they were done.
    pub interrupted: Vec<Entry>,
    /// Why the log does not say that an act of this process was done, which was.
    pub unlogged: Option<StoreError>,
}

impl LooseEnds {
    /// Takes over those of another store.
    pub fn add(&mut self, other: Self) {
        self.interrupted.extend(other.interrupted);
        self.unlogged = self.unlogged.take().or(other.unlogged);
    }
}

/// A description of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Number of the newest migration applied; an app's database has none of ours.
    pub schema_version: Option<u32>,
    /// What was recognised, when the database is an app's.
    pub app: Option<GuestSchema>,
    /// Users.
    pub users: u64,
    /// Sessions that are live; `None` when the times in an app's database cannot be read.
    pub live_sessions: Option<u64>,
    /// Session rows that are over; `None` likewise.
    pub expired_sessions: Option<u64>,
    /// Version of the SQLite library inside.
    pub sqlite_version: String,
    /// How the database is journalled.
    pub journal_mode: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}
