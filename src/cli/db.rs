//! `db` as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

pub(super) const EXAMPLES: &str = "Examples:
  authctl db init --if-missing
  authctl db status
  authctl db backup ~/auth-backup.db
  authctl db restore ~/auth-backup.db --dry-run";

/// What to do with the database file.
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

/// Arguments of `db init`.
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

/// Arguments of `db restore`.
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
