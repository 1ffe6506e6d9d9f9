//! Sessions found, listed and moved.

use super::*;

#[test]
fn a_session_is_found_by_its_token_with_its_user_live_or_not() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let live = begin(&mut *store, "live", "ada", 0, 1_000_000_000);
        let over = begin(&mut *store, "over", "bob", 0, -1_000_000_000);
        let (ada, bob) = (by_id(&mut *store, "ada").unwrap(), by_id(&mut *store, "bob").unwrap());
        assert_eq!(store.session(&token_of("live")).unwrap(), Some((live, ada)));
        assert_eq!(store.session(&token_of("over")).unwrap(), Some((over, bob)));
    });
}

#[test]
fn an_absent_token_is_an_answer_and_what_the_file_holds_is_no_token() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        // An app keeps its tokens in clear, and they let in.
        let held = db.ask(r#"SELECT "token" FROM "session""#).filter(|_| db.engine.is_native);
        for token in ["first", "token of", "TOKEN OF FIRST", "token of first ", "%", &held.unwrap_or("held".into())] {
            let token = Token::from_bytes(token.as_bytes()).unwrap();
            assert_eq!(store.session(&token).unwrap(), None, "{}", token.expose());
        }
    });
}

#[test]
fn sessions_are_listed_newest_first_and_nobody_elses() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for (id, user, now, end) in [
            ("b-old", "ada", 10, 20),
            ("a-newest", "ada", 30, 31),
            ("c-oldest", "ada", 0, 5_000),
            ("bobs", "bob", 40, 50),
            ("d-middle", "ada", 20, 10_000),
        ] {
            begin(&mut *store, id, user, now, end);
        }
        // Moving a session does not make it newer: it is when its user signed in that counts.
        store.move_session("c-oldest", at(100), at(9_999)).unwrap();
        assert_eq!(ids(&mut *store, "ada"), ["a-newest", "d-middle", "b-old", "c-oldest"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn sessions_of_one_moment_are_listed_last_stored_first() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for (id, now) in [("c", 0), ("d", 10), ("a", 0), ("b", 0)] {
            begin(&mut *store, id, "ada", now, 5_000);
        }
        let expected = if db.engine.is_without_rowid { ["d", "c", "b", "a"] } else { ["d", "b", "a", "c"] };
        assert_eq!(ids(&mut *store, "ada"), expected);
    });
}

#[test]
fn a_moved_session_has_a_new_end_and_keeps_its_beginning() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let before = begin(&mut *store, "first", "ada", 0, 60);
        let other = begin(&mut *store, "other", "ada", 0, 60);
        let moved = store.move_session("first", at(30), at(90)).unwrap().unwrap();
        assert_eq!(moved, Session { updated_at: at(30), expires_at: at(90), ..before });
        let found = |id| db.store().session(&token_of(id)).unwrap().unwrap().0;
        assert_eq!((found("first"), found("other")), (moved, other));
    });
}

#[test]
fn a_session_that_was_ended_elsewhere_stays_ended() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        db.store().end_session(&token_of("first")).unwrap().unwrap();
        assert_eq!(store.move_session("first", at(30), at(90)).unwrap(), None);
        assert_eq!(store.session(&token_of("first")).unwrap(), None);
    });
}

#[test]
fn an_empty_address_or_program_is_none() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        db.edit(r#"UPDATE "session" SET "ipAddress" = '', "userAgent" = '', "impersonatedBy" = 'root'"#);
        let session = store.session(&token_of("first")).unwrap().unwrap().0;
        assert_eq!((session.ip_address, session.user_agent), (None, None));
        assert_eq!(session.impersonated_by.unwrap(), "root");
    });
}
