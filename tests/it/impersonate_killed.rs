//! `users impersonate` and `--stop`, killed at any system call: the operator's own session is set aside or in
//! use, and no other session is taken for it.

use crate::kill::Case;
use crate::sandbox::Sandbox;

/// Whether a call renames, links or removes a file, or is between two that do.
fn names_or_syncs(call: &str) -> bool {
    ["rename", "unlink", "link", "fsync"].iter().any(|start| call.starts_with(start))
}

/// As [`root_signed_in`], with root impersonating ada.
fn acting_as_ada() -> Sandbox {
    let sandbox = Sandbox::with_ada_and_root();
    sandbox.run("users impersonate ada@example.com").success();
    sandbox
}

/// The email address of the current session's user, and whether the session is an impersonation.
fn signed_in_as(sandbox: &Sandbox) -> Option<(String, bool)> {
    let ran = sandbox.run("whoami --json");
    if ran.code == 4 {
        return None;
    }
    let me = ran.json();
    Some((me["user"]["email"].as_str().unwrap().to_owned(), !me["session"]["impersonatedBy"].is_null()))
}

fn keeps_aside(sandbox: &Sandbox) -> bool {
    let mut entries = std::fs::read_dir(sandbox.sessions()).unwrap();
    entries.any(|entry| entry.unwrap().file_name().to_str().unwrap().ends_with(".own.json"))
}

/// Root's own session returns, and a later impersonation leaves no session without an owner.
fn assert_root_comes_back(sandbox: &Sandbox, when: &str) {
    let root = Some(("root@example.com".to_owned(), false));
    let found = signed_in_as(sandbox);
    if found != root {
        assert!(keeps_aside(sandbox) && found.is_none_or(|(_, impersonates)| impersonates), "{when}");
        sandbox.run("users impersonate --stop").success();
    }
    assert_eq!(signed_in_as(sandbox), root, "{when}");
    assert!(!keeps_aside(sandbox), "{when}");
    sandbox.run("users impersonate ada@example.com").success();
    sandbox.run("users impersonate --stop").success();
    assert_eq!((signed_in_as(sandbox), sandbox.number("SELECT count(*) FROM session")), (root, 1), "{when}");
}

#[test]
fn impersonation_killed_at_any_call_loses_no_own_session() {
    let case = Case::new(Sandbox::with_ada_and_root(), "users impersonate ada@example.com");
    case.kill_by_calls(names_or_syncs, |when| assert_root_comes_back(&case.sandbox, when));
}

#[test]
fn stop_killed_at_any_call_gives_the_own_session_back() {
    let case = Case::new(acting_as_ada(), "users impersonate --stop");
    case.kill_by_calls(names_or_syncs, |when| assert_root_comes_back(&case.sandbox, when));
}

#[test]
fn sign_in_killed_at_any_call_leaves_no_set_aside_session() {
    let case = Case::new(acting_as_ada(), "signin ada@example.com --password-file pw");
    case.kill_by_calls(names_or_syncs, |when| {
        if let Some((email, impersonates)) = signed_in_as(&case.sandbox) {
            assert_eq!(email, "ada@example.com", "{when}");
            assert!(impersonates || !keeps_aside(&case.sandbox), "{when}");
        }
        case.sandbox.sign_in("ada@example.com").success();
        assert_eq!(
            (keeps_aside(&case.sandbox), case.sandbox.number("SELECT count(*) FROM session")),
            (false, 1),
            "{when}"
        );
    });
}
