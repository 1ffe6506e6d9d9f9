//! `audit verify`: an intact log verifies, and every change to it is found.

use authctl::auth::audit::Entry;
use insta::assert_snapshot;
use rusqlite::types::Value as Cell;

use crate::audit::entries;
use crate::sandbox::Sandbox;

const COLUMNS: [&str; 15] = [
    "seq",
    "form",
    "at",
    "event",
    "osUser",
    "host",
    "actorId",
    "actorEmail",
    "userId",
    "userEmail",
    "sessionId",
    "reason",
    "detail",
    "changes",
    "hash",
];
/// The position of a column.
const USER_ID: usize = 8;
const HASH: usize = 14;

/// Six entries. Each column has a value in at least one of them.
fn six_entries() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run_words(&["account", "update", "--name", "Countess", "--reason", "new name"]).success();
    sandbox.run("users create bob@example.com --name Bob --no-password").success();
    sandbox.run("users ban bob@example.com --reason spam").success();
    sandbox.run("sessions revoke --all").success();
    assert_eq!(entries(&sandbox).len(), 6);
    sandbox
}

fn rows(sandbox: &Sandbox) -> Vec<Vec<Cell>> {
    let sql = sandbox.sql();
    let query = format!("SELECT {} FROM authctl_audit ORDER BY seq", COLUMNS.join(", "));
    let mut statement = sql.prepare(&query).unwrap();
    let row = |row: &rusqlite::Row<'_>| (0..COLUMNS.len()).map(|column| row.get(column)).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Replaces all entries with the given rows.
fn write(sandbox: &Sandbox, rows: &[Vec<Cell>]) {
    let mut sql = sandbox.sql();
    let tx = sql.transaction().unwrap();
    tx.execute("DELETE FROM authctl_audit", []).unwrap();
    for row in rows {
        let insert = format!(
            "INSERT INTO authctl_audit ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            COLUMNS.join(", ")
        );
        tx.execute(&insert, rusqlite::params_from_iter(row)).unwrap();
    }
    tx.commit().unwrap();
}

/// Asserts that `verify` finds the log broken, and returns its message.
pub fn broken(sandbox: &Sandbox) -> String {
    let error = sandbox.run("audit verify --json").json_error(1);
    assert_eq!(error["code"], "AUDIT_LOG_BROKEN", "{error}");
    let message = error["message"].as_str().unwrap();
    message.strip_prefix("the audit log is broken: ").unwrap_or(message).to_owned()
}

fn hash(sandbox: &Sandbox, number: usize) -> String {
    entries(sandbox)[number - 1]["hash"].as_str().unwrap().to_owned()
}

#[test]
fn intact_log_reports_length_and_newest_hash() {
    let sandbox = six_entries();
    let newest = hash(&sandbox, 6);
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!(whole.as_object().unwrap().len(), 6, "{whole}");
    assert_eq!((&whole["whole"], &whole["entries"]), (&true.into(), &6.into()));
    assert_eq!(whole["head"], newest.as_str());
    let text = sandbox.run("audit verify").to_string().replace(&newest, "[HASH]");
    assert_snapshot!(text, @"
    entries      6
    newest hash  [HASH]
    ------- stderr -------
    no entry was edited, removed or moved in [HOME]/.local/share/authctl/auth.db; note the hash elsewhere to notice a cut end
    ");
    for number in 1..=6 {
        sandbox.run(&format!("audit verify --contains {}", hash(&sandbox, number))).success();
    }
    sandbox.run("users unban bob@example.com").success();
    sandbox.run(&format!("audit verify --contains {newest}")).success();
}

#[test]
fn a_broken_log_is_exit_code_1_and_names_the_first_bad_entry() {
    let sandbox = six_entries();
    sandbox.execute("UPDATE authctl_audit SET reason = 'nothing' WHERE seq IN (4, 5)");
    assert_snapshot!(sandbox.run("audit verify"), @"
    ------- stderr -------
    error: the audit log is broken: entry 4 is not what was written
    hint: compare it with a backup or an export; `authctl help security` says what the log can prove
    [exit status: 1]
    ");
}

#[test]
fn an_edit_of_any_column_is_found() {
    let sandbox = six_entries();
    let whole = rows(&sandbox);
    for number in 0..whole.len() {
        for column in 1..COLUMNS.len() {
            let edits = match &whole[number][column] {
                Cell::Integer(number) => vec![Cell::Integer(number + 1), Cell::Integer(-number)],
                Cell::Null => vec![Cell::Text(String::new()), Cell::Text("-".into()), Cell::Text("-;".into())],
                Cell::Text(text) => {
                    // Flip one bit of the first byte, remove one character, add one.
                    let mut bytes = text.clone().into_bytes();
                    bytes[0] ^= 1;
                    let shorter = text[1..].to_owned();
                    let longer = format!("{text} ");
                    [String::from_utf8(bytes).unwrap(), shorter, longer].into_iter().map(Cell::Text).collect()
                }
                other => panic!("{other:?}"),
            };
            let absent = (!matches!(COLUMNS[column], "form" | "at" | "event" | "osUser" | "host" | "hash")
                && whole[number][column] != Cell::Null)
                .then_some(Cell::Null);
            for edit in edits.into_iter().chain(absent) {
                let mut edited = whole.clone();
                edited[number][column] = edit;
                write(&sandbox, &edited);
                let place = format!("entry {} is not what was written", number + 1);
                assert_eq!(broken(&sandbox), place, "{} of {number}", COLUMNS[column]);
            }
        }
    }
    write(&sandbox, &whole);
    sandbox.run("audit verify").success();
}

/// An entry as a value of the library.
fn entry(row: &[Cell]) -> Entry {
    let text = |column: usize| match &row[column] {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    };
    let number = |column: usize| match row[column] {
        Cell::Integer(number) => number,
        _ => unreachable!(),
    };
    Entry {
        seq: number(0).try_into().unwrap(),
        form: number(1).try_into().unwrap(),
        at: jiff::Timestamp::from_second(number(2)).unwrap(),
        event: text(3).unwrap(),
        os_user: text(4).unwrap(),
        host: text(5).unwrap(),
        actor_id: text(6),
        actor_email: text(7),
        user_id: text(USER_ID),
        user_email: text(9),
        session_id: text(10),
        reason: text(11),
        detail: text(12),
        changes: text(13),
        hash: text(HASH).unwrap(),
    }
}

#[test]
fn edit_with_new_hash_breaks_the_next_entry() {
    let sandbox = six_entries();
    let whole = rows(&sandbox);
    for number in 1..=6 {
        let mut edited = whole.clone();
        let row = &mut edited[number - 1];
        row[USER_ID] = Cell::Text("mallory".into());
        let before = if number == 1 { String::new() } else { hash_of(&whole[number - 2]) };
        let made_anew = entry(row).hash_after(&before);
        row[HASH] = Cell::Text(made_anew);
        write(&sandbox, &edited);
        if number < 6 {
            assert_eq!(broken(&sandbox), format!("entry {} is not what was written", number + 1));
        } else {
            // No entry follows the newest one: only a hash that was noted elsewhere shows it.
            sandbox.run("audit verify").success();
            let _ = sandbox.run(&format!("audit verify --contains {}", hash_of(&whole[5]))).failure(1);
        }
    }
}

fn hash_of(row: &[Cell]) -> String {
    entry(row).hash
}

#[test]
fn text_moved_between_columns_is_found() {
    let sandbox = six_entries();
    let whole = rows(&sandbox);
    let sql = "UPDATE authctl_audit SET userId = NULL, actorId = userId WHERE seq = 1";
    for edit in [
        sql,
        "UPDATE authctl_audit SET reason = detail, detail = NULL WHERE seq = 1",
        "UPDATE authctl_audit SET osUser = osUser || substr(host, 1, 1), host = substr(host, 2) WHERE seq = 1",
    ] {
        sandbox.execute(edit);
        assert_eq!(broken(&sandbox), "entry 1 is not what was written", "{edit}");
        write(&sandbox, &whole);
    }
}

#[test]
fn entries_that_were_removed_moved_or_inserted_are_found() {
    let sandbox = six_entries();
    let whole = rows(&sandbox);
    let renumbered = |mut rows: Vec<Vec<Cell>>| {
        for (row, number) in rows.iter_mut().zip(1..) {
            row[0] = Cell::Integer(number);
        }
        rows
    };
    let without = |number: usize| {
        let mut rows = whole.clone();
        rows.remove(number - 1);
        rows
    };
    let with_twin = |number: usize| {
        let mut rows = whole.clone();
        rows.insert(number, whole[number - 1].clone());
        rows
    };
    let swapped = |one: usize, other: usize| {
        let mut rows = whole.clone();
        rows.swap(one - 1, other - 1);
        renumbered(rows)
    };
    let mut far = whole.clone();
    far[5][0] = Cell::Integer(1000);
    let mut before_all = whole.clone();
    before_all[2][0] = Cell::Integer(-3);
    for (rows, place) in [
        (without(1), "entry 1 is missing"),
        (without(3), "entry 3 is missing"),
        (renumbered(without(1)), "entry 1 is not what was written"),
        (renumbered(without(3)), "entry 3 is not what was written"),
        (renumbered(with_twin(3)), "entry 4 is not what was written"),
        (renumbered(with_twin(6)), "entry 7 is not what was written"),
        (swapped(2, 3), "entry 2 is not what was written"),
        (swapped(5, 6), "entry 5 is not what was written"),
        (far, "entry 6 is missing"),
        (before_all, "entry 3 is missing"),
    ] {
        write(&sandbox, &rows);
        assert_eq!(broken(&sandbox), place);
    }
}

#[test]
fn entries_with_invalid_text_or_time_break_the_log() {
    let sandbox = six_entries();
    for edit in ["at = 9223372036854775807", "reason = CAST(x'fffe' AS TEXT)"] {
        sandbox.execute(&format!("UPDATE authctl_audit SET {edit} WHERE seq = 3"));
        let ran = sandbox.run("audit verify --json");
        assert!([1, 9].contains(&ran.code), "{edit}: {ran}");
        assert!(
            ran.stdout.is_empty() && ["row 3", "entry 3"].iter().any(|place| ran.stderr.contains(place)),
            "it names the entry: {edit}: {ran}"
        );
    }
}

#[test]
fn missing_end_of_the_log_is_found_by_a_noted_hash() {
    let sandbox = six_entries();
    let (kept, noted) = (hash(&sandbox, 4), hash(&sandbox, 6));
    sandbox.execute("DELETE FROM authctl_audit WHERE seq > 4");
    let whole = sandbox.run("audit verify --json").json();
    assert_eq!((&whole["entries"], &whole["head"]), (&4.into(), &kept.as_str().into()));
    sandbox.run(&format!("audit verify --contains {kept}")).success();
    assert_snapshot!(sandbox.run(&format!("audit verify --contains {noted}")), @"
    ------- stderr -------
    error: the audit log has no entry with this hash: it was cut off, or is another one
    hint: compare it with a backup or an export; `authctl help security` says what the log can prove
    [exit status: 1]
    ");
    // Entries appended after the cut do not repair the log.
    sandbox.run("users unban bob@example.com").success();
    sandbox.run("users ban bob@example.com").success();
    sandbox.run("audit verify").success();
    for hash in [&noted, "", &kept[1..], "nothing"] {
        let error = sandbox.run_words(&["audit", "verify", "--json", "--contains", hash]).json_error(1);
        assert_eq!(error["code"], "AUDIT_LOG_BROKEN", "{hash}");
    }
    sandbox.execute("DELETE FROM authctl_audit");
    assert_eq!(sandbox.run("audit verify --json").json()["entries"], 0);
    let _ = sandbox.run(&format!("audit verify --contains {kept}")).failure(1);
}

#[test]
fn list_that_an_unreadable_entry_cuts_off_is_a_whole_document() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute(
        "WITH RECURSIVE more (seq) AS (SELECT max(seq) + 1 FROM authctl_audit UNION ALL SELECT seq + 1 FROM more LIMIT 1500)
         INSERT INTO authctl_audit SELECT more.seq, form, at, event, osUser, host, actorId, actorEmail, userId, userEmail,
             sessionId, reason, detail, changes, hash FROM more, (SELECT * FROM authctl_audit LIMIT 1);
         UPDATE authctl_audit SET detail = CAST(x'ff' AS TEXT) WHERE seq = 1400",
    );
    let ran = sandbox.run("audit list --json");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let entries = document["entries"].as_array().unwrap();
    assert_eq!((ran.code, entries.len(), &document["next"]), (9, 1000, &entries[999]["seq"]), "{}", ran.stderr);
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("row 1400 of table authctl_audit"), "{error}");
    // In the first page, the error is the whole answer.
    let error = sandbox.run(&format!("audit list --json --after {}", document["next"])).json_error(9);
    assert_eq!(error["code"], "DATABASE_CORRUPT");
    let rest = sandbox.run("audit list --json --after 1400").json();
    assert!(rest["next"].is_null() && rest["entries"].as_array().unwrap().len() > 50, "{rest}");
    for words in ["audit list", "audit export"] {
        let ran = sandbox.run(words);
        assert_eq!((ran.code, ran.stdout.ends_with('\n')), (9, true), "{words}");
    }
}
