//! One file per command. A command takes its arguments and the context, applies the rules and returns an
//! outcome. It cannot print.

pub(crate) mod account;
pub(crate) mod audit;
mod by_token;
mod codes_file;
pub(crate) mod complete;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod email;
pub(crate) mod export;
pub(crate) mod guard;
pub(crate) mod hash;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod list_flags;
mod mail_templates;
pub(crate) mod orgs;
pub(crate) mod pages;
pub(crate) mod password;
pub(crate) mod policy;
mod reach;
pub(crate) mod roles;
pub(crate) mod second_factor;
pub(crate) mod secret;
mod session_start;
pub(crate) mod sessions;
pub(crate) mod signin;
pub(crate) mod signout;
pub(crate) mod signup;
pub(crate) mod stats;
pub(crate) mod targets;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod whoami;

use crate::auth::audit::{Entry, intention};
use crate::auth::storage::LooseEnds;
use crate::cli::Command;
use crate::context::{Context, error_columns};
use crate::error::{Attempted, CommandError};
use crate::output::progress::Progress;
use crate::output::{Outcome, Report};
use sessions::SessionsCommand;
use tokens::TokensCommand;
use users::UsersCommand;

/// Runs a command.
///
/// # Errors The error, with what was attempted as context.
pub fn run(command: &Command, context: &mut Context) -> anyhow::Result<Outcome> {
    let outcome = settled(run_alone(command, context), context)?;
    context.notices.extend((context.is_guest() && makes_short(command)).then(|| SHORT.to_owned()));
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
    by_token::require(command, context)?;
    match command {
        Command::Signup(args) => signup::run(args, context).attempt("could not sign up"),
        Command::Signin(args) => signin::run(args, context).attempt("could not sign in"),
        Command::Whoami(args) => whoami::run(args, context),
        Command::Sessions { list, command } => sessions::run(command.as_ref(), list, context),
        Command::Signout(args) => signout::run(args, context).attempt("could not sign out"),
        Command::Password { command } => password::run(command, context),
        Command::Passwd(args) => password::change(args, context),
        Command::Email { command } => email::run(command, context),
        Command::SecondFactor { command } => second_factor::run(command, context),
        Command::Tokens { command } => tokens::run(command, context),
        Command::Account { command } => account::run(command, context),
        Command::Users { command } => users::run(command, context),
        Command::Roles { command } => roles::run(command, context),
        Command::Orgs { command } => orgs::run(command, context),
        Command::Audit { command } => audit::run(command, context),
        Command::Stats(args) => stats::run(args, context).attempt("could not count"),
        Command::Guard(args) => guard::run(args, context),
        Command::Hash { command } => hash::run(command, context),
        Command::Policy { command } => policy::run(command, context),
        Command::Export(args) => export::run(args, context).attempt("could not export"),
        Command::Import(args) => import::run(args, context).attempt("could not import"),
        Command::Secret { command } => secret::run(command, context),
        Command::Db { command } => db::run(command, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Completions(args) => Ok(help::completions(args)),
        Command::Help(args) => help::run(args),
    }
}

/// Runs a command for one of its targets.
fn run_for(command: &Command, target: &str, context: &mut Context) -> anyhow::Result<Box<dyn Report>> {
    match command {
        Command::Users { command } => users::run_for(command, target, context),
        Command::Orgs { command } => orgs::run_for(command, target, context),
        Command::Sessions { command: Some(SessionsCommand::Revoke(args)), .. } => {
            sessions::revoke::run_for(args, target, context)
        }
        Command::Tokens { command: TokensCommand::Revoke(args) } => tokens::revoke_one(args, target, context),
        _ => Err(one_target().into()),
    }
}

/// The refusal of several targets.
fn one_target() -> CommandError {
    CommandError::Usage { message: "this command takes one target".to_owned(), hint: "run it for each of them" }
}

/// Shows on a terminal that a long act goes on, unless `--quiet` is given.
fn activity(what: &'static str, context: &Context) -> Progress {
    if shows_progress(context) { Progress::begin(what, None, None) } else { Progress::hidden() }
}

/// As [`activity`], with how far the act is. `total` counts its steps, and is called only if they are shown.
fn progress(
    what: &'static str,
    context: &mut Context,
    total: impl FnOnce(&mut Context) -> anyhow::Result<u64>,
) -> anyhow::Result<Progress> {
    if shows_progress(context) {
        Ok(Progress::begin(what, Some(total(context)?), error_columns()))
    } else {
        Ok(Progress::hidden())
    }
}

fn shows_progress(context: &Context) -> bool {
    !context.is_quiet() && Progress::is_possible()
}

/// Asks before an act that cannot be undone. An answer of no is an error.
fn confirm(effect: &str, question: &str, context: &mut Context) -> anyhow::Result<()> {
    if context.confirm(effect, question)? { Ok(()) } else { Err(CommandError::Declined.into()) }
}

/// Asks before a wide act if a person is there. A script is not asked, and needs no `--yes`. `effect` is counted only for
/// the question; `None` asks nothing, as nothing is to be done.
fn confirm_if_asked(
    question: &str,
    context: &mut Context,
    effect: impl FnOnce(&mut Context) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<()> {
    if !context.asks() {
        return Ok(());
    }
    match effect(context)? {
        Some(effect) => confirm(&effect, question, context),
        None => Ok(()),
    }
}

/// An app decides by the end of a session alone whether to extend it.
const SHORT: &str = "the app gives this session its usual life, of 7 days by default, when it is first used there";

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
        Command::Signin(args) => (args.no_remember || args.duration.is_some()) && !args.no_store,
        Command::Users { command } => matches!(command, UsersCommand::Impersonate(_)),
        _ => false,
    }
}
