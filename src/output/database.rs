//! The database file, told.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::escape::escape;
use super::page::{Page, Style};
use super::table::{facts, table};
use super::words::{counted, shown};
use crate::auth::store::{AppSchema, Census, Contents};

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
    pub(super) fn human(&self, style: Style) -> Page {
        match self {
            Self::Ready { path, created: true } => Page::done(format!("created the database {}", shown(path))),
            Self::Ready { path, created: false } => Page::done(format!("the database {} exists", shown(path))),
            Self::State(state) => state.page(style),
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
    /// What is known of the database; of an app's, each column as it was found.
    fn page(&self, style: Style) -> Page {
        let mut page = Page::answer(self.facts());
        if let Some(app) = &self.census.app {
            page.answer.push('\n');
            page.answer.push_str(&columns(app, style));
            page.done.extend(
                app.refusals.iter().map(|refusal| {
                    format!("not written to: {}\n  {}", escape(&refusal.problem), escape(&refusal.remedy))
                }),
            );
        }
        page
    }

    fn facts(&self) -> String {
        let census = &self.census;
        let count = |count: Option<u64>| count.map_or_else(|| "not known".to_owned(), |count| count.to_string());
        let mut known = vec![
            ("database", shown(&self.path)),
            ("chosen by", self.chosen_by.name.to_owned()),
            ("kind", self.kind().to_owned()),
        ];
        known.extend(census.schema_version.map(|version| ("schema version", version.to_string())));
        if let Some(app) = &census.app {
            known.push(("times", format!("{} (shown by {})", app.time, escape(&app.time_evidence))));
            known.push(("ids", app.ids.to_owned()));
        }
        known.extend([
            ("users", census.users.to_string()),
            ("live sessions", count(census.live_sessions)),
            ("expired sessions", count(census.expired_sessions)),
            ("journal mode", census.journal_mode.clone()),
            ("SQLite", census.sqlite_version.clone()),
            ("size", format!("{} bytes", census.bytes)),
        ]);
        facts(&known)
    }

    fn kind(&self) -> &'static str {
        if self.census.app.is_some() { "better-auth" } else { "native" }
    }

    fn json(&self) -> Value {
        json!({
            "database": self.path.to_string_lossy(),
            "chosenBy": self.chosen_by.word,
            "kind": self.kind(),
            "schemaVersion": self.census.schema_version,
            "users": self.census.users,
            "liveSessions": self.census.live_sessions,
            "expiredSessions": self.census.expired_sessions,
            "journalMode": self.census.journal_mode,
            "sqliteVersion": self.census.sqlite_version,
            "bytes": self.census.bytes,
            "app": self.census.app.as_ref().map(app_json),
        })
    }
}

/// What each column of Better Auth is in this database.
fn columns(app: &AppSchema, style: Style) -> String {
    let row = |physical: &str, name: String, found: &Option<String>, declared: &str| {
        let found = found.as_ref().map_or_else(|| "-".to_owned(), |found| format!("{physical}.{found}"));
        vec![name, escape(&found).into_owned(), escape(declared).into_owned()]
    };
    let rows = app.tables.iter().flat_map(|table| {
        let column = move |column: &crate::auth::store::AppColumn| {
            row(&table.physical, format!("{}.{}", table.name, column.name), &column.physical, &column.declared)
        };
        table.columns.iter().map(column).collect::<Vec<_>>()
    });
    table(&["BETTER AUTH", "HERE", "DECLARED"], rows.collect(), 1, style)
}

fn app_json(app: &AppSchema) -> Value {
    let tables: Vec<Value> = app
        .tables
        .iter()
        .map(|table| {
            let columns: Vec<Value> = table
                .columns
                .iter()
                .map(|column| json!({ "name": column.name, "physical": column.physical, "declared": column.declared }))
                .collect();
            json!({ "name": table.name, "physical": table.physical, "columns": columns })
        })
        .collect();
    let refusals: Vec<Value> =
        app.refusals.iter().map(|refusal| json!({ "problem": refusal.problem, "remedy": refusal.remedy })).collect();
    json!({
        "tables": tables,
        "time": app.time,
        "timeEvidence": app.time_evidence,
        "ids": app.ids,
        "writable": refusals.is_empty(),
        "refusals": refusals,
    })
}
