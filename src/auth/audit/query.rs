//! Choosing entries.

use jiff::Timestamp;

use super::Entry;
use crate::auth::email::Email;

/// Users as entries name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditUsers {
    /// Any of these ids.
    pub ids: Vec<String>,
    /// This address, at the time of an entry.
    pub email: Option<Email>,
}

impl AuditUsers {
    fn mean(&self, id: Option<&String>, email: Option<&String>) -> bool {
        id.is_some_and(|id| self.ids.contains(id)) || email.is_some_and(|email| self.have(email))
    }

    /// An app may have stored an address with capitals.
    fn have(&self, email: &str) -> bool {
        self.email.as_ref().is_some_and(|own| own.as_str().eq_ignore_ascii_case(email))
    }

    /// Adds the ids of everybody whom an entry names by the address.
    pub fn add_ids_of(&mut self, entry: &Entry) {
        for (id, email) in [(&entry.user_id, &entry.user_email), (&entry.actor_id, &entry.actor_email)] {
            if let (Some(id), Some(email)) = (id, email)
                && self.have(email)
                && !self.ids.contains(id)
            {
                self.ids.push(id.clone());
            }
        }
    }
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// About or by these users.
    pub users: Option<AuditUsers>,
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
        let is_user = |users: &AuditUsers| {
            users.mean(entry.user_id.as_ref(), entry.user_email.as_ref())
                || users.mean(entry.actor_id.as_ref(), entry.actor_email.as_ref())
        };
        self.users.as_ref().is_none_or(is_user)
            && self.event.as_ref().is_none_or(|event| entry.event.starts_with(event.as_str()))
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }
}
