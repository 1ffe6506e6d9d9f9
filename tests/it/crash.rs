//! Death at any moment: a command is killed after ever longer times, then by everything that it
//! leaves on disk, one call after the other. What follows finds the old state or the new one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use authctl::auth::token::digest;
use rusqlite::Connection;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

/// Kills by time for each command.
const STEPS: u32 = 40;

/// A home that can be put back as it was.
struct Case {
    sandbox: Sandbox,
    saved: tempfile::TempDir,
    words: &'static str,
}

impl Case {
    fn new(sandbox: Sandbox, words: &'static str) -> Self {
        sandbox.file("pw", PASSWORD);
        sandbox.file("change", format!("{PASSWORD}\n{OTHER_PASSWORD}\n"));
        let saved = tempfile::tempdir().unwrap();
        copy(sandbox.home(), saved.path());
        Self { sandbox, saved, words }
    }

    fn put_back(&self) {
        for entry in std::fs::read_dir(self.sandbox.home()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
        }
        copy(self.saved.path(), self.sandbox.home());
    }

    fn command(&self) -> Command {
        let mut command = self.sandbox.command(self.words.split(' '));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Kills the command after ever longer times, up to more than it needs, and checks each time.
    fn kill_by_time(&self, check: impl Fn(&str)) {
        let start = Instant::now();
        assert!(self.command().status().unwrap().success());
        let longest = start.elapsed() * 5 / 4;
        for step in 0..STEPS {
            self.put_back();
            let moment = longest * step / STEPS;
            let mut child = self.command().spawn().unwrap();
            // The moment of death is what is tried here; nothing is awaited.
            std::thread::sleep(moment);
            let _ = child.kill();
            child.wait().unwrap();
            check(&format!("killed after {moment:?}"));
        }
    }

    /// Kills the command as it enters each call that changes a file, one after the other.
    fn kill_by_call(&self, check: impl Fn(&str)) {
        self.put_back();
        let Some(calls) = self.calls() else { return };
        for (call, count) in calls {
            for number in 1..=count {
                self.put_back();
                let inject = format!("inject={call}:signal=KILL:when={number}");
                let status = self.traced(&["-e", &inject, "-o", "/dev/null"]).status().unwrap();
                assert!(!status.success(), "nothing was killed at {call} {number}");
                check(&format!("killed at {call} {number} of {count}"));
            }
        }
    }

    /// The calls that the command makes and how often; `None` when this machine cannot tell.
    fn calls(&self) -> Option<BTreeMap<String, usize>> {
        const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat";
        let trace = self.sandbox.path("trace");
        let names = format!("trace={CALLS}");
        let run = self.traced(&["-e", &names, "-o", trace.to_str().unwrap()]).status();
        match run {
            Ok(status) if status.success() => {}
            other => {
                eprintln!("skipped: strace cannot be used here: {other:?}");
                return None;
            }
        }
        let mut calls = BTreeMap::new();
        for line in std::fs::read_to_string(trace).unwrap().lines() {
            // "4711  fsync(3) = 0"
            if let Some((call, _)) = line.split_whitespace().nth(1).and_then(|word| word.split_once('(')) {
                *calls.entry(call.to_owned()).or_default() += 1;
            }
        }
        assert!(calls.contains_key("fsync"), "{calls:?}");
        Some(calls)
    }

    fn traced(&self, options: &[&str]) -> Command {
        let plain = self.command();
        let mut command = Command::new("strace");
        command.arg("-f").args(options).arg("--").arg(plain.get_program()).args(plain.get_args());
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.sandbox.home()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What must hold at any time.
    fn check_whole(&self, when: &str) {
        let sandbox = &self.sandbox;
        for file in session_files(sandbox) {
            token_in(&file).unwrap_or_else(|| panic!("{when}: {} is torn", file.display()));
        }
        if !sandbox.database().exists() {
            return;
        }
        let sql = Connection::open(sandbox.database()).unwrap();
        let integrity: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok", "{when}");
        assert!(!sql.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap(), "{when}");
        let without = r#"SELECT count(*) FROM "user" u WHERE 1 <> (SELECT count(*) FROM "account" a
            WHERE a."userId" = u."id" AND a."providerId" = 'credential' AND a."password" IS NOT NULL)"#;
        assert_eq!(sandbox.number(without), 0, "{when}: a user without an account");
    }

    /// What must hold after somebody has signed in again.
    fn check_settled(&self, when: &str) {
        self.check_whole(when);
        let sandbox = &self.sandbox;
        let held: Vec<String> =
            session_files(sandbox).iter().filter_map(|file| token_in(file)).map(|token| digest(&token)).collect();
        let sql = sandbox.sql();
        let mut live = sql.prepare(r#"SELECT "token" FROM "session" WHERE "expiresAt" > unixepoch()"#).unwrap();
        let live: Vec<String> = live.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(live.iter().all(|token| held.contains(token)), "{when}: a live session whose token nobody holds");
        assert_eq!(live.len(), held.len(), "{when}: a session file of no session");
        let sessions = names(&sandbox.sessions());
        assert!(sessions.iter().all(|name| !name.ends_with(".tmp")), "{when}: {sessions:?}");
        let beside = names(sandbox.database().parent().unwrap());
        assert!(beside.iter().all(|name| !name.contains(".new")), "{when}: {beside:?}");
    }

    fn sign_in_again(&self, when: &str) {
        let run = self.sandbox.sign_in("ada@example.com");
        assert_eq!(run.code, 0, "{when}: {run}");
        self.check_settled(when);
    }

    fn signed_up(&self, when: &str) {
        self.check_whole(when);
        let retry = self.sandbox.run(self.words);
        assert!([0, 6].contains(&retry.code), "{when}: {retry}");
        if retry.code == 0 {
            self.check_settled(when);
        } else {
            self.sign_in_again(when);
        }
    }

    fn signed_in(&self, when: &str) {
        // Before the tester's own SQLite mends anything.
        let who = self.sandbox.run("whoami");
        assert_eq!(who.code, 0, "{when}: the old session or the new one: {who}");
        self.check_whole(when);
        self.sign_in_again(when);
    }

    fn signed_out(&self, when: &str) {
        let who = self.sandbox.run("whoami").code;
        assert!([0, 4].contains(&who), "{when}: {who}");
        self.check_whole(when);
        self.sandbox.run("signout").success();
        let left = session_files(&self.sandbox);
        assert!(left.is_empty(), "{when}: {left:?}");
        assert_eq!(self.sandbox.number(r#"SELECT count(*) FROM "session""#), 0, "{when}");
    }

    fn changed(&self, when: &str) {
        let tries = [PASSWORD, OTHER_PASSWORD]
            .map(|it| self.sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", it).code);
        self.check_whole(when);
        self.sandbox.execute("DELETE FROM authctl_throttle");
        let other = self.sandbox.other_shell("whoami").code;
        match (tries, other) {
            ([0, 7], 0) => drop(self.sandbox.run(self.words).success()),
            ([7, 0], 4) => drop(self.sandbox.run("whoami").success()),
            other => panic!("{when}: old and new password, the other shell: {other:?}"),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            std::fs::create_dir(&to).unwrap();
            std::fs::set_permissions(&to, from.metadata().unwrap().permissions()).unwrap();
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The files under their final names.
fn session_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let names = names(&sandbox.sessions()).into_iter().filter(|name| !name.starts_with('.'));
    names.map(|name| sandbox.sessions().join(name)).collect()
}

fn token_in(file: &Path) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    Some(document["token"].as_str()?.to_owned())
}

fn sign_up() -> Case {
    Case::new(Sandbox::new(), "signup ada@example.com --name Ada --password-file pw")
}

fn sign_in() -> Case {
    Case::new(Sandbox::with_ada(), "signin ada@example.com --password-file pw")
}

#[test]
fn a_sign_up_killed_at_any_moment_is_whole_or_not_there() {
    let case = sign_up();
    case.kill_by_time(|when| case.signed_up(when));
}

#[test]
fn a_sign_up_killed_at_any_call_is_whole_or_not_there() {
    let case = sign_up();
    case.kill_by_call(|when| case.signed_up(when));
}

#[test]
fn a_sign_in_killed_at_any_moment_leaves_no_session_that_nobody_holds() {
    let case = sign_in();
    case.kill_by_time(|when| case.signed_in(when));
}

#[test]
fn a_sign_in_killed_at_any_call_leaves_no_session_that_nobody_holds() {
    let case = sign_in();
    case.kill_by_call(|when| case.signed_in(when));
}

#[test]
fn a_sign_out_killed_at_any_moment_can_be_finished() {
    let case = Case::new(Sandbox::with_ada(), "signout");
    case.kill_by_time(|when| case.signed_out(when));
}

#[test]
fn a_password_change_killed_at_any_moment_leaves_the_old_or_the_new_one_in_force() {
    let sandbox = Sandbox::with_ada();
    let mut other = sandbox.command(["signin", "ada@example.com", "--password-stdin"]);
    other.env("XDG_CONFIG_HOME", sandbox.path("other-config"));
    sandbox.finish_with_input(&mut other, PASSWORD).success();
    let case = Case::new(sandbox, "password change --password-file change");
    case.kill_by_time(|when| case.changed(when));
}
