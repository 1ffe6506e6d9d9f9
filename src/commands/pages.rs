//! Lists that are printed while they are read, page by page, so that a list of any length takes no memory.

use jiff::Timestamp;
use serde_json::Value;

use crate::context::Context;
use crate::output::table::{Column, part_of_table};
use crate::output::{Listing, Page, Style, json};

/// The items of a page in a pipe. No transaction is open while they are printed, because a reader of the pipe may
/// stop for hours.
const PAGE: usize = 1000;
/// The items on a terminal, if no limit is given.
const SCREEN: usize = 200;

/// What a list consists of, and how each item reads.
pub(super) trait List: std::fmt::Debug {
    type Item;
    /// The field of the JSON document with the items.
    const NAME: &'static str;

    /// Reads the next items, at most about `size`. Returns them, and whether others follow.
    fn read(&mut self, size: usize, context: &mut Context) -> anyhow::Result<(Vec<Self::Item>, bool)>;

    /// What follows the last item that is printed. `has_more` if the list goes on after it.
    fn end(&mut self, has_more: bool, printed: usize, context: &mut Context) -> anyhow::Result<End>;

    /// The fields of the JSON document after the items, when an error takes the place of the next page.
    fn cut_off(&self) -> Vec<(&'static str, Value)>;

    fn json(&self, item: &Self::Item) -> Value;

    /// The columns of the table. None, and the table has no headings either.
    fn columns(&self) -> Vec<Column>;

    /// The cells of an item in a pipe, escaped.
    fn cells(&self, item: &Self::Item) -> Vec<String>;

    /// The table for a terminal.
    fn table(&self, items: &[Self::Item], now: Timestamp, style: Style) -> String;

    /// Whether reading the list changes the database, so that it goes on when nothing can be printed.
    fn is_act(&self) -> bool {
        false
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

/// The format of a list.
#[derive(Debug)]
pub(super) enum Format {
    /// One JSON document per line.
    Lines,
    Document,
    /// A table for a terminal, in one part.
    Screen,
    /// A table for a pipe, with the widths of its columns so far.
    Table(Vec<u16>),
    /// Only the end.
    Nothing,
}

impl Format {
    pub(super) fn new(json: bool, style: Style) -> Self {
        match (json, style.terminal) {
            (true, _) => Self::Document,
            (false, true) => Self::Screen,
            (false, false) => Self::Table(Vec::new()),
        }
    }
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
}

/// Begins to print a list.
pub(crate) fn pages(listing: Listing, json: bool, style: Style) -> Box<dyn Pages> {
    match listing {
        Listing::Entries { query, as_lines } => super::audit::pages(query, as_lines, json, style),
        Listing::Sessions { selection, current, limit } => {
            super::sessions::list::pages(selection, current, limit, json, style)
        }
        Listing::Export { file, about } => super::export::pages(file, about),
        Listing::Ending(ending) => super::sessions::revoke::pages(ending, json, style),
    }
}

/// Reads a list page by page, and formats each page.
#[derive(Debug)]
pub(super) struct PagesOf<L> {
    list: L,
    format: Format,
    style: Style,
    /// The most items; `None` as the place of the output decides.
    limit: Option<usize>,
    printed: usize,
    /// A page was formatted, and is not the last one.
    is_begun: bool,
    is_over: bool,
}

impl<L: List + 'static> PagesOf<L> {
    pub(super) fn boxed(list: L, format: Format, limit: Option<usize>, style: Style) -> Box<dyn Pages> {
        Box::new(Self { list, format, style, limit, printed: 0, is_begun: false, is_over: false })
    }

    fn format(&mut self, items: &[L::Item], is_first: bool, end: Option<&End>, now: Timestamp) -> String {
        let list = &self.list;
        match &mut self.format {
            Format::Lines => items.iter().map(|item| json::line(&list.json(item)) + "\n").collect(),
            Format::Document => {
                let items: Vec<Value> = items.iter().map(|item| list.json(item)).collect();
                json::part_of_document(L::NAME, is_first, &items, end.map(|end| &*end.fields))
            }
            Format::Screen => list.table(items, now, self.style),
            Format::Table(widths) => {
                let rows = items.iter().map(|item| list.cells(item)).collect();
                let columns = if is_first { list.columns() } else { Vec::new() };
                let headings: Vec<_> = columns.iter().map(|column| column.heading).collect();
                part_of_table(Some(&*headings).filter(|headings| !headings.is_empty()), rows, widths)
            }
            Format::Nothing => String::new(),
        }
    }
}

impl<L: List + 'static> Pages for PagesOf<L> {
    fn next(&mut self, context: &mut Context) -> anyhow::Result<Page> {
        let is_screen = matches!(self.format, Format::Screen);
        let limit = self.limit.unwrap_or(if is_screen { SCREEN } else { usize::MAX });
        let left = limit.saturating_sub(self.printed);
        let (items, has_more) = self.list.read(if is_screen { left } else { left.min(PAGE) }, context)?;
        let is_first = self.printed == 0;
        self.printed += items.len();
        self.is_over = !has_more || self.printed >= limit;
        let end = if self.is_over { Some(self.list.end(has_more, self.printed, context)?) } else { None };
        let answer = self.format(&items, is_first, end.as_ref(), context.now()?);
        self.is_begun = !self.is_over;
        let is_document = matches!(self.format, Format::Document);
        let End { done, notes, .. } = end.filter(|_| !is_document).unwrap_or_default();
        Ok(Page { answer, done, notes })
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn cut_off(&self) -> String {
        match self.format {
            Format::Document if self.is_begun => {
                json::part_of_document(L::NAME, false, &[], Some(&self.list.cut_off()))
            }
            _ => String::new(),
        }
    }

    fn is_act(&self) -> bool {
        self.list.is_act()
    }
}
