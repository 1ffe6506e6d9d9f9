//! The place where the rows of an export are kept until they are imported.

use std::fmt;

use super::row::{About, Place, RowFault, SourceRow, SourceUser};
use crate::auth::storage::StoreError;

/// A row with a user, and what other rows say of the user.
#[derive(Debug)]
pub struct StagedRow {
    /// Rows with users are numbered from 1, in the order in which they were kept, over all files.
    pub number: u64,
    pub place: Place,
    /// The user, or why the row is refused.
    pub user: Result<SourceUser, RowFault>,
    pub about: Vec<About>,
    /// The size of the row where it is kept.
    pub bytes: usize,
}

/// What only one user can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'a> {
    Address(&'a str),
    Id(&'a str),
    /// An account: the provider and the subject there.
    Account(&'a str, &'a str),
}

/// Keeps rows. Memory stays flat however many they are.
pub trait Stage: fmt::Debug {
    /// Keeps a row. A refused row counts as one with a user.
    fn keep(&mut self, row: SourceRow) -> Result<(), StoreError>;

    /// Reads the next rows with users behind a number: at most `limit`, and fewer of large ones.
    fn rows(&mut self, after: u64, limit: usize) -> Result<Vec<StagedRow>, StoreError>;

    /// Keeps what only the user of this row can have.
    fn claim(&mut self, row: u64, claim: Claim<'_>) -> Result<(), StoreError>;

    /// Refuses a row from now on.
    fn refuse(&mut self, row: u64, fault: &RowFault) -> Result<(), StoreError>;

    /// Refuses each row that claims what an earlier row has claimed, and returns their number.
    fn refuse_duplicates(&mut self) -> Result<u64, StoreError>;

    /// Counts rows about users who have no row.
    fn strays(&mut self) -> Result<u64, StoreError>;
}
