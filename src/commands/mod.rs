//! One file per word typed. A command takes what was asked and the context, lets the rules decide and
//! returns what happened. It has nothing to print with.

mod account;
pub(crate) mod audit;
pub(crate) mod db;
pub(crate) mod doctor;
mod email;
pub(crate) mod guard;
mod guest;
pub(crate) mod hash;
pub(crate) mod help;
mod issue;
mod mail_templates;
mod password;
pub(crate) mod policy;
mod sessions;
mod signin;
mod signout;
mod signup;
mod users;
mod whoami;

use crate::auth::secret::Token;
use crate::auth::session::Session;
use crate::auth::storage::StoreError;
use crate::auth::user::User;
use crate::auth::{Auth, AuthError, SessionRequest};
use crate::cli::{AccountCommand, Command, EmailCommand, PasswordCommand, PasswordSource, SessionsCommand, WhoseArgs};
use crate::context::{Context, NoToken};
use crate::error::{Attempted, CommandError};
use crate::output::{Outcome, OwnSession, TokenSink};
use crate::prompt::Source;
use crate::session_file::{Pending, Removed, SessionFileError};

/// Runs a command.
///
/// # Errors
/// Whatever stopped it, with what was attempted as its context.
pub fn run(command: &Command, context: &mut Context) -> anyhow::Result<Outcome> {
    let result = run_alone(command, context);
    guest::tell_loose_ends(context);
    match result {
        Ok(outcome) => {
            guest::tell(command, context);
            Ok(outcome)
        }
        Err(error) => Err(match context.take_done() {
            Some(done) => error.context(done),
            None => error,
        }),
    }
}

/// Says what a command set out to do, in front of the error that stopped it.
trait Attempt<T> {
    fn attempt(self, what: &'static str) -> anyhow::Result<T>;
}

impl<T> Attempt<T> for anyhow::Result<T> {
    fn attempt(self, what: &'static str) -> anyhow::Result<T> {
        self.map_err(|error| error.context(Attempted(what)))
    }
}

fn run_alone(command: &Command, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Signup(args) => signup::run(args, context).attempt("could not sign up"),
        Command::Signin(args) => signin::run(args, context).attempt("could not sign in"),
        Command::Whoami(args) => whoami::run(args, context),
        Command::Sessions { command: None } => {
            sessions::list(&WhoseArgs::default(), context).attempt("could not list sessions")
        }
        Command::Sessions { command: Some(SessionsCommand::List(args)) } => {
            sessions::list(&args.whose, context).attempt("could not list sessions")
        }
        Command::Sessions { command: Some(SessionsCommand::Revoke(args)) } => {
            sessions::revoke(args, context).attempt("could not end sessions")
        }
        Command::Sessions { command: Some(SessionsCommand::Prune(args)) } => {
            sessions::prune(args, context).attempt("could not delete expired sessions")
        }
        Command::Sessions { command: Some(SessionsCommand::Issue(args)) } => {
            issue::run(args, context).attempt("could not issue a session")
        }
        Command::Signout(args) => signout::run(args, context).attempt("could not sign out"),
        Command::Password { command: PasswordCommand::Forgot { email } } => {
            password::forgot(email, context).attempt("could not send a code")
        }
        Command::Password { command: PasswordCommand::Reset(args) } => {
            password::reset(args, context).attempt("could not reset the password")
        }
        Command::Password { command: PasswordCommand::Change(args) } | Command::Passwd(args) => {
            password::change(args, context).attempt("could not change the password")
        }
        Command::Email { command: EmailCommand::Verify(args) } if args.send => {
            email::send_code(args, context).attempt("could not send a code")
        }
        Command::Email { command: EmailCommand::Verify(args) } => {
            email::verify(args, context).attempt("could not verify the address")
        }
        Command::Email { command: EmailCommand::Change { new } } => {
            email::change(new, context).attempt("could not change the address")
        }
        Command::Account { command: AccountCommand::Update(args) } => {
            account::update(args, context).attempt("could not update the account")
        }
        Command::Account { command: AccountCommand::Delete(args) } => {
            account::delete(args, context).attempt("could not delete the account")
        }
        Command::Users { command } => users::run(command, context),
        Command::Audit { command } => audit::run(command, context),
        Command::Guard(args) => guard::run(args, context),
        Command::Hash { command } => hash::run(command, context),
        Command::Policy { command } => policy::run(command, context),
        Command::Db { command } => db::run(command, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Completions(args) => Ok(help::completions(args)),
        Command::Help(args) => help::run(args),
    }
}

fn source(named: PasswordSource) -> Source {
    match named {
        PasswordSource::Prompt => Source::Terminal,
        PasswordSource::Stdin => Source::Stdin,
        PasswordSource::File(path) => Source::File(path),
    }
}

/// Takes the address as typed, or asks for it.
fn email(given: Option<&String>, context: &mut Context) -> anyhow::Result<String> {
    match given {
        Some(email) => Ok(email.clone()),
        None => Ok(context.prompt().text("Email", "an email address", "the argument EMAIL")?),
    }
}

/// Secures a new token in the session file's directory, for a session that is about to be made.
fn prepare(token: &Token, email: &str, context: &mut Context) -> anyhow::Result<Pending> {
    context.require_may_store(email)?;
    let mut unique = context.entropy.id()?;
    unique.truncate(16);
    Ok(context.session_file()?.prepare(token, email, &unique)?)
}

/// Finishes a sign-in: gives the session file its name if the session has begun. Sessions that
/// nobody holds any more are ended: the one that the file held before, and those of processes that
/// died half-way.
fn conclude<T>(begun: Result<T, AuthError>, pending: Pending, context: &mut Context) -> anyhow::Result<T> {
    let begun = match begun {
        // The engine's no to a commit is no proof that nothing was written, unless the act never began.
        Err(AuthError::Store(problem)) if !matches!(problem, StoreError::Busy) => {
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

/// Forgets a stored session that is over, and tells whether there was one. The own session of somebody
/// who acted as another user is stored again by it, if it is live.
fn forget_session(holding: Option<&Token>, context: &mut Context) -> anyhow::Result<(bool, Option<OwnSession>)> {
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

/// What is printed once and exists nowhere else.
#[derive(Clone, Copy)]
enum Printed {
    Token,
    Password,
    Code,
    Export,
}

/// Refuses an act whose answer would be lost with it: before anything is changed or asked.
fn refuse_lost(printed: Printed, context: &Context) -> Result<(), CommandError> {
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

/// Begins a session, and has its token printed or kept in the session file.
fn begin(
    session_request: &SessionRequest,
    email: &str,
    print_token: bool,
    context: &mut Context,
    make: impl FnOnce(Auth<'_>) -> Result<(User, Session), AuthError>,
) -> anyhow::Result<(User, Session, TokenSink)> {
    if print_token {
        let begun = make(context.auth()?);
        if matches!(begun, Err(AuthError::Store(_))) {
            // The engine's no to a commit is no proof that nothing was written, and nobody will hold
            // this token. More than trying cannot be done.
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

/// Whether an error only says that nobody is signed in: not that who is cannot be told.
fn nobody_is_signed_in(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(NoToken::None(_)))
        || matches!(error.downcast_ref(), Some(SessionFileError::Damaged(_)))
        || matches!(error.downcast_ref(), Some(AuthError::NotSignedIn(_)))
}

/// Says that a stored session will not be used as long as the environment holds another.
fn notice_override(context: &mut Context) {
    if let Some(variable) = context.overriding_variable() {
        context.notices.push(format!("{variable} is set: commands use its token and not the stored session"));
    }
}
