//! `sessions revoke` with filters for age, idle time, network and program, which are combined with "and".

use insta::assert_snapshot;

use crate::sandbox::Sandbox;
use crate::sessions_operator::{gone, ids, left, set, two_users, without_sign_in};

/// Asserts which sessions the filters select, with `--dry-run`.
fn chooses(sandbox: &Sandbox, filters: &str, expected: &str) {
    let answer = sandbox.run(&format!("sessions revoke {filters} --dry-run --json")).json();
    assert_eq!(ids(&answer), set(expected), "{filters}");
    assert_eq!(answer["ended"], set(expected).len(), "{filters}");
}

#[test]
fn age_counts_from_the_sign_in_and_idleness_from_the_last_move() {
    let sandbox = without_sign_in();
    let day = 86_400;
    for (id, created, updated) in
        [("current", 40, 0), ("elsewhere", 30, 30), ("bob1", 29, 8), ("bob2", 0, 0), ("over-bob", 99, 99)]
    {
        sandbox.execute(&format!(
            "UPDATE session SET createdAt = unixepoch() - {created} * {day}, updatedAt = unixepoch() - {updated} * {day}
             WHERE id = '{id}'"
        ));
    }
    chooses(&sandbox, "--all-users --older-than 30d", "current elsewhere");
    chooses(&sandbox, "--all-users --older-than 41d", "");
    chooses(&sandbox, "--all-users --older-than 0s", "current elsewhere bob1 bob2");
    chooses(&sandbox, "--all-users --idle 8d", "elsewhere bob1");
    chooses(&sandbox, "--all-users --idle 9d", "elsewhere");
    chooses(&sandbox, "--all-users --older-than 40d --idle 1d", "");
    chooses(&sandbox, "--user bob@example.com --older-than 7d", "bob1");
    for wrong in ["soon", "", "30", "-1d", "1y"] {
        for flag in ["--older-than", "--idle"] {
            let words = ["sessions", "revoke", "--all-users", &format!("{flag}={wrong}")];
            let _ = sandbox.run_words(&words).failure(2);
        }
    }
    assert_eq!(gone(&sandbox), "");
    assert_eq!(sandbox.run("sessions revoke --all-users --idle 8d --json").json()["ended"], 2);
    assert_eq!(gone(&sandbox), "bob1 elsewhere");
}

#[test]
fn ip_filter_matches_networks_and_addresses() {
    let sandbox = without_sign_in();
    for (network, expected) in [
        ("10.0.0.0/8", "current bob1"),
        ("10.0.0.1", "current"),
        ("10.0.0.0/31", "current"),
        ("10.0.0.2/32", "bob1"),
        ("10.200.3.4/8", "current bob1"),
        ("0.0.0.0/0", "current elsewhere bob1"),
        ("2001:db8::/32", "bob2"),
        ("2001:DB8:0::1", "bob2"),
        ("::/0", "bob2"),
        ("2001:db9::/32", ""),
        ("198.51.100.0/24", ""),
    ] {
        chooses(&sandbox, &format!("--all-users --ip {network}"), expected);
    }
    for wrong in ["", "10.0.0.0/33", "10.0.0", "::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/+8", "a.b"]
    {
        let _ = sandbox.run_words(&["sessions", "revoke", "--all-users", &format!("--ip={wrong}")]).failure(2);
    }
    sandbox.execute("UPDATE session SET ipAddress = CASE id WHEN 'bob1' THEN NULL ELSE 'no address' END");
    chooses(&sandbox, "--all-users --ip 0.0.0.0/0", "");
    chooses(&sandbox, "--all-users --ip ::/0", "");
    assert_eq!(gone(&sandbox), "");
}

#[test]
fn user_agent_pattern_matches_the_whole_text() {
    let sandbox = without_sign_in();
    sandbox.execute("UPDATE session SET userAgent = NULL WHERE id = 'elsewhere'");
    for (pattern, expected) in [
        ("curl*", "bob1"),
        ("curl/?.1", "bob1"),
        ("laptop", "current bob2"),
        ("l*p", "current bob2"),
        ("lap", ""),
        ("Laptop", ""),
        ("*", "current elsewhere bob1 bob2"),
        ("%", ""),
        ("[lc]*", ""),
    ] {
        chooses(&sandbox, &format!("--all-users --user-agent {pattern}"), expected);
    }
}

#[test]
fn filters_are_combined_with_and() {
    let sandbox = without_sign_in();
    chooses(&sandbox, "--all-users --ip 10.0.0.0/8 --user-agent laptop", "current");
    chooses(&sandbox, "--user bob@example.com --ip 10.0.0.0/8 --user-agent laptop", "");
    chooses(&sandbox, "--user bob@example.com --ip 10.0.0.0/8 --user-agent curl*", "bob1");
    chooses(&sandbox, "--all-users --ip 10.0.0.0/8 --user-agent laptop --older-than 1d", "");
    chooses(&sandbox, "--all-users --all --ip 10.0.0.0/8", "current bob1");
    // An id that the other filters exclude counts as not found.
    let _ = sandbox.run("sessions revoke --all-users bob1 --ip 192.0.2.0/24").failure(3);
    assert_eq!(
        sandbox.run("sessions revoke --all-users --ip 10.0.0.0/8 --user-agent laptop --json").json()["ended"],
        1
    );
    assert_eq!(gone(&sandbox), "current");
}

#[test]
fn filters_alone_select_own_sessions() {
    let sandbox = two_users();
    for filter in ["--ip 0.0.0.0/0", "--user-agent *", "--older-than 0s", "--idle 0s"] {
        chooses(&sandbox, filter, "current elsewhere");
    }
    assert_eq!(sandbox.run("sessions revoke --user-agent curl* --json").json()["ended"], 1);
    assert_eq!(gone(&sandbox), "elsewhere");
    let sandbox = without_sign_in();
    for filter in ["--ip 0.0.0.0/0", "--user-agent *", "--older-than 0s", "--idle 0s", "--ip ::/0 --except-current"] {
        let _ = sandbox.run(&format!("sessions revoke {filter}")).failure(4);
    }
    assert_eq!(gone(&sandbox), "");
}

#[test]
fn except_current_keeps_exactly_the_stored_session() {
    for (words, expected) in [
        ("--all-users --all", "bob1 bob2 elsewhere"),
        ("--user ada@example.com", "elsewhere"),
        ("--user bob@example.com", "bob1 bob2"),
        ("--all", "elsewhere"),
        ("--user-agent laptop", ""),
        ("--all-users --user-agent laptop", "bob2"),
    ] {
        let sandbox = two_users();
        let file = std::fs::read(sandbox.session_file()).unwrap();
        let answer = sandbox.run(&format!("sessions revoke {words} --except-current --json")).json();
        assert_eq!((ids(&answer), &answer["signedOut"]), (set(expected), &false.into()), "{words}");
        let live: Vec<_> = left(&sandbox).into_iter().filter(|id| !id.starts_with("over-")).collect();
        assert_eq!(live.len(), 4 - set(expected).len(), "{words}");
        sandbox.run("whoami").success();
        assert_eq!(std::fs::read(sandbox.session_file()).unwrap(), file, "{words}");
    }
    // Naming the current session and excluding it is a contradiction, which must not succeed.
    let sandbox = two_users();
    let ran = sandbox.run("sessions revoke --all-users current --except-current");
    assert!([2, 3].contains(&ran.code), "{ran}");
    assert_eq!(gone(&sandbox), "");
}

#[test]
fn except_current_needs_a_readable_session_file() {
    let sandbox = two_users();
    std::fs::write(sandbox.session_file(), "{}").unwrap();
    for words in ["--all-users --all", "--user ada@example.com"] {
        let ran = sandbox.run(&format!("sessions revoke {words} --except-current"));
        assert_eq!((ran.code, gone(&sandbox).as_str()), (4, ""), "{words}: {ran}");
    }
}

#[test]
fn a_dry_run_lists_and_ends_nothing() {
    let sandbox = two_users();
    let before = (left(&sandbox), std::fs::read(sandbox.session_file()).unwrap());
    sandbox.execute("UPDATE session SET createdAt = createdAt - rowid * 60");
    assert_snapshot!(sandbox.run("sessions revoke --all-users --all --dry-run"), @"
       ID         SIGNED IN                 EXPIRES                   ADDRESS      FROM
       bob2       [TIME]  [TIME]  2001:db8::1  laptop
       bob1       [TIME]  [TIME]  10.0.0.2     curl/7.1
       elsewhere  [TIME]  [TIME]  192.0.2.7    curl/8.5
       current    [TIME]  [TIME]  10.0.0.1     laptop
    ------- stderr -------
    would end 4 sessions
    ");
    for words in ["--user ada@example.com", "--all-users current", "--ip 10.0.0.1", "--all-users --idle 0s"] {
        let answer = sandbox.run(&format!("sessions revoke {words} --dry-run --json")).json();
        assert_eq!((&answer["dryRun"], &answer["signedOut"]), (&true.into(), &false.into()), "{words}");
        assert!(ids(&answer).contains("current"), "{words}");
    }
    assert_eq!((left(&sandbox), std::fs::read(sandbox.session_file()).unwrap()), before);
    let answer = "SELECT count(*) FROM authctl_audit WHERE event = 'session.ended'";
    assert_eq!(sandbox.number(answer), 0);
}
