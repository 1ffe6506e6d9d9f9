//! `sessions` as typed.

use clap::{ArgGroup, Args, Subcommand};
use jiff::SignedDuration;

use super::values;
use crate::auth::session_filter::Network;

pub(super) const EXAMPLES: &str = "Examples:
  authctl sessions
  authctl sessions revoke --others
  authctl sessions revoke --user ada@example.com
  authctl sessions prune --dry-run
  authctl sessions issue --user ada@example.com --for 10m";

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List live sessions: yours, with the current one marked, or those of others
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl sessions list --json | jq -r '.sessions[].id'
  authctl sessions list --user ada@example.com"
    )]
    List(ListSessionsArgs),
    /// End sessions: yours, or those of others
    #[command(after_help = "Examples:
  authctl sessions revoke 0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq
  authctl sessions revoke --others --dry-run
  authctl sessions revoke --user ada@example.com
  authctl sessions revoke --all-users --idle 30d --dry-run")]
    Revoke(RevokeArgs),
    /// Delete the rows of expired sessions, of all users
    #[command(after_help = "Example:\n  authctl sessions prune")]
    Prune(PruneArgs),
    /// Make a session for a user without a sign-in, and print its token
    ///
    /// For support and for tests from end to end. The session is like any other of the user's; only the
    /// audit log says that it was issued. `users impersonate` makes one that says who is in it. Use may
    /// move its end forward: a Better Auth app does that at the first use of any session that was to end
    /// within six days.
    #[command(after_help = "Examples:
  AUTHCTL_TOKEN=$(authctl sessions issue --user ada@example.com --for 10m)
  curl -H \"cookie: $(authctl --db app.db sessions issue --user ada@example.com --cookie)\" $APP")]
    Issue(IssueArgs),
}

/// Whose sessions: nobody needs to be signed in to name others.
#[derive(Debug, Default, Args)]
pub struct WhoseArgs {
    /// Sessions of this user, by email address or id
    #[arg(long, conflicts_with = "all_users")]
    pub user: Option<String>,
    /// Sessions of all users
    #[arg(long)]
    pub all_users: bool,
}

/// Arguments of `sessions list`.
#[derive(Debug, Default, Args)]
pub struct ListSessionsArgs {
    /// Whose.
    #[command(flatten)]
    pub whose: WhoseArgs,
}

/// Arguments of `sessions revoke`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "others", "all", "user", "older_than", "idle", "ip", "user_agent"])))]
#[command(group(ArgGroup::new("own").args(["others", "all"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct RevokeArgs {
    /// Sessions to end, by the id that `sessions list` shows; all of them or none
    #[arg(value_name = "ID", conflicts_with = "own")]
    pub ids: Vec<String>,
    /// End every session of yours but the current one
    #[arg(long, conflicts_with_all = ["user", "all_users"])]
    pub others: bool,
    /// End every session of yours and sign out; with --all-users, every session of everybody
    #[arg(long)]
    pub all: bool,
    /// Whose.
    #[command(flatten)]
    pub whose: WhoseArgs,
    /// Only sessions signed in at least this long ago, such as 30d
    #[arg(long, value_name = "DURATION", value_parser = values::age)]
    pub older_than: Option<SignedDuration>,
    /// Only sessions not moved forward for at least this long, such as 7d
    #[arg(long, value_name = "DURATION", value_parser = values::age)]
    pub idle: Option<SignedDuration>,
    /// Only sessions from this address or network, such as 10.0.0.0/8
    #[arg(long, value_name = "CIDR")]
    pub ip: Option<Network>,
    /// Only sessions from programs that match, such as 'curl*'
    #[arg(long, value_name = "GLOB")]
    pub user_agent: Option<String>,
    /// Not the current session
    #[arg(long)]
    pub except_current: bool,
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

/// Arguments of `sessions issue`.
#[derive(Debug, Args)]
pub struct IssueArgs {
    /// Whose, by email address or id
    #[arg(long)]
    pub user: String,
    /// How long, from 1m to 400d [default: as after a sign-in]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::life)]
    pub duration: Option<SignedDuration>,
    /// Print the cookie of a Better Auth app, signed with the secret in BETTER_AUTH_SECRET
    #[arg(long)]
    pub cookie: bool,
    /// Name the cookie as an app does that is reached by https, with __Secure- before it
    #[arg(long, requires = "cookie")]
    pub secure: bool,
    /// Even for an administrator
    #[arg(long)]
    pub force: bool,
}
