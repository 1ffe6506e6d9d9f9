//! The database of an app with authctl's own tables in it, used from several homes as from several machines.

use std::process::Stdio;
use std::time::Duration;

use ::postgres::error::SqlState;
use ::postgres::{Client, NoTls};

use super::{Place, as_role, count, server};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

const PAGE: &str = include_str!("../../../docs/postgres.md");

/// The database of an app, without a state. `None` skips the test.
fn app() -> Option<Place> {
    let place = Place::empty()?;
    let fixture = format!("{}/tests/fixtures/better-auth/postgres/prisma.sql", env!("CARGO_MANIFEST_DIR"));
    let mut client = Client::connect(place.url(), NoTls).unwrap();
    client.batch_execute(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    Some(place)
}

/// As [`app`], with the state in the database.
pub(super) fn app_with_state() -> Option<Place> {
    let place = app()?;
    place.run("db init --state").success();
    Some(place)
}

fn log(place: &Place) -> String {
    place.run("audit list --json").success()
}

#[test]
fn state_is_made_once_and_every_home_uses_it() {
    let Some(place) = app() else { return };
    place.create("ada@example.com", "");
    let status = place.run("db status --json").json();
    assert_eq!(status["state"]["kind"], "file", "{status}");
    let newest = place.run("audit verify --json").json();
    let made = place.run("db init --state --json").json();
    assert_eq!((&made["created"], &made["previousLog"]["hash"]), (&true.into(), &newest["head"]), "{made}");
    assert_eq!(place.run("db init --state --json").json()["created"], false);
    let first = place.run("audit list --json").json();
    let first = &first["entries"][0];
    assert_eq!(first["event"], "state.created", "{first}");
    let detail = first["detail"].as_str().unwrap();
    assert!(detail.contains(newest["head"].as_str().unwrap()), "{first}");
    assert!(detail.ends_with(r#"about the app in the schema "public""#), "{first}");

    let other = Place::at(place.url());
    let status = other.run("db status --json").json();
    assert_eq!(status["state"]["schema"], "authctl", "{status}");
    assert!(other.run("db status").success().contains("schema authctl"));
    place.run("users ban ada@example.com --reason spam").success();
    other.run("audit verify").success();
    assert_eq!(log(&other), log(&place));
    assert!(log(&other).contains("user.banned") && !log(&other).contains("act.intended"), "{}", log(&other));
    other.run("policy set session.lifetime 20d").success();
    assert!(place.run("policy show").success().contains("20d"));
    for words in ["db check", "doctor", "db migrate"] {
        place.run(words).success();
    }
    assert_eq!(place.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'authctl'"), 5);
    // The schema of the app can be named.
    let named = format!("{}{}schema=public", place.url(), if place.url().contains('?') { '&' } else { '?' });
    let ran = place.sandbox.finish(&mut place.command_at(&named, "audit list --json"));
    assert_eq!(ran.success(), log(&place));
    place.run("db init").failure(6);
}

#[test]
fn wrong_passwords_of_two_homes_are_counted_together() {
    let Some(place) = app_with_state() else { return };
    place.create("ada@example.com", "");
    let other = Place::at(place.url());
    let words = "signin ada@example.com --password-file wrong --wait 60s";
    let of = |place: &Place| {
        place.sandbox.file("wrong", OTHER_PASSWORD);
        place.command(words)
    };
    let runs = place.at_once((0..8).map(|n| of(if n % 2 == 0 { &place } else { &other })));
    // Five attempts are free.
    assert_eq!((count(&runs, 7), count(&runs, 8)), (5, 3), "{runs:?}");
    other.run_with_input("signin ada@example.com --password-stdin", PASSWORD).failure(8);
    place.run("audit verify").success();
}

#[test]
fn acts_of_two_homes_killed_at_any_time_are_in_the_log_if_they_are_done() {
    let Some(place) = app_with_state() else { return };
    place.create("ada@example.com", "");
    let other = Place::at(place.url());
    for step in 0..24 {
        let words = ["users ban ada@example.com", "users unban ada@example.com"][step % 2];
        let mut command = if step % 4 < 2 { &place } else { &other }.command(words);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(4 * step as u64));
        let _ = child.kill();
        child.wait().unwrap();
    }
    place.run("users unban ada@example.com --wait 5s").success();
    let logged = |event: &str| place.number(&format!("SELECT count(*) FROM authctl_audit WHERE event = '{event}'"));
    assert_eq!(logged("user.banned"), logged("user.unbanned"));
    assert_eq!(logged("act.intended"), 0);
    other.run("audit verify").success();
}

#[test]
fn writers_of_an_app_go_one_after_the_other() {
    let Some(place) = app_with_state() else { return };
    let others: Vec<Place> = (0..3).map(|_| Place::at(place.url())).collect();
    let create = |n: usize| {
        let other = &others[n % others.len()];
        other.sandbox.file("password", PASSWORD);
        other.command(&format!("users create u{n}@example.com --name U --password-file password --wait 60s"))
    };
    let runs = place.at_once((0..12).map(create));
    assert_eq!(count(&runs, 0), 12, "{runs:?}");
    assert_eq!(place.number("SELECT count(*) FROM authctl_audit WHERE event = 'user.created'"), 12);
    place.run("audit verify").success();
}

#[test]
fn state_is_not_made_where_it_cannot_be() {
    let Some(native) = Place::new() else { return };
    let refused = native.run("db init --state --json").json_error(2);
    assert!(refused["message"].as_str().unwrap().contains("authctl's own"), "{refused}");
    let refused = native.sandbox.finish(&mut native.command_at("./app.db", "db init --state --json")).json_error(2);
    assert!(refused["message"].as_str().unwrap().contains("SQLite"), "{refused}");
    let place = app().unwrap();
    let mut client = Client::connect(place.url(), NoTls).unwrap();
    client.batch_execute("CREATE SCHEMA authctl; CREATE TABLE authctl.other ()").unwrap();
    // A schema of that name of another program changes nothing else.
    place.create("ada@example.com", "");
    assert_eq!(place.run("db init --state --json").json_error(6)["code"], "DATABASE_EXISTS");
    assert_eq!(place.run("db status --json").json()["state"]["kind"], "file");
    client.batch_execute("DROP TABLE authctl.other").unwrap();
    place.run("db init --state").success();
}

#[test]
fn role_of_the_page_works_with_the_state_and_changes_no_log() {
    let Some(server) = server::private() else { return };
    let (_, section) = PAGE.split_once("## A state in the app's database").unwrap();
    let grants = section.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    server.execute("CREATE ROLE state_owner LOGIN; CREATE ROLE state_other LOGIN; CREATE ROLE app_run LOGIN");
    server.execute("CREATE DATABASE state_app OWNER state_owner");
    let url = |role: &str| as_role(&server.url("state_app"), role);
    let sql = |role: &str, statement: &str| Client::connect(&url(role), NoTls).unwrap().batch_execute(statement);
    let fixture = format!("{}/tests/fixtures/better-auth/postgres/prisma.sql", env!("CARGO_MANIFEST_DIR"));
    sql(server::SUPERUSER, "GRANT ALL ON SCHEMA public TO state_owner").unwrap();
    sql("state_owner", &std::fs::read_to_string(fixture).unwrap()).unwrap();
    sql("state_owner", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_run").unwrap();
    let place = Place::at(&url("app_run"));
    let denied = place.run("db init --state --json").json_error(9);
    assert_eq!(denied["code"], "DATABASE_DENIED", "{denied}");
    assert!(denied.to_string().contains("GRANT CREATE ON DATABASE"), "{denied}");
    Place::at(&url("state_owner")).run("db init --state").success();
    // The state is there, so that the file is not used in its place.
    assert_eq!(place.run("users list --json").json_error(9)["code"], "DATABASE_DENIED");
    sql("state_owner", grants).unwrap();
    for (words, input) in [
        ("users create ada@example.com --name Ada --password-stdin", PASSWORD),
        ("signin ada@example.com --password-stdin", PASSWORD),
        ("users ban ada@example.com", ""),
        ("users unban ada@example.com", ""),
        ("policy set session.lifetime 20d", ""),
        ("users unlock ada@example.com", ""),
        ("audit verify", ""),
        ("doctor", ""),
        ("db status", ""),
    ] {
        let ran = place.run_with_input(words, input);
        assert_eq!(ran.code, 0, "{words}: {ran}");
    }
    for statement in [
        "UPDATE authctl.authctl_audit SET event = 'x'",
        "DELETE FROM authctl.authctl_audit",
        "DROP SCHEMA authctl CASCADE",
    ] {
        let code = sql("app_run", statement).unwrap_err().code().cloned();
        assert_eq!(code, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
    // An act whose entry cannot be written is not done.
    sql("state_owner", "REVOKE INSERT ON authctl.authctl_audit FROM app_run").unwrap();
    place.run("users ban ada@example.com").failure(9);
    assert!(!place.run("users list --json").success().contains(r#""banned":true"#));
    // Another role's triggers would run with the rights of the role.
    sql(server::SUPERUSER, "ALTER SCHEMA authctl OWNER TO state_other").unwrap();
    assert_eq!(place.run("users list --json").json_error(9)["code"], "DATABASE_UNSAFE");
    server.execute("DROP DATABASE state_app WITH (FORCE)");
    server.execute("DROP ROLE state_owner, state_other, app_run");
}
