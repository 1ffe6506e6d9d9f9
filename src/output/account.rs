//! What people do to their own account, told.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::Report;
use super::report::{Page, Style};
use super::text::escape;
use super::text::who;
use super::view::UserView;
use crate::auth::audit::counted;
use crate::auth::storage::UserUpdated;
use crate::auth::user::User;

/// What `password` and `account` did.
#[derive(Debug)]
pub enum AccountOutcome {
    /// The password was changed.
    PasswordChanged {
        /// Other live sessions that ended.
        sessions_ended: usize,
        /// `--keep-sessions`.
        sessions_kept: bool,
    },
    /// A password was reset with a code.
    PasswordReset {
        /// Whose.
        user: User,
        /// Live sessions that ended.
        sessions_ended: usize,
    },
    /// A code was mailed, if anybody has the address.
    CodeMailed {
        /// The address.
        email: String,
    },
    /// The profile was changed, or had nothing to change.
    Updated(UserUpdated),
    /// The account was deleted.
    Deleted {
        /// Who it was.
        user: User,
        /// Session rows that went too.
        sessions: u64,
    },
}

impl Report for AccountOutcome {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let changed = !matches!(self, Self::Updated(UserUpdated { changed: false, .. }));
        let line = match self {
            Self::PasswordChanged { sessions_kept: true, .. } => {
                "changed the password; other sessions were kept".to_owned()
            }
            Self::PasswordChanged { sessions_ended, .. } => {
                format!("changed the password and ended {}", counted(*sessions_ended as u64, "other session"))
            }
            Self::PasswordReset { user, sessions_ended } => format!(
                "set the new password of {} and ended {}; sign in with `authctl signin`",
                who(user),
                counted(*sessions_ended as u64, "session")
            ),
            Self::CodeMailed { email } => {
                format!("if {} is in use, a code was sent to it", escape(email))
            }
            Self::Updated(UserUpdated { user, changed: true, .. }) => format!("updated the account of {}", who(user)),
            Self::Updated(UserUpdated { user, .. }) => {
                format!("the account of {} already has these values; nothing was changed", who(user))
            }
            Self::Deleted { user, sessions } => {
                format!("deleted the account of {} with {}", who(user), counted(*sessions, "session"))
            }
        };
        Page::done_if(changed, line)
    }

    fn json(&self) -> Value {
        match self {
            Self::PasswordChanged { sessions_ended, .. } => json!({ "sessionsEnded": sessions_ended }),
            Self::PasswordReset { user, sessions_ended } => {
                json!({ "user": UserView::from(user), "sessionsEnded": sessions_ended })
            }
            Self::CodeMailed { email } => json!({ "email": email }),
            Self::Updated(UserUpdated { user, changed, .. }) => {
                json!({ "user": UserView::from(user), "changed": changed })
            }
            Self::Deleted { user, sessions } => json!({ "deleted": UserView::from(user), "sessions": sessions }),
        }
    }
}
