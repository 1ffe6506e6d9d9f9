//! A user in full.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::auth::storage::Account;
use crate::auth::user::User;
use crate::output::report::Style;
use crate::output::table::facts;
use crate::output::text::escape;
use crate::output::text::yes_no;
use crate::output::time::{amount, rfc3339};
use crate::output::view::UserView;

/// The longest image in characters that is told whole: longer ones are pictures and no addresses.
const IMAGE_CHARS_MAX: usize = 200;

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

impl UserState {
    pub(super) fn facts(&self, now: Timestamp, style: Style) -> String {
        let user = &self.user;
        let ways: Vec<String> = self.accounts.iter().map(|account| escape(&account.provider_id).into_owned()).collect();
        let locked = self
            .locked_for
            .map_or_else(|| "no".to_owned(), |wait| format!("for {}", amount(wait.as_secs().max(1).unsigned_abs())));
        facts(&[
            ("name", escape(&user.name).into_owned()),
            ("email", escape(&user.email).into_owned()),
            ("verified", yes_no(user.email_verified)),
            ("user id", escape(&user.id).into_owned()),
            ("image", image(user)),
            ("role", escape(user.roles()).into_owned()),
            ("banned", banned(user, now)),
            ("second factor", yes_no(user.two_factor_enabled)),
            ("signs in by", if ways.is_empty() { "nothing".to_owned() } else { ways.join(", ") }),
            ("live sessions", self.live_sessions.to_string()),
            ("failed attempts", self.failed_attempts.to_string()),
            ("locked", locked),
            ("created", style.when(user.created_at, now)),
            ("updated", style.when(user.updated_at, now)),
        ])
    }

    pub(super) fn json(&self) -> Value {
        let accounts: Vec<Value> = self
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
            "user": UserView::from(&self.user),
            "accounts": accounts,
            "liveSessions": self.live_sessions,
            "failedAttempts": self.failed_attempts,
            "lockedFor": self.locked_for.map(|wait| wait.as_secs().max(1)),
        })
    }
}

/// Whether a user is banned, until when and why.
pub(super) fn banned(user: &User, now: Timestamp) -> String {
    if !user.is_banned(now) {
        return "no".to_owned();
    }
    escape(&ban(user.ban_expires, user.ban_reason.as_deref())).into_owned()
}

/// Until when and why somebody is banned, as it is written.
pub(super) fn ban(until: Option<Timestamp>, reason: Option<&str>) -> String {
    let until = until.map_or_else(|| "permanently".to_owned(), |until| format!("until {}", rfc3339(until)));
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
