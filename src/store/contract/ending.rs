//! Sessions that end: by their token once, by their ids all or none.

use super::*;
use crate::auth::AuthError;
use crate::auth::storage::Which;

/// A store with ada's sessions `three`, `two` and `one` (over since long) and bob's `bobs`.
fn with_sessions(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    begin(&mut *store, "one", "ada", 0, -1_000_000_000);
    begin(&mut *store, "two", "ada", 1, 60);
    begin(&mut *store, "three", "ada", 2, 60);
    begin(&mut *store, "bobs", "bob", 0, 60);
    store
}

fn end(store: &mut dyn Store, user: &str, which: &Which) -> Vec<String> {
    names(&store.end_sessions(user, which).unwrap().unwrap())
}

fn of(ids: &[&str]) -> Which {
    Which::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

#[test]
fn a_session_ends_once_and_is_given_back_as_it_was() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        let (session, _) = store.session(&token_of("two")).unwrap().unwrap();
        assert_eq!(store.end_session(&token_of("two")).unwrap(), Some(session));
        assert_eq!(store.end_session(&token_of("two")).unwrap(), None);
        assert_eq!(store.session(&token_of("two")).unwrap(), None);
        assert_eq!(ids(&mut *store, "ada"), ["three", "one"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn all_sessions_of_a_user_end_those_included_that_are_over() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        let before = store.sessions("ada").unwrap();
        assert_eq!(store.end_sessions("ada", &Which::All).unwrap().unwrap(), before);
        assert_eq!(ids(&mut *db.store(), "ada"), [""; 0]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(end(&mut *store, "ada", &Which::All), [""; 0]);
    });
}

#[test]
fn all_other_sessions_end_but_the_named_one() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        assert_eq!(end(&mut *store, "ada", &Which::Others("two".into())), ["three", "one"]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn sessions_end_by_their_ids_and_naming_one_twice_is_naming_it() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        assert_eq!(end(&mut *store, "ada", &of(&["one", "three", "one"])), ["three", "one"]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
        assert_eq!(end(&mut *store, "ada", &of(&[])), [""; 0]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
    });
}

#[test]
fn with_an_id_that_is_not_the_users_nothing_ends() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        for (asked, missing) in [
            (of(&["one", "nowhere"]), "nowhere"),
            (of(&["two", "bobs", "nowhere"]), "bobs"),
            (of(&["t"]), "t"),
            (of(&["%"]), "%"),
            (of(&[""]), ""),
        ] {
            let refused = store.end_sessions("ada", &asked).unwrap();
            assert!(matches!(&refused, Err(AuthError::NoSuchSession(id)) if id == missing), "{refused:?}");
            assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"], "{asked:?}");
            assert_eq!(ids(&mut *store, "bob"), ["bobs"], "{asked:?}");
        }
    });
}
