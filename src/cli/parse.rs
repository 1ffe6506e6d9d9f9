//! Turns the words of a command line into a command or a usage error. A word that is not understood may be a
//! secret typed in the wrong place, so an error never repeats it.

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Cli, command, suggestions, topics};

#[derive(Debug)]
pub enum Parsed {
    Command(Box<Cli>),
    /// Help or the version, as requested.
    Page(String),
    /// Help, because no command was given.
    NoCommand(String),
    Mistake(UsageError),
}

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    pub message: String,
    pub hint: String,
}

/// Parses a command line, the program's name first.
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

/// The help of a command, or of the program for no words; `None` when the command does not exist.
pub fn page(words: &[&str]) -> Option<String> {
    let command = command();
    words.iter().try_fold(&command, |found, word| found.find_subcommand(word))?;
    let asked = [&["authctl"], words, &["--help"]].concat();
    match parse(asked.into_iter().map(OsString::from)) {
        Parsed::Page(page) => Some(page),
        _ => None,
    }
}

/// Renders the requested help a second time, with headings, so that other command lines do not pay for them.
fn help(words: &[OsString], asked: &clap::Error) -> String {
    match topics::group(command()).try_get_matches_from(words) {
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

/// The command that clap's usage line names.
fn asked(error: &clap::Error) -> clap::Command {
    let mut root = command();
    // Gives every command its full name and the global flags.
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
