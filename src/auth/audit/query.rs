//! Choosing entries.

use jiff::Timestamp;

use super::Entry;

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// About or by this user, by id.
    pub user_id: Option<String>,
    /// Whose event begins with this.
    pub event: Option<String>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl AuditQuery {
    /// Whether an entry is meant.
    pub fn matches(&self, entry: &Entry) -> bool {
        let is_user = |id: &String| entry.user_id.as_ref() == Some(id) || entry.actor_id.as_ref() == Some(id);
        self.user_id.as_ref().is_none_or(is_user)
            && self.event.as_ref().is_none_or(|event| entry.event.starts_with(event.as_str()))
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }
}
