//! `db` as typed.

use clap::Subcommand;

pub(super) const EXAMPLES: &str = "Examples:
  authctl db init --if-missing
  authctl db status";

/// What to do with the database file.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Make an empty database
    #[command(after_help = "Example:\n  authctl --db ./auth.db db init --if-missing")]
    Init {
        /// Succeed when the database is there already
        #[arg(long)]
        if_missing: bool,
    },
    /// Describe the database
    #[command(after_help = "Example:\n  authctl db status --json")]
    Status,
    /// Bring the schema to the newest version
    #[command(after_help = "Example:\n  authctl db migrate")]
    Migrate,
    /// Look whether the file is whole, its schema authctl's and its audit log unbroken
    #[command(after_help = "Example:\n  authctl db check && echo sound")]
    Check,
}
