//! An error after a commit says what was committed. Otherwise the user would assume a failure and run the
//! command again.

use insta::assert_snapshot;
use rustix::fs::{FlockOperation, flock};

use crate::sandbox::{PASSWORD, Ran, Sandbox};
use crate::strace::with_failing;

/// The system call that renames a file.
const RENAME: &str = "renameat,renameat2";
/// The system call that removes a file. SQLite uses another one.
const REMOVE: &str = "unlinkat";

fn run_with_failing(sandbox: &Sandbox, call: &str, words: &str) -> Option<Ran> {
    let mut command = with_failing(sandbox, call, "EACCES", words)?;
    Some(sandbox.finish_with_input(&mut command, PASSWORD))
}

#[test]
fn signup_without_session_file_reports_the_account() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let words = "signup ada@example.com --name Ada --password-stdin --quiet";
    let Some(ran) = run_with_failing(&sandbox, RENAME, words) else { return };
    assert_snapshot!(ran, @"
    ------- stderr -------
    error: the account of ada@example.com was created, without a session, but the session file [HOME]/.config/authctl/sessions/[KEY].json could not be written: Permission denied (os error 13)
    hint: sign in with `authctl signin ada@example.com`
    [exit status: 74]
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 1);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
    let words = "signup bob@example.com --name Bob --password-stdin --json";
    let error = run_with_failing(&sandbox, RENAME, words).unwrap().json_error(74);
    assert_eq!(error["code"], "SESSION_FILE_NOT_WRITTEN");
    assert!(error["message"].as_str().unwrap().starts_with("the account of bob@example.com was created"), "{error}");
    sandbox.sign_in("ada@example.com").success();
}

#[test]
fn signin_without_session_file_leaves_no_session() {
    let sandbox = Sandbox::with_ada();
    let Some(ran) = run_with_failing(&sandbox, RENAME, "signin ada@example.com --password-stdin") else { return };
    assert_snapshot!(ran, @"
    ------- stderr -------
    error: could not sign in: the session file [HOME]/.config/authctl/sessions/[KEY].json could not be written: Permission denied (os error 13)
    [exit status: 74]
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1, "the one before");
    sandbox.run("whoami").success();
}

#[test]
fn signout_with_remaining_file_reports_the_end() {
    let sandbox = Sandbox::with_ada();
    let Some(ran) = run_with_failing(&sandbox, REMOVE, "signout") else { return };
    assert_snapshot!(ran, @"
    ------- stderr -------
    error: the session was ended, but the session file [HOME]/.config/authctl/sessions/[KEY].json could not be written: Permission denied (os error 13)
    hint: remove the file: the session in it has ended
    [exit status: 74]
    ");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}

#[test]
fn account_delete_reports_success_when_its_file_stays() {
    let sandbox = Sandbox::with_ada();
    let Some(ran) = run_with_failing(&sandbox, REMOVE, "account delete --yes --force-last-admin") else { return };
    let said = ran.failure(74);
    assert!(said.starts_with("error: the account of ada@example.com was deleted, but the session file"), "{said}");
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 0);
}

#[test]
fn sessions_revoke_says_how_many_ended_when_the_file_stays() {
    let sandbox = Sandbox::with_ada();
    sandbox.other_shell("whoami").failure(4);
    for words in ["sessions revoke --all", "sessions revoke --user ada@example.com --all"] {
        let Some(ran) = run_with_failing(&sandbox, REMOVE, words) else { return };
        let said = ran.failure(74);
        assert!(said.starts_with("error: 1 session was ended, but the session file"), "{words}: {said}");
        assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0, "{words}");
        sandbox.sign_in("ada@example.com").success();
    }
}

#[test]
fn sign_in_beside_a_locked_database_leaves_no_file_behind() {
    let sandbox = Sandbox::with_ada();
    let files = || std::fs::read_dir(sandbox.sessions()).unwrap().count();
    let before = files();
    let other = sandbox.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = sandbox.run_with_input("--wait 20ms signin ada@example.com --password-stdin", PASSWORD);
    assert_eq!((ran.code, files()), (75, before), "{ran}");
    other.execute_batch("COMMIT").unwrap();
    assert!(!sandbox.run("doctor").stdout.contains("abandoned"));
}

#[test]
fn a_locked_session_directory_is_75_after_the_wait() {
    let sandbox = Sandbox::with_ada();
    let directory = std::fs::File::open(sandbox.sessions()).unwrap();
    flock(&directory, FlockOperation::LockExclusive).unwrap();
    let users = "SELECT count(*) FROM user";
    assert_snapshot!(sandbox.run_with_input("--wait 20ms signin ada@example.com --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign in: the session directory [HOME]/.config/authctl/sessions is locked by another process
    hint: try again, or wait longer with --wait 30s
    [exit status: 75]
    ");
    let words = "--wait 0s signup bob@example.com --name Bob --password-stdin --json";
    let error = sandbox.run_with_input(words, PASSWORD).json_error(75);
    assert_eq!((error["code"].as_str(), sandbox.number(users)), (Some("SESSION_DIRECTORY_BUSY"), 1));
    let said = sandbox.run("--wait 20ms signout").failure(75);
    assert!(said.starts_with("error: the session was ended, but the session directory"), "{said}");
    sandbox.run("--wait 0s whoami").failure(4);
    drop(directory);
    sandbox.run("--wait 0s signout").success();
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0);
}
