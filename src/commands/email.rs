//! `email`: showing that one reads mail at an address, and moving to another one.

use super::{mail_templates, source};
use crate::auth::codes::{CodeToMail, Purpose};
use crate::auth::email::Email;
use crate::auth::{AuthError, OwnerProof};
use crate::cli::{PasswordSource, VerifyAddressArgs};
use crate::context::Context;
use crate::output::{EmailOutcome, Outcome};

/// Mails a code to verify an address: one's own, or one by name. Whose that is is not told.
pub(super) fn send_code(args: &VerifyAddressArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let given = args.email.as_deref().map(Email::parse).transpose().map_err(AuthError::from)?;
    let is_meant = |email: &str| given.as_ref().is_none_or(|given| given.as_str() == email);
    // Whoever is signed in and means another address is anybody.
    let mine = context.signed_in_or_nobody()?.map(|me| me.user).filter(|user| is_meant(&user.email));
    if mine.as_ref().is_some_and(|user| user.email_verified) {
        return Err(AuthError::AlreadyVerified.into());
    }
    context.auth()?;
    let email = match (&mine, given) {
        (Some(user), _) => Email::parse(&user.email).map_err(AuthError::from)?,
        (None, Some(email)) => email,
        (None, None) => Email::parse(&super::email(None, context)?).map_err(AuthError::from)?,
    };
    mail_code(&email, context)?;
    Ok(EmailOutcome::VerificationMailed { email: email.to_string(), is_mine: mine.is_some() }.into())
}

/// Mails a code to verify an address, if it is somebody's and not verified.
pub(super) fn mail_code(email: &Email, context: &mut Context) -> anyhow::Result<()> {
    let post = mail_templates::post(email, context, "verify the address with `authctl users verify-email`")?;
    let code = context.auth()?.code_to_mail(Purpose::EmailVerification, email)?;
    mail_templates::mail_code(post, Purpose::EmailVerification, email, code.as_ref(), context)
}

/// Uses up a code that was mailed to an address. Nobody needs to be signed in for it who gives the
/// password of the account.
pub(super) fn verify(args: &VerifyAddressArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // A database that is missing is told before anything is asked for.
    context.auth()?;
    let password = args.password.source();
    let signed_in = if password == PasswordSource::Prompt { context.signed_in_or_nobody()? } else { None };
    let done = if let Some(me) = signed_in {
        // Refused before anything is asked.
        me.in_person()?;
        let code = context.prompt().code(args.code_stdin)?;
        // Asked again: the session may have ended while the code was typed.
        let me = context.authenticate()?;
        context.auth()?.confirm_address(&code, OwnerProof::Session(me.in_person()?))?
    } else {
        let (code, password) = context.prompt().code_and_password(args.code_stdin, &source(password))?;
        context.auth()?.confirm_address(&code, OwnerProof::Password(&password))?
    };
    if let Some(before) = &done.before
        && let Err(error) = mail_templates::tell_left(before, &done.user.id, context)
    {
        context.notices.push(format!("{before} was not told that it is no longer the address: {error:#}"));
    }
    Ok(EmailOutcome::Confirmed { user: done.user, before: done.before, sessions_ended: done.ended.len() }.into())
}

/// Mails a code with which whoever is signed in moves to another address. Whether somebody has that
/// one is not told.
pub(super) fn change(new: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let new = Email::parse(new).map_err(AuthError::from)?;
    let me = context.authenticate()?;
    let in_person = me.in_person()?;
    context.auth()?.require_fresh(&me)?;
    let post = mail_templates::post(&new, context, "change the address with `authctl users update --email`")?;
    let code = context.auth()?.change_email(in_person, &new)?;
    let code = code.map(|code| CodeToMail { user_id: me.user.id.clone(), code });
    mail_templates::mail_code(post, Purpose::ChangeEmail, &new, code.as_ref(), context)?;
    Ok(EmailOutcome::ChangeMailed { email: new.to_string() }.into())
}
