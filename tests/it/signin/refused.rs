//! `signin` when it is refused: what the error reveals, and to whom.

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};
use crate::signin::hash;

const ADA: &str = "signin ada@example.com --password-stdin";
const WRONG: &str = "not the right words";

fn said(ran: &Ran) -> (i32, &str, &str) {
    (ran.code, &ran.stdout, &ran.stderr)
}

#[test]
fn a_wrong_password_and_an_unknown_email_look_the_same() {
    let sandbox = Sandbox::with_ada();
    for json in ["", " --json"] {
        let unknown = sandbox.run_with_input(&format!("signin unknown@example.com --password-stdin{json}"), WRONG);
        let wrong = sandbox.run_with_input(&format!("{ADA}{json}"), WRONG);
        assert_eq!(said(&unknown), said(&wrong));
    }
    assert_snapshot!(sandbox.run_with_input(ADA, WRONG), @"
    ------- stderr -------
    error: could not sign in: invalid email or password
    [exit status: 7]
    ");
    let error = sandbox.run_with_input(&format!("{ADA} --json"), WRONG).json_error(7);
    assert_eq!(error["code"], "INVALID_EMAIL_OR_PASSWORD");
}

#[test]
fn a_user_without_a_password_looks_like_an_unknown_one() {
    let sandbox = Sandbox::with_ada();
    let unknown = sandbox.run_with_input("signin unknown@example.com --password-stdin", PASSWORD);
    for change in [
        "UPDATE account SET password = NULL",
        "UPDATE account SET providerId = 'github'",
        "UPDATE account SET providerId = 'credential', accountId = 'another'",
        "DELETE FROM account",
    ] {
        sandbox.execute(change);
        assert_eq!(said(&sandbox.run_with_input(ADA, PASSWORD)), said(&unknown), "{change}");
    }
}

#[test]
fn stored_hash_out_of_bounds_is_a_wrong_password() {
    let sandbox = Sandbox::with_ada();
    let wrong = sandbox.run_with_input(ADA, WRONG);
    let good: String = sandbox.sql().query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap();
    for stored in [
        // The right password, with a hash so cheap that an attacker could try every password.
        hash(8, 1),
        // Costs that would exhaust memory or time.
        good.replace("m=19456", "m=4194304"),
        good.replace("t=2", "t=4294967295"),
        good.replace("p=1", "p=16777215"),
        "$2b$31$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".to_owned(),
        // Other functions, and text that is not a hash.
        good.replace("argon2id", "argon2d"),
        good.replace("v=19", "v=16"),
        "$argon2id$".to_owned(),
        String::new(),
        PASSWORD.to_owned(),
        "a".repeat(900_000),
    ] {
        sandbox.execute(&format!("UPDATE account SET password = '{stored}'; DELETE FROM authctl_throttle"));
        let ran = sandbox.run_with_input(ADA, PASSWORD);
        assert_eq!(said(&ran), said(&wrong), "{stored:.60}");
    }
}

#[test]
fn ban_shows_only_with_the_password() {
    let sandbox = Sandbox::with_ada();
    let wrong = sandbox.run_with_input(ADA, WRONG);
    sandbox.execute("UPDATE user SET banned = 1, banReason = 'spam'; DELETE FROM session");
    assert_eq!(said(&sandbox.run_with_input(ADA, WRONG)), said(&wrong));
    assert_snapshot!(sandbox.run_with_input(ADA, PASSWORD), @"
    ------- stderr -------
    error: could not sign in: this user is banned
    hint: banned permanently: spam
    [exit status: 5]
    ");
    for more in ["--print-token", "--no-store", "--no-remember"] {
        let error = sandbox.run_with_input(&format!("{ADA} {more} --json"), PASSWORD).json_error(5);
        assert_eq!(error["code"], "BANNED_USER", "{more}");
        sandbox.execute("DELETE FROM authctl_throttle");
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}

#[test]
fn a_ban_holds_until_its_end_and_no_longer() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE user SET banned = 1, banExpires = 4102444800");
    assert_snapshot!(sandbox.sign_in("ada@example.com"), @"
    ------- stderr -------
    error: could not sign in: this user is banned
    hint: banned until [TIME]: no reason was given
    [exit status: 5]
    ");
    sandbox.execute("UPDATE user SET banExpires = unixepoch()");
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn unusable_second_factor_refuses_the_password_alone() {
    let sandbox = Sandbox::with_ada();
    let wrong = sandbox.run_with_input(ADA, WRONG);
    sandbox.execute("UPDATE user SET twoFactorEnabled = 1; DELETE FROM session");
    assert_eq!(said(&sandbox.run_with_input(ADA, WRONG)), said(&wrong));
    assert_snapshot!(sandbox.run_with_input(ADA, PASSWORD), @"
    ------- stderr -------
    error: could not sign in: this user has a second factor that cannot be used
    hint: an operator removes it with `authctl users reset-2fa`
    [exit status: 5]
    ");
    assert_eq!(sandbox.run_with_input(&format!("{ADA} --json"), PASSWORD).json_error(5)["code"], "TOTP_NOT_ENABLED");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}

#[test]
fn failed_sign_in_keeps_the_stored_session() {
    let sandbox = Sandbox::with_ada();
    let before = std::fs::read(sandbox.session_file()).unwrap();
    let _ = sandbox.run_with_input(ADA, WRONG).failure(7);
    assert_eq!(std::fs::read(sandbox.session_file()).unwrap(), before);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 1, "a half-made session file is left");
    sandbox.run("whoami --check").success();
}

#[test]
fn a_password_as_an_argument_is_refused_and_not_repeated() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("signin ada@example.com --password canary"), @"
    ------- stderr -------
    error: a password cannot be given as an argument: other users and the shell's history would see it
    hint: use --password-stdin, --password-file PATH or the prompt; and change that password
    [exit status: 2]
    ");
    for words in ["signin ada@example.com --password=canary", "signup bob@example.com --name Bob --password canary"] {
        let said = sandbox.run(words).failure(2);
        assert!(said.contains("--password-stdin") && !said.contains("canary"), "{said}");
    }
}

#[test]
fn missing_flag_is_named_without_a_terminal() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("signin ada@example.com"), @"
    ------- stderr -------
    error: could not sign in: a password is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run("signin ada@example.com --no-input"), @"
    ------- stderr -------
    error: could not sign in: a password is needed, and cannot be asked for: --no-input was given
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.finish(sandbox.command(["signin", "ada@example.com"]).env("CI", "true")), @"
    ------- stderr -------
    error: could not sign in: a password is needed, and cannot be asked for: CI is set
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run_with_input("signin --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign in: an email address is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with the argument EMAIL
    [exit status: 2]
    ");
    // Standard input is not read without a flag, and its end is not an empty password.
    let _ = sandbox.run_with_input("signin ada@example.com", PASSWORD).failure(2);
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0);
}

#[test]
fn missing_database_is_an_error_and_not_created() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.sign_in("ada@example.com"), @"
    ------- stderr -------
    error: could not sign in: could not open the database (the default place): [HOME]/.local/share/authctl/auth.db does not exist
    hint: name another with --db or AUTHCTL_DB; `authctl signup` and `authctl db init` make a new one
    [exit status: 9]
    ");
    assert_eq!(std::fs::read_dir(sandbox.home()).unwrap().count(), 0, "something was made");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let sandbox = Sandbox::with_ada();
    for words in ["--print-token --no-store --password-stdin", "--password-stdin --password-file pw"] {
        let _ = sandbox.run(&format!("signin ada@example.com {words}")).failure(2);
    }
}
