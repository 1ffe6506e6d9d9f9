//! Checks that the completions, the man pages, `docs/commands.md`, `docs/screens.md` and `docs/terminal.svg` match the
//! program.
//! They are checked in so that packagers need no build step.
//!
//! After a change of the command line or of a message:
//! `AUTHCTL_REGENERATE=1 cargo test --test it generated`.

mod commands;
mod pages;
mod picture;
mod screens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use authctl::cli::topics;
use authctl::error::ExitCode;
use clap::ValueEnum as _;
use clap_complete::Shell;
use predicates::str::is_empty;

use crate::machine::require_tool;
use crate::sandbox::Sandbox;
use pages::{chapters, completion_file, generated};

/// Regenerates all generated files and the generated parts of README and docs.
pub const REGENERATE: &str = "AUTHCTL_REGENERATE=1 cargo test --test it generated";
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// Whether generated files are written instead of compared.
pub fn is_regenerating() -> bool {
    std::env::var_os("AUTHCTL_REGENERATE").is_some()
}

/// The root of the project, with its generated files rewritten first when that was requested.
fn project() -> &'static Path {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        if is_regenerating() {
            regenerate(&generated());
        }
    });
    Path::new(PROJECT)
}

/// The files of `completions/` and `man/` by path.
fn checked_in() -> BTreeSet<PathBuf> {
    let files = |directory: &str| {
        let entries = std::fs::read_dir(Path::new(PROJECT).join(directory)).into_iter().flatten();
        entries.map(|entry| Path::new(directory).join(entry.unwrap().file_name())).collect::<Vec<_>>()
    };
    [files("completions"), files("man")].concat().into_iter().collect()
}

/// Writes the generated files and removes all others.
fn regenerate(files: &BTreeMap<PathBuf, String>) {
    for stray in checked_in().iter().filter(|path| !files.contains_key(*path)) {
        std::fs::remove_file(Path::new(PROJECT).join(stray)).unwrap();
    }
    for (path, content) in files {
        let path = Path::new(PROJECT).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

#[test]
fn generated_files_are_those_of_the_program() {
    let (project, files, present) = (project(), generated(), checked_in());
    let mut wrong = Vec::new();
    for (path, content) in &files {
        match std::fs::read_to_string(project.join(path)) {
            Ok(found) if found == *content => {}
            Ok(_) => wrong.push(format!("{} is out of date", path.display())),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    for stray in present.iter().filter(|path| !files.contains_key(*path)) {
        wrong.push(format!("{} is there and nothing generates it", stray.display()));
    }
    assert!(wrong.is_empty(), "{}\n\nmake them again with: {REGENERATE}", wrong.join("\n"));
}

#[test]
fn generated_picture_matches_the_program() {
    let path = Path::new(PROJECT).join("docs/terminal.svg");
    let picture = picture::picture();
    if is_regenerating() {
        std::fs::write(&path, &picture).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let differs = picture.lines().zip(found.lines()).find(|(made, found)| made != found);
    assert!(found == picture, "docs/terminal.svg is out of date: {differs:?}\nmake it again with: {REGENERATE}");
}

#[test]
fn generated_screens_match_the_program() {
    let path = Path::new(PROJECT).join("docs/screens.md");
    let screens = screens::page();
    if is_regenerating() {
        std::fs::write(&path, &screens).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let differs = screens.lines().zip(found.lines()).find(|(made, found)| made != found);
    assert!(found == screens, "docs/screens.md is out of date: {differs:?}\nmake it again with: {REGENERATE}");
}

#[test]
fn every_command_has_a_page_and_every_shell_a_script() {
    let files = generated();
    for name in ["man/authctl.1", "man/authctl-signin.1", "man/authctl-sessions.1", "completions/_authctl"] {
        assert!(files.contains_key(Path::new(name)), "{name} in {:?}", files.keys());
    }
    for variant in Shell::value_variants() {
        assert!(files[&completion_file(*variant)].contains("authctl"), "{variant}");
    }
}

#[test]
fn the_program_prints_the_completions_that_are_checked_in() {
    let sandbox = Sandbox::new();
    for shell in Shell::value_variants() {
        let script = std::fs::read_to_string(project().join(completion_file(*shell))).unwrap();
        let mut command = assert_cmd::Command::from_std(sandbox.command(["completions", &shell.to_string()]));
        let ran = command.assert().success().stderr(is_empty());
        // Compared here, because a failure that prints a whole script does not help.
        assert!(ran.get_output().stdout == script.as_bytes(), "{shell} differs");
    }
}

/// Runs a program that may not be installed.
pub fn on_this_machine(command: &mut Command) -> Option<std::process::Output> {
    require_tool(command.get_program().to_str().unwrap()).then(|| command.output().unwrap())
}

#[test]
fn installed_shells_accept_their_scripts() {
    for (program, flag, shell) in
        [("bash", "-n", Shell::Bash), ("zsh", "-n", Shell::Zsh), ("fish", "--no-execute", Shell::Fish)]
    {
        let script = project().join(completion_file(shell));
        if let Some(output) = on_this_machine(Command::new(program).arg(flag).arg(script)) {
            assert!(output.status.success() && output.stderr.is_empty(), "{program}: {output:?}");
        }
    }
}

/// The part of a page below a heading.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let start = page.find(&format!("\n.SH {title}\n")).map(|at| at + 1);
    let part = start.map_or("", |start| &page[start..]);
    part.find("\n.SH ").map_or(part, |end| &part[..end])
}

#[test]
fn each_command_has_one_page_with_all_its_synopses() {
    let files = generated();
    let pages = files.keys().filter(|path| path.starts_with("man")).count();
    let mut root = authctl::cli::command();
    root.build();
    assert_eq!(pages, root.get_subcommands().filter(|command| !command.is_hide_set()).count() + 1);
    let synopsis = section(&files[Path::new("man/authctl-db.1")], "SYNOPSIS");
    for line in [
        r"\fBauthctl db backup\fR [\fB\-\-keep\fR \fICOUNT\fR] \fIFILE\fR",
        r"\fBauthctl db copy\fR [\fB\-\-dry\-run\fR] \fIFROM\fR \fITO\fR",
    ] {
        assert!(synopsis.contains(line), "{line} in\n{synopsis}");
    }
}

#[test]
fn no_argument_stands_under_options() {
    for (path, page) in generated().iter().filter(|(path, _)| path.starts_with("man")) {
        for entry in section(page, "OPTIONS").split("\n.TP\n").skip(1) {
            assert!(entry.starts_with(r"\fB\-"), "{}: {entry}", path.display());
        }
    }
    let files = generated();
    assert!(section(&files[Path::new("man/authctl-import.1")], "ARGUMENTS").contains("FILE"));
}

#[test]
fn groff_reports_no_errors_in_man_pages() {
    for path in generated().keys().filter(|path| path.starts_with("man")) {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-ww", "-z", "-Tutf8"]).arg(project().join(path));
        let Some(output) = on_this_machine(&mut groff) else { return };
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{}: {complaints}", path.display());
    }
}

#[test]
fn the_first_page_lists_every_exit_code_variable_and_file() {
    let page = chapters().render();
    for (code, meaning) in ExitCode::TABLE {
        let number = code.number();
        assert!(page.contains(&format!("\\fB{number}\\fR\n")), "{number} {meaning} in\n{page}");
    }
    for (name, _) in topics::ENVIRONMENT.iter().chain(topics::FILES) {
        let name = name.replace('-', "\\-");
        assert!(page.contains(&format!("\\fB{name}\\fR\n")), "{name} in\n{page}");
    }
}
