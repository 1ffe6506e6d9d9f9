//! The parts of the manual that repeat what the program knows: commands, exit codes, environment,
//! files, security. They stand between `<!-- name -->` and `<!-- /name -->`.

use std::fmt::Write as _;

use authctl::cli::{self, topics};
use authctl::exit_code::ExitCode;

/// Every part by its name.
pub(super) fn parts() -> Vec<(&'static str, String)> {
    vec![
        ("global-flags", global_flags()),
        ("commands", commands()),
        ("exit-codes", exit_codes()),
        ("environment", table("Variable", topics::ENVIRONMENT)),
        ("files", table("File", topics::FILES)),
        ("security", topics::SECURITY.to_owned()),
        ("authority", authority()),
    ]
}

fn authority() -> String {
    let mut text = String::from("\n| Command | Who may run it | Asks first |\n|---|---|---|\n");
    for line in cli::AUTHORITIES {
        let asks = if line.destructive { "yes" } else { "" };
        writeln!(text, "| `{}` | {} | {asks} |", line.command, line.who.name()).unwrap();
    }
    text.push('\n');
    text
}

/// Where a part's text begins and ends in the manual.
pub(super) fn place(manual: &str, name: &str) -> std::ops::Range<usize> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let start = manual.find(&open).unwrap_or_else(|| panic!("the manual has no {open}")) + open.len();
    let end = manual[start..].find(&close).unwrap_or_else(|| panic!("the manual has no {close}")) + start;
    start..end
}

fn global_flags() -> String {
    let mut root = cli::command();
    root.build();
    let shown = |argument: &&clap::Arg| argument.is_global_set() || is_for_help(argument);
    format!("\n{}\n", list(root.get_arguments().filter(shown)))
}

fn is_for_help(argument: &clap::Arg) -> bool {
    matches!(argument.get_action(), clap::ArgAction::Help | clap::ArgAction::Version)
}

fn commands() -> String {
    let mut root = cli::command();
    root.build();
    let mut text = String::new();
    add_commands(&mut root, &mut text);
    text.push('\n');
    text
}

fn add_commands(command: &mut clap::Command, text: &mut String) {
    for inner in command.get_subcommands_mut() {
        // A word that only leads to others has nothing to say.
        if !inner.is_subcommand_required_set() {
            add_command(inner, text);
        }
        add_commands(inner, text);
    }
}

fn add_command(command: &mut clap::Command, text: &mut String) {
    let usage = command.render_usage().to_string();
    let usage = usage.lines().next().unwrap().trim_start_matches("Usage: ").replace(" [OPTIONS]", "");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    let also = if aliases.is_empty() { String::new() } else { format!(" Also {}.", aliases.join(", ")) };
    let _ = write!(text, "\n### `{usage}`\n\n{about}.{also}\n");
    let own: Vec<&clap::Arg> =
        command.get_arguments().filter(|argument| !argument.is_global_set() && !is_for_help(argument)).collect();
    if !own.is_empty() {
        let _ = write!(text, "\n{}", list(own));
    }
}

fn list<'a>(arguments: impl IntoIterator<Item = &'a clap::Arg>) -> String {
    let mut text = String::new();
    for argument in arguments {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "- `{}`: {help}{}", spelled(argument), choices(argument));
    }
    text
}

/// What may be given, and what counts when nothing is.
fn choices(argument: &clap::Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values();
    let values: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
    let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
    match argument.get_default_values() {
        [] => values,
        [default, ..] => format!("{values} [default: {}]", default.to_string_lossy()),
    }
}

/// An argument as its help spells it: `-q, --quiet`, `--name NAME`, `EMAIL`.
fn spelled(argument: &clap::Arg) -> String {
    let value = argument.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
    let Some(long) = argument.get_long() else { return value };
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let value = if argument.get_action().takes_values() { format!(" {value}") } else { String::new() };
    format!("{short}--{long}{value}")
}

fn exit_codes() -> String {
    let mut text = "\n| Code | Meaning |\n|---:|---|\n".to_owned();
    for (code, meaning) in ExitCode::TABLE {
        let _ = writeln!(text, "| {} | {meaning} |", code.number());
    }
    text.push('\n');
    text
}

fn table(title: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!("\n| {title} | Meaning |\n|---|---|\n");
    for (name, meaning) in entries {
        let _ = writeln!(text, "| `{name}` | {meaning} |");
    }
    text.push('\n');
    text
}
