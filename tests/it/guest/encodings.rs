//! Databases whose columns encode instants in different ways, or that have a stray value in another encoding: each
//! column is read and written in its own.

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::app::load;
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// SQL that converts milliseconds in `{}` to an encoding, and the types and lengths of the values.
const ENCODINGS: [(&str, &[&str]); 6] = [
    ("{} / 1000", &["integer 10"]),
    // A whole number of seconds is stored as an integer.
    ("{} / 1000.0", &["integer 10", "real"]),
    ("strftime('%Y-%m-%dT%H:%M:%fZ', {} / 1000.0, 'unixepoch')", &["text 24"]),
    ("strftime('%Y-%m-%dT%H:%M:%f+00:00', {} / 1000.0, 'unixepoch')", &["text 29"]),
    ("datetime({} / 1000, 'unixepoch')", &["text 19"]),
    ("strftime('%Y-%m-%d %H:%M:%f', {} / 1000.0, 'unixepoch')", &["text 23"]),
];

/// The database of an app, with times in milliseconds.
struct Database {
    sandbox: Sandbox,
}

impl Database {
    fn new(sql: &str) -> Self {
        let database = Self { sandbox: Sandbox::new() };
        load(&database.sandbox, "drizzle-ms", "app.db");
        database.sql().execute_batch(sql).unwrap();
        database
    }

    fn sql(&self) -> Connection {
        Connection::open(self.sandbox.path("app.db")).unwrap()
    }

    fn run(&self, words: &str) -> Ran {
        let mut command = self.sandbox.command(words.split_whitespace());
        self.sandbox.finish_with_input(command.env("AUTHCTL_DB", self.sandbox.path("app.db")), PASSWORD)
    }

    /// The distinct types and lengths of the values of a column; a real number has no fixed length.
    fn shapes(&self, table: &str, column: &str) -> Vec<String> {
        let shape = format!("typeof({column}) || iif(typeof({column}) = 'real', '', ' ' || length({column}))");
        let sql = format!("SELECT DISTINCT {shape} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1");
        let connection = self.sql();
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

#[test]
fn each_column_is_read_and_written_in_its_own_encoding() {
    for (convert, shapes) in ENCODINGS {
        let expiry = convert.replace("{}", "(expires_at + 4000000000000)");
        let updated = convert.replace("{}", "updated_at");
        let database =
            Database::new(&format!("UPDATE session SET expires_at = {expiry}; UPDATE user SET updated_at = {updated}"));
        let sessions = database.run("sessions list --all-users --json").json();
        assert_eq!(sessions["sessions"].as_array().unwrap().len(), 4, "{convert}: {sessions}");
        let token = database.run("signin ada@example.com --password-stdin --print-token").success();
        assert_eq!(token.trim().len(), 32, "{convert}");
        let unknown = database.run("users ban bob@example.com --for 1h").failure(9);
        assert!(unknown.contains("no value shows how user.ban_expires encodes instants"), "{unknown}");
        database.run("users ban bob@example.com").success();
        database.run("users create new@example.com --name New --password-stdin").success();
        database.run("users list").success();
        assert_eq!(database.shapes("session", "created_at"), ["integer 13"], "{convert}");
        assert_eq!(database.shapes("user", "created_at"), ["integer 13"], "{convert}");
        for (table, column) in [("session", "expires_at"), ("user", "updated_at")] {
            let found = database.shapes(table, column);
            assert!(
                !found.is_empty() && found.iter().all(|shape| shapes.contains(&shape.as_str())),
                "{convert}: {found:?}"
            );
        }
    }
}

#[test]
fn booleans_are_read_and_written_in_the_encoding_of_their_column() {
    // The expression for a boolean, and the types and lengths of false and of true.
    for (convert, is_false, is_true) in [
        ("iif({}, 'true', 'false')", "text 5", "text 4"),
        ("iif({}, 'TRUE', 'FALSE')", "text 5", "text 4"),
        ("iif({}, updated_at, NULL)", "", "integer 13"),
        ("iif({}, '2026-01-01T00:00:00.000Z', NULL)", "", "text 24"),
    ] {
        let database = Database::new(&format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'DEFAULT false NOT NULL', '') WHERE name = 'user';
             PRAGMA writable_schema = RESET; UPDATE user SET email_verified = {}, banned = {}",
            convert.replace("{}", "email_verified"),
            convert.replace("{}", "banned"),
        ));
        let addresses = |words: &str| {
            let users = database.run(words).json();
            let emails = users["users"].as_array().unwrap().iter().map(|user| user["email"].to_string());
            emails.collect::<Vec<_>>().concat().replace("@example.com", "")
        };
        assert_eq!(addresses("users list --banned --json"), r#""mallory""#, "{convert}");
        assert_eq!(addresses("users list --unverified --json"), r#""bob""emo""mallory""#, "{convert}");
        database.run("users ban bob@example.com").success();
        database.run("users unban mallory@example.com").success();
        database.run("users verify-email bob@example.com").success();
        database.run("users verify-email ada@example.com --undo").success();
        database.run("users create new@example.com --name New --password-stdin").success();
        assert_eq!(addresses("users list --banned --json"), r#""bob""#, "{convert}");
        assert_eq!(addresses("users list --unverified --json"), r#""ada""emo""mallory""new""#, "{convert}");
        let shapes: Vec<String> =
            [is_true, is_false].iter().filter(|shape| !shape.is_empty()).map(ToString::to_string).collect();
        assert_eq!(database.shapes("user", "banned"), shapes, "{convert}");
        assert_eq!(database.shapes("user", "email_verified"), shapes, "{convert}");
    }
}

#[test]
fn column_of_unknown_booleans_is_read_only() {
    let database = Database::new("UPDATE user SET banned = iif(banned, 'yes', 'no')");
    for words in ["users ban bob@example.com", "users unban mallory@example.com"] {
        let refused = database.run(words).failure(9);
        let problem = "no value of user.banned is a boolean that authctl knows: it holds 'no', 'yes'";
        assert!(refused.contains(problem), "{refused}");
    }
    let doctor = database.run("doctor").stdout;
    assert_eq!(doctor.matches("is neither 0 nor 1: correct it in the row").count(), 5, "{doctor}");
    assert!(!doctor.contains("authctl users ban"), "{doctor}");
    database.run("users verify-email bob@example.com").success();
    assert_eq!(database.shapes("user", "banned"), ["text 2", "text 3"]);
}

#[test]
fn stray_value_in_another_encoding_is_read_and_decides_nothing() {
    let database = Database::new(
        "UPDATE user SET created_at = datetime(created_at / 1000, 'unixepoch') WHERE email = 'bob@example.com'",
    );
    let users = database.run("users list --json").json();
    assert_eq!(users["total"], 5);
    let bob = users["users"].as_array().unwrap().iter().find(|user| user["email"] == "bob@example.com").unwrap();
    assert_eq!(bob["createdAt"], "2026-11-23T20:29:51.000Z");
    database.run("users create new@example.com --name New --password-stdin").success();
    database.run("users set-password ada@example.com --password-stdin").success();
    assert_eq!(database.shapes("user", "created_at"), ["integer 13", "text 19"]);
    assert_eq!(database.shapes("user", "updated_at"), ["integer 13"]);
}

/// Half of the users have seconds in `updated_at`, so no act writes there, and one that only refreshes it goes on.
#[test]
fn unclear_time_of_the_last_change_stays_as_it_was() {
    let database = Database::new(
        "DELETE FROM user WHERE email NOT IN ('ada@example.com', 'bob@example.com');
         UPDATE user SET updated_at = updated_at / 1000 WHERE email = 'bob@example.com'",
    );
    let times = || -> String {
        let sql = "SELECT group_concat(updated_at, ' ') FROM (SELECT updated_at FROM user ORDER BY email)";
        database.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = times();
    assert_snapshot!(database.run("users ban bob@example.com"), @r#"
    ------- stderr -------
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    note: some of the values of user.updated_at are milliseconds, others are seconds, and the column stays as it was: correct the rows, or name the right encoding in the --schema file: {"times": {"user.updatedAt": "milliseconds"}} or {"times": {"user.updatedAt": "seconds"}}
    banned Bob <bob@example.com> permanently and ended 1 session in [HOME]/app.db
    "#);
    assert_snapshot!(database.run("users update ada@example.com --name Countess"), @r#"
    ------- stderr -------
    note: some of the values of user.updated_at are milliseconds, others are seconds, and the column stays as it was: correct the rows, or name the right encoding in the --schema file: {"times": {"user.updatedAt": "milliseconds"}} or {"times": {"user.updatedAt": "seconds"}}
    updated Countess <ada@example.com> in [HOME]/app.db
    "#);
    // The time of an account is clear.
    let set = database.run("users set-password bob@example.com --password-stdin --json");
    assert!(!set.stderr.contains("updated_at"), "{set}");
    database.run("sessions revoke --user ada@example.com").success();
    assert_eq!(times(), before);
    let refused = database.run("users create new@example.com --name New --password-stdin").failure(9);
    assert!(refused.contains("some of the values of user.updated_at are"), "{refused}");
    let status = database.run("db status --json").json();
    assert_eq!((&status["app"]["writable"], status["app"]["refusals"].as_array().unwrap().len()), (&true.into(), 1));
    let doctor: serde_json::Value = serde_json::from_str(&database.run("doctor --json").stdout).unwrap();
    let findings = doctor["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == "read-only-columns").unwrap();
    assert_eq!(found["severity"], "notice", "{found}");
    let schema = database.sandbox.file("schema.json", r#"{"times": {"user.updatedAt": "milliseconds"}}"#);
    let named = database.run(&format!("users unban bob@example.com --schema {}", schema.display()));
    assert!(!named.stderr.contains("updated_at"), "{named}");
    assert_ne!(times(), before);
}

#[test]
fn unclear_time_of_an_account_does_not_keep_a_password_from_being_set() {
    let database = Database::new(
        "DELETE FROM account WHERE provider_id <> 'credential';
         UPDATE account SET updated_at = updated_at / 1000 WHERE rowid IN (SELECT rowid FROM account ORDER BY rowid LIMIT
           (SELECT count(*) / 2 FROM account))",
    );
    let count: u32 = database.sql().query_row("SELECT count(*) FROM account", [], |row| row.get(0)).unwrap();
    assert_eq!(count % 2, 0, "the values are not equally many");
    let shapes = database.shapes("account", "updated_at");
    let set = database.run("users set-password bob@example.com --password-stdin");
    assert!(set.stderr.contains("some of the values of account.updated_at are"), "{set}");
    set.success();
    assert_eq!(database.shapes("account", "updated_at"), shapes);
    database.run("signin bob@example.com --no-store --password-stdin").success();
}

/// SQLite orders numbers before texts, so that live sessions in another form come before expired ones.
#[test]
fn expired_sessions_are_deleted_behind_live_ones_in_another_form() {
    let iso = |seconds: u64| format!("strftime('%Y-%m-%dT%H:%M:%fZ', {seconds}, 'unixepoch')");
    let rows = |name: &str, count: u32, end: String| {
        let made = iso(1_690_000_000);
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO session (id, token, user_id, expires_at, created_at, updated_at)
             SELECT '{name}' || i, '{name}' || i, (SELECT id FROM user), {end}, {made}, {made} FROM n;"
        )
    };
    // Most values are text, or numbers.
    for (others, live) in [(60, 200), (200, 60)] {
        let sql = [
            "DELETE FROM session;".to_owned(),
            rows("over", 60, iso(1_700_000_000)),
            rows("other", others, "4102444800000".to_owned()),
            rows("live", live, iso(4_102_444_800)),
        ];
        let database = Database::new(&sql.concat());
        let told = database.run("sessions prune --dry-run --json").json();
        assert_eq!(told["pruned"], 60, "{told}");
        assert_eq!(database.run("sessions prune --json").json()["pruned"], 60);
        assert_eq!(database.run("sessions prune --json").json()["pruned"], 0);
    }
}

/// Removes the defaults that show the encoding of their column.
const WITHOUT_DEFAULTS: &str = "PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(sql, 'DEFAULT (cast(unixepoch(''subsecond'') * 1000 as integer))', '')";

/// The text of the report of a check, without those of the others.
fn finding(ran: &Ran, check: &str) -> String {
    let (_, found) = ran.stdout.split_once(&format!(": {check}: ")).unwrap_or_else(|| panic!("no {check}: {ran}"));
    let lines = found.lines().enumerate().take_while(|(number, line)| *number == 0 || line.starts_with("  "));
    lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

#[test]
fn column_that_cannot_be_read_is_reported_once_with_what_helps() {
    let dates = "strftime('%Y-%m-%dT%H:%M:%fZ', 1764000000, 'unixepoch')";
    let database = Database::new(&format!(
        "UPDATE user SET created_at = {dates}, updated_at = '23/11/2026', ban_expires = 0;
         UPDATE user SET image = x'00' WHERE email = 'bob@example.com';
         UPDATE account SET created_at = {dates}, updated_at = {dates};
         UPDATE session SET created_at = {dates}, updated_at = {dates}, expires_at = {dates};
         UPDATE session SET expires_at = 'never' WHERE id = (SELECT min(id) FROM session); {WITHOUT_DEFAULTS}"
    ));
    let found = finding(&database.run("doctor"), "rows");
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], "rows with values that cannot be read: 6");
    assert_eq!(lines.len(), 6, "{found}");
    assert!(lines[1].starts_with("  none of the 5 values of user.updated_at is a time such as "), "{found}");
    assert!(lines[1].ends_with(": correct them with the program that wrote them"), "{found}");
    for file in [r#"{"times": {"user.banExpires": "seconds"}}"#, r#"{"times": {"user.banExpires": "milliseconds"}}"#] {
        assert!(lines[2].contains(file), "{found}");
        database.sandbox.file("schema.json", file);
        let with = database.run("doctor --schema schema.json");
        assert!(!with.stdout.contains("user.ban_expires"), "{file}: {with}");
    }
}

#[test]
fn columns_without_a_sign_of_their_encoding_are_listed() {
    let database = Database::new(&format!(
        "UPDATE user SET created_at = created_at / 1000, updated_at = updated_at / 1000, ban_expires = NULL;
         DELETE FROM session; DELETE FROM verification; {WITHOUT_DEFAULTS}"
    ));
    let doctor = database.run("doctor");
    let found = finding(&doctor, "read-only-columns");
    assert_snapshot!(found, @r#"
    some columns of this app are not written: 6
      session.expires_at: no value shows its encoding, and others differ
      session.created_at: no value shows its encoding, and others differ
      session.updated_at: no value shows its encoding, and others differ
      verification.expires_at: no value shows its encoding, and others differ
      verification.created_at: no value shows its encoding, and others differ
      verification.updated_at: no value shows its encoding, and others differ
      hint: name these encodings in the --schema file: {"times": {"session.expiresAt": "seconds", "session.createdAt": "seconds", "session.updatedAt": "seconds", "verification.expiresAt": "seconds", "verification.createdAt": "seconds", "verification.updatedAt": "seconds"}}, with "milliseconds" or "text" where it is that
    "#);
    assert!(found.lines().rev().skip(1).all(|line| line.len() <= 80), "{found}");
    let hint = found.lines().last().unwrap();
    let file = &hint[hint.find('{').unwrap()..=hint.rfind('}').unwrap()];
    database.sandbox.file("schema.json", file.replace("seconds", "milliseconds"));
    let with = database.run("doctor --schema schema.json");
    assert!(!with.stdout.contains("read-only-columns"), "{with}");
}
