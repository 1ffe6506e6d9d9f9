//! What concerns a database as a whole: its rules, its log, its condition.

use jiff::Timestamp;

use super::{DatabaseInfo, GuestSchema, LooseEnds, StoreError};
use crate::auth::audit::Entry;
use crate::auth::policy::{Key, Policy, PolicyError};

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
