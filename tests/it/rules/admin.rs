//! Acts of an operator, with time passed in.

use authctl::auth::policy::PasswordRules;
use authctl::auth::storage::{AdminGuard, UserUpdated};
use authctl::auth::{NewUser, PasswordInput};

use super::*;

fn clear(text: &str) -> PasswordInput {
    PasswordInput::Clear(password(text))
}

fn find(world: &mut World, name: &str) -> User {
    world.at(0).find_user(&format!("{name}@example.com")).unwrap()
}

#[test]
fn ban_ends_at_its_second_without_old_sessions() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let ada = find(&mut world, "ada");
    let UserUpdated { user: banned, ended, .. } =
        world.at(10).ban(&ada, Some(at(60)), None, AdminGuard::KeepLastAdmin).unwrap();
    assert_eq!((banned.ban_expires, ended.len()), (Some(at(60)), 1));
    for seconds in [10, 59] {
        let refused = world.try_sign_in("ada", PASSWORD, seconds);
        assert!(matches!(refused, Err(AuthError::Banned { until: Some(_), .. })), "{seconds}: {refused:?}");
    }
    world.try_sign_in("ada", PASSWORD, 60).unwrap();
    assert!(world.at(60).authenticate(&token).is_err());
}

#[test]
fn new_address_is_judged_by_the_current_row() {
    let mut world = World::with_ada();
    let read_before = find(&mut world, "ada");
    // Meanwhile another administrator changes ada's address and marks the new one as verified.
    let moved = world.at(1).change_user(&read_before, None, None, Some("ada@example.org")).unwrap().user;
    world.at(1).set_verified(&moved, true).unwrap();
    let back = world.at(2).change_user(&read_before, None, None, Some("ada@example.com")).unwrap().user;
    assert!(!back.email_verified, "ada has not proved that she reads mail there");
    world.at(3).set_verified(&back, true).unwrap();
    let stays = world.at(4).change_user(&moved, None, None, Some("ada@example.com")).unwrap().user;
    assert!(stays.email_verified, "the address is the same as before");
}

#[test]
fn admin_counts_again_when_the_ban_ends() {
    let mut world = World::with_ada();
    world.sign_up("bob");
    world.edit(r#"UPDATE "user" SET "role" = 'admin'"#);
    let (ada, bob) = (find(&mut world, "ada"), find(&mut world, "bob"));
    world.at(0).ban(&bob, Some(at(60)), None, AdminGuard::KeepLastAdmin).unwrap();
    for seconds in [0, 59] {
        let mut auth = world.at(seconds);
        let refused = [
            auth.set_role(&ada, "user", false, AdminGuard::KeepLastAdmin, false).map(drop),
            auth.ban(&ada, None, None, AdminGuard::KeepLastAdmin).map(drop),
            auth.delete_user(&ada, &deletion(AdminGuard::KeepLastAdmin), false).map(drop),
        ];
        assert!(refused.iter().all(|one| matches!(one, Err(AuthError::LastAdmin))), "{seconds}: {refused:?}");
    }
    world.at(60).set_role(&ada, "user", false, AdminGuard::KeepLastAdmin, false).unwrap();
    let refused = world.at(60).delete_user(&bob, &deletion(AdminGuard::KeepLastAdmin), false);
    assert!(matches!(refused, Err(AuthError::LastAdmin)), "{refused:?}");
}

#[test]
fn lost_role_ends_and_counts_live_sessions() {
    for (before, after, loses) in [
        ("admin", "admin,editor", false),
        ("editor, admin", "admin,editor", false),
        ("editor,admin", "admin", true),
        ("admin", "administrator", true),
    ] {
        let mut world = World::with_ada();
        world.sign_in("ada", 0, Lifetime::Short);
        let token = world.sign_in("ada", 0, Lifetime::Remembered);
        world.edit(&format!(r#"UPDATE "user" SET "role" = '{before}'"#));
        let ada = find(&mut world, "ada");
        let ended = world.at(DAY).set_role(&ada, after, false, AdminGuard::Off, false).unwrap().ended;
        assert_eq!(ended.len(), usize::from(loses), "{before} to {after}");
        assert_eq!(world.at(DAY).authenticate(&token).is_err(), loses, "{before} to {after}");
    }
}

#[test]
fn role_given_meanwhile_is_lost_too() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let ada = find(&mut world, "ada");
    world.edit(r#"UPDATE "user" SET "role" = 'admin'"#);
    let ended = world.at(1).set_role(&ada, "editor", false, AdminGuard::Off, false).unwrap().ended;
    assert_eq!(ended.len(), 1);
    assert!(world.at(1).authenticate(&token).is_err());
}

#[test]
fn wait_is_reported_until_it_is_over() {
    let mut world = World::with_ada();
    let ada = find(&mut world, "ada");
    assert_eq!(world.at(0).attempts(&ada).unwrap(), (0, None));
    for _ in 0..5 {
        assert!(world.try_sign_in("ada", "wrong", 0).is_err());
    }
    for (seconds, wait) in [(0, Some(15)), (14, Some(1)), (15, None)] {
        let expected = (5, wait.map(SignedDuration::from_secs));
        assert_eq!(world.at(seconds).attempts(&ada).unwrap(), expected, "{seconds}");
    }
    world.at(1).unlock(&ada).unwrap();
    assert_eq!(world.at(1).attempts(&ada).unwrap(), (0, None));
    world.try_sign_in("ada", PASSWORD, 1).unwrap();
}

#[test]
fn set_password_ends_live_sessions_and_weak_is_refused() {
    let mut world = World::with_ada();
    world.sign_in("ada", 0, Lifetime::Short);
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let ada = find(&mut world, "ada");
    let weak = world.at(1).set_password(&ada, &clear("password1"), false, false);
    assert!(matches!(weak, Err(AuthError::WeakPassword(_))), "{weak:?}");
    assert_eq!(world.authenticate(&token, 1).user.id, ada.id);
    let ended = world.at(DAY).set_password(&ada, &clear(OTHER_PASSWORD), false, false).unwrap();
    assert_eq!(ended.len(), 1, "the short one was over");
    assert!(world.at(DAY).authenticate(&token).is_err());
    world.try_sign_in("ada", OTHER_PASSWORD, DAY).unwrap();
}

#[test]
fn user_deleted_meanwhile_cannot_be_changed() {
    let mut world = World::with_ada();
    let ada = find(&mut world, "ada");
    world.at(0).delete_user(&ada, &deletion(AdminGuard::KeepLastAdmin), false).unwrap();
    let mut auth = world.at(1);
    for outcome in [
        auth.set_password(&ada, &clear(OTHER_PASSWORD), false, false).map(drop),
        auth.change_user(&ada, Some("Ghost"), None, None).map(drop),
        auth.set_role(&ada, "admin", false, AdminGuard::Off, false).map(drop),
        auth.set_verified(&ada, true).map(drop),
        auth.ban(&ada, None, None, AdminGuard::Off).map(drop),
        auth.unban(&ada).map(drop),
        auth.delete_user(&ada, &deletion(AdminGuard::Off), false).map(drop),
        auth.find_user(&ada.id).map(drop),
    ] {
        assert!(matches!(outcome, Err(AuthError::NoSuchUser(_))), "{outcome:?}");
    }
}

#[test]
fn existing_user_is_refused_before_hashing() {
    let mut world = World::with_ada();
    let given = PasswordInput::Hash(authctl::auth::secret::StoredHash::from_bytes(b"no hash at all").unwrap());
    let mut session_request = NewUser {
        email: "ADA@example.com",
        name: "Eve",
        image: None,
        role: Some("admin"),
        allow_twin: false,
        verified: true,
        password: None,
        allow_weak: false,
    };
    let there = world.at(1).create_user(&session_request.check(&PasswordRules::default()).unwrap(), None);
    assert!(matches!(there, Err(AuthError::UserExists)), "{there:?}");
    assert_eq!(find(&mut world, "ada").role, None);
    (session_request.email, session_request.password) = ("eve@example.com", Some(&given));
    let refused = session_request.check(&PasswordRules::default());
    assert!(matches!(refused, Err(AuthError::HashNotAccepted(_))), "{refused:?}");
    assert!(matches!(world.at(1).find_user("eve@example.com"), Err(AuthError::NoSuchUser(_))));
}
