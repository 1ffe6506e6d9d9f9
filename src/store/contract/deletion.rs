//! Users deleted, and the last administrator who is not.

use std::sync::Barrier;

use super::*;
use crate::auth::AuthError;
use crate::auth::storage::AdminGuard;

/// The number of deleted sessions; `None` if the guard refuses.
fn delete(store: &mut dyn Store, id: &str) -> Option<u64> {
    match store.delete_user(id, AdminGuard::KeepLastAdmin, at(0)).unwrap() {
        Ok(sessions) => Some(sessions),
        Err(AuthError::LastAdmin) => None,
        Err(refused) => unreachable!("{refused}"),
    }
}

#[test]
fn a_deleted_user_goes_with_accounts_sessions_and_pending_codes() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "one", "ada", 0, 60);
        begin(&mut *store, "two", "ada", 0, -60);
        begin(&mut *store, "bobs", "bob", 0, 60);
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('link', '1234', 'github', 'ada', 0, 0);
           INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
           VALUES ('code', 'reset-password:x', 'ada', 0, 0, 0), ('bobs-code', 'reset-password:y', 'bob', 0, 0, 0)"#,
        );
        assert_eq!(delete(&mut *store, "ada"), Some(2));
        assert_eq!(by_id(&mut *db.store(), "ada"), None);
        assert_eq!(store.session(&token_of("one")).unwrap(), None);
        let left = ["user", "account", "session", "verification"].map(|table| db.count(table));
        assert_eq!(left, [1, 1, 1, 1]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
    });
}

#[test]
fn a_user_who_is_gone_is_missing() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for guard in [AdminGuard::KeepLastAdmin, AdminGuard::Off] {
            let refused = store.delete_user("bob", guard, at(0)).unwrap();
            assert!(matches!(refused, Err(AuthError::NoSuchUser(_))), "{refused:?}");
        }
        assert_eq!(db.count("user"), 1);
    });
}

#[test]
fn the_last_administrator_stays_unless_the_guard_is_off() {
    on_every_engine(|db| {
        for role in ["admin", "editor,admin", "editor, admin"] {
            let mut store = db.with(&["ada", "bob"]);
            begin(&mut *store, "one", "ada", 0, 60);
            db.edit(&format!(r#"UPDATE "user" SET "role" = '{role}' WHERE "id" = 'ada'"#));
            assert_eq!(delete(&mut *store, "ada"), None, "{role}");
            assert_eq!(ids(&mut *store, "ada"), ["one"], "{role}");
            assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada", "{role}");
            let forced = store.delete_user("ada", AdminGuard::Off, at(0)).unwrap();
            assert_eq!(forced.unwrap(), 1, "{role}");
            assert_eq!(delete(&mut *store, "bob"), Some(0), "an ordinary user may always go");
        }
    });
}

#[test]
fn another_administrator_counts_only_with_the_whole_role_and_no_ban() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
        for (role, banned) in [("admin", "1"), ("superadmin", "0"), ("administrator,editor", "0"), ("user", "0")] {
            db.edit(&format!(r#"UPDATE "user" SET "role" = '{role}', "banned" = {banned} WHERE "id" = 'bob'"#));
            assert_eq!(delete(&mut *store, "ada"), None, "{role} {banned}");
        }
        // No value is no ban: rows that were there before the column have none.
        db.edit(r#"UPDATE "user" SET "role" = 'editor,admin', "banned" = NULL WHERE "id" = 'bob'"#);
        assert_eq!(delete(&mut *store, "ada"), Some(0));
        assert_eq!(delete(&mut *store, "bob"), None);
    });
}

#[test]
fn two_administrators_who_go_at_once_leave_one() {
    on_every_engine(|db| {
        for round in 0..8 {
            let names = [format!("ada-{round}"), format!("bob-{round}")];
            db.with(&[&names[0], &names[1]]);
            db.edit(&format!(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" LIKE '%-{round}'"#));
            let start = Barrier::new(2);
            let mut outcomes: Vec<Option<u64>> = std::thread::scope(|scope| {
                let deletions = names.each_ref().map(|name| {
                    let start = &start;
                    scope.spawn(move || {
                        let mut store = db.store();
                        start.wait();
                        delete(&mut *store, name)
                    })
                });
                deletions.into_iter().map(|deletion| deletion.join().unwrap()).collect()
            });
            outcomes.sort_unstable();
            assert_eq!(outcomes, [None, Some(0)], "round {round}");
            db.edit(r#"DELETE FROM "account"; DELETE FROM "user""#);
        }
    });
}
