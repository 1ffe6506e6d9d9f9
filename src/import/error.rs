//! Reasons why a file cannot be imported as a whole.

use std::io;

use super::format::{self, Format};
use super::{COLUMNS_MAX, DEPTH_MAX, LINE_BYTES_MAX, RECORD_BYTES_MAX};

/// Why an export cannot be read. `file` is the name of [`Input`](super::Input).
///
/// No message quotes a line of the file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("there is no file to import")]
    NoFile,
    #[error("cannot tell which system {file} comes from; name it with --format: {}", format::names(&Format::ALL))]
    NotRecognised { file: String },
    /// The first record is too long to show a format.
    #[error("the first record of {file} is longer than {bytes} bytes, the most that a record may have")]
    FirstTooLarge { file: String, bytes: usize },
    #[error("{file} fits several formats ({}); name the right one with --format", format::names(.formats))]
    Ambiguous { file: String, formats: Vec<Format> },
    #[error("the files come from different systems: {first_file} from {first}, {file} from {format}")]
    Mixed { first_file: String, first: Format, file: String, format: Format },
    #[error("{file} is not a file of {format}")]
    WrongForm { file: String, format: Format },
    #[error("the export has users of several realms ({}); name one with --realm", .realms.join(", "))]
    SeveralRealms { realms: Vec<String> },
    #[error("the export has no users of this realm{}", of_realms(.realms))]
    NoSuchRealm { realms: Vec<String> },
    #[error("{file} is an SQLite database and not an export")]
    Sqlite { file: String },
    #[error("{file} is empty")]
    Empty { file: String },
    #[error("{file} is not UTF-8: line {line}")]
    NotUtf8 { file: String, line: u64 },
    #[error("{file} has a NUL byte: line {line}")]
    Nul { file: String, line: u64 },
    /// A line of a text file. In a table it is the row, which goes on over several lines in a quoted cell.
    #[error("a row of {file} is longer than {LINE_BYTES_MAX} bytes, or a quote is not closed: line {line}")]
    LineTooLong { file: String, line: u64 },
    /// A text outside of the records, such as a name, or a statement of SQL.
    #[error("a record of {file} is longer than {RECORD_BYTES_MAX} bytes: line {line}")]
    RecordTooLarge { file: String, line: u64 },
    #[error("the values of {file} are nested more than {DEPTH_MAX} deep: line {line}")]
    TooDeep { file: String, line: u64 },
    #[error("{file} has more than {COLUMNS_MAX} columns: line {line}")]
    TooManyColumns { file: String, line: u64 },
    #[error("{file} has a column twice: {column}")]
    ColumnTwice { file: String, column: String },
    #[error("{file} has no column address: the first line names the columns")]
    NoAddressColumn { file: String },
    #[error("{file} has the column {column}, and the columns are {known}")]
    UnknownColumn { file: String, column: String, known: &'static str },
    #[error("a quote of {file} is not closed: line {line}")]
    UnclosedQuote { file: String, line: u64 },
    /// The text is not of its format, such as JSON that ends in the middle.
    #[error("{file} cannot be read: line {line}: {detail}")]
    Syntax { file: String, line: u64, detail: &'static str },
    #[error("{file} is not a complete gzip file")]
    Gzip { file: String },
    #[error("cannot read {file}: {source}")]
    Read { file: String, source: io::Error },
    #[error("{file} has password hashes of Firebase, and these need the hash parameters of the project: --hash-config")]
    HashConfigMissing { file: String },
    #[error("the hash parameters of Firebase lack {0}, or have a value for it that Firebase does not use")]
    HashConfig(&'static str),
    #[error("{file} is of version {version} of authctl's exports, which this authctl does not know")]
    NewerExport { file: String, version: u64 },
    /// The end of the file is missing.
    #[error("{file} has {found} users, and its first line says {expected}")]
    Count { file: String, expected: u64, found: u64 },
}

fn of_realms(realms: &[String]) -> String {
    if realms.is_empty() { String::new() } else { format!(", but of {}", realms.join(", ")) }
}
