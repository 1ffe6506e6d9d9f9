//! One user's whole path through two shells, once with text output and once with JSON.

use insta::assert_snapshot;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

#[test]
fn tour_as_text() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.sign_up("ada@example.com", "Ada"), @"
    ------- stderr -------
    note: created the database [HOME]/.local/share/authctl/auth.db
    created the account of Ada <ada@example.com> and signed in; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    assert_snapshot!(sandbox.other_shell_with_input("signin Ada@Example.com --password-stdin", PASSWORD), @"
    ------- stderr -------
    signed in as Ada <ada@example.com>; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/other-config/authctl/sessions/[KEY].json
    ");
    assert_snapshot!(sandbox.run("whoami"), @"
    name        Ada
    email       ada@example.com (not verified)
    user id     [ID]
    role        user
    session     [ID]
    expires     [TIME]
    token from  [HOME]/.config/authctl/sessions/[KEY].json
    database    [HOME]/.local/share/authctl/auth.db
    ");
    sandbox.execute("UPDATE session SET userAgent = 'shell ' || rowid, createdAt = createdAt + rowid");
    assert_snapshot!(sandbox.run("sessions"), @"
       ID                                SIGNED IN                 EXPIRES                   ADDRESS  FROM
       [ID]  [TIME]  [TIME]  -        shell 2
    *  [ID]  [TIME]  [TIME]  -        shell 1
    ");

    let list = sandbox.run("sessions").success();
    let other = list.lines().find(|line| line.ends_with("shell 2")).unwrap();
    let id = other.split_whitespace().next().unwrap();
    assert_snapshot!(sandbox.run(&format!("sessions revoke {id}")), @"
    ------- stderr -------
    ended 1 session
    ");
    assert_snapshot!(sandbox.other_shell("whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: the session was ended or never was in this database: sign in with `authctl signin`
    [exit status: 4]
    ");

    let both = format!("{PASSWORD}\n{OTHER_PASSWORD}\n");
    assert_snapshot!(sandbox.run_with_input("password change --password-stdin", both), @"
    ------- stderr -------
    changed the password and ended 0 other sessions
    ");
    assert_snapshot!(sandbox.other_shell_with_input("signin ada@example.com --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign in: invalid email or password
    [exit status: 7]
    ");
    sandbox.other_shell_with_input("signin ada@example.com --password-stdin", OTHER_PASSWORD).success();
    let _ = sandbox.run("whoami").success();
    assert_snapshot!(sandbox.run("signout"), @"
    ------- stderr -------
    signed out: ended 1 session; removed the session file
    ");
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: not signed in: there is no session for [HOME]/.local/share/authctl/auth.db
    hint: sign in with `authctl signin`
    [exit status: 4]
    ");
    let _ = sandbox.other_shell("whoami").success();
    assert_snapshot!(sandbox.run("signout"), @"
    ------- stderr -------
    nothing to do: not signed in
    ");
}

#[test]
fn tour_as_json() {
    let sandbox = Sandbox::new();
    let signed_up =
        sandbox.run_with_input("signup ada@example.com --name Ada --password-stdin --json", PASSWORD).json();
    let signed_in = sandbox.other_shell_with_input("signin ada@example.com --password-stdin --json", PASSWORD).json();
    assert_eq!(signed_in["user"], signed_up["user"]);
    let me = sandbox.run("whoami --json").json();
    assert_eq!((&me["user"], &me["session"]), (&signed_up["user"], &signed_up["session"]));

    let list = sandbox.run("sessions --json").json();
    let mut others = Vec::new();
    for session in list["sessions"].as_array().unwrap() {
        if session["current"] == false {
            others.push(session["id"].as_str().unwrap());
        } else {
            assert_eq!(session["id"], me["session"]["id"]);
        }
    }
    assert_eq!(others, [signed_in["session"]["id"].as_str().unwrap()]);
    let ended = sandbox.run(&format!("sessions revoke {} --json", others[0])).json();
    assert_eq!((ended["ended"].as_i64(), ended["signedOut"].as_bool()), (Some(1), Some(false)));
    assert_eq!(ended["sessions"][0]["id"], others[0]);
    assert_eq!(sandbox.other_shell("whoami --json").json_error(4)["code"], "UNAUTHORIZED");

    let both = format!("{PASSWORD}\n{OTHER_PASSWORD}\n");
    sandbox.other_shell_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
    let changed = sandbox.run_with_input("password change --password-stdin --json", &both).json();
    assert_eq!(changed["sessionsEnded"], 1);
    assert_eq!(sandbox.other_shell("whoami --json").json_error(4)["code"], "UNAUTHORIZED");
    let refused =
        sandbox.other_shell_with_input("signin ada@example.com --password-stdin --json", PASSWORD).json_error(7);
    assert_eq!(refused["code"], "INVALID_EMAIL_OR_PASSWORD");

    let out = sandbox.run("signout --json").json();
    assert_eq!((out["sessionsEnded"].as_i64(), out["fileRemoved"].as_bool()), (Some(1), Some(true)));
    assert_eq!(sandbox.run("whoami --json").json_error(4)["code"], "UNAUTHORIZED");
    let again = sandbox.run("signout --json").json();
    assert_eq!((again["sessionsEnded"].as_i64(), again["fileRemoved"].as_bool()), (None, Some(false)));
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 0);
}
