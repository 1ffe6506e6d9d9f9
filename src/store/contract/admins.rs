//! Administrators: the guard of the last one, lost roles, and impersonation.

use std::sync::Barrier;

use super::audit::entries;
use super::*;
use crate::auth::storage::{AdminGuard, Ban, EndSessions, UserChange, UserUpdated};
use crate::auth::{ActAs, AuthError};

fn demotion() -> UserChange {
    UserChange { role: Some(Some("user".into())), end: EndSessions::Always, ..UserChange::default() }
}

fn ban() -> UserChange {
    UserChange { ban: Some(Ban::Imposed { reason: None, until: None }), ..UserChange::default() }
}

fn update(store: &mut dyn Store, id: &str, change: &UserChange) -> Result<UserUpdated, AuthError> {
    store.update_user(id, change, AdminGuard::KeepLastAdmin, at(0)).unwrap()
}

/// Ada, an administrator with a session, and bob, whose columns are set by the SQL in `bob`.
fn ada_and(db: &Database, bob: &str) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    begin(&mut *store, "adas", "ada", 0, 60);
    db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
    db.edit(&format!(r#"UPDATE "user" SET {bob} WHERE "id" = 'bob'"#));
    store
}

#[test]
fn last_admin_is_not_demoted_or_banned() {
    on_every_engine(|db| {
        let mut store = ada_and(db, r#""role" = 'superadmin,admins'"#);
        let before = by_id(&mut *store, "ada");
        for change in [demotion(), ban(), UserChange { role: Some(None), ..UserChange::default() }] {
            assert!(matches!(update(&mut *store, "ada", &change), Err(AuthError::LastAdmin)), "{change:?}");
            assert_eq!(by_id(&mut *db.store(), "ada"), before);
            assert_eq!(ids(&mut *store, "ada"), ["adas"]);
        }
        // The guard allows changes that keep the role, and changes of users who are not administrators.
        for change in [
            UserChange { role: Some(Some("editor, admin".into())), ..UserChange::default() },
            UserChange { name: Some("Countess".into()), email_verified: Some(true), ..UserChange::default() },
            UserChange { ban: Some(Ban::Imposed { reason: None, until: Some(at(0)) }), ..UserChange::default() },
        ] {
            assert!(update(&mut *store, "ada", &change).is_ok(), "{change:?}");
        }
        assert!(update(&mut *store, "bob", &ban()).is_ok());
        let forced = store.update_user("ada", &demotion(), AdminGuard::Off, at(0)).unwrap().unwrap();
        assert_eq!(forced.user.role.as_deref(), Some("user"));
    });
}

#[test]
fn admin_can_be_demoted_when_another_admin_can_sign_in() {
    on_every_engine(|db| {
        for (number, (bob, lets_go)) in [
            (r#""role" = NULL"#.to_owned(), false),
            (r#""role" = 'administrator'"#.to_owned(), false),
            (r#""role" = 'admin', "banned" = '1'"#.to_owned(), false),
            (format!(r#""role" = 'admin', "banned" = '1', "banExpires" = {}"#, db.time(1)), false),
            (format!(r#""role" = 'admin', "banned" = '1', "banExpires" = {}"#, db.time(0)), true),
            (r#""role" = 'editor, admin', "banned" = '0'"#.to_owned(), true),
            (r#""role" = 'admin,editor', "banned" = NULL"#.to_owned(), true),
        ]
        .into_iter()
        .enumerate()
        {
            if number > 0 {
                db.edit(r#"DELETE FROM "session"; DELETE FROM "account"; DELETE FROM "user""#);
            }
            for change in [ban(), demotion()] {
                let mut store = if by_id(&mut *db.store(), "ada").is_none() { ada_and(db, &bob) } else { db.store() };
                let went = update(&mut *store, "ada", &change).is_ok();
                assert_eq!(went, lets_go, "{bob}: {change:?}");
                db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = '0' WHERE "id" = 'ada'"#);
            }
        }
    });
}

#[test]
fn banned_admin_can_be_demoted() {
    on_every_engine(|db| {
        let mut store = ada_and(db, r#""role" = 'admin', "banned" = '1'"#);
        assert!(update(&mut *store, "bob", &demotion()).is_ok());
        assert!(matches!(update(&mut *store, "ada", &demotion()), Err(AuthError::LastAdmin)));
    });
}

#[test]
fn concurrent_demotions_leave_one_admin() {
    on_every_engine(|db| {
        let names = ["ada", "bob"];
        db.with(&names);
        for round in 0..8 {
            db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = '0'"#);
            let start = Barrier::new(2);
            let mut refused: Vec<bool> = std::thread::scope(|scope| {
                let changes = names.map(|name| {
                    let start = &start;
                    scope.spawn(move || {
                        let mut store = db.store();
                        let change = if name == "ada" { demotion() } else { ban() };
                        start.wait();
                        matches!(update(&mut *store, name, &change), Err(AuthError::LastAdmin))
                    })
                });
                changes.into_iter().map(|change| change.join().unwrap()).collect()
            });
            refused.sort_unstable();
            assert_eq!(refused, [false, true], "round {round}");
            let left = r#"SELECT CAST(count(*) AS TEXT) FROM "user" WHERE "role" = 'admin' AND "banned" = '0'"#;
            assert_eq!(db.ask(left).unwrap(), "1", "round {round}");
        }
    });
}

#[test]
fn roles_are_counted_by_their_text() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "eve", "kim"]);
        db.edit(r#"UPDATE "user" SET "role" = CASE "id" WHEN 'ada' THEN 'admin,editor' WHEN 'bob' THEN 'user' END"#);
        db.edit(r#"UPDATE "user" SET "role" = 'editor' WHERE "id" = 'kim'"#);
        let mut roles = store.role_texts().unwrap();
        roles.sort();
        let roles: Vec<_> = roles.iter().map(|(role, users)| (role.as_str(), *users)).collect();
        assert_eq!(roles, [("admin,editor", 1), ("editor", 1), ("user", 2)]);
    });
}

fn set_role(store: &mut dyn Store, role: &str) -> Vec<String> {
    let change = UserChange { role: Some(Some(role.into())), end: EndSessions::IfRoleIsLost, ..UserChange::default() };
    names(&store.update_user("ada", &change, AdminGuard::Off, at(1)).unwrap().unwrap().ended)
}

#[test]
fn lost_role_ends_sessions_by_the_role_in_the_database() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        begin(&mut *store, "bobs", "bob", 0, 60);
        for (before, role) in [("", "editor"), ("user", "editor"), ("editor", "admin,editor")] {
            db.edit(&format!(r#"UPDATE "user" SET "role" = nullif('{before}', '')"#));
            assert_eq!(set_role(&mut *store, role), [""; 0], "{before} to {role}");
        }
        // The role in the database decides, not the one that the caller has read.
        db.edit(r#"UPDATE "user" SET "role" = 'admin'"#);
        assert_eq!(set_role(&mut *store, "editor"), ["adas"]);
        assert_eq!((ids(&mut *store, "ada"), ids(&mut *store, "bob")), (vec![], vec!["bobs".to_owned()]));
    });
}

/// The number of deleted sessions; `None` if the guard refuses.
fn delete(store: &mut dyn Store, id: &str) -> Option<u64> {
    match delete_user(&mut *store, id, AdminGuard::KeepLastAdmin, at(0)).unwrap() {
        Ok(deleted) => Some(deleted.sessions),
        Err(AuthError::LastAdmin) => None,
        Err(refused) => unreachable!("{refused}"),
    }
}

#[test]
fn deletion_removes_accounts_sessions_and_codes() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "one", "ada", 0, 60);
        begin(&mut *store, "two", "ada", 0, -60);
        begin(&mut *store, "bobs", "bob", 0, 60);
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('link', '1234', 'github', 'ada', :then, :then);
           INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
           VALUES ('code', 'reset-password:x', 'ada', :then, :then, :then), ('bobs-code', 'reset-password:y', 'bob', :then, :then, :then)"#,
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
fn deletion_of_an_unknown_user_is_refused() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for guard in [AdminGuard::KeepLastAdmin, AdminGuard::Off] {
            let refused = delete_user(&mut *store, "bob", guard, at(0)).unwrap();
            assert!(matches!(refused, Err(AuthError::NoSuchUser(_))), "{refused:?}");
        }
        assert_eq!(db.count("user"), 1);
    });
}

#[test]
fn last_admin_is_deleted_only_without_the_guard() {
    on_every_engine(|db| {
        for role in ["admin", "editor,admin", "editor, admin"] {
            let mut store = db.with(&["ada", "bob"]);
            begin(&mut *store, "one", "ada", 0, 60);
            db.edit(&format!(r#"UPDATE "user" SET "role" = '{role}' WHERE "id" = 'ada'"#));
            assert_eq!(delete(&mut *store, "ada"), None, "{role}");
            assert_eq!(ids(&mut *store, "ada"), ["one"], "{role}");
            assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada", "{role}");
            let forced = delete_user(&mut *store, "ada", AdminGuard::Off, at(0)).unwrap();
            assert_eq!(forced.unwrap().sessions, 1, "{role}");
            assert_eq!(delete(&mut *store, "bob"), Some(0), "an ordinary user can be deleted");
        }
    });
}

#[test]
fn deletion_needs_another_admin_who_is_not_banned() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
        for (role, banned) in [("admin", "1"), ("superadmin", "0"), ("administrator,editor", "0"), ("user", "0")] {
            db.edit(&format!(r#"UPDATE "user" SET "role" = '{role}', "banned" = '{banned}' WHERE "id" = 'bob'"#));
            assert_eq!(delete(&mut *store, "ada"), None, "{role} {banned}");
        }
        // NULL is not a ban: rows that are older than the column have it.
        db.edit(r#"UPDATE "user" SET "role" = 'editor,admin', "banned" = NULL WHERE "id" = 'bob'"#);
        assert_eq!(delete(&mut *store, "ada"), Some(0));
        assert_eq!(delete(&mut *store, "bob"), None);
    });
}

#[test]
fn concurrent_deletions_leave_one_admin() {
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

fn impersonation(user: &str) -> NewSessionRow {
    NewSessionRow { impersonated_by: Some("os:root@host".into()), ..new_session("acting", user, at(3), at(63)) }
}

#[test]
fn impersonation_is_recorded_in_session_and_log() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let (user, session) = store.issue_session(&impersonation("ada"), ActAs::NonAdmins).unwrap().unwrap();
        assert_eq!(Some(&user), by_id(&mut *store, "ada").as_ref());
        assert_eq!(session.impersonated_by.as_deref(), Some("os:root@host"));
        assert_eq!((session.created_at, session.updated_at, session.expires_at), (at(3), at(3), at(63)));
        assert_eq!(store.session(&token_of("acting")).unwrap(), Some((session, user)));
        let last = entries(&mut *store, 0).pop().unwrap();
        assert_eq!(last.event, "session.impersonated");
        assert_eq!((last.user_id.as_deref(), last.session_id.as_deref()), (Some("ada"), Some("acting")));
    });
}

#[test]
fn issued_session_differs_only_in_the_log() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let issued = store.issue_session(&new_session("issued", "ada", at(3), at(63)), ActAs::NonAdmins);
        let (_, session) = issued.unwrap().unwrap();
        let mut begun = begin(&mut *store, "begun", "ada", 3, 63);
        begun.id = session.id.clone();
        assert_eq!(session, begun);
        let entry =
            entries(&mut *store, 0).into_iter().find(|entry| entry.session_id.as_deref() == Some("issued")).unwrap();
        assert_eq!((entry.event.as_str(), entry.user_id.as_deref()), ("session.issued", Some("ada")));
    });
}

#[test]
fn banned_user_or_admin_cannot_be_impersonated() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let before = entries(&mut *store, 0).len();
        for (now, refused) in [
            (r#""role" = 'editor,admin'"#, AuthError::ActingAsAdmin),
            (r#""role" = NULL, "banned" = '1', "banReason" = 'spam'"#, AuthError::Banned { reason: None, until: None }),
        ] {
            db.edit(&format!(r#"UPDATE "user" SET {now}"#));
            let error = store.issue_session(&impersonation("ada"), ActAs::NonAdmins).unwrap().unwrap_err();
            assert_eq!(error.to_string(), refused.to_string(), "{now}");
        }
        let gone = store.issue_session(&impersonation("bob"), ActAs::AnyUser).unwrap();
        assert!(matches!(gone, Err(AuthError::NoSuchUser(id)) if id == "bob"));
        assert_eq!((db.count("session"), entries(&mut *store, 0).len()), (0, before));

        db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = '0'"#);
        assert!(store.issue_session(&impersonation("ada"), ActAs::AnyUser).unwrap().is_ok());
    });
}

fn by_a_ban(store: &mut dyn Store) -> Vec<Session> {
    let ban = Some(Ban::Imposed { reason: None, until: Some(at(4)) });
    let change = UserChange { ban, end: EndSessions::Always, ..UserChange::default() };
    store.update_user("ada", &change, AdminGuard::Off, at(4)).unwrap().unwrap().ended
}

fn by_a_new_password(store: &mut dyn Store) -> Vec<Session> {
    set_password(store, "ada", "new", Some(Which::All), 4).unwrap().unwrap()
}

fn by_its_token(store: &mut dyn Store) -> Vec<Session> {
    store.end_session(&token_of("acting")).unwrap().into_iter().collect()
}

#[test]
fn impersonation_ends_with_the_sessions_of_the_user() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for end in [by_a_new_password, by_its_token, by_a_ban] {
            store.issue_session(&impersonation("ada"), ActAs::NonAdmins).unwrap().unwrap();
            assert_eq!(names(&end(&mut *store)), ["acting"]);
            assert_eq!(ids(&mut *store, "ada"), [""; 0]);
        }
    });
}

/// The changes that end an administrator's right to impersonate.
fn losses() -> Vec<(&'static str, UserChange)> {
    let ban = |until| UserChange { ban: Some(Ban::Imposed { reason: None, until }), ..UserChange::default() };
    let role = |role: Option<&str>| UserChange { role: Some(role.map(str::to_owned)), ..UserChange::default() };
    vec![
        ("ban", ban(None)),
        ("ban for a while", ban(Some(at(9)))),
        ("other role", role(Some("editor"))),
        ("no role", role(None)),
    ]
}

#[test]
fn impersonation_ends_when_the_admin_loses_the_role() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "root", "other"]);
        let admin = |name: &str| db.edit(&format!(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = '{name}'"#));
        admin("other");
        let acting = |id: &str, by: &str| NewSessionRow {
            impersonated_by: Some(by.into()),
            ..new_session(id, "ada", at(3), at(63))
        };
        for by in ["other", "os:root@host"] {
            store.issue_session(&acting(by, by), ActAs::NonAdmins).unwrap().unwrap();
        }
        begin(&mut *store, "own", "ada", 3, 63);
        for (how, change) in losses() {
            db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = '0', "banExpires" = NULL WHERE "id" = 'root'"#);
            store.issue_session(&acting("acting", "root"), ActAs::NonAdmins).unwrap().unwrap();
            // A change that keeps the role ends no session.
            let renamed = UserChange { name: Some("Root".into()), ..UserChange::default() };
            store.update_user("root", &renamed, AdminGuard::Off, at(4)).unwrap().unwrap();
            assert_eq!(ids(&mut *store, "ada").len(), 4, "{how}");
            let updated = store.update_user("root", &change, AdminGuard::Off, at(4)).unwrap().unwrap();
            assert_eq!(names(&updated.ended), ["acting"], "{how}");
            assert_eq!(ids(&mut *store, "ada").len(), 3, "{how}");
            let last = entries(&mut *store, 0).pop().unwrap();
            assert_eq!((last.event.as_str(), last.session_id.as_deref()), ("session.ended", Some("acting")), "{how}");
        }
        db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = '0', "banExpires" = NULL WHERE "id" = 'root'"#);
        store.issue_session(&acting("acting", "root"), ActAs::NonAdmins).unwrap().unwrap();
        delete_user(&mut *store, "root", AdminGuard::Off, at(5)).unwrap().unwrap();
        let mut left = ids(&mut *store, "ada");
        left.sort();
        assert_eq!(left, ["os:root@host", "other", "own"]);
        let last = entries(&mut *store, 0).pop().unwrap();
        assert_eq!((last.event.as_str(), last.session_id.as_deref()), ("session.ended", Some("acting")), "delete");
    });
}

/// An app names the roles that may act as others in its options.
#[test]
fn impersonation_ends_with_any_role_that_an_app_may_give() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "root"]);
        let ban = UserChange { ban: Some(Ban::Imposed { reason: None, until: None }), ..UserChange::default() };
        let demotion = UserChange { role: Some(Some("user".into())), ..UserChange::default() };
        for change in [Some(ban), Some(demotion), None] {
            db.edit(r#"UPDATE "user" SET "role" = 'support', "banned" = '0' WHERE "id" = 'root'"#);
            db.edit(r#"DELETE FROM "session""#);
            begin(&mut *store, "acting", "ada", 3, 63);
            db.edit(r#"UPDATE "session" SET "impersonatedBy" = 'root'"#);
            let promoted = UserChange { role: Some(Some("support,editor".into())), ..UserChange::default() };
            store.update_user("root", &promoted, AdminGuard::Off, at(4)).unwrap().unwrap();
            assert_eq!(ids(&mut *store, "ada"), ["acting"]);
            match &change {
                Some(change) => drop(store.update_user("root", change, AdminGuard::Off, at(4)).unwrap().unwrap()),
                None => drop(delete_user(&mut *store, "root", AdminGuard::Off, at(4)).unwrap().unwrap()),
            }
            // In authctl's own databases only the role `admin` gives the right. A session of a deleted user never stays.
            let left = if db.engine.is_native && change.is_some() { vec!["acting"] } else { Vec::new() };
            assert_eq!(ids(&mut *store, "ada"), left, "{change:?}");
        }
    });
}
