//! The audit log: what was done, when, by whom, to whom; never a secret. Each entry's hash covers the
//! one before it.
//!
//! The chain shows that an entry was edited, removed or moved. It cannot show that the newest entries
//! were cut off, nor that somebody who can write the file computed the whole chain anew; for that,
//! keep a hash that `audit verify` printed somewhere else.

mod chain;
mod query;

use std::rc::Rc;

use jiff::Timestamp;

use super::instant;
use super::token::digest;

pub use chain::{Break, Chain};
pub use query::AuditQuery;

/// Who acts, and when and why, the same for all that one process does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The operating system's user.
    pub os_user: String,
    /// The host.
    pub host: String,
    /// The user who is signed in, by id.
    pub signed_in: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Default for Actor {
    /// Somebody who did not say who they are.
    fn default() -> Self {
        Self {
            os_user: "unknown".into(),
            host: "unknown".into(),
            signed_in: None,
            reason: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }
}

impl Actor {
    /// The one name under which somebody acts: the id of whoever is signed in, else the operating
    /// system's user.
    pub fn name(&self) -> String {
        self.signed_in.clone().unwrap_or_else(|| format!("os:{}@{}", self.os_user, self.host))
    }
}

/// How to find out who acts. Asked only when there is something to write: looking up a name takes
/// longer than most reads.
#[derive(Clone)]
pub struct Acting(Rc<dyn Fn() -> Actor>);

impl Acting {
    /// Takes the question.
    pub fn new(who: impl Fn() -> Actor + 'static) -> Self {
        Self(Rc::new(who))
    }

    /// Asks it.
    pub fn actor(&self) -> Actor {
        (self.0)()
    }
}

impl From<Actor> for Acting {
    fn from(actor: Actor) -> Self {
        Self::new(move || actor.clone())
    }
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acting(..)")
    }
}

/// Something that was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// What: the thing, a dot, what became of it.
    pub name: &'static str,
    /// To whom, by id.
    pub user_id: Option<String>,
    /// To which session.
    pub session_id: Option<String>,
    /// More, in a few words, without any secret.
    pub detail: Option<String>,
}

impl Event {
    /// Something done to a user.
    pub fn user(name: &'static str, user_id: &str) -> Self {
        Self { name, user_id: Some(user_id.to_owned()), ..Self::default() }
    }

    /// Something done to a user's session.
    pub fn session(name: &'static str, user_id: &str, session_id: &str) -> Self {
        Self { session_id: Some(session_id.to_owned()), ..Self::user(name, user_id) }
    }

    /// With more about it.
    #[must_use]
    pub fn with(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1 on without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: String,
    /// By which user of the operating system.
    pub os_user: String,
    /// On which host.
    pub host: String,
    /// By which signed-in user.
    pub actor_id: Option<String>,
    /// To whom.
    pub user_id: Option<String>,
    /// To which session.
    pub session_id: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// More.
    pub detail: Option<String>,
    /// The hash of this entry and the one before.
    pub hash: String,
}

/// The hash before the first entry.
pub const GENESIS: &str = "";

impl Entry {
    /// Makes the entry that follows another one.
    pub fn following(previous: Option<&Self>, actor: &Actor, event: Event) -> Self {
        let mut entry = Self {
            seq: previous.map_or(1, |previous| previous.seq + 1),
            // As the row keeps it: what is hashed is what is read back.
            at: instant::whole_second(actor.at),
            event: event.name.to_owned(),
            os_user: actor.os_user.clone(),
            host: actor.host.clone(),
            actor_id: actor.signed_in.clone(),
            user_id: event.user_id,
            session_id: event.session_id,
            reason: actor.reason.clone(),
            detail: event.detail,
            hash: String::new(),
        };
        entry.hash = entry.hash_after(previous.map_or(GENESIS, |previous| &previous.hash));
        entry
    }

    /// The hash that this entry must have after the given one.
    pub fn hash_after(&self, previous: &str) -> String {
        let (seq, at) = (self.seq.to_string(), instant::seconds(self.at).to_string());
        let fields = [
            Some(previous),
            Some(seq.as_str()),
            Some(at.as_str()),
            Some(self.event.as_str()),
            Some(self.os_user.as_str()),
            Some(self.host.as_str()),
            self.actor_id.as_deref(),
            self.user_id.as_deref(),
            self.session_id.as_deref(),
            self.reason.as_deref(),
            self.detail.as_deref(),
        ];
        // Each field with its length, so that no two different entries are spelled alike.
        let spelled: String = fields
            .iter()
            .map(|field| field.map_or_else(|| "-;".to_owned(), |text| format!("{}:{text};", text.len())))
            .collect();
        digest(spelled)
    }
}
