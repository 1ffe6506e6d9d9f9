//! `completions`: the script that teaches a shell the commands.

use crate::cli;
use crate::output::Outcome;

pub(super) fn run(shell: clap_complete::Shell) -> Outcome {
    Outcome::Page(cli::completions(shell))
}
