//! What is said besides in an app's database: what the app will make of an act, and what the act does
//! not reach.

use super::password::PasswordCommand;
use super::sessions::SessionsCommand;
use crate::auth::audit::{Entry, intention};
use crate::auth::storage::LooseEnds;
use crate::cli::Command;
use crate::commands::users::UsersCommand;
use crate::context::Context;

/// An app moves a session by its end alone, and does not know that it was meant to be short.
const SHORT: &str = "the app gives this session its usual life, of 7 days by default, when it is first used there";
/// What ending sessions in the database cannot do.
const REACH: &str = "if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by \
                     default; sessions that it keeps outside this database are not reached";

/// Adds what is to be said after a command that succeeded.
pub(super) fn tell(command: &Command, context: &mut Context) {
    if !context.is_guest() {
        return;
    }
    let notes = [(makes_short(command), SHORT), (ends_sessions(command), REACH)];
    context.notices.extend(notes.into_iter().filter(|(is_due, _)| *is_due).map(|(_, note)| note.to_owned()));
}

/// Tells of acts of earlier processes that died before the audit log could say whether they were done.
pub(super) fn tell_loose_ends(context: &mut Context) {
    let LooseEnds { interrupted, unlogged } = context.take_loose_ends();
    context.notices.extend(interrupted.iter().map(interruption));
    context.unlogged = unlogged;
}

/// What is said of such an act.
pub(super) fn interruption(intended: &Entry) -> String {
    let what = intention(intended);
    format!("an earlier act was interrupted, and the audit log does not say whether it was done: {what}")
}

/// Whether a command makes a session that is meant to be short.
fn makes_short(command: &Command) -> bool {
    match command {
        Command::Signin(args) => args.no_remember && !args.no_store,
        Command::Users { command } => matches!(command, UsersCommand::Impersonate(_)),
        _ => false,
    }
}

/// Whether a command is there to keep somebody out who may be in.
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
