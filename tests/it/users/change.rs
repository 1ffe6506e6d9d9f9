//! `users update`, `verify-email`, `set-role` and `unlock`.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{PASSWORD, Sandbox};

fn user(sandbox: &Sandbox, named: &str) -> Value {
    sandbox.run(&format!("users show {named} --json")).json()["user"].clone()
}

/// A sandbox in which ada and bob are administrators and signed in, bob from the other shell.
fn with_two_admins() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", PASSWORD);
    sandbox.run("users create bob@example.com --name Bob --role admin --password-file pw").success();
    sandbox.run("users set-role ada@example.com admin").success();
    sandbox.other_shell("signin bob@example.com --password-file pw").success();
    sandbox
}

#[test]
fn a_name_and_a_picture_change_and_the_rest_stays() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE user SET emailVerified = 1, role = 'editor', updatedAt = 0");
    let mut before = user(&sandbox, "ada@example.com");
    let image = "https://example.com/a.png";
    let changed = sandbox.run_words(&["users", "update", "ada@example.com", "--name", "Countess", "--image", image]);
    assert_snapshot!(changed, @r"
    ------- stderr -------
    updated Countess <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    let mut after = user(&sandbox, "ada@example.com");
    assert_ne!(before["updatedAt"], after["updatedAt"]);
    assert_eq!((&after["name"], &after["image"]), (&"Countess".into(), &image.into()));
    for field in ["name", "image", "updatedAt"] {
        before[field] = Value::Null;
        after[field] = Value::Null;
    }
    assert_eq!(before, after);
    sandbox.run_words(&["users", "update", "ada@example.com", "--image", ""]).success();
    assert!(user(&sandbox, "ada@example.com")["image"].is_null());
    sandbox.run("whoami").success();
}

#[test]
fn a_new_address_is_lower_case_not_verified_and_signs_in() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users verify-email ada@example.com").success();
    let changed = sandbox.run("users update ada@example.com --email Countess@Example.ORG --json").json();
    assert_eq!(changed["act"], "updated");
    assert_eq!(
        (&changed["user"]["email"], &changed["user"]["emailVerified"]),
        (&"countess@example.org".into(), &false.into())
    );
    sandbox.sign_in("countess@example.org").success();
    let _ = sandbox.sign_in("ada@example.com").failure(7);
    let _ = sandbox.run("users exists ada@example.com").failure(3);
    sandbox.sign_up("ada@example.com", "Another").success();
}

#[test]
fn the_same_address_in_other_letters_stays_verified() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users verify-email ada@example.com").success();
    sandbox.run("users update ada@example.com --email ADA@EXAMPLE.COM").success();
    assert_eq!(user(&sandbox, "ada@example.com")["emailVerified"], true);
}

#[test]
fn a_refused_update_changes_nothing() {
    let sandbox = with_two_admins();
    let before = user(&sandbox, "ada@example.com");
    for (more, code, name) in [
        (&["--email", "BOB@example.com", "--name", "Eve"][..], 6, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
        (&["--email", "no-address", "--name", "Eve"], 2, "INVALID_EMAIL"),
        (&["--email", "", "--name", "Eve"], 2, "INVALID_EMAIL"),
        (&["--name", " "], 2, "VALIDATION_ERROR"),
        (&["--name", "A\x1b[2J", "--image", ""], 2, "VALIDATION_ERROR"),
        (&["--name", "Eve", "--image", "file:///etc/passwd"], 2, "VALIDATION_ERROR"),
        (&[], 2, "USAGE"),
    ] {
        let words = [&["users", "update", "ada@example.com", "--json"], more].concat();
        assert_eq!(sandbox.run_words(&words).json_error(code)["code"], name, "{words:?}");
        assert_eq!(user(&sandbox, "ada@example.com"), before, "{words:?}");
    }
}

#[test]
fn an_address_is_verified_and_the_word_is_taken_back() {
    let sandbox = Sandbox::with_ada();
    for (more, verified) in [("", true), ("", true), (" --undo", false), (" --undo", false)] {
        let changed = sandbox.run(&format!("users verify-email ada@example.com --json{more}")).json();
        assert_eq!(changed["act"], if verified { "verified" } else { "unverified" });
        assert_eq!(user(&sandbox, "ada@example.com")["emailVerified"], verified);
    }
    sandbox.run("whoami").success();
}

#[test]
fn lost_role_ends_sessions_and_gained_role_does_not() {
    let sandbox = with_two_admins();
    for role in ["editor,admin", "admin,editor", "admin,editor,reviewer"] {
        let changed = sandbox.run(&format!("users set-role bob@example.com {role} --json")).json();
        assert_eq!((&changed["act"], &changed["sessionsEnded"]), (&"roleSet".into(), &0.into()), "{role}");
        sandbox.other_shell("whoami").success();
    }
    assert_eq!(sandbox.run("users set-role bob@example.com admin --keep-sessions --json").json()["sessionsEnded"], 0);
    sandbox.other_shell("whoami").success();
    assert_snapshot!(sandbox.run("users set-role bob@example.com user"), @r"
    ------- stderr -------
    Bob <bob@example.com> is user and ended 1 session in [HOME]/.local/share/authctl/auth.db
    ");
    let _ = sandbox.other_shell("whoami").failure(4);
    sandbox.run("whoami").success();
}

#[test]
fn losing_the_role_user_ends_no_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com user").success();
    assert_eq!(sandbox.run("users set-role ada@example.com editor --json").json()["sessionsEnded"], 0);
    sandbox.run("whoami").success();
}

#[test]
fn the_last_administrator_keeps_the_role_unless_forced() {
    let sandbox = with_two_admins();
    sandbox.run("users set-role bob@example.com superadmin").success();
    assert_snapshot!(sandbox.run("users set-role ada@example.com user"), @r"
    ------- stderr -------
    error: could not set the role: this is the last administrator
    hint: make another user administrator first, or pass --force-last-admin
    [exit status: 5]
    ");
    assert_eq!(user(&sandbox, "ada@example.com")["role"], "admin");
    sandbox.run("whoami").success();
    sandbox.run("users set-role ada@example.com editor,admin").success();
    sandbox.run("users set-role ada@example.com user --force-last-admin").success();
    assert_eq!(user(&sandbox, "ada@example.com")["role"], "user");
}

#[test]
fn banned_administrator_does_not_count() {
    let sandbox = with_two_admins();
    sandbox.run("users ban bob@example.com --for 1h").success();
    for words in ["set-role ada@example.com user", "ban ada@example.com", "delete ada@example.com --yes"] {
        assert_eq!(sandbox.run(&format!("users {words} --json")).json_error(5)["code"], "LAST_ADMIN", "{words}");
    }
    sandbox.run("whoami").success();
    sandbox.execute("UPDATE user SET banExpires = unixepoch() WHERE name = 'Bob'");
    sandbox.run("users set-role ada@example.com user").success();
    let _ = sandbox.run("users set-role bob@example.com user").failure(5);
}

#[test]
fn two_administrators_who_demote_each_other_leave_one() {
    let sandbox = with_two_admins();
    for round in 0..6 {
        sandbox.execute("UPDATE user SET role = 'admin'");
        let start = |email: &str| {
            let mut command = sandbox.command(["users", "set-role", email, "user", "--wait", "60s"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let both = [start("ada@example.com"), start("bob@example.com")];
        let mut codes = both.map(|child| sandbox.ran(&child.wait_with_output().unwrap()).code);
        codes.sort_unstable();
        assert_eq!(codes, [0, 5], "round {round}");
        assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE role = 'admin'"), 1, "round {round}");
    }
}

#[test]
fn a_role_is_made_of_plain_words() {
    let sandbox = with_two_admins();
    for role in ["", " ", "a b", "admin,", ",admin", "admin, editor", "a\u{1b}", "a%"] {
        let error = sandbox.run_words(&["users", "set-role", "bob@example.com", role, "--json"]).json_error(2);
        assert_eq!(error["code"], "INVALID_ROLE", "{role:?}");
    }
    assert_eq!(user(&sandbox, "bob@example.com")["role"], "admin");
    sandbox.other_shell("whoami").success();
}

#[test]
fn unlocked_user_signs_in_at_once() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    for email in ["ada@example.com", "bob@example.com"] {
        for _ in 0..5 {
            let wrong = sandbox.run_with_input(&format!("signin {email} --password-stdin"), "wrong words here");
            let _ = wrong.failure(7);
        }
    }
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 600");
    let _ = sandbox.sign_in("ada@example.com").failure(8);
    assert_snapshot!(sandbox.run("users unlock ADA@example.com"), @r"
    ------- stderr -------
    forgot the failed attempts of Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    sandbox.sign_in("ada@example.com").success();
    let _ = sandbox.sign_in("bob@example.com").failure(8);
    assert_eq!(sandbox.run("users unlock bob@example.com --json").json()["act"], "unlocked");
    sandbox.sign_in("bob@example.com").success();
}
