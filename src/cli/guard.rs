//! `guard` as typed.

use std::ffi::OsString;

use clap::Args;

pub(super) const EXAMPLES: &str = "Examples:
  authctl guard -- ./deploy.sh
  authctl guard --role admin --fresh --signin -- ./rotate-keys.sh

The command finds the user in AUTHCTL_USER_ID, AUTHCTL_USER_EMAIL and
AUTHCTL_USER_ROLE, and no token. An authctl inside acts as that user, if a session
of theirs is stored, or as nobody. The exit code is that of the command; 126 when it
cannot be run, 127 when it does not exist.";

/// Arguments of `guard`.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Require this role
    #[arg(long)]
    pub role: Option<String>,
    /// Require a recent sign-in
    #[arg(long)]
    pub fresh: bool,
    /// Sign in first when needed, if somebody can be asked
    #[arg(long)]
    pub signin: bool,
    /// The command to run, and its arguments
    #[arg(value_name = "CMD", required = true, last = true)]
    pub command: Vec<OsString>,
}
