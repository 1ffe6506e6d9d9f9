//! Runs the `console` blocks of a page. Each chapter, from one `## ` heading to the next, has its own shell and
//! home directory, so that a changed message affects one chapter only.
//!
//! A comment `<!-- run ... -->` contains commands that readers do not need to see, such as the setup that earlier
//! chapters did. They must succeed. Their output is not compared.

use std::fmt::Write as _;
use std::ops::Range;
use std::process::{Command, Stdio};

use super::{is_regenerating, read, write};
use crate::app::load;
use crate::generated::REGENERATE;
use crate::machine::require_tool;
use crate::sandbox::{Sandbox, program};

/// Marks the end of a step's output. The exit status follows.
const END: char = '\u{1e}';

/// The app databases that a chapter may use, and their fixtures.
const FIXTURES: &[(&str, &str)] = &[("app.db", "kysely"), ("empty-app.db", "ambiguous"), ("renamed.db", "renamed")];

struct Chapter {
    title: String,
    steps: Vec<Step>,
}

/// A command and its output.
struct Step {
    /// The line where the command begins, counted from 0.
    line: usize,
    command: String,
    /// The lines of the page with the output; `None` when the page does not show it.
    shown: Option<Range<usize>>,
}

enum Inside {
    Text,
    Console,
    OtherBlock,
    Hidden,
}

/// The chapters of a page that run something.
fn chapters(page: &str) -> Vec<Chapter> {
    let mut chapters = vec![Chapter { title: String::new(), steps: Vec::new() }];
    let mut inside = Inside::Text;
    for (number, line) in page.lines().enumerate() {
        if let (Inside::Text, Some(title)) = (&inside, line.strip_prefix("## ")) {
            chapters.push(Chapter { title: title.to_owned(), steps: Vec::new() });
        }
        let steps = &mut chapters.last_mut().unwrap().steps;
        inside = match inside {
            Inside::Text if line == "```console" => Inside::Console,
            Inside::Text if line.starts_with("```") => Inside::OtherBlock,
            Inside::Text if line == "<!-- run" => Inside::Hidden,
            Inside::Console | Inside::OtherBlock if line == "```" => Inside::Text,
            Inside::Hidden if line == "-->" => Inside::Text,
            Inside::Hidden => {
                steps.push(Step { line: number, command: line.to_owned(), shown: None });
                Inside::Hidden
            }
            Inside::Console => {
                console_line(number, line, steps);
                Inside::Console
            }
            same => same,
        };
    }
    assert!(matches!(inside, Inside::Text), "a block is not closed");
    chapters.retain(|chapter| !chapter.steps.is_empty());
    chapters
}

/// A command, its continuation, or output.
fn console_line(number: usize, line: &str, steps: &mut Vec<Step>) {
    let next = number + 1;
    if let Some(command) = line.strip_prefix("$ ") {
        steps.push(Step { line: number, command: command.to_owned(), shown: Some(next..next) });
        return;
    }
    let step = steps.last_mut().expect("a block begins with `$ `");
    let shown = step.shown.as_mut().expect("a block begins with `$ `");
    match line.strip_prefix("> ").or((line == ">").then_some("")) {
        Some(continued) if shown.start == shown.end => {
            write!(step.command, "\n{continued}").unwrap();
            *shown = next..next;
        }
        _ => shown.end = next,
    }
}

/// A line for the shell, with the program on its PATH.
pub fn shell(sandbox: &Sandbox, script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    let inherited = std::env::var("PATH").unwrap();
    let path = format!("{}:{inherited}", program().parent().unwrap().display());
    command.args(["-c", script]).current_dir(sandbox.home());
    command.env_clear().env("HOME", sandbox.home()).env("PATH", path).stdin(Stdio::null());
    command
}

/// The output of each step in one shell, with both streams combined as on a terminal.
fn run(sandbox: &Sandbox, steps: &[Step]) -> Vec<String> {
    let mut script = String::from("exec 2>&1\n");
    for step in steps {
        let quoted = step.command.replace('\'', r"'\''");
        writeln!(script, "eval '{quoted}'\nprintf '\\036%s\\036' $?").unwrap();
    }
    let ran = sandbox.finish(&mut shell(sandbox, &script));
    let printed = portable(&ran.to_string());
    let mut pieces = printed.split(END);
    let mut outputs = Vec::new();
    for step in steps {
        let (Some(output), Some(status)) = (pieces.next(), pieces.next()) else {
            panic!("the shell ended at line {}: {}\n{printed}", step.line + 1, step.command);
        };
        let mut output = output.to_owned();
        if status != "0" {
            writeln!(output, "[exit status: {status}]").unwrap();
        }
        outputs.push(output);
    }
    outputs
}

/// Replaces values that differ between machines.
pub(super) fn portable(printed: &str) -> String {
    let version = format!("authctl/{} (", env!("CARGO_PKG_VERSION"));
    let mut text = String::new();
    for line in printed.split_inclusive('\n') {
        match line.split_once(&version) {
            Some((before, after)) => {
                let (_, rest) = after.split_once(')').unwrap();
                write!(text, "{before}authctl/[VERSION] ([USER]@[HOST]; no terminal){rest}").unwrap();
            }
            None => text.push_str(line),
        }
    }
    text
}

/// Joins several spaces inside a line, because the width of columns depends on values that differ. Keeps the
/// indentation.
fn narrow(text: &str) -> String {
    let mut narrowed = String::new();
    for line in text.lines() {
        let words = line.trim_start();
        let indentation = &line[..line.len() - words.len()];
        let words: Vec<&str> = words.split_whitespace().collect();
        writeln!(narrowed, "{}", format!("{indentation}{}", words.join(" ")).trim_end()).unwrap();
    }
    narrowed
}

/// Adjusts the columns of a table to the values that the page shows.
pub(super) fn aligned(output: &str) -> String {
    let cells = |line: &str| -> Vec<String> {
        let (mark, rest) =
            if line.starts_with("*  ") || line.starts_with("   ") { line.split_at(3) } else { ("", line) };
        let cells = rest.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        std::iter::once(mark).chain(cells).map(str::to_owned).collect()
    };
    let rows: Vec<Vec<String>> = output.lines().map(cells).collect();
    let is_table = |row: &Vec<String>| row.len() > 3 && row.len() == rows[0].len();
    let count = rows.iter().take_while(|row| is_table(row)).count();
    let mut text = String::new();
    for row in &rows[..count] {
        let mut line = row[0].clone();
        for (column, cell) in row.iter().enumerate().skip(1) {
            let width = rows[..count].iter().map(|row| row[column].chars().count()).max().unwrap();
            write!(line, "{cell:width$}  ").unwrap();
        }
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    for line in output.lines().skip(count) {
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// Runs a page and compares the output, or writes the output into the page.
pub(super) fn check(path: &str) {
    let page = read(path);
    let lines: Vec<&str> = page.lines().collect();
    let mut wrong = String::new();
    let mut changes = Vec::new();
    let chapters = chapters(&page);
    assert!(!chapters.is_empty(), "{path} runs nothing");
    for Chapter { title, mut steps } in chapters {
        let has_jq = !steps.iter().any(|step| step.command.contains("jq ")) || require_tool("jq");
        steps.retain(|step| has_jq || !step.command.contains("jq "));
        let sandbox = Sandbox::new();
        for (name, fixture) in FIXTURES {
            if steps.iter().any(|step| step.command.split([' ', '=']).any(|word| word == *name)) {
                load(&sandbox, fixture, name);
            }
        }
        for (step, printed) in steps.iter().zip(run(&sandbox, &steps)) {
            let Step { line, command, shown } = step;
            let place = format!("{path}:{}, in \"{title}\"", line + 1);
            let Some(shown) = shown else {
                assert!(!printed.contains("[exit status: "), "{place}: $ {command}\n{printed}");
                continue;
            };
            let expected = lines[shown.clone()].join("\n");
            if narrow(&printed) != narrow(&expected) {
                write!(wrong, "{place}\n$ {command}\nprints\n{printed}and not\n{expected}\n\n").unwrap();
                changes.push((shown.clone(), aligned(&printed)));
            }
        }
    }
    if is_regenerating() {
        rewrite(path, &lines, &changes);
    } else {
        assert!(wrong.is_empty(), "{wrong}\nmake it again with: {REGENERATE}");
    }
}

/// Runs a chapter of a page on a server, and compares the output. Only the name of the database differs, and what is made.
pub fn check_on_server(path: &str, title: &str, url: &str) {
    const PLACE: &str = "[DATABASE]";
    let page = read(path);
    let lines: Vec<&str> = page.lines().collect();
    let chapter = chapters(&page).into_iter().find(|chapter| chapter.title == title);
    let mut steps = chapter.unwrap_or_else(|| panic!("{path} has no chapter {title}")).steps;
    steps.retain(|step| !step.command.contains("jq ") || require_tool("jq"));
    steps.insert(0, Step { line: 0, command: format!(r#"export AUTHCTL_DB="{url}""#), shown: None });
    let sandbox = Sandbox::new();
    for (step, printed) in steps.iter().zip(run(&sandbox, &steps)) {
        let Some(shown) = &step.shown else { continue };
        let expected = lines[shown.clone()].join("\n").replace("[HOME]/.local/share/authctl/auth.db", PLACE);
        let expected = expected.replace("created the database", "created authctl's tables in");
        assert_eq!(narrow(&printed.replace(url, PLACE)), narrow(&expected), "{path}: $ {}", step.command);
    }
}

/// Replaces the output in the page.
fn rewrite(path: &str, lines: &[&str], changes: &[(Range<usize>, String)]) {
    let mut text = String::new();
    let mut next = 0;
    for (shown, printed) in changes {
        for line in &lines[next..shown.start] {
            writeln!(text, "{line}").unwrap();
        }
        text.push_str(printed);
        next = shown.end;
    }
    for line in &lines[next..] {
        writeln!(text, "{line}").unwrap();
    }
    write(path, &text);
}
