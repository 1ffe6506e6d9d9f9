//! Several users or sessions in one command: one result for each, and exit code 1 when one failed.

use std::io::{BufRead as _, BufReader};

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
    error: no such user: eve@example.com
    hint: `authctl users list --search` finds users
    banned Bob <bob@example.com> permanently and ended 1 session in [HOME]/.local/share/authctl/auth.db
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
fn several_users_get_the_roles_that_come_last() {
    let sandbox = Sandbox::with_ada_and_bob();
    let set = sandbox.run("users set-role ada@example.com --keep-sessions bob@example.com eve@example.com editor,user");
    assert_snapshot!(set, @"
    ------- stderr -------
    note: no user had the role editor before: check its spelling
    Ada <ada@example.com> is editor,user in [HOME]/.local/share/authctl/auth.db
    Bob <bob@example.com> is editor,user in [HOME]/.local/share/authctl/auth.db
    error: no such user: eve@example.com
    hint: `authctl users list --search` finds users
    1 of 3 failed
    [exit status: 1]
    ");
    let listed = sandbox.run_with_input("users set-role --stdin admin", "ada@example.com\nbob@example.com\n");
    assert_eq!(listed.code, 0, "{listed}");
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user" WHERE "role" = 'admin'"#), 2);
    for words in ["users set-role ada@example.com", "users set-role --stdin ada@example.com admin"] {
        assert_eq!(
            sandbox.run_with_input(&format!("{words} --json"), "bob@example.com").json_error(2)["code"],
            "USAGE"
        );
    }
}

#[test]
fn results_are_printed_as_they_come() {
    const USERS: i64 = 400;
    let sandbox = Sandbox::with_ada();
    sandbox.execute(&format!(
        r#"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {USERS})
           INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
           SELECT 'many' || i, 'Many', 'many' || i || '@example.com', 0, 0, 0 FROM n"#
    ));
    let list: Vec<String> = (1..=USERS).map(|number| format!("many{number}@example.com")).collect();
    let list = std::fs::File::open(sandbox.file("list", list.join("\n"))).unwrap();
    let mut command = sandbox.command(["users", "verify-email", "--stdin", "--json"]);
    let mut child = command.stdin(list).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::with_capacity(1 << 10, child.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.contains("many1@example.com"), "{first}");
    // The results are longer than the pipe holds.
    let done = sandbox.number(r#"SELECT count(*) FROM "user" WHERE "emailVerified" = 1"#);
    assert!(done < USERS, "all were verified before a result was read");
    assert_eq!(lines.lines().count(), 399);
    assert!(child.wait().unwrap().success());
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
    error: no such session: no-session
    hint: `authctl sessions list --all-users` shows those that are live
    ended 1 session: elsewhere
    1 of 3 failed
    [exit status: 1]
    ");
}

#[test]
fn sessions_end_one_by_one_and_the_own_one_last() {
    let sandbox = two_users();
    assert_snapshot!(sandbox.run("sessions revoke current no-session elsewhere"), @"
    ------- stderr -------
    error: no such session: no-session
    hint: `authctl sessions list` shows those that are live
    ended 1 session: elsewhere
    ended 1 session: current
    this session was among them: signed out
    1 of 3 failed
    [exit status: 1]
    ");
    assert_eq!(gone(&sandbox), "current elsewhere");
    for words in ["sessions revoke bob1 bob2", "tokens revoke one other", "sessions revoke --user eve@example.com a b"]
    {
        let ran = sandbox.run(words);
        assert_eq!(
            (ran.code, ran.stderr.matches("error:").count()),
            (if words.contains("eve") { 3 } else { 4 }, 1),
            "{ran}"
        );
    }
}

#[test]
fn sessions_to_end_are_a_list_like_others() {
    let sandbox = two_users();
    let csv = sandbox.run("sessions revoke bob1 bob2 --all-users --dry-run -o csv --columns id,from --no-header");
    assert_snapshot!(csv, @r#"
    "bob1",curl/7.1
    "bob2",laptop
    ------- stderr -------
    would end 2 sessions: bob1, bob2
    "#);
    assert_eq!(
        sandbox.run("sessions revoke --user bob@example.com --dry-run -o tsv --columns id").success(),
        "id\nbob2\nbob1\n"
    );
    let _ = sandbox.run("sessions revoke --user bob@example.com --columns id").failure(2);
    assert_eq!(gone(&sandbox), "");
}

#[test]
fn tokens_end_one_by_one_by_their_first_characters() {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.run("tokens create --user bob@example.com --name ci").success();
    sandbox.run("tokens create --user ada@example.com --name deploy").success();
    sandbox.execute(r#"UPDATE "authctl_apikey" SET "id" = 'sesame-' || "name""#);
    let ambiguous = sandbox.run("tokens revoke --all-users sesame --json").json_error(2);
    assert_eq!(ambiguous["code"], "ID_AMBIGUOUS");
    // Those of others are not meant.
    let rotated = sandbox.run("tokens rotate --user bob@example.com sesame --json").json();
    assert_eq!(rotated["apiToken"]["id"], "sesame-ci");
    let _ = sandbox.run("tokens rotate --user bob@example.com sesam").failure(3);
    let _ = sandbox.run("tokens rotate --user bob@example.com sesame-d").failure(3);
    assert_snapshot!(sandbox.run_with_input("tokens revoke --all-users --stdin", "sesame-c\nelse\nsesame-d"), @"
    ------- stderr -------
    ended 1 token: sesame-ci (ci)
    error: no such API token: else
    hint: `authctl tokens list` lists tokens with their ids; nothing was changed
    ended 1 token: sesame-deploy (deploy)
    1 of 3 failed
    [exit status: 1]
    ");
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "authctl_apikey""#), 0);
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
