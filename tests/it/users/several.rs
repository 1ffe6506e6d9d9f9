//! Several users or sessions in one command: one result for each, and exit code 1 when one failed.

use insta::assert_snapshot;

use crate::pty::Terminal;
use crate::sandbox::Sandbox;
use crate::sessions_operator::{gone, two_users};

#[test]
fn each_user_has_a_result_and_a_missing_one_fails_alone() {
    let sandbox = Sandbox::with_ada_and_bob();
    let banned = sandbox.run("users ban ada@example.com eve@example.com bob@example.com bob@example.com");
    assert_snapshot!(banned, @r"
    ------- stderr -------
    banned Ada <ada@example.com> permanently and ended 1 session in [HOME]/.local/share/authctl/auth.db
    banned Bob <bob@example.com> permanently and ended 1 session in [HOME]/.local/share/authctl/auth.db
    error: no such user: eve@example.com
    hint: `authctl users list --search` finds users
    1 of 3 failed
    [exit status: 1]
    ");
    let lines = sandbox.run("users unban ada@example.com eve@example.com --json");
    assert_eq!(lines.code, 1);
    let lines: Vec<serde_json::Value> = lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["act"], &lines[0]["changed"]), (&"unbanned".into(), &true.into()));
    assert_eq!(
        (&lines[1]["target"], &lines[1]["error"]["code"]),
        (&"eve@example.com".into(), &"USER_NOT_FOUND".into())
    );
    // The JSON of a single user stays one document.
    assert_eq!(sandbox.run("users unban bob@example.com --json").json()["act"], "unbanned");
    sandbox.run_with_input("users verify-email --stdin", "ada@example.com\n\n bob@example.com \n").success();
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user" WHERE "emailVerified" = 1"#), 2);
    let _ = sandbox.run_with_input("users unlock --stdin", "\n").failure(2);
    let _ = sandbox.run_with_input("users unlock ada@example.com --stdin", "bob@example.com\n").failure(2);
    let _ = sandbox.run("users unlock").failure(2);
}

#[test]
fn several_users_are_deleted_after_one_question() {
    let sandbox = Sandbox::with_ada_and_bob();
    let words = ["users", "delete", "ada@example.com", "bob@example.com", "eve@example.com"];
    let _ = sandbox.run_words(&words).failure(2);
    let mut running = Terminal::new().run(sandbox.command(words));
    running
        .wait_for("This permanently deletes Ada")
        .wait_for("This permanently deletes Bob")
        .wait_for("eve@example.com");
    running.wait_for("Delete these users?").press("n");
    assert_eq!(running.end().code, 1);
    assert_eq!(sandbox.number("SELECT count(*) FROM user"), 2);
    let mut running = Terminal::new().run(sandbox.command(words));
    running.wait_for("Delete these users?").press("y");
    let ended = running.end();
    assert!(ended.screen.contains("1 of 3 failed"), "{}", ended.screen);
    assert_eq!((ended.code, sandbox.number("SELECT count(*) FROM user")), (1, 0));
}

#[test]
fn sessions_on_standard_input_end_one_by_one() {
    let sandbox = two_users();
    let ended = sandbox.run_with_input("sessions revoke --all-users --stdin", "bob1\nno-session\nelsewhere\n");
    assert_eq!(gone(&sandbox), "bob1 elsewhere");
    assert_snapshot!(ended, @r"
    ------- stderr -------
    ended 1 session: bob1
    ended 1 session: elsewhere
    error: no such session: no-session
    hint: `authctl sessions list --all-users` shows those that are live
    1 of 3 failed
    [exit status: 1]
    ");
}

#[test]
fn wide_end_of_sessions_is_counted_and_asked_on_a_terminal() {
    let sandbox = two_users();
    let words = ["sessions", "revoke", "--all", "--all-users", "--except-current"];
    let mut running = Terminal::new().run(sandbox.command(words));
    running.wait_for("This ends 3 sessions of 2 users in ").wait_for("End them?").press("n");
    assert_eq!(running.end().code, 1);
    assert_eq!(gone(&sandbox), "");
    let mut running = Terminal::new().run(sandbox.command(words));
    running.wait_for("End them?").press("y");
    let ended = running.end();
    assert!(ended.screen.contains("ended 3 sessions"), "{}", ended.screen);
    assert_eq!(gone(&sandbox), "bob1 bob2 elsewhere");
    // Nothing to end is nothing to ask.
    running = Terminal::new().run(sandbox.command(["sessions", "revoke", "--all-users", "--idle", "30d"]));
    let ended = running.end();
    assert_eq!(ended.code, 0, "{}", ended.screen);
}

#[test]
fn prune_is_counted_and_asked_on_a_terminal_only() {
    let sandbox = two_users();
    for (words, question) in [
        (["db", "prune"], "This deletes 2 expired rows from "),
        (["sessions", "prune"], "This deletes 2 expired sessions from "),
    ] {
        let mut running = Terminal::new().run(sandbox.command(words));
        running.wait_for(question).wait_for("Delete them?").press("n");
        assert_eq!(running.end().code, 1);
        assert_eq!(gone(&sandbox), "");
    }
    assert_eq!(Terminal::new().run(sandbox.command(["db", "prune", "--yes"])).end().code, 0);
    assert_eq!(gone(&sandbox), "over-ada over-bob");
}
