//! `users ban` and `unban`: who loses access at once, and what the error says.

use insta::assert_snapshot;

use crate::sandbox::{PASSWORD, Ran, Sandbox};

fn sign_in(sandbox: &Sandbox, password: &str) -> Ran {
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin --json", password)
}

#[test]
fn ban_ends_all_sessions_and_hides_its_reason() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", PASSWORD);
    sandbox.other_shell("signup bob@example.com --name Bob --password-file pw").success();
    sandbox.sign_in("ada@example.com").success();
    assert_snapshot!(sandbox.run_words(&["users", "ban", "ada@example.com", "--reason", "two strikes"]), @r"
    ------- stderr -------
    banned Ada <ada@example.com> permanently: two strikes and ended 1 session in [HOME]/.local/share/authctl/auth.db
    ");
    let _ = sandbox.run("whoami").failure(4);
    sandbox.other_shell("whoami").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);

    let answer = sign_in(&sandbox, PASSWORD).json_error(5);
    assert_eq!((&answer["code"], &answer["hint"]), (&"BANNED_USER".into(), &"banned permanently: two strikes".into()));
    let wrong = sign_in(&sandbox, "wrong words here").failure(7);
    assert!(!wrong.contains("banned") && !wrong.contains("strikes"), "{wrong}");
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 1);
}

#[test]
fn temporary_ban_shows_its_end_and_expires() {
    let sandbox = Sandbox::with_ada();
    let banned = sandbox.run("users ban ada@example.com --for 7d --reason spam --json").json();
    assert_eq!((&banned["act"], &banned["sessionsEnded"]), (&"banned".into(), &1.into()));
    let user = &banned["user"];
    assert_eq!((&user["banned"], &user["banReason"]), (&true.into(), &"spam".into()));
    let until = user["banExpires"].as_str().unwrap();
    let length = sandbox.number("SELECT banExpires - updatedAt FROM user");
    assert_eq!(length, 7 * 86_400);
    assert_eq!(sign_in(&sandbox, PASSWORD).json_error(5)["hint"], format!("banned until {until}: spam"));
    sandbox.execute("UPDATE user SET banExpires = unixepoch()");
    sign_in(&sandbox, PASSWORD).success();
}

#[test]
fn new_ban_replaces_the_old_one() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users ban ada@example.com --for 7d --reason spam").success();
    let again = sandbox.run("users ban ada@example.com --json").json();
    assert!(again["user"]["banExpires"].is_null() && again["user"]["banReason"].is_null(), "{again}");
    assert_eq!(sign_in(&sandbox, PASSWORD).json_error(5)["hint"], "banned permanently: no reason was given");
}

#[test]
fn ban_needs_a_valid_duration() {
    let sandbox = Sandbox::with_ada();
    for length in ["0s", "-1d", "soon", "", "3651d", "99999999999999d", "never"] {
        let _ = sandbox.run_words(&["users", "ban", "ada@example.com", &format!("--for={length}")]).failure(2);
    }
    sandbox.run("whoami").success();
    for length in ["1s", "12h", "3650d"] {
        sandbox.run(&format!("users ban ada@example.com --for {length}")).success();
    }
}

#[test]
fn ban_reason_is_escaped_on_a_terminal() {
    let sandbox = Sandbox::with_ada();
    let reason = "sp\u{1b}[2Jam\r\n\u{202e}x\u{9b}";
    let answer = sandbox.run_words(&["users", "ban", "ada@example.com", "--reason", reason]);
    let bad = |text: &str| text.trim_end_matches('\n').chars().any(|c| c.is_control() || c == '\u{202e}');
    assert!(!bad(&answer.stderr), "{:?}", answer.stderr);
    assert_eq!(answer.success(), "");
    let refused = sandbox.sign_in("ada@example.com").failure(5);
    assert!(!refused.lines().any(bad) && refused.lines().count() == 2, "{refused:?}");
    let shown = sandbox.run("users show ada@example.com").success();
    assert!(!shown.lines().any(bad), "{shown:?}");
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["user"]["banReason"], reason);
}

#[test]
fn a_lifted_ban_leaves_no_trace_and_no_session() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users ban ada@example.com --for 7d --reason spam").success();
    assert_snapshot!(sandbox.run("users unban ada@example.com"), @r"
    ------- stderr -------
    lifted the ban of Ada <ada@example.com> in [HOME]/.local/share/authctl/auth.db
    ");
    let user = sandbox.run("users show ada@example.com --json").json()["user"].clone();
    assert_eq!(user["banned"], false);
    assert!(user["banReason"].is_null() && user["banExpires"].is_null(), "{user}");
    let _ = sandbox.run("whoami").failure(4);
    sandbox.sign_in("ada@example.com").success();
    assert_eq!(sandbox.run("users unban ada@example.com --json").json()["act"], "unbanned");
    sandbox.run("whoami").success();
}

#[test]
fn the_last_administrator_is_banned_only_by_force() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com editor,admin").success();
    assert_snapshot!(sandbox.run("users ban ada@example.com"), @r"
    ------- stderr -------
    error: could not ban the user: this is the last administrator
    hint: make another user administrator first, or pass --force-last-admin
    [exit status: 5]
    ");
    sandbox.run("whoami").success();
    sandbox.run("users ban ada@example.com --force-last-admin").success();
    let _ = sandbox.run("whoami").failure(4);
    sandbox.run("users ban ada@example.com --for 1h").success();
}
