//! Outcomes that have several parts of their own.

use std::path::PathBuf;

use crate::auth::store::Census;

/// Which halves of signing out were done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOutHow {
    /// Live sessions ended in the database; `None` when it was not asked.
    pub sessions_ended: Option<usize>,
    /// The session file was removed; `None` when the token came from elsewhere.
    pub file_removed: Option<bool>,
    /// Why the database was not asked.
    pub without_database: Option<&'static str>,
}

/// Who chose a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenBy {
    /// For programs: `flag`, `environment` or `default`.
    pub word: &'static str,
    /// For people: what they would have to change.
    pub name: &'static str,
}

/// A description of a database.
#[derive(Debug)]
pub struct DatabaseState {
    /// Where.
    pub path: PathBuf,
    /// Who chose it.
    pub chosen_by: ChosenBy,
    /// What is in it.
    pub census: Census,
}
