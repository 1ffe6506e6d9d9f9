//! Users, tables and columns of an app's database under the names that they have there.

use insta::assert_snapshot;

use crate::app::{App, KYSELY};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

/// An app whose user bob has an address with capitals, under which no sign-in finds him.
fn with_capitals() -> App {
    App::changed(KYSELY, |sql| {
        sql.execute("UPDATE user SET email = 'Bob@Example.com' WHERE email = 'bob@example.com'", []).unwrap();
    })
}

const BOBS: &str = "SELECT count(*) FROM user WHERE lower(email) = 'bob@example.com'";

#[test]
fn address_as_listed_finds_its_user() {
    let app = with_capitals();
    for words in ["users exists", "users show", "sessions list --user", "users reset-code"] {
        for address in ["Bob@Example.com", "bob@example.com", "BOB@EXAMPLE.COM"] {
            app.run(&format!("{words} {address}")).success();
        }
    }
    app.run("users delete BOB@example.com --if-exists --yes").success();
    assert_eq!(app.text(BOBS), "0");
    assert_snapshot!(app.run("users delete Bob@Example.com --if-exists --yes"), @"
    ------- stderr -------
    there was no such user in [HOME]/app.db; nothing to delete
    ");
}

#[test]
fn user_with_capitals_is_not_made_a_second_time() {
    let app = with_capitals();
    let create = "users create bob@example.com --name Bob --password-stdin";
    assert_snapshot!(app.run_with_input(&format!("{create} --if-missing"), PASSWORD), @r#"
    ------- stderr -------
    note: the address is stored as "Bob@Example.com", and a sign-in looks for bob@example.com: `authctl users update [ID] --email bob@example.com` stores that
    Bob <Bob@Example.com> exists in [HOME]/app.db; nothing was changed
    "#);
    assert_snapshot!(app.run_with_input(create, PASSWORD), @r#"
    ------- stderr -------
    note: the address is stored as "Bob@Example.com", and a sign-in looks for bob@example.com: `authctl users update [ID] --email bob@example.com` stores that
    error: could not create the user: a user with this email address exists
    hint: `authctl users show Bob@Example.com` shows the user; --ensure gives the user the values that are asked for
    [exit status: 6]
    "#);
    assert_eq!(app.text(BOBS), "1");
}

/// An app whose user bob has an address with capitals and blanks around it.
fn with_blanks() -> App {
    App::changed(KYSELY, |sql| {
        let stored = "\u{a0} Bob@Example.COM\t\r\n ";
        sql.execute("UPDATE user SET email = ?1 WHERE email = 'bob@example.com'", [stored]).unwrap();
    })
}

#[test]
fn address_with_blanks_around_it_finds_its_user() {
    let app = with_blanks();
    for words in ["users exists", "users show", "sessions list --user", "users reset-code"] {
        for address in ["Bob@Example.COM", "bob@example.com"] {
            app.run(&format!("{words} {address}")).success();
        }
    }
    let create = "users create bob@example.com --name Bob --no-password";
    app.run(&format!("{create} --if-missing")).success();
    for words in [create, "users update ada@example.com --email bob@example.com"] {
        let refused = app.run(words).failure(6);
        assert!(refused.contains("a user with this email address exists"), "{words}: {refused}");
    }
    let _ = app.run_with_input("signup BOB@example.com --name Bob --password-stdin", OTHER_PASSWORD).failure(6);
    assert_eq!(app.text("SELECT count(*) FROM user WHERE lower(email) LIKE '%bob@example.com%'"), "1");
    let id = app.text("SELECT id FROM user WHERE lower(email) LIKE '%bob@example.com%'");
    let ran = app.run("doctor");
    assert!(ran.stdout.contains(&format!("hint: `authctl users update {id} --email NEW` gives the user")), "{ran}");
    assert!(ran.stdout.contains(&format!("\n  {id}: \"")), "{ran}");
    app.run(&format!("users update {id} --email bob@example.com")).success();
    assert_eq!(app.text(&format!("SELECT email FROM user WHERE id = '{id}'")), "bob@example.com");
}

#[test]
fn address_of_two_users_in_other_cases_names_their_ids() {
    let app = with_capitals();
    let sql = "PRAGMA foreign_keys = OFF;
        UPDATE user SET id = 'second', email = 'BOB@Example.com' WHERE email = 'ada@example.com';
        UPDATE user SET id = 'first' WHERE email = 'Bob@Example.com'";
    app.sql().execute_batch(sql).unwrap();
    assert_snapshot!(app.run("users show bob@example.com"), @"
    ------- stderr -------
    error: could not show the user: no user has the address bob@example.com as written, and several have it in another spelling: first, second
    hint: name the user by the id, or by the address as stored
    [exit status: 2]
    ");
    for words in ["users exists", "users delete --yes --if-exists", "users create --no-password --name B --if-missing"]
    {
        let error = app.run(&format!("{words} bob@example.com --json")).json_error(2);
        assert_eq!(error["code"], "USER_AMBIGUOUS", "{words}");
    }
    assert_eq!(app.run("users show BOB@Example.com --json").json()["user"]["id"], "second");
    assert_eq!(app.text(BOBS), "2");
}

#[test]
fn renamed_tables_are_named_in_the_hint() {
    let app = App::changed(KYSELY, |sql| {
        sql.execute_batch("ALTER TABLE user RENAME TO ba_user; ALTER TABLE session RENAME TO ba_session").unwrap();
    });
    let error = app.run("users list --json").json_error(9);
    assert_eq!(error["code"], "DATABASE_FOREIGN");
    let hint = error["hint"].as_str().unwrap();
    let (_, line) = hint.split_once("--schema: ").unwrap();
    assert_eq!(line, r#"{"tables": {"user": "ba_user", "session": "ba_session"}}"#);
    app.sandbox.file("schema.json", line);
    app.run("users list --schema schema.json").success();
}

#[test]
fn table_that_is_not_of_better_auth_hides_no_other() {
    let app = App::changed(KYSELY, |sql| {
        sql.execute_batch(
            "CREATE TABLE users (uid INTEGER, login TEXT); CREATE TABLE accounts (id INTEGER, iban TEXT)",
        )
        .unwrap();
    });
    app.run("users ban bob@example.com").success();
}

#[test]
fn renamed_column_is_named_in_the_hint() {
    let app = App::changed(KYSELY, |sql| {
        sql.execute_batch("ALTER TABLE user RENAME COLUMN banExpires TO ban_expires_at").unwrap();
    });
    let error = app.run("users ban bob@example.com --for 1h --json").json_error(9);
    assert_eq!(error["code"], "COLUMN_MISSING");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains(r#"{"columns": {"user.banExpires": "ban_expires_at"}}"#), "{hint}");
}

#[test]
fn address_of_a_file_as_orms_write_it_is_its_path() {
    let app = App::new(KYSELY);
    let path = app.path();
    for address in [format!("file:{}", path.display()), format!("sqlite://{}?mode=rw", path.display())] {
        let ran = app.sandbox.finish(app.command("users exists bob@example.com").env("AUTHCTL_DB", address));
        let _ = ran.success();
    }
}
