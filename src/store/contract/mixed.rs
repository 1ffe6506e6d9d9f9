//! Databases of apps whose columns have random encodings: every act has the effect that it has on a simple model, each
//! column keeps its encoding, and reading changes no byte.

use super::*;
use crate::auth::prune::Pruning;
use crate::auth::session::SessionFilter;
use crate::auth::storage::{AdminGuard, Ban, Maintenance as _, SessionQuery, UserChange, UserQuery, WriteBlocker};

/// The number of databases; `AUTHCTL_MIXED` asks for more.
const CASES: u64 = 24;
/// The number of acts on each.
const ACTS: i64 = 16;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    /// Seeds that follow each other give numbers that have nothing in common.
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// SQL that writes the second `{}`.
const TIMES: [&str; 11] = [
    "{}",
    "{} * 1000",
    "{} * 1000.0",
    "{} + 0.25",
    "strftime('%Y-%m-%dT%H:%M:%fZ', {}, 'unixepoch')",
    "strftime('%Y-%m-%dT%H:%M:%f+00:00', {}, 'unixepoch')",
    "strftime('%Y-%m-%d %H:%M:%f', {}, 'unixepoch')",
    "strftime('%Y-%m-%dT%H:%M:%S', {}, 'unixepoch')",
    "strftime('%Y-%m-%d %H:%M:%f001', {}, 'unixepoch')",
    "strftime('%Y-%m-%d %H:%M:%SZ', {}, 'unixepoch')",
    "strftime('%Y-%m-%d %H:%M:%f000 +0530', {} + 19800, 'unixepoch')",
];
/// SQL that writes the boolean `{}`.
const TRUTHS: [&str; 5] =
    ["{}", "{} + 0.0", "iif({}, 'true', 'false')", "iif({}, 'TRUE', 'FALSE')", "iif({}, 1790000000000, NULL)"];
/// The declaration of an id, SQL that writes the id `{}`, and the text that it has for programs.
const IDS: [(&str, &str, &str); 3] = [
    ("integer PRIMARY KEY", "{}", "{}"),
    ("text PRIMARY KEY", "'id-{}'", "id-{}"),
    ("blob PRIMARY KEY", "x'000000000000400080000000000000{}'", "00000000-0000-4000-8000-0000000000{}"),
];

/// The second of [`at`]`(0)`, at which all rows were made.
const MADE: i64 = 1_790_000_000;
/// The first act, in seconds after that.
const FIRST_ACT: i64 = 10_000_000;
/// The seconds at which sessions end: before all acts, and after them.
const ENDS: [i64; 2] = [1_795_000_000, 4_000_000_000];

/// A user as every program should see them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Person {
    email: String,
    name: String,
    is_verified: bool,
    is_banned: bool,
    hash: Option<String>,
    /// The id and the last second of each session, in the order of the ids.
    sessions: Vec<(String, i64)>,
}

/// Makes a database and the model of what is in it.
fn make(path: &Path, dice: &mut Dice) -> Vec<Person> {
    let [(user_key, user_id, user_text), (session_key, session_id, session_text), (account_key, account_id, _)] =
        [0; 3].map(|_| dice.of(&IDS));
    let mut sql = vec![format!(
        "CREATE TABLE user (id {user_key}, name, email, emailVerified, image, createdAt, updatedAt, role, banned, banReason, banExpires);
         CREATE TABLE account (id {account_key}, accountId, providerId, userId, accessToken, refreshToken, idToken,
           accessTokenExpiresAt, refreshTokenExpiresAt, scope, password, createdAt, updatedAt);
         CREATE TABLE session (id {session_key}, expiresAt, token, createdAt, updatedAt, ipAddress, userAgent, userId, impersonatedBy);
         CREATE TABLE verification (id, identifier, value, expiresAt, createdAt, updatedAt);"
    )];
    // The encoding of each column of times and of booleans.
    let [created, updated, expires, began, moved, ends, linked, changed] = [0; 8].map(|_| dice.of(&TIMES));
    let [verified, banned] = [0; 2].map(|_| dice.of(&TRUTHS));
    let mut people = Vec::new();
    for number in 11..15 {
        let (is_verified, is_banned) = (number == 11 || dice.coin(), number == 12 || dice.below(3) == 0);
        let id = |form: &str, number: i64| form.replace("{}", &number.to_string());
        let time = |form: &str, second: i64| form.replace("{}", &second.to_string());
        let truth = |form: &str, truth: bool| form.replace("{}", &u8::from(truth).to_string());
        let user = id(user_id, number);
        sql.push(format!(
            "INSERT INTO user VALUES ({user}, 'n{number}', 'u{number}@x.org', {}, NULL, {}, {}, 'user', {}, NULL, {});",
            truth(verified, is_verified),
            time(created, MADE + number),
            time(updated, MADE + number),
            truth(banned, is_banned),
            time(expires, ENDS[1]),
        ));
        let mut sessions = Vec::new();
        for place in 0..3 {
            let (row, end) = (20 + 3 * (number - 11) + place, if place == 0 { ENDS[1] } else { dice.of(&ENDS) });
            sql.push(format!(
                "INSERT INTO session VALUES ({}, {}, 'token {row}', {}, {}, NULL, NULL, {user}, NULL);",
                id(session_id, row),
                time(ends, end),
                time(began, MADE + row),
                time(moved, MADE + row),
            ));
            sessions.push((id(session_text, row), end));
        }
        // The last user has no password.
        let hash = (number < 14).then(|| format!("hash {number}"));
        if let Some(hash) = &hash {
            sql.push(format!(
                "INSERT INTO account VALUES ({}, '{}', 'credential', {user}, NULL, NULL, NULL, NULL, NULL, NULL, '{hash}', {}, {});",
                id(account_id, number + 40),
                id(user_text, number),
                time(linked, MADE + number),
                time(changed, MADE + number),
            ));
        }
        let (email, name) = (format!("u{number}@x.org"), format!("n{number}"));
        people.push(Person { email, name, is_verified, is_banned, hash, sessions });
    }
    rusqlite::Connection::open(path).unwrap().execute_batch(&sql.concat()).unwrap();
    people
}

/// The ids of the users, and what the store reads of them.
fn read(store: &mut dyn Store) -> (Vec<String>, Vec<Person>) {
    let query = UserQuery { limit: 100, ..UserQuery::default() };
    let users = store.users(&query).unwrap().users;
    assert!(users.iter().all(|user| user.odd.is_empty()), "{users:?}");
    let mut person = |user: &User| {
        let sessions = store.sessions(&user.id).unwrap();
        assert!(sessions.iter().all(|session| session.odd.is_empty()), "{sessions:?}");
        let mut sessions: Vec<_> =
            sessions.into_iter().map(|session| (session.id, session.expires_at.as_second())).collect();
        sessions.sort();
        Person {
            email: user.email.clone(),
            name: user.name.clone(),
            is_verified: user.email_verified,
            is_banned: user.banned,
            hash: stored_hash(store, &user.id),
            sessions,
        }
    };
    let people = users.iter().map(&mut person).collect();
    (users.into_iter().map(|user| user.id).collect(), people)
}

/// Compares a database with the model; returns the ids of the users. Reading changes no byte.
fn compare(store: &mut dyn Store, path: &Path, model: &[Person], what: &str) -> Vec<String> {
    let before = std::fs::read(path).unwrap();
    let (ids, people) = read(store);
    assert_eq!(people, model, "{what}");
    let mut sessions = 0;
    let all = SessionQuery { user_id: None, filter: &SessionFilter::default(), after: None, now: at(0) };
    let mut count = |_| {
        sessions += 1;
        true
    };
    store.each_session(&all, &mut count).unwrap();
    assert_eq!(sessions, model.iter().map(|person| person.sessions.len()).sum::<usize>(), "{what}");
    let over = model.iter().flat_map(|person| &person.sessions).filter(|(_, end)| *end == ENDS[0]).count();
    assert_eq!(store.count_expired(at(FIRST_ACT)).unwrap(), over as u64, "{what}");
    assert_eq!((store.odd_rows(9).unwrap().rows, store.stray_accounts().unwrap().all), (0, 0), "{what}");
    assert!(std::fs::read(path).unwrap() == before, "{what}: reading changes no byte");
    ids
}

/// The forms of the values of columns, NULL left out: their types, and the texts of times without their digits.
fn forms(path: &Path) -> Vec<String> {
    let columns = [
        ("user", &["id", "emailVerified", "createdAt", "updatedAt", "banned", "banExpires"][..]),
        ("session", &["id", "expiresAt", "createdAt", "updatedAt", "userId"]),
        ("account", &["id", "accountId", "createdAt", "updatedAt", "userId"]),
    ];
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut forms = Vec::new();
    for (table, columns) in columns {
        for column in columns {
            let sql = format!(
                "SELECT DISTINCT typeof({column}), iif(typeof({column}) = 'text', {column}, '') FROM {table} WHERE {column} IS NOT NULL"
            );
            let mut statement = connection.prepare(&sql).unwrap();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let (kind, text): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
                let text = if column.ends_with("At") {
                    text.replace(|c: char| c.is_ascii_digit(), "0")
                } else {
                    String::new()
                };
                forms.push(format!("{table}.{column} {kind} {text}"));
            }
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Does the same random act on a database and on the model; returns its name.
fn act(store: &mut dyn Store, users: &[String], model: &mut [Person], dice: &mut Dice, number: i64) -> String {
    let now = FIRST_ACT + number;
    let which = dice.below(model.len());
    let (id, person) = (&users[which], &mut model[which]);
    let mut change = UserChange::default();
    match dice.below(9) {
        0 => {
            change.name = Some(format!("new {number}"));
            person.name = format!("new {number}");
        }
        1 => {
            change.ban = Some(Ban::Imposed { reason: None, until: Some(at(now + 1_000_000_000)) });
            person.is_banned = true;
        }
        2 => {
            change.ban = Some(Ban::Lifted);
            person.is_banned = false;
        }
        3 => {
            person.is_verified = dice.coin();
            change.email_verified = Some(person.is_verified);
        }
        4 => {
            let chosen: Vec<String> =
                person.sessions.iter().map(|(id, _)| id.clone()).filter(|_| dice.coin()).collect();
            let which = Which::Ids(chosen.clone());
            let ended = store.end_sessions(id, &which).unwrap().unwrap();
            person.sessions.retain(|(id, _)| !chosen.contains(id));
            assert_eq!(ended.len(), chosen.len());
            return format!("end {chosen:?}");
        }
        5 => {
            // Sessions of several users.
            let newest: Vec<String> =
                model.iter().filter_map(|person| person.sessions.last()).map(|(id, _)| id.clone()).collect();
            store.end_sessions_by_id(&newest, &[]).unwrap();
            for person in model.iter_mut() {
                person.sessions.retain(|(id, _)| !newest.contains(id));
            }
            return format!("end {newest:?}");
        }
        6 => {
            let (text, all) = (format!("new hash {number}"), dice.coin());
            set_password(store, id, &text, all.then_some(Which::All), now).unwrap().unwrap();
            person.hash = Some(text);
            if all {
                person.sessions.clear();
            }
            return format!("set the password of {id}, all: {all}");
        }
        7 => {
            let Some(hash) = store.password_hash(id).unwrap() else { return "no sign-in".to_owned() };
            let session = new_session(&format!("made-{number}"), id, at(now), at(ENDS[1] - MADE));
            let begun = store.begin_session(&session, &hash, None, None, &attempts_of("x")).unwrap();
            assert_eq!(begun.is_some(), !person.is_banned);
            person.sessions.extend(begun.map(|session| (session.id, ENDS[1])));
            person.sessions.sort();
            return format!("sign in as {id}");
        }
        _ => {
            store.prune(at(now), &mut Pruning::by(100)).unwrap();
            for person in model.iter_mut() {
                person.sessions.retain(|(_, end)| *end == ENDS[1]);
            }
            return "prune".to_owned();
        }
    }
    store.update_user(id, &change, AdminGuard::Off, at(now)).unwrap().unwrap();
    format!("{change:?}")
}

fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let database = Database::new(&SQLITE_DRIZZLE);
    let path = database.path.with_file_name("mixed.db");
    let mut model = make(&path, &mut dice);
    let before = forms(&path);
    let store = &mut open_guest(&TestEngine { overrides: "{}", ..SQLITE_GUEST }, &path, WAIT);
    let mut users = compare(store, &path, &model, &format!("seed {seed}"));
    for number in 0..ACTS {
        let what = act(store, &users, &mut model, &mut dice, number);
        users = compare(store, &path, &model, &format!("seed {seed}, act {number}: {what}"));
    }
    let new = forms(&path);
    assert!(new.iter().all(|one| before.contains(one)), "seed {seed}: {before:?} {new:?}");
    delete_user(&mut *store, &users[0], AdminGuard::Off, at(FIRST_ACT + ACTS)).unwrap().unwrap();
    compare(store, &path, &model[1..], &format!("seed {seed}, deletion"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks for its own length")]
fn acts_on_mixed_encodings_equal_those_on_a_model() {
    let cases = std::env::var("AUTHCTL_MIXED").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for seed in 0..cases {
        run(seed);
    }
}

/// Opens a database of many users, whose columns `createdAt` and `banExpires` have no encoding that a sample shows.
fn open_unclear(database: &Database, sql: &str) -> (PathBuf, SqlStore) {
    let path = database.path.with_file_name("unclear.db");
    let tables = "CREATE TABLE user (id, name, email, emailVerified, image, createdAt, updatedAt, role, banned, banReason, banExpires);
         CREATE TABLE account (id, accountId, providerId, userId, accessToken, refreshToken, idToken,
           accessTokenExpiresAt, refreshTokenExpiresAt, scope, password, createdAt, updatedAt);
         CREATE TABLE session (id, expiresAt, token, createdAt, updatedAt, ipAddress, userAgent, userId, impersonatedBy);
         CREATE TABLE verification (id, identifier, value, expiresAt, createdAt, updatedAt);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO user SELECT 'u' || i, 'n', i || '@x.org', 0, NULL, 1790000000302, 1790000000302, 'user', 0, NULL, NULL FROM n;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(&[tables, sql].concat()).unwrap();
    let store = open_guest(&TestEngine { overrides: "{}", ..SQLITE_GUEST }, &path, WAIT);
    (path, store)
}

fn value_of(path: &Path, sql: &str) -> String {
    let sql = format!("SELECT CAST(({sql}) AS TEXT)");
    rusqlite::Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn all_values_decide_before_a_column_is_written() {
    let database = Database::new(&SQLITE_DRIZZLE);
    // A sample of rows at even distances sees the few that were moved, and no ban.
    let (path, mut store) = open_unclear(
        &database,
        "UPDATE user SET rowid = rowid * 1000, createdAt = 1790000000 WHERE rowid > 880;
         UPDATE user SET banned = 1, banExpires = '2030-01-01 00:00:00.25+01:00' WHERE rowid = 555;",
    );
    store.create_user(&new_user("new"), None, None).unwrap();
    assert_eq!(value_of(&path, "SELECT createdAt FROM user WHERE id = 'new'"), at(0).as_millisecond().to_string());
    let ban = Ban::Imposed { reason: None, until: Some(at(0)) };
    let change = UserChange { ban: Some(ban), ..UserChange::default() };
    store.update_user("u7", &change, AdminGuard::Off, at(0)).unwrap().unwrap();
    let until = value_of(&path, "SELECT banExpires FROM user WHERE id = 'u7'");
    assert_eq!(until, "2026-09-21 15:13:20.00+01:00");
    let on_users = |blocker: &&WriteBlocker| blocker.problem.contains("user.");
    assert_eq!(store.guest().unwrap().write_blockers.iter().find(on_users), None);
}

#[test]
fn tie_of_all_values_refuses_the_act_that_must_write() {
    let database = Database::new(&SQLITE_DRIZZLE);
    let (path, mut store) = open_unclear(&database, "UPDATE user SET createdAt = 1790000000 WHERE rowid % 2 = 0");
    assert_eq!(store.guest().unwrap().write_blockers, [], "a sample does not decide");
    let change = UserChange { name: Some("new".to_owned()), ..UserChange::default() };
    store.update_user("u7", &change, AdminGuard::Off, at(0)).unwrap().unwrap();
    let before = std::fs::read(&path).unwrap();
    let created = store.create_user(&new_user("new"), None, None);
    assert!(
        matches!(created, Err(StoreError::NotOurs(blocker)) if blocker.problem.starts_with("some of the values of user.createdAt"))
    );
    assert!(std::fs::read(&path).unwrap() == before, "nothing is written");
    store.settle().unwrap();
    assert_eq!(store.guest().unwrap().write_blockers.len(), 1, "the other columns have the encoding of updatedAt");
}
