//! Clocks that are wrong, that jump, or that advance while a prompt is open. The test preloads a library that
//! replaces `clock_gettime`, because the program has no option to set its clock.

use std::path::Path;
use std::process::Command;

use crate::pty::{Ended, Running, Terminal};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// 2026-09-21T14:13:20Z.
const START: i64 = 1_790_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// Returns the time in the file, in seconds since 1970.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(id, t);
    const char *name = getenv("TEST_CLOCK");
    FILE *file = id == CLOCK_REALTIME && name ? fopen(name, "r") : NULL;
    long long seconds;
    if (file) {
        if (fscanf(file, "%lld", &seconds) == 1) t->tv_sec = seconds;
        fclose(file);
    }
    return answer;
}
"#;

/// A sandbox with an adjustable clock.
struct Time {
    sandbox: Sandbox,
}

impl Time {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let source = sandbox.file("clock.c", LIBRARY);
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(sandbox.path("clock.so")).arg(source).arg("-ldl");
        assert!(compiler.status().unwrap().success(), "the tests need a C compiler, as the build does");
        sandbox.file("password", PASSWORD);
        sandbox.file("wrong", OTHER_PASSWORD);
        Self { sandbox }
    }

    /// A user who signed up and in at [`START`].
    fn with_ada() -> Self {
        let time = Self::new();
        time.run(START, "signup ada@example.com --name Ada --password-file password").success();
        time
    }

    fn set(&self, seconds: i64) {
        self.sandbox.file("clock", seconds.to_string());
    }

    fn command(&self, words: &str) -> Command {
        let mut command = self.sandbox.command(words.split_whitespace());
        command.env("LD_PRELOAD", self.sandbox.path("clock.so")).env("TEST_CLOCK", self.sandbox.path("clock"));
        command
    }

    fn run(&self, seconds: i64, words: &str) -> Ran {
        self.set(seconds);
        self.sandbox.finish(&mut self.command(words))
    }

    /// Runs a command at a terminal.
    fn ask(&self, seconds: i64, words: &str) -> Running {
        self.set(seconds);
        Terminal::new().run(self.command(words))
    }
}

/// Answers the prompt and waits until the program has ended.
fn answer(mut asked: Running, text: &str) -> Ended {
    asked.enter(text);
    asked.end()
}

/// All files in a directory with their contents, except those of the test.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !["clock", "auth.db-shm"].contains(&path.file_name().unwrap().to_str().unwrap()) {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// 1895, the last second before 1970, less than a year before the end of the calendar, after it.
const WRONG: [i64; 4] = [-75 * YEAR, -1, 253_402_207_200 - DAY, 12_000 * YEAR];

#[test]
fn clock_outside_the_calendar_changes_nothing_and_is_named() {
    let time = Time::with_ada();
    time.run(START, "db backup copy.db").success();
    // Checkpoints the WAL, so that the comparison covers all data.
    time.sandbox.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    let before = files(time.sandbox.home());
    for seconds in WRONG {
        for words in [
            "signin ada@example.com --password-file password",
            "signin ada@example.com --password-file wrong",
            "signup bob@example.com --name Bob --password-file password",
            "whoami",
            "signout",
            "sessions revoke --all",
            "sessions prune",
            "account update --name Eve",
            "account delete --yes",
            "users ban ada@example.com",
            "users reset-code ada@example.com",
            "users impersonate ada@example.com",
            "policy set session.lifetime 2h",
            "audit list",
            "db init --db other.db",
            "db migrate",
            "db backup another.db",
            "db copy .local/share/authctl/auth.db another.db",
            "db restore copy.db --yes",
            "db convert --to better-auth --yes",
        ] {
            let error = time.run(seconds, words).failure(1);
            assert!(error.contains("the clock of this machine is wrong"), "{words} at {seconds}: {error}");
        }
        let findings = time.run(seconds, "doctor --fix --yes");
        assert!(findings.code != 0 && findings.stdout.contains("the clock of this machine is wrong"), "{findings}");
    }
    let after = files(time.sandbox.home());
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    assert!(after == before, "a file has another content");
}

#[test]
fn clock_outside_the_calendar_makes_no_first_database() {
    let time = Time::new();
    for seconds in WRONG {
        let error = time.run(seconds, "signup ada@example.com --name Ada --password-file password").failure(1);
        assert!(error.contains("the clock of this machine is wrong"), "{error}");
        assert!(!time.sandbox.database().exists());
    }
}

#[test]
fn jumping_clock_keeps_the_log_valid_and_ends_sessions() {
    let time = Time::with_ada();
    for seconds in [START + 20 * YEAR, 3_600, START - 20 * YEAR, 200_000_000_000, START + HOUR] {
        time.run(seconds, "signin ada@example.com --password-file password").success();
        time.run(seconds, "whoami --check").success();
        let _ = time.run(seconds + 8 * DAY, "whoami --check").failure(4);
        time.run(seconds, "audit verify").success();
        time.run(START, "audit verify").success();
    }
    time.run(START + HOUR, "sessions list").success();
}

#[test]
fn wait_from_a_wrong_clock_ends_after_its_length() {
    let time = Time::with_ada();
    let guess = "signin ada@example.com --password-file wrong";
    let right = "signin ada@example.com --password-file password --json -q";
    for _ in 0..5 {
        let _ = time.run(START + 10 * YEAR, guess).failure(7);
    }
    assert_eq!(time.run(START, right).json_error(8)["retryAfter"], 15);
    assert_eq!(time.run(START + 14, right).json_error(8)["retryAfter"], 1);
    time.run(START + 15, right).success();
    for _ in 0..5 {
        let _ = time.run(START + 10 * YEAR, guess).failure(7);
    }
    time.run(START, "users unlock ada@example.com").success();
    time.run(START, right).success();
}

#[test]
fn sign_in_aged_during_the_prompt_deletes_no_account() {
    let time = Time::with_ada();
    let mut asked = time.ask(START + DAY - 60, "account delete");
    asked.wait_for("Delete the account?");
    time.set(START + DAY);
    let screen = answer(asked, "y").with_code(5);
    assert!(screen.contains("the sign-in is too long ago for this"), "{screen:?}");
    assert_eq!(time.sandbox.number(r#"SELECT count(*) FROM "user""#), 1);
    let mut asked = time.ask(START + DAY - 60, "account delete");
    asked.wait_for("Delete the account?");
    answer(asked, "y").with_code(0);
}

#[test]
fn session_expired_during_the_prompt_changes_no_password() {
    let time = Time::with_ada();
    let before: String = time.sandbox.sql().query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap();
    let mut asked = time.ask(START + HOUR, "password change");
    asked.wait_for_hidden("Current password: ").enter(PASSWORD);
    asked.wait_for_hidden("New password: ").enter(OTHER_PASSWORD);
    asked.wait_for_hidden("Repeat it: ");
    time.set(START + 7 * DAY);
    let screen = answer(asked, OTHER_PASSWORD).with_code(4);
    assert!(screen.contains("not signed in"), "{screen:?}");
    let after: String = time.sandbox.sql().query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap();
    assert_eq!(after, before);
}

#[test]
fn session_begins_when_the_password_was_typed() {
    let time = Time::with_ada();
    let mut asked = time.ask(START, "signin ada@example.com");
    asked.wait_for_hidden("Password: ");
    time.set(START + HOUR);
    answer(asked, PASSWORD).with_code(0);
    assert_eq!(time.sandbox.number(r#"SELECT max("createdAt") FROM "session""#), START + HOUR);
}

/// The findings of `doctor` with their severity, without the one about the modification time of the file.
fn findings(time: &Time, seconds: i64) -> Vec<String> {
    let ran = time.run(seconds, "doctor --json");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] != "file-time");
    let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings.map(|finding| format!("{} {}", word(finding, "severity"), word(finding, "check"))).collect()
}

#[test]
fn session_and_code_from_the_future_are_invalid() {
    let time = Time::with_ada();
    time.run(START, "users set-role ada@example.com admin").success();
    for ahead in [YEAR, 10 * YEAR, 5_000 * YEAR] {
        time.run(START + ahead, "signin ada@example.com --password-file password").success();
        let answer = time.run(START + ahead, "users reset-code ada@example.com --json").json();
        time.run(START + ahead, "whoami --check").success();
        assert_eq!(findings(&time, START), ["problem clock"], "{ahead}: the newest entry");

        let _ = time.run(START, "whoami --check").failure(4);
        let _ = time.run(START, "guard -- true").failure(4);
        let input = format!("{}\n{OTHER_PASSWORD}\n", answer["code"].as_str().unwrap());
        let reset = "password reset --code-stdin --password-stdin";
        let error = time.sandbox.finish_with_input(&mut time.command(reset), input).failure(7);
        assert!(error.contains("the code is wrong, used or expired"), "{error}");
        let list = "sessions list --user ada@example.com --json";
        let listed = [START + ahead, START].map(|now| time.run(now, list).json()["sessions"].as_array().unwrap().len());
        assert_eq!(listed, [1, 0], "{ahead}");

        time.run(START, "policy set session.lifetime 8d").success();
        time.run(START, "policy unset session.lifetime").success();
        assert_eq!(findings(&time, START), ["notice expired", "notice clock"], "{ahead}");
        let swept = time.run(START, "sessions prune --json").json();
        assert_eq!(swept["pruned"], 1, "{swept}");
        assert_eq!(time.sandbox.number(r#"SELECT count(*) FROM "session""#), 0);
        let _ = time.run(START, "doctor --fix --yes");
        assert_eq!(findings(&time, START), ["notice clock"], "{ahead}");
        assert_eq!(time.sandbox.number(r#"SELECT count(*) FROM "verification""#), 0);
    }
}
