//! Files that another user planted in place of the session file: authctl does not write through them, wait
//! for them or believe them.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use rustix::fs::{CWD, FileType, Mode};

use crate::machine::without_hanging;
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// A sandbox where Ada is signed in and the session file is removed, and a file that must not change.
fn prepared() -> (Sandbox, PathBuf, PathBuf) {
    let sandbox = Sandbox::with_ada();
    let place = sandbox.session_file();
    let content = std::fs::read(&place).unwrap();
    let victim = sandbox.file("victim", content);
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::remove_file(&place).unwrap();
    (sandbox, place, victim)
}

fn run(sandbox: &Sandbox, words: &str) -> Ran {
    without_hanging(sandbox, &mut sandbox.command(words.split_whitespace()), PASSWORD)
}

/// Asserts that the planted file is not read, and that a sign-in replaces it with a regular file.
#[track_caller]
fn assert_replaced(sandbox: &Sandbox, place: &Path, victim: &Path) {
    let before = std::fs::read(victim).unwrap();
    for words in ["whoami", "sessions"] {
        let error = run(sandbox, &format!("{words} --json")).json_error(4);
        assert_eq!(error["code"], "SESSION_FILE_UNSAFE", "{words}");
    }
    run(sandbox, "signin ada@example.com --password-stdin").success();
    let found = place.symlink_metadata().unwrap();
    assert!(found.is_file(), "{found:?}");
    assert_eq!(found.permissions().mode() & 0o7777, 0o600);
    assert!(std::fs::read(victim).unwrap() == before, "written through");
    let _ = run(sandbox, "whoami").success();
}

#[test]
fn signout_removes_only_the_planted_file() {
    let plants: [fn(&Path, &Path); 3] = [
        |victim, place| symlink(victim, place).unwrap(),
        |victim, place| std::fs::hard_link(victim, place).unwrap(),
        |_, place| rustix::fs::mknodat(CWD, place, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
    ];
    for plant in plants {
        let (sandbox, place, victim) = prepared();
        plant(&victim, &place);
        let content = std::fs::read(&victim).unwrap();
        let _ = run(&sandbox, "signout").success();
        assert!(place.symlink_metadata().is_err());
        assert!(std::fs::read(&victim).unwrap() == content);
    }
}

#[test]
fn a_symbolic_link_is_replaced_and_not_followed() {
    let (sandbox, place, victim) = prepared();
    symlink(&victim, &place).unwrap();
    assert_snapshot!(run(&sandbox, "whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is not safe to use: it is a symbolic link
    hint: `authctl signout` ends its session and removes it; then sign in again
    [exit status: 4]
    ");
    assert_replaced(&sandbox, &place, &victim);
}

#[test]
fn dangling_link_creates_no_file() {
    let (sandbox, place, victim) = prepared();
    symlink(sandbox.path("nowhere"), &place).unwrap();
    assert_replaced(&sandbox, &place, &victim);
    assert!(!sandbox.path("nowhere").exists());
}

#[test]
fn a_hard_link_is_replaced_and_its_other_name_keeps_its_content() {
    let (sandbox, place, victim) = prepared();
    std::fs::hard_link(&victim, &place).unwrap();
    assert_snapshot!(run(&sandbox, "whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is not safe to use: it has another name (a hard link)
    hint: `authctl signout` ends its session and removes it; then sign in again
    [exit status: 4]
    ");
    assert_replaced(&sandbox, &place, &victim);
}

#[test]
fn named_pipe_is_replaced_without_waiting() {
    let (sandbox, place, victim) = prepared();
    rustix::fs::mknodat(CWD, &place, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_snapshot!(run(&sandbox, "whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is not safe to use: it is not a file
    hint: `authctl signout` ends its session and removes it; then sign in again
    [exit status: 4]
    ");
    assert_replaced(&sandbox, &place, &victim);
}

#[test]
fn a_directory_stays_and_the_sign_in_fails_without_a_session() {
    let (sandbox, place, _) = prepared();
    std::fs::create_dir(&place).unwrap();
    let sessions = sandbox.number("SELECT count(*) FROM session");
    let _ = run(&sandbox, "whoami").failure(4);
    assert_snapshot!(run(&sandbox, "signin ada@example.com --password-stdin"), @"
    ------- stderr -------
    error: could not sign in: the session file [HOME]/.config/authctl/sessions/[KEY].json could not be written: Is a directory (os error 21)
    [exit status: 74]
    ");
    assert!(place.is_dir());
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), sessions);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_directory_of_sessions_that_is_a_link_is_not_followed() {
    let (sandbox, _, _) = prepared();
    let elsewhere = sandbox.path("elsewhere");
    std::fs::rename(sandbox.sessions(), &elsewhere).unwrap();
    symlink(&elsewhere, sandbox.sessions()).unwrap();
    let sessions = sandbox.number("SELECT count(*) FROM session");
    let _ = run(&sandbox, "signin ada@example.com --password-stdin").failure(74);
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), sessions);
}

#[test]
fn planted_temporary_names_are_not_opened() {
    let (sandbox, place, victim) = prepared();
    let key = place.file_name().unwrap().to_str().unwrap();
    symlink(&victim, sandbox.sessions().join(format!(".{key}.link.tmp"))).unwrap();
    let pipe = sandbox.sessions().join(format!(".{key}.pipe.tmp"));
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    run(&sandbox, "signin ada@example.com --password-stdin").success();
    assert!(victim.exists());
    // The victim file holds a live token. Following the link would end that session.
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 2);
}
