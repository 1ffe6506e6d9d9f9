//! The database file, told.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::page::Page;
use super::table::facts;
use super::words::shown;
use crate::auth::store::Census;

/// What `db` did.
#[derive(Debug)]
pub enum DatabaseOutcome {
    /// The database is there.
    Ready {
        /// Where.
        path: PathBuf,
        /// It was made just now.
        created: bool,
    },
    /// The database, described.
    State(DatabaseState),
    /// The schema is up to date.
    Migrated {
        /// Where.
        path: PathBuf,
        /// Version before.
        from: u32,
        /// Version now.
        to: u32,
    },
}

/// Who chose a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenBy {
    /// For programs: `flag`, `environment` or `default`.
    pub word: &'static str,
    /// For people: what they would have to change.
    pub name: &'static str,
}

/// A description of a database.
#[derive(Debug)]
pub struct DatabaseState {
    /// Where.
    pub path: PathBuf,
    /// Who chose it.
    pub chosen_by: ChosenBy,
    /// What is in it.
    pub census: Census,
}

impl DatabaseOutcome {
    pub(super) fn human(&self) -> Page {
        match self {
            Self::Ready { path, created: true } => Page::done(format!("created the database {}", shown(path))),
            Self::Ready { path, created: false } => Page::done(format!("the database {} exists", shown(path))),
            Self::State(state) => Page::answer(state.facts()),
            Self::Migrated { path, from, to } if from == to => {
                Page::done(format!("{} is up to date at schema version {to}", shown(path)))
            }
            Self::Migrated { path, from, to } => {
                Page::done(format!("migrated {} from schema version {from} to {to}", shown(path)))
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::Ready { path, created } => json!({ "database": path.to_string_lossy(), "created": created }),
            Self::State(state) => state.json(),
            Self::Migrated { path, from, to } => json!({ "database": path.to_string_lossy(), "from": from, "to": to }),
        }
    }
}

impl DatabaseState {
    fn facts(&self) -> String {
        let census = &self.census;
        facts(&[
            ("database", shown(&self.path)),
            ("chosen by", self.chosen_by.name.to_owned()),
            ("kind", "native".to_owned()),
            ("schema version", census.schema_version.to_string()),
            ("users", census.users.to_string()),
            ("live sessions", census.live_sessions.to_string()),
            ("expired sessions", census.expired_sessions.to_string()),
            ("journal mode", census.journal_mode.clone()),
            ("SQLite", census.sqlite_version.clone()),
            ("size", format!("{} bytes", census.bytes)),
        ])
    }

    fn json(&self) -> Value {
        json!({
            "database": self.path.to_string_lossy(),
            "chosenBy": self.chosen_by.word,
            "kind": "native",
            "schemaVersion": self.census.schema_version,
            "users": self.census.users,
            "liveSessions": self.census.live_sessions,
            "expiredSessions": self.census.expired_sessions,
            "journalMode": self.census.journal_mode,
            "sqliteVersion": self.census.sqlite_version,
            "bytes": self.census.bytes,
        })
    }
}
