//! The JSON contract: what programs may rely on. Field names are Better Auth's; what is absent is
//! null; tokens and hashes have no field, but for the token under `--print-token`.

use serde::Serialize;
use serde_json::{Value, json};

use super::outcome::{Kept, Outcome};
use super::page::Page;
use super::time::rfc3339;
use super::{entries, users};
use crate::auth::identify::HashKind;
use crate::auth::policy::{KEYS, Key, Policy};
use crate::auth::session::Session;
use crate::auth::user::User;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserView<'a> {
    id: &'a str,
    name: &'a str,
    email: &'a str,
    email_verified: bool,
    image: Option<&'a str>,
    created_at: String,
    updated_at: String,
    role: Option<&'a str>,
    banned: bool,
    ban_reason: Option<&'a str>,
    ban_expires: Option<String>,
    two_factor_enabled: bool,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: &user.id,
            name: &user.name,
            email: &user.email,
            email_verified: user.email_verified,
            image: user.image.as_deref(),
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
            role: user.role.as_deref(),
            banned: user.banned,
            ban_reason: user.ban_reason.as_deref(),
            ban_expires: user.ban_expires.map(rfc3339),
            two_factor_enabled: user.two_factor_enabled,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView<'a> {
    id: &'a str,
    user_id: &'a str,
    expires_at: String,
    created_at: String,
    updated_at: String,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    impersonated_by: Option<&'a str>,
    /// Only in lists: whether it is the session that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
}

impl<'a> From<&'a Session> for SessionView<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            id: &session.id,
            user_id: &session.user_id,
            expires_at: rfc3339(session.expires_at),
            created_at: rfc3339(session.created_at),
            updated_at: rfc3339(session.updated_at),
            ip_address: session.ip_address.as_deref(),
            user_agent: session.user_agent.as_deref(),
            impersonated_by: session.impersonated_by.as_deref(),
            current: None,
        }
    }
}

fn sessions<'a>(sessions: &'a [Session], current: Option<&str>) -> Vec<SessionView<'a>> {
    let view = |session: &'a Session| SessionView {
        current: current.map(|id| id == session.id.as_str()),
        ..SessionView::from(session)
    };
    sessions.iter().map(view).collect()
}

fn identified(kind: HashKind, outdated: bool) -> Value {
    let cost = match kind {
        HashKind::Argon2id(cost) => Some(cost),
        _ => None,
    };
    json!({
        "kind": kind.name(),
        "accepted": kind.is_accepted(),
        "outdated": outdated,
        "memoryKib": cost.map(|cost| cost.memory_kib),
        "passes": cost.map(|cost| cost.passes),
        "lanes": cost.map(|cost| cost.lanes),
    })
}

fn rule(key: &Key, policy: &Policy) -> Value {
    json!({
        "key": key.name,
        "value": key.value(policy),
        "default": key.value(&Policy::default()),
        "takes": key.takes(),
        "meaning": key.meaning,
    })
}

/// The one document that `--json` prints. Nothing else is told.
pub fn json(outcome: &Outcome) -> Page {
    let document: Value = match outcome {
        Outcome::Silent | Outcome::Become(_) | Outcome::EntriesToFollow { .. } => return Page::default(),
        Outcome::HashMade(hash) => json!({ "hash": hash.expose() }),
        Outcome::HashIsRight { outdated } => json!({ "right": true, "outdated": outdated }),
        Outcome::HashIdentified { kind, outdated } => identified(*kind, *outdated),
        Outcome::Calibrated { cost, took, within } => json!({
            "memoryKib": cost.memory_kib,
            "passes": cost.passes,
            "lanes": cost.lanes,
            "milliseconds": took.as_millis(),
            "withinTarget": within,
        }),
        Outcome::Page(page) => return Page::answer(page.clone()),
        Outcome::SignedUp { user, session, .. } => {
            json!({ "user": UserView::from(user), "session": session.as_ref().map(|(session, _)| SessionView::from(session)) })
        }
        Outcome::SignedIn { user, session, kept: Kept::File(_) } | Outcome::Who { user, session, .. } => {
            json!({ "session": SessionView::from(session), "user": UserView::from(user) })
        }
        Outcome::SignedIn { user, session, kept: Kept::Printed(token) } => {
            json!({ "token": token.expose(), "session": SessionView::from(session), "user": UserView::from(user) })
        }
        Outcome::PasswordIsRight { user } | Outcome::AccountUpdated { user } => json!({ "user": UserView::from(user) }),
        Outcome::Sessions { sessions: list, current } => json!({ "sessions": sessions(list, Some(current)) }),
        Outcome::SessionsOfUsers { sessions } => {
            json!({ "sessions": sessions.iter().map(|(_, session)| SessionView::from(session)).collect::<Vec<_>>() })
        }
        Outcome::SessionsEnded { sessions: list, dry_run, signed_out } => {
            json!({ "ended": list.len(), "sessions": sessions(list, None), "dryRun": dry_run, "signedOut": signed_out })
        }
        Outcome::Pruned { count, dry_run, database } => {
            json!({ "pruned": count, "dryRun": dry_run, "database": database.to_string_lossy() })
        }
        Outcome::SignedOut(how) => json!({
            "sessionsEnded": how.sessions_ended,
            "fileRemoved": how.file_removed,
        }),
        Outcome::PasswordReset { user, sessions_ended } => {
            json!({ "user": UserView::from(user), "sessionsEnded": sessions_ended })
        }
        Outcome::CodeMailed { email } => json!({ "email": email }),
        Outcome::ResetCode { user, code, expires_at, database } => json!({
            "code": code.expose(),
            "expiresAt": rfc3339(*expires_at),
            "user": UserView::from(user),
            "database": database.to_string_lossy(),
        }),
        Outcome::PasswordChanged { sessions_ended, .. } => json!({ "sessionsEnded": sessions_ended }),
        Outcome::AccountDeleted { user, sessions } => json!({ "deleted": UserView::from(user), "sessions": sessions }),
        Outcome::Users(page) => json!({
            "users": page.users.iter().map(UserView::from).collect::<Vec<_>>(),
            "total": page.total,
            "next": page.next,
        }),
        Outcome::User(state) => users::json(state),
        Outcome::UserExists => json!({ "exists": true }),
        Outcome::UserWasMissing { database } => json!({ "deleted": null, "database": database.to_string_lossy() }),
        Outcome::UserChanged { act, user, sessions_ended, password, database } => {
            let mut document = json!({
                "act": act.word(),
                "user": UserView::from(user),
                "sessionsEnded": sessions_ended,
                "database": database.to_string_lossy(),
            });
            if let (Some(password), Some(fields)) = (password, document.as_object_mut()) {
                fields.insert("password".into(), password.expose().into());
            }
            document
        }
        Outcome::Entries(list) => {
            json!({ "entries": list.iter().map(entries::json).collect::<Vec<_>>() })
        }
        Outcome::EntryLines(list) => return Page::answer(entries::lines(list, true)),
        Outcome::LogIsWhole { entries, head, database } => {
            json!({ "whole": true, "entries": entries, "head": head, "database": database.to_string_lossy() })
        }
        Outcome::Policy { policy } => json!({ "policy": KEYS.iter().map(|key| rule(key, policy)).collect::<Vec<_>>() }),
        Outcome::PolicyChanged { key, policy, database } => {
            json!({ "rule": rule(key, policy), "database": database.to_string_lossy() })
        }
        Outcome::DatabaseReady { path, created } => {
            json!({ "database": path.to_string_lossy(), "created": created })
        }
        Outcome::Database(state) => json!({
            "database": state.path.to_string_lossy(),
            "chosenBy": state.chosen_by.word,
            "kind": "native",
            "schemaVersion": state.census.schema_version,
            "users": state.census.users,
            "liveSessions": state.census.live_sessions,
            "expiredSessions": state.census.expired_sessions,
            "journalMode": state.census.journal_mode,
            "sqliteVersion": state.census.sqlite_version,
            "bytes": state.census.bytes,
        }),
        Outcome::Migrated { path, from, to } => {
            json!({ "database": path.to_string_lossy(), "from": from, "to": to })
        }
    };
    Page::answer(format!("{document:#}\n"))
}
