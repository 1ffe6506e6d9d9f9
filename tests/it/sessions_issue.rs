//! `sessions issue`: creates a session without a sign-in and prints its token or the app's cookie.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

const ISSUE: &str = "sessions issue --user ada@example.com";
const SECRET: &str = "interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4";

/// A sandbox whose default database is a new Better Auth database where ada has an account.
fn with_app() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run("db init --better-auth drizzle").success();
    let create = "users create ada@example.com --name Ada --password-stdin";
    sandbox.run_with_input(create, PASSWORD).success();
    sandbox
}

fn with_secret(sandbox: &Sandbox, words: &str) -> Ran {
    sandbox.run_with_variable(words, "BETTER_AUTH_SECRET", SECRET)
}

fn sessions(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM session")
}

#[test]
fn issued_token_is_printed_works_and_is_logged() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    assert_snapshot!(sandbox.run(&format!("{ISSUE} --for 10m")), @"
    [ID]
    ------- stderr -------
    issued a session of Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db; it ends in 10 minutes
    ");
    let issued = sandbox.run(&format!("{ISSUE} --json")).json();
    assert_eq!(issued.as_object().unwrap().keys().collect::<Vec<_>>(), ["token", "cookie", "session", "user"]);
    assert!(issued["cookie"].is_null() && issued["session"]["impersonatedBy"].is_null(), "{issued}");
    let who = sandbox.run_with_variable("whoami --json", "AUTHCTL_TOKEN", issued["token"].as_str().unwrap()).json();
    assert_eq!((&who["session"], &who["user"]), (&issued["session"], &issued["user"]));
    let entry = sandbox.newest_entry();
    assert_eq!((&entry["event"], &entry["actorId"]), (&"session.issued".into(), &Value::Null));
    assert_eq!((&entry["userId"], &entry["sessionId"]), (&issued["user"]["id"], &issued["session"]["id"]));
    // The signed-in user stays signed in.
    assert_eq!(sandbox.run("whoami --json").json()["user"]["email"], "bob@example.com");
}

#[test]
fn lifetime_is_as_requested_or_as_of_a_sign_in() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    for (words, seconds) in [("", 604_800), ("--for 1m", 60), ("--for 400d", 34_560_000)] {
        sandbox.run(&format!("{ISSUE} {words}")).success();
        assert_eq!(sandbox.number("SELECT expiresAt - createdAt FROM session ORDER BY rowid DESC"), seconds, "{words}");
    }
    for length in ["59s", "0", "401d", "never", "-1h"] {
        let _ = sandbox.run(&format!("{ISSUE} --for={length}")).failure(2);
    }
    let _ = sandbox.run("sessions issue --user eve@example.com").failure(3);
    assert_eq!(sessions(&sandbox), 3);
}

#[test]
fn administrator_needs_force_and_banned_user_is_refused() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    sandbox.run("users set-role ada@example.com admin").success();
    assert_snapshot!(sandbox.run(ISSUE), @"
    ------- stderr -------
    error: could not issue a session: this user is an administrator
    hint: pass --force if that is what you want
    [exit status: 5]
    ");
    let _ = sandbox.run(&format!("{ISSUE} --force")).success();
    sandbox.run("users ban ada@example.com --reason spam --force-last-admin").success();
    assert_snapshot!(sandbox.run(&format!("{ISSUE} --force")), @"
    ------- stderr -------
    error: could not issue a session: this user is banned
    hint: banned permanently: spam
    [exit status: 5]
    ");
    assert_eq!(sessions(&sandbox), 0);
}

#[test]
fn session_ends_when_its_token_cannot_be_printed() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    let to = |path: &str| {
        let output = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let mut command = sandbox.command(ISSUE.split(' '));
        let child = command.stdout(output).stderr(std::process::Stdio::piped()).spawn().unwrap();
        sandbox.ran(&child.wait_with_output().unwrap())
    };
    let before = sandbox.newest_entry();
    assert_snapshot!(to("/dev/null"), @"
    ------- stderr -------
    error: could not issue a session: a token is to be printed, but standard output is /dev/null or closed
    hint: the token would be lost while its session lives: send standard output somewhere
    [exit status: 2]
    ");
    assert_eq!(sandbox.newest_entry(), before);
    let _ = to("/dev/full").failure(74);
    assert_eq!((sessions(&sandbox), &sandbox.newest_entry()["event"]), (0, &"session.ended".into()));
}

#[test]
fn cookie_is_token_and_signature_without_the_secret() {
    let sandbox = with_app();
    for (words, name) in
        [("--cookie", "better-auth.session_token"), ("--cookie --secure", "__Secure-better-auth.session_token")]
    {
        let issued = with_secret(&sandbox, &format!("{ISSUE} {words} --json")).json();
        let (token, cookie) = (issued["token"].as_str().unwrap(), issued["cookie"].as_str().unwrap());
        let signature = cookie.strip_prefix(&format!("{name}={token}.")).unwrap();
        assert!(signature.ends_with("%3D") && signature.replace("%3D", "=").len() >= 44, "{cookie}");
        let who = sandbox.run_with_variable("whoami --json", "AUTHCTL_TOKEN", token).json();
        assert_eq!(who["user"]["email"], "ada@example.com");
    }
    let ran = with_secret(&sandbox, &format!("{ISSUE} --cookie"));
    assert!(!ran.to_string().contains("interop-secret"), "{ran}");
    let (name, _) = ran.success().split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    assert_eq!(name, "better-auth.session_token");
}

#[test]
fn cookie_needs_a_secret_and_an_app() {
    let sandbox = with_app();
    let words = format!("{ISSUE} --cookie");
    assert_snapshot!(sandbox.run(&words), @"
    ------- stderr -------
    error: could not issue a session: a cookie is signed with the app's secret, and BETTER_AUTH_SECRET is not set
    hint: set BETTER_AUTH_SECRET to the secret of the app, or leave --cookie out to get the token
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run_with_variable(&words, "BETTER_AUTH_SECRETS", "2:,1:old"), @"
    ------- stderr -------
    error: could not issue a session: BETTER_AUTH_SECRETS cannot be used: it is empty
    hint: give the secret that the app has; it is not repeated here
    [exit status: 2]
    ");
    let _ = with_secret(&sandbox, &format!("{ISSUE} --secure")).failure(2);
    assert_eq!(sessions(&sandbox), 0);

    let native = Sandbox::with_ada();
    native.run("signout").success();
    assert_snapshot!(with_secret(&native, &words), @"
    ------- stderr -------
    error: could not issue a session: only a Better Auth app has cookies, and this database is authctl's own
    hint: leave --cookie out to get the token
    [exit status: 2]
    ");
    assert_eq!(sessions(&native), 0);
}
