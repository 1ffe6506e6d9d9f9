//! What became of addresses, told.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::Report;
use super::report::{Page, Style};
use super::text::escape;
use super::text::who;
use super::view::UserView;
use crate::auth::audit::counted;
use crate::auth::user::User;

/// What `email` did.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of them lives at a time")]
pub enum EmailOutcome {
    /// A code to verify an address was handed to the mailer; for an address that is not one's own only
    /// if there was a reason to.
    VerificationMailed {
        /// The address.
        email: String,
        /// It is the one of whoever is signed in.
        is_mine: bool,
    },
    /// A code to move to another address was handed to the mailer, unless a user has that address.
    ChangeMailed {
        /// The new address.
        email: String,
    },
    /// An address was verified.
    Confirmed {
        /// Whose, as it is now.
        user: User,
        /// The address before, if it was changed.
        before: Option<String>,
        /// Live sessions that ended.
        sessions_ended: usize,
    },
}

impl Report for EmailOutcome {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::done(match self {
            Self::VerificationMailed { email, is_mine: true } => {
                format!("a code was sent to {}; run `authctl email verify` to finish", escape(email))
            }
            Self::VerificationMailed { email, is_mine: false } => format!(
                "if {} is in use and not verified, a code was sent to it; run `authctl email verify` to finish",
                escape(email)
            ),
            Self::ChangeMailed { email } => format!(
                "if {} is not in use, a code was sent to it; run `authctl email verify` to finish",
                escape(email)
            ),
            Self::Confirmed { user, before: None, sessions_ended } => {
                format!(
                    "verified the address of {} and ended {}",
                    who(user),
                    counted(*sessions_ended as u64, "session")
                )
            }
            Self::Confirmed { user, before: Some(before), sessions_ended } => format!(
                "changed the address of {}, which was {}, verified it and ended {}",
                who(user),
                escape(before),
                counted(*sessions_ended as u64, "session")
            ),
        })
    }

    fn json(&self) -> Value {
        match self {
            Self::VerificationMailed { email, .. } | Self::ChangeMailed { email } => json!({ "email": email }),
            Self::Confirmed { user, before, sessions_ended } => {
                json!({ "user": UserView::from(user), "emailBefore": before, "sessionsEnded": sessions_ended })
            }
        }
    }
}
