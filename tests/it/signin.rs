//! Successful runs of `signin`: the sources of the password and the stored session.

mod refused;
mod throttle;
mod token;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};
use crate::strace::trace;

const STDIN: &str = "signin ada@example.com --password-stdin";

/// A hash of [`PASSWORD`] at the given cost.
pub fn hash(memory_kib: u32, passes: u32) -> String {
    let params = Params::new(memory_kib, passes, 1, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes ok").unwrap().to_string()
}

#[test]
fn byte_order_mark_is_not_part_of_a_password() {
    let sandbox = Sandbox::with_ada();
    let marked = format!("\u{feff}{PASSWORD}\r\n");
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", &marked).success();
    sandbox.file("pw", &marked);
    sandbox.run("signin ada@example.com --no-store --password-file pw").success();
    let both = format!("\u{feff}{PASSWORD}\n{OTHER_PASSWORD}\n");
    sandbox.run_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
    sandbox.run_with_input("password change --password-stdin", both).success();
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", OTHER_PASSWORD).success();
}

#[test]
fn sign_in_names_the_session_file() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    assert_snapshot!(sandbox.sign_in("ada@example.com"), @"
    ------- stderr -------
    signed in as Ada <ada@example.com>; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    sandbox.run("whoami --check").success();
}

#[test]
fn json_answers_with_the_session_and_the_user() {
    let sandbox = Sandbox::with_ada();
    let answer = sandbox.run_with_input(&format!("{STDIN} --json"), PASSWORD).json();
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["session", "user"]);
    assert_eq!(answer, sandbox.run("whoami --json").json());
}

#[test]
fn aliases_and_any_case_of_the_address_work() {
    let sandbox = Sandbox::with_ada();
    for words in ["sign-in ada@example.com", "login ADA@Example.Com"] {
        sandbox.run_with_input(&format!("{words} --password-stdin"), PASSWORD).success();
    }
}

#[test]
fn the_exact_bytes_of_one_line_are_the_password() {
    let sandbox = Sandbox::with_ada();
    let endless = vec![b'a'; 10_000_000];
    let with = |text: &str| text.replace("PW", PASSWORD).into_bytes();
    for (input, code) in [
        (with("PW"), 0),
        (with("PW\n"), 0),
        (with("PW\r\n"), 0),
        (with("PW \n"), 7),
        (with(" PW"), 7),
        (with("PW\r"), 7),
        (with("PW\n\n"), 2),
        (with("PW\nPW\n"), 2),
        (with(""), 2),
        (with("\n"), 2),
        (with("PW\0"), 2),
        (b"\xff\xfe\n".to_vec(), 2),
        (endless, 2),
    ] {
        let start = String::from_utf8_lossy(&input[..input.len().min(40)]).into_owned();
        let ran = sandbox.run_with_input(STDIN, &input);
        assert_eq!(ran.code, code, "from standard input {start:?}: {ran}");
        sandbox.file("pw", &input);
        let ran = sandbox.run("signin ada@example.com --password-file pw");
        assert_eq!(ran.code, code, "from a file {start:?}: {ran}");
        // Otherwise the wrong passwords would throttle the following attempts.
        sandbox.execute("DELETE FROM authctl_throttle");
    }
}

#[test]
fn two_spellings_of_one_letter_are_one_password() {
    let sandbox = Sandbox::new();
    let signup = "signup ada@example.com --name Ada --password-stdin";
    sandbox.run_with_input(signup, "zw\u{f6}lf Boxk\u{e4}mpfer jagen").success();
    sandbox.run_with_input(STDIN, "zwo\u{308}lf Boxka\u{308}mpfer jagen").success();
    let _ = sandbox.run_with_input(STDIN, "zwolf Boxkampfer jagen").failure(7);
}

#[test]
fn a_session_lasts_seven_days_or_one() {
    let sandbox = Sandbox::with_ada();
    let life = "SELECT expiresAt - createdAt FROM session";
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(sandbox.number(life), 7 * 86_400);
    sandbox.run_with_input(&format!("{STDIN} --no-remember"), PASSWORD).success();
    assert_eq!(sandbox.number(life), 86_400);
}

#[test]
fn session_for_a_time_ends_then_and_is_never_extended() {
    let sandbox = Sandbox::with_ada_signed_out();
    sandbox.run_with_input(&format!("{STDIN} --for 15m"), PASSWORD).success();
    assert_eq!(sandbox.number("SELECT expiresAt - createdAt FROM session"), 15 * 60);
    sandbox.execute("UPDATE session SET updatedAt = updatedAt - 600, expiresAt = expiresAt - 600");
    let ends = sandbox.number("SELECT expiresAt FROM session");
    sandbox.run("whoami").success();
    assert_eq!(sandbox.number("SELECT expiresAt FROM session"), ends);
    assert_snapshot!(sandbox.run_with_input(&format!("{STDIN} --for 25h"), PASSWORD), @"
    ------- stderr -------
    error: could not sign in: --for 1d1h is longer than the policy allows: session.short-lifetime is 1d
    hint: leave --for out for a session that lives as long as it is used
    [exit status: 2]
    ");
    sandbox.run("policy set session.short-lifetime 2d").success();
    sandbox.run_with_input(&format!("{STDIN} --for 25h"), PASSWORD).success();
}

#[test]
fn second_sign_in_replaces_and_ends_the_stored_session() {
    let sandbox = Sandbox::with_ada();
    let old: serde_json::Value = serde_json::from_slice(&std::fs::read(sandbox.session_file()).unwrap()).unwrap();
    let id = sandbox.run("whoami --json").json()["session"]["id"].clone();
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
    assert_ne!(sandbox.run("whoami --json").json()["session"]["id"], id);
    let with_old = sandbox.finish(sandbox.command(["whoami"]).env("AUTHCTL_TOKEN", old["token"].as_str().unwrap()));
    let _ = with_old.failure(4);
}

#[test]
fn another_shell_keeps_its_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.other_shell_with_input(STDIN, PASSWORD).success();
    sandbox.run("whoami --check").success();
    sandbox.other_shell("whoami --check").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 2);
}

#[test]
fn a_hash_weaker_than_the_policy_signs_in_and_is_replaced() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(&format!("UPDATE account SET password = '{}'", hash(7_168, 1)));
    sandbox.sign_in("ada@example.com").success();
    let stored = |sandbox: &Sandbox| -> String {
        sandbox.sql().query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap()
    };
    let replaced = stored(&sandbox);
    assert!(replaced.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{replaced}");
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(stored(&sandbox), replaced, "a hash that is good enough stays");
}

#[test]
fn a_failed_sign_in_does_not_replace_a_weak_hash() {
    let sandbox = Sandbox::with_ada();
    let weak = hash(7_168, 1);
    sandbox.execute(&format!("UPDATE account SET password = '{weak}'"));
    let _ = sandbox.run_with_input(STDIN, "not the right words").failure(7);
    assert_eq!(sandbox.number(&format!("SELECT count(*) FROM account WHERE password = '{weak}'")), 1);
}

/// To open it again costs a twentieth of a sign-in.
#[test]
fn password_that_is_not_asked_for_opens_the_database_once() {
    for words in ["signin ada@example.com --password-stdin", "signup bob@example.com --name Bob --password-stdin"] {
        let Some(trace) = trace(&Sandbox::with_ada(), words, "openat", &[]) else { return };
        let opened = trace.calls().filter(|call| call.arguments.contains("/auth.db\", O_RDWR"));
        assert_eq!((trace.code, opened.count()), (0, 1), "{words}");
    }
}

#[test]
fn no_store_checks_the_password_only() {
    let sandbox = Sandbox::new();
    sandbox.sign_up("ada@example.com", "Ada").success();
    sandbox.run("signout").success();
    assert_snapshot!(sandbox.run_with_input(&format!("{STDIN} --no-store"), PASSWORD), @"
    ------- stderr -------
    the password of Ada <ada@example.com> is right; nothing was stored
    ");
    let answer = sandbox.run_with_input(&format!("{STDIN} --no-store --json"), PASSWORD).json();
    assert_eq!(answer["user"]["email"], "ada@example.com");
    let _ = sandbox.run_with_input(&format!("{STDIN} --no-store"), "not the right words").failure(7);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0);
}
