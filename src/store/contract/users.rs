//! Users: creating, finding, changing and listing them.

use super::*;
use crate::auth::AuthError;
use crate::auth::storage::{Account, AdminGuard, Ban, EndSessions, UserChange, UserUpdated};

#[test]
fn new_user_is_found_by_address_and_by_id() {
    on_every_engine(|db| {
        let mut store = db.store();
        let wanted = NewUserRow { image: Some("https://example.com/ada.png".into()), ..new_user("ada") };
        let (made, session) = store.create_user(&wanted, Some(&hash_of("ada")), None).unwrap();
        let expected = User {
            id: "ada".into(),
            name: "ada".into(),
            email: "ada@example.com".into(),
            email_verified: false,
            image: Some("https://example.com/ada.png".into()),
            image_left_out: None,
            created_at: at(0),
            updated_at: at(0),
            role: db.engine.role.map(str::to_owned),
            banned: false,
            ban_reason: None,
            ban_expires: None,
            two_factor_enabled: false,
            odd: Vec::new(),
        };
        assert_eq!((&made, session), (&expected, None));
        assert_eq!(by_id(&mut *store, "ada"), Some(expected.clone()));
        assert_eq!(db.store().user(&UserRef::Email(email("ada"))).unwrap(), Some(expected));
    });
}

#[test]
fn unknown_or_partial_id_or_address_finds_no_user() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for id in ["", "a", "ad", "%", "ada%", "ada ", "ADA", "ada@example.com", "account-of-ada"] {
            assert_eq!(by_id(&mut *store, id), None, "{id:?}");
        }
        for name in ["bob", "a", "_da"] {
            assert_eq!(store.user(&UserRef::Email(email(name))).unwrap(), None, "{name}");
        }
        assert!(store.password_hash("bob").unwrap().is_none());
        assert_eq!(store.sessions("bob").unwrap(), []);
    });
}

#[test]
fn address_is_found_as_stored_else_in_any_spelling() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "cy", "dee", "eve"]);
        let blanks = "\tEve@example.COM \r\n\u{a0}";
        for (id, email) in
            [("ada", "Ada@Example.com"), ("bob", "ADA@example.com"), ("dee", "not an@address"), ("eve", blanks)]
        {
            db.edit(&format!(r#"UPDATE "user" SET "email" = '{email}' WHERE "id" = '{id}'"#));
        }
        for (address, ids) in [
            ("Ada@Example.com", vec!["ada"]),
            ("ADA@example.com", vec!["bob"]),
            ("ada@example.com", vec!["ada", "bob"]),
            ("cy@example.com", vec!["cy"]),
            ("CY@EXAMPLE.com", vec!["cy"]),
            ("not an@address", vec!["dee"]),
            (" cy@example.com\u{a0}", vec!["cy"]),
            ("eve@example.com", vec!["eve"]),
            ("EVE@example.COM", vec!["eve"]),
            ("\tEve@example.COM \r\n\u{a0}", vec!["eve"]),
            ("cy@example.org", vec![]),
            ("ve@example.com", vec![]),
            ("%@example.com", vec![]),
            ("", vec![]),
        ] {
            let found = store.users_with_address(address).unwrap();
            assert_eq!(found.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ids, "{address}");
        }
        assert_eq!(store.user(&UserRef::Email(email("ada"))).unwrap(), None, "a sign-in finds no other case");
    });
}

#[test]
fn text_is_stored_exactly() {
    on_every_engine(|db| {
        let mut store = db.store();
        for (number, name) in
            ["  Ada  ", "'); DROP TABLE \"user\";--", "%_\\", "\u{202e}evil", "😀 é e\u{301}"].into_iter().enumerate()
        {
            let user = NewUserRow { name: name.into(), ..new_user(&format!("user-{number}")) };
            assert_eq!(store.create_user(&user, Some(&hash_of("x")), None).unwrap().0.name, name);
            assert_eq!(by_id(&mut *store, &user.id).unwrap().name, name);
        }
        assert_eq!(db.count("user"), 5);
    });
}

#[test]
fn user_can_be_created_with_a_session() {
    on_every_engine(|db| {
        let mut store = db.store();
        let wanted = new_session("first", "ada", at(0), at(60));
        let (user, session) = store.create_user(&new_user("ada"), Some(&hash_of("ada")), Some(&wanted)).unwrap();
        let session = session.unwrap();
        assert_eq!((session.id.as_str(), session.user_id.as_str(), session.expires_at), ("first", "ada", at(60)));
        assert_eq!(store.session(&token_of("first")).unwrap(), Some((session, user)));
    });
}

#[test]
fn user_with_a_taken_address_is_not_created() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let before = by_id(&mut *store, "ada");
        let twin = NewUserRow { email: email("ada"), ..new_user("twin") };
        let session = new_session("first", "twin", at(0), at(60));
        // The database refuses the address, not the process, so a second connection is refused too.
        for mut store in [db.store(), store] {
            for hash in [Some(&hash_of("twin")), None] {
                let refused = store.create_user(&twin, hash, Some(&session));
                assert!(matches!(refused, Err(StoreError::EmailTaken)), "{refused:?}");
            }
            assert_eq!(by_id(&mut *store, "twin"), None);
            assert_eq!(by_id(&mut *store, "ada"), before);
            assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        }
        assert_eq!((db.count("user"), db.count("account"), db.count("session")), (1, 1, 0));
    });
}

#[test]
fn user_is_not_created_when_the_session_is_refused() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        let same_token = NewSessionRow { id: "second".into(), ..new_session("first", "bob", at(0), at(60)) };
        let refused = store.create_user(&new_user("bob"), Some(&hash_of("bob")), Some(&same_token));
        assert!(matches!(refused, Err(StoreError::NotUnique(_))), "only the address is ever taken: {refused:?}");
        assert_eq!((db.count("user"), db.count("account"), db.count("session")), (1, 1, 1));
    });
}

#[test]
fn returned_times_have_the_stored_precision() {
    on_every_engine(|db| {
        let mut store = db.store();
        let later = |seconds, milliseconds| at(seconds) + jiff::SignedDuration::from_millis(milliseconds);
        let wanted = NewUserRow { created_at: later(0, 999), updated_at: later(0, 999), ..new_user("ada") };
        let session = new_session("first", "ada", later(0, 999), later(60, 1));
        // An encoding in seconds drops the milliseconds.
        let kept = |seconds, milliseconds| {
            if db.engine.is_native || db.engine.time == "a number of seconds" {
                at(seconds)
            } else {
                later(seconds, milliseconds)
            }
        };
        let (user, session) = store.create_user(&wanted, Some(&hash_of("ada")), Some(&session)).unwrap();
        let session = session.unwrap();
        assert_eq!((user.created_at, user.updated_at), (kept(0, 999), kept(0, 999)));
        assert_eq!(
            (session.created_at, session.updated_at, session.expires_at),
            (kept(0, 999), kept(0, 999), kept(60, 1))
        );
        let moved = store.move_session("first", later(7, 500), later(70, 999)).unwrap().unwrap();
        assert_eq!((moved.updated_at, moved.expires_at), (kept(7, 500), kept(70, 999)));
        assert_eq!(db.store().session(&token_of("first")).unwrap(), Some((moved, user)));
    });
}

#[test]
fn user_can_be_created_with_roles_and_without_an_account() {
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
fn accounts_show_whether_they_have_a_password() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('link', '1234', 'github', 'ada', :then, :then), ('other', '5', 'apple', 'ada', :then, :then)"#,
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
        assert_eq!(store.accounts("unknown").unwrap(), []);
    });
}

/// Returns the changed user; `None` when the user does not exist.
fn update_profile(store: &mut dyn Store, id: &str, change: &UserChange, now: Timestamp) -> Option<User> {
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
fn update_changes_only_the_named_fields() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let bob = by_id(&mut *store, "bob");
        let made = by_id(&mut *store, "ada").unwrap();

        let name = UserChange { name: Some("Countess".into()), ..UserChange::default() };
        let named = update_profile(&mut *store, "ada", &name, at(1)).unwrap();
        assert_eq!(named, User { name: "Countess".into(), updated_at: at(1), ..made });

        let image = UserChange { image: Some(Some("https://example.com/a.png".into())), ..UserChange::default() };
        let pictured = update_profile(&mut *store, "ada", &image, at(2)).unwrap();
        assert_eq!(
            pictured,
            User { image: Some("https://example.com/a.png".into()), updated_at: at(2), ..named.clone() }
        );

        let no_image = UserChange { image: Some(None), ..UserChange::default() };
        let plain = update_profile(&mut *store, "ada", &no_image, at(3)).unwrap();
        assert_eq!(plain, User { updated_at: at(3), ..named });

        assert_eq!(by_id(&mut *db.store(), "ada"), Some(plain));
        assert_eq!(by_id(&mut *store, "bob"), bob);
    });
}

#[test]
fn update_of_an_unknown_user_changes_nothing() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let change = UserChange { name: Some("Unknown".into()), ..UserChange::default() };
        assert_eq!(update_profile(&mut *store, "bob", &change, at(1)), None);
        assert_eq!(by_id(&mut *store, "ada").unwrap().name, "ada");
    });
}

#[test]
fn new_address_is_unverified_unless_the_change_verifies_it() {
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
            update_profile(&mut *store, "ada", &start, at(1)).unwrap();
            let change = UserChange { email: Some(email(to)), email_verified: says, ..UserChange::default() };
            let changed = update_profile(&mut *store, "ada", &change, at(2)).unwrap();
            assert_eq!(changed.email_verified, after, "{before}, to {to}, {says:?}");
        }
    });
}

fn update(store: &mut dyn Store, id: &str, change: &UserChange, seconds: i64) -> (User, Vec<String>) {
    let updated = store.update_user(id, change, AdminGuard::KeepLastAdmin, at(seconds)).unwrap().unwrap();
    (updated.user, names(&updated.ended))
}

#[test]
fn each_field_changes_alone_and_leaves_sessions_alive() {
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
            // The same change again writes nothing.
            let same = UserUpdated { user: changed, ended: Vec::new(), ends_in: Vec::new(), changed: false };
            let again = store.update_user("ada", &change, AdminGuard::KeepLastAdmin, at(99)).unwrap().unwrap();
            assert_eq!(again, same, "{change:?}");
            // Undo the change, so that the next one is seen alone.
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
fn update_to_a_taken_address_changes_nothing() {
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
