//! `help` shows pages on commands and topics; `completions` prints the script that teaches a shell the
//! commands.

use clap::Args;
use clap_complete::Shell;

use crate::cli::{self, topics};
use crate::error::CommandError;
use crate::output::Outcome;

#[derive(Debug, Args)]
pub struct HelpArgs {
    /// The command or topic
    #[arg(value_name = "COMMAND or TOPIC")]
    about: Vec<String>,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &HelpArgs) -> anyhow::Result<Outcome> {
    let words: Vec<&str> = args.about.iter().map(String::as_str).collect();
    let page = match words.as_slice() {
        ["exit-codes"] => topics::exit_codes(),
        ["environment"] => topics::environment(),
        ["security"] => topics::security(),
        words => command_page(words)?,
    };
    Ok(Outcome::Text(page))
}

fn command_page(words: &[&str]) -> Result<String, CommandError> {
    cli::page(words).ok_or_else(|| CommandError::Usage {
        message: "there is no command and no topic of this name".to_owned(),
        hint: "see authctl --help; topics are exit-codes, environment and security",
    })
}

pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    Outcome::Text(cli::completions(args.shell))
}
