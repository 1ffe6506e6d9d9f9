//! `orgs` in an app with the organization plugin, as an operator runs it.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::mail::server::{POLITE, Server};
use crate::sandbox::past_authctl;

/// The tables of every plugin, and an organization without members.
fn acme() -> Odd {
    let plugins = include_str!("../../fixtures/plugin-tables/drizzle.sql");
    Odd::changed(
        "drizzle-ms",
        &format!(
            "{plugins}; INSERT INTO organization (id, name, slug, created_at) VALUES ('o1', 'Acme', 'acme', 1764000000000)"
        ),
    )
}

#[test]
fn operator_keeps_the_members_of_an_organization() {
    let odd = acme();
    let added = odd.run("orgs add acme ada@example.com --role owner");
    assert_snapshot!(added, @"
    ------- stderr -------
    added ada@example.com to Acme as owner in [HOME]/app.db
    ");
    odd.run("orgs add o1 bob@example.com").success();
    for (words, code, exit) in [
        ("orgs add acme bob@example.com", "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION", 6),
        ("orgs remove acme ada@example.com", "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER", 5),
        ("orgs set-role acme ada@example.com member", "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER", 5),
        ("orgs show unknown", "ORGANIZATION_NOT_FOUND", 3),
    ] {
        assert_eq!(odd.run(&format!("{words} --json")).json_error(exit)["code"], code, "{words}");
    }
    odd.run("orgs set-role acme bob@example.com owner").success();
    // A user whom the app deleted without the row of the member.
    let ghost = "PRAGMA foreign_keys = OFF; INSERT INTO member (id, organization_id, user_id, role, created_at)
                 VALUES ('m', 'o1', 'gone', 'owner', 1764000000000)";
    rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap().execute_batch(ghost).unwrap();
    odd.run("orgs remove acme gone").success();
    assert_eq!(odd.run("orgs remove acme gone --json").json_error(3)["code"], "USER_NOT_FOUND");
    let both = odd.run("orgs set-role acme ada@example.com bob@example.com eve@example.com member,owner");
    assert_snapshot!(both, @"
    ------- stderr -------
    ada@example.com is member,owner in Acme in [HOME]/app.db
    bob@example.com is member,owner in Acme in [HOME]/app.db
    error: no such user: eve@example.com
    hint: `authctl users list --search` finds users
    1 of 3 failed
    [exit status: 1]
    ");
    assert_snapshot!(odd.run("orgs remove acme ada@example.com eve@example.com"), @"
    ------- stderr -------
    removed ada@example.com from Acme in [HOME]/app.db
    error: no such user: eve@example.com
    hint: `authctl users list --search` finds users
    1 of 2 failed
    [exit status: 1]
    ");
    let members = odd.run("orgs members acme -o csv --columns user,role").success();
    assert_eq!(members, "user,role\nbob@example.com,\"member,owner\"\n");
    let all = odd.run("orgs list -o tsv --columns slug,members,owners").success();
    assert_eq!(all, "slug\tmembers\towners\nacme\t1\t1\n");
    odd.run("orgs set-role acme bob@example.com owner").success();
    let members = odd.run("orgs members acme --json").json();
    let members: Vec<_> =
        members["members"].as_array().unwrap().iter().map(|one| (&one["email"], &one["role"])).collect();
    assert_eq!(members, [(&"bob@example.com".into(), &"owner".into())]);
}

#[test]
fn invitation_is_one_that_the_app_accepts() {
    let odd = acme();
    odd.run("orgs add acme ada@example.com --role owner").success();
    let id = odd.run("orgs invite acme New@Example.com --role admin").success();
    let row = past_authctl(&odd.sandbox.path("app.db")).query_row(
        "SELECT id, email, role, status, expires_at > 1000 * unixepoch() FROM invitation",
        [],
        |row| {
            Ok([0, 1, 2, 3].map(|column| row.get::<_, String>(column).unwrap_or_default()).join(" ")
                + if row.get(4)? { " open" } else { "" })
        },
    );
    assert_eq!(row.unwrap(), format!("{} new@example.com admin pending open", id.trim()));
    assert_eq!(
        odd.run("orgs invite acme new@example.com --json").json_error(6)["code"],
        "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION"
    );
}

/// Has the database send its next mail to a test server.
fn mailbox(odd: &Odd) -> Server {
    let server = Server::start(POLITE);
    odd.run(&format!("policy set mail.url smtp://127.0.0.1:{}", server.port)).success();
    odd.run("policy set mail.from accounts@example.com").success();
    server
}

#[test]
fn invitation_is_mailed_with_the_link_of_the_service() {
    let odd = acme();
    odd.run("orgs add acme ada@example.com --role owner").success();
    let server = mailbox(&odd);
    odd.run("policy set service.name Example").success();
    odd.run("policy set service.url https://example.com/{purpose}/{code}").success();
    let made = odd.run("orgs invite acme eve@example.com --role admin --json").json();
    assert_eq!((&made["mailed"], &made["mailError"]), (&true.into(), &serde_json::Value::Null));
    let id = made["invitation"]["id"].as_str().unwrap();
    let end: jiff::Timestamp = made["invitation"]["expiresAt"].as_str().unwrap().parse().unwrap();
    let end = end.round(jiff::Unit::Minute).unwrap().strftime("%FT%T.000Z").to_string();
    assert_snapshot!(server.session().recipient_and_text().replace(id, "[ID]").replace(&end, "[END]"), @"
    To: eve@example.com
    Subject: Example: An invitation

    Hello,

    you are invited to join Acme at Example, as admin.

    The invitation: [ID]

    The page for it:
    https://example.com/accept-invitation/[ID]

    Sign in with the address eve@example.com,
    and accept it before [END].
    If you do not expect it, ignore this: without you nothing changes.
    ");
    // A page for codes of one kind accepts no invitations.
    odd.run("policy set service.url https://example.com/reset?code={code}").success();
    let server = mailbox(&odd);
    let ran = odd.run("orgs invite acme mia@example.com").to_string();
    assert!(ran.contains("; it was mailed"), "{ran}");
    assert!(!server.session().recipient_and_text().contains("https://"));
}

#[test]
fn invitation_stays_when_its_mail_fails() {
    let odd = acme();
    odd.run("orgs add acme ada@example.com --role owner").success();
    odd.run("policy set mail.url sendmail:/nonexistent/sendmail").success();
    odd.run("policy set mail.from accounts@example.com").success();
    let ran = odd.run("orgs invite acme eve@example.com --quiet");
    assert_eq!(ran.code, 0, "{ran}");
    let said = ran.to_string();
    let id = said.lines().next().unwrap().to_owned();
    assert_snapshot!(said.replace(&id, "[ID]"), @"
    [ID]
    ------- stderr -------
    error: could not mail the invitation: mail was not sent: /nonexistent/sendmail did not take it: entity not found
    hint: give the id to eve@example.com
    ");
    let pending = odd.run("orgs show acme --json").json();
    assert_eq!(pending["organization"]["pendingInvitations"], 1);
    odd.run("policy unset mail.url").success();
    let made = odd.run("orgs invite acme mia@example.com --json").json();
    assert_eq!((&made["mailed"], &made["mailError"]), (&false.into(), &serde_json::Value::Null));
}

#[test]
fn first_characters_of_an_id_name_an_organization() {
    let odd = acme();
    let two = "INSERT INTO organization (id, name, slug, created_at) VALUES
               ('tQ8xW2mLk', 'Blue', 'blue', 1764000000000), ('tQ8xW2zzz', 'Red', 'tQ8xW2m', 1764000000000)";
    rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap().execute_batch(two).unwrap();
    odd.run("orgs add tQ8xW2mL ada@example.com").success();
    let shown = |named: &str| odd.run(&format!("orgs show {named} --json")).json()["organization"]["name"].clone();
    assert_eq!(shown("tQ8xW2mL"), "Blue");
    assert_eq!(shown("tQ8xW2m"), "Red", "a slug comes first");
    for (named, code, exit) in [("tQ8xW2", "ID_AMBIGUOUS", 2), ("tQ8xW", "ORGANIZATION_NOT_FOUND", 3)] {
        assert_eq!(odd.run(&format!("orgs show {named} --json")).json_error(exit)["code"], code, "{named}");
    }
}
