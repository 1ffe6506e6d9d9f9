//! The database file, told.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::page::Page;
use super::table::facts;
use super::words::{counted, shown};
use crate::auth::store::{Census, Contents};

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
    /// A copy was made.
    BackedUp {
        /// Of what.
        path: PathBuf,
        /// Where it is.
        file: PathBuf,
        /// What is in it.
        contents: Contents,
    },
    /// A copy was put back.
    Restored(Restoration),
}

/// A copy put back, or what that would do.
#[derive(Debug)]
pub struct Restoration {
    /// Where.
    pub path: PathBuf,
    /// From which copy.
    pub file: PathBuf,
    /// What is in the database now, or would be.
    pub contents: Contents,
    /// Where the state is kept that was replaced, if there was one.
    pub kept: Option<PathBuf>,
    /// Live sessions of the copy that ended; `None` when nothing was done (`--dry-run`).
    pub sessions_ended: Option<u64>,
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
            Self::BackedUp { path, file, contents } => Page {
                answer: String::new(),
                done: vec![
                    format!("backed up {} with {} to {}", shown(path), held(contents), shown(file)),
                    "the backup holds password hashes: keep it as safe as the database".to_owned(),
                ],
            },
            Self::Restored(restoration) => restoration.words(),
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::Ready { path, created } => json!({ "database": path.to_string_lossy(), "created": created }),
            Self::State(state) => state.json(),
            Self::Migrated { path, from, to } => json!({ "database": path.to_string_lossy(), "from": from, "to": to }),
            Self::BackedUp { path, file, contents } => json!({
                "database": path.to_string_lossy(),
                "backup": file.to_string_lossy(),
                "users": contents.users,
                "sessions": contents.sessions,
                "schemaVersion": contents.schema_version,
            }),
            Self::Restored(restoration) => restoration.json(),
        }
    }
}

/// What is in a copy, in words.
fn held(contents: &Contents) -> String {
    format!("{} and {}", counted(contents.users, "user"), counted(contents.sessions, "session"))
}

impl Restoration {
    fn words(&self) -> Page {
        let Some(ended) = self.sessions_ended else {
            let held = held(&self.contents);
            return Page::done(format!("would restore {held} from {} to {}", shown(&self.file), shown(&self.path)));
        };
        let mut done = vec![format!(
            "restored {} from {} to {}; ended {}",
            counted(self.contents.users, "user"),
            shown(&self.file),
            shown(&self.path),
            counted(ended, "live session"),
        )];
        done.extend(self.kept.as_deref().map(|kept| format!("the database as it was is kept in {}", shown(kept))));
        Page { answer: String::new(), done }
    }

    fn json(&self) -> Value {
        json!({
            "database": self.path.to_string_lossy(),
            "backup": self.file.to_string_lossy(),
            "users": self.contents.users,
            "sessions": self.contents.sessions,
            "schemaVersion": self.contents.schema_version,
            "sessionsEnded": self.sessions_ended,
            "kept": self.kept.as_deref().map(std::path::Path::to_string_lossy),
            "dryRun": self.sessions_ended.is_none(),
        })
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
