//! The session file: its path, its permissions, and recovery after a killed sign-in.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use rustix::fs::{FlockOperation, flock};

use crate::machine::chmod;
use crate::machine::{tree, under_shell};
use crate::sandbox::{PASSWORD, Sandbox};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn print_token(sandbox: &Sandbox) -> String {
    let printed = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    printed.trim().to_owned()
}

#[test]
fn file_and_directory_are_private_under_any_umask() {
    for umask in ["000", "077", "777"] {
        let sandbox = Sandbox::with_ada();
        sandbox.run("signout").success();
        std::fs::remove_dir_all(sandbox.path(".config")).unwrap();
        let words = "signin ada@example.com --password-stdin";
        let mut command = under_shell(&sandbox, &format!("umask {umask}"), words);
        sandbox.finish_with_input(&mut command, PASSWORD).success();
        assert_eq!(mode(&sandbox.session_file()), 0o600, "umask {umask}");
        assert_eq!(mode(&sandbox.sessions()), 0o700, "umask {umask}");
        assert_eq!(mode(&sandbox.path(".config/authctl")), 0o700, "umask {umask}");
        let _ = sandbox.run("whoami").success();
    }
}

#[test]
fn writable_directory_is_refused_before_any_write() {
    let sandbox = Sandbox::with_ada();
    let count = || (sandbox.number("SELECT count(*) FROM user"), sandbox.number("SELECT count(*) FROM session"));
    let before = (count(), std::fs::read(sandbox.session_file()).unwrap());
    for directory in [sandbox.sessions(), sandbox.path(".config/authctl")] {
        for open in [0o770, 0o707, 0o1777] {
            chmod(&directory, open);
            let error = sandbox.sign_in("ada@example.com").failure(74);
            assert!(error.contains("others may write to it"), "{error}");
            let error = sandbox.sign_up("eve@example.com", "Eve").failure(74);
            assert!(error.contains("others may write to it"), "{error}");
            assert_eq!((count(), std::fs::read(sandbox.session_file()).unwrap()), before);
        }
        chmod(&directory, 0o700);
    }
    chmod(&sandbox.sessions(), 0o770);
    assert_snapshot!(sandbox.sign_in("ada@example.com"), @r#"
    ------- stderr -------
    error: could not sign in: the session directory [HOME]/.config/authctl/sessions is not safe to use: others may write to it
    hint: look at what is in it, then: chmod 700 '[HOME]/.config/authctl/sessions'
    [exit status: 74]
    "#);
}

#[test]
fn readable_session_file_is_not_used() {
    let sandbox = Sandbox::with_ada();
    for open in [0o640, 0o604, 0o666] {
        chmod(&sandbox.session_file(), open);
        let error = sandbox.run("whoami --json").json_error(4);
        assert_eq!(error["code"], "SESSION_FILE_UNSAFE");
    }
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is not safe to use: others may use it, so its token may be known
    hint: `authctl signout` ends its session and removes it; then sign in again
    [exit status: 4]
    ");
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(mode(&sandbox.session_file()), 0o600);
    let _ = sandbox.run("whoami").success();
}

/// A session ends even when the file with its token cannot be changed: other users may know the token.
#[test]
fn signout_ends_the_session_of_a_readable_file() {
    let sandbox = Sandbox::with_ada();
    let file = sandbox.session_file();
    chmod(&file, 0o644);
    sandbox.run("signout").success();
    assert!(!file.exists());
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}

#[test]
fn a_damaged_file_is_4_and_never_a_panic() {
    let sandbox = Sandbox::with_ada();
    let whole = std::fs::read(sandbox.session_file()).unwrap();
    let endless = vec![b'a'; 100_000];
    let contents: [&[u8]; 7] =
        [b"", b"{", &whole[..whole.len() / 2], b"\xff\xfe\0", b"{\"token\":7}", b"[[[[[[[[", &endless];
    for content in contents {
        std::fs::write(sandbox.session_file(), content).unwrap();
        let error = sandbox.run("whoami --json").json_error(4);
        assert_eq!(error["code"], "SESSION_FILE_DAMAGED", "{} bytes", content.len());
    }
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: the session file [HOME]/.config/authctl/sessions/[KEY].json is damaged
    hint: sign in again with `authctl signin`
    [exit status: 4]
    ");
    sandbox.sign_in("ada@example.com").success();
    let _ = sandbox.run("whoami").success();
}

/// Writes the file that remains when a sign-in is killed between database and session file.
fn leave_behind(sandbox: &Sandbox, token: &str) -> PathBuf {
    let key = sandbox.session_file().file_name().unwrap().to_str().unwrap().to_owned();
    let content: serde_json::Value = serde_json::from_slice(&std::fs::read(sandbox.session_file()).unwrap()).unwrap();
    let mut content = content;
    content["token"] = token.into();
    let path = sandbox.sessions().join(format!(".{key}.abcdef.tmp"));
    std::fs::write(&path, content.to_string()).unwrap();
    chmod(&path, 0o600);
    path
}

fn lives(sandbox: &Sandbox, token: &str) -> bool {
    let ran = sandbox.finish(sandbox.command(["whoami", "--check"]).env("AUTHCTL_TOKEN", token));
    assert!(ran.code == 0 || ran.code == 4, "{ran}");
    ran.code == 0
}

#[test]
fn the_next_sign_in_ends_the_session_of_one_that_was_killed() {
    let sandbox = Sandbox::with_ada();
    let token = print_token(&sandbox);
    let left = leave_behind(&sandbox, &token);
    assert!(lives(&sandbox, &token));
    sandbox.sign_in("ada@example.com").success();
    assert!(!left.exists());
    assert!(!lives(&sandbox, &token));
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1, "the new one");
    let _ = sandbox.session_file();
}

#[test]
fn partial_session_file_is_removed() {
    let sandbox = Sandbox::with_ada();
    let left = leave_behind(&sandbox, "");
    std::fs::write(&left, b"{\"datab").unwrap();
    sandbox.sign_in("ada@example.com").success();
    assert!(!left.exists());
}

#[test]
fn running_sign_in_is_not_disturbed() {
    let sandbox = Sandbox::with_ada();
    let token = print_token(&sandbox);
    let left = leave_behind(&sandbox, &token);
    let running = std::fs::File::open(&left).unwrap();
    flock(&running, FlockOperation::LockExclusive).unwrap();
    for words in ["signin ada@example.com --password-stdin", "sessions revoke unknown", "signout"] {
        let _ = sandbox.run_with_input(words, PASSWORD);
        assert!(left.exists(), "{words}");
        assert!(lives(&sandbox, &token), "{words}");
    }
    drop(running);
    sandbox.sign_in("ada@example.com").success();
    assert!(!left.exists() && !lives(&sandbox, &token));
}

#[test]
fn missing_home_writes_nothing_to_the_working_directory() {
    let sandbox = Sandbox::with_ada();
    let here = sandbox.path("here");
    std::fs::create_dir(&here).unwrap();
    let before = tree(sandbox.home());
    for home in [None, Some(""), Some("relative"), Some("./here")] {
        for words in [
            "whoami",
            "sessions",
            "signout",
            "db init",
            "db status",
            "signin ada@example.com --password-stdin",
            "signup eve@example.com --name Eve --password-stdin",
        ] {
            let mut command = sandbox.command(words.split_whitespace());
            command.arg("--json").current_dir(&here).env_remove("HOME").env("XDG_CONFIG_HOME", "relative");
            command.env("XDG_DATA_HOME", "relative");
            if let Some(home) = home {
                command.env("HOME", home);
            }
            let error = sandbox.finish_with_input(&mut command, PASSWORD).json_error(2);
            assert_eq!(error["code"], "NO_HOME", "{home:?}: {words}");
        }
    }
    before.assert_same(&tree(sandbox.home()));
    assert_snapshot!(sandbox.finish(sandbox.command(["whoami"]).env_remove("HOME")), @"
    ------- stderr -------
    error: there is no home directory: HOME is not set to an absolute path
    hint: set HOME, or XDG_DATA_HOME, AUTHCTL_DB or --db
    [exit status: 2]
    ");
}

#[test]
fn missing_home_refuses_the_sign_in() {
    let sandbox = Sandbox::with_ada();
    let before = tree(sandbox.home());
    let sessions = sandbox.number("SELECT count(*) FROM session");
    for words in ["signin ada@example.com --password-stdin", "signup eve@example.com --name Eve --password-stdin"] {
        for database in [sandbox.database(), sandbox.path("new.db")] {
            let mut command = sandbox.command(words.split_whitespace());
            command.arg("--db").arg(&database).env_remove("HOME");
            let ran = sandbox.finish_with_input(&mut command, PASSWORD);
            assert!(ran.code == 2 || ran.code == 9, "{words}: {ran}");
        }
    }
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), sessions);
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn each_database_has_its_own_session() {
    let sandbox = Sandbox::new();
    for (database, email) in [("a.db", "ada@example.com"), ("b.db", "bob@example.com")] {
        let mut command = sandbox.command(["--db", database, "signup", email, "--name", "N", "--password-stdin"]);
        sandbox.finish_with_input(&mut command, PASSWORD).success();
    }
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 2);
    let email = |database: &str| sandbox.run(&format!("--db {database} whoami --json")).json()["user"]["email"].clone();
    assert_eq!((email("a.db"), email("b.db")), ("ada@example.com".into(), "bob@example.com".into()));
    sandbox.run("--db a.db signout").success();
    let _ = sandbox.run("--db a.db whoami").failure(4);
    assert_eq!(email("./b.db"), "bob@example.com");
    let _ = sandbox.session_file();
}
