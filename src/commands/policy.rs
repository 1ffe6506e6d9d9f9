//! `policy`: shows and changes the rules of this database.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::list_flags::ListFlags;
use super::{Attempt as _, mail_templates};
use crate::auth::AuthError;
use crate::auth::policy::{KEYS, Key, Policy};
use crate::auth::storage::PolicySet;
use crate::context::Context;
use crate::error::CommandError;
use crate::mail::{MailError, Route, Sender};
use crate::output::list::{Cell, Item, Rows};
use crate::output::table::{Column, Tone};
use crate::output::text::escaped;
use crate::output::{Listing, Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl policy show
  authctl policy set session.lifetime 30d";

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List every rule with its value; those that differ from the default are marked
    #[command(after_help = "Example:\n  authctl policy show")]
    Show(ListFlags),
    /// Set a rule
    #[command(after_help = "Example:\n  authctl policy set session.lifetime 30d")]
    Set {
        /// The rule, as `policy show` names it
        key: String,
        /// Its new value
        value: String,
    },
    /// Set a rule back to its default
    #[command(after_help = "Example:\n  authctl policy unset session.lifetime")]
    Unset {
        /// The rule, as `policy show` names it
        key: String,
    },
}

pub(super) fn run(command: &PolicyCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        PolicyCommand::Show(flags) => show(flags, context).attempt("could not read the policy"),
        PolicyCommand::Set { key, value } => set(key, Some(value), context).attempt("could not change the policy"),
        PolicyCommand::Unset { key } => set(key, None, context).attempt("could not change the policy"),
    }
}

fn show(flags: &ListFlags, context: &mut Context) -> anyhow::Result<Outcome> {
    let policy = context.auth_without_times()?.policy.clone();
    Ok(Outcome::list(Listing::Rows(rules(&policy)), flags.layout()))
}

/// Sets a rule, or resets it to its default for no value.
fn set(key: &str, value: Option<&String>, context: &mut Context) -> anyhow::Result<Outcome> {
    let key = Key::find(key).map_err(AuthError::from)?;
    if let Some(value) = value {
        check_mail(key, value)?;
        check_service(key, value)?;
    }
    let now = context.now()?;
    let database = context.database()?.location;
    // To unset a rule must work when the stored policy is invalid: it is one way to fix it.
    let requires_factors = key.name == "2fa.required" && value.is_some_and(|value| value != "none");
    if requires_factors {
        // Users could not set one up.
        context.auth_without_times()?.require_factors()?;
    }
    if key.name == "password.legacy-until" && value.is_some() && context.auth_without_times()?.store.guest().is_some() {
        return Err(CommandError::Usage {
            message: "password.legacy-until is for databases of authctl's own: the app owns the password hashes here"
                .into(),
            hint: "end old hashes in the app, or set passwords with `authctl users set-password`",
        }
        .into());
    }
    let auth = if value.is_some() { context.auth_without_times()? } else { context.auth_under_any_policy()? };
    let set = auth.store.set_policy(key, value.map(String::as_str), now)?.map_err(AuthError::from)?;
    let is_beside_app = requires_factors && context.is_guest();
    Ok(PolicyChanged { key, set, database, is_beside_app }.into())
}

/// Refuses what the mailer would refuse later, without any lookup or connection.
fn check_mail(key: &Key, value: &str) -> Result<(), MailError> {
    match key.name {
        _ if value == "none" => {}
        "mail.url" => {
            Route::parse(value)?;
        }
        "mail.from" => {
            Sender::parse(value)?;
        }
        _ => {}
    }
    Ok(())
}

/// The longest name that leaves a subject readable.
const SERVICE_NAME_CHARS_MAX: usize = 60;

/// Refuses a name that does not fit a subject, and a link that does not work.
fn check_service(key: &Key, value: &str) -> Result<(), CommandError> {
    match key.name {
        "service.name" if value.chars().count() > SERVICE_NAME_CHARS_MAX => Err(CommandError::Usage {
            message: format!("service.name is longer than {SERVICE_NAME_CHARS_MAX} characters"),
            hint: "it stands in the subject of mail: give a short name",
        }),
        "service.url" if value != "none" => mail_templates::check_link(value),
        _ => Ok(()),
    }
}

#[derive(Debug)]
struct PolicyChanged {
    key: &'static Key,
    set: PolicySet,
    database: DatabaseLocation,
    /// Whether the rule binds users who can sign in to the app without it.
    is_beside_app: bool,
}

impl Report for PolicyChanged {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let Self { key, set: PolicySet { policy, changed }, database, is_beside_app } = self;
        let (value, place) = (key.value(policy), escaped(database));
        let line = if *changed {
            format!("{} is {value} in {place}", key.name)
        } else {
            format!("{} is already {value} in {place}; nothing was changed", key.name)
        };
        let mut page = Page::done_if(*changed, line);
        if *is_beside_app {
            page.notes.push("it holds for what users do through authctl; the app signs users in without it".to_owned());
        }
        page
    }

    fn json(&self) -> Value {
        let Self { key, set: PolicySet { policy, changed }, database, .. } = self;
        json!({ "rule": rule(key, policy), "changed": changed, "database": database.to_string() })
    }
}

fn rules(policy: &Policy) -> Rows {
    let default = Policy::default();
    let item = |key: &'static Key| {
        let (value, by_default) = (key.value(policy), key.value(&default));
        let row = vec![
            Cell::Mark(value != by_default),
            Cell::text(key.name),
            Cell::text(value),
            Cell::text(by_default),
            Cell::text(key.takes()),
            Cell::text(key.meaning),
        ];
        let group = key.name.split_once('.').map_or(key.name, |(group, _)| group);
        Item { document: rule(key, policy), row, group }
    };
    let (columns, items) = (COLUMNS.to_vec(), KEYS.iter().map(item).collect());
    Rows { name: "policy", columns, items, ..Rows::default() }
}

const COLUMNS: [Column; 6] = [
    Column::mark("changed").toned(|_| Tone::Warning),
    Column::whole("KEY"),
    Column::shrinking("VALUE", 8, 2),
    Column::extra("DEFAULT"),
    Column::extra("TAKES"),
    Column::shrinking("MEANING", 16, 1),
];

fn rule(key: &Key, policy: &Policy) -> Value {
    json!({
        "key": key.name,
        "value": key.value(policy),
        "default": key.value(&Policy::default()),
        "takes": key.takes(),
        "meaning": key.meaning,
    })
}
