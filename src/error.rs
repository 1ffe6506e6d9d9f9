//! Errors as users see them: message, hint, code for programs and exit code.

mod classify;
mod commands;
mod database;
mod os;
mod rules;
mod seal;
mod server;
mod tokens;

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::auth::audit::{Break, counted};
use crate::auth::storage::StoreError;
use crate::context::{Done, TokenOf};
use crate::interrupt::Interrupted;
use crate::output::json;
use crate::output::text::escape;

/// A request that a command refuses.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The user answered a confirmation with no.
    #[error("declined: nothing was changed")]
    Declined,
    /// An entry of the audit log was edited, removed or moved.
    #[error("{0}")]
    LogBroken(Break),
    /// The audit log has no entry with the hash of `--contains`.
    #[error("the audit log has no entry with this hash: it was cut off, or is another one")]
    LogLacksHash,
    /// The policy has no `mail.url` or no `mail.from`.
    #[error("no mailer is configured")]
    NoMailer {
        /// What an operator can do without a mailer.
        instead: &'static str,
    },
    /// The answer to a question is no.
    #[error("{0}")]
    No(&'static str),
    /// The thing to create exists and differs.
    #[error("{message}")]
    Differs { message: String, hint: &'static str },
    /// The database to replace belongs to an app.
    #[error("{} was not made by authctl, and a restore does not replace it", path.display())]
    Taken { path: PathBuf },
    /// Rows of an import are refused, and nothing was written.
    #[error("{refused} of {rows} rows cannot be imported ({reasons}), and nothing was")]
    ImportRefused {
        rows: u64,
        refused: u64,
        /// The numbers of rows by reason.
        reasons: String,
        hint: &'static str,
    },
    /// Users of an import are there already, and nothing was written.
    #[error("{} of the export exist already, and nothing was imported", counted(*users, "user"))]
    ImportExists { users: u64 },
    /// Rows of a list cannot be applied, and nothing was changed.
    #[error("{} of {file} cannot be applied, and nothing was changed", of_rows(rows.len(), *total))]
    BadRows {
        file: String,
        total: usize,
        /// The lines of these rows, each with what is wrong.
        rows: Vec<(u64, String)>,
    },
    /// The file for an answer is there.
    #[error("{} exists already", .0.display())]
    FileExists(PathBuf),
    /// The file for an answer cannot be written.
    #[error("{} cannot be written", path.display())]
    NotWritten { path: PathBuf, source: io::Error },
    /// The command line or an input is unacceptable.
    #[error("{message}")]
    Usage { message: String, hint: &'static str },
}

fn of_rows(bad: usize, total: usize) -> String {
    format!("{bad} of {}", counted(total as u64, "row"))
}

/// What a command attempted, as the first words of its error: "could not sign up". Left out of the message when the
/// command had committed something before the error ([`Done`]).
#[derive(Debug, Clone, Copy)]
pub struct Attempted(pub &'static str);

impl std::fmt::Display for Attempted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// A hint that fits the command better than that of the error. It has no words in the message.
#[derive(Debug)]
pub struct HintOfCommand(pub String);

impl std::fmt::Display for HintOfCommand {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

/// A sign-out could not end the session in the database.
#[derive(Debug, thiserror::Error)]
#[error("the session is still live")]
pub struct StillLive;

/// A failure, ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: ExitCode,
    /// The name that programs match on: Better Auth's where it has one.
    name: &'static str,
    /// What was attempted and why it failed.
    message: String,
    /// What to do about the cause, whether the command has changed something or not.
    remedy: Option<String>,
    /// What else to do, such as to repeat the command. Only valid when the command changed nothing.
    hint: Option<String>,
    /// What to do after the change that was committed.
    then: Option<String>,
    /// Seconds to wait before the next attempt.
    retry_after: Option<i64>,
    /// The rows of an input that are wrong: the line, and what is wrong with it.
    rows: Vec<(u64, String)>,
}

/// The name of the failure of an act that a signal stopped.
const STOPPED: &str = "ACT_INTERRUPTED";

impl Failure {
    fn new(code: ExitCode, name: &'static str) -> Self {
        Self {
            code,
            name,
            message: String::new(),
            remedy: None,
            hint: None,
            then: None,
            retry_after: None,
            rows: Vec::new(),
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// Adds that the command changed nothing.
    fn unchanged(self) -> Self {
        self.hint("nothing was changed")
    }

    /// Replaces the hint after a committed change: to repeat the command would be wrong.
    fn after_change(&mut self, then: &str) {
        self.hint = None;
        self.then = Some(then.to_owned());
    }

    /// Standard output could not be written, after a command that may have changed something.
    pub fn of_output(error: &std::io::Error, done: Option<&str>) -> Self {
        let mut failure = if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::new(ExitCode::ReaderGone, "READER_GONE")
        } else {
            Self::new(ExitCode::Unwritable, "OUTPUT_NOT_WRITTEN")
        };
        failure.message = match done {
            Some(done) => format!("{done}, but could not write the answer to standard output: {error}"),
            None => format!("could not write the answer to standard output: {error}"),
        };
        if failure.code == ExitCode::Unwritable && os::is_size_limit(error) {
            failure.remedy = os::remedy_of(error).map(str::to_owned);
        }
        failure
    }

    /// An act was done, but the audit log could not record its end.
    pub fn of_unlogged(error: &StoreError) -> Self {
        let mut failure = Self::new(ExitCode::Unwritable, "AUDIT_LOG_NOT_FINISHED").hint(
            "do not repeat the change; the log keeps it as intended, and `authctl audit verify` lists such entries",
        );
        failure.message = format!("the change was made, but the audit log could not record it: {error}");
        failure
    }

    /// The program of `guard` could not be started.
    pub fn of_exec(program: &str, error: &std::io::Error) -> Self {
        // As in a shell: a script whose interpreter is missing exists and cannot be run.
        let is_there = program.contains('/') && std::fs::symlink_metadata(program).is_ok();
        let code = match error.kind() {
            std::io::ErrorKind::NotFound if !is_there => ExitCode::NoProgram,
            _ => ExitCode::CannotRun,
        };
        let mut failure = Self::new(code, "COMMAND_NOT_STARTED");
        failure.message = format!("could not run {program}: {error}");
        failure
    }

    /// Adds whether the session of a token that could not be printed has ended.
    #[must_use]
    pub fn with_ended_session(self, ended: bool) -> Self {
        self.hint(if ended {
            "the session was ended, because its token is lost"
        } else {
            "its session is live and its token is lost: end it with `authctl sessions revoke`"
        })
    }

    /// Adds how to replace a secret that was lost with the answer.
    #[must_use]
    pub fn with_way_out(self, way_out: Option<String>) -> Self {
        match way_out {
            Some(way_out) => self.hint(way_out),
            None => self,
        }
    }

    /// Whether to print nothing, because the user interrupted a question or closed the output.
    pub fn is_silent(&self) -> bool {
        match self.code {
            ExitCode::Interrupted => self.name != STOPPED,
            code => code == ExitCode::ReaderGone,
        }
    }

    /// What was attempted and why it failed.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn advice(&self) -> Option<String> {
        let cause = [self.remedy.as_deref(), self.hint.as_deref()];
        let cause = cause.into_iter().flatten().collect::<Vec<_>>().join("; ");
        match &self.then {
            Some(then) if cause.is_empty() => Some(then.clone()),
            Some(then) => Some(format!("{cause}; then: {then}")),
            None => Some(cause).filter(|cause| !cause.is_empty()),
        }
    }

    pub fn text(&self, color: bool) -> String {
        let (red, cyan, plain) = if color { ("\x1b[1;31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
        let mut text = format!("{red}error:{plain} {}", escape(&self.message));
        for (line, problem) in &self.rows {
            text = format!("{text}\n  line {line}: {}", escape(problem));
        }
        if let Some(hint) = self.advice() {
            text = format!("{text}\n{cyan}hint:{plain} {}", escape(&hint));
        }
        text
    }

    pub fn json(&self) -> String {
        json::document(&self.document()).trim_end().to_owned()
    }

    /// The error as a JSON document.
    pub fn document(&self) -> Value {
        let mut error = json!({ "code": self.name, "message": self.message, "hint": self.advice() });
        if let (Some(seconds), Some(fields)) = (self.retry_after, error.as_object_mut()) {
            fields.insert("retryAfter".into(), seconds.into());
        }
        if !self.rows.is_empty() {
            let row = |(line, problem): &(u64, String)| json!({ "line": line, "message": problem });
            error["rows"] = self.rows.iter().map(row).collect();
        }
        json!({ "error": error })
    }

    /// Names what the failure is about, one of several, unless the message does.
    #[must_use]
    pub fn about(&self, target: &str) -> Self {
        let is_named = self.message.contains(target);
        let message = if is_named { self.message.clone() } else { format!("{target}: {}", self.message) };
        Self { message, ..self.clone() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let known = error.chain().find_map(classify::classify);
        let mut failure = known.unwrap_or_else(|| Self::new(ExitCode::Failed, "FAILED"));
        failure.message = chain_of(&error);
        if let Some(HintOfCommand(hint)) = error.downcast_ref() {
            failure.hint = Some(hint.clone());
        }
        if let Some(done) = error.downcast_ref::<Done>() {
            failure.message = after(&error, done);
            failure.after_change(&done.then);
        }
        if let (Some(token), Some(refusal)) = (error.downcast_ref::<TokenOf>(), error.downcast_ref()) {
            failure.hint = rules::of_token_in(token.variable, refusal).or(failure.hint);
        }
        if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
            failure.message = interrupted.to_string();
            failure.after_change("run the command again for what is left");
        }
        if error.is::<StillLive>() {
            let hint = failure.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
            failure.hint = Some(format!("{hint}`authctl signout --local` forgets the session here and leaves it live"));
        }
        failure
    }
}

/// Says what was done and which later step failed, instead of what was attempted.
fn after(error: &anyhow::Error, done: &Done) -> String {
    let attempted = error.downcast_ref::<Attempted>().map(|attempted| attempted.0);
    let step = parts_of(error).into_iter().filter(|part| *part != done.what && Some(part.as_str()) != attempted);
    format!("{done}, but {}", step.collect::<Vec<_>>().join(": "))
}

/// The causes in one line. Some errors repeat the words of their source, which appear once.
fn chain_of(error: &anyhow::Error) -> String {
    parts_of(error).join(": ")
}

fn parts_of(error: &anyhow::Error) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if !words.is_empty() && parts.last().is_none_or(|last| *last != words) {
            parts.push(words);
        }
    }
    parts
}

/// The exit code of the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Did what was asked.
    #[default]
    Done = 0,
    /// Failed, was declined, or the answer is no.
    Failed = 1,
    /// The command line or an input is unusable.
    Usage = 2,
    /// The user, session or other object does not exist.
    NoSuch = 3,
    /// No user is signed in, or the session has ended.
    NotSignedIn = 4,
    /// The user is known but not allowed to do this.
    Refused = 5,
    /// The object exists already.
    Exists = 6,
    /// The secret is wrong.
    WrongCredentials = 7,
    /// Too many attempts.
    Throttled = 8,
    /// The database cannot be used.
    Database = 9,
    /// A file or standard output could not be written.
    Unwritable = 74,
    /// Another process holds the database.
    Busy = 75,
    /// The connection to the database broke during a commit.
    Unknown = 76,
    /// `guard`: the program cannot be run.
    CannotRun = 126,
    /// `guard`: the program does not exist.
    NoProgram = 127,
    /// Ctrl-C.
    Interrupted = 130,
    /// The reader closed the output.
    ReaderGone = 141,
    /// SIGTERM.
    Terminated = 143,
}

impl ExitCode {
    /// Every code with its meaning, in order.
    pub const TABLE: &[(Self, &str)] = &[
        (Self::Done, "done, durable, printed; or yes"),
        (Self::Failed, "failed, declined, or no"),
        (Self::Usage, "usage: bad, missing or unacceptable input"),
        (Self::NoSuch, "no such user, session, ..."),
        (Self::NotSignedIn, "not signed in: none, expired, revoked"),
        (Self::Refused, "refused: banned, unverified, not fresh, wrong role"),
        (Self::Exists, "already exists"),
        (Self::WrongCredentials, "wrong credentials or code (one answer for unknown user and wrong password)"),
        (Self::Throttled, "throttled or locked; `retryAfter` in JSON, in seconds"),
        (Self::Database, "database cannot be used: missing, foreign, newer, corrupt, unsafe"),
        (Self::Unwritable, "file or output could not be written (disk full, read-only)"),
        (Self::Busy, "database busy: try again"),
        (Self::Unknown, "the connection broke during the commit, and it is not known whether the act happened"),
        (Self::CannotRun, "`guard`: the program cannot be run"),
        (Self::NoProgram, "`guard`: the program does not exist"),
        (Self::Interrupted, "interrupted (SIGINT)"),
        (Self::ReaderGone, "the reader of the output has gone (SIGPIPE)"),
        (Self::Terminated, "terminated (SIGTERM)"),
    ];

    pub fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::storage::StoreError;

    #[test]
    fn error_after_a_commit_says_what_was_done() {
        let failed = || anyhow::Error::new(StoreError::Full).context("could not read it back");
        let before = Failure::from(failed().context(Attempted("could not set the password")));
        assert!(before.message.starts_with("could not set the password: could not read it back: "), "{before:?}");
        assert!(before.advice().is_some_and(|hint| hint.ends_with("nothing was changed")), "{before:?}");
        let done = Done { what: "the password of a@b.co was set".into(), then: "set it again".into() };
        let after = Failure::from(failed().context(Attempted("could not set the password")).context(done));
        assert!(after.message.starts_with("the password of a@b.co was set, but could not read it back: "), "{after:?}");
        assert_eq!((after.advice().as_deref(), after.code), (Some("make room; then: set it again"), before.code));
    }

    #[test]
    fn hint_after_a_commit_keeps_only_the_remedy() {
        let done = || Done { what: "the backup b.db was made".into(), then: "use it".into() };
        for (error, alone, after) in [
            (StoreError::Busy, "try again, or wait longer with --wait 30s", "use it"),
            (StoreError::Io("EIO".into()), "look at the disk; nothing was changed", "look at the disk; then: use it"),
            (StoreError::Engine("odd".into()), "", "use it"),
        ] {
            let error = anyhow::Error::new(error);
            let shown = error.to_string();
            assert_eq!(
                classify::classify(error.as_ref()).and_then(|failure| failure.advice()).unwrap_or_default(),
                alone,
                "{shown}"
            );
            assert_eq!(Failure::from(error.context(done())).advice().as_deref(), Some(after), "{shown}");
        }
    }

    #[test]
    fn table_lists_each_exit_code_once_in_order() {
        let numbers: Vec<u8> = ExitCode::TABLE.iter().map(|(code, _)| code.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 74, 75, 76, 126, 127, 130, 141, 143]);
    }
}
