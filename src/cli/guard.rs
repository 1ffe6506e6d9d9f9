//! `guard` as typed.

use std::ffi::OsString;

use clap::Args;

pub(super) const EXAMPLES: &str = "Examples:
  authctl guard -- ./deploy.sh
  authctl guard --role admin --fresh --signin -- ./rotate-keys.sh";

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
