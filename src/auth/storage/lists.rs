//! What lists of users and sessions select and return.

use jiff::Timestamp;

use crate::auth::session::{Session, SessionFilter};
use crate::auth::user::User;

/// The most users of one page.
pub const PAGE_MAX: u32 = 1_000;

/// Selects a page of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct UserQuery {
    /// A part of the address or of the name, in any case of ASCII letters.
    pub search: Option<String>,
    /// One of the user's roles.
    pub role: Option<String>,
    /// Only users whose ban is in force at this instant.
    pub banned_at: Option<Timestamp>,
    /// Only users whose address is not verified.
    pub unverified: bool,
    /// Only users without a second factor.
    pub without_factor: bool,
    pub sort: UserSort,
    /// Whether to count the users on all pages, which reads every user.
    pub count: bool,
    /// The longest page.
    pub limit: u32,
    /// The user after whom the page begins.
    pub after: Option<UserPlace>,
    /// Whether the next page begins at its place also when the last user of this one is gone by then.
    pub keeps_place: bool,
}

/// The place of a user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPlace {
    pub id: String,
    /// What the user had in the column that sorts, if it was read. Else the user must exist.
    pub key: Option<SortKey>,
}

impl<T: Into<String>> From<T> for UserPlace {
    fn from(id: T) -> Self {
        Self { id: id.into(), key: None }
    }
}

/// A value by which a database sorts users, as it stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    Null,
    Integer(i64),
    Text(String),
}

/// The order of users. Equal users are in the order of their ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserSort {
    #[default]
    Email,
    Name,
    /// Oldest first.
    Created,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    pub users: Vec<User>,
    /// The number of users on all pages, if it was asked for or the page has all of them.
    pub total: Option<u64>,
    /// The value of `after` for the next page; `None` on the last one.
    pub next: Option<UserPlace>,
}

/// Selects sessions as far as a database can. The rules decide about the sessions that it reads.
#[derive(Debug, Clone, Copy)]
pub struct SessionQuery<'a> {
    /// The sessions of this user.
    pub user_id: Option<&'a str>,
    pub filter: &'a SessionFilter,
    /// The [`FoundSession::place`] of the session before the first.
    pub after: Option<&'a str>,
    /// The time at which sessions are live.
    pub now: Timestamp,
}

/// A session that a list has.
#[derive(Debug)]
pub struct FoundSession {
    /// The place of the session in the order of the list. It stays valid when the session ends. `None` if its id
    /// cannot be read.
    pub place: Option<String>,
    /// The address of its user.
    pub email: String,
    pub session: Session,
}
