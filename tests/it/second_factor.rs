//! `2fa` and sign-ins with a second factor, by the program.

use std::process::Command;

use crate::pty::Terminal;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};
use insta::assert_snapshot;
use serde_json::Value;

const BEGIN: &str = "2fa enable --password-stdin --json";
const CONFIRM: &str = "2fa enable --otp-stdin --json";
const SIGN_IN: &str = "signin ada@example.com --password-stdin --otp-stdin";

fn begin(sandbox: &Sandbox) -> String {
    let begun = sandbox.run_with_input(BEGIN, PASSWORD).json();
    assert!(begun["uri"].as_str().unwrap().contains(begun["secret"].as_str().unwrap()), "{begun}");
    begun["secret"].as_str().unwrap().to_owned()
}

/// What oathtool of Debian says; `None` where it is missing.
fn oathtool(words: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("oathtool").args(words).output() else {
        assert!(std::env::var_os("CI").is_none(), "oathtool is missing");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The code of a secret, some steps of time after now.
pub fn otp(secret: &str, steps: i64) -> String {
    use authctl::auth::second_factor::totp::{TotpSecret, step_at};

    let bytes = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    TotpSecret::from_bytes(&bytes).unwrap().code(step_at(jiff::Timestamp::now()) + steps)
}

/// Turns a second factor on with the code of the step before, which is over when the next step begins: then with the next.
fn confirm(sandbox: &Sandbox, secret: &str) -> Ran {
    use authctl::auth::second_factor::totp::step_at;

    loop {
        let step = step_at(jiff::Timestamp::now());
        let ran = sandbox.run_with_input(CONFIRM, otp(secret, -1));
        if ran.code != 7 || step_at(jiff::Timestamp::now()) == step {
            return ran;
        }
    }
}

/// Ada's second factor, turned on with the code of the step before: the secret, and the recovery codes.
fn enable(sandbox: &Sandbox) -> (String, Vec<String>) {
    let secret = begin(sandbox);
    let enabled = confirm(sandbox, &secret).json();
    let codes = enabled["recoveryCodes"].as_array().unwrap().iter();
    (secret, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
}

fn both(code: &str) -> String {
    format!("{PASSWORD}\n{code}\n")
}

#[test]
fn sign_in_asks_for_the_second_factor() {
    let sandbox = Sandbox::with_ada();
    let (secret, codes) = enable(&sandbox);
    assert_eq!(codes.len(), 10);
    let status = sandbox.run("2fa status --json").json();
    assert_eq!((&status["enabled"], &status["recoveryCodes"]), (&Value::from(true), &Value::from(10)));
    sandbox.run("signout").success();
    assert_snapshot!(sandbox.run_with_input("signin ada@example.com --password-stdin", PASSWORD), @r"
    ------- stderr -------
    error: could not sign in: a code of the second factor is needed too
    hint: give a code of the authenticator app, or a recovery code, with --otp-stdin or --otp-file
    [exit status: 2]
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0, "nothing is stored");
    assert_snapshot!(sandbox.run_with_input(SIGN_IN, both("000000")), @r"
    ------- stderr -------
    error: could not sign in: the code of the second factor is wrong or was used before
    hint: wait for the next code of the authenticator app; each code is accepted once
    [exit status: 7]
    ");
    let error = sandbox.run_with_input(&format!("{SIGN_IN} --json"), both("000000")).json_error(7);
    assert_eq!(error["code"], "INVALID_CODE");
    let code = both(&otp(&secret, 0));
    sandbox.run_with_input(SIGN_IN, &code).success();
    sandbox.run("whoami").success();
    let _ = sandbox.run_with_input(SIGN_IN, &code).failure(7);
    let (password, code) = (sandbox.file("pw", PASSWORD), sandbox.file("code", &codes[0]));
    for path in [&password, &code] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let words = format!(
        "signin ada@example.com --no-store --password-file {} --otp-file {}",
        password.display(),
        code.display()
    );
    sandbox.run(&words).success();
    let _ = sandbox.run(&words).failure(7);
    assert_eq!(sandbox.run("2fa status --json").json()["recoveryCodes"], 9);
    sandbox.run_with_input("2fa disable --password-stdin --otp-stdin", both(&codes[1])).success();
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn terminal_shows_a_code_to_scan_and_asks() {
    let sandbox = Sandbox::with_ada();
    let mut terminal = Terminal::new().run(sandbox.command(["2fa", "enable"]));
    terminal.wait_for_hidden("Password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Code of the second factor: ").enter("000000");
    terminal.wait_for_hidden("Code of the second factor: ").enter("000 000");
    terminal.wait_for_hidden("Code of the second factor: ").enter("12345");
    let screen = terminal.end().with_code(7);
    assert!(screen.contains("otpauth://totp/authctl:ada%40example%2Ecom?secret="), "{screen}");
    let secret = screen.split_once("secret: ").unwrap().1.lines().next().unwrap().trim().to_owned();
    assert_eq!(sandbox.run("2fa status --json").json()["begun"], true);
    confirm(&sandbox, &secret).success();
    sandbox.run("signout").success();
    let mut terminal = Terminal::new().run(sandbox.command(["signin", "ada@example.com"]));
    terminal.wait_for_hidden("Password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Code of the second factor: ").enter("000000").wait_for("The code is wrong.");
    terminal.wait_for_hidden("Code of the second factor: ").enter(&otp(&secret, 0));
    assert!(terminal.end().with_code(0).contains("signed in as Ada"));
}

#[test]
fn wrong_code_is_asked_for_a_few_times() {
    let sandbox = Sandbox::with_ada();
    let (_, codes) = enable(&sandbox);
    let mut terminal = Terminal::new().run(sandbox.command(["2fa", "recovery-codes"]));
    terminal.wait_for_hidden("Password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Code of the second factor: ").enter("000000").wait_for("The code is wrong.");
    terminal.wait_for_hidden("Code of the second factor: ").enter(&codes[0]);
    terminal.end().with_code(0);
    let mut terminal = Terminal::new().run(sandbox.command(["2fa", "disable"]));
    terminal.wait_for_hidden("Password: ").enter(PASSWORD);
    for _ in 0..3 {
        terminal.wait_for_hidden("Code of the second factor: ").enter("000000");
    }
    let screen = terminal.end().with_code(7);
    assert_eq!(screen.matches("The code is wrong.").count(), 2, "{screen}");
    assert_eq!(sandbox.number(r#"SELECT "failedVerificationCount" FROM "authctl_twoFactor""#), 3, "{screen}");
}

#[test]
fn of_two_sign_ins_with_one_code_one_succeeds() {
    let sandbox = Sandbox::with_ada();
    let (secret, _) = enable(&sandbox);
    let code = otp(&secret, 0);
    let words = format!("{SIGN_IN} --print-token");
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..2).map(|_| scope.spawn(|| sandbox.run_with_input(&words, both(&code)).code)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(codes == [0, 7] || codes == [7, 0], "{codes:?}");
}

#[test]
fn copy_of_the_database_alone_gives_no_secret() {
    let sandbox = Sandbox::with_ada();
    let (secret, codes) = enable(&sandbox);
    let raw = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let hex = authctl::auth::secret::hex(&raw);
    let connection = sandbox.sql();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let bytes = std::fs::read(sandbox.database()).unwrap();
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(has(b"second-factor.enabled"), "the copy is complete");
    assert!(!has(secret.as_bytes()) && !has(&raw) && !has(hex.as_bytes()));
    assert!(codes.iter().all(|code| !has(code.as_bytes()) && !has(code.replace('-', "").as_bytes())));
    let keys = sandbox.path(".local/state/authctl/keys/second-factors");
    let key = std::fs::read_to_string(&keys).unwrap();
    assert!(!has(key.trim().as_bytes()));
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&keys.metadata().unwrap()) & 0o777, 0o600);
    // Without the key file only recovery codes help.
    std::fs::rename(&keys, sandbox.path("elsewhere")).unwrap();
    let error = sandbox.run_with_input(&format!("{SIGN_IN} --json"), both(&otp(&secret, 0))).json_error(9);
    assert_eq!(error["code"], "SECOND_FACTOR_KEY_MISSING");
    let elsewhere = sandbox.path("elsewhere");
    let mut command = sandbox.command(SIGN_IN.split(' '));
    let ran = sandbox.finish_with_input(command.env("AUTHCTL_KEY_FILE", elsewhere), both(&otp(&secret, 0)));
    ran.success();
    sandbox.run_with_input(SIGN_IN, both(&codes[0])).success();
}

#[test]
fn reset_by_an_operator_and_a_lost_factor() {
    let sandbox = Sandbox::with_ada();
    enable(&sandbox);
    sandbox.run("users reset-2fa ada@example.com --yes").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_twoFactor"), 0);
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(sandbox.run("2fa status --json").json()["enabled"], false);
    let error = sandbox.run_with_input("2fa disable --password-stdin --otp-stdin --json", both("000000")).json_error(3);
    assert_eq!(error["code"], "TWO_FACTOR_NOT_ENABLED");
    let error = sandbox.run_with_input(BEGIN, OTHER_PASSWORD).json_error(7);
    assert_eq!(error["code"], "INVALID_PASSWORD");
    let error = sandbox.run_with_input(CONFIRM, "000000").json_error(3);
    assert_eq!(error["code"], "TOTP_NOT_ENABLED");
}

#[test]
fn policy_lets_users_without_a_factor_only_set_it_up() {
    let sandbox = Sandbox::with_ada_and_bob();
    let _ = sandbox.run("policy set 2fa.required some").failure(2);
    sandbox.run("policy set 2fa.required admins").success();
    sandbox.run("sessions").success();
    sandbox.run("users set-role ada@example.com user,admin").success();
    sandbox.sign_in("ada@example.com").success();
    assert_snapshot!(sandbox.run("sessions"), @r"
    ------- stderr -------
    error: could not list sessions: the policy requires a second factor, and yours is off
    hint: set it up with `authctl 2fa enable`
    [exit status: 5]
    ");
    for words in [
        "guard -- true",
        "sessions list",
        "sessions revoke --others",
        "account update --name Ada",
        "email change other@example.com",
        "password change --password-stdin",
        "users impersonate bob@example.com",
    ] {
        let error = sandbox.run_with_input(&format!("--json {words}"), PASSWORD).json_error(5);
        assert_eq!(error["code"], "TWO_FACTOR_SETUP_REQUIRED", "{words}");
    }
    sandbox.run("whoami --check").success();
    let status = sandbox.run("2fa status --json").json();
    assert_eq!((&status["enabled"], &status["required"]), (&false.into(), &true.into()));
    sandbox.run("signout").success();
    let signed_in = sandbox.sign_in("ada@example.com");
    assert!(signed_in.stderr.contains("the policy requires a second factor"), "{signed_in}");
    enable(&sandbox);
    sandbox.run("guard -- true").success();
    // An impersonation is about the user who acts.
    sandbox.run("policy set 2fa.required all").success();
    sandbox.run("users impersonate bob@example.com").success();
    sandbox.run("guard -- true").success();
    sandbox.execute("UPDATE user SET twoFactorEnabled = 0");
    let _ = sandbox.run("guard -- true").failure(5);
    // An operator needs no sign-in.
    sandbox.run("policy unset 2fa.required").success();
    sandbox.run("guard -- true").success();
}

#[test]
fn change_of_the_password_asks_for_the_factor() {
    let sandbox = Sandbox::with_ada();
    let (secret, codes) = enable(&sandbox);
    let words = "password change --password-stdin";
    let both = format!("{PASSWORD}\n{OTHER_PASSWORD}\n");
    let error = sandbox.run_with_input(&format!("{words} --json"), &both).json_error(2);
    assert_eq!(error["code"], "TWO_FACTOR_REQUIRED");
    let change = |code: &str| sandbox.run_with_input(&format!("{words} --otp-stdin"), format!("{both}{code}\n"));
    let _ = change("000000").failure(7);
    sandbox.run("users unlock ada@example.com").success();
    let code = otp(&secret, 0);
    change(&code).success();
    let again = format!("{OTHER_PASSWORD}\n{PASSWORD}\n{code}\n");
    let _ = sandbox.run_with_input(&format!("{words} --otp-stdin"), again).failure(7);
    let mut terminal = Terminal::new().run(sandbox.command(["password", "change"]));
    terminal.wait_for_hidden("Current password: ").enter(OTHER_PASSWORD);
    terminal.wait_for_hidden("New password: ").enter(PASSWORD);
    terminal.wait_for_hidden("Repeat it: ").enter(PASSWORD);
    terminal.wait_for_hidden("Code of the second factor: ").enter(&codes[0]);
    terminal.end().with_code(0);
}

#[test]
fn reset_of_the_password_leaves_the_factor_on() {
    let sandbox = Sandbox::with_ada();
    let (secret, _) = enable(&sandbox);
    let code = sandbox.run("users reset-code ada@example.com").success();
    let words = "password reset --code-stdin --password-stdin";
    sandbox.run_with_input(words, format!("{code}{OTHER_PASSWORD}")).success();
    let sign_in = |code: &str| sandbox.run_with_input(SIGN_IN, format!("{OTHER_PASSWORD}\n{code}\n"));
    let _ = sign_in("000000").failure(7);
    sign_in(&otp(&secret, 0)).success();
}

#[test]
fn users_without_a_factor_are_listed() {
    let sandbox = Sandbox::with_ada_and_bob();
    let listed = || {
        let users = sandbox.run("users list --without-2fa --json").json()["users"].clone();
        users.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(), ["ada@example.com", "bob@example.com"]);
    enable(&sandbox);
    assert_eq!(listed(), ["bob@example.com"]);
}

#[test]
fn doctor_reports_factors_without_their_key() {
    let sandbox = Sandbox::with_ada();
    enable(&sandbox);
    sandbox.run("doctor").success();
    let keys = sandbox.path(".local/state/authctl/keys/second-factors");
    std::fs::rename(&keys, sandbox.path("elsewhere")).unwrap();
    let ran = sandbox.run("doctor --json");
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut findings = report["findings"].as_array().unwrap().iter();
    assert_eq!(findings.find(|one| one["check"] == "second-factor-keys").unwrap()["count"], 1);
}

#[test]
fn key_of_secrets_is_changed() {
    let sandbox = Sandbox::with_ada();
    let (secret, _) = enable(&sandbox);
    let keys = sandbox.path(".local/state/authctl/keys/second-factors");
    let stored = || -> String {
        let sql = "SELECT secret FROM authctl_twoFactor";
        sandbox.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = stored();
    let dry = sandbox.run("secret rotate --dry-run --json").json();
    assert_eq!((&dry["written"], &dry["changed"], stored()), (&1.into(), &false.into(), before.clone()));
    sandbox.run("secret rotate --yes").success();
    let text = std::fs::read_to_string(&keys).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert_ne!(stored().split(':').next(), before.split(':').next());
    // The former key is needed by nothing here.
    std::fs::write(&keys, text.lines().next().unwrap()).unwrap();
    assert_eq!(sandbox.run("secret check --json").json()["unreadable"], 0);
    sandbox.run_with_input(SIGN_IN, both(&otp(&secret, 0))).success();
    std::fs::write(&keys, text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(sandbox.run("secret check").code, 1);
    let error = sandbox.run("secret rotate --yes --json").json_error(9);
    assert_eq!(error["code"], "SECOND_FACTOR_KEY_MISSING");
}

#[test]
fn oathtool_makes_the_same_thousand_codes() {
    use authctl::auth::second_factor::totp::{TotpSecret, step_at};

    let bytes: Vec<u8> = (1..=20).map(|byte| byte * 11).collect();
    let secret = TotpSecret::from_bytes(&bytes).unwrap();
    let start = jiff::Timestamp::from_second(1_790_000_000).unwrap();
    let now = format!("--now=@{}", start.as_second());
    let Some(codes) = oathtool(&["--totp", "--base32", &secret.base32(), &now, "--window=999"]) else { return };
    let expected: Vec<String> = (0..1_000).map(|step| secret.code(step_at(start) + step)).collect();
    assert_eq!(codes.lines().collect::<Vec<_>>(), expected);
}
