//! `hash` as typed.

use clap::{Args, Subcommand};
use jiff::SignedDuration;

use super::{PasswordArgs, values};

pub(super) const EXAMPLES: &str = "Examples:
  authctl hash generate --password-file pw
  authctl hash calibrate --target 250ms";

/// What to do with a password hash.
#[derive(Debug, Subcommand)]
pub enum HashCommand {
    /// Print the argon2id hash of a password
    #[command(after_help = "Example:\n  authctl hash generate --password-file pw")]
    Generate(GenerateArgs),
    /// Compare a password with a hash; exit code 0 when it is right, 1 when not
    #[command(after_help = "Example:\n  printf '%s\\n%s\\n' \"$HASH\" \"$PASSWORD\" | authctl hash verify --stdin")]
    Verify {
        /// Read the hash and the password from standard input, one per line
        #[arg(long)]
        stdin: bool,
    },
    /// Say what kind of hash standard input holds, and whether a sign-in would accept it
    #[command(after_help = "Example:\n  echo \"$HASH\" | authctl hash identify --json")]
    Identify,
    /// Find the cost that takes the wished time on this machine
    #[command(after_help = "Example:\n  authctl hash calibrate --target 250ms --max-memory 256MiB")]
    Calibrate(CalibrateArgs),
}

/// Arguments of `hash generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// Arguments of `hash calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// How long one hash may take
    #[arg(long, value_name = "DURATION", default_value = "250ms", value_parser = values::target)]
    pub target: SignedDuration,
    /// How much memory one hash may take, in KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = values::memory_kib)]
    pub max_memory: u32,
}
