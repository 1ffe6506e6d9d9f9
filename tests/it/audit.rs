//! The audit entries of each act.

mod broken;
mod follow;
mod form;
mod many;
mod read;
mod refused;
mod who;

use std::collections::HashMap;

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

/// The current password and a new one, each on its own line.
pub const TWO_PASSWORDS: &str = "correct horse battery staple\nnine purple umbrellas sing\n";

/// All entries, the oldest first.
pub fn entries(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.run("audit list --json").json()["entries"].as_array().unwrap().clone()
}

/// The log with names in place of ids.
struct Reader<'a> {
    sandbox: &'a Sandbox,
    names: HashMap<String, &'static str>,
    read: usize,
}

impl<'a> Reader<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, names: HashMap::new(), read: 0 }
    }

    /// Names the id that a query returns.
    fn name(&mut self, name: &'static str, sql: &str) {
        let id: String = self.sandbox.sql().query_row(sql, [], |row| row.get(0)).unwrap();
        self.names.insert(id, name);
    }

    /// The entries since the last call, one line each.
    fn news(&mut self) -> String {
        let all = entries(self.sandbox);
        let name = |id: &Value| match id.as_str() {
            Some(id) => (*self.names.get(id).unwrap_or(&"UNKNOWN")).to_owned(),
            None => "-".to_owned(),
        };
        let line = |entry: &Value| {
            let [event, reason, detail] = ["event", "reason", "detail"].map(|key| entry[key].as_str().unwrap_or("-"));
            let [user, session, actor] = ["userId", "sessionId", "actorId"].map(|key| name(&entry[key]));
            format!("{event}: of {user}, session {session}, by {actor}, reason {reason}, {detail}\n")
        };
        let text = all[self.read..].iter().map(line).collect();
        self.read = all.len();
        text
    }
}

#[test]
fn acts_of_users_are_logged_with_actor_and_subject() {
    let sandbox = Sandbox::with_ada();
    let mut reader = Reader::new(&sandbox);
    reader.name("ada", "SELECT id FROM user");
    reader.name("first", "SELECT id FROM session");
    assert_snapshot!(reader.news(), @r"
    user.created: of ada, session -, by -, reason -, roles: user
    session.begun: of ada, session first, by -, reason -, -
    ");
    sandbox.file("pw", PASSWORD);
    sandbox.other_shell("signin ada@example.com --password-file pw").success();
    reader.name("second", "SELECT id FROM session ORDER BY rowid DESC LIMIT 1");
    assert_snapshot!(reader.news(), @"session.begun: of ada, session second, by -, reason -, -");

    sandbox.execute("UPDATE session SET updatedAt = updatedAt - 90000, expiresAt = expiresAt - 90000");
    sandbox.run("whoami").success();
    let moved = reader.news();
    assert!(moved.starts_with("session.moved: of ada, session first, by ") && moved.lines().count() == 1, "{moved}");
    sandbox.run_words(&["account", "update", "--name", "Countess", "--reason", "new name"]).success();
    assert_snapshot!(reader.news(), @"user.updated: of ada, session -, by ada, reason new name, -");
    sandbox.run_with_input("password change --password-stdin", TWO_PASSWORDS).success();
    assert_snapshot!(reader.news(), @"
    password.changed: of ada, session -, by ada, reason -, -
    session.ended: of ada, session second, by ada, reason -, -
    ");
    sandbox.run("signout").success();
    let signed_out = reader.news();
    assert!(signed_out.starts_with("session.ended: of ada, session first, by "), "{signed_out}");

    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
    reader.name("third", "SELECT id FROM session");
    sandbox.run("sessions revoke --all").success();
    assert_snapshot!(reader.news(), @r"
    session.begun: of ada, session third, by -, reason -, -
    session.ended: of ada, session third, by ada, reason -, -
    ");
    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
    reader.name("fourth", "SELECT id FROM session");
    sandbox.run("account delete --yes").success();
    assert_snapshot!(reader.news(), @r"
    session.begun: of ada, session fourth, by -, reason -, -
    user.deleted: of ada, session -, by ada, reason -, with 1 session
    ");
    sandbox.run("audit verify").success();
}

#[test]
fn acts_of_operators_are_logged_with_subject_and_reason() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    let mut reader = Reader::new(&sandbox);
    sandbox.run("users create bob@example.com --name Bob --role editor --password-file pw --reason hired").success();
    reader.name("bob", "SELECT id FROM user");
    sandbox.other_shell("signin bob@example.com --password-file pw").success();
    reader.name("first", "SELECT id FROM session");
    sandbox.run("users update bob@example.com --name Rob --email rob@example.com").success();
    sandbox.run("users verify-email rob@example.com").success();
    sandbox.run("users verify-email rob@example.com --undo").success();
    assert_snapshot!(reader.news(), @r"
    user.created: of bob, session -, by -, reason hired, roles: editor
    session.begun: of bob, session first, by -, reason -, -
    user.updated: of bob, session -, by -, reason -, -
    email.changed: of bob, session -, by -, reason -, -
    email.verified: of bob, session -, by -, reason -, -
    email.unverified: of bob, session -, by -, reason -, -
    ");
    sandbox.run_with_input("users set-password rob@example.com --password-stdin", OTHER_PASSWORD).success();
    let sign_in = || {
        let _ = sandbox.run_with_input("signin rob@example.com --password-stdin", OTHER_PASSWORD).success();
    };
    sign_in();
    reader.name("second", "SELECT id FROM session");
    sandbox.run("users set-role rob@example.com user").success();
    assert_snapshot!(reader.news(), @r"
    password.set: of bob, session -, by -, reason -, -
    session.ended: of bob, session first, by -, reason -, -
    session.begun: of bob, session second, by -, reason -, -
    role.set: of bob, session -, by -, reason -, roles: user
    session.ended: of bob, session second, by -, reason -, -
    ");
    sign_in();
    reader.name("third", "SELECT id FROM session");
    sandbox.run("users ban rob@example.com --reason spam").success();
    sandbox.run("users unban rob@example.com").success();
    sign_in();
    reader.name("fourth", "SELECT id FROM session");
    sandbox.run("sessions revoke --user rob@example.com --all --reason stolen").success();
    assert_snapshot!(reader.news(), @r"
    session.begun: of bob, session third, by -, reason -, -
    user.banned: of bob, session -, by -, reason spam, -
    session.ended: of bob, session third, by -, reason spam, -
    user.unbanned: of bob, session -, by -, reason -, -
    session.begun: of bob, session fourth, by -, reason -, -
    session.ended: of bob, session fourth, by -, reason stolen, -
    ");
    sign_in();
    sandbox.execute("UPDATE session SET expiresAt = 0");
    let _ = reader.news();
    sandbox.run("sessions prune").success();
    sandbox.run("policy set session.lifetime 30d").success();
    sandbox.run("policy unset session.lifetime").success();
    sandbox.run("users delete rob@example.com --yes").success();
    assert_snapshot!(reader.news(), @r"
    sessions.pruned: of -, session -, by -, reason -, 1 expired session
    policy.set: of -, session -, by -, reason -, session.lifetime = 30d
    policy.set: of -, session -, by -, reason -, session.lifetime = 7d
    user.deleted: of bob, session -, by -, reason -, with 0 sessions
    ");
    sandbox.run("audit verify").success();
}

#[test]
fn operating_system_names_user_and_host() {
    let sandbox = Sandbox::new();
    // `USER` may name another user than the operating system does.
    let mut command = sandbox.command(["db", "init"]);
    sandbox.finish(command.env("USER", "mallory")).success();
    let mut command = sandbox.command(["users", "create", "bob@example.com", "--name", "Bob", "--no-password"]);
    sandbox.finish(command.env("USER", "mallory").env("LOGNAME", "mallory").env("HOSTNAME", "elsewhere")).success();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let id = std::process::Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(id.stdout).unwrap();
    for entry in entries(&sandbox) {
        assert_eq!(entry["host"], host.as_str());
        if id.status.success() {
            assert_eq!(entry["osUser"], user.trim());
        }
    }
}

#[test]
fn failed_sign_in_is_logged_without_an_unknown_address() {
    let sandbox = Sandbox::with_ada();
    let known = sandbox.run("whoami --json").json()["user"]["id"].clone();
    let before = entries(&sandbox).len();
    let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "canary-one words").failure(7);
    let _ = sandbox.run_with_input("signin canary-two@example.com --password-stdin", "canary-three words").failure(7);
    let both = entries(&sandbox).split_off(before);
    assert_eq!(both.len(), 2, "{both:#?}");
    assert!(both.iter().all(|entry| entry["event"] == "signin.failed" && entry["sessionId"].is_null()));
    assert_eq!((&both[0]["userId"], &both[0]["detail"]), (&known, &Value::Null));
    assert!(both[1]["userId"].is_null());
    let detail = both[1]["detail"].as_str().unwrap();
    let key = detail.strip_prefix("nobody: ").unwrap();
    let whole: String = sandbox
        .sql()
        .query_row("SELECT key FROM authctl_throttle WHERE key LIKE ?1 || '%'", [key], |row| row.get(0))
        .unwrap();
    assert!(key.len() == 12 && whole.len() > 40, "only a piece: {key} of {whole}");
    assert_eq!((&both[0]["userEmail"], &both[1]["userEmail"]), (&"ada@example.com".into(), &Value::Null));
    let log = sandbox.run("audit export").success();
    assert!(!log.contains("canary"), "{log}");
    let addresses: Vec<&str> = log.split('"').filter(|text| text.contains('@')).collect();
    assert!(addresses.iter().all(|address| *address == "ada@example.com"), "{addresses:?}");
}

#[test]
fn refused_sign_in_is_logged_with_its_reason() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users ban ada@example.com").success();
    for words in ["signin ada@example.com --password-stdin", "signin ada@example.com --password-stdin --no-store"] {
        let before = entries(&sandbox).len();
        let _ = sandbox.run_with_input(words, PASSWORD).failure(5);
        let after = entries(&sandbox).split_off(before);
        assert_eq!(after.len(), 1, "{after:#?}");
        assert_eq!((&after[0]["event"], &after[0]["detail"]), (&"signin.failed".into(), &"BANNED_USER".into()));
    }
}
