//! What the store is told about codes.

use jiff::Timestamp;

use super::{NewPassword, UserChange};
use crate::auth::code::{Purpose, StoredCode};
use crate::auth::secret::Code;

/// A code to be stored.
#[derive(Debug)]
pub struct NewCode<'a> {
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

/// What happens when a code is used up, in the same act.
#[derive(Debug)]
pub enum CodeEffect<'a> {
    /// A password is set, as [`super::Store::set_password`] does.
    Password(&'a NewPassword<'a>),
    /// The user changes, as with [`super::Store::update_user`].
    User(&'a UserChange),
}
