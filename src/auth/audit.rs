//! The audit log: which act, when, by whom, on whom. An entry never holds a secret, and its hash covers the hash
//! of the entry before it.
//!
//! The chain shows that an entry was edited, removed or moved. It does not show that the newest entries were cut
//! off, or that a program which can write the file computed all hashes again. A hash that `audit verify` printed,
//! kept elsewhere, shows both.

mod chain;

use std::cell::LazyCell;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::duration::{self, rfc3339};
use super::email::Email;
use super::secret::digest;
use super::user::User;

pub use chain::{Break, Chain, Intents, intended_detail, intention};

/// The prefix of names of the operating system's users.
const OS: &str = "os:";

/// Who acts, when and why. It is the same for every act of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub os_user: String,
    pub host: String,
    /// The id of the signed-in user.
    pub signed_in: Option<String>,
    /// The address of that user when the session was read. The store prefers the address that it reads in the
    /// transaction of the act.
    pub signed_in_email: Option<String>,
    /// The id of the impersonated user.
    pub acting_as: Option<String>,
    pub reason: Option<String>,
    pub at: Timestamp,
}

impl Default for Actor {
    /// An unknown actor.
    fn default() -> Self {
        Self {
            os_user: "unknown".into(),
            host: "unknown".into(),
            signed_in: None,
            signed_in_email: None,
            acting_as: None,
            reason: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }
}

impl Actor {
    /// The id of the signed-in user, or the name of the operating system's user.
    pub fn name(&self) -> String {
        self.signed_in.clone().unwrap_or_else(|| self.os_name())
    }

    /// The name of the operating system's user, which no user id equals.
    pub fn os_name(&self) -> String {
        format!("{OS}{}@{}", self.os_user, self.host)
    }

    /// Whether a name is one of [`Actor::os_name`].
    pub fn is_os_name(name: &str) -> bool {
        name.starts_with(OS)
    }
}

/// Finds out who acts: once, and only when an entry is written, because the look-up of a name takes longer than
/// most reads.
#[derive(Clone)]
pub struct Acting(Rc<LazyCell<Actor, Box<dyn FnOnce() -> Actor>>>);

impl Acting {
    pub fn new(who: impl FnOnce() -> Actor + 'static) -> Self {
        Self(Rc::new(LazyCell::new(Box::new(who))))
    }

    pub fn actor(&self) -> Actor {
        Actor::clone(&self.0)
    }
}

impl From<Actor> for Acting {
    fn from(actor: Actor) -> Self {
        Self::new(move || actor)
    }
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acting(..)")
    }
}

/// The user that an event is about, with the address at the time of the act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    id: String,
    email: Option<String>,
}

impl Subject {
    /// Makes the subject from the id and the address that the transaction of the act read; `None` only if the user
    /// does not exist.
    pub fn read(id: &str, email: Option<String>) -> Self {
        Self { id: id.to_owned(), email }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }
}

impl From<&User> for Subject {
    fn from(user: &User) -> Self {
        Self { id: user.id.clone(), email: Some(user.email.clone()) }
    }
}

impl From<&Self> for Subject {
    fn from(subject: &Self) -> Self {
        subject.clone()
    }
}

/// An event of the log. An event about a user always has the user's address, because it is made from a
/// [`Subject`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    name: &'static str,
    user: Option<Subject>,
    session_id: Option<String>,
    detail: Option<Rc<str>>,
    changes: Option<String>,
}

/// Whether a character may be in the name of an event.
fn is_in_name(c: char) -> bool {
    c.is_ascii_lowercase() || matches!(c, '.' | '-')
}

impl Event {
    /// An event about no single user. The name is the object, a dot and the change, each in small letters and hyphens.
    pub fn new(name: &'static str) -> Self {
        debug_assert!(name.chars().all(is_in_name), "{name}");
        Self { name, user: None, session_id: None, detail: None, changes: None }
    }

    pub fn user(name: &'static str, user: impl Into<Subject>) -> Self {
        Self { user: Some(user.into()), ..Self::new(name) }
    }

    pub fn session(name: &'static str, user: impl Into<Subject>, session_id: &str) -> Self {
        Self { session_id: Some(session_id.to_owned()), ..Self::user(name, user) }
    }

    /// Adds details in a few words, without a secret.
    #[must_use]
    pub fn with(self, detail: impl Into<Rc<str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Adds old and new values.
    #[must_use]
    pub fn changing(self, changes: Changes) -> Self {
        Self { changes: changes.into_text(), ..self }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn subject(&self) -> Option<&Subject> {
        self.user.as_ref()
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of the entry, from 1 without gaps.
    pub seq: u64,
    /// [`OLD_FORM`] or [`FORM`]: which fields the hash covers.
    pub form: u32,
    pub at: Timestamp,
    pub event: String,
    pub os_user: String,
    pub host: String,
    /// The id of the signed-in user who acted.
    pub actor_id: Option<String>,
    pub actor_email: Option<String>,
    pub user_id: Option<String>,
    /// The address before the act.
    pub user_email: Option<String>,
    pub session_id: Option<String>,
    pub reason: Option<String>,
    pub detail: Option<String>,
    /// Old and new values, as a JSON object.
    pub changes: Option<String>,
    /// The hash of this entry and of the hash before it.
    pub hash: String,
}

/// The hash before the first entry.
pub const GENESIS: &str = "";
/// The form of entries without addresses and values, which older versions wrote. It can still be verified.
pub const OLD_FORM: u32 = 1;
/// The current form of entries.
pub const FORM: u32 = 2;

impl Entry {
    /// Makes the entry that follows another one.
    pub fn following(previous: Option<&Self>, actor: &Actor, event: Event) -> Self {
        let (seq, hash) = previous.map_or((0, GENESIS), |previous| (previous.seq, &previous.hash));
        Self::behind(seq, hash, actor, event)
    }

    /// Makes the entry behind one with a number and a hash.
    pub fn behind(seq: u64, hash: &str, actor: &Actor, event: Event) -> Self {
        let (user_id, user_email) = event.user.map(|user| (user.id, user.email)).unzip();
        let acting_as = actor.acting_as.as_ref().map(|id| format!("impersonating {id}"));
        let detail = match (event.detail, acting_as) {
            (Some(detail), Some(acting_as)) => Some([&*detail, &*acting_as].join("; ")),
            (detail, acting_as) => detail.map(|detail| detail.to_string()).or(acting_as),
        };
        let mut entry = Self {
            seq: seq + 1,
            form: FORM,
            // The row keeps whole seconds, so the hash covers what is read back.
            at: duration::whole_second(actor.at),
            event: event.name.to_owned(),
            os_user: actor.os_user.clone(),
            host: actor.host.clone(),
            actor_id: actor.signed_in.clone(),
            actor_email: actor.signed_in_email.clone(),
            user_id,
            user_email: user_email.flatten(),
            session_id: event.session_id,
            reason: actor.reason.clone(),
            detail,
            changes: event.changes,
            hash: String::new(),
        };
        entry.hash = entry.hash_after(hash);
        entry
    }

    /// Computes the hash of this entry from the hash before it.
    pub fn hash_after(&self, previous: &str) -> String {
        let (seq, form, at) = (self.seq.to_string(), self.form.to_string(), duration::seconds(self.at).to_string());
        let [event, os_user, host] = [&self.event, &self.os_user, &self.host].map(|text| Some(text.as_str()));
        let [actor_id, user_id, session_id, reason, detail] =
            [&self.actor_id, &self.user_id, &self.session_id, &self.reason, &self.detail].map(Option::as_deref);
        if self.form == OLD_FORM {
            let (seq, at) = (Some(seq.as_str()), Some(at.as_str()));
            return hash_of(&[
                Some(previous),
                seq,
                at,
                event,
                os_user,
                host,
                actor_id,
                user_id,
                session_id,
                reason,
                detail,
            ]);
        }
        let [actor_email, user_email, changes] =
            [&self.actor_email, &self.user_email, &self.changes].map(Option::as_deref);
        let [seq, form, at] = [&seq, &form, &at].map(|number| Some(number.as_str()));
        hash_of(&[
            Some(previous),
            form,
            seq,
            at,
            event,
            os_user,
            host,
            actor_id,
            actor_email,
            user_id,
            user_email,
            session_id,
            reason,
            detail,
            changes,
        ])
    }

    /// Whether fields have values that the hash does not cover.
    fn has_unhashed_fields(&self) -> bool {
        self.form == OLD_FORM && [&self.actor_email, &self.user_email, &self.changes].iter().any(|text| text.is_some())
    }
}

/// Hashes each field with its length, so that different entries never hash the same text.
fn hash_of(fields: &[Option<&str>]) -> String {
    let mut spelled = String::with_capacity(512);
    for field in fields {
        match field {
            Some(text) => {
                push_number(&mut spelled, text.len());
                for part in [":", text, ";"] {
                    spelled.push_str(part);
                }
            }
            None => spelled.push_str("-;"),
        }
    }
    digest(spelled)
}

/// Adds a number in decimal, without a text of its own.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.extend(u32::try_from(number % 10).ok().and_then(|digit| char::from_digit(digit, 10)));
}

/// Writes a number with its noun, as `1 session` or `2 sessions`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with('s') || noun.ends_with("sh") => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

/// Users to look for in entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditUsers {
    /// Any of these ids.
    pub ids: Vec<String>,
    /// The address at the time of the entry.
    pub email: Option<Email>,
}

impl AuditUsers {
    fn mean(&self, id: Option<&String>, email: Option<&String>) -> bool {
        id.is_some_and(|id| self.ids.contains(id)) || email.is_some_and(|email| self.have(email))
    }

    /// Ignores case, because an app may store addresses with capitals.
    fn have(&self, email: &str) -> bool {
        self.email.as_ref().is_some_and(|own| own.as_str().eq_ignore_ascii_case(email))
    }

    /// Adds the ids of the users whom an entry names with the address.
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

/// How the names of events end that are about something that failed.
const FAILED: &str = ".failed";

/// Selects entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Entries about or by these users.
    pub users: Option<AuditUsers>,
    /// The beginning of the event's name.
    pub event: Option<String>,
    /// Only what failed.
    pub failed: bool,
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// The number of the entry before the first.
    pub after: u64,
    /// The number of the entry after the last.
    pub before: Option<u64>,
    /// The most entries; `None` as the place of the output decides.
    pub limit: Option<usize>,
}

impl AuditQuery {
    pub fn matches(&self, entry: &Entry) -> bool {
        let is_user = |users: &AuditUsers| {
            users.mean(entry.user_id.as_ref(), entry.user_email.as_ref())
                || users.mean(entry.actor_id.as_ref(), entry.actor_email.as_ref())
        };
        self.users.as_ref().is_none_or(is_user)
            && self.event.as_ref().is_none_or(|event| entry.event.starts_with(event.as_str()))
            && (!self.failed || entry.event.ends_with(FAILED))
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }
}

/// The longest text in bytes that is not cut. An app may store a picture of a megabyte in a column. No value that
/// authctl accepts is longer.
const TEXT_BYTES_MAX: usize = 2048;

/// Old and new values of the fields that an act changed. Callers never add a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// Adds a field if its values differ.
    #[must_use]
    pub fn field(mut self, name: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.insert(name.to_owned(), json!({ "from": cut(from), "to": cut(to) }));
        }
        self
    }

    /// Adds a time if its values differ.
    #[must_use]
    pub fn time(self, name: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        self.field(name, from.map(rfc3339), to.map(rfc3339))
    }

    /// Compares the fields of a user that authctl changes. `None` if the user does not exist before or after.
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

    fn of(mut self, users: [Option<&User>; 2], name: &str, value: fn(&User) -> Value) -> Self {
        // What cannot be read is not shown.
        let is_readable = users.map(|user| user.is_some_and(|user| !user.is_odd(name)));
        let [from, to] = users.map(|user| user.filter(|user| !user.is_odd(name)).map_or(Value::Null, value));
        if users.iter().all(Option::is_some) && is_readable == [false, true] && to.is_null() {
            // No value in the place of one that cannot be read is a change too.
            self.0.insert(name.to_owned(), json!({ "from": null, "to": null }));
            return self;
        }
        self.field(name, from, to)
    }

    /// Keeps these fields only.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(names.iter().filter_map(|name| Some(((*name).to_owned(), self.0.get(*name)?.clone()))).collect())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A JSON object such as `{"role":{"from":"user","to":"admin"}}`; `None` without a change.
    fn into_text(self) -> Option<String> {
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
    fn changes_of_a_new_user_start_from_null() {
        let changes = Changes::between(None, Some(&user()));
        assert!(["name", "email", "emailVerified"].iter().all(|field| changes.has(field)));
        assert!(!changes.has("banReason"), "nothing before and after");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = "é".repeat(600_000);
        let changes = text(Changes::default().field("image", long, Value::Null));
        assert!(changes.len() < 2 * TEXT_BYTES_MAX && changes.contains("é... (1200000 bytes)"), "{}", changes.len());
        let whole = "x".repeat(TEXT_BYTES_MAX);
        assert!(text(Changes::default().field("image", Value::Null, whole.clone())).contains(&format!("\"{whole}\"")));
    }
}
