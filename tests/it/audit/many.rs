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
fn a_hundred_thousand_entries_are_followed() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let mut sql = sandbox.sql();
    let tx = sql.transaction().unwrap();
    let mut last: Option<Entry> = None;
    {
        let insert = "INSERT INTO authctl_audit (seq, form, at, event, osUser, host, userId, hash)
            VALUES (?1, 2, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = tx.prepare(insert).unwrap();
        for number in 0..100_000 {
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
    assert_eq!((&whole["entries"], &whole["head"]), (&100_000.into(), &last.unwrap().hash.into()));
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    assert_eq!(sandbox.run("audit verify --json").json()["entries"], 100_001);
    sandbox.execute("UPDATE authctl_audit SET userId = 'mallory' WHERE seq = 99999");
    assert_eq!(broken(&sandbox), "entry 99999 is not what was written");
}

/// Lists are printed in pages of a thousand entries.
fn lists_are_whole(sandbox: &Sandbox) {
    let exported = sandbox.run("audit export").success();
    assert_eq!(exported.lines().count(), 100_000);
    for (limit, count) in [(999, 999), (1000, 1000), (1001, 1001), (3000, 3000), (200_000, 99_990)] {
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
