//! The rows of a table whose cells are separated by commas (RFC 4180), or by semicolons or tabs.

use std::rc::Rc;

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use serde_json::Value;

use super::error::ImportError;
use super::input::Bytes;
use super::record::{Item, Record, is_name_of_person, is_null_word};
use super::{COLUMNS_MAX, LINE_BYTES_MAX};
use crate::auth::import::row::Reason;

/// The word in the header that says that cells are protected from spreadsheets.
const ESCAPED: &str = "escaped";
/// First characters of a cell that a spreadsheet takes for a formula, and the character that protects them.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

pub(super) const COMMA: u8 = b',';
/// The separators of cells. Spreadsheets write semicolons where the comma is the sign of decimals.
pub(super) const SEPARATORS: [u8; 3] = [COMMA, b';', b'\t'];

/// A cell as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) is_quoted: bool,
}

/// A row as it stands in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<Cell>,
}

/// Splits a file into rows.
pub(super) struct Rows {
    bytes: Bytes,
    reader: Reader,
    cell: Vec<u8>,
}

impl Rows {
    pub(super) fn new(bytes: Bytes, separator: u8) -> Self {
        Self { bytes, reader: split_at(separator), cell: vec![0; LINE_BYTES_MAX] }
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, ImportError> {
        loop {
            self.skip_line_ends()?;
            let line = self.bytes.line();
            let Some(cells) = self.cells(line)? else { return Ok(None) };
            let is_blank = cells.len() == 1 && !cells[0].is_quoted && cells[0].text.trim().is_empty();
            if !is_blank {
                return Ok(Some(Row { line, cells }));
            }
        }
    }

    fn skip_line_ends(&mut self) -> Result<(), ImportError> {
        loop {
            let piece = self.bytes.fill()?;
            let ends = piece.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if ends == 0 {
                return Ok(());
            }
            self.bytes.consume(ends);
        }
    }

    fn cells(&mut self, line: u64) -> Result<Option<Vec<Cell>>, ImportError> {
        let file = || self.bytes.name().to_owned();
        let (too_long, unclosed, too_many) = (
            ImportError::LineTooLong { file: file(), line },
            ImportError::UnclosedQuote { file: file(), line },
            ImportError::TooManyColumns { file: file(), line },
        );
        let mut cells = Vec::new();
        let mut row_bytes = 0;
        loop {
            let mut length = 0;
            let mut is_quoted = None;
            let mut has_open_quote = false;
            let is_last = loop {
                let piece = self.bytes.fill()?;
                let is_end = piece.is_empty();
                is_quoted = is_quoted.or(piece.first().map(|byte| *byte == b'"'));
                let (result, read, written) = self.reader.read_field(piece, &mut self.cell[length..]);
                if is_quoted == Some(true) {
                    has_open_quote = piece[..read].iter().fold(has_open_quote, |open, byte| open ^ (*byte == b'"'));
                }
                self.bytes.consume(read);
                row_bytes += read;
                length += written;
                if row_bytes > LINE_BYTES_MAX {
                    return Err(too_long);
                }
                match result {
                    ReadFieldResult::InputEmpty => {}
                    ReadFieldResult::OutputFull => return Err(too_long),
                    ReadFieldResult::Field { record_end } => {
                        if is_end && has_open_quote {
                            return Err(unclosed);
                        }
                        break record_end;
                    }
                    ReadFieldResult::End => return Ok(None),
                }
            };
            if cells.len() == COLUMNS_MAX {
                return Err(too_many);
            }
            // The bytes are checked before.
            let text = String::from_utf8_lossy(&self.cell[..length]).into_owned();
            cells.push(Cell { text, is_quoted: is_quoted == Some(true) });
            if is_last {
                return Ok(Some(cells));
            }
        }
    }
}

/// The records of a table with a header.
pub(super) struct CsvTable {
    rows: Rows,
    names: Rc<[Box<str>]>,
    is_escaped: bool,
}

impl CsvTable {
    /// Reads the header.
    pub(super) fn new(bytes: Bytes, separator: u8) -> Result<Self, ImportError> {
        let file = bytes.name().to_owned();
        let mut rows = Rows::new(bytes, separator);
        let names = header(&mut rows)?;
        for (place, name) in names.iter().enumerate() {
            if !name.is_empty() && names[..place].iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(ImportError::ColumnTwice { file, column: name.to_string() });
            }
        }
        let is_escaped = names.iter().any(|name| name.eq_ignore_ascii_case(ESCAPED));
        Ok(Self { rows, names, is_escaped })
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.rows.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.rows.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        let Some(mut row) = self.rows.next()? else { return Ok(None) };
        join_hash(&mut row.cells, self.names.len());
        if row.cells.len() != self.names.len() {
            let detail = "the number of cells is not that of the header";
            return Ok(Some(Item::fault(row.line, Reason::Syntax, detail)));
        }
        let cells = self.names.iter().zip(row.cells);
        let values = cells.map(|(name, cell)| value(name, cell, self.is_escaped)).collect();
        Ok(Some(Item::Record(Record::of_row(row.line, Rc::clone(&self.names), values))))
    }
}

fn header(rows: &mut Rows) -> Result<Rc<[Box<str>]>, ImportError> {
    let cells = rows.next()?.unwrap_or_default().cells;
    Ok(cells.into_iter().map(|cell| cell.text.trim().into()).collect())
}

/// Puts a hash in the last column together that has commas and no quotes, such as those of Argon2.
fn join_hash(cells: &mut Vec<Cell>, columns: usize) {
    let Some(last) = columns.checked_sub(1).filter(|last| last + 1 < cells.len()) else { return };
    if cells[last].text.starts_with('$') && cells[last..].iter().all(|cell| !cell.is_quoted) {
        let parts: Vec<String> = cells.drain(last..).map(|cell| cell.text).collect();
        cells.push(Cell { text: parts.join(","), is_quoted: false });
    }
}

fn value(name: &str, cell: Cell, is_escaped: bool) -> Value {
    let Cell { text, is_quoted } = cell;
    if is_null_word(&text) && !(is_quoted && is_name_of_person(name)) {
        return Value::Null;
    }
    let protected = is_escaped.then(|| text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA_STARTS)));
    Value::String(protected.flatten().map_or_else(|| text.clone(), str::to_owned))
}

/// The rows of a table without a header. Columns are named by their places from 0.
pub(super) struct CsvColumns {
    rows: Rows,
    /// The number of cells of the first row, which is that of all.
    width: Option<usize>,
}

impl CsvColumns {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { rows: Rows::new(bytes, COMMA), width: None }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.rows.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.rows.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        let Some(row) = self.rows.next()? else { return Ok(None) };
        // Rows that a quote has joined would lose users.
        if row.cells.len() != *self.width.get_or_insert(row.cells.len()) {
            let detail = "the number of cells is not that of the first row";
            return Ok(Some(Item::fault(row.line, Reason::Syntax, detail)));
        }
        let names = (0..row.cells.len()).map(|place| place.to_string().into()).collect();
        let values = row.cells.into_iter().map(|cell| value("", cell, false)).collect();
        Ok(Some(Item::Record(Record::of_row(row.line, names, values))))
    }
}

fn split_at(separator: u8) -> Reader {
    ReaderBuilder::new().delimiter(separator).build()
}

/// The cells of a line.
pub(super) fn cells_of(line: &str, separator: u8) -> Vec<String> {
    let mut reader = split_at(separator);
    let mut cell = vec![0; LINE_BYTES_MAX];
    let mut cells = Vec::new();
    let mut rest = line.as_bytes();
    let mut length = 0;
    while cells.len() <= COLUMNS_MAX {
        let (result, read, written) = reader.read_field(rest, &mut cell[length..]);
        rest = &rest[read..];
        length += written;
        match result {
            // Without more, the next call ends the cell.
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::Field { record_end } => {
                cells.push(String::from_utf8_lossy(&cell[..length]).trim().to_owned());
                length = 0;
                if record_end {
                    break;
                }
            }
            ReadFieldResult::OutputFull | ReadFieldResult::End => break,
        }
    }
    cells
}
