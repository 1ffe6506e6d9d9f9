//! Intact databases that cannot be written: read-only, on a full disk, or locked by another process.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use rustix::fs::{FlockOperation, flock};

use crate::kill::Home;
use crate::machine::{NEEDS_ADDRESS_SPACE, chmod, least_address_space, skip, tree, under_shell, without_hanging};
use crate::sandbox::{PASSWORD, Ran, Sandbox, copy_program};
use crate::strace::with_failing;

/// An account without rights, for tests that run as root, to whom no mode applies.
const UNPRIVILEGED: u32 = 65534;

/// Gives all files of the sandbox to an unprivileged user.
fn give_to_ordinary_user(sandbox: &Sandbox) {
    if rustix::process::geteuid().is_root() {
        let copy = sandbox.path("program");
        copy_program(&copy);
        std::fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        give(sandbox.home());
    }
}

fn give(path: &Path) {
    chown(path, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

/// Runs the program as the unprivileged user.
fn run_as_ordinary_user(sandbox: &Sandbox, words: &str) -> Ran {
    let mut command = sandbox.command(words.split_whitespace());
    if rustix::process::geteuid().is_root() {
        command = Command::new(sandbox.path("program"));
        command.args(words.split_whitespace()).env_clear().env("HOME", sandbox.home()).current_dir(sandbox.home());
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
    sandbox.finish_with_input(&mut command, PASSWORD)
}

#[test]
fn lock_file_that_root_made_belongs_to_the_owner_of_the_database() {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        return skip("only root makes files in directories of other users");
    }
    let sandbox = Sandbox::with_ada();
    give_to_ordinary_user(&sandbox);
    let lock = sandbox.database().with_file_name("auth.db.lock");
    std::fs::remove_file(&lock).unwrap();
    let own = tempfile::tempdir().unwrap();
    let backup = own.path().canonicalize().unwrap().join("nightly.db");
    sandbox.run(&format!("db backup {}", backup.display())).success();
    assert_eq!(std::fs::metadata(&backup).unwrap().uid(), 0);
    assert_eq!(std::fs::metadata(&lock).unwrap().uid(), UNPRIVILEGED);
    run_as_ordinary_user(&sandbox, "db backup own.db").success();
    run_as_ordinary_user(&sandbox, "db restore own.db --yes").success();
}

#[test]
fn read_only_file_is_74_for_writers_and_unchanged() {
    let sandbox = Sandbox::with_ada();
    give_to_ordinary_user(&sandbox);
    chmod(&sandbox.database(), 0o400);
    let before = std::fs::read(sandbox.database()).unwrap();
    assert_snapshot!(run_as_ordinary_user(&sandbox, "signin ada@example.com --password-stdin"), @"
    ------- stderr -------
    error: could not sign in: the database is read-only
    hint: a file and its directory must be writable for you, also to read: SQLite keeps its log beside the file
    [exit status: 74]
    ");
    for words in ["sessions revoke --all", "account update --name X", "sessions prune", "signout"] {
        let error = run_as_ordinary_user(&sandbox, &format!("{words} --json")).json_error(74);
        assert_eq!(error["code"], "DATABASE_READ_ONLY", "{words}");
    }
    assert!(std::fs::read(sandbox.database()).unwrap() == before);
    chmod(&sandbox.database(), 0o600);
    let _ = run_as_ordinary_user(&sandbox, "whoami").success();
}

#[test]
fn read_only_directory_is_74_and_unchanged() {
    let sandbox = Sandbox::with_ada();
    give_to_ordinary_user(&sandbox);
    let directory = sandbox.database().parent().unwrap().to_owned();
    chmod(&directory, 0o500);
    let before = tree(sandbox.home());
    for words in ["whoami", "sessions", "signin ada@example.com --password-stdin", "db status", "signout"] {
        let error = run_as_ordinary_user(&sandbox, &format!("{words} --json")).json_error(74);
        assert_eq!(error["code"], "DATABASE_READ_ONLY", "{words}");
        before.assert_same(&tree(sandbox.home()));
    }
    let error = run_as_ordinary_user(&sandbox, &format!("--db {}/b.db db init --json", directory.display()));
    assert_eq!(error.json_error(74)["code"], "DATABASE_NOT_CREATED");
    before.assert_same(&tree(sandbox.home()));
    chmod(&directory, 0o700);
}

#[test]
fn full_disk_is_74_and_leaves_a_valid_database_or_none() {
    let (mut failures, mut successes) = (0, 0);
    // The limit counts blocks of 512 or 1024 bytes, depending on the shell.
    for blocks in [0, 1, 2, 4, 8, 16, 31, 64, 100, 150, 400] {
        let sandbox = Sandbox::new();
        let words = "signup ada@example.com --name Ada --password-stdin";
        let mut command = under_shell(&sandbox, &format!("ulimit -f {blocks}"), words);
        let ran = sandbox.finish_with_input(&mut command, PASSWORD);
        let users = || sandbox.number("SELECT count(*) FROM user");
        if ran.code == 0 {
            successes += 1;
            assert_eq!(users(), 1, "{blocks}");
            let _ = sandbox.run("whoami").success();
        } else {
            failures += 1;
            let error = ran.failure(74);
            assert!(error.contains("error: could not"), "{blocks}: {error}");
            assert!(!sandbox.database().exists() || users() == 0, "{blocks}: {error}");
            let _ = sandbox.run("whoami").failure(4);
            // With space on the disk, the command succeeds.
            sandbox.sign_up("ada@example.com", "Ada").success();
        }
    }
    assert!(failures >= 3 && successes >= 1, "{failures} {successes}");
}

#[test]
fn full_disk_is_74_and_leaves_no_partial_act() {
    let mut failures = 0;
    for blocks in [0, 1, 2, 4, 8, 16, 31, 64] {
        let sandbox = Sandbox::with_ada();
        for words in [
            "signin ada@example.com --password-stdin",
            "signin ada@example.com --password-stdin --print-token",
            "account update --name Countess",
            "sessions revoke --all",
        ] {
            let before = sandbox.run("whoami --json").success();
            let sessions = sandbox.number("SELECT count(*) FROM session");
            let mut command = under_shell(&sandbox, &format!("ulimit -f {blocks}"), words);
            let ran = sandbox.finish_with_input(&mut command, PASSWORD);
            if ran.code != 0 {
                failures += 1;
                let error = ran.failure(74);
                assert!(sandbox.run("whoami --json").success() == before, "{blocks}: {words}: {error}");
                assert_eq!(sandbox.number("SELECT count(*) FROM session"), sessions, "{blocks}: {words}");
            }
            sandbox.sign_in("ada@example.com").success();
        }
    }
    assert!(failures >= 4, "{failures}");
}

#[test]
fn limit_of_file_sizes_is_named_and_loses_no_data() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("policy set session.lifetime 5d").success();
    let run = |blocks: u32, words: &str| {
        let mut command = under_shell(&sandbox, &format!("ulimit -f {blocks}"), words);
        sandbox.finish_with_input(&mut command, PASSWORD)
    };
    let state = || (sandbox.run("policy show --json").success(), sandbox.number("SELECT count(*) FROM session"));
    let before = state();
    assert_snapshot!(run(0, "users list"), @"
    ------- stderr -------
    error: could not list users: could not open the database (the default place): [HOME]/.local/share/authctl/auth.db cannot be opened: a file of the database would be larger than the limit of file sizes
    hint: raise the limit of file sizes, as with `ulimit -f unlimited`; nothing was changed
    [exit status: 74]
    ");
    assert_snapshot!(run(70, "db backup b.db"), @"
    ------- stderr -------
    error: could not back up the database: [HOME]/b.db cannot be copied: a file of the database would be larger than the limit of file sizes
    hint: raise the limit of file sizes, as with `ulimit -f unlimited`; nothing was changed
    [exit status: 74]
    ");
    let mut failures = 0;
    for blocks in [0, 8, 31, 33, 48, 64, 80] {
        for words in ["signin ada@example.com --password-stdin", "policy set session.lifetime 5d", "db backup b.db"] {
            let ran = run(blocks, &format!("{words} --json"));
            if ran.code == 0 {
                let _ = std::fs::remove_file(sandbox.path("b.db"));
                continue;
            }
            failures += 1;
            let error = ran.json_error(74);
            assert_eq!(error["code"], "FILE_SIZE_LIMIT", "{blocks}: {words}: {error}");
            assert!(error["hint"].as_str().unwrap().contains("ulimit -f unlimited"), "{blocks}: {words}: {error}");
            assert!(!sandbox.path("b.db").exists(), "{blocks}: {words}");
        }
    }
    assert!(failures > 6, "{failures}");
    assert_eq!(state().0, before.0);
    assert!(sandbox.run("db check").success().contains("sound"));
    let new = Sandbox::new();
    let words = "signup ada@example.com --name Ada --password-stdin";
    let ran = new.finish_with_input(&mut under_shell(&new, "ulimit -f 0", words), PASSWORD);
    assert_snapshot!(ran, @"
    ------- stderr -------
    error: could not sign up: the session file [HOME]/.config/authctl/sessions/[KEY].json could not be written: File too large (os error 27)
    hint: raise the limit of file sizes, as with `ulimit -f unlimited`
    [exit status: 74]
    ");
    assert!(!new.database().exists());
}

#[test]
fn cause_of_a_failed_system_call_is_named() {
    let sandbox = Sandbox::with_ada();
    let run = |call: &str, error: &str| {
        let words = "--wait 0s policy set session.lifetime 5d --json";
        Some(sandbox.finish(&mut with_failing(&sandbox, call, error, words)?))
    };
    for (call, error, code, hint) in [
        ("pwrite64", "EDQUOT", "DISK_QUOTA", "quota"),
        ("pwrite64", "EFBIG", "FILE_SIZE_LIMIT", "ulimit -f"),
        ("pwrite64", "ENOSPC", "DISK_FULL", "make room"),
        ("pwrite64", "EIO", "DATABASE_IO", "look at the disk"),
        ("fdatasync,fsync", "EDQUOT", "COMMIT_UNCERTAIN", "check whether the change is there"),
    ] {
        let Some(ran) = run(call, error) else { return };
        let answer = ran.json_error(74);
        assert_eq!(answer["code"], code, "{call} {error}: {answer}");
        assert!(answer["hint"].as_str().unwrap().contains(hint), "{call} {error}: {answer}");
    }
}

#[test]
fn file_system_without_locks_is_not_reported_as_busy() {
    let sandbox = Sandbox::with_ada();
    let run = |call: &str, words: &str| Some(sandbox.finish(&mut with_failing(&sandbox, call, "ENOLCK", words)?));
    let Some(ran) = run("fcntl", "--wait 0s users list") else { return };
    assert_snapshot!(ran, @"
    ------- stderr -------
    error: could not list users: could not open the database (the default place): [HOME]/.local/share/authctl/auth.db cannot be opened: the file system of the database cannot lock files
    hint: keep the file on a file system that can lock, such as a local disk; nothing was changed
    [exit status: 74]
    ");
    let error = run("fcntl", "--wait 0s users list --json").unwrap().json_error(74);
    assert_eq!(error["code"], "NO_LOCKS");
    let error = run("flock", "--wait 0s db backup b.db --json").unwrap().json_error(74);
    assert!(error["hint"].as_str().unwrap().contains("file system that can lock"), "{error}");
    let words = "--wait 0s signin ada@example.com --password-stdin --json";
    let ran = sandbox.finish_with_input(&mut with_failing(&sandbox, "flock", "ENOLCK", words).unwrap(), PASSWORD);
    let error = ran.json_error(74);
    assert!(error["hint"].as_str().unwrap().contains("file system that can lock"), "{error}");
}

#[test]
fn guard_passes_the_file_size_limit_on() {
    let sandbox = Sandbox::with_ada();
    let script = "ulimit -f 0; echo text > output; echo survived";
    let mut command = sandbox.command(["guard", "--", "sh", "-c", script]);
    let ran = sandbox.finish(&mut command);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 128 + 25), "{ran}");
}

#[test]
fn writer_waits_for_another_writer_and_a_reader_does_not() {
    let sandbox = Sandbox::with_ada();
    let other = sandbox.sql();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_snapshot!(sandbox.run_with_input("--wait 200ms signin ada@example.com --password-stdin", PASSWORD), @"
    ------- stderr -------
    error: could not sign in: the database is busy: another process is writing to it
    hint: try again, or wait longer with --wait 30s
    [exit status: 75]
    ");
    for words in ["sessions revoke --all", "signout", "account update --name X", "sessions prune"] {
        let error = sandbox.run(&format!("--wait 0s {words} --json")).json_error(75);
        assert_eq!(error["code"], "DATABASE_BUSY", "{words}");
    }
    let _ = sandbox.run("--wait 0s whoami").success();
    let _ = sandbox.run("--wait 0s sessions").success();
    other.execute_batch("ROLLBACK").unwrap();
    let _ = sandbox.run("--wait 0s account update --name X").success();
}

#[test]
fn longer_wait_gets_through_and_no_wait_is_75() {
    let sandbox = Sandbox::with_ada();
    let other = sandbox.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut patient = sandbox.command(["--wait", "1m", "account", "update", "--name", "Patient"]);
    let mut patient = patient.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = sandbox.run("--wait 0s account update --name Hasty").failure(75);
    assert!(patient.try_wait().unwrap().is_none(), "it began first and still waits");
    other.execute_batch("ROLLBACK").unwrap();
    sandbox.ran(&patient.wait_with_output().unwrap()).success();
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE name = 'Patient'"), 1);
}

#[test]
fn reader_waits_for_an_exclusive_lock() {
    let sandbox = Sandbox::with_ada();
    let other = sandbox.sql();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT").unwrap();
    for words in ["whoami", "sessions", "db status", "db migrate"] {
        let error = sandbox.run(&format!("--wait 200ms {words} --json")).json_error(75);
        assert_eq!(error["code"], "DATABASE_BUSY", "{words}");
    }
    drop(other);
    let _ = sandbox.run("whoami").success();
}

#[test]
fn create_and_migrate_wait_for_their_lock() {
    let sandbox = Sandbox::with_ada();
    let lock = std::fs::File::create(format!("{}.lock", sandbox.database().display())).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    // No migration is due, so there is no wait.
    let _ = sandbox.run("--wait 0s db migrate").success();
    crate::db::make_old(&sandbox);
    for words in ["db migrate", "whoami"] {
        assert_eq!(sandbox.run(&format!("--wait 20ms {words} --json")).json_error(75)["code"], "DATABASE_BUSY");
    }
    let new = std::fs::File::create(sandbox.path("new.db.lock")).unwrap();
    flock(&new, FlockOperation::LockExclusive).unwrap();
    assert_snapshot!(sandbox.run("--wait 20ms --db new.db db init"), @"
    ------- stderr -------
    error: could not make the database: [HOME]/new.db is being made or migrated by another process
    hint: try again, or wait longer with --wait 30s
    [exit status: 75]
    ");
    assert!(!sandbox.path("new.db").exists());
    drop((lock, new));
    let _ = sandbox.run("db migrate").success();
    let _ = sandbox.run("--db new.db db init").success();
}

#[test]
fn limit_of_open_files_is_named_and_leaves_no_trace() {
    let original = Sandbox::with_ada();
    original.run("db backup b.db").success();
    let home = Home::new(original);
    let sandbox = &home.sandbox;
    let names = |directory: &Path| {
        let entries = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        // The WAL and the lock file stay for the next process.
        let stays = |name: &str| ["-wal", "-shm", ".lock"].iter().any(|suffix| name.ends_with(suffix));
        names.retain(|name| !stays(&name.to_string_lossy()));
        names.sort();
        names
    };
    let (mut failures, mut successes) = (0, 0);
    for words in ["users list", "users unlock ada@example.com", "db backup new.db", "db restore b.db --yes", "db check"]
    {
        // With fewer descriptors, the program's shared libraries cannot be loaded.
        for limit in 4..24 {
            home.put_back();
            let directories = || [names(sandbox.home()), names(sandbox.database().parent().unwrap())];
            let before = directories();
            let ran = without_hanging(sandbox, &mut under_shell(sandbox, &format!("ulimit -n {limit}"), words), "");
            if ran.code == 0 {
                successes += 1;
                continue;
            }
            failures += 1;
            assert_eq!(ran.code, 74, "{limit}: {words}: {ran}");
            assert!(!ran.stderr.contains("read-only"), "{limit}: {words}: {ran}");
            assert!(ran.stderr.to_lowercase().contains("too many"), "{limit}: {words}: {ran}");
            if !ran.stderr.contains("was made, but") && !ran.stderr.contains("is restored") {
                assert_eq!(directories(), before, "{limit}: {words}: {ran}");
            }
        }
    }
    assert!(failures > 10 && successes > 10, "{failures} {successes}");
}

#[cfg(target_os = "linux")]
#[test]
fn limit_of_address_space_is_named() {
    let sandbox = Sandbox::with_ada();
    let least = least_address_space(&sandbox);
    let (mut refused, mut done) = (0, 0);
    for kib in (least..least + 40_000).step_by(2_000) {
        for words in ["users set-password ada@example.com --generate", "db backup b.db", "doctor", "completions bash"] {
            let ran = without_hanging(&sandbox, &mut under_shell(&sandbox, &format!("ulimit -v {kib}"), words), "");
            refused += u32::from(ran.stderr.contains(NEEDS_ADDRESS_SPACE));
            done += u32::from(ran.code == 0);
            assert!(ran.code < 100, "{kib}: {words}: {ran}");
            let _ = std::fs::remove_file(sandbox.path("b.db"));
        }
    }
    assert!(refused > 2 && done > 20, "{refused} {done}");
}

#[test]
fn every_file_is_private_under_any_umask() {
    for umask in ["000", "077", "777"] {
        let sandbox = Sandbox::new();
        let run = |words: &str| {
            let mut command = under_shell(&sandbox, &format!("umask {umask}"), words);
            sandbox.finish_with_input(&mut command, PASSWORD).success();
        };
        run("signup ada@example.com --name Ada --password-stdin");
        run("signin ada@example.com --password-stdin");
        run("db backup b.db");
        run("db restore b.db --yes");
        run("--db app.db db init --better-auth drizzle");
        run("--db app.db users create bob@example.com --name Bob --generate");
        let mut left = vec![sandbox.home().to_owned()];
        let mut files = 0;
        while let Some(directory) = left.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o7777;
                files += 1;
                if path.is_dir() {
                    assert_eq!(mode, 0o700, "umask {umask}: {}", path.display());
                    left.push(path);
                } else {
                    assert_eq!(mode, 0o600, "umask {umask}: {}", path.display());
                }
            }
        }
        assert!(files > 12, "umask {umask}: {files}");
    }
}

#[test]
fn unusable_lock_file_is_made_usable() {
    let sandbox = Sandbox::with_ada();
    let lock = sandbox.database().with_file_name("auth.db.lock");
    chmod(&lock, 0);
    give_to_ordinary_user(&sandbox);
    run_as_ordinary_user(&sandbox, "db backup b.db").success();
    assert_eq!(lock.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
}
