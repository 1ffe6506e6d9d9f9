//! `password forgot`: a code by mail, and nothing said about who has the address.

use insta::assert_snapshot;

use crate::mail::server::{POLITE, Server};
use crate::sandbox::{OTHER_PASSWORD, Sandbox};

/// Ada's sandbox, whose database sends mail to a server of the test's own.
fn with_mailer() -> (Sandbox, Server) {
    let sandbox = Sandbox::with_ada();
    let server = Server::start(POLITE);
    sandbox.run(&format!("policy set mail.url smtp://127.0.0.1:{}", server.port)).success();
    sandbox.run_words(&["policy", "set", "mail.from", "Accounts <accounts@example.com>"]).success();
    (sandbox, server)
}

#[test]
fn a_mailed_code_sets_a_new_password() {
    let (sandbox, server) = with_mailer();
    assert_snapshot!(sandbox.run("password forgot ADA@example.com"), @r"
    ------- stderr -------
    if somebody here has the address ada@example.com, a code is on its way there
    ");
    let session = server.session();
    let (headers, body) = session.parts();
    assert!(headers.contains("To: ada@example.com") && headers.contains("accounts@example.com"), "{headers}");
    let (_, after) = body.split_once("The code: ").unwrap();
    let code = after.lines().next().unwrap().trim_end();
    let words = "password reset --code-stdin --password-stdin";
    sandbox.run_with_input(words, format!("{code}\n{OTHER_PASSWORD}\n")).success();
    sandbox.run_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
    let log = sandbox.run("audit list --json").success();
    assert!(!log.contains(code), "{log}");
}

#[test]
fn an_unknown_address_gets_the_same_answer_and_no_mail() {
    let sandbox = Sandbox::with_ada();
    // A server that nobody is behind: whoever sent mail would fail.
    sandbox.run("policy set mail.url smtp://127.0.0.1:9").success();
    sandbox.run("policy set mail.from accounts@example.com").success();
    assert_snapshot!(sandbox.run("password forgot nobody@example.com"), @r"
    ------- stderr -------
    if somebody here has the address nobody@example.com, a code is on its way there
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 0);
    let error = sandbox.run("password forgot ada@example.com --json").json_error(1);
    assert_eq!(error["code"], "MAIL_NOT_SENT");
}

#[test]
fn without_a_mailer_the_way_out_is_told() {
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
fn nobodys_mailbox_is_filled() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("policy set mail.url smtp://127.0.0.1:9").success();
    sandbox.run("policy set mail.from accounts@example.com").success();
    for email in ["nobody@example.com", "ada@example.com"] {
        for _ in 0..5 {
            let ran = sandbox.run(&format!("password forgot {email} --wait 0s"));
            assert!(ran.code < 2, "{ran}");
        }
        let _ = sandbox.run(&format!("password forgot {email} --wait 0s")).failure(8);
    }
    // To ask for codes is not to guess passwords.
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn what_the_mailer_would_refuse_is_no_setting() {
    let sandbox = Sandbox::with_ada();
    for (key, value) in [
        ("mail.url", "http://example.com"),
        ("mail.url", "smtp://ada:canary@example.com"),
        ("mail.url", ""),
        ("mail.from", "nobody"),
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
