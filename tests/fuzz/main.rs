//! Runs inputs through the parsers for a given time:
//!
//! ```text
//! cargo test --locked --test fuzz -- --seconds 7200 [--seed N] [--start N] [--target NAME]
//! ```
//!
//! The default is two seconds. A finding is printed with the command that reproduces it.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]
#![allow(unreachable_pub, reason = "a test is not imported")]

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use targets::{BYTES_MAX, Ground, TARGETS, Target};

/// The longest time that one input may take.
const INPUT_PATIENCE: Duration = Duration::from_mins(1);
/// The memory limit of the process.
const MEMORY_MAX: u64 = 2 << 30;

struct Asked {
    seconds: u64,
    seed: u64,
    start: u64,
    target: Option<String>,
}

fn asked() -> Asked {
    let words: Vec<String> = std::env::args().collect();
    let after = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    let number = |flag: &str| after(flag).map(|text| text.parse().unwrap_or_else(|_| panic!("{flag} takes a number")));
    Asked {
        seconds: number("--seconds").unwrap_or(2),
        seed: number("--seed").unwrap_or(1),
        start: number("--start").unwrap_or(0),
        target: after("--target").cloned(),
    }
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn main() -> ExitCode {
    let asked = asked();
    // Cargo passes arguments for its own harness, such as a test name, to every target.
    if std::env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_AS, MEMORY_MAX, MEMORY_MAX).unwrap();
    let ground = Ground::new(Path::new(env!("CARGO_BIN_EXE_authctl")));
    let chosen: Vec<(&Target, Vec<Vec<u8>>)> = TARGETS
        .iter()
        .filter(|target| asked.target.as_ref().is_none_or(|name| name == target.name))
        .map(|target| (target, corpus(target)))
        .collect();
    assert!(!chosen.is_empty(), "no such target");
    watch();
    let (begin, whole) = (Instant::now(), Duration::from_secs(asked.seconds));
    let (mut number, mut findings, mut next_report) = (asked.start, 0_u32, Duration::from_mins(5));
    println!("seed {}, from input {}, for {} seconds", asked.seed, asked.start, asked.seconds);
    // Targets take turns, so that all get the same number of inputs.
    while begin.elapsed() < whole && findings < 20 {
        for (target, corpus) in &chosen {
            let data = mutate::input(corpus, asked.seed, number, BYTES_MAX);
            CURRENT.store(number, Ordering::Relaxed);
            if catch_unwind(AssertUnwindSafe(|| (target.check)(&ground, &data))).is_err() {
                findings += 1;
                println!("FINDING in {}: --seed {} --start {number} --target {}", target.name, asked.seed, target.name);
                println!("  input: {}", data[..data.len().min(2000)].escape_ascii());
            }
        }
        number += 1;
        if begin.elapsed() > next_report {
            next_report += Duration::from_mins(5);
            println!(
                "{} s: {} inputs of each target, {findings} findings",
                begin.elapsed().as_secs(),
                number - asked.start
            );
        }
    }
    let rounds = number - asked.start;
    println!(
        "{} inputs ({rounds} of each of {} targets), {findings} findings",
        rounds * chosen.len() as u64,
        chosen.len()
    );
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The number of the current input.
static CURRENT: AtomicU64 = AtomicU64::new(0);

/// Ends the process when an input takes too long.
fn watch() {
    std::thread::spawn(|| {
        let mut last = (CURRENT.load(Ordering::Relaxed), Instant::now());
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let now = CURRENT.load(Ordering::Relaxed);
            if now != last.0 {
                last = (now, Instant::now());
            } else if last.1.elapsed() > INPUT_PATIENCE {
                println!("FINDING: input {now} takes longer than {} s", INPUT_PATIENCE.as_secs());
                std::process::abort();
            }
        }
    });
}
