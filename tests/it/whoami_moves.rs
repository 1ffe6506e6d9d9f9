//! `whoami` extends a session that is due, and writes nothing else.

use std::collections::BTreeMap;

use crate::sandbox::Sandbox;

/// Makes the session this much older.
fn age(sandbox: &Sandbox, seconds: i64) {
    sandbox.execute(&format!(
        "UPDATE session SET createdAt = createdAt - {seconds}, updatedAt = updatedAt - {seconds},
         expiresAt = expiresAt - {seconds}"
    ));
}

/// The bytes of all files of the database.
fn files(sandbox: &Sandbox) -> BTreeMap<std::ffi::OsString, Vec<u8>> {
    let entries = std::fs::read_dir(sandbox.database().parent().unwrap()).unwrap();
    entries.map(|entry| entry.unwrap()).map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
}

fn assert_reads_only(sandbox: &Sandbox) {
    let before = files(sandbox);
    for words in ["whoami", "whoami --json", "whoami --check"] {
        sandbox.run(words).success();
        // Not `assert_eq`, whose difference of two databases is unreadable.
        assert!(files(sandbox) == before, "{words} changed a file of the database: {:?}", files(sandbox).keys());
    }
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[test]
fn session_used_after_a_day_gets_seven_days_again() {
    let sandbox = Sandbox::with_ada();
    age(&sandbox, DAY + 1);
    let created = sandbox.number("SELECT createdAt FROM session");
    let old_end = sandbox.number("SELECT expiresAt FROM session");
    let answer = sandbox.run("whoami --json").json()["session"]["expiresAt"].clone();
    let end = sandbox.number("SELECT expiresAt FROM session");
    assert!(end > old_end, "{old_end} to {end}");
    assert_eq!(end - sandbox.number("SELECT updatedAt FROM session"), 7 * DAY);
    assert_eq!(sandbox.number("SELECT createdAt FROM session"), created, "the sign-in stays when it was");
    let answer: jiff::Timestamp = answer.as_str().unwrap().parse().unwrap();
    assert_eq!(answer.as_second(), end, "the answer has the stored time");
    // The session was extended just now, so it is not extended again.
    assert_reads_only(&sandbox);
}

#[test]
fn any_use_of_a_session_moves_it_not_only_whoami() {
    let sandbox = Sandbox::with_ada();
    age(&sandbox, 6 * DAY);
    let old_end = sandbox.number("SELECT expiresAt FROM session");
    sandbox.run("sessions").success();
    assert!(sandbox.number("SELECT expiresAt FROM session") > old_end + 5 * DAY);
}

#[test]
fn a_session_used_within_a_day_is_only_read() {
    let sandbox = Sandbox::with_ada();
    assert_reads_only(&sandbox);
    age(&sandbox, 23 * HOUR);
    assert_reads_only(&sandbox);
}

#[test]
fn a_session_that_is_not_remembered_never_moves() {
    let sandbox = Sandbox::with_ada();
    let words = "signin ada@example.com --password-stdin --no-remember";
    sandbox.run_with_input(words, crate::sandbox::PASSWORD).success();
    age(&sandbox, 23 * HOUR);
    assert_reads_only(&sandbox);
    age(&sandbox, HOUR);
    let before = files(&sandbox);
    let _ = sandbox.run("whoami").failure(4);
    assert!(files(&sandbox) == before, "an expired session was written");
}

#[test]
fn expired_session_is_not_revived() {
    let sandbox = Sandbox::with_ada();
    age(&sandbox, 7 * DAY);
    for _ in 0..2 {
        let _ = sandbox.run("whoami").failure(4);
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM session WHERE expiresAt > unixepoch()"), 0);
}
