//! Lists: columns are described once, a command gives rows, and every format is made here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::table::{Column, Headings, part_of_table, table_as};
use super::text::{cell, escape, rfc3339};
use super::{Style, csv, json};
use crate::auth::odd::readable;
use crate::error::ExitCode;

/// How a list is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    pub format: Format,
    /// The columns by name, in this order; all that fit for none.
    pub columns: Vec<String>,
    pub without_header: bool,
    /// A table of a terminal has whole ids and is as wide as it needs.
    pub is_wide: bool,
}

impl Layout {
    /// The layout of a list that `--json` prints as a document.
    #[must_use]
    pub fn as_document(self, json: bool) -> Self {
        let format = if json && self.format == Format::Table { Format::Document } else { self.format };
        Self { format, ..self }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Table,
    /// Cells between tabs.
    Tsv,
    Csv,
    /// One JSON document per line.
    Lines,
    Document,
}

/// A value of a row, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Also a number. Empty without a value.
    Text(String),
    /// The id of a row. A table on a terminal has its first characters.
    Id(String),
    Time(Timestamp),
    /// Whether the row has the mark of its column.
    Mark(bool),
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn id(id: &str) -> Self {
        Self::Id(id.to_owned())
    }

    pub fn yes_no(yes: bool) -> Self {
        Self::text(if yes { "yes" } else { "no" })
    }
}

impl<T: Into<String>> From<Option<T>> for Cell {
    fn from(text: Option<T>) -> Self {
        text.map_or_else(|| Self::text(""), Self::text)
    }
}

/// The values of an item. A row without values is a blank line in the table of a terminal.
pub type Row = Vec<Cell>;

/// A list that was read at once.
#[derive(Debug, Default)]
pub struct Rows {
    /// The field of the JSON document with the items.
    pub name: &'static str,
    pub columns: Vec<Column>,
    pub items: Vec<Item>,
    /// The fields of the JSON document after the items.
    pub fields: Vec<(&'static str, Value)>,
    /// Lines for standard error. Without items they take the place of the headings.
    pub notes: Vec<String>,
    /// The answer that the list is.
    pub exit_code: ExitCode,
}

/// An item of a list.
#[derive(Debug, Clone)]
pub struct Item {
    pub document: Value,
    pub row: Row,
    /// A table has a blank line between the items of different groups.
    pub group: &'static str,
}

/// A name that is no column of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no column `{name}`; the columns are {}", .columns.join(", "))]
pub struct UnknownColumn {
    name: String,
    columns: Vec<String>,
}

/// The characters of an id in a table on a terminal, and more where several ids begin with them. Commands take fewer.
const SHORT_ID: usize = 8;

/// Writes a list part by part, so that a list of any length takes no memory.
#[derive(Debug)]
pub struct ListWriter {
    format: Format,
    style: Style,
    is_wide: bool,
    without_header: bool,
    columns: Vec<Column>,
    /// The place of each column in a row.
    places: Vec<usize>,
    /// The widths of the columns so far, in the table of a pipe.
    widths: Vec<usize>,
}

impl ListWriter {
    /// # Errors
    /// [`UnknownColumn`].
    pub fn new(all: &[Column], layout: &Layout, style: Style) -> Result<Self, UnknownColumn> {
        let is_fitted = layout.format == Format::Table && style.terminal && !layout.is_wide;
        let places: Vec<usize> = if layout.columns.is_empty() {
            let is_shown = |place: &usize| all[*place].is_shown(is_fitted);
            (0..all.len()).filter(is_shown).collect()
        } else {
            layout.columns.iter().map(|name| place(all, name)).collect::<Result<_, _>>()?
        };
        // A column that the user names is shown where it has room.
        let column = |place: &usize| if layout.columns.is_empty() { all[*place] } else { all[*place].named_by_user() };
        Ok(Self {
            format: layout.format,
            style,
            is_wide: layout.is_wide,
            without_header: layout.without_header,
            columns: places.iter().map(column).collect(),
            places,
            widths: Vec::new(),
        })
    }

    /// Whether the list is a table for a terminal, which is made in one part.
    pub fn is_screen(&self) -> bool {
        self.format == Format::Table && self.style.terminal
    }

    pub fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    pub fn is_document(&self) -> bool {
        self.format == Format::Document
    }

    /// Whether the list is written from the documents of its items and not from rows.
    pub fn is_json(&self) -> bool {
        matches!(self.format, Format::Lines | Format::Document)
    }

    /// Writes items as JSON. `end` has the fields after the last one.
    pub fn items(&self, name: &str, items: &[Value], is_first: bool, end: Option<&[(&str, Value)]>) -> String {
        match self.format {
            Format::Document => json::part_of_document(name, is_first, items, end),
            _ => items.iter().map(|item| json::line(item) + "\n").collect(),
        }
    }

    /// Writes rows, the headings before the first one.
    pub fn rows(&mut self, rows: &[Row], is_first: bool, now: Timestamp) -> String {
        let has_header = is_first && !self.without_header;
        match self.format {
            Format::Tsv => self.lines(rows, has_header, "\t", |text, _| text.to_owned()),
            Format::Csv => {
                self.lines(rows, has_header, ",", |text, is_id| if is_id { csv::quoted(text) } else { csv::cell(text) })
            }
            _ => self.table(rows, has_header, now),
        }
    }

    fn lines(&self, rows: &[Row], has_header: bool, separator: &str, written: impl Fn(&str, bool) -> String) -> String {
        let mut text = String::new();
        let mut add = |cells: Vec<String>| {
            text.push_str(&cells.join(separator));
            text.push('\n');
        };
        if has_header {
            add(self.columns.iter().map(Column::name).collect());
        }
        for row in rows.iter().filter(|row| !row.is_empty()) {
            let cells = self.places.iter().filter_map(|place| row.get(*place));
            add(cells.map(|cell| written(&data(cell), matches!(cell, Cell::Id(_)))).collect());
        }
        text
    }

    fn table(&mut self, rows: &[Row], has_header: bool, now: Timestamp) -> String {
        let lengths: Vec<usize> = self.places.iter().map(|place| self.id_length(rows, *place)).collect();
        let shown = |row: &Row| -> Vec<String> {
            let cells =
                self.places.iter().zip(&lengths).filter_map(|(place, length)| Some((row.get(*place)?, *length)));
            cells.map(|(cell, length)| self.shown(cell, length, now)).collect()
        };
        let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
        if self.style.terminal {
            let headings = if has_header { Headings::Shown } else { Headings::Hidden };
            return table_as(&self.columns, rows, headings, self.is_wide, self.style);
        }
        let headings: Vec<&str> = self.columns.iter().map(|column| column.heading).collect();
        let rows: Vec<Vec<String>> = rows.into_iter().filter(|row| !row.is_empty()).collect();
        part_of_table(has_header.then_some(&*headings), &rows, &mut self.widths)
    }

    /// The length to which the ids of a column are cut.
    fn id_length(&self, rows: &[Row], place: usize) -> usize {
        if !self.is_screen() || self.is_wide {
            return usize::MAX;
        }
        let ids = rows.iter().filter_map(|row| match row.get(place) {
            Some(Cell::Id(id)) => Some(id.as_str()),
            _ => None,
        });
        let ids: Vec<&str> = ids.collect::<BTreeSet<_>>().into_iter().collect();
        // In their order, the two ids with the longest common beginning are neighbours.
        let common =
            |pair: &[&str]| pair[0].chars().zip(pair[1].chars()).take_while(|(one, other)| one == other).count();
        ids.windows(2).map(|pair| common(pair) + 1).max().unwrap_or_default().max(SHORT_ID)
    }

    fn shown(&self, value: &Cell, id_length: usize, now: Timestamp) -> String {
        match value {
            Cell::Text(text) => cell(text),
            // A number has no prefix.
            Cell::Id(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => cell(id),
            Cell::Id(id) => cell(&id.chars().take(id_length).collect::<String>()),
            Cell::Time(instant) => self.style.when(*instant, now),
            Cell::Mark(is_set) => if *is_set { "*" } else { "" }.to_owned(),
        }
    }
}

/// The place of a column by name, in any case and with any sign between words.
fn place(all: &[Column], name: &str) -> Result<usize, UnknownColumn> {
    let plain = |name: &str| name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let has_name = |column: &&Column| column.has_name();
    all.iter().position(|column| has_name(&column) && column.name() == plain(name)).ok_or_else(|| UnknownColumn {
        name: escape(name).into_owned(),
        columns: all.iter().filter(has_name).map(Column::name).collect(),
    })
}

/// A value for programs, on one line.
fn data(value: &Cell) -> String {
    match value {
        Cell::Text(text) | Cell::Id(text) => escape(text).into_owned(),
        Cell::Time(instant) => readable(*instant).map_or_else(String::new, rfc3339),
        Cell::Mark(is_set) => is_set.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    const COLUMNS: [Column; 5] = [
        Column::mark("current"),
        Column::shrinking("NAME", 6, 1),
        Column::optional("SIGNED IN", 2),
        Column::whole("ID"),
        Column::requested("BAN REASON"),
    ];

    fn row(is_marked: bool, name: &str, id: &str) -> Row {
        vec![Cell::Mark(is_marked), Cell::text(name), Cell::Time(at(0)), Cell::id(id), Cell::text("spam")]
    }

    fn rows() -> Vec<Row> {
        vec![row(true, "Ada, \"King\"", "0123456789abcdef"), row(false, "=1+1\t\n\u{1b}", "01234567zzzzzzzz")]
    }

    fn screen() -> Style {
        Style { terminal: true, width: Some(80), ..Style::default() }
    }

    fn printed(layout: &Layout, style: Style) -> String {
        ListWriter::new(&COLUMNS, layout, style).unwrap().rows(&rows(), true, at(60))
    }

    #[test]
    fn ids_are_cut_to_what_tells_them_apart_on_a_terminal() {
        insta::assert_snapshot!(printed(&Layout::default(), screen()), @r#"
           NAME                  SIGNED IN     ID
        *  Ada, "King"           1 minute ago  012345678
           =1+1\u{9}\u{a}\u{1b}  1 minute ago  01234567z
        "#);
        insta::assert_snapshot!(printed(&Layout { is_wide: true, ..Layout::default() }, screen()), @r#"
           NAME                  SIGNED IN     ID
        *  Ada, "King"           1 minute ago  0123456789abcdef
           =1+1\u{9}\u{a}\u{1b}  1 minute ago  01234567zzzzzzzz
        "#);
        insta::assert_snapshot!(printed(&Layout::default(), Style::default()), @r#"
           NAME                  SIGNED IN                 ID
        *  Ada, "King"           2026-09-21T14:13:20.000Z  0123456789abcdef
           =1+1\u{9}\u{a}\u{1b}  2026-09-21T14:13:20.000Z  01234567zzzzzzzz
        "#);
    }

    #[test]
    fn number_is_never_cut() {
        let mut list = ListWriter::new(&COLUMNS[3..4], &Layout::default(), screen()).unwrap();
        let numbers = vec![vec![Cell::id("1234567890")], vec![Cell::id("abcdefghijk")]];
        assert_eq!(list.rows(&numbers, true, at(0)), "ID\n1234567890\nabcdefgh\n");
    }

    #[test]
    fn cells_of_programs_are_on_one_line_and_whole() {
        let layout = |format| Layout { format, ..Layout::default() };
        insta::assert_snapshot!(printed(&layout(Format::Csv), screen()), @r#"
        current,name,signed_in,id
        true,"Ada, ""King""",2026-09-21T14:13:20.000Z,"0123456789abcdef"
        false,"'=1+1\u{9}\u{a}\u{1b}",2026-09-21T14:13:20.000Z,"01234567zzzzzzzz"
        "#);
        insta::assert_snapshot!(printed(&layout(Format::Tsv), screen()).replace('\t', "|"), @r#"
        current|name|signed_in|id
        true|Ada, "King"|2026-09-21T14:13:20.000Z|0123456789abcdef
        false|=1+1\u{9}\u{a}\u{1b}|2026-09-21T14:13:20.000Z|01234567zzzzzzzz
        "#);
    }

    #[test]
    fn columns_are_chosen_by_name_in_any_spelling() {
        let columns = ["ID", "signed-in", "Ban_Reason"].map(str::to_owned).to_vec();
        let layout = Layout { columns, format: Format::Tsv, without_header: true, ..Layout::default() };
        assert_eq!(printed(&layout, screen()).lines().next(), Some("0123456789abcdef\t2026-09-21T14:13:20.000Z\tspam"));
        let unknown = Layout { columns: vec!["nme".to_owned()], ..Layout::default() };
        assert_eq!(
            ListWriter::new(&COLUMNS, &unknown, screen()).unwrap_err().to_string(),
            "there is no column `nme`; the columns are current, name, signed_in, id, ban_reason"
        );
    }
}
