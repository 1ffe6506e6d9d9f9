//! The audit log contains no secret, not even a part of one.

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

#[test]
fn no_password_token_or_hash_is_anywhere_in_the_log() {
    let sandbox = Sandbox::with_ada();
    let mut secrets = vec![PASSWORD.to_owned(), OTHER_PASSWORD.to_owned()];
    let column = |sql: &str| -> Vec<String> {
        let connection = sandbox.sql();
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let stored = || [column("SELECT token FROM session"), column("SELECT password FROM account")].concat();
    secrets.extend(stored());
    let words = "signin ada@example.com --password-stdin --print-token";
    secrets.push(sandbox.run_with_input(words, PASSWORD).success().trim().to_owned());
    let _ = sandbox.run_with_input("signin ada@example.com --password-stdin", "canary of a wrong word").failure(7);
    secrets.push("canary".to_owned());
    sandbox.run_with_input("password change --password-stdin", format!("{PASSWORD}\n{OTHER_PASSWORD}\n")).success();
    secrets.extend(stored());
    let made = sandbox.run("users create bob@example.com --name Bob --generate --json").json();
    secrets.push(made["password"].as_str().unwrap().to_owned());
    let made = sandbox.run("users set-password bob@example.com --generate --json").json();
    secrets.push(made["password"].as_str().unwrap().to_owned());
    let hash = sandbox.run_with_input("hash generate --password-stdin", "canary of some other word").success();
    sandbox.run_with_input("users set-password bob@example.com --hash-stdin", hash.trim()).success();
    secrets.push(sandbox.run("users impersonate bob@example.com --print-token").success().trim().to_owned());
    secrets.extend(stored());
    sandbox.run("account delete --yes").success();

    let log = [sandbox.run("audit export").success(), sandbox.run("audit list").success()].concat();
    assert!(log.contains("password.set") && log.contains("signin.failed"), "{log}");
    assert!(secrets.len() >= 12, "{secrets:?}");
    for secret in &secrets {
        // A part of a secret must not appear either.
        let piece: String = secret.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect();
        assert!(!log.contains(&piece), "{secret}\n{log}");
    }
    assert!(!log.contains("argon2") && !log.contains("$m="), "{log}");
}
