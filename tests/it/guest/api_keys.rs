//! API keys of an app in `AUTHCTL_TOKEN`: authctl administers them, and takes none.

use insta::assert_snapshot;

use super::refused::Odd;

/// A key of the plugin, and what the plugin stores of it.
const KEY: &str = "bob_eNzBHrBXYlDDXXdLScVBxjJjFdUCsJxLpRXNnmzXcBXwJsBoKUKTWhgwIgPEEDig";
const STORED: &str = "xNFy-OUCJuW6SM_geuzRMgfJOf9-HGqA9dVh-4aT9M4";

#[test]
fn api_key_of_the_app_is_no_token_here() {
    let plugins = include_str!("../../fixtures/plugin-tables/drizzle.sql");
    let row = format!(
        "INSERT INTO apikey (id, reference_id, key, created_at, updated_at)
         SELECT 'k', id, '{STORED}', 1764000000000, 1764000000000 FROM user WHERE email = 'ada@example.com'"
    );
    let odd = Odd::changed("drizzle-ms", &format!("{plugins}; {row}"));
    let made = odd.run("tokens create --user ada@example.com --json").json();
    let run = |key: &str, words: &str| {
        let mut command = odd.sandbox.command(words.split(' '));
        odd.sandbox.finish(command.env("AUTHCTL_DB", odd.sandbox.path("app.db")).env("AUTHCTL_TOKEN", key))
    };
    assert_snapshot!(run(KEY, "whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: it is an API key, which the app checks and authctl only administers: `unset AUTHCTL_TOKEN AUTHCTL_TOKEN_FILE`, then sign in with `authctl signin`
    [exit status: 4]
    ");
    for key in [KEY, made["token"].as_str().unwrap()] {
        for words in ["guard -- true", "signout", "sessions list", "tokens list", "account update --name X"] {
            let ran = run(key, words);
            assert!(ran.code != 0 && !ran.to_string().contains(key), "{words}: {ran}");
        }
    }
    // A key is no session, and what is stored of it is no key.
    assert_eq!(odd.run("tokens list --all-users --json").json()["tokens"].as_array().unwrap().len(), 2);
}
