//! `password` and `account` as typed.

use clap::{Args, Subcommand};

use super::PasswordArgs;

pub(super) const CHANGE_PASSWORD_EXAMPLES: &str = "Examples:
  authctl password change
  printf '%s\\n%s\\n' \"$OLD\" \"$NEW\" | authctl password change --password-stdin";

pub(super) const EXAMPLES: &str = "Examples:
  authctl account update --name 'Ada King'
  authctl account delete";

/// What to do with the password.
#[derive(Debug, Subcommand)]
pub enum PasswordCommand {
    /// Change your password; your other sessions end
    #[command(after_help = CHANGE_PASSWORD_EXAMPLES)]
    Change(ChangePasswordArgs),
    /// Have a code mailed with which you can set a new password
    #[command(after_help = "Example:\n  authctl password forgot ada@example.com")]
    Forgot {
        /// Email address
        email: String,
    },
    /// Set a new password with a code that was mailed or handed out; all sessions end
    #[command(after_help = "Examples:
  authctl password reset
  printf '%s\\n%s\\n' \"$CODE\" \"$NEW\" | authctl password reset --code-stdin --password-stdin")]
    Reset(ResetPasswordArgs),
}

/// Arguments of `password reset`.
#[derive(Debug, Args)]
pub struct ResetPasswordArgs {
    /// Read the code from standard input, in a line before the password
    #[arg(long)]
    pub code_stdin: bool,
    /// Where the new password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// Arguments of `password change`.
#[derive(Debug, Args)]
pub struct ChangePasswordArgs {
    /// Leave your other sessions alive
    #[arg(long)]
    pub keep_sessions: bool,
    /// Where the passwords come from: the current one first, then the new one, one per line.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// What to do with one's own account.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Change your name or picture
    #[command(after_help = "Examples:
  authctl account update --name 'Ada King'
  authctl account update --image ''    # removes the picture")]
    Update(UpdateAccountArgs),
    /// Delete your account, with its sessions
    #[command(after_help = "Example:\n  authctl account delete --yes")]
    Delete(DeleteAccountArgs),
}

/// Arguments of `account update`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct UpdateAccountArgs {
    /// New display name
    #[arg(long)]
    pub name: Option<String>,
    /// New address of a picture, http:// or https://; empty to remove it
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
}

/// Arguments of `account delete`.
#[derive(Debug, Args)]
pub struct DeleteAccountArgs {
    /// Delete even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}
