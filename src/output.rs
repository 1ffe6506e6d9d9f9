//! Reports of commands as text and JSON, and the two streams they go to. Nothing here decides.

pub mod chart;
pub mod csv;
pub mod json;
pub mod list;
pub mod pager;
pub mod progress;
pub mod qr;
pub mod table;
pub mod text;
pub mod wrap;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::auth::audit::{AuditQuery, Entry};
use crate::auth::odd::readable;
use crate::auth::secret::Token;
use crate::auth::session::Selection;
use crate::auth::storage::UserQuery;
use crate::error::ExitCode;
use list::{Layout, Rows};
use text::{local, local_minute, relative, rfc3339};

/// The result of a command, ready to format. A report decides nothing.
pub trait Report: std::fmt::Debug {
    /// Formats the report as text. Everything that came from users is escaped.
    fn text(&self, now: Timestamp, style: Style) -> Page;

    /// Formats the report as JSON. Field names are Better Auth's, absent values are null, and tokens and hashes have
    /// no field unless the user requested them.
    fn json(&self) -> Value;

    /// The text that `--json` prints: one document, unless the command prints a document per line.
    fn document(&self) -> String {
        json::document(&self.json())
    }

    /// The exit code. The answer to a question may be no.
    fn exit_code(&self) -> ExitCode {
        ExitCode::Done
    }

    /// A hint for an answer that could not be written and held the only copy of a secret.
    fn lost_answer_hint(&self) -> Option<String> {
        None
    }

    /// A token that exists only in this answer. If the answer cannot be written, its session must end.
    fn unheld_token(&self) -> Option<&Token> {
        None
    }
}

/// What a command returns.
#[derive(Debug)]
pub enum Outcome {
    /// The exit code is the whole answer.
    Silent,
    /// Help or a completion script, the same under `--json`.
    Text(String),
    Report(Box<dyn Report>),
    /// Another program takes the place of this process.
    Exec(Box<Command>),
    /// A list that is printed while it is read, so that a list of any length takes no memory.
    List(Box<Listing>, Layout),
    /// A complete file for standard output, byte by byte, and the report about it for standard error.
    Bytes {
        file: File,
        report: Box<dyn Report>,
    },
    /// Entries of the audit log, followed by those to come.
    Follow(Box<Followed>),
}

/// Entries of the audit log that are printed as they come.
#[derive(Debug)]
pub struct Followed {
    /// The first ones, which were read before.
    pub entries: Vec<Entry>,
    /// The entries after them.
    pub query: AuditQuery,
    /// One JSON document per line, whatever the format.
    pub as_lines: bool,
}

/// A list to print.
#[derive(Debug)]
pub enum Listing {
    Users {
        query: UserQuery,
        /// The most users.
        limit: usize,
        /// Whether users of the database have roles.
        has_roles: bool,
    },
    /// Entries of the audit log.
    Entries { query: AuditQuery },
    Sessions {
        selection: Selection,
        /// The id of the caller's session, when the list has only sessions of the caller.
        current: Option<String>,
        /// The most sessions; `None` as the place of the output decides.
        limit: Option<usize>,
    },
    /// Sessions that end while they are printed.
    Ending(Box<Ending>),
    /// The results of the command for each of these targets, which are acted on while the results are printed.
    Each(Vec<String>),
    /// A list that was read at once.
    Rows(Rows),
    /// An export, which is complete in a file without a name, and lines about it.
    Export { file: File, about: Vec<String> },
}

/// Which sessions end.
#[derive(Debug)]
pub struct Ending {
    pub selection: Selection,
    /// No session ends.
    pub dry_run: bool,
    /// The id of the session of the stored token.
    pub current: Option<String>,
    /// The user whom the command line names.
    pub named: Option<String>,
    /// How many sessions there are to end, if they were counted.
    pub total: Option<u64>,
}

impl Outcome {
    pub fn list(listing: Listing, layout: Layout) -> Self {
        Self::List(Box::new(listing), layout)
    }
}

impl<R: Report + 'static> From<R> for Outcome {
    fn from(report: R) -> Self {
        Self::Report(Box::new(report))
    }
}

/// Properties of the output.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Style {
    /// Standard output is a terminal.
    pub terminal: bool,
    /// The width of the terminal in columns.
    pub width: Option<u16>,
    /// The height of the terminal in lines.
    pub height: Option<u16>,
    /// `None` as the place of the output decides.
    pub times: Option<Times>,
    /// Messages on standard error have colours.
    pub color: bool,
    /// Tables on standard output have colours.
    pub paints: bool,
    /// The terminal shows more than ASCII.
    pub unicode: bool,
}

/// How times are shown as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// In the time zone of this machine.
    Local,
    Utc,
    /// Relative to now.
    Relative,
}

impl Style {
    /// Formats an instant: relative to now on a terminal, as RFC 3339 in a pipe; a dash for one that cannot be read.
    pub fn when(self, instant: Timestamp, now: Timestamp) -> String {
        match (readable(instant), self.times) {
            (None, _) => "-".to_owned(),
            (Some(instant), Some(Times::Local)) => local(instant),
            (Some(instant), Some(Times::Relative)) => relative(instant, now),
            (Some(instant), None) if self.terminal => relative(instant, now),
            (Some(instant), None | Some(Times::Utc)) => rfc3339(instant),
        }
    }

    /// As [`Self::when`], with the local date on a terminal.
    pub fn dated(self, instant: Timestamp, now: Timestamp) -> String {
        let when = self.when(instant, now);
        match readable(instant) {
            Some(instant) if self.shows_dates() => format!("{when} ({})", local_minute(instant)),
            _ => when,
        }
    }

    /// Whether a person reads relative times, which the local date follows.
    fn shows_dates(self) -> bool {
        self.terminal && self.times.is_none()
    }

    /// Formats an instant as the end of a sentence: "in 7 days", on a terminal "in 7 days (2026-12-04 11:00)", "at
    /// 2026-12-04T10:00:00.000Z".
    pub fn ends(self, instant: Timestamp, now: Timestamp) -> String {
        match self.times {
            None if self.shows_dates() && instant.duration_since(now) >= DATE_MATTERS => {
                format!("{} ({})", relative(instant, now), local_minute(instant))
            }
            None | Some(Times::Relative) => relative(instant, now),
            Some(Times::Local) => format!("at {}", local(instant)),
            Some(Times::Utc) => format!("at {}", rfc3339(instant)),
        }
    }

    /// Formats an instant after the word "until": in UTC, and on a terminal "2026-12-04 11:00 (in 7 days)".
    pub fn until(self, instant: Timestamp, now: Timestamp) -> String {
        match self.times {
            None if self.shows_dates() => format!("{} ({})", local_minute(instant), relative(instant, now)),
            Some(Times::Local) => local(instant),
            // "until in 7 days" is no English.
            Some(Times::Relative) => match relative(instant, now) {
                soon if instant > now => format!("{} from now", soon.trim_start_matches("in ")),
                past => past,
            },
            None | Some(Times::Utc) => rfc3339(instant),
        }
    }
}

/// How far away an end is whose date a person wants to know.
const DATE_MATTERS: SignedDuration = SignedDuration::from_hours(12);

/// The text of a report.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// For standard output.
    pub answer: String,
    /// Lines for standard error about committed changes. They hold even if the answer cannot be written.
    pub done: Vec<String>,
    /// Lines for standard error that explain the answer. They are lost with the answer.
    pub notes: Vec<String>,
    /// Lines for standard error about what failed beside what was done. `--quiet` prints them too.
    pub errors: Vec<String>,
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

    /// A line about what failed.
    pub(crate) fn error(line: String) -> Self {
        Self { errors: vec![line], ..Self::default() }
    }

    /// A line about an act that may have changed nothing.
    pub fn done_if(changed: bool, line: String) -> Self {
        if changed { Self::done(line) } else { Self::note(line) }
    }
}

/// The pause before another write to a full pipe that may not block.
const FULL_PIPE_POLL: Duration = Duration::from_millis(5);

/// Writes the whole answer. An empty answer needs no standard output.
///
/// # Errors An error of the operating system: the pipe is closed, the disk is full.
pub fn write_answer(text: &str) -> io::Result<()> {
    write_bytes(text.as_bytes())
}

/// Writes all bytes, as [`write_answer`] does.
///
/// # Errors
/// An error of the operating system.
pub fn write_bytes(bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    // `Stdout` is not used, because it reports success for a descriptor that is open for reading only.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut left = bytes;
    while !left.is_empty() {
        match output.write(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process that holds the pipe made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE_POLL),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes a message to standard error. A message that cannot be written is lost.
pub fn write_message(text: &str) {
    // One write, so that messages of processes that share a terminal do not mix.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    const DAY: i64 = 86_400;

    fn style(terminal: bool, times: Option<Times>) -> Style {
        Style { terminal, times, ..Style::default() }
    }

    #[test]
    fn far_end_has_its_date_on_a_terminal() {
        let ends = |terminal, times, seconds| style(terminal, times).ends(at(seconds), at(0));
        assert_eq!(ends(false, None, 7 * DAY), "in 7 days");
        assert_eq!(ends(true, None, 7 * DAY), format!("in 7 days ({})", local_minute(at(7 * DAY))));
        assert_eq!(ends(true, None, 900), "in 15 minutes");
        assert_eq!(ends(true, Some(Times::Relative), 7 * DAY), "in 7 days");
        assert_eq!(ends(false, Some(Times::Local), DAY), format!("at {}", local(at(DAY))));
    }

    #[test]
    fn end_of_a_ban_follows_the_form_of_times() {
        let until = |terminal, times| style(terminal, times).until(at(7 * DAY), at(0));
        assert_eq!(until(false, None), rfc3339(at(7 * DAY)));
        assert_eq!(until(true, None), format!("{} (in 7 days)", local_minute(at(7 * DAY))));
        assert_eq!(until(true, Some(Times::Utc)), rfc3339(at(7 * DAY)));
        assert_eq!(until(false, Some(Times::Local)), local(at(7 * DAY)));
        assert_eq!(until(true, Some(Times::Relative)), "7 days from now");
        assert_eq!(style(true, Some(Times::Relative)).until(at(-DAY), at(0)), "1 day ago");
    }
}
