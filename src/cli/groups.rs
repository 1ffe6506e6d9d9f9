//! The first page of help: the commands under headings, so that whoever looks for one finds its
//! neighbours.

use std::fmt::Write as _;

use clap::Command;

/// The commands of the first page, each under one heading.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Your account", &["signup", "signin", "whoami", "sessions", "signout", "password", "passwd", "email", "account"]),
    ("In scripts", &["guard", "hash"]),
    ("Administration", &["users", "policy", "audit"]),
    ("The database", &["db"]),
    ("About authctl", &["completions", "help"]),
];

/// Gives the program's page of help its headings. Which command is where changes nothing else.
pub(super) fn group(root: Command) -> Command {
    let usage = format!("{} [OPTIONS] <COMMAND>", root.get_name());
    let mut page = String::from("{about-with-newline}\n{usage-heading} {usage}\n\n");
    for (heading, names) in GROUPS {
        page.push_str(heading);
        page.push_str(":\n");
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            // Writing to a `String` cannot fail.
            let _ = writeln!(page, "  {:<13}{about}", command.get_name());
        }
        page.push('\n');
    }
    page.push_str("{all-args}{after-help}");
    // Hidden, or they would be listed a second time.
    root.mut_subcommands(|command| with_aliases(command).hide(true)).override_usage(usage).help_template(page)
}

/// Names the other names of a command on its own page.
fn with_aliases(command: Command) -> Command {
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    match command.get_after_help() {
        Some(after) if !aliases.is_empty() => {
            let after = format!("{after}\n\nOther names: {}", aliases.join(", "));
            command.after_help(after)
        }
        _ => command,
    }
}
