//! Apps that keep sessions and verifications outside of the database (`secondaryStorage`): users, passwords and bans
//! work, and what cannot be reached is said.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::sandbox::PASSWORD;

fn odd() -> Odd {
    Odd::changed("kysely", "DROP TABLE session; DROP TABLE verification")
}

#[test]
fn users_passwords_and_bans_work_without_sessions() {
    let odd = odd();
    for words in
        ["users list", "db status", "doctor", "db check", "users explain ada@example.com", "db prune --dry-run"]
    {
        odd.run(words).success();
        assert!(odd.is_as_made(), "{words}");
    }
    assert_snapshot!(odd.run("users ban bob@example.com"), @"
    ------- stderr -------
    note: the app keeps its sessions outside of this database: none was found here, and none was ended
    banned Bob <bob@example.com> permanently in [HOME]/app.db
    ");
    odd.run_with_input("users set-password emo@example.com --password-stdin", PASSWORD).success();
    odd.run("users create new@example.com --name New --no-password").success();
    odd.run("users lockdown emo@example.com --yes").success();
    odd.run("users delete bob@example.com --yes").success();
    odd.run("sessions prune").success();
    let status = odd.run("db status --json").json();
    assert_eq!(status["liveSessions"], serde_json::Value::Null);
    let tables = status["app"]["tables"].as_array().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table["physical"].as_str()).collect();
    assert_eq!(names, [Some("user"), None, Some("account"), None]);
    assert!(!status.to_string().contains("authctl_absent"), "{status}");
    assert_eq!(odd.run("users show ada@example.com --json").json()["liveSessions"], serde_json::Value::Null);
}

/// Acts, and the numbers in their answers that are not known.
const UNKNOWN: &[(&str, &[&str])] = &[
    ("users ban bob@example.com", &["/sessionsEnded", "/stillOpen/sessions"]),
    ("users set-role ada@example.com user --force-last-admin", &["/sessionsEnded"]),
    ("users set-password bob@example.com --generate", &["/sessionsEnded", "/stillOpen/sessions", "/stillOpen/codes"]),
    ("users reset-2fa bob@example.com --yes", &["/sessionsEnded", "/trustedDevices", "/pendingSignIns"]),
    ("users lockdown bob@example.com --yes", &["/ended/sessions", "/ended/impersonations", "/ended/codes"]),
    (
        "users lockdown bob@example.com --dry-run",
        &["/ended/sessions", "/ended/trustedDevices", "/ended/pendingSignIns"],
    ),
    ("users delete bob@example.com --yes", &["/sessionsEnded", "/codesDeleted"]),
    ("sessions revoke --user bob@example.com --all", &["/ended", "/stillOpen/sessions"]),
    ("sessions prune", &["/pruned"]),
    ("sessions prune --dry-run", &["/pruned"]),
    ("db prune", &["/pruned/session", "/pruned/verification"]),
];

#[test]
fn number_that_is_not_known_is_null_and_said() {
    for (words, unknown) in UNKNOWN {
        let odd = Odd::changed(
            "kysely",
            "DROP TABLE session; DROP TABLE verification; UPDATE user SET role = 'admin' WHERE name = 'Ada';
             ALTER TABLE user ADD COLUMN twoFactorEnabled INTEGER; UPDATE user SET twoFactorEnabled = 1",
        );
        let ran = odd.run(&format!("{words} --json"));
        assert!(ran.stderr.contains("note: the app keeps its sessions"), "{words}: {ran}");
        assert_eq!(ran.code, 0, "{words}: {ran}");
        let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        for number in *unknown {
            assert_eq!(answer.pointer(number), Some(&serde_json::Value::Null), "{words}, {number}: {answer}");
        }
        if !words.contains("prune") {
            assert_eq!(answer["notReached"][0]["code"], "SECONDARY_STORAGE", "{words}: {answer}");
            let message = answer["notReached"][0]["message"].as_str().unwrap();
            assert!(ran.stderr.contains(message), "{words}: {ran}");
        }
    }
}

#[test]
fn acts_that_need_the_missing_rows_are_refused() {
    let odd = odd();
    assert_snapshot!(odd.run_with_input("signin ada@example.com --print-token --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign in: the app keeps the rows of session outside of this database
    hint: do this in the app
    [exit status: 9]
    ");
    for words in ["users reset-code ada@example.com", "users impersonate bob@example.com --print-token"] {
        odd.run(words).failure(9);
    }
    assert!(odd.is_as_made());
}

/// What authctl does not find may be where the app keeps it.
#[test]
fn what_is_not_found_is_not_said_to_be_wrong() {
    let odd = odd();
    let sessions = "the app keeps the rows of session outside of this database";
    let codes = "the app keeps the rows of verification outside of this database";
    let code = format!("some-code\n{PASSWORD}");
    for (words, input, told) in [
        ("sessions revoke some-session --user bob@example.com", "", sessions),
        ("password reset --code-stdin --password-stdin", &code, codes),
        ("email verify bob@example.com --code-stdin --password-stdin", &code, codes),
    ] {
        let refused = odd.run_with_input(words, input).failure(9);
        assert!(refused.contains(told), "{words}: {refused}");
    }
    let with_token = |words: &str| {
        let mut command = odd.sandbox.command(words.split_whitespace());
        command
            .env("AUTHCTL_DB", odd.sandbox.path("app.db"))
            .env("AUTHCTL_TOKEN", "a-token-of-the-app-that-may-be-live");
        odd.sandbox.finish_with_input(&mut command, "")
    };
    for words in ["whoami", "guard -- true", "sessions list", "account delete --yes", "signout --all"] {
        let refused = with_token(words).failure(4);
        assert!(refused.contains("this database does not show the sessions of its app"), "{words}: {refused}");
    }
    assert_snapshot!(with_token("signout"), @"
    ------- stderr -------
    error: could not sign out: not signed in
    hint: this database does not show the sessions of its app, so no token can be checked; `authctl signout --local` forgets a stored one
    [exit status: 4]
    ");
    assert!(odd.is_as_made());
}

#[test]
fn checks_say_what_they_do_not_reach() {
    let odd = odd();
    let note = "note: the app keeps its sessions and codes outside of this database: none was found here\n";
    for words in ["doctor", "db check", "db prune --dry-run", "db prune"] {
        let ran = odd.run(words);
        assert!(ran.stderr.contains(note), "{words}: {ran}");
    }
    assert!(odd.run("sessions prune").stderr.contains("note: the app keeps its sessions outside of this database"));
}

#[test]
fn table_that_was_renamed_is_not_taken_for_a_missing_one() {
    let odd = Odd::changed("kysely", "ALTER TABLE session RENAME TO logins");
    let refused = odd.run("users list").failure(9);
    assert!(refused.contains(r#"{"tables": {"session": "logins"}}"#), "{refused}");
}

/// Renames the table, and columns without which it is not found by its columns.
const RENAMED: &[(&str, &str)] = &[
    (
        "ALTER TABLE session RENAME TO user_sessions; ALTER TABLE user_sessions RENAME COLUMN token TO session_token",
        r#"{"tables": {"session": "user_sessions"}, "columns": {"session.token": "session_token"}}"#,
    ),
    (
        "ALTER TABLE session RENAME TO logins; ALTER TABLE logins RENAME COLUMN token TO login_token",
        r#"{"tables": {"session": "logins"}, "columns": {"session.token": "login_token"}}"#,
    ),
    (
        "ALTER TABLE session RENAME TO devices; ALTER TABLE devices RENAME COLUMN token TO tok;
         CREATE VIEW session AS SELECT id, tok AS token, userId, expiresAt FROM devices",
        r#"{"tables": {"session": "devices"}}"#,
    ),
    ("DROP TABLE session; CREATE VIEW user_session AS SELECT 1 AS id", r#"{"tables": {"session": "..."}}"#),
    (
        "DROP TABLE verification; CREATE TABLE verification_tokens (id, identifier, token, expires)",
        r#"{"tables": {"verification": "verification_tokens"}, "columns": {"verification.expiresAt": "expires"}}"#,
    ),
    (
        "DROP TABLE verification; CREATE TABLE codes (id, identifier, code, expires)",
        r#"{"tables": {"verification": "codes"}, "columns": {"verification.expiresAt": "expires"}}"#,
    ),
];

#[test]
fn table_with_other_columns_is_not_taken_for_a_missing_one() {
    for (sql, line) in RENAMED {
        let odd = Odd::changed("kysely", sql);
        for words in ["users list", "users ban bob@example.com", "users lockdown bob@example.com --yes"] {
            let refused = odd.run(words).failure(9);
            assert!(refused.contains(line), "{sql}: {refused}");
        }
        assert!(odd.is_as_made(), "{sql}");
    }
    let odd = Odd::changed("kysely", RENAMED[0].0);
    let schema = odd.sandbox.file("schema.json", RENAMED[0].1);
    odd.run(&format!("users ban bob@example.com --schema {}", schema.display())).success();
    let left = "SELECT count(*) FROM user_sessions WHERE userId = (SELECT id FROM user WHERE name = 'Bob')";
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    assert_eq!(connection.query_row(left, [], |row| row.get(0)), Ok(0));
}

/// A table of the app that could not hold what the missing one would hold.
#[test]
fn table_with_a_near_name_alone_is_not_the_missing_one() {
    for sql in [
        "CREATE TABLE chat_session (id, user_id REFERENCES user (id), title, created_at)",
        "CREATE TABLE chat_session (id, user_id, sender_id, expires_at)",
        "CREATE TABLE email_verification (id, user_id, email, verified_at)",
        "CREATE VIRTUAL TABLE session_search USING fts5 (token, userId, expiresAt)",
    ] {
        let odd = Odd::changed("kysely", &format!("DROP TABLE session; DROP TABLE verification; {sql}"));
        let banned = odd.run("users ban bob@example.com");
        assert!(banned.stderr.contains("the app keeps its sessions outside of this database"), "{sql}: {banned}");
        banned.success();
    }
}

#[test]
fn schema_file_says_that_the_app_keeps_a_table_elsewhere() {
    let odd = Odd::changed("kysely", "DROP TABLE session; CREATE TABLE chat_session (id, token, user_id, expires)");
    assert_snapshot!(odd.run("users ban bob@example.com"), @r#"
    ------- stderr -------
    error: could not ban the user: could not open the database (AUTHCTL_DB): [HOME]/app.db cannot be used as it is: it has no table session, but chat_session may be it
    hint: name what the app renamed in a file for --schema: {"tables": {"session": "chat_session"}, "columns": {"session.expiresAt": "expires"}}; if the app keeps it outside of this database: {"tables": {"session": null}}
    [exit status: 9]
    "#);
    let schema = odd.sandbox.file("schema.json", r#"{"tables": {"session": null}}"#);
    let banned = odd.run(&format!("users ban bob@example.com --schema {}", schema.display()));
    assert!(format!("{banned}").contains("the app keeps its sessions outside of this database"), "{banned}");
    banned.success();
}

#[test]
fn acts_that_end_codes_say_that_the_app_keeps_them_elsewhere() {
    let odd = Odd::changed("kysely", "DROP TABLE verification");
    let note = "note: the app keeps its codes outside of this database: none was found here, and none was ended";
    for words in [
        "users set-password bob@example.com --keep-sessions --password-stdin",
        "users lockdown bob@example.com --yes",
        "users update bob@example.com --email rob@example.com",
        "users delete rob@example.com --yes",
    ] {
        let done = odd.run_with_input(words, PASSWORD);
        assert!(format!("{done}").contains(note), "{words}");
    }
    for words in ["sessions revoke --all-users --older-than 1m", "users ban ada@example.com --force-last-admin"] {
        assert!(!format!("{}", odd.run(words)).contains(note), "{words}");
    }
}
