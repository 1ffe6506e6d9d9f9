//! The part of the storage port that imports users of other systems.

use jiff::Timestamp;

use super::StoreError;
use super::types::NewUserRow;
use crate::auth::AuthError;
use crate::auth::import::Counts;
use crate::auth::import::row::OauthTokens;
use crate::auth::second_factor::SealedSecret;
use crate::auth::secret::StoredHash;

/// A user of an import, checked, with ids for the new rows.
#[derive(Debug, Clone)]
pub struct ImportedUser {
    pub user: NewUserRow,
    /// Whether the id is that of the other system. It is stored as it is, or not at all.
    pub keeps_id: bool,
    /// Whether an update gives a stored user the role.
    pub replaces_role: bool,
    /// The hash of the password, in the form in which it is stored.
    pub hash: Option<StoredHash>,
    /// The accounts at other providers.
    pub accounts: Vec<ImportedAccount>,
    /// The second factor, only in a native database.
    pub factor: Option<ImportedFactor>,
}

/// The second factor of a user of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFactor {
    /// The row id.
    pub id: String,
    pub secret: SealedSecret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedAccount {
    /// The row id.
    pub id: String,
    pub provider_id: String,
    /// The user's id at the provider.
    pub account_id: String,
    pub created_at: Timestamp,
    pub tokens: Option<Box<OauthTokens>>,
}

/// What becomes of a user who is there already: the id, the address or an account of a provider is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is imported.
    #[default]
    Fail,
    /// The stored user stays.
    Skip,
    /// A stored user with the same id gets the values of the file, and keeps role and accounts. All other conflicts are
    /// refused: no user becomes another one by the address.
    Update,
}

/// What became of a user of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportResult {
    Created,
    Updated {
        /// The number of sessions that ended with the old password.
        sessions: usize,
    },
    /// The stored user has the values of the file.
    Unchanged,
    /// The stored user stays.
    Skipped,
    /// The user is there already, or the address or an account belongs to another one.
    Taken,
    /// The database cannot hold the id.
    UnfitId,
}

/// How far an import has come, as the newest entry of the log about it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProgress {
    /// How many rows of the export are done.
    pub rows: u64,
    pub counts: Counts,
    pub at: Timestamp,
}

/// Users of an import that become users of the database together.
#[derive(Debug)]
pub struct ImportBatch<'a> {
    pub users: &'a [ImportedUser],
    pub on_conflict: OnConflict,
    /// Whether the plan found none of them in the database.
    pub is_new: bool,
    /// What identifies the import in the log.
    pub key: &'a str,
    /// The words about the files in the log.
    pub about: &'a str,
    /// The number of rows of the export before and after the batch, refused ones included.
    pub rows: [u64; 2],
    /// The number of rows of the export.
    pub total: u64,
    pub now: Timestamp,
}

/// The import of users.
pub trait ImportStore {
    /// Finds how far an import has come; `None` if the log does not know it.
    fn import_progress(&mut self, key: &str) -> Result<Option<ImportProgress>, StoreError>;

    /// Finds what would become of users, and changes nothing.
    fn rehearse_import(
        &mut self,
        users: &[ImportedUser],
        on_conflict: OnConflict,
    ) -> Result<Vec<ImportResult>, StoreError>;

    /// Imports users in one transaction, each with an entry of the log, and one for all.
    ///
    /// Refuses, and imports nothing, with [`AuthError::UserExists`] under [`OnConflict::Fail`] if a user is there already,
    /// and with [`AuthError::LastAdmin`] if the file bans the last administrator.
    ///
    /// `told` gets the results before the commit, and again when the transaction runs again. An error of it takes the
    /// transaction back.
    fn import_users(
        &mut self,
        batch: &ImportBatch<'_>,
        told: &mut dyn FnMut(&[ImportResult]) -> Result<(), StoreError>,
    ) -> Result<Result<Vec<ImportResult>, AuthError>, StoreError>;
}
