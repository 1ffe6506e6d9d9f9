//! Triggers of an app. They run in the acts of authctl as in those of the app, and reach nothing but the database.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::sandbox::PASSWORD;

/// A database of Drizzle whose app has these triggers.
fn with(triggers: &str) -> Odd {
    Odd::changed("drizzle-ms", &format!("CREATE TABLE log (line TEXT); {triggers}"))
}

fn log(odd: &Odd) -> String {
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    connection.query_row("SELECT coalesce(group_concat(line, ' '), '') FROM log", [], |row| row.get(0)).unwrap()
}

#[test]
fn triggers_of_the_app_run_and_are_listed() {
    let odd = with(
        "CREATE TRIGGER made AFTER INSERT ON user BEGIN INSERT INTO log VALUES ('made'); END;
         CREATE TRIGGER begun AFTER INSERT ON session BEGIN INSERT INTO log VALUES ('begun'); END;
         CREATE TRIGGER gone AFTER DELETE ON account BEGIN INSERT INTO log VALUES ('gone'); END;
         CREATE VIEW people AS SELECT * FROM user;
         CREATE TRIGGER counted AFTER UPDATE ON user BEGIN
           INSERT INTO log SELECT 'people:' || count(*) FROM people; END;",
    );
    odd.run("users create new@example.com --name New --no-password").success();
    odd.run_with_input("signin ada@example.com --print-token --password-stdin", PASSWORD).success();
    odd.run("users verify-email bob@example.com").success();
    odd.run("users delete bob@example.com --yes").success();
    assert_eq!(log(&odd), "made begun people:6 gone");
    let status = odd.run("db status");
    assert!(status.stdout.contains("counted on user, made on user, begun on session, gone on account"), "{status}");
    let json = odd.run("db status --json").json();
    assert_eq!(json["app"]["triggers"][0], serde_json::json!({ "name": "counted", "table": "user" }));
    assert_eq!(json["app"]["writable"], true);
}

#[test]
fn words_of_a_trigger_are_told_and_nothing_is_changed() {
    let odd = with(
        "CREATE TRIGGER keep BEFORE DELETE ON user WHEN OLD.email LIKE 'bob%' BEGIN
           SELECT RAISE(ABORT, 'bob pays the bills'); END;",
    );
    assert_snapshot!(odd.run("users delete bob@example.com --yes"), @"
    ------- stderr -------
    error: could not delete the user: the app's database refuses this: bob pays the bills
    hint: a trigger of the app says so; `authctl db status` lists them; nothing was changed
    [exit status: 5]
    ");
    assert_eq!(odd.run("users show bob@example.com --json").json()["accounts"].as_array().unwrap().len(), 1);
}

#[test]
fn trigger_that_ignores_or_undoes_an_act_is_told() {
    for (trigger, words, told) in [
        (
            "BEFORE DELETE ON session BEGIN SELECT RAISE(IGNORE)",
            "sessions revoke --all-users --older-than 1s --yes",
            "keeps a row",
        ),
        ("BEFORE DELETE ON account BEGIN SELECT RAISE(IGNORE)", "users delete bob@example.com --yes", "keeps a row"),
        ("BEFORE DELETE ON user BEGIN SELECT RAISE(IGNORE)", "users delete bob@example.com --yes", "keeps a row"),
        (
            "AFTER UPDATE ON user BEGIN UPDATE user SET banned = 0 WHERE id = NEW.id",
            "users ban bob@example.com",
            "undoes",
        ),
        ("BEFORE UPDATE ON user BEGIN SELECT RAISE(IGNORE)", "users set-role bob@example.com admin", "undoes"),
    ] {
        let odd = with(&format!("CREATE TRIGGER t {trigger}; END;"));
        let told = format!("a trigger of the app {told}");
        let ran = odd.run(words).failure(5);
        assert!(ran.contains(&told), "{trigger}: {ran}");
    }
}

#[test]
fn trigger_reaches_nothing_beyond_the_database() {
    for (body, told) in [
        ("SELECT load_extension('x')", "unsafe use of load_extension()"),
        ("INSERT INTO log VALUES (slugify(NEW.name))", "no such function: slugify"),
        ("INSERT INTO log SELECT name FROM pragma_database_list", "unsafe use of virtual table"),
    ] {
        let odd = with(&format!("CREATE TRIGGER t AFTER UPDATE ON user BEGIN {body}; END;"));
        let ran = odd.run("users verify-email bob@example.com").failure(5);
        assert!(ran.contains(told), "{body}: {ran}");
        assert!(odd.is_as_made(), "{body}");
    }
}
