//! `db init --better-auth`: an empty database that a Better Auth app can use.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

#[test]
fn new_app_database_takes_its_first_administrator() {
    let sandbox = Sandbox::new();
    for (adapter, more, time) in [
        ("drizzle", "", "a number of milliseconds"),
        ("drizzle-s", "--names snake_case --time seconds", "a number of seconds"),
        ("kysely", "", "a time such as 2026-11-23T13:28:40.302Z"),
    ] {
        let kind = adapter.trim_end_matches("-s");
        let answer = sandbox.run(&format!("--db {adapter}.db db init --better-auth {kind} {more} --json")).json();
        assert_eq!((&answer["kind"], &answer["created"]), (&"better-auth".into(), &true.into()));
        let mode = sandbox.path(&format!("{adapter}.db")).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{adapter}");
        let create =
            format!("--db {adapter}.db users create root@example.com --name Root --role admin --password-stdin");
        sandbox.run_with_input(&create, PASSWORD).success();
        let signin = format!("--db {adapter}.db signin root@example.com --password-stdin --json");
        assert_eq!(sandbox.run_with_input(&signin, PASSWORD).json()["user"]["role"], "admin", "{adapter}");
        let status = sandbox.run(&format!("--db {adapter}.db db status --json")).json();
        assert_eq!((&status["app"]["time"], &status["journalMode"]), (&time.into(), &"delete".into()));
        assert_eq!((&status["app"]["writable"], &status["users"]), (&true.into(), &1.into()), "{adapter}");
    }
}

#[test]
fn existing_database_is_kept_and_must_be_an_apps() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("--db app.db db init --better-auth kysely"), @"
    ------- stderr -------
    created the Better Auth database [HOME]/app.db
    ");
    assert_snapshot!(sandbox.run("--db app.db db init --better-auth kysely"), @"
    ------- stderr -------
    error: could not make the database: [HOME]/app.db exists already
    hint: pass --if-missing if that is what you want
    [exit status: 6]
    ");
    assert_snapshot!(sandbox.run("--db app.db db init --better-auth kysely --if-missing"), @"
    ------- stderr -------
    the Better Auth database [HOME]/app.db exists
    ");
    assert_snapshot!(sandbox.run("db init --better-auth kysely --if-missing"), @"
    ------- stderr -------
    error: could not make the database: [HOME]/.local/share/authctl/auth.db is there, and is authctl's own instead of an app's
    hint: name another file with --db
    [exit status: 6]
    ");
    assert_snapshot!(sandbox.run("--db app.db db init --better-auth drizzle --if-missing"), @"
    ------- stderr -------
    error: could not make the database: [HOME]/app.db is there, and is an app's with another adapter, names or times
    hint: name another file with --db
    [exit status: 6]
    ");
    sandbox.run("--db other.db db init --better-auth drizzle").success();
    sandbox.run("--db other.db db init --better-auth drizzle --if-missing").success();
    let differs = sandbox.run("--db other.db db init --better-auth kysely --if-missing --json").json_error(6);
    assert_eq!(differs["code"], "DATABASE_DIFFERS");
    assert_eq!(sandbox.run("db init --better-auth prisma").code, 2);
    assert_eq!(sandbox.run("db init --if-missing --json").json()["kind"], "native");
}

#[test]
fn file_for_the_articles_app_needs_names_and_time() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("--db sqlite.db db init --better-auth drizzle --names camelCase"), @r#"
    ------- stderr -------
    error: a schema in camelCase does not show the unit of its times
    hint: pass --time seconds for `mode: "timestamp"` in the app's schema, --time milliseconds for "timestamp_ms"
    [exit status: 2]
    "#);
    for more in ["--names camelCase", "--time seconds"] {
        let kysely = sandbox.run(&format!("--db sqlite.db db init --better-auth kysely {more} --json")).json_error(2);
        assert_eq!(kysely["message"], "kysely has names and times of its own: camelCase and text");
        assert_eq!(sandbox.run(&format!("--db sqlite.db db init {more}")).code, 2, "{more}");
    }
    assert!(!sandbox.path("sqlite.db").exists());

    sandbox.run("--db sqlite.db db init --better-auth drizzle --names camelCase --time seconds").success();
    let differs = "--db sqlite.db db init --better-auth drizzle --names camelCase --time milliseconds --if-missing";
    assert_eq!(sandbox.run(&format!("{differs} --json")).json_error(6)["code"], "DATABASE_DIFFERS");
    let create = "--db sqlite.db users create ada@example.com --name Ada --password-stdin --json";
    let ada = sandbox.run_with_input(create, PASSWORD).json();
    assert_eq!(ada["user"]["email"], "ada@example.com");
    let status = sandbox.run("--db sqlite.db db status --json").json();
    assert_eq!(status["app"]["time"], "a number of seconds");
}

/// What makes a missing database, elsewhere.
const MAKERS: [&str; 3] = [
    "signup ada@example.com --name Ada --password-stdin",
    "users create ada@example.com --name Ada --password-stdin",
    "users create ada@example.com --name Ada --password-stdin --if-missing",
];

#[test]
fn native_database_is_not_made_in_the_place_of_an_apps() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("app")).unwrap();
    sandbox.file("app/package.json", r#"{"dependencies": {"better-auth": "^1.7.0"}}"#);
    assert_snapshot!(sandbox.run_with_input(&format!("--db app/sqlite.db {}", MAKERS[0]), PASSWORD), @"
    ------- stderr -------
    error: could not sign up: [HOME]/app/sqlite.db does not exist; by [HOME]/app/package.json it is an app's, which may not have made its tables yet
    hint: let the app make its tables first; or `authctl db init --better-auth ADAPTER` makes them for the app, `authctl db init` makes a database of authctl's own
    [exit status: 9]
    ");
    for words in MAKERS.iter().chain(&["users list", "db status"]) {
        let error = sandbox.run_with_input(&format!("--db app/sqlite.db {words} --json"), PASSWORD).json_error(9);
        assert_eq!(error["code"], "DATABASE_MISSING", "{words}");
        assert!(error["message"].as_str().unwrap().contains("package.json"), "{words}: {error}");
    }
    assert!(!sandbox.path("app/sqlite.db").exists());

    sandbox.file("app/empty.db", "");
    for words in MAKERS {
        let error = sandbox.run_with_input(&format!("--db app/empty.db {words} --json"), PASSWORD).json_error(9);
        assert_eq!(error["code"], "DATABASE_EMPTY", "{words}");
        assert!(error["message"].as_str().unwrap().contains("package.json"), "{words}: {error}");
    }
    assert_eq!(std::fs::read(sandbox.path("app/empty.db")).unwrap(), b"");

    let native = sandbox.run("--db app/own.db db init");
    assert!(native.code == 0 && native.stderr.contains("an app cannot use this database"), "{native}");
    sandbox.run_with_input(&format!("--db app/own.db {}", MAKERS[0]), PASSWORD).success();
}

#[test]
fn create_if_missing_makes_only_the_default_database() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_with_input(&format!("--db app.db {}", MAKERS[2]), PASSWORD), @"
    ------- stderr -------
    error: could not create the user: [HOME]/app.db does not exist; an app may not have made its tables yet
    hint: let the app make its tables first; or `authctl db init --better-auth ADAPTER` makes them for the app, `authctl db init` makes a database of authctl's own
    [exit status: 9]
    ");
    let mut command = sandbox.command(MAKERS[2].split(' '));
    let ran = sandbox.finish_with_input(command.env("AUTHCTL_DB", sandbox.path("app.db")), PASSWORD);
    assert_eq!(ran.code, 9, "{ran}");
    assert!(!sandbox.path("app.db").exists());
    sandbox.run_with_input(MAKERS[2], PASSWORD).success();
    sandbox.run_with_input(&format!("--db app.db {}", MAKERS[1]), PASSWORD).success();
}
