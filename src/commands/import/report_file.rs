//! The file of `--report`, with what becomes of each row.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::auth::import::{RowReport, RowResult};
use crate::error::CommandError;
use crate::output::json::line;
use crate::output::text::{escape, escaped};
use crate::output_file;

/// How a file of `--report` begins.
const START: &[u8] = b"{\"file\":";

/// The file of `--report`: one JSON document per row, in the order of the rows.
pub(super) struct ReportFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// The names of the files of the export.
    names: Vec<String>,
    /// The number of rows before those that were added last, and where the lines of these begin.
    newest: Option<(u64, u64)>,
}

impl ReportFile {
    /// Opens the file, or makes it, readable by its owner alone. One that an earlier import wrote goes on.
    ///
    /// # Errors
    /// [`CommandError::FileExists`] for any other file.
    pub(super) fn open(path: &Path, names: &[String]) -> Result<Self, CommandError> {
        let failed = |source| CommandError::NotWritten { path: path.to_owned(), source };
        if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
            return Err(CommandError::FileExists(path.to_owned()));
        }
        let mut file = output_file::open_or_create(path).map_err(failed)?;
        let mut start = Vec::new();
        (&mut file).take(START.len() as u64).read_to_end(&mut start).map_err(failed)?;
        if !start.is_empty() && start != START {
            return Err(CommandError::FileExists(path.to_owned()));
        }
        output_file::make_private(&file).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), names: names.to_vec(), newest: None })
    }

    /// Keeps the lines of the first rows, and removes all behind them.
    pub(super) fn keep(&mut self, rows: u64) -> Result<(), CommandError> {
        self.kept(rows).map_err(|source| self.failed(source))
    }

    fn kept(&mut self, rows: u64) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut lines = BufReader::new(&mut *file);
        let mut length = 0;
        for _ in 0..rows {
            length += lines.skip_until(b'\n')? as u64;
        }
        self.cut(length)
    }

    /// Removes all behind a length, so that the next line begins there.
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.get_mut().set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(|_| ())
    }

    /// Adds the lines of the rows behind the first `after` rows of the export. The same rows again take the place of their
    /// lines.
    pub(super) fn put(&mut self, after: u64, rows: &[RowReport]) -> Result<(), CommandError> {
        let begun = match self.newest {
            Some((same, start)) if same == after => self.cut(start),
            _ => self.file.stream_position().map(|start| self.newest = Some((after, start))),
        };
        begun.map_err(|source| self.failed(source))?;
        self.add(rows)
    }

    pub(super) fn add(&mut self, rows: &[RowReport]) -> Result<(), CommandError> {
        for row in rows {
            let text = line(&document(row, &self.names));
            writeln!(self.file, "{text}").map_err(|source| self.failed(source))?;
        }
        self.file.flush().map_err(|source| self.failed(source))
    }

    pub(super) fn finish(&mut self) -> Result<(), CommandError> {
        self.file.get_mut().sync_all().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> CommandError {
        CommandError::NotWritten { path: self.path.clone(), source }
    }
}

/// A line of `--report`.
fn document(row: &RowReport, names: &[String]) -> Value {
    let (reason, detail) = match &row.result {
        RowResult::Refused(reason, detail) => (Some(reason), Some(detail)),
        _ => (None, None),
    };
    let warnings: Vec<&str> = row.warnings.iter().map(|warning| warning.name()).collect();
    json!({
        "file": name_of(row, names),
        "row": row.place.row,
        "line": row.place.line,
        "result": row.result.name(),
        "reason": reason,
        "detail": detail,
        "userId": row.user_id,
        "email": row.email,
        "hash": row.hash,
        "warnings": warnings,
    })
}

fn name_of<'a>(row: &RowReport, names: &'a [String]) -> &'a str {
    names.get(row.place.file as usize).map_or("", String::as_str)
}

/// A refused row, in a line for people.
pub(super) fn line_of(row: &RowReport, names: &[String]) -> String {
    let RowResult::Refused(reason, detail) = &row.result else { return String::new() };
    let place = format!("row {} (line {})", row.place.row, row.place.line);
    let place = if names.len() > 1 { format!("{}, {place}", escape(name_of(row, names))) } else { place };
    let who = row.email.as_deref().or(row.user_id.as_deref());
    let who = who.map_or_else(String::new, |who| format!(" {}", escaped(who)));
    format!("{place}{who}: {}: {}", reason.name(), escape(detail))
}
