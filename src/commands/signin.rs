//! `signin`: from a password to a session, stored for later commands or printed.

use super::{conclude, email, notice_override, prepare, source};
use crate::auth::email::Email;
use crate::auth::{AuthError, Lifetime, SessionWish, SignIn};
use crate::cli::SignInArgs;
use crate::context::Context;
use crate::error::Refusal;
use crate::output::{Kept, Outcome, SignInOutcome};
use anyhow::Context as _;

/// Asks for address and password and signs in, for a command that needs somebody to be.
pub(super) fn at_terminal(context: &mut Context) -> anyhow::Result<Outcome> {
    let args = SignInArgs::default();
    run(&args, context).context("could not sign in")
}

pub(super) fn run(args: &SignInArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = email(args.email.as_ref(), context)?;
    let email = Email::parse(&email).map_err(AuthError::from)?;
    if args.print_token && context.output_is_lost() {
        return Err(Refusal::Usage {
            message: "--print-token was given, but standard output is /dev/null or closed".into(),
            hint: "the token would be lost while its session lives: send standard output somewhere",
        }
        .into());
    }
    // A database that is missing is told before a password is asked for.
    context.auth()?;
    let password = context.prompt().password(&source(args.password.source()))?;
    let request = SignIn { email, password };
    if args.no_store {
        let user = context.auth()?.check_password(&request)?;
        return Ok(SignInOutcome::PasswordIsRight { user }.into());
    }
    let lifetime = if args.no_remember { Lifetime::Short } else { Lifetime::Remembered };
    let wish = SessionWish { token: context.entropy.token()?, lifetime, origin: context.origin() };
    if args.print_token {
        let begun = context.auth()?.sign_in(&request, &wish);
        if matches!(begun, Err(AuthError::Store(_))) {
            // The engine's no to a commit is no proof that nothing was written, and nobody will hold
            // this token. More than trying cannot be done.
            let _ = context.auth()?.store.end_session(&wish.token);
        }
        let (user, session) = begun?;
        return Ok(SignInOutcome::SignedIn { user, session, kept: Kept::Printed(wish.token) }.into());
    }
    let pending = prepare(&wish.token, request.email.as_str(), context)?;
    let begun = context.auth()?.sign_in(&request, &wish);
    let (user, session) = conclude(begun, pending, context)?;
    notice_override(context);
    Ok(SignInOutcome::SignedIn { user, session, kept: Kept::File(context.session_file()?.path()) }.into())
}
