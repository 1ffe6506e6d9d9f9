//! Settings: what was set is what is read, by every connection, and nothing that contradicts itself
//! stays.

use super::*;
use crate::auth::policy::{Key, Policy, PolicyError};

fn key(name: &str) -> &'static Key {
    Key::find(name).unwrap()
}

fn put(db: &Database, key: &str, value: &str) {
    db.edit(&format!(r#"INSERT INTO "authctl_policy" VALUES ('{key}', '{value}', 0)"#));
}

#[test]
fn a_new_database_has_the_defaults_and_no_rows() {
    on_every_engine(|db| {
        assert_eq!(db.store().policy().unwrap(), Policy::default());
        assert_eq!(db.count("authctl_policy"), 0);
    });
}

#[test]
fn a_setting_is_read_back_and_in_force_for_every_connection() {
    on_every_engine(|db| {
        let mut other = db.store();
        let mut expected = Policy::default();
        key("session.lifetime").set(&mut expected, "30d").unwrap();
        assert_eq!(
            db.store().set_policy(key("session.lifetime"), Some("30d"), at(0)).unwrap().unwrap().policy,
            expected
        );
        assert_eq!(other.policy().unwrap(), expected, "opened before");
        assert_eq!(db.store().policy().unwrap(), expected, "opened after");
        key("email.verification").set(&mut expected, "required").unwrap();
        assert_eq!(
            other.set_policy(key("email.verification"), Some("required"), at(1)).unwrap().unwrap().policy,
            expected
        );
    });
}

#[test]
fn a_setting_replaces_the_one_before_it_and_none_removes_it() {
    on_every_engine(|db| {
        let mut store = db.store();
        for value in ["30d", "31d"] {
            for changed in [true, false] {
                let set = store.set_policy(key("session.lifetime"), Some(value), at(0)).unwrap().unwrap();
                assert_eq!((key("session.lifetime").value(&set.policy).as_str(), set.changed), (value, changed));
                assert_eq!(db.count("authctl_policy"), 1);
            }
        }
        for changed in [true, false] {
            let set = store.set_policy(key("session.lifetime"), None, at(2)).unwrap().unwrap();
            assert_eq!((set.policy, set.changed), (Policy::default(), changed));
            assert_eq!(db.count("authctl_policy"), 0);
        }
    });
}

#[test]
fn removing_one_setting_leaves_the_others() {
    on_every_engine(|db| {
        let mut store = db.store();
        store.set_policy(key("password.min-length"), Some("12"), at(0)).unwrap().unwrap();
        store.set_policy(key("session.lifetime"), Some("30d"), at(0)).unwrap().unwrap();
        let policy = store.set_policy(key("session.lifetime"), None, at(1)).unwrap().unwrap();
        assert_eq!(policy.policy.password.length_min, 12);
        assert_eq!(db.count("authctl_policy"), 1);
    });
}

#[test]
fn a_setting_that_contradicts_what_another_connection_set_is_not_kept() {
    on_every_engine(|db| {
        let mut store = db.store();
        let before = db.store().set_policy(key("session.move-after"), Some("6d"), at(0)).unwrap().unwrap();
        // Whoever asks here has judged by the defaults.
        let refused = store.set_policy(key("session.lifetime"), Some("2d"), at(1)).unwrap();
        assert!(matches!(refused, Err(PolicyError::Contradiction(_))), "{refused:?}");
        assert_eq!(db.count("authctl_policy"), 1);
        assert_eq!(store.policy().unwrap(), before.policy);
    });
}

#[test]
fn settings_that_only_together_make_sense_are_read_in_any_order() {
    on_every_engine(|db| {
        // In either order of rows the first of two would contradict the defaults.
        for (name, value) in
            [("session.lifetime", "2h"), ("session.move-after", "1h"), ("session.short-lifetime", "90m")]
        {
            put(db, name, value);
        }
        let policy = db.store().policy().unwrap();
        assert_eq!(key("session.lifetime").value(&policy), "2h");
        assert_eq!(key("session.short-lifetime").value(&policy), "1h30m");
    });
}

#[test]
fn a_key_that_is_not_known_says_nothing_and_stays() {
    on_every_engine(|db| {
        put(db, "later.key", "anything");
        let mut store = db.store();
        assert_eq!(store.policy().unwrap(), Policy::default());
        store.set_policy(key("session.lifetime"), Some("30d"), at(0)).unwrap().unwrap();
        store.set_policy(key("session.lifetime"), None, at(0)).unwrap().unwrap();
        assert_eq!(db.count("authctl_policy"), 1);
    });
}

#[test]
fn a_setting_that_makes_no_sense_is_named_and_its_value_is_not() {
    on_every_engine(|db| {
        put(db, "session.lifetime", "canary");
        let mut store = db.store();
        let sentence = "row session.lifetime of table authctl_policy makes no sense: \
        column value session.lifetime takes a duration from 5m to 400d";
        assert_eq!(store.policy().unwrap_err().to_string(), sentence);
        let set = store.set_policy(key("password.min-length"), Some("12"), at(0));
        assert_eq!(set.unwrap_err().to_string(), sentence);
        assert_eq!(db.count("authctl_policy"), 1, "nothing was added");
    });
}
