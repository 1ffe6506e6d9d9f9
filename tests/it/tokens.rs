//! `tokens`, and what a program may run with an API token.

use crate::machine::tree;
use crate::sandbox::{PASSWORD, Ran, Sandbox, program};
use insta::assert_snapshot;
use serde_json::Value;

fn create(sandbox: &Sandbox, words: &str) -> (String, String) {
    let made = sandbox.run(&format!("tokens create --json {words}")).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["token"]), text(&made["apiToken"]["id"]))
}

/// Runs a command with a token in the environment and no stored session.
fn with(sandbox: &Sandbox, token: &str, words: &str) -> Ran {
    let config = sandbox.path("no-sessions");
    let mut command = sandbox.command(words.split(' '));
    sandbox.finish(command.env("AUTHCTL_TOKEN", token).env("XDG_CONFIG_HOME", config))
}

#[test]
fn token_is_shown_once_and_does_what_its_scopes_say() {
    let sandbox = Sandbox::with_ada();
    let (token, id) = create(&sandbox, "--name ci --scope whoami,deploy");
    assert!(token.starts_with("authctl_") && token.len() == 72, "{token}");
    let who = with(&sandbox, &token, "whoami --json").json();
    assert_eq!((&who["session"], &who["user"]["email"]), (&Value::Null, &"ada@example.com".into()));
    assert_eq!(who["apiToken"]["scopes"], serde_json::json!(["deploy", "whoami"]));
    assert_eq!(
        with(&sandbox, &token, "guard --scope deploy -- printenv AUTHCTL_USER_EMAIL").success(),
        "ada@example.com\n"
    );
    assert_snapshot!(with(&sandbox, &token, "guard -- true"), @r"
    ------- stderr -------
    error: the API token does not have the scope guard
    hint: make a token that has it: `authctl tokens create --scope guard`
    [exit status: 5]
    ");
    assert_snapshot!(with(&sandbox, &token, "guard --scope deploy --fresh -- true"), @r"
    ------- stderr -------
    error: an API token cannot do this
    hint: `unset AUTHCTL_TOKEN AUTHCTL_TOKEN_FILE`, then sign in with `authctl signin`; `authctl tokens --help` lists what a token may do
    [exit status: 5]
    ");
    // An administrator's token reads users with the scope alone, and a user's never.
    with(&sandbox, &token, "users list").failure(5);
    let (reads, _) = create(&sandbox, "--scope users:read");
    with(&sandbox, &reads, "users list").failure(5);
    sandbox.run("users set-role ada@example.com admin").success();
    assert!(with(&sandbox, &reads, "users list").success().contains("ada@example.com"));
    let used = sandbox.run("tokens list --json").json();
    let used = used["tokens"].as_array().unwrap().iter().find(|one| one["id"] == id.as_str()).unwrap();
    assert!(used["lastRequest"].is_string() && used["start"] == token[..12], "{used}");
    assert!(!sandbox.run("tokens list").success().contains(&token[..13]));
    // The text of the token is nowhere, the log included.
    let files = tree(sandbox.home());
    let holds =
        |text: &str| files.files().any(|(_, content)| content.windows(text.len()).any(|part| part == text.as_bytes()));
    assert!(holds("token.created") && !holds(&token) && !holds(&token[12..]));
}

#[test]
fn typo_in_a_token_is_refused_before_the_database_is_opened() {
    let sandbox = Sandbox::with_ada();
    let (token, _) = create(&sandbox, "");
    let mut typo = token.into_bytes();
    typo[20] = if typo[20] == b'x' { b'y' } else { b'x' };
    let typo = String::from_utf8(typo).unwrap();
    std::fs::write(sandbox.database(), "not a database").unwrap();
    for words in ["whoami", "users list", "signout"] {
        let ran = with(&sandbox, &typo, words);
        assert_eq!(ran.code, 4, "{words}: {ran}");
        assert!(!ran.to_string().contains(&typo[8..]), "{ran}");
    }
    assert_snapshot!(with(&sandbox, &typo, "whoami"), @r"
    ------- stderr -------
    error: the API token in AUTHCTL_TOKEN cannot be used: its check digits are wrong, so it is mistyped or cut off
    hint: `unset AUTHCTL_TOKEN`, or give it the token as `authctl tokens create` printed it
    [exit status: 4]
    ");
}

#[test]
fn command_inside_guard_with_a_token_is_not_signed_in() {
    let sandbox = Sandbox::with_ada();
    let (token, _) = create(&sandbox, "");
    let program = program().to_str().unwrap();
    let mut command = sandbox.command(["guard", "--", program, "account", "update", "--name", "Eve"]);
    let ran = sandbox.finish(command.env("AUTHCTL_TOKEN", &token));
    assert_eq!(ran.code, 4, "{ran}");
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user" WHERE "name" = 'Eve'"#), 0);
}

#[test]
fn token_ends_with_revocation_rotation_ban_lockdown_and_deletion() {
    let sandbox = Sandbox::with_ada_and_bob();
    let of_bob = || create(&sandbox, "--user bob@example.com");
    let ends = |token: &str, words: &str| {
        with(&sandbox, token, "whoami --check").success();
        sandbox.run(words).success();
        with(&sandbox, token, "whoami --check").failure(4);
    };
    let (token, id) = of_bob();
    ends(&token, &format!("tokens revoke --user bob@example.com {id}"));
    let (token, id) = of_bob();
    ends(&token, &format!("tokens rotate --user bob@example.com {id}"));
    let (token, _) = of_bob();
    ends(&token, "users lockdown bob@example.com --yes");
    let (token, _) = of_bob();
    ends(&token, "users ban bob@example.com");
    sandbox.run("users unban bob@example.com").success();
    with(&sandbox, &token, "whoami --check").failure(4);
    let (token, _) = of_bob();
    sandbox.execute(r#"UPDATE "user" SET "banned" = 1 WHERE "email" = 'bob@example.com'"#);
    with(&sandbox, &token, "whoami --check").failure(5);
    sandbox.execute(r#"UPDATE "user" SET "banned" = 0"#);
    ends(&token, "users delete bob@example.com --yes");
    // A token has an end.
    let (token, _) = create(&sandbox, "--for 1m");
    sandbox.execute(r#"UPDATE "authctl_apikey" SET "expiresAt" = unixepoch()"#);
    assert_snapshot!(with(&sandbox, &token, "whoami"), @r"
    ------- stderr -------
    error: not signed in
    hint: the API token has expired: its owner makes another with `authctl tokens rotate`
    [exit status: 4]
    ");
}

#[test]
fn export_says_that_tokens_are_left_out() {
    let sandbox = Sandbox::with_ada();
    let (token, id) = create(&sandbox, "");
    let ran = sandbox.run("export").to_string();
    assert!(ran.contains("not exported: 1 API token") && !ran.contains(&id), "{ran}");
    let person = sandbox.run("export --user ada@example.com --json").success();
    assert!(person.contains(&id) && !person.contains(&token), "{person}");
}

#[test]
fn restored_database_has_no_tokens() {
    let sandbox = Sandbox::with_ada();
    let (token, _) = create(&sandbox, "");
    sandbox.run("db backup b.db").success();
    sandbox.run("db restore b.db --yes --keep-sessions").success();
    with(&sandbox, &token, "whoami --check").success();
    let restored = sandbox.run("db restore b.db --yes");
    assert!(restored.stderr.contains("; ended 1 live session and 1 API token\n"), "{restored}");
    with(&sandbox, &token, "whoami --check").failure(4);
}

#[test]
fn token_of_a_file_is_as_good() {
    let sandbox = Sandbox::with_ada();
    let (token, _) = create(&sandbox, "");
    let file = sandbox.file("token", format!("{token}\n"));
    let ran = sandbox.run_with_variable("whoami --format {email}", "AUTHCTL_TOKEN_FILE", file);
    assert_eq!(ran.success(), "ada@example.com\n");
}

#[test]
fn own_token_needs_a_fresh_sign_in() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(r#"UPDATE "session" SET "createdAt" = "createdAt" - 200000"#);
    sandbox.run("tokens create").failure(5);
    sandbox.run("tokens list").success();
}

#[test]
fn machine_user_owns_tokens_and_cannot_sign_in() {
    let sandbox = Sandbox::with_ada();
    let made = sandbox.run("users create deploy-bot --machine --role deployer --json").json();
    assert_eq!(
        (&made["user"]["email"], &made["user"]["name"]),
        (&"deploy-bot@machine.invalid".into(), &"deploy-bot".into())
    );
    let (token, _) = create(&sandbox, "--user deploy-bot@machine.invalid --scope deploy");
    let ran = with(&sandbox, &token, "guard --role deployer --scope deploy -- printenv AUTHCTL_USER_EMAIL");
    assert_eq!(ran.success(), "deploy-bot@machine.invalid\n");
    let sign_in = "signin deploy-bot@machine.invalid --password-stdin";
    sandbox.run_with_input(sign_in, PASSWORD).failure(7);
    for words in [
        "users set-password deploy-bot@machine.invalid --generate",
        "users reset-code deploy-bot@machine.invalid",
        "users impersonate deploy-bot@machine.invalid",
        "sessions issue --user deploy-bot@machine.invalid",
        "users update deploy-bot@machine.invalid --email bot@example.com",
        "users update ada@example.com --email ada@machine.invalid",
        "users create other@machine.invalid --name Other --generate",
    ] {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, 5, "{words}: {ran}");
        assert!(ran.to_string().contains("this is a machine user"), "{words}: {ran}");
    }
    // A hash that another program wrote does not sign in either.
    sandbox.execute(r#"UPDATE "user" SET "email" = 'ada@machine.invalid' WHERE "email" = 'ada@example.com'"#);
    sandbox.run_with_input("signin ada@machine.invalid --password-stdin", PASSWORD).failure(7);
    sandbox.run("users create a@example.com --machine").failure(2);
}
