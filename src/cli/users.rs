//! `users` as typed.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::SignedDuration;

use super::values;

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
}

/// A user.
#[derive(Debug, Args)]
pub struct UserArg {
    /// Email address or id
    pub user: String,
}

/// Arguments of `users list`.
#[derive(Debug, Args)]
pub struct ListUsersArgs {
    /// Only users with this in their address or name
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Only users with this role
    #[arg(long)]
    pub role: Option<String>,
    /// Only banned users
    #[arg(long)]
    pub banned: bool,
    /// Only users whose address is not verified
    #[arg(long)]
    pub unverified: bool,
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t = UserOrder::Email)]
    pub sort: UserOrder,
    /// Users on a page
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Begin after this user: the `next` of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
}

/// Orders of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UserOrder {
    /// By address
    Email,
    /// By name
    Name,
    /// The oldest first
    Created,
}

/// Where a password comes from that an operator gives somebody.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").args(["password_stdin", "password_file", "generate", "hash_stdin"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct GivenPasswordArgs {
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "PATH")]
    pub password_file: Option<PathBuf>,
    /// Make a random password and print it
    #[arg(long)]
    pub generate: bool,
    /// Read a password hash from standard input
    #[arg(long)]
    pub hash_stdin: bool,
    /// Take a password that is easy to guess
    #[arg(long)]
    pub allow_weak: bool,
}

/// Arguments of `users create`.
#[derive(Debug, Args)]
pub struct CreateUserArgs {
    /// Email address
    pub email: String,
    /// Display name
    #[arg(long)]
    pub name: Option<String>,
    /// Address of a picture, http:// or https://
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// Roles, separated by commas
    #[arg(long)]
    pub role: Option<String>,
    /// Say that the address is verified
    #[arg(long)]
    pub verified: bool,
    /// Succeed and change nothing when the user exists
    #[arg(long)]
    pub if_missing: bool,
    /// Create the user without a password
    #[arg(long, conflicts_with = "given")]
    pub no_password: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: GivenPasswordArgs,
}

/// Arguments of `users update`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").args(["name", "image", "email"]).required(true).multiple(true)))]
pub struct UpdateUserArgs {
    /// Email address or id
    pub user: String,
    /// New display name
    #[arg(long)]
    pub name: Option<String>,
    /// New address of a picture, http:// or https://; empty to remove it
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// New email address; it is not verified then
    #[arg(long)]
    pub email: Option<String>,
}

/// Arguments of `users delete`.
#[derive(Debug, Args)]
pub struct DeleteUserArgs {
    /// Email address or id
    pub user: String,
    /// Succeed when there is no such user
    #[arg(long)]
    pub if_exists: bool,
    /// Delete even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

/// Arguments of `users set-password`.
#[derive(Debug, Args)]
pub struct SetPasswordArgs {
    /// Email address or id
    pub user: String,
    /// Leave the user's sessions alive
    #[arg(long)]
    pub keep_sessions: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: GivenPasswordArgs,
}

/// Arguments of `users reset-code`.
#[derive(Debug, Args)]
pub struct ResetCodeArgs {
    /// Email address or id
    pub user: String,
    /// How long the code counts, up to 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = values::ttl)]
    pub ttl: SignedDuration,
}

/// Arguments of `users set-role`.
#[derive(Debug, Args)]
pub struct SetRoleArgs {
    /// Email address or id
    pub user: String,
    /// Roles, separated by commas
    pub role: String,
    /// Leave the user's sessions alive
    #[arg(long)]
    pub keep_sessions: bool,
    /// Demote even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

/// Arguments of `users verify-email`.
#[derive(Debug, Args)]
pub struct VerifyEmailArgs {
    /// Email address or id
    pub user: String,
    /// Say that it is not verified
    #[arg(long)]
    pub undo: bool,
}

/// Arguments of `users ban`.
#[derive(Debug, Args)]
pub struct BanArgs {
    /// Email address or id
    pub user: String,
    /// How long, such as 7d [default: for good]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::ban)]
    pub duration: Option<SignedDuration>,
    /// Ban even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}
