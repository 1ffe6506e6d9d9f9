//! The rows of second factors in apps with the plugin: what they show, and their removal.

use super::audit::entries;
use super::plugins::{add_pending, on_every_app, selected};
use super::*;
use crate::auth::second_factor::{FactorReset, FactorRows};
use crate::auth::storage::OddFactors;

/// Ada with a session and all that belongs to a second factor, and bob with a factor of his own.
fn with_factors(db: &Database) -> Box<dyn Store> {
    let store = two_users(db);
    db.edit_plugins(
        "INSERT INTO {twoFactor} VALUES ('fa', 's', 'b', 'ada', TRUE, 10, [600]), ('fb', 's', 'b', 'bob', NULL, 0, NULL)",
    );
    db.edit(r#"UPDATE "user" SET "twoFactorEnabled" = TRUE"#);
    add_pending(db);
    store
}

/// The fixtures of the contract are of apps with the admin plugin alone.
pub(super) fn on_every_app_with_factors(test: impl Fn(&Database) + Sync) {
    on_every_app(|db| {
        db.edit_plugins(r#"ALTER TABLE "user" ADD COLUMN {twoFactorEnabled} [truth]"#);
        test(db);
    });
}

#[test]
fn reset_removes_the_whole_second_factor_of_one_user() {
    on_every_app_with_factors(|db| {
        let mut store = with_factors(db);
        let expected = FactorReset { was_on: true, rows: 1, trusted_devices: 1, pending_sign_ins: 1, sessions: 1 };
        assert_eq!(store.factor_to_reset("ada", at(30)).unwrap(), Some(expected));
        assert_eq!(store.reset_second_factor("ada", at(30)).unwrap(), Some(expected));
        let user = by_id(&mut *store, "ada").unwrap();
        assert!(!user.two_factor_enabled && by_id(&mut *store, "bob").unwrap().two_factor_enabled);
        assert_eq!(selected(db, "twoFactor", "TRUE"), "fb");
        let left = r#"SELECT string_agg("id", ' ') FROM (SELECT "id" FROM "verification" ORDER BY "id") AS found"#;
        assert_eq!(db.ask(left).unwrap(), "v1 v5 v6 v7 v8 w1 w2 w3 w4");
        assert_eq!((ids(&mut *store, "ada"), ids(&mut *store, "bob").len()), (Vec::new(), 1));
        // Without anything of a factor, nothing ends.
        begin(&mut *store, "new", "ada", 3, 60);
        let nothing = store.reset_second_factor("ada", at(30)).unwrap().unwrap();
        assert!(nothing.is_empty());
        assert_eq!(
            (ids(&mut *store, "ada"), store.reset_second_factor("eve", at(30)).unwrap()),
            (vec!["new".into()], None)
        );
    });
}

#[test]
fn half_a_second_factor_is_reset_too() {
    on_every_app_with_factors(|db| {
        let mut store = with_factors(db);
        db.edit_plugins("DELETE FROM {twoFactor} WHERE {userId} = 'ada'");
        db.edit(r#"UPDATE "user" SET "twoFactorEnabled" = FALSE WHERE "id" = 'bob'"#);
        assert_eq!(store.factor_rows("ada").unwrap().unwrap().rows, 0);
        for user in ["ada", "bob"] {
            assert!(!store.reset_second_factor(user, at(30)).unwrap().unwrap().is_empty(), "{user}");
            assert!(!by_id(&mut *store, user).unwrap().two_factor_enabled, "{user}");
            assert_eq!(ids(&mut *store, user), [""; 0]);
        }
        assert_eq!(selected(db, "twoFactor", "TRUE"), "");
    });
}

#[test]
fn lock_of_a_second_factor_is_read_and_lifted() {
    on_every_app_with_factors(|db| {
        let mut store = with_factors(db);
        let rows = FactorRows { rows: 1, is_verified: true, locked_until: Some(at(600)) };
        assert_eq!(store.factor_rows("ada").unwrap(), Some(rows.clone()));
        // NULL counts as verified.
        assert_eq!(store.factor_rows("bob").unwrap(), Some(FactorRows { locked_until: None, ..rows.clone() }));
        assert!(!store.unlock_second_factor("bob").unwrap());
        assert!(store.unlock_second_factor("ada").unwrap());
        assert_eq!(entries(&mut *store, 0).pop().unwrap().event, "second-factor.unlocked");
        assert_eq!(store.factor_rows("ada").unwrap(), Some(FactorRows { locked_until: None, ..rows }));
        assert_eq!(selected(db, "twoFactor", "{failedVerificationCount} = 0 AND {lockedUntil} IS NULL"), "fa fb");
        assert!(!store.unlock_second_factor("ada").unwrap());
        db.edit_plugins("UPDATE {twoFactor} SET verified = FALSE");
        assert!(!store.factor_rows("ada").unwrap().unwrap().is_verified);
    });
}

#[test]
fn database_without_rows_of_plugins_has_no_second_factor() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        let rows = db.engine.is_native.then(FactorRows::default);
        assert_eq!(store.factor_rows("ada").unwrap(), rows, "a native database has a table of its own");
        assert!(!store.unlock_second_factor("ada").unwrap());
        assert!(store.factor_to_reset("ada", at(30)).unwrap().unwrap().is_empty());
    });
}

#[test]
fn flag_and_factor_that_do_not_fit_are_counted() {
    on_every_app_with_factors(|db| {
        let mut store = with_factors(db);
        assert_eq!(store.odd_factors().unwrap(), OddFactors::default());
        db.edit(r#"UPDATE "user" SET "twoFactorEnabled" = NULL WHERE "id" = 'bob'"#);
        assert_eq!(store.odd_factors().unwrap(), OddFactors { left: 1, ..OddFactors::default() });
        for falsity in ["FALSE", "'False'"] {
            db.edit_plugins(&format!("UPDATE {{twoFactor}} SET verified = {falsity}"));
            assert_eq!(store.odd_factors().unwrap(), OddFactors { unverified: 1, ..OddFactors::default() });
        }
        db.edit_plugins("DELETE FROM {twoFactor}");
        assert_eq!(store.odd_factors().unwrap(), OddFactors { missing: 1, ..OddFactors::default() });
    });
}
