//! `signin --print-token` and the two variables that take the token back.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Sandbox};

const PRINT: &str = "signin ada@example.com --password-stdin --print-token";

fn printed(sandbox: &Sandbox) -> String {
    sandbox.run_with_input(PRINT, PASSWORD).success().trim_end().to_owned()
}

#[test]
fn blanks_around_a_token_are_not_part_of_it() {
    let sandbox = Sandbox::with_ada();
    let token = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    let token = token.trim();
    for around in [format!("{token}\n"), format!("{token}\r\n"), format!("{token}\r"), format!(" \t{token} ")] {
        assert_eq!(sandbox.run_with_variable("whoami --check", "AUTHCTL_TOKEN", &around).code, 0, "{around:?}");
        for file in [around.clone(), format!("\u{feff}{around}")] {
            let path = sandbox.file("token", &file);
            let ran = sandbox.run_with_variable("whoami --check", "AUTHCTL_TOKEN_FILE", path.to_str().unwrap());
            assert_eq!(ran.code, 0, "{file:?}: {ran}");
        }
    }
}

#[test]
fn the_token_alone_is_printed_and_nothing_is_stored() {
    let sandbox = Sandbox::with_ada_signed_out();
    let ran = sandbox.run_with_input(PRINT, PASSWORD);
    let token = ran.stdout.strip_suffix('\n').unwrap().to_owned();
    assert!(token.len() >= 32 && token.bytes().all(|b| b.is_ascii_graphic()), "{token:?}");
    assert!(!ran.stderr.contains(&token));
    assert_eq!(ran.code, 0);
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
    let _ = sandbox.run("whoami").failure(4);
}

#[test]
fn json_carries_the_token_only_when_it_was_asked_for() {
    let sandbox = Sandbox::with_ada_signed_out();
    let answer = sandbox.run_with_input(&format!("{PRINT} --json"), PASSWORD).json();
    let token = answer["token"].as_str().unwrap();
    let who = sandbox.run_with_variable("whoami --json", "AUTHCTL_TOKEN", token).json();
    assert_eq!(who["session"]["id"], answer["session"]["id"]);
    let stored = sandbox.run_with_input("signin ada@example.com --password-stdin --json", PASSWORD).json();
    assert!(stored.get("token").is_none(), "{stored}");
}

#[test]
fn the_variable_takes_the_token_and_whoami_says_so() {
    let sandbox = Sandbox::with_ada_signed_out();
    let token = printed(&sandbox);
    assert_snapshot!(sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &token), @"
    name        Ada
    email       ada@example.com (not verified)
    user id     [ID]
    role        user
    session     [ID]
    expires     [TIME]
    token from  AUTHCTL_TOKEN
    database    [HOME]/.local/share/authctl/auth.db
    ------- stderr -------
    note: signed in by the token in AUTHCTL_TOKEN
    ");
}

#[test]
fn token_file_variable_gives_the_token() {
    let sandbox = Sandbox::with_ada_signed_out();
    let path = sandbox.file("ci-token", printed(&sandbox) + "\n");
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let warned = sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN_FILE", path.to_str().unwrap());
    assert!(warned.stderr.contains("others may read the token file"), "{warned}");
    mode(0o600);
    assert_snapshot!(sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN_FILE", path.to_str().unwrap()), @"
    name        Ada
    email       ada@example.com (not verified)
    user id     [ID]
    role        user
    session     [ID]
    expires     [TIME]
    token from  AUTHCTL_TOKEN_FILE, [HOME]/ci-token
    database    [HOME]/.local/share/authctl/auth.db
    ------- stderr -------
    note: signed in by the token in AUTHCTL_TOKEN_FILE
    ");
}

#[test]
fn token_variable_precedes_the_stored_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    let token = printed(&sandbox);
    let who = sandbox.run_with_variable("whoami --json", "AUTHCTL_TOKEN", &token).json();
    assert_eq!(who["user"]["email"], "ada@example.com");
    assert_eq!(sandbox.run("whoami --json").json()["user"]["email"], "bob@example.com");
    // It never falls back to the stored session, which may be another user's.
    for (name, value) in [("AUTHCTL_TOKEN", "wrong-token"), ("AUTHCTL_TOKEN_FILE", "no-such-file")] {
        let _ = sandbox.run_with_variable("whoami", name, value).failure(4);
    }
}

#[test]
fn forged_token_is_not_a_session() {
    let sandbox = Sandbox::with_ada();
    let digest: String = sandbox.sql().query_row("SELECT token FROM session", [], |row| row.get(0)).unwrap();
    let long = "a".repeat(5_000);
    for token in ["a", "' OR 1=1 --", &digest, &long] {
        let ran = sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", token);
        let said = ran.failure(4);
        assert!(token.len() < 5 || !said.contains(token), "the token was repeated: {said}");
    }
}

#[test]
fn a_token_that_could_not_be_written_has_no_live_session() {
    let sandbox = Sandbox::with_ada_signed_out();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = sandbox.command(PRINT.split(' '));
    let file = sandbox.file("pw", PASSWORD);
    command.stdin(std::fs::File::open(file).unwrap()).stdout(full).stderr(std::process::Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let _ = sandbox.ran(&output).failure(74);
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}

#[test]
fn sign_out_by_token_ends_the_session() {
    let sandbox = Sandbox::with_ada();
    let token = printed(&sandbox);
    assert_snapshot!(sandbox.run_with_variable("signout", "AUTHCTL_TOKEN", &token), @"
    ------- stderr -------
    note: AUTHCTL_TOKEN still holds the token of the ended session: `unset AUTHCTL_TOKEN`
    signed out: ended 1 session
    ");
    let _ = sandbox.run_with_variable("whoami", "AUTHCTL_TOKEN", &token).failure(4);
    // The stored session is a different one, and stays.
    sandbox.run("whoami --check").success();
}
