//! Ids by their first characters.

use super::plugins::on_apps;
use super::servers;
use super::typed_apps::{ENGINES as TYPED, on_app};
use super::*;
use crate::auth::storage::Completed;

#[test]
fn id_is_found_by_its_first_characters() {
    on_every_engine(|db| {
        let mut store = db.with(&["abcdef1", "abcdef2", "ABCDEF3", "abcdeg4", "abcde"]);
        begin(&mut *store, "xyzxyz1", "abcdef1", 0, 60);
        let mut found = |what, prefix| store.with_prefix(what, prefix).unwrap();
        assert_eq!(found(Completed::User, "abcdef"), ["abcdef1", "abcdef2"]);
        assert_eq!(found(Completed::User, "abcdef2"), ["abcdef2"]);
        assert_eq!(found(Completed::User, "ABC"), ["ABCDEF3"]);
        for none in ["bcdef", "abcdef10", "abcdef%", "abcde_", "'"] {
            assert_eq!(found(Completed::User, none), [""; 0], "{none}");
        }
        assert_eq!(found(Completed::Session, "xyz"), ["xyzxyz1"]);
        let mut logged = |prefix| store.logged_users_with_prefix(prefix).unwrap();
        assert_eq!(logged("abcdef"), ["abcdef1", "abcdef2"]);
        assert_eq!(logged("abcdefg"), [""; 0]);
        delete_user(&mut *store, "abcdef1", AdminGuard::Off, at(1)).unwrap().unwrap();
        assert_eq!(store.logged_users_with_prefix("abcdef1").unwrap(), ["abcdef1"]);
    });
}

#[test]
fn key_of_an_app_is_found_by_its_first_characters() {
    on_apps(|db| {
        let mut store = db.store();
        assert_eq!(store.with_prefix(Completed::Token, "sesame").unwrap(), [""; 0]);
        db.edit_plugins(
            "CREATE TABLE {apikey} (id TEXT PRIMARY KEY, {referenceId} TEXT, {key} TEXT);
             INSERT INTO {apikey} VALUES ('sesame1', 'ada', 'a'), ('sesame2', 'bob', 'b'), ('Sesame3', 'bob', 'c')",
        );
        let mut store = db.store();
        assert_eq!(store.with_prefix(Completed::Token, "sesame").unwrap(), ["sesame1", "sesame2"]);
    });
}

#[test]
fn id_of_any_type_is_found_by_its_first_characters() {
    for engine in TYPED {
        on_app(engine, "SELECT 1", |db| {
            let mut store = db.store();
            let id = store.create_user(&new_user("abcdefgh"), None, None).unwrap().0.id;
            let has_beginnings = !id.bytes().all(|byte| byte.is_ascii_digit());
            for length in 1..=id.len() {
                let found = store.with_prefix(Completed::User, &id[..length]).unwrap();
                assert_eq!(found, if has_beginnings { vec![id.clone()] } else { Vec::new() }, "{}", engine.name);
            }
            for none in ["zzzzzz", "abcdefgg", "0'", "-"] {
                assert_eq!(store.with_prefix(Completed::User, none).unwrap(), [""; 0], "{} {none}", engine.name);
            }
        });
    }
}

/// In the order of a language case does not count, and neither do signs.
#[test]
fn collation_of_the_app_does_not_hide_ids() {
    let changes = r#"CREATE COLLATION words (provider = icu, locale = 'und-u-kn-ka-shifted-ks-level2', deterministic = true);
                     ALTER TABLE "user" ALTER "id" TYPE text COLLATE words"#;
    on_app(&servers::TEXTS, changes, |db| {
        let mut store = db.with(&["abcdef-1", "abcdefz2", "abcdef_3", "ABCDEF4", "abc-def5"]);
        let found = store.with_prefix(Completed::User, "abcdef").unwrap();
        assert_eq!(found, ["abcdef-1", "abcdef_3", "abcdefz2"]);
        assert_eq!(store.with_prefix(Completed::User, "abcdef-").unwrap(), ["abcdef-1"]);
    });
}
