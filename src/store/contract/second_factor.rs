//! Second factors of native databases.

use super::audit::entries;
use super::*;
use crate::auth::second_factor::SealedSecret;
use crate::auth::storage::{FactorAct, FactorUse, NewFactor, OtpKind, RightOtp};

/// Runs a test on every engine with the tables of authctl.
pub(super) fn on_native_engines(test: impl Fn(&Database) + Sync) {
    on_engines(|engine| engine.is_native, test);
}

fn begin_with(store: &mut dyn Store, user: &str, id: &str) -> Result<(), AuthError> {
    let (secret, verified) = (SealedSecret(format!("key:{id}")), hash_of(user));
    let attempts = attempts_of(user);
    let new = NewFactor {
        id: id.into(),
        user_id: user,
        secret: &secret,
        recovery: "",
        now: at(9),
        verified: &verified,
        attempts: &attempts,
    };
    store.begin_factor(&new).unwrap()
}

fn step(factor: &str, step: i64) -> RightOtp {
    RightOtp { factor_id: factor.into(), kind: OtpKind::Step(step) }
}

fn use_with(store: &mut dyn Store, user: &str, code: &RightOtp, act: FactorAct<'_>) -> Result<Vec<Session>, AuthError> {
    store.use_factor(&FactorUse { user_id: user, code, verified: None, act, now: at(9) }).unwrap()
}

/// Ada with a factor that is on, and two recovery codes.
fn with_factor(db: &Database) -> Box<dyn Store> {
    let mut store = two_users(db);
    begin_with(&mut *store, "ada", "factor").unwrap();
    let recovery = ["one".to_owned(), "two".to_owned()];
    let act = FactorAct::Confirm { recovery: &recovery, end: Which::Others("adas".into()) };
    use_with(&mut *store, "ada", &step("factor", 1), act).unwrap();
    store
}

#[test]
fn all_secrets_get_another_key_or_none() {
    on_native_engines(|db| {
        let mut store = with_factor(db);
        let sealed = |name: &str, user: &str| SealedSecret(format!("{name:-<16}:{user}"));
        let mut reseal = |user: &str, _: &SealedSecret| Ok(sealed("old", user));
        assert_eq!(store.reseal_factors(&format!("{:-<16}", "old"), &mut reseal).unwrap().unwrap(), 1);
        begin_with(&mut *store, "bob", "bobs").unwrap();
        assert_eq!(
            store.factor_key_names().unwrap().iter().find(|(name, _)| name.starts_with("old")),
            Some(&(format!("{:-<16}", "old"), 1))
        );
        let mut refuse = |user: &str, _: &SealedSecret| match user {
            "bob" => Err(AuthError::FactorUnusable),
            user => Ok(sealed("new", user)),
        };
        let new = format!("{:-<16}", "new");
        assert!(matches!(store.reseal_factors(&new, &mut refuse).unwrap(), Err(AuthError::FactorUnusable)));
        assert_eq!(store.factor("ada").unwrap().unwrap().secret, sealed("old", "ada"), "nothing changed");
        let mut reseal = |user: &str, _: &SealedSecret| Ok(sealed("new", user));
        assert_eq!(store.reseal_factors(&new, &mut reseal).unwrap().unwrap(), 2);
        assert_eq!(store.factor_key_names().unwrap(), [(new.clone(), 2)]);
        assert_eq!(store.reseal_factors(&new, &mut reseal).unwrap().unwrap(), 0);
        let logged = entries(&mut *store, 0);
        assert_eq!(logged.iter().filter(|entry| entry.event == "second-factor.key-changed").count(), 2);
    });
}

#[test]
fn factor_is_on_after_its_first_code_and_ends_other_sessions() {
    on_native_engines(|db| {
        let mut store = two_users(db);
        begin(&mut *store, "other", "ada", 0, 60);
        begin_with(&mut *store, "ada", "first").unwrap();
        begin_with(&mut *store, "ada", "factor").unwrap();
        assert_eq!(store.attempts(&attempts_of("ada")).unwrap(), None, "the password was right");
        assert!(!by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        let recovery = ["one".to_owned(), "two".to_owned()];
        let confirm = || FactorAct::Confirm { recovery: &recovery, end: Which::Others("adas".into()) };
        let of_first = use_with(&mut *store, "ada", &step("first", 1), confirm());
        assert!(matches!(of_first, Err(AuthError::InvalidOtp)), "a newer secret took its place");
        let unconfirmed = use_with(&mut *store, "ada", &step("factor", 1), FactorAct::Check);
        assert!(matches!(unconfirmed, Err(AuthError::InvalidOtp)));
        let ended = use_with(&mut *store, "ada", &step("factor", 1), confirm()).unwrap();
        assert_eq!(ended.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["other"]);
        assert!(by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        let factor = store.factor("ada").unwrap().unwrap();
        assert_eq!((factor.is_confirmed, factor.last_step, factor.recovery), (true, Some(1), recovery.to_vec()));
        assert_eq!(factor.secret, SealedSecret("key:factor".into()));
        assert!(matches!(begin_with(&mut *store, "ada", "next"), Err(AuthError::FactorIsOn)));
        assert_eq!(store.factor("bob").unwrap(), None);
        let names: Vec<String> = entries(&mut *store, 0).into_iter().map(|entry| entry.event).collect();
        assert!(names.ends_with(&["second-factor.enabled".into(), "session.ended".into()]), "{names:?}");
    });
}

#[test]
fn sign_in_needs_a_code_and_takes_it_a_single_time() {
    on_native_engines(|db| {
        let mut store = with_factor(db);
        let mut sign_in = |id: &str, code: Option<&RightOtp>| {
            let session = new_session(id, "ada", at(9), at(60));
            store.begin_session(&session, &hash_of("ada"), None, code, &attempts_of("ada")).unwrap().is_some()
        };
        let recovery = RightOtp { factor_id: "factor".into(), kind: OtpKind::Recovery("one".into()) };
        assert!(!sign_in("none", None), "no code");
        assert!(!sign_in("same", Some(&step("factor", 1))), "the code that turned the factor on");
        assert!(!sign_in("of another", Some(&step("other", 2))));
        assert!(sign_in("right", Some(&step("factor", 2))));
        assert!(!sign_in("again", Some(&step("factor", 2))));
        assert!(sign_in("recovery", Some(&recovery)));
        assert!(!sign_in("recovery again", Some(&recovery)));
        assert_eq!(store.factor("ada").unwrap().unwrap().recovery, ["two"]);
        assert_eq!(db.count("session"), 4);
        let used = entries(&mut *store, 0).into_iter().find(|one| one.event == "second-factor.recovery-code-used");
        assert_eq!(used.unwrap().detail.as_deref(), Some("1 recovery code left"));
    });
}

#[test]
fn of_two_processes_with_one_code_one_gets_in() {
    on_native_engines(|db| {
        drop(with_factor(db));
        for round in 2..8 {
            let sign_in = |number: usize| {
                let session = new_session(&format!("s{round}-{number}"), "ada", at(9), at(60));
                let code = step("factor", round);
                let mut store = db.store();
                store.begin_session(&session, &hash_of("ada"), None, Some(&code), &attempts_of("ada")).unwrap()
            };
            let begun = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..3).map(|number| scope.spawn(move || sign_in(number).is_some())).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).filter(|begun| *begun).count()
            });
            assert_eq!(begun, 1, "round {round}");
        }
    });
}

#[test]
fn wrong_codes_lock_the_factor_until_an_operator_lifts_it() {
    on_native_engines(|db| {
        let mut store = with_factor(db);
        for _ in 0..10 {
            store.fail_factor("ada", at(9)).unwrap();
        }
        let factor = store.factor("ada").unwrap().unwrap();
        assert_eq!((factor.failures, factor.locked_until), (10, Some(at(9 + 900))));
        let locked = use_with(&mut *store, "ada", &step("factor", 2), FactorAct::Check);
        assert!(matches!(locked, Err(AuthError::InvalidOtp)));
        assert_eq!(entries(&mut *store, 0).pop().unwrap().event, "second-factor.locked");
        assert_eq!(store.factor_rows("ada").unwrap().unwrap().locked_until, Some(at(9 + 900)));
        assert!(store.unlock_second_factor("ada").unwrap());
        use_with(&mut *store, "ada", &step("factor", 2), FactorAct::Check).unwrap();
        store.fail_factor("bob", at(9)).unwrap();
        assert_eq!(store.factor("bob").unwrap(), None);
    });
}

#[test]
fn new_recovery_codes_void_the_old_and_a_removal_ends_sessions() {
    on_native_engines(|db| {
        let mut store = with_factor(db);
        let new = ["three".to_owned()];
        use_with(&mut *store, "ada", &step("factor", 2), FactorAct::NewRecoveryCodes(&new)).unwrap();
        assert_eq!(store.factor("ada").unwrap().unwrap().recovery, new);
        let wrong_hash = hash_of("bob");
        let remove = || FactorAct::Remove { end: Which::All };
        let verified = Some((&wrong_hash, &attempts_of("ada")));
        let refused = store.use_factor(&FactorUse {
            user_id: "ada",
            code: &step("factor", 3),
            verified,
            act: remove(),
            now: at(9),
        });
        assert!(matches!(refused.unwrap(), Err(AuthError::ChangedMeanwhile)));
        let ended = use_with(&mut *store, "ada", &step("factor", 3), remove()).unwrap();
        assert_eq!(ended.len(), 1);
        assert!(!by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        assert_eq!((store.factor("ada").unwrap(), db.count("authctl_twoFactor")), (None, 0));
        begin_with(&mut *store, "ada", "next").unwrap();
    });
}

#[test]
fn factor_goes_with_a_reset_and_with_its_user() {
    on_native_engines(|db| {
        let mut store = with_factor(db);
        let reset = store.reset_second_factor("ada", at(9)).unwrap().unwrap();
        assert_eq!((reset.was_on, reset.rows, reset.sessions), (true, 1, 1));
        assert_eq!(store.factor("ada").unwrap(), None);
        assert!(!by_id(&mut *store, "ada").unwrap().two_factor_enabled);
        begin_with(&mut *store, "ada", "next").unwrap();
        let (guard, now) = (AdminGuard::Off, at(9));
        let request = DeletionRequest { id: "ada", guard, force_shared: false, new_owner: None, now };
        store.delete_user(&request).unwrap().unwrap();
        assert_eq!(db.count("authctl_twoFactor"), 0);
    });
}

#[test]
fn app_keeps_its_factors_to_itself() {
    on_engines(
        |engine| engine.name == SQLITE_DRIZZLE.name,
        |db| {
            let mut store = db.with(&["ada"]);
            assert_eq!(store.factor("ada").unwrap(), None);
        },
    );
}
