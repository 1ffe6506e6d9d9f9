//! `db backup` and `db restore`.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
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
use crate::paths::{resolve, session_key};
use crate::store::OpenError;
use crate::store::sqlite::{self, Additions, Ended, Examined, RestoreOptions};

pub(super) const EXAMPLES: &str = "Examples:
  authctl db backup auth-2026-01-31.db
  authctl db backup --keep 7 ~/backups
  authctl db backup - | age -r RECIPIENT > auth-2026-01-31.db.age";

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The new file; the directory with --keep; `-` for standard output
    pub file: PathBuf,
    /// Keep this many backups in the directory, and remove the oldest others
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub keep: Option<u16>,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    pub file: PathBuf,
    /// Keep the sessions and API tokens of the backup
    #[arg(long)]
    pub keep_sessions: bool,
    /// Check the backup and say what would happen
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn backup(args: &BackupArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.file == Path::new("-") {
        return backup_to_pipe(args, context);
    }
    let rotation = args.keep.map(|keep| Rotation::new(&args.file, keep, context)).transpose()?;
    let file = match &rotation {
        Some(rotation) => rotation.new_file(context)?,
        None => backup_path(&args.file)?,
    };
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
    context.did(format!("the backup {} was made", file.display()), "older backups may be left: remove them");
    let removed = rotation.map_or(Ok(Vec::new()), |rotation| rotation.remove_older(&file))?;
    Ok(BackupReport { path, file: Some(file), contents, removed }.into())
}

/// Writes the backup to standard output.
fn backup_to_pipe(args: &BackupArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.keep.is_some() {
        let message = "--keep is for a directory, and a pipe holds one backup".to_owned();
        return Err(CommandError::Usage { message, hint: "name a directory, or leave out --keep" }.into());
    }
    if io::stdout().is_terminal() {
        let message = "a backup is not written to a terminal".to_owned();
        return Err(CommandError::Usage { message, hint: "pipe it, or name a file" }.into());
    }
    let path = context.database_file()?;
    let mut engine = sqlite::open_own(&path, context.wait())?;
    let acting = context.acting()?;
    let line = activity("copying and checking the database", context);
    let (contents, copy) = engine.backup_nameless()?;
    drop(line);
    let mut store = engine.into_store();
    store.act_as(acting);
    // Before the first byte: a reader that gets half of the hashes has them.
    let event = Event::new("database.backed-up").with("to standard output");
    store.record(event).context("could not write to the audit log")?;
    let report = BackupReport { path, file: None, contents, removed: Vec::new() };
    Ok(Outcome::Bytes { file: copy, report: Box::new(report) })
}

/// The backups of one database in a directory, of which the newest are kept. A name is that of the database, a part
/// that tells databases of one name apart, and the time.
struct Rotation {
    directory: PathBuf,
    prefix: OsString,
    keep: usize,
}

/// The time in the name of a backup, with which names are sorted by time.
const TIME: &str = "%Y%m%dT%H%M%S.%3fZ";
/// A time as in [`TIME`]: `0` stands for any digit.
const TIME_SHAPE: &[u8] = b"00000000T000000.000Z";
const EXTENSION: &str = ".db";
/// The length of the part of a name that tells databases of one name apart.
const KEY_LENGTH: usize = 8;

impl Rotation {
    fn new(directory: &Path, keep: u16, context: &Context) -> anyhow::Result<Self> {
        if !directory.is_dir() {
            let message = format!("--keep needs a directory that exists, and {} is not one", shown(directory));
            return Err(CommandError::Usage { message, hint: "make the directory, with rights for you alone" }.into());
        }
        let location = context.database()?.location;
        let mut prefix = location.file()?.file_stem().unwrap_or_default().to_owned();
        prefix.push(format!(".{:.KEY_LENGTH$}.", session_key(&location)));
        Ok(Self { directory: resolve(directory)?, prefix, keep: keep.into() })
    }

    fn new_file(&self, context: &Context) -> anyhow::Result<PathBuf> {
        let mut name = self.prefix.clone();
        name.push(context.now()?.strftime(TIME).to_string());
        name.push(EXTENSION);
        Ok(self.directory.join(name))
    }

    /// Whether the name is one of [`Self::new_file`].
    fn is_own(&self, name: &OsStr) -> bool {
        let time = name.as_bytes().strip_prefix(self.prefix.as_bytes());
        let time = time.and_then(|rest| rest.strip_suffix(EXTENSION.as_bytes()));
        time.is_some_and(|time| {
            let fits =
                |(found, shape): (&u8, &u8)| if *shape == b'0' { found.is_ascii_digit() } else { found == shape };
            time.len() == TIME_SHAPE.len() && time.iter().zip(TIME_SHAPE).all(fits)
        })
    }

    /// Removes the oldest backups, so that the new one and `keep - 1` others are left. Returns the removed files.
    fn remove_older(&self, new: &Path) -> Result<Vec<PathBuf>, CommandError> {
        let failed = |path: &Path, source| CommandError::NotWritten { path: path.to_owned(), source };
        let mut others = Vec::new();
        for entry in self.directory.read_dir().map_err(|source| failed(&self.directory, source))? {
            let entry = entry.map_err(|source| failed(&self.directory, source))?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && self.is_own(&entry.file_name()) && entry.path() != new {
                others.push(entry.path());
            }
        }
        others.sort();
        others.truncate((others.len() + 1).saturating_sub(self.keep));
        for path in &others {
            match std::fs::remove_file(path) {
                // Another `db backup --keep` removed it.
                Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed(path, source)),
                _ => {}
            }
        }
        Ok(others)
    }
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
    let report = |contents, ended| RestoreReport {
        path: path.clone(),
        file: from.clone(),
        contents,
        kept: replaces.then(|| kept.clone()),
        ended,
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
    Ok(report(restored.contents, Some(restored.ended)).into())
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

/// The path of a backup.
fn backup_path(file: &Path) -> anyhow::Result<PathBuf> {
    if file == Path::new("-") || file.as_os_str().is_empty() {
        let message = "a backup to restore is a file and cannot be piped".to_owned();
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
    /// `None` for standard output.
    file: Option<PathBuf>,
    contents: BackupSummary,
    /// Older backups that were removed.
    removed: Vec<PathBuf>,
}

impl Report for BackupReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let (path, contents) = (shown(&self.path), summary(&self.contents));
        let file = self.file.as_deref().map_or_else(|| "standard output".into(), shown);
        let mut done = vec![format!("backed up {path} with {contents} to {file}")];
        if !self.removed.is_empty() {
            let names: Vec<String> = self.removed.iter().map(|path| shown(path)).collect();
            let removed = counted(names.len() as u64, "older backup");
            done.push(format!("removed {removed}: {}", listed(&names)));
        }
        done.push("the backup holds password hashes: keep it as safe as the database".to_owned());
        Page { done, ..Page::default() }
    }

    fn json(&self) -> Value {
        let mut document = document(&self.path, self.file.as_deref().unwrap_or(Path::new("-")), &self.contents);
        document["removed"] = self.removed.iter().map(|path| path.to_string_lossy()).collect();
        document
    }
}

#[derive(Debug)]
struct RestoreReport {
    path: PathBuf,
    file: PathBuf,
    contents: BackupSummary,
    /// The path of the replaced database, if there was one.
    kept: Option<PathBuf>,
    /// What ended of the backup; `None` for `--dry-run`.
    ended: Option<Ended>,
}

impl Report for RestoreReport {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let Some(ended) = self.ended else {
            let contents = summary(&self.contents);
            return Page::note(format!("would restore {contents} from {} to {}", shown(&self.file), shown(&self.path)));
        };
        let mut done = vec![format!(
            "restored {} from {} to {}; ended {}",
            counted(self.contents.users, "user"),
            shown(&self.file),
            shown(&self.path),
            ended.in_words("live session"),
        )];
        done.extend(self.kept.as_deref().map(|kept| format!("the database as it was is kept in {}", shown(kept))));
        Page { done, ..Page::default() }
    }

    fn json(&self) -> Value {
        let mut document = document(&self.path, &self.file, &self.contents);
        document["sessionsEnded"] = self.ended.map(|ended| ended.sessions).into();
        document["tokensEnded"] = self.ended.map(|ended| ended.tokens).into();
        document["kept"] = self.kept.as_deref().map(Path::to_string_lossy).into();
        document["dryRun"] = self.ended.is_none().into();
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
