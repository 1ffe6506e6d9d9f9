//! Exports that are read to the end.

mod exports;
mod hostile;
mod systems;

use std::io::Cursor;

use super::{Export, Format, ImportError, Input, ReadOptions};
use crate::auth::import::row::{About, Fact, SourceRow, SourceUser};

fn file(name: &str, bytes: &[u8]) -> Input {
    Input { name: name.to_owned(), bytes: Box::new(Cursor::new(bytes.to_vec())) }
}

fn open(inputs: Vec<Input>) -> Export {
    Export::open(inputs, ReadOptions::default()).unwrap()
}

fn open_as(inputs: Vec<Input>, format: Format) -> Export {
    Export::open(inputs, ReadOptions { format: Some(format), ..ReadOptions::default() }).unwrap()
}

fn read_all(inputs: Vec<Input>, options: ReadOptions) -> Result<Vec<SourceRow>, ImportError> {
    let mut export = Export::open(inputs, options)?;
    let mut rows = Vec::new();
    while let Some(row) = export.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

/// The rows of a file of a recognised system.
fn rows(text: &str) -> Vec<SourceRow> {
    read_all(vec![file("file", text.as_bytes())], ReadOptions::default()).unwrap()
}

/// The users of an export, without those that the reader refuses.
fn users(export: &mut Export) -> Vec<SourceUser> {
    let mut users = Vec::new();
    while let Some(row) = export.next_row().unwrap() {
        if let Ok(Fact::User(user)) = row.fact {
            users.push(*user);
        }
    }
    users
}

/// The facts of an export about users of other rows.
fn facts(export: &mut Export) -> Vec<(String, About)> {
    let mut facts = Vec::new();
    while let Some(row) = export.next_row().unwrap() {
        if let Ok(Fact::About { user, what }) = row.fact {
            facts.push((user, what));
        }
    }
    facts
}
