//! `password forgot`: mails a code, and does not reveal who has the address.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, Sandbox};

#[test]
fn a_mailed_code_sets_a_new_password() {
    let sandbox = Sandbox::with_ada();
    let server = sandbox.mailbox();
    assert_snapshot!(sandbox.run("password forgot ADA@example.com"), @r"
    ------- stderr -------
    if ada@example.com is in use, a code was sent to it
    ");
    let session = server.session();
    assert_snapshot!(session.recipient_and_text(), @"
    To: ada@example.com
    Subject: A code for a new password

    Hello,

    somebody, perhaps you, asked for a new password for ada@example.com.

    The code: [CODE]

    It is single use and valid for 1 hour: run `authctl password reset`.
    If it was not you, nothing has changed and nothing needs to be done.
    ");
    let code = session.code();
    let words = "password reset --code-stdin --password-stdin";
    sandbox.run_with_input(words, format!("{code}\n{OTHER_PASSWORD}\n")).success();
    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
    let log = sandbox.run("audit list --json").success();
    assert!(!log.contains(&code), "{log}");
}

#[test]
fn an_unknown_address_gets_the_same_answer_and_no_mail() {
    let sandbox = Sandbox::with_ada();
    let server = sandbox.mailbox();
    assert_snapshot!(sandbox.run("password forgot unknown@example.com"), @r"
    ------- stderr -------
    if unknown@example.com is in use, a code was sent to it
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 0);
    sandbox.run("password forgot ada@example.com").success();
    // The test server serves the first connection only.
    assert!(server.session().recipient_and_text().contains("To: ada@example.com"));
}

#[test]
fn missing_sendmail_is_an_error_for_every_address() {
    let sandbox = Sandbox::with_ada();
    sandbox.without_mailbox();
    sandbox.run("policy set mail.url sendmail:/nonexistent/sendmail").success();
    let [known, unknown] = ["ada@example.com", "unknown@example.com"]
        .map(|email| sandbox.run(&format!("password forgot {email} --json")).json_error(1));
    assert_eq!(known, unknown);
}

#[test]
fn missing_mailer_is_an_error_with_a_hint() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("password forgot ada@example.com"), @r"
    ------- stderr -------
    error: could not send a code: no mailer is configured
    hint: an operator can hand out a code with `authctl users reset-code`, or set mail.url and mail.from with `authctl policy set`
    [exit status: 1]
    ");
    let _ = sandbox.run("password forgot nonsense").failure(2);
}

#[test]
fn repeated_requests_do_not_flood_a_mailbox() {
    let sandbox = Sandbox::with_ada();
    // The server answers no delivery, so no other process writes: `--wait 0s` finds the database free.
    let _silent = sandbox.closed_mailbox();
    for email in ["unknown@example.com", "ada@example.com"] {
        for _ in 0..5 {
            sandbox.run(&format!("password forgot {email} --wait 0s")).success();
        }
        let _ = sandbox.run(&format!("password forgot {email} --wait 0s")).failure(8);
    }
    // Requests for codes are not counted as password attempts.
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn invalid_mail_settings_are_refused() {
    let sandbox = Sandbox::with_ada();
    for (key, value) in [
        ("mail.url", "http://example.com"),
        ("mail.url", "smtp://ada:canary@example.com"),
        ("mail.url", ""),
        ("mail.from", "no-address"),
        ("mail.from", "a@b.co\r\nBcc: c@d.ef"),
    ] {
        let said = sandbox.run_words(&["policy", "set", key, value]).failure(2);
        assert!(!said.contains("canary"), "{said}");
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_policy"), 0);
    sandbox.run("policy set mail.url sendmail:").success();
    sandbox.run("policy set mail.url none").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_policy"), 0);
}

#[test]
fn service_has_its_name_and_its_link_in_mail() {
    let sandbox = Sandbox::with_ada();
    let server = sandbox.mailbox();
    sandbox.run("policy set service.name Acme").success();
    sandbox.run("policy set service.url https://acme.example/{purpose}/{code}").success();
    sandbox.run("password forgot ada@example.com").success();
    let session = server.session();
    let code = session.code();
    assert_snapshot!(session.recipient_and_text().replace(&code, "[CODE]"), @"
    To: ada@example.com
    Subject: Acme: A code for a new password

    Hello,

    somebody, perhaps you, asked for a new password for ada@example.com at Acme.

    The code: [CODE]

    The page for it:
    https://acme.example/reset-password/[CODE]

    It is single use and valid for 1 hour: run `authctl password reset`.
    If it was not you, nothing has changed and nothing needs to be done.
    ");
}

#[test]
fn link_that_does_not_work_is_refused() {
    let sandbox = Sandbox::with_ada();
    for url in [
        "http://acme.example/",
        "https://",
        "javascript:alert(1)",
        "http://localhost.acme.example/",
        "https://acme.example/{token}",
        "https://acme.example/a b",
        "https://acme.example/>x",
    ] {
        let ran = sandbox.run_words(&["policy", "set", "service.url", url]);
        assert!(ran.failure(2).contains("service.url cannot be a link"), "{url}");
    }
    for url in ["http://localhost:3000/reset?t={code}", "https://acme.example", "none"] {
        assert_eq!(sandbox.run_words(&["policy", "set", "service.url", url]).code, 0, "{url}");
    }
    let long = "x".repeat(61);
    assert!(sandbox.run(&format!("policy set service.name {long}")).failure(2).contains("longer than 60 characters"));
}
