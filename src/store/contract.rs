//! What every store promises to the rules, checked on real database files.
//!
//! Each check is a sentence and knows only the trait, so that it says the same of every engine in
//! every mapping; [`on_every_engine`] makes one test of each pair. What the trait cannot write (a
//! role, a ban, a row that makes no sense) the tester's own hand writes, as another program would.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::engine::Value;
use super::sqlite;
use crate::auth::email::Email;
use crate::auth::fixtures::at;
use crate::auth::secret::{StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::storage::{ClientInfo, NewSessionRow, NewUserRow, Store};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::{User, UserRef};

/// How long a store waits for another one: longer than any race in here lasts.
const WAIT: Duration = Duration::from_secs(20);

/// Makes a test of every named check with every engine. A new engine is one more line in here.
macro_rules! on_every_engine {
    ($($check:ident),+ $(,)?) => {
        on_engine!(sqlite_native, SQLITE_NATIVE, $($check),+);
        on_engine!(sqlite_contended, SQLITE_CONTENDED, $($check),+);
        on_engine!(sqlite_drizzle, SQLITE_DRIZZLE, $($check),+);
        on_engine!(sqlite_without_rowid, SQLITE_WITHOUT_ROWID, $($check),+);
        on_engine!(sqlite_plural, SQLITE_PLURAL, $($check),+);
        on_engine!(sqlite_kysely, SQLITE_KYSELY, $($check),+);
    };
}

macro_rules! on_engine {
    ($module:ident, $engine:ident, $($check:ident),+) => {
        mod $module {
            use crate::store::contract::Database;
            use crate::store::contract::engine::$engine;
            $(
                #[test]
                fn $check() {
                    super::$check(&Database::new(&$engine));
                }
            )+
        }
    };
}

mod admin;
mod admins;
mod audit;
mod audit_facts;
mod callers;
mod codes;
mod deletion;
mod description;
mod doctor;
mod ending;
mod engine;
mod impersonation;
mod nonsense;
mod pages;
mod passwords;
mod policy;
mod profile;
mod pruning;
mod roles;
mod sessions;
mod sign_in;
mod throttle;
mod users;

use engine::Engine;

/// A database of its own for one check.
struct Database {
    engine: &'static Engine,
    path: PathBuf,
    _directory: TempDir,
}

impl Database {
    fn new(engine: &'static Engine) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new()
            .prefix("authctl-")
            .permissions(private)
            .tempdir_in(crate::scratch::directory())
            .unwrap();
        let path = directory.path().canonicalize().unwrap().join("auth.db");
        engine.make(&path);
        Self { engine, path, _directory: directory }
    }

    /// Opens one more connection.
    fn store(&self) -> Box<dyn Store> {
        Box::new(self.engine.open(&self.path))
    }

    /// Opens one more connection, which waits for nothing.
    fn impatient(&self) -> Box<dyn Store> {
        Box::new(self.engine.open_waiting(&self.path, Duration::ZERO))
    }

    /// Changes the data as another program would.
    fn edit(&self, sql: &str) {
        let (connection, sql) = self.engine.behind(&self.path, sql);
        connection.execute_batch(&sql).unwrap();
    }

    /// An instant, `seconds` after [`at`]\(0), as SQL in this database.
    fn time(&self, seconds: i64) -> String {
        let store = self.engine.open(&self.path);
        match store.written(at(seconds)) {
            Value::Text(text) => format!("'{text}'"),
            Value::Integer(number) => number.to_string(),
            other => unreachable!("{other:?}"),
        }
    }

    /// Asks for one text behind the store's back.
    fn ask(&self, sql: &str) -> Option<String> {
        let (connection, sql) = self.engine.behind(&self.path, sql);
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// Counts rows behind the store's back.
    fn count(&self, table: &str) -> u32 {
        let sql = format!(r#"SELECT CAST(count(*) AS TEXT) FROM "{table}""#);
        self.ask(&sql).unwrap().parse().unwrap()
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

/// A user to be made at [`at`]\(0) whose id is the name.
fn new_user(name: &str) -> NewUserRow {
    NewUserRow {
        id: name.into(),
        account_id: format!("account-of-{name}"),
        email: email(name),
        name: name.into(),
        image: None,
        email_verified: false,
        role: None,
        now: at(0),
    }
}

/// A session to be made, whose token is `token of ID`.
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

/// Begins a session from `now` to `end`, in seconds.
fn begin(store: &mut dyn Store, id: &str, user: &str, now: i64, end: i64) -> Session {
    let session = new_session(id, user, at(now), at(end));
    let hash = store.password_hash(user).unwrap().unwrap();
    store.begin_session(&session, &hash, None, &attempts_of(user)).unwrap().unwrap()
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
