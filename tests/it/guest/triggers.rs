//! Triggers and constraints of an app. Triggers run in the acts of authctl as in those of the app, and reach nothing but the database.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::sandbox::PASSWORD;

/// A database of Drizzle whose app has these triggers.
fn with(triggers: &str) -> Odd {
    Odd::changed("drizzle-ms", &format!("CREATE TABLE log (line TEXT); {triggers}"))
}

/// Asserts that an act is refused in the words of the app's schema, and that nothing is changed.
fn assert_refused(schema: &str, words: &str, told: &str) {
    let odd = with(schema);
    let ran = odd.run(words).failure(5);
    assert!(ran.contains(told) && !ran.contains("damaged"), "{schema}: {ran}");
    assert!(odd.is_as_made(), "{schema}");
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
    error: could not delete the user: the database refuses this: bob pays the bills
    hint: a trigger or foreign key says so; `authctl db status` or `authctl doctor` names the triggers; nothing was changed
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
        assert_refused(&format!("CREATE TRIGGER t {trigger}; END"), words, &format!("a trigger of the app {told}"));
    }
}

/// Rows of plugins that give access to Bob's account.
const PLUGINS: &str = "
    ALTER TABLE user ADD COLUMN two_factor_enabled integer;
    UPDATE user SET two_factor_enabled = 1 WHERE email = 'bob@example.com';
    INSERT INTO two_factor (id, secret, backup_codes, user_id, locked_until) SELECT 'f', 's', 'c', id, 4102444800000 FROM user WHERE email = 'bob@example.com';
    INSERT INTO apikey (id, reference_id, \"key\", created_at, updated_at)
      SELECT 'k', id, 'k', 1795465791000, 1795465791000 FROM user WHERE email = 'bob@example.com';
    INSERT INTO oauth_client (id, client_id, redirect_uris) VALUES ('c', 'client', '[]');
    INSERT INTO oauth_access_token (id, token, client_id, session_id, user_id, expires_at, created_at, scopes)
      SELECT 'a', 'a', 'client', session.id, user_id, 4102444800000, 1795465791000, '[]' FROM session
      JOIN user ON user.id = user_id WHERE email = 'bob@example.com' LIMIT 1;
    INSERT INTO organization (id, name, slug, created_at) VALUES ('o', 'O', 'o', 1795465791000);
    INSERT INTO member (id, organization_id, user_id, role, created_at) SELECT 'm' || email, 'o', id,
      iif(email LIKE 'bob%', 'owner', 'member'), 1795465791000 FROM user WHERE email IN ('bob@example.com', 'ada@example.com');
    INSERT INTO device_code (id, device_code, user_code, expires_at, status) VALUES ('d', 'd', 'u', 1, 'pending');
    INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
      SELECT 'r', 'reset-password:x', id, 4102444800000, 1795465791000, 1795465791000 FROM user WHERE email = 'bob@example.com';";

#[test]
fn trigger_that_leaves_access_open_refuses_the_act() {
    let plugins = include_str!("../../fixtures/plugin-tables/drizzle.sql");
    let again = "AFTER DELETE ON session BEGIN INSERT INTO session SELECT OLD.*";
    let again = again.replace(
        "SELECT OLD.*",
        "(id, token, user_id, expires_at, created_at, updated_at) VALUES
        (OLD.id, OLD.token, OLD.user_id, OLD.expires_at, OLD.created_at, OLD.updated_at)",
    );
    let skips = |what: &str| format!("BEFORE {what} BEGIN SELECT RAISE(IGNORE)");
    let mut cases: Vec<(String, &str)> = [
        "sessions revoke --user bob@example.com --all --yes",
        "users ban bob@example.com",
        "users lockdown bob@example.com --yes",
        "users set-password bob@example.com --generate",
        "users reset-2fa bob@example.com --yes",
        "sessions revoke --all-users --older-than 1s --yes",
    ]
    .map(|words| (again.clone(), words))
    .into();
    // Under another id it opens the account as well.
    let copied = again.replace("(OLD.id", "(OLD.id || 'x'");
    let with_other_token = copied.replace("OLD.token", "OLD.token || 'x'");
    let over = "AFTER INSERT ON session BEGIN UPDATE session SET expires_at = 1 WHERE id = NEW.id";
    let other_user = over.replace("expires_at = 1", "user_id = (SELECT id FROM user WHERE email = 'ada@example.com')");
    let other_token = over.replace("expires_at = 1", "token = 'other' || NEW.id");
    cases.extend([
        (copied.clone(), "sessions revoke --user bob@example.com --all --yes"),
        (copied.clone(), "users set-password bob@example.com --generate"),
        (copied.clone(), "users ban bob@example.com"),
        (copied, "users lockdown bob@example.com --yes"),
        (with_other_token, "users lockdown bob@example.com --yes"),
        (over.into(), "sessions issue --user bob@example.com"),
        (other_token, "sessions issue --user bob@example.com"),
        (other_user, "sessions issue --user bob@example.com"),
        (skips("UPDATE ON apikey"), "users lockdown bob@example.com --yes"),
        ("AFTER UPDATE ON apikey BEGIN UPDATE apikey SET enabled = 1".into(), "users lockdown bob@example.com --yes"),
        (skips("UPDATE ON oauth_access_token"), "users lockdown bob@example.com --yes"),
        (skips("UPDATE ON oauth_access_token"), "users ban bob@example.com"),
        (skips("DELETE ON two_factor"), "users reset-2fa bob@example.com --yes"),
        (
            "AFTER UPDATE ON user BEGIN UPDATE user SET two_factor_enabled = 1 WHERE id = NEW.id".into(),
            "users reset-2fa bob@example.com --yes",
        ),
        (skips("DELETE ON verification"), "users set-password bob@example.com --generate"),
        (skips("DELETE ON verification"), "users reset-code bob@example.com"),
        (skips("INSERT ON verification"), "users reset-code bob@example.com"),
        (skips("UPDATE ON account"), "users set-password bob@example.com --generate"),
        (
            "AFTER UPDATE ON account BEGIN UPDATE account SET password = OLD.password WHERE id = OLD.id".into(),
            "users set-password bob@example.com --generate",
        ),
        (skips("INSERT ON account"), "users create new@example.com --name New --generate"),
        (skips("INSERT ON user"), "users create new@example.com --name New --generate"),
        (skips("INSERT ON session"), "sessions issue --user bob@example.com"),
        (skips("UPDATE ON two_factor"), "users unlock bob@example.com"),
        (skips("UPDATE ON member"), "users delete bob@example.com --new-owner ada@example.com --yes"),
        (skips("INSERT ON member"), "users delete bob@example.com --new-owner emo@example.com --yes"),
        (skips("DELETE ON device_code"), "db prune --yes"),
    ]);
    for (trigger, words) in cases {
        let odd = with(&format!("{plugins}{PLUGINS} CREATE TRIGGER t {trigger}; END;"));
        let ran = odd.run(&format!("{words} --json")).failure(5);
        assert!(ran.contains("APP_REFUSES") && ran.contains("a trigger of the app"), "{trigger}: {words}: {ran}");
        // Each kind of expired rows goes in its own transaction.
        assert!(odd.is_as_made() || words.starts_with("db prune"), "{trigger}: {words}");
    }
}

/// A sign-in clears a ban that is over, as the app does.
#[test]
fn sign_in_notices_a_trigger_that_keeps_a_ban() {
    let over = "UPDATE user SET banned = 1, ban_expires = 1000 WHERE email = 'ada@example.com';";
    let words = "signin ada@example.com --print-token --password-stdin";
    with(over).run_with_input(words, PASSWORD).success();
    for body in
        ["BEFORE UPDATE ON user BEGIN SELECT RAISE(IGNORE)", "AFTER UPDATE ON user BEGIN UPDATE user SET banned = 1"]
    {
        let odd = with(&format!("{over} CREATE TRIGGER t {body}; END"));
        let refused = odd.run_with_input(words, PASSWORD).failure(5);
        assert!(refused.contains("a trigger of the app undoes the change"), "{body}: {refused}");
        assert!(odd.is_as_made(), "{body}");
    }
}

#[test]
fn trigger_that_writes_another_spelling_or_time_is_no_refusal() {
    let odd = with(
        "CREATE TRIGGER named AFTER UPDATE ON user BEGIN
           UPDATE user SET name = trim(name), updated_at = 1 WHERE id = NEW.id; END;
         CREATE TRIGGER dated AFTER UPDATE ON account BEGIN UPDATE account SET updated_at = 1 WHERE id = NEW.id; END;
         CREATE TRIGGER made AFTER INSERT ON user BEGIN UPDATE user SET role = 'member' WHERE id = NEW.id; END;",
    );
    odd.run("users set-password bob@example.com --generate").success();
    odd.run("users ban bob@example.com").success();
    odd.run("users create new@example.com --name New --generate").success();
    assert_eq!(odd.run("users show new@example.com --json").json()["user"]["role"], "member");
}

#[test]
fn trigger_that_names_a_missing_table_is_no_damage() {
    for (schema, told) in [
        ("CREATE TRIGGER t AFTER UPDATE ON user BEGIN INSERT INTO gone VALUES (1); END", "no such table: main.gone"),
        (
            "CREATE TRIGGER t AFTER UPDATE ON user BEGIN INSERT INTO log VALUES ((SELECT a FROM gone)); END",
            "no such table: main.gone",
        ),
        (
            "ALTER TABLE user ADD COLUMN team REFERENCES gone (id)",
            "user.team refers to the table gone, which does not exist",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON user BEGIN INSERT INTO log VALUES (NEW.gone); END",
            "a trigger of the app fails: no such column: NEW.gone",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON user BEGIN UPDATE log SET what = gone; END",
            "a trigger of the app fails: no such column: gone",
        ),
        // The user has a name.
        (
            "CREATE TRIGGER t AFTER UPDATE ON user BEGIN INSERT INTO log SELECT name FROM log; END",
            "a trigger of the app fails: no such column: name",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON user BEGIN INSERT INTO log (gone) VALUES (1); END",
            "a trigger of the app fails: table log has no column named gone",
        ),
        (
            "CREATE TABLE invite (email TEXT REFERENCES user (name))",
            "invite.email refers to user.name, which is neither the primary key nor unique",
        ),
    ] {
        let words = match schema {
            _ if schema.starts_with("ALTER") => "users create new@example.com --name New --generate",
            _ if schema.contains("invite") => "users update bob@example.com --name Robert",
            _ => "users verify-email bob@example.com",
        };
        assert_refused(schema, words, told);
    }
}

#[test]
fn trigger_reaches_nothing_beyond_the_database() {
    for (body, told) in [
        ("SELECT load_extension('x')", "unsafe use of load_extension()"),
        ("INSERT INTO log VALUES (slugify(NEW.name))", "no such function: slugify"),
        ("INSERT INTO log SELECT name FROM pragma_database_list", "unsafe use of virtual table"),
    ] {
        let schema = format!("CREATE TRIGGER t AFTER UPDATE ON user BEGIN {body}; END");
        assert_refused(&schema, "users verify-email bob@example.com", told);
    }
}
