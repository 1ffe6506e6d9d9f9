//! How a failure is told: its words, its hint and its exit code, all decided here.

mod classify;
mod database;
mod outside;

use serde_json::json;

use crate::auth::audit::Break;
use crate::exit_code::ExitCode;
use crate::output::escape::escape;
use crate::output::json;

/// A wish that cannot be granted as it was put, found by a command.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A question was answered with no.
    #[error("declined: nothing was changed")]
    Declined,
    /// The audit log is not what was written.
    #[error("{}", broken(.0))]
    LogBroken(Break),
    /// The audit log has no entry with the hash that it must have.
    #[error("the audit log has no entry with this hash: it was cut off, or is another one")]
    LogLacksHash,
    /// The policy says nothing about mail.
    #[error("no mailer is configured")]
    NoMailer {
        /// What an operator can do without one.
        instead: &'static str,
    },
    /// The answer to a question is no.
    #[error("{0}")]
    No(&'static str),
    /// The words do not go together.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: &'static str,
    },
}

fn broken(place: &Break) -> String {
    match place {
        Break::Missing(seq) => format!("the audit log is broken: entry {seq} is missing"),
        Break::Changed(seq) => format!("the audit log is broken: entry {seq} is not what was written"),
        Break::OldForm(seq) => {
            format!("the audit log is broken: entry {seq} has the old form after entries of the new one")
        }
    }
}

/// A sign-out could not end the session in the database.
#[derive(Debug, thiserror::Error)]
#[error("the session is still live")]
pub struct StillLive;

/// A failure, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The process's exit code.
    pub code: ExitCode,
    /// The name that programs match on: Better Auth's where it has one.
    name: &'static str,
    /// What was attempted and why it failed.
    message: String,
    /// What to do.
    hint: Option<String>,
    /// Seconds to wait before the next attempt.
    retry_after: Option<i64>,
}

impl Exit {
    fn new(code: ExitCode, name: &'static str) -> Self {
        Self { code, name, message: String::new(), hint: None, retry_after: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// For standard output that could not be written.
    pub fn of_output(error: &std::io::Error) -> Self {
        let mut exit = if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::new(ExitCode::ReaderGone, "READER_GONE")
        } else {
            Self::new(ExitCode::Unwritable, "OUTPUT_NOT_WRITTEN")
                .hint("what was asked has been done; only its answer is lost")
        };
        exit.message = format!("could not write the answer to standard output: {error}");
        exit
    }

    /// For a command that should have taken this process's place.
    pub fn of_exec(program: &str, error: &std::io::Error) -> Self {
        // As a shell does. A script whose interpreter is missing is there and cannot be run.
        let is_there = program.contains('/') && std::fs::symlink_metadata(program).is_ok();
        let code = match error.kind() {
            std::io::ErrorKind::NotFound if !is_there => ExitCode::NoProgram,
            _ => ExitCode::CannotRun,
        };
        let mut exit = Self::new(code, "COMMAND_NOT_STARTED");
        exit.message = format!("could not run {program}: {error}");
        exit
    }

    /// Adds what became of a token that could not be printed.
    #[must_use]
    pub fn with_ended_session(self, ended: bool) -> Self {
        self.hint(if ended {
            "the session was ended, because nobody would have held its token"
        } else {
            "its session is live and nobody holds its token: end it with `authctl sessions revoke`"
        })
    }

    /// Whether there is anything to say: who interrupts knows, and who left cannot read.
    pub fn is_silent(&self) -> bool {
        matches!(self.code, ExitCode::Interrupted | ExitCode::ReaderGone)
    }

    /// What was attempted and why it failed.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The failure as text.
    pub fn text(&self, color: bool) -> String {
        let (red, cyan, plain) = if color { ("\x1b[1;31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
        let mut text = format!("{red}error:{plain} {}", escape(&self.message));
        if let Some(hint) = &self.hint {
            text = format!("{text}\n{cyan}hint:{plain} {}", escape(hint));
        }
        text
    }

    /// The failure as a JSON document.
    pub fn json(&self) -> String {
        let mut error = json!({ "code": self.name, "message": self.message, "hint": self.hint });
        if let (Some(seconds), Some(fields)) = (self.retry_after, error.as_object_mut()) {
            fields.insert("retryAfter".into(), seconds.into());
        }
        json::document(&json!({ "error": error })).trim_end().to_owned()
    }
}

impl From<anyhow::Error> for Exit {
    fn from(error: anyhow::Error) -> Self {
        let known = error.chain().find_map(classify::classify);
        let mut exit = known.unwrap_or_else(|| Self::new(ExitCode::Failed, "FAILED"));
        exit.message = chain_of(&error);
        if error.is::<StillLive>() {
            let hint = exit.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
            exit.hint = Some(format!("{hint}`authctl signout --local` forgets the session here and leaves it live"));
        }
        exit
    }
}

/// The causes in one line, each once: some errors repeat their source's words.
fn chain_of(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if parts.last().is_none_or(|last| *last != words) {
            parts.push(words);
        }
    }
    parts.join(": ")
}
