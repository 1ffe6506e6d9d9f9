//! API tokens of native databases.

use super::audit::entries;
use super::plugins::lockdown;
use super::second_factor::on_native_engines;
use super::*;
use crate::auth::access::AccessKind;
use crate::auth::api_token::{ApiToken, StoredToken, TokenScope};
use crate::auth::fixtures::entropy;
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{Ban, EndSessions, NewApiToken, TokenRotation, UserChange};

fn token(seed: u8) -> ApiToken {
    ApiToken::generate(&mut entropy(seed)).unwrap()
}

/// Creates a token from second `now` to second 3600.
fn create(store: &mut dyn Store, id: &str, user: &str, seed: u8, now: i64) -> Result<StoredToken, AuthError> {
    let scopes = ["guard", "users:read"].map(|scope| scope.parse::<TokenScope>().unwrap());
    let new = NewApiToken {
        id: id.into(),
        token: &token(seed),
        owner_id: user,
        name: Some("ci"),
        scopes: &scopes,
        now: at(now),
        expires_at: at(3600),
    };
    store.create_api_token(&new).unwrap()
}

/// Ada with two tokens and bob with one.
fn with_tokens(db: &Database) -> Box<dyn Store> {
    let mut store = two_users(db);
    for (id, user, seed, now) in [("first", "ada", 1, 0), ("second", "ada", 2, 5), ("third", "bob", 3, 9)] {
        create(&mut *store, id, user, seed, now).unwrap();
    }
    store
}

fn listed(store: &mut dyn Store, owner: Option<&str>) -> Vec<String> {
    store.api_tokens(owner).unwrap().unwrap().into_iter().map(|token| token.id).collect()
}

fn revoke(store: &mut dyn Store, owner: Option<&str>, ids: Option<&[&str]>) -> Result<Vec<String>, AuthError> {
    let ids: Option<Vec<String>> = ids.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
    let ended = store.revoke_api_tokens(owner, ids.as_deref(), false, at(9)).unwrap()?;
    Ok(ended.into_iter().map(|token| token.id).collect())
}

#[test]
fn token_is_found_by_its_text_alone() {
    on_native_engines(|db| {
        let mut store = with_tokens(db);
        let (found, owner) = store.api_token(&token(1)).unwrap().unwrap();
        assert_eq!((owner.id.as_str(), found.owner_email.as_deref()), ("ada", Some("ada@example.com")));
        assert_eq!((found.name.as_deref(), found.start.as_deref()), (Some("ci"), Some(token(1).start())));
        assert_eq!((found.created_at, found.expires_at, found.last_used), (at(0), Some(at(3600)), None));
        assert_eq!(TokenScope::write_all(&found.scopes), "guard users:read");
        assert!(store.api_token(&token(4)).unwrap().is_none());
        let stored = db.ask(r#"SELECT "key" FROM "authctl_apikey" WHERE "id" = 'first'"#).unwrap();
        assert_eq!(stored, token(1).digest());
        assert!(matches!(create(&mut *store, "lost", "unknown", 5, 0), Err(AuthError::NoSuchUser(_))));
    });
}

#[test]
fn tokens_are_listed_newest_first_and_end_by_owner() {
    on_native_engines(|db| {
        let mut store = with_tokens(db);
        assert_eq!(listed(&mut *store, Some("ada")), ["second", "first"]);
        assert_eq!(listed(&mut *store, None), ["third", "second", "first"]);
        let of_another = revoke(&mut *store, Some("bob"), Some(&["third", "first"]));
        assert!(matches!(of_another, Err(AuthError::NoSuchToken(id)) if id == "first"));
        assert_eq!(listed(&mut *store, None).len(), 3, "nothing ended");
        assert_eq!(revoke(&mut *store, Some("ada"), Some(&["first", "first"])).unwrap(), ["first"]);
        assert!(store.api_token(&token(1)).unwrap().is_none());
        assert_eq!(revoke(&mut *store, None, Some(&["third"])).unwrap(), ["third"]);
        assert_eq!(revoke(&mut *store, None, None).unwrap(), ["second"]);
        assert_eq!(revoke(&mut *store, None, None).unwrap(), [""; 0]);
        let names: Vec<String> = entries(&mut *store, 0).into_iter().map(|entry| entry.event).collect();
        assert_eq!(names.iter().filter(|name| *name == "token.created").count(), 3);
        assert_eq!(names.iter().filter(|name| *name == "token.revoked").count(), 3);
    });
}

#[test]
fn rotated_token_keeps_what_it_may_and_its_life() {
    on_native_engines(|db| {
        let mut store = with_tokens(db);
        store.use_api_token("first", at(7)).unwrap();
        assert_eq!(store.api_token(&token(1)).unwrap().unwrap().0.last_used, Some(at(7)));
        let new = token(9);
        let rotation = |owner_id| TokenRotation { id: "first", owner_id, token: &new, now: at(10), life: None };
        let of_another = store.rotate_api_token(&rotation(Some("bob"))).unwrap();
        assert!(matches!(of_another, Err(AuthError::NoSuchToken(_))));
        let rotated = store.rotate_api_token(&rotation(Some("ada"))).unwrap().unwrap();
        assert_eq!((rotated.created_at, rotated.expires_at, rotated.last_used), (at(10), Some(at(3610)), None));
        assert_eq!((rotated.scopes.len(), rotated.start.as_deref()), (2, Some(new.start())));
        assert!(store.api_token(&token(1)).unwrap().is_none());
        assert_eq!(store.api_token(&new).unwrap().unwrap().0, rotated);
    });
}

#[test]
fn tokens_end_with_a_ban_a_lockdown_and_a_deletion() {
    on_native_engines(|db| {
        let mut store = with_tokens(db);
        let ban = Some(Ban::Imposed { reason: None, until: Some(at(60)) });
        let change = UserChange { ban, end: EndSessions::Always, ..UserChange::default() };
        store.update_user("bob", &change, AdminGuard::Off, at(9)).unwrap().unwrap();
        assert_eq!(listed(&mut *store, None), ["second", "first"]);
        let refused = create(&mut *store, "fourth", "bob", 4, 9);
        assert!(matches!(refused, Err(AuthError::Banned { .. })));
        let (_, would_end) = store.rehearse_lockdown(&lockdown(None)).unwrap().unwrap();
        assert_eq!(listed(&mut *store, Some("ada")).len(), 2, "a rehearsal ends none");
        let (_, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!((ended.of(AccessKind::ApiKey), &ended), (Some(2), &would_end));
        assert_eq!(listed(&mut *store, None), [""; 0]);
        create(&mut *store, "fifth", "ada", 5, 9).unwrap();
        delete_user(&mut *store, "ada", AdminGuard::Off, at(9)).unwrap().unwrap();
        assert!(store.api_token(&token(5)).unwrap().is_none());
        assert_eq!(listed(&mut *store, None), [""; 0]);
    });
}

#[test]
fn expired_tokens_are_deleted_by_a_sweep() {
    on_native_engines(|db| {
        let mut store = with_tokens(db);
        assert_eq!(store.count_expired_rows(Expiring::ApiKey, at(3599)).unwrap(), 0);
        assert_eq!(store.count_expired_rows(Expiring::ApiKey, at(3600)).unwrap(), 3);
        assert_eq!(store.prune_rows(Expiring::ApiKey, at(3600), &mut Pruning::by(9)).unwrap(), 3);
        assert_eq!(listed(&mut *store, None), [""; 0]);
    });
}
