//! `orgs` in an app with the organization plugin, as an operator runs it.

use insta::assert_snapshot;

use super::refused::Odd;
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
