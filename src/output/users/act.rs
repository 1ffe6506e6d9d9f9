//! What an operator did to a user, and in which database.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::banned;
use crate::auth::audit::counted;
use crate::auth::secret::Password;
use crate::auth::storage::UserUpdated;
use crate::auth::user::User;
use crate::output::report::Page;
use crate::output::text::escape;
use crate::output::text::{shown, who};
use crate::output::view::UserView;

/// What an operator did to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAct {
    /// Made.
    Created,
    /// Was there already (`--if-missing`).
    Existed,
    /// Name, picture or address changed.
    Updated,
    /// Deleted.
    Deleted,
    /// Password set.
    PasswordSet,
    /// Roles set.
    RoleSet,
    /// Address verified.
    Verified,
    /// Address no longer verified.
    Unverified,
    /// Banned.
    Banned,
    /// Ban lifted.
    Unbanned,
    /// Failed attempts forgotten.
    Unlocked,
}

/// A change of one user.
#[derive(Debug)]
pub struct UserChanged {
    act: UserAct,
    /// As it is now, or was.
    user: User,
    /// Whether anything of the user is not what it was.
    changed: bool,
    sessions_ended: usize,
    /// One that was made and that nobody knows yet.
    password: Option<Password>,
    database: PathBuf,
}

impl UserAct {
    /// For programs.
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Existed => "existed",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::PasswordSet => "passwordSet",
            Self::RoleSet => "roleSet",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Banned => "banned",
            Self::Unbanned => "unbanned",
            Self::Unlocked => "unlocked",
        }
    }

    /// Why there was nothing to change.
    fn nothing_to_do(self, user: &User, now: Timestamp) -> String {
        let who = who(user);
        match self {
            Self::Updated => format!("{who} already has these values"),
            Self::RoleSet => format!("{who} is already {}", escape(user.roles())),
            Self::Verified => format!("the address of {who} is already verified"),
            Self::Unverified => format!("the address of {who} was not verified"),
            Self::Banned => format!("{who} is already banned {}", banned(user, now)),
            Self::Unbanned => format!("{who} is not banned"),
            Self::Unlocked => format!("{who} has no failed attempts"),
            Self::Created | Self::Existed | Self::Deleted | Self::PasswordSet => format!("{who} exists"),
        }
    }
}

impl UserChanged {
    /// A change that ended no session and made no password.
    pub fn new(act: UserAct, user: User, database: PathBuf) -> Self {
        Self { act, user, changed: act != UserAct::Existed, sessions_ended: 0, password: None, database }
    }

    /// A change that may have had nothing to change.
    pub fn by(act: UserAct, updated: UserUpdated, database: PathBuf) -> Self {
        let UserUpdated { user, ended, changed } = updated;
        Self { changed, ..Self::new(act, user, database).ended(ended.len()) }
    }

    /// How many sessions ended with it.
    #[must_use]
    pub fn ended(self, sessions: usize) -> Self {
        Self { sessions_ended: sessions, ..self }
    }

    /// A password that was made, to be printed.
    #[must_use]
    pub fn password(self, password: Option<Password>) -> Self {
        Self { password, ..self }
    }

    pub(super) fn human(&self, now: Timestamp) -> Page {
        let Self { user, sessions_ended, password, database, .. } = self;
        let who = who(user);
        let ended = if *sessions_ended == 0 {
            String::new()
        } else {
            format!(" and ended {}", counted(*sessions_ended as u64, "session"))
        };
        let place = shown(database);
        let line = match self.act {
            act if !self.changed => {
                let rest = if *sessions_ended == 0 { "; nothing was changed" } else { ended.as_str() };
                format!("{} in {place}{rest}", act.nothing_to_do(user, now))
            }
            UserAct::Created => format!("created {who} in {place}"),
            UserAct::Existed => format!("{who} exists in {place}"),
            UserAct::Updated => format!("updated {who} in {place}"),
            UserAct::Deleted => format!("deleted {who} with {} in {place}", counted(*sessions_ended as u64, "session")),
            UserAct::PasswordSet => format!("set and checked the password of {who}{ended} in {place}"),
            UserAct::RoleSet => {
                format!("{who} is {}{ended} in {place}", escape(user.roles()))
            }
            UserAct::Verified => format!("the address of {who} is verified in {place}"),
            UserAct::Unverified => format!("the address of {who} is not verified in {place}"),
            UserAct::Banned => format!("banned {who} {}{ended} in {place}", banned(user, now)),
            UserAct::Unbanned => format!("lifted the ban of {who} in {place}"),
            UserAct::Unlocked => format!("forgot the failed attempts of {who} in {place}"),
        };
        let answer = password.as_ref().map(|password| format!("{}\n", password.expose())).unwrap_or_default();
        Page { answer, ..Page::done_if(self.changed, line) }
    }

    /// A password that could not be printed is known to nobody.
    pub(in crate::output) fn lost_answer_hint(&self) -> Option<String> {
        self.password.as_ref()?;
        let email = escape(&self.user.email);
        Some(format!("the password is lost: set another with `authctl users set-password {email} --generate`"))
    }

    pub(super) fn json(&self) -> Value {
        let mut document = json!({
            "act": self.act.word(),
            "user": UserView::from(&self.user),
            "changed": self.changed,
            "sessionsEnded": self.sessions_ended,
            "database": self.database.to_string_lossy(),
        });
        if let (Some(password), Some(fields)) = (&self.password, document.as_object_mut()) {
            fields.insert("password".into(), password.expose().into());
        }
        document
    }
}
