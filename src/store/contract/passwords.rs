//! Password hashes: which one counts, and how one follows another.

use super::*;
use crate::auth::policy::ThrottleRules;
use crate::auth::storage::{PasswordChange, Which};
use crate::auth::throttle::Decision;

/// A user with sessions `one`, `two` and `three`, one counted attempt, and another user's session.
fn busy_user(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    for (start, id) in ["one", "two", "three"].into_iter().enumerate() {
        begin(&mut *store, id, "ada", i64::try_from(start).unwrap(), 60);
    }
    begin(&mut *store, "bobs", "bob", 0, 60);
    store.count_attempt(&attempts_of("ada"), at(5), &ThrottleRules::default()).unwrap();
    store
}

fn change(store: &mut dyn Store, verified: &str, end: Option<Which>) -> Option<Vec<String>> {
    let ended = store
        .replace_password(&PasswordChange {
            user_id: "ada",
            verified: &hash(verified),
            hash: &hash("new hash"),
            end,
            attempts: &attempts_of("ada"),
            now: at(9),
        })
        .unwrap();
    ended.map(|sessions| names(&sessions))
}

/// How many attempts for ada are counted, this one included.
fn counted(store: &mut dyn Store) -> u32 {
    match store.count_attempt(&attempts_of("ada"), at(9), &ThrottleRules::default()).unwrap() {
        Decision::Proceed(attempts) => attempts.count,
        Decision::Undecided => unreachable!("nothing is undecided"),
        Decision::Wait(wait) => unreachable!("{wait}"),
    }
}

#[test]
fn only_the_credential_account_under_the_users_own_id_has_the_password() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "eve"]);
        db.edit(
            r#"UPDATE "account" SET "providerId" = 'github' WHERE "userId" = 'bob';
           UPDATE "account" SET "accountId" = 'somebody' WHERE "userId" = 'eve';
           INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt")
           VALUES ('link', 'ada', 'github', 'ada', 'hash of a link', 0, 0),
                  ('cross', 'bob', 'credential', 'eve', 'hash of a stranger', 0, 0)"#,
        );
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert_eq!(stored_hash(&mut *store, "bob"), None);
        assert_eq!(stored_hash(&mut *store, "eve"), None);
    });
}

#[test]
fn an_account_with_no_password_or_an_empty_one_has_no_hash() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(
            r#"UPDATE "account" SET "password" = NULL WHERE "userId" = 'ada';
           UPDATE "account" SET "password" = '' WHERE "userId" = 'bob'"#,
        );
        assert_eq!(stored_hash(&mut *store, "ada"), None);
        assert_eq!(stored_hash(&mut *store, "bob"), None);
    });
}

#[test]
fn a_replaced_password_ends_what_it_is_told_to_and_clears_the_count() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        let ended = change(&mut *store, "hash of ada", Some(Which::Others("two".into())));
        assert_eq!(ended.unwrap(), ["three", "one"]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(stored_hash(&mut *db.store(), "ada").unwrap(), "new hash");
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
        assert_eq!(counted(&mut *store), 1);

        assert_eq!(change(&mut *store, "new hash", Some(Which::All)).unwrap(), ["two"]);
        assert_eq!(ids(&mut *store, "ada"), [""; 0]);
    });
}

#[test]
fn a_replaced_password_can_leave_every_session_alive() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        assert_eq!(change(&mut *store, "hash of ada", None).unwrap(), [""; 0]);
        assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"]);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "new hash");
    });
}

#[test]
fn a_password_that_changed_meanwhile_is_not_replaced_and_nothing_else_changes() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        assert_eq!(change(&mut *store, "an older hash", Some(Which::All)), None);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"]);
        assert_eq!(counted(&mut *store), 2);
    });
}

#[test]
fn a_password_is_not_replaced_when_a_session_that_should_end_with_it_is_not_there() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        let which = Which::Ids(vec!["one".into(), "bobs".into()]);
        assert_eq!(change(&mut *store, "hash of ada", Some(which)), None);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"]);
        assert_eq!(counted(&mut *store), 2);
    });
}

#[test]
fn of_two_who_verified_the_same_password_only_one_replaces_it() {
    on_every_engine(|db| {
        let mut first = busy_user(db);
        let mut second = db.store();
        assert!(change(&mut *first, "hash of ada", None).is_some());
        assert_eq!(change(&mut *second, "hash of ada", None), None);
    });
}
