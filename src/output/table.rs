//! Tables: lines and wrapping for a person, aligned words without limits for a pipe.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::report::Style;

/// Too narrow to be a real width: some remote shells say so.
const WIDTH_MIN: u16 = 40;

/// Lays rows out under a header. Cells are escaped by the caller; those of column `whole` are never
/// broken, because they are there to be copied.
pub fn table(header: &[&str], rows: Vec<Vec<String>>, whole: usize, style: Style) -> String {
    let mut table = Table::new();
    table.set_header(header.to_vec()).add_rows(rows);
    if let Some(width) = style.width.filter(|width| style.terminal && *width >= WIDTH_MIN) {
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        if let Some(column) = table.column_mut(whole) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    } else {
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    lines(&table)
}

/// Lays out names and values.
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
        // The style without lines still pads every cell.
        let line = line.strip_prefix(' ').unwrap_or(&line);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
