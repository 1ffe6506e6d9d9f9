//! `signin`: from a password to a session, stored for later commands or printed.

use super::{Attempt as _, Printed, begin, email, refuse_lost, source};
use crate::auth::email::Email;
use crate::auth::{AuthError, Lifetime, SessionRequest, SignIn};
use crate::cli::SignInArgs;
use crate::context::Context;
use crate::output::{Outcome, SignInOutcome};

/// Asks for address and password and signs in, for a command that needs somebody to be.
pub(super) fn at_terminal(context: &mut Context) -> anyhow::Result<()> {
    run(&SignInArgs::default(), context).attempt("could not sign in")?;
    context.did("the sign-in succeeded", "`authctl signout` ends its session");
    Ok(())
}

pub(super) fn run(args: &SignInArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = email(args.email.as_ref(), context)?;
    let email = Email::parse(&email).map_err(AuthError::from)?;
    if args.print_token {
        refuse_lost(Printed::Token, context)?;
    }
    // A database that is missing is told before a password is asked for.
    context.auth()?;
    if !args.print_token && !args.no_store {
        context.require_may_store(email.as_str())?;
    }
    let password = context.prompt().password(&source(args.password.source()))?;
    let request = SignIn { email, password };
    if args.no_store {
        let user = context.auth()?.check_password(&request)?;
        return Ok(SignInOutcome::PasswordIsRight { user }.into());
    }
    let lifetime = if args.no_remember { Lifetime::Short } else { Lifetime::Remembered };
    let session_request =
        SessionRequest { token: context.entropy.token()?, lifetime, client_info: context.client_info() };
    let (user, session, kept) =
        begin(&session_request, request.email.as_str(), args.print_token, context, |mut auth| {
            auth.sign_in(&request, &session_request)
        })?;
    Ok(SignInOutcome::SignedIn { user, session, kept }.into())
}
