//! `account update` and `account delete`.

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

/// The numbers of users, accounts and sessions.
fn counts(sandbox: &Sandbox) -> [i64; 3] {
    ["user", "account", "session"].map(|table| sandbox.number(&format!("SELECT count(*) FROM {table}")))
}

#[test]
fn name_and_image_can_be_changed_separately() {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.execute("UPDATE user SET updatedAt = 1000, createdAt = 1000");
    assert_snapshot!(sandbox.run_words(&["account", "update", "--name", "Ada King"]), @"
    ------- stderr -------
    updated the account of Ada King <ada@example.com>
    ");
    let image = "https://example.com/ada.png";
    let answer = sandbox.run_words(&["account", "update", "--image", image, "--json"]).json();
    assert_eq!((&answer["user"]["name"], &answer["user"]["image"]), (&"Ada King".into(), &image.into()));
    let user = sandbox.run("whoami --json").json()["user"].clone();
    assert_eq!(user, answer["user"]);
    assert_eq!(user["createdAt"], "1970-01-01T00:16:40.000Z");
    assert_ne!(user["updatedAt"], user["createdAt"]);
    let bob = "SELECT count(*) FROM user WHERE name = 'Bob' AND image IS NULL AND updatedAt = 1000";
    assert_eq!(sandbox.number(bob), 1, "another user was changed");
}

#[test]
fn empty_image_removes_it_and_keeps_the_name() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("account update --image https://example.com/ada.png").success();
    sandbox.run_words(&["account", "update", "--image", ""]).success();
    let user = sandbox.run("whoami --json").json()["user"].clone();
    assert!(user["image"].is_null(), "{user}");
    assert_eq!(user["name"], "Ada");
}

#[test]
fn empty_or_invalid_update_is_refused() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("account update"), @"
    ------- stderr -------
    error: the following required arguments were not provided: <--name <NAME>|--image <URL>>
    hint: usage: authctl account update <--name <NAME>|--image <URL>>
    [exit status: 2]
    ");
    for words in [["--name", ""], ["--name", "A\x1b[2J"], ["--image", "ada.png"]] {
        let ran = sandbox.run_words(&["account", "update", words[0], words[1], "--json"]);
        assert_eq!(ran.json_error(2)["code"], "VALIDATION_ERROR", "{words:?}");
    }
    // Either all changes are stored or none.
    let both = sandbox.run_words(&["account", "update", "--name", "Eve", "--image", "ada.png", "--json"]);
    assert_eq!(both.json_error(2)["code"], "VALIDATION_ERROR");
    assert_eq!(sandbox.run("whoami --json").json()["user"]["name"], "Ada");
}

#[test]
fn account_commands_need_a_sign_in() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    for words in ["account update --name Eve", "account delete --yes"] {
        let _ = sandbox.run(words).failure(4);
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE name = 'Ada'"), 1);
}

#[test]
fn delete_without_terminal_names_the_flag() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("account delete"), @"
    ------- stderr -------
    error: could not delete the account: a confirmation is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --yes
    [exit status: 2]
    ");
    // Standard input is not an answer to the confirmation.
    let _ = sandbox.run_with_input("account delete", "y\n").failure(2);
    assert_eq!(counts(&sandbox), [1, 1, 1]);
    sandbox.run("whoami --check").success();
}

#[test]
fn delete_removes_account_sessions_and_session_file() {
    let sandbox = Sandbox::with_ada_and_bob();
    let printed = "signin ada@example.com --password-stdin --print-token";
    let token = sandbox.run_with_input(printed, PASSWORD).success();
    sandbox.execute(
        "INSERT INTO verification (id, identifier, value, expiresAt)
         SELECT id, 'reset-password:' || email, id, unixepoch() + 3600 FROM user;
         INSERT INTO account (id, accountId, providerId, userId, createdAt, updatedAt)
         SELECT 'oauth', '4711', 'github', id, 0, 0 FROM user WHERE name = 'Ada'",
    );
    assert_eq!(counts(&sandbox), [2, 3, 3]);
    assert_snapshot!(sandbox.run("account delete --yes"), @"
    ------- stderr -------
    deleted the account of Ada <ada@example.com> with 2 sessions
    ");
    assert_eq!(counts(&sandbox), [1, 1, 1]);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0);
    let with_token = sandbox.finish(sandbox.command(["whoami"]).env("AUTHCTL_TOKEN", token.trim_end()));
    let _ = with_token.failure(4);
    let _ = sandbox.sign_in("ada@example.com").failure(7);
    // Bob's session is unaffected.
    sandbox.other_shell("whoami --check").success();
    let bobs_code = "SELECT count(*) FROM verification JOIN user ON user.id = value WHERE name = 'Bob'";
    assert_eq!((sandbox.number("SELECT count(*) FROM verification"), sandbox.number(bobs_code)), (1, 1));
    sandbox.sign_in("bob@example.com").success();
}

#[test]
fn delete_json_has_the_deleted_user() {
    let sandbox = Sandbox::with_ada();
    let answer = sandbox.run("account delete --yes --json").json();
    assert_eq!(answer["deleted"]["email"], "ada@example.com");
    assert_eq!(answer["sessions"], 1);
}

#[test]
fn delete_needs_a_fresh_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE session SET createdAt = createdAt - 25 * 3600");
    assert_snapshot!(sandbox.run("account delete --yes"), @"
    ------- stderr -------
    error: could not delete the account: the sign-in is too long ago for this
    hint: sign in again with `authctl signin`
    [exit status: 5]
    ");
    assert_eq!(sandbox.run("account delete --yes --json").json_error(5)["code"], "SESSION_NOT_FRESH");
    // The refusal comes before any prompt.
    let _ = sandbox.run("account delete").failure(5);
    assert_eq!(counts(&sandbox), [1, 1, 1]);
    // Using a session does not make it fresh; signing in does.
    sandbox.run("whoami").success();
    let _ = sandbox.run("account delete --yes").failure(5);
    sandbox.sign_in("ada@example.com").success();
    sandbox.run("account delete --yes").success();
}

#[test]
fn the_last_administrator_stays_unless_forced() {
    let sandbox = Sandbox::with_ada_and_bob();
    for role in ["admin", "user,admin", "admin, editor"] {
        sandbox.execute(&format!("UPDATE user SET role = '{role}' WHERE name = 'Ada'"));
        assert_eq!(sandbox.run("account delete --yes --json").json_error(5)["code"], "LAST_ADMIN", "{role}");
    }
    assert_snapshot!(sandbox.run("account delete --yes"), @"
    ------- stderr -------
    error: could not delete the account: this is the last administrator
    hint: make another user administrator first, or pass --force-last-admin
    [exit status: 5]
    ");
    // Neither a role with a similar name nor a banned administrator counts as another one.
    for other in ["role = 'administrator'", "role = 'admin', banned = 1"] {
        sandbox.execute(&format!("UPDATE user SET {other} WHERE name = 'Bob'"));
        let _ = sandbox.run("account delete --yes").failure(5);
    }
    assert_eq!(counts(&sandbox), [2, 2, 2]);
    sandbox.run("account delete --yes --force-last-admin").success();
    assert_eq!(counts(&sandbox), [1, 1, 1]);
}

#[test]
fn administrator_can_be_deleted_unless_last() {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.execute("UPDATE user SET role = 'admin'");
    sandbox.run("account delete --yes").success();
    assert_eq!(counts(&sandbox), [1, 1, 1]);
    assert_eq!(sandbox.other_shell("account delete --yes --json").json_error(5)["code"], "LAST_ADMIN");
}
