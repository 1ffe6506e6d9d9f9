//! `email change`: the address changes when the user has proved that they read mail at the new one.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, Sandbox};

const CHANGE: &str = "email change ada@example.org";

#[test]
fn code_from_the_new_address_changes_the_address() {
    let sandbox = Sandbox::with_ada();
    let server = sandbox.mailbox();
    assert_snapshot!(sandbox.run("email change Ada@Example.org"), @"
    ------- stderr -------
    if ada@example.org is not in use, a code was sent to it; run `authctl email verify` to finish
    ");
    let session = server.session();
    assert_snapshot!(session.recipient_and_text(), @"
    To: ada@example.org
    Subject: A code to change your address

    Hello,

    somebody, perhaps you, wants ada@example.org
    to be the new address of their account.

    The code: [CODE]

    It is single use and valid for 1 day: run `authctl email verify`.
    If it was not you, ignore this: without the code nothing changes.
    ");
    assert_eq!(sandbox.run("whoami --json").json()["user"]["email"], "ada@example.com");
    let server = sandbox.mailbox();
    assert_snapshot!(sandbox.verify(&session.code()), @"
    ------- stderr -------
    changed the address of Ada <ada@example.org>, which was ada@example.com, verified it and ended 0 sessions
    ");
    assert_snapshot!(server.session().recipient_and_text(), @"
    To: ada@example.com
    Subject: Your address was changed

    Hello,

    the address of your account is no longer ada@example.com:
    it was changed with a code that was mailed to the new one.
    If it was not you, tell the administrator of the service.
    ");
    let me = sandbox.run("whoami --json").json();
    assert_eq!((&me["user"]["email"], &me["user"]["emailVerified"]), (&"ada@example.org".into(), &true.into()));
    let _ = sandbox.sign_in("ada@example.com").failure(7);
    sandbox.sign_in("ada@example.org").success();
    let _ = sandbox.verify(&session.code()).failure(7);
    let events = sandbox.run("audit list --json").json();
    let events: Vec<&str> =
        events["entries"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    let used = events.iter().position(|event| *event == "code.used").unwrap();
    assert_eq!(events[used..used + 3], ["code.used", "email.changed", "email.verified"]);
}

#[test]
fn taken_address_gets_the_same_answer_and_no_mail() {
    let sandbox = Sandbox::new();
    sandbox.sign_up("bob@example.com", "Bob").success();
    sandbox.sign_up("ada@example.com", "Ada").success();
    let server = sandbox.mailbox();
    let [taken, free] = ["bob@example.com", "ada@example.org"]
        .map(|email| sandbox.run(&format!("email change {email}")).to_string().replace(email, "[EMAIL]"));
    assert_eq!(free, taken);
    assert!(server.session().recipient_and_text().contains("To: ada@example.org"));
}

#[test]
fn address_taken_meanwhile_is_an_error_for_its_code() {
    let sandbox = Sandbox::with_ada();
    let code = sandbox.mailed_code(CHANGE);
    sandbox.run("users create ada@example.org --name Eve --generate").success();
    assert_snapshot!(sandbox.verify(&code), @"
    ------- stderr -------
    error: could not verify the address: a user with this email address exists
    hint: sign in with `authctl signin`, or use another address
    [exit status: 6]
    ");
    // The code is unchanged too.
    sandbox.run("users delete ada@example.org --yes").success();
    sandbox.verify(&code).success();
}

#[test]
fn change_needs_a_fresh_session_and_a_valid_address() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run(CHANGE), @"
    ------- stderr -------
    error: could not change the address: no mailer is configured
    hint: an operator can change the address with `authctl users update --email`, or set mail.url and mail.from with `authctl policy set`
    [exit status: 1]
    ");
    sandbox.without_mailbox();
    let _ = sandbox.run("email change nonsense").failure(2);
    assert_snapshot!(sandbox.run("email change ADA@example.com"), @"
    ------- stderr -------
    error: could not change the address: this is the address of the account already
    hint: give another address; `authctl email verify --send` verifies this one
    [exit status: 2]
    ");
    sandbox.execute("UPDATE session SET createdAt = createdAt - 86400");
    assert_eq!(sandbox.run(&format!("{CHANGE} --json")).json_error(5)["code"], "SESSION_NOT_FRESH");
    sandbox.run("signout").success();
    let _ = sandbox.run(CHANGE).failure(4);
    assert_eq!(sandbox.number("SELECT count(*) FROM verification"), 0);
}

#[test]
fn undelivered_notice_to_the_old_address_is_a_note() {
    let sandbox = Sandbox::with_ada();
    let code = sandbox.mailed_code(CHANGE);
    sandbox.run("policy set mail.url sendmail:/nonexistent/sendmail").success();
    assert_snapshot!(sandbox.verify(&code), @"
    ------- stderr -------
    note: ada@example.com was not told that it is no longer the address: mail was not sent: /nonexistent/sendmail did not take it: entity not found
    changed the address of Ada <ada@example.org>, which was ada@example.com, verified it and ended 0 sessions
    ");
    let code = sandbox.mailed_code("email change ada@example.net");
    sandbox.run("policy unset mail.url").success();
    assert_snapshot!(sandbox.verify(&code), @"
    ------- stderr -------
    note: ada@example.org was not told that it is no longer the address: no mailer is configured
    changed the address of Ada <ada@example.net>, which was ada@example.org, verified it and ended 0 sessions
    ");
}

#[test]
fn reset_code_of_the_old_address_is_invalid() {
    let sandbox = Sandbox::with_ada();
    let reset = sandbox.mailed_code("password forgot ada@example.com");
    let change = sandbox.mailed_code(CHANGE);
    sandbox.verify(&change).success();
    let both = format!("{reset}\n{OTHER_PASSWORD}\n");
    let _ = sandbox.run_with_input("password reset --code-stdin --password-stdin", both).failure(7);
    sandbox.sign_in("ada@example.org").success();
}

#[test]
fn repeated_requests_do_not_flood_a_mailbox() {
    let sandbox = Sandbox::with_ada();
    // The server answers no delivery, so no other process writes: `--wait 0s` finds the database free.
    let _silent = sandbox.closed_mailbox();
    for count in 0..5 {
        sandbox.run(&format!("email change a{count}@example.org --wait 0s")).success();
    }
    let _ = sandbox.run(&format!("{CHANGE} --wait 0s")).failure(8);
}
