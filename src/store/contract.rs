//! The contract of [`Store`], tested on a real database of every engine and mapping.
//!
//! The tests use only the trait, so each runs unchanged on every entry of [`ENGINES`]. What the trait cannot write,
//! such as a row that is not valid, a test writes with [`Database::edit`], as another program would.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::engine::Value;
use super::mapping::{NATIVE, SchemaMapping};
use super::sqlite::{self, Opened, Sqlite};
use super::{SchemaOverrides, SqlStore};
use crate::auth::AuthError;
use crate::auth::codes::StoredCode;
use crate::auth::email::Email;
use crate::auth::fixtures::at;
use crate::auth::secret::{Code, StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::storage::{
    AdminGuard, ClientInfo, Deletion, DeletionRequest, NewPassword, NewSessionRow, NewUserRow, PasswordChange, Store,
    StoreError, Which,
};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::{User, UserRef};
use files::create_guest;

mod absent;
mod admins;
mod api_keys;
mod api_tokens;
mod app_factor;
mod app_secrets;
mod audit;
mod computed;
mod contended;
mod doctor;
mod export;
mod files;
mod id_prefix;
mod import;
mod legacy;
mod many;
mod mixed;
mod odd_rows;
mod organizations;
mod passwords_and_codes;
mod plugin_factors;
mod plugins;
mod policy_and_throttle;
mod round_trip;
mod round_trips;
mod second_factor;
mod servers;
mod session_lists;
mod sessions;
mod stats;
mod transfer;
mod typed_apps;
mod user_lists;
mod users;

/// How long a store waits for another one: longer than any race in a test lasts.
const WAIT: Duration = Duration::from_secs(20);

/// The databases that every test runs on. A new engine is one more entry.
const ENGINES: &[TestEngine] = &[
    SQLITE_NATIVE,
    TestEngine { name: "sqlite_contended", open: contended::open, ..SQLITE_NATIVE },
    SQLITE_DRIZZLE,
    TestEngine { name: "sqlite_without_rowid", is_without_rowid: true, ..SQLITE_DRIZZLE },
    // The schema that Drizzle's tools make today, with plural table names.
    TestEngine { name: "sqlite_plural", fixture: "plural", time: "a number of milliseconds", ..SQLITE_GUEST },
    TestEngine {
        name: "sqlite_kysely",
        fixture: "kysely",
        time: "a time such as 2026-11-23T13:28:40.302Z",
        ..SQLITE_GUEST
    },
    servers::NATIVE,
    servers::KYSELY,
    servers::DRIZZLE,
    servers::STATE,
];

const SQLITE_NATIVE: TestEngine = TestEngine {
    name: "sqlite_native",
    is_there: || true,
    remove: |_| {},
    create: |_, path| sqlite::create(path, WAIT).unwrap(),
    open: open_native,
    run: run_sqlite,
    ignore_foreign_keys: "PRAGMA foreign_keys = OFF",
    version: "SELECT sqlite_version()",
    schema_version: Some(sqlite::LATEST),
    is_native: true,
    is_typed: false,
    is_without_rowid: false,
    fixture: "",
    overrides: "{}",
    journal_mode: "wal",
    time: "a number of seconds",
    role: None,
};

/// The database of a Better Auth app. Its admin plugin gives every user a role.
const SQLITE_GUEST: TestEngine = TestEngine {
    create: create_guest,
    open: open_guest,
    schema_version: None,
    is_native: false,
    journal_mode: "delete",
    role: Some("user"),
    ..SQLITE_NATIVE
};

/// The schema that Drizzle's tools made in the past, with times in seconds.
const SQLITE_DRIZZLE: TestEngine =
    TestEngine { name: "sqlite_drizzle", fixture: "drizzle-s", overrides: r#"{"time": "seconds"}"#, ..SQLITE_GUEST };

/// An engine with a mapping.
struct TestEngine {
    /// The name that a failure shows.
    name: &'static str,
    /// Whether this machine has the engine.
    is_there: fn() -> bool,
    /// Creates an empty database.
    create: fn(&TestEngine, &Path),
    /// Opens the database, as another process would.
    open: fn(&TestEngine, &Path, wait: Duration) -> SqlStore,
    /// Runs SQL as another program would; returns the text that a single query selects.
    run: fn(&TestEngine, &Path, sql: &str) -> Option<String>,
    /// Removes what the directory of the test does not hold.
    remove: fn(&Path),
    /// The statement that lets the rest of an edit break foreign keys.
    ignore_foreign_keys: &'static str,
    /// The query that selects the version of the engine.
    version: &'static str,
    /// The newest migration of a native database.
    schema_version: Option<u32>,
    /// Whether authctl made the database.
    is_native: bool,
    /// Whether a column has only values of its type.
    is_typed: bool,
    /// Whether the tables of users have no order of insertion.
    is_without_rowid: bool,
    /// The schema of a guest database, as the real library made it: a file of `tests/fixtures/better-auth`.
    fixture: &'static str,
    /// The `--schema` file of a guest database.
    overrides: &'static str,
    journal_mode: &'static str,
    /// The encoding of times, as an error describes it.
    time: &'static str,
    /// The role of a user who was created without one.
    role: Option<&'static str>,
}

impl TestEngine {
    /// Whether texts are in the order of a language, and not in that of their bytes.
    fn is_by_language(&self) -> bool {
        self.is_typed && !self.is_native
    }
}

fn open_native(_: &TestEngine, path: &Path, wait: Duration) -> SqlStore {
    match sqlite::open(path, wait, &SchemaOverrides::default()).unwrap() {
        Opened::Own(store) => store,
        Opened::Guest(_) => unreachable!("authctl made the database"),
    }
}

fn open_guest(engine: &TestEngine, path: &Path, wait: Duration) -> SqlStore {
    match sqlite::open(path, wait, &SchemaOverrides::parse(engine.overrides).unwrap()).unwrap() {
        Opened::Guest(app) => app.with(|_| crate::store::State::open(&state_of(path), wait)).unwrap(),
        Opened::Own(_) => unreachable!("an app made the database"),
    }
}

fn run_sqlite(engine: &TestEngine, path: &Path, sql: &str) -> Option<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(WAIT).unwrap();
    if engine.is_native {
        // The triggers of the database refuse new rows of other programs.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    } else {
        connection.execute("ATTACH DATABASE ?1 AS authctl", [state_of(path).to_str()]).unwrap();
    }
    if sql.starts_with("SELECT") {
        return connection.query_row(sql, [], |row| row.get(0)).unwrap();
    }
    connection.execute_batch(sql).unwrap();
    if engine.is_native {
        // As the triggers would do.
        sqlite::fill_search(&connection).unwrap();
    }
    None
}

/// As [`run_sqlite`], on authctl's own tables for a guest database.
fn run_state(path: &Path, sql: &str) -> Option<String> {
    run_sqlite(&SQLITE_NATIVE, &state_of(path), sql)
}

/// The file with authctl's own tables for a guest database.
fn state_of(path: &Path) -> PathBuf {
    path.with_file_name("state.db")
}

/// Runs a test on a new database of every engine, each in a thread that has the engine's name. One app on a server shows
/// what differs there, and the names of the other one are those of an app on SQLite.
fn on_every_engine(test: impl Fn(&Database) + Sync) {
    on_engines(|engine| ![servers::DRIZZLE.name, servers::STATE.name].contains(&engine.name), test);
}

/// As [`on_every_engine`], for a test about authctl's own tables that also runs with these in the database of an app. Such a
/// database is one for each test, and takes long to make.
fn on_every_place_of_state(test: impl Fn(&Database) + Sync) {
    on_engines(|engine| engine.name != servers::DRIZZLE.name, test);
}

/// Runs a test on a new database of every engine whose columns take any value.
fn on_loose_engines(test: impl Fn(&Database) + Sync) {
    on_engines(|engine| !engine.is_typed, test);
}

/// Runs a test on a new database of some engines.
fn on_engines(is_meant: impl Fn(&TestEngine) -> bool, test: impl Fn(&Database) + Sync) {
    on_each(ENGINES.iter().filter(|engine| is_meant(engine)), |engine| test(&Database::new(engine)));
}

/// Runs a test on each of the engines that this machine has, each in a thread that has the engine's name.
fn on_each(engines: impl Iterator<Item = &'static TestEngine>, test: impl Fn(&'static TestEngine) + Sync) {
    let fails_on = |engine: &&'static TestEngine| {
        let thread = std::thread::Builder::new().name(engine.name.into());
        let run = || test(engine);
        std::thread::scope(|scope| thread.spawn_scoped(scope, run).unwrap().join().is_err())
    };
    let failed: Vec<&str> =
        engines.filter(|engine| (engine.is_there)()).filter(fails_on).map(|engine| engine.name).collect();
    assert!(failed.is_empty(), "the test fails on {}", failed.join(", "));
}

/// A database for one test.
struct Database {
    engine: &'static TestEngine,
    path: PathBuf,
    /// As it was when a store was opened last.
    mapping: Mutex<Option<SchemaMapping>>,
    _directory: TempDir,
}

impl Database {
    fn new(engine: &'static TestEngine) -> Self {
        let new = Self::missing(engine);
        if engine.is_typed {
            (engine.create)(engine, &new.path);
        } else {
            new.copy_file();
        }
        new
    }

    /// A place where no database is yet.
    fn missing(engine: &'static TestEngine) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new()
            .prefix("authctl-")
            .permissions(private)
            .tempdir_in(crate::scratch::directory())
            .unwrap();
        let path = directory.path().canonicalize().unwrap().join("auth.db");
        Self { engine, path, mapping: Mutex::default(), _directory: directory }
    }

    fn open(&self, wait: Duration) -> SqlStore {
        let store = (self.engine.open)(self.engine, &self.path, wait);
        *self.mapping.lock().unwrap() = Some(store.mapping().clone());
        store
    }

    /// Opens one more connection.
    fn store(&self) -> Box<dyn Store> {
        Box::new(self.open(WAIT))
    }

    /// Opens one more connection, which does not wait for others.
    fn impatient(&self) -> Box<dyn Store> {
        Box::new(self.open(Duration::ZERO))
    }

    /// Runs SQL, in which `:then` stands for the instant [`at`]`(0)`.
    fn run(&self, sql: &str) -> Option<String> {
        let mapping = self.mapping();
        let sql = sql.replace(":then", &self.time(0));
        let sql = sql.split(';').map(|one| mapping.sql(one)).collect::<Vec<_>>().join(";");
        if sql.contains(" TABLE ") {
            // The tables or their columns may be others from here on.
            self.mapping.lock().unwrap().take();
        }
        (self.engine.run)(self.engine, &self.path, &sql)
    }

    fn mapping(&self) -> SchemaMapping {
        let known = self.mapping.lock().unwrap().clone();
        known.unwrap_or_else(|| self.open(WAIT).mapping().clone())
    }

    /// Changes the data as another program would.
    fn edit(&self, sql: &str) {
        self.run(sql);
    }

    /// Deletes the row of a user and keeps the rows that refer to it, as a program without foreign keys would.
    fn orphan(&self, user: &str) {
        let off = self.engine.ignore_foreign_keys;
        self.edit(&format!(r#"{off}; DELETE FROM "user" WHERE "id" = '{user}'"#));
    }

    /// Queries one text as another program would.
    fn ask(&self, sql: &str) -> Option<String> {
        assert!(sql.starts_with("SELECT"), "{sql}");
        self.run(sql)
    }

    /// The rows of a table, as another program counts them.
    fn count(&self, table: &str) -> u32 {
        let sql = format!(r#"SELECT CAST(count(*) AS TEXT) FROM "{table}""#);
        self.ask(&sql).unwrap().parse().unwrap()
    }

    /// The instant [`at`]`(seconds)` as SQL of this database.
    fn time(&self, seconds: i64) -> String {
        literal(self.mapping().times.default.write(at(seconds)))
    }

    /// A store with these users, each with the hash `hash of NAME`.
    fn with(&self, names: &[&str]) -> Box<dyn Store> {
        let mut store = self.store();
        for name in names {
            store.create_user(&new_user(name), Some(&hash_of(name)), None).unwrap();
        }
        store
    }
}

/// A value as SQL.
fn literal(value: Value) -> String {
    match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Integer(number) => number.to_string(),
        other => unreachable!("{other:?}"),
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        (self.engine.remove)(&self.path);
    }
}

/// A user created at [`at`]`(0)` whose id is the name.
fn new_user(name: &str) -> NewUserRow {
    NewUserRow {
        id: name.into(),
        account_id: format!("account-of-{name}"),
        email: email(name),
        name: name.into(),
        image: None,
        email_verified: false,
        role: None,
        ban: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A session whose token is `token of ID`.
fn new_session(id: &str, user: &str, now: Timestamp, expires_at: Timestamp) -> NewSessionRow {
    NewSessionRow {
        id: id.into(),
        token: token_of(id),
        user_id: user.into(),
        now,
        expires_at,
        client_info: ClientInfo::default(),
        impersonated_by: None,
    }
}

/// Begins a session from second `now` to second `end`.
fn begin(store: &mut dyn Store, id: &str, user: &str, now: i64, end: i64) -> Session {
    let session = new_session(id, user, at(now), at(end));
    let hash = store.password_hash(user).unwrap().unwrap();
    store.begin_session(&session, &hash, None, None, &attempts_of(user)).unwrap().unwrap()
}

/// Ada and bob with a session each, and one counted attempt each.
fn two_users(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    for name in ["ada", "bob"] {
        begin(&mut *store, &format!("{name}s"), name, 0, 60);
        store.count_attempt(&attempts_of(name), at(5), &crate::auth::policy::ThrottleRules::default()).unwrap();
    }
    store
}

fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.com")).unwrap()
}

fn token_of(id: &str) -> Token {
    Token::from_bytes(format!("token of {id}").as_bytes()).unwrap()
}

fn hash_of(name: &str) -> StoredHash {
    hash(&format!("hash of {name}"))
}

fn hash(text: &str) -> StoredHash {
    StoredHash::from_bytes(text.as_bytes()).unwrap()
}

fn code(text: &str) -> Code {
    Code::from_bytes(text.as_bytes()).unwrap()
}

/// What the database holds for a code of a user that expires at second 60.
fn stored_code(user: &str, new_email: Option<&str>) -> StoredCode {
    StoredCode {
        user_id: user.into(),
        email: email(user).as_str().into(),
        new_email: new_email.map(email),
        expires_at: at(60),
        made_at: None,
    }
}

/// Sets a password as an operator does; returns the ended sessions.
fn set_password(
    store: &mut dyn Store,
    user: &str,
    text: &str,
    end: Option<Which>,
    now: i64,
) -> Result<Option<Vec<Session>>, StoreError> {
    store.set_password(&NewPassword {
        user_id: user,
        account_id: format!("new-account-of-{user}"),
        hash: &hash(text),
        end,
        attempts: &attempts_of(user),
        now: at(now),
    })
}

/// Replaces ada's password if its hash is still `verified`; returns the ended sessions.
fn replace_password(
    store: &mut dyn Store,
    verified: &str,
    text: &str,
    end: Option<Which>,
    now: i64,
) -> Result<Option<Vec<Session>>, StoreError> {
    store.replace_password(&PasswordChange {
        code: None,
        user_id: "ada",
        verified: &hash(verified),
        hash: &hash(text),
        end,
        attempts: &attempts_of("ada"),
        now: at(now),
    })
}

/// Deletes a user, but not what others need.
fn delete_user(
    store: &mut dyn Store,
    id: &str,
    guard: AdminGuard,
    now: Timestamp,
) -> Result<Result<Deletion, AuthError>, StoreError> {
    store.delete_user(&DeletionRequest { id, guard, force_shared: false, new_owner: None, now })
}

fn attempts_of(name: &str) -> AttemptKey {
    AttemptKey::sign_in(&email(name))
}

fn by_id(store: &mut dyn Store, id: &str) -> Option<User> {
    store.user(&UserRef::Id(id.into())).unwrap()
}

fn stored_hash(store: &mut dyn Store, user: &str) -> Option<String> {
    store.password_hash(user).unwrap().map(|hash| hash.expose().to_owned())
}

/// The ids of a user's sessions, newest first.
fn ids(store: &mut dyn Store, user: &str) -> Vec<String> {
    names(&store.sessions(user).unwrap())
}

fn names(sessions: &[Session]) -> Vec<String> {
    sessions.iter().map(|session| session.id.clone()).collect()
}
