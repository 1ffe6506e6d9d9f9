//! Second factors: who needs a code, which codes are accepted, and what a wrong one costs.

use authctl::auth::second_factor::FactorOwner;
use authctl::auth::second_factor::totp::{TotpSecret, step_at};
use authctl::auth::secret::Code;

use super::*;

fn code(text: &str) -> Code {
    Code::from_bytes(text.as_bytes()).unwrap()
}

/// The code of the secret at a second.
fn otp(secret: &TotpSecret, seconds: i64) -> Code {
    code(&secret.code(step_at(at(seconds))))
}

/// Ada with a second factor since second 0: the secret, the recovery codes and the token of a session.
fn with_factor() -> (World, TotpSecret, Vec<String>, Token) {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let me = world.at(0).authenticate(&token).unwrap();
    let secret = world.at(0).begin_factor(me.in_person().unwrap(), &password(PASSWORD)).unwrap();
    let (codes, ended) = world.at(0).confirm_factor(me.in_person().unwrap(), &otp(&secret, 0)).unwrap();
    assert_eq!(ended, 0);
    let codes = codes.expose().iter().map(|code| code.to_string()).collect();
    (world, secret, codes, token)
}

fn sign_in(world: &mut World, text: &str, code: Option<Code>, seconds: i64) -> Result<(User, Session), AuthError> {
    let session_request = world.session_request(Lifetime::Remembered);
    let request = SignIn { otp: code, ..request("ada", text) };
    world.at(seconds).sign_in(&request, &session_request)
}

fn failures(world: &mut World) -> u32 {
    let ada = world.at(0).find_user("ada@example.com").unwrap();
    world.store.factor(&ada.id).unwrap().unwrap().failures
}

#[test]
fn sign_in_needs_password_and_code() {
    let (mut world, secret, _, _) = with_factor();
    assert!(matches!(sign_in(&mut world, PASSWORD, None, 60), Err(AuthError::OtpNeeded)));
    let wrong_password = sign_in(&mut world, OTHER_PASSWORD, Some(otp(&secret, 60)), 60);
    assert!(matches!(wrong_password, Err(AuthError::InvalidCredentials)), "the code is not even read");
    assert_eq!(failures(&mut world), 0);
    sign_in(&mut world, PASSWORD, Some(otp(&secret, 60)), 60).unwrap();
    let again = sign_in(&mut world, PASSWORD, Some(otp(&secret, 60)), 61);
    assert!(matches!(again, Err(AuthError::InvalidOtp)), "a code is accepted once");
    sign_in(&mut world, PASSWORD, Some(otp(&secret, 120)), 90).unwrap();
    let older = sign_in(&mut world, PASSWORD, Some(otp(&secret, 90)), 91);
    assert!(matches!(older, Err(AuthError::InvalidOtp)), "nor is one of an earlier step");
}

#[test]
fn missing_code_costs_no_attempt_and_a_wrong_one_does() {
    let (mut world, secret, _, _) = with_factor();
    for _ in 0..20 {
        assert!(matches!(sign_in(&mut world, PASSWORD, None, 60), Err(AuthError::OtpNeeded)));
    }
    for (seconds, text) in (60..).zip(["000000", "12345", "1234567", "0123456789abcdef", "not a code"]) {
        let refused = sign_in(&mut world, PASSWORD, Some(code(text)), seconds);
        assert!(matches!(refused, Err(AuthError::InvalidOtp)), "{text}: {refused:?}");
    }
    assert_eq!(failures(&mut world), 5);
    let throttled = sign_in(&mut world, PASSWORD, Some(otp(&secret, 66)), 66);
    assert!(matches!(throttled, Err(AuthError::Throttled { .. })), "{throttled:?}");
    let throttled = sign_in(&mut world, PASSWORD, None, 66);
    assert!(matches!(throttled, Err(AuthError::Throttled { .. })), "the password alone does not end the wait");
    sign_in(&mut world, PASSWORD, Some(otp(&secret, 300)), 300).unwrap();
    assert_eq!(failures(&mut world), 0);
}

#[test]
fn ten_wrong_codes_lock_the_factor_for_right_ones_too() {
    let (mut world, secret, codes, _) = with_factor();
    for attempt in 0..10 {
        let refused = sign_in(&mut world, PASSWORD, Some(code("000000")), DAY + attempt * 1_000);
        assert!(matches!(refused, Err(AuthError::InvalidOtp)), "{attempt}: {refused:?}");
    }
    let then = DAY + 9_000;
    let locked = sign_in(&mut world, PASSWORD, Some(otp(&secret, then + 899)), then + 899);
    let Err(AuthError::FactorLocked { retry_after }) = locked else { unreachable!("{locked:?}") };
    assert_eq!(retry_after.as_secs(), 1);
    let locked = sign_in(&mut world, PASSWORD, Some(code(&codes[0])), then + 899);
    assert!(matches!(locked, Err(AuthError::FactorLocked { .. })), "{locked:?}");
    sign_in(&mut world, PASSWORD, Some(otp(&secret, then + 900)), then + 900).unwrap();
}

#[test]
fn recovery_code_signs_in_a_single_time_and_without_the_key() {
    let (mut world, secret, codes, _) = with_factor();
    assert_eq!(codes.len(), 10);
    world.edit(r#"UPDATE "authctl_twoFactor" SET "secret" = 'unknown:00'"#);
    let unreadable = sign_in(&mut world, PASSWORD, Some(code(&codes[0])), 60);
    unreadable.unwrap();
    let again = sign_in(&mut world, PASSWORD, Some(code(&codes[0].to_uppercase())), 61);
    assert!(matches!(again, Err(AuthError::InvalidOtp)), "{again:?}");
    sign_in(&mut world, PASSWORD, Some(code(&codes[1].replace('-', " "))), 62).unwrap();
    drop(secret);
}

#[test]
fn secret_of_another_user_is_not_accepted() {
    let (mut world, secret, _, _) = with_factor();
    let bob = world.sign_up("bob");
    world.edit(&format!(
        r#"UPDATE "authctl_twoFactor" SET "userId" = '{}'; UPDATE "user" SET "twoFactorEnabled" = 1"#,
        bob.id
    ));
    let session_request = world.session_request(Lifetime::Remembered);
    let request = SignIn { otp: Some(otp(&secret, 60)), ..request("bob", PASSWORD) };
    let refused = world.at(60).sign_in(&request, &session_request);
    assert!(matches!(refused, Err(AuthError::Seal(SealError::Damaged))), "{refused:?}");
    let missing = sign_in(&mut world, PASSWORD, Some(otp(&secret, 60)), 60);
    assert!(matches!(missing, Err(AuthError::FactorUnusable)), "{missing:?}");
}

#[test]
fn enabling_needs_the_password_and_the_first_code() {
    let mut world = World::with_ada();
    let token = world.sign_in("ada", 0, Lifetime::Remembered);
    let other = world.sign_in("ada", 0, Lifetime::Remembered);
    let me = world.at(0).authenticate(&token).unwrap();
    let person = me.in_person().unwrap();
    assert!(matches!(world.at(0).begin_factor(person, &password(OTHER_PASSWORD)), Err(AuthError::WrongPassword)));
    assert!(matches!(world.at(0).confirm_factor(person, &code("000000")), Err(AuthError::FactorNotBegun)));
    let secret = world.at(0).begin_factor(person, &password(PASSWORD)).unwrap();
    world.try_sign_in("ada", PASSWORD, 1).unwrap();
    assert!(matches!(world.at(0).confirm_factor(person, &otp(&secret, 600)), Err(AuthError::InvalidOtp)));
    let (_, ended) = world.at(2).confirm_factor(person, &otp(&secret, 2)).unwrap();
    assert_eq!(ended, 2, "sessions that began without it");
    assert!(world.at(3).authenticate(&other).is_err() && world.at(3).authenticate(&token).is_ok());
    assert!(matches!(world.at(3).begin_factor(person, &password(PASSWORD)), Err(AuthError::FactorIsOn)));
}

#[test]
fn change_of_a_factor_needs_password_and_code() {
    let (mut world, secret, old, token) = with_factor();
    let me = world.at(60).authenticate(&token).unwrap();
    let person = me.in_person().unwrap();
    let (right, wrong) = (password(PASSWORD), password(OTHER_PASSWORD));
    let mut disable = |password: &Password, otp: &Code, seconds: i64| {
        world.at(seconds).disable_factor(person, &FactorOwner { password, otp })
    };
    assert!(matches!(disable(&wrong, &otp(&secret, 60), 60), Err(AuthError::WrongPassword)));
    assert!(matches!(disable(&right, &code("000000"), 60), Err(AuthError::InvalidOtp)));
    let owner = FactorOwner { password: &right, otp: &otp(&secret, 60) };
    let new = world.at(60).new_recovery_codes(person, &owner).unwrap().expose();
    let void = sign_in(&mut world, PASSWORD, Some(code(&old[0])), 61);
    assert!(matches!(void, Err(AuthError::InvalidOtp)), "{void:?}");
    sign_in(&mut world, PASSWORD, Some(code(&new[0])), 62).unwrap();
    let owner = FactorOwner { password: &right, otp: &code(&new[1]) };
    assert_eq!(world.at(63).disable_factor(person, &owner).unwrap(), 1);
    world.try_sign_in("ada", PASSWORD, 64).unwrap();
    assert!(matches!(world.at(65).disable_factor(person, &owner), Err(AuthError::FactorIsOff)));
}

#[test]
fn reset_of_the_password_leaves_the_factor_on() {
    let (mut world, secret, _, _) = with_factor();
    let ada = world.at(60).find_user("ada@example.com").unwrap();
    let (reset, _) = world.at(60).reset_code(&ada, SignedDuration::from_hours(1)).unwrap();
    world.at(61).reset_password(&reset, password(OTHER_PASSWORD)).unwrap();
    assert!(matches!(sign_in(&mut world, OTHER_PASSWORD, None, 62), Err(AuthError::OtpNeeded)));
    sign_in(&mut world, OTHER_PASSWORD, Some(otp(&secret, 62)), 62).unwrap();
}

#[test]
fn address_is_not_verified_by_the_password_alone() {
    use authctl::auth::OwnerProof;
    use authctl::auth::codes::Purpose;

    let (mut world, secret, _, _) = with_factor();
    let address = Email::parse("ada@example.com").unwrap();
    let mailed = world.at(60).code_to_mail(Purpose::EmailVerification, &address).unwrap().unwrap().code;
    let right = password(PASSWORD);
    let mut confirm = |otp: Option<&Code>, seconds: i64| {
        world.at(seconds).confirm_address(&mailed, OwnerProof::Password { password: &right, otp })
    };
    assert!(matches!(confirm(None, 61), Err(AuthError::OtpNeeded)));
    assert!(matches!(confirm(Some(&code("000000")), 61), Err(AuthError::InvalidOtp)));
    assert!(confirm(Some(&otp(&secret, 61)), 61).unwrap().user.email_verified);
    let again = sign_in(&mut world, PASSWORD, Some(otp(&secret, 61)), 62);
    assert!(matches!(again, Err(AuthError::InvalidOtp)), "the code was used up: {again:?}");
}

#[test]
fn impersonator_does_not_touch_the_factor_of_the_user() {
    use authctl::auth::{ActAs, Impersonator};

    let (mut world, _, _, _) = with_factor();
    let ada = world.at(60).find_user("ada@example.com").unwrap();
    let wanted = world.session_request(Lifetime::Remembered);
    let by = Impersonator::System("os:root@host".into());
    world.at(60).impersonate(&ada, &by, &wanted, ActAs::NonAdmins).unwrap();
    let me = world.at(61).authenticate(&wanted.token).unwrap();
    assert!(matches!(me.in_person(), Err(AuthError::Impersonated { .. })), "acts on a factor take `InPerson`");
}
