//! Sessions, told.

use std::borrow::Cow;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::Report;
use super::report::{Page, Style};
use super::table::table;
use super::text::escape;
use super::text::shown;
use super::view::SessionView;
use crate::auth::audit::counted;
use crate::auth::session::Session;

/// What `sessions` did.
#[derive(Debug)]
pub enum SessionsOutcome {
    /// Live sessions.
    Mine {
        /// The sessions, newest first.
        sessions: Vec<Session>,
        /// Id of the one that asks.
        current: String,
    },
    /// Live sessions of users, each with the user's address.
    OfUsers {
        /// The sessions, newest first.
        sessions: Vec<(String, Session)>,
    },
    /// Sessions ended, or would have.
    Ended {
        /// Which.
        sessions: Vec<Session>,
        /// Nothing was ended (`--dry-run`).
        dry_run: bool,
        /// The session file went too.
        signed_out: bool,
    },
    /// Expired rows deleted, or would have been.
    Pruned {
        /// How many.
        count: u64,
        /// Nothing was deleted (`--dry-run`).
        dry_run: bool,
        /// Where.
        database: PathBuf,
    },
}

impl Report for SessionsOutcome {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        match self {
            Self::Mine { sessions, current } => {
                let mark = |session: &Session| if session.id == *current { "*" } else { "" }.to_owned();
                Page::answer(list("", sessions.iter().map(|session| (mark(session), session)), now, style))
            }
            Self::OfUsers { sessions } => {
                let rows = sessions.iter().map(|(email, session)| (escape(email).into_owned(), session));
                Page::answer(list("USER", rows, now, style))
            }
            Self::Ended { sessions, dry_run, signed_out } => ended(sessions, *dry_run, *signed_out, now, style),
            Self::Pruned { count, dry_run, database } => {
                let verb = if *dry_run { "would delete" } else { "deleted" };
                let line = format!("{verb} {} in {}", counted(*count, "expired session"), shown(database));
                Page::done_if(!dry_run, line)
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Mine { sessions, current } => {
                let view = |session| SessionView::from(session).among(current);
                json!({ "sessions": sessions.iter().map(view).collect::<Vec<_>>() })
            }
            Self::OfUsers { sessions } => {
                json!({ "sessions": sessions.iter().map(|(_, session)| SessionView::from(session)).collect::<Vec<_>>() })
            }
            Self::Ended { sessions, dry_run, signed_out } => json!({
                "ended": sessions.len(),
                "sessions": sessions.iter().map(SessionView::from).collect::<Vec<_>>(),
                "dryRun": dry_run,
                "signedOut": signed_out,
            }),
            Self::Pruned { count, dry_run, database } => {
                json!({ "pruned": count, "dryRun": dry_run, "database": database.to_string_lossy() })
            }
        }
    }
}

/// Sessions in a table whose first column is the caller's.
fn list<'a>(
    first: &str,
    sessions: impl Iterator<Item = (String, &'a Session)>,
    now: Timestamp,
    style: Style,
) -> String {
    let row = |(first, session): (String, &Session)| {
        vec![
            first,
            escape(&session.id).into_owned(),
            style.when(session.created_at, now),
            style.when(session.expires_at, now),
            escape(session.ip_address.as_deref().unwrap_or("-")).into_owned(),
            escape(&from(session)).into_owned(),
        ]
    };
    let header = [first, "ID", "SIGNED IN", "EXPIRES", "ADDRESS", "FROM"];
    table(&header, sessions.map(row).collect(), 1, style)
}

/// Who began a session: the program, and whoever acts as the user in it.
fn from(session: &Session) -> Cow<'_, str> {
    let program = session.user_agent.as_deref().unwrap_or("-");
    match &session.impersonated_by {
        Some(by) => format!("impersonated by {by}; {program}").into(),
        None => program.into(),
    }
}

fn ended(sessions: &[Session], dry_run: bool, signed_out: bool, now: Timestamp, style: Style) -> Page {
    let count = counted(sessions.len() as u64, "session");
    let mut page = Page::default();
    if dry_run {
        page.notes.push(format!("would end {count}"));
        if !sessions.is_empty() {
            page.answer = list("", sessions.iter().map(|session| (String::new(), session)), now, style);
        }
    } else {
        page.done.push(format!("ended {count}"));
    }
    if signed_out {
        page.done.push("this session was among them: signed out".to_owned());
    }
    page
}
