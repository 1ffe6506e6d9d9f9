//! A database described.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::report::{Page, Style};
use super::table::{facts, table};
use super::text::escape;
use super::text::shown;
use crate::auth::storage::{DatabaseInfo, GuestSchema};

/// Who chose a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseSource {
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
    pub chosen_by: DatabaseSource,
    /// What is in it.
    pub census: DatabaseInfo,
}

/// Whose a database is, for programs.
pub(super) fn kind(is_app: bool) -> &'static str {
    if is_app { "better-auth" } else { "native" }
}

impl DatabaseState {
    /// What is known of the database; of an app's, each column as it was found.
    pub(super) fn page(&self, style: Style) -> Page {
        let mut page = Page::answer(self.facts());
        if let Some(app) = &self.census.app {
            page.answer.push('\n');
            page.answer.push_str(&columns(app, style));
            page.notes.extend(
                app.write_blockers.iter().map(|refusal| {
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
            ("kind", kind(self.census.app.is_some()).to_owned()),
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

    pub(super) fn json(&self) -> Value {
        json!({
            "database": self.path.to_string_lossy(),
            "chosenBy": self.chosen_by.word,
            "kind": kind(self.census.app.is_some()),
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
fn columns(app: &GuestSchema, style: Style) -> String {
    let row = |physical: &str, name: String, found: &Option<String>, declared: &str| {
        let found = found.as_ref().map_or_else(|| "-".to_owned(), |found| format!("{physical}.{found}"));
        vec![name, escape(&found).into_owned(), escape(declared).into_owned()]
    };
    let rows = app.tables.iter().flat_map(|table| {
        let column = move |column: &crate::auth::storage::GuestColumn| {
            row(&table.physical, format!("{}.{}", table.name, column.name), &column.physical, &column.declared)
        };
        table.columns.iter().map(column).collect::<Vec<_>>()
    });
    table(&["BETTER AUTH", "HERE", "DECLARED"], rows.collect(), 1, style)
}

fn app_json(app: &GuestSchema) -> Value {
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
    let write_blockers: Vec<Value> = app
        .write_blockers
        .iter()
        .map(|refusal| json!({ "problem": refusal.problem, "remedy": refusal.remedy }))
        .collect();
    json!({
        "tables": tables,
        "time": app.time,
        "timeEvidence": app.time_evidence,
        "ids": app.ids,
        "writable": write_blockers.is_empty(),
        "write_blockers": write_blockers,
    })
}
