//! `audit` as typed.

use clap::{Args, Subcommand};
use jiff::Timestamp;

pub(super) const EXAMPLES: &str = "Examples:
  authctl audit list --user ada@example.com
  authctl audit verify";

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what was done, the oldest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl audit list --event signin.failed --since 2026-01-01T00:00:00Z
  authctl audit list --json | jq -r '.entries[].event'"
    )]
    List(AuditFilterArgs),
    /// Show the newest entries
    #[command(after_help = "Examples:\n  authctl audit tail\n  authctl audit tail --follow")]
    Tail(TailArgs),
    /// Look for entries that were edited, removed or moved
    #[command(after_help = "Example:\n  authctl audit verify --contains \"$HASH_NOTED_LAST_WEEK\"")]
    Verify {
        /// Also require an entry with this hash, which `verify` printed before
        #[arg(long, value_name = "HASH")]
        contains: Option<String>,
    },
    /// Print entries as JSON, one per line
    #[command(after_help = "Example:\n  authctl audit export > audit.jsonl")]
    Export(AuditFilterArgs),
}

/// Which entries.
#[derive(Debug, Args)]
pub struct AuditFilterArgs {
    /// About or by this user, by email address or id, also of a user who was deleted
    #[arg(long)]
    pub user: Option<String>,
    /// Whose event begins with this, such as session or signin.failed
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// From this instant on, such as 2026-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this instant
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
}

/// Arguments of `audit tail`.
#[derive(Debug, Args)]
pub struct TailArgs {
    /// How many entries
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    pub lines: usize,
    /// Go on as entries come, until interrupted
    #[arg(short, long)]
    pub follow: bool,
}
