//! Sessions that are over, counted and swept out.

use super::*;

/// Ends at 10, 20, 30 and 40 seconds.
fn with_sessions(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    for (id, user, end) in [("at-20", "bob", 20), ("at-40", "ada", 40), ("at-10", "ada", 10), ("at-30", "ada", 30)] {
        begin(&mut *store, id, user, 0, end);
    }
    store
}

fn a_session_that_ends_at_this_very_second_is_over(db: &Database) {
    let mut store = with_sessions(db);
    let counts = [9, 10, 19, 20, 30, 39, 40].map(|now| store.count_expired(at(now)).unwrap());
    assert_eq!(counts, [0, 1, 1, 2, 3, 3, 4]);
    assert_eq!(store.prune(at(19), 100).unwrap(), 1);
    assert_eq!(store.prune(at(20), 100).unwrap(), 1);
    assert_eq!(ids(&mut *db.store(), "ada"), ["at-30", "at-40"]);
    assert_eq!(ids(&mut *store, "bob"), [""; 0]);
}

fn counting_deletes_nothing_and_says_what_would_go(db: &Database) {
    let mut store = with_sessions(db);
    let counted = store.count_expired(at(30)).unwrap();
    assert_eq!(db.count("session"), 4);
    assert_eq!(store.prune(at(30), 100).unwrap(), counted);
    assert_eq!(store.count_expired(at(30)).unwrap(), 0);
}

fn a_sweep_takes_no_more_than_it_was_told_and_the_next_takes_the_rest(db: &Database) {
    let mut store = with_sessions(db);
    let swept = [0, 2, 2, 2].map(|limit| store.prune(at(30), limit).unwrap());
    assert_eq!(swept, [0, 2, 1, 0]);
    assert_eq!(ids(&mut *store, "ada"), ["at-40"]);
    assert_eq!(ids(&mut *store, "bob"), [""; 0]);
}

on_every_engine!(
    a_session_that_ends_at_this_very_second_is_over,
    counting_deletes_nothing_and_says_what_would_go,
    a_sweep_takes_no_more_than_it_was_told_and_the_next_takes_the_rest,
);
