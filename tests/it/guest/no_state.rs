//! Commands on an app's database where authctl's own file about it cannot be written, as in a container with a
//! read-only home: reading works, and an act says what is missing and changes nothing.

use crate::app::{App, KYSELY};
use crate::sandbox::{PASSWORD, Ran};

/// Runs with a state directory that cannot be made, by any user.
fn run(app: &App, words: &str, input: &str) -> Ran {
    let file = app.sandbox.file("not-a-directory", "");
    app.sandbox.finish_with_input(app.command(words).env("XDG_STATE_HOME", file), input)
}

#[test]
fn reading_needs_no_state_directory() {
    let app = App::new(KYSELY);
    for words in [
        "users list",
        "users show bob@example.com",
        "users exists bob@example.com",
        "users explain bob@example.com",
        "sessions list --user bob@example.com",
        "db status",
        "db check",
        "policy show",
        "audit list",
        "doctor",
    ] {
        let _ = run(&app, words, "").success();
    }
    let token = app.text("SELECT token FROM {session} WHERE {.expiresAt} > '2100'");
    let file = app.sandbox.path("not-a-directory");
    let whoami = app.sandbox.finish(app.command("whoami").env("XDG_STATE_HOME", file).env("AUTHCTL_TOKEN", token));
    let _ = whoami.success();
}

#[test]
fn act_without_a_state_directory_changes_nothing() {
    let app = App::new(KYSELY);
    let rows = "SELECT banned || password FROM {user} JOIN {account} ON {.userId} = {user}.id
                WHERE email = 'bob@example.com'";
    let before = app.text(rows);
    for words in [
        "users ban bob@example.com",
        "users set-password bob@example.com --password-stdin",
        "users delete bob@example.com --yes",
        "users create eve@example.com --name Eve --password-stdin",
        "signin bob@example.com --password-stdin --no-store",
        "sessions revoke --user bob@example.com --all",
        "policy set password.min-length 12",
    ] {
        let error = run(&app, &format!("{words} --json"), PASSWORD).json_error(74);
        assert_eq!(error["code"], "DATABASE_NOT_CREATED", "{words}");
        assert!(error["hint"].as_str().unwrap().contains("XDG_STATE_HOME"), "{words}");
    }
    assert_eq!(app.text(rows), before);
    assert_eq!(app.text("SELECT count(*) FROM {user}"), "5");
}

#[test]
fn reading_needs_no_home() {
    let app = App::new(KYSELY);
    let run = |words| {
        let mut command = app.command(words);
        app.sandbox.finish(command.env_remove("HOME").env_remove("XDG_STATE_HOME"))
    };
    let _ = run("users list").success();
    assert_eq!(run("users ban bob@example.com --json").json_error(2)["code"], "NO_HOME");
}
