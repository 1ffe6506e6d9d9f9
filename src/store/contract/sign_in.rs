//! Sessions that begin: with the password that was verified still in force, or not at all.

use super::*;
use crate::auth::policy::ThrottleRules;
use crate::auth::throttle::Decision;

fn attempt(store: &mut dyn Store) -> Decision {
    store.count_attempt(&attempts_of("ada"), at(0), &ThrottleRules::default()).unwrap()
}

#[test]
fn a_session_begins_as_wished_and_clears_the_count() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        attempt(&mut *store);
        let client_info =
            ClientInfo { ip_address: Some("192.0.2.1".into()), user_agent: Some("authctl ada@host".into()) };
        let wanted = NewSessionRow { client_info, ..new_session("first", "ada", at(3), at(63)) };
        let begun = store.begin_session(&wanted, &hash_of("ada"), None, &attempts_of("ada")).unwrap().unwrap();
        let expected = Session {
            id: "first".into(),
            user_id: "ada".into(),
            expires_at: at(63),
            created_at: at(3),
            updated_at: at(3),
            ip_address: Some("192.0.2.1".into()),
            user_agent: Some("authctl ada@host".into()),
            impersonated_by: None,
        };
        assert_eq!(begun, expected);
        assert_eq!(store.sessions("ada").unwrap(), [expected]);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert!(matches!(attempt(&mut *store), Decision::Proceed(attempts) if attempts.count == 1));
    });
}

#[test]
fn an_outdated_hash_is_replaced_as_the_session_begins() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let wanted = new_session("first", "ada", at(3), at(63));
        let upgraded = hash("costlier hash");
        store.begin_session(&wanted, &hash_of("ada"), Some(&upgraded), &attempts_of("ada")).unwrap().unwrap();
        assert_eq!(stored_hash(&mut *db.store(), "ada").unwrap(), "costlier hash");
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
    });
}

#[test]
fn no_session_begins_when_the_password_changed_meanwhile() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        attempt(&mut *store);
        let wanted = new_session("first", "ada", at(3), at(63));
        let upgraded = hash("costlier hash");
        let begun = store.begin_session(&wanted, &hash("an older hash"), Some(&upgraded), &attempts_of("ada")).unwrap();
        assert_eq!(begun, None);
        assert_eq!(ids(&mut *store, "ada"), [""; 0]);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert!(matches!(attempt(&mut *store), Decision::Proceed(attempts) if attempts.count == 2));
    });
}

#[test]
fn no_session_begins_for_a_user_who_is_gone_or_has_no_password() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        db.edit(r#"UPDATE "account" SET "password" = NULL"#);
        for user in ["ada", "bob"] {
            let wanted = new_session("first", user, at(3), at(63));
            let begun = store.begin_session(&wanted, &hash_of(user), None, &attempts_of(user)).unwrap();
            assert_eq!(begun, None, "{user}");
        }
        assert_eq!(db.count("session"), 0);
    });
}

#[test]
fn a_hash_is_not_upgraded_when_the_session_cannot_be_written() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        attempt(&mut *store);
        let same_token = NewSessionRow { id: "second".into(), ..new_session("first", "ada", at(3), at(63)) };
        let upgraded = hash("costlier hash");
        store.begin_session(&same_token, &hash_of("ada"), Some(&upgraded), &attempts_of("ada")).unwrap_err();
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert!(matches!(attempt(&mut *store), Decision::Proceed(attempts) if attempts.count == 2));
    });
}
