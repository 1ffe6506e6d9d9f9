//! Sessions without a sign-in: whose they may be, the row says at that moment.

use super::audit::entries;
use super::*;
use crate::auth::storage::{AdminGuard, Ban, EndSessions, NewPassword, UserChange, Which};
use crate::auth::{ActAs, AuthError};

fn wanted(user: &str) -> NewSessionRow {
    NewSessionRow { impersonated_by: Some("os:root@host".into()), ..new_session("acting", user, at(3), at(63)) }
}

#[test]
fn a_session_of_somebody_else_says_who_is_in_it_and_so_does_the_log() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let (user, session) = store.issue_session(&wanted("ada"), ActAs::NoAdministrator).unwrap().unwrap();
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
fn a_session_that_is_issued_is_like_any_other_and_only_the_log_says_so() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let issued = store.issue_session(&new_session("issued", "ada", at(3), at(63)), ActAs::NoAdministrator);
        let (_, session) = issued.unwrap().unwrap();
        let mut begun = begin(&mut *store, "begun", "ada", 3, 63);
        begun.id = session.id.clone();
        assert_eq!(session, begun);
        let told =
            entries(&mut *store, 0).into_iter().find(|entry| entry.session_id.as_deref() == Some("issued")).unwrap();
        assert_eq!((told.event.as_str(), told.user_id.as_deref()), ("session.issued", Some("ada")));
    });
}

#[test]
fn who_is_banned_an_administrator_or_gone_at_that_moment_has_no_such_session() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let told = entries(&mut *store, 0).len();
        for (now, refused) in [
            (r#""role" = 'editor,admin'"#, AuthError::ActingAsAdmin),
            (r#""role" = NULL, "banned" = 1, "banReason" = 'spam'"#, AuthError::Banned { reason: None, until: None }),
        ] {
            db.edit(&format!(r#"UPDATE "user" SET {now}"#));
            let error = store.issue_session(&wanted("ada"), ActAs::NoAdministrator).unwrap().unwrap_err();
            assert_eq!(error.to_string(), refused.to_string(), "{now}");
        }
        let gone = store.issue_session(&wanted("bob"), ActAs::Anybody).unwrap();
        assert!(matches!(gone, Err(AuthError::NoSuchUser(id)) if id == "bob"));
        assert_eq!((db.count("session"), entries(&mut *store, 0).len()), (0, told));

        db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = 0"#);
        assert!(store.issue_session(&wanted("ada"), ActAs::Anybody).unwrap().is_ok());
    });
}

fn by_a_ban(store: &mut dyn Store) -> Vec<Session> {
    let ban = Some(Ban::Imposed { reason: None, until: Some(at(4)) });
    let change = UserChange { ban, end: EndSessions::Always, ..UserChange::default() };
    store.update_user("ada", &change, AdminGuard::Off, at(4)).unwrap().unwrap().ended
}

fn by_a_new_password(store: &mut dyn Store) -> Vec<Session> {
    let new = NewPassword {
        user_id: "ada",
        account_id: "unused".into(),
        hash: &hash("new"),
        end: Some(Which::All),
        attempts: &attempts_of("ada"),
        now: at(4),
    };
    store.set_password(&new).unwrap().unwrap()
}

fn by_its_token(store: &mut dyn Store) -> Vec<Session> {
    store.end_session(&token_of("acting")).unwrap().into_iter().collect()
}

#[test]
fn whatever_ends_the_sessions_of_a_user_ends_this_one() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for end in [by_a_new_password, by_its_token, by_a_ban] {
            store.issue_session(&wanted("ada"), ActAs::NoAdministrator).unwrap().unwrap();
            assert_eq!(names(&end(&mut *store)), ["acting"]);
            assert_eq!(ids(&mut *store, "ada"), [""; 0]);
        }
    });
}

/// How an administrator loses the right to act as others.
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
fn sessions_of_an_impersonator_end_with_the_ban_demotion_or_deletion() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "root", "other"]);
        let admin = |name: &str| db.edit(&format!(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = '{name}'"#));
        admin("other");
        let acting = |id: &str, by: &str| NewSessionRow {
            impersonated_by: Some(by.into()),
            ..new_session(id, "ada", at(3), at(63))
        };
        for by in ["other", "os:root@host"] {
            store.issue_session(&acting(by, by), ActAs::NoAdministrator).unwrap().unwrap();
        }
        begin(&mut *store, "own", "ada", 3, 63);
        for (how, change) in losses() {
            db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = 0, "banExpires" = NULL WHERE "id" = 'root'"#);
            store.issue_session(&acting("acting", "root"), ActAs::NoAdministrator).unwrap().unwrap();
            // What takes nothing away ends nothing.
            let renamed = UserChange { name: Some("Root".into()), ..UserChange::default() };
            store.update_user("root", &renamed, AdminGuard::Off, at(4)).unwrap().unwrap();
            assert_eq!(ids(&mut *store, "ada").len(), 4, "{how}");
            let updated = store.update_user("root", &change, AdminGuard::Off, at(4)).unwrap().unwrap();
            assert_eq!(names(&updated.ended), ["acting"], "{how}");
            assert_eq!(ids(&mut *store, "ada").len(), 3, "{how}");
            let last = entries(&mut *store, 0).pop().unwrap();
            assert_eq!((last.event.as_str(), last.session_id.as_deref()), ("session.ended", Some("acting")), "{how}");
        }
        db.edit(r#"UPDATE "user" SET "role" = 'admin', "banned" = 0, "banExpires" = NULL WHERE "id" = 'root'"#);
        store.issue_session(&acting("acting", "root"), ActAs::NoAdministrator).unwrap().unwrap();
        store.delete_user("root", AdminGuard::Off, at(5)).unwrap().unwrap();
        let mut left = ids(&mut *store, "ada");
        left.sort();
        assert_eq!(left, ["os:root@host", "other", "own"]);
    });
}
