//! The part of the port that ends access to an account and removes second factors.

use jiff::Timestamp;

use super::{AdminGuard, Ban, BrokenKey, NewCodeRow, StoreError};
use crate::auth::AuthError;
use crate::auth::access::{AccessCounts, AccountAccess};
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::second_factor::{FactorReset, FactorRows};
use crate::auth::user::User;

/// Access to accounts, beyond passwords and sessions.
pub trait AccessStore {
    /// Counts the access to a user's account; `None` if the user does not exist.
    fn account_access(&mut self, user_id: &str, now: Timestamp) -> Result<Option<AccountAccess>, StoreError>;

    /// Ends all access to a user's account, and returns how many of each kind there were. Refuses with
    /// [`AuthError::NoSuchUser`], and with [`AuthError::LastAdmin`] as the guard asks.
    fn lock_down(&mut self, lockdown: &Lockdown<'_>) -> Result<Result<(User, AccessCounts), AuthError>, StoreError>;

    /// Does the work of [`Self::lock_down`] and takes it back, so that it answers, refuses and leaves the same.
    fn rehearse_lockdown(
        &mut self,
        lockdown: &Lockdown<'_>,
    ) -> Result<Result<(User, AccessCounts), AuthError>, StoreError>;

    /// Reads the second factor of a user; `None` if the database has no table of second factors.
    fn factor_rows(&mut self, user_id: &str) -> Result<Option<FactorRows>, StoreError>;

    /// Counts what [`Self::reset_second_factor`] removes; `None` if the user does not exist.
    fn factor_to_reset(&mut self, user_id: &str, now: Timestamp) -> Result<Option<FactorReset>, StoreError>;

    /// Removes a user's second factor with its flag, trusted devices and unfinished sign-ins, and ends all sessions.
    /// Without any of these it changes nothing. `None` if the user does not exist.
    fn reset_second_factor(&mut self, user_id: &str, now: Timestamp) -> Result<Option<FactorReset>, StoreError>;

    /// Clears the lock of a user's second factor and its count of wrong codes. Returns whether there were any.
    fn unlock_second_factor(&mut self, user_id: &str) -> Result<bool, StoreError>;
}

/// The tables of plugins: what has expired in them, and what is wrong with them.
pub trait PluginStore {
    /// Counts expired rows of a table of a plugin; 0 if the database has no such table.
    fn count_expired_rows(&mut self, kind: Expiring, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes the next part of these rows and returns their number. Those that the app keeps stay.
    fn prune_rows(&mut self, kind: Expiring, now: Timestamp, pruning: &mut Pruning) -> Result<u64, StoreError>;

    /// Counts rows that refer to rows that do not exist, except those of [`super::DoctorStore::orphans`].
    fn broken_references(&mut self) -> Result<Vec<BrokenReference>, StoreError>;

    /// The foreign keys that cannot work, of all tables.
    fn broken_keys(&mut self) -> Result<Vec<BrokenKey>, StoreError>;

    /// Counts users whose flag and whose second factor do not fit.
    fn odd_factors(&mut self) -> Result<OddFactors, StoreError>;

    /// The tables whose rows no act can delete because of [`StoreError::TooManyKeys`].
    fn tables_with_too_many_keys(&mut self) -> Result<Vec<String>, StoreError>;

    /// The slugs of organizations of which no member is an owner.
    fn organizations_without_owner(&mut self) -> Result<Vec<String>, StoreError>;
}

/// Rows whose reference leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenReference {
    /// In the names of the database, as all here.
    pub table: String,
    /// Several columns are separated by commas.
    pub column: String,
    /// The tables in one of which the row should be.
    pub parents: Vec<String>,
    pub rows: u64,
}

/// Numbers of users whose flag and whose second factor do not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OddFactors {
    /// The flag is set, and there is no factor.
    pub missing: u64,
    /// The flag is set, and the factor was never confirmed.
    pub unverified: u64,
    /// The flag is not set, and there is a confirmed factor.
    pub left: u64,
}

/// An end of all access to an account.
#[derive(Debug)]
pub struct Lockdown<'a> {
    pub user_id: &'a str,
    pub ban: Option<Ban>,
    /// Applies to the ban.
    pub guard: AdminGuard,
    /// A code to create after all others are gone.
    pub code: Option<&'a NewCodeRow<'a>>,
    /// The time at which tokens are revoked.
    pub now: Timestamp,
}
