//! Every statement, and every act that reads, decides and writes.

pub(in crate::store) mod audit;
pub(in crate::store) mod changes;
pub(in crate::store) mod codes;
pub(in crate::store) mod doctor;
pub(in crate::store) mod passwords;
pub(in crate::store) mod policy;
pub(in crate::store) mod rows;
pub(in crate::store) mod sessions;
mod store;
pub(in crate::store) mod throttle;
pub(in crate::store) mod users;
mod write_tx;

use write_tx::Guest;
pub use write_tx::SqlStore;

use crate::auth::session::Session;
use crate::auth::storage::{Deleted, Ended, Orphans, Updated};
use crate::auth::throttle::Decision;
use crate::auth::user::User;

/// What an act answers, and whether that means that it did something. What an act wrote before it refused is
/// rolled back.
pub(in crate::store) trait Answer {
    /// Whether what was written is kept.
    fn is_done(&self) -> bool {
        true
    }
}

impl<T> Answer for Option<T> {
    fn is_done(&self) -> bool {
        self.is_some()
    }
}

impl<T, E> Answer for Result<T, E> {
    fn is_done(&self) -> bool {
        self.is_ok()
    }
}

impl Answer for Updated {
    fn is_done(&self) -> bool {
        matches!(self, Self::User(_))
    }
}

impl Answer for Deleted {
    fn is_done(&self) -> bool {
        matches!(self, Self::User { .. })
    }
}

impl Answer for Ended {
    fn is_done(&self) -> bool {
        matches!(self, Self::Sessions(_))
    }
}

/// A wait is written down too, when a wrong clock had made it longer.
impl Answer for Decision {}
impl Answer for () {}
impl Answer for Orphans {}
impl Answer for u64 {}
impl Answer for Vec<Session> {}
impl Answer for (User, Option<Session>) {}
