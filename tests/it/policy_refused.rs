//! `policy` refuses invalid settings, and commands refuse a database with invalid settings.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

fn with_database() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    sandbox
}

/// All stored settings.
fn rows(sandbox: &Sandbox) -> Vec<(String, String)> {
    let connection = sandbox.sql();
    let mut statement = connection.prepare("SELECT key, value FROM authctl_policy ORDER BY key").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

fn put(sandbox: &Sandbox, key: &str, value: &str) {
    sandbox.execute(&format!("REPLACE INTO authctl_policy VALUES ('{key}', '{value}', 0)"));
}

#[test]
fn an_unknown_key_is_refused_and_the_known_ones_are_named() {
    let sandbox = with_database();
    assert_snapshot!(sandbox.run("policy set session.liftime 30d"), @"
    ------- stderr -------
    error: could not change the policy: there is no policy key of this name
    hint: the keys are session.lifetime, session.short-lifetime, session.move-after, session.fresh-for, password.min-length, password.max-length, password.min-strength, password.argon2-memory, password.argon2-passes, password.argon2-lanes, password.legacy-until, throttle.free-attempts, throttle.first-wait, throttle.longest-wait, throttle.forget-after, email.verification, 2fa.required, mail.url, mail.from, mail.credentials-file, service.name, service.url
    [exit status: 2]
    ");
    for words in ["policy unset session.liftime", "policy set Session.lifetime 30d", "policy set session 30d"] {
        assert_eq!(sandbox.run(&format!("{words} --json")).json_error(2)["code"], "POLICY_KEY_UNKNOWN", "{words}");
    }
    assert_eq!(rows(&sandbox), []);
}

#[test]
fn value_out_of_range_is_refused_with_the_range() {
    let sandbox = with_database();
    sandbox.run("policy set session.lifetime 30d").success();
    let before = rows(&sandbox);
    assert_snapshot!(sandbox.run("policy set session.lifetime 1m"), @"
    ------- stderr -------
    error: could not change the policy: session.lifetime takes a duration from 5m to 400d
    hint: `authctl policy show` lists keys and ranges
    [exit status: 2]
    ");
    for (key, value) in [
        ("session.lifetime", "401d"),
        ("session.lifetime", "never"),
        ("session.lifetime", "30"),
        ("session.lifetime", ""),
        ("session.lifetime", "6m0.5s"),
        ("session.fresh-for", "59s"),
        ("password.min-length", "7"),
        ("password.min-length", "65"),
        ("password.min-length", "8.5"),
        ("password.min-length", "twelve"),
        ("password.min-strength", "5"),
        ("password.argon2-memory", "8"),
        ("password.argon2-memory", "4194304"),
        ("password.argon2-passes", "1"),
        ("password.argon2-lanes", "0"),
        ("throttle.free-attempts", "0"),
        ("throttle.free-attempts", "99999999999999999999"),
        ("email.verification", "yes"),
        ("email.verification", "Required"),
    ] {
        let error = sandbox.run_words(&["policy", "set", key, value, "--json"]).json_error(2);
        assert_eq!(error["code"], "POLICY_VALUE_INVALID", "{key} {value}");
        assert!(error["message"].as_str().unwrap().contains(&format!("{key} takes")), "{error}");
        assert_eq!(rows(&sandbox), before, "{key} {value}");
    }
}

#[test]
fn contradicting_rules_are_refused_in_any_order() {
    let sandbox = with_database();
    assert_snapshot!(sandbox.run("policy set session.lifetime 12h"), @"
    ------- stderr -------
    error: could not change the policy: session.move-after must be shorter than session.lifetime
    hint: `authctl policy show` lists keys and ranges
    [exit status: 2]
    ");
    for words in
        ["session.move-after 7d", "session.short-lifetime 8d", "throttle.first-wait 16m", "throttle.longest-wait 14s"]
    {
        let error = sandbox.run(&format!("policy set {words} --json")).json_error(2);
        assert_eq!(error["code"], "POLICY_VALUE_INVALID", "{words}");
    }
    assert_eq!(rows(&sandbox), []);
    // Each can be reached one setting at a time, and `policy unset` is checked too.
    for words in ["session.move-after 1h", "session.short-lifetime 2h", "session.lifetime 12h"] {
        sandbox.run(&format!("policy set {words}")).success();
    }
    let before = rows(&sandbox);
    assert_eq!(sandbox.run("policy unset session.move-after --json").json_error(2)["code"], "POLICY_VALUE_INVALID");
    assert_eq!(rows(&sandbox), before);
}

#[test]
fn parallel_changes_cannot_contradict_each_other() {
    for _ in 0..8 {
        let sandbox = with_database();
        for words in ["session.short-lifetime 5m", "session.move-after 1h"] {
            sandbox.run(&format!("policy set {words}")).success();
        }
        // Each setting is valid alone; together they contradict each other.
        let children = ["session.lifetime 2h", "session.move-after 3h"].map(|words| {
            let mut command = sandbox.command(format!("policy set {words}").split(' '));
            command.stderr(Stdio::piped()).spawn().unwrap()
        });
        let mut codes = children.map(|child| sandbox.ran(&child.wait_with_output().unwrap()).code);
        codes.sort_unstable();
        assert_eq!(codes, [0, 2]);
        sandbox.run("policy show").success();
    }
}

#[test]
fn invalid_setting_stops_every_command() {
    let sandbox = Sandbox::with_ada();
    put(&sandbox, "session.lifetime", "forever");
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: row session.lifetime of table authctl_policy makes no sense: column value session.lifetime takes a duration from 5m to 400d
    hint: `authctl policy unset KEY` or `authctl doctor --fix` sets it back; nothing was changed
    [exit status: 9]
    ");
    for (key, value) in [
        ("session.lifetime", "999d"),
        ("password.min-length", ""),
        ("email.verification", "maybe"),
        ("session.lifetime", "1h"),
    ] {
        sandbox.execute("DELETE FROM authctl_policy");
        put(&sandbox, key, value);
        for words in ["whoami", "sessions", "policy show", "policy set session.fresh-for 2h", "guard -- /bin/echo out"]
        {
            let error = sandbox.run(&format!("--json {words}")).json_error(9);
            assert_eq!(error["code"], "DATABASE_CORRUPT", "{words}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("authctl_policy") && message.contains(key), "{words}: {message}");
        }
        let stdin = sandbox.run_with_input("signin ada@example.com --password-stdin --json", PASSWORD);
        assert_eq!(stdin.json_error(9)["code"], "DATABASE_CORRUPT");
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
}

#[test]
fn unknown_stored_key_is_ignored() {
    let sandbox = Sandbox::with_ada();
    put(&sandbox, "later.key", "anything");
    sandbox.run("whoami").success();
    assert!(!sandbox.run("policy show").success().contains("later"));
    sandbox.run("policy set session.lifetime 30d").success();
    assert_eq!(rows(&sandbox), [("later.key".into(), "anything".into()), ("session.lifetime".into(), "30d".into())]);
    assert_eq!(sandbox.run("policy unset later.key --json").json_error(2)["code"], "POLICY_KEY_UNKNOWN");
}

#[test]
fn missing_database_is_an_error_and_not_created() {
    let sandbox = Sandbox::new();
    for words in ["policy show", "policy set session.lifetime 30d", "policy unset session.lifetime"] {
        assert_eq!(sandbox.run(&format!("{words} --json")).json_error(9)["code"], "DATABASE_MISSING", "{words}");
    }
    assert!(std::fs::read_dir(sandbox.home()).unwrap().next().is_none(), "something was made");
}

#[test]
fn missing_or_extra_arguments_are_usage_errors() {
    let sandbox = with_database();
    for words in
        ["policy", "policy set", "policy set session.lifetime", "policy unset", "policy set a b c", "policy show x"]
    {
        let _ = sandbox.run(words).failure(2);
    }
}
