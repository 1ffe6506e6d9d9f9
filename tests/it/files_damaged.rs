//! Damaged databases: a command answers correctly or fails. It must not panic or change the file. The suite tests a
//! sample of the damages, `AUTHCTL_SWEEP=full` all.

use std::path::Path;

use insta::assert_snapshot;

use crate::files::{NEED_A_DATABASE, run_on};
use crate::kill::is_full;
use crate::machine::tree;
use crate::sandbox::{PASSWORD, Sandbox};

/// SQLite's default page size, which authctl uses.
const PAGE: usize = 4096;

/// An intact database with users and sessions, and a valid token.
fn whole() -> (Sandbox, Vec<u8>, String) {
    let sandbox = Sandbox::with_ada();
    let token = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    let bytes = std::fs::read(sandbox.database()).unwrap();
    assert_eq!(bytes.len() % PAGE, 0);
    (sandbox, bytes, token.trim().to_owned())
}

/// Replaces the database and removes its WAL.
fn put(database: &Path, bytes: &[u8]) {
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
    }
    std::fs::write(database, bytes).unwrap();
}

#[test]
fn truncated_database_is_9_and_stays_unchanged() {
    let (sandbox, bytes, token) = whole();
    put(&sandbox.database(), &bytes[..bytes.len() / 2]);
    let before = tree(sandbox.home());
    for words in NEED_A_DATABASE {
        let database = sandbox.database();
        let error = run_on(&sandbox, database.to_str().unwrap(), &format!("{words} --json")).json_error(9);
        assert_eq!(error["code"], "DATABASE_TRUNCATED", "{words}");
        before.assert_same(&tree(sandbox.home()));
    }
    let hint = sandbox.run("db status").failure(9);
    assert!(hint.contains("is cut off") && hint.contains("restore a backup"), "{hint}");
    for length in (1..bytes.len()).step_by(1789) {
        put(&sandbox.database(), &bytes[..length]);
        let before = tree(sandbox.home());
        let _ = sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &token).failure(9);
        before.assert_same(&tree(sandbox.home()));
    }
}

#[test]
fn page_of_garbage_is_9_or_harmless() {
    let (sandbox, bytes, token) = whole();
    let questions = ["whoami", "sessions", "db status", "sessions prune --dry-run"];
    let answers: Vec<String> =
        questions.iter().map(|words| sandbox.run_with_variable(words, "AUTHCTL_TOKEN", &token).success()).collect();
    let mut write_blockers = 0;
    for page in 0..bytes.len() / PAGE {
        let kinds = [0x00, 0xa5, 0xff];
        let chosen = if is_full() { &kinds[..] } else { &kinds[page % kinds.len()..][..1] };
        for garbage in chosen.iter().copied() {
            let mut damaged = bytes.clone();
            // The first page keeps the header that makes it an SQLite file.
            let start = if page == 0 { 100 } else { page * PAGE };
            damaged[start..(page + 1) * PAGE].fill(garbage);
            put(&sandbox.database(), &damaged);
            for (words, answer) in questions.iter().zip(&answers) {
                let ran = sandbox.run_with_variable(words, "AUTHCTL_TOKEN", &token);
                if ran.code == 0 {
                    assert_eq!(&ran.stdout, answer, "page {page} of {garbage:02x}: {words}");
                } else {
                    let error = ran.failure(9);
                    assert!(error.contains("hint: restore a backup"), "page {page} of {garbage:02x}: {error}");
                    write_blockers += 1;
                }
            }
            assert_eq!(std::fs::read(sandbox.database()).unwrap(), damaged, "nothing is repaired");
        }
    }
    assert!(write_blockers > 20, "the damage was noticed: {write_blockers}");
}

#[test]
fn few_wrong_bytes_cause_no_panic() {
    let (sandbox, bytes, token) = whole();
    // Pseudorandom numbers that are the same in every run (Knuth, MMIX).
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..if is_full() { 150 } else { 50 } {
        let mut damaged = bytes.clone();
        let at = next(bytes.len() - 16);
        for byte in &mut damaged[at..at + 16] {
            *byte = next(256).to_le_bytes()[0];
        }
        put(&sandbox.database(), &damaged);
        for words in ["whoami", "sessions", "db status"] {
            let ran = sandbox.run_with_variable(words, "AUTHCTL_TOKEN", &token);
            // 4: damage in an index can look like a missing session.
            assert!([0, 4, 9].contains(&ran.code), "bytes from {at}: {words}: {ran}");
            assert!(!ran.stderr.contains("bug"), "bytes from {at}: {ran}");
        }
    }
}

#[test]
fn a_log_of_garbage_is_not_replayed() {
    let (sandbox, bytes, token) = whole();
    let answer = sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &token).success();
    put(&sandbox.database(), &bytes);
    std::fs::write(format!("{}-wal", sandbox.database().display()), [0xa5; 3 * PAGE]).unwrap();
    assert_eq!(sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &token).success(), answer);
}

#[test]
fn value_that_cannot_be_read_gives_no_right_and_is_named() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE session SET id = 'the-row', expiresAt = 9223372036854775807");
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: the session has expired: sign in with `authctl signin`
    [exit status: 4]
    ");
    let listed = sandbox.run("sessions list --all-users");
    assert!(listed.stdout.contains("the-row"), "{listed}");
    assert_eq!(
        listed.stderr,
        "note: 1 row has values that cannot be read, and the rest is shown: `authctl doctor` names them\n"
    );
    sandbox.run("sessions revoke the-row --all-users").success();
    sandbox.execute("UPDATE user SET emailVerified = 7");
    assert_eq!(
        sandbox.run("users show ada@example.com --json").json()["user"]["unreadable"],
        serde_json::json!(["emailVerified"])
    );
    sandbox.run("users verify-email ada@example.com --undo").success();
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["user"]["unreadable"], serde_json::Value::Null);
}

#[test]
fn a_database_without_its_tables_is_9() {
    for damage in ["DROP TABLE session", "ALTER TABLE session DROP COLUMN impersonatedBy"] {
        let sandbox = Sandbox::with_ada();
        sandbox.execute(&format!("PRAGMA foreign_keys = OFF; {damage}"));
        let error = sandbox.run("whoami").failure(9);
        assert!(error.contains("hint: restore a backup"), "{damage}: {error}");
    }
}
