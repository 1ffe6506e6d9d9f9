//! `whoami`: who is signed in. Answers without opening a database when nobody is.

use crate::auth::SignedIn;
use crate::auth::user::UserRef;
use crate::cli::WhoamiArgs;
use crate::context::{Context, TokenSource};
use crate::output::{Outcome, SignInOutcome};

pub(super) fn run(args: &WhoamiArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, source) = context.token()?;
    let SignedIn { session, user } = context.signed_in_with(&token, &source)?;
    if args.check {
        return Ok(Outcome::Silent);
    }
    let is_stored = matches!(source, TokenSource::SessionFile(_));
    let token_from = match source {
        TokenSource::SessionFile(path) => path.display().to_string(),
        TokenSource::Variable => "AUTHCTL_TOKEN".to_owned(),
        TokenSource::VariableFile(path) => format!("AUTHCTL_TOKEN_FILE, {}", path.display()),
    };
    notice_token(context);
    let impersonator = match &session.impersonated_by {
        Some(by) => context.auth()?.store.user(&UserRef::Id(by.clone()))?.map(Box::new),
        None => None,
    };
    let kept_aside = if is_stored && session.is_impersonated() { kept_aside(context)? } else { None };
    let database = context.database()?.path;
    Ok(SignInOutcome::Who { user, session, impersonator, kept_aside, token_from, database }.into())
}

/// JSON has Better Auth's shape and no room for it, so that the token is not the stored one is said
/// on standard error.
fn notice_token(context: &mut Context) {
    if let Some(variable) = context.overriding_variable() {
        let stored = context.session_file().is_ok_and(|file| file.is_there());
        let way_out = if stored { format!("; `unset {variable}` to use the stored session") } else { String::new() };
        context.notices.push(format!("signed in by the token in {variable}{way_out}"));
    }
}

/// The address of whose session is kept aside. That it cannot be read changes nothing about who is signed in.
fn kept_aside(context: &mut Context) -> anyhow::Result<Option<String>> {
    match context.session_file()?.read_aside() {
        Ok(own) => Ok(own.map(|own| own.email)),
        Err(error) => {
            context.notices.push(format!("your own session is kept aside and cannot be read: {error}"));
            Ok(None)
        }
    }
}
