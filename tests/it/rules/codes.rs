//! Codes: their binding to user, address and purpose, and their end. Time is passed in.

use authctl::auth::codes::Purpose;
use authctl::auth::secret::Code;
use authctl::auth::storage::AdminGuard;
use authctl::auth::throttle::AttemptKey;
use authctl::auth::{AddressConfirmed, OwnerProof};

use super::*;

const HOUR: i64 = 3_600;

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn ada(world: &mut World) -> User {
    world.at(0).find_user("ada@example.com").unwrap()
}

/// A code for Ada, created at the given second. The code for a change of address is for ada@example.org.
fn code(world: &mut World, purpose: Purpose, seconds: i64) -> Code {
    let address = email(&ada(world).email);
    match purpose {
        Purpose::ChangeEmail => {
            let me = signed_in(world, seconds);
            world.at(seconds).change_email(me.in_person().unwrap(), &email("ada@example.org")).unwrap().unwrap()
        }
        other => world.at(seconds).code_to_mail(other, &address).unwrap().unwrap().code,
    }
}

fn signed_in(world: &mut World, seconds: i64) -> SignedIn {
    let token = world.sign_in("ada", seconds, Lifetime::Remembered);
    world.authenticate(&token, seconds)
}

/// Performs the act of the code's purpose.
fn use_up(world: &mut World, purpose: Purpose, code: &Code, seconds: i64) -> Result<(), AuthError> {
    match purpose {
        Purpose::ResetPassword => world.at(seconds).reset_password(code, password(OTHER_PASSWORD)).map(drop),
        Purpose::EmailVerification | Purpose::ChangeEmail => confirm(world, code, seconds).map(drop),
    }
}

/// Uses up a code for an address without a session, by a user who knows the password.
fn confirm(world: &mut World, code: &Code, seconds: i64) -> Result<AddressConfirmed, AuthError> {
    world.at(seconds).confirm_address(code, OwnerProof::Password { password: &password(PASSWORD), otp: None })
}

#[track_caller]
fn assert_invalid(result: &Result<(), AuthError>, what: &str) {
    assert!(matches!(result, Err(AuthError::InvalidCode)), "{what}: {result:?}");
}

#[test]
fn code_is_valid_until_the_second_before_its_end() {
    for (purpose, life) in
        [(Purpose::ResetPassword, HOUR), (Purpose::EmailVerification, DAY), (Purpose::ChangeEmail, DAY)]
    {
        let mut world = World::with_ada();
        let late = code(&mut world, purpose, 0);
        assert_invalid(&use_up(&mut world, purpose, &late, life), purpose.word());
        let mut world = World::with_ada();
        let early = code(&mut world, purpose, 0);
        use_up(&mut world, purpose, &early, life - 1).unwrap();
    }
}

#[test]
fn code_is_single_use_and_bound_to_its_purpose() {
    for purpose in Purpose::ALL {
        let mut world = World::with_ada();
        let code = code(&mut world, purpose, 0);
        let sets_a_password = |one| one == Purpose::ResetPassword;
        for other in Purpose::ALL.into_iter().filter(|other| sets_a_password(*other) != sets_a_password(purpose)) {
            assert_invalid(&use_up(&mut world, other, &code, 1), other.word());
        }
        use_up(&mut world, purpose, &code, 1).unwrap();
        assert_invalid(&use_up(&mut world, purpose, &code, 1), purpose.word());
    }
}

#[test]
fn new_code_replaces_only_its_purpose_and_user() {
    for purpose in Purpose::ALL {
        let mut world = World::with_ada();
        world.sign_up("bob");
        let bobs =
            world.at(0).code_to_mail(Purpose::EmailVerification, &email("bob@example.com")).unwrap().unwrap().code;
        let older = code(&mut world, purpose, 0);
        for other in Purpose::ALL.into_iter().filter(|other| *other != purpose) {
            code(&mut world, other, 1);
        }
        let newer = code(&mut world, purpose, 2);
        assert_invalid(&use_up(&mut world, purpose, &older, 3), purpose.word());
        use_up(&mut world, purpose, &newer, 3).unwrap();
        use_up(&mut world, Purpose::EmailVerification, &bobs, 3).unwrap();
        // The change of address ends the remaining codes of the other purposes.
        let left = if purpose == Purpose::ChangeEmail { 0 } else { 2 };
        let rows = "SELECT count(*) FROM verification";
        let count: i64 = world.sql().query_row(rows, [], |row| row.get(0)).unwrap();
        assert_eq!(count, left, "{}", purpose.word());
    }
}

#[test]
fn code_stays_invalid_when_the_address_returns() {
    for purpose in Purpose::ALL {
        for back in [false, true] {
            let mut world = World::with_ada();
            let code = code(&mut world, purpose, 0);
            let before = ada(&mut world);
            let moved = world.at(1).change_user(&before, None, None, Some("ada@example.net")).unwrap().user;
            if back {
                world.at(2).change_user(&moved, None, None, Some(&before.email)).unwrap();
            }
            assert_invalid(&use_up(&mut world, purpose, &code, 3), purpose.word());
        }
    }
}

#[test]
fn address_changed_by_an_app_invalidates_the_code() {
    for purpose in Purpose::ALL {
        let mut world = World::with_ada();
        let code = code(&mut world, purpose, 0);
        world.edit(r#"UPDATE "user" SET "email" = 'ada@example.net'"#);
        assert_invalid(&use_up(&mut world, purpose, &code, 3), purpose.word());
    }
}

/// The counted failures with codes of the user.
fn wrong_uses(world: &mut World, user: &User) -> u32 {
    let key = AttemptKey::codes_of(&user.id);
    world.store.attempts(&key).unwrap().map_or(0, |attempts| attempts.count)
}

#[test]
fn unknown_codes_do_not_delay_right_codes() {
    for purpose in Purpose::ALL {
        let mut world = World::with_ada();
        let right = code(&mut world, purpose, 0);
        let guess = Code::from_bytes(b"guess").unwrap();
        for other in [Purpose::ResetPassword, Purpose::ChangeEmail, purpose, purpose, purpose] {
            assert_invalid(&use_up(&mut world, other, &guess, 1), other.word());
        }
        let mut seconds = 1;
        for wait in [1, 2, 4, 5, 5, 5] {
            for act in Purpose::ALL {
                assert_eq!(wait_of(use_up(&mut world, act, &guess, seconds)), wait, "{}", act.word());
            }
            seconds += wait;
            assert_invalid(&use_up(&mut world, purpose, &guess, seconds), purpose.word());
        }
        use_up(&mut world, purpose, &right, seconds).unwrap();
    }
}

#[test]
fn wrong_uses_of_a_code_count_for_its_user_alone() {
    for purpose in Purpose::ALL {
        let mut world = World::with_ada();
        let user = ada(&mut world);
        world.sign_up("bob");
        let bobs = world.at(0).code_to_mail(purpose_to_mail(purpose), &email("bob@example.com")).unwrap().unwrap().code;
        let right = code(&mut world, purpose, 0);
        let other = if purpose == Purpose::ResetPassword { Purpose::EmailVerification } else { Purpose::ResetPassword };
        for count in 1..=5 {
            assert_invalid(&use_up(&mut world, other, &right, 1), "for another act");
            assert_eq!(wrong_uses(&mut world, &user), count);
        }
        assert_eq!(wait_of(use_up(&mut world, purpose, &right, 1)), 15);
        use_up(&mut world, purpose_to_mail(purpose), &bobs, 1).unwrap();
        use_up(&mut world, purpose, &right, 16).unwrap();
        assert_eq!(wrong_uses(&mut world, &user), 0, "a use that is done clears the count");
    }
}

/// A purpose whose code is mailed on request.
fn purpose_to_mail(purpose: Purpose) -> Purpose {
    if purpose == Purpose::ResetPassword { purpose } else { Purpose::EmailVerification }
}

#[test]
fn failed_uses_of_a_code_count_for_its_user() {
    let mut world = World::with_ada();
    let user = ada(&mut world);
    let late = code(&mut world, Purpose::ResetPassword, 0);
    assert_invalid(&use_up(&mut world, Purpose::ResetPassword, &late, HOUR), "expired");
    assert_eq!(wrong_uses(&mut world, &user), 1);
    let verify = code(&mut world, Purpose::EmailVerification, HOUR);
    for count in 2..=5 {
        let wrong = world
            .at(HOUR)
            .confirm_address(&verify, OwnerProof::Password { password: &password(OTHER_PASSWORD), otp: None });
        assert!(matches!(wrong, Err(AuthError::PasswordOfAnother)), "{wrong:?}");
        assert_eq!(wrong_uses(&mut world, &user), count);
    }
    assert_eq!(wait_of(confirm(&mut world, &verify, HOUR)), 15);
    world.at(HOUR).unlock(&user).unwrap();
    confirm(&mut world, &verify, HOUR).unwrap();
}

#[test]
fn refused_act_keeps_the_code_and_the_count() {
    let mut world = World::with_ada();
    let user = ada(&mut world);
    let reset = code(&mut world, Purpose::ResetPassword, 0);
    for _ in 0..4 {
        assert_invalid(&use_up(&mut world, Purpose::EmailVerification, &reset, 1), "for another act");
    }
    for _ in 0..10 {
        let weak = world.at(1).reset_password(&reset, password("ada@example.com"));
        assert!(matches!(weak, Err(AuthError::WeakPassword(_))), "{weak:?}");
        assert_eq!(wrong_uses(&mut world, &user), 4);
    }
    let rows = "SELECT count(*) FROM authctl_throttle";
    assert_eq!(world.sql().query_row::<i64, _, _>(rows, [], |row| row.get(0)).unwrap(), 2, "with the mailed code");
    use_up(&mut world, Purpose::ResetPassword, &reset, 1).unwrap();
    assert_eq!(wrong_uses(&mut world, &user), 0);
}

#[test]
fn session_that_ended_meanwhile_is_no_proof() {
    let mut world = World::with_ada();
    let verify = code(&mut world, Purpose::EmailVerification, 0);
    let me = signed_in(&mut world, 0);
    let late = world.at(7 * DAY).confirm_address(&verify, OwnerProof::Session(me.in_person().unwrap())).map(drop);
    assert_invalid(&late, "the code is over too");
    let gone = SignedIn { session: Session { id: "gone".into(), ..me.session.clone() }, ..me.clone() };
    let refused = world.at(1).confirm_address(&verify, OwnerProof::Session(gone.in_person().unwrap()));
    assert!(matches!(refused, Err(AuthError::NotSignedIn(_))), "{refused:?}");
    world.at(1).confirm_address(&verify, OwnerProof::Session(me.in_person().unwrap())).unwrap();
}

#[test]
fn user_banned_meanwhile_cannot_change_the_address() {
    let mut world = World::with_ada();
    let code = code(&mut world, Purpose::ChangeEmail, 0);
    let me = ada(&mut world);
    world.at(1).ban(&me, Some(at(60)), None, AdminGuard::Off).unwrap();
    let refused = confirm(&mut world, &code, 2);
    assert!(matches!(refused, Err(AuthError::Banned { .. })), "{refused:?}");
    confirm(&mut world, &code, 60).unwrap();
}

#[test]
fn address_taken_meanwhile_keeps_the_code_valid() {
    let mut world = World::with_ada();
    let code = code(&mut world, Purpose::ChangeEmail, 0);
    let bob = world.sign_up("bob");
    let bob = world.at(1).change_user(&bob, None, None, Some("ada@example.org")).unwrap().user;
    for _ in 0..2 {
        let refused = confirm(&mut world, &code, 2);
        assert!(matches!(refused, Err(AuthError::UserExists)), "{refused:?}");
    }
    world.at(3).delete_user(&bob, &deletion(AdminGuard::Off), false).unwrap();
    let done = confirm(&mut world, &code, 4).unwrap();
    assert_eq!((done.user.email.as_str(), done.before.as_deref()), ("ada@example.org", Some("ada@example.com")));
}

#[test]
fn request_for_a_taken_address_looks_the_same() {
    let mut world = World::with_ada();
    world.sign_up("bob");
    let earlier = code(&mut world, Purpose::ChangeEmail, 0);
    let me = signed_in(&mut world, 1);
    assert!(world.at(1).change_email(me.in_person().unwrap(), &email("bob@example.com")).unwrap().is_none());
    // If the earlier code were still valid, this would reveal it.
    assert_invalid(&use_up(&mut world, Purpose::ChangeEmail, &earlier, 2), "the earlier one");
}

#[test]
fn address_change_needs_a_fresh_session_and_a_new_address() {
    let mut world = World::with_ada();
    let me = signed_in(&mut world, 0);
    let new = email("ada@example.org");
    assert!(world.at(DAY - 1).change_email(me.in_person().unwrap(), &new).unwrap().is_some());
    let stale = world.at(DAY).change_email(me.in_person().unwrap(), &new);
    assert!(matches!(stale, Err(AuthError::NotFresh)), "{stale:?}");
    let same = world.at(0).change_email(me.in_person().unwrap(), &email("ADA@example.com"));
    assert!(matches!(same, Err(AuthError::SameEmail)), "{same:?}");
}

#[test]
fn one_user_cannot_mail_many_addresses() {
    let mut world = World::with_ada();
    let me = signed_in(&mut world, 0);
    for count in 0..5 {
        world.at(0).change_email(me.in_person().unwrap(), &email(&format!("a{count}@example.org"))).unwrap();
    }
    assert_eq!(wait_of(world.at(0).change_email(me.in_person().unwrap(), &email("a5@example.org"))), 15);
    assert!(world.at(15).change_email(me.in_person().unwrap(), &email("a5@example.org")).unwrap().is_some());
}

#[test]
fn one_mailbox_has_one_limit_for_all_purposes() {
    let mut world = World::with_ada();
    let bob = email("bob@example.com");
    world.sign_up("bob");
    let me = signed_in(&mut world, 0);
    for purpose in [Purpose::ResetPassword, Purpose::EmailVerification, Purpose::ResetPassword] {
        assert!(world.at(0).code_to_mail(purpose, &bob).unwrap().is_some());
    }
    for _ in 0..2 {
        world.at(0).change_email(me.in_person().unwrap(), &bob).unwrap();
    }
    assert_eq!(wait_of(world.at(0).code_to_mail(Purpose::EmailVerification, &bob)), 15);
}

#[test]
fn verified_or_unknown_address_gets_no_code() {
    let mut world = World::with_ada();
    let code = code(&mut world, Purpose::EmailVerification, 0);
    confirm(&mut world, &code, 0).unwrap();
    for address in ["ada@example.com", "unknown@example.com"] {
        assert!(world.at(1).code_to_mail(Purpose::EmailVerification, &email(address)).unwrap().is_none(), "{address}");
    }
    assert!(world.at(1).code_to_mail(Purpose::ResetPassword, &email("ada@example.com")).unwrap().is_some());
}
