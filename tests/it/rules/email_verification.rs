//! Verification of an account that another person may have created: a mailed code proves control of the
//! address, not ownership of the account.

use authctl::auth::codes::Purpose;
use authctl::auth::secret::Code;
use authctl::auth::{AddressConfirmed, OwnerProof};

use super::*;

fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.com")).unwrap()
}

/// The code that is mailed to Ada at second 0.
fn mailed(world: &mut World, purpose: Purpose) -> Code {
    world.at(0).code_to_mail(purpose, &email("ada")).unwrap().unwrap().code
}

fn confirm_with(world: &mut World, code: &Code, text: &str) -> Result<AddressConfirmed, AuthError> {
    world.at(1).confirm_address(code, OwnerProof::Password { password: &password(text), otp: None })
}

/// The users among these whose sessions are live.
fn are_signed_in<const N: usize>(world: &mut World, tokens: [&Token; N]) -> [bool; N] {
    tokens.map(|token| world.at(1).authenticate(token).is_ok())
}

#[test]
fn impostor_gains_nothing_when_the_owner_verifies() {
    // Mallory created the account with Ada's address and knows its password. Ada receives the mail.
    let mut world = World::with_ada();
    let mallorys = world.sign_in("ada", 0, Lifetime::Remembered);
    let code = mailed(&mut world, Purpose::EmailVerification);
    let refused = confirm_with(&mut world, &code, OTHER_PASSWORD);
    assert!(matches!(refused, Err(AuthError::PasswordOfAnother)), "{refused:?}");
    assert!(!world.at(1).find_user("ada@example.com").unwrap().email_verified);

    let reset = mailed(&mut world, Purpose::ResetPassword);
    world.at(1).reset_password(&reset, password(OTHER_PASSWORD)).unwrap();
    assert!(confirm_with(&mut world, &code, OTHER_PASSWORD).unwrap().user.email_verified);
    assert_eq!(are_signed_in(&mut world, [&mallorys]), [false]);
    let refused = world.try_sign_in("ada", PASSWORD, 1);
    assert!(matches!(refused, Err(AuthError::InvalidCredentials)), "{refused:?}");
}

#[test]
fn only_a_session_that_is_the_proof_stays() {
    for purpose in [Purpose::EmailVerification, Purpose::ChangeEmail] {
        for by_session in [true, false] {
            let mut world = World::with_ada();
            world.sign_up("bob");
            let bobs = world.sign_in("bob", 0, Lifetime::Remembered);
            let [mine, other] = [0, 0].map(|seconds| world.sign_in("ada", seconds, Lifetime::Remembered));
            let me = world.authenticate(&mine, 0);
            let code = match purpose {
                Purpose::ChangeEmail => {
                    world.at(0).change_email(me.in_person().unwrap(), &email("augusta")).unwrap().unwrap()
                }
                other => mailed(&mut world, other),
            };
            let done = if by_session {
                world.at(1).confirm_address(&code, OwnerProof::Session(me.in_person().unwrap()))
            } else {
                confirm_with(&mut world, &code, PASSWORD)
            };
            assert_eq!(done.unwrap().ended.len(), if by_session { 1 } else { 2 }, "{}", purpose.word());
            let left = are_signed_in(&mut world, [&mine, &other, &bobs]);
            assert_eq!(left, [by_session, false, true], "{}", purpose.word());
        }
    }
}

#[test]
fn expired_session_is_not_reported_as_ended() {
    let mut world = World::with_ada();
    world.sign_in("ada", -7 * DAY, Lifetime::Remembered);
    let code = mailed(&mut world, Purpose::EmailVerification);
    assert_eq!(confirm_with(&mut world, &code, PASSWORD).unwrap().ended, []);
}

#[test]
fn session_of_another_user_does_not_use_up_a_code() {
    let mut world = World::with_ada();
    world.sign_up("bob");
    let code = mailed(&mut world, Purpose::EmailVerification);
    for (name, is_right) in [("bob", false), ("ada", true)] {
        let token = world.sign_in(name, 0, Lifetime::Remembered);
        let me = world.authenticate(&token, 0);
        let done = world
            .at(1)
            .confirm_address(&code, OwnerProof::Session(me.in_person().unwrap()))
            .map(|done| done.user.email_verified);
        let expected = if is_right { matches!(done, Ok(true)) } else { matches!(done, Err(AuthError::CodeOfAnother)) };
        assert!(expected, "{name}: {done:?}");
    }
}

#[test]
fn wrong_or_missing_password_is_one_error_and_keeps_the_code() {
    let message = |without_password: bool| {
        let mut world = World::with_ada();
        let code = mailed(&mut world, Purpose::EmailVerification);
        if without_password {
            world.edit(r#"DELETE FROM "account""#);
        }
        let refused = super::message(confirm_with(&mut world, &code, OTHER_PASSWORD));
        let is_there = world.store.code(Purpose::EmailVerification, &code).unwrap().is_some();
        (refused, is_there, world.at(1).find_user("ada@example.com").unwrap().email_verified)
    };
    let wrong = message(false);
    assert_eq!((wrong.1, wrong.2), (true, false));
    assert_eq!(message(true), wrong);
}

#[test]
fn passwords_as_proof_count_like_sign_ins() {
    let mut world = World::with_ada();
    let code = mailed(&mut world, Purpose::EmailVerification);
    for _ in 0..3 {
        confirm_with(&mut world, &code, OTHER_PASSWORD).unwrap_err();
    }
    for _ in 0..2 {
        world.try_sign_in("ada", OTHER_PASSWORD, 1).unwrap_err();
    }
    assert_eq!(wait_of(confirm_with(&mut world, &code, PASSWORD)), 15);
    let proof = password(PASSWORD);
    world.at(16).confirm_address(&code, OwnerProof::Password { password: &proof, otp: None }).unwrap();
    for _ in 0..5 {
        let wrong = world.try_sign_in("ada", OTHER_PASSWORD, 16);
        assert!(matches!(wrong, Err(AuthError::InvalidCredentials)), "{wrong:?}");
    }
}

#[test]
fn right_password_of_a_banned_user_clears_no_count() {
    let mut world = World::with_ada();
    let code = mailed(&mut world, Purpose::EmailVerification);
    for _ in 0..3 {
        world.try_sign_in("ada", OTHER_PASSWORD, 1).unwrap_err();
    }
    world.edit(r#"UPDATE "user" SET "banned" = 1"#);
    let ada = world.at(1).find_user("ada@example.com").unwrap();
    let refused = confirm_with(&mut world, &code, PASSWORD);
    assert!(matches!(refused, Err(AuthError::Banned { .. })), "{refused:?}");
    assert_eq!(world.at(1).attempts(&ada).unwrap().0, 3);
    // At sign-in this counts as a failed attempt.
    let refused = world.try_sign_in("ada", PASSWORD, 1);
    assert!(matches!(refused, Err(AuthError::Banned { .. })), "{refused:?}");
    assert_eq!(world.at(1).attempts(&ada).unwrap().0, 4);
}

#[test]
fn right_password_of_a_refused_act_keeps_the_count() {
    let mut world = World::with_ada();
    world.sign_up("bob");
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let me = world.authenticate(&token, 0);
    let code = world.at(0).change_email(me.in_person().unwrap(), &email("augusta")).unwrap().unwrap();
    world.edit(r#"UPDATE "user" SET "email" = 'augusta@example.com' WHERE "email" = 'bob@example.com'"#);
    world.try_sign_in("ada", OTHER_PASSWORD, 1).unwrap_err();
    let refused = confirm_with(&mut world, &code, PASSWORD);
    assert!(refused.is_err(), "{refused:?}");
    let ada = world.at(1).find_user("ada@example.com").unwrap();
    assert_eq!(world.at(1).attempts(&ada).unwrap().0, 1);
}

#[test]
fn wrong_code_is_refused_before_the_password() {
    let mut world = World::with_ada();
    let guess = Code::from_bytes(b"guess").unwrap();
    let refused = [PASSWORD, OTHER_PASSWORD].map(|text| message(confirm_with(&mut world, &guess, text)));
    assert_eq!(refused[0], refused[1]);
    let ada = world.at(1).find_user("ada@example.com").unwrap();
    assert_eq!(world.at(1).attempts(&ada).unwrap(), (0, None));
}
