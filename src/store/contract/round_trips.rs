//! How often an act on a server waits for an answer. The acts of all processes go one after the other, so each wait is one of
//! theirs too.

use super::*;
use crate::auth::policy::ThrottleRules;
use crate::store::postgres::waits;

/// What a reservation, a sign-in and the end of its session wait for.
fn waits_of(db: &Database) -> [usize; 3] {
    let mut store = db.with(&["ada"]);
    let mut counted = |act: &dyn Fn(&mut dyn Store)| {
        let before = waits();
        act(&mut *store);
        waits() - before
    };
    let attempts = attempts_of("ada");
    let reserve = counted(&|store| {
        store.reserve_attempt(&attempts, at(0), &ThrottleRules::default()).unwrap();
    });
    let begin = counted(&|store| {
        let session = new_session("one", "ada", at(3), at(63));
        store.begin_session(&session, &hash_of("ada"), None, None, &attempts).unwrap().unwrap();
    });
    let end = counted(&|store| {
        store.end_session(&token_of("one")).unwrap().unwrap();
    });
    [reserve, begin, end]
}

#[test]
fn sign_in_and_sign_out_wait_for_few_answers() {
    on_engines(|engine| engine.is_native && engine.is_typed, |db| assert_eq!(waits_of(db), [2, 4, 4]));
}

/// The attempts are in a file. The end of the session reads the catalog, before it begins.
#[test]
fn sign_in_and_sign_out_of_an_app_wait_for_few_answers() {
    on_engines(|engine| engine.name == "postgres_kysely", |db| assert_eq!(waits_of(db), [0, 4, 6]));
}
