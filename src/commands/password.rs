//! `password change`, also known as `passwd`, and `password reset`.

use super::source;
use crate::cli::{ChangePasswordArgs, ResetPasswordArgs};
use crate::context::Context;
use crate::output::Outcome;

pub(super) fn change(args: &ChangePasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.signed_in()?;
    let (current, new) = context.prompt().current_and_new_password(&source(args.password.source()))?;
    let changed = context.auth()?.change_password(&me, &current, &new, args.keep_sessions)?;
    Ok(Outcome::PasswordChanged { sessions_ended: changed.sessions_ended, sessions_kept: args.keep_sessions })
}

/// Sets a new password with a code. Nobody is signed in by it.
pub(super) fn reset(args: &ResetPasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // A database that is missing is told before anything is asked for.
    context.auth()?;
    let (code, new) = context.prompt().code_and_new_password(args.code_stdin, &source(args.password.source()))?;
    let done = context.auth()?.reset_password(&code, new)?;
    Ok(Outcome::PasswordReset { user: done.user, sessions_ended: done.ended.len() })
}
