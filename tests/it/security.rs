//! Checks that `tests/SECURITY.md` is complete and that the tests it names exist.

use std::collections::BTreeMap;
use std::process::Command;

use crate::architecture::source::{files, root};

/// The number of requirements in each section.
const SECTIONS: &[(char, usize)] = &[
    ('A', 7),
    ('B', 10),
    ('C', 16),
    ('D', 5),
    ('E', 5),
    ('F', 7),
    ('G', 8),
    ('H', 6),
    ('I', 6),
    ('J', 4),
    ('K', 4),
    ('L', 6),
    ('M', 6),
    ('N', 8),
    ('O', 3),
    ('P', 3),
    ('Q', 4),
];
const TOTAL: usize = 108;

struct Row {
    id: String,
    requirement: String,
    /// The names between backquotes in the last column.
    evidence: Vec<String>,
}

/// The rows of all tables.
fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("tests/SECURITY.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")).filter(|line| !line.starts_with("Id |"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_end_matches('|').split(" | ").collect();
        let [id, requirement, evidence] = cells[..] else { panic!("a row has three cells: {line}") };
        let evidence = evidence.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Row { id: id.to_owned(), requirement: requirement.to_owned(), evidence }
    })
    .collect()
}

/// The names of the tests in this binary.
fn integration_tests() -> Vec<String> {
    let list = Command::new(std::env::current_exe().unwrap()).args(["--list", "--format", "terse"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// Whether a file below `src/` declares the unit test.
fn is_unit_test(name: &str, sources: &BTreeMap<String, String>) -> bool {
    let mut modules: Vec<&str> = name.split("::").collect();
    let function = modules.pop().unwrap();
    while !modules.is_empty() {
        let path = modules.join("/");
        let places = [format!("src/{path}.rs"), format!("src/{path}/mod.rs")];
        if let Some(text) = places.iter().find_map(|place| sources.get(place)) {
            // A macro turns the functions of the contract into tests; all others have `#[test]`.
            let is_contract = name.starts_with("store::contract::");
            return text.match_indices(&format!("fn {function}(")).any(|(at, _)| {
                let before: Vec<&str> = text[..at].lines().rev().take(3).collect();
                is_contract || before.iter().any(|line| line.trim() == "#[test]" || line.contains("proptest"))
            }) || (!is_contract && text.contains("proptest!") && text.contains(&format!("fn {function}(")));
        }
        modules.pop();
    }
    false
}

#[test]
fn each_requirement_names_tests_that_exist() {
    let sources: BTreeMap<String, String> = files("src").into_iter().map(|file| (file.path, file.text)).collect();
    let integration = integration_tests();
    let mut offences = Vec::new();
    for row in rows() {
        let applies = !row.requirement.contains("**Does not apply**: ");
        if applies == row.evidence.is_empty() {
            offences.push(format!("{} needs the name of a test, or a reason why it does not apply", row.id));
        }
        for name in &row.evidence {
            let exists = if name.contains("::") {
                integration.contains(name) || is_unit_test(name, &sources)
            } else {
                root().join(name).is_file()
            };
            if !exists {
                offences.push(format!("{}: {name} does not exist", row.id));
            }
        }
    }
    assert!(offences.is_empty(), "tests/SECURITY.md:\n{}", offences.join("\n"));
}

#[test]
fn each_requirement_is_listed_once() {
    let mut numbers: BTreeMap<char, Vec<u32>> = BTreeMap::new();
    for row in rows() {
        let (section, number) = row.id.split_once('-').unwrap_or_else(|| panic!("{} is no id", row.id));
        numbers.entry(section.parse().unwrap()).or_default().push(number.parse().unwrap());
    }
    for (section, count) in SECTIONS {
        let found = &numbers[section];
        assert!(found.is_sorted_by(|one, next| one < next), "section {section} is out of order: {found:?}");
        assert_eq!(found.len(), *count, "section {section}");
    }
    assert_eq!(numbers.values().map(Vec::len).sum::<usize>(), TOTAL);
}
