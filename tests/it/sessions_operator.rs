//! `sessions` for operators: listing and ending sessions of a user, or by id, needs no sign-in.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// Ada has the session of this shell (`current`) and another, Bob has two. `over` sessions have expired.
pub fn two_users() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    sandbox.execute("UPDATE session SET id = 'current', ipAddress = '10.0.0.1', userAgent = 'laptop'");
    for (id, name, more, address, agent) in [
        ("elsewhere", "ada", 3600, "'192.0.2.7'", "'curl/8.5'"),
        ("bob1", "bob", 3600, "'10.0.0.2'", "'curl/7.1'"),
        ("bob2", "bob", 7200, "'2001:db8::1'", "'laptop'"),
        ("over-ada", "ada", 0, "'10.0.0.1'", "'laptop'"),
        ("over-bob", "bob", -3600, "NULL", "NULL"),
    ] {
        sandbox.execute(&format!(
            "INSERT INTO session (id, token, userId, expiresAt, createdAt, updatedAt, ipAddress, userAgent)
             SELECT '{id}', 'token-{id}', id, unixepoch() + {more}, unixepoch() - 60, unixepoch() - 60, {address}, {agent}
             FROM user WHERE email = '{name}@example.com'"
        ));
    }
    sandbox
}

/// The same without a sign-in here: the session `current` is in the database and in no file.
pub fn without_sign_in() -> Sandbox {
    let sandbox = two_users();
    std::fs::remove_dir_all(sandbox.sessions()).unwrap();
    let _ = sandbox.run("whoami").failure(4);
    sandbox
}

/// The ids of all remaining sessions, including expired ones.
pub fn left(sandbox: &Sandbox) -> BTreeSet<String> {
    let sql = sandbox.sql();
    let mut statement = sql.prepare("SELECT id FROM session").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The ids in the answer.
pub fn ids(answer: &Value) -> BTreeSet<&str> {
    answer["sessions"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap()).collect()
}

pub fn set(words: &str) -> BTreeSet<&str> {
    words.split_whitespace().collect()
}

/// The sessions that have been deleted.
pub fn gone(sandbox: &Sandbox) -> String {
    let left = left(sandbox);
    let all = set("current elsewhere bob1 bob2 over-ada over-bob");
    all.into_iter().filter(|id| !left.contains(*id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn live_sessions_of_users_are_listed_without_tokens() {
    let sandbox = without_sign_in();
    for (whose, expected) in [
        ("--user bob@example.com", "bob1 bob2"),
        ("--user BOB@example.com", "bob1 bob2"),
        ("--user ada@example.com", "current elsewhere"),
        ("--all-users", "current elsewhere bob1 bob2"),
    ] {
        let ran = sandbox.run(&format!("sessions list {whose} --json"));
        assert!(!ran.stdout.contains("token") && ran.stderr.is_empty(), "{ran}");
        let answer = ran.json();
        assert_eq!(ids(&answer), set(expected), "{whose}");
        let fields = set("id userId expiresAt createdAt updatedAt ipAddress userAgent impersonatedBy");
        for session in answer["sessions"].as_array().unwrap() {
            assert_eq!(session.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), fields);
        }
    }
    let bob = sandbox.run("users show bob@example.com --json").json()["user"]["id"].as_str().unwrap().to_owned();
    let by_id = sandbox.run(&format!("sessions ls --user {bob} --json")).json();
    assert!(by_id["sessions"].as_array().unwrap().iter().all(|session| session["userId"] == bob.as_str()));
    assert_eq!(ids(&by_id), set("bob1 bob2"));
    assert_eq!(sandbox.run("sessions list --user unknown@example.com --json").json_error(3)["code"], "USER_NOT_FOUND");
    let _ = sandbox.run("sessions list").failure(4);
    let _ = sandbox.run("sessions list --user bob@example.com --all-users").failure(2);
}

#[test]
fn list_in_a_pipe_is_aligned_text_with_addresses() {
    let sandbox = without_sign_in();
    sandbox.execute("UPDATE session SET createdAt = createdAt - rowid * 60");
    assert_snapshot!(sandbox.run("sessions list --all-users"), @"
    USER             ID         SIGNED IN                 EXPIRES                   ADDRESS      FROM
    bob@example.com  bob2       [TIME]  [TIME]  2001:db8::1  laptop
    bob@example.com  bob1       [TIME]  [TIME]  10.0.0.2     curl/7.1
    ada@example.com  elsewhere  [TIME]  [TIME]  192.0.2.7    curl/8.5
    ada@example.com  current    [TIME]  [TIME]  10.0.0.1     laptop
    ");
    sandbox.execute("UPDATE user SET email = 'a' || char(27) || '[2J' || char(8238) WHERE name = 'Ada'");
    sandbox.execute("UPDATE session SET userAgent = 'a' || char(155) || char(10), ipAddress = char(27)");
    let shown = sandbox.run("sessions list --all-users").success();
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
    assert_eq!(shown.lines().count(), 5, "{shown:?}");
}

#[test]
fn every_session_of_a_user_ends_and_those_of_others_live_on() {
    let sandbox = without_sign_in();
    assert_snapshot!(sandbox.run("sessions revoke --user bob@example.com"), @"
    ------- stderr -------
    ended 2 sessions
    ");
    // An expired session is not counted, and naming it is not an error.
    assert!(["bob1 bob2", "bob1 bob2 over-bob"].contains(&gone(&sandbox).as_str()), "{}", gone(&sandbox));
    let again = sandbox.run("sessions revoke --user bob@example.com --all --json").json();
    assert_eq!((&again["ended"], &again["signedOut"]), (&0.into(), &false.into()));
    assert_eq!(
        sandbox.run("sessions revoke --user unknown@example.com --json").json_error(3)["code"],
        "USER_NOT_FOUND"
    );
}

#[test]
fn all_sessions_end_only_with_the_flag() {
    let sandbox = without_sign_in();
    for words in ["--all-users", "--all-users --dry-run", "--except-current", "--user", "--all-users --others", ""] {
        let error = sandbox.run(&format!("sessions revoke {words} --json")).json_error(2);
        assert_eq!(error["code"], "USAGE", "{words}");
    }
    for words in ["--user bob@example.com --all-users", "--user bob@example.com --others", "--all bob1 --all-users"] {
        let _ = sandbox.run(&format!("sessions revoke {words}")).failure(2);
    }
    let _ = sandbox.run("sessions revoke --all").failure(4);
    assert_eq!(gone(&sandbox), "");
    let answer = sandbox.run("sessions revoke --all-users --all --json").json();
    assert_eq!((&answer["ended"], ids(&answer)), (&4.into(), set("current elsewhere bob1 bob2")));
    assert!(left(&sandbox).iter().all(|id| id.starts_with("over-")));
}

#[test]
fn ids_with_all_users_have_a_result_each() {
    let sandbox = without_sign_in();
    for words in ["bob1 unknown", "unknown bob1", "bob1 over-bob", "current bob1 over-ada"] {
        let error = sandbox.run(&format!("sessions revoke --all-users {words} --dry-run --json")).json_error(3);
        assert_eq!(error["code"], "SESSION_NOT_FOUND", "{words}");
    }
    assert_eq!(gone(&sandbox), "");
    let ran = sandbox.run("sessions revoke --user bob@example.com elsewhere bob1 over-bob --json");
    assert_eq!((ran.code, ran.stdout.matches("SESSION_NOT_FOUND").count()), (1, 2), "of bob alone: {ran}");
    assert_eq!(gone(&sandbox), "bob1");
    sandbox.run("sessions revoke --all-users elsewhere").success();
    assert_eq!(gone(&sandbox), "bob1 elsewhere");
    assert_eq!(sandbox.run("sessions revoke --user bob@example.com bob2 --json").json()["ended"], 1);
    assert_eq!(gone(&sandbox), "bob1 bob2 elsewhere");
    let _ = sandbox.run("sessions revoke current").failure(4);
}

#[test]
fn ids_without_all_users_are_own_sessions() {
    let sandbox = two_users();
    for words in ["bob1", "bob1 --idle 0s", "bob1 --ip 10.0.0.2", "bob1 --older-than 0s"] {
        let error = sandbox.run(&format!("sessions revoke {words} --json")).json_error(3);
        assert_eq!(error["code"], "SESSION_NOT_FOUND", "{words}");
    }
    assert_eq!(gone(&sandbox), "");
    sandbox.run("sessions revoke elsewhere").success();
    assert_eq!(gone(&sandbox), "elsewhere");
}

#[test]
fn ending_the_current_session_removes_its_file() {
    for words in ["--all-users current", "--user ada@example.com", "--all-users --all", "--ip 10.0.0.1", "--all"] {
        let sandbox = two_users();
        let file = sandbox.session_file();
        let answer = sandbox.run(&format!("sessions revoke {words} --json")).json();
        assert_eq!(answer["signedOut"], true, "{words}");
        assert!(!file.exists() && gone(&sandbox).contains("current"), "{words}");
        assert!(sandbox.run("whoami").failure(4).contains("there is no session"), "{words}");
    }
    let sandbox = two_users();
    let answer = sandbox.run("sessions revoke --user bob@example.com --json").json();
    assert_eq!(answer["signedOut"], false);
    sandbox.run("whoami").success();
}

/// Adds sessions of a user, `many1` and so on.
fn add_many(sandbox: &Sandbox, count: usize, name: &str) {
    sandbox.execute(&format!(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO session (id, token, userId, expiresAt, createdAt, updatedAt, userAgent)
         SELECT 'many' || i, 't' || i, (SELECT id FROM user WHERE name = '{name}'), unixepoch() + 3600, 0, 0, 'robot'
         FROM n"
    ));
}

#[test]
fn thousands_of_sessions_end_in_batches() {
    let sandbox = two_users();
    add_many(&sandbox, 3500, "Bob");
    assert_eq!(
        sandbox.run("sessions list --user bob@example.com --json").json()["sessions"].as_array().unwrap().len(),
        3502
    );
    let answer = sandbox.run("sessions revoke --all-users --user-agent robot --json").json();
    assert_eq!((&answer["ended"], answer["sessions"].as_array().unwrap().len()), (&3500.into(), 3500));
    assert_eq!(gone(&sandbox), "");
    assert_eq!(left(&sandbox).len(), 6);
    let answer = "SELECT count(DISTINCT sessionId) FROM authctl_audit WHERE event = 'session.ended'";
    assert_eq!(sandbox.number(answer), 3500);
    sandbox.run("audit verify").success();
}

#[test]
fn list_is_read_page_by_page() {
    let sandbox = without_sign_in();
    add_many(&sandbox, 2500, "Bob");
    let whole = sandbox.run("sessions list --all-users --json").json();
    assert_eq!((whole["sessions"].as_array().unwrap().len(), &whole["next"]), (2504, &Value::Null));
    let (mut after, mut all) = (String::new(), Vec::new());
    for count in [1200, 1200, 104] {
        let ran = sandbox.run(&format!("sessions list --all-users --limit 1200 --json {after}"));
        assert_eq!(ran.stderr, "");
        let page = ran.json();
        assert_eq!(page["sessions"].as_array().unwrap().len(), count);
        all.extend(page["sessions"].as_array().unwrap().clone());
        // The next page begins at the same place when the last session of this one has ended.
        let last = all.last().unwrap()["id"].as_str().unwrap().to_owned();
        sandbox.run(&format!("sessions revoke --all-users {last}")).success();
        after = page["next"].as_str().map(|next| format!("--after {next}")).unwrap_or_default();
    }
    assert_eq!((after.as_str(), Value::from(all)), ("", whole["sessions"].clone()));
    let text = sandbox.run("sessions list --user bob@example.com --limit 3");
    assert_eq!(text.stdout.lines().count(), 4);
    assert!(text.stderr.starts_with("3 sessions on this page; the next page: --after "), "{text}");
    let error = sandbox.run("sessions list --all-users --after many1 --json").json_error(3);
    assert_eq!(error["code"], "SESSION_NOT_FOUND");
    let _ = sandbox.run("sessions list --all-users --limit 0").failure(2);
}

#[test]
fn own_session_ends_after_all_batches_of_others() {
    let sandbox = two_users();
    add_many(&sandbox, 2500, "Ada");
    // The newest of all, so that it is in the first batch.
    sandbox.execute("UPDATE session SET rowid = 1000000 WHERE id = 'current'");
    let file = sandbox.session_file();
    let answer = sandbox.run("sessions revoke --all --older-than 0s --json").json();
    assert_eq!((&answer["ended"], &answer["signedOut"]), (&2502.into(), &true.into()));
    assert_eq!(answer["sessions"].as_array().unwrap().last().unwrap()["id"], "current");
    assert_eq!(gone(&sandbox), "current elsewhere");
    assert!(!file.exists());
}

#[test]
fn sessions_end_when_their_list_cannot_be_written() {
    let sandbox = without_sign_in();
    add_many(&sandbox, 2500, "Bob");
    let mut command = sandbox.command("sessions revoke --all-users --user-agent robot --json".split(' '));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = sandbox.finish(command.stdout(full));
    let error = ran.json_error(74);
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("2500 sessions were ended, but could not write the answer"), "{message}");
    assert_eq!((gone(&sandbox).as_str(), left(&sandbox).len()), ("", 6));
}
