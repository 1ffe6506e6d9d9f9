//! `users set-password`: the new password signs in, the old one does not, and all sessions have ended.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// Ada is signed in from two shells, Bob from a third.
fn with_sessions() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", PASSWORD);
    sandbox.other_shell("signin ada@example.com --password-file pw").success();
    bobs(&sandbox, "signup bob@example.com --name Bob --password-file pw").success();
    sandbox
}

/// Runs the program in bob's shell.
fn bobs(sandbox: &Sandbox, words: &str) -> Ran {
    sandbox.finish(sandbox.command(words.split(' ')).env("XDG_CONFIG_HOME", sandbox.path("bobs-config")))
}

fn sign_in(sandbox: &Sandbox, password: &str) -> Ran {
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", password)
}

#[test]
fn set_password_ends_all_sessions() {
    let sandbox = with_sessions();
    let set = sandbox.run_with_input("users set-password ada@example.com --password-stdin", OTHER_PASSWORD);
    assert_snapshot!(set, @r"
    ------- stderr -------
    set and checked the password of Ada <ada@example.com> and ended 2 sessions in [HOME]/.local/share/authctl/auth.db
    ");
    let _ = sandbox.run("whoami").failure(4);
    let _ = sandbox.other_shell("whoami").failure(4);
    bobs(&sandbox, "whoami").success();
    let _ = sign_in(&sandbox, PASSWORD).failure(7);
    sign_in(&sandbox, OTHER_PASSWORD).success();
    bobs(&sandbox, "signin bob@example.com --password-file pw").success();
}

#[test]
fn sessions_are_kept_when_asked_for() {
    let sandbox = with_sessions();
    let words = "users set-password ada@example.com --password-stdin --keep-sessions --json";
    let set = sandbox.run_with_input(words, OTHER_PASSWORD).json();
    assert_eq!((&set["act"], &set["sessionsEnded"]), (&"passwordSet".into(), &0.into()));
    sandbox.run("whoami").success();
    sandbox.other_shell("whoami").success();
    let _ = sign_in(&sandbox, PASSWORD).failure(7);
    sign_in(&sandbox, OTHER_PASSWORD).success();
}

#[test]
fn only_sessions_that_were_live_are_counted() {
    let sandbox = with_sessions();
    sandbox.execute("UPDATE session SET expiresAt = 1 WHERE id = (SELECT min(id) FROM session WHERE userId = (SELECT id FROM user WHERE name = 'Ada'))");
    let set = sandbox.run_with_input("users set-password ada@example.com --password-stdin --json", OTHER_PASSWORD);
    assert_eq!(set.json()["sessionsEnded"], 1);
}

#[test]
fn a_generated_password_is_the_whole_answer() {
    let sandbox = with_sessions();
    let printed = sandbox.run("users set-password ada@example.com --generate");
    assert!(!printed.stderr.contains(printed.stdout.trim_end()), "printed once: {printed}");
    let printed = printed.success();
    assert_eq!((printed.len(), printed.lines().count()), (25, 1), "{printed:?}");
    sign_in(&sandbox, printed.trim_end()).success();
    let json = sandbox.run("users set-password ada@example.com --generate --json").json();
    assert_eq!(json["database"], sandbox.database().canonicalize().unwrap().to_str().unwrap());
    sign_in(&sandbox, json["password"].as_str().unwrap()).success();
    let _ = sign_in(&sandbox, printed.trim_end()).failure(7);
    let given = sandbox.run_with_input("users set-password ada@example.com --password-stdin --json", PASSWORD).json();
    assert!(given.get("password").is_none(), "the caller already knows the password: {given}");
}

#[test]
fn set_password_adds_one_and_keeps_other_accounts() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("UPDATE account SET providerId = 'github', accountId = '1234', password = NULL");
    let _ = sign_in(&sandbox, PASSWORD).failure(7);
    sandbox.run_with_input("users set-password ada@example.com --password-stdin", OTHER_PASSWORD).success();
    sign_in(&sandbox, OTHER_PASSWORD).success();
    let accounts = sandbox.run("users show ada@example.com --json").json()["accounts"].clone();
    let ways: Vec<_> =
        accounts.as_array().unwrap().iter().map(|way| (&way["providerId"], &way["hasPassword"])).collect();
    assert_eq!(ways, [(&"credential".into(), &true.into()), (&"github".into(), &false.into())]);
}

#[test]
fn set_password_clears_the_wait() {
    let sandbox = Sandbox::with_ada();
    for _ in 0..5 {
        let _ = sign_in(&sandbox, "wrong words here").failure(7);
    }
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 600");
    let _ = sign_in(&sandbox, PASSWORD).failure(8);
    sandbox.run_with_input("users set-password ada@example.com --password-stdin", OTHER_PASSWORD).success();
    sign_in(&sandbox, OTHER_PASSWORD).success();
}

#[test]
fn hash_of_another_program_is_stored_unchanged() {
    let sandbox = with_sessions();
    let hash = sandbox.run_with_input("hash generate --password-stdin", OTHER_PASSWORD).success();
    sandbox.run_with_input("users set-password ada@example.com --hash-stdin", &hash).success();
    let _ = sandbox.other_shell("whoami").failure(4);
    let _ = sign_in(&sandbox, PASSWORD).failure(7);
    sign_in(&sandbox, OTHER_PASSWORD).success();
}

#[test]
fn a_refused_password_leaves_the_old_one_and_every_session() {
    let sandbox = with_sessions();
    let scrypt = format!("{}:{}", "0a".repeat(16), "1b".repeat(63));
    let bcrypt = format!("$2b$12${}", "a".repeat(53));
    for (more, input, code) in [
        ("--password-stdin", "password1", "PASSWORD_TOO_WEAK"),
        ("--password-stdin", "", "PASSWORD_UNUSABLE"),
        ("--hash-stdin", &scrypt, "HASH_NOT_ACCEPTED"),
        ("--hash-stdin", &bcrypt, "HASH_NOT_ACCEPTED"),
        ("--hash-stdin", OTHER_PASSWORD, "HASH_NOT_ACCEPTED"),
        ("--password-file nowhere", "", "INPUT_UNREADABLE"),
        ("", "", "INPUT_NEEDED"),
        ("--generate --no-input --password-stdin", OTHER_PASSWORD, "USAGE"),
    ] {
        let words = format!("users set-password ada@example.com --json {more}");
        let error = sandbox.run_with_input(&words, input).json_error(2);
        assert_eq!(error["code"], code, "{more} {input}");
        assert!(input.is_empty() || !error.to_string().contains(input), "{error}");
    }
    sandbox.run("whoami").success();
    sandbox.other_shell("whoami").success();
    sign_in(&sandbox, PASSWORD).success();
}

#[test]
fn unknown_user_is_3_before_any_prompt() {
    let sandbox = Sandbox::with_ada();
    for more in ["--generate", ""] {
        let error = sandbox.run(&format!("users set-password bob@example.com --json {more}")).json_error(3);
        assert_eq!(error["code"], "USER_NOT_FOUND");
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM account"), 1);
}
