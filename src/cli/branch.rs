//! The definition of one command alone. clap builds every command of a tree before it reads a word, which is a third
//! of the work of a start, so the whole tree is left to help and errors.

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::{Cli, Command as Chosen, Global};
use crate::commands::list_flags::ListFlags;

/// Parses the words of one command; `None` for what needs the whole tree.
pub(super) fn parse_branch(words: &[OsString]) -> Option<Cli> {
    // A word may also be the value of a flag: the parse fails then.
    words.iter().skip(1).filter_map(branch).find_map(|(name, read)| read(name, words))
}

/// A command with its arguments.
fn with<A: Args>(name: &'static str, words: &[OsString], chosen: impl FnOnce(A) -> Chosen) -> Option<Cli> {
    read(A::augment_args(Command::new(name)), words, |matches| A::from_arg_matches(matches).ok().map(chosen))
}

/// A command with commands below it.
fn above<S: Subcommand>(name: &'static str, words: &[OsString], chosen: impl FnOnce(S) -> Chosen) -> Option<Cli> {
    read(S::augment_subcommands(Command::new(name)), words, |matches| S::from_arg_matches(matches).ok().map(chosen))
}

fn read(branch: Command, words: &[OsString], chosen: impl FnOnce(&ArgMatches) -> Option<Chosen>) -> Option<Cli> {
    let root = Global::augment_args(Command::new("authctl")).subcommand(branch).disable_help_subcommand(true);
    let matches = root.try_get_matches_from(words).ok()?;
    let (_, below) = matches.subcommand()?;
    Some(Cli { command: chosen(below)?, global: Global::from_arg_matches(&matches).ok()? })
}

/// Reads the words as a command of this name.
type Read = fn(&'static str, &[OsString]) -> Option<Cli>;

/// The commands of the first level, by every name. The others print help and completions.
const BRANCHES: &[(&[&str], Read)] = &[
    (&["signup", "sign-up", "register"], |name, words| with(name, words, Chosen::Signup)),
    (&["signin", "sign-in", "login"], |name, words| with(name, words, Chosen::Signin)),
    (&["whoami", "status"], |name, words| with(name, words, Chosen::Whoami)),
    (&["sessions"], |name, words| {
        with(name, words, |list| Chosen::Sessions { list, command: None }).or_else(|| {
            above(name, words, |command| Chosen::Sessions { list: ListFlags::default(), command: Some(command) })
        })
    }),
    (&["signout", "sign-out", "logout"], |name, words| with(name, words, Chosen::Signout)),
    (&["password"], |name, words| above(name, words, |command| Chosen::Password { command })),
    (&["passwd"], |name, words| with(name, words, Chosen::Passwd)),
    (&["email"], |name, words| above(name, words, |command| Chosen::Email { command })),
    (&["2fa"], |name, words| above(name, words, |command| Chosen::SecondFactor { command })),
    (&["tokens"], |name, words| above(name, words, |command| Chosen::Tokens { command })),
    (&["account"], |name, words| above(name, words, |command| Chosen::Account { command })),
    (&["users", "user"], |name, words| above(name, words, |command| Chosen::Users { command })),
    (&["roles", "role"], |name, words| above(name, words, |command| Chosen::Roles { command })),
    (&["orgs"], |name, words| above(name, words, |command| Chosen::Orgs { command })),
    (&["audit"], |name, words| above(name, words, |command| Chosen::Audit { command })),
    (&["stats"], |name, words| with(name, words, Chosen::Stats)),
    (&["guard"], |name, words| with(name, words, Chosen::Guard)),
    (&["hash"], |name, words| above(name, words, |command| Chosen::Hash { command })),
    (&["policy"], |name, words| above(name, words, |command| Chosen::Policy { command })),
    (&["export"], |name, words| with(name, words, Chosen::Export)),
    (&["import"], |name, words| with(name, words, Chosen::Import)),
    (&["secret"], |name, words| above(name, words, |command| Chosen::Secret { command })),
    (&["db"], |name, words| above(name, words, |command| Chosen::Db { command })),
    (&["doctor"], |name, words| with(name, words, Chosen::Doctor)),
];

/// The commands of the first level that open the database before anything else.
const OPENING: &[&str] =
    &["audit", "guard", "roles", "sessions", "stats", "status", "tokens", "user", "users", "whoami"];

/// Whether a command line begins with a command that opens the database of the environment before it does anything else. The
/// words are not parsed yet, so a line is left out that may name another database or ask for help.
pub fn opens_at_once(words: &[OsString]) -> bool {
    let is_other = |word: &OsString| word == "-h" || word == "--help" || word.as_encoded_bytes().starts_with(b"--db");
    words.get(1).is_some_and(|word| OPENING.iter().any(|name| word == name)) && !words.iter().any(is_other)
}

/// The command that a word names.
fn branch(word: &OsString) -> Option<(&'static str, Read)> {
    BRANCHES.iter().find_map(|(names, read)| names.iter().find(|name| word == **name).map(|name| (*name, *read)))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn branches_are_the_commands_of_the_first_level() {
        let root = crate::cli::command();
        let commands = root.get_subcommands().filter(|one| !["completions", "help"].contains(&one.get_name()));
        let mut names: Vec<&str> =
            commands.flat_map(|one| std::iter::once(one.get_name()).chain(one.get_all_aliases())).collect();
        let mut branches: Vec<&str> = BRANCHES.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        names.sort_unstable();
        branches.sort_unstable();
        assert_eq!(names, branches);
        assert!(OPENING.iter().all(|name| names.contains(name)));
    }

    #[test]
    fn lines_that_open_at_once_name_no_other_database() {
        let opens = |line: &str| opens_at_once(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        let lines = ["authctl whoami", "authctl users list --json", "authctl --db x whoami", "authctl whoami --db=x"];
        assert_eq!(lines.map(opens), [true, true, false, false]);
        assert_eq!(["authctl", "authctl signin", "authctl whoami -h"].map(opens), [false; 3]);
    }

    /// The examples in the help of all commands, and lines in which a flag has the name of a command as its value.
    #[test]
    fn branch_reads_what_the_whole_tree_reads() {
        let mut lines: Vec<String> = crate::cli::parse::tests::tree()
            .iter()
            .filter_map(|command| command.get_after_help().map(ToString::to_string))
            .flat_map(|help| help.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| Some(line.strip_prefix("  authctl ")?.split(" | ").next()?.to_owned()))
            .collect();
        lines.extend(
            [
                "--db users whoami",
                "--reason whoami users list",
                "--reason whoami users list --search sessions",
                "--json sessions",
                "sessions --json",
                "sessions list --all-users",
                "guard -- signin --json",
                "users show whoami",
                "--quiet status",
                "whoami --wait 1s --color never",
                "signin -- whoami",
            ]
            .map(str::to_owned),
        );
        let mut read = 0;
        for line in lines {
            let words: Vec<OsString> = ["authctl"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let whole = Cli::try_parse_from(&words).ok();
            let is_page =
                whole.as_ref().is_some_and(|cli| matches!(cli.command, Chosen::Completions(_) | Chosen::Help(_)));
            let branch = parse_branch(&words);
            if !is_page {
                read += u32::from(branch.is_some());
                assert_eq!(format!("{branch:?}"), format!("{whole:?}"), "{line}");
            }
        }
        assert!(read > 50, "{read}");
    }

    #[test]
    fn what_the_whole_tree_refuses_is_no_branch() {
        for line in [
            "",
            "users",
            "sessions x",
            "whoami x",
            "whoami --help",
            "--version whoami",
            "sessions revoke",
            "whoami users list",
            "users whoami",
        ] {
            let words: Vec<OsString> =
                ["authctl"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect();
            assert!(parse_branch(&words).is_none() && Cli::try_parse_from(&words).is_err(), "{line}");
        }
    }
}
