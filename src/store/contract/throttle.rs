//! The count of attempts: one for all processes, kept before anything slow begins.

use std::sync::Barrier;

use jiff::SignedDuration;

use super::*;
use crate::auth::policy::ThrottleRules;
use crate::auth::throttle::{Attempts, Decision};

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
fn attempts_are_counted_by_all_connections_together_until_one_must_wait() {
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
fn asking_while_waiting_is_not_counted() {
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
fn one_address_does_not_wait_for_another() {
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
fn cleared_attempts_are_forgotten_by_every_connection() {
    on_every_engine(|db| {
        let mut store = db.store();
        for _ in 0..5 {
            count(&mut *store, "ada", 0);
        }
        db.store().clear_attempts(&attempts_of("ada")).unwrap();
        assert_eq!(count(&mut *store, "ada", 0), proceed(1, 0, 0));
        store.clear_attempts(&attempts_of("nobody")).unwrap();
    });
}

#[test]
fn of_many_attempts_at_once_only_the_free_ones_go_on() {
    on_every_engine(|db| {
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
fn a_count_that_makes_no_sense_lets_nobody_guess_freely() {
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
fn reserve_the_free_ones(store: &mut dyn Store, now: i64) {
    for id in ["a", "b", "c", "d", "e"] {
        assert!(matches!(reserve(store, "ada", id, now), Decision::Proceed(_)), "{id}");
    }
}

#[test]
fn reserved_attempts_are_no_failures_and_keep_others_waiting_for_a_turn() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_the_free_ones(&mut *store, 0);
        assert_eq!(reserve(&mut *store, "ada", "f", 0), Decision::Undecided);
        assert_eq!(failures(&mut *store, "ada"), 0);
        assert!(matches!(reserve(&mut *store, "bob", "f", 0), Decision::Proceed(_)));
        store.release_attempt(&attempts_of("ada").reserved("a".into())).unwrap();
        assert!(matches!(reserve(&mut *store, "ada", "f", 0), Decision::Proceed(_)));
    });
}

#[test]
fn failed_attempts_leave_one_turn_after_each_wait() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_the_free_ones(&mut *store, 0);
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
fn success_forgets_failures_and_leaves_the_attempts_of_others_reserved() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_the_free_ones(&mut *store, 0);
        fail(&mut *store, "ada", "a", 0);
        store.clear_attempts(&attempts_of("ada").reserved("b".into())).unwrap();
        assert_eq!(failures(&mut *store, "ada"), 0);
        for id in ["f", "g"] {
            assert!(matches!(reserve(&mut *store, "ada", id, 0), Decision::Proceed(_)), "{id}");
        }
        assert_eq!(reserve(&mut *store, "ada", "h", 0), Decision::Undecided);
        store.clear_attempts(&attempts_of("ada")).unwrap();
        reserve_the_free_ones(&mut *store, 0);
        fail(&mut *store, "ada", "g", 0);
        assert_eq!(failures(&mut *store, "ada"), 0, "forgiven by an operator");
    });
}

#[test]
fn attempt_of_a_process_that_died_is_a_failure_a_minute_later() {
    on_every_engine(|db| {
        let mut store = db.impatient();
        reserve_the_free_ones(&mut *store, 0);
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
fn undecided_attempts_are_waited_for_until_they_are_decided() {
    on_every_engine(|db| {
        let mut store = db.store();
        reserve_the_free_ones(&mut *store, 0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| matches!(reserve(&mut *db.store(), "ada", "f", 0), Decision::Proceed(_)));
            store.clear_attempts(&attempts_of("ada").reserved("a".into())).unwrap();
            assert!(waiting.join().unwrap());
        });
    });
}

#[test]
fn wait_that_a_wrong_clock_pushed_ahead_is_over_after_the_longest_one() {
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
