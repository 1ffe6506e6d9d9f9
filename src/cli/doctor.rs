//! `doctor` as typed.

use clap::Args;

pub(super) const EXAMPLES: &str = "Examples:
  authctl doctor
  authctl doctor --fix
  authctl doctor --json | jq -r '.findings[].message'

The exit code is 0 when there is no problem (a notice is none) and 1 when there
is one; the report is printed in both cases. --fix fixes what can have meant
only one thing; it never touches hashes, the schema or the audit log, and tells
first what it would do.

authctl enforces its rules for people who go through authctl. Whoever can write
the database file or its directory is the administrator, and can make the audit
log anew; whoever can read the file can guess passwords offline. See
authctl help security.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Fix the problems that have only one possible fix
    #[arg(long)]
    pub fix: bool,
}
