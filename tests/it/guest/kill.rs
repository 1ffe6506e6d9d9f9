//! Acts on an app's database killed at any system call. The audit log is in another file, and must neither
//! claim an act that did not happen nor omit one that did.

use std::path::Path;

use super::refused::Odd;
use crate::app::{ARTICLE, App, KYSELY, Variant};
use crate::kill::put_back;
use crate::machine::{Tree, tree};
use crate::sandbox::{PASSWORD, Ran};
use crate::strace;

/// One of this many calls of a kind is fatal.
const STRIDE: usize = 6;
/// System calls that change a file.
const CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,unlink";

/// An act and the home directory that is reset for each run.
struct Act {
    app: App,
    saved: Tree,
    words: &'static str,
    /// SQL that returns 1 when the act succeeded.
    done: &'static str,
    /// Its event in the audit log.
    event: &'static str,
}

impl Act {
    fn new(app: App, journal: &str, words: &'static str, done: &'static str, event: &'static str) -> Self {
        app.sandbox.file("pw", PASSWORD);
        app.sql().pragma_update(None, "journal_mode", journal).unwrap();
        // The audit log exists and has an entry.
        app.sandbox.finish(&mut app.command("policy set password.min-length 9")).success();
        let saved = tree(app.sandbox.home());
        Self { app, saved, words, done, event }
    }

    /// Runs the act under strace from the same state.
    fn trace(&self, options: &[&str], file: &Path) -> Ran {
        put_back(&self.saved, self.app.sandbox.home());
        let options = [&["-f", "-qq"], options].concat();
        self.app.sandbox.finish(&mut strace::command(&self.app.command(self.words), &options, file))
    }

    /// The number of each call that the act makes; `None` where this machine cannot trace it.
    fn calls(&self) -> Vec<(&'static str, usize)> {
        if !strace::is_usable() {
            return Vec::new();
        }
        let trace = tempfile::NamedTempFile::new().unwrap();
        self.trace(&["-e", &format!("trace={CALLS}")], trace.path()).success();
        let lines = std::fs::read_to_string(trace.path()).unwrap();
        let count = |call: &str| lines.lines().filter(|line| line.contains(&format!(" {call}("))).count();
        CALLS.split(',').map(|call| (call, count(call))).collect()
    }

    /// Skips the check for changes, because a journal may remain beside the file.
    fn run(&self, words: &str) -> Ran {
        self.app.sandbox.finish(&mut self.app.command(words))
    }

    fn is_done(&self) -> bool {
        self.app.text(self.done) == "1"
    }

    fn events(&self) -> Vec<String> {
        let log = self.run("audit export").success();
        let event = |line: &str| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            entry["event"].as_str().unwrap().to_owned()
        };
        log.lines().map(event).collect()
    }

    /// Kills the act at a sample of its calls and checks the remaining state.
    fn sweep(&self, offset: usize) {
        for (call, count) in self.calls() {
            for number in (1 + offset % STRIDE..=count).step_by(STRIDE) {
                let when = format!("{}: killed at {call} {number} of {count}", self.words);
                let inject = format!("inject={call}:signal=KILL:when={number}");
                let killed = self.trace(&["-e", &inject], Path::new("/dev/null"));
                assert_eq!(killed.code, 137, "{when}: {killed}");
                self.check(&when);
            }
        }
    }

    /// Fails a sample of the calls and checks what the command reports.
    fn fail(&self, error: &str) {
        for (call, count) in self.calls() {
            for number in (1..=count).step_by(STRIDE) {
                let when = format!("{}: {error} at {call} {number} of {count}", self.words);
                let inject = format!("inject={call}:error={error}:when={number}");
                let ran = self.trace(&["-e", &inject], Path::new("/dev/null"));
                let (done, events) = (self.is_done(), self.events());
                let answer = events.iter().any(|event| event == self.event);
                let says = |words: &str| ran.stderr.contains(words);
                assert!(done || !answer, "{when}: an act is in the log that did not happen: {ran}");
                assert!(done || ran.code != 0, "{when}: {ran}");
                assert!(done || !says("the change was made,"), "{when}: {ran}");
                assert!(!done || !says("nothing was changed"), "{when}: {ran}");
                assert!(!done || ran.code == 0 || says("the change was made,") || says("not known"), "{when}: {ran}");
            }
        }
    }

    fn check(&self, when: &str) {
        // The test's connection recovers the journal, as SQLite does after a crash.
        let (done, events) = (self.is_done(), self.events());
        let says = |name: &str| events.iter().any(|event| event == name);
        let (intended, answer) = (says("act.intended"), says(self.event));
        assert!(!answer || done, "{when}: an act is in the log that did not happen: {events:?}");
        assert!(!done || answer || intended, "{when}: an act that happened is not in the log: {events:?}");
        let is_open = intended && !answer && !says("act.failed");
        if is_open {
            let verified = self.run("audit verify --json").json();
            assert_eq!(verified["interrupted"].as_array().unwrap().len(), 1, "{when}: {verified}");
            assert!(self.run("audit list").stderr.contains("was interrupted"), "{when}");
        }
        // The next act reports it, once.
        let update = "users update emo@example.com --name";
        let next = self.run(&format!("{update} Emo"));
        assert_eq!((next.code, next.stderr.contains("was interrupted")), (0, is_open), "{when}: {next}");
        if is_open {
            let after = self.run(&format!("{update} Emo2"));
            assert_eq!((after.code, after.stderr.contains("was interrupted")), (0, false), "{when}: {after}");
            assert!(self.events().contains(&"act.interrupted".to_owned()), "{when}");
        }
        assert_eq!(self.app.text("PRAGMA integrity_check"), "ok", "{when}");
    }
}

fn ban(journal: &str) -> Act {
    let done = "SELECT banned FROM user WHERE email = 'bob@example.com'";
    Act::new(App::new(KYSELY), journal, "users ban bob@example.com --yes", done, "user.banned")
}

fn set_password(journal: &str) -> Act {
    let done = "SELECT count(*) FROM account WHERE updatedAt > 0";
    // Hashes of a low cost, because the act runs many times.
    let app = App::changed(Variant { name: "bcrypt", ..ARTICLE }, |sql| {
        sql.execute_batch(
            "UPDATE account SET updatedAt = 0;
             UPDATE account SET password = '$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe' WHERE password IS NOT NULL",
        )
        .unwrap();
    });
    Act::new(app, journal, "users set-password bob@example.com --password-file pw", done, "password.set")
}

#[test]
fn ban_killed_at_any_call_is_logged_correctly() {
    ban("wal").sweep(0);
    ban("delete").sweep(1);
}

#[test]
fn set_password_killed_at_any_call_is_logged_correctly() {
    set_password("wal").sweep(1);
    set_password("delete").sweep(0);
}

#[test]
fn ban_with_a_failing_disk_says_what_was_done() {
    ban("wal").fail("EIO");
    ban("delete").fail("ENOSPC");
}

/// The log of an app that was killed belongs to the app; an act moves it into the database as before.
#[test]
fn reading_leaves_the_log_of_a_killed_app_as_it_is() {
    let odd = Odd::new("drizzle-ms");
    let path = odd.sandbox.path("app.db");
    let app = rusqlite::Connection::open(&path).unwrap();
    app.execute_batch("PRAGMA journal_mode = WAL; UPDATE user SET name = 'Cyd' WHERE email LIKE 'bob%'").unwrap();
    let log = path.with_extension("db-wal");
    let files = || [&path, &log].map(|file| std::fs::read(file).unwrap());
    let left = files();
    drop(app);
    std::fs::write(&path, &left[0]).unwrap();
    std::fs::write(&log, &left[1]).unwrap();
    for words in ["users list", "users show bob@example.com", "db status", "doctor", "audit verify"] {
        odd.run(words).success();
        assert_eq!(files(), left, "{words}");
    }
    assert!(odd.run("users list").stdout.contains("Cyd"));
    odd.run("users ban bob@example.com").success();
    assert!(!log.exists());
}
