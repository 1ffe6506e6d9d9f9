//! Entries of the audit log as they come.

use jiff::Timestamp;

use super::sentence::Addresses;
use super::{Entry, entry_json, row};
use crate::context::Context;
use crate::output::list::{Cell, Row};
use crate::output::table::{cut, part_of_table};
use crate::output::text::{cell, rfc3339};
use crate::output::{Followed, Style, json};

/// How many entries are read at a time.
const CHUNK: usize = 1000;

/// Reads the log from an entry on and formats what it finds.
#[derive(Debug)]
pub(crate) struct Follower {
    followed: Followed,
    style: Style,
    /// The widths of the columns so far.
    widths: Vec<usize>,
    addresses: Addresses,
}

impl Follower {
    pub(crate) fn new(followed: Followed, json: bool, style: Style) -> Self {
        let followed = Followed { as_lines: followed.as_lines || json, ..followed };
        Self { followed, style, widths: Vec::new(), addresses: Addresses::default() }
    }

    /// Reads the next entries and returns their lines, each with its end, and whether others may be there already.
    pub(crate) fn next(&mut self, context: &mut Context) -> anyhow::Result<(Vec<String>, bool)> {
        let mut entries = std::mem::take(&mut self.followed.entries);
        if !entries.is_empty() {
            return Ok((self.lines(&entries, context)?, true));
        }
        let (mut read, mut last) = (0, self.followed.query.after);
        let query = &self.followed.query;
        context.auth_without_times()?.store.each_entry(last, &mut |entry| {
            (read, last) = (read + 1, entry.seq);
            if query.matches(&entry) {
                entries.push(entry);
            }
            read < CHUNK
        })?;
        self.followed.query.after = last;
        Ok((self.lines(&entries, context)?, read == CHUNK))
    }

    fn lines(&mut self, entries: &[Entry], context: &mut Context) -> anyhow::Result<Vec<String>> {
        if self.followed.as_lines {
            return Ok(entries.iter().map(|entry| json::line(&entry_json(entry)) + "\n").collect());
        }
        self.addresses.read(entries, context)?;
        let now = context.now()?;
        let cells = |entry: &Entry| self.cells(row(entry, &self.addresses), now);
        let rows: Vec<Vec<String>> = entries.iter().map(cells).collect();
        let table = part_of_table(None, &rows, &mut self.widths);
        let width = self.style.width.filter(|_| self.style.terminal).map_or(usize::MAX, usize::from);
        Ok(table.lines().map(|line| format!("{}\n", cut(line, width))).collect())
    }

    /// The cells of an entry: in a pipe those of a list, on a terminal those that have room.
    fn cells(&self, row: Row, now: Timestamp) -> Vec<String> {
        let columns = super::COLUMNS.iter().zip(row).filter(|(column, _)| column.is_shown(self.style.terminal));
        let shown = columns.map(|(_, value)| match value {
            Cell::Time(instant) if self.style.times.is_some() => self.style.when(instant, now),
            // The date stays the same for long, and times are read in a column.
            Cell::Time(instant) if self.style.terminal => instant.strftime("%m-%d %H:%M:%SZ").to_string(),
            Cell::Time(instant) => rfc3339(instant),
            Cell::Text(text) | Cell::Id(text) => cell(&text),
            Cell::Mark(_) => String::new(),
        });
        shown.collect()
    }
}
