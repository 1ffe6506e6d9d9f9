//! `users delete`.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{UserAct, UserChanged, admin_guard};
use crate::auth::AuthError;
use crate::auth::audit::counted;
use crate::commands::confirm;
use crate::context::Context;
use crate::output::text::{escape, escaped};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
pub struct DeleteUserArgs {
    /// Email address or id
    pub user: String,
    /// Succeed when there is no such user
    #[arg(long)]
    pub if_exists: bool,
    /// Delete even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

pub(super) fn run(args: &DeleteUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let database = context.database()?.location;
    let user = match context.auth()?.find_user(&args.user) {
        Err(AuthError::NoSuchUser(_)) if args.if_exists => return Ok(WasMissing { database }.into()),
        found => found?,
    };
    let sessions = context.auth()?.live_sessions(&user.id)?.len();
    let accounts = context.auth()?.store.accounts(&user.id)?.len();
    let effect = format!(
        "This permanently deletes {} <{}> with {} and {} from {}.",
        escape(&user.name),
        escape(&user.email),
        counted(sessions as u64, "live session"),
        counted(accounts as u64, "account"),
        escape(&database.to_string()),
    );
    confirm(&effect, "Delete the user?", context)?;
    let sessions = context.auth()?.delete_user(&user, admin_guard(args.force_last_admin))?;
    let sessions_ended = usize::try_from(sessions).unwrap_or(usize::MAX);
    Ok(UserChanged::new(UserAct::Deleted, user, database).ended(sessions_ended).into())
}

/// The user to delete did not exist (`--if-exists`).
#[derive(Debug)]
struct WasMissing {
    database: DatabaseLocation,
}

impl Report for WasMissing {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::note(format!("there was no such user in {}; nothing to delete", escaped(&self.database)))
    }

    fn json(&self) -> Value {
        json!({ "deleted": null, "database": self.database.to_string() })
    }
}
