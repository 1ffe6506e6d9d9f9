//! Impersonation: its lifetime, and its end with the impersonator. Time is passed in.

use authctl::auth::storage::AdminGuard;
use authctl::auth::{ActAs, Impersonator, SignedOut};

use super::*;

/// An administrator acts as ada from second 0 on, for so many seconds.
fn act_as_ada(world: &mut World, seconds: i64) -> Token {
    act_as_ada_by(world, &Impersonator::System("os:root@host".to_owned()), seconds)
}

fn act_as_ada_by(world: &mut World, by: &Impersonator, seconds: i64) -> Token {
    let ada = world.at(0).find_user("ada@example.com").unwrap();
    let session_request = world.session_request(Lifetime::Exactly(SignedDuration::from_secs(seconds)));
    let (user, session) = world.at(0).impersonate(&ada, by, &session_request, ActAs::NonAdmins).unwrap();
    assert_eq!((user, session.expires_at), (ada, at(seconds)));
    session_request.token
}

#[test]
fn use_does_not_extend_an_impersonation() {
    let mut world = World::with_ada();
    for seconds in [60, DAY, 30 * DAY] {
        let token = act_as_ada(&mut world, seconds);
        for now in [0, 30, 59, DAY / 2, DAY - 1, 8 * DAY, 30 * DAY - 1] {
            if now < seconds {
                assert_eq!(world.authenticate(&token, now).session.expires_at, at(seconds), "{now}");
            }
        }
        assert!(world.at(seconds).authenticate(&token).is_err());
    }
}

#[test]
fn impersonated_session_gives_no_proof_that_the_user_acts() {
    let mut world = World::with_ada();
    let token = act_as_ada(&mut world, DAY);
    let me = world.authenticate(&token, 1);
    assert_eq!(me.actor(), "os:root@host");
    let refused = |refusal| matches!(refusal, Err(AuthError::Impersonated { email }) if email == "ada@example.com");
    assert!(refused(me.in_person().map(drop)));
    assert!(refused(world.at(1).require_fresh(&me)));

    let own = world.sign_in("ada", 1, Lifetime::Remembered);
    let me = world.authenticate(&own, 1);
    assert_eq!(me.actor(), me.user.id);
    assert_eq!(world.at(1).delete_account(me.in_person().unwrap(), AdminGuard::Off).unwrap().sessions, 2);
}

#[test]
fn impersonation_ends_with_the_rights_of_its_impersonator() {
    let mut world = World::with_ada();
    let root = world.sign_up("root").id;
    let set = |values: &str| format!(r#"UPDATE "user" SET {values} WHERE "id" = '{root}'"#);
    world.edit(&set(r#""role" = 'editor, admin'"#));
    let roots = world.sign_in("root", 0, Lifetime::Remembered);
    let by_root = Impersonator::Administrator(Box::new(world.authenticate(&roots, 0)));
    let by_root = act_as_ada_by(&mut world, &by_root, DAY);
    let by_os = act_as_ada(&mut world, DAY);
    world.authenticate(&by_root, 1);
    let ban_until_10 = at(10).as_second();
    for (change, undo) in [
        (set(r#""banned" = 1"#), set(r#""banned" = 0"#)),
        (set(&format!(r#""banned" = 1, "banExpires" = {ban_until_10}"#)), set(r#""banned" = 0"#)),
        (set(r#""role" = 'editor'"#), set(r#""role" = 'admin'"#)),
        (set(r#""role" = NULL"#), set(r#""role" = 'admin'"#)),
    ] {
        world.edit(&change);
        let refused = world.at(2).authenticate(&by_root);
        assert!(matches!(refused, Err(AuthError::NotSignedIn(SignedOut::ImpersonatorGone))), "{change}: {refused:?}");
        world.authenticate(&by_os, 2);
        world.edit(&undo);
        world.authenticate(&by_root, 2);
    }
    for (table, column) in [("account", "userId"), ("session", "userId"), ("user", "id")] {
        world.edit(&format!(r#"DELETE FROM "{table}" WHERE "{column}" = '{root}'"#));
    }
    let refused = world.at(2).authenticate(&by_root);
    assert!(matches!(refused, Err(AuthError::NotSignedIn(SignedOut::ImpersonatorGone))), "{refused:?}");
    world.authenticate(&by_os, 2);
}

#[test]
fn impersonation_needs_current_role_and_session() {
    let mut world = World::with_ada();
    let root = world.sign_up("root").id;
    let role = |role: &str| format!(r#"UPDATE "user" SET "role" = '{role}' WHERE "id" = '{root}'"#);
    world.edit(&role("admin"));
    let token = world.sign_in("root", 0, Lifetime::Remembered);
    let by_root = Impersonator::Administrator(Box::new(world.authenticate(&token, 0)));
    let ada = world.at(0).find_user("ada@example.com").unwrap();
    let session_request = world.session_request(Lifetime::Exactly(SignedDuration::from_secs(60)));
    world.edit(&role("user"));
    let refused = world.at(1).impersonate(&ada, &by_root, &session_request, ActAs::AnyUser);
    assert!(matches!(refused, Err(AuthError::NotSignedIn(SignedOut::ImpersonatorGone))), "{refused:?}");
    world.edit(&role("admin"));
    world.store.end_session(&token).unwrap().unwrap();
    let refused = world.at(1).impersonate(&ada, &by_root, &session_request, ActAs::AnyUser);
    assert!(matches!(refused, Err(AuthError::NotSignedIn(SignedOut::Ended))), "{refused:?}");
    assert!(world.at(1).live_sessions(&ada.id).unwrap().is_empty());
}

#[test]
fn second_factor_and_wait_allow_impersonation_until_a_ban() {
    let mut world = World::with_ada();
    for _ in 0..6 {
        assert!(world.try_sign_in("ada", "wrong", 0).is_err());
    }
    world.edit(r#"UPDATE "user" SET "twoFactorEnabled" = 1; UPDATE "account" SET "password" = NULL"#);
    let token = act_as_ada(&mut world, DAY);
    let ada = world.authenticate(&token, 1).user;
    let ended = world.at(2).ban(&ada, None, None, AdminGuard::Off).unwrap().ended;
    assert_eq!(ended.len(), 1);
    assert!(world.at(2).authenticate(&token).is_err());
}
