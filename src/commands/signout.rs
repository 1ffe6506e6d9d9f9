//! `signout`: ends the session in the database, then removes it here. In this order, a token that an
//! interrupted sign-out leaves behind is worthless.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::session_start::{OwnSession, forget_session};
use crate::auth::audit::counted;
use crate::auth::secret::Token;
use crate::auth::storage::Which;
use crate::auth::{AuthError, SignedOut};
use crate::context::{Context, NoToken, TokenSource};
use crate::error::StillLive;
use crate::output::text::escaped;
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;
use crate::session_file::{Removed, SessionFileError};
use crate::store::OpenError;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl signout
  authctl signout --all
  authctl signout --local    # when the database is out of reach";

#[derive(Debug, Default, Args)]
pub struct SignOutArgs {
    /// End all sessions of the user, on every machine
    #[arg(long, conflicts_with = "local")]
    pub all: bool,
    /// Only forget the stored session; needs no database and leaves the session alive there
    #[arg(long)]
    pub local: bool,
}

/// The result of a sign-out that found no session.
const NOTHING: SignOutResult = SignOutResult {
    sessions_ended: None,
    file_removed: Some(false),
    without_database: None,
    unknown_in: None,
    own: None,
};

/// Ends an impersonation (`users impersonate --stop`): a sign-out that refuses other sessions.
pub(super) fn stop(context: &mut Context) -> anyhow::Result<Outcome> {
    let (token, source) = context.token()?;
    context.require_admitted(&token)?;
    let found = context.auth()?.store.session(&token)?;
    let keeps_aside = matches!(source, TokenSource::SessionFile(_)) && context.session_file()?.keeps_aside();
    let now = context.now()?;
    let is_over = match &found {
        Some((session, _)) if session.is_impersonated() => false,
        Some((session, _)) if session.is_live(now) => true,
        // If an own session is kept aside, an impersonation that ended elsewhere can still be stopped here.
        Some(_) | None => !keeps_aside,
    };
    if is_over {
        return Err(context.token_refused(AuthError::NotImpersonating, &source));
    }
    run(&SignOutArgs::default(), context)
}

pub(super) fn run(args: &SignOutArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.local {
        // Under `guard`, the session must belong to the admitted user.
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
        // An unsafe file still serves to end its session.
        Err(error) if error.is::<SessionFileError>() => match context.session_file()?.read_to_end_session() {
            Some(token) => (token, None),
            None => return forget(context, "the session file held no token, so no session could be ended"),
        },
        Err(error) => return Err(error),
    };
    let ended = match end(args.all, &token, context) {
        Ok(ended) => ended,
        Err(error) => return not_ended(error, context),
    };
    if let Some(ended @ 1..) = ended {
        let what = if ended == 1 { "the session was ended".to_owned() } else { format!("{ended} sessions were ended") };
        context.did(what, "remove the file: the session in it has ended");
    }
    context.end_abandoned_sessions()?;
    let mut own = None;
    let mut forget_held = |holding: Option<&Token>, context: &mut Context| {
        let removed;
        (removed, own) = forget_session(holding, context)?;
        anyhow::Ok(Some(removed))
    };
    let file_removed = match source {
        Some(TokenSource::SessionFile(_)) => forget_held(Some(&token), context)?,
        Some(TokenSource::Variable | TokenSource::VariableFile(_)) if ended.is_some() => {
            let variable = context.overriding_variable().unwrap_or("the environment");
            context.notices.push(format!("{variable} still holds the token of the ended session: `unset {variable}`"));
            None
        }
        Some(TokenSource::Variable | TokenSource::VariableFile(_)) => None,
        None => forget_held(None, context)?,
    };
    let unknown_in = if ended.is_none() { Some(context.database()?.location) } else { None };
    let sessions_ended = Some(ended.unwrap_or(0));
    let how = SignOutResult { sessions_ended, file_removed, without_database: None, unknown_in, own };
    Ok(how.into())
}

/// What to do when the session could not be ended. A missing database holds no live session. After any other error the
/// session may be live, so the token is kept.
fn not_ended(error: anyhow::Error, context: &mut Context) -> anyhow::Result<Outcome> {
    if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) {
        let file = context.session_file()?;
        if file.keeps_aside() {
            // The session that this restores does not exist either.
            file.remove(None)?;
        }
        return forget(context, "the database is gone, so there was no session to end");
    }
    // Under `guard` and in an impersonation, the session stays live as intended.
    if matches!(error.downcast_ref(), Some(AuthError::NotSignedIn(_) | AuthError::Impersonated { .. })) {
        return Err(error);
    }
    Err(error.context(StillLive))
}

/// Ends abandoned sessions when no session is stored: a sign-in may have been killed before its file got its name. A
/// missing database has none.
fn end_half_begun(context: &mut Context) -> anyhow::Result<Outcome> {
    let how = match context.end_abandoned_sessions() {
        Ok(0) => NOTHING,
        Ok(ended) => SignOutResult { sessions_ended: Some(ended), file_removed: Some(true), ..NOTHING },
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => NOTHING,
        Err(error) => return Err(error.context(StillLive)),
    };
    Ok(how.into())
}

/// Ends the session, or all of its user, and returns how many were live; `None` when the database has
/// no session with this token.
fn end(all: bool, token: &Token, context: &mut Context) -> anyhow::Result<Option<usize>> {
    context.require_admitted(token)?;
    let mut auth = context.auth()?;
    let found = auth.store.session(token)?.filter(|(session, _)| session.is_impersonated());
    let is_impersonated = found.is_some();
    if let Some((session, user)) = found.filter(|(session, _)| session.is_live(auth.now)) {
        if all {
            return Err(AuthError::Impersonated { email: user.email }.into());
        }
        context.act_in(&session, &user)?;
        auth = context.auth()?;
    }
    if !all || is_impersonated {
        if let Some(session) = auth.store.end_session(token)? {
            return Ok(Some(usize::from(session.is_live(auth.now))));
        }
        return match auth.unknown_token(token) {
            AuthError::NotSignedIn(SignedOut::Ended) => Ok(None),
            unknown => Err(unknown.into()),
        };
    }
    let mut end_all = || {
        let me = auth.authenticate(token)?;
        auth.end_sessions(me.in_person()?, &Which::All)
    };
    match end_all() {
        Ok(ended) => Ok(Some(ended.len())),
        Err(AuthError::NotSignedIn(SignedOut::Expired)) => Ok(Some(0)),
        Err(AuthError::NotSignedIn(SignedOut::Ended)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes the session file without the database.
fn forget(context: &mut Context, why: &'static str) -> anyhow::Result<Outcome> {
    let file = context.session_file()?;
    let removed = file.remove(None)?;
    // Whether the session is live is not known without the database.
    let own = match removed {
        Removed::GaveBack => {
            context.did("your own session was stored again", "the file holds your own session again");
            file.read_whole()?
        }
        Removed::Gone | Removed::Nothing => None,
    };
    let own = own.map(|own| OwnSession::Back { email: own.email });
    let file_removed = Some(removed != Removed::Nothing);
    Ok(SignOutResult { file_removed, without_database: Some(why), own, ..NOTHING }.into())
}

/// The steps of a sign-out that were done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SignOutResult {
    /// Live sessions ended in the database; `None` when it was not opened.
    sessions_ended: Option<usize>,
    /// The session file was removed; `None` when the token came from elsewhere.
    file_removed: Option<bool>,
    /// Why the database was not used.
    without_database: Option<&'static str>,
    /// The database, when it has no session with the token.
    unknown_in: Option<DatabaseLocation>,
    /// The state of the session kept aside.
    own: Option<OwnSession>,
}

impl Report for SignOutResult {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::done_if(self.changed(), self.message())
    }

    fn json(&self) -> Value {
        json!({
            "sessionsEnded": self.sessions_ended,
            "fileRemoved": self.file_removed,
            "ownSession": self.own.as_ref().map(OwnSession::word),
        })
    }
}

impl SignOutResult {
    fn changed(&self) -> bool {
        self.sessions_ended.is_some_and(|ended| ended > 0) || self.file_removed == Some(true) || self.own.is_some()
    }

    fn message(&self) -> String {
        let file = match self.file_removed {
            _ if self.own.is_some() => "",
            Some(true) => "; removed the session file",
            Some(false) => "; there was no session file",
            None => "",
        };
        let message = if let Some(database) = &self.unknown_in {
            let database = escaped(database);
            match self.file_removed {
                Some(_) => format!("signed out: {database} has no session with the stored token{file}"),
                None => format!("no session was ended: {database} has none with this token"),
            }
        } else {
            self.session_message(file)
        };
        match &self.own {
            Some(own) => format!("{message}\n{}", own.message()),
            None => message,
        }
    }

    fn session_message(&self, file: &str) -> String {
        match (self.sessions_ended, self.without_database) {
            (None, Some(why)) if self.file_removed == Some(true) => {
                format!("signed out on this machine only: removed the session file; {why}")
            }
            (None, _) => "nothing to do: not signed in".to_owned(),
            (Some(0), _) => format!("signed out: the session had ended before{file}"),
            (Some(ended), _) => format!("signed out: ended {}{file}", counted(ended as u64, "session")),
        }
    }
}
