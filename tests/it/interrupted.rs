//! Ctrl-C and SIGTERM during long acts: they stop between two steps and say what they did and what is left.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::pty::Terminal;
use crate::sandbox::Sandbox;

/// Some twenty batches.
const SESSIONS: i64 = 20_000;

/// Ada with many sessions, which end at the given second from now.
fn sandbox(ends: &str) -> Sandbox {
    let sandbox = Sandbox::with_ada_signed_out();
    sandbox.execute(&format!(
        "DELETE FROM session;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {SESSIONS})
         INSERT INTO session (id, token, userId, expiresAt, createdAt, updatedAt)
         SELECT 's' || i, 'token-' || i, id, unixepoch() + {ends}, unixepoch() - 60, unixepoch() - 60 FROM n, user"
    ));
    sandbox
}

fn left(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM session")
}

/// Waits for the first batch, and sends a signal while the act waits for the next one.
fn signal_between_batches(sandbox: &Sandbox, send: impl FnOnce()) {
    let lock = sandbox.sql();
    lock.busy_timeout(Duration::ZERO).unwrap();
    while left(sandbox) == SESSIONS {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The pause between two batches is short, and a wait of SQLite would sleep through it.
    while lock.execute_batch("BEGIN IMMEDIATE").is_err() {
        std::thread::yield_now();
    }
    send();
    lock.execute_batch("COMMIT").unwrap();
}

fn assert_told(sandbox: &Sandbox, said: &str, verb: &str) {
    let left = left(sandbox);
    assert!((1..SESSIONS).contains(&left), "{left}");
    let grouped = |number: i64| match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    };
    let told = format!("interrupted: {} {verb}, {} not", grouped(SESSIONS - left), grouped(left));
    assert!(said.contains(&told), "{told}: {said}");
}

#[test]
fn ctrl_c_stops_the_end_of_sessions_after_a_question() {
    let sandbox = sandbox("3600");
    let words = ["sessions", "revoke", "--all", "--all-users", "--wait", "20s"];
    let mut running = Terminal::new().run(sandbox.command(words));
    running.wait_for("This ends 20,000 sessions of 1 user in ").wait_for("End them?").press("y");
    signal_between_batches(&sandbox, || {
        running.press("\x03");
        // The terminal makes the signal.
        std::thread::sleep(Duration::from_millis(100));
    });
    let ended = running.end();
    assert_eq!(ended.code, 130, "{}", ended.screen);
    assert_told(&sandbox, &ended.screen, "ended");
    // What was ended is in the log, and the command goes on.
    sandbox.run("audit verify").success();
    sandbox.run("sessions revoke --all --all-users").success();
    assert_eq!(left(&sandbox), 0);
}

#[test]
fn sigterm_stops_a_prune_in_a_script() {
    for words in ["sessions prune --wait 20s", "db prune --json --wait 20s"] {
        let sandbox = sandbox("-60");
        let mut command = sandbox.command(words.split(' '));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        signal_between_batches(&sandbox, || kill_process(pid, Signal::TERM).unwrap());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143), "{words}: {output:?}");
        assert_told(&sandbox, &String::from_utf8_lossy(&output.stderr), "deleted");
    }
}
