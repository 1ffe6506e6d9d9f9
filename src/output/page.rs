//! What is told, and what is known about who reads it.

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
