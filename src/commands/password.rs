//! `password change`, also known as `passwd`, and `password reset`.

use std::path::Path;

use jiff::SignedDuration;

use super::source;
use crate::auth::AuthError;
use crate::auth::email::Email;
use crate::cli::{ChangePasswordArgs, ResetPasswordArgs};
use crate::context::Context;
use crate::error::Refusal;
use crate::mail::Mailer;
use crate::output::{AccountOutcome, Outcome};

pub(super) fn change(args: &ChangePasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.signed_in()?;
    let (current, new) = context.prompt().current_and_new_password(&source(args.password.source()))?;
    let changed = context.auth()?.change_password(&me, &current, &new, args.keep_sessions)?;
    Ok(AccountOutcome::PasswordChanged { sessions_ended: changed.sessions_ended, sessions_kept: args.keep_sessions }
        .into())
}

/// How long a mailed code counts.
const CODE_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Mails a code to whoever has the address. Who has it is not told.
pub(super) fn forgot(email: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = Email::parse(email).map_err(AuthError::from)?;
    let mailer = mailer(context)?;
    if let Some((user, code)) = context.auth()?.forgotten(&email, CODE_LIFE)? {
        let body = format!(
            "Hello {},\n\nsomebody, perhaps you, asked for a new password for {email}.\n\nThe code: {}\n\nIt counts \
             once, for an hour: run `authctl password reset`. If it was not you,\nnothing has changed and nothing needs \
             to be done.\n",
            user.name.replace(char::is_control, " "),
            code.expose(),
        );
        mailer.send(&email, "A code for a new password", &body)?;
    }
    Ok(AccountOutcome::CodeMailed { email: email.to_string() }.into())
}

/// The mailer that the policy describes.
fn mailer(context: &mut Context) -> anyhow::Result<Mailer> {
    let mail = context.auth()?.policy.mail.clone();
    let (Some(url), Some(from)) = (mail.url, mail.from) else {
        return Err(Refusal::NoMailer.into());
    };
    Ok(Mailer::new(&url, &from, mail.credentials_file.as_deref().map(Path::new))?)
}

/// Sets a new password with a code. Nobody is signed in by it.
pub(super) fn reset(args: &ResetPasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // A database that is missing is told before anything is asked for.
    context.auth()?;
    let (code, new) = context.prompt().code_and_new_password(args.code_stdin, &source(args.password.source()))?;
    let done = context.auth()?.reset_password(&code, new)?;
    Ok(AccountOutcome::PasswordReset { user: done.user, sessions_ended: done.ended.len() }.into())
}
