//! One file per command. A command takes its arguments and the context, applies the rules and returns an
//! outcome. It cannot print.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod email;
pub(crate) mod guard;
pub(crate) mod hash;
pub(crate) mod help;
mod mail_templates;
pub(crate) mod pages;
pub(crate) mod password;
pub(crate) mod policy;
mod session_start;
pub(crate) mod sessions;
pub(crate) mod signin;
pub(crate) mod signout;
pub(crate) mod signup;
pub(crate) mod users;
pub(crate) mod whoami;

use crate::auth::audit::{Entry, intention};
use crate::auth::storage::{LooseEnds, WriteBlocker, WriteScope};
use crate::cli::Command;
use crate::context::Context;
use crate::error::{Attempted, CommandError};
use crate::output::Outcome;
use crate::output::progress::Progress;
use password::PasswordCommand;
use sessions::SessionsCommand;
use users::UsersCommand;

/// Runs a command.
///
/// # Errors The error, with what was attempted as context.
pub fn run(command: &Command, context: &mut Context) -> anyhow::Result<Outcome> {
    let outcome = settled(run_alone(command, context), context)?;
    // A list may yet fail.
    if !matches!(outcome, Outcome::List(_)) {
        add_notices(command, context);
    }
    Ok(outcome)
}

/// Adds what was committed to the error of a step, and what the step left to report to the context.
pub(crate) fn settled<T>(result: anyhow::Result<T>, context: &mut Context) -> anyhow::Result<T> {
    add_loose_ends(context);
    result.map_err(|error| match context.take_done() {
        Some(done) => error.context(done),
        None => error,
    })
}

/// Adds what a command attempted to its error.
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
        Command::Sessions { command } => sessions::run(command.as_ref(), context),
        Command::Signout(args) => signout::run(args, context).attempt("could not sign out"),
        Command::Password { command } => password::run(command, context),
        Command::Passwd(args) => password::change(args, context),
        Command::Email { command } => email::run(command, context),
        Command::Account { command } => account::run(command, context),
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

/// Shows on a terminal that a long act goes on, unless `--quiet` is given.
fn activity(what: &'static str, context: &Context) -> Progress {
    if shows_progress(context) { Progress::begin(what, None) } else { Progress::hidden() }
}

/// As [`activity`], with how far the act is. `total` counts its steps, and is called only if they are shown.
fn progress(
    what: &'static str,
    context: &mut Context,
    total: impl FnOnce(&mut Context) -> anyhow::Result<u64>,
) -> anyhow::Result<Progress> {
    if shows_progress(context) { Ok(Progress::begin(what, Some(total(context)?))) } else { Ok(Progress::hidden()) }
}

fn shows_progress(context: &Context) -> bool {
    !context.is_quiet() && Progress::is_possible()
}

/// Asks before an act that cannot be undone. An answer of no is an error.
fn confirm(effect: &str, question: &str, context: &mut Context) -> anyhow::Result<()> {
    if context.confirm(effect, question)? { Ok(()) } else { Err(CommandError::Declined.into()) }
}

/// An app decides by the end of a session alone whether to extend it.
const SHORT: &str = "the app gives this session its usual life, of 7 days by default, when it is first used there";
const REACH: &str = "if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by \
                     default; sessions that it keeps outside this database are not reached";

/// Adds notices about an app's database after a command that succeeded.
pub(crate) fn add_notices(command: &Command, context: &mut Context) {
    if !context.is_guest() {
        return;
    }
    let is_about_sessions = matches!(command, Command::Sessions { .. }) || ends_sessions(command) || ends_all(command);
    let is_about_accounts = matches!(
        command,
        Command::Users { command: UsersCommand::Delete(_) | UsersCommand::Show { .. } | UsersCommand::Explain(_) }
    );
    let sought = [
        (is_about_sessions, "session", "sessions"),
        (ends_codes(command), "verification", "codes"),
        (is_about_accounts, "account", "accounts"),
    ];
    let (mut outside, mut lacking) = (Vec::new(), Vec::new());
    for (_, table, what) in sought.into_iter().filter(|(is_sought, _, _)| *is_sought) {
        match context.guest().and_then(|schema| schema.unreached(table)) {
            Some(WriteBlocker { scope: WriteScope::Elsewhere(_), .. }) => outside.push(what),
            Some(why) => lacking.push(format!("{}: no {what} were found or changed; {}", why.problem, why.remedy)),
            None => {}
        }
    }
    if !outside.is_empty() {
        context.notices.push(elsewhere(&outside.join(" and ")));
    }
    context.notices.extend(lacking);
    if ends_codes(command) && context.lacks("verification", "value") {
        context.notices.push(NO_OWNERS.to_owned());
    }
    if is_about_sessions && context.lacks("session", "expiresAt") {
        context.notices.push(NO_ENDS.to_owned());
    }
    if is_about_sessions && context.guest().is_some_and(|schema| schema.unreached("session").is_some()) {
        return;
    }
    let notes = [(makes_short(command), SHORT), (ends_sessions(command), REACH)];
    context.notices.extend(notes.into_iter().filter(|(is_due, _)| *is_due).map(|(_, note)| note.to_owned()));
}

/// Without the column no code can be found by its user.
const NO_OWNERS: &str = "codes of the user were not ended: the app's table of verifications has no column `value`, which names \
                         their user";

/// Without the column no session is known to be live.
const NO_ENDS: &str = "the app's table of sessions has no column `expiresAt`: no session counts as live";

/// What a command cannot see when the app keeps it elsewhere.
fn elsewhere(what: &str) -> String {
    format!("the app keeps its {what} outside of this database: none was found here, and none was ended")
}

/// Adds notices about interrupted acts, whose end the audit log could not record, and about what acts left as it was.
fn add_loose_ends(context: &mut Context) {
    let LooseEnds { interrupted, unlogged, left } = context.take_loose_ends();
    context.notices.extend(interrupted.iter().map(interruption).chain(left));
    context.unlogged = context.unlogged.take().or(unlogged);
}

/// The notice about an interrupted act.
fn interruption(intended: &Entry) -> String {
    let what = intention(intended);
    format!("an earlier act was interrupted, and the audit log does not say whether it was done: {what}")
}

/// Whether a command creates a session that should stay short.
fn makes_short(command: &Command) -> bool {
    match command {
        Command::Signin(args) => args.no_remember && !args.no_store,
        Command::Users { command } => matches!(command, UsersCommand::Impersonate(_)),
        _ => false,
    }
}

/// Whether the purpose of a command is to end all access, sessions included. Its report says the rest.
fn ends_all(command: &Command) -> bool {
    matches!(command, Command::Users { command: UsersCommand::Lockdown(args) } if !args.dry_run)
}

/// Whether a command ends codes, besides sessions.
fn ends_codes(command: &Command) -> bool {
    let sets_password = matches!(command, Command::Users { command: UsersCommand::SetPassword(_) });
    let is_of_sessions = matches!(command, Command::Sessions { .. });
    sets_password || ends_all(command) || (ends_sessions(command) && !is_of_sessions)
}

/// Whether the purpose of a command is to end sessions.
fn ends_sessions(command: &Command) -> bool {
    match command {
        Command::Sessions { command: Some(SessionsCommand::Revoke(args)) } => !args.dry_run,
        Command::Passwd(args) | Command::Password { command: PasswordCommand::Change(args) } => !args.keep_sessions,
        Command::Password { command } => matches!(command, PasswordCommand::Reset(_)),
        Command::Users { command: UsersCommand::SetPassword(args) } => !args.keep_sessions,
        Command::Users { command } => matches!(command, UsersCommand::Ban(_) | UsersCommand::Delete(_)),
        _ => false,
    }
}
