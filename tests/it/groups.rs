//! The headings of the first help page.

use authctl::cli::{self, GROUPS};

use crate::sandbox::Sandbox;

#[test]
fn every_command_stands_under_one_heading() {
    let command = cli::command();
    let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let mut known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    grouped.sort_unstable();
    known.sort_unstable();
    assert_eq!(grouped, known);
}

#[test]
fn first_page_has_each_heading_and_command_once() {
    let page = Sandbox::new().run("--help").success();
    let (listing, _) = page.split_once("\nOptions:\n").unwrap();
    for (heading, names) in GROUPS {
        assert_eq!(listing.matches(&format!("\n{heading}:\n")).count(), 1, "{page}");
        for name in *names {
            assert_eq!(listing.matches(&format!("\n  {name} ")).count(), 1, "{name}:\n{page}");
        }
    }
    assert!(!page.contains("Commands:"), "{page}");
    assert!(listing.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn the_page_of_a_command_tells_its_other_names() {
    let page = Sandbox::new().run("signin --help").success();
    assert!(page.trim_end().ends_with("Other names: sign-in, login"), "{page}");
}
