//! Commands killed at each system call that changes a file: the next command finds the old or the new state.

use std::path::{Path, PathBuf};

use authctl::auth::secret::digest;
use rusqlite::Connection;

use crate::kill::Case;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

impl Case {
    /// Invariants after any kill.
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

    /// What must hold after a new sign-in.
    fn check_settled(&self, when: &str) {
        self.check_whole(when);
        let sandbox = &self.sandbox;
        let held: Vec<String> =
            session_files(sandbox).iter().filter_map(|file| token_in(file)).map(|token| digest(&token)).collect();
        let sql = sandbox.sql();
        let mut live = sql.prepare(r#"SELECT "token" FROM "session" WHERE "expiresAt" > unixepoch()"#).unwrap();
        let live: Vec<String> = live.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(live.iter().all(|token| held.contains(token)), "{when}: a live session whose token is lost");
        assert_eq!(live.len(), held.len(), "{when}: a session file of no session");
        let sessions = names(&sandbox.sessions());
        assert!(sessions.iter().all(|name| !name.contains(".tmp")), "{when}: {sessions:?}");
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
        // Before the SQLite of the test recovers the journal.
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

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Files with their final names.
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
fn sign_up_killed_at_any_call_is_whole_or_absent() {
    let case = sign_up();
    case.kill_by_call(|when| case.signed_up(when));
}

#[test]
fn sign_in_killed_at_any_call_leaves_no_orphan_session() {
    let case = sign_in();
    case.kill_by_call(|when| case.signed_in(when));
}

#[test]
fn sign_out_killed_at_any_call_can_be_repeated() {
    let case = Case::new(Sandbox::with_ada(), "signout");
    case.kill_by_call(|when| case.signed_out(when));
}

#[test]
fn password_change_killed_at_any_call_keeps_one_password_valid() {
    let case = Case::new(Sandbox::with_ada_in_two_shells(), "password change --password-file change");
    case.kill_by_call(|when| case.changed(when));
}
