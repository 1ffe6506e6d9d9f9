//! `sessions`: list, revoke, prune.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{PASSWORD, Sandbox};

/// Ada is signed in from two shells and has an expired session. Bob is signed in from a third shell.
fn two_shells() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    second_shell(&sandbox, "ada@example.com");
    let token = sandbox.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).success();
    assert_eq!(sandbox.number("SELECT count(*) FROM session"), 3, "{}", token.len());
    sandbox.execute(
        "UPDATE session SET expiresAt = unixepoch() - 1, userAgent = 'expired'
         WHERE rowid = (SELECT max(rowid) FROM session)",
    );
    sandbox.run_with_input("signup bob@example.com --name Bob --no-signin --password-stdin", PASSWORD).success();
    let _ = sandbox.run_with_input("signin bob@example.com --password-stdin --print-token", PASSWORD).success();
    sandbox
}

fn second_shell(sandbox: &Sandbox, email: &str) {
    sandbox.other_shell_with_input(&format!("signin {email} --password-stdin"), PASSWORD).success();
}

fn list(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.run("sessions --json").json()["sessions"].as_array().unwrap().clone()
}

/// The id of the session of the second shell.
fn other_id(sandbox: &Sandbox) -> String {
    let answer = sandbox.other_shell("whoami --json").json();
    answer["session"]["id"].as_str().unwrap().to_owned()
}

fn rows(sandbox: &Sandbox) -> i64 {
    sandbox.number("SELECT count(*) FROM session")
}

#[test]
fn list_shows_own_live_sessions_and_marks_the_current() {
    let sandbox = two_shells();
    let sessions = list(&sandbox);
    assert_eq!(sessions.len(), 2, "one has expired, one is another user's: {sessions:#?}");
    let me = sandbox.run("whoami --json").json();
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1, "{sessions:#?}");
    assert_eq!(current[0]["id"], me["session"]["id"]);
    for session in &sessions {
        let fields: BTreeSet<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "id",
            "userId",
            "expiresAt",
            "createdAt",
            "updatedAt",
            "ipAddress",
            "userAgent",
            "impersonatedBy",
            "current",
        ];
        assert_eq!(fields, BTreeSet::from(expected), "no token, no hash");
        assert_eq!(session["userId"], me["user"]["id"]);
        assert!(session["current"].is_boolean());
    }
    assert_eq!(sandbox.run("sessions list --json").success(), sandbox.run("sessions ls --json").success());
}

#[test]
fn list_in_a_pipe_is_aligned_text() {
    let sandbox = two_shells();
    sandbox.execute(
        "UPDATE session SET userAgent = 'laptop', ipAddress = '192.0.2.7', createdAt = createdAt - (9 - rowid) * 60",
    );
    assert_snapshot!(sandbox.run("sessions"), @"
       ID                                SIGNED IN                 EXPIRES                   ADDRESS    FROM
       [ID]  [TIME]  [TIME]  192.0.2.7  laptop
    *  [ID]  [TIME]  [TIME]  192.0.2.7  laptop
    ");
}

#[test]
fn session_is_ended_by_id() {
    let sandbox = two_shells();
    let id = other_id(&sandbox);
    let before = rows(&sandbox);
    assert_snapshot!(sandbox.run(&format!("sessions revoke {id}")), @"
    ------- stderr -------
    ended 1 session
    ");
    assert_eq!(rows(&sandbox), before - 1);
    let _ = sandbox.other_shell("whoami").failure(4);
    let _ = sandbox.run("whoami").success();
}

#[test]
fn foreign_or_unknown_session_id_is_3_and_ends_nothing() {
    let sandbox = two_shells();
    let bobs: String = sandbox
        .sql()
        .query_row(
            "SELECT s.id FROM session s JOIN user u ON u.id = s.userId WHERE u.email = 'bob@example.com'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let before = rows(&sandbox);
    let of_bob = sandbox.run(&format!("sessions revoke {bobs}"));
    assert_snapshot!(of_bob, @"
    ------- stderr -------
    error: could not end sessions: no such session: [ID]
    hint: `authctl sessions` lists yours; nothing was ended
    [exit status: 3]
    ");
    // The answer is the same for an unknown id; otherwise a user could find ids of other users' sessions.
    let of_nobody = sandbox.run("sessions revoke 00000000000000000000000000000000");
    assert_eq!(of_bob.to_string(), of_nobody.to_string());
    assert_eq!(rows(&sandbox), before);
}

#[test]
fn several_ids_have_a_result_each_and_the_current_one_is_last() {
    let sandbox = two_shells();
    let (mine, other) = (list(&sandbox), other_id(&sandbox));
    let before = rows(&sandbox);
    let current = mine.iter().map(|session| session["id"].as_str().unwrap()).find(|id| *id != other).unwrap();
    let ran = sandbox.run(&format!("sessions revoke {current} unknown {other} --json"));
    assert_eq!((ran.code, rows(&sandbox)), (1, before - 2), "{ran}");
    let lines: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["error"]["code"], &lines[0]["target"]), (&"SESSION_NOT_FOUND".into(), &"unknown".into()));
    assert_eq!((&lines[1]["sessions"][0]["id"], &lines[1]["signedOut"]), (&other.into(), &false.into()));
    assert_eq!((&lines[2]["ended"], &lines[2]["signedOut"]), (&1.into(), &true.into()));
}

#[test]
fn others_keeps_the_current_session() {
    let sandbox = two_shells();
    assert_snapshot!(sandbox.run("sessions revoke --others"), @"
    ------- stderr -------
    ended 1 session
    ");
    let _ = sandbox.other_shell("whoami").failure(4);
    let _ = sandbox.run("whoami").success();
    assert_eq!(sandbox.number("SELECT count(*) FROM session WHERE userAgent <> 'expired'"), 2, "Bob's is left too");
    let again = sandbox.run("sessions revoke --others --json").json();
    assert_eq!((again["ended"].as_i64(), again["signedOut"].as_bool()), (Some(0), Some(false)));
}

#[test]
fn all_signs_out_and_removes_the_session_file() {
    let sandbox = two_shells();
    let file = sandbox.session_file();
    assert_snapshot!(sandbox.run("sessions revoke --all"), @"
    ------- stderr -------
    ended 2 sessions
    this session was among them: signed out
    ");
    assert!(!file.exists());
    let _ = sandbox.run("whoami").failure(4);
    let _ = sandbox.other_shell("whoami").failure(4);
    assert_eq!(rows(&sandbox), 1, "Bob's is left");
}

#[test]
fn dry_run_lists_sessions_and_ends_nothing() {
    let sandbox = two_shells();
    let id = other_id(&sandbox);
    let before = (rows(&sandbox), std::fs::read(sandbox.session_file()).unwrap());
    for (which, count) in [("--others", 1), ("--all", 2), (id.as_str(), 1)] {
        let ran = sandbox.run(&format!("sessions revoke {which} --dry-run"));
        assert!(ran.stderr.starts_with(&format!("would end {count} session")), "{ran}");
        assert!(ran.stdout.contains(&id), "{ran}");
        assert_eq!(ran.code, 0);
        let answer = sandbox.run(&format!("sessions revoke {which} --dry-run --json")).json();
        assert_eq!((answer["ended"].as_i64(), answer["dryRun"].as_bool()), (Some(count), Some(true)), "{answer}");
        assert_eq!(answer["signedOut"], false);
    }
    let _ = sandbox.run("sessions revoke unknown --dry-run").failure(3);
    assert_eq!((rows(&sandbox), std::fs::read(sandbox.session_file()).unwrap()), before);
    let _ = sandbox.run("whoami").success();
    let _ = sandbox.other_shell("whoami").success();
}

#[test]
fn exactly_one_selection_is_required() {
    let sandbox = two_shells();
    let before = rows(&sandbox);
    for which in ["", "--others --all", "--all some-id", "--others some-id", "--dry-run"] {
        let error = sandbox.run(&format!("sessions revoke {which} --json")).json_error(2);
        assert_eq!(error["code"], "USAGE", "{which}");
    }
    assert_eq!(rows(&sandbox), before);
}

#[test]
fn prune_deletes_all_expired_rows_without_a_sign_in() {
    let sandbox = two_shells();
    sandbox.run("signout").success();
    // Several thousand expired sessions, one that expires at the current second, and as many live ones.
    sandbox.execute(
        "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
         INSERT INTO session (id, token, userId, expiresAt, createdAt, updatedAt)
         SELECT 'over' || i, 'o' || i, (SELECT min(id) FROM user), unixepoch() - i, 0, 0 FROM n
         UNION ALL
         SELECT 'live' || i, 'l' || i, (SELECT min(id) FROM user), unixepoch() + 3600 + i, 0, 0 FROM n",
    );
    let live = "SELECT count(*) FROM session WHERE expiresAt > unixepoch()";
    let (all, alive) = (rows(&sandbox), sandbox.number(live));
    let over = all - alive;
    assert_eq!((over, alive), (5001, 5002));
    assert_snapshot!(sandbox.run("sessions prune --dry-run"), @"
    ------- stderr -------
    would delete 5001 expired sessions in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!(sandbox.run("sessions prune --dry-run --json").json()["pruned"], over);
    assert_eq!(rows(&sandbox), all);
    assert_snapshot!(sandbox.run("sessions prune"), @"
    ------- stderr -------
    deleted 5001 expired sessions in [HOME]/.local/share/authctl/auth.db
    ");
    assert_eq!((rows(&sandbox), sandbox.number(live)), (alive, alive));
    assert_eq!(sandbox.run("sessions prune --json").json()["pruned"], 0);
}

#[test]
fn prune_cut_short_leaves_whole_parts() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
         INSERT INTO session (id, token, userId, expiresAt, createdAt, updatedAt)
         SELECT 'over' || i, 'o' || i, (SELECT min(id) FROM user), unixepoch() - i, 0, 0 FROM n",
    );
    let before = rows(&sandbox);
    let mut prune = sandbox.command(["sessions", "prune"]);
    let mut running = prune.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while rows(&sandbox) == before && running.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&running), Signal::INT).unwrap();
    assert!(!running.wait().unwrap().success());
    let left = rows(&sandbox);
    assert!(1 < left && left < before, "{left} of {before}");
    // The entry of a part and its rows are there, or neither is.
    let told = "SELECT sum(CAST(detail AS INTEGER)) FROM authctl_audit WHERE event = 'sessions.pruned'";
    assert_eq!(sandbox.number(told), before - left);
    assert_eq!(sandbox.run("sessions prune --json").json()["pruned"], left - 1);
    sandbox.run("audit verify").success();
}
