//! `db`: makes, describes, migrates, backs up and restores the database file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};

use super::{Attempt as _, doctor};
use crate::auth::audit::{Event, counted};
use crate::auth::storage::Store as _;
use crate::context::Context;
use crate::error::CommandError;
use crate::output::text::escape;
use crate::output::{DatabaseOutcome, DatabaseSource, DatabaseState, Outcome, Restoration};
use crate::paths::resolve;
use crate::store::OpenError;
use crate::store::sqlite::{self, Adapter, Additions, Examined, RestoreOptions};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl db init --if-missing
  authctl db status
  authctl db backup ~/auth-backup.db
  authctl db restore ~/auth-backup.db --dry-run";

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Make an empty database
    #[command(after_help = "Examples:
  authctl --db ./auth.db db init --if-missing
  authctl --db ./app.db db init --better-auth drizzle")]
    Init(InitArgs),
    /// Describe the database
    #[command(after_help = "Example:\n  authctl db status --json")]
    Status,
    /// Bring the schema to the newest version
    #[command(after_help = "Example:\n  authctl db migrate")]
    Migrate,
    /// Look whether the file is whole, its schema authctl's and its audit log unbroken
    #[command(after_help = "Example:\n  authctl db check && echo sound")]
    Check,
    /// Copy the database to a new file, consistently, while others use it
    ///
    /// The copy is one file, readable by you alone. It holds password hashes: keep it as safe as the
    /// database. An existing file is never overwritten.
    #[command(after_help = "Example:\n  authctl db backup auth-2026-01-31.db")]
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Replace the database by a backup, also while others use it
    ///
    /// The backup is checked first and brought to the newest schema. The database as it was is kept
    /// beside it, as NAME.before-restore-TIME. All sessions end, and codes are void: what was ended or
    /// used since the backup was made would come alive again. A missing database is made.
    #[command(after_help = "Examples:
  authctl db restore auth-2026-01-31.db --dry-run
  authctl db restore auth-2026-01-31.db --yes")]
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Succeed when the database is there already; fail when it is not the kind asked for
    #[arg(long)]
    pub if_missing: bool,
    /// Make the tables of a Better Auth app and its admin plugin instead, as the app's adapter has them
    #[arg(long, value_enum, value_name = "ADAPTER")]
    pub better_auth: Option<AdapterChoice>,
}

/// What stands between a Better Auth app and its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdapterChoice {
    /// What `auth generate` and `drizzle-kit push` make
    Drizzle,
    /// What `auth migrate` makes
    Kysely,
}

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

const COULD_NOT_MAKE: &str = "could not make the database";

pub(super) fn run(command: &DbCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        DbCommand::Init(args) => init(args, context),
        DbCommand::Status => status(context),
        DbCommand::Migrate => migrate(context).attempt("could not migrate the database"),
        DbCommand::Backup { file } => backup(file, context).attempt("could not back up the database"),
        DbCommand::Restore(args) => restore(args, context).attempt("could not restore the backup"),
        DbCommand::Check => doctor::check(context).attempt("could not check the database"),
    }
}

fn init(args: &InitArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let place = context.database()?;
    let wanted = args.better_auth.map(|adapter| match adapter {
        AdapterChoice::Drizzle => Adapter::Drizzle,
        AdapterChoice::Kysely => Adapter::Kysely,
    });
    let created = context.create_database(&place, wanted)?;
    if !created && !args.if_missing {
        return Err(OpenError::Exists(place.path)).context(COULD_NOT_MAKE);
    }
    if created {
        let what = format!("{} was created", place.path.display());
        context.did(what, "look at it with `authctl doctor`");
    }
    // Read back: a database that cannot be opened was not made, and one that was there must be of use.
    let app = context.auth()?.store.app();
    if let (Some(wanted), false) = (wanted, created) {
        let found = match app {
            None => Some("is authctl's own instead of an app's"),
            Some(schema) if !wanted.fits(schema) => Some("is an app's with another adapter"),
            Some(_) => None,
        };
        if let Some(found) = found {
            let message = format!("{} is there, and {found}", place.path.display());
            return Err(CommandError::Differs { message, hint: "name another file with --db" }).context(COULD_NOT_MAKE);
        }
    }
    let is_app = app.is_some();
    Ok(DatabaseOutcome::Ready { path: place.path, created, is_app }.into())
}

fn status(context: &mut Context) -> anyhow::Result<Outcome> {
    let place = context.database()?;
    let now = context.now()?;
    let chosen_by = DatabaseSource { word: place.chosen_by.word(), name: place.chosen_by.as_str() };
    let census = context.auth()?.store.info(now).context("could not describe the database")?;
    Ok(DatabaseOutcome::State(DatabaseState { path: place.path, chosen_by, census }).into())
}

fn migrate(context: &mut Context) -> anyhow::Result<Outcome> {
    let path = context.database()?.path;
    // The history of migrations is dated.
    context.now()?;
    let (from, to) = sqlite::migrate(&path, context.wait())?;
    Ok(DatabaseOutcome::Migrated { path, from, to }.into())
}

fn backup(file: &Path, context: &mut Context) -> anyhow::Result<Outcome> {
    let file = named(file)?;
    let path = context.database()?.path;
    // One connection for the whole act; opening brings an older schema up to date.
    let mut store = sqlite::open_own(&path, context.wait())?;
    store.act_as(context.acting()?);
    let contents = store.backup(&file)?;
    let event = Event::new("database.backed-up").with(format!("to {}", file.display()));
    context.did(
        format!("the backup {} was made", file.display()),
        "the backup can be used; its entry in the audit log is missing",
    );
    store.record(event).context("could not write to the audit log")?;
    Ok(DatabaseOutcome::BackedUp { path, file, contents }.into())
}

fn restore(args: &RestoreArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let from = named(&args.file)?;
    let place = context.database()?;
    let path = place.path.clone();
    let kept = kept(&path, context)?;
    let Examined { contents, additions } = sqlite::examine(&from, context.wait())?;
    let replaces = path.symlink_metadata().is_ok();
    if replaces {
        // Before anything is asked or promised: a file that is not ours is not replaced.
        sqlite::inspect(&path)?;
    }
    let restoration = |contents, sessions_ended| Restoration {
        path: path.clone(),
        file: from.clone(),
        contents,
        kept: replaces.then(|| kept.clone()),
        sessions_ended,
    };
    if args.dry_run {
        notice_additions(&additions, context);
        return Ok(DatabaseOutcome::Restored(restoration(contents, None)).into());
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
        if !context.confirm(&effect, "Replace the database?")? {
            return Err(CommandError::Declined.into());
        }
    }
    Context::make_default_directory(&place)?;
    let restored = sqlite::restore(&RestoreOptions {
        path: &path,
        from: &from,
        kept: &kept,
        keep_sessions: args.keep_sessions,
        now: context.now()?,
        acting: &context.acting()?,
        wait: context.wait(),
    })?;
    notice_additions(&restored.additions, context);
    Ok(DatabaseOutcome::Restored(restoration(restored.contents, Some(restored.sessions_ended))).into())
}

/// How many names a notice lists.
const NAMED_MAX: usize = 5;

/// Says what of the backup is not authctl's, and what became of it.
fn notice_additions(additions: &Additions, context: &mut Context) {
    let listed = |objects: &[String]| {
        let mut names: Vec<&str> = objects.iter().take(NAMED_MAX).map(String::as_str).collect();
        let more = objects.len().saturating_sub(NAMED_MAX);
        let rest = format!("{more} more");
        if more > 0 {
            names.push(&rest);
        }
        names.join(", ")
    };
    if !additions.left_out.is_empty() {
        let left_out = listed(&additions.left_out);
        context.notices.push(format!("the backup has triggers or views, which are left out: {left_out}"));
    }
    if !additions.kept.is_empty() {
        let kept = listed(&additions.kept);
        context.notices.push(format!("the backup has tables or indexes that authctl did not make: {kept}"));
    }
}

/// Where a backup is. It is a database, and a stream is none.
fn named(file: &Path) -> anyhow::Result<PathBuf> {
    if file == Path::new("-") || file.as_os_str().is_empty() {
        let message = "a backup is a file and cannot be piped".to_owned();
        return Err(CommandError::Usage { message, hint: "name a file" }.into());
    }
    Ok(resolve(file)?)
}

/// The name under which the state is kept that a restoration replaces.
fn kept(path: &Path, context: &Context) -> anyhow::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(context.now()?.strftime(".before-restore-%Y%m%dT%H%M%S.%3fZ").to_string());
    Ok(path.with_file_name(name))
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}
