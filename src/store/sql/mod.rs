//! Every statement, once for all engines and mappings, and the acts that read, decide and write.

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
use crate::auth::storage::Orphans;
use crate::auth::throttle::Decision;
use crate::auth::user::User;

/// The answer of an act, and whether the act did something. A refusal rolls back what was written before it.
pub(in crate::store) trait Answer {
    /// Whether to commit.
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

/// A decision to wait is committed too: it may have shortened a wait that a wrong clock had set.
impl Answer for Decision {}
impl Answer for () {}
impl Answer for Orphans {}
impl Answer for u64 {}
impl Answer for Vec<Session> {}
impl Answer for (User, Option<Session>) {}
