//! The audit log with concurrent writers and with many entries.

use std::process::{Command, Stdio};

use authctl::auth::audit::{Actor, Entry, Event, Subject};

use crate::audit::broken::broken;
use crate::audit::entries;
use crate::sandbox::{Ran, Sandbox};

#[test]
fn sixteen_parallel_processes_leave_a_valid_chain() {
    let sandbox = Sandbox::with_ada();
    let mut children = Vec::new();
    for number in 0..16 {
        let email = format!("user{number}@example.com");
        let mut command = sandbox.command(["users", "create", &email, "--name", "Somebody", "--no-password"]);
        command.args(["--wait", "60s", "--reason", &email]);
        children.push(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    }
    for child in children {
        sandbox.ran(&child.wait_with_output().unwrap()).success();
    }
    let ban = |number: usize| -> Command {
        sandbox.command(["users", "ban", &format!("user{number}@example.com"), "--wait", "60s", "--json"])
    };
    let children: Vec<_> =
        (0..16).map(|number| ban(number).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    let ended: Vec<Ran> = children.into_iter().map(|child| sandbox.ran(&child.wait_with_output().unwrap())).collect();
    assert!(ended.iter().all(|ran| ran.code == 0), "{ended:?}");
    assert_eq!(sandbox.run("audit verify --json").json()["entries"], 2 + 16 + 16);
    let seqs: Vec<_> = entries(&sandbox).iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=34).collect::<Vec<_>>());
}

#[test]
fn ten_thousand_entries_are_followed() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let mut sql = sandbox.sql();
    let tx = sql.transaction().unwrap();
    let mut last: Option<Entry> = None;
    {
        let insert = "INSERT INTO authctl_audit (seq, form, at, event, osUser, host, userId, hash)
            VALUES (?1, 2, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = tx.prepare(insert).unwrap();
        for number in 0..10_000 {
            let event = Event::user("user.updated", Subject::read(&format!("user-{number}"), None));
            let entry = Entry::following(last.as_ref(), &Actor::default(), event);
            let seq = i64::try_from(entry.seq).unwrap();
            let (at, user) = (entry.at.as_second(), &entry.user_id);
            statement.execute((seq, at, &entry.event, &entry.os_user, &entry.host, user, &entry.hash)).unwrap();
            last = Some(entry);
        }
    }
    tx.commit().unwrap();
    lists_are_whole(&sandbox);
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!((&whole["entries"], &whole["head"]), (&10_000.into(), &last.unwrap().hash.into()));
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    assert_eq!(sandbox.run("audit verify --json").json()["entries"], 10_001);
    sandbox.execute("UPDATE authctl_audit SET userId = 'mallory' WHERE seq = 9999");
    assert_eq!(broken(&sandbox), "entry 9999 is not what was written");
}

/// Lists are printed in pages of a thousand entries.
fn lists_are_whole(sandbox: &Sandbox) {
    let exported = sandbox.run("audit export").success();
    assert_eq!(exported.lines().count(), 10_000);
    for (limit, count) in [(999, 999), (1000, 1000), (1001, 1001), (3000, 3000), (20_000, 9_990)] {
        let ran = sandbox.run(&format!("audit list --json --after 10 --limit {limit}"));
        let last = 10 + count;
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(ran.stdout, format!("{document:#}\n"), "the pages make one document");
        assert_eq!(document["next"].as_u64(), (count == limit).then_some(last));
        let seqs: Vec<_> = document["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].clone()).collect();
        assert_eq!(seqs, (11..=last).map(serde_json::Value::from).collect::<Vec<_>>());
    }
    let table = sandbox.run("audit list --limit 2500").success();
    let starts: std::collections::BTreeSet<_> =
        table.lines().skip(1).map(|line| line.find("user.updated").unwrap()).collect();
    assert_eq!((table.lines().count(), starts.len()), (2501, 1), "the columns of all pages are aligned");
}

/// Entries about and by users are found by several indexes, and read in chunks.
#[test]
fn entries_of_a_user_are_those_that_name_the_user() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    sandbox.run("users create eve@example.com --name Eve --no-password").success();
    sandbox.execute(
        "WITH RECURSIVE n(i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < 4100)
         INSERT INTO authctl_audit (seq, form, at, event, osUser, host, actorId, actorEmail, userId, userEmail, hash)
         SELECT i, 2, i, iif(i % 3, 'session.begun', 'user.updated'), 'o', 'h',
             CASE WHEN i % 5 > 2 THEN 'id' || (i % 2) WHEN i % 5 = 1 THEN 'id' || (i % 3) END,
             CASE WHEN i % 5 > 2 THEN 'Ada' || (i % 2) || '@example.com' WHEN i % 11 = 1 THEN 'eve@example.com' END,
             CASE WHEN i % 7 THEN 'id' || (i % 3) END,
             CASE WHEN i % 13 > 2 THEN 'ada' || (i % 3) || '@example.com' WHEN i % 13 = 1 THEN 'EVE@example.com' END, 'x'
         FROM n",
    );
    let eve = sandbox.run("users show eve@example.com --json").json()["user"]["id"].as_str().unwrap().to_owned();
    let all = sandbox.run("audit list --json").json();
    let seqs = |entries: &serde_json::Value| -> Vec<u64> {
        entries.as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
    };
    let named = |ids: &[&str], email: Option<&str>| {
        let is = |entry: &serde_json::Value, id: &str, address: &str| {
            entry[id].as_str().is_some_and(|id| ids.contains(&id))
                || entry[address]
                    .as_str()
                    .is_some_and(|text| email.is_some_and(|email| text.eq_ignore_ascii_case(email)))
        };
        let is_of = |entry: &&serde_json::Value| is(entry, "userId", "userEmail") || is(entry, "actorId", "actorEmail");
        seqs(&all["entries"].as_array().unwrap().iter().filter(is_of).cloned().collect())
    };
    for (user, ids, email) in [
        ("id0", &["id0"][..], None),
        ("id2", &["id2"], None),
        ("unknown", &["unknown"], None),
        // Who has the address now, and entries with the address.
        ("eve@example.com", &[eve.as_str()], Some("eve@example.com")),
        // Who had the address in an entry, and entries with the address.
        ("ada0@example.com", &["id0"], Some("ada0@example.com")),
    ] {
        let expected = named(ids, email);
        let whole = sandbox.run(&format!("audit list --json --user {user}")).json();
        assert_eq!(seqs(&whole["entries"]), expected, "{user}");
        let (mut after, mut pages) = (Some(0), Vec::new());
        while let Some(seq) = after {
            let page =
                sandbox.run(&format!("audit list --json --user {user} --event user --after {seq} --limit 150")).json();
            after = page["next"].as_u64();
            pages.extend(seqs(&page["entries"]));
        }
        let updated = expected.iter().filter(|seq| **seq % 3 == 0 || **seq < 100).copied();
        assert_eq!(pages, updated.collect::<Vec<_>>(), "{user}");
        assert_eq!(expected.len() > 1000, user != "unknown" && !user.starts_with("eve"), "{user}: {}", expected.len());
    }
}
