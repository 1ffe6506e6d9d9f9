//! `audit list`, `export` and `tail`: formats and filters.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::Value;

use crate::audit::entries;
use crate::audit::follow::Follower;
use crate::pty::Terminal;
use crate::sandbox::Sandbox;

pub fn create(sandbox: &Sandbox, name: &str) {
    sandbox.run(&format!("users create {name}@example.com --name {name} --no-password")).success();
}

/// Ada, Bob and Eve, with one entry a day from the first of January.
pub fn three_users() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["ada", "bob", "eve"] {
        create(&sandbox, name);
    }
    sandbox.run_words(&["users", "ban", "bob@example.com", "--reason", "two strikes"]).success();
    sandbox.execute("UPDATE authctl_audit SET at = unixepoch('2026-01-01') + (seq - 1) * 86400, host = 'mill'");
    sandbox.execute("UPDATE authctl_audit SET osUser = 'root', hash = 'hash-' || seq");
    sandbox
}

fn seqs(sandbox: &Sandbox, filters: &str) -> Vec<i64> {
    let answer = sandbox.run(&format!("audit list --json {filters}")).json();
    let exported = sandbox.run(&format!("audit export {filters}")).success();
    let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answer["entries"].as_array().unwrap(), &lines, "list and export choose alike: {filters}");
    lines.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

#[test]
fn list_in_a_pipe_is_aligned_and_oldest_first() {
    let sandbox = three_users();
    assert_snapshot!(sandbox.run("audit list"), @"
    SEQ  WHEN                      EVENT         BY         USER             SESSION  REASON       DETAIL
    1    [TIME]  user.created  root@mill  ada@example.com  -        -            roles: user
    2    [TIME]  user.created  root@mill  bob@example.com  -        -            roles: user
    3    [TIME]  user.created  root@mill  eve@example.com  -        -            roles: user
    4    [TIME]  user.banned   root@mill  bob@example.com  -        two strikes  now banned, ban reason set to two strikes
    ");
    assert_eq!(sandbox.run("audit ls").success(), sandbox.run("audit list").success());
}

#[test]
fn json_entry_has_every_field_and_milliseconds() {
    let sandbox = three_users();
    let list = sandbox.run("audit list --json").json();
    assert_eq!((list.as_object().unwrap().len(), &list["next"]), (2, &Value::Null));
    let fields =
        "seq at event osUser host actorId actorEmail userId userEmail sessionId reason detail changes form hash";
    for entry in list["entries"].as_array().unwrap() {
        let keys: BTreeSet<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, fields.split(' ').collect());
    }
    let banned = &list["entries"][3];
    assert_eq!((&banned["at"], &banned["reason"]), (&"2026-01-04T00:00:00.000Z".into(), &"two strikes".into()));
    assert!(banned["actorId"].is_null() && banned["sessionId"].is_null() && banned["detail"].is_null());
    assert_eq!(sandbox.run("audit export --json").success(), sandbox.run("audit export").success());
    let tail = sandbox.run("audit tail --lines 2 --json").json();
    assert_eq!(tail["entries"].as_array().unwrap()[..], list["entries"].as_array().unwrap()[2..]);
}

#[test]
fn empty_log_is_listed_as_empty() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    assert_eq!(entries(&sandbox), [Value::Null; 0]);
    assert_eq!(sandbox.run("audit export").success(), "");
    assert_eq!(sandbox.run("audit tail --json").json()["entries"].as_array().unwrap().len(), 0);
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!((&whole["whole"], &whole["entries"]), (&true.into(), &0.into()));
}

#[test]
fn missing_database_is_refused_and_not_created() {
    let sandbox = Sandbox::new();
    for words in ["list", "export", "tail", "tail --follow", "verify"] {
        assert_eq!(sandbox.run(&format!("audit {words} --json")).json_error(9)["code"], "DATABASE_MISSING");
    }
    assert!(!sandbox.database().exists());
}

#[test]
fn filters_select_by_user_event_and_time_together() {
    let sandbox = three_users();
    let id = |name: &str| {
        let shown = sandbox.run(&format!("users show {name}@example.com --json")).json();
        shown["user"]["id"].as_str().unwrap().to_owned()
    };
    let (bob, eve) = (id("bob"), id("eve"));
    sandbox.execute(&format!("UPDATE authctl_audit SET actorId = '{eve}' WHERE seq = 1"));
    assert_eq!(seqs(&sandbox, "--user bob@example.com"), [2, 4]);
    assert_eq!(seqs(&sandbox, &format!("--user {bob}")), [2, 4]);
    assert_eq!(seqs(&sandbox, &format!("--user {eve}")), [1, 3], "acts by a user and about a user count alike");
    assert_eq!(seqs(&sandbox, "--user BOB@example.com --event user.b"), [4]);
    assert_eq!(seqs(&sandbox, "--event user"), [1, 2, 3, 4]);
    assert_eq!(seqs(&sandbox, "--event created"), [0; 0], "from its beginning");
    assert_eq!(seqs(&sandbox, "--since 2026-01-02T00:00:00Z"), [2, 3, 4], "--since includes the instant");
    assert_eq!(seqs(&sandbox, "--until 2026-01-02T00:00:00Z"), [1], "that instant is not");
    assert_eq!(seqs(&sandbox, "--since 2026-01-02T02:00:00+02:00 --until 2026-01-04T00:00:00Z"), [2, 3]);
    assert_eq!(seqs(&sandbox, "--since 2026-01-03T00:00:00Z --user bob@example.com"), [4]);
    assert_eq!(seqs(&sandbox, "--since 2026-01-04T00:00:00Z --until 2026-01-01T00:00:00Z"), [0; 0]);

    sandbox.run("users delete bob@example.com --yes").success();
    assert_eq!(seqs(&sandbox, &format!("--user {bob}")), [2, 4, 5], "the log still knows who is gone");
    assert_eq!(seqs(&sandbox, "--user bob@example.com"), [2, 4, 5], "by the address too");
    assert_eq!(sandbox.run("audit list --user unknown@example.com --json").json_error(3)["code"], "USER_NOT_FOUND");
}

#[test]
fn failed_selects_what_failed() {
    let sandbox = three_users();
    let _ = sandbox.run_with_input("signin unknown@example.com --password-stdin", "wrong password").failure(7);
    sandbox.execute("UPDATE authctl_audit SET event = 'mail.failed' WHERE seq = 2");
    assert_eq!(seqs(&sandbox, "--failed"), [2, 5]);
    assert_eq!(seqs(&sandbox, "--failed --event signin --since 1h"), [5]);
    assert_eq!(seqs(&sandbox, "--before 3"), [1, 2]);
    assert_eq!(seqs(&sandbox, "--after 1 --before 4 --limit 1"), [2]);
}

/// The numbers in a list on a terminal, in its order.
fn shown(sandbox: &Sandbox, words: &str) -> (Vec<i64>, String) {
    let list = sandbox.command(format!("audit list --color never {words}").split(' '));
    let text = Terminal::with_columns(120).run(list).end().with_code(0);
    let numbers = text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    (numbers.collect(), text)
}

#[test]
fn terminal_has_the_newest_entry_first_and_pages_backwards() {
    let sandbox = three_users();
    let (all, text) = shown(&sandbox, "--wide");
    assert_eq!(all, [4, 3, 2, 1], "{text}");
    let (first, text) = shown(&sandbox, "--limit 2");
    assert_eq!(first, [4, 3]);
    assert!(text.contains("the next page: --before 3"), "{text}");
    let (rest, text) = shown(&sandbox, "--limit 2 --before 3");
    assert_eq!((rest, text.contains("next page")), (vec![2, 1], false), "{text}");
    assert_eq!(shown(&sandbox, "--user bob@example.com").0, [4, 2]);
    assert_eq!(shown(&sandbox, "--user bob@example.com --limit 1 --before 4").0, [2]);
    assert_eq!(shown(&sandbox, "--after 1").0, [2, 3, 4], "after an entry, the oldest first");
}

#[test]
fn users_of_old_entries_are_named_by_their_address_now() {
    let sandbox = three_users();
    sandbox.execute("UPDATE authctl_audit SET form = 1, userEmail = NULL, actorId = userId WHERE seq < 4");
    let list = sandbox.run("audit list").success();
    assert!(list.lines().nth(1).unwrap().contains("as ada@example.com  ada@example.com  "), "{list}");
    sandbox.run("users delete bob@example.com --yes").success();
    let list = sandbox.run("audit list").success();
    assert!(!list.lines().nth(2).unwrap().contains("bob@example.com"), "{list}");
    assert!(list.lines().nth(4).unwrap().contains("bob@example.com"), "as the log has it: {list}");
    assert!(entries(&sandbox)[0]["userEmail"].is_null(), "programs get what the log has");
}

#[test]
fn invalid_instant_or_count_is_a_usage_error() {
    let sandbox = three_users();
    for wrong in ["tomorrow", "", "2026-13-01T00:00:00Z", "2026-02-30", "12:00", "1767225600"] {
        for flag in ["--since", "--until"] {
            let _ = sandbox.run_words(&["audit", "list", &format!("{flag}={wrong}")]).failure(2);
            let _ = sandbox.run_words(&["audit", "export", &format!("{flag}={wrong}")]).failure(2);
        }
    }
    for wrong in ["-1", "many", ""] {
        let _ = sandbox.run_words(&["audit", "tail", &format!("--lines={wrong}")]).failure(2);
    }
}

#[test]
fn tail_shows_the_newest_twenty_by_default() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    sandbox.execute(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
         INSERT INTO authctl_audit (seq, form, at, event, osUser, host, hash) SELECT i, 2, i, 'x', 'x', 'x', 'x' FROM n",
    );
    let seqs = |words: &str| -> Vec<i64> {
        let answer = sandbox.run(&format!("audit tail --json {words}")).json();
        answer["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs(""), (11..=30).collect::<Vec<_>>());
    assert_eq!(seqs("-n 2"), [29, 30]);
    assert_eq!(seqs("--lines 0"), [0; 0]);
    assert_eq!(seqs("--lines 1000"), (1..=30).collect::<Vec<_>>());
}

#[test]
fn logged_text_is_escaped_on_a_terminal() {
    let sandbox = three_users();
    let reason = "a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e\u{7f}";
    sandbox.run_words(&["users", "unban", "bob@example.com", "--reason", reason]).success();
    let hostile = "'h' || char(27) || '[2J' || char(10) || char(155) || char(8238)";
    for column in
        ["host", "osUser", "event", "actorId", "actorEmail", "userId", "userEmail", "sessionId", "detail", "changes"]
    {
        sandbox.execute(&format!("UPDATE authctl_audit SET {column} = {hostile} WHERE seq = 5"));
    }
    let bad = |c: char| c.is_control() || c == '\u{202e}';
    let follower = Follower::start(&sandbox, "audit tail --lines 1 --follow");
    let line = follower.line();
    follower.signal(Signal::INT);
    let _ = follower.end(&sandbox);
    for (shown, lines) in
        [(sandbox.run("audit list").success(), 6), (sandbox.run("audit tail --lines 1").success(), 2), (line, 1)]
    {
        assert_eq!(shown.lines().count(), lines, "{shown:?}");
        assert!(!shown.lines().any(|line| line.contains(bad)), "{shown:?}");
    }
    let list = entries(&sandbox);
    assert_eq!(list[4]["reason"], reason, "programs get what was said");
}
