//! `sessions issue`: a session for somebody, made without a sign-in and handed out as its token or as the
//! cookie of the app.

use super::{Printed, begin, refuse_lost};
use crate::auth::cookie::{Cookie, CookieName};
use crate::auth::secret::{AppSecret, SecretError};
use crate::auth::{ActAs, Lifetime, SessionRequest};
use crate::cli::IssueArgs;
use crate::context::{Context, GivenSecret};
use crate::error::CommandError;
use crate::output::{Outcome, SignInOutcome};

pub(super) fn run(args: &IssueArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    refuse_lost(Printed::Token, context)?;
    let database = context.database()?.path;
    let lifetime = args.duration.map_or(Lifetime::Remembered, Lifetime::Exactly);
    let session_request =
        SessionRequest { token: context.entropy.token()?, lifetime, client_info: context.client_info() };
    // Signed before the session is made: one that cannot be handed out shall not be there.
    let cookie = if args.cookie {
        let secret = secret(context)?;
        let name = if args.secure { CookieName::Secure } else { CookieName::Plain };
        Some(Cookie::sign(&session_request.token, &secret, name).map_err(|problem| unusable("the secret", problem))?)
    } else {
        None
    };
    let user = context.auth()?.find_user(&args.user)?;
    // As for acting as somebody: who holds the token has all the rights of an administrator.
    let whom = if args.force { ActAs::Anybody } else { ActAs::NoAdministrator };
    let (user, session, _) = begin(&session_request, &user.email, true, context, |mut auth| {
        auth.issue_session(&user, &session_request, whom)
    })?;
    Ok(SignInOutcome::Issued { user, session, token: session_request.token, cookie, database }.into())
}

/// The secret of the app whose database it is.
fn secret(context: &mut Context) -> anyhow::Result<AppSecret> {
    if context.auth()?.store.app().is_none() {
        let message = "only a Better Auth app has cookies, and this database is authctl's own".to_owned();
        return Err(CommandError::Usage { message, hint: "leave --cookie out to get the token" }.into());
    }
    let Some(GivenSecret { variable, secret }) = context.app_secret() else {
        let message = "a cookie is signed with the app's secret, and BETTER_AUTH_SECRET is not set".to_owned();
        let hint = "set BETTER_AUTH_SECRET to the secret of the app, or leave --cookie out to get the token";
        return Err(CommandError::Usage { message, hint }.into());
    };
    Ok(secret.map_err(|problem| unusable(variable, problem))?)
}

fn unusable(holder: &str, problem: SecretError) -> CommandError {
    CommandError::Usage {
        message: format!("{holder} cannot be used: {problem}"),
        hint: "give the secret that the app has; it is not repeated here",
    }
}
