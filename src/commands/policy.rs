//! `policy`: shows and changes the rules of this database.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Attempt as _, mail_templates};
use crate::auth::AuthError;
use crate::auth::policy::{KEYS, Key, Policy};
use crate::auth::storage::PolicySet;
use crate::context::Context;
use crate::error::CommandError;
use crate::mail::{MailError, Route, Sender};
use crate::output::table::{Column, Tone, table};
use crate::output::text::escaped;
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl policy show
  authctl policy set session.lifetime 30d";

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List every rule with its value; those that differ from the default are marked
    #[command(after_help = "Example:\n  authctl policy show")]
    Show,
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
        PolicyCommand::Show => show(context).attempt("could not read the policy"),
        PolicyCommand::Set { key, value } => set(key, Some(value), context).attempt("could not change the policy"),
        PolicyCommand::Unset { key } => set(key, None, context).attempt("could not change the policy"),
    }
}

fn show(context: &mut Context) -> anyhow::Result<Outcome> {
    let policy = context.auth()?.policy.clone();
    Ok(PolicyReport::Rules { policy }.into())
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
    let auth = if value.is_some() { context.auth()? } else { context.auth_under_any_policy()? };
    let set = auth.store.set_policy(key, value.map(String::as_str), now)?.map_err(AuthError::from)?;
    Ok(PolicyReport::Changed { key, set, database }.into())
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
enum PolicyReport {
    Rules { policy: Policy },
    Changed { key: &'static Key, set: PolicySet, database: DatabaseLocation },
}

impl Report for PolicyReport {
    fn text(&self, _now: Timestamp, style: Style) -> Page {
        match self {
            Self::Rules { policy } => Page::answer(rules(policy, style)),
            Self::Changed { key, set: PolicySet { policy, changed }, database } => {
                let (value, place) = (key.value(policy), escaped(database));
                let line = if *changed {
                    format!("{} is {value} in {place}", key.name)
                } else {
                    format!("{} is already {value} in {place}; nothing was changed", key.name)
                };
                Page::done_if(*changed, line)
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Rules { policy } => {
                json!({ "policy": KEYS.iter().map(|key| rule(key, policy)).collect::<Vec<_>>() })
            }
            Self::Changed { key, set: PolicySet { policy, changed }, database } => {
                json!({ "rule": rule(key, policy), "changed": changed, "database": database.to_string() })
            }
        }
    }
}

fn rules(policy: &Policy, style: Style) -> String {
    let default = Policy::default();
    let row = |key: &Key| {
        let mark = if key.value(policy) == key.value(&default) { "" } else { "*" };
        [mark, key.name, &key.value(policy), &key.value(&default), &key.takes(), key.meaning]
            .map(str::to_owned)
            .to_vec()
    };
    let mut rows = Vec::new();
    let mut group = None;
    for key in KEYS {
        let own = key.name.split('.').next();
        if group.replace(own).is_some_and(|before| before != own) {
            rows.push(Vec::new());
        }
        rows.push(row(key));
    }
    table(&COLUMNS, rows, style)
}

const COLUMNS: [Column; 6] = [
    Column::whole("").toned(|_| Tone::Warning),
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
