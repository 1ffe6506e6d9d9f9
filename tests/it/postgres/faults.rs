//! Connections that break or freeze at any message: an act that was reported done is there, one whose commit was not
//! answered may be, and any other is not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authctl::auth::secret::digest;

use super::proxy::{Fault, Proxy};
use super::{Place, crowd, server};
use crate::kill::is_full;
use crate::sandbox::{PASSWORD, Ran};

/// How many commands run at once.
const WORKERS: usize = 4;

/// A command that is repeated with another user for each number.
struct Act {
    words: fn(usize) -> String,
    /// Counts 1 when the act of a number is done.
    done: fn(usize) -> String,
}

const SIGN_UP: Act = Act {
    words: |n| format!("signup new{n}@example.com --name New --password-file pw"),
    done: |n| format!(r#"SELECT count(*) FROM "user" WHERE email = 'new{n}@example.com'"#),
};
const SIGN_IN: Act = Act {
    words: |n| format!("signin user{n}@example.com --password-file pw"),
    done: |n| {
        format!(r#"SELECT count(*) FROM session WHERE "userId" = lpad('{n}', 32, '0') AND id NOT LIKE 'given-%'"#)
    },
};
const BAN: Act = Act {
    words: |n| format!("users ban user{n}@example.com"),
    done: |n| format!(r#"SELECT count(*) FROM "user" WHERE email = 'user{n}@example.com' AND banned"#),
};
const SIGN_OUT: Act = Act {
    words: |_| "signout".to_owned(),
    done: |n| format!("SELECT 1 - count(*) FROM session WHERE id = 'given-{n}'"),
};

const CREATE_TOKEN: Act = Act {
    words: |n| format!("tokens create --name ci --user user{n}@example.com"),
    done: |n| {
        format!(
            r#"SELECT count(*) FROM authctl_apikey WHERE "userId" = lpad('{n}', 32, '0') AND id NOT LIKE 'given-%'"#
        )
    },
};
const ROTATE_TOKEN: Act = Act {
    words: |n| format!("tokens rotate given-{n}- --user user{n}@example.com"),
    done: |n| format!("SELECT count(*) FROM authctl_apikey WHERE id = 'given-{n}-' AND key <> '{n}'"),
};
const REVOKE_TOKEN: Act = Act {
    words: |n| format!("tokens revoke given-{n}- --user user{n}@example.com"),
    done: |n| format!("SELECT 1 - count(*) FROM authctl_apikey WHERE id = 'given-{n}-'"),
};

/// The token of a session that each user has.
fn token(n: usize) -> String {
    format!("{n:032}")
}

/// How many users a database has, and so how often a test runs a command.
const USERS: usize = 800;

/// A database with users, each with a session and an API token.
fn place() -> Option<Place> {
    server::private()?;
    let place = Place::like("users", |place| {
        place.create("user0@example.com", "");
        place.execute(&crowd::copies(1..USERS + 1));
        let mut sql = place.sql();
        let given = r#"INSERT INTO session (id, "expiresAt", token, "createdAt", "updatedAt", "userId")
            VALUES ('given-' || $1, now() + interval '5 days', $2, now(), now(), lpad($1, 32, '0'))"#;
        let given = sql.prepare(given).unwrap();
        for n in 1..=USERS {
            sql.execute(&given, &[&n.to_string(), &digest(token(n))]).unwrap();
        }
        place.execute(&format!(
            r"INSERT INTO authctl_apikey SELECT 'given-' || n || '-', NULL, 'authctl', n, lpad(n::text, 32, '0'), 'whoami',
                 now(), now() + interval '5 days' FROM generate_series(1, {USERS}) AS n"
        ));
    })?;
    place.sandbox.file("pw", PASSWORD);
    Some(place)
}

fn run(place: &Place, act: &Act, n: usize, proxy: &Proxy, wait: &str) -> Ran {
    let mut command = place.command_at(&proxy.url(place.name()), &(act.words)(n));
    command.args(["--wait", wait]).env("XDG_CONFIG_HOME", place.sandbox.path(&format!("config-{n}")));
    if std::ptr::fn_addr_eq(act.words, SIGN_OUT.words) {
        command.env("AUTHCTL_TOKEN", token(n));
    }
    place.sandbox.finish(&mut command)
}

/// Cuts the connection after each message. The suite takes those around the commit, as many on each side as `around`, and a
/// part of those before.
fn sweep(act: &Act, around: usize) {
    let Some(place) = place() else { return };
    let server = server::private().unwrap();
    let uncut = Proxy::start(server, usize::MAX, Fault::Cut);
    run(&place, act, USERS, &uncut, "5s").success();
    let seen = uncut.seen();
    let commit = *seen.commits.last().expect("the act commits");
    let is_full = is_full();
    let points = (1..=seen.messages + 1).flat_map(|n| [(n, Fault::CutOnce), (n, Fault::Cut)]);
    let is_taken = |n: usize, fault| n.abs_diff(commit) <= around || n % 23 == if fault == Fault::Cut { 0 } else { 11 };
    let cases: Vec<(usize, Fault)> = points.filter(|(n, fault)| is_full || is_taken(*n, *fault)).collect();
    assert!(cases.len() < USERS, "{} cases", cases.len());
    let (next, codes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some((allowed, fault)) = cases.get(n).copied() else { return };
                    let proxy = Proxy::start(server, allowed, fault);
                    let start = Instant::now();
                    let ran = run(&place, act, n + 1, &proxy, "1s");
                    assert!(start.elapsed() < Duration::from_secs(15), "{allowed} {fault:?}: {ran}");
                    codes.lock().unwrap().push((n + 1, allowed, fault, ran));
                }
            });
        }
    });
    // Looks at the end, so that the server has done what it still had to do.
    let codes = codes.into_inner().unwrap();
    let mut sql = place.sql();
    for (n, allowed, fault, ran) in &codes {
        let is_done = sql.query_one(&(act.done)(*n), &[]).unwrap().get::<_, i64>(0) == 1;
        let is_told = match ran.code {
            0 => is_done,
            // A sign-in commits the attempt first.
            76 => *allowed >= seen.commits[0] - 1,
            75 => !is_done,
            // There was no connection yet.
            9 => !is_done && ran.stderr.contains("could not open the database"),
            _ => false,
        };
        assert!(is_told, "cut after {allowed} of {} messages, {fault:?}, done: {is_done}: {ran}", seen.messages);
    }
    let unknown = codes.iter().filter(|(.., ran)| ran.code == 76).count();
    assert!(unknown > 0, "a cut in the commit is reported");
    assert!(
        codes.iter().any(|(_, allowed, fault, ran)| *fault == Fault::CutOnce && *allowed < commit && ran.code == 0)
    );
    place.assert_whole();
}

#[test]
fn sign_up_over_a_cut_connection_is_done_or_told() {
    sweep(&SIGN_UP, 3);
}

#[test]
fn sign_in_over_a_cut_connection_is_done_or_told() {
    sweep(&SIGN_IN, 3);
}

#[test]
fn ban_over_a_cut_connection_is_done_or_told() {
    sweep(&BAN, 3);
}

#[test]
fn sign_out_over_a_cut_connection_is_done_or_told() {
    sweep(&SIGN_OUT, 3);
}

#[test]
fn api_token_over_a_cut_connection_is_made_rotated_or_told() {
    sweep(&CREATE_TOKEN, 1);
    sweep(&ROTATE_TOKEN, 1);
}

#[test]
fn api_token_over_a_cut_connection_is_revoked_or_told() {
    sweep(&REVOKE_TOKEN, 1);
}

#[test]
fn frozen_server_is_given_up_and_gives_up() {
    let Some(place) = place() else { return };
    let server = server::private().unwrap();
    let uncut = Proxy::start(server, usize::MAX, Fault::Freeze);
    run(&place, &BAN, USERS, &uncut, "5s").success();
    let commit = *uncut.seen().commits.last().unwrap();
    let points = [1, 3, commit / 2, commit * 3 / 4, commit - 1, commit, commit + 1];
    let freeze = |allowed: usize| {
        // One of their own, because each holds the lock of writers.
        let place = self::place().unwrap();
        let proxy = Proxy::start(server, allowed, Fault::Freeze);
        let start = Instant::now();
        let ran = run(&place, &BAN, 1, &proxy, "1s");
        // The wait, and ten seconds for an answer.
        assert!(start.elapsed() < Duration::from_secs(16), "{:?}: {ran}", start.elapsed());
        let expected = if allowed < commit - 1 { &[9, 75][..] } else { &[76, 0] };
        assert!(expected.contains(&ran.code), "frozen after {allowed}, committed at {commit}: {ran}");
        let is_done = place.number(&(BAN.done)(1)) == 1;
        assert!(ran.code == 76 || is_done == (ran.code == 0), "done: {is_done}: {ran}");
        if allowed == commit {
            assert!(is_done && ran.stderr.contains("did not answer within 11 seconds"), "{ran}");
        }
        if allowed == commit - 1 {
            // The proxy still holds the connection of the transaction.
            place.run("users ban user2@example.com").success();
        }
        place.assert_whole();
    };
    std::thread::scope(|scope| {
        for allowed in points {
            scope.spawn(move || freeze(allowed));
        }
    });
}
