//! The audit log names users by address, deleted ones too, and has no entries of acts that changed nothing.

use serde_json::Value;

use crate::app::{App, KYSELY};
use crate::audit::entries;
use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Sandbox};

/// Runs an act twice. The first run changes something; the second does not and must write no entry.
fn twice(sandbox: &Sandbox, words: &str, event: &str) {
    let before = entries(sandbox).len();
    let first = sandbox.run(&format!("{words} --json")).json();
    assert_eq!(first["changed"], true, "{words}: {first}");
    let new = entries(sandbox).split_off(before);
    assert_eq!(new[0]["event"], event, "{words}");
    for entry in &new {
        assert!(entry["changes"].is_object() || event == "user.unlocked", "{words}: {entry}");
    }
    // A second write within the same second would not be visible.
    sandbox.execute("UPDATE user SET updatedAt = 1; UPDATE authctl_policy SET updatedAt = 1");
    let second = sandbox.run(words);
    assert_eq!((second.code, second.stdout.as_str()), (0, ""), "{words}: {second}");
    assert!(second.stderr.trim_end().ends_with("; nothing was changed"), "{words}: {second}");
    assert_eq!(sandbox.run(&format!("{words} --json")).json()["changed"], false, "{words}");
    assert_eq!(entries(sandbox).len(), before + new.len(), "{words} leaves no entry");
    let written = "SELECT (SELECT count(*) FROM user WHERE updatedAt <> 1)
        + (SELECT count(*) FROM authctl_policy WHERE updatedAt <> 1)";
    assert_eq!(sandbox.number(written), 0, "{words} writes no row");
}

#[test]
fn act_that_changes_nothing_says_so_and_leaves_no_entry() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    let bob = entries(&sandbox)[2]["userId"].as_str().unwrap().to_owned();
    for (words, event) in [
        ("account update --name Countess", "user.updated"),
        ("users update BOB --name Rob", "user.updated"),
        ("users update BOB --email Bob@example.org", "email.changed"),
        ("users set-role BOB editor", "role.set"),
        ("users verify-email BOB", "email.verified"),
        ("users verify-email BOB --undo", "email.unverified"),
        ("users ban BOB --reason spam", "user.banned"),
        ("users ban BOB", "user.banned"),
        ("users unban BOB", "user.unbanned"),
        ("policy set session.lifetime 30d", "policy.set"),
        ("policy unset session.lifetime", "policy.set"),
    ] {
        twice(&sandbox, &words.replace("BOB", &bob), event);
    }
    let _ = sandbox.run_with_input("signin bob@example.org --password-stdin", PASSWORD).failure(7);
    twice(&sandbox, "users unlock bob@example.org", "user.unlocked");
    sandbox.run("audit verify").success();
}

#[test]
fn ban_of_a_banned_user_still_ends_sessions_and_says_so() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users ban ada@example.com").success();
    // Another program can write a session for a banned user.
    sandbox.file("pw", PASSWORD);
    sandbox.execute("UPDATE user SET banned = 0");
    sandbox.other_shell("signin ada@example.com --password-file pw").success();
    sandbox.execute("UPDATE user SET banned = 1");
    let before = entries(&sandbox).len();
    let again = sandbox.run("users ban ada@example.com");
    assert!(again.stderr.contains("already banned") && again.stderr.contains("ended 1 session"), "{again}");
    assert!(!again.stderr.contains("nothing was changed"), "{again}");
    let new: Vec<Value> = entries(&sandbox).split_off(before);
    assert_eq!(new.iter().map(|entry| entry["event"].as_str().unwrap()).collect::<Vec<_>>(), ["session.ended"]);
}

/// The numbers of the entries whose actor or subject is the user.
fn seqs(sandbox: &Sandbox, user: &str) -> Vec<i64> {
    let list = sandbox.run(&format!("audit list --user {user} --json")).json();
    list["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

#[test]
fn deleted_user_is_found_by_every_address_and_by_id() {
    let sandbox = Sandbox::new();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    sandbox.run("users update bob@example.com --email rob@example.com").success();
    let id = entries(&sandbox)[0]["userId"].as_str().unwrap().to_owned();
    sandbox.run("users create eve@example.com --name Eve --no-password").success();
    sandbox.run("users delete rob@example.com --yes").success();
    for user in ["bob@example.com", "rob@example.com", "ROB@example.com", &id, &id[..6]] {
        assert_eq!(seqs(&sandbox, user), [1, 2, 4], "{user}");
    }
    assert_eq!(sandbox.run("audit list --user unknown@example.com --json").json_error(3)["code"], "USER_NOT_FOUND");
    // The filter matches the user who has the address now, and earlier users for the time they had it.
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    assert_eq!(seqs(&sandbox, "bob@example.com"), [1, 2, 5]);
    assert_eq!(seqs(&sandbox, "rob@example.com"), [1, 2, 4]);
}

#[test]
fn deleted_user_is_found_as_the_actor_too() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("account update --name Countess").success();
    sandbox.run("account delete --yes").success();
    let log = entries(&sandbox);
    assert_eq!(log[2]["actorEmail"], "ada@example.com");
    assert_eq!((&log[3]["event"], &log[3]["actorEmail"]), (&"user.deleted".into(), &"ada@example.com".into()));
    sandbox.execute("UPDATE authctl_audit SET userId = NULL, userEmail = NULL");
    assert_eq!(seqs(&sandbox, "ada@example.com"), [3, 4], "acts by a user and about a user count alike");
}

#[test]
fn impersonation_is_logged_with_operator_and_user() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com admin").success();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    let before = entries(&sandbox).len();
    sandbox.run("users impersonate bob@example.com").success();
    sandbox.run("users impersonate --stop").success();
    let new = entries(&sandbox).split_off(before);
    let answer: Vec<_> = new.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(answer, ["session.impersonated", "session.ended"]);
    for entry in &new {
        assert_eq!((&entry["userEmail"], &entry["actorEmail"]), (&"bob@example.com".into(), &"ada@example.com".into()));
    }
}

#[test]
fn deleted_user_of_an_app_is_found_by_address() {
    let app = App::new(KYSELY);
    app.run("users ban bob@example.com --reason spam").success();
    app.run("users delete bob@example.com --yes").success();
    let list = app.run("audit list --user bob@example.com --json").json();
    let answer: Vec<_> = list["entries"].as_array().unwrap().iter().map(|entry| &entry["event"]).collect();
    assert!(answer.contains(&&"user.banned".into()) && answer.contains(&&"user.deleted".into()), "{list}");
    assert!(list["entries"].as_array().unwrap().iter().all(|entry| entry["userEmail"] == "bob@example.com"), "{list}");
}

#[test]
fn list_shows_addresses_and_old_and_new_values() {
    let sandbox = Sandbox::with_ada();
    sandbox.run_words(&["account", "update", "--name", "Countess", "--reason", "new name"]).success();
    sandbox.run("users set-role ada@example.com editor,admin").success();
    let list = sandbox.run("audit list").success();
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[1].contains("  ada@example.com  ") && lines[1].contains("roles: user"), "{list}");
    assert!(lines[3].contains(" as ada@example.com  ada@example.com  "), "{list}");
    assert!(lines[3].ends_with("new name  name changed from Ada to Countess"), "{list}");
    assert!(lines[4].ends_with("role set to editor,admin"), "{list}");
}

#[test]
fn list_fits_a_terminal() {
    let sandbox = Sandbox::with_ada();
    sandbox.run_words(&["account", "update", "--name", "Countess", "--reason", "new name"]).success();
    for columns in [60, 80, 120] {
        let list = sandbox.command(["audit", "list", "--color", "never"]);
        let text = Terminal::with_columns(columns).run(list).end().with_code(0);
        assert!(text.lines().all(|line| line.trim_end().chars().count() <= usize::from(columns)), "{text}");
        assert!(text.contains("  BY  ") && text.matches("ada@exa").count() >= 4, "{text}");
        assert!(columns < 80 || text.contains("name changed"), "{text}");
        // A slow run shows longer times, and cuts the reason.
        assert!(columns < 120 || text.contains("name changed from Ada to Countess"), "{text}");
        let is_of_ada = |line: &str| line.contains("user.updated") && line.matches("ada@example.c").count() == 2;
        assert!(columns < 120 || text.lines().any(is_of_ada), "{text}");
    }
}
