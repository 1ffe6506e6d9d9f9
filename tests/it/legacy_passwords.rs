//! Passwords of other kinds than argon2id, and the end that `password.legacy-until` sets for them.

use serde_json::Value;

use crate::sandbox::{PASSWORD, Sandbox};

/// A bcrypt hash of [`PASSWORD`].
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS";

/// Ada has a password of ours; Bob one of another system, and Eve a weak one that was wrapped.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    let rows = format!("bob,bob@example.com,{BCRYPT}\neve,eve@example.com,5f4dcc3b5aa765d61d8327deb882cf99\n");
    sandbox.file("users.csv", format!("id,email,password_hash\n{rows}"));
    sandbox.run("import users.csv --weak-hashes wrap").success();
    sandbox
}

fn finding(sandbox: &Sandbox, check: &str) -> Option<Value> {
    let ran = sandbox.run("doctor --json");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    report["findings"].as_array().unwrap().iter().find(|one| one["check"] == check).cloned()
}

#[test]
fn legacy_password_looks_wrong_after_its_end_and_the_log_says_why() {
    let sandbox = sandbox();
    let sign_in = "signin bob@example.com --no-store --password-stdin --json";
    sandbox.run("policy set password.legacy-until 2999-01-01").success();
    sandbox.run_with_input("signin eve@example.com --password-stdin", "password").success();
    let shown = sandbox.run("users show bob@example.com");
    assert!(shown.stderr.contains("bcrypt, which signs in until 2999-01-01"), "{shown}");
    sandbox.run("policy set password.legacy-until 2020-01-01").success();
    let [right, wrong] = [PASSWORD, "nine purple umbrellas"].map(|text| sandbox.run_with_input(sign_in, text));
    assert_eq!((right.code, &right.stderr), (7, &wrong.stderr), "{right}{wrong}");
    let log = sandbox.run("audit list --event signin.failed --json").json();
    let details: Vec<&str> =
        log["entries"].as_array().unwrap().iter().filter_map(|entry| entry["detail"].as_str()).collect();
    assert_eq!(details, ["LEGACY_HASH", "LEGACY_HASH"], "{log}");
    // Eve's hash was replaced when she signed in, and Ada's is one of ours.
    for (user, password) in [("eve", "password"), ("ada", PASSWORD)] {
        let signed_in =
            sandbox.run_with_input(&format!("signin {user}@example.com --no-store --password-stdin"), password);
        assert_eq!(signed_in.code, 0, "{user}: {signed_in}");
    }
    let told = sandbox.run("users explain bob@example.com --json");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["reasons"][0]["code"], "LEGACY_HASH", "{told}");
    assert!(told["reasons"][0]["hint"].as_str().unwrap().contains("users reset-code bob@example.com"), "{told}");
    sandbox.run("policy unset password.legacy-until").success();
    sandbox.run_with_input(sign_in, PASSWORD).success();
}

#[test]
fn legacy_passwords_are_counted_and_pruned_after_their_end() {
    let sandbox = sandbox();
    sandbox.execute("UPDATE account SET updatedAt = updatedAt - 400 * 86400000 WHERE userId = 'bob'");
    let weak = finding(&sandbox, "hashes-weak").unwrap();
    assert_eq!(weak["count"], 2, "{weak}");
    let ages = "bcrypt: 1 hash, over 90 days old 1, of them over a year 1";
    assert_eq!(weak["lines"][0], ages, "{weak}");
    assert!(weak["hint"].as_str().unwrap().contains("password.legacy-until DATE"), "{weak}");
    let kept = sandbox.run("db prune --json").json();
    assert_eq!(kept["pruned"]["account"], 0, "{kept}");
    sandbox.run("policy set password.legacy-until 2020-01-01").success();
    let legacy = finding(&sandbox, "hashes-legacy").unwrap();
    assert_eq!(
        (&legacy["severity"], &legacy["count"], &legacy["lines"][0]),
        (&"problem".into(), &2.into(), &ages.into())
    );
    assert!(finding(&sandbox, "hashes-weak").is_none());
    let planned = sandbox.run("db prune --dry-run --json").json();
    assert_eq!(planned["pruned"]["account"], 2, "{planned}");
    let pruned = sandbox.run("db prune --json").json();
    assert_eq!(pruned["pruned"]["account"], 2, "{pruned}");
    assert!(finding(&sandbox, "hashes-legacy").is_none() && finding(&sandbox, "no-hash").is_none());
    let log = sandbox.run("audit list --event password.pruned --json").json();
    let mut details: Vec<&str> =
        log["entries"].as_array().unwrap().iter().filter_map(|entry| entry["detail"].as_str()).collect();
    details.sort_unstable();
    assert_eq!(details, ["bcrypt", "md5"], "{log}");
    let code = sandbox.run("users reset-code bob@example.com --json").json();
    let input = format!("{}\n{PASSWORD}", code["code"].as_str().unwrap());
    sandbox.run_with_input("password reset --code-stdin --password-stdin", input).success();
    sandbox.run_with_input("signin bob@example.com --no-store --password-stdin", PASSWORD).success();
    sandbox.run("audit verify").success();
}

#[test]
fn app_has_no_end_of_legacy_passwords() {
    let sandbox = Sandbox::new();
    sandbox.run("--db app.db db init --better-auth kysely").success();
    let refused = sandbox.run("--db app.db policy set password.legacy-until 2020-01-01 --json").json_error(2);
    assert!(refused["message"].as_str().unwrap().contains("the app owns the password hashes"), "{refused}");
    sandbox.run("--db app.db policy unset password.legacy-until").success();
}
