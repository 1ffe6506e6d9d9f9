//! What operators see of users and do to them, told.

mod act;
mod explain;
mod state;

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::Report;
use super::report::{Page, Style};
use super::table::table;
use super::text::escape;
use super::text::{shown, who};
use super::time::{relative, rfc3339};
use super::view::UserView;
use crate::auth::audit::counted;
use crate::auth::secret::Code;
use crate::auth::storage::UserPage;
use crate::auth::user::User;
use crate::exit_code::ExitCode;

pub use act::{UserAct, UserChanged};
pub use explain::Explanation;
pub use state::UserState;

/// What `users` did.
#[derive(Debug)]
pub enum UsersOutcome {
    /// A page of users.
    Page(UserPage),
    /// A user in full.
    State(UserState),
    /// Whether a user can sign in.
    Explained(Explanation),
    /// There is such a user.
    Exists,
    /// There was no such user to delete (`--if-exists`).
    WasMissing {
        /// Where.
        database: PathBuf,
    },
    /// An operator changed a user.
    Changed(UserChanged),
    /// A code to reset a password.
    ResetCode {
        /// Whose.
        user: User,
        /// In clear, to be handed over.
        code: Code,
        /// Until when it counts.
        expires_at: Timestamp,
        /// Where.
        database: PathBuf,
    },
}

impl Report for UsersOutcome {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        match self {
            Self::Page(page) => list(page, now, style),
            Self::State(state) => Page::answer(state.facts(now, style)),
            Self::Explained(explanation) => Page::answer(explanation.human(now, style)),
            Self::Exists => Page::note("the user exists".to_owned()),
            Self::WasMissing { database } => {
                Page::note(format!("there was no such user in {}; nothing to delete", shown(database)))
            }
            Self::Changed(changed) => changed.human(now),
            Self::ResetCode { user, code, expires_at, database } => Page {
                answer: format!("{}\n", code.expose()),
                ..Page::done(format!(
                    "made a code for `authctl password reset` of {} in {}; it expires {}",
                    who(user),
                    shown(database),
                    relative(*expires_at, now)
                ))
            },
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Page(page) => json!({
                "users": page.users.iter().map(UserView::from).collect::<Vec<_>>(),
                "total": page.total,
                "next": page.next,
            }),
            Self::State(state) => state.json(),
            Self::Explained(explanation) => explanation.json(),
            Self::Exists => json!({ "exists": true }),
            Self::WasMissing { database } => json!({ "deleted": null, "database": database.to_string_lossy() }),
            Self::Changed(changed) => changed.json(),
            Self::ResetCode { user, code, expires_at, database } => json!({
                "code": code.expose(),
                "expiresAt": rfc3339(*expires_at),
                "user": UserView::from(user),
                "database": database.to_string_lossy(),
            }),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Explained(explanation) if !explanation.can_sign_in() => ExitCode::Failed,
            _ => ExitCode::Done,
        }
    }

    fn lost_answer_hint(&self) -> Option<String> {
        match self {
            Self::Changed(changed) => changed.lost_answer_hint(),
            Self::ResetCode { user, .. } => {
                Some(format!("the code is lost: make another with `authctl users reset-code {}`", escape(&user.email)))
            }
            _ => None,
        }
    }
}

fn list(page: &UserPage, now: Timestamp, style: Style) -> Page {
    let row = |user: &User| {
        let mut state = Vec::new();
        if user.is_banned(now) {
            state.push("banned");
        }
        if !user.email_verified {
            state.push("unverified");
        }
        vec![
            escape(&user.email).into_owned(),
            escape(&user.name).into_owned(),
            escape(user.roles()).into_owned(),
            if state.is_empty() { "-".to_owned() } else { state.join(", ") },
            style.when(user.created_at, now),
            escape(&user.id).into_owned(),
        ]
    };
    let header = ["EMAIL", "NAME", "ROLE", "STATE", "CREATED", "ID"];
    let mut notes = vec![format!("{} of {}", page.users.len(), counted(page.total, "user"))];
    if let Some(next) = &page.next {
        notes.push(format!("the next page: --after {}", escape(next)));
    }
    Page { answer: table(&header, page.users.iter().map(row).collect(), 5, style), notes, ..Page::default() }
}
