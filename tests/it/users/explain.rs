//! `users explain`: every reason why a sign-in fails, and the command that fixes it.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

fn explain(sandbox: &Sandbox, more: &str) -> Ran {
    // By id, because some of the addresses here are invalid.
    let id: String = sandbox.sql().query_row("SELECT id FROM user WHERE name = 'Ada'", [], |row| row.get(0)).unwrap();
    sandbox.run(&format!("users explain {id} {more}"))
}

/// The JSON answer. The exit code must be 1 and standard error empty.
fn explained(sandbox: &Sandbox, more: &str) -> Value {
    let ran = explain(sandbox, &format!("--json {more}"));
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran}");
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["canSignIn"], false);
    answer
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

fn lock(sandbox: &Sandbox) {
    for _ in 0..5 {
        let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "wrong words here").failure(7);
    }
    // Longer than a test takes.
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 86400");
}

#[test]
fn user_without_blockers_is_0() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("users explain ada@example.com"), @"Ada <ada@example.com> can sign in with the right password");
    let answer = sandbox.run("users explain ADA@example.com --json").json();
    assert_eq!((&answer["canSignIn"], &answer["reasons"]), (&true.into(), &Value::Array(vec![])));
    assert_eq!(answer["user"], sandbox.run("whoami --json").json()["user"]);
    assert!(answer["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
}

#[test]
fn explain_lists_all_blockers_in_order() {
    let sandbox = Sandbox::with_ada();
    lock(&sandbox);
    sandbox.run("policy set email.verification required").success();
    sandbox.run_words(&["users", "ban", "ada@example.com", "--reason", "two strikes"]).success();
    sandbox.execute(
        "INSERT INTO account (id, accountId, providerId, userId, createdAt, updatedAt)
         SELECT 'link', '1234', 'github', id, 0, 0 FROM user;
         UPDATE account SET accountId = 'other' WHERE providerId = 'credential';
         UPDATE user SET email = 'Ada@example.com', twoFactorEnabled = 1",
    );
    assert_snapshot!(explain(&sandbox, ""), @r#"
    Ada <Ada@example.com> cannot sign in
    1. locked after 5 failed attempts until [TIME]
       hint: `authctl users unlock [ID]` forgets the failures
    2. the stored address is not in lower case: a sign-in looks for ada@example.com
       hint: `authctl users update [ID] --email ada@example.com` stores that
    3. no sign-in finds the password: the accountId of the credential account is "other" and not the user's id; signs in by github
       hint: `authctl doctor --fix` sets the accountId right and keeps the password; `authctl users set-password [ID]` sets it right with a new password
    4. the email address is not verified, and the policy asks for that
       hint: `authctl users verify-email [ID]` says that it is; `authctl policy unset email.verification` asks no more
    5. banned permanently: two strikes
       hint: `authctl users unban [ID]` lifts the ban
    6. a second factor is asked for, and the user has none: no code is ever right
       hint: `authctl users reset-2fa [ID]` lets the user sign in with the password alone
    [exit status: 1]
    "#);
    assert_snapshot!(explain(&sandbox, "--quiet --at 2090-01-01T00:00:00Z"), @r#"
    Ada <Ada@example.com> cannot sign in at [TIME]
    1. the stored address is not in lower case: a sign-in looks for ada@example.com
       hint: `authctl users update [ID] --email ada@example.com` stores that
    2. no sign-in finds the password: the accountId of the credential account is "other" and not the user's id; signs in by github
       hint: `authctl doctor --fix` sets the accountId right and keeps the password; `authctl users set-password [ID]` sets it right with a new password
    3. the email address is not verified, and the policy asks for that
       hint: `authctl users verify-email [ID]` says that it is; `authctl policy unset email.verification` asks no more
    4. banned permanently: two strikes
       hint: `authctl users unban [ID]` lifts the ban
    5. a second factor is asked for, and the user has none: no code is ever right
       hint: `authctl users reset-2fa [ID]` lets the user sign in with the password alone
    [exit status: 1]
    "#);
    let answer = explained(&sandbox, "");
    let expected = [
        "TOO_MANY_REQUESTS",
        "EMAIL_NOT_LOWER_CASE",
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
        "EMAIL_NOT_VERIFIED",
        "BANNED_USER",
        "TOTP_NOT_ENABLED",
    ];
    assert_eq!(codes(&answer), expected);
    assert!(answer["reasons"][0]["until"].is_string() && answer["reasons"][4]["until"].is_null(), "{answer}");
}

#[test]
fn each_blocker_has_its_code_and_a_command_that_fixes_it() {
    let sandbox = Sandbox::with_ada();
    let hidden = Some("INVALID_EMAIL_OR_PASSWORD");
    for (edit, code, sign_in_code) in [
        ("UPDATE user SET banned = 1", "BANNED_USER", None),
        ("UPDATE user SET email = 'Ada@Example.com'", "EMAIL_NOT_LOWER_CASE", hidden),
        ("UPDATE user SET email = 'ada@localhost'", "INVALID_EMAIL", hidden),
        ("UPDATE account SET password = '$2b$12$abc'", "HASH_NOT_ACCEPTED", hidden),
        ("UPDATE account SET password = NULL", "CREDENTIAL_ACCOUNT_NOT_FOUND", hidden),
        ("UPDATE account SET accountId = 'other'", "CREDENTIAL_ACCOUNT_NOT_FOUND", hidden),
        ("DELETE FROM account", "CREDENTIAL_ACCOUNT_NOT_FOUND", hidden),
        ("", "TOO_MANY_REQUESTS", None),
        ("INSERT INTO authctl_policy VALUES ('email.verification', 'required', 0)", "EMAIL_NOT_VERIFIED", None),
    ] {
        sandbox.execute(edit);
        if edit.is_empty() {
            lock(&sandbox);
        }
        let answer = explained(&sandbox, "");
        assert_eq!(codes(&answer), [code], "{edit}");
        let signed_in = sandbox.run_with_input("signin ada@example.com --no-store --password-stdin --json", PASSWORD);
        let error: Value = serde_json::from_str(&signed_in.stderr).unwrap();
        assert_eq!(error["error"]["code"], sign_in_code.unwrap_or(code), "{edit}");

        let hint = answer["reasons"][0]["hint"].as_str().unwrap();
        let command = hint.split('`').nth(1).unwrap().strip_prefix("authctl ").unwrap();
        let command = command.replace("ADDRESS", "ada@example.com");
        let (given, input) = match command.as_str() {
            "doctor --fix" => (" --yes", ""),
            command if command.contains("set-password") => (" --password-stdin", PASSWORD),
            _ => ("", ""),
        };
        sandbox.run_with_input(&format!("{command}{given}"), input).success();
        sandbox.execute("DELETE FROM authctl_throttle WHERE count < 5");
        explain(&sandbox, "").success();
        sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    }
}

#[test]
fn at_ignores_blockers_that_end_before() {
    let sandbox = Sandbox::with_ada();
    lock(&sandbox);
    sandbox.run("users ban ada@example.com --for 7d --reason spam").success();
    sandbox.execute("UPDATE user SET banExpires = 4000000000; UPDATE authctl_throttle SET lastAt = lastAt + 100");
    assert_eq!(codes(&explained(&sandbox, "")), ["TOO_MANY_REQUESTS", "BANNED_USER"]);
    let last_second = explained(&sandbox, "--at 2096-10-02T07:06:39Z");
    assert_eq!(codes(&last_second), ["BANNED_USER"]);
    assert_eq!(last_second["at"], "2096-10-02T07:06:39.000Z");
    assert_eq!(last_second["reasons"][0]["until"], "2096-10-02T07:06:40.000Z");
    assert_snapshot!(explain(&sandbox, "--at 2096-10-02T09:06:40+02:00"), @"Ada <ada@example.com> can sign in with the right password at [TIME]");
}

#[test]
fn past_time_is_refused_except_seconds_ago() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(explain(&sandbox, "--at 2020-01-01T00:00:00Z"), @"
    ------- stderr -------
    error: could not explain: --at is in the past, and what was so then is not kept
    hint: name a time to come, or read what was done with `authctl audit list --user USER`
    [exit status: 2]
    ");
    let _ = explain(&sandbox, "--at tomorrow").failure(2);
    let moment_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(5);
    explain(&sandbox, &format!("--at {moment_ago}")).success();
}

#[test]
fn explain_counts_no_attempt_and_writes_nothing() {
    let sandbox = Sandbox::with_ada();
    lock(&sandbox);
    let state = || {
        let rows = "SELECT (SELECT count(*) FROM authctl_audit) * 1000 + (SELECT sum(count) FROM authctl_throttle)";
        (sandbox.number(rows), sandbox.number("SELECT count(*) FROM session"))
    };
    let before = state();
    for _ in 0..3 {
        explained(&sandbox, "");
    }
    assert_eq!(state(), before);
    assert_snapshot!(sandbox.run("users explain unknown@example.com"), @"
    ------- stderr -------
    error: could not explain: no such user: unknown@example.com
    hint: `authctl users list --search` finds users
    [exit status: 3]
    ");
    assert_eq!(state(), before);
}

#[test]
fn hostile_names_stay_on_one_line_and_are_not_pasted() {
    let sandbox = Sandbox::with_ada();
    sandbox.run_words(&["users", "ban", "ada@example.com", "--reason", "a\r\n2. no\u{1b}[2J\u{202e}"]).success();
    let answer = explain(&sandbox, "");
    assert_eq!(answer.stdout.lines().count(), 3, "{answer}");
    assert!(!answer.stdout.contains(['\u{1b}', '\r', '\u{202e}']), "{:?}", answer.stdout);
    sandbox.execute("UPDATE user SET email = 'o''ada@example.com'");
    assert_snapshot!(explain(&sandbox, ""), @r"
    Ada <o'ada@example.com> cannot sign in
    1. banned permanently: a\u{d}\u{a}2. no\u{1b}[2J\u{202e}
       hint: `authctl users unban [ID]` lifts the ban
    [exit status: 1]
    ");
}
