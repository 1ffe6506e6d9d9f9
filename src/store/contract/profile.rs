//! Names and pictures.

use super::*;
use crate::auth::store::ProfileChange;

fn only_what_is_named_changes_and_the_moment_is_kept(db: &Database) {
    let mut store = db.with(&["ada", "bob"]);
    let bob = by_id(&mut *store, "bob");
    let made = by_id(&mut *store, "ada").unwrap();

    let name = ProfileChange { name: Some("Countess".into()), image: None };
    let named = store.update_profile("ada", &name, at(1)).unwrap().unwrap();
    assert_eq!(named, User { name: "Countess".into(), updated_at: at(1), ..made });

    let image = ProfileChange { name: None, image: Some(Some("https://example.com/a.png".into())) };
    let pictured = store.update_profile("ada", &image, at(2)).unwrap().unwrap();
    assert_eq!(pictured, User { image: Some("https://example.com/a.png".into()), updated_at: at(2), ..named.clone() });

    let no_image = ProfileChange { name: None, image: Some(None) };
    let plain = store.update_profile("ada", &no_image, at(3)).unwrap().unwrap();
    assert_eq!(plain, User { updated_at: at(3), ..named });

    assert_eq!(by_id(&mut *db.store(), "ada"), Some(plain));
    assert_eq!(by_id(&mut *store, "bob"), bob);
}

fn a_user_who_is_gone_has_no_profile_to_change(db: &Database) {
    let mut store = db.with(&["ada"]);
    let change = ProfileChange { name: Some("Nobody".into()), image: None };
    assert_eq!(store.update_profile("bob", &change, at(1)).unwrap(), None);
    assert_eq!(by_id(&mut *store, "ada").unwrap().name, "ada");
}

on_every_engine!(only_what_is_named_changes_and_the_moment_is_kept, a_user_who_is_gone_has_no_profile_to_change);
