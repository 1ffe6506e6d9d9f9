//! Whether a user can sign in, and acting as one, as typed.

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::cli::values;

/// Arguments of `users explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Email address or id
    pub user: String,
    /// At this instant, such as 2026-01-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
}

/// Arguments of `users impersonate`.
#[derive(Debug, Args)]
pub struct ImpersonateArgs {
    /// Email address or id
    #[arg(required_unless_present = "stop")]
    pub user: Option<String>,
    /// Stop acting as a user, and take back your own session if it is still valid
    #[arg(long, conflicts_with_all = ["user", "duration", "force", "print_token"])]
    pub stop: bool,
    /// How long, from 1m to 24h; use does not prolong it
    #[arg(long = "for", value_name = "DURATION", default_value = "1h", value_parser = values::ttl)]
    pub duration: SignedDuration,
    /// Act even as an administrator
    #[arg(long)]
    pub force: bool,
    /// Print the session token instead of storing it; your own session stays
    #[arg(long)]
    pub print_token: bool,
}
