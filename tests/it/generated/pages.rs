//! Generates the completions, the man pages and `docs/commands.md` in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authctl::cli::{self, topics};
use authctl::error::ExitCode;
use clap::{ArgAction, ValueEnum as _};
use clap_complete::{Generator as _, Shell};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::commands;

/// The generated files by path.
pub(super) fn generated() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for shell in Shell::value_variants() {
        files.insert(completion_file(*shell), cli::completions(*shell));
    }
    let mut root = cli::command();
    root.build();
    add_pages(&root, &mut files);
    files.insert("docs/commands.md".into(), commands::page());
    files
}

pub(super) fn completion_file(shell: Shell) -> PathBuf {
    Path::new("completions").join(shell.file_name("authctl"))
}

/// One page for the program and one for each command, with all that the command consists of.
fn add_pages(root: &clap::Command, files: &mut BTreeMap<PathBuf, String>) {
    let mut add = |name: &str, page: Roff| files.insert(Path::new("man").join(format!("{name}.1")), page.render());
    add(root.get_name(), first_page(root));
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        add(&format!("authctl-{}", command.get_name()), page(command));
    }
}

/// An empty field would be left out, and the next one would take its place.
const NO_DATE: &str = " ";

/// The begin of a page. It has no date, because a page that changes every day could not be compared.
fn head(name: &str, about: &str) -> Roff {
    let mut roff = Roff::new();
    let source = format!("authctl {}", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [name, "1", NO_DATE, &source, "authctl manual"]);
    // Without hyphenation and even margins, options stay in one piece.
    roff.control("nh", []).control("ad", ["l"]);
    section(&mut roff, "NAME").text([roman(format!("{name} - {about}"))]);
    roff
}

fn section<'a>(roff: &'a mut Roff, title: &str) -> &'a mut Roff {
    roff.control("SH", [title])
}

fn first_page(root: &clap::Command) -> Roff {
    let mut roff = head(root.get_name(), &about(root));
    section(&mut roff, "SYNOPSIS");
    roff.text([bold(root.get_name()), roman(" "), italic("COMMAND"), roman(" [global options]")]);
    section(&mut roff, "DESCRIPTION");
    description(&mut roff, root);
    section(&mut roff, "COMMANDS");
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        entry(&mut roff, &format!("authctl-{}(1)", command.get_name()), &about(command));
    }
    let is_shown = |argument: &&clap::Arg| !argument.is_hide_set() && !argument.is_positional();
    list(&mut roff, "SH", "GLOBAL OPTIONS", root.get_arguments().filter(is_shown));
    examples(&mut roff, "SH", root);
    roff.extend([chapters()]);
    roff
}

fn page(command: &clap::Command) -> Roff {
    let mut roff = head(&format!("authctl-{}", command.get_name()), &about(command));
    section(&mut roff, "SYNOPSIS");
    let commands = leaves(command);
    for (number, leaf) in commands.iter().enumerate() {
        if number > 0 {
            roff.control("br", []);
        }
        synopsis(&mut roff, leaf);
    }
    section(&mut roff, "DESCRIPTION");
    description(&mut roff, command);
    let names: Vec<&str> = command.get_visible_aliases().collect();
    if !names.is_empty() {
        roff.control("PP", []).text([roman(format!("Other names: {}.", names.join(", ")))]);
    }
    arguments(&mut roff, "SH", command);
    if command.has_subcommands() {
        section(&mut roff, "COMMANDS");
        for leaf in commands.iter().filter(|leaf| leaf.get_name() != command.get_name()) {
            roff.control("SS", [spelled(leaf)]);
            description(&mut roff, leaf);
            arguments(&mut roff, "PP", leaf);
            examples(&mut roff, "PP", leaf);
        }
    }
    examples(&mut roff, "SH", command);
    section(&mut roff, "SEE ALSO");
    roff.text([bold("authctl"), roman("(1), for global options, exit status, environment and files")]);
    roff
}

/// The commands that can be typed: the command itself unless it is only a group, and those below it.
fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
    let own = (!command.is_subcommand_required_set()).then_some(command);
    let below = command.get_subcommands().filter(|command| !command.is_hide_set()).flat_map(leaves);
    own.into_iter().chain(below).collect()
}

/// The words of a command: `authctl db backup`.
fn spelled(command: &clap::Command) -> &str {
    command.get_bin_name().unwrap_or_else(|| command.get_name())
}

fn about(command: &clap::Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn is_own(argument: &clap::Arg) -> bool {
    let is_help = matches!(argument.get_action(), ArgAction::Help | ArgAction::Version);
    !argument.is_global_set() && !argument.is_hide_set() && !is_help
}

/// One line with every argument and option of the command's own, and their values.
fn synopsis(roff: &mut Roff, command: &clap::Command) {
    let mut line = vec![bold(spelled(command))];
    let (positional, options): (Vec<_>, Vec<_>) =
        command.get_arguments().filter(|argument| is_own(argument)).partition(|argument| argument.is_positional());
    for argument in options.into_iter().chain(positional) {
        let (open, close) = if argument.is_required_set() { (" ", "") } else { (" [", "]") };
        line.push(roman(if argument.is_last_set() { format!(" --{open}") } else { open.to_owned() }));
        line.extend(name(argument, "|"));
        line.push(roman(close));
    }
    roff.text(line);
}

/// An argument with its values: `-n|--name NAME`, `FILE...`.
fn name(argument: &clap::Arg, separator: &str) -> Vec<Inline> {
    let mut words = Vec::new();
    if let Some(short) = argument.get_short() {
        words.extend([bold(format!("-{short}")), roman(separator)]);
    }
    words.extend(argument.get_long().map(|long| bold(format!("--{long}"))));
    if argument.get_action().takes_values() {
        if !words.is_empty() {
            words.push(roman(" "));
        }
        words.push(italic(argument.get_value_names().map(|names| names.join(" ")).unwrap_or_default()));
        let takes_many = argument.get_num_args().is_some_and(|count| count.max_values() > 1);
        if takes_many || matches!(argument.get_action(), ArgAction::Append) {
            words.push(roman("..."));
        }
    }
    words
}

fn description(roff: &mut Roff, command: &clap::Command) {
    if let Some(text) = command.get_long_about().or_else(|| command.get_about()) {
        paragraphs(roff, &text.to_string());
    }
}

/// The arguments and the options, apart.
fn arguments(roff: &mut Roff, heading: &str, command: &clap::Command) {
    let own = || command.get_arguments().filter(|argument| is_own(argument));
    list(roff, heading, "ARGUMENTS", own().filter(|argument| argument.is_positional()));
    list(roff, heading, "OPTIONS", own().filter(|argument| !argument.is_positional()));
}

fn list<'a>(roff: &mut Roff, heading: &str, title: &str, arguments: impl Iterator<Item = &'a clap::Arg>) {
    let mut arguments = arguments.peekable();
    if arguments.peek().is_some() {
        headed(roff, heading, title);
    }
    for argument in arguments {
        let help = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string);
        let help = help.unwrap_or_default() + &commands::choices(argument);
        roff.control("TP", []).text(name(argument, ", ")).text([roman(help.replace("\n\n", ". ").replace('\n', " "))]);
    }
}

/// A heading of a section, or a title in the text.
fn headed(roff: &mut Roff, heading: &str, title: &str) {
    if heading == "SH" {
        section(roff, title);
    } else {
        let title = title[..1].to_owned() + &title[1..].to_lowercase();
        roff.control("PP", []).text([roman(format!("{title}:"))]);
    }
}

/// The text after the options. Indented lines are examples.
fn examples(roff: &mut Roff, heading: &str, command: &clap::Command) {
    let Some(after) = command.get_after_help() else { return };
    let after = after.to_string();
    headed(roff, heading, "EXAMPLES");
    let (code, text): (Vec<&str>, Vec<&str>) =
        after.lines().filter(|line| !line.starts_with("Example")).partition(|line| line.starts_with(' '));
    literal(roff, &code);
    paragraphs(roff, &text.join("\n"));
}

fn literal(roff: &mut Roff, lines: &[&str]) {
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(*line)]);
    }
    roff.control("fi", []);
}

fn paragraphs(roff: &mut Roff, text: &str) {
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        roff.control("PP", []);
        roff.text([roman(paragraph.trim().replace('\n', " "))]);
    }
}

/// The topics of `authctl help`, which only the first page has.
pub(super) fn chapters() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in ExitCode::TABLE {
        entry(&mut roff, &code.number().to_string(), meaning);
    }
    for (title, entries) in [("ENVIRONMENT", topics::ENVIRONMENT), ("FILES", topics::FILES)] {
        roff.control("SH", [title]);
        for (name, meaning) in entries {
            entry(&mut roff, name, meaning);
        }
    }
    roff.control("SH", ["SECURITY"]);
    paragraphs(&mut roff, topics::SECURITY);
    roff.control("SH", ["AUTHORITY"]);
    for line in cli::AUTHORITIES {
        let asks = if line.destructive { "; asks first" } else { "" };
        entry(&mut roff, line.command, &format!("{}{asks}", line.who.name()));
    }
    roff
}

fn entry(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []).text([bold(name)]).text([roman(meaning)]);
}
