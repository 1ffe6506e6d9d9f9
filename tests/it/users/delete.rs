//! `users delete`, and the database path that every writing command prints.

use insta::assert_snapshot;

use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Sandbox};

/// Ada with two sessions, an OAuth link and a pending code, and bob with a session.
fn with_ada_and_bob() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", PASSWORD);
    sandbox.other_shell("signup bob@example.com --name Bob --password-file pw").success();
    let mut third_shell = sandbox.command("signin ada@example.com --password-file pw".split(' '));
    sandbox.finish(third_shell.env("XDG_CONFIG_HOME", sandbox.path("third-config"))).success();
    sandbox.execute(
        "INSERT INTO account (id, accountId, providerId, userId, createdAt, updatedAt)
         SELECT 'link', '1234', 'github', id, 0, 0 FROM user WHERE name = 'Ada';
         INSERT INTO verification (id, identifier, value, expiresAt)
         SELECT name, 'reset-password:' || name, id, 4000000000 FROM user",
    );
    sandbox
}

fn counts(sandbox: &Sandbox) -> [i64; 4] {
    ["user", "account", "session", "verification"].map(|table| sandbox.number(&format!("SELECT count(*) FROM {table}")))
}

#[test]
fn delete_removes_all_rows_of_one_user() {
    let sandbox = with_ada_and_bob();
    assert_eq!(counts(&sandbox), [2, 3, 3, 2]);
    assert_snapshot!(sandbox.run("users delete ada@example.com --yes"), @r"
    ------- stderr -------
    deleted Ada <ada@example.com> with 2 sessions, 2 accounts and 1 code in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(counts(&sandbox), [1, 1, 1, 1]);
    let _ = sandbox.run("whoami").failure(4);
    let _ = sandbox.sign_in("ada@example.com").failure(7);
    sandbox.other_shell("whoami").success();
    sandbox.other_shell("signin bob@example.com --password-file pw").success();
    sandbox.sign_up("ada@example.com", "Another").success();
}

#[test]
fn delete_needs_a_confirmation() {
    let sandbox = with_ada_and_bob();
    for more in ["", "--no-input", "--if-exists", "--force-last-admin", "--json", "--quiet"] {
        let _ = sandbox.run(&format!("users delete ada@example.com {more}")).failure(2);
    }
    assert_snapshot!(sandbox.run("users rm ada@example.com"), @r"
    ------- stderr -------
    error: could not delete the user: a confirmation is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --yes
    [exit status: 2]
    ");
    // Standard input is not an answer to the confirmation: it may be the data of a script.
    let _ = sandbox.run_with_input("users delete ada@example.com", "y\n").failure(2);
    assert_eq!(counts(&sandbox), [2, 3, 3, 2]);
}

#[test]
fn declined_confirmation_keeps_the_user() {
    let sandbox = with_ada_and_bob();
    let mut running = Terminal::new().run(sandbox.command(["users", "delete", "ada@example.com"]));
    running.wait_for("This permanently deletes Ada <ada@example.com> with 2 sessions, 2 accounts and 1 code from");
    running.wait_for("Delete the user?").enter("n");
    let said = running.end().with_code(1);
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(counts(&sandbox), [2, 3, 3, 2]);

    let mut running = Terminal::new().run(sandbox.command(["users", "delete", "ada@example.com"]));
    running.wait_for("Delete the user?").enter("y");
    running.end().with_code(0);
    assert_eq!(counts(&sandbox), [1, 1, 1, 1]);
}

#[test]
fn unknown_user_is_3_unless_if_exists() {
    let sandbox = Sandbox::with_ada();
    assert_eq!(sandbox.run("users delete bob@example.com --yes --json").json_error(3)["code"], "USER_NOT_FOUND");
    assert_snapshot!(sandbox.run("users delete bob@example.com --if-exists"), @r"
    ------- stderr -------
    there was no such user in [HOME]/.local/share/authctl/auth.db; nothing to delete
    ");
    let json = sandbox.run("users delete bob@example.com --if-exists --json").json();
    assert!(json["deleted"].is_null());
    assert_eq!(json["database"], sandbox.database().canonicalize().unwrap().to_str().unwrap());
    // An invalid email address is a usage error, not a missing user.
    let _ = sandbox.run("users delete bob@ --if-exists --yes").failure(2);
    sandbox.run("users delete ada@example.com --if-exists --yes").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 0);
}

#[test]
fn the_last_administrator_is_deleted_only_by_force() {
    let sandbox = with_ada_and_bob();
    sandbox.run("users set-role ada@example.com admin").success();
    for more in ["", " --if-exists"] {
        let error = sandbox.run(&format!("users delete ada@example.com --yes --json{more}")).json_error(5);
        assert_eq!(error["code"], "LAST_ADMIN");
    }
    assert_eq!(counts(&sandbox), [2, 3, 3, 2]);
    sandbox.run("users delete ada@example.com --yes --force-last-admin").success();
    assert_eq!(counts(&sandbox), [1, 1, 1, 1]);
}

/// All writing commands, in an order in which each succeeds.
const WRITING: [&str; 11] = [
    "create ada@example.com --name Ada --no-password",
    "create ada@example.com --if-missing",
    "update ada@example.com --name Countess",
    "set-password ada@example.com --generate",
    "set-role ada@example.com editor",
    "verify-email ada@example.com",
    "ban ada@example.com",
    "unban ada@example.com",
    "unlock ada@example.com",
    "delete ada@example.com --yes",
    "delete ada@example.com --if-exists",
];

#[test]
fn every_writing_command_names_the_database() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("data")).unwrap();
    let path = sandbox.home().canonicalize().unwrap().join("data/auth.db");
    let path = path.to_str().unwrap();
    for more in ["", " --json", " --quiet"] {
        for words in WRITING {
            let ran = sandbox.run(&format!("--db ./data/../data/auth.db users {words}{more}"));
            match more {
                " --json" => assert_eq!(ran.json()["database"], path, "{words}"),
                " --quiet" => drop(ran.success()),
                _ => assert!(ran.stderr.lines().last().unwrap().contains(path), "{words}: {ran}"),
            }
        }
    }
    assert!(!sandbox.database().exists());
}

#[test]
fn every_writing_command_but_create_needs_a_database() {
    let sandbox = Sandbox::new();
    for words in WRITING.iter().filter(|words| !words.starts_with("create")) {
        assert_eq!(sandbox.run(&format!("users {words} --json")).json_error(9)["code"], "DATABASE_MISSING", "{words}");
    }
    assert!(std::fs::read_dir(sandbox.home()).unwrap().next().is_none());
}
