//! App databases with an unknown column or encoding: authctl reads the rest, writes nothing, and names the
//! column and the setting that resolves it.

use std::os::unix::fs::MetadataExt as _;

use insta::assert_snapshot;

use crate::app::load;
use crate::machine::{give_away, skip};
use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// A database created from a fixture.
pub(super) struct Odd {
    pub(super) sandbox: Sandbox,
    made: Vec<u8>,
}

impl Odd {
    pub(super) fn new(fixture: &str) -> Self {
        Self::changed(fixture, "")
    }

    pub(super) fn changed(fixture: &str, sql: &str) -> Self {
        let sandbox = Sandbox::new();
        load(&sandbox, fixture, "app.db");
        rusqlite::Connection::open(sandbox.path("app.db")).unwrap().execute_batch(sql).unwrap();
        let made = std::fs::read(sandbox.path("app.db")).unwrap();
        Self { sandbox, made }
    }

    pub(super) fn run(&self, words: &str) -> Ran {
        self.run_with_input(words, "")
    }

    pub(super) fn run_with_input(&self, words: &str, input: &str) -> Ran {
        let mut command = self.sandbox.command(words.split_whitespace());
        self.sandbox.finish_with_input(command.env("AUTHCTL_DB", self.sandbox.path("app.db")), input)
    }

    pub(super) fn is_as_made(&self) -> bool {
        std::fs::read(self.sandbox.path("app.db")).unwrap() == self.made
    }

    /// Asserts that every kind of write is refused and the file is unchanged.
    fn refuses_writes(&self) {
        let words = [
            "users create new@example.com --name New --generate",
            "users verify-email bob@example.com",
            "users delete bob@example.com --yes",
            "users set-password bob@example.com --generate",
            "users reset-code bob@example.com",
            "sessions revoke --all-users --older-than 1m",
            "sessions prune",
        ];
        for words in words {
            self.run(words).failure(9);
        }
        assert!(self.is_as_made());
    }
}

#[test]
fn equally_many_values_of_two_units_refuse_new_rows() {
    let odd = Odd::changed(
        "mixed-time",
        "UPDATE user SET created_at = 0 WHERE email = 'ada@example.com';
         UPDATE user SET created_at = created_at / 1000 WHERE email = 'emo@example.com'",
    );
    assert_snapshot!(odd.run("users create new@example.com --name New --generate"), @r#"
    ------- stderr -------
    error: could not create the user: some of the values of user.created_at are seconds, others are milliseconds
    hint: correct the rows, or name the right encoding in the --schema file: {"times": {"user.createdAt": "seconds"}} or {"times": {"user.createdAt": "milliseconds"}}
    [exit status: 9]
    "#);
    assert_eq!(odd.run("users list --json").json()["users"].as_array().unwrap().len(), 5);
    assert_snapshot!(odd.run("doctor"), @r#"
    notice: app-file: everybody on this machine may read the app's database, with the token of every session in it
      hint: if only the app reads it: chmod o= '[HOME]/app.db'
    notice: read-only-columns: some columns of this app are not written: some of the values of user.created_at are seconds, others are milliseconds
      hint: correct the rows, or name the right encoding in the --schema file: {"times": {"user.createdAt": "seconds"}} or {"times": {"user.createdAt": "milliseconds"}}
    problem: rows: rows with values that cannot be read: 3
      user.created_at of row [ID] is not a number of milliseconds: correct it in the row with the program that wrote it; no command of authctl does that
      user.updated_at of row [ID] is not a number of milliseconds: the next change of the user sets it
      user.created_at of row [ID] is not a number of milliseconds: correct it in the row with the program that wrote it; no command of authctl does that
      session.expires_at of row [ID] is not a number of milliseconds: authctl sessions revoke [ID] --all-users
      session.created_at of row [ID] is not a number of milliseconds: authctl sessions revoke [ID] --all-users
      session.updated_at of row [ID] is not a number of milliseconds: authctl sessions revoke [ID] --all-users
      hint: such a value gives no right: its user is not verified, banned, or has no role, its session is over
    notice: expired: expired rows that only take up room: sessions 1, codes 0
      hint: `authctl doctor --fix` deletes them; `authctl sessions prune` only the sessions
    [HOME]/app.db: not healthy, 1 problem, 3 notices
    A user who can write this file or its directory is the administrator and can rewrite the audit log;
    a user who can read it can guess passwords offline. See `authctl help security`.
    [exit status: 1]
    "#);
    assert!(odd.is_as_made());
    odd.run("users verify-email octo@example.com").success();
    odd.run("users ban octo@example.com").success();
    let hints = odd.sandbox.file("hints.json", r#"{"times": {"user.createdAt": "milliseconds"}}"#);
    odd.run(&format!("users create new@example.com --name New --generate --schema {}", hints.display())).success();
    odd.run("users delete octo@example.com --yes").success();
}

#[test]
fn ambiguous_column_is_refused() {
    let odd = Odd::new("half-migrated");
    assert_snapshot!(odd.run("users list"), @r#"
    ------- stderr -------
    error: could not list users: could not open the database (AUTHCTL_DB): [HOME]/app.db can be read in two ways: session.user_id and session.userId could both be session.userId
    hint: finish the app's migration, or name the right one in a file for --schema, in every command: {"columns": {"session.userId": "user_id"}} or {"columns": {"session.userId": "userId"}}
    [exit status: 9]
    "#);
    odd.refuses_writes();
}

#[test]
fn schema_file_with_two_names_for_one_column_or_table_is_refused() {
    let odd = Odd::new("drizzle-ms");
    for (document, told) in [
        (r#"{"columns": {"user.banReason": "EMAIL"}}"#, "the column email would be both user.email and user.banReason"),
        (
            r#"{"tables": {"verification": "session"}, "columns": {"verification.identifier": "token",
               "verification.value": "ip_address"}}"#,
            "the table session would be both session and verification",
        ),
        (r#"{"tables": {"session": "account"}}"#, "the table account would be both session and account"),
    ] {
        let file = odd.sandbox.file("schema.json", document);
        let refused = odd.run(&format!("users ban bob@example.com --json --schema {}", file.display())).failure(2);
        assert!(refused.contains(told) && refused.contains("SCHEMA_FILE"), "{refused}");
    }
    assert!(odd.is_as_made());
    odd.run("users list").success();
}

/// A change of an app's database, a command that it stops, and how many of the files in the hint let the command run.
const HINTED: &[(&str, &str, usize)] = &[
    ("ALTER TABLE user ADD COLUMN emailVerified TEXT", "users list", 2),
    ("CREATE TABLE users AS SELECT * FROM user", "users list", 2),
    ("ALTER TABLE session RENAME COLUMN token TO session_token", "users list", 1),
    (r#"ALTER TABLE session RENAME COLUMN token TO "the ""token"" \ naïve""#, "users list", 1),
    ("ALTER TABLE user RENAME TO \"the 'people' {\u{202e}\"", "users list", 1),
    ("ALTER TABLE user RENAME COLUMN ban_reason TO the_ban_reason", "users ban bob@example.com --reason spam", 1),
    (
        "ALTER TABLE session RENAME TO logins; ALTER TABLE logins RENAME COLUMN token TO \"a token\"; \
         ALTER TABLE logins RENAME COLUMN user_id TO \"the user_id\"",
        "users list",
        2,
    ),
    (
        "UPDATE user SET created_at = 0 WHERE email = 'ada@example.com';
         UPDATE user SET created_at = created_at / 1000 WHERE email = 'emo@example.com'",
        "users create new@example.com --name New --generate",
        2,
    ),
];

#[test]
fn files_in_hints_can_be_copied() {
    for (sql, words, wanted) in HINTED {
        let odd = Odd::changed(if sql.contains("emo@") { "mixed-time" } else { "drizzle-ms" }, sql);
        let refused = odd.run(words);
        let documents = refused.hinted_documents();
        let works = |document: &&String| {
            let file = odd.sandbox.file("hint.json", document);
            let app = odd.sandbox.path("app.db");
            std::fs::write(&app, &odd.made).unwrap();
            odd.run(&format!("{words} --schema {}", file.display())).code == 0
        };
        assert_eq!(documents.iter().filter(works).count(), *wanted, "{sql}: {refused}");
    }
}

#[test]
fn empty_database_has_an_ambiguous_time_encoding() {
    for fixture in ["ambiguous", "ambiguous-default"] {
        let odd = Odd::new(fixture);
        let ran = odd.run("users create new@example.com --name New --generate");
        if fixture == "ambiguous" {
            assert_snapshot!(ran, @r#"
            ------- stderr -------
            error: could not create the user: nothing is written to this app's database: nothing in the file shows how it writes instants: in seconds or in milliseconds
            hint: name it in the --schema file: {"time": "seconds"}, {"time": "milliseconds"} or {"time": "text"}
            [exit status: 9]
            "#);
        } else {
            ran.failure(9);
        }
        assert_eq!(odd.run("users list --json").json()["total"], 0);
        assert!(odd.is_as_made());
        let hints = odd.sandbox.file("hints.json", r#"{"time": "seconds"}"#);
        let words = format!("users create new@example.com --name New --generate --schema {}", hints.display());
        odd.run(&words).success();
        let sql = "SELECT max(name = 'New') FROM user WHERE length((SELECT max(updated_at) FROM user)) = 10";
        let sql = if fixture == "ambiguous" { sql.replace("updated_at", "updatedAt") } else { sql.to_owned() };
        let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
        assert_eq!(connection.query_row(&sql, [], |row| row.get(0)), Ok(1));
    }
}

#[test]
fn unknown_required_column_stops_only_new_rows_of_its_table() {
    let odd = Odd::new("extra-not-null");
    assert_snapshot!(odd.run("users create new@example.com --name New --generate"), @r#"
    ------- stderr -------
    error: could not create the user: the column user.tenantId needs a value in a new row, and authctl does not know which
    hint: name one in the --schema file: {"values": {"user.tenantId": "..."}}
    [exit status: 9]
    "#);
    assert!(odd.is_as_made());
    let status = odd.run("db status --json").json();
    assert_eq!((&status["app"]["writable"], status["app"]["refusals"].as_array().unwrap().len()), (&true.into(), 1));
    let doctor = odd.run("doctor --json").json();
    let finding = doctor["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "app-columns");
    assert_eq!(finding.unwrap()["severity"], "notice", "{doctor}");
    odd.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    odd.run_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
    odd.run("users verify-email bob@example.com").success();
    odd.run("users set-password bob@example.com --generate").success();
    odd.run("sessions revoke --user ada@example.com --yes").success();
    odd.run("users delete emo@example.com --yes").success();
    let hints = odd.sandbox.file("hints.json", r#"{"values": {"user.tenantId": "main"}}"#);
    odd.run(&format!("users create new@example.com --name New --generate --schema {}", hints.display())).success();
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    let tenant = connection.query_row("SELECT tenantId FROM user WHERE name = 'New'", [], |row| row.get(0));
    assert_eq!(tenant, Ok("main".to_owned()));
}

#[test]
fn value_for_a_column_that_the_app_lacks_is_refused() {
    let odd = Odd::new("extra-not-null");
    let run = |values: &str| {
        let hints = odd.sandbox.file("hints.json", format!(r#"{{"values": {{{values}}}}}"#));
        odd.run(&format!("users list --schema {} --json", hints.display())).json_error(9)
    };
    for name in ["tenant_id", "tenentId", "tenantid"] {
        let error = run(&format!(r#""user.{name}": "main""#));
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("names user.{name}, and user has no such column")), "{message}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains(r#"{"values": {"user.tenantId": "main"}}"#), "{hint}");
    }
    for column in ["user.email", "session.tenantId"] {
        let error = run(&format!(r#""{column}": "main""#));
        assert!(error["hint"].as_str().unwrap().starts_with("leave it out"), "{error}");
    }
    assert!(odd.is_as_made());
}

#[test]
fn new_user_gets_the_role_that_the_column_gives() {
    let sql = "ALTER TABLE user DROP COLUMN role; ALTER TABLE user ADD COLUMN role text DEFAULT 'member' NOT NULL";
    let odd = Odd::changed("drizzle-ms", sql);
    let created = odd.run("users create new@example.com --name New --no-password --json").json();
    assert_eq!(created["user"]["role"], "member");
    let created = odd.run("users create chief@example.com --name C --no-password --role admin --json").json();
    assert_eq!(created["user"]["role"], "admin");
}

#[test]
fn hashes_of_two_functions_in_equal_parts_need_the_schema_file() {
    let bcrypt = "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS";
    let odd = Odd::changed(
        "drizzle-ms",
        &format!(
            "DELETE FROM account WHERE provider_id = 'credential' AND user_id NOT IN
                 (SELECT id FROM user WHERE email IN ('ada@example.com', 'bob@example.com'));
             UPDATE account SET password = '{bcrypt}' WHERE user_id = (SELECT id FROM user WHERE email = 'ada@example.com')"
        ),
    );
    assert_snapshot!(odd.run("users set-password bob@example.com --generate"), @r#"
    ------- stderr -------
    error: could not set the password: it is not clear what the app that owns the database can verify: it holds bcrypt, better-auth-scrypt
    hint: set the password through the app, or name its function in the --schema file: {"password": "scrypt"}, {"password": "bcrypt"} or {"password": "argon2id"}
    [exit status: 9]
    "#);
    assert!(odd.is_as_made());
    odd.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    let hints = odd.sandbox.file("hints.json", "\u{feff}{\"password\": \"bcrypt\"}");
    odd.run(&format!("users set-password bob@example.com --generate --schema {}", hints.display())).success();
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    let sql = "SELECT count(*) FROM account WHERE password LIKE '$2b$05$%'";
    assert_eq!(connection.query_row(sql, [], |row| row.get(0)), Ok(2));
}

#[test]
fn function_of_the_schema_file_is_told_where_most_hashes_have_another() {
    let odd = Odd::new("drizzle-ms");
    let schema = format!("--schema {}", odd.sandbox.file("schema.json", r#"{"password": "bcrypt"}"#).display());
    let told = "most passwords of the app are better-auth-scrypt, and the --schema file says bcrypt";
    for words in ["users set-password bob@example.com --generate", "users create new@example.com --name N --generate"] {
        let set = odd.run(&format!("{words} {schema}"));
        assert_eq!((set.code, set.stderr.matches(told).count()), (0, 1), "{set}");
        let as_usual = odd.run("users set-password ada@example.com --generate");
        assert!(!as_usual.stderr.contains("most passwords"), "{as_usual}");
    }
    let found = odd.run(&format!("doctor {schema}"));
    assert!(found.stdout.contains(told) && !odd.run("doctor").stdout.contains("most passwords"), "{found}");
    let status = odd.run(&format!("db status {schema}"));
    assert!(status.stdout.contains("bcrypt, most are better-auth-scrypt"), "{status}");
    let status = odd.run(&format!("db status --json {schema}")).json();
    assert_eq!(status["app"]["password"], "bcrypt");
    assert_eq!(status["app"]["otherPasswords"], serde_json::json!(["better-auth-scrypt"]));
}

#[test]
fn foreign_or_empty_hash_affects_only_its_user() {
    let sql = "UPDATE account SET password = CASE user_id WHEN (SELECT id FROM user WHERE email = 'bob@example.com')
                   THEN '' ELSE '5f4dcc3b5aa765d61d8327deb882cf99' END
               WHERE user_id IN (SELECT id FROM user WHERE email IN ('bob@example.com', 'emo@example.com'))";
    let odd = Odd::changed("drizzle-ms", sql);
    odd.run("users set-password ada@example.com --generate").success();
    odd.run("users set-password bob@example.com --generate").success();
    odd.run_with_input("signin emo@example.com --no-store --password-stdin", PASSWORD).failure(7);
}

#[test]
fn sign_in_that_the_database_refuses_leaves_no_session_file() {
    let sql = "DELETE FROM session; CREATE UNIQUE INDEX one_session ON session (ip_address)";
    let odd = Odd::changed("drizzle-ms", sql);
    odd.run_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
    let before: Vec<_> =
        std::fs::read_dir(odd.sandbox.sessions()).unwrap().map(|entry| entry.unwrap().path()).collect();
    odd.run_with_input("signin ada@example.com --password-stdin", PASSWORD).failure(5);
    odd.run_with_input("signin ada@example.com --password-stdin --print-token", PASSWORD).failure(5);
    let after: Vec<_> = std::fs::read_dir(odd.sandbox.sessions()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(after, before);
    odd.run("whoami").success();
}

#[test]
fn missing_column_that_is_not_used_stops_nothing() {
    let odd = Odd::changed(
        "drizzle-ms",
        "ALTER TABLE account DROP COLUMN id_token; ALTER TABLE session DROP COLUMN ip_address; ALTER TABLE user DROP COLUMN image",
    );
    odd.run("users create new@example.com --name New --generate").success();
    odd.run_with_input("signin ada@example.com --password-stdin", PASSWORD).success();
    odd.run("users show ada@example.com").success();
    odd.run("users delete bob@example.com --yes").success();
    assert_eq!(odd.run("db status --json").json()["app"]["refusals"], serde_json::json!([]));
}

#[test]
fn schema_file_names_tables_and_columns() {
    let sql = "ALTER TABLE user RENAME TO members; ALTER TABLE members RENAME COLUMN email TO mail;";
    let odd = Odd::changed("article", sql);
    odd.run("users list").failure(9);
    let hints = r#"{"tables": {"user": "members"}, "columns": {"user.email": "mail"}}"#;
    let hints = odd.sandbox.file("hints.json", hints);
    odd.run(&format!("users verify-email bob@example.com --schema {}", hints.display())).success();
    let connection = rusqlite::Connection::open(odd.sandbox.path("app.db")).unwrap();
    let verified =
        connection.query_row("SELECT emailVerified FROM members WHERE mail LIKE 'bob@%'", [], |row| row.get(0));
    assert_eq!(verified, Ok(1));
    let wrong = odd.sandbox.file("wrong.json", r#"{"columns": {"user.mail": "email"}}"#);
    assert_snapshot!(odd.run(&format!("users list --schema {}", wrong.display())), @r#"
    ------- stderr -------
    error: could not list users: could not open the database (AUTHCTL_DB): the schema file [HOME]/wrong.json cannot be used: Better Auth has no column "user.mail": write it as "user.email"
    hint: see "Say what the database does not show" in docs/better-auth.md
    [exit status: 2]
    "#);
}

#[test]
fn a_file_of_another_user_is_read_and_not_written() {
    let odd = Odd::new("kysely");
    if !give_away(&odd.sandbox.path("app.db")) {
        return;
    }
    assert_eq!(odd.run("users list --json").json()["total"], 5);
    odd.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    assert_snapshot!(odd.run("users verify-email bob@example.com"), @"
    ------- stderr -------
    error: could not verify the address: nothing is written to this app's database: the file belongs to another user
    hint: run as that user: sudo -u '#65534' authctl ...
    [exit status: 9]
    ");
    odd.refuses_writes();
    let mut beside: Vec<_> =
        std::fs::read_dir(odd.sandbox.home()).unwrap().map(|one| one.unwrap().file_name()).collect();
    beside.sort();
    assert_eq!(beside, [".local", "app.db"]);
}

/// As root, SQLite gives its new files to the owner of the database. Another owner would lock the app out.
#[test]
fn log_files_made_by_root_belong_to_the_owner() {
    let odd = Odd::new("kysely");
    let path = odd.sandbox.path("app.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
    if !rustix::process::geteuid().is_root() {
        return skip("only root makes files for others");
    }
    assert!(give_away(&path));
    let owner = std::fs::metadata(&path).unwrap();
    odd.run("users list").success();
    for end in ["-wal", "-shm"] {
        let beside = std::fs::metadata(odd.sandbox.path(&format!("app.db{end}"))).unwrap();
        assert_eq!((beside.uid(), beside.gid()), (owner.uid(), owner.gid()), "{end}");
        assert_ne!(beside.uid(), 0);
    }
}

/// Missing columns, and the acts that must write each.
const MISSING: &[(&str, &[&str])] = &[
    ("user.name", &["create"]),
    ("user.emailVerified", &["create", "verify"]),
    ("user.createdAt", &["create"]),
    ("user.updatedAt", &["create"]),
    ("session.createdAt", &["issue"]),
    ("session.updatedAt", &["issue"]),
    ("account.password", &["create", "password", "code"]),
    ("account.createdAt", &["create"]),
    ("account.updatedAt", &["create"]),
    ("verification.value", &["code"]),
    ("verification.createdAt", &["code"]),
    ("verification.updatedAt", &["code"]),
];

#[test]
fn missing_column_stops_only_the_acts_that_must_write_it() {
    let acts = [
        ("create", "users create new@example.com --name New --password-stdin"),
        ("verify", "users verify-email octo@example.com"),
        ("issue", "sessions issue --user ada@example.com --force"),
        ("password", "users set-password ada@example.com --password-stdin"),
        ("code", "users reset-code ada@example.com"),
        ("role", "users set-role emo@example.com helper --force"),
        ("ban", "users ban bob@example.com"),
        ("revoke", "sessions revoke --user ada@example.com --all"),
        ("lockdown", "users lockdown emo@example.com --yes"),
        ("prune", "db prune"),
        ("delete", "users delete bob@example.com --yes"),
    ];
    let columns = |table: &'static str| {
        MISSING
            .iter()
            .filter_map(move |(place, stopped)| Some((place.strip_prefix(table)?.strip_prefix('.')?, *stopped)))
    };
    for table in ["user", "session", "account", "verification"] {
        let (sometimes, never): (Vec<_>, Vec<_>) =
            acts.into_iter().partition(|(act, _)| columns(table).any(|(_, stopped)| stopped.contains(act)));
        for (column, stopped) in columns(table) {
            let odd = Odd::changed("kysely", &format!("ALTER TABLE {table} DROP COLUMN {column}"));
            for (act, words) in &sometimes {
                let ran = odd.run_with_input(words, "nine purple umbrellas sing");
                if stopped.contains(act) {
                    let line = format!("the table {table} has no column {column}\n");
                    let refused = ran.failure(9);
                    assert!(refused.contains(&line), "{table}.{column}, {words}: {refused}");
                } else {
                    assert_eq!(ran.code, 0, "{table}.{column}, {words}: {ran}");
                }
            }
        }
        // What no column stops goes on without all of them.
        let dropped = columns(table).map(|(column, _)| format!("ALTER TABLE {table} DROP COLUMN {column};"));
        let odd = Odd::changed("kysely", &dropped.collect::<String>());
        for (_, words) in never {
            let ran = odd.run_with_input(words, "nine purple umbrellas sing");
            assert_eq!(ran.code, 0, "{table}, {words}: {ran}");
        }
    }
}

#[test]
fn code_that_names_no_user_is_not_said_to_be_ended() {
    let odd = Odd::changed("kysely", "ALTER TABLE verification DROP COLUMN value");
    assert_snapshot!(odd.run_with_input("users set-password ada@example.com --password-stdin", PASSWORD), @"
    ------- stderr -------
    note: codes of the user were not ended: the app's table of verifications has no column `value`, which names their user
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    set and checked the password of Ada Lovelace <ada@example.com> and ended 1 session in [HOME]/app.db
    ");
}

#[test]
fn table_that_only_the_schema_file_names_is_an_error() {
    let odd = Odd::new("kysely");
    let schema = odd.sandbox.file("schema.json", r#"{"tables": {"user": "pepole"}}"#);
    assert_snapshot!(odd.run(&format!("users list --schema {}", schema.display())), @r#"
    ------- stderr -------
    error: could not list users: could not open the database (AUTHCTL_DB): [HOME]/app.db cannot be used as it is: it has no table pepole, which the --schema file names for user
    hint: correct "tables" in the --schema file: the app's name of user
    [exit status: 9]
    "#);
}
