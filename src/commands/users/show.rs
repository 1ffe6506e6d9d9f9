//! `users show`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::auth::odd;
use crate::auth::storage::Account;
use crate::auth::user::User;
use crate::commands::reach::Reach;
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::table::facts;
use crate::output::text::{amount, cell, escape, rfc3339, yes_no};
use crate::output::{Outcome, Page, Report, Style};

pub(super) fn run(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let mut auth = context.auth()?;
    let user = auth.find_user(named)?;
    let accounts = auth.store.accounts(&user.id)?;
    let live_sessions = auth.live_sessions(&user.id)?.len() as u64;
    let (failed_attempts, locked_for) = auth.attempts(&user)?;
    let legacy = auth.legacy_password(&user)?;
    let now = auth.now;
    context.notices.extend(legacy.map(|(kind, end)| {
        let (verb, named) =
            (if end <= now { "has not signed in since" } else { "signs in until" }, escape(&user.email));
        format!(
            "the password is {}, which {verb} {}; `authctl users reset-code {named}` lets the user set another",
            kind.name(),
            rfc3339(end)
        )
    }));
    context.notices.extend(odd::note_of(user.odd.iter()));
    let reach = Reach::to_find(&["session", "account"], context);
    reach.note(context);
    let live_sessions = reach.count("session", live_sessions);
    let accounts = reach.reaches("account").then_some(accounts);
    let has_roles = context.has_roles();
    Ok(UserState { user, has_roles, accounts, live_sessions, failed_attempts, locked_for }.into())
}

/// The longest image address in characters that is printed whole. Longer ones are data URLs.
const IMAGE_CHARS_MAX: usize = 200;

/// A user in full.
#[derive(Debug)]
struct UserState {
    user: User,
    has_roles: bool,
    /// `None` if the database does not show them.
    accounts: Option<Vec<Account>>,
    /// `None` likewise.
    live_sessions: Option<u64>,
    /// Failed attempts since the last success.
    failed_attempts: u32,
    /// How long the next attempt has to wait.
    locked_for: Option<SignedDuration>,
}

impl Report for UserState {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let user = &self.user;
        let providers = match &self.accounts {
            None => "not known".to_owned(),
            Some(accounts) if accounts.is_empty() => "nothing".to_owned(),
            Some(accounts) => {
                accounts.iter().map(|account| escape(&account.provider_id)).collect::<Vec<_>>().join(", ")
            }
        };
        let locked = self
            .locked_for
            .map_or_else(|| "no".to_owned(), |wait| format!("for {}", amount(wait.as_secs().max(1).unsigned_abs())));
        let mut known = vec![
            ("name", cell(&user.name)),
            ("email", cell(&user.email)),
            ("verified", yes_no(user.email_verified)),
            ("user id", escape(&user.id).into_owned()),
            ("image", image(user)),
        ];
        known.extend(self.has_roles.then(|| ("role", escape(user.roles()).into_owned())));
        known.extend([
            ("banned", banned(user, now, style)),
            ("second factor", yes_no(user.two_factor_enabled)),
            ("signs in by", providers),
            ("live sessions", self.live_sessions.map_or_else(|| "not known".to_owned(), |count| count.to_string())),
            ("failed attempts", self.failed_attempts.to_string()),
            ("locked", locked),
            ("created", style.dated(user.created_at, now)),
            ("updated", style.dated(user.updated_at, now)),
        ]);
        Page::answer(facts(&known))
    }

    fn json(&self) -> Value {
        let account = |account: &Account| {
            json!({
                "providerId": account.provider_id,
                "accountId": account.account_id,
                "hasPassword": account.has_password,
            })
        };
        let accounts = self.accounts.as_ref().map(|accounts| accounts.iter().map(account).collect::<Vec<_>>());
        json!({
            "user": UserView::from(&self.user),
            "accounts": accounts,
            "liveSessions": self.live_sessions,
            "failedAttempts": self.failed_attempts,
            "lockedFor": self.locked_for.map(|wait| wait.as_secs().max(1)),
        })
    }
}

/// Whether a user is banned, until when and why.
pub(super) fn banned(user: &User, now: Timestamp, style: Style) -> String {
    if !user.is_banned(now) {
        return "no".to_owned();
    }
    let until = user.ban_expires.map(|until| style.until(until, now));
    escape(&ban(until, user.ban_reason.as_deref())).into_owned()
}

/// The end and the reason of a ban.
pub(super) fn ban(until: Option<String>, reason: Option<&str>) -> String {
    let until = until.map_or_else(|| "permanently".to_owned(), |until| format!("until {until}"));
    match reason {
        Some(reason) => format!("{until}: {reason}"),
        None => until,
    }
}

fn image(user: &User) -> String {
    let image = user.image_or_size().unwrap_or_else(|| "-".to_owned());
    match image.char_indices().nth(IMAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}... ({} bytes)", escape(&image[..end]), image.len()),
        None => escape(&image).into_owned(),
    }
}
