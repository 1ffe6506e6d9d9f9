//! From words to a command, or to the reason why not. A word that is not understood may be a secret
//! typed in the wrong place, so it is never repeated.

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Cli, command, groups, suggestions};

/// What the words meant.
#[derive(Debug)]
pub enum Parsed {
    /// A command to run.
    Command(Box<Cli>),
    /// A page of help or the version, which was asked for.
    Page(String),
    /// Help, because no command was given.
    NoCommand(String),
    /// A mistake.
    Mistake(UsageError),
}

/// A mistake on the command line.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Reads the words of a command line, the program's name first.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Parsed {
    let words: Vec<OsString> = words.into_iter().collect();
    match Cli::try_parse_from(&words) {
        Ok(cli) => Parsed::Command(Box::new(cli)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayVersion => Parsed::Page(error.render().to_string()),
            ErrorKind::DisplayHelp => Parsed::Page(help(&words, &error)),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Parsed::NoCommand(help(&words, &error)),
            _ => Parsed::Mistake(mistake(&error)),
        },
    }
}

/// The page of help on a command, or on all of them; `None` when there is no such command.
pub fn page(words: &[&str]) -> Option<String> {
    let command = command();
    words.iter().try_fold(&command, |found, word| found.find_subcommand(word))?;
    let asked = [&["authctl"], words, &["--help"]].concat();
    match parse(asked.into_iter().map(OsString::from)) {
        Parsed::Page(page) => Some(page),
        _ => None,
    }
}

/// The page of help that was asked for, made again with headings: only who asks pays for them.
fn help(words: &[OsString], asked: &clap::Error) -> String {
    match groups::group(command()).try_get_matches_from(words) {
        Err(page) => page.render().to_string(),
        Ok(_) => asked.render().to_string(),
    }
}

fn mistake(error: &clap::Error) -> UsageError {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let invalid = text(ContextKind::InvalidArg).unwrap_or_default();
    if error.kind() == ErrorKind::UnknownArgument {
        if invalid == "--password" || invalid.starts_with("--password=") {
            return UsageError {
                message: "a password cannot be given as an argument: other users and the shell's history would see it"
                    .into(),
                hint: "use --password-stdin, --password-file PATH or the prompt; and change that password".into(),
            };
        }
        if !invalid.starts_with('-') {
            return UsageError { message: "there is one argument too many".into(), hint: usage(error) };
        }
        let flag = invalid.split('=').next().unwrap_or_default();
        let mut asked = asked(error);
        let near = suggestions::flag(flag, &asked).map(|one| format!("did you mean {one}? ")).unwrap_or_default();
        // Not the usage of the error: clap puts the flag there that it would suggest.
        let spelled = one_line(&asked.render_usage().to_string());
        return UsageError { message: format!("unknown flag {flag}"), hint: format!("{near}{spelled}") };
    }
    if error.kind() == ErrorKind::InvalidSubcommand {
        let typed = text(ContextKind::InvalidSubcommand).unwrap_or_default();
        let asked = asked(error);
        let near = suggestions::command(typed, &asked).map(|one| format!("did you mean {one}? ")).unwrap_or_default();
        let hint = format!("{near}see {} --help", asked.get_bin_name().unwrap_or("authctl"));
        return UsageError { message: "there is no such command".into(), hint };
    }
    // clap's own sentence, without its usage paragraph.
    let rendered = error.render().to_string();
    let sentence = rendered.split("\n\nUsage:").next().unwrap_or_default();
    let sentence = sentence.split("\n\nFor more information").next().unwrap_or_default();
    let sentence = sentence.strip_prefix("error: ").unwrap_or(sentence);
    let message: Vec<&str> = sentence.split_whitespace().collect();
    UsageError { message: message.join(" "), hint: usage(error) }
}

/// The command whose words were not understood: the one that clap's usage line spells.
fn asked(error: &clap::Error) -> clap::Command {
    let mut root = command();
    // Gives every command its whole name and the flags of all.
    root.build();
    let usage = usage(error);
    // After "usage:" and the name under which the program runs.
    let words = usage.split_whitespace().skip(2);
    let mut asked = &root;
    for word in words {
        match asked.find_subcommand(word) {
            Some(found) => asked = found,
            None => break,
        }
    }
    asked.clone()
}

/// The line that says how the command is spelled.
fn usage(error: &clap::Error) -> String {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    one_line(&usage)
}

fn one_line(usage: &str) -> String {
    let line = usage.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.strip_prefix("Usage: ") {
        Some(spelled) => format!("usage: {spelled}"),
        None => "see authctl --help".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake_of(words: &[&str]) -> UsageError {
        match parse(words.iter().map(OsString::from)) {
            Parsed::Mistake(error) => error,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_password_on_the_command_line_is_refused_with_the_right_way_and_not_repeated() {
        for words in [
            &["authctl", "signin", "a@b.co", "--password", "canary"][..],
            &["authctl", "signin", "a@b.co", "--password=canary"],
            &["authctl", "signup", "--password=canary", "a@b.co"],
        ] {
            let error = mistake_of(words);
            assert!(error.hint.contains("--password-stdin"), "{error:?}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn a_stray_word_is_not_repeated_because_it_may_be_a_secret() {
        for words in [
            &["authctl", "signin", "a@b.co", "canary"][..],
            &["authctl", "whoami", "canary"],
            &["authctl", "canary"],
            &["authctl", "sessions", "canary"],
            &["authctl", "signin", "--pasword=canary", "a@b.co"],
        ] {
            let error = mistake_of(words);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn no_hint_names_an_override_that_was_not_typed() {
        for (words, harmful) in [
            ("account delete --force", "--force-last-admin"),
            ("users ban ada --force", "--force-last-admin"),
            ("users promote", "rm"),
            ("policy get mail.url", "set"),
            ("imports", "impersonate"),
            ("sessions revoke --al", "--all"),
        ] {
            for program in ["authctl", "another-name"] {
                let words: Vec<&str> = std::iter::once(program).chain(words.split(' ')).collect();
                let hint = mistake_of(&words).hint;
                assert!(!hint.split([' ', '?']).any(|word| word == harmful), "{words:?}: {hint}");
            }
        }
    }

    #[test]
    fn the_definition_is_sound() {
        super::super::command().debug_assert();
    }

    #[test]
    fn every_alias_of_the_peers_is_understood() {
        for word in [
            "signup", "sign-up", "register", "signin", "sign-in", "login", "whoami", "status", "sessions", "signout",
            "sign-out", "logout", "passwd",
        ] {
            let parsed = parse(["authctl", word].map(OsString::from));
            assert!(matches!(parsed, Parsed::Command(_)), "{word}: {parsed:?}");
        }
    }
}
