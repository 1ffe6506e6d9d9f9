//! The lines of a text file.

use serde_json::Value;

use super::error::ImportError;
use super::input::Bytes;
use super::json;
use super::record::{Item, Record};
use super::{LINE_BYTES_MAX, RECORD_BYTES_MAX};

/// A line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// The text without the line end, or `None` if it is longer than allowed.
    pub(super) text: Option<String>,
}

/// What becomes of a line that is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooLong {
    /// The rest is skipped, and `text` is `None`.
    Skip,
    /// It is an error.
    Refuse,
}

/// Reads the next line of at most `max` bytes.
pub(super) fn next_line(bytes: &mut Bytes, max: usize, too_long: TooLong) -> Result<Option<Line>, ImportError> {
    let number = bytes.line();
    let mut text = Vec::new();
    let mut fits = true;
    let mut is_there = false;
    loop {
        let piece = bytes.fill()?;
        if piece.is_empty() {
            break;
        }
        is_there = true;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let part = &piece[..end.unwrap_or(piece.len())];
        fits = fits && text.len() + part.len() <= max;
        if !fits && too_long == TooLong::Refuse {
            return Err(ImportError::LineTooLong { file: bytes.name().to_owned(), line: number });
        }
        if fits {
            text.extend_from_slice(part);
        }
        let length = end.map_or(piece.len(), |end| end + 1);
        bytes.consume(length);
        if end.is_some() {
            break;
        }
    }
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    // The bytes are checked before.
    let text = fits.then(|| String::from_utf8_lossy(&text).into_owned());
    Ok(is_there.then_some(Line { number, text }))
}

/// How a file with a record a line reads one.
#[derive(Debug, Clone, Copy)]
struct Form {
    /// The most bytes of a line.
    max: usize,
    too_long: TooLong,
    /// Reads a line that is neither empty nor too long. `None` for a comment.
    read: fn(&Bytes, u64, &str) -> Result<Option<Item>, ImportError>,
}

/// The records of a file with a record a line.
pub(super) struct RecordLines {
    bytes: Bytes,
    form: Form,
}

impl RecordLines {
    /// A JSON object a line.
    pub(super) fn json(bytes: Bytes) -> Self {
        Self { bytes, form: Form { max: RECORD_BYTES_MAX, too_long: TooLong::Skip, read: json::read_line } }
    }

    /// Fields between colons, which are named by their places from 0.
    pub(super) fn colons(bytes: Bytes) -> Self {
        Self { bytes, form: Form { max: LINE_BYTES_MAX, too_long: TooLong::Refuse, read: colons } }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        let Form { max, too_long, read } = self.form;
        loop {
            let Some(line) = next_line(&mut self.bytes, max, too_long)? else { return Ok(None) };
            let Some(text) = line.text else { return Ok(Some(Item::too_large(line.number))) };
            if text.trim().is_empty() {
                continue;
            }
            if let Some(item) = read(&self.bytes, line.number, &text)? {
                return Ok(Some(item));
            }
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a line of another form can be an error")]
fn colons(_: &Bytes, line: u64, text: &str) -> Result<Option<Item>, ImportError> {
    if text.starts_with('#') {
        return Ok(None);
    }
    let values: Vec<Value> = text.split(':').map(Value::from).collect();
    let names = (0..values.len()).map(|place| place.to_string().into()).collect();
    Ok(Some(Item::Record(Record::of_row(line, names, values))))
}
