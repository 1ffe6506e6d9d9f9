//! Databases of apps whose columns have random encodings: every act has the effect that it has on a simple model, each
//! column keeps its encoding, and reading changes no byte.

use super::*;
use crate::auth::storage::{AdminGuard, Ban, UserChange, UserQuery};

/// The number of databases; `AUTHCTL_MIXED` asks for more.
const CASES: u64 = 24;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// SQL that writes the second `{}`.
const TIMES: [&str; 6] = [
    "{}",
    "{} * 1000",
    "{} + 0.25",
    "strftime('%Y-%m-%dT%H:%M:%fZ', {}, 'unixepoch')",
    "strftime('%Y-%m-%dT%H:%M:%f+00:00', {}, 'unixepoch')",
    "strftime('%Y-%m-%d %H:%M:%f', {}, 'unixepoch')",
];
/// SQL that writes the boolean `{}`.
const TRUTHS: [&str; 4] =
    ["{}", "iif({}, 'true', 'false')", "iif({}, 'TRUE', 'FALSE')", "iif({}, 1790000000000, NULL)"];
/// The declaration of a user's id, and SQL that writes the id of the user `{}`.
const IDS: [(&str, &str); 3] = [
    ("integer PRIMARY KEY", "{}"),
    ("text PRIMARY KEY", "'user-{}'"),
    ("blob PRIMARY KEY", "x'000000000000400080000000000000' || x'0{}'"),
];

/// A user as every program should see them: address, name, verified, banned.
type Known = (String, String, bool, bool);

fn make(path: &Path, dice: &mut Dice) -> Vec<Known> {
    let (declared, id) = dice.of(&IDS);
    let mut sql = format!(
        "CREATE TABLE user (id {declared}, name, email, emailVerified, image, createdAt, updatedAt, role, banned, banReason, banExpires);
         CREATE TABLE account (id, accountId, providerId, userId, accessToken, refreshToken, idToken, accessTokenExpiresAt,
           refreshTokenExpiresAt, scope, password, createdAt, updatedAt);
         CREATE TABLE session (id, expiresAt, token, createdAt, updatedAt, ipAddress, userAgent, userId, impersonatedBy);
         CREATE TABLE verification (id, identifier, value, expiresAt, createdAt, updatedAt);"
    );
    let [created, updated, expires] = [0; 3].map(|_| dice.of(&TIMES));
    let [verified, banned] = [0; 2].map(|_| dice.of(&TRUTHS));
    let mut users = Vec::new();
    for number in 1..=4 {
        let (is_verified, is_banned) = (number == 1 || dice.below(2) == 0, number == 2 || dice.below(3) == 0);
        let time = |form: &str| form.replace("{}", &format!("{}", 1_790_000_000 + number));
        let truth = |form: &str, truth: bool| form.replace("{}", &u8::from(truth).to_string());
        let row = format!(
            "INSERT INTO user VALUES ({}, 'n{number}', 'u{number}@x.org', {}, NULL, {}, {}, 'user', {}, NULL, {});",
            id.replace("{}", &number.to_string()).replace("' || x'", ""),
            truth(verified, is_verified),
            time(created),
            time(updated),
            truth(banned, is_banned),
            expires.replace("{}", "4000000000"),
        );
        sql.push_str(&row);
        users.push((format!("u{number}@x.org"), format!("n{number}"), is_verified, is_banned));
    }
    rusqlite::Connection::open(path).unwrap().execute_batch(&sql).unwrap();
    users
}

fn listed(store: &mut dyn Store) -> Vec<(String, Known)> {
    let query = UserQuery { limit: 100, ..UserQuery::default() };
    let users = store.users(&query).unwrap().users;
    assert!(users.iter().all(|user| user.odd.is_empty()), "{users:?}");
    users.into_iter().map(|user| (user.id, (user.email, user.name, user.email_verified, user.banned))).collect()
}

/// The types of the values of the user's columns, NULL left out.
fn types(path: &Path) -> Vec<String> {
    let sql = ["id", "emailVerified", "createdAt", "updatedAt", "banned", "banExpires"]
        .map(|column| format!("SELECT DISTINCT '{column} ' || typeof({column}) FROM user WHERE {column} IS NOT NULL"));
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(&sql.join(" UNION ")).unwrap();
    // A column of fractions also has whole numbers.
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn run(seed: u64) {
    let mut dice = Dice(seed);
    let database = Database::new(&SQLITE_DRIZZLE);
    let path = database.path.with_file_name("mixed.db");
    let mut model = make(&path, &mut dice);
    let before = types(&path);
    let made = std::fs::read(&path).unwrap();
    let store = &mut open_guest(&TestEngine { overrides: "{}", ..SQLITE_GUEST }, &path, WAIT);
    let known = |store: &mut dyn Store| listed(store).into_iter().map(|(_, known)| known).collect::<Vec<_>>();
    assert_eq!(known(store), model, "seed {seed}");
    assert_eq!(std::fs::read(&path).unwrap(), made, "seed {seed}: reading changes no byte");
    for act in 0..8 {
        let now = at(1_800_000_000 + act);
        let which = dice.below(model.len());
        let (id, _) = listed(store).swap_remove(which);
        let mut change = UserChange::default();
        match dice.below(4) {
            0 => {
                change.name = Some(format!("new {act}"));
                model[which].1 = format!("new {act}");
            }
            1 => {
                change.ban = Some(Ban::Imposed { reason: None, until: Some(at(4_100_000_000)) });
                model[which].3 = true;
            }
            2 => {
                change.ban = Some(Ban::Lifted);
                model[which].3 = false;
            }
            _ => {
                let truth = dice.below(2) == 0;
                change.email_verified = Some(truth);
                model[which].2 = truth;
            }
        }
        store.update_user(&id, &change, AdminGuard::Off, now).unwrap().unwrap();
        assert_eq!(known(store), model, "seed {seed}, act {act}: {change:?}");
    }
    let new = types(&path);
    assert!(new.iter().all(|one| before.contains(one) || one.ends_with("real")), "seed {seed}: {before:?} {new:?}");
    let (id, _) = listed(store).swap_remove(0);
    delete_user(&mut *store, &id, AdminGuard::Off, at(1_800_000_100)).unwrap().unwrap();
    assert_eq!(known(store), model[1..], "seed {seed}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks for its own length")]
fn acts_on_mixed_encodings_equal_those_on_a_model() {
    let cases = std::env::var("AUTHCTL_MIXED").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for seed in 0..cases {
        run(seed);
    }
}
