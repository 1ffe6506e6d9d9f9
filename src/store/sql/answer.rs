//! What an act answers, and whether that means that something was done. What was written on the way to a
//! refusal is rolled back, so that "nothing was done" is true.

use crate::auth::session::Session;
use crate::auth::storage::{Deleted, Ended, Orphans, Updated};
use crate::auth::throttle::Decision;
use crate::auth::user::User;

/// The answer of an act.
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
        matches!(self, Self::User { .. })
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
