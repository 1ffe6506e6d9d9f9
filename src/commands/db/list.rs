//! `db list`: the databases that the configuration file names. Opens none of them.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::commands::list_flags::ListFlags;
use crate::context::Context;
use crate::output::list::{Cell, Item, Rows};
use crate::output::table::Column;
use crate::output::text::shown;
use crate::output::{Listing, Outcome};
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

pub(super) fn run(flags: &ListFlags, context: &mut Context) -> anyhow::Result<Outcome> {
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
    Ok(Outcome::list(Listing::Rows(listed(&config, rows)), flags.layout()))
}

#[derive(Debug)]
struct Named {
    name: String,
    location: DatabaseLocation,
    schema: Option<PathBuf>,
    /// Commands use it now.
    is_chosen: bool,
}

fn listed(config: &Path, databases: Vec<Named>) -> Rows {
    let has_schema = databases.iter().any(|one| one.schema.is_some());
    let mut columns = vec![Column::mark("chosen"), Column::whole("NAME"), Column::shrinking("DATABASE", 24, 2)];
    columns.extend(has_schema.then(|| Column::shrinking("SCHEMA", 12, 1)));
    let item = |one: Named| {
        let location = match &one.location {
            DatabaseLocation::File(path) => path.display().to_string(),
            DatabaseLocation::Url(_) => one.location.without_password().to_string_lossy().into_owned(),
        };
        let schema = one.schema.as_ref().map(|path| path.to_string_lossy());
        let mut row = vec![Cell::Mark(one.is_chosen), Cell::text(format!("@{}", one.name)), Cell::text(location)];
        row.extend(has_schema.then(|| schema.clone().into()));
        let document = json!({
            "name": one.name,
            "database": one.location.to_string(),
            "schema": schema,
            "chosen": one.is_chosen,
        });
        Item { document, row, group: "" }
    };
    let is_empty = databases.is_empty();
    Rows {
        name: "databases",
        columns,
        items: databases.into_iter().map(item).collect(),
        fields: vec![("config", json!(config.to_string_lossy()))],
        notes: if is_empty { vec![format!("{} names no database", shown(config))] } else { Vec::new() },
        ..Rows::default()
    }
}
