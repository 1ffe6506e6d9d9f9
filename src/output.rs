//! Answers of commands: as text and as JSON, and the two streams they go to. Nothing here decides.

pub mod json;
pub mod text;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::auth::audit::Entry;
use crate::auth::secret::Token;
use crate::error::ExitCode;
use text::{relative, rfc3339};

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

/// What is known about where the words go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Standard output is a terminal.
    pub terminal: bool,
    /// Its width in columns.
    pub width: Option<u16>,
    /// Colours are wanted on standard error.
    pub color: bool,
}

impl Style {
    /// An instant: an age for a person at a terminal, RFC 3339 for whatever reads a pipe.
    pub fn when(self, instant: Timestamp, now: Timestamp) -> String {
        if self.terminal { relative(instant, now) } else { rfc3339(instant) }
    }
}

/// What is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// For standard output.
    pub answer: String,
    /// What the command changed, a line each for standard error. An answer that cannot be written does not
    /// take it back.
    pub done: Vec<String>,
    /// Explains an answer that changed nothing, a line each for standard error. Lost with the answer.
    pub notes: Vec<String>,
}

impl Page {
    pub(crate) fn answer(text: String) -> Self {
        Self { answer: text, ..Self::default() }
    }

    pub fn done(line: String) -> Self {
        Self { done: vec![line], ..Self::default() }
    }

    pub fn note(line: String) -> Self {
        Self { notes: vec![line], ..Self::default() }
    }

    /// A line about an act, which may have had nothing to change.
    pub fn done_if(changed: bool, line: String) -> Self {
        if changed { Self::done(line) } else { Self::note(line) }
    }
}

/// The pause before another write to a full pipe that may not block.
const FULL_PIPE_POLL: Duration = Duration::from_millis(5);

/// Writes the answer, all of it, or says why not. An empty answer needs no standard output.
///
/// # Errors
/// Whatever the operating system said: the reader has gone, the disk is full.
pub fn write_answer(text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    // Not through `Stdout`: it reports success when the descriptor is open for reading only.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut left = text.as_bytes();
    while !left.is_empty() {
        match output.write(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another holder of the pipe has set it not to block.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE_POLL),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes a message for a person. A message that cannot be written is lost.
pub fn write_message(text: &str) {
    // One write, so that messages of processes that share a terminal do not mix.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
