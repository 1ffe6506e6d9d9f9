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
    pub(super) fn when(self, instant: Timestamp, now: Timestamp) -> String {
        if self.terminal { relative(instant, now) } else { rfc3339(instant) }
    }
}

/// What is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// For standard output.
    pub answer: String,
    /// For standard error, a line each.
    pub done: Vec<String>,
}

impl Page {
    pub(super) fn answer(text: String) -> Self {
        Self { answer: text, done: Vec::new() }
    }

    pub(super) fn done(line: String) -> Self {
        Self { answer: String::new(), done: vec![line] }
    }
}
