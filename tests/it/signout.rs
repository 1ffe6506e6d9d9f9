//! `signout`: ends the session in the database, then removes the session file.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

fn session_files(sandbox: &Sandbox) -> usize {
    std::fs::read_dir(sandbox.sessions()).unwrap().count()
}

/// Whether the hint names `signout --local`, which needs no database.
fn hint_names_local(stderr: &str) -> bool {
    stderr.lines().any(|line| line.starts_with("hint: ") && line.contains("authctl signout --local"))
}

#[test]
fn signout_ends_the_session_and_removes_the_file() {
    let sandbox = Sandbox::with_ada_in_two_shells();
    assert_snapshot!(sandbox.run("signout"), @"
    ------- stderr -------
    signed out: ended 1 session; removed the session file
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
    assert_eq!(session_files(&sandbox), 0);
    let _ = sandbox.run("whoami").failure(4);
    sandbox.other_shell("whoami --check").success();
}

#[test]
fn json_reports_session_and_file() {
    let sandbox = Sandbox::with_ada();
    let both = sandbox.run("signout --json").json();
    assert_eq!(both, serde_json::json!({ "sessionsEnded": 1, "fileRemoved": true, "ownSession": null }));
    let nothing = sandbox.run("signout --json").json();
    assert_eq!(nothing, serde_json::json!({ "sessionsEnded": null, "fileRemoved": false, "ownSession": null }));
}

#[test]
fn its_other_names_work() {
    let sandbox = Sandbox::with_ada();
    for alias in ["sign-out", "logout"] {
        sandbox.sign_in("ada@example.com").success();
        sandbox.run(alias).success();
        assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0, "{alias}");
    }
}

#[test]
fn signed_out_user_has_nothing_to_do() {
    let sandbox = Sandbox::new();
    insta::allow_duplicates! {
        for words in ["signout", "signout --all", "signout --local"] {
            assert_snapshot!(sandbox.run(words), @"
            ------- stderr -------
            nothing to do: not signed in
            ");
        }
    }
    assert_eq!(std::fs::read_dir(sandbox.home()).unwrap().count(), 0, "something was made");
}

#[test]
fn copied_session_file_is_invalid_after_signout() {
    let sandbox = Sandbox::with_ada();
    let file = sandbox.session_file();
    let copy = std::fs::read(&file).unwrap();
    sandbox.run("signout").success();
    std::fs::write(&file, copy).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let error = sandbox.run("whoami --json").json_error(4);
    assert_eq!(error["code"], "UNAUTHORIZED", "the file is whole, its session is not: {error}");
}

#[test]
fn all_ends_every_session_of_this_user_only() {
    let sandbox = Sandbox::with_ada_in_two_shells();
    let mut command = sandbox.command(["signup", "bob@example.com", "--name", "Bob", "--password-stdin"]);
    command.env("XDG_CONFIG_HOME", sandbox.path("bobs-config"));
    sandbox.finish_with_input(&mut command, PASSWORD).success();
    assert_snapshot!(sandbox.run("signout --all"), @"
    ------- stderr -------
    signed out: ended 2 sessions; removed the session file
    ");
    let _ = sandbox.other_shell("whoami").failure(4);
    let bob = "SELECT count(*) FROM session JOIN user ON user.id = userId WHERE email = 'bob@example.com'";
    assert_eq!((sandbox.number("SELECT count(*) FROM session"), sandbox.number(bob)), (1, 1));
}

#[test]
fn local_forgets_the_file_and_leaves_the_session_alive() {
    let sandbox = Sandbox::with_ada();
    assert_snapshot!(sandbox.run("signout --local"), @"
    ------- stderr -------
    signed out on this machine only: removed the session file; --local left the session alive in the database
    ");
    assert_eq!(session_files(&sandbox), 0);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
}

#[test]
fn local_works_on_a_database_that_cannot_be_used() {
    let sandbox = Sandbox::with_ada();
    std::fs::write(sandbox.database(), "this is no database").unwrap();
    sandbox.run("signout --local").success();
    assert_eq!(session_files(&sandbox), 0);
    assert_eq!(std::fs::read(sandbox.database()).unwrap(), b"this is no database");
}

#[test]
fn missing_database_removes_the_file() {
    let sandbox = Sandbox::with_ada();
    std::fs::remove_file(sandbox.database()).unwrap();
    assert_snapshot!(sandbox.run("signout"), @"
    ------- stderr -------
    signed out on this machine only: removed the session file; the database is gone, so there was no session to end
    ");
    assert_eq!(session_files(&sandbox), 0);
    assert!(!sandbox.database().exists());
}

#[test]
fn ended_session_removes_the_file() {
    for words in ["signout", "signout --all"] {
        let sandbox = Sandbox::with_ada();
        sandbox.execute("UPDATE session SET expiresAt = unixepoch()");
        let said = sandbox.run(words).to_string();
        assert!(said.contains("signed out: the session had ended before; removed the session file"), "{said}");
        assert_eq!(session_files(&sandbox), 0, "{words}");
    }
}

#[test]
fn unknown_token_is_not_reported_as_ended() {
    insta::allow_duplicates! {
        for words in ["signout", "signout --all"] {
            let sandbox = Sandbox::with_ada();
            sandbox.execute("DELETE FROM session");
            assert_snapshot!(sandbox.run(words), @"
            ------- stderr -------
            signed out: [HOME]/.local/share/authctl/auth.db has no session with the stored token; removed the session file
            ");
            assert_eq!(session_files(&sandbox), 0, "{words}");
        }
        for words in ["signout", "signout --all"] {
            let sandbox = Sandbox::with_ada();
            let mut command = sandbox.command(words.split(' '));
            command.env("AUTHCTL_TOKEN", "token-of-a-session-in-another-database");
            assert_snapshot!(sandbox.finish(&mut command), @"
            ------- stderr -------
            no session was ended: [HOME]/.local/share/authctl/auth.db has none with this token
            ");
            assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1, "{words}");
        }
    }
}

#[test]
fn unreadable_database_keeps_the_file_and_has_a_hint() {
    let sandbox = Sandbox::with_ada();
    std::fs::write(sandbox.database(), "this is no database").unwrap();
    for words in ["signout", "signout --all"] {
        let said = sandbox.run(words).failure(9);
        assert_eq!(session_files(&sandbox), 1, "{words}");
        assert!(hint_names_local(&said), "{words}: {said}");
    }
}

#[test]
fn busy_database_keeps_the_file_and_has_a_hint() {
    let sandbox = Sandbox::with_ada();
    let writer = sandbox.sql();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    for words in ["signout --wait 10ms", "signout --all --wait 10ms"] {
        let said = sandbox.run(words).failure(75);
        assert_eq!(session_files(&sandbox), 1, "{words}");
        assert!(hint_names_local(&said), "{words}: {said}");
    }
    writer.execute_batch("ROLLBACK").unwrap();
    sandbox.run("whoami --check").success();
    sandbox.run("signout").success();
}

#[test]
fn a_damaged_session_file_is_removed() {
    let sandbox = Sandbox::with_ada();
    std::fs::write(sandbox.session_file(), "{").unwrap();
    assert_snapshot!(sandbox.run("signout"), @"
    ------- stderr -------
    signed out on this machine only: removed the session file; the session file held no token, so no session could be ended
    ");
    assert_eq!(session_files(&sandbox), 0);
}

/// Its token may be known, so its session must end: `whoami` advises to sign out.
#[test]
fn readable_session_file_is_signed_out() {
    let sandbox = Sandbox::with_ada();
    std::fs::set_permissions(sandbox.session_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let hint = sandbox.run("whoami").failure(4);
    assert!(hint.contains("authctl signout"), "{hint}");
    sandbox.run("signout").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
    assert_eq!(session_files(&sandbox), 0);
}

#[test]
fn the_session_of_a_sign_in_that_was_killed_is_ended_too() {
    let sandbox = Sandbox::with_ada();
    let file = std::fs::read_dir(sandbox.sessions()).unwrap().next().unwrap().unwrap().path();
    let name = file.file_name().unwrap().to_str().unwrap();
    std::fs::rename(&file, file.with_file_name(format!(".{name}.AAAAAAAAAAAAAAAA.tmp"))).unwrap();
    let _ = sandbox.run("whoami").failure(4);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
    assert_eq!(sandbox.run("signout --json").json()["sessionsEnded"], 1);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
    assert_eq!(session_files(&sandbox), 0);
}
