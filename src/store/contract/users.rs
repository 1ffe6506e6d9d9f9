//! Users: made whole or not at all, found by their whole address or id.

use super::*;
use crate::auth::storage::StoreError;

#[test]
fn a_new_user_is_found_by_address_and_by_id_as_it_was_given_back() {
    on_every_engine(|db| {
        let mut store = db.store();
        let wanted = NewUserRow { image: Some("https://example.com/ada.png".into()), ..new_user("ada") };
        let (made, session) = store.create_user(&wanted, Some(&hash_of("ada")), None).unwrap();
        let expected = User {
            id: "ada".into(),
            name: "ada".into(),
            email: "ada@example.com".into(),
            email_verified: false,
            image: Some("https://example.com/ada.png".into()),
            image_left_out: None,
            created_at: at(0),
            updated_at: at(0),
            role: db.engine.role.map(str::to_owned),
            banned: false,
            ban_reason: None,
            ban_expires: None,
            two_factor_enabled: false,
        };
        assert_eq!((&made, session), (&expected, None));
        assert_eq!(by_id(&mut *store, "ada"), Some(expected.clone()));
        assert_eq!(db.store().user(&UserRef::Email(email("ada"))).unwrap(), Some(expected));
    });
}

#[test]
fn an_absent_user_is_an_answer_and_a_part_of_a_name_finds_nobody() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for id in ["", "a", "ad", "%", "ada%", "ada ", "ADA", "ada@example.com", "account-of-ada"] {
            assert_eq!(by_id(&mut *store, id), None, "{id:?}");
        }
        for name in ["bob", "a", "_da"] {
            assert_eq!(store.user(&UserRef::Email(email(name))).unwrap(), None, "{name}");
        }
        assert!(store.password_hash("bob").unwrap().is_none());
        assert_eq!(store.sessions("bob").unwrap(), []);
    });
}

#[test]
fn text_is_stored_exactly_whatever_it_says() {
    on_every_engine(|db| {
        let mut store = db.store();
        for (number, name) in
            ["  Ada  ", "'); DROP TABLE \"user\";--", "%_\\", "\u{202e}evil", "😀 é e\u{301}"].into_iter().enumerate()
        {
            let user = NewUserRow { name: name.into(), ..new_user(&format!("user-{number}")) };
            assert_eq!(store.create_user(&user, Some(&hash_of("x")), None).unwrap().0.name, name);
            assert_eq!(by_id(&mut *store, &user.id).unwrap().name, name);
        }
        assert_eq!(db.count("user"), 5);
    });
}

#[test]
fn a_user_can_be_made_with_a_session() {
    on_every_engine(|db| {
        let mut store = db.store();
        let wanted = new_session("first", "ada", at(0), at(60));
        let (user, session) = store.create_user(&new_user("ada"), Some(&hash_of("ada")), Some(&wanted)).unwrap();
        let session = session.unwrap();
        assert_eq!((session.id.as_str(), session.user_id.as_str(), session.expires_at), ("first", "ada", at(60)));
        assert_eq!(store.session(&token_of("first")).unwrap(), Some((session, user)));
    });
}

#[test]
fn a_taken_address_is_refused_and_leaves_nothing_behind() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let before = by_id(&mut *store, "ada");
        let twin = NewUserRow { email: email("ada"), ..new_user("twin") };
        let session = new_session("first", "twin", at(0), at(60));
        // From a second connection too: the address is taken in the database and not in the process.
        for mut store in [db.store(), store] {
            let refused = store.create_user(&twin, Some(&hash_of("twin")), Some(&session));
            assert!(matches!(refused, Err(StoreError::EmailTaken)), "{refused:?}");
            assert_eq!(by_id(&mut *store, "twin"), None);
            assert_eq!(by_id(&mut *store, "ada"), before);
            assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        }
        assert_eq!((db.count("user"), db.count("account"), db.count("session")), (1, 1, 0));
    });
}

#[test]
fn a_user_whose_session_cannot_be_made_is_not_made_either() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        let same_token = NewSessionRow { id: "second".into(), ..new_session("first", "bob", at(0), at(60)) };
        let refused = store.create_user(&new_user("bob"), Some(&hash_of("bob")), Some(&same_token));
        assert!(matches!(refused, Err(StoreError::NotUnique(_))), "only the address is ever taken: {refused:?}");
        assert_eq!((db.count("user"), db.count("account"), db.count("session")), (1, 1, 1));
    });
}

#[test]
fn times_are_given_back_as_they_are_stored() {
    on_every_engine(|db| {
        let mut store = db.store();
        let later = |seconds, milliseconds| at(seconds) + jiff::SignedDuration::from_millis(milliseconds);
        let wanted = NewUserRow { now: later(0, 999), ..new_user("ada") };
        let session = new_session("first", "ada", later(0, 999), later(60, 1));
        // Where only whole seconds have a place, the rest is cut off.
        let kept = |seconds, milliseconds| {
            if db.engine.time == "a number of seconds" { at(seconds) } else { later(seconds, milliseconds) }
        };
        let (user, session) = store.create_user(&wanted, Some(&hash_of("ada")), Some(&session)).unwrap();
        let session = session.unwrap();
        assert_eq!((user.created_at, user.updated_at), (kept(0, 999), kept(0, 999)));
        assert_eq!(
            (session.created_at, session.updated_at, session.expires_at),
            (kept(0, 999), kept(0, 999), kept(60, 1))
        );
        let moved = store.move_session("first", later(7, 500), later(70, 999)).unwrap().unwrap();
        assert_eq!((moved.updated_at, moved.expires_at), (kept(7, 500), kept(70, 999)));
        assert_eq!(db.store().session(&token_of("first")).unwrap(), Some((moved, user)));
    });
}
