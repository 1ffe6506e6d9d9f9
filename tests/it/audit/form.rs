//! The audit log across the migration that added addresses and values: old entries stay verifiable, and the
//! old version cannot append after a new entry.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;

use crate::app::{App, KYSELY};
use crate::audit::broken::broken;
use crate::audit::entries;
use crate::sandbox::Sandbox;

/// The newest hash in the fixture, printed by the version that wrote it.
const OLD_HEAD: &str = "4e00f4693771ee7f8423a05a381084f72bc0b7095272ad42099d654eb88e5766";
const OLD_ENTRIES: i64 = 13;

fn restore_old(path: &Path) {
    let directory = path.parent().unwrap();
    std::fs::create_dir_all(directory).unwrap();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).unwrap();
    let sql = rusqlite::Connection::open(path).unwrap();
    sql.execute_batch(include_str!("../../fixtures/native/v005.sql")).unwrap();
    sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A sandbox with a database of the previous version.
fn old_sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    restore_old(&sandbox.database());
    sandbox
}

#[test]
fn old_log_is_verified_after_the_migration_and_goes_on() {
    let sandbox = old_sandbox();
    sandbox.run("db migrate").success();
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!([&whole["entries"], &whole["oldForm"]], [OLD_ENTRIES, OLD_ENTRIES]);
    assert_eq!(whole["head"], OLD_HEAD);

    sandbox.run("users ban bob@example.com --reason spam").success();
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!([&whole["entries"], &whole["oldForm"]], [OLD_ENTRIES + 1, OLD_ENTRIES]);
    sandbox.run(&format!("audit verify --contains {OLD_HEAD}")).success();
    let text = sandbox.run("audit verify").to_string().replace(whole["head"].as_str().unwrap(), "[HASH]");
    assert_snapshot!(text, @"
    entries      14, the first 13 in the old form, without addresses
    newest hash  [HASH]
    ------- stderr -------
    no entry was edited, removed or moved in [HOME]/.local/share/authctl/auth.db; note the hash elsewhere to notice a cut end
    ");
    let log = entries(&sandbox);
    assert_eq!((&log[0]["userEmail"], &log[0]["form"]), (&serde_json::Value::Null, &1.into()));
    assert_eq!((&log[13]["userEmail"], &log[13]["form"]), (&"bob@example.com".into(), &2.into()));
    assert_eq!(sandbox.run("doctor --json").json()["healthy"], true);
}

#[test]
fn old_log_that_was_edited_is_broken_after_the_migration() {
    for (edit, place) in [
        ("UPDATE authctl_audit SET userId = 'mallory' WHERE seq = 6", "entry 6 is not what was written"),
        ("DELETE FROM authctl_audit WHERE seq = 6", "entry 6 is missing"),
    ] {
        let sandbox = old_sandbox();
        sandbox.execute(edit);
        assert_eq!(broken(&sandbox), place);
        let sandbox = old_sandbox();
        sandbox.run("users ban bob@example.com").success();
        sandbox.execute(edit);
        assert_eq!(broken(&sandbox), place);
    }
}

#[test]
fn old_entry_with_an_address_added_is_broken() {
    let sandbox = old_sandbox();
    sandbox.run("db migrate").success();
    for column in ["userEmail", "actorEmail", "changes"] {
        sandbox.execute(&format!("UPDATE authctl_audit SET {column} = '{{}}' WHERE seq = 4"));
        assert_eq!(broken(&sandbox), "entry 4 is not what was written", "{column}");
        sandbox.execute(&format!("UPDATE authctl_audit SET {column} = NULL WHERE seq = 4"));
    }
    sandbox.run("audit verify").success();
}

#[test]
fn entry_of_the_old_form_after_a_new_one_is_broken() {
    let sandbox = old_sandbox();
    sandbox.run("users ban bob@example.com").success();
    sandbox.run("users unban bob@example.com").success();
    sandbox.execute("UPDATE authctl_audit SET form = 1, userEmail = NULL, changes = NULL WHERE seq = 15");
    assert_eq!(broken(&sandbox), "entry 15 has the old form after entries of the new one");
    sandbox.execute("UPDATE authctl_audit SET form = 1, userEmail = NULL, changes = NULL WHERE seq = 14");
    assert_eq!(broken(&sandbox), "entry 14 is not what was written");
    let checked = sandbox.run("doctor --json");
    assert!(checked.stdout.contains("audit-log"), "{checked}");
}

#[test]
fn older_version_that_is_still_running_cannot_add_an_entry() {
    let sandbox = old_sandbox();
    // The statement of the previous version, on a connection opened before the migration.
    let old = sandbox.sql();
    let insert =
        "INSERT INTO authctl_audit (seq, at, event, osUser, host, actorId, userId, sessionId, reason, detail, hash)
        VALUES (?1, 0, 'x', 'x', 'x', NULL, NULL, NULL, NULL, NULL, 'x')";
    let mut statement = old.prepare(insert).unwrap();
    statement.execute([14]).unwrap();
    old.execute("DELETE FROM authctl_audit WHERE seq = 14", []).unwrap();
    sandbox.run("users ban bob@example.com").success();
    let refused = statement.execute([15]).unwrap_err().to_string();
    assert!(refused.contains("form"), "{refused}");
    sandbox.run("audit verify").success();
}

#[test]
fn restored_backup_of_the_old_version_has_a_valid_log() {
    let sandbox = Sandbox::with_ada();
    restore_old(&sandbox.path("backup/old.db"));
    sandbox.run("db restore backup/old.db --yes").success();
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!([&whole["entries"], &whole["oldForm"]], [OLD_ENTRIES + 1, OLD_ENTRIES]);
}

#[test]
fn log_beside_the_database_of_an_app_is_migrated_alike() {
    let app = App::new(KYSELY);
    app.run("users ban bob@example.com").success();
    let state = std::fs::read_dir(app.sandbox.path(".local/state/authctl")).unwrap();
    let state = state.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "db"));
    let state = state.unwrap();
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", state.display()));
    }
    restore_old(&state);
    app.run("users unban bob@example.com").success();
    let whole = app.run("audit verify --json").json();
    // One entry records the intent, the other the completed act.
    assert_eq!((&whole["oldForm"], whole["entries"].as_i64().unwrap()), (&OLD_ENTRIES.into(), OLD_ENTRIES + 2));
    let log = app.run("audit list --json").json();
    for (number, event) in [(13, "act.intended"), (14, "user.unbanned")] {
        let entry = &log["entries"][number];
        assert_eq!((&entry["event"], &entry["userEmail"]), (&event.into(), &"bob@example.com".into()));
    }
}
