//! Old and new values of what an act changed, as an entry keeps them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::auth::duration::rfc3339;
use crate::auth::user::User;

/// A longer text is cut: an app may keep a picture of a megabyte in a column. Every value that authctl
/// itself accepts is kept whole.
const TEXT_BYTES_MAX: usize = 2048;

/// Fields with their old and new values; fields that stayed the same are not among them. Callers never
/// add a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// Adds a field, unless both values are the same.
    #[must_use]
    pub fn field(mut self, name: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.insert(name.to_owned(), json!({ "from": cut(from), "to": cut(to) }));
        }
        self
    }

    /// Adds an instant, unless both are the same.
    #[must_use]
    pub fn time(self, name: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        self.field(name, from.map(rfc3339), to.map(rfc3339))
    }

    /// Everything of a user that authctl changes. `None` is a user who does not exist before or after.
    pub fn between(before: Option<&User>, after: Option<&User>) -> Self {
        let users = [before, after];
        Self::default()
            .of(users, "name", |user| user.name.clone().into())
            .of(users, "image", |user| user.image_or_size().into())
            .of(users, "email", |user| user.email.clone().into())
            .of(users, "emailVerified", |user| user.email_verified.into())
            .of(users, "role", |user| user.role.clone().into())
            .of(users, "banned", |user| user.banned.into())
            .of(users, "banReason", |user| user.ban_reason.clone().into())
            .of(users, "banExpires", |user| user.ban_expires.map(rfc3339).into())
    }

    fn of(self, users: [Option<&User>; 2], name: &str, value: fn(&User) -> Value) -> Self {
        let [from, to] = users.map(|user| user.map_or(Value::Null, value));
        self.field(name, from, to)
    }

    /// Only these fields.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(names.iter().filter_map(|name| Some(((*name).to_owned(), self.0.get(*name)?.clone()))).collect())
    }

    /// Whether a field is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether everything stayed the same.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A JSON object such as `{"role":{"from":"user","to":"admin"}}`; `None` when everything stayed the
    /// same.
    pub(super) fn into_text(self) -> Option<String> {
        (!self.0.is_empty()).then(|| Value::Object(self.0).to_string())
    }
}

fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            let end = text.floor_char_boundary(TEXT_BYTES_MAX);
            format!("{}... ({} bytes)", &text[..end], text.len()).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, user};

    fn text(changes: Changes) -> String {
        changes.into_text().unwrap_or_default()
    }

    #[test]
    fn changes_hold_only_fields_that_differ() {
        let before = user();
        let same = Changes::between(Some(&before), Some(&before.clone()));
        assert!(same.is_empty());
        assert_eq!(same.into_text(), None);
        let after = User {
            role: Some("admin".into()),
            banned: true,
            ban_reason: Some("spam \"x\"\u{1b}".into()),
            ban_expires: Some(at(60)),
            ..before.clone()
        };
        let changes = Changes::between(Some(&before), Some(&after));
        assert_eq!(text(changes.only(&["role", "name"])), r#"{"role":{"from":null,"to":"admin"}}"#);
        assert_eq!(
            text(changes.only(&["banned", "banReason"])),
            r#"{"banned":{"from":false,"to":true},"banReason":{"from":null,"to":"spam \"x\"\u001b"}}"#
        );
        assert!(changes.has("banExpires") && !changes.has("email"));
    }

    #[test]
    fn a_new_user_changes_from_nothing() {
        let changes = Changes::between(None, Some(&user()));
        assert!(["name", "email", "emailVerified"].iter().all(|field| changes.has(field)));
        assert!(!changes.has("banReason"), "nothing before and after");
    }

    #[test]
    fn a_text_beyond_the_limit_is_cut_between_characters() {
        let long = "é".repeat(600_000);
        let changes = text(Changes::default().field("image", long, Value::Null));
        assert!(changes.len() < 2 * TEXT_BYTES_MAX && changes.contains("é... (1200000 bytes)"), "{}", changes.len());
        let whole = "x".repeat(TEXT_BYTES_MAX);
        assert!(text(Changes::default().field("image", Value::Null, whole.clone())).contains(&format!("\"{whole}\"")));
    }
}
