//! `signup`, `signin`, `whoami`, `signout` as typed.

use std::path::PathBuf;

use clap::Args;

pub(super) const SIGN_UP_EXAMPLES: &str = "Examples:
  authctl signup ada@example.com --name 'Ada Lovelace'
  authctl signup ci@example.com --name CI --password-file pw --no-signin --json";

pub(super) const SIGN_IN_EXAMPLES: &str = "Examples:
  authctl signin ada@example.com
  authctl signin ada@example.com --password-file pw --no-remember
  AUTHCTL_TOKEN=$(authctl signin ci@example.com --password-file pw --print-token)";

pub(super) const WHOAMI_EXAMPLES: &str = "Examples:
  authctl whoami
  authctl whoami --json | jq -r .user.id
  authctl whoami --check && echo 'signed in'";

pub(super) const SIGN_OUT_EXAMPLES: &str = "Examples:
  authctl signout
  authctl signout --all
  authctl signout --local    # when the database is out of reach";

/// Where a password comes from when nobody is to be asked.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordArgs {
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
}

/// The place that [`PasswordArgs`] name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// A hidden prompt.
    Prompt,
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl PasswordArgs {
    /// The place that was named; the prompt when none was.
    pub fn source(&self) -> PasswordSource {
        match (&self.password_file, self.password_stdin) {
            (Some(path), _) => PasswordSource::File(path.clone()),
            (None, true) => PasswordSource::Stdin,
            (None, false) => PasswordSource::Prompt,
        }
    }
}

/// Arguments of `signup`.
#[derive(Debug, Args)]
pub struct SignUpArgs {
    /// Email address
    pub email: Option<String>,
    /// Display name
    #[arg(long)]
    pub name: Option<String>,
    /// Address of a picture, http:// or https://
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// Create the account without signing in
    #[arg(long)]
    pub no_signin: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// Arguments of `signin`.
#[derive(Debug, Default, Args)]
pub struct SignInArgs {
    /// Email address
    pub email: Option<String>,
    /// End the session after one day, however much it is used
    #[arg(long)]
    pub no_remember: bool,
    /// Print the session token instead of storing it
    #[arg(long, conflicts_with = "no_store")]
    pub print_token: bool,
    /// Check the password and keep nothing: no session, no file
    #[arg(long)]
    pub no_store: bool,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// Arguments of `whoami`.
#[derive(Debug, Args)]
pub struct WhoamiArgs {
    /// Print nothing; the exit code is the answer (0 signed in, 4 not)
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `signout`.
#[derive(Debug, Default, Args)]
pub struct SignOutArgs {
    /// End all sessions of the user, on every machine
    #[arg(long, conflicts_with = "local")]
    pub all: bool,
    /// Only forget the stored session; needs no database and leaves the session alive there
    #[arg(long)]
    pub local: bool,
}
