//! The databases of the suite on a server: those of authctl, and those of apps in the shapes of Better Auth's adapters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::{SQLITE_GUEST, SQLITE_NATIVE, TestEngine, WAIT, run_state, state_of};
use crate::auth::audit::Actor;
use crate::store::postgres::server::TestDatabase;
use crate::store::{Opened, SchemaOverrides, SqlStore, State, postgres};

pub(super) const NATIVE: TestEngine = TestEngine {
    name: "postgres_native",
    is_there: || postgres::server::shared().is_some(),
    create: |_, path| postgres::create(&address_of(path), WAIT).unwrap(),
    open: |_, path, wait| postgres::open_own(&address_of(path), wait).unwrap().into_store(),
    run,
    remove: |path| drop(postgres::server::run(&dropping(path))),
    ignore_foreign_keys: "SET session_replication_role = replica",
    version: "SELECT current_setting('server_version')",
    is_typed: true,
    time: "an instant of the calendar",
    ..SQLITE_NATIVE
};

/// The schema of Better Auth's own adapter. Texts are in the order of a language.
pub(super) const KYSELY: TestEngine = TestEngine {
    name: "postgres_kysely",
    fixture: "postgres/kysely",
    create: create_app,
    open: open_app,
    run: run_app,
    remove: |path| drop(run_in_apps(&dropping(path))),
    schema_version: None,
    is_native: false,
    is_without_rowid: true,
    role: SQLITE_GUEST.role,
    ..NATIVE
};

pub(super) const DRIZZLE: TestEngine = TestEngine { name: "postgres_drizzle", fixture: "postgres/drizzle", ..KYSELY };

/// An app whose ids are numbers of the database, one with a type for UUIDs, and one whose addresses are unique by an index
/// alone. Tests that choose ids do not run on them.
pub(super) const SERIAL: TestEngine =
    TestEngine { name: "postgres_serial", fixture: "postgres/drizzle-serial", ..KYSELY };
pub(super) const UUID: TestEngine = TestEngine { name: "postgres_uuid", fixture: "postgres/drizzle-uuid", ..KYSELY };
pub(super) const PRISMA: TestEngine = TestEngine { name: "postgres_prisma", fixture: "postgres/prisma", ..KYSELY };

/// The same without sessions.
pub(super) const SERIAL_ELSEWHERE: TestEngine = TestEngine { overrides: ELSEWHERE, create: create_elsewhere, ..SERIAL };
pub(super) const UUID_ELSEWHERE: TestEngine = TestEngine { overrides: ELSEWHERE, create: create_elsewhere, ..UUID };
const ELSEWHERE: &str = r#"{"tables": {"session": null}}"#;

/// Better Auth's own adapter of old, in New York.
pub(super) const LOCAL: TestEngine = TestEngine {
    name: "postgres_local",
    create: |engine, path| create_app_with(engine, path, &|tables| tables.replace("timestamptz", "timestamp")),
    overrides: r#"{"zone": "America/New_York"}"#,
    ..KYSELY
};

/// Apps whose times are numbers of milliseconds and texts.
pub(super) const NUMBERS: TestEngine = TestEngine {
    name: "postgres_numbers",
    create: |engine, path| create_app_with(engine, path, &|tables| without_calendar(tables, "bigint")),
    overrides: r#"{"time": "milliseconds"}"#,
    ..KYSELY
};
pub(super) const TEXTS: TestEngine = TestEngine {
    name: "postgres_texts",
    create: |engine, path| create_app_with(engine, path, &|tables| without_calendar(tables, "text")),
    overrides: r#"{"time": "text"}"#,
    ..KYSELY
};

/// The app of [`KYSELY`] with authctl's own tables in its database, which is one for each test.
pub(super) const STATE: TestEngine = TestEngine {
    name: "postgres_state",
    create: create_with_state,
    open: |engine, path, wait| open_at(engine, &postgres::address_of(&url_with_state(path)), path, wait),
    run: |_, path, sql| {
        postgres::server::run_in(&url_with_state(path), &format!("SET search_path = public, authctl; {sql}"))
    },
    remove: |path| drop(WITH_STATE.lock().unwrap().remove(path)),
    ..KYSELY
};

/// The databases with authctl's own tables, by the paths of the tests.
static WITH_STATE: Mutex<BTreeMap<PathBuf, TestDatabase>> = Mutex::new(BTreeMap::new());

fn url_with_state(path: &Path) -> String {
    WITH_STATE.lock().unwrap()[path].url().to_owned()
}

fn create_with_state(engine: &TestEngine, path: &Path) {
    let database = postgres::server::database_like("state", |url| {
        postgres::server::run_in(url, &tables_of(engine));
        let usual = SchemaOverrides::default();
        postgres::create_state(&postgres::address_of(url), WAIT, &Actor::default(), "", &usual).unwrap();
        // The tests begin with an empty log.
        postgres::server::run_in(url, "DELETE FROM authctl.authctl_audit");
    });
    WITH_STATE.lock().unwrap().insert(path.to_owned(), database.unwrap());
}

fn without_calendar(tables: &str, kind: &str) -> String {
    tables.replace("timestamptz", kind).replace(" default CURRENT_TIMESTAMP", "")
}

/// The schema of a test: its directory has a name that no other has.
pub(super) fn schema_of(path: &Path) -> &str {
    path.parent().unwrap().file_name().unwrap().to_str().unwrap()
}

fn address_of(path: &Path) -> postgres::Address {
    postgres::address_of(&url_of(path))
}

pub(super) fn url_of(path: &Path) -> String {
    let database = postgres::server::shared().unwrap();
    let separator = if database.contains('?') { '&' } else { '?' };
    format!("{database}{separator}schema={}", schema_of(path))
}

fn run(_: &TestEngine, path: &Path, sql: &str) -> Option<String> {
    postgres::server::run(&format!(r#"SET search_path = "{}"; {sql}"#, schema_of(path)))
}

fn run_app(_: &TestEngine, path: &Path, sql: &str) -> Option<String> {
    // authctl's own tables are in a file.
    if sql.contains("authctl_") {
        return run_state(path, sql);
    }
    run_in_apps(&format!(r#"SET search_path = "{}"; {sql}"#, schema_of(path)))
}

/// Runs SQL beside the schemas of the apps.
pub(super) fn run_in_apps(sql: &str) -> Option<String> {
    postgres::server::run_in_apps(sql)
}

fn dropping(path: &Path) -> String {
    format!(r#"DROP SCHEMA IF EXISTS "{}" CASCADE"#, schema_of(path))
}

fn create_app(engine: &TestEngine, path: &Path) {
    create_app_with(engine, path, &str::to_owned);
}

fn create_elsewhere(engine: &TestEngine, path: &Path) {
    create_app(engine, path);
    run_in_apps(&format!(r#"DROP TABLE "{}"."session""#, schema_of(path)));
}

fn create_app_with(engine: &TestEngine, path: &Path, change: &dyn Fn(&str) -> String) {
    let (schema, tables) = (schema_of(path), change(&tables_of(engine)));
    run_in_apps(&format!(r#"CREATE SCHEMA "{schema}"; SET search_path = "{schema}"; {tables}"#));
}

/// The statements that make the tables of an app. Texts are in the order of a language.
fn tables_of(engine: &TestEngine) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/better-auth");
    let tables = std::fs::read_to_string(fixtures.join(engine.fixture).with_extension("sql")).unwrap();
    tables.replace(r#""public"."#, "").replace("\" text", "\" text COLLATE \"en-x-icu\"")
}

fn open_app(engine: &TestEngine, path: &Path, wait: Duration) -> SqlStore {
    let database = postgres::server::apps().unwrap();
    let separator = if database.contains('?') { '&' } else { '?' };
    let address = postgres::address_of(&format!("{database}{separator}schema={}", schema_of(path)));
    open_at(engine, &address, path, wait)
}

fn open_at(engine: &TestEngine, address: &postgres::Address, path: &Path, wait: Duration) -> SqlStore {
    let overrides = SchemaOverrides::parse(engine.overrides).unwrap();
    match postgres::open(address, None, None, wait, &overrides, true).unwrap() {
        (Opened::Guest(app), _) => app.with(|_| State::open(&state_of(path), wait)).unwrap(),
        (Opened::Own(_), _) => unreachable!("an app made the database"),
    }
}
