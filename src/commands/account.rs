//! `account`: what users do to their own account.

use super::forget_session;
use crate::auth::audit::counted;
use crate::auth::storage::AdminGuard;
use crate::cli::{DeleteAccountArgs, UpdateAccountArgs};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::escape;
use crate::output::{AccountOutcome, Outcome};

pub(super) fn update(args: &UpdateAccountArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.authenticate()?;
    let updated = context.auth()?.update_profile(me.in_person()?, args.name.as_deref(), args.image.as_deref())?;
    Ok(AccountOutcome::Updated(updated).into())
}

pub(super) fn delete(args: &DeleteAccountArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, _) = context.token()?;
    let me = context.authenticate()?;
    // Refused before anything is asked, and again by the act itself.
    let in_person = me.in_person()?;
    context.auth()?.require_fresh(&me)?;
    let sessions = context.auth()?.live_sessions(&me.user.id)?.len();
    let effect = format!(
        "This permanently deletes {} <{}> with {} from {}.",
        escape(&me.user.name),
        escape(&me.user.email),
        counted(sessions as u64, "live session"),
        escape(&context.database()?.path.to_string_lossy()),
    );
    if !context.confirm(&effect, "Delete the account?")? {
        return Err(CommandError::Declined.into());
    }
    let guard = if args.force_last_admin { AdminGuard::Off } else { AdminGuard::KeepLastAdmin };
    let sessions = context.auth()?.delete_account(in_person, guard)?;
    context
        .did(format!("the account of {} was deleted", me.user.email), "remove the file: the session in it has ended");
    forget_session(Some(&token), context)?;
    Ok(AccountOutcome::Deleted { user: me.user, sessions }.into())
}
