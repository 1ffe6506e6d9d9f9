//! Acting as a user, with the moment moved freely.

use authctl::auth::ActAs;
use authctl::auth::store::AdminGuard;

use super::*;

/// Somebody acts as ada from second 0 on, for so many seconds.
fn act_as_ada(world: &mut World, seconds: i64) -> Token {
    let ada = world.at(0).find_user("ada@example.com").unwrap();
    let wish = world.wish(Lifetime::Exactly(SignedDuration::from_secs(seconds)));
    let by = "os:root@host".to_owned();
    let (user, session) = world.at(0).impersonate(&ada, by, &wish, ActAs::NoAdministrator).unwrap();
    assert_eq!((user, session.expires_at), (ada, at(seconds)));
    wish.token
}

#[test]
fn it_lasts_as_long_as_it_was_given_and_use_does_not_prolong_it() {
    let mut world = World::with_ada();
    for seconds in [60, DAY, 30 * DAY] {
        let token = act_as_ada(&mut world, seconds);
        for now in [0, 30, 59, DAY / 2, DAY - 1, 8 * DAY, 30 * DAY - 1] {
            if now < seconds {
                assert_eq!(world.signed_in(&token, now).session.expires_at, at(seconds), "{now}");
            }
        }
        assert!(world.at(seconds).signed_in(&token).is_err());
    }
}

#[test]
fn what_cannot_be_undone_is_refused_however_young_the_session_is() {
    let mut world = World::with_ada();
    let token = act_as_ada(&mut world, DAY);
    let me = world.signed_in(&token, 1);
    assert_eq!(me.actor(), "os:root@host");
    let refused = world.at(1).delete_account(&me, AdminGuard::Off);
    assert!(matches!(refused, Err(AuthError::Impersonated)), "{refused:?}");

    let own = world.sign_in("ada", 1, Lifetime::Remembered);
    let me = world.signed_in(&own, 1);
    assert_eq!(me.actor(), me.user.id);
    assert_eq!(world.at(1).delete_account(&me, AdminGuard::Off).unwrap(), 2);
}

#[test]
fn the_second_factor_and_a_wait_are_no_matter_and_a_ban_ends_it() {
    let mut world = World::with_ada();
    for _ in 0..6 {
        assert!(world.try_sign_in("ada", "wrong", 0).is_err());
    }
    world.edit(r#"UPDATE "user" SET "twoFactorEnabled" = 1; UPDATE "account" SET "password" = NULL"#);
    let token = act_as_ada(&mut world, DAY);
    let ada = world.signed_in(&token, 1).user;
    let ended = world.at(2).ban(&ada, None, None, AdminGuard::Off).unwrap().ended;
    assert_eq!(ended.len(), 1);
    assert!(world.at(2).signed_in(&token).is_err());
}
