//! `users show` and `users exists`, and how commands resolve a user argument.

use insta::assert_snapshot;
use serde_json::json;

use crate::sandbox::Sandbox;

fn fail_to_sign_in(sandbox: &Sandbox, times: usize) {
    for _ in 0..times {
        let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "wrong words here").failure(7);
    }
}

fn id_of_ada(sandbox: &Sandbox) -> String {
    sandbox.sql().query_row("SELECT id FROM user WHERE email = 'ada@example.com'", [], |row| row.get(0)).unwrap()
}

#[test]
fn everything_about_a_user_is_shown_by_address_and_by_id() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("users show ADA@Example.com"), @r"
    name             Ada
    email            ada@example.com
    verified         no
    user id          [ID]
    image            -
    role             user
    banned           no
    second factor    no
    signs in by      credential
    live sessions    1
    failed attempts  0
    locked           no
    created          [TIME]
    updated          [TIME]
    ");
    let by_id = sandbox.run(&format!("users show {}", id_of_ada(&sandbox))).success();
    assert_eq!(by_id, sandbox.run("users show ada@example.com").success());
}

#[test]
fn a_ban_and_other_ways_to_sign_in_are_shown() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(
        "INSERT INTO account (id, accountId, providerId, userId, createdAt, updatedAt)
         SELECT 'link', '1234', 'github', id, 0, 0 FROM user;
         UPDATE user SET banned = 1, banReason = 'spam', banExpires = 4000000000, twoFactorEnabled = 1",
    );
    let shown = sandbox.run("users show ada@example.com").success();
    let has = |line: &str| shown.lines().any(|one| one.split_whitespace().collect::<Vec<_>>().join(" ") == line);
    for line in ["banned until 2096-10-02T07:06:40.000Z: spam", "second factor yes", "signs in by credential, github"] {
        assert!(has(line), "{line}: {shown}");
    }
    let user = sandbox.run("users show ada@example.com --json").json();
    let github = json!({ "providerId": "github", "accountId": "1234", "hasPassword": false });
    assert_eq!(user["accounts"][1], github);
    let credential = json!({ "providerId": "credential", "accountId": id_of_ada(&sandbox), "hasPassword": true });
    assert_eq!(user["accounts"][0], credential);
    assert_eq!(user["liveSessions"], 1);
    assert_eq!(user["user"]["banReason"], "spam");
}

#[test]
fn expired_session_is_not_counted_as_live() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE session SET expiresAt = unixepoch()");
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["liveSessions"], 0);
}

#[test]
fn failed_attempts_and_how_long_they_lock_out_are_shown() {
    let sandbox = Sandbox::with_ada();
    let state = || {
        let user = sandbox.run("users show ada@example.com --json").json();
        (user["failedAttempts"].as_i64().unwrap(), user["lockedFor"].as_i64())
    };
    assert_eq!(state(), (0, None));
    fail_to_sign_in(&sandbox, 4);
    assert_eq!(state(), (4, None));
    fail_to_sign_in(&sandbox, 1);
    // Beyond the longest wait, which caps it, so that the output does not depend on the clock.
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 86400");
    assert_eq!(state(), (5, Some(900)));
    assert!(sandbox.run("users show ada@example.com").success().contains("locked           for 15 minutes\n"));
    assert_eq!(state(), (5, Some(900)), "to look is no attempt");
    sandbox.execute("UPDATE authctl_throttle SET notBefore = unixepoch(), lastAt = unixepoch() - 15");
    assert_eq!(state(), (5, None));
}

#[test]
fn whether_a_user_exists_is_an_exit_code() {
    let sandbox = Sandbox::with_ada();
    let id = id_of_ada(&sandbox);
    assert_snapshot!(sandbox.run("users exists ada@example.com"), @r"
    ------- stderr -------
    the user exists
    ");
    assert_snapshot!(sandbox.run("users exists ada@example.com --quiet"), @"");
    assert_eq!(sandbox.run(&format!("users exists {id} --json")).json(), json!({ "exists": true }));
    assert_snapshot!(sandbox.run("users exists bob@example.com"), @r"
    ------- stderr -------
    error: no such user: bob@example.com
    hint: `authctl users list --search` finds users
    [exit status: 3]
    ");
    assert_eq!(sandbox.run("users exists unknown --json").json_error(3)["code"], "USER_NOT_FOUND");
}

/// All commands that take a user, with the given one.
fn every_command(user: &str) -> Vec<Vec<&str>> {
    let commands = [
        "show",
        "exists",
        "update --name X",
        "delete --yes",
        "set-password --generate",
        "set-role editor",
        "verify-email",
        "ban",
        "unban",
        "unlock",
        "explain",
        "impersonate",
    ];
    let words = |command: &'static str| {
        let (name, more) = command.split_once(' ').unwrap_or((command, ""));
        // Before the other arguments, because the role follows the user.
        [vec!["users", name, user], more.split_whitespace().collect(), vec!["--json"]].concat()
    };
    commands.map(words).to_vec()
}

#[test]
fn no_command_takes_a_part_of_a_name_or_a_pattern() {
    let sandbox = Sandbox::with_ada();
    let id = id_of_ada(&sandbox);
    let before = sandbox.run("users show ada@example.com --json").json();
    let shouted = if id == id.to_uppercase() { id.to_lowercase() } else { id.to_uppercase() };
    for user in ["ada", &id[..5], &id[1..], &shouted, "%", "", "Ada", "ad_@example.com", "da@example.com"] {
        for words in every_command(user) {
            assert_eq!(sandbox.run_words(&words).json_error(3)["code"], "USER_NOT_FOUND", "{words:?}");
        }
    }
    assert_eq!(sandbox.run("users show ada@example.com --json").json(), before);
}

#[test]
fn invalid_address_is_a_usage_error() {
    let sandbox = Sandbox::with_ada();
    for user in ["ada@", "@example.com", "ada@localhost", "a da@example.com"] {
        for words in every_command(user) {
            assert_eq!(sandbox.run_words(&words).json_error(2)["code"], "INVALID_EMAIL", "{words:?}");
        }
    }
}
