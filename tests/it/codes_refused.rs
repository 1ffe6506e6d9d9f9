//! Refused codes, for each purpose: used, expired, replaced, guessed, or made for another user, address or
//! purpose. All refusals have the same message, and guesses are throttled.

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// The command that mails a code, and the command that takes it.
const PURPOSES: &[(&str, &str)] = &[
    ("password forgot ada@example.com", "password reset --code-stdin --password-stdin"),
    ("email verify --send ada@example.com", "email verify --code-stdin --password-stdin"),
    ("email change ada@example.org", "email verify --code-stdin --password-stdin"),
];

fn typed(sandbox: &Sandbox, act: &str, code: &str) -> Ran {
    let password = if act.starts_with("password") { OTHER_PASSWORD } else { PASSWORD };
    sandbox.run_with_input(act, format!("{code}\n{password}"))
}

/// The message is the same for every reason.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, act: &str, code: &str) {
    let error = typed(sandbox, &format!("{act} --json"), code).json_error(7);
    assert_eq!(error["code"], "INVALID_TOKEN");
    let message = error["message"].as_str().unwrap();
    assert!(message.ends_with(": the code is wrong, used or expired"), "{message}");
    // Repeated refusals are throttled; another test covers that.
    sandbox.execute("DELETE FROM authctl_throttle");
}

fn user(sandbox: &Sandbox) -> String {
    let row = "SELECT email || emailVerified || password FROM user JOIN account ON userId = user.id WHERE name = 'Ada'";
    sandbox.sql().query_row(row, [], |row| row.get(0)).unwrap()
}

#[test]
fn used_code_is_refused() {
    for (ask, act) in PURPOSES {
        let sandbox = Sandbox::with_ada();
        let code = sandbox.mailed_code(ask);
        let before = user(&sandbox);
        typed(&sandbox, act, &code).success();
        let after = user(&sandbox);
        assert_ne!(before, after, "{ask}");
        assert_refused(&sandbox, act, &code);
        assert_eq!(user(&sandbox), after, "{ask}");
        assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 0, "{ask}");
    }
}

#[test]
fn expired_replaced_or_guessed_code_is_refused() {
    for (ask, act) in PURPOSES {
        let sandbox = Sandbox::with_ada();
        let before = user(&sandbox);
        let replaced = sandbox.mailed_code(ask);
        let current = sandbox.mailed_code(ask);
        assert_refused(&sandbox, act, &replaced);
        let reversed: String = current.chars().rev().collect();
        for guess in ["guess", &current[1..], &reversed, &format!("{current}x")] {
            assert_refused(&sandbox, act, guess);
        }
        // Expiry is at the current second.
        sandbox.execute("UPDATE verification SET expiresAt = unixepoch()");
        assert_refused(&sandbox, act, &current);
        assert_eq!(user(&sandbox), before, "{ask}");
    }
}

#[test]
fn code_of_another_purpose_is_refused() {
    for (ask, act) in PURPOSES {
        let sandbox = Sandbox::with_ada();
        let code = sandbox.mailed_code(ask);
        let before = user(&sandbox);
        for (_, other) in PURPOSES.iter().filter(|(_, other)| other != act) {
            assert_refused(&sandbox, other, &code);
        }
        assert_eq!(user(&sandbox), before, "{ask}");
        typed(&sandbox, act, &code).success();
    }
}

#[test]
fn code_is_bound_to_its_user_and_address() {
    for (ask, act) in PURPOSES {
        let sandbox = Sandbox::with_ada();
        let before = user(&sandbox);
        let of_ada = sandbox.mailed_code(ask);
        sandbox.sign_up("bob@example.com", "Bob").success();
        let of_bob = sandbox.mailed_code(&ask.replace("ada", "bob"));
        sandbox.run("signout").success();
        typed(&sandbox, act, &of_bob).success();
        assert_eq!(user(&sandbox), before, "{ask}");
        sandbox.run("users update ada@example.com --email ada@example.net").success();
        assert_refused(&sandbox, act, &of_ada);
        sandbox.run("users update ada@example.net --email ada@example.com").success();
        assert_refused(&sandbox, act, &of_ada);
    }
}

#[test]
fn guesses_are_throttled_and_the_right_code_works() {
    for (ask, act) in PURPOSES {
        let sandbox = Sandbox::with_ada();
        let code = sandbox.mailed_code(ask);
        sandbox.execute("DELETE FROM authctl_throttle");
        for _ in 0..5 {
            // On a slow machine, a wait of one second may be over.
            let _ = typed(&sandbox, act, "guess").failure(7);
            sandbox.execute("UPDATE authctl_throttle SET notBefore = 0");
        }
        sandbox.execute("UPDATE authctl_throttle SET notBefore = unixepoch() + 100000");
        for (_, act) in PURPOSES {
            let error = typed(&sandbox, &format!("{act} --wait 0s --json"), "guess").json_error(8);
            assert!((1..=5).contains(&error["retryAfter"].as_i64().unwrap()), "{error}");
            sandbox.execute("UPDATE authctl_throttle SET notBefore = unixepoch() + 100000");
        }
        typed(&sandbox, act, &code).success();
    }
}

#[test]
fn wrong_uses_of_a_code_lock_until_unlock() {
    let sandbox = Sandbox::with_ada();
    let (ask, act) = PURPOSES[0];
    let code = sandbox.mailed_code(ask);
    for _ in 0..5 {
        let _ = typed(&sandbox, PURPOSES[1].1, &code).failure(7);
    }
    sandbox.execute("UPDATE authctl_throttle SET notBefore = notBefore + 600");
    let error = typed(&sandbox, &format!("{act} --json"), &code).json_error(8);
    assert_eq!(error["code"], "TOO_MANY_REQUESTS");
    sandbox.run("users unlock ada@example.com").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0, "mailed codes are forgotten too");
    typed(&sandbox, act, &code).success();
}

#[test]
fn database_and_log_contain_no_code() {
    for (ask, _) in PURPOSES {
        let sandbox = Sandbox::with_ada();
        let code = sandbox.mailed_code(ask);
        for name in ["auth.db", "auth.db-wal"] {
            let bytes = std::fs::read(sandbox.database().with_file_name(name)).unwrap_or_default();
            assert!(!bytes.windows(code.len()).any(|window| window == code.as_bytes()), "{ask}: {name}");
        }
        let log = sandbox.run("audit list --json").success();
        assert!(log.contains("code.created") && !log.contains(&code), "{log}");
    }
}
