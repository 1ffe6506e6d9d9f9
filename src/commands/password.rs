//! `password change`, also known as `passwd`, `password forgot` and `password reset`.

use super::{mail_templates, source};
use crate::auth::AuthError;
use crate::auth::codes::Purpose;
use crate::auth::email::Email;
use crate::cli::{ChangePasswordArgs, ResetPasswordArgs};
use crate::context::Context;
use crate::output::{AccountOutcome, Outcome};

pub(super) fn change(args: &ChangePasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = context.authenticate()?;
    let in_person = me.in_person()?;
    let (current, new) = context.prompt().current_and_new_password(&source(args.password.source()))?;
    let changed = context.auth()?.change_password(in_person, &current, &new, args.keep_sessions)?;
    Ok(AccountOutcome::PasswordChanged { sessions_ended: changed.sessions_ended, sessions_kept: args.keep_sessions }
        .into())
}

/// Mails a code to whoever has the address. Who has it is not told.
pub(super) fn forgot(email: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = Email::parse(email).map_err(AuthError::from)?;
    let post = mail_templates::post(&email, context, "hand out a code with `authctl users reset-code`")?;
    let code = context.auth()?.code_to_mail(Purpose::ResetPassword, &email)?;
    mail_templates::mail_code(post, Purpose::ResetPassword, &email, code.as_ref(), context)?;
    Ok(AccountOutcome::CodeMailed { email: email.to_string() }.into())
}

/// Sets a new password with a code. Nobody is signed in by it.
pub(super) fn reset(args: &ResetPasswordArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // A database that is missing is told before anything is asked for.
    context.auth()?;
    let (code, new) = context.prompt().code_and_new_password(args.code_stdin, &source(args.password.source()))?;
    let done = context.auth()?.reset_password(&code, new)?;
    context.did(
        format!("the password of {} was set and the code is used up", done.user.email),
        "ask for another code with `authctl password forgot`",
    );
    context.auth()?.require_in_force(&done.user.id, &done.password)?;
    Ok(AccountOutcome::PasswordReset { user: done.user, sessions_ended: done.ended.len() }.into())
}
