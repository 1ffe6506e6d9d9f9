//! Reasons why a sign-in is refused: `users explain` and the sign-in give the same ones.

use authctl::auth::password::HashFormat;
use authctl::auth::throttle::AttemptKey;
use authctl::auth::user::UserRef;
use authctl::auth::{MissingPassword, SignInBlocker};

use super::*;

/// Blocks ada's sign-in for one reason.
fn put(world: &World, code: &str) {
    let at = |seconds| at(seconds).as_second();
    let user = |change: &str| format!(r#"UPDATE "user" SET {change}"#);
    world.edit(&match code {
        // Five failures at second 100, and a wait of a minute.
        "TOO_MANY_REQUESTS" => {
            let key = AttemptKey::sign_in(&request("ada", PASSWORD).email);
            format!(r#"INSERT INTO "authctl_throttle" VALUES ('{}', 5, {}, {})"#, key.as_str(), at(160), at(100))
        }
        "EMAIL_NOT_LOWER_CASE" => user(r#""email" = 'Ada@example.com'"#),
        "CREDENTIAL_ACCOUNT_NOT_FOUND" => r#"UPDATE "account" SET "accountId" = 'other'"#.to_owned(),
        "EMAIL_NOT_VERIFIED" => user(r#""emailVerified" = 0"#),
        "BANNED_USER" => user(&format!(r#""banned" = 1, "banReason" = 'spam', "banExpires" = {}"#, at(200))),
        "TOTP_NOT_ENABLED" => user(r#""twoFactorEnabled" = 1"#),
        other => unreachable!("{other}"),
    });
}

/// Removes all blockers.
fn clear(world: &World) {
    world.edit(
        r#"DELETE FROM "authctl_throttle"; UPDATE "account" SET "accountId" = "userId";
           UPDATE "user" SET "email" = 'ada@example.com', "emailVerified" = 1, "banned" = 0, "twoFactorEnabled" = 0"#,
    );
}

/// The blockers that can occur together, in the order in which a sign-in checks them.
const ORDER: [&str; 6] = [
    "TOO_MANY_REQUESTS",
    "EMAIL_NOT_LOWER_CASE",
    "CREDENTIAL_ACCOUNT_NOT_FOUND",
    "EMAIL_NOT_VERIFIED",
    "BANNED_USER",
    "TOTP_NOT_ENABLED",
];

/// A database that requires verified addresses, and Ada's id.
fn world() -> (World, String) {
    let mut world = World::with_ada();
    world.policy.email.verification_required = true;
    let ada = world.at(0).find_user("ada@example.com").unwrap();
    (world, ada.id)
}

fn blockers(world: &mut World, id: &str, seconds: i64) -> Vec<SignInBlocker> {
    let ada = world.store.user(&UserRef::Id(id.into())).unwrap().unwrap();
    world.at(seconds).blockers(&ada).unwrap()
}

#[test]
fn sign_in_stops_at_the_first_blocker() {
    let (mut world, id) = world();
    for chosen in 0..1_u32 << ORDER.len() {
        let expected: Vec<&str> =
            (0..).zip(ORDER).filter(|(bit, _)| chosen & (1 << bit) != 0).map(|(_, code)| code).collect();
        clear(&world);
        for code in &expected {
            put(&world, code);
        }
        let found = blockers(&mut world, &id, 110);
        assert_eq!(found.iter().map(SignInBlocker::code).collect::<Vec<_>>(), expected);
        let answer = world.try_sign_in("ada", PASSWORD, 110);
        match found.into_iter().next().map(|first| first.refusal(at(110))) {
            None => assert!(answer.is_ok(), "{answer:?}"),
            Some(refusal) => assert_eq!(format!("{:?}", answer.unwrap_err()), format!("{refusal:?}"), "{expected:?}"),
        }
    }
}

#[test]
fn explain_counts_no_attempt_and_writes_nothing() {
    let (mut world, id) = world();
    for code in ORDER {
        put(&world, code);
    }
    let state = |world: &World| -> (String, i64, i64) {
        let sql = r#"SELECT group_concat("key" || "count" || "notBefore" || "lastAt"),
                     (SELECT count(*) FROM "authctl_audit"), (SELECT count(*) FROM "session") FROM "authctl_throttle""#;
        world.sql().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    let before = state(&world);
    for seconds in [0, 110, 3_000] {
        assert!(!blockers(&mut world, &id, seconds).is_empty());
    }
    assert_eq!(state(&world), before);
}

#[test]
fn expired_blocker_is_gone_at_its_second() {
    let (mut world, id) = world();
    clear(&world);
    let (lock, ban) = (("TOO_MANY_REQUESTS", at(160)), ("BANNED_USER", at(200)));
    put(&world, lock.0);
    put(&world, ban.0);
    for (seconds, expected) in [(159, vec![lock, ban]), (160, vec![ban]), (199, vec![ban]), (200, vec![])] {
        let found = blockers(&mut world, &id, seconds);
        let until: Vec<_> = found.iter().map(|one| (one.code(), one.until().unwrap())).collect();
        assert_eq!(until, expected, "{seconds}");
    }
}

#[test]
fn unfindable_address_is_a_blocker() {
    let (mut world, id) = world();
    world.edit(r#"UPDATE "user" SET "emailVerified" = 1"#);
    let sought = || Email::parse("ada@example.com").unwrap();
    world.edit(r#"UPDATE "user" SET "email" = 'Ada@Example.com'"#);
    assert_eq!(blockers(&mut world, &id, 0), [SignInBlocker::AddressNotFound { sought: sought(), taken: false }]);
    world.edit(
        r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
           VALUES ('twin', 'Twin', 'ada@example.com', 1, 0, 0)"#,
    );
    assert_eq!(blockers(&mut world, &id, 0), [SignInBlocker::AddressNotFound { sought: sought(), taken: true }]);
    for unusable in ["ada@localhost", "", "not an address", "ädä@example.com"] {
        world.edit(&format!(r#"UPDATE "user" SET "email" = '{unusable}' WHERE "id" = '{id}'"#));
        assert_eq!(blockers(&mut world, &id, 0), [SignInBlocker::AddressUnusable], "{unusable}");
    }
}

#[test]
fn password_blocker_lists_the_other_ways_to_sign_in() {
    let (mut world, id) = world();
    world.edit(r#"UPDATE "user" SET "emailVerified" = 1"#);
    let scrypt = format!("{}:{}", "0A".repeat(16), "1B".repeat(64));
    let lacks = |lack, others: &[&str]| {
        vec![SignInBlocker::NoPassword { lack, others: others.iter().map(|&other| other.into()).collect() }]
    };
    let link = r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
                  SELECT 'link', '1', 'github', "id", 0, 0 FROM "user""#;
    for (edit, expected) in [
        (r#"UPDATE "account" SET "password" = "password""#.to_owned(), vec![]),
        (format!(r#"UPDATE "account" SET "password" = '{scrypt}'"#), {
            vec![SignInBlocker::HashNotAccepted(HashFormat::Unknown)]
        }),
        (r#"UPDATE "account" SET "password" = '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'"#.to_owned(), {
            vec![SignInBlocker::HashNotAccepted(HashFormat::Argon2Refused)]
        }),
        (r#"UPDATE "account" SET "password" = ''"#.to_owned(), {
            vec![SignInBlocker::HashNotAccepted(HashFormat::Unknown)]
        }),
        (r#"UPDATE "account" SET "password" = NULL"#.to_owned(), lacks(MissingPassword::Hash, &[])),
        (link.to_owned(), lacks(MissingPassword::Hash, &["github"])),
        (r#"UPDATE "account" SET "accountId" = 'other' WHERE "providerId" = 'credential'"#.to_owned(), {
            lacks(MissingPassword::Hash, &["github"])
        }),
        (r#"UPDATE "account" SET "password" = 'x' WHERE "providerId" = 'credential'"#.to_owned(), {
            lacks(MissingPassword::OwnAccount(vec!["other".into()]), &["github"])
        }),
        (r#"DELETE FROM "account" WHERE "providerId" = 'credential'"#.to_owned(), lacks(MissingPassword::Account, &["github"])),
        (r#"DELETE FROM "account""#.to_owned(), lacks(MissingPassword::Account, &[])),
    ] {
        world.edit(&edit);
        assert_eq!(blockers(&mut world, &id, 0), expected, "{edit}");
        let wrong = matches!(world.try_sign_in("ada", PASSWORD, 0), Err(AuthError::InvalidCredentials));
        assert_eq!(wrong, !expected.is_empty(), "{edit}");
        world.edit(r#"DELETE FROM "authctl_throttle""#);
    }
}
