//! Faults at each system call of every kind of act: a kill, an I/O error or a full disk. An acknowledged act is
//! stored, a failed act is absent or reported, and a second run succeeds.
//!
//! The suite tests a sample. `AUTHCTL_SWEEP=full cargo test --locked --test it -- faults` tests every call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use rusqlite::Connection;

use crate::app::{DRIZZLE, load};
use crate::db::make_old;
use crate::kill::{Case, is_full};
use crate::machine::tree;
use crate::sandbox::{PASSWORD, Ran, Sandbox};
use crate::strace;

/// The number of faults for each act in the suite.
const SAMPLE: usize = 4;

/// An act, and a query for its result.
struct Scene {
    name: &'static str,
    case: Case,
    /// Whether the result of the act is visible.
    effect: fn(&Sandbox) -> bool,
    /// Exit codes of a second run after a success.
    done_already: &'static [i32],
}

impl Scene {
    fn new(name: &'static str, sandbox: Sandbox, words: &'static str, effect: fn(&Sandbox) -> bool) -> Self {
        Self { name, case: Case::new(sandbox, words), effect, done_already: &[] }
    }

    fn done_already(self, codes: &'static [i32]) -> Self {
        Self { done_already: codes, ..self }
    }
}

/// Queries one number; 0 when the database or the table does not exist.
fn number(path: &Path, sql: &str) -> i64 {
    if !path.exists() {
        return 0;
    }
    let connection = Connection::open(path).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap_or(0)
}

fn native(sandbox: &Sandbox, sql: &str) -> i64 {
    number(&sandbox.database(), sql)
}

/// The administrator Ada and the user Bob are signed in.
fn ada_and_bob() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    sandbox.run("users set-role ada@example.com admin").success();
    let bob = "users create bob@example.com --name Bob --password-stdin";
    sandbox.run_with_input(bob, PASSWORD).success();
    let _ = sandbox.run_with_input("signin bob@example.com --password-stdin --print-token", PASSWORD).success();
    sandbox
}

fn with_backup() -> Sandbox {
    let sandbox = ada_and_bob();
    sandbox.run("db backup backup.db").success();
    sandbox.run("users delete bob@example.com --yes").success();
    sandbox
}

/// Bob has an API token with the id `ci`.
fn with_token() -> Sandbox {
    let sandbox = ada_and_bob();
    sandbox.run("tokens create --user bob@example.com").success();
    sandbox.execute(r#"UPDATE "authctl_apikey" SET "id" = 'ci'"#);
    sandbox
}

fn scenes() -> Vec<Scene> {
    let is_there = |sandbox: &Sandbox| native(sandbox, r#"SELECT count(*) FROM "user""#) > 0;
    let signed_out = ada_and_bob();
    signed_out.run("signout").success();
    let old = Sandbox::with_ada();
    make_old(&old);
    let app = Sandbox::new();
    load(&app, DRIZZLE.name, "app.db");
    // The sidecar state for the app's database exists already.
    app.run("--db app.db doctor").success();
    vec![
        Scene::new("signup", Sandbox::new(), "signup ada@example.com --name Ada --password-file pw", is_there)
            .done_already(&[6]),
        Scene::new("signin", signed_out, "signin ada@example.com --password-file pw", |it| it.run("whoami").code == 0),
        Scene::new("password change", ada_and_bob(), "password change --password-file change", |it| {
            native(it, r#"SELECT count(DISTINCT "password") FROM "account""#) == 2
                && native(it, r#"SELECT count(*) FROM "authctl_audit" WHERE "event" = 'password.changed'"#) == 1
        })
        .done_already(&[7]),
        Scene::new("users delete", ada_and_bob(), "users delete bob@example.com --yes", |it| {
            native(it, r#"SELECT count(*) FROM "user" WHERE "email" = 'bob@example.com'"#) == 0
        })
        .done_already(&[3]),
        Scene::new("sessions revoke", ada_and_bob(), "sessions revoke --user bob@example.com", |it| {
            native(it, r#"SELECT count(*) FROM "session""#) == 1
        })
        .done_already(&[0, 1, 3]),
        Scene::new("db backup", ada_and_bob(), "db backup copy.db", |it| {
            number(&it.path("copy.db"), r#"SELECT count(*) FROM "user""#) == 2
        })
        .done_already(&[6]),
        Scene::new("db restore", with_backup(), "db restore backup.db --yes", |it| {
            native(it, r#"SELECT count(*) FROM "user" WHERE "email" = 'bob@example.com'"#) == 1
        }),
        Scene::new("db migrate", old, "db migrate", |it| {
            native(it, "PRAGMA user_version") == i64::from(authctl::store::sqlite::LATEST)
        }),
        Scene::new("policy set", ada_and_bob(), "policy set session.lifetime 3d", |it| {
            native(it, r#"SELECT count(*) FROM "authctl_policy""#) == 1
        }),
        Scene::new("tokens create", ada_and_bob(), "tokens create --user bob@example.com", |it| {
            native(it, r#"SELECT count(*) FROM "authctl_apikey""#) > 0
        }),
        Scene::new("tokens rotate", with_token(), "tokens rotate --user bob@example.com ci", |it| {
            native(it, r#"SELECT count(*) FROM "authctl_audit" WHERE "event" = 'token.rotated'"#) > 0
        }),
        Scene::new("tokens revoke", with_token(), "tokens revoke --user bob@example.com ci", |it| {
            native(it, r#"SELECT count(*) FROM "authctl_apikey""#) == 0
        })
        .done_already(&[3]),
        Scene::new("audit export", ada_and_bob(), "audit export", |_| false),
        Scene::new("guest ban", app, "--db app.db users ban bob@example.com --reason spam", |it| {
            number(
                &it.path("app.db"),
                r#"SELECT count(*) FROM "user" WHERE "banned" = 1 AND "email" = 'bob@example.com'"#,
            ) == 1
        }),
    ]
}

/// The names of all files in the home directory.
fn names(sandbox: &Sandbox) -> BTreeSet<String> {
    let files = tree(sandbox.home());
    let names = files.files().filter(|(path, _)| path.is_file());
    names.map(|(path, _)| path.strip_prefix(sandbox.home()).unwrap().display().to_string()).collect()
}

/// Whether a failed act may leave a file: the files of SQLite, locks, and an empty database.
fn may_appear(name: &str) -> bool {
    ["-wal", "-shm", "-journal", ".lock", "auth.db"].iter().any(|end| name.ends_with(end)) || name.contains("/state/")
}

/// Invariants after any fault.
fn broken(sandbox: &Sandbox) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, is_native) in [(sandbox.database(), true), (sandbox.path("app.db"), false)] {
        if !path.exists() {
            continue;
        }
        let sql = Connection::open(&path).unwrap();
        let whole: String =
            sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap_or_else(|e| e.to_string());
        if whole != "ok" {
            broken.push(format!("integrity: {whole}"));
        }
        if sql.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap() {
            broken.push("a row points nowhere".into());
        }
        if is_native && sql.prepare(r#"SELECT 1 FROM "user""#).is_ok() {
            let count = |text: &str| sql.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
            if count(
                r#"SELECT count(*) FROM "user" u WHERE 1 <> (SELECT count(*) FROM "account" a WHERE a."userId" = u."id")"#,
            ) > 0
            {
                broken.push("a user without an account".into());
            }
            if count(r#"SELECT count(*) - count(DISTINCT lower("email")) FROM "user""#) > 0 {
                broken.push("an address twice".into());
            }
        }
    }
    let sessions = sandbox.sessions();
    for entry in std::fs::read_dir(sessions).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let text = std::fs::read(entry.path()).unwrap();
        let whole = serde_json::from_slice::<serde_json::Value>(&text).is_ok_and(|json| json["token"].is_string());
        if !name.starts_with('.') && !whole {
            broken.push(format!("the session file {name} is torn"));
        }
    }
    broken
}

/// The audit log verifies, and the last administrator remains.
fn broken_for_operators(sandbox: &Sandbox) -> Vec<String> {
    let mut broken = Vec::new();
    let database = if sandbox.path("app.db").exists() { "--db app.db " } else { "" };
    let verified = sandbox.run(&format!("{database}audit verify"));
    if ![0, 9].contains(&verified.code) {
        broken.push(format!("the log does not verify: {verified}"));
    }
    let had_admin = native(sandbox, r#"SELECT count(*) FROM "authctl_audit" WHERE "event" LIKE '%role%'"#) > 0;
    if had_admin && native(sandbox, r#"SELECT count(*) FROM "user" WHERE "role" = 'admin'"#) == 0 {
        broken.push("no administrator is left".into());
    }
    broken
}

/// System calls that change files, and their possible errors.
const CALLS: &[(&str, &[&str])] = &[
    ("openat", &["error=EIO", "error=EMFILE"]),
    ("write", &["signal=KILL", "error=EIO", "error=ENOSPC"]),
    ("pwrite64", &["signal=KILL", "error=EIO", "error=ENOSPC"]),
    ("fsync", &["signal=KILL", "error=EIO"]),
    ("fdatasync", &["signal=KILL", "error=EIO"]),
    ("rename", &["signal=KILL", "error=EIO"]),
    ("renameat", &["signal=KILL", "error=EIO"]),
    ("renameat2", &["signal=KILL", "error=EIO"]),
    ("link", &["signal=KILL", "error=EIO"]),
    ("linkat", &["signal=KILL", "error=EIO"]),
    ("unlink", &["signal=KILL", "error=EIO"]),
    ("unlinkat", &["signal=KILL", "error=EIO"]),
    ("ftruncate", &["signal=KILL", "error=EIO", "error=ENOSPC"]),
    ("fchmod", &["signal=KILL", "error=EIO"]),
    ("fchmodat", &["signal=KILL", "error=EIO"]),
    ("mkdir", &["signal=KILL", "error=ENOSPC"]),
    ("fcntl", &["error=EIO"]),
];

/// All faults of an act: the calls of a run without faults, each with its errors.
fn faults(scene: &Scene) -> Vec<String> {
    let calls: Vec<&str> = CALLS.iter().map(|(call, _)| *call).collect();
    scene.case.put_back();
    let trace = strace::trace(&scene.case.sandbox, scene.case.words, &calls.join(","), &[]).unwrap();
    assert_eq!(trace.code, 0, "{}: {}", scene.name, trace.stderr);
    let home = scene.case.sandbox.home().to_str().unwrap();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for call in trace.calls() {
        let number = numbers.entry(call.name).or_default();
        *number += 1;
        // Loading libraries precedes every change, and other tests cover refused locks.
        let below_home = call.arguments.contains(home) || call.arguments.starts_with(|c: char| c.is_ascii_digit());
        let is_ours = call.name != "openat" || below_home;
        if is_ours && call.name != "fcntl" {
            let (_, errors) = CALLS.iter().find(|(name, _)| *name == call.name).unwrap();
            faults.extend(errors.iter().map(|error| format!("{}:{error}:when={number}", call.name)));
        }
    }
    faults
}

/// Tests one fault, and returns the violations.
fn try_fault(scene: &Scene, fault: &str, before: &BTreeSet<String>) -> Vec<String> {
    let sandbox = &scene.case.sandbox;
    scene.case.put_back();
    let run = |faults: &[&str]| strace::trace(sandbox, scene.case.words, "none", faults).unwrap();
    let ran = run(&[fault]);
    let mut wrong = Vec::new();
    let killed = ran.code == 137;
    if ran.stderr.contains("authctl has a bug") || (ran.code > 128 && !killed) {
        wrong.push("it stopped in the middle".to_owned());
    }
    wrong.extend(broken(sandbox));
    let done = (scene.effect)(sandbox);
    let is_read = scene.name == "audit export";
    if ran.code == 0 && !done && !is_read {
        wrong.push("exit code 0, and nothing was done".into());
    }
    if ran.code == 0
        && is_read
        && i64::try_from(ran.stdout.lines().count()) != Ok(native(sandbox, "SELECT count(*) FROM authctl_audit"))
    {
        wrong.push("exit code 0, and the answer is not whole".into());
    }
    // The message is "The account was created, but ...", not that the act failed.
    if !killed && ran.code != 0 && done && !ran.stderr.contains(", but ") {
        wrong.push("it failed, was done, and the message does not say so".into());
    }
    if !killed && ran.code != 0 && !done && !fault.starts_with("unlink") {
        let left: Vec<String> = names(sandbox).difference(before).filter(|name| !may_appear(name)).cloned().collect();
        if !left.is_empty() {
            wrong.push(format!("it failed and left {left:?}"));
        }
    }
    wrong.extend(broken_for_operators(sandbox));
    let again: Ran = sandbox.run(scene.case.words);
    let fits = again.code == 0 || (done && scene.done_already.contains(&again.code));
    if !fits {
        wrong.push(format!("a second try fails: {again}"));
    }
    if !is_read && !(scene.effect)(sandbox) {
        wrong.push("a second try does nothing".into());
    }
    wrong.extend(broken(sandbox));
    let hidden: Vec<String> =
        names(sandbox).into_iter().filter(|name| name.contains(".tmp") || name.contains(".new")).collect();
    if !hidden.is_empty() {
        wrong.push(format!("a second try leaves {hidden:?}"));
    }
    if wrong.is_empty() {
        return wrong;
    }
    vec![format!("{} at {fault}: exit code {}, {:?}\n    {}", scene.name, ran.code, ran.stderr, wrong.join("\n    "))]
}

#[expect(clippy::print_stderr, reason = "a sweep of minutes says what it does")]
fn sweep(is_full: bool) {
    if !strace::is_usable() {
        return;
    }
    let scenes = Mutex::new(scenes());
    let wrong = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(scene) = scenes.lock().unwrap().pop() else { break };
                    let all = faults(&scene);
                    scene.case.put_back();
                    let before = names(&scene.case.sandbox);
                    let step = if is_full { 1 } else { (all.len() / SAMPLE).max(1) };
                    let chosen = all.iter().skip(scene.name.len() % step).step_by(step);
                    let found: Vec<String> = chosen.flat_map(|fault| try_fault(&scene, fault, &before)).collect();
                    if is_full {
                        eprintln!("{}: {} faults, {} findings", scene.name, all.len(), found.len());
                    }
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} findings\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn sampled_faults_keep_every_promise() {
    sweep(is_full());
}

#[test]
fn success_is_printed_after_the_last_sync() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    for (words, said) in [
        ("signup ada@example.com --name Ada --password-file pw", "created the account"),
        ("signin ada@example.com --password-file pw", "signed in"),
        ("policy set session.lifetime 3d", "session.lifetime"),
        ("users ban ada@example.com", "banned"),
        ("db backup copy.db", "backed up"),
    ] {
        let calls = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,linkat";
        let Some(trace) = strace::trace(&sandbox, words, calls, &[]) else { return };
        assert_eq!(trace.code, 0, "{words}: {}", trace.stderr);
        let (mut dirty, mut reported) = (BTreeSet::new(), false);
        // The WAL index is shared memory, which SQLite rebuilds after a crash.
        let mut index = BTreeSet::new();
        for call in trace.calls() {
            let descriptor = call.arguments.split([',', ')']).next().unwrap();
            match call.name {
                "write" if ["1", "2"].contains(&descriptor) => {
                    let reports = call.arguments.contains(said);
                    assert!(!reports || dirty.is_empty(), "{words}: reported before a sync of {dirty:?}");
                    reported |= reports;
                }
                "openat" => {
                    let opened = call.arguments.rsplit("= ").next().unwrap().trim().to_owned();
                    if call.arguments.contains("-shm") {
                        index.insert(opened)
                    } else {
                        index.remove(&opened)
                    };
                }
                "write" | "pwrite64" | "ftruncate" if !index.contains(descriptor) => {
                    dirty.insert(descriptor.to_owned());
                }
                "fsync" | "fdatasync" => {
                    dirty.remove(descriptor);
                    // A rename is durable after the directory is synced.
                    dirty.remove("a name");
                }
                "rename" | "renameat" | "renameat2" | "linkat" => drop(dirty.insert("a name".to_owned())),
                _ => {}
            }
        }
        assert!(reported, "{words}: {}", trace.stderr);
    }
}
