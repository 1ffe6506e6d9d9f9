//! Signing up and signing in.

use super::*;

fn is_invalid<T>(result: &Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::InvalidCredentials))
}

#[test]
fn sign_in_ignores_the_case_of_the_address() {
    let mut world = World::with_ada();
    let session_request = world.session_request(Lifetime::Remembered);
    let request = SignIn { email: Email::parse("ADA@Example.COM").unwrap(), password: password(PASSWORD), otp: None };
    let (user, session) = world.at(5).sign_in(&request, &session_request).unwrap();
    assert_eq!((user.email.as_str(), session.user_id == user.id), ("ada@example.com", true));
    assert_eq!((session.created_at, session.expires_at), (at(5), at(5 + 7 * DAY)));
    assert_eq!(world.authenticate(&session_request.token, 6), SignedIn { session, user });
}

#[test]
fn sign_up_may_begin_a_session_and_takes_the_address() {
    let mut world = World::new();
    let session_request = world.session_request(Lifetime::Remembered);
    let (user, session) = world.create(0, "ada@example.com", "ada", Some(&session_request)).unwrap();
    assert_eq!(session.unwrap().expires_at, at(7 * DAY));
    assert_eq!(world.authenticate(&session_request.token, 1).user, user);

    let other = world.session_request(Lifetime::Remembered);
    let refused = world.create(1, "Ada@Example.com", "Twin", Some(&other));
    assert!(matches!(refused, Err(AuthError::UserExists)), "{refused:?}");
    assert!(world.at(1).authenticate(&other.token).is_err());
    assert_eq!(world.authenticate(&session_request.token, 1).user.name, "ada");
}

#[test]
fn every_unknown_or_unusable_account_looks_the_same() {
    let mut world = World::with_ada();
    for name in ["link", "foreign", "banned", "second-factor"] {
        world.sign_up(name);
    }
    world.edit(
        r#"UPDATE "account" SET "providerId" = 'github' WHERE "userId" = (SELECT "id" FROM "user" WHERE "name" = 'link');
           UPDATE "account" SET "password" = '$2b$12$abc' WHERE "userId" = (SELECT "id" FROM "user" WHERE "name" = 'foreign');
           UPDATE "user" SET "banned" = 1, "banReason" = 'spam' WHERE "name" = 'banned';
           UPDATE "user" SET "twoFactorEnabled" = 1 WHERE "name" = 'second-factor'"#,
    );
    let wrong = message(world.try_sign_in("ada", OTHER_PASSWORD, 0));
    assert_eq!(wrong, "invalid email or password (InvalidCredentials)");
    for name in ["unknown", "link", "foreign", "banned", "second-factor"] {
        assert_eq!(message(world.try_sign_in(name, OTHER_PASSWORD, 0)), wrong, "{name}");
    }
}

#[test]
fn unknown_and_known_addresses_wait_alike() {
    let mut world = World::with_ada();
    let mut story = |name: &str| {
        let tries =
            [0, 0, 0, 0, 0, 0, 14, 15, 15, 44, 45].map(|now| message(world.try_sign_in(name, OTHER_PASSWORD, now)));
        tries.join("\n")
    };
    assert_eq!(story("ada"), story("unknown"));
}

#[test]
fn waits_grow_until_a_success_clears_them() {
    let mut world = World::with_ada();
    for _ in 0..5 {
        assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, 0)));
    }
    assert_eq!(wait_of(world.try_sign_in("ada", PASSWORD, 0)), 15);
    assert_eq!(wait_of(world.try_sign_in("ada", PASSWORD, 14)), 1);
    assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, 15)));
    assert_eq!(wait_of(world.try_sign_in("ada", PASSWORD, 15)), 30);
    world.try_sign_in("ada", PASSWORD, 45).unwrap();
    for _ in 0..5 {
        assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, 45)));
    }
    assert_eq!(wait_of(world.try_sign_in("ada", PASSWORD, 45)), 15);
}

#[test]
fn failures_older_than_a_day_are_forgotten() {
    let mut world = World::with_ada();
    for now in [0, 0, 0, 0, 0, DAY, DAY] {
        assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, now)), "{now}");
    }
}

#[test]
fn password_check_clears_failures_without_a_session() {
    let mut world = World::with_ada();
    for _ in 0..4 {
        assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, 0)));
    }
    let ada = world.at(0).check_password(&request("ada", PASSWORD)).unwrap();
    assert_eq!(world.at(0).live_sessions(&ada.id).unwrap(), []);
    assert!(is_invalid(&world.at(0).check_password(&request("ada", OTHER_PASSWORD)).map(drop)));
    assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, 0)), "the fifth since the success is free");
}

#[test]
fn ban_shows_only_with_the_password_and_ends_in_time() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    world.edit(r#"UPDATE "user" SET "banned" = 1, "banReason" = 'spam', "banExpires" = 1790000100"#);
    let is_ban = |result: Result<(), AuthError>| match result {
        Err(AuthError::Banned { reason, until }) => (reason.as_deref(), until) == (Some("spam"), Some(at(100))),
        _ => false,
    };
    assert!(is_ban(world.try_sign_in("ada", PASSWORD, 99).map(drop)));
    assert!(is_ban(world.at(99).authenticate(&token).map(drop)), "a session does not outlast a ban");
    assert!(world.at(100).authenticate(&token).is_ok());
    world.try_sign_in("ada", PASSWORD, 100).unwrap();

    world.edit(r#"UPDATE "user" SET "banned" = 1, "banExpires" = NULL"#);
    let for_good = world.at(3_000_000_000).check_password(&request("ada", PASSWORD));
    assert!(matches!(for_good, Err(AuthError::Banned { until: None, .. })), "{for_good:?}");
}

#[test]
fn flag_without_a_factor_stops_a_sign_in_by_password() {
    let mut world = World::with_ada();
    world.edit(r#"UPDATE "user" SET "twoFactorEnabled" = 1"#);
    let refused = world.try_sign_in("ada", PASSWORD, 0);
    assert!(matches!(refused, Err(AuthError::FactorUnusable)), "{refused:?}");
    let sessions: i64 = world.sql().query_row(r#"SELECT count(*) FROM "session""#, [], |row| row.get(0)).unwrap();
    assert_eq!(sessions, 0);
}

#[test]
fn a_hash_below_the_policy_is_replaced_at_sign_in_and_only_then() {
    let mut world = World::new();
    let ada = world.sign_up("ada").id;
    let first = world.hash_of(&ada);
    assert!(first.starts_with("$argon2id$v=19$m=7168,t=1,p=1$"), "{first}");
    world.try_sign_in("ada", PASSWORD, 0).unwrap();
    assert_eq!(world.hash_of(&ada), first, "good enough");

    world.policy.password.cost.passes = 2;
    assert!(is_invalid(&world.try_sign_in("ada", OTHER_PASSWORD, 0)));
    assert_eq!(world.hash_of(&ada), first, "a wrong password replaces nothing");
    world.try_sign_in("ada", PASSWORD, 0).unwrap();
    let second = world.hash_of(&ada);
    assert!(second.starts_with("$argon2id$v=19$m=7168,t=2,p=1$"), "{second}");

    world.policy.password.cost = CHEAP;
    world.try_sign_in("ada", PASSWORD, 0).unwrap();
    assert_eq!(world.hash_of(&ada), second, "a hash that costs more than the policy stays");
}
