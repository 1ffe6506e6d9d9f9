//! Many processes at once: every success is stored, every failure is absent, and the log is one chain.

use super::{Place, count};
use crate::sandbox::PASSWORD;

/// Sign-ups at once on a database without tables.
const AT_ONCE: usize = 32;

#[test]
fn sign_ups_at_once_make_one_schema() {
    let Some(place) = Place::empty() else { return };
    place.sandbox.file("pw", PASSWORD);
    let sign_up = |shell| {
        let words = format!("signup user{shell}@example.com --name Somebody --password-file {}", "pw --wait 60s");
        place.command_of(shell, &words)
    };
    let runs = place.at_once((0..AT_ONCE).map(sign_up));
    for run in &runs {
        assert_eq!(run.code, 0, "{run}");
    }
    let said = runs.iter().filter(|run| run.stderr.contains("created authctl's tables")).count();
    assert_eq!(said, 1, "one of them made the tables");
    let expected = i64::try_from(AT_ONCE).unwrap();
    assert_eq!(place.number(r#"SELECT count(*) FROM "user""#), expected);
    assert_eq!(place.number("SELECT count(*) FROM session"), expected);
    assert_eq!(place.number("SELECT count(*) FROM authctl_schema_history"), 3);
    place.assert_whole();
}

#[test]
fn one_of_many_sign_ups_of_an_address_wins() {
    let Some(place) = Place::new() else { return };
    place.sandbox.file("pw", PASSWORD);
    let words = "signup ada@example.com --name Ada --password-file pw --wait 60s";
    let runs = place.at_once((0..8).map(|shell| place.command_of(shell, words)));
    assert_eq!((count(&runs, 0), count(&runs, 6)), (1, 7), "{runs:?}");
    place.assert_whole();
}

/// Each shell has a user, who signs in and out, is signed out by others, and is pruned beside.
#[test]
fn storm_of_sessions_beside_prune_leaves_what_it_said() {
    const SHELLS: usize = 8;
    let Some(place) = Place::new() else { return };
    place.sandbox.file("pw", PASSWORD);
    place.create("user0@example.com", "");
    place.execute(&copies(1..SHELLS));
    place.execute(
        r#"INSERT INTO session (id, "expiresAt", token, "createdAt", "updatedAt", "userId")
           SELECT 'old-' || n, now() - interval '1 day', 'old-' || n, now() - interval '9 days', now() - interval '9 days', u.id
           FROM generate_series(1, 2000) AS n, "user" AS u WHERE u.email = 'user0@example.com'"#,
    );
    let run =
        |shell: usize, words: &str| place.sandbox.finish(&mut place.command_of(shell, &format!("{words} --wait 60s")));
    let live: usize = std::thread::scope(|scope| {
        let worker = |shell: usize| {
            scope.spawn(move || {
                let email = format!("user{shell}@example.com");
                let mut is_signed_in = false;
                for round in 0..3 {
                    // Ends the session of the round before.
                    run(shell, &format!("signin {email} --password-file pw")).success();
                    if round == 0 {
                        run(shell, &format!("signin {email} --password-file pw --print-token")).success();
                        run(shell, &format!("sessions revoke --user {email} --yes")).success();
                    }
                    is_signed_in = (shell + round).is_multiple_of(2);
                    if !is_signed_in {
                        run(shell, "signout").success();
                    }
                }
                is_signed_in
            })
        };
        let running: Vec<_> = (0..SHELLS).map(worker).collect();
        for _ in 0..2 {
            run(SHELLS, "sessions prune").success();
        }
        running.into_iter().map(|worker| usize::from(worker.join().unwrap())).sum()
    });
    assert_eq!(place.number("SELECT count(*) FROM session"), i64::try_from(live).unwrap());
    place.assert_whole();
}

/// Statements that copy the first user, with the password, to `user{n}@example.com`.
pub fn copies(numbers: std::ops::Range<usize>) -> String {
    format!(
        r#"INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt", role, banned)
           SELECT lpad(n::text, 32, '0'), name, 'user' || n || '@example.com', "emailVerified", "createdAt", "updatedAt", role, banned
           FROM "user", generate_series({0}, {1}) AS n WHERE email = 'user0@example.com';
           INSERT INTO account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
           SELECT 'account-' || n, lpad(n::text, 32, '0'), "providerId", lpad(n::text, 32, '0'), password, "createdAt", "updatedAt"
           FROM account, generate_series({0}, {1}) AS n WHERE "userId" = (SELECT id FROM "user" WHERE email = 'user0@example.com')"#,
        numbers.start,
        numbers.end - 1
    )
}
