//! Databases of Better Auth apps, created by the real library. After each run the harness checks that the
//! schema and the app's own tables are unchanged.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::sandbox::{Ran, Sandbox};

/// How an app encodes instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    Seconds,
    Milliseconds,
    /// Text with the given ending.
    Text(&'static str),
}

/// How an app generates ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    Text,
    Uuid,
    Serial,
}

/// Properties of a fixture.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    pub name: &'static str,
    pub snake: bool,
    pub plural: bool,
    pub time: Time,
    pub admin: bool,
    pub ids: Ids,
    /// The prefix and the length of a password hash; length 0 means any.
    pub hash: (&'static str, usize),
}

/// Better Auth's Kysely adapter with the admin plugin.
pub const KYSELY: Variant = Variant {
    name: "kysely",
    snake: false,
    plural: false,
    time: Time::Text("Z"),
    admin: true,
    ids: Ids::Text,
    hash: ("", 161),
};
/// The Drizzle adapter, as the current generator writes it.
pub const DRIZZLE: Variant = Variant { name: "drizzle-ms", snake: true, time: Time::Milliseconds, ..KYSELY };
/// The schema of the article.
pub const ARTICLE: Variant = Variant { name: "article", time: Time::Seconds, admin: false, ..KYSELY };

/// A database created from a fixture.
pub struct App {
    pub sandbox: Sandbox,
    variant: Variant,
    made: Behaviour,
}

/// The schema and tables that authctl must not change.
#[derive(Debug, PartialEq)]
struct Behaviour {
    schema: Vec<[Value; 4]>,
    pragmas: Vec<Value>,
}

impl App {
    pub fn new(variant: Variant) -> Self {
        Self::changed(variant, |_| {})
    }

    /// As [`Self::new`], with SQL that changes the database first.
    pub fn changed(variant: Variant, change: impl FnOnce(&Connection)) -> Self {
        let sandbox = Sandbox::new();
        load(&sandbox, variant.name, "app.db");
        change(&Connection::open(sandbox.path("app.db")).unwrap());
        let made = Behaviour::of(&Connection::open(sandbox.path("app.db")).unwrap());
        Self { sandbox, variant, made }
    }

    pub fn path(&self) -> PathBuf {
        self.sandbox.path("app.db")
    }

    /// A command with the app's database as `--db`.
    pub fn command(&self, words: &str) -> Command {
        let mut command = self.sandbox.command(words.split_whitespace());
        command.env("AUTHCTL_DB", self.path());
        command
    }

    pub fn run(&self, words: &str) -> Ran {
        self.left_alone(self.sandbox.finish(&mut self.command(words)), words)
    }

    pub fn run_with_input(&self, words: &str, input: impl AsRef<[u8]>) -> Ran {
        self.left_alone(self.sandbox.finish_with_input(&mut self.command(words), input), words)
    }

    /// Runs with the token of a session.
    pub fn run_as(&self, token: &str, words: &str) -> Ran {
        self.left_alone(self.sandbox.finish(self.command(words).env("AUTHCTL_TOKEN", token)), words)
    }

    /// Checks that the run changed nothing that belongs to the app.
    fn left_alone(&self, ran: Ran, words: &str) -> Ran {
        assert_eq!(Behaviour::of(&self.sql()), self.made, "after `{words}`: {ran}");
        for beside in ["app.db-wal", "app.db-journal", "app.db.lock"] {
            assert!(!self.sandbox.path(beside).exists(), "after `{words}`: {beside}");
        }
        ran
    }

    pub fn sql(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// SQL in the app's names: `{user}` is a table, `{.userId}` a column.
    pub fn spelled(&self, sql: &str) -> String {
        let mut text = String::new();
        let mut pieces = sql.split('{');
        text.push_str(pieces.next().unwrap());
        for piece in pieces {
            let (name, rest) = piece.split_once('}').unwrap();
            match name.strip_prefix('.') {
                Some(column) if self.variant.snake => text.push_str(&snake(column)),
                Some(column) => text.push_str(column),
                None if self.variant.plural => text.extend([name, "s"]),
                None => text.push_str(name),
            }
            text.push_str(rest);
        }
        text
    }

    /// Asks for one row's values.
    pub fn row(&self, sql: &str) -> Vec<Value> {
        let (connection, sql) = (self.sql(), self.spelled(sql));
        let mut statement = connection.prepare(&sql).unwrap();
        let width = statement.column_count();
        statement.query_row([], |row| (0..width).map(|index| row.get(index)).collect()).unwrap()
    }

    /// Asks for one value.
    pub fn value(&self, sql: &str) -> Value {
        self.row(sql).remove(0)
    }

    /// Reads one value as text; a number becomes decimal digits.
    pub fn text(&self, sql: &str) -> String {
        match self.value(sql) {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// Asserts that an instant has the app's encoding.
    pub fn assert_instant(&self, sql: &str) {
        let found = self.value(sql);
        let is_right = match (self.variant.time, &found) {
            (Time::Seconds, Value::Integer(number)) => (1_000_000_000..100_000_000_000).contains(number),
            (Time::Milliseconds, Value::Integer(number)) => *number >= 1_000_000_000_000,
            (Time::Text(end), Value::Text(text)) => text.len() == 23 + end.len() && text.ends_with(end),
            _ => false,
        };
        assert!(is_right, "{}: {sql}: {found:?}", self.variant.name);
    }

    /// Asserts that an id has the app's format.
    pub fn assert_id(&self, sql: &str) {
        let found = self.value(sql);
        let is_right = match (self.variant.ids, &found) {
            (Ids::Text, Value::Text(id)) => id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            (Ids::Uuid, Value::Text(id)) => id.len() == 36 && id.as_bytes()[14] == b'4',
            (Ids::Serial, Value::Integer(_)) => true,
            _ => false,
        };
        assert!(is_right, "{}: {sql}: {found:?}", self.variant.name);
    }
}

/// Creates the database of a fixture.
pub fn load(sandbox: &Sandbox, fixture: &str, name: &str) {
    let path = format!("{}/tests/fixtures/better-auth/{fixture}.sql", env!("CARGO_MANIFEST_DIR"));
    let made = std::fs::read_to_string(path).unwrap();
    Connection::open(sandbox.path(name)).unwrap().execute_batch(&made).unwrap();
    // The usual mode of an app's file, independent of the umask.
    std::fs::set_permissions(sandbox.path(name), Permissions::from_mode(0o644)).unwrap();
}

impl Behaviour {
    fn of(connection: &Connection) -> Self {
        let mut statement =
            connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").unwrap();
        let object = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
        let schema: Vec<[Value; 4]> = statement.query_map([], object).unwrap().map(Result::unwrap).collect();
        assert!(!format!("{schema:?}").contains("authctl"), "{schema:?}");
        let pragma = |name: &&str| connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
        let names = ["journal_mode", "user_version", "application_id", "page_size", "auto_vacuum", "encoding"];
        Self { schema, pragmas: names.iter().map(pragma).collect() }
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
