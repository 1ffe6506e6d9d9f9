//! `whoami`: who is signed in. Answers without opening a database when nobody is.

use crate::auth::SignedIn;
use crate::cli::WhoamiArgs;
use crate::context::{Context, TokenSource};
use crate::output::{Outcome, SignInOutcome};

pub(super) fn run(args: &WhoamiArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (_, source) = context.token()?;
    let SignedIn { session, user } = context.signed_in()?;
    if args.check {
        return Ok(Outcome::Silent);
    }
    let token_from = match source {
        TokenSource::SessionFile(path) => path.display().to_string(),
        TokenSource::Variable => "AUTHCTL_TOKEN".to_owned(),
        TokenSource::VariableFile(path) => format!("AUTHCTL_TOKEN_FILE, {}", path.display()),
    };
    notice_token(context);
    Ok(SignInOutcome::Who { user, session, token_from, database: context.database()?.path }.into())
}

/// JSON has Better Auth's shape and no room for it, so that the token is not the stored one is said
/// on standard error.
fn notice_token(context: &mut Context) {
    if let Some(variable) = context.overriding_variable() {
        context.notices.push(format!("signed in by the token in {variable}"));
    }
}
