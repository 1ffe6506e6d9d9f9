//! Generates the parts of README and docs that repeat text of the program: exit codes, rules, security. A part
//! is between `<!-- generated: NAME -->` and `<!-- end: NAME -->`.

use std::fmt::Write as _;

use authctl::auth::policy::{KEYS, Policy};
use authctl::cli::{self, topics};
use authctl::error::ExitCode;

/// A part of a page.
pub(super) struct Part {
    pub(super) page: &'static str,
    pub(super) name: &'static str,
    pub(super) text: String,
}

pub(super) fn parts() -> Vec<Part> {
    let part = |page, name, text: String| Part { page, name, text };
    vec![
        part("README.md", "quick start", format!("```text\n{}```\n", super::quick_start())),
        part("docs/administration.md", "policy", policy()),
        part("docs/scripting.md", "exit codes", exit_codes()),
        part("docs/security.md", "security", security()),
        part("docs/security.md", "authority", authority()),
    ]
}

impl Part {
    /// The position of the part in its page.
    pub(super) fn place(&self, page: &str) -> std::ops::Range<usize> {
        let Self { page: path, name, .. } = self;
        let (open, close) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end: {name} -->\n"));
        let start = page.find(&open).unwrap_or_else(|| panic!("{path} has no {open}")) + open.len();
        let end = page[start..].find(&close).unwrap_or_else(|| panic!("{path} has no {close}")) + start;
        start..end
    }
}

fn policy() -> String {
    let defaults = Policy::default();
    let mut text = String::from("\n| Key | Default | Takes | Meaning |\n|---|---|---|---|\n");
    for key in KEYS {
        let (name, default, takes) = (key.name, key.value(&defaults), key.takes());
        let takes = takes.replace('<', "\\<");
        writeln!(text, "| `{name}` | {default} | {takes} | {} |", key.meaning).unwrap();
    }
    text.push('\n');
    text
}

fn exit_codes() -> String {
    let mut text = "\n| Code | Meaning |\n|---:|---|\n".to_owned();
    for (code, meaning) in ExitCode::TABLE {
        writeln!(text, "| {} | {meaning} |", code.number()).unwrap();
    }
    text.push('\n');
    text
}

/// The topic, with the first words of its paragraphs in bold.
fn security() -> String {
    let mut text = String::new();
    for paragraph in topics::SECURITY.split("\n\n") {
        match paragraph.split_once(": ").filter(|(about, _)| !about.contains([',', '.', '\n'])) {
            Some((about, rest)) => write!(text, "\n**{about}:** {}\n", rest.trim_end()).unwrap(),
            None => write!(text, "\n{}\n", paragraph.trim_end()).unwrap(),
        }
    }
    text.push('\n');
    text
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
