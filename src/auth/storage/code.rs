//! What the store is told about codes.

use jiff::Timestamp;

use super::{NewPassword, UserChange};
use crate::auth::code::{Purpose, StoredCode};
use crate::auth::secret::{Code, StoredHash};

/// A code to be stored.
#[derive(Debug)]
pub struct NewCodeRow<'a> {
    /// Row id.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// In clear; the store keeps its digest.
    pub code: &'a Code,
    /// Whose, for which address, until when.
    pub stored: StoredCode,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
}

/// A code about to be used up.
#[derive(Debug)]
pub struct CodeUse<'a> {
    /// What it must be for.
    pub purpose: Purpose,
    /// In clear.
    pub code: &'a Code,
    /// What was shown besides the code.
    pub proof: CodeProof<'a>,
    /// What it does.
    pub effect: CodeEffect<'a>,
    /// The moment.
    pub now: Timestamp,
}

/// What was shown besides a code, outside the transaction that uses it. The transaction looks whether
/// it is still so.
#[derive(Debug, Clone, Copy)]
pub enum CodeProof<'a> {
    /// Nothing: the code alone does it.
    Nothing,
    /// The password of the user, by the hash with which it was compared.
    Password(&'a StoredHash),
    /// A session of the user, by its id.
    Session(&'a str),
}

/// What happens when a code is used up, in the same act.
#[derive(Debug, Clone, Copy)]
pub enum CodeEffect<'a> {
    /// A password is set, as [`super::Store::set_password`] does.
    Password(&'a NewPassword<'a>),
    /// The user changes, as with [`super::Store::update_user`].
    User(&'a UserChange),
}
