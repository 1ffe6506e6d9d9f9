//! The form of source files: their length and names, no unfinished work, and each part of a build.

use super::assert_none;
use super::source::{Source, files};

/// The maximum number of lines in a file below `src/`.
const LINES_MAX: usize = 600;

/// File names that do not describe the content.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "service", "misc"];

/// Marks of unfinished work, split so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    concat!("#[ig", "nore"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("dbg", "!("),
];

fn name(source: &Source) -> &str {
    source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs").rsplit('/').next().unwrap()
}

#[test]
fn source_files_are_short() {
    let mut offences = Vec::new();
    for source in files("src") {
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            offences.push(format!("{} has {lines} lines, more than {LINES_MAX}: split it by idea", source.path));
        }
    }
    assert_none(&offences);
}

#[test]
fn every_module_is_named_for_an_idea() {
    let offences: Vec<String> = files("src")
        .iter()
        .filter(|source| {
            let name = name(source);
            EMPTY_NAMES.contains(&name) || name.split('_').any(|word| EMPTY_NAMES.contains(&word))
        })
        .map(|source| format!("{} has a name that says nothing: what is the idea in it?", source.path))
        .collect();
    assert_none(&offences);
}

#[test]
fn source_has_no_marks_of_unfinished_work() {
    let mut offences = Vec::new();
    for source in ["src", "tests", "benches", "vendor"].into_iter().flat_map(files) {
        for (number, line) in source.text.lines().enumerate() {
            for mark in UNFINISHED.iter().filter(|mark| line.contains(*mark)) {
                offences.push(format!("{}:{} has {mark}: finish it or leave it out", source.path, number + 1));
            }
        }
    }
    assert_none(&offences);
}

#[test]
fn every_file_is_part_of_a_build() {
    let mut offences = Vec::new();
    let sources: Vec<Source> = files("src").into_iter().chain(files("tests")).collect();
    for source in &sources {
        if ["src/lib.rs", "src/main.rs", "tests/it/main.rs", "tests/fuzz/main.rs"].contains(&source.path.as_str()) {
            continue;
        }
        let stem = source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
        let (folder, name) = stem.rsplit_once('/').unwrap();
        let parents = [
            format!("{folder}.rs"),
            format!("{folder}/mod.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
        ];
        let declaration = format!("mod {name};");
        let declared = sources
            .iter()
            .filter(|parent| parents.contains(&parent.path))
            .any(|parent| parent.code.lines().any(|line| line.trim_start().ends_with(&declaration)));
        if !declared {
            offences.push(format!("{} is not compiled: its parent lacks `{declaration}`", source.path));
        }
    }
    assert_none(&offences);
}
