//! Checks README and `docs/` against the program: runs their `console` blocks and the quick start, and compares
//! the parts that repeat text of the program.

mod console;
mod parts;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Once;

use predicates::Predicate as _;
use predicates::str::contains;

pub use console::{check_on_server, shell};

use crate::architecture::source::files;
use crate::generated::{REGENERATE, is_regenerating};
use crate::machine::tree;
use crate::sandbox::Sandbox;
use console::{aligned, portable};
use parts::parts;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// The pages with console blocks. Each has its own test.
const RUN: &[&str] = &[
    "README.md",
    "docs/administration.md",
    "docs/better-auth.md",
    "docs/guide.md",
    "docs/scripting.md",
    "docs/security.md",
];

/// The maximum number of lines in README. Details belong in `docs/`.
const README_LINES_MAX: usize = 220;

fn read(path: &str) -> String {
    static PARTS: Once = Once::new();
    PARTS.call_once(|| {
        if is_regenerating() {
            for part in parts() {
                let mut page = read_file(part.page);
                page.replace_range(part.place(&page), &part.text);
                write(part.page, &page);
            }
        }
    });
    read_file(path)
}

fn read_file(path: &str) -> String {
    std::fs::read_to_string(Path::new(PROJECT).join(path)).unwrap()
}

/// Replaces a page atomically, because other tests read it concurrently.
fn write(path: &str, text: &str) {
    let path = Path::new(PROJECT).join(path);
    let beside = path.with_extension("md.new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// README and every page below `docs/`.
fn pages() -> Vec<String> {
    let entries = std::fs::read_dir(Path::new(PROJECT).join("docs")).unwrap();
    let names = entries.map(|entry| format!("docs/{}", entry.unwrap().file_name().into_string().unwrap()));
    let is_page = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "md");
    let mut pages: Vec<String> = names.filter(is_page).collect();
    pages.push("README.md".to_owned());
    pages.sort();
    pages
}

/// The contents of fenced blocks with this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = None;
    for line in page.lines() {
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

#[test]
fn generated_output_in_readme_matches() {
    console::check("README.md");
}

#[test]
fn generated_output_in_administration_matches() {
    console::check("docs/administration.md");
}

#[test]
fn generated_output_in_better_auth_matches() {
    console::check("docs/better-auth.md");
}

#[test]
fn generated_output_in_guide_matches() {
    console::check("docs/guide.md");
}

#[test]
fn generated_output_in_scripting_matches() {
    console::check("docs/scripting.md");
}

#[test]
fn generated_output_in_security_matches() {
    console::check("docs/security.md");
}

#[test]
fn every_page_with_console_blocks_is_run() {
    let with_blocks: Vec<String> =
        pages().into_iter().filter(|path| !blocks(&read(path), "console").is_empty()).collect();
    assert_eq!(with_blocks, RUN);
}

#[test]
fn readme_stays_short() {
    let count = read("README.md").lines().count();
    assert!(count <= README_LINES_MAX, "README.md has {count} lines, more than {README_LINES_MAX}");
}

/// The most lines that the quick start prints.
const QUICK_START_LINES_MAX: usize = 10;

/// Runs the quick start and returns what it prints after the build.
fn quick_start() -> String {
    let start = blocks(&read_file("README.md"), "sh").remove(0);
    assert_eq!(start.lines().count(), 1, "one line to paste: {start}");
    assert!(contains("cargo build --profile trial --locked").eval(&start), "{start}");
    // The test skips only the build: arguments after `--` go to the program under test.
    let cargo = r#"cargo() { [ "$1" = build ] || { while [ "$1" != -- ]; do shift; done; shift; authctl "$@"; }; }"#;
    // The scratch directory has a name that is the same in every run.
    let mktemp = r#"mktemp() { mkdir "$HOME/scratch" && echo "$HOME/scratch"; }"#;
    let sandbox = Sandbox::new();
    let before = tree(sandbox.home());
    let printed = sandbox.finish(&mut shell(&sandbox, &format!("exec 2>&1\n{cargo}\n{mktemp}\n{start}"))).to_string();
    before.assert_same(&tree(sandbox.home()));
    let printed = portable(&printed.replace("[HOME]/scratch", "/tmp/[DIRECTORY]"));
    // The last line about the session, before the list.
    let facts = printed.find("\ndatabase").and_then(|at| Some(at + 2 + printed[at + 1..].find('\n')?)).unwrap_or(0);
    let (facts, list) = printed.split_at(facts);
    facts.to_owned() + &aligned(list)
}

#[test]
fn quick_start_shows_who_is_signed_in_in_ten_lines() {
    let printed = quick_start();
    for pattern in ["name        You", "role        user", "*  [ID]  [TIME]"] {
        assert!(contains(pattern).eval(&printed), "{pattern} in\n{printed}");
    }
    assert!(!contains("exit status").eval(&printed), "{printed}");
    assert!(printed.lines().count() <= QUICK_START_LINES_MAX, "{printed}");
}

#[test]
fn generated_parts_of_pages_match() {
    for part in parts() {
        let page = read(part.page);
        let found = &page[part.place(&page)];
        assert!(
            found == part.text,
            "{}, {}, says\n{found}\nand the program\n{}\nmake it again with: {REGENERATE}",
            part.page,
            part.name,
            part.text
        );
    }
}

/// Words of lines with flags of other programs.
const OTHERS: &[&str] = &["cargo ", "pglite"];

#[test]
fn pages_name_no_flag_that_does_not_exist() {
    fn flags_of(command: &clap::Command, flags: &mut Vec<String>) {
        flags
            .extend(command.get_arguments().filter_map(|argument| argument.get_long().map(|long| format!("--{long}"))));
        command.get_subcommands().for_each(|inner| flags_of(inner, flags));
    }
    let mut root = authctl::cli::command();
    root.build();
    // The example of a usage error has the only unknown flag.
    let mut known = vec!["--password".to_owned()];
    flags_of(&root, &mut known);
    let mut offences = Vec::new();
    for path in pages() {
        for line in read(&path).lines().filter(|line| OTHERS.iter().all(|other| !line.contains(other))) {
            for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
                let is_flag =
                    word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
                if is_flag && !known.iter().any(|flag| flag == word) {
                    offences.push(format!("{path}: {word} in {line}"));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// The words of a command, up to what the shell does with its output.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    let end = words.iter().position(|word| ["|", ">", "&&", "#", "<"].contains(&word.as_str()));
    words.truncate(end.unwrap_or(words.len()));
    words
}

#[test]
fn commands_in_blocks_that_are_not_run_can_be_parsed() {
    let mut offences = Vec::new();
    // The page of all commands has their usage.
    for path in pages().into_iter().filter(|path| path != "docs/commands.md") {
        let page = read(&path);
        let lines = ["text", "sh"].map(|language| blocks(&page, language)).concat().join("\n");
        for line in lines.lines().filter(|line| line.starts_with("authctl ") && !line.contains("$(")) {
            if let Err(error) = authctl::cli::command().try_get_matches_from(words(line))
                && error.use_stderr()
            {
                offences.push(format!("{path}: {line}: {error}"));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// The anchor of a heading on GitHub.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut offences = Vec::new();
    for path in pages() {
        let page = read(&path);
        for link in page.split("](").skip(1).map(|after| after.split(')').next().unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = match file {
                "" => Path::new(PROJECT).join(&path),
                file => Path::new(PROJECT).join(&path).parent().unwrap().join(file),
            };
            let exists = target.exists()
                && heading.is_none_or(|heading| {
                    let text = std::fs::read_to_string(&target).unwrap();
                    text.lines()
                        .filter(|line| line.starts_with('#'))
                        .any(|line| anchor(line.trim_start_matches('#').trim()) == heading)
                });
            if !exists {
                offences.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(offences.is_empty(), "links that lead nowhere:\n{}", offences.join("\n"));
}

#[test]
fn messages_name_pages_and_chapters_that_exist() {
    let mut found = 0;
    for source in files("src") {
        for (at, _) in source.text.match_indices("docs/") {
            let (before, name) = source.text.split_at(at);
            let name = name.split(|c: char| !(c.is_alphanumeric() || "/-.".contains(c))).next().unwrap();
            let page = read(name.trim_end_matches('.'));
            if let Some(quoted) = before.strip_suffix("\\\" in ") {
                let chapter = quoted.rsplit("\\\"").next().unwrap();
                assert!(page.contains(&format!("\n## {chapter}\n")), "{name} has no chapter {chapter:?}");
                found += 1;
            }
        }
    }
    assert!(found > 0, "no message names a chapter");
}

#[test]
fn ci_runs_the_tests_as_readme_says() {
    let test = blocks(&read("README.md"), "sh").remove(1);
    assert!(test.starts_with("cargo test "), "{test}");
    assert!(read(".ci/run").lines().any(|line| line.trim() == format!("run {}", test.trim())), "{test}");
}
