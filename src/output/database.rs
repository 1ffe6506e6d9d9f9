//! The database file, told.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::database_state::{DatabaseState, kind};
use super::report::Report;
use super::report::{Page, Style};
use super::text::shown;
use crate::auth::audit::counted;
use crate::auth::storage::BackupSummary;

/// What `db` did.
#[derive(Debug)]
pub enum DatabaseOutcome {
    /// The database is there.
    Ready {
        /// Where.
        path: PathBuf,
        /// It was made just now.
        created: bool,
        /// It is a Better Auth app's.
        is_app: bool,
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
        contents: BackupSummary,
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
    pub contents: BackupSummary,
    /// Where the state is kept that was replaced, if there was one.
    pub kept: Option<PathBuf>,
    /// Live sessions of the copy that ended; `None` when nothing was done (`--dry-run`).
    pub sessions_ended: Option<u64>,
}

impl Report for DatabaseOutcome {
    fn text(&self, _now: Timestamp, style: Style) -> Page {
        match self {
            Self::Ready { path, created, is_app } => {
                let kind = if *is_app { "Better Auth database" } else { "database" };
                let path = shown(path);
                let line =
                    if *created { format!("created the {kind} {path}") } else { format!("the {kind} {path} exists") };
                Page::done_if(*created, line)
            }
            Self::State(state) => state.page(style),
            Self::Migrated { path, from, to } if from == to => {
                Page::note(format!("{} is up to date at schema version {to}", shown(path)))
            }
            Self::Migrated { path, from, to } => {
                Page::done(format!("migrated {} from schema version {from} to {to}", shown(path)))
            }
            Self::BackedUp { path, file, contents } => Page {
                done: vec![
                    format!("backed up {} with {} to {}", shown(path), held(contents), shown(file)),
                    "the backup holds password hashes: keep it as safe as the database".to_owned(),
                ],
                ..Page::default()
            },
            Self::Restored(restoration) => restoration.words(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Ready { path, created, is_app } => {
                json!({ "database": path.to_string_lossy(), "created": created, "kind": kind(*is_app) })
            }
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
fn held(contents: &BackupSummary) -> String {
    format!("{} and {}", counted(contents.users, "user"), counted(contents.sessions, "session"))
}

impl Restoration {
    fn words(&self) -> Page {
        let Some(ended) = self.sessions_ended else {
            let held = held(&self.contents);
            return Page::note(format!("would restore {held} from {} to {}", shown(&self.file), shown(&self.path)));
        };
        let mut done = vec![format!(
            "restored {} from {} to {}; ended {}",
            counted(self.contents.users, "user"),
            shown(&self.file),
            shown(&self.path),
            counted(ended, "live session"),
        )];
        done.extend(self.kept.as_deref().map(|kept| format!("the database as it was is kept in {}", shown(kept))));
        Page { done, ..Page::default() }
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
