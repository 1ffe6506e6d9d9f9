//! Generates `docs/commands.md`, the command reference, from the clap definition.

use std::fmt::Write as _;

use authctl::cli::{self, GROUPS, topics};

const TITLE: &str = "\
# Commands

This page lists every command with its arguments and options. `authctl help COMMAND` prints the same in the terminal,
and `man authctl-COMMAND` (the first word) where the man pages are installed. `authctl help exit-codes`, `authctl help environment` and
`authctl help security` are topics.

<!-- Generated from src/: AUTHCTL_REGENERATE=1 cargo test --test it generated -->
";

pub(super) fn page() -> String {
    let mut root = cli::command();
    root.build();
    let mut text = TITLE.to_owned();
    add_index(&root, &mut text);
    text.push_str("\n## Global options\n\nEvery command takes these options.\n\n");
    let shown = |argument: &&clap::Arg| argument.is_global_set() || is_for_help(argument);
    text.push_str(&list(root.get_arguments().filter(shown)));
    for (_, names) in GROUPS {
        for name in *names {
            add_command(root.find_subcommand_mut(name).unwrap(), name, 2, &mut text);
        }
    }
    text.push_str("\n## Environment\n\n");
    text.push_str(&table("Variable", topics::ENVIRONMENT));
    text.push_str("\n## Files\n\n");
    text.push_str(&table("File", topics::FILES));
    text
}

fn add_index(root: &clap::Command, text: &mut String) {
    for (heading, names) in GROUPS {
        write!(text, "\n**{heading}**\n\n").unwrap();
        for name in *names {
            let command = root.find_subcommand(name).unwrap();
            let inner = command.get_subcommands().map(|inner| format!("[`{0}`](#{name}-{0})", inner.get_name()));
            let inner: Vec<String> = inner.collect();
            let inner = if inner.is_empty() { String::new() } else { format!(": {}", inner.join(", ")) };
            writeln!(text, "- [`{name}`](#{name}): {}{inner}", decapitalised(&about(command))).unwrap();
        }
    }
}

fn about(command: &clap::Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn decapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn add_command(command: &mut clap::Command, words: &str, level: usize, text: &mut String) {
    write!(text, "\n{} {words}\n\n{}.", "#".repeat(level), about(command)).unwrap();
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        write!(text, " Other names: {}.", aliases.join(", ")).unwrap();
    }
    let usage = command.render_usage().to_string();
    let usage: Vec<&str> = usage.trim_start_matches("Usage: ").lines().map(str::trim).collect();
    write!(text, "\n\n```text\n{}\n```\n", usage.join("\n")).unwrap();
    let own: Vec<&clap::Arg> =
        command.get_arguments().filter(|argument| !argument.is_global_set() && !is_for_help(argument)).collect();
    if !own.is_empty() {
        write!(text, "\n{}", list(own)).unwrap();
    }
    add_examples(command, text);
    for inner in command.get_subcommands_mut() {
        let words = format!("{words} {}", inner.get_name());
        add_command(inner, &words, level + 1, text);
    }
}

/// The text after the options. Indented lines are examples.
fn add_examples(command: &clap::Command, text: &mut String) {
    let Some(after) = command.get_after_help() else { return };
    let after = after.to_string();
    let (code, prose): (Vec<&str>, Vec<&str>) = after
        .lines()
        .filter(|line| !line.starts_with("Example") && !line.starts_with("Other names: "))
        .partition(|line| line.starts_with(' '));
    let code: Vec<&str> = code.iter().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    write!(text, "\n```sh\n{}\n```\n", code.join("\n")).unwrap();
    for paragraph in prose.join("\n").split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        write!(text, "\n{}\n", paragraph.trim()).unwrap();
    }
}

fn is_for_help(argument: &clap::Arg) -> bool {
    matches!(argument.get_action(), clap::ArgAction::Help | clap::ArgAction::Version)
}

fn list<'a>(arguments: impl IntoIterator<Item = &'a clap::Arg>) -> String {
    let mut text = String::new();
    for argument in arguments {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(text, "- `{}`: {help}{}", spelled(argument), choices(argument)).unwrap();
    }
    text
}

/// The possible values and the default of an argument.
pub(super) fn choices(argument: &clap::Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values();
    let values: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
    let listed = if values.is_empty() || argument.is_hide_possible_values_set() {
        String::new()
    } else {
        format!(": {}", values.join(", "))
    };
    match argument.get_default_values() {
        [] => listed,
        [default, ..] => format!("{listed} [default: {}]", default.to_string_lossy()),
    }
}

/// An argument as in the help: `-q, --quiet`, `--name NAME`, `EMAIL`.
fn spelled(argument: &clap::Arg) -> String {
    let value = argument.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
    let Some(long) = argument.get_long() else { return value };
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let value = if argument.get_action().takes_values() { format!(" {value}") } else { String::new() };
    format!("{short}--{long}{value}")
}

fn table(title: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!("| {title} | Meaning |\n|---|---|\n");
    for (name, meaning) in entries {
        writeln!(text, "| `{name}` | {meaning} |").unwrap();
    }
    text
}
