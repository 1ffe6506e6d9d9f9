//! `policy`: shows and changes the rules of this database.

use clap::Subcommand;

use super::Attempt as _;
use crate::auth::AuthError;
use crate::auth::policy::Key;
use crate::context::Context;
use crate::mail::{MailError, Route, Sender};
use crate::output::{Outcome, PolicyOutcome};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl policy show
  authctl policy set session.lifetime 30d";

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List every rule with its value; those that differ from the default are marked
    #[command(after_help = "Example:\n  authctl policy show")]
    Show,
    /// Set a rule
    #[command(after_help = "Example:\n  authctl policy set session.lifetime 30d")]
    Set {
        /// The rule, as `policy show` names it
        key: String,
        /// Its new value
        value: String,
    },
    /// Set a rule back to its default
    #[command(after_help = "Example:\n  authctl policy unset session.lifetime")]
    Unset {
        /// The rule, as `policy show` names it
        key: String,
    },
}

pub(super) fn run(command: &PolicyCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        PolicyCommand::Show => show(context).attempt("could not read the policy"),
        PolicyCommand::Set { key, value } => set(key, Some(value), context).attempt("could not change the policy"),
        PolicyCommand::Unset { key } => set(key, None, context).attempt("could not change the policy"),
    }
}

fn show(context: &mut Context) -> anyhow::Result<Outcome> {
    let policy = context.auth()?.policy.clone();
    Ok(PolicyOutcome::Rules { policy }.into())
}

/// Sets a rule, or sets it back to its default.
fn set(key: &str, value: Option<&String>, context: &mut Context) -> anyhow::Result<Outcome> {
    let key = Key::find(key).map_err(AuthError::from)?;
    if let Some(value) = value {
        check_mail(key, value)?;
    }
    let now = context.now()?;
    let database = context.database()?.path;
    // To set back is to mend, also where the policy as it is makes no sense.
    let auth = if value.is_some() { context.auth()? } else { context.auth_under_any_policy()? };
    let set = auth.store.set_policy(key, value.map(String::as_str), now)?.map_err(AuthError::from)?;
    Ok(PolicyOutcome::Changed { key, set, database }.into())
}

/// Checks what the mailer would refuse later. Nothing is looked up or connected to.
fn check_mail(key: &Key, value: &str) -> Result<(), MailError> {
    match key.name {
        _ if value == "none" => {}
        "mail.url" => {
            Route::parse(value)?;
        }
        "mail.from" => {
            Sender::parse(value)?;
        }
        _ => {}
    }
    Ok(())
}
