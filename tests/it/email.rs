//! `email verify`: a mailed code proves that the user reads mail at an address.

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// The output of a run with the address removed.
fn alike(ran: &Ran, email: &str) -> String {
    ran.to_string().replace(email, "[EMAIL]")
}

#[test]
fn mailed_code_verifies_the_address_when_signed_in() {
    let sandbox = Sandbox::with_ada();
    let server = sandbox.mailbox();
    assert_snapshot!(sandbox.run("email verify --send"), @"
    ------- stderr -------
    a code was sent to ada@example.com; run `authctl email verify` to finish
    ");
    let session = server.session();
    assert_snapshot!(session.recipient_and_text(), @"
    To: ada@example.com
    Subject: A code to verify your address

    Hello,

    somebody, perhaps you, gave ada@example.com as the address of their account.

    The code: [CODE]

    It is single use and valid for 1 day: run `authctl email verify`.
    If it was not you, ignore this: without the code nothing is verified.
    ");
    let code = session.code();
    assert_snapshot!(sandbox.verify(&code), @"
    ------- stderr -------
    verified the address of Ada <ada@example.com> and ended 0 sessions
    ");
    assert_eq!(sandbox.run("whoami --json").json()["user"]["emailVerified"], true);
    let log = sandbox.run("audit list --json").success();
    assert!(log.contains("code.used") && log.contains("email.verified") && !log.contains(&code), "{log}");
    assert_snapshot!(sandbox.run("email verify --send"), @"
    ------- stderr -------
    error: could not send a code: the email address is verified already
    hint: no code was mailed; none is needed
    [exit status: 1]
    ");
}

#[test]
fn required_verification_mails_a_code_at_signup() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    sandbox.run("policy set email.verification required").success();
    let server = sandbox.mailbox();
    assert_snapshot!(sandbox.sign_up("ada@example.com", "Ada"), @"
    ------- stderr -------
    note: the address must be verified before its owner can sign in: a code was sent to it; run `authctl email verify` to finish
    created the account of Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    let at_signup = server.session().code();
    assert_snapshot!(sandbox.sign_in("ada@example.com"), @"
    ------- stderr -------
    error: could not sign in: the email address is not verified
    hint: have a code mailed with `authctl email verify --send ada@example.com`, then type it into `authctl email verify`
    [exit status: 5]
    ");
    let code = sandbox.mailed_code("email verify --send ada@example.com");
    let _ = sandbox.verify_with(&at_signup, PASSWORD).failure(7);
    sandbox.verify_with(&code, PASSWORD).success();
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn signup_without_mailer_prints_a_note() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    sandbox.run("policy set email.verification required").success();
    assert_snapshot!(sandbox.sign_up("ada@example.com", "Ada"), @"
    ------- stderr -------
    note: the address must be verified before its owner can sign in: no mailer is configured, so an operator must verify the address with `authctl users verify-email`
    created the account of Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    sandbox.without_mailbox();
    sandbox.run("policy set mail.url sendmail:/nonexistent/sendmail").success();
    assert_snapshot!(sandbox.sign_up("bob@example.com", "Bob"), @"
    ------- stderr -------
    note: the address must be verified before its owner can sign in: no code could be mailed to it (mail was not sent: /nonexistent/sendmail did not take it: entity not found); try `authctl email verify --send bob@example.com`
    created the account of Bob <bob@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 2);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}

#[test]
fn every_address_gets_the_same_answer_and_one_a_mail() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    sandbox.run("users verify-email bob@example.com").success();
    sandbox.run("signout").success();
    let server = sandbox.mailbox();
    let asked = ["unknown@example.com", "bob@example.com", "ada@example.com"]
        .map(|email| alike(&sandbox.run(&format!("email verify --send {email}")), email));
    assert_snapshot!(asked[2], @"
    ------- stderr -------
    if [EMAIL] is in use and not verified, a code was sent to it; run `authctl email verify` to finish
    ");
    assert!(asked.iter().all(|answer| *answer == asked[2]), "{asked:?}");
    // The test server serves the first connection only.
    assert!(server.session().recipient_and_text().contains("To: ada@example.com"));
    assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 1);
}

#[test]
fn session_does_not_help_with_another_address() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    sandbox.run("users verify-email ada@example.com").success();
    for words in ["email verify --send", "email verify --send BOB@example.com"] {
        let server = sandbox.mailbox();
        let said = sandbox.run("email verify --send ada@example.com").stderr;
        assert!(said.starts_with("if ada@example.com is in use"), "{said}");
        let said = sandbox.run(words).stderr;
        assert!(said.starts_with("a code was sent to bob@example.com"), "{said}");
        assert!(server.session().recipient_and_text().contains("To: bob@example.com"));
    }
}

#[test]
fn missing_mailer_is_an_error_with_a_hint() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("signout").success();
    let answer = sandbox.run("email verify --send ada@example.com");
    assert_snapshot!(answer, @"
    ------- stderr -------
    error: could not send a code: no mailer is configured
    hint: an operator can verify the address with `authctl users verify-email`, or set mail.url and mail.from with `authctl policy set`
    [exit status: 1]
    ");
    let unknown = sandbox.run("email verify --send unknown@example.com");
    assert_eq!(alike(&unknown, "unknown@example.com"), alike(&answer, "ada@example.com"));
    assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 0);
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0);
}

#[test]
fn missing_or_contradicting_arguments_are_usage_errors() {
    let sandbox = Sandbox::with_ada();
    for words in [
        "email",
        "email verify ada@example.com",
        "email verify --send --code-stdin",
        "email verify --send --password-stdin",
        "email verify --send --password-file pw",
        "email verify --send nonsense",
        "email verify",
    ] {
        let _ = sandbox.run(words).failure(2);
    }
    sandbox.run("signout").success();
    assert_snapshot!(sandbox.run("email verify --send"), @"
    ------- stderr -------
    error: could not send a code: an email address is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with the argument EMAIL
    [exit status: 2]
    ");
    for words in ["email verify --send ada@example.com", "email verify --send", "email verify"] {
        let _ = sandbox.run(&format!("--db ./none.db {words}")).failure(9);
    }
}

#[test]
fn code_of_another_user_is_refused_when_signed_in() {
    let sandbox = Sandbox::with_ada();
    let code = sandbox.mailed_code("email verify --send");
    sandbox.sign_up("bob@example.com", "Bob").success();
    assert_snapshot!(sandbox.verify(&code), @"
    ------- stderr -------
    error: could not verify the address: the code is for another user than the one who is signed in
    hint: the code is still valid: sign out, or sign in as that user, and type it again
    [exit status: 7]
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE emailVerified"), 0);
    sandbox.run("signout").success();
    sandbox.verify_with(&code, PASSWORD).success();
}

#[test]
fn one_of_parallel_uses_of_a_code_succeeds() {
    let sandbox = Sandbox::with_ada();
    let code = sandbox.mailed_code("email verify --send");
    let code = sandbox.file("code", code);
    let children: Vec<_> = (0..5)
        .map(|_| {
            let mut command = sandbox.command(["email", "verify", "--code-stdin"]);
            command.stdin(std::fs::File::open(&code).unwrap());
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let runs: Vec<Ran> = children.into_iter().map(|child| sandbox.ran(&child.wait_with_output().unwrap())).collect();
    assert_eq!(runs.iter().filter(|ran| ran.code == 0).count(), 1, "{runs:?}");
    assert!(runs.iter().all(|ran| [0, 7, 8].contains(&ran.code)), "{runs:?}");
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_audit WHERE event = 'email.verified'"), 1);
}

#[test]
fn token_variable_identifies_the_user() {
    let sandbox = Sandbox::with_ada();
    let token = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    sandbox.run("signout").success();
    let server = sandbox.mailbox();
    let mut command = sandbox.command(["email", "verify", "--send", "--json"]);
    let asked = sandbox.finish(command.env("AUTHCTL_TOKEN", token.trim_end())).json();
    assert_eq!(asked["email"], "ada@example.com");
    assert!(server.session().has_message());
}
