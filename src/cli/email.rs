//! `email` as typed.

use clap::{Args, Subcommand};

use super::PasswordArgs;

pub(super) const EXAMPLES: &str = "Examples:
  authctl email verify --send
  authctl email verify
  authctl email change ada@example.org";

/// What to do with one's own address.
#[derive(Debug, Subcommand)]
pub enum EmailCommand {
    /// Verify an address, or finish changing it, with a code that was mailed to it; other sessions end
    #[command(after_help = "Examples:
  authctl email verify --send                    # signed in: to your own address
  authctl email verify --send ada@example.com    # also without being signed in
  authctl email verify                           # not signed in: asks for the password too
  printf '%s\\n%s\\n' \"$CODE\" \"$PASSWORD\" | authctl email verify --code-stdin --password-stdin")]
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
    #[arg(long, conflicts_with_all = ["code_stdin", "password_stdin", "password_file"])]
    pub send: bool,
    /// Email address to send to [default: that of whoever is signed in]
    #[arg(requires = "send")]
    pub email: Option<String>,
    /// Read the code from standard input, in a line before the password if that is read there too
    #[arg(long)]
    pub code_stdin: bool,
    /// Where the password comes from; with one, it and not a session shows whose the account is.
    #[command(flatten)]
    pub password: PasswordArgs,
}
