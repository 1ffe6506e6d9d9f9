//! Numbers about users, sessions and the audit log.

use super::*;
use crate::auth::audit::{Actor, Event};
use crate::auth::stats::{Period, Series};

const DAY: i64 = 86_400;

fn period() -> Period {
    Period::new(at(-30 * DAY), at(0))
}

/// Sets the time of the next acts.
fn act_at(store: &mut dyn Store, seconds: i64) {
    store.act_as(Actor { at: at(seconds), ..Actor::default() }.into());
}

/// The parts that are not empty, by their number, and the total.
fn shown(series: &Series) -> (Vec<(usize, u64)>, Option<u64>) {
    let parts = series.parts.iter().enumerate().filter_map(|(part, count)| Some((part, (*count)?)));
    (parts.filter(|(_, count)| *count > 0).collect(), series.total)
}

#[test]
fn stats_count_users_sessions_and_entries_of_each_day() {
    on_every_place_of_state(|db| {
        let mut store = db.store();
        act_at(&mut *store, -40 * DAY);
        let users = [("old", -30 * DAY - 1), ("ada", -30 * DAY), ("bob", -29 * DAY - 1), ("eve", -DAY), ("new", 0)];
        for (name, created) in users {
            let user = NewUserRow { email_verified: name != "old", ..new_user(name) };
            store.create_user(&user, Some(&hash_of(name)), None).unwrap();
            db.edit(&format!(r#"UPDATE "user" SET "createdAt" = {} WHERE "id" = '{name}'"#, db.time(created)));
        }
        for (number, when) in [-30 * DAY - 1, -30 * DAY, -2 * DAY, -1, 0].into_iter().enumerate() {
            act_at(&mut *store, when);
            begin(&mut *store, &format!("s{number}"), "ada", when, if number == 4 { 0 } else { DAY });
            store.record(Event::new("signin.failed").with("wrong")).unwrap();
            store.record(Event::new("mail.failed")).unwrap();
        }
        let stats = store.stats(&period(), at(0)).unwrap();
        let has_factors = store.guest().is_none_or(|schema| schema.has("user", "twoFactorEnabled"));
        assert_eq!((stats.users, stats.verified, stats.live_sessions), (5, Some(4), Some(4)));
        assert_eq!(stats.second_factor, has_factors.then_some(0));
        assert_eq!(shown(&stats.sign_ups), (vec![(0, 2), (29, 2)], Some(4)));
        for series in [&stats.sign_ins, &stats.failures] {
            assert_eq!(shown(series), (vec![(0, 1), (28, 1), (29, 2)], Some(4)));
        }
        assert_eq!((stats.log_begins, stats.is_guest), (Some(at(-40 * DAY)), !db.engine.is_native));
        let hour = store.stats(&Period::new(at(-3600), at(0)), at(0)).unwrap();
        assert_eq!(shown(&hour.sign_ins), (vec![(59, 2)], Some(2)));
        assert_eq!(shown(&hour.sign_ups), (vec![(59, 1)], Some(1)));
    });
}

#[test]
fn stats_of_an_app_are_unknown_before_the_log_begins() {
    on_every_place_of_state(|db| {
        let mut store = db.store();
        let empty = store.stats(&period(), at(0)).unwrap();
        let known = db.engine.is_native.then_some(0);
        if empty.log_begins.is_none() {
            assert_eq!((empty.sign_ins.total, empty.failures.parts[29]), (known, known));
        }
        act_at(&mut *store, -2 * DAY);
        store.record(Event::new("signin.failed")).unwrap();
        let stats = store.stats(&period(), at(0)).unwrap();
        if stats.log_begins == Some(at(-2 * DAY)) {
            assert_eq!((stats.failures.total, stats.failures.parts[27]), (known.map(|_| 1), known));
            assert_eq!((stats.failures.parts[28], stats.failures.parts[29]), (Some(1), Some(0)));
        }
        assert_eq!((stats.sign_ups.total, stats.users), (Some(0), 0));
    });
}

#[test]
fn stats_of_an_app_without_columns_are_unknown() {
    let is_guest = |engine: &TestEngine| !engine.is_native;
    on_engines(is_guest, |db| {
        db.with(&["ada"]);
        let mapping = db.mapping();
        let column = mapping.column("user", "emailVerified").unwrap();
        db.edit(&format!(r#"ALTER TABLE "user" DROP COLUMN "{column}""#));
        let mut store = db.store();
        let has = |column: &str| store.guest().is_some_and(|schema| schema.has("user", column));
        let expected = ["emailVerified", "twoFactorEnabled"].map(|column| has(column).then_some(0));
        let stats = store.stats(&period(), at(0)).unwrap();
        assert_eq!((stats.users, [stats.verified, stats.second_factor]), (1, expected));
    });
}
