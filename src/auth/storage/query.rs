//! Pages of users: which ones, in what order, from where on.

use jiff::Timestamp;

use crate::auth::user::User;

/// The most users of one page.
pub const PAGE_MAX: u32 = 1_000;

/// Which users, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuery {
    /// A part of the address or of the name, in any case of ASCII letters.
    pub search: Option<String>,
    /// One of the user's roles.
    pub role: Option<String>,
    /// Only users whose ban is in force at this instant.
    pub banned_at: Option<Timestamp>,
    /// Only users whose address is not verified.
    pub unverified: bool,
    /// The order.
    pub sort: UserSort,
    /// How many at most.
    pub limit: u32,
    /// The user after whom the page begins, by id.
    pub after: Option<String>,
}

/// The order of users; those that are alike in it are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    /// By address.
    Email,
    /// By name.
    Name,
    /// The oldest first.
    Created,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users of this page.
    pub users: Vec<User>,
    /// How many there are on all pages.
    pub total: u64,
    /// What to ask for the next page with; `None` on the last one.
    pub next: Option<String>,
}
