//! Acts that require a signed-in caller: each checks the caller in its own transaction.

use super::audit::entries;
use super::*;
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::secret::Code;
use crate::auth::storage::{
    AdminGuard, CodeEffect, CodeProof, CodeUse, NewCodeRow, NewPassword, PasswordChange, StoreError, UserChange, Which,
};
use crate::auth::{ActAs, AuthError, Caller, SignedOut};

/// The caller in ada's session `mine` at second 3.
fn caller() -> Caller {
    Caller { user_id: "ada".into(), session_id: "mine".into(), impersonated_by: None, now: at(3) }
}

fn with_session(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    begin(&mut *store, "mine", "ada", 0, 60);
    begin(&mut *store, "other", "ada", 0, 60);
    store
}

type Act = fn(&mut dyn Store) -> Result<(), StoreError>;

fn new_code(
    id: &str,
    code: &Code,
    act: impl FnOnce(&NewCodeRow<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let stored = StoredCode {
        user_id: "ada".into(),
        email: email("ada").as_str().into(),
        new_email: None,
        expires_at: at(60),
        made_at: None,
    };
    act(&NewCodeRow { id: id.into(), purpose: Purpose::EmailVerification, code, stored, now: at(3) })
}

fn rename(store: &mut dyn Store) -> Result<(), StoreError> {
    let change = UserChange { name: Some("Eve".into()), ..UserChange::default() };
    store.update_user("ada", &change, AdminGuard::Off, at(3)).map(drop)
}

/// Every act on the tables of users, with its name.
const ACTS: [(&str, Act); 12] = [
    ("update", rename),
    ("delete", |store| store.delete_user("ada", AdminGuard::Off, at(3)).map(drop)),
    ("end", |store| store.end_sessions("ada", &Which::Others("mine".into())).map(drop)),
    ("end by id", |store| store.end_sessions_by_id(&["other".into()]).map(drop)),
    ("end by token", |store| store.end_session(&token_of("other")).map(drop)),
    ("move", |store| store.move_session("other", at(3), at(90)).map(drop)),
    ("replace password", |store| {
        let (verified, new, attempts) = (hash_of("ada"), hash("new"), attempts_of("ada"));
        let change = PasswordChange {
            user_id: "ada",
            verified: &verified,
            hash: &new,
            end: Some(Which::All),
            attempts: &attempts,
            now: at(3),
        };
        store.replace_password(&change).map(drop)
    }),
    ("set password", |store| {
        let (new, attempts) = (hash("new"), attempts_of("ada"));
        let account_id = "account".to_owned();
        let new = NewPassword { user_id: "ada", hash: &new, end: None, attempts: &attempts, account_id, now: at(3) };
        store.set_password(&new).map(drop)
    }),
    ("create code", |store| {
        let code = Code::from_bytes(b"secret").unwrap();
        new_code("row", &code, |new| store.create_code(new))
    }),
    ("rehearse code", |store| {
        let code = Code::from_bytes(b"secret").unwrap();
        new_code("row", &code, |new| store.rehearse_code(new))
    }),
    ("use code", |store| {
        let (code, change) = (Code::from_bytes(b"kept").unwrap(), UserChange::default());
        let effect = CodeEffect::User(&change);
        let purpose = Purpose::EmailVerification;
        store.use_code(&CodeUse { purpose, code: &code, proof: CodeProof::Nothing, effect, now: at(3) }).map(drop)
    }),
    ("issue session", |store| {
        store.issue_session(&new_session("issued", "bob", at(3), at(63)), ActAs::Anybody).map(drop)
    }),
];

/// Everything that an act could change.
fn state(db: &Database, store: &mut dyn Store) -> String {
    let code = store.code(Purpose::EmailVerification, &Code::from_bytes(b"kept").unwrap()).unwrap();
    let users =
        ["ada", "bob"].map(|user| (by_id(store, user), stored_hash(store, user), store.sessions(user).unwrap()));
    format!("{users:?} {code:?} {} {}", db.count("verification"), entries(store, 0).len())
}

#[test]
fn acts_of_a_caller_who_is_not_signed_in_change_nothing() {
    on_every_engine(|db| {
        let mut store = with_session(db);
        new_code("kept", &Code::from_bytes(b"kept").unwrap(), |new| store.create_code(new)).unwrap();
        let before = state(db, &mut *store);
        let another = |change: fn(&mut Caller)| {
            let mut caller = caller();
            change(&mut caller);
            caller
        };
        for (caller, why) in [
            (another(|caller| caller.session_id = "gone".into()), SignedOut::Ended),
            (another(|caller| caller.user_id = "bob".into()), SignedOut::Ended),
            (another(|caller| caller.impersonated_by = Some("os:root@host".into())), SignedOut::Ended),
            (another(|caller| caller.now = at(60)), SignedOut::Expired),
        ] {
            for (name, act) in ACTS {
                store.require_caller(Some(caller.clone()));
                let done = act(&mut *store);
                store.require_caller(None);
                let Err(StoreError::Caller(refused)) = done else { unreachable!("{name}: {done:?}") };
                assert!(matches!(*refused, AuthError::NotSignedIn(found) if found == why), "{name}: {refused:?}");
                assert_eq!(state(db, &mut *store), before, "{name}");
            }
        }
    });
}

#[test]
fn acts_of_a_caller_who_is_banned_change_nothing() {
    on_every_engine(|db| {
        let mut store = with_session(db);
        db.edit(r#"UPDATE "user" SET "banned" = 1, "banReason" = 'spam' WHERE "id" = 'ada'"#);
        let before = state(db, &mut *store);
        for (name, act) in ACTS {
            store.require_caller(Some(caller()));
            let done = act(&mut *store);
            store.require_caller(None);
            let Err(StoreError::Caller(refused)) = done else { unreachable!("{name}: {done:?}") };
            assert!(matches!(*refused, AuthError::Banned { .. }), "{name}: {refused:?}");
            assert_eq!(state(db, &mut *store), before, "{name}");
        }
    });
}

#[test]
fn acts_of_a_caller_who_is_signed_in_are_done() {
    on_every_engine(|db| {
        for (name, act) in ACTS {
            let db = &Database::new(db.engine);
            let mut store = with_session(db);
            new_code("kept", &Code::from_bytes(b"kept").unwrap(), |new| store.create_code(new)).unwrap();
            let before = state(db, &mut *store);
            store.require_caller(Some(caller()));
            act(&mut *store).unwrap();
            let after = state(db, &mut *store);
            assert_eq!(after == before, name == "rehearse code", "{name}: {after}");
        }
    });
}

/// Another process ends the session while the caller has a store open.
#[test]
fn session_that_another_process_ends_stops_the_next_act() {
    on_every_engine(|db| {
        let mut store = with_session(db);
        store.require_caller(Some(caller()));
        rename(&mut *store).unwrap();
        db.store().end_session(&token_of("mine")).unwrap().unwrap();
        let refused = rename(&mut *store).unwrap_err();
        assert!(matches!(refused, StoreError::Caller(_)), "{refused:?}");
        // Without a caller, the store acts for an operator.
        store.require_caller(None);
        rename(&mut *store).unwrap();
    });
}

#[test]
fn impersonator_without_the_role_stops_the_act() {
    on_every_engine(|db| {
        let mut store = with_session(db);
        let bob = |values: &str| db.edit(&format!(r#"UPDATE "user" SET {values} WHERE "id" = 'bob'"#));
        bob(r#""role" = 'admin'"#);
        let acting =
            NewSessionRow { impersonated_by: Some("bob".into()), ..new_session("acting", "ada", at(3), at(63)) };
        store.issue_session(&acting, ActAs::NoAdministrator).unwrap().unwrap();
        let caller = Caller { session_id: "acting".into(), impersonated_by: Some("bob".into()), ..caller() };
        store.require_caller(Some(caller));
        rename(&mut *store).unwrap();
        bob(r#""role" = 'user'"#);
        let refused = AuthError::from(rename(&mut *store).unwrap_err());
        assert!(matches!(refused, AuthError::NotSignedIn(SignedOut::ImpersonatorGone)), "{refused:?}");
        // Nor is a session begun by who was demoted after the check of the command.
        store.require_caller(None);
        let again = NewSessionRow { id: "again".into(), token: token_of("again"), ..acting };
        let refused = store.issue_session(&again, ActAs::Anybody).unwrap().unwrap_err();
        assert!(matches!(refused, AuthError::NotSignedIn(SignedOut::ImpersonatorGone)), "{refused:?}");
        assert_eq!(ids(&mut *store, "ada").len(), 3);
    });
}
