//! Password hashes, and the codes that change a password or an address.

use super::*;
use crate::auth::codes::Purpose;
use crate::auth::policy::ThrottleRules;
use crate::auth::secret::hashed_identifier;
use crate::auth::storage::{AdminGuard, CodeEffect, CodeProof, CodeUse, EndSessions, NewCodeRow, UserChange};
use crate::auth::throttle::Decision;
use crate::auth::{AuthError, SignedOut};

/// Ada with sessions `one`, `two` and `three` and a counted attempt, and bob with a session.
fn busy_user(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    for (start, id) in ["one", "two", "three"].into_iter().enumerate() {
        begin(&mut *store, id, "ada", i64::try_from(start).unwrap(), 60);
    }
    begin(&mut *store, "bobs", "bob", 0, 60);
    store.count_attempt(&attempts_of("ada"), at(5), &ThrottleRules::default()).unwrap();
    store
}

fn replace(store: &mut dyn Store, verified: &str, end: Option<Which>) -> Option<Vec<String>> {
    replace_password(store, verified, "new hash", end, 9).unwrap().map(|sessions| names(&sessions))
}

/// Counts an attempt for ada and returns the new count.
fn counted(store: &mut dyn Store) -> u32 {
    match store.count_attempt(&attempts_of("ada"), at(9), &ThrottleRules::default()).unwrap() {
        Decision::Proceed(attempts) => attempts.count,
        Decision::Undecided => unreachable!("nothing is undecided"),
        Decision::Wait(wait) => unreachable!("{wait}"),
    }
}

#[test]
fn password_is_read_only_from_the_credential_account() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "eve"]);
        db.edit(
            r#"UPDATE "account" SET "providerId" = 'github' WHERE "userId" = 'bob';
           UPDATE "account" SET "accountId" = 'another' WHERE "userId" = 'eve';
           INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt")
           VALUES ('link', 'ada', 'github', 'ada', 'hash of a link', :then, :then),
                  ('cross', 'bob', 'credential', 'eve', 'hash of a stranger', :then, :then)"#,
        );
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert_eq!(stored_hash(&mut *store, "bob"), None);
        assert_eq!(stored_hash(&mut *store, "eve"), None);
    });
}

#[test]
fn null_or_empty_password_is_read_as_absent() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        db.edit(
            r#"UPDATE "account" SET "password" = NULL WHERE "userId" = 'ada';
           UPDATE "account" SET "password" = '' WHERE "userId" = 'bob'"#,
        );
        assert_eq!(stored_hash(&mut *store, "ada"), None);
        assert_eq!(stored_hash(&mut *store, "bob"), None);
    });
}

#[test]
fn replaced_password_ends_the_named_sessions() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        let ended = replace(&mut *store, "hash of ada", Some(Which::Others("two".into())));
        assert_eq!(ended.unwrap(), ["three", "one"]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(stored_hash(&mut *db.store(), "ada").unwrap(), "new hash");
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
        assert_eq!(counted(&mut *store), 1);

        assert_eq!(replace(&mut *store, "new hash", Some(Which::All)).unwrap(), ["two"]);
        assert_eq!(ids(&mut *store, "ada"), [""; 0]);
    });
}

#[test]
fn replaced_password_can_keep_all_sessions() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        assert_eq!(replace(&mut *store, "hash of ada", None).unwrap(), [""; 0]);
        assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"]);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "new hash");
    });
}

#[test]
fn password_that_has_changed_is_not_replaced() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        assert_eq!(replace(&mut *store, "an older hash", Some(Which::All)), None);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"]);
        assert_eq!(counted(&mut *store), 2);
    });
}

#[test]
fn password_is_not_replaced_when_a_named_session_is_missing() {
    on_every_engine(|db| {
        let mut store = busy_user(db);
        let which = Which::Ids(vec!["one".into(), "bobs".into()]);
        assert_eq!(replace(&mut *store, "hash of ada", Some(which)), None);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"]);
        assert_eq!(counted(&mut *store), 2);
    });
}

#[test]
fn verified_password_is_replaced_once() {
    on_every_engine(|db| {
        let mut first = busy_user(db);
        let mut second = db.store();
        assert!(replace(&mut *first, "hash of ada", None).is_some());
        assert_eq!(replace(&mut *second, "hash of ada", None), None);
    });
}

fn set(store: &mut dyn Store, user: &str, text: &str, end: Option<Which>) -> Option<Vec<String>> {
    set_password(store, user, text, end, 9).unwrap().map(|sessions| names(&sessions))
}

fn is_counted(store: &mut dyn Store, name: &str) -> bool {
    store.attempts(&attempts_of(name)).unwrap().is_some()
}

#[test]
fn set_password_ends_sessions_and_clears_failed_attempts() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        assert_eq!(set(&mut *store, "ada", "new", Some(Which::All)).unwrap(), ["adas"]);
        assert_eq!(stored_hash(&mut *db.store(), "ada").unwrap(), "new");
        assert_eq!(ids(&mut *store, "ada"), [""; 0]);
        assert!(!is_counted(&mut *store, "ada"));
        assert_eq!(db.count("account"), 2, "the account is the same one");

        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert!(is_counted(&mut *store, "bob"));

        assert_eq!(set(&mut *store, "bob", "newer", None).unwrap(), [""; 0]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "newer");
    });
}

#[test]
fn set_password_creates_a_missing_credential_account() {
    on_every_engine(|db| {
        let mut store = db.store();
        for name in ["ada", "bob"] {
            store.create_user(&new_user(name), None, None).unwrap();
        }
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('link', '1234', 'github', 'ada', :then, :then),
                  ('empty', 'bob', 'credential', 'bob', :then, :then)"#,
        );
        for name in ["ada", "bob"] {
            assert_eq!(set(&mut *store, name, "new", None).unwrap(), [""; 0]);
            assert_eq!(stored_hash(&mut *store, name).unwrap(), "new");
            begin_with(&mut *store, name, "new");
        }
        let providers: Vec<_> = store.accounts("ada").unwrap().into_iter().map(|account| account.provider_id).collect();
        assert_eq!(providers, ["credential", "github"]);
        assert_eq!(store.accounts("bob").unwrap().len(), 1);
        assert_eq!(db.ask(r#"SELECT "password" FROM "account" WHERE "id" = 'link'"#), None);
    });
}

/// Asserts that the password signs in.
fn begin_with(store: &mut dyn Store, name: &str, text: &str) {
    let session = new_session(&format!("{name}s"), name, at(9), at(60));
    assert!(store.begin_session(&session, &hash(text), None, None, &attempts_of(name)).unwrap().is_some());
}

#[test]
fn set_password_of_an_unknown_user_changes_nothing() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        assert_eq!(set(&mut *store, "bob", "new", Some(Which::All)), None);
        assert_eq!(db.count("account"), 1);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
    });
}

/// Creates a code for a user of [`Database::with`], valid from second 0 to 60.
fn make(store: &mut dyn Store, purpose: Purpose, text: &str, user: &str) -> StoredCode {
    let stored = stored_code(user, (purpose == Purpose::ChangeEmail).then_some("new"));
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

/// Uses a code to change its user and returns the id of the user.
fn change(store: &mut dyn Store, purpose: Purpose, text: &str, change: &UserChange, seconds: i64) -> Option<String> {
    match store.use_code(&using(purpose, &code(text), CodeEffect::User(change), seconds)).unwrap() {
        Ok((user, _)) => Some(user.id),
        Err(AuthError::InvalidCode) => None,
        Err(other) => unreachable!("{other:?}"),
    }
}

#[test]
fn code_is_found_only_under_its_purpose() {
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
fn code_from_the_future_is_refused() {
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
fn reset_code_of_an_app_may_live_longer() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        make(&mut *store, Purpose::ResetPassword, "secret", "ada");
        let made_at = store.code(Purpose::ResetPassword, &code("secret")).unwrap().unwrap().made_at;
        let end = db.time(60 * 86_400);
        db.edit(&format!(r#"UPDATE "verification" SET "expiresAt" = {end}"#));
        let used = change(&mut *store, Purpose::ResetPassword, "secret", &verified(), 30);
        match made_at {
            Some(made) => assert_eq!((made, used.as_deref()), (at(0), Some("ada"))),
            None => assert_eq!(used, None, "authctl never creates a code that lives so long"),
        }
    });
}

#[test]
fn hashed_code_of_an_app_is_accepted_and_written_likewise() {
    on_engines(
        |engine| !engine.is_native,
        |db| {
            let mut store = db.with(&["ada", "bob"]);
            make(&mut *store, Purpose::ResetPassword, "plain", "bob");
            let plain = db.ask(r#"SELECT "identifier" FROM "verification""#);
            assert_eq!(plain.as_deref(), Some("reset-password:plain"));
            let (end, now) = (db.time(60), db.time(0));
            for (id, text) in [("v1", "reset-password:theirs"), ("v2", "2fa-challenge")] {
                let hashed = hashed_identifier(text);
                db.edit(&format!(
                    r#"INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
                       VALUES ('{id}', '{hashed}', 'ada', {end}, {now}, {now})"#
                ));
            }
            assert_eq!(
                store.code(Purpose::ResetPassword, &code("theirs")).unwrap().map(|code| code.user_id),
                Some("ada".into())
            );
            make(&mut *store, Purpose::ResetPassword, "ours", "bob");
            let ours = db.ask(r#"SELECT "identifier" FROM "verification" WHERE "value" = 'bob'"#);
            assert_eq!(ours, Some(hashed_identifier("reset-password:ours")));
            make(&mut *store, Purpose::EmailVerification, "of authctl", "bob");
            assert!(store.code(Purpose::EmailVerification, &code("of authctl")).unwrap().is_some());
            let (theirs, change) = (code("theirs"), UserChange::default());
            let request = using(Purpose::ResetPassword, &theirs, CodeEffect::User(&change), 1);
            store.use_code(&request).unwrap().unwrap();
            assert_eq!(store.code(Purpose::ResetPassword, &theirs).unwrap(), None);
        },
    );
}

#[test]
fn code_with_an_invalid_value_is_not_found() {
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
fn rehearsal_of_a_code_changes_nothing() {
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
        // A code of the same user and purpose would replace `kept`.
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
fn new_code_replaces_the_code_of_its_purpose_and_user() {
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
fn code_changes_its_user_once() {
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
fn valid_code_ends_the_sessions_that_the_change_names() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "bobs", "bob", 0, 60);
        for (end, left) in [
            (EndSessions::Never, vec!["other", "current"]),
            (EndSessions::Others("current".into()), vec!["current"]),
            // The session to keep may have ended.
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
fn code_sets_the_password_once() {
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
fn invalid_code_changes_nothing() {
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
        // Another program changes the address after the code was checked.
        db.edit(r#"UPDATE "user" SET "email" = 'moved@example.com'"#);
        assert_eq!(change(&mut *store, Purpose::EmailVerification, "secret", &verified(), 1), None, "other address");
        let ada = by_id(&mut *store, "ada").unwrap();
        assert_eq!((ada.email.as_str(), ada.email_verified), ("moved@example.com", false));
    });
}

#[test]
fn taken_address_leaves_the_code_valid() {
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
fn new_address_deletes_every_code_of_the_user() {
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
fn code_is_kept_when_its_act_fails() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let made = make(&mut *store, Purpose::ResetPassword, "secret", "ada");
        let entries = db.count("authctl_audit");
        let new = NewPassword {
            user_id: "unknown",
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
fn code_with_an_outdated_proof_changes_nothing() {
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
        let refused = with(&mut *store, CodeProof::Password { hash: &older, code: None });
        assert!(matches!(refused, Err(AuthError::PasswordOfAnother)), "{refused:?}");
        for (id, why) in [("adas", SignedOut::Expired), ("bobs", SignedOut::Ended), ("unknown", SignedOut::Ended)] {
            let refused = with(&mut *store, CodeProof::Session(id));
            assert!(matches!(&refused, Err(AuthError::NotSignedIn(is)) if *is == why), "{id}: {refused:?}");
        }
        begin(&mut *store, "live", "ada", 0, 60);
        db.edit(r#"UPDATE "user" SET "banned" = '1' WHERE "id" = 'ada'"#);
        for proof in [CodeProof::Session("live"), CodeProof::Password { hash: &in_force, code: None }] {
            let refused = with(&mut *store, proof);
            assert!(matches!(refused, Err(AuthError::Banned { .. })), "{refused:?}");
        }
        db.edit(r#"UPDATE "user" SET "banned" = '0' WHERE "id" = 'ada'"#);
        with(&mut *store, CodeProof::Session("live")).unwrap();
        db.edit(r#"UPDATE "user" SET "emailVerified" = '0'"#);
        make(&mut *store, Purpose::EmailVerification, "secret", "ada");
        with(&mut *store, CodeProof::Password { hash: &in_force, code: None }).unwrap();
    });
}

/// The identifier does not show the purpose.
#[test]
fn new_password_voids_reset_codes_with_hashed_identifiers() {
    super::plugins::on_apps(|db| {
        let mut store = two_users(db);
        for (id, identifier, user) in [("a", "reset-password:x", "ada"), ("b", "reset-password:y", "bob")] {
            let identifier = hashed_identifier(identifier);
            let (end, now) = (db.time(600), db.time(0));
            db.edit(&format!(
                r#"INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
                   VALUES ('{id}', '{identifier}', '{user}', {end}, {now}, {now})"#
            ));
        }
        set_password(&mut *store, "ada", "new", None, 30).unwrap();
        assert_eq!(db.ask(r#"SELECT string_agg("id", ',') FROM "verification""#).unwrap(), "b");
        let mut replaced = |text| replace_password(&mut *store, "new", text, None, 30).unwrap().is_some();
        db.edit(r#"UPDATE "verification" SET "value" = 'ada'"#);
        assert!(replaced("newer"));
        assert_eq!(db.count("verification"), 0);
    });
}
