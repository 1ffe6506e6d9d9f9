//! API keys of users and organizations in the databases of apps.

use super::audit::entries;
use super::plugins::{lockdown, on_apps, on_loose_apps, selected};
use super::*;
use crate::auth::access::AccessKind;
use crate::auth::api_token::{ApiToken, StoredToken, TokenScope};
use crate::auth::fixtures::entropy;
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{NewApiToken, TokenRotation};

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

const KEYS: &str = "
    CREATE TABLE {apikey} (id TEXT PRIMARY KEY, {configId} TEXT, {referenceId} TEXT, {key} TEXT, name TEXT, start TEXT, prefix TEXT,
      {enabled} [truth], {rateLimitEnabled} [truth], {createdAt} [time], {updatedAt} [time], {expiresAt} [time],
      {lastRequest} [time], permissions TEXT, metadata TEXT, {rateLimitMax} INTEGER, {rateLimitTimeWindow} INTEGER,
      {requestCount} INTEGER);
    INSERT INTO {apikey} (id, {configId}, {referenceId}, {key}, name, start, prefix, {enabled}, {rateLimitEnabled}, {createdAt},
      {updatedAt}, {expiresAt}, {lastRequest}, permissions) VALUES
      ('apps', 'default', 'ada', 'x', 'of the app', 'abc', NULL, NULL, TRUE, [30], [30], NULL, NULL, NULL),
      ('old', 'default', 'ada', 'y', NULL, NULL, NULL, TRUE, TRUE, [-60], [-60], [30], [30], 'null'),
      ('bobs', 'default', 'bob', 'z', NULL, NULL, NULL, TRUE, TRUE, [60], [60], NULL, NULL, NULL),
      ('lost', 'default', 'gone', 'w', NULL, NULL, NULL, TRUE, TRUE, [-60], [-60], NULL, NULL, NULL)";

fn key(seed: u8) -> ApiToken {
    ApiToken::generate(&mut entropy(seed)).unwrap()
}

fn create(store: &mut dyn Store, owner: &str, scope: &str) -> Result<StoredToken, AuthError> {
    let scopes = [scope.parse::<TokenScope>().unwrap()];
    let (token, expires_at) = (key(1), at(600));
    let id = "0123456789abcdef0123456789abcdef".to_owned();
    let new =
        NewApiToken { id, token: &token, owner_id: owner, name: Some("ci"), scopes: &scopes, now: at(60), expires_at };
    store.create_api_token(&new).unwrap()
}

fn listed(store: &mut dyn Store, owner: Option<&str>) -> Vec<String> {
    store.api_tokens(owner).unwrap().unwrap().into_iter().map(|key| key.id).collect()
}

#[test]
fn keys_of_the_app_are_listed_disabled_and_deleted() {
    on_apps(|db| {
        db.edit_plugins(KEYS);
        db.edit(r#"UPDATE "apikey" SET "permissions" = '{"files":["read"]}' WHERE "id" = 'apps'"#);
        let mut store = two_users(db);
        let keys = store.api_tokens(None).unwrap().unwrap();
        let apps = keys.iter().find(|key| key.id == "apps").unwrap();
        assert_eq!((apps.name.as_deref(), apps.start.as_deref()), (Some("of the app"), Some("abc")));
        assert_eq!((apps.owner_email.as_deref(), apps.created_at), (Some("ada@example.com"), at(30)));
        assert_eq!((TokenScope::write_all(&apps.scopes).as_str(), apps.expires_at), ("files:read", None));
        assert!(apps.is_live(at(90)), "NULL counts as enabled");
        let old = keys.iter().find(|key| key.id == "old").unwrap();
        assert_eq!((old.expires_at, old.last_used, old.scopes.len()), (Some(at(30)), Some(at(30)), 0));
        assert_eq!(listed(&mut *store, Some("ada")), ["apps", "old"]);
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let of_another = store.revoke_api_tokens(Some("ada"), Some(&ids(&["bobs"])), false, at(90)).unwrap();
        assert!(matches!(of_another, Err(AuthError::NoSuchToken(_))));
        let ended = store.revoke_api_tokens(Some("ada"), Some(&ids(&["apps"])), false, at(90)).unwrap().unwrap();
        assert_eq!(ended.len(), 1);
        assert_eq!(selected(db, "apikey", "{enabled} = FALSE"), "apps");
        assert_eq!(store.revoke_api_tokens(Some("ada"), None, true, at(90)).unwrap().unwrap().len(), 2);
        assert_eq!(listed(&mut *store, None), ["bobs", "lost"]);
    });
}

#[test]
fn key_for_the_app_is_stored_as_the_app_does() {
    on_apps(|db| {
        db.edit_plugins(KEYS);
        let mut store = two_users(db);
        assert!(matches!(create(&mut *store, "ada", "guard"), Err(AuthError::NotAPermission(_))));
        assert!(matches!(create(&mut *store, "unknown", "files:read"), Err(AuthError::NoSuchUser(_))));
        let made = create(&mut *store, "ada", "files:write").unwrap();
        assert_eq!((made.expires_at, made.created_at, made.last_used), (Some(at(600)), at(60), None));
        assert_eq!((made.owner_id.as_str(), made.is_enabled), ("ada", true));
        let of_made = |what: &str| db.ask_plugins(&format!("SELECT {what} FROM {{apikey}} WHERE name = 'ci'"));
        assert_eq!(of_made("{key}"), key(1).digest_of_app());
        assert_eq!(of_made("{configId} || prefix || permissions"), r#"defaultauthctl_{"files":["write"]}"#);
        assert_eq!(of_made("CASE WHEN {rateLimitEnabled} = FALSE THEN start END"), key(1).start());
        let limit = "{rateLimitMax} || ' in ' || {rateLimitTimeWindow} || ', ' || {requestCount} || ', ' || metadata";
        assert_eq!(of_made(limit), "10 in 86400000, 0, null");
        for (text, is_key) in [(key(1).expose(), true), (of_made("{key}").as_str(), true), ("another", false)] {
            assert_eq!(store.is_app_key(&Token::from_bytes(text.as_bytes()).unwrap()).unwrap(), is_key, "{text}");
        }
        let new = key(2);
        let rotation = TokenRotation { id: &made.id, owner_id: Some("ada"), token: &new, now: at(70), life: None };
        let rotated = store.rotate_api_token(&rotation).unwrap().unwrap();
        assert_eq!((rotated.id, rotated.expires_at), (made.id, Some(at(610))));
        assert_eq!(of_made("{key}"), new.digest_of_app());
        let names: Vec<String> = entries(&mut *store, 0).into_iter().map(|entry| entry.event).collect();
        for name in ["token.created", "token.rotated"] {
            assert!(names.iter().any(|event| event == name), "{names:?}");
        }
    });
}

#[test]
fn app_without_keys_says_so() {
    on_apps(|db| {
        let mut store = two_users(db);
        assert!(matches!(store.api_tokens(None).unwrap(), Err(AuthError::NoApiKeys)));
        assert!(matches!(create(&mut *store, "ada", "a:b"), Err(AuthError::NoApiKeys)));
    });
}
