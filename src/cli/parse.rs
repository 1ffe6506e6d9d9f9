//! Turns the words of a command line into a command or a usage error. An unknown word may be a secret in the
//! wrong place, so an error never repeats it, unless it is in the table of known words.
//!
//! Users run a suggestion ("did you mean") without thinking, so only names in [`COMMANDS`] and [`FLAGS`] are
//! suggested: they delete nothing, end nothing, grant no rights and override no refusal. A word of another tool is
//! not a typing error; its answer in [`words`] has placeholders or deletes nothing as it stands.

use std::ffi::OsString;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Parser as _};

use super::branch::parse_branch;
use super::{Cli, topics, words};

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
    if let Some(cli) = parse_branch(&words) {
        return settled(cli);
    }
    match Cli::try_parse_from(&words) {
        Ok(cli) => settled(cli),
        Err(error) => match error.kind() {
            ErrorKind::DisplayVersion => Parsed::Page(error.render().to_string()),
            ErrorKind::DisplayHelp => Parsed::Page(help(&words, &error)),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Parsed::NoCommand(help(&words, &error)),
            _ => Parsed::Mistake(mistake(&error, &words)),
        },
    }
}

/// Gives `-o json` the meaning of `--json`, and refuses flags that exclude each other. clap does not compare a flag of
/// a command with one of the program.
fn settled(mut cli: Cli) -> Parsed {
    if let Some(list) = cli.command.list_flags() {
        if let Some((one, other)) = list.conflict(cli.global.json) {
            let message = format!("{one} and {other} exclude each other");
            let hint = "JSON has every field; `-o csv` and `-o tsv` have columns".to_owned();
            return Parsed::Mistake(UsageError { message, hint });
        }
        cli.global.json |= list.is_json();
    }
    Parsed::Command(Box::new(cli))
}

/// Whether a command line that cannot be parsed asks for JSON.
pub fn wants_json(words: &[OsString]) -> bool {
    let is_format = |pair: &[OsString]| (pair[0] == "-o" || pair[0] == "--output") && pair[1] == "json";
    words.iter().any(|word| ["--json", "-ojson", "-o=json", "--output=json"].iter().any(|flag| word == flag))
        || words.windows(2).any(is_format)
}

/// The help of a command, or of the program for no words; `None` when the command does not exist.
pub fn page(words: &[&str]) -> Option<String> {
    let command = super::command();
    words.iter().try_fold(&command, |found, word| found.find_subcommand(word))?;
    let asked = [&["authctl"], words, &["--help"]].concat();
    match parse(asked.into_iter().map(OsString::from)) {
        Parsed::Page(page) => Some(page),
        _ => None,
    }
}

/// Renders the requested help a second time, with headings, so that other command lines do not pay for them.
fn help(words: &[OsString], asked: &clap::Error) -> String {
    match topics::group(super::command()).try_get_matches_from(words) {
        Err(page) => page.render().to_string(),
        Ok(_) => asked.render().to_string(),
    }
}

fn mistake(error: &clap::Error, typed: &[OsString]) -> UsageError {
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
        let address = value_of(flag, invalid, typed).filter(|value| looks_like_address(value));
        if let Some(right) = words::flag(flag, address.as_deref(), &asked) {
            let name = asked.get_bin_name().unwrap_or("authctl");
            return UsageError { message: format!("unknown flag {flag}"), hint: format!("{right}; see {name} --help") };
        }
        let near = suggested_flag(flag, &asked).map(|one| format!("did you mean {one}? ")).unwrap_or_default();
        // The usage in the error is not used, because clap adds the flag that it would suggest.
        let spelled = one_line(&asked.render_usage().to_string());
        return UsageError { message: format!("unknown flag {flag}"), hint: format!("{near}{spelled}") };
    }
    if error.kind() == ErrorKind::InvalidSubcommand {
        let typed = text(ContextKind::InvalidSubcommand).unwrap_or_default();
        let asked = asked(error);
        let name = asked.get_bin_name().unwrap_or("authctl");
        if let Some(right) = words::command(typed, name) {
            let message = format!("there is no command {name} {typed}");
            return UsageError { message, hint: format!("use {right}; see {name} --help") };
        }
        let near = suggested_command(typed, &asked).map(|one| format!("did you mean {one}? ")).unwrap_or_default();
        let hint = format!("{near}see {name} --help");
        return UsageError { message: "there is no such command".into(), hint };
    }
    // clap's own sentence, without its usage paragraph.
    let rendered = error.render().to_string();
    let sentence = rendered.split("\n\nUsage:").next().unwrap_or_default();
    let sentence = sentence.split("\n\nFor more information").next().unwrap_or_default();
    let sentence = sentence.strip_prefix("error: ").unwrap_or(sentence);
    let mut message = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(number) = std::error::Error::source(error).filter(|source| source.is::<ParseIntError>()) {
        message = message.replace(&number.to_string(), "give a whole number such as 20");
    }
    let hint = if error.get(ContextKind::Usage).is_some() {
        usage(error)
    } else {
        format!("see {} --help", named_command(typed).get_bin_name().unwrap_or("authctl"))
    };
    UsageError { message, hint }
}

/// The value that was typed for an unknown flag: after `=`, or the next word.
fn value_of(flag: &str, word: &str, typed: &[OsString]) -> Option<String> {
    if let Some((_, value)) = word.split_once('=') {
        return Some(value.to_owned());
    }
    let place = typed.iter().position(|one| one.to_str().is_some_and(|one| one.split('=').next() == Some(flag)))?;
    match typed[place].to_str()?.split_once('=') {
        Some((_, value)) => Some(value.to_owned()),
        None => typed.get(place + 1)?.to_str().map(str::to_owned),
    }
}

/// Whether a word is an address beyond doubt, and not a secret, so that an error may repeat it in a command to paste.
fn looks_like_address(word: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-'))
    };
    word.split_once('@').is_some_and(|(local, domain)| {
        is_plain(local) && !local.starts_with('-') && is_plain(domain) && domain.contains('.')
    })
}

/// The command that a line names. Values of flags are skipped, because they may have the name of a command.
fn named_command(typed: &[OsString]) -> Command {
    let mut root = super::command();
    root.build();
    let mut named = &root;
    let mut words = typed.iter().skip(1).filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if let Some(flag) = word.strip_prefix('-') {
            let takes_value = |one: &clap::Arg| {
                let is_it = match flag.strip_prefix('-') {
                    Some(long) => one.get_long() == Some(long),
                    None => one.get_short().is_some_and(|short| flag == short.to_string()),
                };
                is_it && one.get_action().takes_values()
            };
            if named.get_arguments().any(takes_value) {
                words.next();
            }
        } else if let Some(below) = named.find_subcommand(word) {
            named = below;
        } else {
            break;
        }
    }
    named.clone()
}

/// The command that clap's usage line names.
fn asked(error: &clap::Error) -> clap::Command {
    let mut root = super::command();
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

/// Commands that may be suggested, of any level.
const COMMANDS: &[&str] = &[
    "account",
    "audit",
    "calibrate",
    "check",
    "completions",
    "create",
    "db",
    "doctor",
    "email",
    "exists",
    "explain",
    "export",
    "forgot",
    "generate",
    "guard",
    "hash",
    "help",
    "identify",
    "init",
    "list",
    "password",
    "policy",
    "sessions",
    "show",
    "signin",
    "signup",
    "status",
    "tail",
    "users",
    "verify",
    "whoami",
];

/// Flags that may be suggested, of any command.
const FLAGS: &[&str] = &[
    "after",
    "at",
    "check",
    "code-stdin",
    "color",
    "contains",
    "dry-run",
    "event",
    "follow",
    "fresh",
    "help",
    "image",
    "json",
    "limit",
    "lines",
    "max-memory",
    "name",
    "no-input",
    "older-than",
    "password-file",
    "password-stdin",
    "quiet",
    "reason",
    "schema",
    "search",
    "send",
    "since",
    "sort",
    "stdin",
    "target",
    "ttl",
    "until",
    "version",
    "wait",
];

/// The subcommand that a mistyped word meant.
fn suggested_command<'a>(typed: &str, of: &'a Command) -> Option<&'a str> {
    let spellings = of.get_subcommands().flat_map(|command| {
        let name = command.get_name();
        std::iter::once(name).chain(command.get_visible_aliases()).map(move |spelling| (spelling, name))
    });
    nearest(typed, spellings, COMMANDS)
}

/// The flag that a mistyped flag meant; both with their dashes.
fn suggested_flag(typed: &str, of: &Command) -> Option<String> {
    let typed = typed.strip_prefix("--")?;
    let names = of.get_arguments().filter_map(clap::Arg::get_long);
    nearest(typed, names.map(|name| (name, name)), FLAGS).map(|name| format!("--{name}"))
}

/// The nearest spelling of a word, if it is the only one at that distance and may be suggested. Other names are
/// compared too, because a mistyped form of those must not suggest another name.
fn nearest<'a>(typed: &str, spellings: impl Iterator<Item = (&'a str, &'a str)>, allowed: &[&str]) -> Option<&'a str> {
    // In a short word, one typing error makes another word.
    let most = match typed.len() {
        0..4 => return None,
        4..8 => 1,
        _ => 2,
    };
    let mut near: Vec<(usize, &str, &str)> =
        spellings.map(|(spelling, name)| (strsim::osa_distance(typed, spelling), spelling, name)).collect();
    near.sort_unstable();
    let (distance, spelling, name) = near.first()?;
    let is_ambiguous = near.iter().any(|(other, _, of)| other == distance && of != name);
    (*distance <= most && !is_ambiguous && allowed.contains(name)).then_some(*spelling)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn mistake_of(words: &[&str]) -> UsageError {
        match parse(words.iter().map(OsString::from)) {
            Parsed::Mistake(error) => error,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn password_argument_is_refused_and_not_repeated() {
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
    fn stray_word_is_not_repeated() {
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
    fn hint_never_suggests_an_override() {
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
    fn word_of_another_tool_leads_to_the_command_or_flag() {
        for (words, message, hint) in [
            ("users get ada", "there is no command authctl users get", "use authctl users show USER; see"),
            ("version", "there is no command authctl version", "use authctl --version; see authctl --help"),
            ("sessions kill", "there is no command authctl sessions kill", "use authctl sessions revoke ID"),
            ("signup --email a@b.co", "unknown flag --email", "give it without a flag: authctl signup a@b.co; see"),
            ("account delete --force", "unknown flag --force", "use --yes; see authctl account delete --help"),
            ("whoami -o json", "unknown flag -o", "use --json; see authctl whoami --help"),
        ] {
            let error = mistake_of(&["authctl"].into_iter().chain(words.split(' ')).collect::<Vec<_>>());
            assert_eq!(error.message, message);
            assert!(error.hint.starts_with(hint), "{words}: {}", error.hint);
        }
    }

    #[test]
    fn value_that_is_no_number_is_refused_with_an_example() {
        let error = mistake_of(&["authctl", "audit", "list", "--limit", "many"]);
        assert!(error.message.ends_with("give a whole number such as 20"), "{}", error.message);
    }

    #[test]
    fn definition_passes_the_checks_of_clap() {
        crate::cli::command().debug_assert();
    }

    #[test]
    fn aliases_of_similar_tools_are_accepted() {
        for word in [
            "signup", "sign-up", "register", "signin", "sign-in", "login", "whoami", "status", "sessions", "signout",
            "sign-out", "logout", "passwd",
        ] {
            let parsed = parse(["authctl", word].map(OsString::from));
            assert!(matches!(parsed, Parsed::Command(_)), "{word}: {parsed:?}");
        }
    }

    /// Every command of the tree.
    pub(in crate::cli) fn tree() -> Vec<Command> {
        let mut root = crate::cli::command();
        root.build();
        let mut all = vec![root];
        let mut next = 0;
        while next < all.len() {
            let below: Vec<Command> = all[next].get_subcommands().cloned().collect();
            all.extend(below);
            next += 1;
        }
        all
    }

    /// A word with each single typing error, and with each pair of letters removed.
    fn slips(word: &str) -> Vec<String> {
        let mut slips = vec![format!("{word}s"), format!("x{word}")];
        for at in 0..word.len() {
            let (before, rest) = word.split_at(at);
            slips.push(format!("{before}{}", &rest[1..]));
            slips.push(format!("{before}z{rest}"));
            slips.push(format!("{before}q{}", &rest[1..]));
            if rest.len() > 1 {
                slips.push(format!("{before}{}{}{}", &rest[1..2], &rest[..1], &rest[2..]));
                slips.push(format!("{before}{}", &rest[2..]));
            }
        }
        slips.retain(|slip| slip != word);
        slips
    }

    const HARMFUL_COMMANDS: &[&str] = &[
        "backup",
        "ban",
        "change",
        "delete",
        "impersonate",
        "issue",
        "migrate",
        "passwd",
        "prune",
        "reset",
        "reset-code",
        "restore",
        "revoke",
        "rm",
        "set",
        "set-password",
        "set-role",
        "signout",
        "unban",
        "unlock",
        "unset",
        "update",
        "verify-email",
        "sign-out",
        "logout",
    ];

    const HARMFUL_FLAGS: &[&str] = &[
        "all",
        "all-users",
        "allow-weak",
        "cookie",
        "db",
        "email",
        "except-current",
        "fix",
        "force",
        "force-last-admin",
        "generate",
        "hash-stdin",
        "if-exists",
        "if-missing",
        "keep-sessions",
        "local",
        "no-password",
        "no-signin",
        "others",
        "print-token",
        "role",
        "undo",
        "user",
        "verified",
        "yes",
    ];

    #[test]
    fn typing_error_never_suggests_a_harmful_name() {
        let mut suggested = 0;
        for command in tree() {
            let commands: Vec<&str> =
                command.get_subcommands().flat_map(Command::get_name_and_visible_aliases).collect();
            let strangers = ["promote", "force", "import", "get", "kick", "grant", "admin", "remove", "revert"];
            for typed in commands.iter().flat_map(|name| slips(name)).chain(strangers.map(str::to_owned)) {
                if let Some(one) = suggested_command(&typed, &command) {
                    assert!(!HARMFUL_COMMANDS.contains(&one), "{} {typed}: {one}", command.get_name());
                    suggested += 1;
                }
            }
            let flags: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
            for typed in flags.iter().flat_map(|name| slips(name)).chain(strangers.map(str::to_owned)) {
                if let Some(one) = suggested_flag(&format!("--{typed}"), &command) {
                    let name = one.trim_start_matches('-');
                    assert!(!HARMFUL_FLAGS.contains(&name), "{} --{typed}: {one}", command.get_name());
                    suggested += 1;
                }
            }
        }
        assert!(suggested > 1_000, "{suggested}");
    }

    #[test]
    fn every_suggestible_name_exists() {
        let tree = tree();
        for name in COMMANDS {
            assert!(tree.iter().any(|command| command.get_name() == *name), "{name}");
        }
        for name in FLAGS {
            let takes = |command: &Command| command.get_arguments().any(|flag| flag.get_long() == Some(name));
            assert!(tree.iter().any(takes), "--{name}");
        }
    }

    #[test]
    fn typing_error_in_a_harmless_name_is_recognised() {
        let root = &tree()[0];
        assert_eq!(suggested_command("sesions", root), Some("sessions"));
        assert_eq!(suggested_command("whomai", root), Some("whoami"));
        assert_eq!(suggested_flag("--jsno", root).as_deref(), Some("--json"));
        assert_eq!(suggested_command("singout", root), None);
        assert_eq!(suggested_command("xyzzy", root), None);
    }
}
