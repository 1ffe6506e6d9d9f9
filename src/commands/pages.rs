//! Lists that are printed while they are read, page by page, so that a list of any length takes no memory.

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::Command;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::output::list::{Item, Layout, ListWriter, Row, Rows, UnknownColumn};
use crate::output::table::Column;
use crate::output::{Listing, Page, Style};

/// The items of a page in a pipe. No transaction is open while they are printed, because a reader of the pipe may
/// stop for hours.
const PAGE: usize = 1000;
/// The items on a terminal, if no limit is given.
const SCREEN: usize = 200;

/// What a list consists of, and how each item reads.
pub(super) trait List: std::fmt::Debug {
    type Item;

    /// The field of the JSON document with the items.
    fn name(&self) -> &'static str;

    /// Reads the next items, at most about `size`. Returns them, and whether others follow.
    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Self::Item>, bool)>;

    /// What follows the last item that is printed. `has_more` if the list goes on after it.
    fn end(&mut self, has_more: bool, printed: usize, context: &mut Context) -> anyhow::Result<End>;

    /// The fields of the JSON document after the items, when an error takes the place of the next page.
    fn cut_off(&self) -> Vec<(&'static str, Value)>;

    fn json(&self, item: &Self::Item) -> Value;

    fn columns(&self) -> Vec<Column>;

    /// The values of an item, one for each column.
    fn row(&self, item: &Self::Item, now: Timestamp) -> Row;

    /// Whether a table has a blank line between two items.
    fn are_apart(&self, _before: &Self::Item, _item: &Self::Item) -> bool {
        false
    }

    /// Whether a table without items has headings.
    fn has_headings_alone(&self) -> bool {
        true
    }

    /// Whether reading the list changes the database, so that it goes on when nothing can be printed.
    fn is_act(&self) -> bool {
        false
    }

    /// The exit code, once the list is over.
    fn exit_code(&self) -> ExitCode {
        ExitCode::Done
    }
}

/// What follows the items.
#[derive(Debug, Default)]
pub(super) struct End {
    /// The fields of the JSON document after the items.
    pub(super) fields: Vec<(&'static str, Value)>,
    pub(super) done: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// A list that is being printed.
pub(crate) trait Pages {
    /// Reads a page and formats it.
    fn next(&mut self, context: &mut Context) -> anyhow::Result<Page>;

    /// Whether the last page was read.
    fn is_over(&self) -> bool;

    /// The end of a document that was begun, when an error takes the place of the next page.
    fn cut_off(&self) -> String;

    /// See [`List::is_act`].
    fn is_act(&self) -> bool;

    /// See [`List::exit_code`].
    fn exit_code(&self) -> ExitCode {
        ExitCode::Done
    }
}

/// Begins to print the list of a command.
///
/// # Errors
/// A usage error for a column that does not exist.
pub(crate) fn pages<'c>(
    listing: Listing,
    command: &'c Command,
    layout: &Layout,
    style: Style,
) -> anyhow::Result<Box<dyn Pages + 'c>> {
    match listing {
        Listing::Users { query, limit, has_roles } => super::users::list::pages(query, limit, has_roles, layout, style),
        Listing::Entries { query } => super::audit::pages(query, layout, style),
        Listing::Sessions { selection, current, limit } => {
            super::sessions::list::pages(selection, current, limit, layout, style)
        }
        Listing::Export { file, about } => Ok(super::export::pages(file, about)),
        Listing::Ending(ending) => super::sessions::revoke::pages(*ending, layout, style),
        Listing::Each(targets) => Ok(super::targets::pages(command, targets, layout, style)),
        Listing::Rows(rows) => PagesOf::boxed(ReadRows(rows), layout, Some(usize::MAX), style),
    }
}

/// Reads a list page by page, and formats each page.
#[derive(Debug)]
pub(super) struct PagesOf<L> {
    list: L,
    writer: ListWriter,
    /// Only the end is printed.
    is_silent: bool,
    /// The most items; `None` as the place of the output decides.
    limit: Option<usize>,
    printed: usize,
    /// A page was formatted, and is not the last one.
    is_begun: bool,
    is_over: bool,
}

impl<L: List + 'static> PagesOf<L> {
    pub(super) fn boxed(
        list: L,
        layout: &Layout,
        limit: Option<usize>,
        style: Style,
    ) -> anyhow::Result<Box<dyn Pages>> {
        Ok(Box::new(Self::new(list, layout, limit, style)?))
    }

    /// As [`Self::boxed`], and only the end is printed.
    pub(super) fn silent(list: L, style: Style) -> anyhow::Result<Box<dyn Pages>> {
        Ok(Box::new(Self { is_silent: true, ..Self::new(list, &Layout::default(), None, style)? }))
    }

    fn new(list: L, layout: &Layout, limit: Option<usize>, style: Style) -> anyhow::Result<Self> {
        let writer = ListWriter::new(&list.columns(), layout, style).map_err(|error| unknown(&error))?;
        Ok(Self { list, writer, is_silent: false, limit, printed: 0, is_begun: false, is_over: false })
    }

    fn format(&mut self, items: &[L::Item], is_first: bool, end: Option<&End>, now: Timestamp) -> String {
        let list = &self.list;
        if self.is_silent {
            return String::new();
        }
        if self.writer.is_json() {
            let items: Vec<Value> = items.iter().map(|item| list.json(item)).collect();
            return self.writer.items(self.list.name(), &items, is_first, end.map(|end| &*end.fields));
        }
        if is_first && items.is_empty() && self.writer.is_table() && !list.has_headings_alone() {
            return String::new();
        }
        let mut rows = Vec::new();
        for (index, item) in items.iter().enumerate() {
            rows.extend((index > 0 && list.are_apart(&items[index - 1], item)).then(Vec::new));
            rows.push(list.row(item, now));
        }
        self.writer.rows(&rows, is_first, now)
    }
}

fn unknown(error: &UnknownColumn) -> CommandError {
    CommandError::Usage {
        message: error.to_string(),
        hint: "name columns as in --columns id, with commas between them",
    }
}

impl<L: List + 'static> Pages for PagesOf<L> {
    fn next(&mut self, context: &mut Context) -> anyhow::Result<Page> {
        let is_screen = self.writer.is_screen();
        let limit = self.limit.unwrap_or(if is_screen { SCREEN } else { usize::MAX });
        let left = limit.saturating_sub(self.printed);
        let (mut items, mut has_more) = self.list.read(left.min(PAGE), context)?;
        // The columns of a terminal are as wide as all rows need.
        while is_screen && has_more && items.len() < left {
            let (others, more) = self.list.read((left - items.len()).min(PAGE), context)?;
            items.extend(others);
            has_more = more;
        }
        let is_first = self.printed == 0;
        self.printed += items.len();
        self.is_over = !has_more || self.printed >= limit;
        let end = if self.is_over { Some(self.list.end(has_more, self.printed, context)?) } else { None };
        let answer = self.format(&items, is_first, end.as_ref(), context.now()?);
        self.is_begun = !self.is_over;
        let is_document = self.writer.is_document() && !self.is_silent;
        let End { done, notes, .. } = end.filter(|_| !is_document).unwrap_or_default();
        Ok(Page { answer, done, notes, ..Page::default() })
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn cut_off(&self) -> String {
        if self.writer.is_document() && self.is_begun && !self.is_silent {
            self.writer.items(self.list.name(), &[], false, Some(&self.list.cut_off()))
        } else {
            String::new()
        }
    }

    fn is_act(&self) -> bool {
        self.list.is_act()
    }

    fn exit_code(&self) -> ExitCode {
        self.list.exit_code()
    }
}

/// A list that was read at once.
#[derive(Debug)]
struct ReadRows(Rows);

impl List for ReadRows {
    type Item = Item;

    fn name(&self) -> &'static str {
        self.0.name
    }

    fn read(&mut self, _size: usize, _context: &mut Context) -> anyhow::Result<(Vec<Self::Item>, bool)> {
        Ok((std::mem::take(&mut self.0.items), false))
    }

    fn end(&mut self, _has_more: bool, _printed: usize, _context: &mut Context) -> anyhow::Result<End> {
        let (fields, notes) = (std::mem::take(&mut self.0.fields), self.0.notes.clone());
        Ok(End { fields, notes, ..End::default() })
    }

    fn cut_off(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn json(&self, item: &Item) -> Value {
        item.document.clone()
    }

    fn columns(&self) -> Vec<Column> {
        self.0.columns.clone()
    }

    fn row(&self, item: &Item, _now: Timestamp) -> Row {
        item.row.clone()
    }

    fn are_apart(&self, before: &Item, item: &Item) -> bool {
        before.group != item.group
    }

    fn has_headings_alone(&self) -> bool {
        self.0.notes.is_empty()
    }

    fn exit_code(&self) -> ExitCode {
        self.0.exit_code
    }
}
