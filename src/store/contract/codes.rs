//! Codes: found by themselves alone, and used up together with what they are for.

use super::*;
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::secret::Code;
use crate::auth::storage::{
    AdminGuard, CodeEffect, CodeProof, CodeUse, EndSessions, NewCodeRow, NewPassword, StoreError, UserChange, Which,
};
use crate::auth::{AuthError, SignedOut};

fn code(text: &str) -> Code {
    Code::from_bytes(text.as_bytes()).unwrap()
}

/// Makes a code for a user of [`Database::with`], from second 0 to 60.
fn make(store: &mut dyn Store, purpose: Purpose, text: &str, user: &str) -> StoredCode {
    let new_email = (purpose == Purpose::ChangeEmail).then(|| email("new"));
    let (user_id, email) = (user.into(), email(user).as_str().into());
    let stored = StoredCode { user_id, email, new_email, expires_at: at(60), made_at: None };
    let new =
        NewCodeRow { id: format!("row of {text}"), purpose, code: &code(text), stored: stored.clone(), now: at(0) };
    store.create_code(&new).unwrap();
    stored
}

fn verified() -> UserChange {
    UserChange { email_verified: Some(true), ..UserChange::default() }
}

fn moved() -> UserChange {
    UserChange { email: Some(email("new")), ..verified() }
}

fn using<'a>(purpose: Purpose, code: &'a Code, effect: CodeEffect<'a>, seconds: i64) -> CodeUse<'a> {
    CodeUse { purpose, code, proof: CodeProof::Nothing, effect, now: at(seconds) }
}

/// Uses up a code to change its user; tells whose it was.
fn change(store: &mut dyn Store, purpose: Purpose, text: &str, change: &UserChange, seconds: i64) -> Option<String> {
    match store.use_code(&using(purpose, &code(text), CodeEffect::User(change), seconds)).unwrap() {
        Ok((user, _)) => Some(user.id),
        Err(AuthError::InvalidCode) => None,
        Err(other) => unreachable!("{other:?}"),
    }
}

#[test]
fn a_code_is_found_as_it_was_made_and_under_its_purpose_alone() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for purpose in Purpose::ALL {
            let made = make(&mut *store, purpose, purpose.word(), "ada");
            for other in Purpose::ALL {
                let found = db.store().code(other, &code(purpose.word())).unwrap();
                let expected = |found: &StoredCode| StoredCode { made_at: found.made_at, ..made.clone() };
                assert_eq!(found, found.as_ref().filter(|_| other == purpose).map(expected), "{}", other.word());
                assert_eq!(found.is_some(), other == purpose, "{}", other.word());
            }
        }
        assert_eq!(store.code(Purpose::ResetPassword, &code("another")).unwrap(), None);
    });
}

#[test]
fn code_from_the_future_does_not_count() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for purpose in Purpose::ALL {
            make(&mut *store, purpose, "secret", "ada");
            let (end, made) = (db.time(3_650 * 86_400), db.time(86_401));
            db.edit(&format!(r#"UPDATE "verification" SET "expiresAt" = {end}, "createdAt" = {made}"#));
            assert_eq!(change(&mut *store, purpose, "secret", &verified(), 0), None, "{}", purpose.word());
            db.edit(r#"DELETE FROM "verification""#);
        }
        assert!(!by_id(&mut *store, "ada").unwrap().email_verified);
    });
}

#[test]
fn app_gives_its_reset_codes_any_life() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        make(&mut *store, Purpose::ResetPassword, "secret", "ada");
        let made_at = store.code(Purpose::ResetPassword, &code("secret")).unwrap().unwrap().made_at;
        let end = db.time(60 * 86_400);
        db.edit(&format!(r#"UPDATE "verification" SET "expiresAt" = {end}"#));
        let used = change(&mut *store, Purpose::ResetPassword, "secret", &verified(), 30);
        match made_at {
            Some(made) => assert_eq!((made, used.as_deref()), (at(0), Some("ada"))),
            None => assert_eq!(used, None, "authctl never gives such a life"),
        }
    });
}

#[test]
fn a_code_that_makes_no_sense_is_none() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for value in ["ada", "", "ada\nada@example.com\nno address"] {
            make(&mut *store, Purpose::ChangeEmail, "secret", "ada");
            db.edit(&format!(r#"UPDATE "verification" SET "value" = '{value}'"#));
            assert_eq!(store.code(Purpose::ChangeEmail, &code("secret")).unwrap(), None, "{value:?}");
            db.edit(r#"DELETE FROM "verification""#);
        }
    });
}

#[test]
fn rehearsal_of_a_code_leaves_nothing() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let kept = make(&mut *store, Purpose::ResetPassword, "kept", "ada");
        let entries = |store: &mut dyn Store| {
            let mut entries = 0;
            store
                .each_entry(0, &mut |_| {
                    entries += 1;
                    true
                })
                .unwrap();
            entries
        };
        let before = entries(&mut *store);
        // For the same user, so that the code that counts would die by it.
        let stored = StoredCode { user_id: "ada".into(), ..kept.clone() };
        let (id, secret) = ("rehearsal".into(), code("rehearsed"));
        let new = NewCodeRow { id, purpose: Purpose::ResetPassword, code: &secret, stored, now: at(0) };
        store.rehearse_code(&new).unwrap();
        let mut store = db.store();
        assert_eq!(store.code(Purpose::ResetPassword, &code("rehearsed")).unwrap(), None);
        let found = store.code(Purpose::ResetPassword, &code("kept")).unwrap().unwrap();
        assert_eq!(found, StoredCode { made_at: found.made_at, ..kept });
        assert_eq!(entries(&mut *store), before);
    });
}

#[test]
fn a_newer_code_is_the_only_one_of_its_purpose_and_user() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        make(&mut *store, Purpose::ChangeEmail, "older", "ada");
        make(&mut *store, Purpose::EmailVerification, "other purpose", "ada");
        make(&mut *store, Purpose::ChangeEmail, "other user", "bob");
        make(&mut *store, Purpose::ChangeEmail, "newer", "ada");
        let mut is_there = |purpose, text| store.code(purpose, &code(text)).unwrap().is_some();
        assert!(!is_there(Purpose::ChangeEmail, "older"));
        assert!(is_there(Purpose::ChangeEmail, "newer"));
        assert!(is_there(Purpose::ChangeEmail, "other user"));
        assert!(is_there(Purpose::EmailVerification, "other purpose"));
    });
}

#[test]
fn a_code_changes_its_user_once() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        make(&mut *store, Purpose::EmailVerification, "secret", "ada");
        let mut other = db.store();
        assert_eq!(change(&mut *store, Purpose::EmailVerification, "secret", &verified(), 9).as_deref(), Some("ada"));
        assert_eq!(change(&mut *other, Purpose::EmailVerification, "secret", &verified(), 9), None);
        let [ada, bob] = ["ada", "bob"].map(|id| by_id(&mut *store, id).unwrap());
        assert_eq!((ada.email_verified, ada.updated_at), (true, at(9)));
        assert!(!bob.email_verified);
        assert_eq!(db.count("verification"), 0);
    });
}

#[test]
fn a_code_ends_the_sessions_that_the_change_names_and_only_when_it_counts() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "bobs", "bob", 0, 60);
        for (end, left) in [
            (EndSessions::Never, vec!["other", "current"]),
            (EndSessions::Others("current".into()), vec!["current"]),
            // The one that was to stay may have ended meanwhile.
            (EndSessions::Others("gone".into()), vec![]),
            (EndSessions::Always, vec![]),
        ] {
            store.end_sessions("ada", &Which::All).unwrap().unwrap();
            for id in ["current", "other"] {
                begin(&mut *store, id, "ada", 0, 60);
            }
            make(&mut *store, Purpose::EmailVerification, "secret", "ada");
            let change = UserChange { end, ..verified() };
            let mut use_code = |text| {
                let code = code(text);
                let request = using(Purpose::EmailVerification, &code, CodeEffect::User(&change), 1);
                store.use_code(&request).unwrap().ok().map(|(_, ended)| ended)
            };
            assert_eq!(use_code("another"), None);
            let ended = use_code("secret").unwrap();
            assert_eq!(ids(&mut *store, "ada"), left, "{change:?}");
            assert_eq!(ended.len(), 2 - left.len(), "{change:?}");
        }
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn a_code_sets_the_password_of_its_user_once() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "session", "ada", 0, 60);
        make(&mut *store, Purpose::ResetPassword, "secret", "ada");
        let new = NewPassword {
            user_id: "ada",
            account_id: "unused".into(),
            hash: &hash("new hash"),
            end: Some(Which::All),
            attempts: &attempts_of("ada"),
            now: at(9),
        };
        let secret = code("secret");
        let request = using(Purpose::ResetPassword, &secret, CodeEffect::Password(&new), 9);
        let (user, ended) = store.use_code(&request).unwrap().unwrap();
        assert_eq!((user.id.as_str(), names(&ended)), ("ada", vec!["session".to_owned()]));
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "new hash");
        assert!(matches!(store.use_code(&request).unwrap(), Err(AuthError::InvalidCode)));
    });
}

#[test]
fn a_code_that_does_not_count_changes_nothing() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        make(&mut *store, Purpose::EmailVerification, "secret", "ada");
        for (purpose, text) in [
            (Purpose::EmailVerification, "another"),
            (Purpose::ChangeEmail, "secret"),
            (Purpose::ResetPassword, "secret"),
        ] {
            assert_eq!(change(&mut *store, purpose, text, &moved(), 1), None, "{text}");
        }
        assert_eq!(change(&mut *store, Purpose::EmailVerification, "secret", &moved(), 60), None, "expired");
        make(&mut *store, Purpose::EmailVerification, "secret", "ada");
        // Changed by another program, after somebody had looked whether the code counts.
        db.edit(r#"UPDATE "user" SET "email" = 'moved@example.com'"#);
        assert_eq!(change(&mut *store, Purpose::EmailVerification, "secret", &verified(), 1), None, "other address");
        let ada = by_id(&mut *store, "ada").unwrap();
        assert_eq!((ada.email.as_str(), ada.email_verified), ("moved@example.com", false));
    });
}

#[test]
fn a_new_address_that_is_taken_leaves_the_code_as_it_was() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "new"]);
        let made = make(&mut *store, Purpose::ChangeEmail, "secret", "ada");
        let taken = store.use_code(&using(Purpose::ChangeEmail, &code("secret"), CodeEffect::User(&moved()), 1));
        assert!(matches!(taken, Err(StoreError::EmailTaken)), "{taken:?}");
        assert_eq!(store.code(Purpose::ChangeEmail, &code("secret")).unwrap(), Some(made));
        assert_eq!(by_id(&mut *store, "ada").unwrap().email, "ada@example.com");
    });
}

#[test]
fn a_new_address_kills_every_code_of_its_user_and_the_same_address_none() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for (purpose, text) in Purpose::ALL.into_iter().zip(["one", "two", "three"]) {
            make(&mut *store, purpose, text, "ada");
        }
        make(&mut *store, Purpose::ResetPassword, "bobs", "bob");
        let same = UserChange { email: Some(email("ada")), name: Some("Ada".into()), ..UserChange::default() };
        store.update_user("ada", &same, AdminGuard::Off, at(1)).unwrap().unwrap();
        assert_eq!(db.count("verification"), 4);
        assert_eq!(change(&mut *store, Purpose::ChangeEmail, "three", &moved(), 1).as_deref(), Some("ada"));
        assert_eq!(by_id(&mut *store, "ada").unwrap().email, "new@example.com");
        assert_eq!(db.count("verification"), 1);
        assert!(store.code(Purpose::ResetPassword, &code("bobs")).unwrap().is_some());
    });
}

#[test]
fn code_whose_act_cannot_be_done_is_kept_and_nothing_is_logged() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let made = make(&mut *store, Purpose::ResetPassword, "secret", "ada");
        let entries = db.count("authctl_audit");
        let new = NewPassword {
            user_id: "nobody",
            account_id: "unused".into(),
            hash: &hash("new hash"),
            end: Some(Which::All),
            attempts: &attempts_of("ada"),
            now: at(9),
        };
        let refused = store.use_code(&using(Purpose::ResetPassword, &code("secret"), CodeEffect::Password(&new), 9));
        assert!(matches!(refused, Ok(Err(AuthError::InvalidCode))), "{refused:?}");
        let found = db.store().code(Purpose::ResetPassword, &code("secret")).unwrap().unwrap();
        assert_eq!(found, StoredCode { made_at: found.made_at, ..made });
        assert_eq!(db.count("authctl_audit"), entries);
    });
}

#[test]
fn code_does_nothing_when_what_was_shown_with_it_is_no_longer_so() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        make(&mut *store, Purpose::EmailVerification, "secret", "ada");
        begin(&mut *store, "adas", "ada", 0, 10);
        begin(&mut *store, "bobs", "bob", 0, 60);
        let (secret, change) = (code("secret"), verified());
        let with = |store: &mut dyn Store, proof: CodeProof<'_>| {
            let request =
                CodeUse { proof, ..using(Purpose::EmailVerification, &secret, CodeEffect::User(&change), 10) };
            let done = store.use_code(&request).unwrap();
            let is_there = store.code(Purpose::EmailVerification, &secret).unwrap().is_some();
            assert_eq!(
                (done.is_err(), by_id(store, "ada").unwrap().email_verified),
                (is_there, !is_there),
                "{proof:?}"
            );
            done
        };
        let (older, in_force) = (hash("older"), hash_of("ada"));
        let refused = with(&mut *store, CodeProof::Password(&older));
        assert!(matches!(refused, Err(AuthError::PasswordOfAnother)), "{refused:?}");
        for (id, why) in [("adas", SignedOut::Expired), ("bobs", SignedOut::Ended), ("unknown", SignedOut::Ended)] {
            let refused = with(&mut *store, CodeProof::Session(id));
            assert!(matches!(&refused, Err(AuthError::NotSignedIn(is)) if *is == why), "{id}: {refused:?}");
        }
        begin(&mut *store, "live", "ada", 0, 60);
        db.edit(r#"UPDATE "user" SET "banned" = 1 WHERE "id" = 'ada'"#);
        for proof in [CodeProof::Session("live"), CodeProof::Password(&in_force)] {
            let refused = with(&mut *store, proof);
            assert!(matches!(refused, Err(AuthError::Banned { .. })), "{refused:?}");
        }
        db.edit(r#"UPDATE "user" SET "banned" = 0 WHERE "id" = 'ada'"#);
        with(&mut *store, CodeProof::Session("live")).unwrap();
        db.edit(r#"UPDATE "user" SET "emailVerified" = 0"#);
        make(&mut *store, Purpose::EmailVerification, "secret", "ada");
        with(&mut *store, CodeProof::Password(&in_force)).unwrap();
    });
}
