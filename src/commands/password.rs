//! `password change`, also known as `passwd`.

use super::source;
use crate::cli::ChangePasswordArgs;
use crate::context::Context;
use crate::output::Outcome;

pub(super) fn change(args: &ChangePasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.signed_in()?;
    let (current, new) = context.prompt().current_and_new_password(&source(args.password.source()))?;
    let changed = context.auth()?.change_password(&me, &current, &new, args.keep_sessions)?;
    Ok(Outcome::PasswordChanged { sessions_ended: changed.sessions_ended, sessions_kept: args.keep_sessions })
}
