//! The role with few rights that docs/postgres.md describes, made by its statements word for word.

use ::postgres::{Client, NoTls};

use super::{Place, as_role, server};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};
use crate::second_factor::otp;

const PAGE: &str = include_str!("../../../docs/postgres.md");

/// What the role does, each with its input. All of it succeeds.
const ACTS: &[(&str, &str)] = &[
    ("signup ada@example.com --name Ada --password-stdin", PASSWORD),
    ("whoami", ""),
    ("sessions", ""),
    ("password change --password-stdin", "correct horse battery staple\nnine purple umbrellas sing\n"),
    ("account update --name Adele", ""),
    ("users create root@example.com --name Root --role admin --password-stdin", PASSWORD),
    ("users create eve@example.com --name Eve --password-stdin", PASSWORD),
    ("users list --search ada", ""),
    ("users ban ada@example.com --for 1h", ""),
    ("users unban ada@example.com", ""),
    ("users set-role ada@example.com admin", ""),
    ("users reset-code ada@example.com -q", ""),
    ("signin ada@example.com --password-stdin", OTHER_PASSWORD),
    ("sessions list --all-users", ""),
    ("policy set session.lifetime 20d", ""),
    ("policy unset session.lifetime", ""),
    ("users unlock ada@example.com", ""),
    ("sessions prune", ""),
    ("signout", ""),
    ("users delete ada@example.com --yes", ""),
    ("audit verify", ""),
    ("audit export", ""),
    ("db status", ""),
    ("db check", ""),
    ("doctor", ""),
];

/// Writes the tables of API tokens and of second factors in each way.
fn tokens_and_second_factors(place: &Place) {
    let made = place.run("tokens create --name ci --user eve@example.com --json").json();
    let (id, token) = (made["apiToken"]["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let mut whoami = place.command("whoami");
    place.sandbox.finish(whoami.env("AUTHCTL_TOKEN", token)).success();
    place.run(&format!("tokens rotate {id} --user eve@example.com")).success();
    place.run("tokens list --all-users").success();
    place.run("tokens revoke --all --user eve@example.com --yes").success();
    place.run_with_input("signin eve@example.com --password-stdin", PASSWORD).success();
    let begun = place.run_with_input("2fa enable --password-stdin --json", PASSWORD).json();
    let code = |steps| otp(begun["secret"].as_str().unwrap(), steps);
    place.run_with_input("2fa enable --otp-stdin", &code(-1)).success();
    place.run("signout").success();
    let both = format!("{PASSWORD}\n{}\n", code(0));
    place.run_with_input("signin eve@example.com --password-stdin --otp-stdin", &both).success();
    place.run("users reset-2fa eve@example.com --yes").success();
}

#[test]
fn role_of_the_page_runs_all_and_changes_no_log() {
    let Some(server) = server::private() else { return };
    let (_, section) = PAGE.split_once("## A role with few rights").unwrap();
    let statements = section.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let (of_superuser, of_owner) = statements.split_once("-- as authctl_owner").unwrap();
    let (_, of_owner) = of_owner.split_once('\n').unwrap();
    server.execute("CREATE DATABASE app");
    server.execute(of_superuser);
    let url = |role: &str| as_role(&server.url("app"), role);
    Place::at(&url("authctl_owner")).run("db init").success();
    let sql = |role: &str, statement: &str| Client::connect(&url(role), NoTls).unwrap().batch_execute(statement);
    sql("authctl_owner", of_owner).unwrap();

    let place = Place::at(&url("authctl_run"));
    for (words, input) in ACTS {
        let ran = place.run_with_input(words, input);
        assert_eq!(ran.code, 0, "{words}: {ran}");
    }
    tokens_and_second_factors(&place);
    for statement in [
        "UPDATE authctl.authctl_audit SET event = 'x'",
        "DELETE FROM authctl.authctl_audit",
        "TRUNCATE authctl.authctl_audit",
        "DELETE FROM authctl.authctl_head",
        "DELETE FROM authctl.authctl_schema_history",
        "CREATE TABLE authctl.other ()",
        r#"ALTER TABLE authctl."user" ADD COLUMN other text"#,
        "DROP SCHEMA authctl CASCADE",
    ] {
        let code = sql("authctl_run", statement).unwrap_err().code().cloned();
        assert_eq!(code, Some(::postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }

    let denied = |words: &str| {
        let error = place.run(&format!("{words} --json")).json_error(9);
        assert_eq!(error["code"], "DATABASE_DENIED", "{words}: {error}");
    };
    // What an act needs last is missing.
    sql("authctl_owner", "REVOKE INSERT ON authctl.authctl_audit FROM authctl_run").unwrap();
    denied("users ban eve@example.com");
    sql("authctl_owner", "GRANT INSERT ON authctl.authctl_audit TO authctl_run").unwrap();
    sql("authctl_owner", "REVOKE UPDATE ON authctl.authctl_head FROM authctl_run").unwrap();
    denied("users ban eve@example.com");
    place.run("users list").success();
    sql("authctl_owner", "GRANT UPDATE ON authctl.authctl_head TO authctl_run").unwrap();
    assert_eq!(place.number(r#"SELECT count(*) FROM "user" WHERE banned"#), 0);
    place.assert_whole();

    let history = "authctl.authctl_schema_history";
    sql("authctl_owner", &format!("DELETE FROM {history} WHERE version > 10; UPDATE {history} SET version = 9"))
        .unwrap();
    denied("users list");
    sql("authctl_owner", "UPDATE authctl.authctl_schema_history SET version = 99").unwrap();
    assert_eq!(place.run("users list --json").json_error(9)["code"], "DATABASE_NEWER");
    sql("authctl_owner", "DROP SCHEMA authctl CASCADE").unwrap();
    assert_eq!(place.run("users list --json").json_error(9)["code"], "DATABASE_MISSING");
    denied("db init");
    server.execute("DROP DATABASE app WITH (FORCE)");
}
