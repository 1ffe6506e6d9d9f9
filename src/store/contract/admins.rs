//! The last administrator, who keeps the role and is not banned by mistake.

use std::sync::Barrier;

use super::*;
use crate::auth::AuthError;
use crate::auth::storage::{AdminGuard, Ban, EndSessions, UserChange, UserUpdated};

fn demotion() -> UserChange {
    UserChange { role: Some(Some("user".into())), end: EndSessions::Always, ..UserChange::default() }
}

fn ban() -> UserChange {
    UserChange { ban: Some(Ban::Imposed { reason: None, until: None }), ..UserChange::default() }
}

fn update(store: &mut dyn Store, id: &str, change: &UserChange) -> Result<UserUpdated, AuthError> {
    store.update_user(id, change, AdminGuard::KeepLastAdmin, at(0)).unwrap()
}

/// Ada, who is administrator and has a session, and bob, of whom SQL says the rest.
fn ada_and(db: &Database, bob: &str) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    begin(&mut *store, "adas", "ada", 0, 60);
    db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
    db.edit(&format!(r#"UPDATE "user" SET {bob} WHERE "id" = 'bob'"#));
    store
}

#[test]
fn the_only_administrator_is_neither_demoted_nor_banned() {
    on_every_engine(|db| {
        let mut store = ada_and(db, r#""role" = 'superadmin,admins'"#);
        let before = by_id(&mut *store, "ada");
        for change in [demotion(), ban(), UserChange { role: Some(None), ..UserChange::default() }] {
            assert!(matches!(update(&mut *store, "ada", &change), Err(AuthError::LastAdmin)), "{change:?}");
            assert_eq!(by_id(&mut *db.store(), "ada"), before);
            assert_eq!(ids(&mut *store, "ada"), ["adas"]);
        }
        // What takes nothing away is no matter of the guard, and neither is whoever has no power.
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
fn only_another_administrator_who_may_sign_in_lets_one_go() {
    on_every_engine(|db| {
        for (number, (bob, lets_go)) in [
            (r#""role" = NULL"#.to_owned(), false),
            (r#""role" = 'administrator'"#.to_owned(), false),
            (r#""role" = 'admin', "banned" = 1"#.to_owned(), false),
            (format!(r#""role" = 'admin', "banned" = 1, "banExpires" = {}"#, db.time(1)), false),
            (format!(r#""role" = 'admin', "banned" = 1, "banExpires" = {}"#, db.time(0)), true),
            (r#""role" = 'editor, admin', "banned" = 0"#.to_owned(), true),
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
                db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = 0 WHERE "id" = 'ada'"#);
            }
        }
    });
}

#[test]
fn whoever_is_banned_already_may_be_demoted() {
    on_every_engine(|db| {
        let mut store = ada_and(db, r#""role" = 'admin', "banned" = 1"#);
        assert!(update(&mut *store, "bob", &demotion()).is_ok());
        assert!(matches!(update(&mut *store, "ada", &demotion()), Err(AuthError::LastAdmin)));
    });
}

#[test]
fn two_administrators_demoted_at_once_leave_one() {
    on_every_engine(|db| {
        let names = ["ada", "bob"];
        db.with(&names);
        for round in 0..8 {
            db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = 0"#);
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
            let left = r#"SELECT CAST(count(*) AS TEXT) FROM "user" WHERE "role" = 'admin' AND "banned" = 0"#;
            assert_eq!(db.ask(left).unwrap(), "1", "round {round}");
        }
    });
}
