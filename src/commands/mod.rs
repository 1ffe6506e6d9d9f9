//! One file per word typed. A command takes what was asked and the context, lets the rules decide and
//! returns what happened. It has nothing to print with.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod email;
pub(crate) mod guard;
mod guest;
pub(crate) mod hash;
pub(crate) mod help;
mod mail_templates;
pub(crate) mod password;
pub(crate) mod policy;
mod session_start;
pub(crate) mod sessions;
pub(crate) mod signin;
pub(crate) mod signout;
pub(crate) mod signup;
pub(crate) mod users;
pub(crate) mod whoami;

use crate::cli::Command;
use crate::context::Context;
use crate::error::Attempted;
use crate::output::Outcome;

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
