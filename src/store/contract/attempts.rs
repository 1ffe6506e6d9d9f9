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

fn attempts_are_counted_by_all_connections_together_until_one_must_wait(db: &Database) {
    let (mut first, mut second) = (db.store(), db.store());
    for number in 1..5 {
        let store = if number % 2 == 0 { &mut first } else { &mut second };
        assert_eq!(count(&mut **store, "ada", 0), proceed(number, 0, 0));
    }
    assert_eq!(count(&mut *first, "ada", 0), proceed(5, 15, 0));
    assert_eq!(count(&mut *second, "ada", 1), wait(14));
}

fn asking_while_waiting_is_not_counted(db: &Database) {
    let mut store = db.store();
    for _ in 0..5 {
        count(&mut *store, "ada", 0);
    }
    for now in [0, 7, 14] {
        assert_eq!(count(&mut *store, "ada", now), wait(15 - now));
    }
    assert_eq!(count(&mut *store, "ada", 15), proceed(6, 45, 15));
}

fn one_address_does_not_wait_for_another(db: &Database) {
    let mut store = db.store();
    for _ in 0..5 {
        count(&mut *store, "ada", 0);
    }
    assert_eq!(count(&mut *store, "bob", 0), proceed(1, 0, 0));
    store.clear_attempts(&attempts_of("bob")).unwrap();
    assert_eq!(count(&mut *store, "ada", 0), wait(15));
}

fn cleared_attempts_are_forgotten_by_every_connection(db: &Database) {
    let mut store = db.store();
    for _ in 0..5 {
        count(&mut *store, "ada", 0);
    }
    db.store().clear_attempts(&attempts_of("ada")).unwrap();
    assert_eq!(count(&mut *store, "ada", 0), proceed(1, 0, 0));
    store.clear_attempts(&attempts_of("nobody")).unwrap();
}

fn of_many_attempts_at_once_only_the_free_ones_go_on(db: &Database) {
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
}

fn a_count_that_makes_no_sense_lets_nobody_guess_freely(db: &Database) {
    let mut store = db.store();
    count(&mut *store, "ada", 0);
    db.edit(r#"UPDATE "authctl_throttle" SET "count" = -1"#);
    assert_eq!(count(&mut *store, "ada", 1), proceed(u32::MAX, 901, 1));
    db.edit(r#"UPDATE "authctl_throttle" SET "notBefore" = 900000000000000000"#);
    assert_eq!(count(&mut *store, "ada", 2), wait(900));
}

on_every_engine!(
    attempts_are_counted_by_all_connections_together_until_one_must_wait,
    asking_while_waiting_is_not_counted,
    one_address_does_not_wait_for_another,
    cleared_attempts_are_forgotten_by_every_connection,
    of_many_attempts_at_once_only_the_free_ones_go_on,
    a_count_that_makes_no_sense_lets_nobody_guess_freely,
);
