//! `email verify`: a user who proves ownership of the address takes over the account, and other sessions end.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

const BOTH: &str = "email verify --code-stdin --password-stdin";

fn verified(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM user WHERE emailVerified")
}

/// Signs Ada in from another shell.
fn other_session(sandbox: &Sandbox) {
    sandbox.file("pw", PASSWORD);
    sandbox.other_shell("signin ada@example.com --password-file pw").success();
}

#[test]
fn verification_signs_the_impostor_out() {
    // Mallory has signed up with ada's address without her knowledge, and stays signed in.
    let sandbox = Sandbox::with_ada_signed_out();
    other_session(&sandbox);
    sandbox.other_shell("whoami").success();
    let code = sandbox.mailed_code("email verify --send ada@example.com");
    assert_snapshot!(sandbox.verify_with(&code, OTHER_PASSWORD), @"
    ------- stderr -------
    error: could not verify the address: the password is not that of the user whom the code is for
    hint: the code is still valid; if you do not know the password, first set a new one with `authctl password forgot`, which ends every session
    [exit status: 7]
    ");
    assert_eq!(verified(&sandbox), 0);

    let reset = sandbox.mailed_code("password forgot ada@example.com");
    let both = format!("{reset}\n{OTHER_PASSWORD}\n");
    sandbox.run_with_input("password reset --code-stdin --password-stdin", both).success();
    assert_snapshot!(sandbox.verify_with(&code, OTHER_PASSWORD), @"
    ------- stderr -------
    verified the address of Ada <ada@example.com> and ended 0 sessions
    ");
    assert_eq!(verified(&sandbox), 1);
    let _ = sandbox.other_shell("whoami").failure(4);
    let _ = sandbox.sign_in("ada@example.com").failure(7);
}

#[test]
fn user_without_a_password_gets_the_same_error() {
    let sandbox = Sandbox::with_ada_signed_out();
    let code = sandbox.mailed_code("email verify --send ada@example.com");
    let wrong = sandbox.verify_with(&code, OTHER_PASSWORD);
    sandbox.execute("DELETE FROM account");
    assert_eq!(sandbox.verify_with(&code, OTHER_PASSWORD).to_string(), wrong.to_string());
    let error = sandbox.run_with_input(&format!("{BOTH} --json"), format!("{code}\n{PASSWORD}")).json_error(7);
    assert_eq!(error["code"], "INVALID_PASSWORD");
}

#[test]
fn session_that_proves_ownership_stays_alone() {
    let sandbox = Sandbox::with_ada();
    for (words, answer) in [
        ("email verify --send", "verified the address of Ada <ada@example.com> and ended 1 session"),
        (
            "email change ada@example.org",
            "changed the address of Ada <ada@example.org>, which was ada@example.com, verified it and ended 1 session",
        ),
    ] {
        other_session(&sandbox);
        let code = sandbox.mailed_code(words);
        let ran = sandbox.verify(&code);
        assert!(ran.code == 0 && ran.stderr.ends_with(&format!("{answer}\n")), "{ran}");
        sandbox.run("whoami").success();
        let _ = sandbox.other_shell("whoami").failure(4);
    }
}

#[test]
fn password_as_proof_ends_every_session() {
    let sandbox = Sandbox::with_ada();
    other_session(&sandbox);
    let code = sandbox.mailed_code("email change ada@example.org");
    let both = format!("{code}\n{PASSWORD}\n");
    let changed = sandbox.run_with_input(&format!("{BOTH} --json -q"), both).json();
    assert_eq!(
        (&changed["user"]["email"], &changed["emailBefore"], &changed["sessionsEnded"]),
        (&"ada@example.org".into(), &"ada@example.com".into(), &2.into())
    );
    let _ = sandbox.run("whoami").failure(4);
    let _ = sandbox.other_shell("whoami").failure(4);
}

#[test]
fn given_password_is_checked_when_signed_in() {
    let sandbox = Sandbox::with_ada();
    let code = sandbox.mailed_code("email verify --send");
    let _ = sandbox.verify_with(&code, OTHER_PASSWORD).failure(7);
    sandbox.sign_up("bob@example.com", "Bob").success();
    let _ = sandbox.verify_with(&code, OTHER_PASSWORD).failure(7);
    assert_eq!(verified(&sandbox), 0);
    sandbox.verify_with(&code, PASSWORD).success();
    assert_eq!(sandbox.run("whoami --json").json()["user"]["email"], "bob@example.com");
}

#[test]
fn password_follows_the_code_or_comes_from_a_file() {
    let sandbox = Sandbox::with_ada_signed_out();
    let code = sandbox.mailed_code("email verify --send ada@example.com");
    for input in [code.clone(), format!("{code}\n{PASSWORD}\nmore"), format!("{PASSWORD}\n{code}\n")] {
        let _ = sandbox.run_with_input(&format!("{BOTH} --no-input"), &input);
        assert_eq!(verified(&sandbox), 0, "{input}");
    }
    assert_snapshot!(sandbox.run_with_input(BOTH, &code), @"
    ------- stderr -------
    error: could not verify the address: standard input must hold the code and the password, one per line, and nothing else
    [exit status: 2]
    ");
    sandbox.file("pw", format!("{PASSWORD}\n"));
    sandbox.run_with_input("email verify --code-stdin --password-file pw", format!("{code}\n")).success();
    assert_eq!(verified(&sandbox), 1);
}

#[test]
fn missing_proof_is_named_without_a_terminal() {
    let sandbox = Sandbox::with_ada_signed_out();
    let code = sandbox.mailed_code("email verify --send ada@example.com");
    assert_snapshot!(sandbox.verify(&code), @"
    ------- stderr -------
    error: could not verify the address: a password is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --password-stdin or --password-file
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run_with_input("email verify --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not verify the address: a code is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --code-stdin
    [exit status: 2]
    ");
    assert_eq!(verified(&sandbox), 0);
}
