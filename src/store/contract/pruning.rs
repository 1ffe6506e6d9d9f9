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

#[test]
fn a_session_that_ends_at_this_very_second_is_over() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        let counts = [9, 10, 19, 20, 30, 39, 40].map(|now| store.count_expired(at(now)).unwrap());
        assert_eq!(counts, [0, 1, 1, 2, 3, 3, 4]);
        assert_eq!(store.prune(at(19), 100).unwrap(), 1);
        assert_eq!(store.prune(at(20), 100).unwrap(), 1);
        let mut left = ids(&mut *db.store(), "ada");
        left.sort();
        assert_eq!(left, ["at-30", "at-40"]);
        assert_eq!(ids(&mut *store, "bob"), [""; 0]);
    });
}

#[test]
fn counting_deletes_nothing_and_says_what_would_go() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        let counted = store.count_expired(at(30)).unwrap();
        assert_eq!(db.count("session"), 4);
        assert_eq!(store.prune(at(30), 100).unwrap(), counted);
        assert_eq!(store.count_expired(at(30)).unwrap(), 0);
    });
}

#[test]
fn a_sweep_takes_no_more_than_it_was_told_and_the_next_takes_the_rest() {
    on_every_engine(|db| {
        let mut store = with_sessions(db);
        let swept = [0, 2, 2, 2].map(|limit| store.prune(at(30), limit).unwrap());
        assert_eq!(swept, [0, 2, 1, 0]);
        assert_eq!(ids(&mut *store, "ada"), ["at-40"]);
        assert_eq!(ids(&mut *store, "bob"), [""; 0]);
    });
}

/// Puts the time of an entry of the log; the others are of 1970.
fn date(db: &Database, which: &str, seconds: i64) {
    let seq = format!(r#"(SELECT {which}("seq") FROM "authctl_audit")"#);
    let at = at(seconds).as_second();
    db.edit(&format!(r#"UPDATE "authctl_audit" SET "at" = {at} WHERE "seq" = {seq}"#));
}

#[test]
fn session_from_the_future_is_over_and_swept_out() {
    on_every_engine(|db| {
        const DAY: i64 = 86_400;
        let mut store = db.with(&["ada"]);
        for (id, made, end) in
            [("now", 0, 9 * DAY), ("soon", DAY, 9 * DAY), ("ahead", DAY + 1, 9 * DAY), ("later", 900 * DAY, 907 * DAY)]
        {
            begin(&mut *store, id, "ada", made, end);
        }
        date(db, "max", 0);
        assert_eq!(store.count_expired(at(0)).unwrap(), 2);
        let info = store.info(at(0)).unwrap();
        assert_eq!((info.live_sessions, info.expired_sessions), (Some(2), Some(2)));
        let swept = [1, 1, 1].map(|limit| store.prune(at(0), limit).unwrap());
        assert_eq!(swept, [1, 1, 0]);
        assert_eq!(ids(&mut *store, "ada"), ["soon", "now"]);
    });
}

#[test]
fn clock_that_is_behind_sweeps_out_no_session_from_the_future() {
    on_every_engine(|db| {
        const DAY: i64 = 86_400;
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "later", "ada", 900 * DAY, 907 * DAY);
        for (first, newest, swept) in [(0, DAY + 1, 0), (DAY + 1, 0, 0), (DAY, DAY, 1)] {
            date(db, "min", first);
            date(db, "max", newest);
            assert_eq!(store.count_expired(at(0)).unwrap(), swept);
            assert_eq!(store.prune(at(0), 10).unwrap(), swept);
        }
    });
}
