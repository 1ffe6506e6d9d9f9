//! `account`: what users do to their own account.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::session_start::forget_session;
use super::users::admin_guard;
use super::{Attempt as _, confirm};
use crate::auth::audit::counted;
use crate::auth::storage::{Deletion, UserUpdated};
use crate::auth::user::User;
use crate::commands::reach::Reach;
use crate::context::Context;
use crate::output::json::UserView;
use crate::output::text::{escape, escaped, who};
use crate::output::{Outcome, Page, Report, Style};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl account update --name 'Ada King'
  authctl account delete";

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Change your name or picture
    #[command(after_help = "Examples:
  authctl account update --name 'Ada King'
  authctl account update --image ''    # removes the picture")]
    Update(UpdateAccountArgs),
    /// Delete your account, with its sessions
    #[command(after_help = "Example:\n  authctl account delete --yes")]
    Delete(DeleteAccountArgs),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct UpdateAccountArgs {
    /// New display name
    #[arg(long)]
    pub name: Option<String>,
    /// New address of a picture, http:// or https://; empty to remove it
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
}

#[derive(Debug, Args)]
pub struct DeleteAccountArgs {
    /// Delete even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

pub(super) fn run(command: &AccountCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        AccountCommand::Update(args) => update(args, context).attempt("could not update the account"),
        AccountCommand::Delete(args) => delete(args, context).attempt("could not delete the account"),
    }
}

fn update(args: &UpdateAccountArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.authenticate()?;
    let updated = context.auth()?.update_profile(me.in_person()?, args.name.as_deref(), args.image.as_deref())?;
    Ok(updated.into())
}

fn delete(args: &DeleteAccountArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, _) = context.token()?;
    let me = context.authenticate()?;
    // Checked before the confirmation, and again by the act itself.
    let in_person = me.in_person()?;
    context.auth()?.require_fresh(&me)?;
    let sessions = context.auth()?.live_sessions(&me.user.id)?.len();
    let effect = format!(
        "This permanently deletes {} <{}> with {} from {}.",
        escape(&me.user.name),
        escape(&me.user.email),
        counted(sessions as u64, "live session"),
        escaped(context.database()?.location),
    );
    confirm(&effect, "Delete the account?", context)?;
    let Deletion { sessions, .. } = context.auth()?.delete_account(in_person, admin_guard(args.force_last_admin))?;
    context
        .did(format!("the account of {} was deleted", me.user.email), "remove the file: the session in it has ended");
    forget_session(Some(&token), context)?;
    let reach = Reach::to_end(&["session", "verification", "account"], context);
    reach.note(context);
    Ok(Deleted { user: me.user, sessions, reach }.into())
}

impl Report for UserUpdated {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let user = who(&self.user);
        let line = if self.changed {
            format!("updated the account of {user}")
        } else {
            format!("the account of {user} already has these values; nothing was changed")
        };
        Page::done_if(self.changed, line)
    }

    fn json(&self) -> Value {
        json!({ "user": UserView::from(&self.user), "changed": self.changed })
    }
}

#[derive(Debug)]
struct Deleted {
    user: User,
    /// Session rows that were deleted with the user.
    sessions: u64,
    reach: Reach,
}

impl Report for Deleted {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::done(format!("deleted the account of {} with {}", who(&self.user), counted(self.sessions, "session")))
    }

    fn json(&self) -> Value {
        let mut document = json!({ "deleted": UserView::from(&self.user), "sessions": self.sessions });
        self.reach.add_to(&mut document);
        document
    }
}
