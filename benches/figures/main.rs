//! Times commands beside their lower bound or a comparable program: `cargo bench --bench figures`, with ` -- 200`
//! for 200 rounds.
//!
//! It times whole processes, because a user waits for those. The runs are interleaved and their order is reversed
//! every round, so that changes in the speed of the machine affect all rows.

// A benchmark may print and panic, unlike the program.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod place;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use authctl::auth::password::{HashParams, work};
use authctl::auth::policy::PasswordRules;
use authctl::auth::secret::Password;
use place::{PASSWORD, Place};

const ROUNDS: usize = 60;
/// Makes the benchmark run another program and print its peak memory.
const PEAK: &str = "--peak";
/// Makes the benchmark compute one hash and exit. A process that has hashed before has warm memory, so its next
/// hash is much cheaper than one in a new process.
const HASH: &str = "--hash";

/// Commands of an operator on a large database.
const OPERATOR: &[(&str, &[&str])] = &[
    ("authctl users list", &["users", "list"]),
    ("authctl users list, from the middle on", &["users", "list", "--after", "user0000000000000000000000050000"]),
    ("authctl users list --search, one hit", &["users", "list", "--search", "user99999@"]),
    ("authctl users list --search, all hit", &["users", "list", "--search", "example.com"]),
    ("authctl users show", &["users", "show", "user50000@example.com"]),
    ("authctl users explain", &["users", "explain", "user50000@example.com"]),
    ("authctl audit list --user", &["audit", "list", "--user", "user50000@example.com"]),
    ("authctl audit verify", &["audit", "verify"]),
];

/// Runs once and returns the time.
type Run<'a> = Box<dyn Fn(usize) -> Duration + 'a>;

/// A line of the table.
struct Row<'a> {
    name: &'static str,
    /// The row to compare with.
    beside: Option<&'static str>,
    /// Runs once; the argument is the number of the round.
    run: Run<'a>,
    /// The program of the row, for its peak memory; `None` for work in this process.
    program: Option<Box<dyn Fn() -> Command + 'a>>,
    times: Vec<Duration>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == PEAK) {
        return println!("{}", peak_of_child(&words[1..]));
    }
    if words.first().is_some_and(|word| word == HASH) {
        let password = Password::from_bytes(PASSWORD.as_bytes()).unwrap();
        return work(&password, HashParams::Argon2id(PasswordRules::default().cost)).unwrap();
    }
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let place = Place::new();
    let mut rows = rows(&place);
    for round in 0..rounds {
        let mut order: Vec<&mut Row<'_>> = rows.iter_mut().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for row in order {
            place.forget_attempts();
            let time = (row.run)(round);
            row.times.push(time);
        }
    }
    print(&rows, rounds, &place);
}

fn rows(place: &Place) -> Vec<Row<'_>> {
    let mut rows = vec![process("true", None, 0, || Command::new("true"))];
    let mut whoami_peer = "true";
    if place::sqlite3_is_here() {
        whoami_peer = "sqlite3, the same row";
        rows.push(process(whoami_peer, Some("true"), 0, || place.sqlite3()));
    }
    rows.push(process("authctl --version", Some("true"), 0, || place.authctl(&["--version"])));
    rows.push(process("authctl whoami", Some(whoami_peer), 0, || place.authctl(&["whoami"])));
    rows.push(process("authctl sessions", Some(whoami_peer), 0, || place.authctl(&["sessions"])));
    let hash = "one argon2id hash, own process";
    rows.push(process(hash, Some("true"), 0, || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(HASH);
        command
    }));
    rows.push(here("4 KiB written and synced", || place.write_and_sync()));
    rows.push(process("authctl signin", Some(hash), 0, || place.sign_in("user1@example.com", "password")));
    rows.push(process("authctl signin, wrong password", Some(hash), 7, || {
        place.sign_in("user1@example.com", "wrong-password")
    }));
    rows.push(process("authctl signin, unknown user", Some(hash), 7, || {
        place.sign_in("nobody1@example.com", "wrong-password")
    }));
    rows.push(process("authctl signup", Some(hash), 0, || place.sign_up()));
    for (name, words) in OPERATOR {
        rows.push(process(name, Some(whoami_peer), 0, || place.authctl(words)));
    }
    rows
}

/// A row that runs a program, which must exit with this code.
fn process<'a>(
    name: &'static str,
    beside: Option<&'static str>,
    code: i32,
    command: impl Fn() -> Command + Clone + 'a,
) -> Row<'a> {
    let program = command.clone();
    let run = move |round| {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().unwrap();
        let time = start.elapsed();
        assert_eq!(status.code(), Some(code), "{name}, round {round}: {command:?}");
        time
    };
    Row { name, beside, run: Box::new(run), program: Some(Box::new(program)), times: Vec::new() }
}

/// A row about work in this process.
fn here<'a>(name: &'static str, work: impl Fn() + 'a) -> Row<'a> {
    let run = move |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    Row { name, beside: None, run: Box::new(run), program: None, times: Vec::new() }
}

/// Runs a program and returns its peak memory in KiB. The system reports the maximum of all children, so this
/// small process starts no other.
fn peak_of_child(words: &[String]) -> i64 {
    use nix::sys::resource::{UsageWho, getrusage};
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    // macOS counts bytes.
    if cfg!(target_os = "macos") { peak / 1024 } else { peak }
}

fn peak(command: &Command) -> String {
    let mut measured = Command::new(std::env::current_exe().unwrap());
    measured.arg(PEAK).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            measured.env(name, value);
        }
    }
    let output = measured.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The time at this quantile, in milliseconds.
fn quantile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    milliseconds(sorted[(sorted.len() - 1) * percent / 100])
}

fn print(rows: &[Row<'_>], rounds: usize, place: &Place) {
    let median = |name: &str| rows.iter().find(|row| row.name == name).map(|row| quantile(&row.times, 50));
    println!(
        "\n{rounds} interleaved rounds, {} users, {} audit entries, in {}; times in ms\n",
        place::USERS,
        place::ENTRIES,
        place.file_system()
    );
    println!("| what | median | p10 | p90 | beside | over it | peak KiB |\n|---|---:|---:|---:|---|---:|---:|");
    for row in rows {
        let middle = quantile(&row.times, 50);
        let over = row.beside.and_then(median).map(|floor| format!("{:+.2} (x{:.2})", middle - floor, middle / floor));
        place.forget_attempts();
        println!(
            "| {} | {middle:.2} | {:.2} | {:.2} | {} | {} | {} |",
            row.name,
            quantile(&row.times, 10),
            quantile(&row.times, 90),
            row.beside.unwrap_or("-"),
            over.as_deref().unwrap_or("-"),
            row.program.as_ref().map_or("-".to_owned(), |program| peak(&program())),
        );
    }
    let [wrong, unknown] = ["authctl signin, wrong password", "authctl signin, unknown user"].map(|name| {
        let row = rows.iter().find(|row| row.name == name).unwrap();
        (quantile(&row.times, 50), quantile(&row.times, 90) - quantile(&row.times, 10))
    });
    println!(
        "\nwrong password less unknown user: {:+.2} ms, where one of them spreads over {:.2} ms (p10 to p90)",
        wrong.0 - unknown.0,
        wrong.1.max(unknown.1)
    );
    if !place::sqlite3_is_here() {
        println!("missing peer: sqlite3 is not on this machine; whoami stands beside true");
    }
    std::io::stdout().flush().unwrap();
}
