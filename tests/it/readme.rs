//! The manual does what it says. Its `console` blocks are run in order in one home, its quick start is
//! run, and what it repeats from the program is compared with the program.

mod parts;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use predicates::Predicate as _;
use predicates::str::contains;

use crate::app::load;
use crate::machine::require_tool;
use crate::sandbox::{Sandbox, program};
use parts::{parts, place};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(PROJECT).join(name)).unwrap()
}

/// The contents of the fenced blocks in this language.
fn blocks(manual: &str, language: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = None;
    for line in manual.lines() {
        match (inside, line.strip_prefix("```")) {
            (None, Some(tag)) => {
                inside = Some(tag == language);
                found.extend((tag == language).then(String::new));
            }
            (Some(_), Some(_)) => inside = None,
            (Some(true), None) => writeln!(found.last_mut().unwrap(), "{line}").unwrap(),
            _ => {}
        }
    }
    assert!(inside.is_none(), "a block is not closed");
    found
}

/// A command of a console block and what it is said to print.
struct Step {
    command: String,
    expected: String,
}

fn steps(manual: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks(manual, "console").concat().lines() {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command: command.to_owned(), expected: String::new() }),
            None => writeln!(steps.last_mut().expect("a block begins with `$ `").expected, "{line}").unwrap(),
        }
    }
    steps
}

/// A line for the shell, with the program on its PATH and both streams in one, as on a terminal.
fn shell(sandbox: &Sandbox, line: &str) -> Command {
    let mut command = Command::new("sh");
    let inherited = std::env::var("PATH").unwrap();
    let path = format!("{}:{inherited}", program().parent().unwrap().display());
    command.args(["-c", &format!("exec 2>&1\n{line}")]).current_dir(sandbox.home());
    command.env_clear().env("HOME", sandbox.home()).env("PATH", path).stdin(std::process::Stdio::null());
    command
}

/// What a command printed, as the manual prints it: without what differs from one machine to the
/// next, and without the widths of columns, which depend on that.
fn printed(sandbox: &Sandbox, line: &str) -> String {
    let ran = sandbox.finish(&mut shell(sandbox, line)).to_string();
    let version = format!("authctl/{} (", env!("CARGO_PKG_VERSION"));
    let mut text = String::new();
    for line in ran.lines() {
        let line = match line.split_once(&version) {
            Some((before, after)) => {
                let (_, rest) = after.split_once(')').unwrap();
                format!("{before}authctl/[VERSION] ([USER]@[HOST]; no terminal){rest}")
            }
            None => line.to_owned(),
        };
        writeln!(text, "{line}").unwrap();
    }
    narrow_all(&text)
}

/// Makes one space of several inside each line; indentation stays.
fn narrow_all(text: &str) -> String {
    let mut narrowed = String::new();
    for line in text.lines() {
        writeln!(narrowed, "{}", narrow(line)).unwrap();
    }
    narrowed
}

fn narrow(line: &str) -> String {
    let text = line.trim_start();
    let indentation = &line[..line.len() - text.len()];
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("{indentation}{}", words.join(" ")).trim_end().to_owned()
}

#[test]
fn the_console_blocks_of_the_manual_print_what_they_say() {
    let sandbox = Sandbox::new();
    load(&sandbox, "kysely", "app.db");
    let steps = steps(&read("README.md"));
    assert!(steps.len() > 10, "a tour has more than {} steps", steps.len());
    let mut wrong = String::new();
    for Step { command, expected } in steps {
        if command.contains("jq ") && !require_tool("jq") {
            continue;
        }
        let expected = narrow_all(&expected);
        let actual = printed(&sandbox, &command);
        if actual != expected {
            writeln!(wrong, "$ {command}\nprints\n{actual}and not\n{expected}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_quick_start_runs_and_shows_who_is_signed_in() {
    let manual = read("README.md");
    let start = blocks(&manual, "sh").remove(0);
    assert_eq!(start.lines().count(), 1, "one line to paste: {start}");
    assert!(contains("cargo build --release --locked").eval(&start), "{start}");
    // The build is the only thing left out: everything after `--` goes to the program under test.
    let cargo = r#"cargo() { [ "$1" = build ] || { while [ "$1" != -- ]; do shift; done; shift; authctl "$@"; }; }"#;
    let sandbox = Sandbox::new();
    let actual = printed(&sandbox, &format!("{cargo}\n{start}"));
    for line in ["created the account of You <you@example.com>", "name You", "role user", "* [ID]"] {
        assert!(contains(line).eval(&actual), "{line} in\n{actual}");
    }
    assert!(!contains("exit status").eval(&actual), "{actual}");
    assert!(!sandbox.database().exists(), "the quick start leaves the home alone");
}

#[test]
fn generated_parts_of_the_manual_are_what_the_program_says() {
    let mut manual = read("README.md");
    if std::env::var_os("AUTHCTL_REGENERATE").is_some() {
        for (name, text) in parts() {
            manual.replace_range(place(&manual, name), &text);
        }
        std::fs::write(Path::new(PROJECT).join("README.md"), &manual).unwrap();
    }
    for (name, text) in parts() {
        let found = &manual[place(&manual, name)];
        assert!(
            found == text,
            "README.md, {name}, says\n{found}\nand the program\n{text}\n\
             make it again with: AUTHCTL_REGENERATE=1 cargo test --test it generated"
        );
    }
}

#[test]
fn the_manual_names_no_flag_that_does_not_exist() {
    fn flags_of(command: &clap::Command, flags: &mut Vec<String>) {
        flags
            .extend(command.get_arguments().filter_map(|argument| argument.get_long().map(|long| format!("--{long}"))));
        command.get_subcommands().for_each(|inner| flags_of(inner, flags));
    }
    let mut root = authctl::cli::command();
    root.build();
    let mut known = Vec::new();
    flags_of(&root, &mut known);
    let manual = read("README.md");
    for line in manual.lines().filter(|line| line.contains("authctl ") && !line.contains("cargo")) {
        // A demonstration of a mistake names the flag that is none.
        for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            let is_flag =
                word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
            assert!(!is_flag || word == "--password" || known.iter().any(|flag| flag == word), "{word} in {line}");
        }
    }
}

#[test]
fn ci_runs_the_tests_as_the_manual_says() {
    let test = blocks(&read("README.md"), "sh").remove(1);
    assert!(test.starts_with("cargo test "), "{test}");
    assert!(read(".ci/run").lines().any(|line| line.trim() == format!("run {}", test.trim())), "{test}");
}
