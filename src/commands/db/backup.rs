//! `db backup` and `db restore`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::audit::{Event, counted};
use crate::auth::storage::{BackupSummary, Store as _};
use crate::commands::{activity, confirm};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::shown;
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::resolve;
use crate::store::OpenError;
use crate::store::sqlite::{self, Additions, Examined, RestoreOptions};

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    pub file: PathBuf,
    /// Keep the sessions of the backup
    #[arg(long)]
    pub keep_sessions: bool,
    /// Check the backup and say what would happen
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn backup(file: &Path, context: &mut Context) -> anyhow::Result<Outcome> {
    let file = backup_path(file)?;
    let path = context.database_file()?;
    // Opening migrates an older schema, so one connection serves the whole command.
    let mut engine = sqlite::open_own(&path, context.wait())?;
    let acting = context.acting()?;
    let line = activity("copying and checking the database", context);
    let contents = engine.backup(&file)?;
    drop(line);
    let event = Event::new("database.backed-up").with(format!("to {}", file.display()));
    context.did(
        format!("the backup {} was made", file.display()),
        "the backup can be used; its entry in the audit log is missing",
    );
    let mut store = engine.into_store();
    store.act_as(acting);
    store.record(event).context("could not write to the audit log")?;
    Ok(BackupReport { path, file, contents }.into())
}

pub(super) fn restore(args: &RestoreArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let from = backup_path(&args.file)?;
    let place = context.database()?;
    let path = context.database_file()?;
    let kept = kept_path(&path, "before-restore", context)?;
    let line = activity("checking the backup", context);
    let Examined { contents, additions } = sqlite::examine(&from, context.wait())?;
    drop(line);
    let replaces = path.symlink_metadata().is_ok();
    if replaces {
        // Refuses to replace a file that is not authctl's before any question.
        sqlite::require_own(&path).map_err(|error| match error {
            OpenError::NotOwn(_) => CommandError::Taken { path: path.clone() }.into(),
            error => anyhow::Error::new(error),
        })?;
    }
    let report = |contents, sessions_ended| RestoreReport {
        path: path.clone(),
        file: from.clone(),
        contents,
        kept: replaces.then(|| kept.clone()),
        sessions_ended,
    };
    if args.dry_run {
        notice_additions(&additions, context);
        return Ok(report(contents, None).into());
    }
    if replaces {
        let now = sqlite::contents(&path, context.wait());
        let users = now.map_or_else(|| "unreadable".to_owned(), |now| counted(now.users, "user"));
        let effect = format!(
            "This replaces {} ({users}) by {} ({}).\nThe database as it is now is kept in {}.",
            shown(&path),
            shown(&from),
            counted(contents.users, "user"),
            shown(&kept),
        );
        confirm(&effect, "Replace the database?", context)?;
    }
    Context::make_default_directory(&place)?;
    let line = activity("replacing the database", context);
    let restored = sqlite::restore(&RestoreOptions {
        path: &path,
        from: &from,
        kept: &kept,
        keep_sessions: args.keep_sessions,
        now: context.now()?,
        acting: &context.acting()?,
        wait: context.wait(),
    })?;
    drop(line);
    notice_additions(&restored.additions, context);
    Ok(report(restored.contents, Some(restored.sessions_ended)).into())
}

/// The number of names that a notice lists.
const NAMED_MAX: usize = 5;

/// The first names of a list, and how many more there are.
pub(super) fn listed(objects: &[String]) -> String {
    let mut names: Vec<&str> = objects.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = objects.len().saturating_sub(NAMED_MAX);
    let rest = format!("{more} more");
    if more > 0 {
        names.push(&rest);
    }
    names.join(", ")
}

/// Reports tables, triggers and other objects of the backup that authctl did not make.
fn notice_additions(additions: &Additions, context: &mut Context) {
    if !additions.left_out.is_empty() {
        let left_out = listed(&additions.left_out);
        context.notices.push(format!("the backup has triggers or views, which are left out: {left_out}"));
    }
    if !additions.kept.is_empty() {
        let kept = listed(&additions.kept);
        context.notices.push(format!("the backup has tables, columns or indexes that authctl did not make: {kept}"));
    }
}

/// The path of a backup. A database cannot be a stream.
fn backup_path(file: &Path) -> anyhow::Result<PathBuf> {
    if file == Path::new("-") || file.as_os_str().is_empty() {
        let message = "a backup is a file and cannot be piped".to_owned();
        return Err(CommandError::Usage { message, hint: "name a file" }.into());
    }
    Ok(resolve(file)?)
}

/// The path under which the database is kept as it was before an act.
pub(super) fn kept_path(path: &Path, before: &str, context: &Context) -> anyhow::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(context.now()?.strftime(&format!(".{before}-%Y%m%dT%H%M%S.%3fZ")).to_string());
    Ok(path.with_file_name(name))
}

#[derive(Debug)]
struct BackupReport {
    path: PathBuf,
    file: PathBuf,
    contents: BackupSummary,
}

impl Report for BackupReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let (path, contents, file) = (shown(&self.path), summary(&self.contents), shown(&self.file));
        Page {
            done: vec![
                format!("backed up {path} with {contents} to {file}"),
                "the backup holds password hashes: keep it as safe as the database".to_owned(),
            ],
            ..Page::default()
        }
    }

    fn json(&self) -> Value {
        document(&self.path, &self.file, &self.contents)
    }
}

#[derive(Debug)]
struct RestoreReport {
    path: PathBuf,
    file: PathBuf,
    contents: BackupSummary,
    /// The path of the replaced database, if there was one.
    kept: Option<PathBuf>,
    /// The number of live sessions of the backup that ended; `None` for `--dry-run`.
    sessions_ended: Option<u64>,
}

impl Report for RestoreReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let Some(ended) = self.sessions_ended else {
            let contents = summary(&self.contents);
            return Page::note(format!("would restore {contents} from {} to {}", shown(&self.file), shown(&self.path)));
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
        let mut document = document(&self.path, &self.file, &self.contents);
        document["sessionsEnded"] = self.sessions_ended.into();
        document["kept"] = self.kept.as_deref().map(Path::to_string_lossy).into();
        document["dryRun"] = self.sessions_ended.is_none().into();
        document
    }
}

fn document(path: &Path, file: &Path, contents: &BackupSummary) -> Value {
    json!({
        "database": path.to_string_lossy(),
        "backup": file.to_string_lossy(),
        "users": contents.users,
        "sessions": contents.sessions,
        "schemaVersion": contents.schema_version,
    })
}

fn summary(contents: &BackupSummary) -> String {
    format!("{} and {}", counted(contents.users, "user"), counted(contents.sessions, "session"))
}
