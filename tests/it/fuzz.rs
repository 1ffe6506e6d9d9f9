//! Runs the parsers on hostile inputs: the corpus, mutations of it, and any bytes. `tests/fuzz/` states what
//! must hold, and runs for any length of time.

#[path = "../fuzz/mutate.rs"]
pub mod mutate;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::collections::BTreeSet;

use proptest::prelude::*;
use targets::{BYTES_MAX, Ground, TARGETS, Target};

use crate::architecture::source::root;
use crate::sandbox::program;

/// The number of mutations for each target. `--test fuzz` runs more.
const MUTATIONS: u64 = 300;

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests/corpus").join(target.name))
        .unwrap_or_else(|error| panic!("tests/corpus/{}: {error}", target.name))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn corpus_holds_every_property() {
    let ground = Ground::new(program());
    for target in TARGETS {
        let corpus = corpus(target);
        assert!(corpus.len() >= 5, "{} has a corpus", target.name);
        for data in &corpus {
            (target.check)(&ground, data);
        }
    }
    let folders = std::fs::read_dir(root().join("tests/corpus")).unwrap();
    let folders: BTreeSet<String> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.to_owned()).collect(), "a folder for each target");
}

#[test]
fn mutated_corpus_holds_every_property() {
    let ground = Ground::new(program());
    for target in TARGETS {
        let corpus = corpus(target);
        for number in 0..MUTATIONS {
            let data = mutate::input(&corpus, 8, number, BYTES_MAX);
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (target.check)(&ground, &data)));
            assert!(caught.is_ok(), "{} of input {number}: {}", target.name, data.escape_ascii());
        }
    }
}

#[test]
fn any_bytes_hold_every_property() {
    let ground = Ground::new(program());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let any = prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)];
    runner
        .run(&(0..TARGETS.len(), any), |(target, data)| {
            (TARGETS[target].check)(&ground, &data);
            Ok(())
        })
        .unwrap();
}
