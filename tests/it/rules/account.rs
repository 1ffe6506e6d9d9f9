//! Acts of users on their own account, with time passed in.

use authctl::auth::storage::{AdminGuard, Which};
use authctl::auth::user::ProfileError;
use authctl::auth::{Scope, SignedOut};

use super::*;

/// Ada signed in at second 0, and her token.
fn ada(world: &mut World) -> (SignedIn, Token) {
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    (world.authenticate(&token, 0), token)
}

#[test]
fn new_password_ends_other_sessions_and_counts_live_ones() {
    let mut world = World::with_ada();
    let short = world.sign_in("ada", 0, Lifetime::Short);
    let other = world.sign_in("ada", 0, Lifetime::Remembered);
    let (me, mine) = ada(&mut world);
    let changed = world
        .at(DAY)
        .change_password(me.in_person().unwrap(), &password(PASSWORD), &password(OTHER_PASSWORD), None, false)
        .unwrap();
    assert_eq!(changed.sessions_ended, 1, "the short one was over");
    assert_eq!(world.authenticate(&mine, DAY).session.id, me.session.id);
    for ended in [&short, &other] {
        assert!(matches!(world.at(0).authenticate(ended), Err(AuthError::NotSignedIn(SignedOut::Ended))));
    }
    let old = world.try_sign_in("ada", PASSWORD, DAY);
    assert!(matches!(old, Err(AuthError::InvalidCredentials)), "{old:?}");
    world.try_sign_in("ada", OTHER_PASSWORD, DAY).unwrap();
}

/// The result of each act of a user.
fn acts(world: &mut World, me: &SignedIn, seconds: i64) -> [Result<(), AuthError>; 6] {
    let own = Scope::Own(me.in_person().unwrap().keep());
    let new = Email::parse("ada@example.org").unwrap();
    [
        world
            .at(seconds)
            .change_password(me.in_person().unwrap(), &password(PASSWORD), &password(OTHER_PASSWORD), None, false)
            .map(drop),
        world.at(seconds).update_profile(me.in_person().unwrap(), Some("Eve"), None).map(drop),
        world.at(seconds).change_email(me.in_person().unwrap(), &new).map(drop),
        world.at(seconds).end_sessions(me.in_person().unwrap(), &Which::All).map(drop),
        world.at(seconds).end_chosen(&own, std::slice::from_ref(&me.session)).map(drop),
        world.at(seconds).delete_account(me.in_person().unwrap(), AdminGuard::Off).map(drop),
    ]
}

#[test]
fn session_that_ended_after_it_was_checked_does_nothing() {
    let mut world = World::with_ada();
    let (me, token) = ada(&mut world);
    for result in acts(&mut world, &me, 7 * DAY) {
        assert!(matches!(result, Err(AuthError::NotSignedIn(SignedOut::Expired))), "{result:?}");
    }
    world.edit(r#"UPDATE "user" SET "banned" = 1"#);
    for result in acts(&mut world, &me, 1) {
        assert!(matches!(result, Err(AuthError::Banned { .. })), "{result:?}");
    }
    world.edit(r#"UPDATE "user" SET "banned" = 0"#);
    world.store.end_session(&token).unwrap().unwrap();
    for result in acts(&mut world, &me, 1) {
        assert!(matches!(result, Err(AuthError::NotSignedIn(SignedOut::Ended))), "{result:?}");
    }
    assert_eq!(world.at(1).find_user("ada@example.com").unwrap().name, "ada");
    world.try_sign_in("ada", PASSWORD, 1).unwrap();
}

/// Ends the session when the act next requests randomness: after it has read the session, before its
/// transaction.
fn end_session_during_the_act(world: &mut World) {
    let sql = world.sql();
    world.entropy = Entropy::new(move |buffer| {
        buffer.fill(7);
        sql.execute_batch(r#"DELETE FROM "session""#).unwrap();
        Ok(())
    });
}

/// An act of a signed-in user.
type Act<'a> = &'a dyn Fn(&mut World, &SignedIn) -> Result<(), AuthError>;

#[test]
fn session_that_ends_during_an_act_stops_it() {
    let new = Email::parse("ada@example.org").unwrap();
    let change_password = |world: &mut World, me: &SignedIn| {
        let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        world.at(1).change_password(me.in_person().unwrap(), &current, &new, None, true).map(drop)
    };
    let change_email =
        |world: &mut World, me: &SignedIn| world.at(1).change_email(me.in_person().unwrap(), &new).map(drop);
    let acts: [Act<'_>; 2] = [&change_password, &change_email];
    for act in acts {
        let mut world = World::with_ada();
        let (me, _) = ada(&mut world);
        let hash = world.hash_of(&me.user.id);
        end_session_during_the_act(&mut world);
        let refused = act(&mut world, &me);
        assert!(matches!(refused, Err(AuthError::NotSignedIn(SignedOut::Ended))), "{refused:?}");
        assert_eq!(world.hash_of(&me.user.id), hash);
        let codes = world.sql().query_row(r#"SELECT count(*) FROM "verification""#, [], |row| row.get::<_, u32>(0));
        assert_eq!(codes, Ok(0));
        // The right password is not counted as an attempt.
        assert_eq!(world.at(1).attempts(&me.user).unwrap(), (0, None));
    }
}

#[test]
fn a_new_password_can_keep_the_other_sessions() {
    let mut world = World::with_ada();
    let other = world.sign_in("ada", 0, Lifetime::Remembered);
    let (me, _) = ada(&mut world);
    let changed = world
        .at(1)
        .change_password(me.in_person().unwrap(), &password(PASSWORD), &password(OTHER_PASSWORD), None, true)
        .unwrap();
    assert_eq!(changed.sessions_ended, 0);
    assert_eq!(world.authenticate(&other, 1).user.id, me.user.id);
}

#[test]
fn a_wrong_current_password_is_a_failed_attempt_like_any_other() {
    let mut world = World::with_ada();
    let (me, _) = ada(&mut world);
    let hash = world.hash_of(&me.user.id);
    for _ in 0..5 {
        let wrong = world.at(1).change_password(
            me.in_person().unwrap(),
            &password("wrong"),
            &password(OTHER_PASSWORD),
            None,
            false,
        );
        assert!(matches!(wrong, Err(AuthError::WrongPassword)), "{wrong:?}");
    }
    let right = world.at(1).change_password(
        me.in_person().unwrap(),
        &password(PASSWORD),
        &password(OTHER_PASSWORD),
        None,
        false,
    );
    assert_eq!(wait_of(right), 15);
    assert_eq!(wait_of(world.try_sign_in("ada", PASSWORD, 1)), 15);
    assert_eq!(world.hash_of(&me.user.id), hash);
    world
        .at(16)
        .change_password(me.in_person().unwrap(), &password(PASSWORD), &password(OTHER_PASSWORD), None, false)
        .unwrap();
    world.try_sign_in("ada", OTHER_PASSWORD, 16).unwrap();
}

#[test]
fn unusable_password_is_refused_before_the_current_is_checked() {
    let mut world = World::with_ada();
    let (me, _) = ada(&mut world);
    for _ in 0..6 {
        let weak = world.at(1).change_password(
            me.in_person().unwrap(),
            &password("wrong"),
            &password("ada@example.com"),
            None,
            false,
        );
        assert!(matches!(weak, Err(AuthError::WeakPassword(_))), "{weak:?}");
    }
    world.try_sign_in("ada", PASSWORD, 1).unwrap();
}

#[test]
fn user_without_a_password_cannot_change_it() {
    let mut world = World::with_ada();
    let (me, _) = ada(&mut world);
    world.edit(r#"UPDATE "account" SET "providerId" = 'github', "password" = NULL"#);
    let refused = world.at(1).change_password(
        me.in_person().unwrap(),
        &password(PASSWORD),
        &password(OTHER_PASSWORD),
        None,
        false,
    );
    assert!(matches!(refused, Err(AuthError::NoPassword)), "{refused:?}");
}

#[test]
fn an_account_is_deleted_only_within_a_day_of_signing_in() {
    let mut world = World::with_ada();
    let (me, token) = ada(&mut world);
    world.sign_in("ada", 0, Lifetime::Short);
    let late = world.at(DAY).delete_account(me.in_person().unwrap(), AdminGuard::Off);
    assert!(matches!(late, Err(AuthError::NotFresh)), "{late:?}");
    assert_eq!(world.authenticate(&token, DAY - 1).user, me.user);
    assert_eq!(
        world.at(DAY - 1).delete_account(me.in_person().unwrap(), AdminGuard::KeepLastAdmin).unwrap().sessions,
        2
    );
    for again in [
        world.at(DAY - 1).authenticate(&token).map(drop),
        world.at(DAY - 1).delete_account(me.in_person().unwrap(), AdminGuard::Off).map(drop),
        world.at(DAY - 1).update_profile(me.in_person().unwrap(), Some("Ghost"), None).map(drop),
    ] {
        assert!(matches!(again, Err(AuthError::NotSignedIn(SignedOut::Ended))), "{again:?}");
    }
    assert_eq!(message(world.try_sign_in("ada", PASSWORD, DAY)), "invalid email or password (InvalidCredentials)");
}

#[test]
fn the_last_administrator_is_not_deleted_by_mistake() {
    let mut world = World::with_ada();
    let (me, token) = ada(&mut world);
    world.edit(r#"UPDATE "user" SET "role" = 'editor,admin'"#);
    let refused = world.at(1).delete_account(me.in_person().unwrap(), AdminGuard::KeepLastAdmin);
    assert!(matches!(refused, Err(AuthError::LastAdmin)), "{refused:?}");
    assert_eq!(world.authenticate(&token, 1).user.id, me.user.id);
    assert_eq!(world.at(1).delete_account(me.in_person().unwrap(), AdminGuard::Off).unwrap().sessions, 1);
}

#[test]
fn profile_keeps_the_name_and_drops_an_empty_picture() {
    let mut world = World::with_ada();
    let (me, _) = ada(&mut world);
    let image = "https://example.com/ada.png";
    let user = world.at(1).update_profile(me.in_person().unwrap(), Some(" Ada  L. "), Some(image)).unwrap().user;
    assert_eq!((user.name.as_str(), user.image.as_deref(), user.updated_at), (" Ada  L. ", Some(image), at(1)));
    assert_eq!(world.at(2).update_profile(me.in_person().unwrap(), None, Some("")).unwrap().user.image, None);
    let refused = world.at(3).update_profile(me.in_person().unwrap(), Some("a\u{1b}[2J"), Some(""));
    assert!(matches!(refused, Err(AuthError::Profile(ProfileError::NameControl))), "{refused:?}");
    assert_eq!(world.at(4).update_profile(me.in_person().unwrap(), None, None).unwrap().user.name, " Ada  L. ");
}
