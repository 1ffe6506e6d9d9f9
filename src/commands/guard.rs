//! `guard`: runs a program only with a live session, and passes the user to it.

use std::ffi::OsString;
use std::process::Command;

use clap::Args;

use super::session_start::is_not_signed_in;
use crate::auth::api_token::{TokenRight, TokenScope};
use crate::auth::{AuthError, SignedOut};
use crate::context::{Context, Identity};
use crate::output::Outcome;
use crate::session_file::SessionFileError;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl guard -- ./deploy.sh
  authctl guard --role admin --fresh --signin -- ./rotate-keys.sh
  authctl guard --drop-session -- npm test
  AUTHCTL_TOKEN=$TOKEN authctl guard --scope deploy -- ./deploy.sh

The command finds the user in AUTHCTL_USER_ID, AUTHCTL_USER_EMAIL and
AUTHCTL_USER_ROLE, and no token. An authctl inside acts as that user if their session is
stored, and as no other user; with --drop-session it acts as no user.

An API token in AUTHCTL_TOKEN lets its owner in if it has the scope of --scope, or the
scope guard without the flag. A person who is signed in has every scope. After a token,
an authctl inside acts as no user.

The exit code is that of the command. Codes of guard itself: 4 not signed in, 5 wrong
role or a sign-in too long ago, 9 the database cannot be used, 126 the command cannot
be run, 127 it does not exist. A command may exit with these codes too: `authctl guard
-- true` asks first where they must be told apart.";

#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Require this role
    #[arg(long)]
    pub role: Option<String>,
    /// Require a recent sign-in
    #[arg(long)]
    pub fresh: bool,
    /// Require that an API token has this scope
    #[arg(long)]
    pub scope: Option<TokenScope>,
    /// Sign in first when needed, if authctl can ask
    #[arg(long)]
    pub signin: bool,
    /// Leave the command no session: an authctl inside is not signed in
    #[arg(long)]
    pub drop_session: bool,
    /// The command to run, and its arguments
    #[arg(value_name = "CMD", required = true, last = true)]
    pub command: Vec<OsString>,
}

/// The value of `AUTHCTL_USER_SESSION`. An outer `guard` that set it is not undone.
const DROPPED: &str = "dropped";

pub(super) fn run(args: &GuardArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let me = match admitted(args, context) {
        Err(error) if args.signin && signing_in_helps(&error, context) && context.prompt().can_ask() => {
            super::signin::at_terminal(context)?;
            admitted(args, context)?
        }
        admitted => admitted?,
    };
    let database = context.database()?.location;
    let (program, arguments) = args.command.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    let mut command = Command::new(program.map_or_else(Default::default, Clone::clone));
    command
        .args(arguments)
        // The program gets the identity of the user but not the token. An authctl inside compares it with the session
        // that it finds.
        .env_remove("AUTHCTL_TOKEN")
        .env_remove("AUTHCTL_TOKEN_FILE")
        .env("AUTHCTL_USER_ID", &me.user().id)
        .env("AUTHCTL_USER_EMAIL", &me.user().email)
        .env("AUTHCTL_USER_ROLE", me.user().roles())
        .env("AUTHCTL_USER_DB", database.without_password());
    // A token lets a program in, and a stored session of its owner would give it more than its scopes.
    if args.drop_session || matches!(me, Identity::Bearer(_)) {
        command.env("AUTHCTL_USER_SESSION", DROPPED);
    }
    let impersonator = match &me {
        Identity::SignedIn(me) => me.session.impersonated_by.as_deref(),
        Identity::Bearer(_) => None,
    };
    match impersonator {
        Some(by) => command.env("AUTHCTL_USER_IMPERSONATED_BY", by),
        None => command.env_remove("AUTHCTL_USER_IMPERSONATED_BY"),
    };
    Ok(Outcome::Exec(Box::new(command)))
}

fn admitted(args: &GuardArgs, context: &mut Context) -> anyhow::Result<Identity> {
    let scope = args.scope.clone().unwrap_or(TokenRight::Guard.into());
    let (me, _) = context.identity(&scope)?;
    match &me {
        Identity::SignedIn(me) if args.fresh => context.auth()?.require_fresh(me)?,
        // A token is no sign-in.
        Identity::Bearer(_) if args.fresh => return Err(AuthError::NotByToken.into()),
        Identity::SignedIn(_) | Identity::Bearer(_) => {}
    }
    if let Some(role) = &args.role
        && !me.user().has_role(role)
    {
        return Err(AuthError::WrongRole(role.clone()).into());
    }
    Ok(me)
}

/// Whether a sign-in can help: no user is signed in, or not recently enough. It cannot help if the environment holds
/// a token, which takes precedence, or if an outer `guard` refuses the session, which cannot be replaced.
fn signing_in_helps(error: &anyhow::Error, context: &Context) -> bool {
    let by_guard = [SignedOut::Guarded, SignedOut::ElsewhereGuarded, SignedOut::GuardDropped];
    if matches!(error.downcast_ref(), Some(AuthError::NotSignedIn(why)) if by_guard.contains(why)) {
        return false;
    }
    let is_replaced =
        matches!(error.downcast_ref(), Some(SessionFileError::Unsafe { .. } | SessionFileError::Unreadable { .. }));
    let is_about_the_session =
        is_not_signed_in(error) || is_replaced || matches!(error.downcast_ref(), Some(AuthError::NotFresh));
    is_about_the_session && context.overriding_variable().is_none()
}
