//! Lists of sessions: SQL leaves out only what the rules would, and a list goes on where it stopped.

use jiff::SignedDuration;

use super::*;
use crate::auth::session::{Pattern, SessionFilter};
use crate::auth::storage::{FoundSession, SessionQuery};

const DAY: i64 = 86_400;
/// Seconds after the first time of the tests.
const NOW: i64 = 5_000_000;

fn all(filter: &SessionFilter) -> SessionQuery<'_> {
    SessionQuery { user_id: None, filter, after: None, now: at(NOW) }
}

fn read(store: &mut dyn Store, query: &SessionQuery<'_>) -> Vec<FoundSession> {
    let mut found = Vec::new();
    let mut take = |one| {
        found.push(one);
        true
    };
    store.each_session(query, &mut take).unwrap();
    found
}

/// The ids of the sessions that the rules choose from what the store reads.
fn chosen(store: &mut dyn Store, query: &SessionQuery<'_>, filter: &SessionFilter) -> Vec<String> {
    let meant = |session: &Session| session.may_be_live(at(NOW)) && filter.matches(session, at(NOW));
    let found = read(store, query).into_iter().map(|found| found.session);
    let mut ids: Vec<String> = found.filter(meant).map(|session| session.id).collect();
    ids.sort();
    ids
}

/// Sessions with times around the bounds of the filters, and with values of every kind that another program may write.
fn fill(db: &Database, store: &mut dyn Store) {
    let ends = [NOW - 1, NOW, NOW + 1, NOW + 9 * DAY, 0, 500 * DAY];
    let times = [NOW, NOW - DAY, NOW - DAY + 1, NOW - DAY - 1, NOW - 40 * DAY, NOW + 500 * DAY];
    for (index, (end, begin)) in ends.into_iter().flat_map(|end| times.map(|begin| (end, begin))).enumerate() {
        let id = format!("s{index:03}");
        super::begin(store, &id, if index % 3 == 0 { "ada" } else { "bob" }, begin, end);
    }
    let text = |column: &str, ids: &str, value: &str| {
        db.edit(&format!(r#"UPDATE "session" SET "{column}" = {value} WHERE "id" IN ({ids})"#));
    };
    // PostgreSQL stores no NUL.
    let with_nul = if db.engine.is_typed { "'xcurl'" } else { "'x' || char(0) || 'curl'" };
    for (index, agent) in ["'curl/8.5'", "'a curl'", "NULL", "''", with_nul, "'CURL'", "'c*rl'"].into_iter().enumerate()
    {
        text("userAgent", &format!("'s018', 's0{}'", 19 + index), agent);
    }
    for (index, address) in [
        "'10.0.0.1'",
        "'10.0.0.1:443'",
        "'::ffff:10.0.0.1'",
        "' 10.0.0.1 '",
        "'10.0.0.1 , ::1'",
        "'110.0.0.1'",
        "NULL",
        "'1.10.0.1'",
        "'[::ffff:0a00:0001]:443'",
        "''",
    ]
    .into_iter()
    .enumerate()
    {
        text("ipAddress", &format!("'s0{}'", 18 + index), address);
    }
    if db.engine.is_typed {
        text("expiresAt", "'s030'", "'infinity'");
        text("expiresAt", "'s031'", "'-infinity'");
        text("createdAt", "'s018'", "'infinity'");
        text("updatedAt", "'s022'", "'1970-01-01'");
        return;
    }
    for (id, column, value) in [
        ("s030", "expiresAt", "9223372036854775807"),
        ("s031", "expiresAt", "-9223372036854775807"),
        // In the unit of another encoding, and in the range where two encodings meet.
        ("s032", "expiresAt", "1700000000"),
        ("s033", "expiresAt", "1700000000000"),
        ("s034", "expiresAt", "5000000"),
        ("s018", "createdAt", "9223372036854775807"),
        ("s019", "createdAt", "1700000000"),
        ("s020", "createdAt", "1700000000000"),
        ("s021", "updatedAt", "253402207201"),
        ("s022", "updatedAt", "0"),
    ] {
        text(column, &format!("'{id}'"), value);
    }
}

#[test]
fn list_has_every_session_that_the_rules_choose() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        fill(db, &mut *store);
        let none = SessionFilter::default();
        let before_time = SessionQuery { now: Timestamp::UNIX_EPOCH, ..all(&none) };
        let mut sizes = Vec::new();
        for filter in [
            SessionFilter::default(),
            SessionFilter { older_than: Some(SignedDuration::from_hours(24)), ..SessionFilter::default() },
            SessionFilter { idle: Some(SignedDuration::from_hours(24)), ..SessionFilter::default() },
            SessionFilter { idle: Some(SignedDuration::from_hours(24 * 30 * 365)), ..SessionFilter::default() },
            SessionFilter { network: "10.0.0.0/8".parse().ok(), ..SessionFilter::default() },
            SessionFilter { network: "10.0.0.1".parse().ok(), ..SessionFilter::default() },
            SessionFilter { network: "0.0.0.0/0".parse().ok(), ..SessionFilter::default() },
            SessionFilter { network: "::/0".parse().ok(), ..SessionFilter::default() },
            SessionFilter { user_agent: Some(Pattern::new("*curl*")), ..SessionFilter::default() },
            SessionFilter { user_agent: Some(Pattern::new("c?rl")), ..SessionFilter::default() },
            SessionFilter { user_agent: Some(Pattern::new("*")), ..SessionFilter::default() },
        ] {
            // The query without a filter leaves nothing out.
            assert_eq!(read(&mut *store, &before_time).len(), 36);
            let expected = chosen(&mut *store, &before_time, &filter);
            assert_eq!(chosen(&mut *store, &all(&filter), &filter), expected, "{filter:?}");
            sizes.push(expected.len());
            let adas = SessionQuery { user_id: Some("ada"), ..all(&filter) };
            assert!(read(&mut *store, &adas).iter().all(|found| found.session.user_id == "ada"));
        }
        // Each filter tells sessions apart.
        assert!(sizes[1..10].iter().all(|size| *size < sizes[0]) && sizes[10] == sizes[0], "{sizes:?}");
        assert!(sizes[1..].iter().filter(|size| **size > 0).count() >= 9, "{sizes:?}");
    });
}

#[test]
fn native_list_leaves_out_what_sql_can_judge() {
    on_engines(
        |engine| engine.is_native,
        |db| {
            let mut store = db.with(&["ada", "bob"]);
            fill(db, &mut *store);
            let read = |store: &mut dyn Store, filter: &SessionFilter| read(store, &all(filter)).len();
            let everything = read(&mut *store, &SessionFilter::default());
            assert!(everything < 36, "{everything}");
            for filter in [
                SessionFilter { older_than: Some(SignedDuration::from_hours(24)), ..SessionFilter::default() },
                SessionFilter { idle: Some(SignedDuration::from_hours(24)), ..SessionFilter::default() },
                SessionFilter { network: "10.0.0.0/8".parse().ok(), ..SessionFilter::default() },
                SessionFilter { user_agent: Some(Pattern::new("*curl*")), ..SessionFilter::default() },
            ] {
                assert!(read(&mut *store, &filter) < everything, "{filter:?}");
            }
        },
    );
}

#[test]
fn list_goes_on_after_a_session_that_ended() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for (index, id) in ["one", "two", "three", "four"].iter().enumerate() {
            begin(&mut *store, id, if index == 1 { "bob" } else { "ada" }, NOW, NOW + DAY);
        }
        let filter = SessionFilter::default();
        let whole = read(&mut *store, &all(&filter));
        let names = |found: &[FoundSession]| found.iter().map(|one| one.session.id.clone()).collect::<Vec<_>>();
        if !db.engine.is_without_rowid {
            assert_eq!(names(&whole), ["four", "three", "two", "one"]);
            let adas = read(&mut *store, &SessionQuery { user_id: Some("ada"), ..all(&filter) });
            assert_eq!(names(&adas), ["four", "three", "one"]);
        }
        assert_eq!(whole.iter().filter(|one| one.email == "bob@example.com").count(), 1);
        store.end_sessions_by_id(&[whole[1].session.id.clone()], &[]).unwrap();
        let rest = read(&mut *store, &SessionQuery { after: whole[1].place.as_deref(), ..all(&filter) });
        assert_eq!(names(&rest), names(&whole[2..]));
        let mut stopped = 0;
        let mut stop = |_| {
            stopped += 1;
            false
        };
        store.each_session(&all(&filter), &mut stop).unwrap();
        assert_eq!(stopped, 1);
        if !db.engine.is_without_rowid {
            let mut stop = |_| false;
            let wrong = store.each_session(&SessionQuery { after: Some("one"), ..all(&filter) }, &mut stop);
            assert!(matches!(wrong, Err(StoreError::NoSuchPlace("session"))), "{wrong:?}");
        }
    });
}
