//! Generates `docs/screens.md`: what lists and reports look like on terminals of several widths.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Sandbox};

const TITLE: &str = "\
# Screens

This page shows lists and reports on terminals of 60, 80 and 120 columns, without their colours. Columns shrink and go by importance, and
ids have as many characters as tell them apart; `--wide` shows everything. In a pipe every table has whole ids and times in UTC.

<!-- Generated from the program: AUTHCTL_REGENERATE=1 cargo test --test it generated -->
";

const WIDTHS: [u16; 3] = [60, 80, 120];

/// The commands, and what each shows.
const SCREENS: &[(&str, &str)] = &[
    ("users list --limit 12", "The first 12 of 5,000 users"),
    ("sessions", "The caller's sessions"),
    ("audit list --after 5001", "The log, from the first sign-up on"),
    ("policy show", "The rules of a database"),
    ("doctor", "What is wrong"),
    ("stats", "Users and sessions, and what happened in the last 30 days"),
];

const USERS: usize = 5_000;
const FIRST_NAMES: [&str; 8] = ["Ada", "Grace", "Katherine", "Alan", "Edsger", "Barbara", "Margaret", "Donald"];
const LAST_NAMES: [&str; 7] = ["Lovelace", "Hopper", "Johnson", "Turing", "Dijkstra", "Liskov", "Hamilton"];
const PROGRAMS: [&str; 3] = ["Firefox on Linux", "authctl/0.1.0 (ada@laptop; pts/3)", "curl/8.5.0"];

/// The place of the database in the page. The real one has the same length, so that lines break at the same places.
const PLACE: &str = "/srv/accounts/of/the/example/company/auth.db";

/// What comes before the date in `stats`, and the date in the page.
const SINCE: &str = "since ";
const DATE: &str = "2026-10-01";

pub(super) fn page() -> String {
    let sandbox = Sandbox::new();
    let database = database_of_length(&sandbox, PLACE.len());
    fill(&sandbox, &database);
    let mut text = TITLE.to_owned();
    for (words, what) in SCREENS {
        write!(text, "\n## `authctl {words}`\n\n{what}.\n").unwrap();
        for width in WIDTHS {
            let screen = screen(&sandbox, &database, words, width);
            for line in screen.lines() {
                assert!(line.chars().count() <= usize::from(width), "{words} at {width} columns: {line}");
            }
            write!(text, "\nAt {width} columns:\n\n```text\n{screen}```\n").unwrap();
        }
    }
    text
}

/// A path in the sandbox, as long as asked.
fn database_of_length(sandbox: &Sandbox, length: usize) -> PathBuf {
    let home = sandbox.home().canonicalize().unwrap();
    let name = "/auth.db";
    let room = length.checked_sub(home.to_str().unwrap().len() + name.len() + 1).expect("the sandbox has a short path");
    let directory = home.join("x".repeat(room));
    std::fs::create_dir(&directory).unwrap();
    directory.join(name.trim_start_matches('/'))
}

fn screen(sandbox: &Sandbox, database: &Path, words: &str, width: u16) -> String {
    let mut command = sandbox.command(words.split(' '));
    command.args(["--no-pager", "--color", "never"]).env("AUTHCTL_DB", database);
    let ended = Terminal::with_columns(width).run(command).end();
    let screen = ended.screen.replace('\r', "").replace(database.to_str().unwrap(), PLACE);
    match screen.split_once(SINCE) {
        Some((before, after)) => [before, SINCE, DATE, &after[DATE.len()..]].concat(),
        None => screen,
    }
}

/// Users of several ages, roles and states; sessions and entries of the log with the names of no real machine.
fn fill(sandbox: &Sandbox, database: &Path) {
    let run = |words: &str, input: &str| {
        let mut command = sandbox.command(words.split(' '));
        sandbox.finish_with_input(command.env("AUTHCTL_DB", database), input).success();
    };
    let now = jiff::Timestamp::now();
    let mut lines = serde_json::json!({ "authctl": 1, "schema": 0, "count": USERS }).to_string() + "\n";
    for number in 0..USERS {
        let (first, last) = (FIRST_NAMES[number % 8], LAST_NAMES[number % 7]);
        let created = now - jiff::SignedDuration::from_hours(i64::try_from(number).unwrap() * 5 + 1);
        let user = serde_json::json!({
            // No two begin with the same characters.
            "id": authctl_id(number),
            "email": format!("{}.{}{number:04}@mail.example.com", first.to_lowercase(), last.to_lowercase()),
            "name": format!("{first} {last}"),
            "emailVerified": number % 3 != 0,
            "createdAt": created.to_string(),
            "role": if number % 40 == 1 { "editor,admin" } else { "user" },
            "banned": number % 56 == 16,
        });
        writeln!(lines, "{user}").unwrap();
    }
    run("db init", "");
    std::fs::write(sandbox.path("users.jsonl"), lines).unwrap();
    run("import users.jsonl", "");
    run("signup ada@example.com --name Ada --password-stdin", PASSWORD);
    for _ in 1..PROGRAMS.len() {
        run("signin ada@example.com --password-stdin --print-token", PASSWORD);
    }
    run("users ban grace.hopper0001@mail.example.com --for 7d --reason spam", "");
    run("users set-role katherine.johnson0002@mail.example.com editor", "");
    run("users unban grace.hopper0001@mail.example.com", "");
    let sql = crate::sandbox::past_authctl(database);
    for (number, program) in PROGRAMS.iter().enumerate() {
        sql.execute_batch(&format!(
            "UPDATE session SET id = '{}', userAgent = '{program}', ipAddress = '192.0.2.{}', createdAt = createdAt - {},
                 updatedAt = updatedAt - {}
             WHERE id = (SELECT id FROM session ORDER BY rowid LIMIT 1 OFFSET {number})",
            authctl_id(USERS + number),
            number + 7,
            (number + 1) * 7_000,
            (number + 1) * 7_000,
        ))
        .unwrap();
    }
    let ada = authctl_id(USERS + 50);
    sql.execute_batch(&format!(
        "UPDATE authctl_audit SET osUser = 'ops', host = 'db1', at = unixepoch() - (5060 - seq) * 600,
             userId = CASE WHEN userEmail = 'ada@example.com' THEN '{ada}' ELSE userId END,
             sessionId = CASE WHEN sessionId IS NULL THEN NULL ELSE '{}' END",
        authctl_id(USERS),
    ))
    .unwrap();
}

/// An id of 32 characters that looks random.
fn authctl_id(number: usize) -> String {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = number as u64 + 1;
    let mut sign = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(SIGNS[usize::try_from(state >> 33).unwrap() % SIGNS.len()])
    };
    (0..32).map(|_| sign()).collect()
}
