//! What is told, and what is known about who reads it.

use jiff::Timestamp;

use super::time::{relative, rfc3339};

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
