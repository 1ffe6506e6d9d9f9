//! Steps that commands share when a session begins or ends: reading a password, storing or printing a token,
//! and removing it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::auth::email::{Email, pasted};
use crate::auth::secret::{Code, Password, Token};
use crate::auth::session::Session;
use crate::auth::user::{User, check_name};
use crate::auth::{Auth, AuthError, Lifetime, PasswordInput, SessionRequest};
use crate::context::{Context, NoToken};
use crate::error::CommandError;
use crate::output::json::{SessionView, UserView};
use crate::output::text::{escape, shown};
use crate::output::{Page, Style};
use crate::prompt::Source;
use crate::session_file::{Pending, Removed, SessionFileError};

/// The flags that name where a password comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordArgs {
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// The named source, else the prompt.
    pub(super) fn source(&self) -> Source {
        named(self.password_file.as_ref(), self.password_stdin)
    }
}

/// The flags that name where a code of the second factor comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct OtpArgs {
    /// Read a code of the second factor from standard input, in a line after the password if that is read there too
    #[arg(long, conflicts_with = "otp_file")]
    otp_stdin: bool,
    /// Read a code of the second factor from a file
    #[arg(long, value_name = "PATH")]
    otp_file: Option<PathBuf>,
}

impl OtpArgs {
    /// The named source, else the prompt.
    pub(super) fn source(&self) -> Source {
        named(self.otp_file.as_ref(), self.otp_stdin)
    }
}

/// The source of a secret that flags name, else the prompt.
fn named(file: Option<&PathBuf>, is_stdin: bool) -> Source {
    match (file, is_stdin) {
        (Some(path), _) => Source::File(path.clone()),
        (None, true) => Source::Stdin,
        (None, false) => Source::Terminal,
    }
}

/// How often a code of the second factor is asked for.
pub(super) const OTP_TRIES: usize = 3;

pub(super) const OTP_IS_WRONG: &str = "The code is wrong. Check the clock of the device, and try the next code.";

/// Repeats an act with a code of the second factor if it needs one, no flag named its source, and a person can be asked; a
/// few times if the code is wrong.
pub(super) fn asking_otp<T>(
    otp: &mut Option<Code>,
    context: &mut Context,
    mut act: impl FnMut(Option<&Code>, &mut Context) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let is_given = otp.is_some();
    let mut done = act(otp.as_ref(), context);
    for _ in 0..OTP_TRIES {
        let Err(error) = &done else { break };
        if is_given || !context.prompt().can_ask() {
            break;
        }
        *otp = Some(match error.downcast_ref() {
            Some(AuthError::OtpNeeded) => context.prompt().otp(&Source::Terminal)?,
            Some(AuthError::InvalidOtp) => context.prompt().otp_after(OTP_IS_WRONG)?,
            _ => break,
        });
        done = act(otp.as_ref(), context);
    }
    done
}

/// Where the token of a new session is.
#[derive(Debug)]
pub(super) enum TokenSink {
    /// In this session file.
    File(PathBuf),
    /// Only in this answer.
    Printed(Token),
}

/// The state of an operator's own session after an impersonation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OwnSession {
    /// The session is stored again.
    Back { email: String },
    /// The session ended meanwhile.
    Ended,
}

impl OwnSession {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Back { email } => format!("your own session is in use again: signed in as {}", escape(email)),
            Self::Ended => "your own session ended meanwhile: sign in with `authctl signin`".to_owned(),
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Back { .. } => "restored",
            Self::Ended => "ended",
        }
    }
}

impl TokenSink {
    /// The token, when it exists only in the answer.
    pub(super) fn unheld(&self) -> Option<&Token> {
        match self {
            Self::File(_) => None,
            Self::Printed(token) => Some(token),
        }
    }

    /// The session and its user, with the token when it exists only in the answer.
    pub(super) fn json(&self, user: &User, session: &Session) -> Value {
        let (session, user) = (SessionView::from(session), UserView::from(user));
        match self {
            Self::File(_) => json!({ "session": session, "user": user }),
            Self::Printed(token) => json!({ "token": token.expose(), "session": session, "user": user }),
        }
    }

    /// A page about what was done and where the token is.
    pub(super) fn page(&self, done: String, style: Style) -> Page {
        match self {
            Self::File(path) => Page::done(format!("{done}\n{}", stored(path))),
            Self::Printed(token) => printed("token", token.expose(), done, style),
        }
    }
}

/// A page with a secret as the answer.
pub(super) fn printed(what: &str, secret: &str, done: String, style: Style) -> Page {
    let mut page = Page { answer: format!("{secret}\n"), ..Page::done(done) };
    if style.terminal {
        page.done.push(format!("the {what} is in this terminal's scrollback now: clear it, or end the session"));
    }
    page
}

/// The note about a stored token, which is not encrypted.
pub(super) fn stored(path: &Path) -> String {
    format!("the session is kept unencrypted, readable by you alone, in {}", shown(path))
}

/// Returns the given address, or asks for one.
pub(super) fn email(given: Option<&String>, context: &mut Context) -> anyhow::Result<String> {
    let typed = if let Some(email) = given {
        email.clone()
    } else {
        let check = |typed: &str| Email::typed(typed).map(drop).map_err(|invalid| invalid.to_string());
        context.prompt().text("Email", "an email address", "the argument EMAIL", &check)?
    };
    Ok(pasted(&typed).to_owned())
}

/// Checks a name that was typed at a prompt.
pub(super) fn checked_name(typed: &str) -> Result<(), String> {
    check_name(typed).map(drop).map_err(|problem| problem.to_string())
}

/// Reads a new password. One that is too weak is asked for again at a terminal.
pub(super) fn new_password(
    source: &Source,
    own_words: &[&str],
    allow_weak: bool,
    context: &mut Context,
) -> anyhow::Result<PasswordInput> {
    let check = strength_check(own_words, allow_weak, context);
    Ok(PasswordInput::Clear(context.prompt().new_password(source, &check)?))
}

/// Checks a new password by the policy, at a prompt.
pub(super) fn strength_check<'w>(
    own_words: &'w [&'w str],
    allow_weak: bool,
    context: &Context,
) -> impl Fn(&Password) -> Result<(), String> + use<'w> {
    let rules = context.policy.password.clone();
    move |password| {
        let input = PasswordInput::Clear(password.clone());
        input.check(own_words, allow_weak, &rules).map_err(|problem| problem.to_string())
    }
}

/// A request for a session with a new token, from this client.
pub(super) fn session_request(lifetime: Lifetime, context: &mut Context) -> anyhow::Result<SessionRequest> {
    Ok(SessionRequest { token: context.entropy.token()?, lifetime, client_info: context.client_info() })
}

/// Stores a new token durably under a temporary name, before its session begins.
pub(super) fn prepare(token: &Token, email: &str, context: &mut Context) -> anyhow::Result<Pending> {
    context.require_may_store(email)?;
    let mut unique = context.entropy.id()?;
    unique.truncate(16);
    Ok(context.session_file()?.prepare(token, email, &unique)?)
}

/// Finishes a sign-in: gives the session file its name if the session has begun. Ends abandoned sessions: the one
/// that the file held before, and those of processes that died during a sign-in.
pub(super) fn conclude<T>(begun: Result<T, AuthError>, pending: Pending, context: &mut Context) -> anyhow::Result<T> {
    let begun = match begun {
        Err(AuthError::Store(problem)) if problem.may_be_committed() => {
            pending.leave();
            return Err(AuthError::Store(problem).into());
        }
        other => other?,
    };
    let kept = pending.keep();
    let ended = context.end_abandoned_sessions();
    if ended.is_err() {
        let whose = if kept.is_ok() { "stored before" } else { "begun" };
        context.notices.push(format!("the session that was {whose} is still live; the next sign-in ends it"));
    }
    kept?;
    Ok(begun)
}

/// Removes a stored session that has ended. Returns whether one was stored. After an impersonation, restores the
/// operator's own session if it is live.
pub(super) fn forget_session(
    holding: Option<&Token>,
    context: &mut Context,
) -> anyhow::Result<(bool, Option<OwnSession>)> {
    let file = context.session_file()?;
    match file.remove(holding)? {
        Removed::Nothing => return Ok((false, None)),
        Removed::Gone => return Ok((true, None)),
        Removed::GaveBack => {}
    }
    if let Some(done) = context.take_done() {
        // The file no longer holds the session that ended.
        context.did(done.what, "the file holds your own session again");
    }
    let Some(own) = file.read()? else {
        return Ok((true, Some(OwnSession::Ended)));
    };
    let auth = context.auth()?;
    let now = auth.now;
    if auth.store.session(&own.token)?.is_some_and(|(session, user)| session.is_live(now) && !user.is_banned(now)) {
        return Ok((true, Some(OwnSession::Back { email: own.email })));
    }
    file.remove(Some(&own.token))?;
    Ok((true, Some(OwnSession::Ended)))
}

/// Answers that exist nowhere else.
#[derive(Clone, Copy)]
pub(super) enum Printed {
    Token,
    Password,
    Code,
    Export,
}

/// Refuses an act whose answer would be lost, before any question or change.
pub(super) fn refuse_lost(printed: Printed, context: &Context) -> Result<(), CommandError> {
    if !context.output_is_lost() {
        return Ok(());
    }
    let (what, hint) = match printed {
        Printed::Token => {
            ("a token", "the token would be lost while its session lives: send standard output somewhere")
        }
        Printed::Password => ("a password", "the password would be lost: send standard output somewhere"),
        Printed::Code => ("a code", "the code would be lost while it is valid: send standard output somewhere"),
        Printed::Export => ("an export", "nothing would be exported: send standard output to a file"),
    };
    Err(CommandError::Usage {
        message: format!("{what} is to be printed, but standard output is /dev/null or closed"),
        hint,
    })
}

/// Begins a session, and returns its token for the answer or stores it.
pub(super) fn begin(
    session_request: &SessionRequest,
    email: &str,
    print_token: bool,
    context: &mut Context,
    make: impl FnOnce(Auth<'_>) -> Result<(User, Session), AuthError>,
) -> anyhow::Result<(User, Session, TokenSink)> {
    if print_token {
        let begun = make(context.auth()?);
        if matches!(&begun, Err(AuthError::Store(problem)) if problem.may_be_committed()) {
            // The token of such a session is lost. If this fails too, the session expires.
            let _ = context.auth()?.store.end_session(&session_request.token);
        }
        let (user, session) = begun?;
        return Ok((user, session, TokenSink::Printed(session_request.token.clone())));
    }
    let pending = prepare(&session_request.token, email, context)?;
    let begun = make(context.auth()?);
    let (user, session) = conclude(begun, pending, context)?;
    notice_override(context);
    Ok((user, session, TokenSink::File(context.session_file()?.path())))
}

/// Whether an error means that no user is signed in, and not that the session is unknown.
pub(super) fn is_not_signed_in(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(NoToken::None(_)))
        || matches!(error.downcast_ref(), Some(SessionFileError::Damaged(_)))
        || matches!(error.downcast_ref(), Some(AuthError::NotSignedIn(_)))
}

/// Adds a notice that a token in the environment takes precedence over the stored session.
pub(super) fn notice_override(context: &mut Context) {
    if let Some(variable) = context.overriding_variable() {
        context.notices.push(format!("{variable} is set: commands use its token and not the stored session"));
    }
}
