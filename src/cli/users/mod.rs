//! `users` as typed.

mod change;
mod list;
mod make;
mod sign_in;

use clap::{Args, Subcommand};

pub use change::{
    BanArgs, DeleteUserArgs, ResetCodeArgs, SetPasswordArgs, SetRoleArgs, UpdateUserArgs, VerifyEmailArgs,
};
pub use list::{ListUsersArgs, UserOrder};
pub use make::{CreateUserArgs, PasswordInputArgs};
pub use sign_in::{ExplainArgs, ImpersonateArgs};

pub(super) const EXAMPLES: &str = "Examples:
  authctl users create admin@example.com --name Admin --role admin --verified --generate
  authctl users list --search example.com
  authctl users set-password ada@example.com --generate";

/// What an operator does to users. USER is an email address or an id.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List users, a page at a time
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  authctl users list --role admin
  authctl users list --search ada --json | jq -r '.users[].email'"
    )]
    List(ListUsersArgs),
    /// Show a user: roles, ways to sign in, live sessions, failed attempts
    #[command(after_help = "Example:\n  authctl users show ada@example.com")]
    Show(UserArg),
    /// Say why a user cannot sign in, and how to fix it; exit code 0 when nothing is in the way, 1 otherwise
    #[command(after_help = "Examples:
  authctl users explain ada@example.com
  authctl users explain ada@example.com --at 2030-01-01T00:00:00Z --json | jq -r '.reasons[].code'")]
    Explain(ExplainArgs),
    /// Say whether a user exists; exit code 0 when yes, 3 when no
    #[command(after_help = "Example:\n  authctl users exists ada@example.com || echo missing")]
    Exists(UserArg),
    /// Create a user
    #[command(
        visible_alias = "add",
        after_help = "Examples:
  authctl users create ada@example.com --name Ada --generate
  authctl users create admin@example.com --name Admin --role admin --verified --password-file pw --if-missing"
    )]
    Create(CreateUserArgs),
    /// Change a user's name, picture or address
    #[command(after_help = "Example:\n  authctl users update ada@example.com --email ada@example.org")]
    Update(UpdateUserArgs),
    /// Delete a user, with accounts and sessions
    #[command(visible_alias = "rm", after_help = "Example:\n  authctl users delete ada@example.com --yes")]
    Delete(DeleteUserArgs),
    /// Set a user's password; all sessions of the user end
    #[command(after_help = "Examples:
  authctl users set-password ada@example.com --generate
  authctl users set-password ada@example.com --password-file pw --keep-sessions")]
    SetPassword(SetPasswordArgs),
    /// Make a code with which a user can set a new password; hand it over in person
    #[command(after_help = "Example:\n  authctl users reset-code ada@example.com --ttl 30m")]
    ResetCode(ResetCodeArgs),
    /// Set a user's roles; losing one ends the sessions
    #[command(after_help = "Example:\n  authctl users set-role ada@example.com admin")]
    SetRole(SetRoleArgs),
    /// Say that a user's address is verified
    #[command(after_help = "Example:\n  authctl users verify-email ada@example.com")]
    VerifyEmail(VerifyEmailArgs),
    /// Refuse a user's sign-in and end all sessions; the user is told the --reason
    #[command(after_help = "Example:\n  authctl users ban ada@example.com --for 7d --reason spam")]
    Ban(BanArgs),
    /// Lift a ban
    #[command(after_help = "Example:\n  authctl users unban ada@example.com")]
    Unban(UserArg),
    /// Forget a user's failed attempts to sign in
    #[command(after_help = "Example:\n  authctl users unlock ada@example.com")]
    Unlock(UserArg),
    /// Act as a user for a while, in a session that says so and does nothing that cannot be undone
    #[command(after_help = "Examples:
  authctl users impersonate ada@example.com --for 30m --reason ticket-7
  authctl users impersonate --stop
  AUTHCTL_TOKEN=$(authctl users impersonate ada@example.com --print-token)")]
    Impersonate(ImpersonateArgs),
}

/// A user.
#[derive(Debug, Args)]
pub struct UserArg {
    /// Email address or id
    pub user: String,
}
