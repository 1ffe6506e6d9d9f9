//! `password change` and its alias `passwd`.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

fn change(sandbox: &Sandbox, more: &str, current: &str, new: &str) -> Ran {
    sandbox.run_with_input(&format!("password change --password-stdin {more}"), format!("{current}\n{new}\n"))
}

fn sign_in_with(sandbox: &Sandbox, password: &str) -> Ran {
    sandbox.run_with_input("signin ada@example.com --password-stdin", password)
}

#[test]
fn password_change_ends_other_sessions_and_keeps_this_one() {
    let sandbox = Sandbox::with_ada_in_two_shells();
    assert_snapshot!(change(&sandbox, "", PASSWORD, OTHER_PASSWORD), @"
    ------- stderr -------
    changed the password and ended 1 other session
    ");
    sandbox.run("whoami --check").success();
    let _ = sandbox.other_shell("whoami").failure(4);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
}

#[test]
fn only_the_new_password_signs_in() {
    let sandbox = Sandbox::with_ada();
    change(&sandbox, "", PASSWORD, OTHER_PASSWORD).success();
    let _ = sign_in_with(&sandbox, PASSWORD).failure(7);
    sign_in_with(&sandbox, OTHER_PASSWORD).success();
    assert!(sandbox.stored_hash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

#[test]
fn keep_sessions_leaves_them_alive() {
    let sandbox = Sandbox::with_ada_in_two_shells();
    assert_snapshot!(change(&sandbox, "--keep-sessions", PASSWORD, OTHER_PASSWORD), @"
    ------- stderr -------
    changed the password; other sessions were kept
    ");
    sandbox.other_shell("whoami --check").success();
    let _ = sign_in_with(&sandbox, PASSWORD).failure(7);
}

#[test]
fn json_counts_the_sessions_that_ended() {
    let sandbox = Sandbox::with_ada_in_two_shells();
    let answer = change(&sandbox, "--json", PASSWORD, OTHER_PASSWORD).json();
    assert_eq!(answer, serde_json::json!({ "sessionsEnded": 1 }));
}

#[test]
fn passwd_is_an_alias_and_reads_a_file() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("passwords", format!("{PASSWORD}\r\n{OTHER_PASSWORD}"));
    sandbox.run("passwd --password-file passwords").success();
    sign_in_with(&sandbox, OTHER_PASSWORD).success();
}

#[test]
fn sessions_of_other_users_stay() {
    let sandbox = Sandbox::with_ada_and_bob();
    change(&sandbox, "", PASSWORD, OTHER_PASSWORD).success();
    sandbox.other_shell("whoami --check").success();
    sandbox.sign_in("bob@example.com").success();
}

#[test]
fn a_wrong_current_password_changes_nothing() {
    let sandbox = Sandbox::with_ada_in_two_shells();
    let before = sandbox.stored_hash();
    assert_snapshot!(change(&sandbox, "", "not the right words", OTHER_PASSWORD), @"
    ------- stderr -------
    error: could not change the password: the current password is wrong
    [exit status: 7]
    ");
    assert_eq!(change(&sandbox, "--json", OTHER_PASSWORD, PASSWORD).json_error(7)["code"], "INVALID_PASSWORD");
    assert_eq!(sandbox.stored_hash(), before);
    sandbox.other_shell("whoami --check").success();
}

#[test]
fn wrong_current_passwords_are_counted_with_failed_sign_ins() {
    let sandbox = Sandbox::with_ada();
    for _ in 0..3 {
        let _ = change(&sandbox, "", "not the right words", OTHER_PASSWORD).failure(7);
    }
    for _ in 0..2 {
        let _ = sign_in_with(&sandbox, "not the right words").failure(7);
    }
    // The wait must outlast the test on a slow machine.
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 600");
    let error = change(&sandbox, "--json", PASSWORD, OTHER_PASSWORD).json_error(8);
    assert_eq!(error["code"], "TOO_MANY_REQUESTS");
    assert!(error["retryAfter"].as_i64().unwrap() >= 1, "{error}");
    let _ = sign_in_with(&sandbox, PASSWORD).failure(8);
}

#[test]
fn success_clears_the_count() {
    let sandbox = Sandbox::with_ada();
    let _ = change(&sandbox, "", "not the right words", OTHER_PASSWORD).failure(7);
    assert_eq!(sandbox.number("SELECT count FROM authctl_throttle"), 1);
    change(&sandbox, "", PASSWORD, OTHER_PASSWORD).success();
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0);
}

#[test]
fn weak_password_is_refused_before_the_current_is_checked() {
    let sandbox = Sandbox::with_ada();
    let before = sandbox.stored_hash();
    for (new, code) in [
        ("v3Ry;S!", "PASSWORD_TOO_SHORT"),
        ("password1", "PASSWORD_TOO_WEAK"),
        ("ada@example.com", "PASSWORD_TOO_WEAK"),
        ("nine\tpurple umbrellas sing", "PASSWORD_UNUSABLE"),
    ] {
        for current in [PASSWORD, "not the right words"] {
            assert_eq!(change(&sandbox, "--json", current, new).json_error(2)["code"], code, "{new:?}");
        }
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0);
    assert_eq!(sandbox.stored_hash(), before);
}

#[test]
fn anything_but_two_lines_is_refused() {
    let sandbox = Sandbox::with_ada();
    for input in ["", PASSWORD, &format!("{PASSWORD}\n"), &format!("{PASSWORD}\n{OTHER_PASSWORD}\nmore\n")] {
        let _ = sandbox.run_with_input("password change --password-stdin", input).failure(2);
    }
    assert_snapshot!(sandbox.run_with_input("password change --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not change the password: standard input must hold the current password and the new one, one per line, and nothing else
    [exit status: 2]
    ");
    sign_in_with(&sandbox, PASSWORD).success();
}

#[test]
fn missing_sign_in_or_password_is_named() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("passwd"), @"
    ------- stderr -------
    error: could not change the password: the current password is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    sandbox.run("signout").success();
    let _ = change(&sandbox, "", PASSWORD, OTHER_PASSWORD).failure(4);
    sign_in_with(&sandbox, PASSWORD).success();
}

#[test]
fn a_user_without_a_password_cannot_change_it() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE account SET providerId = 'github', password = NULL");
    let error = change(&sandbox, "--json", PASSWORD, OTHER_PASSWORD).json_error(5);
    assert_eq!(error["code"], "CREDENTIAL_ACCOUNT_NOT_FOUND");
}
