//! Sessions, told to people.

use jiff::Timestamp;

use super::escape::escape;
use super::human::counted;
use super::page::{Page, Style};
use super::table::table;
use super::time::{relative, rfc3339};
use crate::auth::session::Session;

/// Sessions of one user, the current one marked.
pub(super) fn list(sessions: &[Session], current: Option<&str>, now: Timestamp, style: Style) -> String {
    let when = |instant| if style.terminal { relative(instant, now) } else { rfc3339(instant) };
    let row = |session: &Session| {
        let mark = if current == Some(session.id.as_str()) { "*" } else { "" };
        vec![
            mark.to_owned(),
            escape(&session.id).into_owned(),
            when(session.created_at),
            when(session.expires_at),
            escape(session.ip_address.as_deref().unwrap_or("-")).into_owned(),
            escape(session.user_agent.as_deref().unwrap_or("-")).into_owned(),
        ]
    };
    let header = ["", "ID", "SIGNED IN", "EXPIRES", "ADDRESS", "FROM"];
    table(&header, sessions.iter().map(row).collect(), 1, style)
}

/// Sessions of several users.
pub(super) fn list_of_users(sessions: &[(String, Session)], now: Timestamp, style: Style) -> String {
    let when = |instant| if style.terminal { relative(instant, now) } else { rfc3339(instant) };
    let row = |(email, session): &(String, Session)| {
        vec![
            escape(email).into_owned(),
            escape(&session.id).into_owned(),
            when(session.created_at),
            when(session.expires_at),
            escape(session.ip_address.as_deref().unwrap_or("-")).into_owned(),
            escape(session.user_agent.as_deref().unwrap_or("-")).into_owned(),
        ]
    };
    let header = ["USER", "ID", "SIGNED IN", "EXPIRES", "ADDRESS", "FROM"];
    table(&header, sessions.iter().map(row).collect(), 1, style)
}

/// Sessions that ended, or would have.
pub(super) fn ended(sessions: &[Session], dry_run: bool, signed_out: bool, now: Timestamp, style: Style) -> Page {
    let count = counted(sessions.len() as u64, "session");
    let mut page = Page::default();
    if dry_run {
        page.done.push(format!("would end {count}"));
        if !sessions.is_empty() {
            page.answer = list(sessions, None, now, style);
        }
    } else {
        page.done.push(format!("ended {count}"));
    }
    if signed_out {
        page.done.push("this session was among them: signed out".to_owned());
    }
    page
}
