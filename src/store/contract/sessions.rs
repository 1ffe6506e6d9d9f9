//! Sessions: how they begin, move, end and expire, and the caller who acts in one.

use super::audit::entries;
use super::*;
use crate::auth::codes::Purpose;
use crate::auth::policy::ThrottleRules;
use crate::auth::prune::Pruning;
use crate::auth::storage::{AdminGuard, CodeEffect, CodeProof, CodeUse, NewCodeRow, UserChange};
use crate::auth::throttle::Decision;
use crate::auth::{ActAs, AuthError, Caller, SignedOut};

fn attempt(store: &mut dyn Store) -> Decision {
    store.count_attempt(&attempts_of("ada"), at(0), &ThrottleRules::default()).unwrap()
}

#[test]
fn sign_in_creates_the_session_and_clears_failed_attempts() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        attempt(&mut *store);
        let client_info =
            ClientInfo { ip_address: Some("192.0.2.1".into()), user_agent: Some("authctl ada@host".into()) };
        let wanted = NewSessionRow { client_info, ..new_session("first", "ada", at(3), at(63)) };
        let begun = store.begin_session(&wanted, &hash_of("ada"), None, None, &attempts_of("ada")).unwrap().unwrap();
        let expected = Session {
            id: "first".into(),
            user_id: "ada".into(),
            expires_at: at(63),
            created_at: at(3),
            updated_at: at(3),
            ip_address: Some("192.0.2.1".into()),
            user_agent: Some("authctl ada@host".into()),
            impersonated_by: None,
            odd: Vec::new(),
        };
        assert_eq!(begun, expected);
        assert_eq!(store.sessions("ada").unwrap(), [expected]);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert!(matches!(attempt(&mut *store), Decision::Proceed(attempts) if attempts.count == 1));
    });
}

#[test]
fn sign_in_replaces_an_outdated_hash() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let wanted = new_session("first", "ada", at(3), at(63));
        let upgraded = hash("costlier hash");
        store.begin_session(&wanted, &hash_of("ada"), Some(&upgraded), None, &attempts_of("ada")).unwrap().unwrap();
        assert_eq!(stored_hash(&mut *db.store(), "ada").unwrap(), "costlier hash");
        assert_eq!(stored_hash(&mut *store, "bob").unwrap(), "hash of bob");
    });
}

#[test]
fn sign_in_is_refused_when_the_password_has_changed() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        attempt(&mut *store);
        let wanted = new_session("first", "ada", at(3), at(63));
        let upgraded = hash("costlier hash");
        let begun =
            store.begin_session(&wanted, &hash("an older hash"), Some(&upgraded), None, &attempts_of("ada")).unwrap();
        assert_eq!(begun, None);
        assert_eq!(ids(&mut *store, "ada"), [""; 0]);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert!(matches!(attempt(&mut *store), Decision::Proceed(attempts) if attempts.count == 2));
    });
}

#[test]
fn sign_in_is_refused_without_a_user_or_a_password() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        db.edit(r#"UPDATE "account" SET "password" = NULL"#);
        for user in ["ada", "bob"] {
            let wanted = new_session("first", user, at(3), at(63));
            let begun = store.begin_session(&wanted, &hash_of(user), None, None, &attempts_of(user)).unwrap();
            assert_eq!(begun, None, "{user}");
        }
        assert_eq!(db.count("session"), 0);
    });
}

#[test]
fn failed_sign_in_does_not_replace_the_hash() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        attempt(&mut *store);
        let same_token = NewSessionRow { id: "second".into(), ..new_session("first", "ada", at(3), at(63)) };
        let upgraded = hash("costlier hash");
        store.begin_session(&same_token, &hash_of("ada"), Some(&upgraded), None, &attempts_of("ada")).unwrap_err();
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), "hash of ada");
        assert!(matches!(attempt(&mut *store), Decision::Proceed(attempts) if attempts.count == 2));
    });
}

#[test]
fn session_is_found_by_token_even_when_expired() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let live = begin(&mut *store, "live", "ada", 0, 1_000_000_000);
        let over = begin(&mut *store, "over", "bob", 0, -1_000_000_000);
        let (ada, bob) = (by_id(&mut *store, "ada").unwrap(), by_id(&mut *store, "bob").unwrap());
        assert_eq!(store.session(&token_of("live")).unwrap(), Some((live, ada)));
        assert_eq!(store.session(&token_of("over")).unwrap(), Some((over, bob)));
    });
}

#[test]
fn unknown_token_or_stored_digest_finds_no_session() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        // An app stores its tokens in plain text, so there the stored text is the token.
        let held = db.ask(r#"SELECT "token" FROM "session""#).filter(|_| db.engine.is_native);
        for token in ["first", "token of", "TOKEN OF FIRST", "token of first ", "%", &held.unwrap_or("held".into())] {
            let token = Token::from_bytes(token.as_bytes()).unwrap();
            assert_eq!(store.session(&token).unwrap(), None, "{}", token.expose());
        }
    });
}

#[test]
fn sessions_of_the_user_are_listed_newest_first() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for (id, user, now, end) in [
            ("b-old", "ada", 10, 20),
            ("a-newest", "ada", 30, 31),
            ("c-oldest", "ada", 0, 5_000),
            ("bobs", "bob", 40, 50),
            ("d-middle", "ada", 20, 10_000),
        ] {
            begin(&mut *store, id, user, now, end);
        }
        // The order is that of `createdAt`, which a move does not change.
        store.move_session("c-oldest", at(100), at(9_999)).unwrap();
        assert_eq!(ids(&mut *store, "ada"), ["a-newest", "d-middle", "b-old", "c-oldest"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn sessions_of_the_same_second_are_listed_last_stored_first() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for (id, now) in [("c", 0), ("d", 10), ("a", 0), ("b", 0)] {
            begin(&mut *store, id, "ada", now, 5_000);
        }
        let expected = if db.engine.is_without_rowid { ["d", "c", "b", "a"] } else { ["d", "b", "a", "c"] };
        assert_eq!(ids(&mut *store, "ada"), expected);
    });
}

#[test]
fn moved_session_keeps_its_creation_time() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let before = begin(&mut *store, "first", "ada", 0, 60);
        let other = begin(&mut *store, "other", "ada", 0, 60);
        let moved = store.move_session("first", at(30), at(90)).unwrap().unwrap();
        assert_eq!(moved, Session { updated_at: at(30), expires_at: at(90), ..before });
        let found = |id| db.store().session(&token_of(id)).unwrap().unwrap().0;
        assert_eq!((found("first"), found("other")), (moved, other));
    });
}

#[test]
fn ended_session_is_not_moved() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        db.store().end_session(&token_of("first")).unwrap().unwrap();
        assert_eq!(store.move_session("first", at(30), at(90)).unwrap(), None);
        assert_eq!(store.session(&token_of("first")).unwrap(), None);
    });
}

#[test]
fn empty_client_info_is_read_as_absent() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "first", "ada", 0, 60);
        db.edit(r#"UPDATE "session" SET "ipAddress" = '', "userAgent" = '', "impersonatedBy" = 'root'"#);
        let session = store.session(&token_of("first")).unwrap().unwrap().0;
        assert_eq!((session.ip_address, session.user_agent), (None, None));
        assert_eq!(session.impersonated_by.unwrap(), "root");
    });
}

/// Ada's sessions `three`, `two` and the expired `one`, and bob's `bobs`.
fn sessions_to_end(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    begin(&mut *store, "one", "ada", 0, -1_000_000_000);
    begin(&mut *store, "two", "ada", 1, 60);
    begin(&mut *store, "three", "ada", 2, 60);
    begin(&mut *store, "bobs", "bob", 0, 60);
    store
}

fn end(store: &mut dyn Store, user: &str, which: &Which) -> Vec<String> {
    names(&store.end_sessions(user, which).unwrap().unwrap())
}

fn of(ids: &[&str]) -> Which {
    Which::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

#[test]
fn session_ends_once_and_is_returned() {
    on_every_engine(|db| {
        let mut store = sessions_to_end(db);
        let (session, _) = store.session(&token_of("two")).unwrap().unwrap();
        assert_eq!(store.end_session(&token_of("two")).unwrap(), Some(session));
        assert_eq!(store.end_session(&token_of("two")).unwrap(), None);
        assert_eq!(store.session(&token_of("two")).unwrap(), None);
        assert_eq!(ids(&mut *store, "ada"), ["three", "one"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn row_of_another_program_keeps_a_session() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        let reference = r#"TEXT REFERENCES "session" ("id")"#;
        db.edit(&format!("CREATE TABLE visit (id TEXT PRIMARY KEY, during {reference})"));
        db.edit("INSERT INTO visit VALUES ('first', 'adas')");
        db.edit(&format!("CREATE TABLE page (id TEXT PRIMARY KEY, during {reference} ON DELETE CASCADE)"));
        db.edit("INSERT INTO page VALUES ('first', 'adas'), ('second', 'bobs')");
        let kept = store.end_session(&token_of("adas"));
        assert!(matches!(kept, Err(StoreError::Held(holders)) if holders[0].table == "visit"));
        assert!(store.end_session(&token_of("bobs")).unwrap().is_some());
        assert_eq!(db.count("page"), 1, "the key says that the row goes");
    });
}

#[test]
fn ending_all_sessions_includes_expired_ones() {
    on_every_engine(|db| {
        let mut store = sessions_to_end(db);
        let before = store.sessions("ada").unwrap();
        assert_eq!(store.end_sessions("ada", &Which::All).unwrap().unwrap(), before);
        assert_eq!(ids(&mut *db.store(), "ada"), [""; 0]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
        assert_eq!(end(&mut *store, "ada", &Which::All), [""; 0]);
    });
}

#[test]
fn ending_other_sessions_keeps_the_named_one() {
    on_every_engine(|db| {
        let mut store = sessions_to_end(db);
        assert_eq!(end(&mut *store, "ada", &Which::Others("two".into())), ["three", "one"]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn sessions_end_by_id_even_when_named_twice() {
    on_every_engine(|db| {
        let mut store = sessions_to_end(db);
        assert_eq!(end(&mut *store, "ada", &of(&["one", "three", "one"])), ["three", "one"]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
        assert_eq!(end(&mut *store, "ada", &of(&[])), [""; 0]);
        assert_eq!(ids(&mut *store, "ada"), ["two"]);
    });
}

#[test]
fn id_of_another_user_ends_no_session() {
    on_every_engine(|db| {
        let mut store = sessions_to_end(db);
        for (asked, missing) in [
            (of(&["one", "nowhere"]), "nowhere"),
            (of(&["two", "bobs", "nowhere"]), "bobs"),
            (of(&["t"]), "t"),
            (of(&["%"]), "%"),
            (of(&[""]), ""),
        ] {
            let refused = store.end_sessions("ada", &asked).unwrap();
            assert!(matches!(&refused, Err(AuthError::NoSuchSession(id)) if id == missing), "{refused:?}");
            assert_eq!(ids(&mut *store, "ada"), ["three", "two", "one"], "{asked:?}");
            assert_eq!(ids(&mut *store, "bob"), ["bobs"], "{asked:?}");
        }
    });
}

/// Sessions that expire at seconds 10, 20, 30 and 40.
fn sessions_to_prune(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    for (id, user, end) in [("at-20", "bob", 20), ("at-40", "ada", 40), ("at-10", "ada", 10), ("at-30", "ada", 30)] {
        begin(&mut *store, id, user, 0, end);
    }
    store
}

#[test]
fn session_is_expired_at_its_expiry_time() {
    on_every_engine(|db| {
        let mut store = sessions_to_prune(db);
        let counts = [9, 10, 19, 20, 30, 39, 40].map(|now| store.count_expired(at(now)).unwrap());
        assert_eq!(counts, [0, 1, 1, 2, 3, 3, 4]);
        assert_eq!(store.prune(at(19), &mut Pruning::by(100)).unwrap(), 1);
        assert_eq!(store.prune(at(20), &mut Pruning::by(100)).unwrap(), 1);
        let mut left = ids(&mut *db.store(), "ada");
        left.sort();
        assert_eq!(left, ["at-30", "at-40"]);
        assert_eq!(ids(&mut *store, "bob"), [""; 0]);
    });
}

#[test]
fn count_of_expired_sessions_deletes_nothing() {
    on_every_engine(|db| {
        let mut store = sessions_to_prune(db);
        let counted = store.count_expired(at(30)).unwrap();
        assert_eq!(db.count("session"), 4);
        assert_eq!(store.prune(at(30), &mut Pruning::by(100)).unwrap(), counted);
        assert_eq!(store.count_expired(at(30)).unwrap(), 0);
    });
}

#[test]
fn prune_deletes_at_most_the_limit() {
    on_every_engine(|db| {
        let mut store = sessions_to_prune(db);
        let pruned = [0, 2, 2, 2].map(|limit| store.prune(at(30), &mut Pruning::by(limit)).unwrap());
        assert_eq!(pruned, [0, 2, 1, 0]);
        assert_eq!(ids(&mut *store, "ada"), ["at-40"]);
        assert_eq!(ids(&mut *store, "bob"), [""; 0]);
    });
}

/// Sets the time of the first (`min`) or last (`max`) entry of the log; the others are from 1970.
fn date(db: &Database, which: &str, seconds: i64) {
    let seq = format!(r#"(SELECT {which}("seq") FROM "authctl_audit")"#);
    let at = at(seconds).as_second();
    db.edit(&format!(r#"UPDATE "authctl_audit" SET "at" = {at} WHERE "seq" = {seq}"#));
}

#[test]
fn session_from_the_future_is_pruned() {
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
        // The end of the one that is a day ahead is that of a live session.
        assert_eq!((info.live_sessions, info.expired_sessions), (Some(3), Some(1)));
        let pruned = [1, 1, 1].map(|limit| store.prune(at(0), &mut Pruning::by(limit)).unwrap());
        assert_eq!(pruned, [1, 1, 0]);
        assert_eq!(ids(&mut *store, "ada"), ["soon", "now"]);
    });
}

#[test]
fn clock_behind_the_log_prunes_no_session_from_the_future() {
    on_every_engine(|db| {
        const DAY: i64 = 86_400;
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "later", "ada", 900 * DAY, 907 * DAY);
        for (first, newest, pruned) in [(0, DAY + 1, 0), (DAY + 1, 0, 0), (DAY, DAY, 1)] {
            date(db, "min", first);
            date(db, "max", newest);
            assert_eq!(store.count_expired(at(0)).unwrap(), pruned);
            assert_eq!(store.prune(at(0), &mut Pruning::by(10)).unwrap(), pruned);
        }
    });
}

/// The caller in ada's session `mine` at second 3.
fn caller() -> Caller {
    Caller { user_id: "ada".into(), session_id: "mine".into(), impersonated_by: None, now: at(3) }
}

fn with_caller(db: &Database) -> Box<dyn Store> {
    let mut store = db.with(&["ada", "bob"]);
    begin(&mut *store, "mine", "ada", 0, 60);
    begin(&mut *store, "other", "ada", 0, 60);
    store
}

type Act = fn(&mut dyn Store) -> Result<(), StoreError>;

fn new_code(code: &Code) -> NewCodeRow<'_> {
    let (id, stored) = (format!("row of {}", code.expose()), stored_code("ada", None));
    NewCodeRow { id, purpose: Purpose::EmailVerification, code, stored, now: at(3) }
}

fn rename(store: &mut dyn Store) -> Result<(), StoreError> {
    let change = UserChange { name: Some("Eve".into()), ..UserChange::default() };
    store.update_user("ada", &change, AdminGuard::Off, at(3)).map(drop)
}

/// Every act on the tables of users, with its name.
const ACTS: [(&str, Act); 12] = [
    ("update", rename),
    ("delete", |store| delete_user(store, "ada", AdminGuard::Off, at(3)).map(drop)),
    ("end", |store| store.end_sessions("ada", &Which::Others("mine".into())).map(drop)),
    ("end by id", |store| store.end_sessions_by_id(&["other".into()], &[]).map(drop)),
    ("end by token", |store| store.end_session(&token_of("other")).map(drop)),
    ("move", |store| store.move_session("other", at(3), at(90)).map(drop)),
    ("replace password", |store| replace_password(store, "hash of ada", "new", Some(Which::All), 3).map(drop)),
    ("set password", |store| set_password(store, "ada", "new", None, 3).map(drop)),
    ("create code", |store| store.create_code(&new_code(&code("secret")))),
    ("rehearse code", |store| store.rehearse_code(&new_code(&code("secret")))),
    ("use code", |store| {
        let (code, change) = (code("kept"), UserChange::default());
        let effect = CodeEffect::User(&change);
        let purpose = Purpose::EmailVerification;
        store.use_code(&CodeUse { purpose, code: &code, proof: CodeProof::Nothing, effect, now: at(3) }).map(drop)
    }),
    ("issue session", |store| {
        store.issue_session(&new_session("issued", "bob", at(3), at(63)), ActAs::AnyUser).map(drop)
    }),
];

/// Everything that an act could change.
fn state(db: &Database, store: &mut dyn Store) -> String {
    let code = store.code(Purpose::EmailVerification, &code("kept")).unwrap();
    let users =
        ["ada", "bob"].map(|user| (by_id(store, user), stored_hash(store, user), store.sessions(user).unwrap()));
    format!("{users:?} {code:?} {} {}", db.count("verification"), entries(store, 0).len())
}

#[test]
fn acts_of_a_signed_out_caller_change_nothing() {
    on_every_engine(|db| {
        let mut store = with_caller(db);
        store.create_code(&new_code(&code("kept"))).unwrap();
        let before = state(db, &mut *store);
        let another = |change: fn(&mut Caller)| {
            let mut caller = caller();
            change(&mut caller);
            caller
        };
        for (caller, why) in [
            (another(|caller| caller.session_id = "gone".into()), SignedOut::Ended),
            (another(|caller| caller.user_id = "bob".into()), SignedOut::Ended),
            (another(|caller| caller.impersonated_by = Some("os:root@host".into())), SignedOut::Ended),
            (another(|caller| caller.now = at(60)), SignedOut::Expired),
        ] {
            for (name, act) in ACTS {
                store.require_caller(Some(caller.clone()));
                let done = act(&mut *store);
                store.require_caller(None);
                let Err(StoreError::Caller(refused)) = done else { unreachable!("{name}: {done:?}") };
                assert!(matches!(*refused, AuthError::NotSignedIn(found) if found == why), "{name}: {refused:?}");
                assert_eq!(state(db, &mut *store), before, "{name}");
            }
        }
    });
}

#[test]
fn acts_of_a_banned_caller_change_nothing() {
    on_every_engine(|db| {
        let mut store = with_caller(db);
        db.edit(r#"UPDATE "user" SET "banned" = '1', "banReason" = 'spam' WHERE "id" = 'ada'"#);
        let before = state(db, &mut *store);
        for (name, act) in ACTS {
            store.require_caller(Some(caller()));
            let done = act(&mut *store);
            store.require_caller(None);
            let Err(StoreError::Caller(refused)) = done else { unreachable!("{name}: {done:?}") };
            assert!(matches!(*refused, AuthError::Banned { .. }), "{name}: {refused:?}");
            assert_eq!(state(db, &mut *store), before, "{name}");
        }
    });
}

#[test]
fn acts_of_a_signed_in_caller_take_effect() {
    on_every_engine(|db| {
        for (name, act) in ACTS {
            let db = &Database::new(db.engine);
            let mut store = with_caller(db);
            store.create_code(&new_code(&code("kept"))).unwrap();
            let before = state(db, &mut *store);
            store.require_caller(Some(caller()));
            act(&mut *store).unwrap();
            let after = state(db, &mut *store);
            assert_eq!(after == before, name == "rehearse code", "{name}: {after}");
        }
    });
}

#[test]
fn ended_session_of_the_caller_stops_the_next_act() {
    on_every_engine(|db| {
        let mut store = with_caller(db);
        store.require_caller(Some(caller()));
        rename(&mut *store).unwrap();
        db.store().end_session(&token_of("mine")).unwrap().unwrap();
        let refused = rename(&mut *store).unwrap_err();
        assert!(matches!(refused, StoreError::Caller(_)), "{refused:?}");
        // Without a caller, the store acts for an operator.
        store.require_caller(None);
        rename(&mut *store).unwrap();
    });
}

#[test]
fn impersonator_without_the_role_cannot_act() {
    on_every_engine(|db| {
        let mut store = with_caller(db);
        let bob = |values: &str| db.edit(&format!(r#"UPDATE "user" SET {values} WHERE "id" = 'bob'"#));
        bob(r#""role" = 'admin'"#);
        let acting =
            NewSessionRow { impersonated_by: Some("bob".into()), ..new_session("acting", "ada", at(3), at(63)) };
        store.issue_session(&acting, ActAs::NonAdmins).unwrap().unwrap();
        let caller = Caller { session_id: "acting".into(), impersonated_by: Some("bob".into()), ..caller() };
        store.require_caller(Some(caller));
        rename(&mut *store).unwrap();
        bob(r#""role" = 'user'"#);
        let refused = AuthError::from(rename(&mut *store).unwrap_err());
        assert!(matches!(refused, AuthError::NotSignedIn(SignedOut::ImpersonatorGone)), "{refused:?}");
        // A former administrator cannot start a session either: the store checks the role again.
        store.require_caller(None);
        let again = NewSessionRow { id: "again".into(), token: token_of("again"), ..acting };
        let refused = store.issue_session(&again, ActAs::AnyUser).unwrap().unwrap_err();
        assert!(matches!(refused, AuthError::NotSignedIn(SignedOut::ImpersonatorGone)), "{refused:?}");
        assert_eq!(ids(&mut *store, "ada").len(), 3);
    });
}
