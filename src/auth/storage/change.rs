//! Changes of a user, and what the store decides about them with the row before its eyes.

use jiff::Timestamp;

use super::Which;
use crate::auth::email::Email;
use crate::auth::session::Session;
use crate::auth::user::User;

/// What of a user changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// New display name.
    pub name: Option<String>,
    /// New picture, or `Some(None)` for none.
    pub image: Option<Option<String>>,
    /// New address.
    pub email: Option<Email>,
    /// Whether the address is verified; [`UserChange::is_verified_after`] says what follows from `None`.
    pub email_verified: Option<bool>,
    /// New roles, separated by commas, or `Some(None)` for none.
    pub role: Option<Option<String>>,
    /// New ban.
    pub ban: Option<Ban>,
    /// Whether the user's sessions end with it.
    pub end: EndSessions,
}

impl UserChange {
    /// Whether the address is verified after the change: one that really changes is not, unless the
    /// change says so. Decided in the transaction of the change: who had which address before, the row
    /// knows.
    pub fn is_verified_after(&self, before: &User) -> bool {
        let moves = self.email.as_ref().is_some_and(|email| email.as_str() != before.email);
        self.email_verified.unwrap_or(before.email_verified && !moves)
    }
}

/// Whether a change of a user ends sessions of the user. Decided in the transaction of the change:
/// what was read before may be another's past by then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EndSessions {
    /// They go on.
    #[default]
    Never,
    /// All of them end.
    Always,
    /// All but the one with this id end.
    Others(String),
    /// All of them end if the user had a role that is gone with the change.
    IfRoleIsLost,
}

impl EndSessions {
    /// Decides which end, from the user before and after the change.
    pub fn which(&self, before: &User, after: &User) -> Option<Which> {
        match self {
            Self::Never => None,
            Self::Always => Some(Which::All),
            Self::Others(current) => Some(Which::Others(current.clone())),
            Self::IfRoleIsLost => after.has_lost_a_role(before).then_some(Which::All),
        }
    }
}

/// Whether a user is banned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ban {
    /// Not.
    Lifted,
    /// For a reason, until an instant or for good.
    Imposed {
        /// Why.
        reason: Option<String>,
        /// Until when.
        until: Option<Timestamp>,
    },
}

/// A user after a change that was made or had nothing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserUpdated {
    /// The user as it is now.
    pub user: User,
    /// Live sessions that ended with it.
    pub ended: Vec<Session>,
    /// Whether a field has another value than before. If not, neither the row nor an entry about it was
    /// written.
    pub changed: bool,
}

/// What a change of a user did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one of them lives at a time")]
pub enum Updated {
    /// The user as it is now, and the sessions that ended.
    User {
        /// As read back.
        user: User,
        /// As they were.
        ended: Vec<Session>,
        /// Whether a field of the user has another value than before. If not, the row was not written.
        changed: bool,
    },
    /// Refused: no other administrator would be left.
    LastAdmin,
    /// There is no such user.
    Missing,
}
