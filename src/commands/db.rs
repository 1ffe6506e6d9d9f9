//! `db`: makes, describes, migrates, backs up and restores the database file.

mod backup;
mod convert;
mod copy;
mod init;
mod list;
mod prune;

use anyhow::Context as _;
use backup::{BackupArgs, RestoreArgs};
use clap::Subcommand;
use convert::ConvertArgs;
use copy::CopyArgs;
use init::InitArgs;
use jiff::Timestamp;
use prune::DbPruneArgs;
use serde_json::{Value, json};

use super::Attempt as _;
use super::doctor::{self, CheckArgs};
use super::list_flags::ListFlags;
use crate::auth::audit::Event;
use crate::auth::password::Scheme;
use crate::auth::storage::{
    AppTraces, DatabaseInfo, GuestColumn, GuestSchema, Server, StatePlace, Storage, WriteScope,
};
use crate::context::Context;
use crate::output::table::{Column, facts, table};
use crate::output::text::{escape, escaped};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::{DatabaseLocation, DatabasePlace};
use crate::store::postgres;
use crate::store::sqlite;
use crate::store::{Migrated, OpenError};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl db init --if-missing
  authctl db status
  authctl db backup ~/auth-backup.db
  authctl db restore ~/auth-backup.db --dry-run";

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Make an empty database
    #[command(after_help = init::EXAMPLES)]
    Init(InitArgs),
    /// List the databases that the configuration file names, without opening them
    #[command(after_help = list::EXAMPLES)]
    List(ListFlags),
    /// Describe the database
    #[command(after_help = "Example:\n  authctl db status --json")]
    Status,
    /// Bring the schema to the newest version
    #[command(after_help = "Example:\n  authctl db migrate")]
    Migrate,
    /// Look whether the file is whole, its schema authctl's, its audit log unbroken and its rows consistent
    #[command(after_help = "Example:\n  authctl db check && echo sound")]
    Check(CheckArgs),
    /// Delete all rows that have expired: sessions, codes, tokens, device codes, API keys
    ///
    /// A Better Auth app deletes few of them by itself, and misses none. Expired API keys go as well: the app
    /// deletes one when it is used. Passwords that password.legacy-until has ended go too. Invitations go with
    /// --invitations.
    #[command(after_help = "Examples:
  authctl db prune --dry-run
  authctl db prune --invitations")]
    Prune(DbPruneArgs),
    /// Copy the database to a new file, consistently, while others use it
    ///
    /// The copy is one file, readable by you alone. It holds password hashes: keep it as safe as the
    /// database. An existing file is never overwritten. `-` writes the copy to a pipe when it is complete;
    /// until then it takes space beside the database.
    ///
    /// With --keep, FILE is a directory, and the new file gets a name with the time. Older backups of this
    /// database that `db backup --keep` named are removed when the new one is complete, and nothing else.
    #[command(after_help = backup::EXAMPLES)]
    Backup(BackupArgs),
    /// Copy a database of authctl's own to a new place: to PostgreSQL, or back to a file
    ///
    /// Users, accounts, sessions, codes, settings and the audit log are copied as they are and compared.
    /// Tokens and codes stay valid. The copy is made in one transaction: it is whole or absent, and a copy
    /// that was interrupted begins again from the start. TO must not exist.
    ///
    /// FROM can be read meanwhile, and others who write to it wait until the copy is done, or as long as
    /// their --wait lasts. Both audit logs get an entry about the copy. FROM stays as it is, so nothing
    /// that is written to it later is in TO.
    #[command(after_help = copy::EXAMPLES)]
    Copy(CopyArgs),
    /// Replace the database by a backup, also while others use it
    ///
    /// The backup is checked first and brought to the newest schema. The database as it was is kept
    /// beside it, as NAME.before-restore-TIME. All sessions end, and codes are void: what was ended or
    /// used since the backup was made would come alive again. A missing database is made.
    #[command(after_help = "Examples:
  authctl db restore auth-2026-01-31.db --dry-run
  authctl db restore auth-2026-01-31.db --yes")]
    Restore(RestoreArgs),
    /// Turn a database of authctl's own into one that a Better Auth app uses
    ///
    /// For a database that was made at the path of an app. The users and their accounts stay. The app
    /// verifies passwords hashed with Better Auth's scrypt; the other users need a new password. All
    /// sessions end, and codes are void. The database as it was is kept beside it, as
    /// NAME.before-convert-TIME: `authctl db restore` takes it.
    ///
    /// An app's database is never converted: the app would go on to write in its own form, and one file
    /// would have the rules of two programs.
    #[command(after_help = convert::EXAMPLES)]
    Convert(ConvertArgs),
}

pub(super) fn run(command: &DbCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        DbCommand::Init(args) => init::init(args, context),
        DbCommand::List(flags) => list::run(flags, context).attempt("could not list the databases"),
        DbCommand::Status => status(context),
        DbCommand::Migrate => migrate(context).attempt("could not migrate the database"),
        DbCommand::Prune(args) => prune::run(args, context).attempt("could not delete expired rows"),
        DbCommand::Backup(args) => backup::backup(args, context).attempt("could not back up the database"),
        DbCommand::Copy(args) => copy::run(args, context).attempt("could not copy the database"),
        DbCommand::Restore(args) => backup::restore(args, context).attempt("could not restore the backup"),
        DbCommand::Convert(args) => convert::run(args, context).attempt("could not convert the database"),
        DbCommand::Check(args) => doctor::check(args, context).attempt("could not check the database"),
    }
}

fn status(context: &mut Context) -> anyhow::Result<Outcome> {
    let place = context.database()?;
    let now = context.now()?;
    let info = context.auth_without_times()?.store.info(now).context("could not describe the database")?;
    let passwords = context.auth_without_times()?.store.scheme().context("could not describe the database")?;
    let state = context.auth_without_times()?.store.state_place();
    Ok(StatusReport { place, info, passwords, state, now }.into())
}

fn migrate(context: &mut Context) -> anyhow::Result<Outcome> {
    let migrated = migrate_schema(context)?;
    Ok(MigrateReport { database: context.database()?.location, migrated }.into())
}

/// Brings the schema to the newest version, and makes again what another program removed from it.
pub(super) fn migrate_schema(context: &mut Context) -> anyhow::Result<Migrated> {
    let location = context.database()?.location;
    // The history of migrations is dated.
    context.now()?;
    // Only one connection of the process may be open while the schema changes.
    context.close_database();
    let migrated = match &location {
        DatabaseLocation::File(path) => sqlite::migrate(path, context.wait())?,
        DatabaseLocation::Url(url) => {
            let address = context.server_address(url)?;
            postgres::migrate(&address, context.wait()).map_err(OpenError::from)?
        }
    };
    if !migrated.restored.is_empty() {
        context.did(format!("{location} has its whole schema again"), "look at it with `authctl doctor`");
        let event = Event::new("schema.restored").with(migrated.restored.join(", "));
        context.auth_under_any_policy()?.store.record(event)?;
    }
    Ok(migrated)
}

/// What was made again in the schema, and what is gone with what was removed.
pub(super) fn restored_lines(database: &DatabaseLocation, restored: &[String]) -> Vec<String> {
    if restored.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("made again in {}: {}", escaped(database), restored.join(", "))];
    let is_new = |what: &str| restored.iter().any(|one| one.starts_with(what));
    if is_new("column user.") {
        lines.push("roles and bans are gone with their columns; `authctl users set-role` and `ban` set them".into());
    }
    if is_new("column session.") {
        lines.push("all sessions ended: nothing showed which of them an administrator had begun".into());
    }
    if is_new("table authctl_audit") {
        lines.push("the audit log and its old entries are gone; it begins anew".into());
    }
    lines
}

#[derive(Debug)]
struct MigrateReport {
    database: DatabaseLocation,
    migrated: Migrated,
}

impl Report for MigrateReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let Self { database, migrated: Migrated { from, to, restored } } = self;
        let mut page = if from != to {
            Page::done(format!("migrated {} from schema version {from} to {to}", escaped(database)))
        } else if restored.is_empty() {
            Page::note(format!("{} is up to date at schema version {to}", escaped(database)))
        } else {
            Page::default()
        };
        page.done.extend(restored_lines(database, restored));
        page
    }

    fn json(&self) -> Value {
        let Migrated { from, to, restored } = &self.migrated;
        json!({ "database": self.database.to_string(), "from": from, "to": to, "restored": restored })
    }
}

#[derive(Debug)]
struct StatusReport {
    place: DatabasePlace,
    info: DatabaseInfo,
    passwords: Scheme,
    state: Option<StatePlace>,
    now: Timestamp,
}

/// The kind of a database, for programs.
fn kind(is_app: bool) -> &'static str {
    if is_app { "better-auth" } else { "native" }
}

impl Report for StatusReport {
    fn text(&self, _: Timestamp, style: Style) -> Page {
        let mut page = Page::answer(self.facts());
        if self.info.app_traces.as_ref().and_then(AppTraces::in_words).is_some() {
            page.notes.push("`authctl doctor` says what to do about the app".into());
        }
        if let Some(app) = &self.info.guest {
            page.answer.push('\n');
            page.answer.push_str(&columns(app, style));
            page.notes.extend(app.write_blockers.iter().map(|blocker| {
                let what = match &blocker.scope {
                    WriteScope::Everything => "not written to".to_owned(),
                    WriteScope::Times => "most commands refuse it".to_owned(),
                    WriteScope::NewRows(table) | WriteScope::Elsewhere(table) => {
                        format!("no new row is written to {}", escape(table))
                    }
                    WriteScope::Column(column) | WriteScope::Silent { column, .. } => {
                        format!("{} is not written", escape(column))
                    }
                };
                format!("{what}: {}\n  {}", escape(&blocker.problem), escape(&blocker.remedy))
            }));
        }
        page
    }

    fn json(&self) -> Value {
        let (journal_mode, sqlite_version, server) = match &self.info.storage {
            Storage::File { sqlite_version, journal_mode } => (Some(journal_mode), Some(sqlite_version), None),
            Storage::Server(server) => (None, None, Some(server_json(server, self.now))),
        };
        json!({
            "database": self.place.location.to_string(),
            "name": self.place.location.name(),
            "chosenBy": self.place.chosen_by.word(),
            "kind": kind(self.info.guest.is_some()),
            "schemaVersion": self.info.schema_version,
            "appTraces": self.info.app_traces.as_ref().map(|traces| {
                json!({ "tables": traces.tables, "sessions": traces.sessions, "codes": traces.codes })
            }),
            "users": self.info.users,
            "liveSessions": self.info.live_sessions,
            "expiredSessions": self.info.expired_sessions,
            "journalMode": journal_mode,
            "sqliteVersion": sqlite_version,
            "bytes": self.info.bytes,
            "server": server,
            "app": self.info.guest.as_ref().map(|app| app_json(app, &self.passwords)),
            "state": self.state.as_ref().map(state_json),
        })
    }
}

impl StatusReport {
    fn facts(&self) -> String {
        let info = &self.info;
        let count = |count: Option<u64>| count.map_or_else(|| "not known".to_owned(), |count| count.to_string());
        let mut known = vec![
            ("database", escaped(&self.place.location)),
            ("chosen by", self.place.chosen_by.as_str().to_owned()),
            ("kind", kind(self.info.guest.is_some()).to_owned()),
        ];
        known.extend(info.schema_version.map(|version| ("schema version", version.to_string())));
        if let Some(app) = &info.guest {
            let times = match app.unclear_times() {
                Some(unclear) => format!("{}: {}", app.time, escape(&unclear.problem)),
                None => format!("{} (shown by {})", app.time, escape(&app.time_evidence)),
            };
            known.push(("times", times));
            known.push(("ids", escape(&app.ids).into_owned()));
            let passwords = match &self.passwords {
                Scheme::Unclear(kinds) => format!("not clear: {}", kinds.join(", ")),
                Scheme::Named { params, others } => format!("{}, most are {}", params.function(), others.join(", ")),
                scheme => function(scheme).unwrap_or_default().to_owned(),
            };
            known.push(("passwords", passwords));
            let triggers = app.triggers.iter().map(|one| format!("{} on {}", escape(&one.name), escape(&one.table)));
            known.extend((!app.triggers.is_empty()).then(|| ("triggers", triggers.collect::<Vec<_>>().join(", "))));
        }
        known.extend(self.state.as_ref().map(|state| ("state", escape(&state.to_string()).into_owned())));
        let traces = info.app_traces.as_ref().and_then(AppTraces::in_words);
        known.extend(traces.map(|traces: String| ("left by an app", escape(&traces).into_owned())));
        known.extend([
            ("users", info.users.to_string()),
            ("live sessions", count(info.live_sessions)),
            ("expired sessions", count(info.expired_sessions)),
        ]);
        match &info.storage {
            Storage::File { sqlite_version, journal_mode } => {
                known.extend([("journal mode", journal_mode.clone()), ("SQLite", sqlite_version.clone())]);
            }
            Storage::Server(server) => known.extend(server_facts(server, self.now)),
        }
        known.push(("size", format!("{} bytes", info.bytes)));
        facts(&known)
    }
}

fn server_facts(server: &Server, now: Timestamp) -> Vec<(&'static str, String)> {
    let role = if server.is_superuser { " (superuser)" } else { "" };
    let mut facts = vec![
        (server.product.name(), escape(&server.version).into_owned()),
        ("role", format!("{}{role}", escape(&server.role))),
        ("encryption", server.tls.clone().unwrap_or_else(|| "none".to_owned())),
        // Whole seconds: the answer was on its way.
        (
            "clock",
            format!("{} s from this machine's, which decides what has expired", server.clock_difference(now).as_secs()),
        ),
    ];
    if server.is_replica {
        let behind =
            server.behind.map_or_else(String::new, |behind| format!(", at most {} s behind", behind.as_secs()));
        facts.push(("replica", format!("read only{behind}")));
    } else if server.is_read_only {
        facts.push(("transactions", "read only, by default_transaction_read_only".to_owned()));
    }
    facts
}

/// Where authctl's own tables about an app are, for programs.
fn state_json(state: &StatePlace) -> Value {
    match state {
        StatePlace::File(path) => json!({ "kind": "file", "path": path, "schema": null }),
        StatePlace::Nowhere => json!({ "kind": "file", "path": null, "schema": null }),
        StatePlace::Schema(name) => json!({ "kind": "schema", "path": null, "schema": name }),
    }
}

fn server_json(server: &Server, now: Timestamp) -> Value {
    json!({
        "product": server.product.name(),
        "version": server.version,
        "role": server.role,
        "superuser": server.is_superuser,
        "tls": server.tls,
        "replica": server.is_replica,
        "readOnly": server.is_read_only,
        "behindSeconds": server.behind.map(|behind| behind.as_secs()),
        "clockDifferenceMilliseconds": server.clock_difference(now).as_millis(),
    })
}

/// The column of this database for each column of Better Auth.
fn columns(app: &GuestSchema, style: Style) -> String {
    let row = |physical: &Option<String>, name: String, found: &Option<String>, declared: &str| {
        let found = physical.as_ref().zip(found.as_ref());
        let found = found.map_or_else(|| "-".to_owned(), |(table, column)| format!("{table}.{column}"));
        vec![name, escape(&found).into_owned(), escape(declared).into_owned()]
    };
    let rows = app.tables.iter().flat_map(|table| {
        let column = move |column: &GuestColumn| {
            row(&table.physical, format!("{}.{}", table.name, column.name), &column.physical, &column.declared)
        };
        table.columns.iter().map(column).collect::<Vec<_>>()
    });
    let columns = [Column::whole("BETTER AUTH"), Column::whole("HERE"), Column::shrinking("DECLARED", 8, 1)];
    table(&columns, rows.collect(), style)
}

/// The function that hashes new passwords, as the `--schema` file names it; `None` if it is not clear.
fn function(scheme: &Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Native => Some("argon2id"),
        Scheme::Guest(params) | Scheme::Named { params, .. } => Some(params.function()),
        Scheme::Unclear(_) => None,
    }
}

fn app_json(app: &GuestSchema, passwords: &Scheme) -> Value {
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
    let triggers: Vec<Value> = app.triggers.iter().map(|one| json!({ "name": one.name, "table": one.table })).collect();
    let write_blockers: Vec<Value> = app
        .write_blockers
        .iter()
        .map(|blocker| json!({ "problem": blocker.problem, "remedy": blocker.remedy }))
        .collect();
    let others = if let Scheme::Named { others, .. } = passwords { others.as_slice() } else { &[] };
    json!({
        "tables": tables,
        "time": app.time,
        "timeEvidence": app.time_evidence,
        "ids": app.ids,
        "password": function(passwords),
        "otherPasswords": others,
        "triggers": triggers,
        "writable": app.blocks_everything().is_none(),
        "refusals": write_blockers,
    })
}
