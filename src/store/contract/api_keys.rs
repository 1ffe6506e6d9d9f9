//! API keys of users and organizations in the databases of apps.

use super::plugins::{lockdown, on_apps, on_loose_apps, selected};
use super::*;
use crate::auth::access::AccessKind;
use crate::auth::prune::{Expiring, Pruning};

/// Users and organizations that have numbers may share one, and then the configuration shows whose a key is.
#[test]
fn key_of_an_organization_with_the_id_of_the_user_stays_open() {
    on_apps(|db| {
        db.edit_plugins(
            "CREATE TABLE {organization} (id TEXT PRIMARY KEY, name TEXT, slug TEXT);
             CREATE TABLE {apikey} (id TEXT PRIMARY KEY, {configId} TEXT, {referenceId} TEXT, {key} TEXT, {enabled} [truth]);
             INSERT INTO {organization} VALUES ('ada', 'Ada', 'ada'), ('o', 'O', 'o');
             INSERT INTO {apikey} VALUES ('users', NULL, 'ada', 'a', TRUE), ('shown', 'org', 'o', 'b', TRUE),
               ('organizations', 'org', 'ada', 'c', TRUE), ('doubtful', 'x', 'ada', 'd', TRUE)",
        );
        let mut store = two_users(db);
        let (_, would_end) = store.rehearse_lockdown(&lockdown(None)).unwrap().unwrap();
        let left_by_rehearsal = store.take_loose_ends().left;
        assert_eq!(selected(db, "apikey", "{enabled} = TRUE"), "doubtful organizations shown users");
        let (_, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!((ended.of(AccessKind::ApiKey), &ended), (Some(1), &would_end));
        assert_eq!(selected(db, "apikey", "{enabled} = TRUE"), "doubtful organizations shown");
        let left = store.take_loose_ends().left;
        assert!(left.iter().any(|note| note.ends_with(": doubtful")), "{left:?}");
        assert_eq!(left, left_by_rehearsal);
        // Nothing is left to end, and the key is in doubt as before.
        let (_, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!((ended.is_empty(), store.take_loose_ends().left), (true, left.clone()));
        let request =
            DeletionRequest { id: "ada", guard: AdminGuard::Off, force_shared: false, new_owner: None, now: at(0) };
        store.rehearse_deletion(&request).unwrap().unwrap();
        assert_eq!(store.take_loose_ends().left, left);
        store.delete_user(&request).unwrap().unwrap();
        assert_eq!(store.take_loose_ends().left, left);
        assert_eq!(selected(db, "apikey", "TRUE"), "doubtful organizations shown");
    });
}

#[test]
fn key_is_disabled_in_the_encoding_of_its_column() {
    on_loose_apps(|db| {
        db.edit_plugins("CREATE TABLE {apikey} (id TEXT PRIMARY KEY, {referenceId} TEXT, {key} TEXT, {enabled})");
        for (open, closed) in [("'true'", "'false'"), ("'TRUE'", "'FALSE'"), ("'1'", "'0'"), ("1.0", "0.0"), ("1", "0")]
        {
            let mut store = two_users(db);
            db.edit_plugins(&format!(
                "INSERT INTO {{apikey}} VALUES ('a', 'ada', 'k', {open}), ('b', 'ada', 'k', {closed}), ('c', 'bob', 'k', {open})"
            ));
            let (_, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
            assert_eq!(ended.of(AccessKind::ApiKey), Some(1), "{open}");
            let is_closed = format!("{{enabled}} = {closed} AND typeof({{enabled}}) = typeof({closed})");
            assert_eq!(selected(db, "apikey", &is_closed), "a b", "{open}");
            db.edit_plugins("DELETE FROM {apikey}");
            for user in ["ada", "bob"] {
                delete_user(&mut *store, user, AdminGuard::Off, at(0)).unwrap().unwrap();
            }
        }
    });
}

#[test]
fn expired_key_without_an_id_stays_and_is_told() {
    on_loose_apps(|db| {
        db.edit_plugins(
            "CREATE TABLE {apikey} (id TEXT PRIMARY KEY, {referenceId} TEXT, {key} TEXT, {expiresAt});
             INSERT INTO {apikey} VALUES (NULL, 'ada', 'a', [30]), ('b', 'ada', 'b', [30]), ('c', 'ada', 'c', [600])",
        );
        let mut store = db.store();
        assert_eq!(store.count_expired_rows(Expiring::ApiKey, at(60)).unwrap(), 1);
        assert_eq!(store.prune_rows(Expiring::ApiKey, at(60), &mut Pruning::by(9)).unwrap(), 1);
        assert_eq!(db.ask_plugins("SELECT string_agg(key, ' ') FROM {apikey}"), "a c");
        let left = store.take_loose_ends().left;
        assert!(left.iter().any(|note| note.starts_with("1 expired row without an id")), "{left:?}");
    });
}
