//! Tables: aligned text of any width in a pipe, and on a terminal what fits its width.
//!
//! comfy-table aligns names and values. It wraps a cell that is too long, also inside a word, cannot cut one, and takes a third
//! of the time of a list for its own cells, so tables are made here.

use std::borrow::Cow;
use std::iter::repeat_n;

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr as _;

use super::Style;

/// Some remote shells report a smaller width, which is never real.
const WIDTH_MIN: u16 = 40;
/// Below this width a record is a block of lines.
const TABLE_WIDTH_MIN: usize = 60;
/// The blanks between two columns.
const GAP: usize = 2;
const CUT: char = '…';

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub heading: &'static str,
    /// The name, if it is not the heading in lower case.
    name: Option<&'static str>,
    shown: Shown,
    /// The width to which the column shrinks.
    least: usize,
    /// Where the table is too wide, the least important columns shrink first, and then go first.
    importance: u8,
    tone: fn(&str) -> Tone,
}

impl Column {
    /// A column that is always there and never cut, so that its cells can be copied.
    pub const fn whole(heading: &'static str) -> Self {
        Self {
            heading,
            name: None,
            shown: Shown::Always,
            least: usize::MAX,
            importance: u8::MAX,
            tone: |_| Tone::Plain,
        }
    }

    /// A column without a heading that marks some rows.
    pub const fn mark(name: &'static str) -> Self {
        Self { name: Some(name), ..Self::whole("") }
    }

    /// A column that is shown only when the user names it.
    pub const fn requested(heading: &'static str) -> Self {
        Self { shown: Shown::Requested, ..Self::shrinking(heading, 8, 1) }
    }

    /// Shows the column only where the table need not fit a terminal.
    #[must_use]
    pub const fn unfitted(self) -> Self {
        Self { shown: Shown::Unfitted, ..self }
    }

    /// A column that is left out where it has no room, and never cut.
    pub const fn optional(heading: &'static str, importance: u8) -> Self {
        Self { importance, ..Self::whole(heading) }
    }

    /// A column that is shown only where no other has to shrink for it.
    pub const fn extra(heading: &'static str) -> Self {
        Self::optional(heading, 0)
    }

    /// A column that shrinks to a width.
    pub const fn shrinking(heading: &'static str, least: usize, importance: u8) -> Self {
        Self { least, importance, ..Self::whole(heading) }
    }

    /// Colours each cell by its text.
    #[must_use]
    pub const fn toned(self, tone: fn(&str) -> Tone) -> Self {
        Self { tone, ..self }
    }

    /// Shows the column only in a table that fits a terminal, where it takes the place of columns that have no room.
    #[must_use]
    pub const fn fitted(self) -> Self {
        Self { shown: Shown::Fitted, ..self }
    }

    /// Whether the user can name the column.
    pub(super) fn has_name(&self) -> bool {
        self.shown != Shown::Fitted
    }

    /// The name for `--columns`, and in formats for programs.
    pub fn name(&self) -> String {
        self.name.map_or_else(|| self.heading.to_ascii_lowercase().replace(' ', "_"), str::to_owned)
    }

    /// Whether a list has the column when the user names none.
    pub fn is_shown(&self, is_fitted: bool) -> bool {
        match self.shown {
            Shown::Always => true,
            Shown::Unfitted => !is_fitted,
            Shown::Fitted => is_fitted,
            Shown::Requested => false,
        }
    }

    /// The column as a list has it when the user names it: no other column goes before it.
    #[must_use]
    pub(super) fn named_by_user(self) -> Self {
        if self.is_extra() { Self { importance: 1, ..self } } else { self }
    }

    const fn is_extra(&self) -> bool {
        self.importance == 0
    }

    const fn is_whole(&self) -> bool {
        self.importance == u8::MAX
    }
}

/// When a list has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Always,
    Unfitted,
    Fitted,
    Requested,
}

/// Whether a table has headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Headings {
    Shown,
    Hidden,
}

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Heading,
    Good,
    Warning,
    Bad,
    /// Needed to copy it, not to read it.
    Dim,
}

impl Tone {
    pub fn paint(self, text: &str, style: Style) -> Cow<'_, str> {
        let code = match self {
            _ if !style.paints || text.is_empty() => return text.into(),
            Self::Plain => return text.into(),
            Self::Heading => "1",
            Self::Good => "32",
            Self::Warning => "33",
            Self::Bad => "31",
            Self::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m").into()
    }
}

/// Formats rows under their headings. The caller escapes the cells. A row without cells is a blank line on a terminal.
pub fn table(columns: &[Column], rows: Vec<Vec<String>>, style: Style) -> String {
    table_as(columns, rows, Headings::Shown, false, style)
}

/// As [`table`], also without headings. A wide table has the width of its cells.
pub(super) fn table_as(
    columns: &[Column],
    mut rows: Vec<Vec<String>>,
    headings: Headings,
    is_wide: bool,
    style: Style,
) -> String {
    let width = style.width.filter(|width| style.terminal && *width >= WIDTH_MIN).map(usize::from);
    match width {
        _ if style.terminal && is_wide => fitted(columns, &natural_widths(columns, &rows), &rows, headings, style),
        Some(width) => match fitted_widths(columns, &rows, width) {
            Some(widths) if width >= TABLE_WIDTH_MIN => fitted(columns, &widths, &rows, headings, style),
            _ => blocks(columns, &rows, width, headings, style),
        },
        None => {
            rows.retain(|row| !row.is_empty());
            let names: Vec<_> = columns.iter().map(|column| column.heading).collect();
            part_of_table((headings == Headings::Shown).then_some(&*names), &rows, &mut Vec::new())
        }
    }
}

fn natural_widths(columns: &[Column], rows: &[Vec<String>]) -> Vec<usize> {
    let natural = |(index, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.width());
        cells.max().unwrap_or_default().max(column.heading.width())
    };
    columns.iter().enumerate().map(natural).collect()
}

/// The widths with which a table fits a terminal, zero for a column that is left out; `None` if none are enough.
fn fitted_widths(columns: &[Column], rows: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let natural = natural_widths(columns, rows);
    let mut widths = natural.clone();
    let taken = |widths: &[usize]| {
        let shown = widths.iter().filter(|width| **width > 0);
        shown.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    let mut order: Vec<usize> = (0..columns.len()).filter(|index| !columns[*index].is_whole()).collect();
    order.sort_by_key(|index| columns[*index].importance);
    for index in order.iter().filter(|index| columns[**index].is_extra()) {
        if taken(&widths) > width {
            widths[*index] = 0;
        }
    }
    for index in &order {
        let over = taken(&widths).saturating_sub(width);
        widths[*index] -= over.min(widths[*index].saturating_sub(columns[*index].least));
    }
    for index in &order {
        if taken(&widths) > width {
            widths[*index] = 0;
        }
    }
    // The room of columns that were left out goes to those that were cut.
    for index in order.iter().rev().filter(|index| columns[**index].least < usize::MAX) {
        if widths[*index] > 0 {
            let room = width.saturating_sub(taken(&widths));
            widths[*index] = natural[*index].min(widths[*index] + room);
        }
    }
    (taken(&widths) <= width).then_some(widths)
}

fn fitted(columns: &[Column], widths: &[usize], rows: &[Vec<String>], headings: Headings, style: Style) -> String {
    let mut text = String::new();
    if headings == Headings::Shown {
        let headings = columns.iter().map(|column| (column.heading, Tone::Heading));
        add_line(&mut text, headings, widths, style);
    }
    for row in rows {
        let cells = row.iter().zip(columns).map(|(cell, column)| (cell.as_str(), (column.tone)(cell)));
        add_line(&mut text, cells, widths, style);
    }
    text
}

/// Adds a line of cells, each cut to its width. A column without a width is left out.
fn add_line<'c>(text: &mut String, cells: impl Iterator<Item = (&'c str, Tone)>, widths: &[usize], style: Style) {
    // Blanks before the next cell, so that no line ends with blanks.
    let mut blanks = 0;
    for ((cell, tone), width) in cells.zip(widths).filter(|(_, width)| **width > 0) {
        let shown = cut(cell, *width);
        if !shown.is_empty() {
            text.extend(repeat_n(' ', std::mem::take(&mut blanks)));
            text.push_str(&tone.paint(&shown, style));
        }
        blanks += width - shown.width() + GAP;
    }
    text.push('\n');
}

/// A line for each cell, and a blank line between records.
fn blocks(columns: &[Column], rows: &[Vec<String>], width: usize, headings: Headings, style: Style) -> String {
    let heading = |column: &Column| match headings {
        // A mark has its name in a block.
        Headings::Shown if column.heading.is_empty() => column.name().to_ascii_uppercase(),
        Headings::Shown => column.heading.to_owned(),
        Headings::Hidden => String::new(),
    };
    let is_named = |index: usize| rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
    let named = columns.iter().enumerate().filter(|(index, _)| is_named(*index));
    let margin = match headings {
        Headings::Shown => named.map(|(_, column)| heading(column).width()).max().unwrap_or_default() + GAP,
        Headings::Hidden => 0,
    };
    let mut text = String::new();
    for row in rows.iter().filter(|row| !row.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        for (cell, column) in row.iter().zip(columns).filter(|(cell, _)| !cell.is_empty()) {
            let shown = if column.is_whole() { cell.into() } else { cut(cell, width.saturating_sub(margin).max(1)) };
            let heading = heading(column);
            text.push_str(&Tone::Heading.paint(&heading, style));
            text.extend(repeat_n(' ', margin - heading.width()));
            text.push_str(&(column.tone)(cell).paint(&shown, style));
            text.push('\n');
        }
    }
    text
}

/// Shortens a text to a width, between words where that leaves at least half of it.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let room = width.saturating_sub(1);
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    let end = ends.take_while(|end| text[..*end].width() <= room).last().unwrap_or_default();
    let part = &text[..end];
    let words =
        if text[end..].starts_with(' ') { part } else { part.rsplit_once(' ').map_or(part, |(words, _)| words) };
    let part = if words.width() * 2 >= room { words } else { part };
    format!("{}{CUT}", part.trim_end_matches([' ', ',', ';'])).into()
}

/// Formats rows of a table that is printed in parts, for a pipe. Each part has at least the column widths of the part
/// before; the first has the headings.
pub fn part_of_table(headings: Option<&[&str]>, rows: &[Vec<String>], widths: &mut Vec<usize>) -> String {
    let headings: Vec<String> = headings.unwrap_or_default().iter().map(|heading| (*heading).to_owned()).collect();
    let lines = || Some(&headings).filter(|headings| !headings.is_empty()).into_iter().chain(rows);
    for line in lines() {
        // A column without text in this part may have some in the next one.
        widths.resize(widths.len().max(line.len()), 1);
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines() {
        let cells = line.iter().map(|cell| (cell.as_str(), Tone::Plain));
        add_line(&mut text, cells, widths, Style::default());
    }
    text
}

/// Formats names and values in two columns.
pub fn facts(facts: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.add_rows(facts.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]));
    lines(&table)
}

fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        // The style without borders still pads each cell.
        let line = line.strip_prefix(' ').unwrap_or(&line);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::shrinking("EMAIL", 10, 3),
        Column::shrinking("NAME", 6, 1),
        Column::optional("CREATED", 2),
        Column::whole("ID").toned(|_| Tone::Dim),
    ];

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn screen(width: u16) -> String {
        let rows = vec![
            row(&["ada.lovelace.king@mail.example.com", "Ada King Lovelace", "3 days ago", "u1"]),
            row(&["日本@example.com", "日本語の名前", "-", "u2"]),
        ];
        table(&COLUMNS, rows, Style { terminal: true, width: Some(width), ..Style::default() })
    }

    #[test]
    fn table_shrinks_by_importance() {
        insta::assert_snapshot!([80, 65, 60].map(screen).join("\n"), @"
        EMAIL                               NAME               CREATED     ID
        ada.lovelace.king@mail.example.com  Ada King Lovelace  3 days ago  u1
        日本@example.com                    日本語の名前       -           u2

        EMAIL                               NAME           CREATED     ID
        ada.lovelace.king@mail.example.com  Ada King…      3 days ago  u1
        日本@example.com                    日本語の名前   -           u2

        EMAIL                               NAME      CREATED     ID
        ada.lovelace.king@mail.example.com  Ada Kin…  3 days ago  u1
        日本@example.com                    日本語…   -           u2
        ");
        let narrow = [row(&["ada.lovelace@example.com", "Ada", "3 days ago", &"u".repeat(40)])];
        assert_eq!(fitted_widths(&COLUMNS, &narrow, 60), Some(vec![18, 0, 0, 40]));
        assert_eq!(fitted_widths(&COLUMNS, &narrow, 39), None);
    }

    #[test]
    fn record_is_a_block_below_sixty_columns() {
        insta::assert_snapshot!(screen(40), @"
        EMAIL    ada.lovelace.king@mail.example…
        NAME     Ada King Lovelace
        CREATED  3 days ago
        ID       u1

        EMAIL    日本@example.com
        NAME     日本語の名前
        CREATED  -
        ID       u2
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in WIDTH_MIN..120 {
            for line in screen(width).lines() {
                assert!(line.width() <= usize::from(width), "{width}: {line}");
            }
        }
    }

    #[test]
    fn text_is_cut_between_words() {
        assert_eq!(cut("two words", 9), "two words");
        assert_eq!(cut("several words", 10), "several…");
        assert_eq!(cut("two words", 8), "two wor…");
        assert_eq!(cut("unbreakable", 5), "unbr…");
        assert_eq!(cut("a verylongword", 8), "a veryl…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }

    #[test]
    fn colours_are_only_on_terminals_that_have_them() {
        let style = Style { terminal: true, width: Some(80), paints: true, ..Style::default() };
        let rows = || vec![row(&["u1"])];
        let columns = [Column::whole("ID").toned(|_| Tone::Dim)];
        assert_eq!(table(&columns, rows(), style), "\u{1b}[1mID\u{1b}[0m\n\u{1b}[2mu1\u{1b}[0m\n");
        assert_eq!(table(&columns, rows(), Style { paints: false, ..style }), "ID\nu1\n");
        assert_eq!(table(&columns, rows(), Style { terminal: false, ..style }), "ID\nu1\n");
    }

    #[test]
    fn parts_of_a_table_are_aligned() {
        let mut widths = Vec::new();
        let first = part_of_table(Some(&["A", "B", "C"]), &[row(&["1", "long enough", "x"])], &mut widths);
        assert_eq!(first, "A  B            C\n1  long enough  x\n");
        assert_eq!(part_of_table(None, &[row(&["2", "日本", "y"])], &mut widths), "2  日本         y\n");
        let longer = vec![row(&["1000", "b", "z"])];
        assert_eq!(part_of_table(None, &longer, &mut widths), "1000  b            z\n");
        assert_eq!(part_of_table(None, &[row(&["3", "c", "z"])], &mut widths), "3     c            z\n");
        let all = vec![row(&["1", "long enough", "x"])];
        assert_eq!(first, table(&["A", "B", "C"].map(Column::whole), all, Style::default()));
        assert_eq!(part_of_table(None, &[], &mut widths), "");
    }
}
