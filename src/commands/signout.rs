//! `signout`: ends the session in the database first, then forgets it here; a token that leaks from
//! a half-done sign-out is worth nothing.

use crate::auth::secret::Token;
use crate::auth::store::Which;
use crate::auth::{AuthError, SignedIn, SignedOut};
use crate::cli::SignOutArgs;
use crate::context::{Context, NoToken, TokenSource};
use crate::error::StillLive;
use crate::output::{Outcome, SignInOutcome, SignedOutHow};
use crate::session_file::SessionFileError;
use crate::store::OpenError;

/// How a sign-out looks that found nothing.
const NOTHING: SignedOutHow =
    SignedOutHow { sessions_ended: None, file_removed: Some(false), without_database: None, unknown_in: None };

pub(super) fn run(args: &SignOutArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.local {
        // What is forgotten must not be another user's.
        if context.is_guarded()
            && let Some(token) = context.session_file()?.read_to_end_session()
        {
            context.require_admitted(&token)?;
        }
        return forget(context, "--local left the session alive in the database");
    }
    let (token, source) = match context.token() {
        Ok((token, source)) => (token, Some(source)),
        Err(error) if matches!(error.downcast_ref(), Some(NoToken::None(_))) => {
            return end_half_begun(context);
        }
        // A file that is not safe to act with is still good to end its session.
        Err(error) if error.is::<SessionFileError>() => match context.session_file()?.read_to_end_session() {
            Some(token) => (token, None),
            None => return forget(context, "the session file held no token, so no session could be ended"),
        },
        Err(error) => return Err(error),
    };
    let ended = match end(args.all, &token, context) {
        Ok(ended) => ended,
        // What is not there holds no live session. Whatever else is wrong with the database, the
        // session may be alive in it, so the token is not thrown away.
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => {
            return forget(context, "the database is gone, so there was no session to end");
        }
        // Under `guard`, that is as it should be.
        Err(error) if matches!(error.downcast_ref(), Some(AuthError::NotSignedIn(_))) => return Err(error),
        Err(error) => return Err(error.context(StillLive)),
    };
    let file = context.session_file()?;
    if let Some(ended @ 1..) = ended {
        let what = if ended == 1 { "the session was ended".to_owned() } else { format!("{ended} sessions were ended") };
        context.did(what, "remove the file: the session in it has ended");
    }
    context.end_abandoned_sessions()?;
    let file_removed = match source {
        Some(TokenSource::SessionFile(_)) => Some(file.remove(Some(&token))?),
        Some(TokenSource::Variable | TokenSource::VariableFile(_)) if ended.is_some() => {
            let variable = context.overriding_variable().unwrap_or("the environment");
            context.notices.push(format!("{variable} still holds the token of the ended session"));
            None
        }
        Some(TokenSource::Variable | TokenSource::VariableFile(_)) => None,
        None => Some(file.remove(None)?),
    };
    let unknown_in = if ended.is_none() { Some(context.database()?.path) } else { None };
    let sessions_ended = Some(ended.unwrap_or(0));
    Ok(SignInOutcome::SignedOut(SignedOutHow { sessions_ended, file_removed, without_database: None, unknown_in })
        .into())
}

/// Without a session of its own here there may still be one whose sign-in was killed before its file
/// had its name. A database that is gone holds none.
fn end_half_begun(context: &mut Context) -> anyhow::Result<Outcome> {
    let how = match context.end_abandoned_sessions() {
        Ok(0) => NOTHING,
        Ok(ended) => SignedOutHow { sessions_ended: Some(ended), file_removed: Some(true), ..NOTHING },
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => NOTHING,
        Err(error) => return Err(error.context(StillLive)),
    };
    Ok(SignInOutcome::SignedOut(how).into())
}

/// Ends the session, or all of its user, and returns how many were live; `None` when the database has
/// no session with this token.
fn end(all: bool, token: &Token, context: &mut Context) -> anyhow::Result<Option<usize>> {
    context.require_admitted(token)?;
    let mut auth = context.auth()?;
    if !all {
        let ended = auth.store.end_session(token)?;
        return Ok(ended.map(|session| usize::from(session.is_live(auth.now))));
    }
    match auth.signed_in(token) {
        Ok(SignedIn { user, .. }) => Ok(Some(auth.end_sessions(&user.id, &Which::All)?.len())),
        Err(AuthError::NotSignedIn(SignedOut::Expired)) => Ok(Some(0)),
        Err(AuthError::NotSignedIn(SignedOut::Ended)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes the session file, whatever it holds.
fn forget(context: &mut Context, why: &'static str) -> anyhow::Result<Outcome> {
    let file_removed = Some(context.session_file()?.remove(None)?);
    Ok(SignInOutcome::SignedOut(SignedOutHow { file_removed, without_database: Some(why), ..NOTHING }).into())
}
