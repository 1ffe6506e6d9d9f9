//! The audit log: which entries each fact leaves.

use super::audit::{entries, is_whole};
use super::*;
use crate::auth::audit::Entry;
use crate::auth::code::{Purpose, StoredCode};
use crate::auth::policy::KEYS;
use crate::auth::secret::Code;
use crate::auth::store::{
    AdminGuard, Ban, CodeEffect, Deleted, EndSessions, NewCode, NewPassword, PasswordChange, StoreError, Updated,
    UserChange, Which,
};

/// What has been told since the last call: `event user session detail`, one a line.
#[derive(Default)]
struct News(u64);

impl News {
    fn of(&mut self, store: &mut dyn Store) -> Vec<String> {
        let news = entries(store, self.0);
        self.0 = news.last().map_or(self.0, |entry| entry.seq);
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let line = |entry: &Entry| {
            let [user, session, detail] = [&entry.user_id, &entry.session_id, &entry.detail].map(text);
            format!("{} {user} {session} {detail}", entry.event)
        };
        news.iter().map(line).collect()
    }
}

fn each_fact_tells_what_it_did(db: &Database) {
    let mut store = db.store();
    let mut news = News::default();
    let first = new_session("first", "ada", at(0), at(60));
    store.create_user(&new_user("ada"), Some(&hash_of("ada")), Some(&first)).unwrap();
    assert_eq!(news.of(&mut *store), ["user.created ada - roles: user", "session.begun ada first -"]);
    let upgraded = hash("costlier hash");
    let second = new_session("second", "ada", at(1), at(61));
    store.begin_session(&second, &hash_of("ada"), Some(&upgraded), &attempts_of("ada")).unwrap().unwrap();
    assert_eq!(news.of(&mut *store), ["password.rehashed ada - -", "session.begun ada second -"]);
    store.move_session("first", at(2), at(90)).unwrap().unwrap();
    store.end_session(&token_of("first")).unwrap().unwrap();
    assert_eq!(news.of(&mut *store), ["session.moved ada first -", "session.ended ada first -"]);

    let change = PasswordChange {
        user_id: "ada",
        verified: &upgraded,
        hash: &hash("new"),
        end: Some(Which::All),
        attempts: &attempts_of("ada"),
        now: at(3),
    };
    store.replace_password(&change).unwrap().unwrap();
    assert_eq!(news.of(&mut *store), ["password.changed ada - -", "session.ended ada second -"]);
    let given = NewPassword {
        user_id: "ada",
        account_id: "unused".into(),
        hash: &hash_of("ada"),
        end: Some(Which::All),
        attempts: &attempts_of("ada"),
        now: at(4),
    };
    begin(&mut *store, "third", "ada", 3, 60);
    store.set_password(&given).unwrap().unwrap();
    assert_eq!(news.of(&mut *store).split_off(1), ["password.set ada - -", "session.ended ada third -"]);

    for id in ["four", "five", "six", "seven"] {
        begin(&mut *store, id, "ada", 4, 60);
    }
    assert_eq!(news.of(&mut *store).len(), 4);
    store.end_sessions("ada", &Which::Ids(vec!["four".into()])).unwrap();
    store.end_sessions_by_id(&["five".into(), "unknown".into()]).unwrap();
    assert_eq!(news.of(&mut *store), ["session.ended ada four -", "session.ended ada five -"]);
    store.prune(at(60), 10).unwrap();
    assert_eq!(news.of(&mut *store), ["sessions.pruned - - 2 expired session(s)"]);
    let lifetime = KEYS.iter().find(|key| key.name == "session.lifetime").unwrap();
    store.set_policy(lifetime, Some("30d"), at(5)).unwrap().unwrap();
    assert_eq!(news.of(&mut *store), ["policy.set - - session.lifetime = 30d"]);
    begin(&mut *store, "last", "ada", 5, 60);
    assert!(matches!(store.delete_user("ada", AdminGuard::Off, at(6)).unwrap(), Deleted::User { sessions: 1 }));
    assert_eq!(news.of(&mut *store), ["session.begun ada last -", "user.deleted ada - with 1 session(s)"]);
    assert!(is_whole(&mut *store));
}

fn a_change_of_several_things_tells_each_of_them(db: &Database) {
    let mut store = db.with(&["ada"]);
    let mut news = News::default();
    let _ = news.of(&mut *store);
    let none = UserChange::default;
    let spam = Ban::Imposed { reason: Some("spam".into()), until: None };
    for (change, told) in [
        (UserChange { name: Some("Countess".into()), image: Some(None), ..none() }, vec!["user.updated ada - -"]),
        (UserChange { image: Some(None), ..none() }, vec!["user.updated ada - -"]),
        (UserChange { email: Some(email("countess")), ..none() }, vec!["email.changed ada - -"]),
        (
            UserChange { email: Some(email("ada")), email_verified: Some(true), ..none() },
            vec!["email.changed ada - -", "email.verified ada - -"],
        ),
        (UserChange { email_verified: Some(true), ..none() }, vec!["email.verified ada - -"]),
        (UserChange { email_verified: Some(false), ..none() }, vec!["email.unverified ada - -"]),
        (UserChange { ban: Some(Ban::Lifted), ..none() }, vec!["user.unbanned ada - -"]),
        (
            UserChange {
                name: Some("Ada".into()),
                role: Some(Some("editor,reviewer".into())),
                ban: Some(spam),
                end: EndSessions::Always,
                ..none()
            },
            vec![
                "user.updated ada - -",
                "role.set ada - roles: editor,reviewer",
                "user.banned ada - -",
                "session.ended ada adas -",
            ],
        ),
    ] {
        if change.end == EndSessions::Always {
            begin(&mut *store, "adas", "ada", 0, 60);
            let _ = news.of(&mut *store);
        }
        assert!(matches!(store.update_user("ada", &change, AdminGuard::Off, at(1)).unwrap(), Updated::User { .. }));
        assert_eq!(news.of(&mut *store), told, "{change:?}");
    }
}

fn a_code_tells_what_it_is_for_and_what_it_did(db: &Database) {
    let mut store = db.with(&["ada", "bob"]);
    let mut news = News::default();
    let _ = news.of(&mut *store);
    let change = UserChange { email: Some(email("new")), email_verified: Some(true), ..UserChange::default() };
    let secret = Code::from_bytes(b"secret").unwrap();
    let use_code = |store: &mut dyn Store| {
        store.use_code(Purpose::ChangeEmail, &secret, &CodeEffect::User(&change), at(1)).map(|used| used.is_some())
    };
    let stored = |user: &str| StoredCode {
        user_id: user.into(),
        email: email(user).as_str().into(),
        new_email: Some(email("new")),
        expires_at: at(60),
    };
    for user in ["ada", "bob"] {
        let (id, purpose) = (format!("code of {user}"), Purpose::ChangeEmail);
        store.create_code(&NewCode { id, purpose, code: &secret, stored: stored(user), now: at(0) }).unwrap();
        assert_eq!(news.of(&mut *store), [format!("code.created {user} - change-email")]);
        let told = ["code.used ada - change-email", "email.changed ada - -", "email.verified ada - -"];
        if user == "ada" {
            assert!(use_code(&mut *store).unwrap());
            assert_eq!(news.of(&mut *store), told);
            assert!(!use_code(&mut *store).unwrap());
        } else {
            // The address is ada's now: nothing happens, and so nothing is told.
            assert!(matches!(use_code(&mut *store), Err(StoreError::EmailTaken)));
        }
        assert_eq!(news.of(&mut *store), [""; 0]);
    }
}

on_every_engine!(
    each_fact_tells_what_it_did,
    a_code_tells_what_it_is_for_and_what_it_did,
    a_change_of_several_things_tells_each_of_them,
);
