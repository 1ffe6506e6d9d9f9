//! Generates the completions, the man pages and `docs/commands.md` in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authctl::cli::{self, topics};
use authctl::error::ExitCode;
use clap::ValueEnum as _;
use clap_complete::{Generator as _, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::commands;

/// The generated files by path.
pub(super) fn generated() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for shell in Shell::value_variants() {
        files.insert(completion_file(*shell), cli::completions(*shell));
    }
    let mut root = cli::command();
    root.build();
    add_pages(&root, true, &mut files);
    files.insert("docs/commands.md".into(), commands::page());
    files
}

pub(super) fn completion_file(shell: Shell) -> PathBuf {
    Path::new("completions").join(shell.file_name("authctl"))
}

fn add_pages(command: &clap::Command, is_root: bool, files: &mut BTreeMap<PathBuf, String>) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    files.insert(Path::new("man").join(format!("{name}.1")), page(command, is_root));
    for inner in command.get_subcommands() {
        add_pages(inner, false, files);
    }
}

/// One man page. It has no date, because a page that changes every day could not be compared.
fn page(command: &clap::Command, is_root: bool) -> String {
    let source = format!("authctl {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).manual("authctl manual");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    render(&aliases(command), &mut page);
    man.render_options_section(&mut page).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).unwrap();
    }
    render(&examples(command), &mut page);
    render(&if is_root { chapters() } else { see_also() }, &mut page);
    let page = String::from_utf8(page).unwrap();
    // Each rendered section repeats the definition of the apostrophe. The page needs it once.
    let preamble = Roff::new().render();
    format!("{preamble}{}", page.replace(&preamble, ""))
}

fn render(roff: &Roff, page: &mut Vec<u8>) {
    roff.to_writer(page).unwrap();
}

fn aliases(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    let names: Vec<&str> = command.get_visible_aliases().collect();
    if !names.is_empty() {
        roff.control("SH", ["ALIASES"]).text([roman(names.join(", "))]);
    }
    roff
}

/// The text after the options. Indented lines are examples.
fn examples(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    let Some(after) = command.get_after_help() else { return roff };
    let after = after.to_string();
    roff.control("SH", ["EXAMPLES"]);
    let (code, text): (Vec<&str>, Vec<&str>) =
        after.lines().filter(|line| !line.starts_with("Example")).partition(|line| line.starts_with(' '));
    literal(&mut roff, &code);
    paragraphs(&mut roff, &text.join("\n"));
    roff
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

fn see_also() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("authctl"), roman("(1), for exit status, environment and files")]);
    roff
}
