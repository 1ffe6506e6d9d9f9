//! Rows with values that cannot be read. They hide no other row, every act works on them, and they give no right.

use super::*;
use crate::auth::Caller;
use crate::auth::access::AccessKind;
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::odd::UNREADABLE;
use crate::auth::prune::Pruning;
use crate::auth::session::SessionFilter;
use crate::auth::storage::{
    AdminGuard, Ban, EndSessions, FoundSession, Lockdown, NewCodeRow, SessionQuery, UserChange, UserQuery, UserSort,
};

/// Ada, bob and cy with a session each, in tables that take any value, as those of some apps do.
fn with_loose_tables(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob", "cy"]);
    for name in ["ada", "bob", "cy"] {
        begin(&mut *store, &format!("{name}s"), name, 0, 60);
    }
    drop(store);
    let mut loose = "sql".to_owned();
    for word in [" NOT NULL", " not null", " STRICT", " TEXT", " text", " INTEGER", " integer", " date"] {
        loose = format!("replace({loose}, '{word}', '')");
    }
    db.edit(&format!(
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = {loose} 
         WHERE name IN ('user', 'users', 'session', 'sessions', 'verification', 'verifications')"
    ));
    db.store()
}

/// Updates of bob's row, each with the column and what is wrong with it.
const ODD_USERS: &[(&str, &str, &str)] = &[
    ("name", "NULL", "is null"),
    ("name", "7", "is a number"),
    ("name", "x'ff'", "is not text"),
    ("name", "CAST(x'42ff' AS TEXT)", "is not valid UTF-8"),
    ("email", "NULL", "is null"),
    ("email", "x'00'", "is not text"),
    ("image", "x'89504e47'", "is not text"),
    ("emailVerified", "2", "is neither"),
    ("emailVerified", "'maybe'", "is neither"),
    ("createdAt", "NULL", "is null"),
    ("createdAt", "'soon'", "is not a"),
    ("createdAt", "9223372036854775807", "is not a"),
    ("updatedAt", "NULL", "is null"),
    ("updatedAt", "x'00'", "is not a"),
    ("role", "x'61646d696e'", "is not text"),
    ("role", "CAST(x'61646d696e2cff' AS TEXT)", "is not valid UTF-8"),
    ("role", "7", "is a number"),
    ("banned", "7", "is neither"),
    ("banned", "'perhaps'", "is neither"),
    ("banReason", "x'00'", "is not text"),
    ("banExpires", "'never'", "is not a"),
    ("twoFactorEnabled", "x'01'", "is neither"),
];

fn all() -> UserQuery {
    UserQuery { sort: UserSort::Name, limit: 1, ..UserQuery::default() }
}

/// The ids of all pages of one user each.
fn pages(store: &mut dyn Store, sort: UserSort) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = store.users(&UserQuery { sort, after: after.take(), ..all() }).unwrap();
        ids.extend(page.users.into_iter().map(|user| user.id));
        match page.next {
            Some(next) if ids.len() < 9 => after = Some(next),
            _ => return ids,
        }
    }
}

/// Asserts that bob, whose row has one odd value, is shown and that every act on him works. He is deleted.
fn assert_acts_work(db: &Database, (column, value, problem): (&str, &str, &str)) {
    let store = &mut *db.store();
    let bob = by_id(store, "bob").unwrap();
    let is_named = matches!(&*bob.odd, [odd] if odd.column == column && odd.problem.starts_with(problem));
    assert!(is_named, "{column} = {value}: {bob:?}");
    for sort in [UserSort::Name, UserSort::Email, UserSort::Created] {
        let mut ids = pages(store, sort);
        ids.sort();
        assert_eq!(ids, ["ada", "bob", "cy"], "{column} = {value}, {sort:?}");
    }
    let odd = store.odd_rows(9).unwrap();
    assert_eq!((odd.rows, odd.values, odd.first[0].row.as_str()), (1, 1, "bob"), "{column} = {value}");
    assert!(odd.first[0].place.starts_with("user"), "{odd:?}");

    let named = UserChange { name: Some("Bob B.".into()), ..UserChange::default() };
    let renamed = store.update_user("bob", &named, AdminGuard::Off, at(1)).unwrap().unwrap();
    assert_eq!((renamed.user.name.as_str(), renamed.changed), ("Bob B.", true), "{column} = {value}");
    assert_eq!(renamed.user.odd.is_empty(), ["name", "updatedAt"].contains(&column), "{renamed:?}");
    assert!(set_password(store, "bob", "new hash", None, 2).unwrap().is_some());
    let ban = Some(Ban::Imposed { reason: None, until: None });
    let ban = UserChange { ban, end: EndSessions::Always, ..UserChange::default() };
    let banned = store.update_user("bob", &ban, AdminGuard::Off, at(3)).unwrap().unwrap();
    assert_eq!((banned.user.is_banned(at(3)), banned.ended.len()), (true, 1), "{column} = {value}");
    assert!(!banned.user.odd.iter().any(|odd| odd.column.starts_with("ban")), "{banned:?}");
    assert_eq!(delete_user(&mut *store, "bob", AdminGuard::Off, at(4)).unwrap().unwrap().sessions, 0);
    assert_eq!((db.count("user"), store.odd_rows(9).unwrap().rows), (2, 0), "{column} = {value}");
}

#[test]
fn odd_user_is_listed_named_and_acted_upon() {
    on_loose_engines(|db| {
        let mut store = with_loose_tables(db);
        for odd in ODD_USERS {
            if odd.0 == "twoFactorEnabled" && !db.engine.is_native {
                // The fixtures have no second factor.
                continue;
            }
            db.edit(&format!(r#"UPDATE "user" SET "{}" = {} WHERE "id" = 'bob'"#, odd.0, odd.1));
            assert_acts_work(db, *odd);
            store.create_user(&new_user("bob"), Some(&hash_of("bob")), None).unwrap();
            begin(&mut *store, "bobs", "bob", 0, 60);
        }
    });
}

#[test]
fn column_of_times_without_a_readable_value_is_listed_once() {
    on_loose_engines(|db| {
        let mut store = with_loose_tables(db);
        db.edit(
            r#"UPDATE "user" SET "createdAt" = 'soon', "name" = NULL; UPDATE "user" SET "createdAt" = NULL WHERE "id" = 'cy';
               UPDATE "user" SET "banExpires" = 'never' WHERE "id" = 'bob'"#,
        );
        let odd = store.odd_rows(3).unwrap();
        let columns: Vec<_> = odd.columns.iter().map(|column| (column.rows, column.files.is_some())).collect();
        assert_eq!((odd.rows, columns, odd.values), (3, vec![(3, false)], 4), "{odd:?}");
        let first: Vec<_> = odd.first.iter().map(|odd| (odd.row.as_str(), odd.value.column)).collect();
        assert_eq!(first, [("ada", "name"), ("bob", "name"), ("bob", "banExpires")]);
        // One value that can be read shows that the others are odd.
        db.edit(r#"UPDATE "user" SET "createdAt" = (SELECT max("updatedAt") FROM "user") WHERE "id" = 'cy'"#);
        let odd = store.odd_rows(9).unwrap();
        assert_eq!((odd.columns.len(), odd.values, odd.first.len()), (0, 6, 6), "{odd:?}");
        db.edit(r#"UPDATE "user" SET "createdAt" = NULL, "name" = 'A'"#);
        let odd = store.odd_rows(9).unwrap();
        assert_eq!(odd.columns.iter().map(|column| column.rows).collect::<Vec<_>>(), [3], "{odd:?}");
        assert!(odd.columns[0].to_string().contains(" is null in all 3 rows: correct them"), "{odd:?}");
    });
}

#[test]
fn value_that_cannot_be_read_gives_no_right() {
    on_loose_engines(|db| {
        let mut store = db.with(&["bob"]);
        begin(&mut *store, "one", "bob", 0, 60);
        db.edit(
            r#"UPDATE "user" SET "emailVerified" = 2, "banned" = 2, "createdAt" = 9223372036854775807,
               "banExpires" = 9223372036854775807; UPDATE "session" SET "expiresAt" = 9223372036854775807, "createdAt" = 9223372036854775807"#,
        );
        let (session, user) = store.session(&token_of("one")).unwrap().unwrap();
        assert!(!user.email_verified && user.is_banned(Timestamp::MAX), "{user:?}");
        assert_eq!((user.created_at, session.expires_at), (UNREADABLE, UNREADABLE));
        let rules = crate::auth::policy::Policy::default().session;
        for now in [at(0), at(60), Timestamp::MAX] {
            assert!(!session.is_live(now) && !session.is_fresh(now, &rules) && session.may_be_live(now), "{now}");
        }
        if db.engine.is_native {
            db.edit(r#"UPDATE "user" SET "twoFactorEnabled" = 2"#);
            assert!(by_id(&mut *store, "bob").unwrap().two_factor_enabled);
        }
        let info = store.info(at(1)).unwrap();
        assert_eq!((info.users, info.live_sessions, info.expired_sessions), (1, Some(0), Some(1)));
    });
}

#[test]
fn odd_column_is_written_when_the_act_is_about_it() {
    on_loose_engines(|db| {
        let mut store = db.with(&["bob"]);
        db.edit(r#"UPDATE "user" SET "emailVerified" = 2, "banned" = 7"#);
        let write = |store: &mut dyn Store, change: &UserChange, now| {
            store.update_user("bob", change, AdminGuard::Off, at(now)).unwrap().unwrap()
        };
        let ban = UserChange { ban: Some(Ban::Imposed { reason: None, until: None }), ..UserChange::default() };
        // Both read as they are then, and both are written.
        let banned = write(&mut *store, &ban, 1);
        assert_eq!((banned.changed, banned.user.odd.len()), (true, 1));
        let unverified = UserChange { email_verified: Some(false), ..UserChange::default() };
        let unverified = write(&mut *store, &unverified, 2);
        assert_eq!((unverified.changed, unverified.user.odd.len()), (true, 0));
        assert!(!write(&mut *store, &ban, 3).changed);
        let mut events = Vec::new();
        let mut take = |entry: crate::auth::audit::Entry| {
            events.push(entry.event);
            true
        };
        store.each_entry(0, &mut take).unwrap();
        events.retain(|event| event != "user.created" && !event.starts_with("act."));
        assert_eq!(events, ["user.banned", "email.unverified"]);
    });
}

#[test]
fn odd_session_is_listed_and_ended_with_the_others() {
    on_loose_engines(|db| {
        let odd = 9_223_372_036_854_775_807_i64;
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "odd", "ada", 0, 60);
        begin(&mut *store, "good", "ada", 1, 60);
        db.edit(&format!(r#"UPDATE "session" SET "expiresAt" = {odd}, "createdAt" = {odd} WHERE "id" = 'odd'"#));
        let mut found = names(&store.sessions("ada").unwrap());
        found.sort();
        assert_eq!(found, ["good", "odd"]);
        let mut addresses = Vec::new();
        let filter = SessionFilter::default();
        let mut note = |found: FoundSession| {
            addresses.push((found.email, found.session.odd.len()));
            true
        };
        let all = SessionQuery { user_id: None, filter: &filter, after: None, now: at(0) };
        store.each_session(&all, &mut note).unwrap();
        addresses.sort();
        assert_eq!(addresses, [("ada@example.com".to_owned(), 0), ("ada@example.com".to_owned(), 2)]);
        assert_eq!(store.odd_rows(1).unwrap().first.len(), 1);
        assert_eq!(store.odd_rows(9).unwrap().values, 2);
        assert_eq!(store.prune(at(70), &mut Pruning::by(9)).unwrap(), 1, "its end is not known to be over");
        assert_eq!(store.end_sessions("ada", &Which::All).unwrap().unwrap().len(), 1);
        assert_eq!(db.count("session"), 0);
    });
}

#[test]
fn admin_with_an_odd_ban_is_not_another_admin() {
    on_loose_engines(|db| {
        for (edit, is_kept) in [(r#""createdAt" = 9223372036854775807"#, false), (r#""banned" = 7"#, true)] {
            let db = &Database::new(db.engine);
            let mut store = db.with(&["ada", "bob"]);
            db.edit(&format!(r#"UPDATE "user" SET "role" = 'admin'; UPDATE "user" SET {edit} WHERE "id" = 'bob'"#));
            let deleted = delete_user(&mut *store, "ada", AdminGuard::KeepLastAdmin, at(0)).unwrap();
            assert_eq!(deleted.is_err(), is_kept, "{edit}");
        }
    });
}

/// A text stays a text, also one that looks like bytes, and the place of a row finds those without an id.
#[test]
fn session_with_an_odd_id_is_deleted_and_counted() {
    on_loose_engines(|db| {
        let mut store = with_loose_tables(db);
        for (name, id) in [("ada", "'0x10'"), ("bob", "x'0010'"), ("cy", "CAST(x'ff' AS TEXT)")] {
            db.edit(&format!(r#"UPDATE "session" SET "id" = {id} WHERE "id" = '{name}s'"#));
        }
        if db.engine.is_without_rowid {
            let left = store.end_sessions("cy", &Which::All);
            assert!(matches!(&left, Err(StoreError::NoId { place, .. }) if place == "session.id"), "{left:?}");
            db.edit(r#"DELETE FROM "session" WHERE "userId" = 'cy'"#);
        }
        let sessions = db.count("session") as usize;
        assert_eq!(store.count_expired(at(70)).unwrap(), sessions as u64);
        let pruned = [1, 1, 1].map(|limit| store.prune(at(70), &mut Pruning::by(limit)).unwrap());
        assert_eq!((&pruned[..sessions], db.count("session")), (&[1, 1, 1][..sessions], 0));
    });
}

/// Ends bob's session.
type EndSession = fn(&mut dyn Store);

#[test]
fn session_without_an_id_ends_with_its_user_or_token() {
    let by_password = |store: &mut dyn Store| drop(set_password(store, "bob", "new", Some(Which::All), 1).unwrap());
    let by_ban = |store: &mut dyn Store| {
        let ban = Some(Ban::Imposed { reason: None, until: None });
        let ban = UserChange { ban, end: EndSessions::Always, ..UserChange::default() };
        assert_eq!(store.update_user("bob", &ban, AdminGuard::Off, at(1)).unwrap().unwrap().ended.len(), 1);
    };
    let by_lockdown = |store: &mut dyn Store| {
        let lockdown = Lockdown { user_id: "bob", ban: None, guard: AdminGuard::Off, code: None, now: at(1) };
        assert_eq!(store.lock_down(&lockdown).unwrap().unwrap().1.of(AccessKind::Session), Some(1));
    };
    let ends: [(&str, EndSession); 8] = [
        ("token", |store| assert_eq!(store.end_session(&token_of("bobs")).unwrap().unwrap().user_id, "bob")),
        ("user", |store| assert_eq!(store.end_sessions("bob", &Which::All).unwrap().unwrap().len(), 1)),
        ("others", |store| {
            assert_eq!(store.end_sessions("bob", &Which::Others("x".into())).unwrap().unwrap().len(), 1);
        }),
        ("selection", |store| assert_eq!(store.end_sessions_by_id(&[], &["bob".into()]).unwrap().len(), 1)),
        ("password", by_password),
        ("ban", by_ban),
        ("lockdown", by_lockdown),
        ("deletion", |store| {
            assert_eq!(delete_user(store, "bob", AdminGuard::Off, at(1)).unwrap().unwrap().sessions, 1);
        }),
    ];
    on_loose_engines(|db| {
        // Such a table has no row without an id.
        for (how, end) in ends.into_iter().filter(|_| !db.engine.is_without_rowid) {
            let db = &Database::new(db.engine);
            let mut store = with_loose_tables(db);
            db.edit(r#"UPDATE "session" SET "id" = NULL WHERE "userId" <> 'cy'"#);
            end(&mut *store);
            assert_eq!(db.ask(r#"SELECT group_concat("userId", ' ') FROM "session""#).unwrap(), "ada cy", "{how}");
        }
    });
}

#[test]
fn session_without_an_id_is_named_and_refused_by_id() {
    on_loose_engines(|db| {
        if db.engine.is_without_rowid {
            return;
        }
        let mut store = with_loose_tables(db);
        let session = store.session(&token_of("bobs")).unwrap().unwrap().0;
        let caller =
            |id: &str| Caller { user_id: "bob".into(), session_id: id.into(), impersonated_by: None, now: at(1) };
        store.require_caller(Some(caller(&session.id)));
        assert!(store.end_sessions("ada", &Which::Others("adas".into())).unwrap().is_ok());
        db.edit(r#"UPDATE "session" SET "id" = NULL WHERE "userId" = 'bob'"#);
        let odd = store.odd_rows(9).unwrap();
        assert_eq!((odd.rows, odd.first[0].row.as_str()), (1, "(unreadable) of user bob"));
        store.require_caller(Some(caller("(unreadable)")));
        assert!(matches!(store.end_sessions("ada", &Which::All), Err(StoreError::NoId { .. })));
        store.require_caller(None);
        let chosen = store.end_sessions("bob", &Which::Ids(vec!["(unreadable)".into()])).unwrap();
        assert!(matches!(chosen, Err(AuthError::NoSuchSession(_))));
        assert_eq!(db.count("session"), 3);
    });
}

#[test]
fn code_without_an_id_ends_with_its_user_and_its_time() {
    let stored = |user: &str| StoredCode {
        user_id: user.into(),
        email: format!("{user}@example.com"),
        new_email: None,
        expires_at: at(60),
        made_at: None,
    };
    on_loose_engines(|db| {
        if db.engine.is_without_rowid {
            return;
        }
        let mut store = with_loose_tables(db);
        for name in ["ada", "bob", "cy"] {
            let secret = code(name);
            let (purpose, stored) = (Purpose::ResetPassword, stored(name));
            store.create_code(&NewCodeRow { id: name.into(), purpose, code: &secret, stored, now: at(0) }).unwrap();
        }
        db.edit(r#"UPDATE "verification" SET "id" = NULL"#);
        let lockdown = Lockdown { user_id: "bob", ban: None, guard: AdminGuard::Off, code: None, now: at(1) };
        store.lock_down(&lockdown).unwrap().unwrap();
        assert_eq!(db.count("verification"), 2);
        assert_eq!(delete_user(&mut *store, "ada", AdminGuard::Off, at(1)).unwrap().unwrap().codes, 1);
        assert_eq!((db.count("verification"), store.count_expired_codes(at(70)).unwrap()), (1, 1));
        assert_eq!(store.prune_codes(at(70), &mut Pruning::by(9)).unwrap(), 1);
        assert_eq!(db.count("verification"), 0);
    });
}
