//! Many concurrent processes with random acts, and a model: the final database contains every success and no
//! failure. The suite runs a short storm; `AUTHCTL_STORM=N` runs N long ones.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use crate::app::{DRIZZLE, load};
use crate::fuzz::mutate::Rng;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// A worker's model of its own user.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Known {
    exists: bool,
    banned: bool,
    /// Whether the second password is set.
    changed: bool,
    sessions: i64,
    /// Whether this worker's shell has one of the sessions.
    stored: bool,
    /// Failed sign-ins since the last successful one.
    refused: u32,
}

/// State that all workers share.
struct Field<'a> {
    sandbox: &'a Sandbox,
    /// Exit codes of sign-ups with the same address.
    shared: Mutex<BTreeMap<String, Vec<i32>>>,
    /// Violations of the model.
    wrong: Mutex<Vec<String>>,
    created: Mutex<i64>,
}

impl Field<'_> {
    fn command(&self, worker: usize, words: &str) -> Command {
        let mut command = self.sandbox.command(words.split_whitespace());
        command.args(["--wait", "60s"]).env("XDG_CONFIG_HOME", self.sandbox.path(&format!("config-{worker}")));
        command
    }

    fn run(&self, worker: usize, words: &str, input: &str) -> Ran {
        let ran = self.sandbox.finish_with_input(&mut self.command(worker, words), input);
        for text in ["has a bug", "database is locked", "panicked", "SQLITE", "UNIQUE constraint"] {
            if ran.stderr.contains(text) || ran.stdout.contains(text) {
                self.wrong.lock().unwrap().push(format!("{words}: {text}: {ran}"));
            }
        }
        ran
    }

    /// Records an exit code that the model does not allow, and returns whether the act succeeded.
    fn done(&self, words: &str, ran: &Ran, allowed: &[i32]) -> bool {
        if !allowed.contains(&ran.code) {
            self.wrong.lock().unwrap().push(format!("{words}: one of {allowed:?} was expected: {ran}"));
        }
        ran.code == 0
    }
}

impl Field<'_> {
    /// Signs in with the right password. A banned user is refused, which counts as a failed attempt.
    fn signs_in(&self, worker: usize, words: &str, password: &str, known: &mut Known) -> bool {
        let ran = self.run(worker, words, password);
        let expected = known.or_throttled(if known.banned { 5 } else { 0 });
        match ran.code {
            0 => known.refused = 0,
            5 => known.refused += 1,
            _ => {}
        }
        self.done(words, &ran, &expected)
    }
}

impl Known {
    /// The allowed exit codes of an act with the password: after five failures the user may be throttled.
    fn or_throttled(&self, code: i32) -> Vec<i32> {
        if self.refused < 5 { vec![code] } else { vec![code, 8] }
    }
}

/// Runs one act on the worker's user and updates the model.
fn act(field: &Field<'_>, worker: usize, rng: &mut Rng, known: &mut Known) {
    let email = format!("worker{worker}@example.com");
    let (old, new) = if known.changed { (OTHER_PASSWORD, PASSWORD) } else { (PASSWORD, OTHER_PASSWORD) };
    if !known.exists {
        let words = format!("signup {email} --name Worker --password-stdin");
        if field.done(&words, &field.run(worker, &words, PASSWORD), &[0]) {
            *known = Known { exists: true, sessions: 1, stored: true, refused: known.refused, ..Known::default() };
            *field.created.lock().unwrap() += 1;
        }
        return;
    }
    match rng.below(12) {
        0 | 1 => {
            let words = format!("signin {email} --password-stdin");
            if field.signs_in(worker, &words, old, known) {
                // The shell's earlier session is replaced.
                known.sessions += i64::from(!known.stored);
                known.stored = true;
            }
        }
        2 => {
            let words = format!("signin {email} --password-stdin --print-token");
            if field.signs_in(worker, &words, old, known) {
                known.sessions += 1;
            }
        }
        3 => {
            let words = "signout";
            if field.done(words, &field.run(worker, words, ""), &[0]) && known.stored {
                known.sessions -= 1;
                known.stored = false;
            }
        }
        4 => {
            let words = "password change --password-stdin";
            let expected = if known.stored { known.or_throttled(0) } else { vec![4] };
            let ran = field.run(worker, words, &format!("{old}\n{new}\n"));
            if field.done(words, &ran, &expected) {
                known.refused = 0;
                known.changed = !known.changed;
                known.sessions = 1;
            }
        }
        5 => {
            let words = format!("users ban {email}");
            // Banning a banned user succeeds.
            if field.done(&words, &field.run(worker, &words, ""), &[0]) {
                *known = Known { banned: true, sessions: 0, stored: false, ..known.clone() };
            }
        }
        6 => {
            let words = format!("users unban {email}");
            let _ = field.done(&words, &field.run(worker, &words, ""), &[0]);
            known.banned = false;
        }
        7 => {
            let words = format!("sessions revoke --user {email}");
            if field.done(&words, &field.run(worker, &words, ""), &[0, 1, 3]) {
                known.sessions = 0;
                known.stored = false;
            }
        }
        8 => {
            let words = format!("users delete {email} --yes");
            if field.done(&words, &field.run(worker, &words, ""), &[0]) {
                *known = Known { refused: known.refused, ..Known::default() };
            }
        }
        9 => {
            let copy = format!("copy-{worker}-{}.db", rng.next());
            let words = format!("db backup {copy}");
            if field.done(&words, &field.run(worker, &words, ""), &[0]) {
                let sql = Connection::open(field.sandbox.path(&copy)).unwrap();
                let whole: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                let own = format!(r#"SELECT count(*) FROM "user" WHERE "email" = '{email}'"#);
                let own: i64 = sql.query_row(&own, [], |row| row.get(0)).unwrap();
                if whole != "ok" || own != 1 {
                    field.wrong.lock().unwrap().push(format!("{words}: {whole}, {own} of its own user"));
                }
            }
        }
        10 => {
            let shared = format!("shared{}@example.com", rng.below(3));
            let words = format!("signup {shared} --name Shared --password-stdin --no-signin");
            let ran = field.run(worker, &words, PASSWORD);
            let _ = field.done(&words, &ran, &[0, 6]);
            if ran.code == 0 {
                *field.created.lock().unwrap() += 1;
            }
            field.shared.lock().unwrap().entry(shared).or_default().push(ran.code);
        }
        _ => {
            let words = rng.pick(&["doctor", "doctor --fix --yes", "db check", "users list --limit 5"]);
            let _ = field.done(words, &field.run(worker, words, ""), &[0, 1]);
        }
    }
}

/// Compares the final database with a worker's model.
fn compare(field: &Field<'_>, sql: &Connection, worker: usize, known: &Known) {
    let email = format!("worker{worker}@example.com");
    let user = format!(r#""userId" = (SELECT "id" FROM "user" WHERE "email" = '{email}')"#);
    let ask = |text: &str| sql.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
    let found = (
        ask(&format!(r#"SELECT count(*) FROM "user" WHERE "email" = '{email}'"#)) == 1,
        ask(&format!(r#"SELECT count(*) FROM "user" WHERE "email" = '{email}' AND "banned" = 1"#)) == 1,
        ask(&format!(r#"SELECT count(*) FROM "session" WHERE {user}"#)),
    );
    let expected = (known.exists, known.banned, known.sessions);
    if found != expected {
        field
            .wrong
            .lock()
            .unwrap()
            .push(format!("worker {worker}: exists, banned, sessions: {found:?}, not {expected:?}"));
    }
}

fn storm(workers: usize, acts: usize, seed: u64) {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    let field = Field { sandbox: &sandbox, shared: Mutex::default(), wrong: Mutex::default(), created: Mutex::new(0) };
    let known: Vec<Known> = std::thread::scope(|scope| {
        let field = &field;
        let start = |worker: usize| {
            scope.spawn(move || {
                let (mut rng, mut known) = (Rng::new(seed, worker as u64), Known::default());
                for _ in 0..acts {
                    act(field, worker, &mut rng, &mut known);
                }
                known
            })
        };
        let running: Vec<_> = (0..workers).map(start).collect();
        running.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    // Checks the current password before it reads the file itself.
    for (worker, known) in known.iter().enumerate().filter(|(_, known)| known.exists && !known.banned).take(4) {
        let right = if known.changed { OTHER_PASSWORD } else { PASSWORD };
        let words = format!("signin worker{worker}@example.com --password-stdin --no-store");
        let _ = field.done(&words, &field.run(worker, &words, right), &known.or_throttled(0));
    }
    let verified = sandbox.run("audit verify");
    let sql = sandbox.sql();
    let whole: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    assert!(!sql.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
    for (worker, known) in known.iter().enumerate() {
        compare(&field, &sql, worker, known);
    }
    let shared = field.shared.lock().unwrap();
    for (email, codes) in shared.iter() {
        if codes.iter().filter(|code| **code == 0).count() != 1 {
            field.wrong.lock().unwrap().push(format!("{email}: one sign-up succeeds: {codes:?}"));
        }
    }
    let logged = r#"SELECT count(*) FROM "authctl_audit" WHERE "event" = 'user.created'"#;
    let logged: i64 = sql.query_row(logged, [], |row| row.get(0)).unwrap();
    let created = *field.created.lock().unwrap();
    let wrong = field.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    assert_eq!(logged, created, "seed {seed}: an entry for each user that was made");
    assert_eq!(verified.code, 0, "{verified}");
}

#[test]
fn exit_codes_agree_with_the_final_database() {
    match std::env::var("AUTHCTL_STORM") {
        Ok(count) => (0..count.parse().unwrap()).for_each(|seed| storm(64, 40, seed)),
        Err(_) => storm(16, 6, 8),
    }
}

#[test]
fn app_writes_survive_killed_guests() {
    let sandbox = Sandbox::new();
    load(&sandbox, DRIZZLE.name, "app.db");
    sandbox.run("--db app.db doctor").success();
    let path = sandbox.path("app.db");
    let stop = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let app = scope.spawn(|| {
            let sql = Connection::open(&path).unwrap();
            sql.busy_timeout(Duration::from_secs(20)).unwrap();
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                let insert = r#"INSERT INTO "verification" ("id", "identifier", "value", "expires_at", "created_at", "updated_at")
                    VALUES (?1, 'from-the-app', '{}', 4102444800000, 0, 0)"#;
                sql.execute(insert, [format!("app-{written}")]).expect("no write of the app fails");
                written += 1;
            }
            written
        });
        for step in 0..24 {
            let words =
                ["users ban bob@example.com", "users unban bob@example.com", "sessions revoke --user bob@example.com"];
            let mut command = sandbox.command(["--db", "app.db"]);
            command.args(words[step % words.len()].split(' ')).stderr(std::process::Stdio::null());
            let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
            // Each round kills the process after a different delay.
            std::thread::sleep(Duration::from_millis(4 * step as u64));
            let _ = child.kill();
            child.wait().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        app.join().unwrap()
    });
    assert!(written > 0);
    let sql = Connection::open(&path).unwrap();
    let found: i64 = sql
        .query_row(r#"SELECT count(*) FROM "verification" WHERE "identifier" = 'from-the-app'"#, [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, written, "what the app wrote is there");
    let whole: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    // In a guest database, an interrupted act can be repeated.
    drop(sql);
    sandbox.run("--db app.db users ban bob@example.com").success();
}
