//! `db backup`: the copy is private, consistent, and complete or absent.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::kill::Case;
use crate::machine::tree;
use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Sandbox};

/// Counts the users of a database.
pub(crate) fn users(path: &Path) -> i64 {
    let sql = Connection::open(path).unwrap();
    let integrity: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "{}", path.display());
    sql.query_row(r#"SELECT count(*) FROM "user""#, [], |row| row.get(0)).unwrap()
}

/// The file names in a directory, except lock files.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_none_or(|extension| extension != "lock"))
        .collect();
    names.sort();
    names
}

#[test]
fn backup_is_one_private_file_and_is_logged() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("db backup b.db"), @"
    ------- stderr -------
    backed up [HOME]/.local/share/authctl/auth.db with 1 user and 1 session to [HOME]/b.db
    the backup holds password hashes: keep it as safe as the database
    ");
    let file = sandbox.path("b.db");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(names(sandbox.home()), [".config", ".local", "b.db"], "nothing lies beside it");
    assert_eq!(users(&file), 1);
    let token = sandbox.run("db backup c.db --json").json();
    assert_eq!((&token["users"], &token["sessions"]), (&1.into(), &1.into()));
    let log = sandbox.run("audit list").success();
    assert_eq!(log.matches("database.backed-up").count(), 2, "{log}");
    assert_eq!(sandbox.run("--db b.db db check").code, 0);
    assert!(
        !sandbox.run("--db b.db audit list").success().contains("backed-up"),
        "the entry is written after the copy is made"
    );
    sandbox.run_with_input("--db b.db signin ada@example.com --no-store --password-stdin", PASSWORD).success();
}

#[test]
fn backup_contains_changes_still_in_the_wal() {
    let sandbox = Sandbox::with_ada();
    // An open reader keeps SQLite from checkpointing the WAL.
    let reader = sandbox.sql();
    reader.execute_batch(r#"BEGIN; SELECT * FROM "user""#).unwrap();
    sandbox.run_with_input("users create bob@example.com --name Bob --password-stdin", PASSWORD).success();
    sandbox.run("db backup b.db").success();
    assert_eq!(users(&sandbox.path("b.db")), 2);
}

#[test]
fn refused_backup_overwrites_and_leaves_no_file() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("there", "precious");
    std::os::unix::fs::symlink("nowhere", sandbox.path("link")).unwrap();
    std::fs::create_dir(sandbox.path("open")).unwrap();
    std::fs::set_permissions(sandbox.path("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let database = sandbox.database();
    let before = tree(sandbox.home());
    for (file, code) in
        [("there", 6), ("link", 6), (database.to_str().unwrap(), 6), ("", 2), ("no/b.db", 74), ("open/b.db", 9)]
    {
        let ran = sandbox.run_words(&["db", "backup", file]);
        assert_eq!(ran.code, code, "{file}: {ran}");
    }
    before.assert_same(&tree(sandbox.home()));
    assert_snapshot!(sandbox.run("db backup there"), @"
    ------- stderr -------
    error: could not back up the database: [HOME]/there exists already
    hint: name another file: none is overwritten
    [exit status: 6]
    ");
    assert_eq!(sandbox.run("--db missing.db db backup b.db").code, 9);
}

#[test]
fn backup_to_a_pipe_is_whole_and_leaves_no_file() {
    let sandbox = Sandbox::with_ada();
    let before = names(sandbox.database().parent().unwrap());
    let output = sandbox.command(["db", "backup", "-"]).output().unwrap();
    assert_snapshot!(String::from_utf8_lossy(&output.stderr).replace(sandbox.home().to_str().unwrap(), "[HOME]"), @"
    backed up [HOME]/.local/share/authctl/auth.db with 1 user and 1 session to standard output
    the backup holds password hashes: keep it as safe as the database
    ");
    assert_eq!(output.status.code(), Some(0));
    let file = sandbox.file("b.db", &output.stdout);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(users(&file), 1);
    assert_eq!(sandbox.run("--db b.db db check --full").code, 0);
    assert_eq!(names(sandbox.database().parent().unwrap()), before);
    assert_eq!(sandbox.newest_entry()["detail"], "to standard output");
    assert_eq!(sandbox.run("db restore b.db --yes").code, 0);
}

#[test]
fn backup_to_a_pipe_that_fails_is_an_error() {
    let sandbox = Sandbox::with_ada();
    let mut command = sandbox.command(["db", "backup", "-"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let ran = sandbox.ran(&command.output().unwrap());
    assert_eq!(ran.code, 74, "{ran}");
    assert!(!ran.stderr.contains("backed up"), "{ran}");
    let mut command = sandbox.command(["db", "backup", "-"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

#[test]
fn backup_is_not_written_to_a_terminal() {
    let sandbox = Sandbox::with_ada();
    let before = tree(sandbox.home());
    let screen = Terminal::new().run(sandbox.command(["db", "backup", "-"])).end().with_code(2);
    assert!(screen.contains("a backup is not written to a terminal"), "{screen}");
    assert!(screen.contains("pipe it, or name a file"), "{screen}");
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn killed_backup_to_a_pipe_leaves_no_copy_for_long() {
    let case = Case::new(Sandbox::with_ada(), "db backup -");
    case.kill_by_call(|when| {
        assert_eq!(users(&case.sandbox.database()), 1, "{when}");
        case.sandbox.command(["db", "backup", "-"]).stdout(std::process::Stdio::null()).status().unwrap();
        let directory = case.sandbox.database().parent().unwrap().to_owned();
        assert!(names(&directory).iter().all(|name| name.starts_with("auth.db")), "{when}: {:?}", names(&directory));
    });
}

#[test]
fn keep_removes_the_oldest_of_its_own_names_only() {
    let sandbox = Sandbox::with_ada();
    std::fs::create_dir(sandbox.path("backups")).unwrap();
    let first = sandbox.run("db backup backups --keep 2 --json").json();
    let first = std::path::PathBuf::from(first["backup"].as_str().unwrap());
    let name = first.file_name().unwrap().to_str().unwrap().to_owned();
    let (prefix, time) =
        name.trim_end_matches(".db").rsplit_once('.').map(|(rest, _)| rest.rsplit_once('.').unwrap()).unwrap();
    assert!(prefix.starts_with("auth.") && time.contains('T'), "{name}");
    // Another database of the same name, what looks alike, and what only has the name.
    let others = [
        "auth.00000000.20200101T000000.000Z.db".to_owned(),
        format!("{prefix}.20200101T000000.000Z.db-wal"),
        format!("{prefix}.20200101.db"),
        format!("{prefix}.2020010aT000000.000Z.db"),
        format!("x{prefix}.20200101T000000.000Z.db"),
        "auth.db".to_owned(),
    ];
    for other in &others {
        sandbox.file(&format!("backups/{other}"), "precious");
    }
    let old = format!("{prefix}.20200101T000000.000Z.db");
    std::fs::create_dir(sandbox.path(&format!("backups/{old}"))).unwrap();
    std::os::unix::fs::symlink("auth.db", sandbox.path(&format!("backups/{prefix}.20200102T000000.000Z.db"))).unwrap();
    sandbox.file(&format!("backups/{prefix}.20200103T000000.000Z.db"), "old");
    sandbox.file(&format!("backups/{prefix}.20990103T000000.000Z.db"), "newer than today");
    let before = names(&sandbox.path("backups"));
    let removed = sandbox.run("db backup --keep 2 backups --json").json();
    let count = removed["removed"].as_array().unwrap().len();
    assert_eq!(count, 2, "the new one and one other stay: {removed}");
    let after = names(&sandbox.path("backups"));
    let new = std::path::Path::new(removed["backup"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
    let gone: Vec<_> = before.iter().filter(|name| !after.contains(name)).collect();
    assert_eq!(gone, [&format!("{prefix}.20200103T000000.000Z.db"), &name]);
    assert!(after.iter().any(|name| name == new), "{after:?}");
    assert_eq!(users(&sandbox.path(&format!("backups/{new}"))), 1);
    let text = sandbox.run("db backup --keep 1 backups");
    assert!(text.stderr.contains("removed 2 older backups: "), "{text}");
}

#[test]
fn backup_that_fails_removes_no_older_one() {
    let sandbox = Sandbox::with_ada();
    std::fs::create_dir(sandbox.path("backups")).unwrap();
    sandbox.run("db backup --keep 1 backups").success();
    let before = names(&sandbox.path("backups"));
    // Other users can write to the directory, so no backup is made there.
    std::fs::set_permissions(sandbox.path("backups"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let _ = sandbox.run("db backup --keep 1 backups").failure(9);
    assert_eq!(names(&sandbox.path("backups")), before);
    for (words, code) in [("--keep 1 nowhere", 2), ("--keep 0 backups", 2), ("--keep 1 -", 2), ("--keep 1 auth", 2)] {
        assert_eq!(sandbox.run(&format!("db backup {words}")).code, code, "{words}");
    }
}

#[test]
fn killed_rotation_keeps_at_least_the_older_backup() {
    let sandbox = Sandbox::with_ada();
    std::fs::create_dir(sandbox.path("backups")).unwrap();
    sandbox.run("db backup --keep 1 backups").success();
    let case = Case::new(sandbox, "db backup --keep 1 backups");
    case.kill_by_call(|when| {
        let directory = case.sandbox.path("backups");
        let whole: Vec<String> =
            names(&directory).into_iter().filter(|name| name.starts_with("auth.") && name.ends_with("Z.db")).collect();
        assert!(!whole.is_empty(), "{when}");
        for name in whole {
            assert_eq!(users(&directory.join(name)), 1, "{when}");
        }
    });
}

#[test]
fn a_damaged_database_is_not_backed_up() {
    let sandbox = Sandbox::with_ada();
    let page = sandbox.number("SELECT rootpage FROM sqlite_schema WHERE name = 'session_expiresAt_idx'") - 1;
    let mut bytes = std::fs::read(sandbox.database()).unwrap();
    let start = usize::try_from(page).unwrap() * 4096;
    bytes[start..start + 4096].fill(0xa5);
    std::fs::write(sandbox.database(), bytes).unwrap();
    let error = sandbox.run("db backup b.db").failure(9);
    assert!(error.contains("auth.db is damaged"), "{error}");
    assert_eq!(names(sandbox.home()), [".config", ".local"]);
}

#[test]
fn backup_during_writes_is_one_consistent_state() {
    let sandbox = Sandbox::with_ada();
    let hash = sandbox.run_with_input("hash generate --password-stdin", PASSWORD).success();
    let enough = AtomicBool::new(false);
    let written: i64 = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (sandbox, hash, enough) = (&sandbox, hash.trim(), &enough);
                scope.spawn(move || {
                    let mut written = 0;
                    while !enough.load(Ordering::Relaxed) && written < 500 {
                        let words = format!("users create w{writer}n{written}@example.com --name N --hash-stdin");
                        sandbox.run_with_input(&words, hash).success();
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        for number in 0..5 {
            sandbox.run(&format!("db backup b{number}.db")).success();
            let file = sandbox.path(&format!("b{number}.db"));
            let sql = Connection::open(&file).unwrap();
            let count = |sql_text: &str| sql.query_row(sql_text, [], |row| row.get::<_, i64>(0)).unwrap();
            // A sign-up writes user, account and audit entry in one transaction, so a backup has all three or none.
            let accounts = count(r#"SELECT count(*) FROM "account""#);
            let entries = count(r#"SELECT count(*) FROM "authctl_audit" WHERE "event" = 'user.created'"#);
            assert_eq!((users(&file), users(&file)), (accounts, entries));
        }
        enough.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(users(&sandbox.database()), written + 1);
    sandbox.run("audit verify").success();
}

#[test]
fn killed_backup_is_complete_or_absent_and_repeatable() {
    let case = Case::new(Sandbox::with_ada(), "db backup b.db");
    case.kill_by_call(|when| {
        let file = case.sandbox.path("b.db");
        if file.exists() {
            assert_eq!(users(&file), 1, "{when}");
            std::fs::remove_file(&file).unwrap();
        }
        let again = case.sandbox.run("db backup b.db");
        assert_eq!(again.code, 0, "{when}: {again}");
        let left: Vec<String> = names(case.sandbox.home()).into_iter().filter(|name| name.contains("b.db")).collect();
        assert_eq!(left, ["b.db"], "{when}");
    });
}

#[test]
fn failed_backup_leaves_no_file_and_is_repeatable() {
    let case = Case::new(Sandbox::with_ada(), "db backup b.db");
    let sandbox = &case.sandbox;
    case.fail_by_call(|when, ran| {
        let made = ran.stderr.contains("was made, but") || ran.code == 0;
        assert!(made || ran.code == 74 || ran.stderr.is_empty(), "{when}: {ran}");
        let left: Vec<String> = names(sandbox.home()).into_iter().filter(|name| name.contains("b.db")).collect();
        assert_eq!(left, if made { vec!["b.db"] } else { vec![] }, "{when}: {ran}");
        if made {
            assert_eq!(users(&sandbox.path("b.db")), 1, "{when}");
        } else {
            let again = sandbox.run("db backup b.db");
            assert_eq!(again.code, 0, "{when}: {again}");
        }
    });
}

#[test]
fn one_of_two_backups_to_one_name_succeeds() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("--db other.db db init").success();
    for name in ["one", "two"] {
        let words = format!("--db other.db users create {name}@example.com --name N --password-stdin");
        sandbox.run_with_input(&words, PASSWORD).success();
    }
    // Each database with its number of users.
    let databases = [(sandbox.database(), 1), (sandbox.path("other.db"), 2)];
    for round in 0..8 {
        let start = |(path, _): &(std::path::PathBuf, i64)| {
            let mut command = sandbox.command(["db", "backup", "b.db", "--db"]);
            command.arg(path).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let children: Vec<_> = databases.iter().map(start).collect();
        let runs: Vec<_> = children.into_iter().map(|it| sandbox.ran(&it.wait_with_output().unwrap())).collect();
        let won: Vec<i64> =
            runs.iter().zip(&databases).filter(|(ran, _)| ran.code == 0).map(|(_, database)| database.1).collect();
        assert_eq!(won, [users(&sandbox.path("b.db"))], "round {round}: {runs:?}");
        assert!(runs.iter().all(|ran| [0, 6].contains(&ran.code)), "round {round}: {runs:?}");
        std::fs::remove_file(sandbox.path("b.db")).unwrap();
    }
}

#[test]
fn success_is_reported_after_every_sync() {
    let case = Case::new(Sandbox::with_ada(), "db backup b.db");
    let Some(calls) = case.calls_in_order() else { return };
    let answer = calls.iter().position(|call| call.contains("backed up")).unwrap();
    let last = |name: &str| calls.iter().rposition(|call| call.starts_with(name)).unwrap();
    let placed = calls.iter().position(|call| call.starts_with("renameat2(") && call.contains("b.db\"")).unwrap();
    let synced = calls[placed..].iter().position(|call| call.starts_with("fsync(")).unwrap() + placed;
    assert!(placed < synced && synced < answer, "{calls:#?}");
    assert!(last("pwrite64(") < last("f") && last("f") < answer, "{calls:#?}");
}
