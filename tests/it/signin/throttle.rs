//! Throttling of failed sign-ins. The tests change `notBefore` instead of waiting.

use authctl::auth::email::Email;
use authctl::auth::throttle::AttemptKey;
use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

fn guess(sandbox: &Sandbox, email: &str) -> Ran {
    sandbox.run_with_input(&format!("signin {email} --password-stdin --json"), "not the right words")
}

/// Uses up the free attempts, then sets a wait that outlasts the test on a slow machine.
fn fail_five_times(sandbox: &Sandbox, email: &str) {
    for _ in 0..5 {
        assert_eq!(guess(sandbox, email).json_error(7)["code"], "INVALID_EMAIL_OR_PASSWORD");
    }
    assert_eq!(sandbox.number("SELECT notBefore - lastAt FROM authctl_throttle"), 15);
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 600");
}

fn assert_throttled(ran: Ran) {
    let error = ran.json_error(8);
    assert_eq!(error["code"], "TOO_MANY_REQUESTS");
    let seconds = error["retryAfter"].as_i64().unwrap();
    assert!((1..=615).contains(&seconds), "{seconds}");
}

#[test]
fn five_failures_are_free_then_every_password_waits() {
    let sandbox = Sandbox::with_ada();
    fail_five_times(&sandbox, "ada@example.com");
    assert_throttled(guess(&sandbox, "ada@example.com"));
    assert_throttled(sandbox.run_with_input("signin ada@example.com --password-stdin --json", PASSWORD));
    for more in ["--no-store", "--print-token"] {
        let words = format!("signin ada@example.com --password-stdin --json {more}");
        assert_throttled(sandbox.run_with_input(&words, PASSWORD));
    }
    assert_eq!(sandbox.number("SELECT count FROM authctl_throttle"), 5, "asking too early does not lengthen the wait");
}

#[test]
fn undecided_attempts_fail_after_a_minute() {
    let sandbox = Sandbox::with_ada();
    let email = Email::parse("ada@example.com").unwrap();
    for number in 0..5 {
        let key = AttemptKey::sign_in(&email).reserved(number.to_string()).reservation().unwrap();
        sandbox.execute(&format!("INSERT INTO authctl_throttle VALUES ('{key}', 0, unixepoch(), unixepoch() - 20)"));
    }
    let words = "signin ada@example.com --password-stdin --json --wait 0s";
    for password in [PASSWORD, "not the right words"] {
        let error = sandbox.run_with_input(words, password).json_error(75);
        assert_eq!((&error["code"], &error["retryAfter"]), (&"ATTEMPTS_UNDECIDED".into(), &serde_json::Value::Null));
    }
    sandbox.execute("UPDATE authctl_throttle SET lastAt = lastAt - 40");
    let _ = guess(&sandbox, "ada@example.com").failure(7);
    assert_eq!(sandbox.number("SELECT count FROM authctl_throttle"), 6);
}

#[test]
fn attempt_of_a_killed_sign_in_is_a_failure_a_minute_later() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("wrong", "not the right words");
    // A hash slow enough for the test to see the reservation.
    sandbox.run("policy set password.argon2-passes 10").success();
    sandbox.run("policy set password.argon2-memory 262144").success();
    let words = "signin unknown@example.com --password-file wrong";
    let mut child = sandbox.command(words.split(' ')).stderr(std::process::Stdio::null()).spawn().unwrap();
    while sandbox.number("SELECT count(*) FROM authctl_throttle") == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "the attempt is reserved before the hash");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    sandbox.execute("UPDATE authctl_throttle SET lastAt = lastAt - 60");
    sandbox.run("policy unset password.argon2-memory").success();
    let _ = guess(&sandbox, "unknown@example.com").failure(7);
    assert_eq!(sandbox.number("SELECT sum(count) FROM authctl_throttle"), 2);
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 1);
}

#[test]
fn error_says_how_long_to_wait() {
    let sandbox = Sandbox::with_ada();
    fail_five_times(&sandbox, "ada@example.com");
    // Beyond the longest wait, which caps it, so that the message does not depend on the clock.
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 86400");
    assert_snapshot!(sandbox.sign_in("ada@example.com"), @"
    ------- stderr -------
    error: could not sign in: too many failed attempts
    hint: try again in 15 minutes
    [exit status: 8]
    ");
}

#[test]
fn unknown_address_is_throttled_alike() {
    let sandbox = Sandbox::with_ada();
    fail_five_times(&sandbox, "unknown@example.com");
    assert_throttled(guess(&sandbox, "unknown@example.com"));
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn other_spelling_of_the_address_is_throttled_too() {
    let sandbox = Sandbox::with_ada();
    for email in ["ada@example.com", "ADA@example.com", "Ada@Example.com", "ada@EXAMPLE.com", "aDa@example.COM"] {
        let _ = guess(&sandbox, email).failure(7);
    }
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 600");
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 1);
    for email in ["ada@example.com", "AdA@example.com"] {
        assert_throttled(guess(&sandbox, email));
    }
}

#[test]
fn the_table_does_not_tell_which_addresses_were_tried() {
    let sandbox = Sandbox::with_ada();
    let _ = guess(&sandbox, "my-secret-typed-here@example.com").failure(7);
    let key: String = sandbox.sql().query_row("SELECT key FROM authctl_throttle", [], |row| row.get(0)).unwrap();
    assert!(!key.contains("secret"), "{key}");
}

#[test]
fn success_clears_the_count() {
    let sandbox = Sandbox::with_ada();
    for more in ["", " --no-store", " --print-token"] {
        for _ in 0..4 {
            let _ = guess(&sandbox, "ada@example.com").failure(7);
        }
        assert_eq!(sandbox.number("SELECT count FROM authctl_throttle"), 4);
        let words = format!("signin ada@example.com --password-stdin{more}");
        sandbox.run_with_input(&words, PASSWORD).success();
        assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0, "signin{more}");
    }
}

#[test]
fn sign_in_succeeds_after_the_wait() {
    let sandbox = Sandbox::with_ada();
    fail_five_times(&sandbox, "ada@example.com");
    assert_throttled(guess(&sandbox, "ada@example.com"));
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore - 700, lastAt = lastAt - 700");
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0);
}

#[test]
fn the_wait_doubles_and_ends_at_a_quarter_of_an_hour() {
    let sandbox = Sandbox::with_ada();
    let mut waits = Vec::new();
    for _ in 0..13 {
        let _ = guess(&sandbox, "ada@example.com").failure(7);
        waits.push(sandbox.number("SELECT max(notBefore - lastAt, 0) FROM authctl_throttle"));
        sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore - 1000, lastAt = lastAt - 1000");
    }
    assert_eq!(waits, [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900]);
}
