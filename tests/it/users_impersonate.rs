//! `users impersonate`: acting as somebody, marked and for a time.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

const IMPERSONATE: &str = "users impersonate ada@example.com";

/// A sandbox where ada has an account and nobody is signed in.
fn signed_out() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    sandbox
}

fn with_token(sandbox: &Sandbox, words: &str, token: &str) -> Ran {
    sandbox.finish(sandbox.command(words.split(' ')).env("AUTHCTL_TOKEN", token))
}

fn sessions(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM session")
}

/// The newest entry of the audit log.
fn newest(sandbox: &Sandbox) -> Value {
    sandbox.run("audit tail -n 1 --json").json()["entries"][0].clone()
}

#[test]
fn the_session_is_kept_like_a_sign_in_and_says_everywhere_who_is_in_it() {
    let sandbox = signed_out();
    sandbox.execute("UPDATE user SET twoFactorEnabled = 1; UPDATE account SET password = NULL");
    assert_snapshot!(sandbox.run(IMPERSONATE), @"
    ------- stderr -------
    acting as Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db; the session ends in 1 hour
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    let (session, entry) = (sandbox.run("whoami --json").json()["session"].clone(), newest(&sandbox));
    let operator = format!("os:{}@{}", entry["osUser"].as_str().unwrap(), entry["host"].as_str().unwrap());
    assert_eq!((&session["impersonatedBy"], &entry["sessionId"]), (&operator.into(), &session["id"]));
    assert_eq!(sandbox.number("SELECT expiresAt - createdAt FROM session"), 3_600);

    sandbox.execute("UPDATE session SET impersonatedBy = 'os:root' || char(27) || '@host', userAgent = 'authctl'");
    assert_snapshot!(sandbox.run("whoami"), @r"
    name             Ada
    email            ada@example.com (not verified)
    user id          [ID]
    role             user
    session          [ID]
    impersonated by  os:root\u{1b}@host
    expires          [TIME]
    token from       [HOME]/.config/authctl/sessions/[KEY].json
    database         [HOME]/.local/share/authctl/auth.db
    ");
    assert_snapshot!(sandbox.run("sessions"), @r"
       ID                                SIGNED IN                 EXPIRES                   ADDRESS  FROM
    *  [ID]  [TIME]  [TIME]  -        impersonated by os:root\u{1b}@host; authctl
    ");
    assert_snapshot!(sandbox.run("sessions list --user ada@example.com"), @r"
    USER             ID                                SIGNED IN                 EXPIRES                   ADDRESS  FROM
    ada@example.com  [ID]  [TIME]  [TIME]  -        impersonated by os:root\u{1b}@host; authctl
    ");
    sandbox.run("signout").success();
    assert_eq!(sessions(&sandbox), 0);
}

#[test]
fn whoever_is_signed_in_is_named_by_id_in_session_and_log_and_the_stored_session_is_replaced() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("root@example.com", "Root").success();
    sandbox.sign_up("bob@example.com", "Bob").success();
    sandbox.run("signout").success();
    sandbox.sign_in("root@example.com").success();
    let root = sandbox.run("whoami --json").json()["user"]["id"].clone();
    let before = sessions(&sandbox);
    let begun =
        sandbox.run_words(&["users", "impersonate", "ada@example.com", "--reason", "ticket 7", "--json"]).json();
    assert_eq!(begun["session"]["impersonatedBy"], root);
    assert_eq!(sessions(&sandbox), before, "root's session ended as ada's began");
    assert_eq!(begun.as_object().unwrap().len(), 2, "{begun}");
    let entries = sandbox.run("audit list --event session.impersonated --json").json()["entries"].clone();
    let entry = &entries[0];
    assert_eq!((&entry["userId"], &entry["sessionId"]), (&begun["user"]["id"], &begun["session"]["id"]));
    assert_eq!((&entry["actorId"], &entry["reason"]), (&root, &"ticket 7".into()));

    // What is done as ada is done by root, and so is acting as a third.
    sandbox.run("account update --name Eve").success();
    let done = newest(&sandbox);
    assert_eq!((&done["event"], &done["actorId"], &done["userId"]), (&"user.updated".into(), &root, &entry["userId"]));
    let third = sandbox.run("users impersonate bob@example.com --print-token --json").json();
    assert_eq!(third["session"]["impersonatedBy"], root);
}

#[test]
fn a_printed_token_leaves_the_own_session_alone() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    let ran = sandbox.run(&format!("{IMPERSONATE} --print-token --for 1m"));
    assert_snapshot!(ran.stderr.replace(sandbox.home().canonicalize().unwrap().to_str().unwrap(), "[HOME]"), @"acting as Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db; the session ends in 1 minute");
    let token = ran.success().trim_end().to_owned();
    assert_eq!(with_token(&sandbox, "whoami --json", &token).json()["user"]["email"], "ada@example.com");
    assert_eq!(sandbox.run("whoami --json").json()["user"]["email"], "bob@example.com");
    let before = sessions(&sandbox);
    with_token(&sandbox, "signout", &token).success();
    assert_eq!(sessions(&sandbox), before - 1);
    let json = sandbox.run(&format!("{IMPERSONATE} --print-token --json")).json();
    with_token(&sandbox, "whoami --check", json["token"].as_str().unwrap()).success();
}

#[test]
fn a_token_that_nobody_would_hold_has_no_live_session() {
    let sandbox = signed_out();
    let to = |path: &str| {
        let output = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let words = format!("{IMPERSONATE} --print-token");
        let mut command = sandbox.command(words.split(' '));
        sandbox.ran(
            &command.stdout(output).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap(),
        )
    };
    let _ = to("/dev/null").failure(2);
    assert_eq!(newest(&sandbox)["event"], "session.ended", "none had begun");
    let _ = to("/dev/full").failure(74);
    assert_eq!(sessions(&sandbox), 0);
    assert_eq!(newest(&sandbox)["event"], "session.ended");
}

#[test]
fn nobody_acts_as_an_administrator_without_force_or_as_who_is_banned() {
    let sandbox = signed_out();
    sandbox.run("users set-role ada@example.com editor,admin").success();
    assert_snapshot!(sandbox.run(IMPERSONATE), @"
    ------- stderr -------
    error: could not act as the user: this user is an administrator
    hint: pass --force if that is what you want
    [exit status: 5]
    ");
    assert_eq!(sandbox.run(&format!("{IMPERSONATE} --json")).json_error(5)["code"], "YOU_CANNOT_IMPERSONATE_ADMINS");
    sandbox.run(&format!("{IMPERSONATE} --force")).success();
    sandbox.run("whoami --check").success();
    sandbox.run("users ban ada@example.com --for 7d --reason spam --force-last-admin").success();
    let _ = sandbox.run("whoami").failure(4);
    assert_snapshot!(sandbox.run(&format!("{IMPERSONATE} --force")), @"
    ------- stderr -------
    error: could not act as the user: this user is banned
    hint: banned until [TIME]: spam
    [exit status: 5]
    ");
    assert_eq!(sessions(&sandbox), 0);
}

#[test]
fn what_cannot_be_undone_is_refused_and_a_new_password_ends_the_session() {
    let sandbox = signed_out();
    sandbox.run(IMPERSONATE).success();
    assert_snapshot!(sandbox.run("account delete --yes"), @"
    ------- stderr -------
    error: could not delete the account: somebody else acts as this user here, and only the user may do this
    hint: this takes a sign-in of the user's own
    [exit status: 5]
    ");
    let _ = sandbox.run("guard --fresh -- true").failure(5);
    sandbox.run("guard -- true").success();
    sandbox.run_with_input("users set-password ada@example.com --password-stdin", PASSWORD).success();
    let _ = sandbox.run("whoami").failure(4);
}

#[test]
fn it_lasts_a_minute_to_a_day_and_use_does_not_prolong_it() {
    let sandbox = signed_out();
    for length in ["59s", "0", "25h", "never", "-1h"] {
        let _ = sandbox.run_words(&["users", "impersonate", "ada@example.com", &format!("--for={length}")]).failure(2);
    }
    assert_eq!(sessions(&sandbox), 0);
    sandbox.run(&format!("{IMPERSONATE} --for 24h")).success();
    // As long ago as would move any other session, with the full life of one.
    sandbox.execute(
        "UPDATE session SET createdAt = createdAt - 172800, updatedAt = updatedAt - 172800, expiresAt = expiresAt + 604800",
    );
    let end = || sandbox.number("SELECT expiresAt FROM session");
    let before = end();
    sandbox.run("whoami").success();
    assert_eq!(end(), before);
    sandbox.execute("UPDATE session SET impersonatedBy = NULL");
    sandbox.run("whoami").success();
    assert_ne!(end(), before, "any other moves");
}
