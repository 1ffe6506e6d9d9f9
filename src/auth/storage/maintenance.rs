//! What concerns a database as a whole: its rules, its log, its condition.

use jiff::Timestamp;

use super::{DatabaseInfo, GuestSchema, LooseEnds, StoreError};
use crate::auth::audit::Entry;
use crate::auth::policy::{Key, Policy, PolicyError};
use crate::auth::secret::StoredHash;
use crate::auth::user::User;

/// What setting a rule did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet {
    /// The policy as read back.
    pub policy: Policy,
    /// Whether the value is another one than before. If not, nothing was written.
    pub changed: bool,
}

/// The part of a store that looks after its database.
pub trait Maintenance {
    /// Goes through the audit log in its order until `found` says that it is enough.
    fn each_entry(&mut self, after: u64, found: &mut dyn FnMut(Entry) -> bool) -> Result<(), StoreError>;

    /// Reads what this database sets for itself.
    fn policy(&mut self) -> Result<Policy, StoreError>;

    /// Writes a setting, or sets it back to its default with `None`; or tells why it cannot be set beside
    /// the other settings, with nothing changed.
    fn set_policy(
        &mut self,
        key: &Key,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<PolicySet, PolicyError>, StoreError>;

    /// Counts the session rows that `prune` would delete.
    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes up to `limit` sessions that are over and returns how many.
    fn prune(&mut self, now: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Hands over what the acts of this process left to be told besides their results.
    fn take_loose_ends(&mut self) -> LooseEnds;

    /// What was found in the database, when it belongs to an app and we are a guest in it.
    fn app(&self) -> Option<&GuestSchema>;

    /// Describes the database.
    fn info(&mut self, now: Timestamp) -> Result<DatabaseInfo, StoreError>;
}

/// The part of a store that tells what is wrong with its database. Nothing here is changed by looking.
pub trait DoctorStore {
    /// Damage that the engine finds in the file, in its words; the first pieces of it.
    fn damage(&mut self) -> Result<Vec<String>, StoreError>;

    /// What of the schema is not what the migrations make.
    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError>;

    /// Counts rows whose user is gone.
    fn orphans(&mut self) -> Result<Orphans, StoreError>;

    /// Deletes them and returns what was deleted.
    fn delete_orphans(&mut self) -> Result<Orphans, StoreError>;

    /// Counts users and sessions that make no sense, and tells what is wrong with the first.
    fn nonsense(&mut self) -> Result<(u64, Option<StoreError>), StoreError>;

    /// Goes through all users who make sense.
    fn each_user(&mut self, found: &mut dyn FnMut(User)) -> Result<(), StoreError>;

    /// Goes through all accounts that sign in with a password.
    fn each_credential(&mut self, found: &mut dyn FnMut(Credential)) -> Result<(), StoreError>;

    /// Counts credential accounts that are not under their user's id, where no sign-in looks.
    fn stray_accounts(&mut self) -> Result<StrayAccounts, StoreError>;

    /// Puts those under their user's id for whom nothing else is there, and returns how many.
    fn correct_stray_accounts(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Addresses that several users have, but for the case; in lower case.
    fn twins(&mut self) -> Result<Vec<String>, StoreError>;

    /// Writes addresses in lower case, where [`crate::auth::doctor::lowered`] says so, and returns how
    /// many.
    fn lower_addresses(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// The newest act that an earlier process intended, if the audit log does not say how it ended.
    fn interrupted(&mut self) -> Result<Option<Entry>, StoreError>;

    /// Adds an entry that says so; returns how many were added.
    fn close_interrupted(&mut self) -> Result<u64, StoreError>;

    /// Counts what was written after an instant.
    fn written_after(&mut self, instant: Timestamp) -> Result<WrittenAfter, StoreError>;

    /// Counts codes that have expired.
    fn count_expired_codes(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes them and returns how many.
    fn prune_codes(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Reads the settings as they stand, whether they make sense or not.
    fn settings(&mut self) -> Result<Vec<(String, String)>, StoreError>;

    /// Removes settings by key.
    fn remove_settings(&mut self, keys: &[String]) -> Result<(), StoreError>;
}

/// One piece of a schema that is not what the migrations make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDifference {
    /// What it is and its name, such as `trigger x`.
    pub object: String,
    /// How it differs.
    pub how: Differs,
}

/// How a piece of a schema differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// It is not there.
    Missing,
    /// No migration makes it.
    Unexpected,
    /// It is spelled in another way.
    Changed,
}

/// Rows whose user is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Sessions.
    pub sessions: u64,
    /// Accounts.
    pub accounts: u64,
    /// Codes.
    pub codes: u64,
}

impl Orphans {
    /// All of them.
    pub fn count(self) -> u64 {
        self.sessions + self.accounts + self.codes
    }
}

/// An account that signs in with a password.
#[derive(Debug)]
pub struct Credential {
    pub user_id: String,
    /// The hash; `None` too for bytes that cannot be one.
    pub hash: Option<StoredHash>,
}

/// Credential accounts that are not under their user's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StrayAccounts {
    /// All of them.
    pub all: u64,
    /// Those that are the only one of their user, with nobody in their right place.
    pub correctable: u64,
}

/// What was written after an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenAfter {
    /// Users, accounts, sessions and codes.
    pub rows: u64,
    /// Entries of the audit log.
    pub entries: u64,
    /// Whether the newest entry of the audit log was written before, so that the clock came back.
    pub is_newest_before: bool,
}
