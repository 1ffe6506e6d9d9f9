//! Names, pictures and addresses.

use super::*;
use crate::auth::AuthError;
use crate::auth::storage::{AdminGuard, UserChange, UserUpdated};

/// Changes a user and returns the user as it is then; `None` when there is none.
fn update(store: &mut dyn Store, id: &str, change: &UserChange, now: Timestamp) -> Option<User> {
    match store.update_user(id, change, AdminGuard::KeepLastAdmin, now).unwrap() {
        Ok(UserUpdated { user, ended, .. }) => {
            assert_eq!(ended, []);
            Some(user)
        }
        Err(AuthError::NoSuchUser(_)) => None,
        Err(refused) => unreachable!("{refused}"),
    }
}

#[test]
fn only_what_is_named_changes_and_the_moment_is_kept() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let bob = by_id(&mut *store, "bob");
        let made = by_id(&mut *store, "ada").unwrap();

        let name = UserChange { name: Some("Countess".into()), ..UserChange::default() };
        let named = update(&mut *store, "ada", &name, at(1)).unwrap();
        assert_eq!(named, User { name: "Countess".into(), updated_at: at(1), ..made });

        let image = UserChange { image: Some(Some("https://example.com/a.png".into())), ..UserChange::default() };
        let pictured = update(&mut *store, "ada", &image, at(2)).unwrap();
        assert_eq!(
            pictured,
            User { image: Some("https://example.com/a.png".into()), updated_at: at(2), ..named.clone() }
        );

        let no_image = UserChange { image: Some(None), ..UserChange::default() };
        let plain = update(&mut *store, "ada", &no_image, at(3)).unwrap();
        assert_eq!(plain, User { updated_at: at(3), ..named });

        assert_eq!(by_id(&mut *db.store(), "ada"), Some(plain));
        assert_eq!(by_id(&mut *store, "bob"), bob);
    });
}

#[test]
fn a_user_who_is_gone_has_no_profile_to_change() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let change = UserChange { name: Some("Nobody".into()), ..UserChange::default() };
        assert_eq!(update(&mut *store, "bob", &change, at(1)), None);
        assert_eq!(by_id(&mut *store, "ada").unwrap().name, "ada");
    });
}

#[test]
fn an_address_that_really_changes_is_not_verified_unless_the_change_says_so() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for (before, to, says, after) in [
            (true, "ada", None, true),
            (true, "new", None, false),
            (true, "new", Some(true), true),
            (true, "ada", Some(false), false),
            (false, "ada", None, false),
            (false, "new", None, false),
            (false, "new", Some(true), true),
        ] {
            let start = UserChange { email: Some(email("ada")), email_verified: Some(before), ..UserChange::default() };
            update(&mut *store, "ada", &start, at(1)).unwrap();
            let change = UserChange { email: Some(email(to)), email_verified: says, ..UserChange::default() };
            let changed = update(&mut *store, "ada", &change, at(2)).unwrap();
            assert_eq!(changed.email_verified, after, "{before}, to {to}, {says:?}");
        }
    });
}
