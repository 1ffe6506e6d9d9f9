//! `help`: pages on commands and on topics.

use crate::cli::{self, topics};
use crate::error::CommandError;
use crate::output::Outcome;

pub(super) fn run(about: &[String]) -> anyhow::Result<Outcome> {
    let words: Vec<&str> = about.iter().map(String::as_str).collect();
    let page = match words.as_slice() {
        ["exit-codes"] => topics::exit_codes(),
        ["environment"] => topics::environment(),
        ["security"] => topics::security(),
        words => command_page(words)?,
    };
    Ok(Outcome::Page(page))
}

fn command_page(words: &[&str]) -> Result<String, CommandError> {
    cli::page(words).ok_or_else(|| CommandError::Usage {
        message: "there is no command and no topic of this name".to_owned(),
        hint: "see authctl --help; topics are exit-codes, environment and security",
    })
}
