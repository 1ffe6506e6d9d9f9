//! `db copy`: a native database in a new place, whole or absent. The contract of the store tests every pair of engines.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::backup::{names, users};
use crate::kill::Case;
use crate::machine::tree;
use crate::sandbox::{PASSWORD, Sandbox};

const COPY: &str = "db copy .local/share/authctl/auth.db b.db";

#[test]
fn copy_is_private_and_has_every_row_and_live_sessions() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run(&format!("{COPY} --dry-run")), @"
    ------- stderr -------
    would copy 1 user, 1 account, 1 session and 2 log entries from [HOME]/.local/share/authctl/auth.db to [HOME]/b.db
    ");
    assert!(!sandbox.path("b.db").exists());
    assert_snapshot!(sandbox.run(COPY), @"
    ------- stderr -------
    copied 1 user, 1 account, 1 session and 2 log entries from [HOME]/.local/share/authctl/auth.db to [HOME]/b.db, and compared them
    [HOME]/.local/share/authctl/auth.db stays as it is: from now on, name [HOME]/b.db with AUTHCTL_DB or --db
    ");
    let file = sandbox.path("b.db");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(users(&file), 1);
    for database in ["", "--db b.db "] {
        let log = sandbox.run(&format!("{database}audit list --event database.copied --json")).json();
        assert_eq!(log["entries"].as_array().unwrap().len(), 1, "{log}");
        sandbox.run(&format!("{database}audit verify")).success();
        sandbox.run(&format!("{database}db check")).success();
    }
    let token = sandbox.run_with_input("signin ada@example.com --print-token --password-stdin", PASSWORD).success();
    sandbox.run("db copy .local/share/authctl/auth.db c.db --json").success();
    sandbox.run_with_variable("--db c.db whoami", "AUTHCTL_TOKEN", token.trim()).success();
    sandbox.run_with_input("--db b.db signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    sandbox.run_with_input("--db b.db users create bob@example.com --name Bob --password-stdin", PASSWORD).success();
    assert_eq!((users(&file), users(&sandbox.database())), (2, 1));
}

#[test]
fn report_counts_the_rows() {
    let sandbox = Sandbox::with_ada();
    let planned = sandbox.run(&format!("{COPY} --dry-run --json")).json();
    let copied = sandbox.run(&format!("{COPY} --json")).json();
    for (field, count) in
        [("users", 1), ("accounts", 1), ("sessions", 1), ("codes", 0), ("settings", 0), ("attempts", 0), ("entries", 2)]
    {
        assert_eq!((&planned[field], &copied[field]), (&count.into(), &count.into()), "{field}");
    }
    assert_eq!((&planned["dryRun"], &copied["dryRun"]), (&true.into(), &false.into()));
    assert!(planned["digest"].is_null() && copied["digest"].as_str().unwrap().len() == 64, "{copied}");
    assert_eq!(copied["from"], sandbox.database().to_str().unwrap());
    assert_eq!(copied["to"], sandbox.path("b.db").canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn refused_copy_changes_nothing() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("there", "precious");
    std::fs::create_dir(sandbox.path("open")).unwrap();
    std::fs::set_permissions(sandbox.path("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let app = rusqlite::Connection::open(sandbox.path("app.db")).unwrap();
    app.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(app);
    std::fs::set_permissions(sandbox.path("app.db"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let before = tree(sandbox.home());
    let own = ".local/share/authctl/auth.db";
    for (from, to, code) in [
        (own, "there", 6),
        (own, "no/b.db", 74),
        (own, "open/b.db", 9),
        (own, "file:.local/share/authctl/auth.db", 2),
        (own, "-", 2),
        (own, "postgres://ada:secret@localhost/app", 2),
        ("postgres://ada:secret@localhost/app", "b.db", 2),
        ("-", "b.db", 2),
        ("missing.db", "b.db", 9),
        ("app.db", "b.db", 9),
        ("there", "b.db", 9),
    ] {
        for dry_run in ["", " --dry-run"] {
            let ran = sandbox.run(&format!("db copy {from} {to}{dry_run}"));
            assert_eq!(ran.code, code, "{from} {to}: {ran}");
            assert!(!ran.stderr.contains("secret"), "{ran}");
        }
    }
    assert_snapshot!(sandbox.run(&format!("db copy {own} there")), @"
    ------- stderr -------
    error: could not copy the database: [HOME]/there exists already
    hint: name another place as TO: no database is overwritten; nothing was changed
    [exit status: 6]
    ");
    assert_snapshot!(sandbox.run("db copy app.db b.db"), @"
    ------- stderr -------
    error: could not copy the database: [HOME]/app.db was not made by authctl
    hint: name a database of authctl's own as FROM; nothing was changed
    [exit status: 9]
    ");
    let named = sandbox.run(&format!("--db other.db {COPY}")).failure(2);
    assert!(named.contains("FROM and TO"), "{named}");
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn killed_copy_is_complete_or_absent_and_repeatable() {
    let case = Case::new(Sandbox::with_ada(), COPY);
    case.kill_by_call(|when| {
        let file = case.sandbox.path("b.db");
        if file.exists() {
            assert_eq!(users(&file), 1, "{when}");
            case.sandbox.run("--db b.db audit verify").success();
            std::fs::remove_file(&file).unwrap();
        }
        let again = case.sandbox.run(COPY);
        assert_eq!(again.code, 0, "{when}: {again}");
        let left: Vec<String> = names(case.sandbox.home()).into_iter().filter(|name| name.contains("b.db")).collect();
        assert_eq!(left, ["b.db"], "{when}");
    });
}

#[test]
fn what_other_programs_added_is_named() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("CREATE TABLE notes (text)");
    let copied = sandbox.run(COPY);
    assert_eq!(copied.code, 0, "{copied}");
    assert!(copied.stderr.contains("table notes"), "{copied}");
    let tables = rusqlite::Connection::open(sandbox.path("b.db")).unwrap();
    assert!(!tables.table_exists(None, "notes").unwrap());
}
