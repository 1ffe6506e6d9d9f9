//! `db restore`: replaces the database with a backup, keeps the old one, and ends all sessions.

use std::path::PathBuf;

use insta::assert_snapshot;

use crate::backup::{names, users};
use crate::kill::Case;
use crate::machine::tree;
use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Sandbox};

const BOB: &str = "users create bob@example.com --name Bob --password-stdin";

/// A backup in which Ada is signed in, and a database to which Bob was added later.
fn with_backup() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run("db backup b.db").success();
    sandbox.run_with_input(BOB, PASSWORD).success();
    sandbox
}

/// The databases that earlier restorations kept.
fn kept(sandbox: &Sandbox) -> Vec<PathBuf> {
    let directory = sandbox.database().parent().unwrap().to_owned();
    let names = names(&directory).into_iter().filter(|name| name.contains(".before-restore-"));
    names.map(|name| directory.join(name)).collect()
}

#[test]
fn restore_keeps_the_old_state_and_ends_sessions() {
    let sandbox = with_backup();
    let head = sandbox.run("audit verify --json").json()["head"].as_str().unwrap().to_owned();
    assert_snapshot!(sandbox.run("db restore b.db --yes"), @"
    ------- stderr -------
    restored 1 user from [HOME]/b.db to [HOME]/.local/share/authctl/auth.db; ended 1 live session
    the database as it was is kept in [HOME]/.local/share/authctl/auth.db.before-restore-[TIME]
    ");
    assert_eq!(users(&sandbox.database()), 1);
    assert_eq!(kept(&sandbox).iter().map(|path| users(path)).collect::<Vec<_>>(), [2]);
    let _ = sandbox.run("whoami").failure(4);
    sandbox.sign_in("ada@example.com").success();
    sandbox.run("audit verify").success();
    let log = sandbox.run("audit list --event database.restored --json").json();
    let detail = log["entries"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(&head) && detail.contains("ended 1 session"), "{detail}");
    let mode: String = sandbox.sql().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert!(names(sandbox.database().parent().unwrap()).iter().all(|name| !name.contains(".new")));
    // Restoring the kept database undoes the restoration.
    let before = kept(&sandbox).remove(0);
    sandbox.run(&format!("db restore {} --yes", before.display())).success();
    assert_eq!(users(&sandbox.database()), 2);
}

#[test]
fn triggers_and_views_of_a_backup_are_left_out_and_named() {
    let sandbox = with_backup();
    let backup = rusqlite::Connection::open(sandbox.path("b.db")).unwrap();
    let hostile = r#"
        CREATE TABLE "note" ("id" PRIMARY KEY);
        CREATE VIEW "v" AS SELECT 1 AS "one";
        CREATE TRIGGER "in view" INSTEAD OF DELETE ON "v" BEGIN SELECT 1; END;
        CREATE TRIGGER "a""b" AFTER INSERT ON "session" BEGIN UPDATE "user" SET "role" = 'admin'; END"#;
    backup.execute_batch(hostile).unwrap();
    drop(backup);
    assert_snapshot!(sandbox.run("db restore b.db --dry-run"), @r#"
    ------- stderr -------
    note: the backup has triggers or views, which are left out: trigger a"b, trigger in view, view v
    note: the backup has tables, columns or indexes that authctl did not make: table note
    would restore 1 user and 1 session from [HOME]/b.db to [HOME]/.local/share/authctl/auth.db
    "#);
    assert_snapshot!(sandbox.run("db restore b.db --yes"), @r#"
    ------- stderr -------
    note: the backup has triggers or views, which are left out: trigger a"b, trigger in view, view v
    note: the backup has tables, columns or indexes that authctl did not make: table note
    restored 1 user from [HOME]/b.db to [HOME]/.local/share/authctl/auth.db; ended 1 live session
    the database as it was is kept in [HOME]/.local/share/authctl/auth.db.before-restore-[TIME]
    "#);
    let left = "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view') AND name NOT GLOB 'authctl_*'";
    assert_eq!(sandbox.number(left), 0);
    assert_eq!(sandbox.number("SELECT count(*) FROM note"), 0, "kept");
    let backup = rusqlite::Connection::open(sandbox.path("b.db")).unwrap();
    let in_backup: i64 = backup.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(in_backup, 3, "the backup stays as it is");
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE role = 'admin'"), 0);
    let report = sandbox.run("doctor").stdout;
    assert!(!report.contains("a\"b") && !report.contains("view v"), "{report}");
    // Also when the database is missing.
    sandbox.run("--db new.db db restore b.db").success();
    let new = rusqlite::Connection::open(sandbox.path("new.db")).unwrap();
    assert_eq!(new.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    for number in 0..9 {
        backup.execute_batch(&format!("CREATE VIEW w{number} AS SELECT 1")).unwrap();
    }
    drop(backup);
    let said = sandbox.run("db restore b.db --dry-run").stderr;
    assert!(said.contains("view w0, view w1, 7 more"), "{said}");
}

#[test]
fn sessions_can_be_kept_and_codes_never_are() {
    let sandbox = Sandbox::with_ada();
    let code = sandbox.run("users reset-code ada@example.com").success();
    sandbox.run("db backup b.db").success();
    let answer = sandbox.run("db restore b.db --yes --keep-sessions --json").json();
    assert_eq!((&answer["sessionsEnded"], &answer["sessions"]), (&0.into(), &1.into()));
    sandbox.run("whoami").success();
    let ran = sandbox.run_with_input("password reset --code-stdin --password-stdin", format!("{code}{PASSWORD}\n"));
    let _ = ran.failure(7);
}

#[test]
fn restore_asks_first_and_dry_run_changes_nothing() {
    let sandbox = with_backup();
    let before = tree(sandbox.home());
    assert_snapshot!(sandbox.run("db restore b.db --dry-run"), @"
    ------- stderr -------
    would restore 1 user and 1 session from [HOME]/b.db to [HOME]/.local/share/authctl/auth.db
    ");
    let dry = sandbox.run("db restore b.db --dry-run --json").json();
    assert_eq!((&dry["dryRun"], &dry["users"], &dry["sessionsEnded"]), (&true.into(), &1.into(), &().into()));
    assert_snapshot!(sandbox.run("db restore b.db"), @"
    ------- stderr -------
    error: could not restore the backup: a confirmation is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --yes
    [exit status: 2]
    ");
    before.assert_same(&tree(sandbox.home()));
    let mut terminal = Terminal::new().run(sandbox.command(["db", "restore", "b.db"]));
    terminal.wait_for("(2 users) by").wait_for("Replace the database?").press("n");
    terminal.end().with_code(1);
    assert_eq!(users(&sandbox.database()), 2);
}

#[test]
fn missing_database_is_created_from_a_valid_backup_only() {
    let sandbox = with_backup();
    sandbox.file("bad", "no database");
    std::fs::remove_dir_all(sandbox.database().parent().unwrap()).unwrap();
    let _ = sandbox.run("db restore bad").failure(9);
    assert!(!sandbox.database().exists());
    assert_snapshot!(sandbox.run("db restore b.db"), @"
    ------- stderr -------
    restored 1 user from [HOME]/b.db to [HOME]/.local/share/authctl/auth.db; ended 1 live session
    ");
    assert_eq!(users(&sandbox.database()), 1);
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(names(sandbox.database().parent().unwrap()), ["auth.db"]);
}

#[test]
fn invalid_backup_changes_nothing() {
    let sandbox = with_backup();
    let variant = |name: &str, sql: &str| {
        std::fs::copy(sandbox.path("b.db"), sandbox.path(name)).unwrap();
        rusqlite::Connection::open(sandbox.path(name)).unwrap().execute_batch(sql).unwrap();
    };
    variant("newer", "PRAGMA user_version = 99");
    variant("foreign", "PRAGMA application_id = 7");
    variant("lacking", "PRAGMA foreign_keys = OFF; DROP TABLE session");
    variant("changed", "ALTER TABLE user RENAME COLUMN image TO picture");
    let mut bytes = std::fs::read(sandbox.path("b.db")).unwrap();
    sandbox.file("cut", &bytes[..bytes.len() - 4096]);
    bytes[3 * 4096..4 * 4096].fill(0xa5);
    sandbox.file("damaged", &bytes);
    sandbox.file("text", "no database");
    std::fs::copy(sandbox.path("b.db"), sandbox.path("public")).unwrap();
    let mode = |name: &str, mode| {
        std::fs::set_permissions(sandbox.path(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    for name in ["cut", "damaged", "text"] {
        mode(name, 0o600);
    }
    mode("public", 0o644);
    let before = tree(sandbox.home());
    for name in ["newer", "foreign", "lacking", "changed", "cut", "damaged", "text", "public", "missing"] {
        let ran = sandbox.run(&format!("db restore {name} --yes"));
        assert_eq!(ran.code, 9, "{name}: {ran}");
    }
    // The file is an argument, so the hint must not mention --db or a new database.
    for name in ["text", "missing"] {
        let error = sandbox.run(&format!("db restore {name} --yes --json")).json_error(9);
        assert_eq!(error["hint"], "name a file that `authctl db backup` made; nothing was changed", "{name}");
    }
    let database = sandbox.database();
    for (file, code) in [(database.to_str().unwrap(), 2), ("-", 2)] {
        assert_eq!(sandbox.run(&format!("db restore {file} --yes")).code, code, "{file}");
    }
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn columns_of_other_programs_are_restored() {
    let sandbox = with_backup();
    let added =
        "ALTER TABLE user ADD COLUMN phone TEXT COLLATE NOCASE CHECK (phone <> ''); UPDATE user SET phone = name";
    rusqlite::Connection::open(sandbox.path("b.db")).unwrap().execute_batch(added).unwrap();
    let note = "tables, columns or indexes that authctl did not make: column user.phone";
    for words in ["db restore b.db --dry-run", "db restore b.db --yes"] {
        let ran = sandbox.run(words);
        assert!(ran.code == 0 && ran.stderr.contains(note), "{ran}");
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE phone = 'aDa'"), 1);
    sandbox.sql().execute("UPDATE user SET phone = ''", []).unwrap_err();
    sandbox.sign_in("ada@example.com").success();
    let check = sandbox.run("db check");
    assert!(check.code == 1 && check.stdout.contains("column user.phone was not made by authctl"), "{check}");
}

#[test]
fn damaged_database_is_replaced() {
    let sandbox = with_backup();
    let mut bytes = std::fs::read(sandbox.database()).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(sandbox.database(), &bytes).unwrap();
    let _ = sandbox.run("whoami").failure(9);
    sandbox.run("db restore b.db --yes").success();
    assert_eq!(users(&sandbox.database()), 1);
    assert_eq!(std::fs::read(kept(&sandbox).remove(0)).unwrap()[4096..], bytes[4096..], "even the damage is kept");
    let log = sandbox.run("audit list --event database.restored").success();
    assert!(log.contains("replaced no log that could be read"), "{log}");
}

/// Restores over a database that has garbage in a range of bytes.
fn restore_over(sandbox: &Sandbox, damaged: std::ops::Range<usize>) {
    let mut bytes = std::fs::read(sandbox.database()).unwrap();
    bytes[damaged].fill(0xa5);
    std::fs::write(sandbox.database(), &bytes).unwrap();
    let _ = sandbox.run("whoami").failure(9);
    let before = kept(sandbox).len();
    sandbox.run("db restore b.db --yes").success();
    assert_eq!((users(&sandbox.database()), sandbox.run("db check").code), (1, 0));
    let mut kept = kept(sandbox);
    assert_eq!(kept.len(), before + 1);
    kept.sort();
    // All bytes except the counters in the header, which SQLite increments.
    let copy = std::fs::read(kept.pop().unwrap()).unwrap();
    assert!(copy.len() == bytes.len() && copy[100..] == bytes[100..], "even the damage is kept");
}

#[test]
fn damaged_first_page_is_replaced() {
    let sandbox = with_backup();
    restore_over(&sandbox, 100..4096);
    let everything = std::fs::metadata(sandbox.database()).unwrap().len();
    restore_over(&sandbox, 100..usize::try_from(everything).unwrap());
}

#[test]
fn damaged_further_page_of_the_schema_is_replaced() {
    let sandbox = with_backup();
    // More rows than fit on one page.
    let long = "x".repeat(400);
    for table in 0..30 {
        sandbox.execute(&format!("CREATE TABLE more_{table} (column_{long})"));
    }
    // Cells of an interior page begin with the number of the child page (SQLite file format, section 1.6).
    let bytes = std::fs::read(sandbox.database()).unwrap();
    assert_eq!(bytes[100], 5, "the first page of the schema is an inner one");
    let two = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let four = |at: usize| usize::try_from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
    let below: Vec<usize> = (0..two(103)).map(|cell| four(two(112 + 2 * cell))).chain([four(108)]).collect();
    let page = |number: usize| (number - 1) * 4096..number * 4096;
    restore_over(&sandbox, page(below[below.len() / 2]));
    sandbox.run("users list").success();
}

#[test]
fn backup_of_an_older_schema_is_migrated() {
    let sandbox = Sandbox::with_ada();
    crate::db::make_old(&sandbox);
    std::fs::copy(sandbox.database(), sandbox.path("old.db")).unwrap();
    sandbox.run("db migrate").success();
    sandbox.run("db restore old.db --yes").success();
    assert_eq!(sandbox.number("PRAGMA user_version"), i64::from(authctl::store::sqlite::LATEST));
    assert_eq!(sandbox.run("db check").code, 0);
    assert_eq!(
        rusqlite::Connection::open(sandbox.path("old.db"))
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0)),
        Ok(1)
    );
}

#[test]
fn readers_see_one_state_and_writers_lose_nothing() {
    let sandbox = with_backup();
    let hash = sandbox.run_with_input("hash generate --password-stdin", PASSWORD).success();
    let reader = sandbox.sql();
    reader.execute_batch("BEGIN").unwrap();
    let count = || reader.query_row(r#"SELECT count(*) FROM "user""#, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 2);
    let made = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (sandbox, hash) = (&sandbox, hash.trim());
                scope.spawn(move || {
                    (0..12)
                        .map(|number| {
                            let email = format!("w{writer}n{number}@example.com");
                            let words = format!("users create {email} --name N --hash-stdin --wait 30s");
                            let ran = sandbox.run_with_input(&words, hash);
                            // A restore between the commit and the read-back removes the user again.
                            assert!(ran.code == 0 || ran.stderr.contains("was created, but"), "{ran}");
                            email
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for _ in 0..3 {
            sandbox.run("db restore b.db --yes --wait 30s").success();
        }
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(count(), 2, "a transaction that was open sees what it saw");
    let mut everywhere = kept(&sandbox);
    everywhere.push(sandbox.database());
    for email in made {
        let is_in = |path: &PathBuf| {
            let sql = rusqlite::Connection::open(path).unwrap();
            sql.prepare(r#"SELECT 1 FROM "user" WHERE "email" = ?1"#).unwrap().exists([&email]).unwrap()
        };
        assert!(everywhere.iter().any(is_in), "{email} was made and is nowhere");
    }
    users(&sandbox.database());
    sandbox.run("audit verify").success();
}

#[test]
fn killed_restore_leaves_the_old_or_the_new_state() {
    let case = Case::new(with_backup(), "db restore b.db --yes");
    case.kill_by_call(|when| {
        let sandbox = &case.sandbox;
        // Before the SQLite of the test recovers the journal.
        match sandbox.run("whoami").code {
            0 => assert_eq!(users(&sandbox.database()), 2, "{when}"),
            4 => {
                assert_eq!(users(&sandbox.database()), 1, "{when}");
                assert_eq!(kept(sandbox).iter().map(|path| users(path)).collect::<Vec<_>>(), [2], "{when}");
            }
            other => panic!("{when}: {other}"),
        }
        let again = sandbox.run("db restore b.db --yes");
        assert_eq!(again.code, 0, "{when}: {again}");
        assert_eq!(users(&sandbox.database()), 1, "{when}");
        let beside = names(sandbox.database().parent().unwrap());
        assert!(beside.iter().all(|name| !name.contains(".new")), "{when}: {beside:?}");
    });
}

#[test]
fn backup_with_unknown_migrations_is_refused() {
    let sandbox = with_backup();
    for change in [
        "UPDATE authctl_schema_history SET checksum = 'zz'",
        "UPDATE authctl_schema_history SET checksum = NULL",
        "UPDATE authctl_schema_history SET applied_on = 'x'",
        "UPDATE authctl_schema_history SET applied_on = '2026-11-25 18:35:28Z'",
        "UPDATE authctl_schema_history SET applied_on = '2026-11-25T18:35:60Z'",
        "UPDATE authctl_schema_history SET applied_on = '2026-11-25T18:35:28Z[UTC]'",
        "UPDATE authctl_schema_history SET name = x'ff'",
        "UPDATE authctl_schema_history SET version = 99 WHERE version = 1",
        "DELETE FROM authctl_schema_history WHERE version = 3",
        "DELETE FROM authctl_schema_history",
    ] {
        std::fs::copy(sandbox.path("b.db"), sandbox.path("foreign.db")).unwrap();
        rusqlite::Connection::open(sandbox.path("foreign.db")).unwrap().execute_batch(change).unwrap();
        let before = tree(sandbox.home());
        for words in ["db restore foreign.db --dry-run", "db restore foreign.db --yes"] {
            let error = sandbox.run(&format!("{words} --json")).json_error(9);
            assert_eq!(error["code"], "DATABASE_CORRUPT", "{change}: {words}: {error}");
            assert!(error["message"].as_str().unwrap().contains("list of migrations"), "{change}: {words}: {error}");
        }
        before.assert_same(&tree(sandbox.home()));
        let missing = sandbox.run("--db missing.db db restore foreign.db --json").json_error(9);
        assert_eq!(missing["code"], "DATABASE_CORRUPT", "{change}: {missing}");
        assert!(!sandbox.path("missing.db").exists(), "{change}");
        before.assert_same(&tree(sandbox.home()));
    }
}

#[test]
fn restoration_that_fails_at_any_call_leaves_no_copy_behind() {
    let case = Case::new(with_backup(), "db restore b.db --yes");
    let sandbox = &case.sandbox;
    case.fail_by_call(|when, ran| {
        let beside = names(sandbox.database().parent().unwrap());
        assert!(beside.iter().all(|name| !name.contains(".new")), "{when}: {beside:?}: {ran}");
        let is_done = users(&sandbox.database()) == 1;
        assert_eq!(kept(sandbox).len(), usize::from(is_done), "{when}: {ran}");
        if is_done {
            assert!(ran.code == 0 || ran.stderr.contains("the backup is restored"), "{when}: {ran}");
        } else {
            assert!([9, 74].contains(&ran.code) || ran.stderr.is_empty(), "{when}: {ran}");
        }
        let again = sandbox.run("db restore b.db --yes");
        assert_eq!(again.code, 0, "{when}: {again}");
        assert_eq!(users(&sandbox.database()), 1, "{when}");
    });
}

#[test]
fn failed_restore_creates_no_database() {
    let case = Case::new(with_backup(), "--db new.db db restore b.db");
    let sandbox = &case.sandbox;
    case.fail_by_call(|when, ran| {
        let left: Vec<String> = names(sandbox.home()).into_iter().filter(|name| name.contains("new")).collect();
        let is_done = ran.code == 0 || ran.stderr.contains("the backup is restored") || ran.stderr.is_empty();
        assert_eq!(left, if is_done { vec!["new.db"] } else { vec![] }, "{when}: {ran}");
        let again = sandbox.run("--db new.db db restore b.db --yes");
        assert_eq!(again.code, 0, "{when}: {again}");
    });
}
