//! Settings, and the attempts that the throttle counts.

use std::sync::Barrier;

use jiff::SignedDuration;

use super::*;
use crate::auth::policy::{Key, Policy, PolicyError, ThrottleRules};
use crate::auth::throttle::{Attempts, Decision};

fn key(name: &str) -> &'static Key {
    Key::find(name).unwrap()
}

fn put(db: &Database, key: &str, value: &str) {
    db.edit(&format!(r#"INSERT INTO "authctl_policy" VALUES ('{key}', '{value}', 0)"#));
}

#[test]
fn new_database_has_the_default_policy() {
    on_every_engine(|db| {
        assert_eq!(db.store().policy().unwrap(), Policy::default());
        assert_eq!(db.count("authctl_policy"), 0);
    });
}

#[test]
fn setting_takes_effect_on_every_connection() {
    on_every_place_of_state(|db| {
        let mut other = db.store();
        let mut expected = Policy::default();
        key("session.lifetime").set(&mut expected, "30d").unwrap();
        assert_eq!(
            db.store().set_policy(key("session.lifetime"), Some("30d"), at(0)).unwrap().unwrap().policy,
            expected
        );
        assert_eq!(other.policy().unwrap(), expected, "opened before");
        assert_eq!(db.store().policy().unwrap(), expected, "opened after");
        key("email.verification").set(&mut expected, "required").unwrap();
        assert_eq!(
            other.set_policy(key("email.verification"), Some("required"), at(1)).unwrap().unwrap().policy,
            expected
        );
    });
}

#[test]
fn setting_is_replaced_and_removed() {
    on_every_engine(|db| {
        let mut store = db.store();
        for value in ["30d", "31d"] {
            for changed in [true, false] {
                let set = store.set_policy(key("session.lifetime"), Some(value), at(0)).unwrap().unwrap();
                assert_eq!((key("session.lifetime").value(&set.policy).as_str(), set.changed), (value, changed));
                assert_eq!(db.count("authctl_policy"), 1);
            }
        }
        for changed in [true, false] {
            let set = store.set_policy(key("session.lifetime"), None, at(2)).unwrap().unwrap();
            assert_eq!((set.policy, set.changed), (Policy::default(), changed));
            assert_eq!(db.count("authctl_policy"), 0);
        }
    });
}

#[test]
fn removing_a_setting_keeps_the_others() {
    on_every_engine(|db| {
        let mut store = db.store();
        store.set_policy(key("password.min-length"), Some("12"), at(0)).unwrap().unwrap();
        store.set_policy(key("session.lifetime"), Some("30d"), at(0)).unwrap().unwrap();
        let policy = store.set_policy(key("session.lifetime"), None, at(1)).unwrap().unwrap();
        assert_eq!(policy.policy.password.length_min, 12);
        assert_eq!(db.count("authctl_policy"), 1);
    });
}

#[test]
fn setting_that_contradicts_a_stored_one_is_refused() {
    on_every_engine(|db| {
        let mut store = db.store();
        let before = db.store().set_policy(key("session.move-after"), Some("6d"), at(0)).unwrap().unwrap();
        // This connection has read the defaults only.
        let refused = store.set_policy(key("session.lifetime"), Some("2d"), at(1)).unwrap();
        assert!(matches!(refused, Err(PolicyError::Contradiction(_))), "{refused:?}");
        assert_eq!(db.count("authctl_policy"), 1);
        assert_eq!(store.policy().unwrap(), before.policy);
    });
}

#[test]
fn settings_are_checked_together_in_any_order() {
    on_every_engine(|db| {
        // Each setting alone contradicts the defaults.
        for (name, value) in
            [("session.lifetime", "2h"), ("session.move-after", "1h"), ("session.short-lifetime", "90m")]
        {
            put(db, name, value);
        }
        let policy = db.store().policy().unwrap();
        assert_eq!(key("session.lifetime").value(&policy), "2h");
        assert_eq!(key("session.short-lifetime").value(&policy), "1h30m");
    });
}

#[test]
fn unknown_key_is_ignored_and_kept() {
    on_every_engine(|db| {
        put(db, "later.key", "anything");
        let mut store = db.store();
        assert_eq!(store.policy().unwrap(), Policy::default());
        store.set_policy(key("session.lifetime"), Some("30d"), at(0)).unwrap().unwrap();
        store.set_policy(key("session.lifetime"), None, at(0)).unwrap().unwrap();
        assert_eq!(db.count("authctl_policy"), 1);
    });
}

#[test]
fn error_about_an_invalid_setting_hides_its_value() {
    on_every_engine(|db| {
        put(db, "session.lifetime", "canary");
        let mut store = db.store();
        let sentence = "row session.lifetime of table authctl_policy makes no sense: \
        column value session.lifetime takes a duration from 5m to 400d";
        assert_eq!(store.policy().unwrap_err().to_string(), sentence);
        let set = store.set_policy(key("password.min-length"), Some("12"), at(0));
        assert_eq!(set.unwrap_err().to_string(), sentence);
        assert_eq!(db.count("authctl_policy"), 1, "nothing was added");
    });
}

fn count(store: &mut dyn Store, name: &str, now: i64) -> Decision {
    store.count_attempt(&attempts_of(name), at(now), &ThrottleRules::default()).unwrap()
}

fn proceed(count: u32, not_before: i64, last_at: i64) -> Decision {
    Decision::Proceed(Attempts { count, not_before: at(not_before), last_at: at(last_at) })
}

fn wait(seconds: i64) -> Decision {
    Decision::Wait(SignedDuration::from_secs(seconds))
}

#[test]
fn connections_count_attempts_together() {
    on_every_engine(|db| {
        let (mut first, mut second) = (db.store(), db.store());
        for number in 1..5 {
            let store = if number % 2 == 0 { &mut first } else { &mut second };
            assert_eq!(count(&mut **store, "ada", 0), proceed(number, 0, 0));
        }
        assert_eq!(count(&mut *first, "ada", 0), proceed(5, 15, 0));
        assert_eq!(count(&mut *second, "ada", 1), wait(14));
    });
}

#[test]
fn attempt_during_a_wait_is_not_counted() {
    on_every_engine(|db| {
        let mut store = db.store();
        for _ in 0..5 {
            count(&mut *store, "ada", 0);
        }
        for now in [0, 7, 14] {
            assert_eq!(count(&mut *store, "ada", now), wait(15 - now));
        }
        assert_eq!(count(&mut *store, "ada", 15), proceed(6, 45, 15));
    });
}

#[test]
fn addresses_are_throttled_separately() {
    on_every_engine(|db| {
        let mut store = db.store();
        for _ in 0..5 {
            count(&mut *store, "ada", 0);
        }
        assert_eq!(count(&mut *store, "bob", 0), proceed(1, 0, 0));
        store.clear_attempts(&attempts_of("bob")).unwrap();
        assert_eq!(count(&mut *store, "ada", 0), wait(15));
    });
}

#[test]
fn attempts_are_cleared_for_every_connection() {
    on_every_engine(|db| {
        let mut store = db.store();
        for _ in 0..5 {
            count(&mut *store, "ada", 0);
        }
        db.store().clear_attempts(&attempts_of("ada")).unwrap();
        assert_eq!(count(&mut *store, "ada", 0), proceed(1, 0, 0));
        store.clear_attempts(&attempts_of("unknown")).unwrap();
    });
}

#[test]
fn concurrent_attempts_get_only_the_free_ones() {
    on_every_place_of_state(|db| {
        const GUESSERS: usize = 12;
        let start = Barrier::new(GUESSERS);
        let went_on = std::thread::scope(|scope| {
            let guess = || {
                let mut store = db.store();
                start.wait();
                matches!(count(&mut *store, "ada", 0), Decision::Proceed(_))
            };
            let guessers: Vec<_> = (0..GUESSERS).map(|_| scope.spawn(guess)).collect();
            guessers.into_iter().map(|guesser| guesser.join().unwrap()).filter(|went_on| *went_on).count()
        });
        assert_eq!(went_on, 5);
    });
}

#[test]
fn step_of_a_code_is_claimed_once() {
    on_every_place_of_state(|db| {
        let mut store = db.store();
        let mut claim = |user: &str, steps: &[i64]| store.claim_step(user, steps, at(0)).unwrap();
        assert_eq!(claim("ada", &[100]), Some(100));
        assert_eq!((claim("ada", &[100]), claim("ada", &[99])), (None, None));
        assert_eq!(claim("bob", &[100]), Some(100));
        assert_eq!(claim("ada", &[101, 100]), Some(101));
        assert_eq!(claim("ada", &[50]), Some(50), "a clock that was ahead locks no user out");
    });
}

#[test]
fn step_of_a_code_is_claimed_by_one_of_many_at_once() {
    on_every_place_of_state(|db| {
        const PROCESSES: usize = 8;
        let start = Barrier::new(PROCESSES);
        let claimed = std::thread::scope(|scope| {
            let claim = || {
                let mut store = db.store();
                start.wait();
                store.claim_step("ada", &[100], at(0)).unwrap()
            };
            let processes: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(claim)).collect();
            processes.into_iter().filter_map(|process| process.join().unwrap()).count()
        });
        assert_eq!(claimed, 1);
    });
}

#[test]
fn invalid_count_is_throttled_like_the_highest() {
    on_every_engine(|db| {
        let mut store = db.store();
        count(&mut *store, "ada", 0);
        db.edit(r#"UPDATE "authctl_throttle" SET "count" = -1"#);
        assert_eq!(count(&mut *store, "ada", 1), proceed(u32::MAX, 901, 1));
        db.edit(r#"UPDATE "authctl_throttle" SET "notBefore" = 900000000000000000"#);
        assert_eq!(count(&mut *store, "ada", 2), wait(900));
        assert!(matches!(count(&mut *store, "ada", 902), Decision::Proceed(_)), "it heals");
    });
}

fn reserve(store: &mut dyn Store, name: &str, id: &str, now: i64) -> Decision {
    store.reserve_attempt(&attempts_of(name).reserved(id.into()), at(now), &ThrottleRules::default()).unwrap()
}

fn fail(store: &mut dyn Store, name: &str, id: &str, now: i64) {
    let key = attempts_of(name).reserved(id.into());
    store.fail_attempt(&key, at(now), &ThrottleRules::default(), None).unwrap();
}

fn failures(store: &mut dyn Store, name: &str) -> u32 {
    store.attempts(&attempts_of(name)).unwrap().map_or(0, |attempts| attempts.count)
}

/// Reserves the free attempts, `a` to `e`.
fn reserve_free_attempts(store: &mut dyn Store, now: i64) {
    for id in ["a", "b", "c", "d", "e"] {
        assert!(matches!(reserve(store, "ada", id, now), Decision::Proceed(_)), "{id}");
    }
}

#[test]
fn reserved_attempts_use_up_the_free_ones_without_failing() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_free_attempts(&mut *store, 0);
        assert_eq!(reserve(&mut *store, "ada", "f", 0), Decision::Undecided);
        assert_eq!(failures(&mut *store, "ada"), 0);
        assert!(matches!(reserve(&mut *store, "bob", "f", 0), Decision::Proceed(_)));
        store.release_attempt(&attempts_of("ada").reserved("a".into())).unwrap();
        assert!(matches!(reserve(&mut *store, "ada", "f", 0), Decision::Proceed(_)));
    });
}

#[test]
fn failed_attempts_allow_one_more_after_each_wait() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_free_attempts(&mut *store, 0);
        for (id, count) in ["a", "b", "c", "d", "e"].into_iter().zip(1..) {
            fail(&mut *store, "ada", id, 2);
            assert_eq!(failures(&mut *store, "ada"), count);
        }
        assert_eq!(reserve(&mut *store, "ada", "f", 2), wait(13));
        assert!(matches!(reserve(&mut *store, "ada", "f", 15), Decision::Proceed(_)));
        assert_eq!(reserve(&mut *store, "ada", "g", 15), Decision::Undecided);
        fail(&mut *store, "ada", "f", 16);
        assert_eq!(reserve(&mut *store, "ada", "g", 16), wait(29));
    });
}

#[test]
fn success_clears_failures_and_keeps_other_reservations() {
    on_every_place_of_state(|db| {
        let mut store = db.impatient();
        reserve_free_attempts(&mut *store, 0);
        fail(&mut *store, "ada", "a", 0);
        store.clear_attempts(&attempts_of("ada").reserved("b".into())).unwrap();
        assert_eq!(failures(&mut *store, "ada"), 0);
        for id in ["f", "g"] {
            assert!(matches!(reserve(&mut *store, "ada", id, 0), Decision::Proceed(_)), "{id}");
        }
        assert_eq!(reserve(&mut *store, "ada", "h", 0), Decision::Undecided);
        store.clear_attempts(&attempts_of("ada")).unwrap();
        reserve_free_attempts(&mut *store, 0);
        fail(&mut *store, "ada", "g", 0);
        assert_eq!(failures(&mut *store, "ada"), 0, "an operator cleared it");
    });
}

#[test]
fn abandoned_attempt_fails_after_a_minute() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_free_attempts(&mut *store, 0);
        assert_eq!(reserve(&mut *store, "ada", "f", 59), Decision::Undecided);
        assert!(matches!(reserve(&mut *store, "ada", "f", 60), Decision::Proceed(next) if next.count == 6));
        assert_eq!(failures(&mut *store, "ada"), 5);
        fail(&mut *store, "ada", "a", 61);
        assert_eq!(failures(&mut *store, "ada"), 5, "counted once");
        fail(&mut *store, "ada", "f", 61);
        assert_eq!(reserve(&mut *store, "ada", "g", 61), wait(29));
    });
}

#[test]
fn attempt_waits_for_undecided_ones() {
    on_every_place_of_state(|db| {
        let mut store = db.store();
        reserve_free_attempts(&mut *store, 0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| matches!(reserve(&mut *db.store(), "ada", "f", 0), Decision::Proceed(_)));
            store.clear_attempts(&attempts_of("ada").reserved("a".into())).unwrap();
            assert!(waiting.join().unwrap());
        });
    });
}

#[test]
fn wait_from_a_wrong_clock_is_shortened_to_the_longest() {
    on_every_engine(|db| {
        const AHEAD: i64 = 10 * 365 * 86_400;
        let mut store = db.impatient();
        for number in 0..5 {
            let id = number.to_string();
            reserve(&mut *store, "ada", &id, AHEAD);
            fail(&mut *store, "ada", &id, AHEAD);
            count(&mut *store, "bob", AHEAD);
        }
        assert_eq!(reserve(&mut *store, "ada", "f", 0), wait(15), "no longer than it was");
        assert_eq!(count(&mut *store, "bob", 0), wait(15));
        assert!(matches!(reserve(&mut *store, "ada", "f", 15), Decision::Proceed(_)));
        assert!(matches!(count(&mut *store, "bob", 15), Decision::Proceed(_)));
        reserve(&mut *store, "cleo", "a", AHEAD);
        assert!(matches!(reserve(&mut *store, "cleo", "b", 0), Decision::Proceed(next) if next.count == 2));
    });
}

#[test]
fn reading_attempts_does_not_count_one() {
    on_every_engine(|db| {
        let mut store = db.store();
        assert_eq!(store.attempts(&attempts_of("ada")).unwrap(), None);
        for _ in 0..5 {
            store.count_attempt(&attempts_of("ada"), at(7), &ThrottleRules::default()).unwrap();
        }
        let expected = Attempts { count: 5, not_before: at(22), last_at: at(7) };
        for _ in 0..3 {
            assert_eq!(db.store().attempts(&attempts_of("ada")).unwrap(), Some(expected));
        }
        assert_eq!(store.attempts(&attempts_of("bob")).unwrap(), None);
        store.clear_attempts(&attempts_of("ada")).unwrap();
        assert_eq!(store.attempts(&attempts_of("ada")).unwrap(), None);
    });
}

#[test]
fn unlock_reports_whether_attempts_were_cleared() {
    on_every_place_of_state(|db| {
        let mut store = two_users(db);
        let ada = by_id(&mut *store, "ada").unwrap();
        // The store derives the keys from the row that it reads.
        let keys = |user: &User| vec![AttemptKey::sign_in(&crate::auth::email::Email::parse(&user.email).unwrap())];
        assert_eq!(store.unlock("ada", &keys).unwrap(), Some((ada.clone(), true)));
        assert_eq!(store.unlock("ada", &keys).unwrap(), Some((ada, false)));
        assert_eq!(store.unlock("unknown", &keys).unwrap(), None);
        assert!(failures(&mut *store, "ada") == 0 && failures(&mut *store, "bob") == 1);
        let entries = super::audit::entries(&mut *store, 0);
        let unlocked: Vec<_> = entries.iter().filter(|entry| entry.event == "user.unlocked").collect();
        assert_eq!(unlocked.len(), 1);
        assert_eq!(unlocked[0].user_email.as_deref(), Some("ada@example.com"));
    });
}
