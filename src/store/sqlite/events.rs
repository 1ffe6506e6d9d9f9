//! What the audit log tells of changes.

use crate::auth::audit::Event;
use crate::auth::session::Session;
use crate::auth::store::{Ban, UserChange};
use crate::auth::user::User;

/// A session began.
pub(super) fn begun_of(session: &Session) -> Event {
    Event::session("session.begun", &session.user_id, &session.id)
}

/// A session ended.
pub(super) fn ended_of(session: &Session) -> Event {
    Event::session("session.ended", &session.user_id, &session.id)
}

/// One event for each thing that a change is about.
pub(super) fn change_events(user: &User, change: &UserChange) -> Vec<Event> {
    let about = |name| Event::user(name, &user.id);
    let mut events = Vec::new();
    if change.name.is_some() || change.image.is_some() {
        events.push(about("user.updated"));
    }
    if change.email.is_some() {
        events.push(about("email.changed"));
    }
    match change.email_verified {
        Some(true) => events.push(about("email.verified")),
        Some(false) => events.push(about("email.unverified")),
        // That a new address is not verified goes without saying.
        None => {}
    }
    if change.role.is_some() {
        events.push(about("role.set").with(format!("roles: {}", user.roles())));
    }
    match &change.ban {
        Some(Ban::Lifted) => events.push(about("user.unbanned")),
        Some(Ban::Imposed { .. }) => events.push(about("user.banned")),
        None => {}
    }
    events
}
