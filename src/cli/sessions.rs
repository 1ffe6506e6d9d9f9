//! `sessions` as typed.

use clap::{ArgGroup, Args, Subcommand};

pub(super) const EXAMPLES: &str = "Examples:
  authctl sessions
  authctl sessions revoke --others
  authctl sessions prune --dry-run";

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List your live sessions; the current one is marked
    #[command(visible_alias = "ls", after_help = "Example:\n  authctl sessions list --json | jq -r '.sessions[].id'")]
    List,
    /// End sessions of yours
    #[command(after_help = "Examples:
  authctl sessions revoke 0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq
  authctl sessions revoke --others --dry-run")]
    Revoke(RevokeArgs),
    /// Delete the rows of expired sessions, of all users
    #[command(after_help = "Example:\n  authctl sessions prune")]
    Prune(PruneArgs),
}

/// Arguments of `sessions revoke`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").args(["ids", "others", "all"]).required(true)))]
pub struct RevokeArgs {
    /// Sessions to end, by the id that `sessions list` shows; all of them or none
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// End every session of yours but the current one
    #[arg(long)]
    pub others: bool,
    /// End every session of yours and sign out
    #[arg(long)]
    pub all: bool,
    /// Say what would end, and end nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `sessions prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Say how many would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
}
