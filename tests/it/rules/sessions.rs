//! The lifetime of sessions: expiry, extension and freshness.

use authctl::auth::SignedOut;
use authctl::auth::storage::Which;

use super::*;

fn signed_out(world: &mut World, token: &Token, seconds: i64) -> SignedOut {
    match world.at(seconds).authenticate(token) {
        Err(AuthError::NotSignedIn(how)) => how,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn session_expires_after_exactly_seven_days() {
    let mut world = World::with_ada();
    let used = world.sign_in("ada", 0, Lifetime::Remembered);
    let unused = world.sign_in("ada", 0, Lifetime::Remembered);
    assert_eq!(world.authenticate(&used, 7 * DAY - 1).user.name, "ada");
    assert_eq!(signed_out(&mut world, &unused, 7 * DAY), SignedOut::Expired);
    assert_eq!(world.authenticate(&used, 7 * DAY).session.expires_at, at(14 * DAY - 1));
}

#[test]
fn used_session_is_extended_once_a_day() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let connection = world.sql();
    // A commit by another connection changes the value of this pragma.
    let writes = || connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = writes();
    for seconds in [0, 1, DAY / 2, DAY - 1] {
        assert_eq!(world.authenticate(&token, seconds).session.expires_at, at(7 * DAY), "{seconds}");
    }
    assert_eq!(writes(), before, "nothing was written");
    let moved = world.authenticate(&token, DAY).session;
    assert_eq!((moved.created_at, moved.updated_at, moved.expires_at), (at(0), at(DAY), at(8 * DAY)));
    assert_ne!(writes(), before);
    assert_eq!(world.authenticate(&token, 2 * DAY - 1).session.expires_at, at(8 * DAY));
    assert_eq!(world.authenticate(&token, 2 * DAY).session.expires_at, at(9 * DAY));
}

#[test]
fn used_session_lives_on_and_a_short_one_ends() {
    let mut world = World::with_ada();
    let long = world.sign_in("ada", 0, Lifetime::Remembered);
    let short = world.sign_in("ada", 0, Lifetime::Short);
    for day in 1..40 {
        let session = world.authenticate(&long, day * DAY).session;
        assert_eq!(session.expires_at.duration_since(at(day * DAY)), days(7), "day {day}");
    }
    for seconds in [1, DAY / 2, DAY - 1] {
        assert_eq!(world.authenticate(&short, seconds).session.expires_at, at(DAY), "{seconds}");
    }
    assert_eq!(signed_out(&mut world, &short, DAY), SignedOut::Expired);
}

#[test]
fn short_session_is_never_extended() {
    let mut world = World::with_ada();
    world.policy.session.move_after = SignedDuration::from_hours(1);
    let long = world.sign_in("ada", 0, Lifetime::Remembered);
    let short = world.sign_in("ada", 0, Lifetime::Short);
    assert_eq!(world.authenticate(&long, DAY / 2).session.expires_at, at(DAY / 2 + 7 * DAY));
    assert_eq!(world.authenticate(&short, DAY / 2).session.expires_at, at(DAY));
    assert_eq!(signed_out(&mut world, &short, DAY), SignedOut::Expired);
}

#[test]
fn moving_a_session_does_not_make_it_fresh() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let me = world.authenticate(&token, DAY - 1);
    assert!(world.at(DAY - 1).require_fresh(&me).is_ok());
    let moved = world.authenticate(&token, DAY);
    let stale = world.at(DAY).require_fresh(&moved);
    assert!(matches!(stale, Err(AuthError::NotFresh)), "{stale:?}");
    let before_it_began = world.at(-DAY).require_fresh(&me);
    assert!(matches!(before_it_began, Err(AuthError::NotFresh)), "{before_it_began:?}");
}

#[test]
fn an_ended_session_and_an_unknown_token_are_the_same() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    assert!(world.store.end_session(&token).unwrap().is_some());
    let unknown = world.entropy.token().unwrap();
    assert_eq!(signed_out(&mut world, &token, 1), SignedOut::Ended);
    assert_eq!(signed_out(&mut world, &unknown, 1), SignedOut::Ended);
}

#[test]
fn only_live_sessions_are_listed_chosen_and_counted_as_ended() {
    let mut world = World::with_ada();
    let short = world.sign_in("ada", 0, Lifetime::Short);
    let long = world.sign_in("ada", 1, Lifetime::Remembered);
    let (short, long) = (world.authenticate(&short, 1), world.authenticate(&long, 1));
    let ada = &short.user.id;
    assert_eq!(world.at(DAY - 1).live_sessions(ada).unwrap(), [long.session.clone(), short.session.clone()]);
    assert_eq!(world.at(DAY).live_sessions(ada).unwrap(), std::slice::from_ref(&long.session));

    let both = Which::Ids(vec![long.session.id.clone(), short.session.id.clone()]);
    let me = long.in_person().unwrap();
    for refused in [world.at(DAY).choose_sessions(me, &both), world.at(DAY).end_sessions(me, &both)] {
        assert!(matches!(&refused, Err(AuthError::NoSuchSession(id)) if *id == short.session.id), "{refused:?}");
    }
    assert_eq!(world.at(DAY - 1).choose_sessions(me, &both).unwrap().len(), 2, "nothing has ended");
    assert_eq!(world.at(DAY).end_sessions(me, &Which::All).unwrap(), std::slice::from_ref(&long.session));
    assert_eq!(world.at(0).live_sessions(ada).unwrap(), []);
}

#[test]
fn session_of_another_user_is_not_found() {
    let mut world = World::with_ada();
    world.sign_up("eve");
    let eve = world.sign_in("eve", 0, Lifetime::Remembered);
    let eve = world.authenticate(&eve, 0);
    let me = eve.in_person().unwrap();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let id = world.authenticate(&token, 0).session.id;
    let refused = world.at(0).end_sessions(me, &Which::Ids(vec![id.clone()]));
    assert!(matches!(&refused, Err(AuthError::NoSuchSession(named)) if *named == id), "{refused:?}");
    assert_eq!(world.at(0).end_sessions(me, &Which::Others(eve.session.id.clone())).unwrap(), []);
    assert_eq!(world.authenticate(&token, 1).session.id, id);
}
