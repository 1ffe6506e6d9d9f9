//! `policy` as typed.

use clap::Subcommand;

pub(super) const EXAMPLES: &str = "Examples:
  authctl policy show
  authctl policy set session.lifetime 30d";

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List every rule with its value; those that differ from the default are marked
    #[command(after_help = "Example:\n  authctl policy show")]
    Show,
    /// Set a rule
    #[command(after_help = "Example:\n  authctl policy set session.lifetime 30d")]
    Set {
        /// The rule, as `policy show` names it
        key: String,
        /// Its new value
        value: String,
    },
    /// Set a rule back to its default
    #[command(after_help = "Example:\n  authctl policy unset session.lifetime")]
    Unset {
        /// The rule, as `policy show` names it
        key: String,
    },
}
