//! JSON: the one writer of documents, and the fields of users, sessions and API tokens.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::text::{escape_with, rfc3339};
use crate::auth::api_token::{StoredToken, TokenScope};
use crate::auth::odd::{OddValue, is_odd, readable};
use crate::auth::session::Session;
use crate::auth::user::User;

/// A document of several lines, with the last line end.
pub fn document(value: &Value) -> String {
    escaped(&format!("{value:#}\n"))
}

/// A part of a document with a list. `end` has the fields after the list; it makes the part the last one.
pub fn part_of_document(name: &str, is_first: bool, items: &[Value], end: Option<&[(&str, Value)]>) -> String {
    let mut text = if is_first { format!("{{\n  \"{name}\": [") } else { String::new() };
    let is_empty = is_first && items.is_empty();
    for (index, item) in items.iter().enumerate() {
        text.push_str(if is_first && index == 0 { "\n    " } else { ",\n    " });
        text.push_str(&indented(item, 4));
    }
    if let Some(fields) = end {
        text.push_str(if is_empty { "]" } else { "\n  ]" });
        for (name, value) in fields {
            let _ = write!(text, ",\n  \"{name}\": {}", indented(value, 2));
        }
        text.push_str("\n}\n");
    }
    text
}

/// A document inside another one.
fn indented(value: &Value, columns: usize) -> String {
    document(value).trim_end().replace('\n', &format!("\n{:columns$}", ""))
}

/// A document in one line, without a line end.
pub fn line(value: &Value) -> String {
    escaped(&value.to_string())
}

/// Escapes characters that act on a terminal. serde escapes only C0 controls, and outside of strings JSON has no such
/// character but line ends.
fn escaped(json: &str) -> String {
    let lines: Vec<_> = json.split('\n').map(|line| escape_with(line, unit_escapes)).collect();
    lines.join("\n")
}

/// Writes a character as JSON escapes of its UTF-16 units.
fn unit_escapes(json: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a `String` cannot fail.
        let _ = write!(json, "\\u{unit:04x}");
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView<'a> {
    id: &'a str,
    name: Option<&'a str>,
    email: Option<&'a str>,
    email_verified: bool,
    image: Option<&'a str>,
    /// Only for an image that is too large to print; `image` is null then.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_bytes: Option<u64>,
    created_at: Option<String>,
    updated_at: Option<String>,
    /// Null only if it cannot be read: a user without a role has the default role.
    role: Option<&'a str>,
    banned: bool,
    ban_reason: Option<&'a str>,
    ban_expires: Option<String>,
    two_factor_enabled: bool,
    /// Only with values that cannot be read: the names of their columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'a str>,
}

/// A text that every row has; `None` if it cannot be read.
fn known<'a>(text: &'a str, odd: &[OddValue], column: &str) -> Option<&'a str> {
    Some(text).filter(|text| !text.is_empty() || !is_odd(odd, column))
}

fn columns(odd: &[OddValue]) -> Vec<&str> {
    odd.iter().map(|value| value.column).collect()
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: &user.id,
            name: known(&user.name, &user.odd, "name"),
            email: known(&user.email, &user.odd, "email"),
            email_verified: user.email_verified,
            image: user.image.as_deref(),
            image_bytes: user.image_left_out,
            created_at: readable(user.created_at).map(rfc3339),
            updated_at: readable(user.updated_at).map(rfc3339),
            role: Some(user.roles()).filter(|_| !is_odd(&user.odd, "role")),
            banned: user.banned,
            ban_reason: user.ban_reason.as_deref(),
            ban_expires: user.ban_expires.map(rfc3339),
            two_factor_enabled: user.two_factor_enabled,
            unreadable: columns(&user.odd),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView<'a> {
    id: &'a str,
    user_id: &'a str,
    expires_at: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    impersonated_by: Option<&'a str>,
    /// Only in lists: whether it is the session of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
    /// Only with values that cannot be read: the names of their columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'a str>,
}

impl<'a> From<&'a Session> for SessionView<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            id: &session.id,
            user_id: &session.user_id,
            expires_at: readable(session.expires_at).map(rfc3339),
            created_at: readable(session.created_at).map(rfc3339),
            updated_at: readable(session.updated_at).map(rfc3339),
            ip_address: session.ip_address.as_deref(),
            user_agent: session.user_agent.as_deref(),
            impersonated_by: session.impersonated_by.as_deref(),
            current: None,
            unreadable: columns(&session.odd),
        }
    }
}

impl SessionView<'_> {
    /// Marks the session of the caller in a list.
    #[must_use]
    pub fn among(self, current: &str) -> Self {
        Self { current: Some(self.id == current), ..self }
    }
}

/// The fields of an API token have the names of Better Auth's plugin where it has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenView<'a> {
    id: &'a str,
    name: Option<&'a str>,
    start: Option<&'a str>,
    reference_id: &'a str,
    email: Option<&'a str>,
    scopes: Vec<&'a str>,
    enabled: bool,
    created_at: Option<String>,
    expires_at: Option<String>,
    last_request: Option<String>,
}

impl<'a> From<&'a StoredToken> for TokenView<'a> {
    fn from(token: &'a StoredToken) -> Self {
        Self {
            id: &token.id,
            name: token.name.as_deref(),
            start: token.start.as_deref(),
            reference_id: &token.owner_id,
            email: token.owner_email.as_deref(),
            scopes: token.scopes.iter().map(TokenScope::as_str).collect(),
            enabled: token.is_enabled,
            created_at: readable(token.created_at).map(rfc3339),
            expires_at: token.expires_at.map(rfc3339),
            last_request: token.last_used.map(rfc3339),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::output::text::escape;

    #[test]
    fn document_escapes_control_characters() {
        let value = json!({ "a\u{9b}": "\u{7f}\u{202e}\u{e0041}\n" });
        assert_eq!(line(&value), r#"{"a\u009b":"\u007f\u202e\udb40\udc41\n"}"#);
        assert_eq!(document(&value), "{\n  \"a\\u009b\": \"\\u007f\\u202e\\udb40\\udc41\\n\"\n}\n");
    }

    /// Strings in which every kind of control, separator, joiner and plane is frequent.
    fn text() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{a0}'),
            prop::char::range('\u{2000}', '\u{2070}'),
            prop::sample::select(vec!['\u{61c}', '\u{feff}', '\u{ad}', '\u{e0001}', '"', '\\', '\u{915}', '\u{94d}']),
        ];
        prop::collection::vec(c, 0..24).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn json_round_trips_without_unsafe_characters(key in text(), value in text()) {
            let value = json!({ key: [value] });
            for written in [line(&value), document(&value)] {
                prop_assert_eq!(&serde_json::from_str::<Value>(&written).unwrap(), &value);
                for line in written.trim_end().lines() {
                    prop_assert_eq!(escape(line), line);
                }
            }
        }
    }
}
