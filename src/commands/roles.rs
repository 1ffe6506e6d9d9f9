//! `roles`: the roles of users, and how many have each.

use std::collections::BTreeMap;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Attempt as _;
use crate::context::Context;
use crate::output::table::{Column, table};
use crate::output::text::cell;
use crate::output::{Outcome, Page, Report, Style};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl roles list
  authctl users list --role admin
  authctl users set-role ada@example.com admin";

#[derive(Debug, Subcommand)]
pub enum RolesCommand {
    /// List the roles, and how many users have each; a user without a role has the role user
    #[command(visible_alias = "ls", after_help = "Example:\n  authctl roles list --json | jq -r '.roles[].name'")]
    List,
}

pub(super) fn run(command: &RolesCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        RolesCommand::List => list(context).attempt("could not list roles"),
    }
}

fn list(context: &mut Context) -> anyhow::Result<Outcome> {
    let roles = context.auth()?.roles()?;
    if !context.has_roles() {
        context.notices.push("the app's table of users has no column `role`: its admin plugin adds it".to_owned());
    }
    Ok(Roles { roles }.into())
}

#[derive(Debug)]
struct Roles {
    /// Each role with the number of its users.
    roles: BTreeMap<String, u64>,
}

impl Report for Roles {
    fn text(&self, _now: Timestamp, style: Style) -> Page {
        let columns = [Column::shrinking("ROLE", 12, 5), Column::whole("USERS")];
        let rows = self.roles.iter().map(|(role, users)| vec![cell(role), users.to_string()]).collect();
        Page::answer(table(&columns, rows, style))
    }

    fn json(&self) -> Value {
        let one = |(name, users): (&String, &u64)| json!({ "name": name, "users": users });
        json!({ "roles": self.roles.iter().map(one).collect::<Vec<_>>() })
    }
}
