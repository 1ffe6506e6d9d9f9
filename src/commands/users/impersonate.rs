//! `users impersonate`: a session of a user for somebody else, stored or printed as a sign-in does it.

use crate::auth::{ActAs, AuthError, Lifetime, SessionWish};
use crate::cli::ImpersonateArgs;
use crate::commands::{Printed, begin, nobody_is_signed_in, refuse_lost};
use crate::context::Context;
use crate::output::{Outcome, SignInOutcome};

pub(super) fn run(args: &ImpersonateArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.print_token {
        refuse_lost(Printed::Token, context)?;
    }
    let database = context.database()?.path;
    let user = context.auth()?.find_user(&args.user)?;
    let by = operator(context)?;
    let lifetime = Lifetime::Exactly(args.duration);
    let wish = SessionWish { token: context.entropy.token()?, lifetime, origin: context.origin() };
    let whom = if args.force { ActAs::Anybody } else { ActAs::NoAdministrator };
    let (user, session, kept) =
        begin(&wish, &user.email, args.print_token, context, |mut auth| auth.impersonate(&user, by, &wish, whom))?;
    Ok(SignInOutcome::Impersonating { user, session, kept, database }.into())
}

/// Under which name the operator acts: as in the audit log. Nobody needs to be signed in.
fn operator(context: &mut Context) -> anyhow::Result<String> {
    match context.signed_in() {
        Err(error) if nobody_is_signed_in(&error) || matches!(error.downcast_ref(), Some(AuthError::Banned { .. })) => {
        }
        other => drop(other?),
    }
    Ok(context.actor()?)
}
