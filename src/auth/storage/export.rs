//! The part of the storage port that reads users with everything that another system can use.

use jiff::Timestamp;

use super::StoreError;
use crate::auth::secret::StoredHash;
use crate::auth::user::User;

/// A user with all accounts.
#[derive(Debug)]
pub struct ExportedUser {
    pub user: User,
    /// The password hash, if the user has one that can be read.
    pub hash: Option<StoredHash>,
    /// The accounts at other providers, by provider and subject.
    pub accounts: Vec<ExportedAccount>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedAccount {
    pub provider_id: String,
    /// The user's id at the provider.
    pub account_id: String,
    pub created_at: Option<Timestamp>,
}

/// Takes users as they are read.
pub trait Sink {
    /// Takes the number of users before the first one.
    fn begin(&mut self, users: u64);

    /// Takes a user, and says whether it wants more.
    fn user(&mut self, user: ExportedUser) -> bool;
}

/// Reads users for an export.
pub trait ExportStore {
    /// Reads all users as they are at one instant, the oldest first, and those of one instant by their ids.
    fn export(&mut self, sink: &mut dyn Sink) -> Result<(), StoreError>;
}
