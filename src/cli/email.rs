//! `email` as typed.

use clap::{Args, Subcommand};

pub(super) const EXAMPLES: &str = "Examples:
  authctl email verify --send
  authctl email verify
  authctl email change ada@example.org";

/// What to do with one's own address.
#[derive(Debug, Subcommand)]
pub enum EmailCommand {
    /// Verify an address, or finish changing it, with a code that was mailed to it
    #[command(after_help = "Examples:
  authctl email verify --send                    # signed in: to your own address
  authctl email verify --send ada@example.com    # also without being signed in
  authctl email verify
  printf '%s\\n' \"$CODE\" | authctl email verify --code-stdin")]
    Verify(VerifyAddressArgs),
    /// Have a code mailed to a new address; `email verify` takes it, and only then the address changes
    #[command(after_help = "Example:\n  authctl email change ada@example.org")]
    Change {
        /// New email address
        #[arg(value_name = "NEW")]
        new: String,
    },
}

/// Arguments of `email verify`.
#[derive(Debug, Args)]
pub struct VerifyAddressArgs {
    /// Have a code mailed instead of typing one
    #[arg(long)]
    pub send: bool,
    /// Email address to send to [default: that of whoever is signed in]
    #[arg(requires = "send")]
    pub email: Option<String>,
    /// Read the code from standard input
    #[arg(long, conflicts_with = "send")]
    pub code_stdin: bool,
}
