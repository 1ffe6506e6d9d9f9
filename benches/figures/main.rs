//! Measures commands beside their lower bound or a comparable program: `cargo bench --bench figures`.
//!
//! After ` -- `: a number is the number of rounds, `--million` adds the table of database sizes up to a million users,
//! `--json` prints one JSON document instead of tables. `--server ADDRESS` measures the sizes on a PostgreSQL server instead,
//! in schemas that it makes and drops. `--sign-ins` measures sign-ins a second, in a file or on that server, and `--whoami` the
//! look-up of a session on that server.
//!
//! It runs whole processes, because a user waits for those. The figure of a run is the processor time of the process,
//! user and system, which other work on the machine changes least. The runs are interleaved and their order is
//! reversed every round, so that changes in the speed of the machine affect all rows.

// A benchmark may print and panic, unlike the program.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod place;
mod sign_ins;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use authctl::auth::password::{HashParams, work};
use authctl::auth::policy::PasswordRules;
use authctl::auth::secret::Password;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use place::{PASSWORD, Place};
use serde_json::{Value, json};

const ROUNDS: usize = 60;
/// Rounds of the table of sizes, in which some commands take seconds.
const ROUNDS_OF_SIZES: usize = 5;
/// Users of the database of the first table.
const USERS: usize = 100_000;
/// Users of the database in which a session is looked up on a server.
const USERS_OF_LOOK_UP: usize = 1_000;
/// Users of the databases of the second table.
const SIZES: [usize; 4] = [1, 1_000, 100_000, 1_000_000];
/// Makes the benchmark run another program and print its peak memory.
const PEAK: &str = "--peak";
/// Makes the benchmark compute one hash and exit. A process that has hashed before has warm memory, so its next
/// hash is much cheaper than one in a new process.
const HASH: &str = "--hash";

const TRUE: &str = "true";
const SQLITE3: &str = "sqlite3, the same row";
const PSQL: &str = "psql -XAtc, the same row";
const COPY: &str = "db copy";
const OWN_HASH: &str = "one argon2id hash, own process";
const PYTHON: &str = "python3 with libsodium loaded";
const SODIUM: &str = "python3, one hash of libsodium";
const SIGNIN: &str = "authctl signin";
const WRONG: &str = "authctl signin, wrong password";
const UNKNOWN: &str = "authctl signin, unknown user";
const SIGNUP: &str = "authctl signup";

/// Commands of an operator. `ONE` stands for the address of the user in the middle, `LAST` for a search that
/// finds the last one, `MIDDLE` for the id of the user in the middle.
const OPERATOR: &[&str] = &[
    "users list",
    "users list --after MIDDLE",
    "users list --search LAST",
    "users list --search example.com",
    "users list --banned",
    "users list --role admin",
    "users show ONE",
    "users explain ONE",
    "sessions list --user ONE",
    "audit tail",
    "audit list --user ONE",
    "audit list --limit 50",
    "db status",
];
/// Commands that read every row. They belong to the table of sizes.
const WHOLE: &[&str] = &[
    "users list --count --limit 1",
    "users list --json --limit 1000",
    "sessions list --all-users --json",
    "audit list --json",
    "stats",
    "audit verify",
    "db check",
    "doctor",
];

/// What one run needed.
#[derive(Clone, Copy)]
struct Cost {
    processor: Duration,
    elapsed: Duration,
}

/// A line of a table.
struct Row<'a> {
    name: String,
    /// The row to compare with.
    beside: Option<&'static str>,
    /// The exit code of the program.
    code: i32,
    program: Box<dyn Fn() -> Command + 'a>,
    costs: Vec<Cost>,
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
    let is_given = |flag: &str| words.iter().any(|word| word == flag);
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let server = words.iter().zip(words.iter().skip(1)).find(|(flag, _)| *flag == "--server");
    let server = server.map(|(_, address)| address.as_str());
    if is_given("--sign-ins") {
        return sign_ins::print(server, own_hash);
    }
    if let Some(address) = server.filter(|_| is_given("--whoami")) {
        return print_look_up(address, rounds);
    }
    if let Some(address) = server {
        return print_server(&on_server(address, rounds));
    }
    let place = Place::new(USERS);
    let mut rows = rows(&place);
    measure(&mut rows, rounds, &place);
    let sizes = if is_given("--million") { sizes() } else { Vec::new() };
    if is_given("--json") {
        let first: Vec<Value> = rows.iter().map(|row| row.json(&rows, &place)).collect();
        println!("{:#}", json!({"rounds": rounds, "users": USERS, "rows": first, "sizes": sizes}));
    } else {
        print(&rows, rounds, &place);
        print_sizes(&sizes);
    }
    std::io::stdout().flush().unwrap();
}

fn rows(place: &Place) -> Vec<Row<'_>> {
    let mut rows = vec![row(TRUE, None, || Command::new("true"))];
    let mut peer = TRUE;
    if place::sqlite3_is_here() {
        peer = SQLITE3;
        rows.push(row(SQLITE3, Some(TRUE), || place.sqlite3()));
    }
    rows.push(row("authctl --version", Some(TRUE), || place.authctl(&["--version"])));
    rows.push(row("authctl whoami", Some(peer), || place.authctl(&["whoami"])));
    rows.push(row("authctl sessions", Some(peer), || place.authctl(&["sessions"])));
    if place::libsodium_is_here() {
        rows.push(row(PYTHON, None, || place::libsodium(false)));
        rows.push(row(SODIUM, Some(PYTHON), || place::libsodium(true)));
    }
    rows.push(row(OWN_HASH, Some(TRUE), own_hash));
    rows.push(row(SIGNIN, Some(OWN_HASH), || place.sign_in("user1@example.com", "password")));
    let wrong = row(WRONG, Some(OWN_HASH), || place.sign_in("user1@example.com", "wrong-password"));
    rows.push(Row { code: 7, ..wrong });
    let unknown = row(UNKNOWN, Some(OWN_HASH), || place.sign_in("nobody1@example.com", "wrong-password"));
    rows.push(Row { code: 7, ..unknown });
    rows.push(row(SIGNUP, Some(OWN_HASH), || place.sign_up()));
    for words in OPERATOR {
        rows.push(row(format!("authctl {words}"), Some(peer), || place.authctl(&filled(words, place.users))));
    }
    rows
}

fn own_hash() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(HASH);
    command
}

/// The words of a command, with an address, a search and an id of a database of this size.
fn filled(words: &str, users: usize) -> Vec<String> {
    let middle = users.div_ceil(2);
    let fill = |word: &str| match word {
        "ONE" => format!("user{middle}@example.com"),
        "LAST" => format!("user{users}@"),
        "MIDDLE" => format!("user{middle:028}"),
        word => word.to_owned(),
    };
    words.split_whitespace().map(fill).collect()
}

/// A row of a program that succeeds.
fn row<'a>(name: impl Into<String>, beside: Option<&'static str>, program: impl Fn() -> Command + 'a) -> Row<'a> {
    Row { name: name.into(), beside, code: 0, program: Box::new(program), costs: Vec::new() }
}

fn measure(rows: &mut [Row<'_>], rounds: usize, place: &Place) {
    for round in 0..rounds {
        let mut order: Vec<&mut Row<'_>> = rows.iter_mut().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for row in order {
            place.prepare();
            row.run();
        }
    }
}

impl Row<'_> {
    fn run(&mut self) {
        let mut command = (self.program)();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let (before, start) = (processor_time(), Instant::now());
        let status = command.status().unwrap();
        let cost = Cost { processor: processor_time().saturating_sub(before), elapsed: start.elapsed() };
        assert_eq!(status.code(), Some(self.code), "{}: {command:?}", self.name);
        self.costs.push(cost);
    }

    /// The processor time at this quantile, in milliseconds.
    fn processor(&self, percent: usize) -> f64 {
        quantile(self.costs.iter().map(|cost| cost.processor), percent)
    }

    /// The time that passed at this quantile, in milliseconds.
    fn elapsed(&self, percent: usize) -> f64 {
        quantile(self.costs.iter().map(|cost| cost.elapsed), percent)
    }

    /// The processor time as a multiple of that of the row beside it.
    fn ratio(&self, rows: &[Row<'_>]) -> Option<f64> {
        let beside = rows.iter().find(|row| Some(row.name.as_str()) == self.beside)?;
        Some(self.processor(50) / beside.processor(50))
    }

    fn json(&self, rows: &[Row<'_>], place: &Place) -> Value {
        place.prepare();
        json!({
            "name": self.name,
            "processorMs": {"p10": self.processor(10), "median": self.processor(50), "p90": self.processor(90)},
            "elapsedMs": self.elapsed(50),
            "beside": self.beside,
            "ratio": self.ratio(rows),
            "peakKib": peak(&(self.program)()),
        })
    }
}

/// The processor time of all programs that ended, user and system.
fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds.unsigned_abs())
}

/// The value at this quantile, in milliseconds.
fn quantile(times: impl Iterator<Item = Duration>, percent: usize) -> f64 {
    let mut sorted: Vec<Duration> = times.collect();
    sorted.sort();
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}

/// Runs a program and returns its peak memory in KiB. The system reports the maximum of all children, so this
/// small process starts no other.
fn peak_of_child(words: &[String]) -> i64 {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    // macOS counts bytes.
    if cfg!(target_os = "macos") { peak / 1024 } else { peak }
}

/// The peak memory of a command in KiB, counted in a process of its own.
fn peak(command: &Command) -> u64 {
    let mut measured = Command::new(std::env::current_exe().unwrap());
    measured.arg(PEAK).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            measured.env(name, value);
        }
    }
    let output = measured.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Measures the commands of an operator in a database of each size.
fn sizes() -> Vec<Value> {
    let commands: Vec<&str> = ["whoami"].iter().chain(OPERATOR).chain(WHOLE).copied().collect();
    let mut table: Vec<Value> = commands.iter().map(|words| json!({"name": words, "sizes": []})).collect();
    for users in SIZES {
        let place = Place::new(users);
        let mut rows: Vec<Row<'_>> =
            commands.iter().map(|words| row(*words, None, || place.authctl(&filled(words, users)))).collect();
        measure(&mut rows, ROUNDS_OF_SIZES, &place);
        for (line, row) in table.iter_mut().zip(&rows) {
            let figures = json!({"users": users, "processorMs": row.processor(50), "peakKib": peak(&(row.program)())});
            line["sizes"].as_array_mut().unwrap().push(figures);
        }
    }
    table
}

/// Measures the commands of an operator in a database of each size on a server.
fn on_server(address: &str, rounds: usize) -> Vec<(String, Vec<[f64; 3]>)> {
    let commands: Vec<&str> = ["whoami"].iter().chain(OPERATOR).chain(WHOLE).copied().collect();
    let names = [PSQL, COPY].iter().chain(&commands);
    let mut table: Vec<(String, Vec<[f64; 3]>)> = names.map(|name| ((*name).to_owned(), Vec::new())).collect();
    for users in SIZES {
        let mut place = Place::new(users);
        let copied = quantile([place.copy_to_server(address)].into_iter(), 50);
        let mut rows = vec![row(PSQL, None, || place.psql_question())];
        rows.extend(commands.iter().map(|words| row(*words, None, || place.authctl(&filled(words, users)))));
        // The short commands run more often.
        let (short, whole) = rows.split_at_mut(1 + commands.len() - WHOLE.len());
        measure(short, rounds, &place);
        measure(whole, ROUNDS_OF_SIZES, &place);
        table[1].1.push([f64::NAN, copied, f64::NAN]);
        for row in &rows {
            let of_row = &mut table.iter_mut().find(|(name, _)| *name == row.name).unwrap().1;
            of_row.push([row.processor(50), row.elapsed(50), to_mib(peak(&(row.program)()))]);
        }
        place.leave_server();
    }
    table
}

/// Prints how long `whoami` takes on a server, beside psql with the same look-up.
fn print_look_up(address: &str, rounds: usize) {
    let mut place = Place::new(USERS_OF_LOOK_UP);
    place.copy_to_server(address);
    let mut rows = [row(PSQL, None, || place.psql_question()), row("whoami", None, || place.authctl(&["whoami"]))];
    measure(&mut rows, rounds, &place);
    println!("{rounds} interleaved rounds; times in ms\n\n| what | elapsed | p10 | CPU |\n|---|---:|---:|---:|");
    for row in &rows {
        println!("| {} | {:.2} | {:.2} | {:.2} |", row.name, row.elapsed(50), row.elapsed(10), row.processor(50));
    }
    let [psql, whoami] = &rows;
    let of_psql = [50, 10].map(|percent| whoami.elapsed(percent) / psql.elapsed(percent));
    println!("\nwhoami takes x{:.2} of the time of psql, x{:.2} at p10", of_psql[0], of_psql[1]);
    drop(rows);
    place.leave_server();
}

#[expect(clippy::cast_precision_loss, reason = "a process has less memory than 53 bits count")]
fn to_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Prints a column for each size: the processor time of the client and the time that passes, in milliseconds, and the peak
/// memory of the client in MiB.
fn print_server(table: &[(String, Vec<[f64; 3]>)]) {
    let sizes = SIZES.map(|users| format!(" {users} |")).concat();
    println!("| authctl |{sizes}\n|---|{}", "---:|".repeat(SIZES.len()));
    for (name, figures) in table {
        let cells = figures.iter().map(|[processor, elapsed, peak]| {
            if peak.is_nan() {
                format!(" {elapsed:.0} |")
            } else {
                format!(" {processor:.1}, {elapsed:.1}, {peak:.0} |")
            }
        });
        println!("| {name} |{}", cells.collect::<String>());
    }
}

fn print(rows: &[Row<'_>], rounds: usize, place: &Place) {
    println!("\n{rounds} interleaved rounds, {USERS} users, in {}; times in ms\n", place.file_system());
    println!("| what | CPU | p10 | p90 | elapsed | beside | CPU over it | peak KiB |");
    println!("|---|---:|---:|---:|---:|---|---:|---:|");
    for row in rows {
        let [p10, middle, p90] = [10, 50, 90].map(|percent| row.processor(percent));
        let ratio = row.ratio(rows).map_or("-".to_owned(), |ratio| format!("x{ratio:.2}"));
        let beside = row.beside.unwrap_or("-");
        place.prepare();
        let (name, elapsed, peak) = (&row.name, row.elapsed(50), peak(&(row.program)()));
        println!("| {name} | {middle:.2} | {p10:.2} | {p90:.2} | {elapsed:.2} | {beside} | {ratio} | {peak} |");
    }
    let found = |name: &str| rows.iter().find(|row| row.name == name);
    let middle = |name: &str| found(name).map_or(f64::NAN, |row| row.processor(50));
    let spread = |name: &str| found(name).map_or(f64::NAN, |row| row.processor(90) - row.processor(10));
    println!(
        "\nwrong password less unknown user: {:+.2} ms, where one of them spreads over {:.2} ms (p10 to p90)",
        middle(WRONG) - middle(UNKNOWN),
        spread(WRONG).max(spread(UNKNOWN))
    );
    let syncs = (0..20).map(|_| place.write_and_sync());
    println!("4 KiB written and synced: {:.2} ms", quantile(syncs, 50));
    if found(SODIUM).is_some() {
        let hash = middle(SODIUM) - middle(PYTHON);
        println!("libsodium's hash alone: {hash:.2} ms");
        for (name, time) in
            [("the hash alone", middle(OWN_HASH) - middle(TRUE)), (SIGNIN, middle(SIGNIN)), (SIGNUP, middle(SIGNUP))]
        {
            println!("{name}: x{:.2} of it", time / hash);
        }
    } else {
        println!("missing peer: libsodium, or python3, is not on this machine");
    }
    if found(SQLITE3).is_none() {
        println!("missing peer: sqlite3 is not on this machine; whoami stands beside true");
    }
}

/// Prints a column for each size, with the processor time in milliseconds and the peak memory in MiB.
fn print_sizes(table: &[Value]) {
    if table.is_empty() {
        return;
    }
    println!("\n{ROUNDS_OF_SIZES} rounds; users, CPU in ms, peak in MiB\n");
    let sizes = SIZES.map(|users| format!(" {users} |")).concat();
    println!("| authctl |{sizes}\n|---|{}", "---:|".repeat(SIZES.len()));
    for line in table {
        let cells = line["sizes"].as_array().unwrap().iter().map(|figures| {
            let [time, peak] = ["processorMs", "peakKib"].map(|name| figures[name].as_f64().unwrap());
            format!(" {time:.1}, {:.0} |", peak / 1024.0)
        });
        println!("| {} |{}", line["name"].as_str().unwrap(), cells.collect::<String>());
    }
}
