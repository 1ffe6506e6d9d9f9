//! The rules of a database, told.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::page::{Page, Style};
use super::report::Report;
use super::table::table;
use super::words::shown;
use crate::auth::policy::{KEYS, Key, Policy};
use crate::auth::storage::PolicySet;

/// What `policy` did.
#[derive(Debug)]
pub enum PolicyOutcome {
    /// The rules of this database.
    Rules {
        /// As they are now.
        policy: Policy,
    },
    /// A rule was changed.
    Changed {
        /// Which.
        key: &'static Key,
        /// As they are now, and whether that is new.
        set: PolicySet,
        /// Where.
        database: PathBuf,
    },
}

impl Report for PolicyOutcome {
    fn text(&self, _now: Timestamp, style: Style) -> Page {
        match self {
            Self::Rules { policy } => Page::answer(rules(policy, style)),
            Self::Changed { key, set: PolicySet { policy, changed }, database } => {
                let (value, place) = (key.value(policy), shown(database));
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
                json!({ "rule": rule(key, policy), "changed": changed, "database": database.to_string_lossy() })
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
    let header = ["", "KEY", "VALUE", "DEFAULT", "TAKES", "MEANING"];
    table(&header, KEYS.iter().map(row).collect(), 1, style)
}

fn rule(key: &Key, policy: &Policy) -> Value {
    json!({
        "key": key.name,
        "value": key.value(policy),
        "default": key.value(&Policy::default()),
        "takes": key.takes(),
        "meaning": key.meaning,
    })
}
