//! Maintenance of an app's database: findings of `doctor`, commands for native databases only, and the location
//! of authctl's own data.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::app::{App, DRIZZLE, KYSELY};
use crate::sandbox::PASSWORD;

fn mode(app: &App) -> u32 {
    std::fs::metadata(app.path()).unwrap().permissions().mode() & 0o777
}

#[test]
fn doctor_does_not_check_what_the_app_owns() {
    let app = App::new(KYSELY);
    std::fs::set_permissions(app.path(), Permissions::from_mode(0o664)).unwrap();
    assert_snapshot!(app.run("doctor"), @"
    notice: app-file: everybody on this machine may read the app's database, with the token of every session in it
      hint: if only the app reads it: chmod o= '[HOME]/app.db'
    notice: expired: expired rows that only take up room: sessions 1, codes 0
      hint: `authctl doctor --fix` deletes them; `authctl sessions prune` only the sessions
    [HOME]/app.db: healthy, 2 notices
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    ");
    assert_snapshot!(app.run("doctor --fix --yes"), @"
    fixed: expired: expired rows that only take up room: sessions 1, codes 0
    notice: app-file: everybody on this machine may read the app's database, with the token of every session in it
      hint: if only the app reads it: chmod o= '[HOME]/app.db'
    [HOME]/app.db: healthy, 1 notice
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    ");
    assert_eq!(mode(&app), 0o664);
    assert_snapshot!(app.run("db check"), @"[HOME]/app.db: sound (indexes were not compared with their tables: --full)");
}

#[test]
fn an_app_without_roles_needs_no_administrator() {
    let app = App::new(crate::app::ARTICLE);
    assert!(!app.run("doctor").success().contains("administrator:"));
}

#[test]
fn rows_of_the_apps_own_are_no_orphans() {
    let app = App::new(KYSELY);
    let sql = "INSERT INTO verification VALUES ('state-1', 'oauth-state', '{\"callbackURL\":\"/\"}',
               '2100-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')";
    app.sql().execute_batch(sql).unwrap();
    app.run("doctor --fix --yes").success();
    assert_eq!(app.text("SELECT count(*) FROM verification WHERE id = 'state-1'"), "1");
}

/// Leaves rows of bob, who was deleted, rows without a user, and rows of the app.
fn orphan(sql: &Connection) {
    let bob = "(SELECT id FROM user WHERE email = 'bob@example.com')";
    let statements = format!(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO session SELECT 'of-bob', 4102444800, 't1', 0, 0, '', '', {bob};
         INSERT INTO session SELECT 'of-ada', 4102444800, 't2', 0, 0, '', '', id FROM user WHERE email = 'ada@example.com';
         INSERT INTO verification SELECT 'v1', 'email-verification:x', {bob} || char(10) || 'bob@example.com', 4102444800, 0, 0;
         INSERT INTO verification VALUES ('v2', 'checkout', 'unknown' || char(10) || 'else', 4102444800, 0, 0);
         CREATE TABLE post (author TEXT REFERENCES user (id), text TEXT);
         INSERT INTO post SELECT {bob}, 'hello';
         DELETE FROM user WHERE email = 'bob@example.com';"
    );
    sql.execute_batch(&statements).unwrap();
}

/// Recreates the tables without foreign keys and with nullable user ids.
fn without_foreign_keys(sql: &Connection) {
    let mut tables = vec!["PRAGMA foreign_keys = OFF;".to_owned()];
    for table in ["session", "account"] {
        let make: String =
            sql.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
        let (columns, _) = make.split_once(",\n\tFOREIGN KEY").unwrap();
        let columns = columns.replace("`userId` text NOT NULL", "`userId` text").replace(&format!("`{table}`"), "made");
        tables.push(format!(
            "{columns}); INSERT INTO made SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE made RENAME TO {table};"
        ));
    }
    sql.execute_batch(&tables.concat()).unwrap();
    sql.execute_batch("INSERT INTO session VALUES ('of-no-user', 4102444800, 't3', 0, 0, '', '', NULL)").unwrap();
}

#[test]
fn same_orphans_are_found_and_deleted() {
    for keys in [true, false] {
        let app = App::changed(crate::app::ARTICLE, |sql| {
            if !keys {
                without_foreign_keys(sql);
            }
            orphan(sql);
        });
        let kept = "SELECT group_concat(id) FROM (SELECT id FROM session WHERE id LIKE 'of-%' ORDER BY id)";
        let found = "orphans: rows of users who are gone: sessions 2, accounts 1, codes 1";
        let before = app.run("doctor");
        assert!(before.stdout.contains(found), "{keys}: {before}");
        let fixed = app.run("doctor --fix --yes");
        assert!(fixed.stdout.contains(&format!("fixed: {found}")), "{keys}: {fixed}");
        assert_eq!(app.text(kept), if keys { "of-ada" } else { "of-ada,of-no-user" });
        assert_eq!(app.text("SELECT group_concat(id) FROM verification WHERE id LIKE 'v_'"), "v2");
        assert_eq!(app.text("SELECT count(*) FROM post"), "1");
        let again = app.run("doctor");
        assert!(!again.stdout.contains("orphans"), "{keys}: {again}");
    }
}

#[test]
fn backup_and_migration_are_refused() {
    let app = App::new(KYSELY);
    assert_snapshot!(app.run("db backup copy.db"), @"
    ------- stderr -------
    error: could not back up the database: [HOME]/app.db was not made by authctl
    hint: an app's database is migrated by its app; `sqlite3 FILE '.backup COPY'` copies it, and with the app stopped a copy can take its place
    [exit status: 9]
    ");
    assert_snapshot!(app.run("db migrate"), @"
    ------- stderr -------
    error: could not migrate the database: [HOME]/app.db was not made by authctl
    hint: an app's database is migrated by its app; `sqlite3 FILE '.backup COPY'` copies it, and with the app stopped a copy can take its place
    [exit status: 9]
    ");
    app.run("db init").failure(6);
    app.run("db init --if-missing").success();
    let before = std::fs::read(app.path()).unwrap();
    app.sandbox.run("db init").success();
    app.sandbox.run("db backup backup.db").success();
    for words in ["db restore backup.db --dry-run", "db restore backup.db --yes"] {
        app.run(words).failure(9);
    }
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
}

#[test]
fn shared_directory_of_an_app_is_reported_and_unchanged() {
    let app = App::new(KYSELY);
    std::fs::set_permissions(app.sandbox.home(), Permissions::from_mode(0o777)).unwrap();
    let listed = app.run("users list");
    assert!(listed.stderr.contains("everybody may write to the directory, so the database may be forged"), "{listed}");
    let _ = listed.success();
    assert_snapshot!(app.run("users ban bob@example.com"), @"
    ------- stderr -------
    note: [HOME] is not safe to use: everybody may write to the directory, so the database may be forged; it is read and not written
    error: could not ban the user: [HOME] is not safe to use: everybody may write to the directory
    hint: keep the database in a directory that only you can write, or: chmod go-w '[HOME]'
    [exit status: 9]
    ");
    let token = app.text("SELECT token FROM {session} WHERE {.expiresAt} > '2100'");
    for words in ["whoami", "guard -- true", "sessions list"] {
        assert_eq!(
            app.run_as(&token, &format!("--quiet --json {words}")).json_error(9)["code"],
            "DATABASE_UNSAFE",
            "{words}"
        );
    }
    let sign_in = app.run_with_input("signin bob@example.com --no-store --password-stdin --json --quiet", PASSWORD);
    assert_eq!(sign_in.json_error(9)["code"], "DATABASE_UNSAFE", "a forged database admits no user");
    assert_snapshot!(app.run("doctor --fix --yes"), @"
    problem: permissions: others may use what only you should: [HOME] is not safe to use: everybody may write to the directory
      hint: who writes there is the administrator, who reads there can guess passwords; keep the database in a directory that only you can write, or: chmod go-w '[HOME]'
    notice: app-file: everybody on this machine may read the app's database, with the token of every session in it
      hint: if only the app reads it: chmod o= '[HOME]/app.db'
    notice: expired: expired rows that only take up room: sessions 1, codes 0
      hint: `authctl doctor --fix` deletes them; `authctl sessions prune` only the sessions
    [HOME]/app.db: not healthy, 1 problem, 2 notices
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    ------- stderr -------
    note: [HOME] is not safe to use: everybody may write to the directory, so the database may be forged; it is read and not written
    [exit status: 9]
    ");
    assert_eq!(std::fs::metadata(app.sandbox.home()).unwrap().permissions().mode() & 0o777, 0o777);
}

#[test]
fn wal_mode_of_an_app_is_kept() {
    let app = App::new(KYSELY);
    let reader = app.sql();
    reader.pragma_update(None, "journal_mode", "wal").unwrap();
    let count = |sql| reader.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let verified = "SELECT count(*) FROM user WHERE emailVerified";
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(count(verified), 2);
    app.sandbox.finish(&mut app.command("users verify-email bob@example.com")).success();
    app.sandbox.finish(&mut app.command("sessions prune")).success();
    assert_eq!(count(verified), 2, "what the app reads in one transaction does not change");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(verified), 3);
    let mode: String = reader.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn policy_and_throttle_do_not_lock_the_app() {
    let app = App::new(DRIZZLE);
    let connection = app.sql();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    app.sandbox.finish(&mut app.command("--wait 0s policy set password.min-length 12")).success();
    app.sandbox
        .finish_with_input(
            &mut app.command("--wait 0s signin bob@example.com --no-store --password-stdin"),
            "wrong one",
        )
        .failure(7);
    let busy = app.sandbox.finish(&mut app.command("--wait 0s users verify-email bob@example.com"));
    busy.failure(75);
    connection.execute_batch("ROLLBACK").unwrap();
    let policy = app.run("policy show --json").json();
    assert!(policy.to_string().contains("12"), "{policy}");
    let log = app.run("audit list --json").json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 2, "{log}");
}

#[test]
fn status_lists_every_column() {
    let app = App::new(DRIZZLE);
    assert_snapshot!(app.run("db status"), @"
    database          [HOME]/app.db
    chosen by         AUTHCTL_DB
    kind              better-auth
    times             a number of milliseconds (shown by the values of user.created_at)
    ids               text
    passwords         scrypt
    state             local file [HOME]/.local/state/authctl/[KEY].db
    users             5
    live sessions     3
    expired sessions  1
    journal mode      delete
    SQLite            3.54.1
    size              57344 bytes

    BETTER AUTH                    HERE                              DECLARED
    user.id                        user.id                           TEXT
    user.name                      user.name                         TEXT
    user.email                     user.email                        TEXT
    user.emailVerified             user.email_verified               INTEGER
    user.image                     user.image                        TEXT
    user.createdAt                 user.created_at                   INTEGER
    user.updatedAt                 user.updated_at                   INTEGER
    user.role                      user.role                         TEXT
    user.banned                    user.banned                       INTEGER
    user.banReason                 user.ban_reason                   TEXT
    user.banExpires                user.ban_expires                  INTEGER
    user.twoFactorEnabled          -
    session.id                     session.id                        TEXT
    session.expiresAt              session.expires_at                INTEGER
    session.token                  session.token                     TEXT
    session.createdAt              session.created_at                INTEGER
    session.updatedAt              session.updated_at                INTEGER
    session.ipAddress              session.ip_address                TEXT
    session.userAgent              session.user_agent                TEXT
    session.userId                 session.user_id                   TEXT
    session.impersonatedBy         session.impersonated_by           TEXT
    account.id                     account.id                        TEXT
    account.accountId              account.account_id                TEXT
    account.providerId             account.provider_id               TEXT
    account.userId                 account.user_id                   TEXT
    account.accessToken            account.access_token              TEXT
    account.refreshToken           account.refresh_token             TEXT
    account.idToken                account.id_token                  TEXT
    account.accessTokenExpiresAt   account.access_token_expires_at   INTEGER
    account.refreshTokenExpiresAt  account.refresh_token_expires_at  INTEGER
    account.scope                  account.scope                     TEXT
    account.password               account.password                  TEXT
    account.createdAt              account.created_at                INTEGER
    account.updatedAt              account.updated_at                INTEGER
    account.issuer                 -
    verification.id                verification.id                   TEXT
    verification.identifier        verification.identifier           TEXT
    verification.value             verification.value                TEXT
    verification.expiresAt         verification.expires_at           INTEGER
    verification.createdAt         verification.created_at           INTEGER
    verification.updatedAt         verification.updated_at           INTEGER
    ");
}

#[test]
fn interrupted_act_is_reported_by_a_mailing_command() {
    let app = App::new(KYSELY);
    let mailer = app.sandbox.file("mailer", "#!/bin/sh\ncat > /dev/null\n");
    std::fs::set_permissions(&mailer, Permissions::from_mode(0o700)).unwrap();
    app.run(&format!("policy set mail.url sendmail:{}", mailer.display())).success();
    app.run("policy set mail.from accounts@example.com").success();
    app.run("users ban bob@example.com").success();
    // The state after a process is killed before it records the result.
    let state = std::fs::read_dir(app.sandbox.path(".local/state/authctl")).unwrap();
    let log = state.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|end| end == "db"));
    let cut = "DELETE FROM authctl_audit
        WHERE seq > (SELECT max(seq) FROM authctl_audit WHERE event = 'act.intended')";
    Connection::open(log.unwrap()).unwrap().execute_batch(cut).unwrap();
    let asked = app.run("password forgot emo@example.com");
    assert!(asked.code == 0 && asked.stderr.contains("an earlier act was interrupted"), "{asked}");
}
