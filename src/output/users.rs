//! Users, told to people and to programs.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::escape::escape;
use super::human::{counted, shown, who};
use super::page::{Page, Style};
use super::table::{facts, table};
use super::time::{amount, relative, rfc3339};
use super::view::UserView;
use crate::auth::secret::Password;
use crate::auth::store::{Account, UserPage};
use crate::auth::user::User;

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

/// A user in full.
#[derive(Debug)]
pub struct UserState {
    /// The user.
    pub user: User,
    /// Ways to sign in.
    pub accounts: Vec<Account>,
    /// Live sessions.
    pub live_sessions: usize,
    /// Failed attempts since the last success.
    pub failed_attempts: u32,
    /// How long the next attempt has to wait.
    pub locked_for: Option<SignedDuration>,
}

impl UserAct {
    /// For programs.
    pub(super) fn word(self) -> &'static str {
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
}

/// A page of users.
pub(super) fn list(page: &UserPage, now: Timestamp, style: Style) -> Page {
    let when = |instant| if style.terminal { relative(instant, now) } else { rfc3339(instant) };
    let row = |user: &User| {
        let mut state = Vec::new();
        if user.is_banned(now) {
            state.push("banned");
        }
        if !user.email_verified {
            state.push("unverified");
        }
        vec![
            escape(&user.email).into_owned(),
            escape(&user.name).into_owned(),
            escape(user.roles()).into_owned(),
            if state.is_empty() { "-".to_owned() } else { state.join(", ") },
            when(user.created_at),
            escape(&user.id).into_owned(),
        ]
    };
    let header = ["EMAIL", "NAME", "ROLE", "STATE", "CREATED", "ID"];
    let mut done = vec![format!("{} of {}", page.users.len(), counted(page.total, "user"))];
    if let Some(next) = &page.next {
        done.push(format!("the next page: --after {}", escape(next)));
    }
    Page { answer: table(&header, page.users.iter().map(row).collect(), 5, style), done }
}

/// A user in full.
pub(super) fn facts_of(state: &UserState, now: Timestamp, style: Style) -> String {
    let when = |instant| if style.terminal { relative(instant, now) } else { rfc3339(instant) };
    let user = &state.user;
    let yes_no = |yes| if yes { "yes" } else { "no" }.to_owned();
    let ways: Vec<String> = state.accounts.iter().map(|account| escape(&account.provider_id).into_owned()).collect();
    let locked = state
        .locked_for
        .map_or_else(|| "no".to_owned(), |wait| format!("for {}", amount(wait.as_secs().max(1).unsigned_abs())));
    facts(&[
        ("name", escape(&user.name).into_owned()),
        ("email", escape(&user.email).into_owned()),
        ("verified", yes_no(user.email_verified)),
        ("user id", escape(&user.id).into_owned()),
        ("image", escape(user.image.as_deref().unwrap_or("-")).into_owned()),
        ("role", escape(user.roles()).into_owned()),
        ("banned", banned(user, now)),
        ("second factor", yes_no(user.two_factor_enabled)),
        ("signs in by", if ways.is_empty() { "nothing".to_owned() } else { ways.join(", ") }),
        ("live sessions", state.live_sessions.to_string()),
        ("failed attempts", state.failed_attempts.to_string()),
        ("locked", locked),
        ("created", when(user.created_at)),
        ("updated", when(user.updated_at)),
    ])
}

fn banned(user: &User, now: Timestamp) -> String {
    if !user.is_banned(now) {
        return "no".to_owned();
    }
    let until = user.ban_expires.map_or_else(|| "for good".to_owned(), |until| format!("until {}", rfc3339(until)));
    match &user.ban_reason {
        Some(reason) => format!("{until}: {}", escape(reason)),
        None => until,
    }
}

/// A user in full, for programs.
pub(super) fn json(state: &UserState) -> Value {
    let accounts: Vec<Value> = state
        .accounts
        .iter()
        .map(|account| {
            json!({
                "providerId": account.provider_id,
                "accountId": account.account_id,
                "hasPassword": account.has_password,
            })
        })
        .collect();
    json!({
        "user": UserView::from(&state.user),
        "accounts": accounts,
        "liveSessions": state.live_sessions,
        "failedAttempts": state.failed_attempts,
        "lockedFor": state.locked_for.map(|wait| wait.as_secs().max(1)),
    })
}

/// What an operator did, and in which database.
pub(super) fn changed(
    act: UserAct,
    user: &User,
    sessions_ended: usize,
    password: Option<&Password>,
    database: &Path,
    now: Timestamp,
) -> Page {
    let who = who(user);
    let ended = if sessions_ended == 0 {
        String::new()
    } else {
        format!(" and ended {}", counted(sessions_ended as u64, "session"))
    };
    let place = shown(database);
    let line = match act {
        UserAct::Created => format!("created {who} in {place}"),
        UserAct::Existed => format!("{who} exists in {place}; nothing was changed"),
        UserAct::Updated => format!("updated {who} in {place}"),
        UserAct::Deleted => format!("deleted {who} with {} in {place}", counted(sessions_ended as u64, "session")),
        UserAct::PasswordSet => format!("set the password of {who}, checked it{ended} in {place}"),
        UserAct::RoleSet => {
            format!("{who} is {}{ended} in {place}", escape(user.roles()))
        }
        UserAct::Verified => format!("the address of {who} is verified in {place}"),
        UserAct::Unverified => format!("the address of {who} is not verified in {place}"),
        UserAct::Banned => format!("banned {who} {}{ended} in {place}", banned(user, now)),
        UserAct::Unbanned => format!("lifted the ban of {who} in {place}"),
        UserAct::Unlocked => format!("forgot the failed attempts of {who} in {place}"),
    };
    let answer = password.map(|password| format!("{}\n", password.expose())).unwrap_or_default();
    Page { answer, done: vec![line] }
}
