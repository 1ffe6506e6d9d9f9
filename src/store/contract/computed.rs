//! Columns that the database computes from others: they are read, acts that must write them are refused, and all others
//! go on.

use super::*;
use crate::auth::storage::{AdminGuard, Ban, UserChange, WriteBlocker, WriteScope};
use crate::store::mapping::TABLES;

const USER: &[(&str, &str)] = &[
    ("id", "'ada'"),
    ("name", "'ada'"),
    ("email", "'ada@example.com'"),
    ("emailVerified", "0"),
    ("createdAt", "1790000000"),
    ("updatedAt", "1790000000"),
    ("banned", "0"),
];
const SESSION: &[(&str, &str)] = &[
    ("id", "'s'"),
    ("token", "'t'"),
    ("userId", "'ada'"),
    ("expiresAt", "1890000000"),
    ("createdAt", "1790000000"),
    ("updatedAt", "1790000000"),
];

/// The database of an app with ada and a session, which computes a column of a table from another one.
fn make_computing(database: &Database, table: &str, column: &str, how: &str) -> PathBuf {
    let path = database.path.with_file_name(format!("{table}-{column}.db"));
    let connection = rusqlite::Connection::open(&path).unwrap();
    for known in TABLES {
        let columns = known.columns.iter().map(|one| match one.name {
            "id" => "id TEXT PRIMARY KEY".to_owned(),
            name if (known.name, name) == (table, column) => format!("{name} AS (of_{name}) {how}, of_{name}"),
            name => name.to_owned(),
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        connection.execute_batch(&format!("CREATE TABLE {} ({columns})", known.name)).unwrap();
    }
    for (name, values) in [("user", USER), ("session", SESSION)] {
        let of = |one: &str| if (name, one) == (table, column) { format!("of_{one}") } else { one.to_owned() };
        let (columns, values): (Vec<String>, Vec<&str>) = values.iter().map(|(one, value)| (of(one), *value)).unzip();
        let (columns, values) = (columns.join(", "), values.join(", "));
        connection.execute_batch(&format!("INSERT INTO {name} ({columns}) VALUES ({values})")).unwrap();
    }
    path
}

fn open(path: &Path) -> SqlStore {
    open_guest(&TestEngine { overrides: "{}", ..SQLITE_GUEST }, path, WAIT)
}

/// Whether an act was refused because of a column.
fn is_refused<T: std::fmt::Debug>(done: Result<T, StoreError>, place: &str) -> bool {
    match done {
        Ok(_) => false,
        Err(StoreError::NotOurs(WriteBlocker { problem, scope, .. })) => {
            assert_eq!(
                (problem, scope),
                (format!("the database computes {place}"), WriteScope::Column(place.to_owned()))
            );
            true
        }
        Err(error) => panic!("{place}: {error}"),
    }
}

#[test]
fn computed_column_stops_only_acts_that_must_write_it() {
    let database = Database::new(&SQLITE_DRIZZLE);
    let user = TABLES.iter().find(|table| table.name == "user").unwrap();
    for (number, column) in user.columns.iter().map(|column| column.name).filter(|name| *name != "id").enumerate() {
        let path = make_computing(&database, "user", column, if number % 2 == 0 { "STORED" } else { "VIRTUAL" });
        let (mut store, place) = (open(&path), format!("user.{column}"));
        let ada = by_id(&mut store, "ada").unwrap();
        let read = (ada.name.as_str(), ada.email.as_str(), ada.created_at, ada.odd);
        assert_eq!(read, ("ada", "ada@example.com", at(0), Vec::new()), "{column}");
        let before = std::fs::read(&path).unwrap();
        let created = store.create_user(&new_user("bob"), Some(&hash_of("bob")), None);
        let is_needed = ["name", "email"].contains(&column);
        assert_eq!(is_refused(created, &place), is_needed, "create with {column}");
        assert_eq!(std::fs::read(&path).unwrap() == before, is_needed, "{column}");
        let mut change = |change: UserChange, written: &[&str], what: &str| {
            let done = store.update_user("ada", &change, AdminGuard::Off, at(1));
            assert_eq!(is_refused(done, &place), written.contains(&column), "{what} with {column}");
        };
        change(UserChange { name: Some("Ada".into()), ..UserChange::default() }, &["name"], "rename");
        change(UserChange { email_verified: Some(true), ..UserChange::default() }, &["emailVerified"], "verify");
        let ban = Ban::Imposed { reason: Some("spam".into()), until: Some(at(9)) };
        change(UserChange { ban: Some(ban), ..UserChange::default() }, &["banned", "banReason", "banExpires"], "ban");
        delete_user(&mut store, "ada", AdminGuard::Off, at(2)).unwrap().unwrap();
    }
}

#[test]
fn computed_column_of_a_session_stops_only_new_sessions() {
    let database = Database::new(&SQLITE_DRIZZLE);
    for (column, stops) in [("expiresAt", true), ("createdAt", false), ("updatedAt", false), ("token", true)] {
        let mut store = open(&make_computing(&database, "session", column, "STORED"));
        let sessions = store.sessions("ada").unwrap();
        assert_eq!((sessions.len(), sessions[0].expires_at.as_second()), (1, 1_890_000_000), "{column}");
        set_password(&mut store, "ada", "hash", None, 0).unwrap();
        let hash = store.password_hash("ada").unwrap().unwrap();
        let begun = store.begin_session(&new_session("new", "ada", at(0), at(9)), &hash, None, None, &attempts_of("x"));
        assert_eq!(is_refused(begun, &format!("session.{column}")), stops, "{column}");
        let ended = store.end_sessions("ada", &Which::All).unwrap().unwrap();
        assert_eq!(ended.len(), if stops { 1 } else { 2 }, "{column}");
    }
}

#[test]
fn computed_column_of_the_app_is_left_out_of_new_rows() {
    let database = Database::new(&SQLITE_DRIZZLE);
    let path = make_computing(&database, "user", "image", "STORED");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let initial = "ALTER TABLE user ADD COLUMN initial TEXT NOT NULL AS (substr(name, 1, 1)) VIRTUAL";
    connection.execute_batch(initial).unwrap();
    open(&path).create_user(&new_user("bob"), None, None).unwrap();
    let sql = "SELECT initial FROM user WHERE id = 'bob'";
    let initial: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(initial, "b");
}
