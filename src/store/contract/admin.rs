//! What an operator writes: users with what no sign-up gives them, passwords whose predecessor nobody
//! knows, and every field of a user.

use super::*;
use crate::auth::policy::ThrottleRules;
use crate::auth::storage::{
    Account, AdminGuard, Ban, EndSessions, NewPassword, StoreError, UserChange, UserUpdated, Which,
};
use crate::auth::throttle::Attempts;

fn update(store: &mut dyn Store, id: &str, change: &UserChange, seconds: i64) -> (User, Vec<String>) {
    let updated = store.update_user(id, change, AdminGuard::KeepLastAdmin, at(seconds)).unwrap().unwrap();
    (updated.user, names(&updated.ended))
}

fn set_password(store: &mut dyn Store, user: &str, text: &str, end: Option<Which>) -> Option<Vec<String>> {
    let ended = store
        .set_password(&NewPassword {
            user_id: user,
            account_id: format!("new-account-of-{user}"),
            hash: &hash(text),
            end,
            attempts: &attempts_of(user),
            now: at(9),
        })
        .unwrap();
    ended.map(|sessions| names(&sessions))
}

/// Ada and bob with a session each, and one counted attempt each.
fn two_users(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    for name in ["ada", "bob"] {
        begin(&mut *store, &format!("{name}s"), name, 0, 60);
        store.count_attempt(&attempts_of(name), at(5), &ThrottleRules::default()).unwrap();
    }
    store
}

fn is_counted(store: &mut dyn Store, name: &str) -> bool {
    store.attempts(&attempts_of(name)).unwrap().is_some()
}

#[test]
fn a_user_can_be_made_with_roles_a_verified_address_and_no_way_to_sign_in() {
    on_every_engine(|db| {
        let mut store = db.store();
        let wanted = NewUserRow { role: Some("editor,admin".into()), email_verified: true, ..new_user("ada") };
        let (made, session) = store.create_user(&wanted, None, None).unwrap();
        assert_eq!((made.role.as_deref(), made.email_verified, made.banned), (Some("editor,admin"), true, false));
        assert_eq!(session, None);
        assert_eq!(by_id(&mut *db.store(), "ada"), Some(made));
        assert_eq!(store.accounts("ada").unwrap(), []);
        assert_eq!(stored_hash(&mut *store, "ada"), None);
        assert_eq!(db.count("account"), 0);
    });
}

#[test]
fn a_taken_address_is_refused_to_an_operator_too() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let twin = NewUserRow { id: "twin".into(), role: Some("admin".into()), ..new_user("ada") };
        let refused = store.create_user(&twin, None, None);
        assert!(matches!(refused, Err(StoreError::EmailTaken)), "{refused:?}");
        assert_eq!(by_id(&mut *store, "twin"), None);
    });
}

#[test]
fn ways_to_sign_in_are_listed_with_whether_they_hold_a_password() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('link', '1234', 'github', 'ada', 0, 0), ('other', '5', 'apple', 'ada', 0, 0)"#,
        );
        let account = |provider: &str, id: &str, has_password| Account {
            provider_id: provider.into(),
            account_id: id.into(),
            has_password,
        };
        let expected =
            [account("apple", "5", false), account("credential", "ada", true), account("github", "1234", false)];
        assert_eq!(store.accounts("ada").unwrap(), expected);
        assert_eq!(store.accounts("bob").unwrap(), [account("credential", "bob", true)]);
        assert_eq!(store.accounts("nobody").unwrap(), []);
    });
}

#[test]
fn attempts_are_read_without_being_counted() {
    on_every_engine(|db| {
        let mut store = db.store();
        assert_eq!(store.attempts(&attempts_of("ada")).unwrap(), None);
        for _ in 0..5 {
            store.count_attempt(&attempts_of("ada"), at(7), &ThrottleRules::default()).unwrap();
        }
        let expected = Attempts { count: 5, not_before: at(22), last_at: at(7) };
        for _ in 0..3 {
            assert_eq!(db.store().attempts(&attempts_of("ada")).unwrap(), Some(expected));
        }
        assert_eq!(store.attempts(&attempts_of("bob")).unwrap(), None);
        store.clear_attempts(&attempts_of("ada")).unwrap();
        assert_eq!(store.attempts(&attempts_of("ada")).unwrap(), None);
    });
}

#[test]
fn a_set_password_follows_any_other_ends_sessions_and_clears_the_count() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        assert_eq!(set_password(&mut *store, "ada", "new", Some(Which::All)).unwrap(), ["adas"]);
        assert_eq!(stored_hash(&mut *db.store(), "ada").unwrap(), "new");
        assert_eq!(ids(&mut *store, "ada"), [""; 0]);
        assert!(!is_counted(&mut *store, "ada"));
        assert_eq!(db.count("account"), 2, "the account is the same one");

        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert!(is_counted(&mut *store, "bob"));

        assert_eq!(set_password(&mut *store, "bob", "newer", None).unwrap(), [""; 0]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "newer");
    });
}

#[test]
fn a_set_password_makes_the_credential_account_that_is_missing() {
    on_every_engine(|db| {
        let mut store = db.store();
        for name in ["ada", "bob"] {
            store.create_user(&new_user(name), None, None).unwrap();
        }
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('link', '1234', 'github', 'ada', 0, 0),
                  ('empty', 'bob', 'credential', 'bob', 0, 0)"#,
        );
        for name in ["ada", "bob"] {
            assert_eq!(set_password(&mut *store, name, "new", None).unwrap(), [""; 0]);
            assert_eq!(stored_hash(&mut *store, name).unwrap(), "new");
            begin_with(&mut *store, name, "new");
        }
        let ways: Vec<_> = store.accounts("ada").unwrap().into_iter().map(|account| account.provider_id).collect();
        assert_eq!(ways, ["credential", "github"]);
        assert_eq!(store.accounts("bob").unwrap().len(), 1);
        assert_eq!(db.ask(r#"SELECT "password" FROM "account" WHERE "id" = 'link'"#), None);
    });
}

/// Whoever shows the password gets a session.
fn begin_with(store: &mut dyn Store, name: &str, text: &str) {
    let session = new_session(&format!("{name}s"), name, at(9), at(60));
    assert!(store.begin_session(&session, &hash(text), None, &attempts_of(name)).unwrap().is_some());
}

#[test]
fn nobody_gets_a_password_who_is_not_there() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        assert_eq!(set_password(&mut *store, "bob", "new", Some(Which::All)), None);
        assert_eq!(db.count("account"), 1);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
    });
}

#[test]
fn each_field_changes_alone_and_sessions_end_only_when_the_change_says_so() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        let bob = by_id(&mut *store, "bob");
        let mut expected = by_id(&mut *store, "ada").unwrap();
        let none = UserChange::default;
        let imposed = Ban::Imposed { reason: Some("spam".into()), until: Some(at(60)) };
        let banned =
            User { banned: true, ban_reason: Some("spam".into()), ban_expires: Some(at(60)), ..expected.clone() };
        for (seconds, (change, then)) in (1_i64..).zip([
            (
                UserChange { name: Some("Countess".into()), ..none() },
                User { name: "Countess".into(), ..expected.clone() },
            ),
            (
                UserChange { image: Some(Some("https://e.co/a".into())), ..none() },
                User { image: Some("https://e.co/a".into()), ..expected.clone() },
            ),
            (
                UserChange { email: Some(email("countess")), ..none() },
                User { email: "countess@example.com".into(), ..expected.clone() },
            ),
            (UserChange { email_verified: Some(true), ..none() }, User { email_verified: true, ..expected.clone() }),
            (
                UserChange { role: Some(Some("editor".into())), ..none() },
                User { role: Some("editor".into()), ..expected.clone() },
            ),
            (UserChange { ban: Some(imposed), ..none() }, banned),
        ]) {
            let (changed, ended) = update(&mut *store, "ada", &change, seconds);
            assert_eq!((&changed, ended.len()), (&User { updated_at: at(seconds), ..then }, 0), "{change:?}");
            assert_eq!(by_id(&mut *db.store(), "ada").as_ref(), Some(&changed));
            // Once more, it changes nothing and writes nothing.
            let same = UserUpdated { user: changed, ended: Vec::new(), changed: false };
            let again = store.update_user("ada", &change, AdminGuard::KeepLastAdmin, at(99)).unwrap().unwrap();
            assert_eq!(again, same, "{change:?}");
            // Back to where it was, so that each field is seen alone.
            let back = UserChange {
                name: Some("ada".into()),
                image: Some(None),
                email: Some(email("ada")),
                email_verified: Some(false),
                role: Some(db.engine.role.map(str::to_owned)),
                ban: Some(Ban::Lifted),
                end: EndSessions::Never,
            };
            expected.updated_at = at(seconds);
            assert_eq!(update(&mut *store, "ada", &back, seconds).0, expected, "{change:?}");
        }
        assert_eq!(ids(&mut *store, "ada"), ["adas"]);
        let (_, ended) = update(&mut *store, "ada", &UserChange { end: EndSessions::Always, ..none() }, 9);
        assert_eq!((ended, ids(&mut *store, "ada")), (vec!["adas".to_owned()], vec![]));
        assert_eq!((by_id(&mut *store, "bob"), ids(&mut *store, "bob")), (bob, vec!["bobs".to_owned()]));
    });
}

#[test]
fn an_address_that_is_taken_changes_nothing() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        let before = by_id(&mut *store, "ada");
        let change = UserChange {
            email: Some(email("bob")),
            name: Some("Thief".into()),
            end: EndSessions::Always,
            ..UserChange::default()
        };
        let refused = store.update_user("ada", &change, AdminGuard::Off, at(9));
        assert!(matches!(refused, Err(StoreError::EmailTaken)), "{refused:?}");
        assert_eq!(by_id(&mut *store, "ada"), before);
        assert_eq!(ids(&mut *store, "ada"), ["adas"]);
    });
}

#[test]
fn unlocking_tells_whether_there_was_anything_to_forget() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        let ada = by_id(&mut *store, "ada").unwrap();
        // The keys are those of the row at that moment.
        let keys = |user: &User| vec![AttemptKey::sign_in(&crate::auth::email::Email::parse(&user.email).unwrap())];
        assert_eq!(store.unlock("ada", &keys).unwrap(), Some((ada.clone(), true)));
        assert_eq!(store.unlock("ada", &keys).unwrap(), Some((ada, false)));
        assert_eq!(store.unlock("unknown", &keys).unwrap(), None);
        assert!(!is_counted(&mut *store, "ada") && is_counted(&mut *store, "bob"));
        let told = super::audit::entries(&mut *store, 0);
        let told: Vec<_> = told.iter().filter(|entry| entry.event == "user.unlocked").collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].user_email.as_deref(), Some("ada@example.com"));
    });
}
