//! Whether a user can sign in, and why not.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::ban;
use crate::auth::audit::counted;
use crate::auth::sign_in_blocker::{MissingPassword, SignInBlocker};
use crate::auth::user::User;
use crate::output::report::Style;
use crate::output::text::escape;
use crate::output::text::who;
use crate::output::time::{relative, rfc3339};
use crate::output::view::UserView;

/// What a sign-in of a user would meet, the right password given.
#[derive(Debug)]
pub struct Explanation {
    /// The user.
    pub user: User,
    /// When.
    pub at: Timestamp,
    /// That is now: no time was asked for.
    pub is_now: bool,
    /// Everything, in the order in which it is met.
    pub blockers: Vec<SignInBlocker>,
}

impl Explanation {
    /// Whether a sign-in would succeed.
    pub fn can_sign_in(&self) -> bool {
        self.blockers.is_empty()
    }

    pub(super) fn human(&self, now: Timestamp, style: Style) -> String {
        let who = who(&self.user);
        let then = if self.is_now { String::new() } else { format!(" at {}", rfc3339(self.at)) };
        if self.can_sign_in() {
            return format!("{who} can sign in with the right password{then}\n");
        }
        let mut text = format!("{who} cannot sign in{then}\n");
        for (number, blocker) in (1..).zip(&self.blockers) {
            let soon = match blocker.until() {
                Some(until) if style.terminal => format!(" ({})", relative(until, now)),
                _ => String::new(),
            };
            let (message, hint) = (message(blocker), self.hint(blocker));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{number}. {}{soon}\n   hint: {}", escape(&message), escape(&hint));
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let reason = |blocker: &SignInBlocker| {
            json!({
                "code": blocker.code(),
                "message": message(blocker),
                "hint": self.hint(blocker),
                "until": blocker.until().map(rfc3339),
            })
        };
        json!({
            "user": UserView::from(&self.user),
            "at": rfc3339(self.at),
            "canSignIn": self.can_sign_in(),
            "reasons": self.blockers.iter().map(reason).collect::<Vec<_>>(),
        })
    }

    /// The command that removes an obstacle.
    fn hint(&self, blocker: &SignInBlocker) -> String {
        let user = self.named();
        match blocker {
            SignInBlocker::Throttled { .. } => format!("`authctl users unlock {user}` forgets the failures"),
            SignInBlocker::AddressNotFound { sought, taken: false } => {
                format!("`authctl users update {user} --email {sought}` stores that")
            }
            SignInBlocker::AddressUnusable | SignInBlocker::AddressNotFound { taken: true, .. } => {
                format!("`authctl users update {user} --email ADDRESS` stores another")
            }
            SignInBlocker::NoPassword { .. } => format!("`authctl users set-password {user}` sets one"),
            SignInBlocker::HashNotAccepted(_) => format!("`authctl users set-password {user}` sets another"),
            SignInBlocker::EmailNotVerified { .. } => format!(
                "`authctl users verify-email {user}` says that it is; `authctl policy unset email.verification` asks no more"
            ),
            SignInBlocker::Banned { .. } => format!("`authctl users unban {user}` lifts the ban"),
            SignInBlocker::SecondFactor => "sign in through the app, which can check it".to_owned(),
        }
    }

    /// The user, as an argument that finds this user and that a shell reads as one word.
    fn named(&self) -> &str {
        let User { id, email, .. } = &self.user;
        let is_found = !self
            .blockers
            .iter()
            .any(|one| matches!(one, SignInBlocker::AddressUnusable | SignInBlocker::AddressNotFound { .. }));
        if is_found && !email.contains('\'') { email } else { id }
    }
}

fn message(blocker: &SignInBlocker) -> String {
    match blocker {
        SignInBlocker::Throttled { failures, until } => {
            format!("locked after {} until {}", counted((*failures).into(), "failed attempt"), rfc3339(*until))
        }
        SignInBlocker::AddressUnusable => "the stored address is not one that can be signed in with".to_owned(),
        SignInBlocker::AddressNotFound { sought, taken } => {
            let owner = if *taken { ", which is somebody else's" } else { "" };
            format!("the stored address is not in lower case: a sign-in looks for {sought}{owner}")
        }
        SignInBlocker::NoPassword { lack, others } => {
            let lack = match lack {
                MissingPassword::Account => "there is no password: no credential account",
                MissingPassword::OwnAccount => {
                    "there is no password: the credential account's accountId is not the user's id"
                }
                MissingPassword::Hash => "there is no password: the credential account holds no hash",
            };
            if others.is_empty() { lack.to_owned() } else { format!("{lack}; signs in by {}", others.join(", ")) }
        }
        SignInBlocker::HashNotAccepted(kind) => {
            format!("the password hash is of a kind that is not accepted here ({})", kind.name())
        }
        SignInBlocker::EmailNotVerified { .. } => {
            "the email address is not verified, and the policy asks for that".to_owned()
        }
        SignInBlocker::Banned { reason, until } => format!("banned {}", ban(*until, reason.as_deref())),
        SignInBlocker::SecondFactor => "this user has a second factor, which authctl cannot check".to_owned(),
    }
}
