//! Files that are not databases of authctl: each kind has its own error, and the file stays unchanged.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use rustix::fs::{CWD, FileType, Mode};

use crate::machine::{tree, without_hanging};
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Commands that need an existing database.
pub const NEED_A_DATABASE: [&str; 6] =
    ["whoami", "sessions", "sessions prune", "signin ada@example.com --password-stdin", "db status", "db migrate"];

/// Commands that create a missing database.
const MAKE_A_DATABASE: [&str; 2] = ["db init --if-missing", "signup eve@example.com --name Eve --password-stdin"];

/// Runs a command on a database with a token in the environment.
pub fn run_on(sandbox: &Sandbox, database: &str, words: &str) -> Ran {
    let mut command = sandbox.command(words.split_whitespace());
    command.arg("--db").arg(database).env("AUTHCTL_TOKEN", "a token that was never issued");
    without_hanging(sandbox, &mut command, PASSWORD)
}

/// Asserts that every command refuses the file with the same error, and changes nothing.
#[track_caller]
pub fn assert_refused(sandbox: &Sandbox, database: &str, code: &str) {
    let before = tree(sandbox.home());
    for words in NEED_A_DATABASE.iter().chain(&MAKE_A_DATABASE) {
        let error = run_on(sandbox, database, &format!("{words} --json")).json_error(9);
        assert_eq!(error["code"], code, "{words}: {error}");
        before.assert_same(&tree(sandbox.home()));
    }
}

#[test]
fn missing_database_is_9_and_is_not_created() {
    let sandbox = Sandbox::new();
    let before = tree(sandbox.home());
    for database in ["missing.db", "no/such/directory.db"] {
        for words in NEED_A_DATABASE {
            let error = run_on(&sandbox, database, &format!("{words} --json")).json_error(9);
            assert_eq!(error["code"], "DATABASE_MISSING", "{words}");
        }
    }
    before.assert_same(&tree(sandbox.home()));
    assert_snapshot!(sandbox.run("db status"), @"
    ------- stderr -------
    error: could not open the database (the default place): [HOME]/.local/share/authctl/auth.db does not exist
    hint: name another with --db or AUTHCTL_DB; `authctl signup` and `authctl db init` make a new one
    [exit status: 9]
    ");
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn a_directory_is_no_database() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("a.db")).unwrap();
    assert_snapshot!(sandbox.run("--db a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/a.db is a directory, not a file
    hint: name a file with --db
    [exit status: 9]
    ");
    assert_refused(&sandbox, "a.db", "DATABASE_NOT_A_FILE");
}

#[test]
fn named_pipe_is_refused_without_waiting() {
    let sandbox = Sandbox::new();
    rustix::fs::mknodat(CWD, sandbox.path("a.db"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_snapshot!(run_on(&sandbox, "a.db", "db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/a.db is a named pipe, not a file
    hint: name a file with --db
    [exit status: 9]
    ");
    assert_refused(&sandbox, "a.db", "DATABASE_NOT_A_FILE");
}

#[test]
fn a_device_is_no_database() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox, "/dev/null", "DATABASE_NOT_A_FILE");
}

#[test]
fn an_empty_file_is_no_database() {
    let sandbox = Sandbox::new();
    sandbox.file("a.db", "");
    assert_snapshot!(sandbox.run("--db a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/a.db is empty
    hint: an app may not have made its tables yet; if it is of no use, remove it, and `authctl db init` makes a new one
    [exit status: 9]
    ");
    assert_refused(&sandbox, "a.db", "DATABASE_EMPTY");
}

#[test]
fn a_file_of_something_else_is_no_database() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "a.db",
        "SQLite format 3\0 is how it begins, and then it goes on differently".repeat(9).replace('\0', ""),
    );
    assert_snapshot!(sandbox.run("--db a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/a.db is not an SQLite database
    hint: name another file with --db
    [exit status: 9]
    ");
    assert_refused(&sandbox, "a.db", "DATABASE_NOT_SQLITE");
    sandbox.file("a.db", "SQLite format 3\0");
    assert_refused(&sandbox, "a.db", "DATABASE_NOT_SQLITE");
}

#[test]
fn server_address_is_refused_and_shown_without_password() {
    let sandbox = Sandbox::new();
    for other in ["mysql://root:s3cret@db/app", "libsql://app.turso.io?authToken=s3cret", "http://u:s3cret@127.0.0.1"] {
        assert_refused(&sandbox, other, "DATABASE_NO_ENGINE");
        let init = run_on(&sandbox, other, "db init");
        assert!(
            !init.stderr.contains("s3cret") && init.stderr.contains("opens SQLite files and PostgreSQL databases"),
            "{init}"
        );
    }
    assert_snapshot!(run_on(&sandbox, "postgres://ada@localhost/app?sslmode=disable", "db backup a.db"), @"
    ------- stderr -------
    error: could not back up the database: postgres://ada@localhost:5432/app is a database on a server, and not a file
    hint: `pg_dump` and `pg_restore` back up and restore it, and `authctl db copy` copies it to a file: see docs/postgres.md
    [exit status: 2]
    ");
}

/// The arguments of a process are no secret.
#[test]
fn password_in_an_argument_is_refused() {
    let sandbox = Sandbox::new();
    for words in ["host=localhost user=ada password=s3cret", "password=s3cret host=localhost"] {
        let words = run_on(&sandbox, words, "db status");
        assert!(!words.stderr.contains("s3cret") && words.code == 2, "{words}");
    }
    assert_snapshot!(run_on(&sandbox, "postgres://ada:s3cret@localhost/app", "db status"), @"
    ------- stderr -------
    error: the address has a password, which every process of this machine can read in the list of processes
    hint: put the password in PGPASSWORD or ~/.pgpass; AUTHCTL_DB may hold an address with one
    [exit status: 2]
    ");
    assert_snapshot!(run_on(&sandbox, "postgres://localhost/app?sslmode=none", "db status"), @"
    ------- stderr -------
    error: the address of the database cannot be used: `sslmode` must be disable, allow, prefer, require, verify-ca or verify-full
    hint: an address is like postgres://user@host:5432/database?sslmode=verify-full
    [exit status: 2]
    ");
}

#[test]
fn database_of_another_program_is_refused() {
    let sandbox = Sandbox::new();
    for (name, sql) in [
        ("marked.db", "PRAGMA application_id = 7; CREATE TABLE places (x)"),
        ("unmarked.db", "CREATE TABLE \"user\" (id TEXT); INSERT INTO \"user\" VALUES ('1')"),
        ("log.db", "PRAGMA journal_mode = WAL; CREATE TABLE places (x)"),
    ] {
        rusqlite::Connection::open(sandbox.path(name)).unwrap().execute_batch(sql).unwrap();
        std::fs::set_permissions(sandbox.path(name), Permissions::from_mode(0o600)).unwrap();
        assert_refused(&sandbox, name, "DATABASE_FOREIGN");
    }
    assert_snapshot!(sandbox.run("--db marked.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/marked.db belongs to another program
    hint: name another file with --db; this one was left as it was; if an app of Better Auth has renamed its tables, name them in a file given by --schema
    [exit status: 9]
    ");
}

#[test]
fn database_of_a_newer_authctl_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run("--db a.db db init").success();
    rusqlite::Connection::open(sandbox.path("a.db")).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert_snapshot!(sandbox.run("--db a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/a.db has schema version 99; this authctl knows versions up to 12
    hint: upgrade authctl
    [exit status: 9]
    ");
    assert_refused(&sandbox, "a.db", "DATABASE_NEWER");
}
