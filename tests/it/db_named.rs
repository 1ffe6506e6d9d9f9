//! Databases that the configuration file names: `--db @prod`, `AUTHCTL_DB=@prod` and `db list`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

fn config(sandbox: &Sandbox) -> PathBuf {
    sandbox.path(".config/authctl/config.toml")
}

fn write(sandbox: &Sandbox, text: &str, mode: u32) {
    let path = config(sandbox);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn named() -> Sandbox {
    let sandbox = Sandbox::new();
    write(
        &sandbox,
        "[databases.prod]\nurl = 'prod.db'\n[databases.shop]\nurl = '~/shop.db'\nschema = 's.json'\n",
        0o600,
    );
    sandbox
}

fn in_environment(sandbox: &Sandbox, name: &str, words: &[&str]) -> Ran {
    sandbox.finish(sandbox.command(words).env("AUTHCTL_DB", name))
}

#[test]
fn named_database_is_shown_by_name_and_path() {
    let sandbox = named();
    let made = sandbox.run_with_input("--db @prod signup ada@example.com --name Ada --password-stdin", PASSWORD);
    assert_snapshot!(made, @"
    ------- stderr -------
    note: created the database @prod ([HOME]/.config/authctl/prod.db)
    created the account of Ada <ada@example.com> and signed in; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    let path = sandbox.path(".config/authctl/prod.db");
    assert!(path.exists());
    assert!(in_environment(&sandbox, "@prod", &["whoami"]).success().contains("@prod ("));
    let status = in_environment(&sandbox, " '@prod' ", &["db", "status", "--json"]).json();
    assert_eq!(status["database"], path.to_str().unwrap());
    assert_eq!((&status["name"], &status["chosenBy"]), (&"prod".into(), &"environment".into()));
    let plain = sandbox.run(&format!("--db {} db status --json", path.display())).json();
    assert_eq!(plain["name"], serde_json::Value::Null);
    sandbox.run(&format!("--db {} whoami --check", path.display())).success();
}

#[test]
fn list_marks_the_chosen_database() {
    let sandbox = named();
    let text = sandbox.run("--db @shop db list").success();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "DATABASE", "SCHEMA"]);
    assert_eq!((rows[1][0], rows[1][2], &rows[2][..2]), ("@prod", "-", &["*", "@shop"][..]));
    let list = sandbox.run("db list --json").json();
    assert_eq!(list["databases"][1]["database"], sandbox.path("shop.db").to_str().unwrap());
    assert_eq!(list["databases"][1]["chosen"], false);
    std::fs::remove_file(config(&sandbox)).unwrap();
    assert_snapshot!(sandbox.run("db list"), @"
    ------- stderr -------
    [HOME]/.config/authctl/config.toml names no database
    ");
}

#[test]
fn schema_of_the_name_is_read_unless_the_flag_names_another() {
    let sandbox = named();
    assert_snapshot!(sandbox.run("--db @shop users list"), @r#"
    ------- stderr -------
    error: could not list users: could not open the database @shop: the schema file [HOME]/.config/authctl/s.json cannot be used: No such file or directory (os error 2)
    hint: see "Say what the database does not show" in docs/better-auth.md
    [exit status: 2]
    "#);
    assert!(sandbox.run("--db @shop --schema other.json users list").failure(2).contains("other.json"));
}

#[test]
fn unknown_name_lists_the_names() {
    let sandbox = named();
    assert_snapshot!(sandbox.run("--db @prdo whoami"), @"
    ------- stderr -------
    error: no database is named @prdo: [HOME]/.config/authctl/config.toml has @prod, @shop
    hint: use --db @prod
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run("--db @x whoami"), @"
    ------- stderr -------
    error: no database is named @x: [HOME]/.config/authctl/config.toml has @prod, @shop
    hint: `authctl db list` shows the names; a file of such a name is ./@NAME
    [exit status: 2]
    ");
    assert_eq!(sandbox.run("--db @x whoami --json").json_error(2)["code"], "DATABASE_NAME_UNKNOWN");
    std::fs::remove_file(config(&sandbox)).unwrap();
    assert_snapshot!(sandbox.run("--db @prod whoami"), @"
    ------- stderr -------
    error: no database is named @prod: the configuration file [HOME]/.config/authctl/config.toml does not exist
    hint: `authctl db list --help` shows such a file
    [exit status: 2]
    ");
}

#[test]
fn file_that_others_can_write_is_refused() {
    let sandbox = named();
    std::fs::set_permissions(config(&sandbox), std::fs::Permissions::from_mode(0o620)).unwrap();
    assert_snapshot!(sandbox.run("--db @prod whoami"), @"
    ------- stderr -------
    error: the configuration file [HOME]/.config/authctl/config.toml cannot be trusted: others can write to it
    hint: chmod go-w '[HOME]/.config/authctl/config.toml'
    [exit status: 9]
    ");
    std::fs::set_permissions(config(&sandbox), std::fs::Permissions::from_mode(0o600)).unwrap();
    let directory = sandbox.path(".config/authctl");
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(sandbox.run("--db @prod whoami --json").json_error(9)["code"], "CONFIG_FILE_UNSAFE");
}

#[test]
fn broken_file_is_an_error_only_for_a_name() {
    let sandbox = Sandbox::with_ada();
    write(&sandbox, "[databases.prod]\nurl = 'postgres://ada:canary@db.example.com/app'\nport = 1\n", 0o600);
    assert_snapshot!(sandbox.run("--db @prod whoami"), @"
    ------- stderr -------
    error: the configuration file [HOME]/.config/authctl/config.toml cannot be used: line 3: prod: port is not a setting; a database has url and schema
    hint: `authctl db list --help` shows such a file
    [exit status: 2]
    ");
    sandbox.run("whoami").success();
}

#[test]
fn password_in_a_readable_file_is_warned_about() {
    let sandbox = Sandbox::new();
    let text = "[databases.prod]\nurl = 'postgres://ada:canary@127.0.0.1:1/app?sslmode=disable'\n";
    write(&sandbox, text, 0o644);
    let ran = sandbox.run("--db @prod whoami");
    assert_snapshot!(ran, @"
    ------- stderr -------
    note: others may read [HOME]/.config/authctl/config.toml, which has the password of @prod: chmod 600 it
    error: not signed in: there is no session for @prod (postgres://ada@127.0.0.1:1/app)
    hint: sign in with `authctl signin`
    [exit status: 4]
    ");
    write(&sandbox, text, 0o600);
    assert!(!sandbox.run("--db @prod whoami").failure(4).contains("others may read"));
}
