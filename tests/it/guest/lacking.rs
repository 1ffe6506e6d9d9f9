//! Databases of apps without a table or a column by which Better Auth finds rows: acts that do not need it work, and the
//! error about the others names it and the line for the `--schema` file.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::sandbox::PASSWORD;

/// Acts, each with the tables that it cannot do without.
const ACTS: &[(&str, &[&str])] = &[
    ("users list", &[]),
    ("users show ada@example.com", &[]),
    ("users explain ada@example.com", &["account"]),
    ("signin ada@example.com --no-store --password-stdin", &["account"]),
    ("db status", &[]),
    ("db prune", &[]),
    ("users verify-email octo@example.com", &[]),
    ("users set-role emo@example.com helper --force", &[]),
    ("users ban bob@example.com", &[]),
    ("users set-password ada@example.com --password-stdin", &["account"]),
    ("users create new@example.com --name New --no-password", &[]),
    ("users create other@example.com --name New --password-stdin", &["account"]),
    ("sessions issue --user ada@example.com --force", &["session"]),
    ("sessions list --all-users", &[]),
    ("users reset-code ada@example.com", &["account", "verification"]),
    ("users lockdown emo@example.com --yes", &[]),
    ("users delete bob@example.com --yes", &[]),
];

#[test]
fn essential_column_stops_only_the_acts_that_need_it() {
    for (table, columns) in [
        ("session", &["id", "token", "userId", "expiresAt"][..]),
        ("account", &["id", "accountId", "providerId", "userId"]),
        ("verification", &["id", "identifier", "expiresAt"]),
    ] {
        for (number, column) in (1..).zip(columns) {
            let odd = Odd::changed("kysely", &format!("ALTER TABLE {table} RENAME COLUMN {column} TO x"));
            // The rows are out of reach whichever column is missing: the acts without them are tried once.
            for (words, needed) in ACTS.iter().filter(|(_, needed)| number == 1 || needed.contains(&table)) {
                let ran = odd.run_with_input(words, PASSWORD);
                if needed.contains(&table) {
                    let refused = ran.failure(9);
                    assert!(
                        refused.contains(&format!("{table}.x ")) || refused.contains(column),
                        "{column}, {words}: {refused}"
                    );
                    assert!(refused.contains(&format!("\"{table}.")), "{column}, {words}: {refused}");
                } else {
                    assert_eq!(ran.code, 0, "{table}.{column}, {words}: {ran}");
                }
            }
        }
    }
}

#[test]
fn ban_ends_sessions_that_have_no_column_for_their_token() {
    let odd = Odd::new("missing-column");
    odd.run("users ban bob@example.com").success();
    let left = "SELECT count(*) FROM session JOIN user ON user.id = userId WHERE email = 'bob@example.com'";
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    assert_eq!(connection.query_row(left, [], |row| row.get(0)), Ok(0));
    assert_snapshot!(odd.run("sessions issue --user ada@example.com --force"), @r#"
    ------- stderr -------
    error: could not issue a session: the table session has no column token
    hint: bring the app's migrations to their end, or name the column in the --schema file: {"columns": {"session.token": "..."}}
    [exit status: 9]
    "#);
}

#[test]
fn missing_column_has_the_name_that_the_app_would_give_it() {
    let odd = Odd::changed(
        "plural",
        "ALTER TABLE users DROP COLUMN email_verified; ALTER TABLE users DROP COLUMN ban_reason",
    );
    assert_snapshot!(odd.run("users verify-email ada@example.com"), @r#"
    ------- stderr -------
    error: could not verify the address: the table users has no column email_verified
    hint: bring the app's migrations to their end, or name the column in the --schema file: {"columns": {"user.emailVerified": "..."}}
    [exit status: 9]
    "#);
    let error = odd.run("users ban bob@example.com --reason spam --json").json_error(9);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("the database has no column ban_reason in its table users"), "{message}");
}

#[test]
fn code_for_a_password_that_cannot_be_set_is_not_made() {
    for column in ["password", "provider_id", "account_id"] {
        let odd = Odd::changed(
            "plural",
            &format!("ALTER TABLE accounts RENAME COLUMN {column} TO x; DELETE FROM verifications"),
        );
        let refused = odd.run("users reset-code bob@example.com").failure(9);
        assert!(refused.contains(&format!("the table accounts has no column {column}\n")), "{refused}");
        let codes = "SELECT count(*) FROM verifications";
        let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
        assert_eq!(connection.query_row(codes, [], |row| row.get(0)), Ok(0));
    }
}

#[test]
fn rows_that_cannot_be_reached_are_noted() {
    let odd = Odd::changed("kysely", "ALTER TABLE session RENAME COLUMN userId TO x");
    assert_snapshot!(odd.run("users ban bob@example.com"), @r#"
    ------- stderr -------
    note: the table session has no column userId: no sessions were found or changed; finish the app's migration, or name the column in a file for --schema: {"columns": {"session.userId": "..."}}
    banned Bob <bob@example.com> permanently in [HOME]/app.db
    "#);
    let status = odd.run("db status --json").json();
    assert_eq!(status["liveSessions"], serde_json::Value::Null);
    assert!(status["app"]["refusals"].to_string().contains("the table session has no column userId"), "{status}");
    let doctor: serde_json::Value = serde_json::from_str(&odd.run("doctor --json").stdout).unwrap();
    assert!(doctor["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "app-columns"), "{doctor}");
    let schema = odd.sandbox.file("schema.json", r#"{"columns": {"session.userId": "x"}}"#);
    odd.run(&format!("sessions revoke --user ada@example.com --all --schema {}", schema.display())).success();
}

#[test]
fn essential_column_with_a_near_name_is_a_renamed_one() {
    for (table, column, name) in [
        ("session", "token", "session_token"),
        ("session", "expiresAt", "expires"),
        ("account", "providerId", "provider"),
        ("user", "email", "email_address"),
    ] {
        let odd = Odd::changed("kysely", &format!("ALTER TABLE {table} RENAME COLUMN {column} TO {name}"));
        let refused = odd.run("users list").failure(9);
        let line = format!(r#"{{"columns": {{"{table}.{column}": "{name}"}}}}"#);
        assert!(refused.contains(&line), "{refused}");
        let schema = odd.sandbox.file("schema.json", &line);
        odd.run(&format!("users ban bob@example.com --schema {}", schema.display())).success();
    }
    let odd = Odd::changed("kysely", "ALTER TABLE user RENAME COLUMN email TO x");
    let refused = odd.run("users list").failure(9);
    assert!(
        refused.contains("the table user has no column email") && refused.contains(r#"{"user.email": "..."}"#),
        "{refused}"
    );
}

#[test]
fn database_without_accounts_is_of_its_app() {
    let odd = Odd::changed("kysely", "DROP TABLE account");
    for (words, needed) in ACTS {
        let ran = odd.run_with_input(words, PASSWORD);
        if needed.contains(&"account") {
            let refused = ran.failure(9);
            let told = refused.contains("the database has no table account")
                && refused.contains(r#"{"tables": {"account": "..."}}"#);
            assert!(told, "{words}: {refused}");
        } else {
            assert_eq!(ran.code, 0, "{words}: {ran}");
        }
    }
    let shown = odd.run("users show ada@example.com");
    let note = "the database has no table account: no accounts were found or changed";
    assert!(shown.stderr.contains(note) && shown.stdout.contains("signs in by      not known"), "{shown}");
    assert_eq!(odd.run("users show ada@example.com --json").json()["accounts"], serde_json::Value::Null);
    let lockdown = odd.run("users lockdown ada@example.com --yes --json");
    assert!(lockdown.stdout.contains("\"signsInBy\": null") && lockdown.stderr.contains(note), "{lockdown}");
    let renamed = Odd::changed("kysely", "ALTER TABLE account RENAME TO identity");
    assert!(renamed.run("users list").failure(9).contains(r#"{"tables": {"account": "identity"}}"#));
    let without_users = Odd::changed("kysely", "PRAGMA foreign_keys = OFF; DROP TABLE user");
    assert!(without_users.run("users list").failure(9).contains(r#"{"tables": {"user": "..."}}"#));
}

#[test]
fn database_of_another_program_is_none_of_better_auth() {
    for sql in [
        "CREATE TABLE users (id, email); CREATE TABLE sessions (id, token, user_id, expires_at)",
        "CREATE TABLE users (id, email); CREATE TABLE sessions (id, data)",
        "CREATE TABLE user (id, name, email, email_verified, created_at, updated_at)",
        "CREATE TABLE user (name); CREATE TABLE account (id); CREATE TABLE session (id); CREATE TABLE verification (id)",
    ] {
        let odd = Odd::changed(
            "kysely",
            &format!(
                "PRAGMA foreign_keys = OFF; DROP TABLE session; DROP TABLE account; DROP TABLE verification; DROP TABLE user; {sql}"
            ),
        );
        for words in ["users list", "users ban bob@example.com"] {
            odd.run(words).failure(9);
        }
        assert!(odd.is_as_made(), "{sql}");
    }
}

#[test]
fn doctor_says_who_gets_in_where_no_account_is_reached() {
    for (change, told) in [
        ("DROP TABLE account", "the database has no table account"),
        ("ALTER TABLE account RENAME COLUMN userId TO x", "userId"),
    ] {
        let odd = Odd::changed("kysely", &format!("UPDATE user SET role = 'admin' WHERE name = 'Ada'; {change}"));
        let doctor: serde_json::Value = serde_json::from_str(&odd.run("doctor --json").stdout).unwrap();
        let found = doctor["findings"].as_array().unwrap().iter().find(|one| one["check"] == "administrator").unwrap();
        let message = found["message"].as_str().unwrap();
        assert!(message.starts_with("no administrator can sign in with authctl: "), "{change}: {message}");
        assert!(message.contains(told), "{change}: {message}");
        assert_eq!(found["severity"], "notice", "{change}");
    }
    let odd = Odd::changed("kysely", "UPDATE user SET role = 'user'; DROP TABLE account");
    assert!(odd.run("doctor").stdout.contains("`authctl users set-role USER admin` makes one"));
}
