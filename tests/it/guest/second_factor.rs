//! The second factors of an app, with its secret and without.

use authctl::auth::app_secrets::{AppSecrets, VersionedSecret};
use authctl::auth::second_factor::totp::{TotpSecret, step_at};
use authctl::auth::secret::AppSecret;
use insta::assert_snapshot;
use serde_json::Value;

use crate::app::{App, DRIZZLE, Variant};
use crate::sandbox::{PASSWORD, Ran};

const SECRET: &str = "interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4";
const SIGN_IN: &str = "signin ada@example.com --password-stdin --otp-stdin";

fn app() -> App {
    App::new(Variant { name: "two-factor", admin: false, ..DRIZZLE })
}

/// Runs with the app's secret and some standard input.
fn run(app: &App, words: &str, input: &str) -> Ran {
    app.sandbox.finish_with_input(app.command(words).env("BETTER_AUTH_SECRET", SECRET), input)
}

/// What the app encrypted.
fn opened(stored: &str) -> String {
    let secret = AppSecret::from_bytes(SECRET.as_bytes()).unwrap();
    let secrets = AppSecrets::new(vec![VersionedSecret::new(None, "", &secret)]);
    secrets.open(stored).unwrap().text.to_string()
}

/// The code of a secret, some steps of time after now.
fn otp(secret: &[u8], steps: i64) -> String {
    TotpSecret::from_bytes(secret).unwrap().code(step_at(jiff::Timestamp::now()) + steps)
}

fn both(code: &str) -> String {
    format!("{PASSWORD}\n{code}\n")
}

#[test]
fn sign_in_checks_the_factor_of_the_app() {
    let app = app();
    let secret = opened(&app.text("SELECT secret FROM two_factor"));
    let error = app.run_with_input(&format!("{SIGN_IN} --json"), both("000000")).json_error(5);
    assert_eq!(error["code"], "TWO_FACTOR_REQUIRED", "the secret is missing");
    let error = run(&app, &format!("{SIGN_IN} --json"), &both("000000")).json_error(7);
    assert_eq!(error["code"], "INVALID_CODE");
    assert_eq!(app.text("SELECT failed_verification_count FROM two_factor"), "1");
    let code = otp(secret.as_bytes(), 0);
    run(&app, SIGN_IN, &both(&code)).success();
    assert_eq!(app.text("SELECT failed_verification_count FROM two_factor"), "0");
    assert_eq!(run(&app, &format!("{SIGN_IN} --json"), &both(&code)).json_error(7)["code"], "INVALID_CODE", "twice");
    let codes: Vec<String> = serde_json::from_str(&opened(&app.text("SELECT backup_codes FROM two_factor"))).unwrap();
    run(&app, SIGN_IN, &both(&codes[3])).success();
    let _ = run(&app, SIGN_IN, &both(&codes[3])).failure(7);
    let left: Vec<String> = serde_json::from_str(&opened(&app.text("SELECT backup_codes FROM two_factor"))).unwrap();
    assert_eq!(left, [&codes[..3], &codes[4..]].concat());
    let mut command = app.command(&format!("{SIGN_IN} --json"));
    let ran = app.sandbox.finish_with_input(command.env("BETTER_AUTH_SECRET", "another"), both("000000"));
    assert_eq!(ran.json_error(9)["code"], "APP_SECRET_WRONG");
}

#[test]
fn factor_of_an_app_is_set_up_and_removed() {
    let app = app();
    run(&app, "users reset-2fa ada@example.com --yes", "").success();
    app.run_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
    let error = app.run("2fa status --json").json_error(5);
    assert_eq!(error["code"], "TWO_FACTOR_OF_APP");
    let begun = run(&app, "2fa enable --password-stdin --json", PASSWORD).json();
    let shown = begun["secret"].as_str().unwrap();
    let key = data_encoding::BASE32_NOPAD.decode(shown.as_bytes()).unwrap();
    assert_eq!(opened(&app.text("SELECT secret FROM two_factor")).as_bytes(), key);
    assert_eq!(app.text("SELECT verified FROM two_factor"), "0");
    let enabled = run(&app, "2fa enable --otp-stdin --json", &otp(&key, 0)).json();
    let codes = opened(&app.text("SELECT backup_codes FROM two_factor"));
    assert_eq!(serde_json::from_str::<Value>(&codes).unwrap(), enabled["recoveryCodes"]);
    assert_eq!(
        app.text(
            "SELECT verified || (SELECT two_factor_enabled FROM user WHERE email = 'ada@example.com') FROM two_factor"
        ),
        "11"
    );
    let made = run(&app, "2fa recovery-codes --password-stdin --otp-stdin --json", &both(&otp(&key, 1))).json();
    let code = made["recoveryCodes"][0].as_str().unwrap();
    assert_eq!(run(&app, "2fa status --json", "").json()["recoveryCodes"], 10);
    run(&app, "2fa disable --password-stdin --otp-stdin", &both(code)).success();
    assert_eq!(app.text("SELECT count(*) FROM two_factor"), "0");
    app.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
}

#[test]
fn of_two_sign_ins_with_one_code_one_succeeds() {
    let app = app();
    let code = otp(opened(&app.text("SELECT secret FROM two_factor")).as_bytes(), 0);
    let sign_in = || run(&app, &format!("{SIGN_IN} --no-store"), &both(&code)).code;
    let mut codes =
        std::thread::scope(|scope| [scope.spawn(sign_in), scope.spawn(sign_in)].map(|ran| ran.join().unwrap()));
    codes.sort_unstable();
    assert_eq!(codes, [0, 7]);
}

#[test]
fn policy_requires_factors_that_authctl_can_check() {
    let app = app();
    let words = "policy set 2fa.required all --json";
    assert_eq!(app.run(words).json_error(5)["code"], "TWO_FACTOR_OF_APP", "without the secret");
    let without = App::new(DRIZZLE).run(words).json_error(5);
    assert_eq!(without["code"], "TWO_FACTOR_OF_APP", "without the plugin");
    assert_snapshot!(run(&app, "policy set 2fa.required all", ""), @"
    ------- stderr -------
    2fa.required is all in [HOME]/app.db
    it holds for what users do through authctl; the app signs users in without it
    ");
    run(&app, "users reset-2fa ada@example.com --yes", "").success();
    run(&app, "signin ada@example.com --password-stdin", PASSWORD).success();
    for words in ["whoami", "2fa status"] {
        run(&app, words, "").success();
    }
    assert_eq!(run(&app, "guard --json -- true", "").json_error(5)["code"], "TWO_FACTOR_SETUP_REQUIRED");
    let begun = run(&app, "2fa enable --password-stdin --json", PASSWORD).json();
    let key = data_encoding::BASE32_NOPAD.decode(begun["secret"].as_str().unwrap().as_bytes()).unwrap();
    run(&app, "2fa enable --otp-stdin", &otp(&key, 0)).success();
    run(&app, "guard -- true", "").success();
    app.run("policy set 2fa.required none").success();
}

/// Runs with other secrets of the app.
fn run_with(app: &App, words: &str, secrets: &[(&str, &str)]) -> Ran {
    app.sandbox.finish(app.command(words).envs(secrets.iter().copied()))
}

#[test]
fn rotated_secret_reads_what_the_old_one_wrote() {
    let app = app();
    let _ = app.run("secret check").failure(2);
    let old = [("BETTER_AUTH_SECRET", SECRET)];
    assert_snapshot!(run_with(&app, "secret check", &old), @"
    COLUMN                 VALUES  STATE    SECRET
    twoFactor.secret       1       current  BETTER_AUTH_SECRET
    twoFactor.backupCodes  1       current  BETTER_AUTH_SECRET
    account.accessToken    1       plain    -
    ------- stderr -------
    every encrypted value in [HOME]/app.db can be read
    ");
    let both = [("BETTER_AUTH_SECRETS", "2:next-secret"), ("BETTER_AUTH_SECRET", SECRET)];
    let before = app.text("SELECT secret FROM two_factor");
    let dry = run_with(&app, "secret rotate --dry-run --json", &both).json();
    assert_eq!((&dry["written"], &dry["changed"]), (&2.into(), &false.into()));
    let _ = run_with(&app, "secret rotate", &both).failure(2);
    assert_eq!(app.text("SELECT secret FROM two_factor"), before);
    assert_snapshot!(run_with(&app, "secret rotate --yes", &both), @"
    ------- stderr -------
    encrypted 2 values in [HOME]/app.db again with version 2 of BETTER_AUTH_SECRETS
    start the app with this secret as its own; the app accepts no cookie that it signed with the former secret: every user signs in again, and asks for new links of mail that verify an address; trusted devices are asked for the second factor
    ");
    assert!(app.text("SELECT secret FROM two_factor").starts_with("$ba$2$"));
    let next = [("BETTER_AUTH_SECRETS", "2:next-secret")];
    assert_eq!(run_with(&app, "secret check --json", &next).json()["unreadable"], 0);
    assert_eq!(run_with(&app, "secret check --json", &old).code, 1);
    let again = run_with(&app, "secret rotate --yes --json", &both).json();
    assert_eq!(again["changed"], false);
    // From one secret to another, without versions.
    let file = app.sandbox.file("old", "next-secret");
    let words = format!("secret rotate --yes --json --old-secret-file {}", file.display());
    assert_eq!(run_with(&app, &words, &[("BETTER_AUTH_SECRET", "third-secret")]).json()["written"], 2);
    assert_eq!(
        run_with(&app, "secret check --json", &[("BETTER_AUTH_SECRET", "third-secret")]).json()["unreadable"],
        0
    );
}

#[test]
fn lost_secret_is_told_and_its_keys_expire() {
    let app = App::changed(Variant { name: "two-factor", admin: false, ..DRIZZLE }, |connection| {
        let key = format!("\"{}\"", "ab".repeat(60));
        connection
            .execute_batch(&format!(
                "CREATE TABLE jwks (id text primary key, public_key text, private_key text, created_at integer,
                 expires_at integer);
                 INSERT INTO jwks VALUES ('k', '{{}}', '{key}', 1795465791000, NULL)"
            ))
            .unwrap();
    });
    let new = [("BETTER_AUTH_SECRET", "new-secret")];
    let checked = run_with(&app, "secret check --json", &new);
    assert_eq!(checked.code, 1, "{checked}");
    let error = run_with(&app, "secret rotate --yes --json", &new).json_error(9);
    assert_eq!(error["code"], "APP_SECRET_WRONG");
    let _ = run_with(&app, "secret rotate --yes --expire-keys", &new).failure(9);
    let done = run_with(&app, "secret rotate --yes --expire-keys --leave-unreadable --json", &new).json();
    assert_eq!((&done["keysExpired"], &done["written"]), (&1.into(), &0.into()));
    app.assert_instant("SELECT expires_at FROM jwks");
    run_with(&app, "users reset-2fa ada@example.com --yes", &new).success();
    assert_eq!(run_with(&app, "secret check --json", &new).json()["unreadable"], 0);
}
