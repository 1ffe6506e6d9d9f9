//! `doctor` and `db check`: each problem is found and named, and sound databases have no findings.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::machine::chmod;
use crate::machine::tree;
use crate::sandbox::{Ran, Sandbox};

/// Ada, an administrator, is signed in, and the database is sound.
pub(crate) fn healthy() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com admin").success();
    sandbox
}

/// The report, for any exit code.
pub(crate) fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

/// The names of the findings with their counts.
pub(crate) fn found(ran: &Ran) -> Vec<String> {
    let report = report(ran);
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|it| format!("{} {}", it["check"].as_str().unwrap(), it["count"])).collect()
}

#[test]
fn new_database_is_healthy_and_doctor_changes_nothing() {
    let sandbox = healthy();
    let before = tree(sandbox.home());
    assert_snapshot!(sandbox.run("doctor"), @"
    [HOME]/.local/share/authctl/auth.db: healthy
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    ");
    assert_snapshot!(sandbox.run("doctor --json"), @r#"
    {
      "healthy": true,
      "full": false,
      "findings": [],
      "database": "[HOME]/.local/share/authctl/auth.db"
    }
    "#);
    assert_snapshot!(sandbox.run("db check"), @"[HOME]/.local/share/authctl/auth.db: sound (indexes were not compared with their tables: --full)");
    assert_eq!(sandbox.run("doctor --fix").code, 0, "there is nothing to fix and no question");
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn each_kind_of_invalid_row_is_found() {
    let loose = "PRAGMA foreign_keys = OFF;";
    let user = r#"INSERT INTO "user" SELECT 'u2', 'Bob', 'bob@example.com', 0, NULL, 1, 1, NULL, 0, NULL, NULL, 0;"#;
    let account = |hash: &str| {
        format!(
            r#"{user} INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt")
               VALUES ('a2', 'u2', 'credential', 'u2', {hash}, 1, 1);"#
        )
    };
    let weak = "'$argon2id$v=19$m=7168,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'";
    for (code, expected, sql) in [
        (1, "schema 1", r#"CREATE TRIGGER "t" AFTER UPDATE ON "user" BEGIN SELECT 1; END"#.to_owned()),
        (1, "schema 1", r#"CREATE VIEW "v" AS SELECT 1"#.into()),
        (1, "schema 1", r#"CREATE TABLE "mine" ("a")"#.into()),
        (1, "schema 1", r#"ALTER TABLE "user" ADD COLUMN "more" TEXT"#.into()),
        (1, "schema 1", r#"DROP INDEX "session_userId_idx""#.into()),
        (0, "", "ANALYZE".into()),
        (
            1,
            "orphans 2",
            format!(
                r#"{user} {loose} INSERT INTO "session" SELECT 's2', 4000000000, lower(hex(randomblob(32))), 1, 1, NULL, NULL, 'gone', NULL;
            INSERT INTO "account" SELECT 'a3', 'gone', 'github', 'gone', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 1"#
            ),
        ),
        (1, "audit-log 1", r#"UPDATE "authctl_audit" SET "osUser" = 'mallory' WHERE "seq" = 2"#.into()),
        (1, "rows 1", format!(r#"{user} UPDATE "user" SET "banned" = 2 WHERE "id" = 'u2'"#)),
        (
            1,
            "app-writes 1, expired 1",
            r#"INSERT INTO "verification" VALUES ('v', 'oauth-state', 'y', 1, 1, 1)"#.into(),
        ),
        (
            1,
            "app-writes 1, expired 1",
            r#"INSERT INTO "verification" VALUES ('v', 'reset-password:' || hex(randomblob(12)), 'y', 1, 1, 1)"#.into(),
        ),
        (1, "app-writes 1", r#"UPDATE "session" SET "token" = 'GkRzKX2ttZPcnWNBBcPHTIQPyWiPnJUo'"#.into()),
        (1, "schema 1, app-writes 1", r#"CREATE TABLE "__drizzle_migrations" (hash)"#.into()),
        (1, "schema 1, app-writes 1", r#"CREATE TABLE "todo" ("owner" TEXT REFERENCES "user" ("id"))"#.into()),
        (1, "policy 1", r#"INSERT INTO "authctl_policy" VALUES ('session.lifetime', 'forever', 1)"#.into()),
        (1, "email-case 1", format!(r#"{user} UPDATE "user" SET "email" = 'Bob@example.com' WHERE "id" = 'u2'"#)),
        (1, "email-twins 1", format!(r#"{user} UPDATE "user" SET "email" = 'ADA@example.com' WHERE "id" = 'u2'"#)),
        (1, "email-syntax 1", format!(r#"{user} UPDATE "user" SET "email" = 'bob at home' WHERE "id" = 'u2'"#)),
        (
            1,
            "account-ids 1",
            format!(
                r#"{} UPDATE "account" SET "accountId" = 'bob' WHERE "id" = 'a2'"#,
                account(&weak.replace("m=7168,t=1", "m=65536,t=2"))
            ),
        ),
        (1, "no-hash 1", account("NULL")),
        (1, "no-hash 1", account("''")),
        (1, "hashes-refused 1", account("'5f4dcc3b5aa765d61d8327deb882cf99'")),
        (1, "hashes-refused 1", account(&weak.replace("m=7168", "m=8"))),
        (0, "hashes-weak 1", account(weak)),
        (0, "administrator 1", r#"UPDATE "user" SET "banned" = 1"#.into()),
        (0, "administrator 1", r#"UPDATE "user" SET "role" = 'administrator'"#.into()),
        (
            0,
            "expired 1",
            r#"INSERT INTO "verification" VALUES ('v', 'reset-password:' || lower(hex(randomblob(32))), 'y', 1, 1, 1)"#
                .into(),
        ),
        (1, "clock 1", format!(r#"{user} UPDATE "user" SET "createdAt" = unixepoch() + 600 WHERE "id" = 'u2'"#)),
        (0, "", format!(r#"{user} UPDATE "user" SET "createdAt" = unixepoch() + 200 WHERE "id" = 'u2'"#)),
    ] {
        let sandbox = healthy();
        sandbox.execute(&sql);
        let ran = sandbox.run("doctor --json");
        assert_eq!((ran.code, found(&ran).join(", ").as_str()), (code, expected), "{sql}");
        assert_eq!(report(&ran)["healthy"], code == 0, "{sql}");
        let structural = ["schema", "app-writes", "orphans", "audit-log", "account-ids"]
            .iter()
            .any(|name| expected.starts_with(name));
        assert_eq!(sandbox.run("db check").code, i32::from(structural), "{sql}");
    }
}

#[test]
fn damage_is_one_finding_with_a_hint() {
    let sandbox = healthy();
    let page = sandbox.number("SELECT rootpage FROM sqlite_schema WHERE name = 'user'") - 1;
    let mut bytes = std::fs::read(sandbox.database()).unwrap();
    let start = usize::try_from(page).unwrap() * 4096;
    bytes[start..start + 4096].fill(0xa5);
    std::fs::write(sandbox.database(), bytes).unwrap();
    let ran = sandbox.run("doctor --json");
    assert_eq!((ran.code, found(&ran)[0].starts_with("integrity ")), (1, true), "{ran}");
    assert!(!ran.stdout.contains("could not be checked"), "{ran}");
    let said = sandbox.run("db check");
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("hint: `authctl db restore` puts a backup in its place"), "{said}");
}

#[test]
fn unopenable_database_is_one_finding_among_others() {
    let sandbox = healthy();
    let run = |words: &str| sandbox.finish(sandbox.command(words.split(' ')).env("AUTHCTL_TOKEN", "x"));
    assert_snapshot!(run("--db missing.db doctor"), @"
    problem: database: could not open the database (--db): [HOME]/missing.db does not exist
      hint: name another with --db or AUTHCTL_DB; `authctl signup` and `authctl db init` make a new one
    [HOME]/missing.db: not healthy, 1 problem
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    [exit status: 9]
    ");
    sandbox.file("other.db", "no database");
    for (words, code) in [("--db missing.db doctor --json", 9), ("--db other.db doctor --json", 9)] {
        let ran = run(words);
        assert_eq!((ran.code, report(&ran)["healthy"].clone()), (code, false.into()), "{words}");
        assert!(found(&ran).contains(&"database 1".to_owned()), "{words}: {ran}");
    }
    sandbox.execute("PRAGMA user_version = 99");
    let ran = run("doctor --json");
    assert_eq!((ran.code, found(&ran)), (9, vec!["token-override 1".to_owned(), "database 1".to_owned()]), "{ran}");
    assert_eq!(sandbox.run("db check --json").json_error(9)["code"], "DATABASE_NEWER");
}

#[test]
fn unsafe_permissions_are_found_and_fixed() {
    let sandbox = healthy();
    let directory = sandbox.database().parent().unwrap().to_owned();
    sandbox.file(".local/share/authctl/auth.db-wal", "");
    chmod(&sandbox.database(), 0o640);
    chmod(&directory.join("auth.db-wal"), 0o644);
    chmod(&directory, 0o777);
    chmod(&sandbox.sessions(), 0o775);
    assert_snapshot!(sandbox.run("doctor"), @"
    problem: permissions: others may use what only you should: [HOME]/.local/share/authctl/auth.db is not safe to use: others may use it (mode 0640); [HOME]/.local/share/authctl/auth.db-wal is not safe to use: others may use it (mode 0644); [HOME]/.local/share/authctl is not safe to use: everybody may write to the directory
      hint: who writes there is the administrator, who reads there can guess passwords; `authctl doctor --fix` takes these rights away, where the owner is you
    problem: session-files: the session directory [HOME]/.config/authctl/sessions is not safe to use: others may write to it
      hint: a token that others may have read is worth nothing: `authctl signout` ends its session; `authctl doctor --fix` closes your directories
    [HOME]/.local/share/authctl/auth.db: not healthy, 2 problems
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    [exit status: 9]
    ");
    assert_eq!(sandbox.run("doctor --fix --json").code, 2, "without a yes");
    assert_snapshot!(sandbox.run("doctor --fix --yes"), @"
    fixed: permissions: others may use what only you should: [HOME]/.local/share/authctl/auth.db is not safe to use: others may use it (mode 0640); [HOME]/.local/share/authctl/auth.db-wal is not safe to use: others may use it (mode 0644); [HOME]/.local/share/authctl is not safe to use: everybody may write to the directory
    fixed: session-files: the session directory [HOME]/.config/authctl/sessions is not safe to use: others may write to it
    [HOME]/.local/share/authctl/auth.db: healthy
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    ");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&sandbox.database()), mode(&directory), mode(&sandbox.sessions())), (0o600, 0o755, 0o700));
    sandbox.run("whoami").success();
}

#[test]
fn shared_directory_keeps_its_permissions() {
    let sandbox = healthy();
    let directory = sandbox.database().parent().unwrap().to_owned();
    chmod(&directory, 0o1777);
    let ran = sandbox.run("doctor --fix --yes --json");
    assert_eq!((ran.code, found(&ran)), (9, vec!["permissions 1".to_owned()]), "{ran}");
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o7777, 0o1777);
}

#[test]
fn readable_session_file_stays_a_finding_after_fix() {
    let sandbox = healthy();
    chmod(&sandbox.session_file(), 0o644);
    let ran = sandbox.run("doctor --fix --yes --json");
    assert_eq!((ran.code, found(&ran)), (1, vec!["session-files 1".to_owned()]), "{ran}");
    assert_eq!(report(&ran)["findings"][0]["fixable"], false);
}

#[test]
fn overriding_environment_is_a_notice() {
    let sandbox = healthy();
    let run = |set: [(&str, &str); 2]| sandbox.finish(sandbox.command(["doctor", "--json"]).envs(set));
    let other = sandbox.path("other.db");
    sandbox.run("--db other.db db init").success();
    let ran = run([("AUTHCTL_TOKEN", "secret-token"), ("AUTHCTL_DB", "")]);
    assert_eq!((ran.code, found(&ran)), (0, vec!["token-override 1".to_owned()]), "{ran}");
    assert!(!ran.stdout.contains("secret-token"), "{ran}");
    let ran = run([("AUTHCTL_TOKEN", "x"), ("AUTHCTL_DB", other.to_str().unwrap())]);
    assert_eq!(
        (ran.code, found(&ran)),
        (0, vec!["database-override 1".to_owned(), "administrator 1".to_owned()]),
        "{ran}"
    );
}

#[test]
fn a_file_from_the_future_is_found() {
    let sandbox = healthy();
    let later = std::time::SystemTime::now() + std::time::Duration::from_hours(1);
    std::fs::File::options().write(true).open(sandbox.database()).unwrap().set_modified(later).unwrap();
    let ran = sandbox.run("doctor --json");
    assert_eq!((ran.code, found(&ran)), (1, vec!["file-time 1".to_owned()]), "{ran}");
}

/// An index with an old value: it was not in the schema while the row changed.
#[test]
fn index_with_an_old_value_is_found_with_full() {
    let sandbox = healthy();
    let rows = "FROM sqlite_schema WHERE name = 'user_name_idx'";
    sandbox.execute(&format!(
        "PRAGMA writable_schema = ON; CREATE TABLE kept AS SELECT * {rows}; DELETE {rows}; PRAGMA writable_schema = RESET"
    ));
    sandbox.execute(
        "UPDATE user SET name = 'Eve';
         PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; PRAGMA writable_schema = RESET;
         DROP TABLE kept",
    );
    for words in ["db check", "doctor"] {
        let quick = sandbox.run(&format!("{words} --json"));
        assert_eq!((quick.code, found(&quick).len(), &report(&quick)["full"]), (0, 0, &false.into()), "{quick}");
        let full = sandbox.run(&format!("{words} --full --json"));
        assert_eq!((full.code, found(&full)), (1, vec!["integrity 1".to_owned()]), "{full}");
        assert_eq!(report(&full)["full"], true);
    }
}
