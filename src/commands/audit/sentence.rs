//! What an entry of the audit log says, as people read it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::changes_json;
use crate::auth::audit::Entry;
use crate::auth::storage::StoreError;
use crate::auth::user::UserRef;
use crate::context::Context;

/// The addresses of users of whom entries have only the id: those of older versions of authctl. A deleted user has none.
#[derive(Debug, Default)]
pub(super) struct Addresses(BTreeMap<String, Option<String>>);

/// What comes before the id of an impersonated user in a detail.
const IMPERSONATING: &str = "impersonating ";

impl Addresses {
    /// Reads the addresses for entries. Each user is read once.
    pub(super) fn read(&mut self, entries: &[Entry], context: &mut Context) -> anyhow::Result<()> {
        for entry in entries {
            let ids = [(&entry.actor_id, &entry.actor_email), (&entry.user_id, &entry.user_email)];
            let ids = ids.into_iter().filter(|(_, email)| email.is_none()).filter_map(|(id, _)| id.as_deref());
            for id in ids.chain(impersonated(entry)) {
                if !self.0.contains_key(id) {
                    let user = context.auth_without_times()?.store.user(&UserRef::Id(id.to_owned()));
                    // An id of another form than those of the database is not that of a user.
                    let user = user.or_else(|error| match error {
                        StoreError::Busy => Err(error),
                        _ => Ok(None),
                    })?;
                    self.0.insert(id.to_owned(), user.map(|user| user.email).filter(|email| !email.is_empty()));
                }
            }
        }
        Ok(())
    }

    /// The address that the entry has, else that of the user now, else the id.
    fn name<'a>(&'a self, email: Option<&'a String>, id: Option<&'a String>) -> Option<&'a str> {
        let now = || id.and_then(|id| self.0.get(id)?.as_ref());
        email.or_else(now).or(id).map(String::as_str)
    }

    /// Who acted: the signed-in user, or the user of the operating system.
    pub(super) fn actor(&self, entry: &Entry) -> String {
        let actor = self.name(entry.actor_email.as_ref(), entry.actor_id.as_ref());
        actor.map_or_else(|| os_user(entry), str::to_owned)
    }

    /// The user of the operating system, and the signed-in user.
    pub(super) fn actors(&self, entry: &Entry) -> String {
        match self.name(entry.actor_email.as_ref(), entry.actor_id.as_ref()) {
            Some(actor) => format!("{} as {actor}", os_user(entry)),
            None => os_user(entry),
        }
    }

    /// The address of the user whom the entry is about; `None` if only the id is known.
    pub(super) fn user<'a>(&'a self, entry: &'a Entry) -> Option<&'a str> {
        self.name(entry.user_email.as_ref(), None).or_else(|| self.0.get(entry.user_id.as_ref()?)?.as_deref())
    }

    /// Old and new values in words, such as `role changed from user to admin`; the detail when there are no values or when
    /// the act created or deleted everything.
    pub(super) fn what_changed(&self, entry: &Entry) -> String {
        let changes = entry.changes.as_deref().map(changes_json).unwrap_or_default();
        let fields: Vec<_> = changes.as_object().into_iter().flatten().collect();
        let is_one_sided = |side: &str| fields.iter().all(|(_, change)| change[side].is_null());
        if fields.is_empty() || fields.len() > 1 && (is_one_sided("from") || is_one_sided("to")) {
            return self.detail(entry);
        }
        let parts = fields.iter().map(|(name, change)| sentence(name, &change["from"], &change["to"]));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The detail, with the address of an impersonated user.
    fn detail(&self, entry: &Entry) -> String {
        let detail = entry.detail.clone().unwrap_or_default();
        match impersonated(entry).and_then(|id| Some((id, self.0.get(id)?.as_ref()?))) {
            Some((id, email)) => detail.replace(&format!("{IMPERSONATING}{id}"), &format!("{IMPERSONATING}{email}")),
            None => detail,
        }
    }
}

fn os_user(entry: &Entry) -> String {
    format!("{}@{}", entry.os_user, entry.host)
}

/// The id of the user whom the actor impersonated.
fn impersonated(entry: &Entry) -> Option<&str> {
    entry.detail.as_deref()?.rsplit("; ").next()?.strip_prefix(IMPERSONATING)
}

/// A change of a field in words.
fn sentence(field: &str, from: &Value, to: &Value) -> String {
    let name = match field {
        "emailVerified" => "verified",
        "email" => "address",
        "image" => "picture",
        "banReason" => "ban reason",
        "banExpires" => "end of the ban",
        "expiresAt" => "end of the session",
        other => other,
    };
    let value = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match (from, to) {
        (Value::Bool(false), Value::Bool(true)) => format!("now {name}"),
        (Value::Bool(true), Value::Bool(false)) => format!("no longer {name}"),
        (Value::Null, Value::Null) => format!("{name} removed"),
        (Value::Null, to) => format!("{name} set to {}", value(to)),
        (from, Value::Null) => format!("{name} removed, was {}", value(from)),
        (from, to) => format!("{name} changed from {} to {}", value(from), value(to)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::audit::{Actor, Changes, Event};

    #[test]
    fn change_reads_as_a_sentence() {
        for (field, from, to, expected) in [
            ("name", json!("Ada"), json!("Countess"), "name changed from Ada to Countess"),
            ("role", json!(null), json!("admin"), "role set to admin"),
            ("banReason", json!("spam"), json!(null), "ban reason removed, was spam"),
            ("banned", json!(false), json!(true), "now banned"),
            ("emailVerified", json!(true), json!(false), "no longer verified"),
            ("image", json!(null), json!(null), "picture removed"),
            ("signup.open", json!("true"), json!("false"), "signup.open changed from true to false"),
            ("x", json!(1), json!(true), "x changed from 1 to yes"),
        ] {
            assert_eq!(sentence(field, &from, &to), expected);
        }
    }

    #[test]
    fn users_are_named_by_address_as_far_as_it_is_known() {
        let actor = Actor { signed_in: Some("a1".into()), acting_as: Some("b2".into()), ..Actor::default() };
        let event = Event::new("role.set").with("roles: admin");
        let mut entry = Entry::following(None, &actor, event.clone());
        let addresses =
            Addresses(BTreeMap::from([("b2".to_owned(), Some("bob@x.org".to_owned())), ("a1".into(), None)]));
        assert_eq!(addresses.actor(&entry), "a1");
        assert_eq!(addresses.actors(&entry), "unknown@unknown as a1");
        assert_eq!(addresses.what_changed(&entry), "roles: admin; impersonating bob@x.org");
        assert_eq!(addresses.user(&entry), None);
        entry.user_id = Some("b2".into());
        assert_eq!(addresses.user(&entry), Some("bob@x.org"));
        entry.actor_email = Some("ada@x.org".into());
        assert_eq!(addresses.actor(&entry), "ada@x.org");
        let changes = Changes::default().field("role", "user", "admin").field("banned", false, true);
        let later = Entry::following(None, &actor, event.changing(changes));
        assert_eq!(addresses.what_changed(&later), "role changed from user to admin, now banned");
        assert_eq!(
            Addresses::default().actors(&Entry::following(None, &Actor::default(), Event::new("x"))),
            "unknown@unknown"
        );
    }
}
