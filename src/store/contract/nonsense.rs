//! Rows that make no sense: an error that names where, keeps the value to itself and changes
//! nothing.

use super::*;
use crate::auth::storage::{AdminGuard, StoreError, UserChange, Which};

/// The words of an error that must be about a row.
fn words<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Inconsistent { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn a_users_row_that_makes_no_sense_is_named_by_every_fact_that_reads_it() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        db.edit(r#"UPDATE "user" SET "emailVerified" = 7"#);
        let sentence = "row ada of table user makes no sense: column emailVerified is neither 0 nor 1";
        assert_eq!(words(store.user(&UserRef::Id("ada".into()))), sentence);
        assert_eq!(words(store.user(&UserRef::Email(email("ada")))), sentence);
        assert_eq!(words(store.session(&token_of("first"))), sentence);
        assert_eq!(words(store.update_user("ada", &UserChange::default(), AdminGuard::Off, at(1))), sentence);
        assert_eq!(words(store.delete_user("ada", AdminGuard::Off, at(0))), sentence);
        assert_eq!((db.count("user"), db.count("session")), (1, 1));
    });
}

#[test]
fn an_administrators_row_that_makes_no_sense_does_not_count_as_one() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(
        r#"UPDATE "user" SET "role" = 'admin'; UPDATE "user" SET "createdAt" = 900000000000000000 WHERE "id" = 'bob'"#,
    );
        assert_eq!(
            words(store.delete_user("ada", AdminGuard::KeepLastAdmin, at(0))),
            format!("row bob of table user makes no sense: column createdAt is not {}", db.engine.time)
        );
        assert_eq!(db.count("user"), 2);
    });
}

#[test]
fn a_sessions_row_that_makes_no_sense_is_named_and_ends_nothing() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "bad", "ada", 0, 60);
        begin(&mut *store, "good", "ada", 1, 60);
        db.edit(r#"UPDATE "session" SET "expiresAt" = 900000000000000000 WHERE "id" = 'bad'"#);
        let sentence = format!("row bad of table session makes no sense: column expiresAt is not {}", db.engine.time);
        assert_eq!(words(store.session(&token_of("bad"))), sentence);
        assert_eq!(words(store.sessions("ada")), sentence);
        assert_eq!(words(store.end_sessions("ada", &Which::All)), sentence);
        assert_eq!(words(store.end_sessions("ada", &Which::Ids(vec!["good".into()]))), sentence);
        assert_eq!(words(store.end_session(&token_of("bad"))), sentence);
        assert_eq!(db.count("session"), 2);
        assert!(store.session(&token_of("good")).unwrap().is_some());
    });
}

#[test]
fn an_expired_row_that_makes_no_sense_is_not_swept_away_unseen() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "over", "ada", 0, 1);
        begin(&mut *store, "bad", "ada", 0, 2);
        db.edit(r#"UPDATE "session" SET "createdAt" = -900000000000000000 WHERE "id" = 'bad'"#);
        let sentence = format!("row bad of table session makes no sense: column createdAt is not {}", db.engine.time);
        assert_eq!(words(store.count_expired(at(60))), sentence);
        if db.engine.is_native {
            assert_eq!(words(store.info(at(60))), sentence);
        } else {
            // A row of an app that is not valid does not hide the rest.
            assert_eq!(store.info(at(60)).unwrap().expired_sessions, None);
        }
        assert_eq!(words(store.prune(at(60), 100)), sentence);
        assert_eq!(db.count("session"), 2, "the whole batch stays");
    });
}
