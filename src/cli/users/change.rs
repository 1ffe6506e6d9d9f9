//! What changes or deletes a user, as typed.

use clap::{ArgGroup, Args};
use jiff::SignedDuration;

use super::PasswordInputArgs;
use crate::cli::values;

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
    pub password: PasswordInputArgs,
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
    /// Set even a role that differs from admin in case only
    #[arg(long)]
    pub force: bool,
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
    /// How long, such as 7d [default: permanently]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::ban)]
    pub duration: Option<SignedDuration>,
    /// Ban even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}
