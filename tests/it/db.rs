//! `db init`, `db status`, `db migrate`, and the migration that every command runs when needed.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::machine::{tree, under_shell};
use crate::sandbox::{PASSWORD, Sandbox};

/// Reverts the schema to the first migration.
pub(crate) fn make_old(sandbox: &Sandbox) {
    sandbox.execute(
        "DROP TRIGGER authctl_only_user;
         DROP TRIGGER authctl_only_session;
         DROP TRIGGER authctl_only_account;
         DROP TRIGGER authctl_only_verification;
         DROP TRIGGER authctl_search_changed;
         DROP TRIGGER authctl_search_deleted;
         DROP TABLE authctl_search;
         DROP TABLE authctl_twoFactor;
         DROP TABLE authctl_apikey;
         DROP TABLE authctl_throttle;
         DROP TABLE authctl_policy;
         DROP INDEX user_role_idx;
         DROP INDEX user_banned_idx;
         DROP INDEX user_createdAt_idx;
         DROP INDEX user_name_idx; DROP TABLE authctl_audit;
         DELETE FROM authctl_schema_history WHERE version > 1;
         PRAGMA user_version = 1;",
    );
}

/// The current version of the schema.
const LATEST: i64 = authctl::store::sqlite::LATEST as i64;

fn schema_version(sandbox: &Sandbox) -> i64 {
    sandbox.number("PRAGMA user_version")
}

#[test]
fn init_makes_a_database_and_says_where() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("db init"), @"
    ------- stderr -------
    created the database [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 0);
    assert_eq!(sandbox.number("PRAGMA application_id"), 0x6163_746c);
    let named = sandbox.run("--db other.db db init --json").json();
    assert_eq!(named["created"], true);
    assert_eq!(named["database"], sandbox.path("other.db").canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn database_is_private_under_any_umask() {
    for umask in ["000", "077"] {
        let sandbox = Sandbox::new();
        let ran = sandbox.finish(&mut under_shell(&sandbox, &format!("umask {umask}"), "db init"));
        ran.success();
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&sandbox.database()), 0o600, "umask {umask}");
        let directory = sandbox.database().parent().unwrap().to_owned();
        assert_eq!(mode(&directory), 0o700, "umask {umask}");
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}, umask {umask}", path.display());
        }
    }
}

#[test]
fn init_of_an_existing_database_is_6_or_0_if_missing() {
    let sandbox = Sandbox::with_ada();
    let before = tree(sandbox.home());
    assert_snapshot!(sandbox.run("db init"), @"
    ------- stderr -------
    error: could not make the database: [HOME]/.local/share/authctl/auth.db exists already
    hint: pass --if-missing if that is what you want
    [exit status: 6]
    ");
    assert_snapshot!(sandbox.run("db init --if-missing"), @"
    ------- stderr -------
    the database [HOME]/.local/share/authctl/auth.db exists
    ");
    assert_eq!(sandbox.run("db init --if-missing --json").json()["created"], false);
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn status_describes_the_database() {
    let sandbox = Sandbox::with_ada();
    sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    sandbox.execute("UPDATE session SET expiresAt = 1 WHERE rowid = (SELECT max(rowid) FROM session)");
    let text = sandbox.run("db status").success();
    for line in [
        &format!("schema version    {LATEST}"),
        "users             1",
        "live sessions     1",
        "expired sessions  1",
        "journal mode      wal",
    ] {
        assert!(text.lines().any(|found| found.trim() == line), "{line}:\n{text}");
    }
    let answer = sandbox.run("db status --json").json();
    assert_eq!(answer["database"], sandbox.database().canonicalize().unwrap().to_str().unwrap());
    assert_eq!(answer["chosenBy"], "default");
    assert_eq!((&answer["kind"], &answer["journalMode"]), (&"native".into(), &"wal".into()));
    assert_eq!([&answer["schemaVersion"], &answer["users"]], [LATEST, 1]);
    assert_eq!([&answer["liveSessions"], &answer["expiredSessions"]], [1, 1]);
    assert_eq!(answer["bytes"], sandbox.database().metadata().unwrap().len());
    assert!(answer["sqliteVersion"].as_str().unwrap().starts_with("3."));
    let by_flag = sandbox.run(&format!("--db {} db status --json", sandbox.database().display())).json();
    assert_eq!(by_flag["chosenBy"], "flag");
}

#[test]
fn migrate_has_nothing_to_do_on_a_new_database() {
    let sandbox = Sandbox::with_ada();
    let before = tree(sandbox.home());
    assert_snapshot!(sandbox.run("db migrate"), @"
    ------- stderr -------
    [HOME]/.local/share/authctl/auth.db is up to date at schema version 12
    ");
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn migrate_brings_an_old_database_forward_and_loses_nothing() {
    let sandbox = Sandbox::with_ada();
    make_old(&sandbox);
    assert_snapshot!(sandbox.run("db migrate"), @"
    ------- stderr -------
    migrated [HOME]/.local/share/authctl/auth.db from schema version 1 to 12
    ");
    assert_eq!(schema_version(&sandbox), LATEST);
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_schema_history"), LATEST);
    assert_eq!(sandbox.number("SELECT count(*) FROM authctl_throttle"), 0);
    let _ = sandbox.run("whoami").success();
    let answer = sandbox.run("db migrate --json").json();
    assert_eq!([&answer["from"], &answer["to"]], [LATEST, LATEST]);
}

#[test]
fn every_command_migrates_an_old_database_on_its_way() {
    for words in ["whoami", "sessions", "sessions prune", "db status", "db init --if-missing", "signout"] {
        let sandbox = Sandbox::with_ada();
        make_old(&sandbox);
        let _ = sandbox.run(words).success();
        assert_eq!(schema_version(&sandbox), LATEST, "{words}");
    }
    let sandbox = Sandbox::with_ada();
    make_old(&sandbox);
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(schema_version(&sandbox), LATEST, "signin");
}

#[test]
fn damaged_list_of_migrations_is_9() {
    for damage in [
        "UPDATE authctl_schema_history SET checksum = 'zz'",
        "UPDATE authctl_schema_history SET checksum = NULL",
        "UPDATE authctl_schema_history SET checksum = '1'",
        "UPDATE authctl_schema_history SET applied_on = 'x'",
        "UPDATE authctl_schema_history SET applied_on = NULL",
        "UPDATE authctl_schema_history SET name = NULL",
        "UPDATE authctl_schema_history SET name = 'other'",
        "UPDATE authctl_schema_history SET version = -1",
        "UPDATE authctl_schema_history SET version = 9999999999",
        "INSERT INTO authctl_schema_history SELECT 99, name, applied_on, checksum FROM authctl_schema_history",
        "DELETE FROM authctl_schema_history",
        "DROP TABLE authctl_schema_history",
    ] {
        let sandbox = Sandbox::with_ada();
        make_old(&sandbox);
        sandbox.execute(damage);
        let before = tree(sandbox.home());
        for words in ["db migrate", "whoami", "db status"] {
            if damage.starts_with("DROP") && words == "db migrate" {
                // A list that is missing is made again; see `schema_that_another_program_took_out_is_made_again`.
                continue;
            }
            let ran = sandbox.run(&format!("{words} --json"));
            assert_eq!(ran.code, 9, "{damage}; {words}: {ran}");
            assert_eq!(ran.json_error(9)["code"], "DATABASE_CORRUPT", "{damage}; {words}");
        }
        before.assert_same(&tree(sandbox.home()));
    }
}

/// `drizzle-kit push` drops every table and column that the app's own schema lacks.
#[test]
fn schema_that_another_program_took_out_is_made_again() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com admin").success();
    sandbox.sign_in("ada@example.com").success();
    sandbox.execute(
        "PRAGMA foreign_keys = OFF;
         DROP TABLE authctl_audit; DROP TABLE authctl_policy; DROP TABLE authctl_throttle; DROP TABLE authctl_schema_history;
         DROP INDEX session_userId_idx; DROP INDEX user_role_idx; DROP INDEX user_banned_idx;
         ALTER TABLE user DROP COLUMN role; ALTER TABLE user DROP COLUMN banned;
         ALTER TABLE user DROP COLUMN banReason; ALTER TABLE user DROP COLUMN banExpires;
         ALTER TABLE user DROP COLUMN twoFactorEnabled; ALTER TABLE session DROP COLUMN impersonatedBy",
    );
    assert_snapshot!(sandbox.run("users list"), @"
    ------- stderr -------
    error: could not list users: another program removed authctl's table authctl_policy from the database
    hint: `drizzle-kit push` does that in a database that is not its own; the users are there, and `authctl db migrate` makes the tables again
    [exit status: 9]
    ");
    assert_eq!(sandbox.run("users list --json").json_error(9)["code"], "DATABASE_INCOMPLETE");
    assert_snapshot!(sandbox.run("db migrate"), @"
    ------- stderr -------
    made again in [HOME]/.local/share/authctl/auth.db: table authctl_schema_history, column user.role, column user.banned, column user.banReason, column user.banExpires, column user.twoFactorEnabled, column session.impersonatedBy, table authctl_throttle, table authctl_policy, table authctl_audit, index session_userId_idx, index authctl_audit_intended, index user_role_idx, index user_banned_idx, index authctl_audit_user, index authctl_audit_userEmail, index authctl_audit_actor, index authctl_audit_actorEmail
    roles and bans are gone with their columns; `authctl users set-role` and `ban` set them
    all sessions ended: nothing showed which of them an administrator had begun
    the audit log and its old entries are gone; it begins anew
    ");
    assert_eq!(sandbox.run("db migrate --json").json()["restored"], serde_json::json!([]));
    sandbox.run("db check").success();
    sandbox.run("audit verify").success();
    sandbox.run("whoami").failure(4);
    sandbox.sign_in("ada@example.com").success();
    sandbox.run("users set-role ada@example.com admin").success();
}

/// What an app writes first when a user signs up, signs in with a provider, and asks for a code.
const APP_WRITES: [&str; 4] = [
    "INSERT INTO user (id, name, email, emailVerified, createdAt, updatedAt) VALUES ('u', 'Bob', 'b@example.com', 0, 1, 1)",
    "INSERT INTO account (id, accountId, providerId, userId, createdAt, updatedAt) SELECT 'a', '7', 'github', id, 1, 1 FROM user",
    "INSERT INTO session (id, token, userId, expiresAt, createdAt, updatedAt) SELECT 's', 't', id, 1, 1, 1 FROM user",
    "INSERT INTO verification (id, identifier, value, expiresAt) VALUES ('v', 'oauth-state', '{}', 1)",
];

#[test]
fn first_write_of_an_app_fails_and_says_what_to_do() {
    let sandbox = Sandbox::with_ada();
    let refuses = |name: &str| {
        let app = rusqlite::Connection::open(sandbox.path(name)).unwrap();
        for sql in APP_WRITES {
            let error = app.execute_batch(sql).unwrap_err().to_string();
            assert_eq!(error, "authctl made this database, and no app can use it: see authctl db convert", "{name}");
        }
    };
    let database = sandbox.database();
    let database = database.to_str().unwrap();
    refuses(database);
    sandbox.run("db backup b.db").success();
    refuses("b.db");
    sandbox.run("db restore b.db --yes").success();
    refuses(database);
    make_old(&sandbox);
    sandbox.run("db migrate").success();
    refuses(database);
    // A push makes a changed table anew, without its triggers.
    sandbox.execute("DROP TRIGGER authctl_only_user; DROP TABLE verification");
    let ran = sandbox.run("doctor");
    assert!(
        ran.stdout.contains("hint: `authctl doctor --fix` or `authctl db migrate` makes again what is missing"),
        "{ran}"
    );
    sandbox.run("db migrate").success();
    refuses(database);
    assert_eq!(sandbox.run("doctor").code, 0);
}

#[test]
fn traces_of_an_app_are_told_and_fixed() {
    let sandbox = Sandbox::with_ada();
    assert_eq!(
        sandbox.run("db status --json").json()["appTraces"],
        serde_json::json!({"tables": [], "sessions": 0, "codes": 0})
    );
    sandbox.execute(&APP_WRITES[2..].join(";"));
    sandbox.execute("CREATE TABLE __drizzle_migrations (hash); CREATE TABLE twoFactor (secret, backupCodes, userId)");
    sandbox.execute("CREATE TABLE todo (owner REFERENCES User (id)); CREATE TABLE note (todo REFERENCES todo)");
    let status = sandbox.run("db status");
    let line = "left by an app    tables twoFactor, __drizzle_migrations, todo; 1 session; 1 code";
    assert!(status.stdout.contains(line), "{status}");
    assert!(status.stderr.contains("`authctl doctor` says what to do about the app"), "{status}");
    let doctor = sandbox.run("doctor");
    assert!(doctor.stdout.contains("authctl db convert --to better-auth"), "{doctor}");
    assert_eq!(sandbox.run("doctor --fix --yes").code, 1, "the tables stay");
    let traces = &sandbox.run("db status --json").json()["appTraces"];
    assert_eq!(
        (&traces["sessions"], &traces["codes"], traces["tables"].as_array().unwrap().len()),
        (&0.into(), &0.into(), 3)
    );
    assert_eq!(sandbox.newest_entry()["event"], "app-rows.deleted");
    sandbox.run("whoami").success();
}
