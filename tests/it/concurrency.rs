//! Concurrent processes: successes are stored, failures are absent, and no act is half done.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use authctl::auth::secret::digest;

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Ran, Sandbox};

/// Concurrent processes that hash a password: several for each core, and more than the free attempts.
const AT_ONCE: usize = 24;

/// Starts all commands, then waits for them.
fn all_at_once(sandbox: &Sandbox, commands: impl IntoIterator<Item = Command>) -> Vec<Ran> {
    let start = |mut command: Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = commands.into_iter().map(start).collect();
    children.into_iter().map(|child| sandbox.ran(&child.wait_with_output().unwrap())).collect()
}

fn count(runs: &[Ran], code: i32) -> usize {
    runs.iter().filter(|run| run.code == code).count()
}

/// A sign-up from its own shell.
fn sign_up(sandbox: &Sandbox, number: usize, more: &[&str]) -> Command {
    let mut command = sandbox.command(["signup", &format!("user{number}@example.com"), "--name", "Somebody"]);
    command.args(["--password-file", "pw"]).args(more);
    command.env("XDG_CONFIG_HOME", sandbox.path(&format!("config-{number}")));
    command
}

fn users(sandbox: &Sandbox) -> usize {
    assert_sound(sandbox);
    usize::try_from(sandbox.number(r#"SELECT count(*) FROM "user""#)).unwrap()
}

/// The database is intact, and every user has a password account.
fn assert_sound(sandbox: &Sandbox) {
    let sql = sandbox.sql();
    let integrity: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    assert!(!sql.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
    let without = r#"SELECT count(*) FROM "user" u WHERE 1 <> (SELECT count(*) FROM "account" a
        WHERE a."userId" = u."id" AND a."providerId" = 'credential' AND a."password" IS NOT NULL)"#;
    assert_eq!(sandbox.number(without), 0);
}

fn live_sessions(sandbox: &Sandbox) -> i64 {
    sandbox.number(r#"SELECT count(*) FROM "session" WHERE "expiresAt" > unixepoch()"#)
}

fn assert_private(directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn parallel_first_sign_ups_create_one_database() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    let runs = all_at_once(&sandbox, (0..AT_ONCE).map(|number| sign_up(&sandbox, number, &["--wait", "60s"])));
    for run in &runs {
        assert_eq!(run.code, 0, "{run}");
    }
    let said = runs.iter().filter(|run| run.stderr.contains("created the database")).count();
    assert_eq!(said, 1, "one of them made it");
    assert_eq!(users(&sandbox), AT_ONCE);
    assert_eq!(live_sessions(&sandbox), i64::try_from(AT_ONCE).unwrap());
    assert_private(sandbox.database().parent().unwrap());
    for number in 0..AT_ONCE {
        let config = sandbox.path(&format!("config-{number}"));
        assert_private(&config.join("authctl/sessions"));
    }
}

#[test]
fn command_that_does_not_wait_reports_busy_and_does_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    for more in [&["--wait", "0s"][..], &[]] {
        let before = if sandbox.database().exists() { users(&sandbox) } else { 0 };
        let commands = (0..AT_ONCE).map(|number| sign_up(&sandbox, number + before, more));
        let runs = all_at_once(&sandbox, commands);
        let done = count(&runs, 0);
        for run in runs.iter().filter(|run| ![0, 75].contains(&run.code)) {
            // Later rounds may reuse numbers that an earlier round skipped.
            assert_eq!(run.code, 6, "{run}");
        }
        assert!(done > 0);
        assert_eq!(users(&sandbox), before + done);
    }
}

/// Concurrent sign-ins of one user with the right password and the same session file.
fn sign_in_at_once(times: usize) {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", PASSWORD);
    let words = "signin ada@example.com --password-file pw --wait 60s";
    let runs = all_at_once(&sandbox, (0..times).map(|_| sandbox.command(words.split(' '))));
    for run in &runs {
        assert_eq!(run.code, 0, "{run}");
    }
    // The temporary files of the others are gone.
    let text = std::fs::read_to_string(sandbox.session_file()).unwrap();
    let held: serde_json::Value = serde_json::from_str(&text).unwrap();
    let token = digest(held["token"].as_str().unwrap());
    assert_eq!(sandbox.number(&format!(r#"SELECT count(*) FROM "session" WHERE "token" = '{token}'"#)), 1);
    assert_eq!(live_sessions(&sandbox), 1);
    assert_sound(&sandbox);
    sandbox.run("whoami").success();
}

#[test]
fn parallel_sign_ins_leave_one_file_and_one_session() {
    sign_in_at_once(5);
}

#[test]
fn parallel_right_passwords_are_not_throttled() {
    sign_in_at_once(AT_ONCE);
}

#[test]
fn one_of_parallel_sign_ups_wins_and_others_get_6() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    let words = "signup ada@example.com --name Ada --password-file pw --wait 60s";
    let runs = all_at_once(&sandbox, (0..AT_ONCE).map(|_| sandbox.command(words.split(' '))));
    assert_eq!((count(&runs, 0), count(&runs, 6)), (1, AT_ONCE - 1), "{runs:?}");
    assert_eq!(users(&sandbox), 1);
    assert_eq!(live_sessions(&sandbox), 1);
    sandbox.session_file();
    sandbox.run("whoami").success();
}

#[test]
fn parallel_guesses_are_throttled_like_sequential_ones() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", OTHER_PASSWORD);
    let words = "signin ada@example.com --password-file pw --wait 60s";
    let runs = all_at_once(&sandbox, (0..20).map(|_| sandbox.command(words.split(' '))));
    let wrong = count(&runs, 7);
    assert!((1..=5).contains(&wrong), "{runs:?}");
    assert_eq!(wrong + count(&runs, 8), 20, "{runs:?}");
    sandbox.run("whoami").success();
}

#[test]
fn parallel_guesses_without_wait_get_only_the_free_ones() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", OTHER_PASSWORD);
    let words = "signin ada@example.com --password-file pw --wait 0s";
    let runs = all_at_once(&sandbox, (0..AT_ONCE).map(|_| sandbox.command(words.split(' '))));
    let wrong = count(&runs, 7);
    assert!(wrong <= 5, "{runs:?}");
    // The database may be locked, or other attempts may be pending. Both are reported as busy.
    assert_eq!(wrong + count(&runs, 8) + count(&runs, 75), AT_ONCE, "{runs:?}");
}

#[test]
fn whoami_answers_during_parallel_sign_ins_and_outs() {
    let sandbox = Sandbox::with_ada();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let ask = || sandbox.command(["whoami", "--json"]);
            (0..20).flat_map(|_| all_at_once(&sandbox, [ask(), ask(), ask()])).collect::<Vec<Ran>>()
        });
        // At least once, and until every other process has ended.
        loop {
            sandbox.run("signout").success();
            sandbox.sign_in("ada@example.com").success();
            if asking.is_finished() {
                break;
            }
        }
        for run in asking.join().unwrap() {
            match run.code {
                0 => assert!(run.stdout.contains("ada@example.com"), "{run}"),
                _ => assert!(run.failure(4).contains("UNAUTHORIZED")),
            }
        }
    });
    assert_eq!(live_sessions(&sandbox), 1);
    assert_sound(&sandbox);
}

#[test]
fn parallel_commands_create_one_database() {
    let sandbox = Sandbox::new();
    let words = "db init --if-missing --wait 60s";
    let runs = all_at_once(&sandbox, (0..8).map(|_| sandbox.command(words.split(' '))));
    assert_eq!(count(&runs, 0), 8, "{runs:?}");
    assert_eq!(runs.iter().filter(|run| run.stderr.starts_with("created")).count(), 1, "{runs:?}");
    assert_sound(&sandbox);
}

#[test]
fn one_of_parallel_password_changes_wins() {
    let sandbox = Sandbox::with_ada();
    // At most the number of free attempts.
    let passwords: Vec<String> = (0..5).map(|number| format!("{OTHER_PASSWORD} {number}")).collect();
    let change = |(number, new): (usize, &String)| {
        let file = sandbox.file(&format!("pw-{number}"), format!("{PASSWORD}\n{new}\n"));
        let mut command = sandbox.command(["password", "change", "--wait", "60s", "--password-file"]);
        command.arg(file);
        command
    };
    let commands: Vec<Command> = passwords.iter().enumerate().map(change).collect();
    let runs = all_at_once(&sandbox, commands);
    let winner = runs.iter().position(|run| run.code == 0).unwrap();
    for (number, run) in runs.iter().enumerate() {
        let fits = if number == winner { run.code == 0 } else { [1, 7].contains(&run.code) };
        assert!(fits, "{number} of {winner}: {run}");
    }
    assert_sound(&sandbox);
    sandbox.execute("DELETE FROM authctl_throttle");
    for password in passwords.iter().map(String::as_str).chain([PASSWORD]) {
        let run = sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", password);
        assert_eq!(run.code, if *password == passwords[winner] { 0 } else { 7 }, "{password}: {run}");
        sandbox.execute("DELETE FROM authctl_throttle");
    }
}

#[test]
fn parallel_demotions_leave_one_administrator() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("bob@example.com", "Bob").success();
    for round in 0..20 {
        sandbox.execute(r#"UPDATE "user" SET "role" = 'admin'"#);
        let demote = |user| sandbox.command(["users", "set-role", user, "user", "--wait", "60s"]);
        let runs = all_at_once(&sandbox, [demote("ada@example.com"), demote("bob@example.com")]);
        assert_eq!((count(&runs, 0), count(&runs, 5)), (1, 1), "round {round}: {runs:?}");
        assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user" WHERE "role" = 'admin'"#), 1, "round {round}");
    }
}

#[test]
fn parallel_migrations_are_reported_by_one_process() {
    let sandbox = Sandbox::with_ada();
    crate::db::make_old(&sandbox);
    let migrate = || sandbox.command(["db", "migrate", "--json", "--wait", "60s"]);
    let runs = all_at_once(&sandbox, (0..8).map(|_| migrate()));
    let answers = runs.into_iter().map(Ran::json);
    assert_eq!(answers.filter(|answer| answer["from"] != answer["to"]).count(), 1);
}
