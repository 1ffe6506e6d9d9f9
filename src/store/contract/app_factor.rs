//! Second factors of apps, checked and written as the app does.

use super::audit::entries;
use super::plugin_factors::on_every_app_with_factors;
use super::*;
use crate::auth::second_factor::SealedSecret;
use crate::auth::storage::{AppFactor, FactorAct, FactorUse, NewFactor, OtpKind, RightOtp};

fn begin_with(store: &mut dyn Store, user: &str, secret: &str) -> Result<(), AuthError> {
    let (secret, verified, attempts) = (SealedSecret(secret.into()), hash_of(user), attempts_of(user));
    let new = NewFactor {
        id: "6f1f6e6a8a0b4c0d9e1f2a3b4c5d6e7f".into(),
        user_id: user,
        secret: &secret,
        recovery: "[]",
        now: at(9),
        verified: &verified,
        attempts: &attempts,
    };
    store.begin_factor(&new).unwrap()
}

fn step(secret: &str) -> RightOtp {
    RightOtp { factor_id: secret.into(), kind: OtpKind::AppSteps(vec![1]) }
}

fn backup(secret: &str, before: &str, left: &str) -> RightOtp {
    RightOtp { factor_id: secret.into(), kind: OtpKind::AppCode { before: before.into(), left: left.into() } }
}

fn use_with(store: &mut dyn Store, user: &str, code: &RightOtp, act: FactorAct<'_>) -> Result<Vec<Session>, AuthError> {
    store.use_factor(&FactorUse { user_id: user, code, verified: None, act, now: at(9) }).unwrap()
}

/// Ada with a factor that is on.
fn with_factor(db: &Database) -> Box<dyn Store> {
    let mut store = two_users(db);
    begin_with(&mut *store, "ada", "s").unwrap();
    let act = FactorAct::Confirm { recovery: &["codes".to_owned()], end: Which::Others("adas".into()) };
    use_with(&mut *store, "ada", &step("s"), act).unwrap();
    store
}

#[test]
fn factor_begins_and_is_confirmed_as_the_app_does() {
    on_every_app_with_factors(|db| {
        let mut store = two_users(db);
        begin(&mut *store, "other", "ada", 0, 60);
        assert!(store.has_app_factors().unwrap());
        assert_eq!(store.app_factor("ada").unwrap(), None);
        begin_with(&mut *store, "ada", "first").unwrap();
        begin_with(&mut *store, "ada", "s").unwrap();
        let begun =
            AppFactor { secret: "s".into(), codes: "[]".into(), is_confirmed: false, failures: 0, locked_until: None };
        assert_eq!(store.app_factor("ada").unwrap(), Some(begun.clone()));
        let rows = store.factor_rows("ada").unwrap().unwrap();
        assert_eq!((rows.rows, rows.is_verified), (1, false), "a newer secret takes the place of the older one");
        assert!(!by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        let confirm = FactorAct::Confirm { recovery: &["codes".to_owned()], end: Which::Others("adas".into()) };
        let of_first = use_with(&mut *store, "ada", &step("first"), confirm.clone());
        assert!(matches!(of_first, Err(AuthError::InvalidOtp)));
        assert!(matches!(use_with(&mut *store, "ada", &step("s"), FactorAct::Check), Err(AuthError::InvalidOtp)));
        let ended = use_with(&mut *store, "ada", &step("s"), confirm).unwrap();
        assert_eq!(names(&ended), ["other"]);
        assert!(by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        let on = AppFactor { codes: "codes".into(), is_confirmed: true, ..begun };
        assert_eq!(store.app_factor("ada").unwrap(), Some(on));
        assert!(matches!(begin_with(&mut *store, "ada", "next"), Err(AuthError::FactorIsOn)));
        assert_eq!(store.app_factor("bob").unwrap(), None);
        assert_eq!(store.sample_of_app_codes().unwrap(), ["codes"]);
        let logged = entries(&mut *store, 0);
        assert!(logged.iter().any(|entry| entry.event == "second-factor.enabled"));
    });
}

#[test]
fn factor_that_a_half_reset_left_is_replaced() {
    on_every_app_with_factors(|db| {
        let mut store = with_factor(db);
        db.edit(r#"UPDATE "user" SET "twoFactorEnabled" = FALSE"#);
        begin_with(&mut *store, "ada", "next").unwrap();
        let factor = store.app_factor("ada").unwrap().unwrap();
        assert_eq!((factor.secret.as_str(), factor.is_confirmed), ("next", false));
    });
}

#[test]
fn backup_code_of_an_app_is_used_up_once() {
    on_every_app_with_factors(|db| {
        let mut store = with_factor(db);
        let mut sign_in = |id: &str, code: &RightOtp| {
            let (session, hash) = (new_session(id, "ada", at(9), at(60)), hash_of("ada"));
            store.begin_session(&session, &hash, None, Some(code), &attempts_of("ada")).unwrap().is_some()
        };
        assert!(sign_in("one", &step("s")));
        assert!(sign_in("two", &backup("s", "codes", "left")));
        assert!(!sign_in("three", &backup("s", "codes", "left")), "another process used it");
        assert!(!sign_in("four", &step("other")), "another secret took its place");
        assert_eq!(store.app_factor("ada").unwrap().unwrap().codes, "left");
        use_with(&mut *store, "ada", &step("s"), FactorAct::NewRecoveryCodes(&["new".to_owned()])).unwrap();
        assert_eq!(store.app_factor("ada").unwrap().unwrap().codes, "new");
    });
}

#[test]
fn ten_wrong_codes_lock_the_factor_of_an_app() {
    on_every_app_with_factors(|db| {
        let mut store = with_factor(db);
        for _ in 0..9 {
            store.fail_factor("ada", at(9)).unwrap();
        }
        let factor = store.app_factor("ada").unwrap().unwrap();
        assert_eq!((factor.failures, factor.locked_until), (9, None));
        use_with(&mut *store, "ada", &step("s"), FactorAct::Check).unwrap();
        assert_eq!(store.app_factor("ada").unwrap().unwrap().failures, 0, "a right code ends the count");
        for _ in 0..10 {
            store.fail_factor("ada", at(9)).unwrap();
        }
        let factor = store.app_factor("ada").unwrap().unwrap();
        assert_eq!((factor.failures, factor.locked_until), (10, Some(at(909))));
        let locked = use_with(&mut *store, "ada", &step("s"), FactorAct::Check);
        assert!(matches!(locked, Err(AuthError::InvalidOtp)));
    });
}

#[test]
fn disabled_factor_of_an_app_is_gone_with_its_flag() {
    on_every_app_with_factors(|db| {
        let mut store = with_factor(db);
        let remove = FactorAct::Remove { end: Which::Others("adas".into()) };
        use_with(&mut *store, "ada", &step("s"), remove).unwrap();
        assert_eq!(store.app_factor("ada").unwrap(), None);
        assert!(!by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        assert_eq!(ids(&mut *store, "ada"), ["adas"]);
    });
}
