//! Requirements of `tests/SECURITY.md` that concern no single command: process start, dependencies, and the cost
//! of hostile files and arguments.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;

use authctl::auth::secret::digest;

use crate::app::{App, KYSELY};
use crate::architecture::source::{files, program as program_sources, root};
use crate::machine::{skip, tree, under_shell, without_hanging};
use crate::sandbox::{PASSWORD, Sandbox, copy_program};
use crate::strace::{Trace, trace};

/// An unprivileged user id.
const UNPRIVILEGED: u32 = 65534;

#[test]
fn setuid_and_setgid_copies_refuse_to_run() {
    let sandbox = Sandbox::with_ada();
    let copy = sandbox.path("copy");
    copy_program(&copy);
    let modes = if rustix::process::geteuid().is_root() {
        chown(&copy, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
        &[0o4755, 0o2755, 0o6755][..]
    } else {
        // A user may give a file to another group that the user belongs to.
        let mine = rustix::process::getegid();
        let groups = rustix::process::getgroups().unwrap();
        let other =
            groups.into_iter().find(|group| *group != mine).expect("this test needs root or a user with two groups");
        chown(&copy, None, Some(other.as_raw())).unwrap();
        &[0o2755]
    };
    for mode in modes {
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(*mode)).unwrap();
        let before = tree(sandbox.home());
        let mut command = Command::new(&copy);
        command.args(["users", "list"]).env_clear().env("HOME", sandbox.home());
        let said = sandbox.finish(&mut command).failure(5);
        assert!(said.contains("refuses to run setuid or setgid"), "{mode:o}: {said}");
        before.assert_same(&tree(sandbox.home()));
    }
}

#[test]
fn root_does_not_write_into_the_home_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root is kept out of the home of another user");
    }
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    chown(sandbox.home(), Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
    let before = tree(sandbox.home());
    for words in [
        "signup ada@example.com --name Ada --password-file pw",
        "signup ada@example.com --name Ada --password-file pw --no-signin",
        "users create ada@example.com --name Ada --password-file pw",
        "db init",
    ] {
        let ran = sandbox.run(words);
        assert_ne!(ran.code, 0, "{words}: {ran}");
        assert!(ran.stderr.contains("root"), "{words}: {ran}");
        before.assert_same(&tree(sandbox.home()));
    }
}

#[test]
fn closed_streams_are_never_the_database() {
    let sandbox = Sandbox::new();
    sandbox.file("pw", PASSWORD);
    let closed = "exec <&- >&- 2>&-";
    for words in [
        "signup ada@example.com --name Ada --password-file pw",
        "signin ada@example.com --password-file pw",
        "users list",
        "users show unknown@example.com",
        "nonsense",
    ] {
        let _ = without_hanging(&sandbox, under_shell(&sandbox, closed, words).env("LC_ALL", "C"), "");
    }
    sandbox.run("whoami").success();
    let whole: String = sandbox.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    for (path, content) in tree(sandbox.home()).files() {
        let text = String::from_utf8_lossy(content);
        assert!(!text.contains("error:") && !text.contains("usage:"), "{} holds output", path.display());
    }
}

#[test]
fn sqlite_is_newer_than_the_wal_reset_bug() {
    let sandbox = Sandbox::with_ada();
    let status = sandbox.run("db status --json").json();
    let version = status["sqliteVersion"].as_str().unwrap();
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "SQLite {version} can lose committed data in WAL mode");
}

#[test]
fn dependencies_are_locked_and_code_is_safe() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let lock = read("Cargo.lock");
    assert!(lock.contains("name = \"rusqlite\""), "Cargo.lock is part of the project");
    assert!(!lock.contains("source = \"git+"), "every package comes from the registry, with a checksum");
    assert!(!read(".gitignore").lines().any(|line| line.contains("Cargo.lock")), "Cargo.lock is committed");
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let rusqlite = manifest.lines().find(|line| line.starts_with("rusqlite = ")).unwrap();
    assert!(rusqlite.contains("\"bundled\""), "SQLite is built from the source that was tested: {rusqlite}");
    for source in files("src") {
        let words = source.code.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(words.into_iter().all(|word| word != "unsafe"), "{} has unsafe code", source.path);
    }
}

#[test]
fn release_profile_unwinds_for_the_terminal_guard() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let release = manifest.split("[profile.release]").nth(1).unwrap().split("\n[").next().unwrap();
    assert!(release.lines().any(|line| line == "panic = \"unwind\""), "{release}");
    assert!(release.lines().any(|line| line == "overflow-checks = true"), "{release}");
}

#[test]
fn sql_texts_have_no_place_for_a_value() {
    for source in program_sources().iter().filter(|source| source.path.starts_with("src/store/")) {
        for (number, line) in source.text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//")
                || !["SELECT", "INSERT", "UPDATE ", "DELETE", "WHERE"].iter().any(|w| code.contains(w))
            {
                continue;
            }
            // A value inside an SQL text would follow a quote or a comparison.
            for place in ["'{", "= {", "LIKE {"] {
                assert!(!code.contains(place), "{}:{}: bind the value: {code}", source.path, number + 1);
            }
        }
    }
}

/// SQLite counts all rows of a table in one step, which a hostile file can make endless. `limits::count` avoids
/// that with a condition.
#[test]
fn rows_are_never_counted_without_a_condition() {
    let mut counts = 0;
    for source in program_sources().iter().filter(|source| source.path.starts_with("src/store/")) {
        for (place, _) in source.text.match_indices("SELECT count(*) FROM") {
            counts += 1;
            let statement = source.text[place..].split("\"#").next().unwrap_or_default();
            let is_bounded = statement.contains("WHERE") || statement.contains(" {}");
            assert!(is_bounded, "{}: use limits::count: {statement}", source.path);
        }
    }
    assert!(counts > 3, "{counts}");
}

#[test]
fn triggers_and_views_of_a_database_never_run() {
    let sandbox = Sandbox::with_ada();
    sandbox.sign_up("mallory@example.com", "Mallory").success();
    sandbox.sign_in("ada@example.com").success();
    sandbox.execute(
        r#"CREATE TRIGGER "promote" AFTER UPDATE ON "user" BEGIN
               UPDATE "user" SET "role" = 'admin' WHERE "email" = 'mallory@example.com'; END;
           CREATE TABLE "loot" ("token");
           CREATE TRIGGER "steal" AFTER INSERT ON "session" BEGIN INSERT INTO "loot" VALUES (NEW."token"); END;
           CREATE TRIGGER "keep" BEFORE DELETE ON "session" BEGIN SELECT RAISE(IGNORE); END;
           CREATE VIEW "everybody" AS SELECT * FROM "user";"#,
    );
    for words in [
        "account update --name Countess",
        "users update ada@example.com --name Lovelace",
        "users set-role ada@example.com editor",
        "users ban ada@example.com",
        "users unban ada@example.com",
        "users list",
        "doctor",
    ] {
        let _ = sandbox.run(words);
        let _ = sandbox.sign_in("ada@example.com");
    }
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user" WHERE "email" LIKE 'mallory%' AND "role" = 'admin'"#), 0);
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "loot""#), 0);
    sandbox.run("signout").success();
    let left = r#"SELECT count(*) FROM "session" WHERE "userId" = (SELECT "id" FROM "user" WHERE "email" LIKE 'ada%')"#;
    assert_eq!(sandbox.number(left), 0, "no trigger keeps a session alive");
    let health = sandbox.run("doctor");
    assert!(health.stdout.contains("promote"), "the doctor names what does not belong: {health}");
}

#[test]
fn generated_column_bomb_is_bounded() {
    let sandbox = Sandbox::with_ada();
    // Edits the schema, because `ALTER TABLE` would compute the column for existing rows.
    sandbox.execute(
        r#"PRAGMA writable_schema = ON;
           UPDATE sqlite_schema
           SET sql = replace(sql, '"createdAt"', '"bomb" TEXT GENERATED ALWAYS AS (hex(zeroblob(300000000))) VIRTUAL, "createdAt"')
           WHERE type = 'table' AND name IN ('user', 'session');
           PRAGMA writable_schema = OFF;"#,
    );
    assert_eq!(sandbox.number("SELECT count(*) FROM pragma_table_xinfo('user') WHERE name = 'bomb'"), 1);
    for words in ["users list", "users show ada@example.com", "whoami", "sessions", "db check", "doctor", "signout"] {
        // Less memory than the column needs, far more than the program needs.
        let mut command = under_shell(&sandbox, "ulimit -v 400000 -t 30", words);
        let ran = without_hanging(&sandbox, &mut command, "");
        assert!(ran.code < 100, "{words}: {ran}");
        assert!(!ran.stderr.contains("memory"), "{words}: {ran}");
    }
}

#[test]
fn guessable_passwords_are_refused_with_a_reason() {
    let sandbox = Sandbox::with_ada();
    for password in [
        "q7#x",
        "password",
        "passwordpassword",
        "aaaaaaaaaaaaaaa",
        "123456789012345",
        "qwertyuiopasdfgh",
        "eve@example.com",
        "eve.lovelace",
        "authctl-authctl",
        "P@ssw0rd",
        "letmein123",
        "iloveyou1",
    ] {
        let words = ["signup", "eve@example.com", "--name", "Eve Lovelace", "--password-stdin", "--json"];
        let error = sandbox.finish_with_input(&mut sandbox.command(words), password).json_error(2);
        let code = error["code"].as_str().unwrap();
        assert!(code.starts_with("PASSWORD_"), "{password}: {error}");
        assert!(password == "password" || !error.to_string().contains(password), "{password}: {error}");
        assert!(error["message"].as_str().unwrap().contains("the password "), "a reason: {error}");
    }
    // There are no composition rules: spaces, words and one kind of character are enough.
    for (number, password) in
        ["     correct horse battery", "plum otter quietly hums", "zvkqjwxtbnprmd"].iter().enumerate()
    {
        let email = format!("new{number}@example.com");
        let words = ["signup", &email, "--name", "New", "--password-stdin", "--no-signin"];
        sandbox.finish_with_input(&mut sandbox.command(words), password).success();
    }
}

/// The work of a failed sign-in: the number of system calls of each kind, and the largest memory allocation.
fn work(trace: &Trace) -> (Vec<(String, usize)>, Vec<u64>) {
    let mut counts = std::collections::BTreeMap::new();
    let mut large = Vec::new();
    for call in trace.calls() {
        if ["write", "pwrite64", "fsync", "fdatasync", "openat", "ftruncate", "unlink", "rename"].contains(&call.name) {
            *counts.entry(call.name.to_owned()).or_default() += 1;
        }
        if call.name == "mmap" {
            let length: u64 = call.arguments.split(", ").nth(1).unwrap().parse().unwrap();
            large.extend((length >= 1 << 20).then_some(length));
        }
    }
    (counts.into_iter().collect(), large)
}

#[test]
fn unknown_address_costs_the_same_memory_and_writes() {
    let sandbox = Sandbox::with_ada();
    sandbox.file("pw", "a wrong password that no user has");
    sandbox.run("users create without@example.com --name Without --no-password").success();
    let mut seen = Vec::new();
    for email in ["ada@example.com", "unknown@example.com", "without@example.com"] {
        sandbox.execute("DELETE FROM authctl_throttle; PRAGMA wal_checkpoint(TRUNCATE)");
        let words = format!("signin {email} --password-file pw");
        let Some(trace) = trace(&sandbox, &words, "all", &[]) else { return };
        assert_eq!(trace.code, 7, "{email}: {}", trace.stderr);
        let (counts, large) = work(&trace);
        // argon2id with default parameters allocates 19 MiB at once.
        assert!(large.iter().any(|length| *length >= 19 << 20), "{email}: {large:?}");
        seen.push((counts, large));
    }
    assert_eq!(seen[0], seen[1], "known and unknown");
    assert_eq!(seen[0], seen[2], "known and without a password");
}

#[test]
fn new_database_has_no_account() {
    let sandbox = Sandbox::new();
    sandbox.run("db init").success();
    for table in ["user", "account", "session", "verification"] {
        assert_eq!(sandbox.number(&format!(r#"SELECT count(*) FROM "{table}""#)), 0, "{table}");
    }
    // The first account has no special role.
    sandbox.sign_up("ada@example.com", "Ada").success();
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user" WHERE "role" LIKE '%admin%'"#), 0);
}

#[test]
fn planted_token_never_becomes_valid() {
    let sandbox = Sandbox::with_ada();
    let file = sandbox.session_file();
    let mut document: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let planted = "AttackerAttackerAttackerAttacker";
    document["token"] = planted.into();
    std::fs::write(&file, document.to_string()).unwrap();
    let _ = sandbox.run("whoami").failure(4);
    std::fs::write(&file, document.to_string()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.sign_in("ada@example.com").success();
    let kept = std::fs::read_to_string(sandbox.session_file()).unwrap();
    assert!(!kept.contains(planted));
    let digest = digest(planted);
    assert_eq!(
        sandbox.number(&format!(r#"SELECT count(*) FROM "session" WHERE "token" IN ('{digest}', '{planted}')"#)),
        0
    );
    let mut as_attacker = sandbox.command(["whoami"]);
    let _ = sandbox.finish(as_attacker.env("AUTHCTL_TOKEN", planted)).failure(4);
}

#[test]
fn destructive_command_takes_no_part_of_an_address() {
    let sandbox = Sandbox::new();
    sandbox.sign_up("ada@example.com.org", "Ada").success();
    let id: String = sandbox.sql().query_row(r#"SELECT "id" FROM "user""#, [], |row| row.get(0)).unwrap();
    let short = &id[..5];
    for user in [
        "ada@example.com",
        "da@example.com.org",
        "ada@example.com.orgs",
        "ada",
        "%",
        "*",
        "ada@%",
        short,
        "a\u{301}da@example.com.org",
    ] {
        for words in [
            ["users", "delete", user, "--yes"].as_slice(),
            &["users", "ban", user],
            &["sessions", "revoke", "--user", user],
        ] {
            let ran = sandbox.run_words(words);
            assert!([2, 3].contains(&ran.code), "{words:?}: {ran}");
        }
    }
    for session in ["%", "*", "a", ""] {
        let ran = sandbox.run_words(&["sessions", "revoke", session]);
        assert!([2, 3].contains(&ran.code), "{session:?}: {ran}");
    }
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "session""#), 1);
    // Email addresses are case-insensitive.
    sandbox.run_words(&["users", "delete", "ADA@example.com.ORG", "--yes"]).success();
}

#[test]
fn account_update_changes_no_right() {
    let sandbox = Sandbox::with_ada();
    let rights = || {
        let sql =
            r#"SELECT coalesce("role", '-') || ' ' || "emailVerified" || ' ' || coalesce("banned", 0) FROM "user""#;
        sandbox.sql().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let before = rights();
    for flags in
        ["--role admin", "--email-verified", "--banned false", "--id 1", "--email eve@example.com", "--user bob"]
    {
        let ran = sandbox.run(&format!("account update --name Eve {flags}"));
        assert_eq!(ran.code, 2, "{flags}: {ran}");
    }
    sandbox.run_words(&["account", "update", "--name", "Eve\", \"role\" = \"admin"]).success();
    assert_eq!(rights(), before);
}

#[test]
fn odd_arguments_are_usage_errors() {
    let sandbox = Sandbox::with_ada();
    let long = "a".repeat(128 * 1024 - 1);
    let odd: &[&[&[u8]]] = &[
        &[b"\xff"],
        &[b"users", b"show", b"\xff"],
        &[b"--db", b"", b"whoami"],
        &[b"users", b"show", b""],
        &[b""],
        &[b"whoami", b"--chec"],
        &[b"users", b"lis"],
        &[b"whoami", b"--check", b"--check"],
        &[b"users", b"list", b"--limit", b"5", b"--limit", b"6"],
        &[b"whoami", b"--nonsense"],
        &[b"--", b"whoami", b"x"],
        &[b"users", b"show", b"--", b"-x@y"],
        &[b"users", b"show", long.as_bytes()],
        &[b"signin", b"a\nb@example.com", b"--no-input"],
    ];
    for words in odd {
        let words: Vec<OsString> = words.iter().map(|word| OsStr::from_bytes(word).to_owned()).collect();
        let ran = without_hanging(&sandbox, &mut sandbox.command(&words), "");
        assert!([2, 3].contains(&ran.code), "{:?}: {ran}", words.iter().map(|w| w.len()).collect::<Vec<_>>());
        assert!(!ran.stderr.contains("bug"), "{ran}");
        assert!(ran.stderr.len() < 2000 + 128 * 1024, "{}", ran.stderr.len());
    }
}

#[test]
fn credentials_of_an_app_are_never_printed() {
    let app = App::new(KYSELY);
    let canaries = [
        "canary-session-token-0123456789abcd",
        "canary-verification-value",
        "canary-access-token",
        "canary-refresh-token",
        "canary-id-token",
    ];
    let [session, code, access, refresh, id_token] = canaries;
    let user: String = app.sql().query_row(r#"SELECT "id" FROM "user" LIMIT 1"#, [], |row| row.get(0)).unwrap();
    app.sql()
        .execute_batch(&format!(
            r#"UPDATE "account" SET "accessToken" = '{access}', "refreshToken" = '{refresh}', "idToken" = '{id_token}';
               UPDATE "session" SET "token" = '{session}' WHERE rowid = (SELECT min(rowid) FROM "session");
               INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
               SELECT 'canary', 'reset-password:{code}', '{user}', "expiresAt", "createdAt", "updatedAt" FROM "session" LIMIT 1;"#
        ))
        .unwrap();
    for words in [
        "users list",
        "users show USER",
        "users explain USER",
        "sessions --user USER",
        "sessions --all-users",
        "audit list",
        "audit export",
        "db status",
        "db check",
        "doctor",
        "users reset-code USER",
        "users ban USER",
        "users unban USER",
        "sessions revoke --user USER",
        "users delete USER --yes",
    ] {
        let words = words.replace("USER", &user);
        for json in ["", " --json"] {
            let ran = app.sandbox.finish(&mut app.command(&format!("{words}{json}")));
            for canary in canaries {
                assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(canary), "{words}{json}: {ran}");
            }
        }
    }
}
