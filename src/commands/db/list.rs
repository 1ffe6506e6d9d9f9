//! `db list`: the databases that the configuration file names. Opens none of them.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::context::Context;
use crate::output::table::{Column, table};
use crate::output::text::{escaped, shown};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl db list
  authctl --db @prod db status

The file is authctl/config.toml in the XDG configuration directory:

  [databases.prod]
  url = \"postgres://authctl@db.example.com/app\"
  [databases.shop]
  url = \"~/shop/sqlite.db\"
  schema = \"shop.json\"

Relative paths are those of the directory of the file. `schema` is a file as --schema
takes it.";

pub(super) fn run(context: &mut Context) -> anyhow::Result<Outcome> {
    let (config, databases) = context.named_databases()?;
    // A name that does not exist is an error of the commands that use it.
    let chosen = context.database().ok().and_then(|place| place.named).map(|named| named.name);
    let rows = databases
        .into_iter()
        .map(|one| Named {
            is_chosen: chosen.as_ref() == Some(&one.name),
            name: one.name,
            location: one.location,
            schema: one.schema,
        })
        .collect();
    Ok(DatabaseList { config, rows }.into())
}

#[derive(Debug)]
struct Named {
    name: String,
    location: DatabaseLocation,
    schema: Option<PathBuf>,
    /// Commands use it now.
    is_chosen: bool,
}

#[derive(Debug)]
struct DatabaseList {
    config: PathBuf,
    rows: Vec<Named>,
}

impl Report for DatabaseList {
    fn text(&self, _: Timestamp, style: Style) -> Page {
        if self.rows.is_empty() {
            return Page::note(format!("{} names no database", shown(&self.config)));
        }
        let has_schema = self.rows.iter().any(|row| row.schema.is_some());
        let mut columns = vec![Column::whole(""), Column::whole("NAME"), Column::shrinking("DATABASE", 24, 2)];
        columns.extend(has_schema.then(|| Column::shrinking("SCHEMA", 12, 1)));
        let cells = |row: &Named| {
            let location = match &row.location {
                DatabaseLocation::File(path) => shown(path),
                DatabaseLocation::Url(_) => escaped(row.location.without_password().to_string_lossy()),
            };
            let mut cells = vec![if row.is_chosen { "*" } else { "" }.to_owned(), format!("@{}", row.name), location];
            cells.extend(has_schema.then(|| row.schema.as_deref().map_or_else(|| "-".to_owned(), shown)));
            cells
        };
        Page::answer(table(&columns, self.rows.iter().map(cells).collect(), style))
    }

    fn json(&self) -> Value {
        let databases: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "name": row.name,
                    "database": row.location.to_string(),
                    "schema": row.schema.as_ref().map(|path| path.to_string_lossy()),
                    "chosen": row.is_chosen,
                })
            })
            .collect();
        json!({ "databases": databases, "config": self.config.to_string_lossy() })
    }
}
