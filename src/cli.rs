//! The command line as plain data: the global flags and the list of commands. The arguments and the help of
//! a command are beside its `run` in `commands/`. Nothing here decides.

mod branch;
mod parse;
pub mod topics;
pub(crate) mod values;
pub(crate) mod when;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::commands::account::{self, AccountCommand};
use crate::commands::audit::{self, AuditCommand};
use crate::commands::db::{self, DbCommand};
use crate::commands::doctor::{self, DoctorArgs};
use crate::commands::email::{self, EmailCommand};
use crate::commands::export::{self, ExportArgs};
use crate::commands::guard::{self, GuardArgs};
use crate::commands::hash::{self, HashCommand};
use crate::commands::help::{CompletionsArgs, HelpArgs};
use crate::commands::import::{self, ImportArgs};
use crate::commands::list_flags::ListFlags;
use crate::commands::orgs::{self, OrgsCommand};
use crate::commands::password::{self, ChangePasswordArgs, PasswordCommand};
use crate::commands::policy::{self, PolicyCommand};
use crate::commands::roles::{self, RolesCommand};
use crate::commands::second_factor::{self, SecondFactorCommand};
use crate::commands::secret::{self, SecretCommand};
use crate::commands::sessions::{self, SessionsCommand};
use crate::commands::signin::{self, SignInArgs};
use crate::commands::signout::{self, SignOutArgs};
use crate::commands::signup::{self, SignUpArgs};
use crate::commands::stats::{self, StatsArgs};
use crate::commands::tokens::{self, TokensCommand};
use crate::commands::whoami::{self, WhoamiArgs};

use crate::commands::users::{self, UsersCommand};
pub use branch::opens_at_once;
pub use parse::{Parsed, UsageError, page, parse, wants_json};
pub use topics::{AUTHORITIES, Authority, GROUPS, Who};

/// Accounts, passwords and sessions in your terminal, on one SQLite file
#[derive(Debug, Parser)]
#[command(
    name = "authctl",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:
  authctl signup ada@example.com --name Ada
  authctl signin ada@example.com
  authctl whoami
  authctl sessions revoke --others

Help on a command: authctl help signin. Other topics: authctl help exit-codes,
authctl help environment, authctl help security."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Global {
    /// Database: a file, a PostgreSQL address or @NAME [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]
    #[arg(long, value_name = "DATABASE", global = true, help_heading = "Global options")]
    pub db: Option<PathBuf>,
    /// What a Better Auth app's database does not show of its schema [default: AUTHCTL_SCHEMA]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Global options")]
    pub schema: Option<PathBuf>,
    /// Answer with one JSON document; errors too
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Print no confirmations on standard error
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Never ask; fail instead and name the missing flag
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_input: bool,
    /// Times in text: local, utc or relative to now [default: relative on a terminal, else utc]
    #[arg(
        long,
        value_parser = values::times(),
        hide_possible_values = true,
        value_name = "FORM",
        global = true,
        help_heading = "Global options"
    )]
    pub time: Option<values::TimeWord>,
    /// Show no list in a pager
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_pager: bool,
    /// Answer yes to confirmations
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// Why this is done, for the audit log
    #[arg(long, value_name = "TEXT", global = true, help_heading = "Global options")]
    pub reason: Option<String>,
    /// Colour the output: auto, always or never
    #[arg(long, value_enum, hide_possible_values = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, global = true, help_heading = "Global options")]
    pub color: ColorChoice,
    /// Wait this long for a busy database, such as 500ms, 5s or 1m
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = values::wait, global = true, help_heading = "Global options")]
    pub wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is dumb
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an account and sign in
    #[command(visible_aliases = ["sign-up", "register"], after_help = signup::EXAMPLES)]
    Signup(SignUpArgs),
    /// Sign in and keep the session for later commands
    #[command(visible_aliases = ["sign-in", "login"], after_help = signin::EXAMPLES)]
    Signin(SignInArgs),
    /// Show who is signed in
    #[command(visible_alias = "status", after_help = whoami::EXAMPLES)]
    Whoami(WhoamiArgs),
    /// List or end sessions
    #[command(args_conflicts_with_subcommands = true, after_help = sessions::EXAMPLES)]
    Sessions {
        #[command(flatten)]
        list: ListFlags,
        /// What to do; `list` when nothing is said.
        #[command(subcommand)]
        command: Option<SessionsCommand>,
    },
    /// End the session and forget it
    #[command(visible_aliases = ["sign-out", "logout"], after_help = signout::EXAMPLES)]
    Signout(SignOutArgs),
    /// Change or reset the password
    #[command(after_help = password::EXAMPLES)]
    Password {
        #[command(subcommand)]
        command: PasswordCommand,
    },
    /// Same as `password change`
    #[command(after_help = password::EXAMPLES)]
    Passwd(ChangePasswordArgs),
    /// Verify or change your address
    #[command(after_help = email::EXAMPLES)]
    Email {
        #[command(subcommand)]
        command: EmailCommand,
    },
    /// Set up or remove a second factor: codes of an authenticator app
    #[command(name = "2fa", after_help = second_factor::EXAMPLES)]
    SecondFactor {
        #[command(subcommand)]
        command: SecondFactorCommand,
    },
    /// Make, list and end API tokens, with which programs act for you
    #[command(after_help = tokens::EXAMPLES)]
    Tokens {
        #[command(subcommand)]
        command: TokensCommand,
    },
    /// Change or delete your own account
    #[command(after_help = account::EXAMPLES)]
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Administer users, without a sign-in
    #[command(visible_alias = "user", after_help = users::EXAMPLES)]
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// List the roles of users
    #[command(visible_alias = "role", after_help = roles::EXAMPLES)]
    Roles {
        #[command(subcommand)]
        command: RolesCommand,
    },
    /// Administer the organizations of a Better Auth app
    #[command(after_help = orgs::EXAMPLES)]
    Orgs {
        #[command(subcommand)]
        command: OrgsCommand,
    },
    /// Read the log of what was done, and check that it is whole
    #[command(after_help = audit::EXAMPLES)]
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Count users, sessions, sign-ups and sign-ins
    #[command(after_help = stats::EXAMPLES)]
    Stats(StatsArgs),
    /// Run a command only with a live session
    #[command(after_help = guard::EXAMPLES)]
    Guard(GuardArgs),
    /// Make, check or identify password hashes
    #[command(after_help = hash::EXAMPLES)]
    Hash {
        #[command(subcommand)]
        command: HashCommand,
    },
    /// Show or change the rules of this database
    #[command(after_help = policy::EXAMPLES)]
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Check or change the secret with which values are encrypted
    #[command(after_help = secret::EXAMPLES)]
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Import users of another system, with their passwords
    #[command(after_help = import::EXAMPLES)]
    Import(ImportArgs),
    /// Export users for another system, or everything about one person
    #[command(after_help = export::EXAMPLES)]
    Export(ExportArgs),
    /// Make, check, back up or restore the database
    #[command(after_help = db::EXAMPLES)]
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Find what is wrong, and fix what can be fixed
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  authctl completions bash > ~/.local/share/bash-completion/completions/authctl")]
    Completions(CompletionsArgs),
    /// Help on a command or a topic: exit-codes, environment, security
    #[command(after_help = "Examples:\n  authctl help signin\n  authctl help exit-codes")]
    Help(HelpArgs),
}

impl Command {
    /// The flags of a command that prints a list.
    fn list_flags(&self) -> Option<&ListFlags> {
        match self {
            Self::Users { command: UsersCommand::List(args) } => Some(&args.list),
            Self::Sessions { command: Some(SessionsCommand::List(args)), .. } => Some(&args.list),
            Self::Sessions { command: Some(SessionsCommand::Revoke(args)), .. } => Some(&args.list),
            Self::Audit { command: AuditCommand::List(args) } => Some(&args.list),
            Self::Audit { command: AuditCommand::Tail(args) } => Some(&args.list),
            Self::Tokens { command: TokensCommand::List(args) } => Some(&args.list),
            Self::Orgs { command: OrgsCommand::Members(args) } => Some(&args.list),
            Self::Secret { command: SecretCommand::Check(args) } => Some(&args.list),
            Self::Sessions { command: None, list }
            | Self::Policy { command: PolicyCommand::Show(list) }
            | Self::Roles { command: RolesCommand::List(list) }
            | Self::Orgs { command: OrgsCommand::List(list) }
            | Self::Db { command: DbCommand::List(list) } => Some(list),
            _ => None,
        }
    }
}

/// The whole definition, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The completion script of a shell. Those of bash, zsh and fish ask the program; see `commands/complete.rs`.
pub fn completions(shell: clap_complete::Shell) -> String {
    match shell {
        clap_complete::Shell::Bash => return include_str!("../completions/authctl.bash").to_owned(),
        clap_complete::Shell::Zsh => return include_str!("../completions/_authctl").to_owned(),
        clap_complete::Shell::Fish => return include_str!("../completions/authctl.fish").to_owned(),
        _ => {}
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "authctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
