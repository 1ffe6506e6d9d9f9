//! `users create` as typed, and the passwords that operators give.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// Where a password comes from that an operator gives somebody.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").args(["password_stdin", "password_file", "generate", "hash_stdin"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct PasswordInputArgs {
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "PATH")]
    pub password_file: Option<PathBuf>,
    /// Make a random password and print it
    #[arg(long)]
    pub generate: bool,
    /// Read a password hash from standard input: argon2id, bcrypt or Better Auth's scrypt
    #[arg(long)]
    pub hash_stdin: bool,
    /// Take a password that is easy to guess
    #[arg(long)]
    pub allow_weak: bool,
}

/// Arguments of `users create`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
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
    /// Take even a role that differs from admin in case only
    #[arg(long, requires = "role")]
    pub force: bool,
    /// Say that the address is verified
    #[arg(long)]
    pub verified: bool,
    /// Succeed and change nothing when the user exists as asked; fail when the user differs
    #[arg(long)]
    pub if_missing: bool,
    /// Create the user without a password
    #[arg(long, conflicts_with = "given")]
    pub no_password: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordInputArgs,
}
