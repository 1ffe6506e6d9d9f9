//! `roles`: the roles of users, and how many have each.

use clap::Subcommand;
use serde_json::json;

use super::Attempt as _;
use super::list_flags::ListFlags;
use crate::context::Context;
use crate::output::list::{Cell, Item, Rows};
use crate::output::table::Column;
use crate::output::{Listing, Outcome};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl roles list
  authctl users list --role admin
  authctl users set-role ada@example.com admin";

#[derive(Debug, Subcommand)]
pub enum RolesCommand {
    /// List the roles, and how many users have each; a user without a role has the role user
    #[command(visible_alias = "ls", after_help = "Example:\n  authctl roles list --json | jq -r '.roles[].name'")]
    List(ListFlags),
}

pub(super) fn run(command: &RolesCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        RolesCommand::List(flags) => list(flags, context).attempt("could not list roles"),
    }
}

fn list(flags: &ListFlags, context: &mut Context) -> anyhow::Result<Outcome> {
    let roles = context.auth()?.roles()?;
    if !context.has_roles() {
        context.notices.push("the app's table of users has no column `role`: its admin plugin adds it".to_owned());
    }
    let item = |(name, users): (&String, &u64)| Item {
        document: json!({ "name": name, "users": users }),
        row: vec![Cell::text(name), Cell::text(users.to_string())],
        group: "",
    };
    let rows = Rows {
        name: "roles",
        columns: vec![Column::shrinking("ROLE", 12, 5), Column::whole("USERS")],
        items: roles.iter().map(item).collect(),
        ..Rows::default()
    };
    Ok(Outcome::list(Listing::Rows(rows), flags.layout()))
}
