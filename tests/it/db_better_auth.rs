//! `db init --better-auth`: an empty database that a Better Auth app can use.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

#[test]
fn new_app_database_takes_its_first_administrator() {
    let sandbox = Sandbox::new();
    for (adapter, time) in
        [("drizzle", "a number of milliseconds"), ("kysely", "a time such as 2026-11-23T13:28:40.302Z")]
    {
        let answer = sandbox.run(&format!("--db {adapter}.db db init --better-auth {adapter} --json")).json();
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
    error: could not make the database: [HOME]/app.db is there, and is an app's with another adapter
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
