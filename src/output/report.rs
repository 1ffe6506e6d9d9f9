//! What a command has to say, and what it leaves to the program besides.

use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;

use super::json;
use super::page::{Page, Style};
use super::users::{UserChanged, UsersOutcome};
use crate::auth::audit::Entry;
use crate::auth::secret::Token;
use crate::exit_code::ExitCode;

/// What a command has to say. A report decides nothing.
pub trait Report: std::fmt::Debug {
    /// For people: the answer for standard output, and lines for standard error. Everything that came from
    /// users is escaped.
    fn text(&self, now: Timestamp, style: Style) -> Page;

    /// For programs. Field names are Better Auth's; what is absent is null; tokens and hashes have no field,
    /// except those that were asked for by name.
    fn json(&self) -> Value;

    /// The text that `--json` prints: one document, unless the command prints a document per line.
    fn document(&self) -> String {
        json::document(&self.json())
    }

    /// What the shell gets: a command may answer a question with no.
    fn exit_code(&self) -> ExitCode {
        ExitCode::Done
    }

    /// What helps when the answer could not be written and a secret exists only in it.
    fn lost_answer_hint(&self) -> Option<String> {
        None
    }

    /// A token that exists only in this answer. When the answer cannot be written, its session must end.
    fn unheld_token(&self) -> Option<&Token> {
        None
    }
}

/// What a command returns.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing to say: the exit code is the answer.
    Silent,
    /// Help or a completion script, the same under `--json`.
    Text(String),
    Report(Box<dyn Report>),
    /// Another program takes the place of this process.
    Exec(Box<Command>),
    /// Entries of the audit log, and those that are still to come.
    Follow {
        entries: Vec<Entry>,
        /// The number of the newest entry of the log.
        newest: u64,
    },
}

impl<R: Report + 'static> From<R> for Outcome {
    fn from(report: R) -> Self {
        Self::Report(Box::new(report))
    }
}

impl From<UserChanged> for Outcome {
    fn from(changed: UserChanged) -> Self {
        UsersOutcome::Changed(changed).into()
    }
}
