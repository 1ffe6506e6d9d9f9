//! Rows of an app with values that cannot be read: they hide no other row, and every act works on them.

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::app::load;
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// The database of an app whose columns take any value, with bob's id `bob`.
struct Loose(Sandbox);

impl Loose {
    fn new(edit: &str) -> Self {
        let loose = Self(Sandbox::new());
        load(&loose.0, "drizzle-ms", "app.db");
        loose.edit(
            "PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(replace(sql, ' NOT NULL', ''), ' text', '') WHERE name IN ('user', 'session');
             PRAGMA writable_schema = RESET;
             UPDATE session SET user_id = 'bob', expires_at = expires_at + 4000000000000 WHERE user_id = (SELECT id FROM user WHERE email = 'bob@example.com');
             UPDATE account SET user_id = 'bob', account_id = 'bob' WHERE user_id = (SELECT id FROM user WHERE email = 'bob@example.com');
             UPDATE user SET id = 'bob' WHERE email = 'bob@example.com';",
        );
        loose.edit(edit);
        loose
    }

    fn edit(&self, sql: &str) {
        Connection::open(self.0.path("app.db")).unwrap().execute_batch(sql).unwrap();
    }

    fn run(&self, words: &str) -> Ran {
        let mut command = self.0.command(words.split_whitespace());
        self.0.finish_with_input(command.env("AUTHCTL_DB", self.0.path("app.db")), PASSWORD)
    }
}

/// Many odd values at once.
const ODD: &str = "
    UPDATE user SET name = NULL, created_at = NULL, image = x'89504e47', role = x'61646d696e' WHERE id = 'bob';
    UPDATE user SET email_verified = 2, updated_at = 'soon' WHERE email = 'ada@example.com';
    UPDATE user SET name = 7 WHERE email = 'emo@example.com';
    UPDATE session SET id = 'never', expires_at = 'never' WHERE rowid = (SELECT min(rowid) FROM session WHERE user_id = 'bob');";

#[test]
fn lists_show_odd_rows_with_what_can_be_read() {
    let loose = Loose::new(ODD);
    assert_snapshot!(loose.run("users list"), @"
    EMAIL                NAME          ROLE   STATE               CREATED                   ID
    ada@example.com      Ada Lovelace  admin  unverified          [TIME]  [ID]
    bob@example.com      -             user   unverified          -                         bob
    emo@example.com      7             user   unverified          [TIME]  [ID]
    mallory@example.com  Mallory       user   banned, unverified  [TIME]  [ID]
    octo@example.com     Octo          user   ok                  [TIME]  [ID]
    ------- stderr -------
    note: 3 rows have values that cannot be read, and the rest is shown: `authctl doctor` names them
    5 of 5 users
    ");
    let users = loose.run("users list --json").json();
    let bob = users["users"].as_array().unwrap().iter().find(|user| user["id"] == "bob").unwrap();
    assert_eq!(bob["unreadable"], serde_json::json!(["name", "image", "createdAt", "role"]));
    assert_eq!(
        (&bob["name"], &bob["createdAt"], &bob["role"], &bob["imageBytes"]),
        (&().into(), &().into(), &().into(), &4.into())
    );
    assert_snapshot!(loose.run("users show bob"), @"
    name             -
    email            bob@example.com
    verified         no
    user id          bob
    image            (4 bytes, left out)
    role             user
    banned           no
    second factor    no
    signs in by      credential
    live sessions    1
    failed attempts  0
    locked           no
    created          -
    updated          [TIME]
    ------- stderr -------
    note: values that cannot be read: name is null, image is not text, createdAt is null, role is not text: `authctl doctor` says more
    ");
    assert_snapshot!(loose.run("sessions list --user bob"), @"
    USER             ID     SIGNED IN                 EXPIRES  ADDRESS      FROM
    bob@example.com  never  [TIME]  -        203.0.113.7  Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
    ------- stderr -------
    note: 1 row has values that cannot be read, and the rest is shown: `authctl doctor` names them
    ");
    loose.run("db status").success();
    assert_snapshot!(loose.run("doctor"), @"
    notice: app-file: everybody on this machine may read the app's database, with the token of every session in it
      hint: if only the app reads it: chmod o= '[HOME]/app.db'
    problem: rows: rows with values that cannot be read: 4
      user.email_verified of row [ID] is neither 0 nor 1: authctl users verify-email [ID], with or without --undo
      user.updated_at of row [ID] is not a number of milliseconds: the next change of the user sets it
      user.name of row bob is null: authctl users update bob --name NAME
      user.image of row bob is not text: authctl users update bob --image URL
      user.created_at of row bob is null: correct it in the row with the program that wrote it; no command of authctl does that
      user.role of row bob is not text: authctl users set-role bob ROLE
      user.name of row [ID] is a number: authctl users update [ID] --name NAME
      session.expires_at of row never is not a number of milliseconds: authctl sessions revoke never --all-users
      hint: such a value gives no right: its user is not verified, banned, or has no role, its session is over
    notice: expired: expired rows that only take up room: sessions 1, codes 0
      hint: `authctl doctor --fix` deletes them; `authctl sessions prune` only the sessions
    [HOME]/app.db: not healthy, 1 problem, 2 notices
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    [exit status: 1]
    ");
    let doctor = loose.run("doctor --json");
    assert_eq!(doctor.code, 1);
    let report: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let rows = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "rows").unwrap();
    assert_eq!((rows["count"].as_u64(), rows["lines"].as_array().unwrap().len()), (Some(4), 8));
}

#[test]
fn every_act_works_on_an_odd_user_by_id() {
    let loose = Loose::new(ODD);
    loose.run("sessions revoke never --all-users").success();
    loose.run("users set-password bob --password-stdin").success();
    // As in the app, a user without a name signs in.
    loose.run("signin bob@example.com --no-store --password-stdin").success();
    loose.run("users ban bob --reason spam").success();
    loose.run("users unban bob").success();
    loose.run("users set-role bob user").success();
    loose.run("users verify-email bob").success();
    let renamed = loose.run("users update bob --name Bob --image https://example.com/b.png --json").json();
    assert_eq!(renamed["user"]["unreadable"], serde_json::json!(["createdAt"]));
    loose.run("signin bob@example.com --no-store --password-stdin").success();
    loose.run("users delete bob --yes").success();
    assert_eq!(loose.run("users list --json").json()["total"], 4);
}

#[test]
fn remedies_of_doctor_replace_the_values() {
    for (edit, words) in [
        ("name = NULL", "users update bob --name Bob"),
        ("email = x'00'", "users update bob --email bob@example.com"),
        ("image = x'00'", "users update bob --image https://example.com/b.png"),
        ("email_verified = 2", "users verify-email bob"),
        ("email_verified = 2", "users verify-email bob --undo"),
        ("role = x'00'", "users set-role bob user"),
        ("banned = 2", "users ban bob"),
        ("banned = 2", "users unban bob"),
        ("banned = 1, ban_reason = x'00'", "users ban bob"),
        ("banned = 1, ban_expires = 'soon'", "users ban bob"),
        ("banned = 1, ban_expires = 'soon'", "users unban bob"),
        ("banned = 0, ban_expires = 'soon'", "users unban bob"),
    ] {
        let loose = Loose::new(&format!("UPDATE user SET {edit} WHERE id = 'bob'"));
        let has_finding = || {
            let report: serde_json::Value = serde_json::from_str(&loose.run("doctor --json").stdout).unwrap();
            report["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "rows")
        };
        assert!(has_finding(), "{edit}");
        assert_eq!(loose.run(&format!("{words} --json")).json()["changed"], true, "{edit}: {words}");
        assert!(!has_finding(), "{edit}: {words}");
        let verified = loose.run("audit list --user bob --json").json();
        assert!(verified["entries"].as_array().unwrap().len() >= 2, "{edit}: {words}: {verified}");
    }
}

#[test]
fn doctor_names_at_most_ten_odd_values() {
    let loose = Loose::new("UPDATE user SET name = NULL, image = x'00', role = 7");
    let doctor = loose.run("doctor --json");
    let report: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let rows = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "rows").unwrap();
    let lines = rows["lines"].as_array().unwrap();
    assert_eq!(
        (rows["count"].as_u64(), lines.len(), lines.last().unwrap().as_str()),
        (Some(5), 11, Some("and 5 more"))
    );
}

#[test]
fn acts_about_a_user_without_an_id_are_refused() {
    let loose = Loose::new("PRAGMA foreign_keys = OFF; UPDATE user SET id = NULL WHERE email = 'emo@example.com';");
    let list = loose.run("users list");
    assert!(list.stdout.contains("(unreadable)") && list.stderr.contains("1 row has values"), "{list}");
    assert!(loose.run("doctor").stdout.contains("user.id of row emo@example.com is null"));
    let before = std::fs::read(loose.0.path("app.db")).unwrap();
    for act in [
        "users reset-code emo@example.com",
        "users set-password emo@example.com --password-stdin",
        "users ban emo@example.com --yes",
        "users unlock emo@example.com",
        "users update emo@example.com --name Emo",
        "users set-role emo@example.com user --yes",
        "users delete emo@example.com --yes",
        "users delete bob --new-owner emo@example.com --yes",
        "users lockdown emo@example.com --yes",
        "users lockdown emo@example.com --dry-run",
        "users reset-2fa emo@example.com --yes",
        "users impersonate emo@example.com --print-token",
        "sessions issue --user emo@example.com",
        "sessions revoke --user emo@example.com --all --yes",
    ] {
        let error = loose.run(&format!("{act} --json")).json_error(9);
        assert_eq!(error["code"], "ROW_WITHOUT_ID", "{act}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("the user emo@example.com: user.id of the row is null"), "{act}: {message}");
    }
    assert!(std::fs::read(loose.0.path("app.db")).unwrap() == before, "the file was written to");
}

#[test]
fn revoke_ends_sessions_without_an_id_or_says_that_they_stay() {
    let loose = Loose::new(
        "INSERT INTO session SELECT id || '2', expires_at, token || '2', created_at, updated_at, ip_address, user_agent, user_id,
           impersonated_by FROM session WHERE user_id = 'bob'; UPDATE session SET id = NULL WHERE id LIKE '%2';",
    );
    let sessions = || {
        let sql = "SELECT count(id) || ' ' || count(*) FROM session WHERE user_id = 'bob'";
        let database = Connection::open(loose.0.path("app.db")).unwrap();
        database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    assert_eq!(sessions(), "1 2");
    let dry = loose.run("sessions revoke --user bob --user-agent Moz* --dry-run --json");
    assert!(dry.stderr.contains("left out: 1 session without an id"), "{dry}");
    assert_eq!(dry.json()["ended"], 1);
    assert_snapshot!(loose.run("sessions revoke --user bob --user-agent Moz*"), @"
    ------- stderr -------
    note: left out: 1 session without an id, which cannot be ended alone; `sessions revoke --all` ends all of a user
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    ended 1 session
    ");
    assert_eq!(sessions(), "0 1");
    let _ = loose.run("sessions revoke --user bob (unreadable)").failure(3);
    assert_snapshot!(loose.run("sessions revoke --user bob --all --dry-run"), @"
       ID            SIGNED IN                 EXPIRES                   ADDRESS      FROM
       (unreadable)  [TIME]  [TIME]  203.0.113.7  Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
    ------- stderr -------
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    would end 1 session
    ");
    assert_snapshot!(loose.run("sessions revoke --user bob --all"), @"
    ------- stderr -------
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    ended 1 session
    ");
    assert_eq!(sessions(), "0 0");
}
