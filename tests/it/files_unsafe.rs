//! Databases that other users could change, and names that could mean something else than a file.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use insta::assert_snapshot;

use crate::files::assert_refused;
use crate::machine::{give_away, tree, without_hanging};
use crate::sandbox::{PASSWORD, Sandbox};

#[test]
fn database_that_others_can_change_is_refused() {
    let sandbox = Sandbox::new();
    let mode = |name: &str, mode| {
        std::fs::set_permissions(sandbox.path(name), Permissions::from_mode(mode)).unwrap();
    };
    std::fs::create_dir(sandbox.path("dir")).unwrap();
    sandbox.run("--db dir/a.db db init").success();

    symlink("a.db", sandbox.path("dir/link.db")).unwrap();
    assert_snapshot!(sandbox.run("--db dir/link.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/dir/link.db is not safe to use: it is a symbolic link
    hint: name the file itself with --db
    [exit status: 9]
    ");
    assert_refused(&sandbox, "dir/link.db", "DATABASE_UNSAFE");
    std::fs::remove_file(sandbox.path("dir/link.db")).unwrap();

    symlink("nowhere", sandbox.path("dir/link.db")).unwrap();
    assert_refused(&sandbox, "dir/link.db", "DATABASE_UNSAFE");

    std::fs::hard_link(sandbox.path("dir/a.db"), sandbox.path("dir/second.db")).unwrap();
    assert_snapshot!(sandbox.run("--db dir/a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/dir/a.db is not safe to use: it has 2 names (hard links), and SQLite's log would follow only one
    hint: make a copy of its own for one of them
    [exit status: 9]
    ");
    assert_refused(&sandbox, "dir/a.db", "DATABASE_UNSAFE");
    std::fs::remove_file(sandbox.path("dir/second.db")).unwrap();

    mode("dir/a.db", 0o644);
    assert_snapshot!(sandbox.run("--db dir/a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/dir/a.db is not safe to use: others may use it (mode 0644)
    hint: chmod 600 '[HOME]/dir/a.db'
    [exit status: 9]
    ");
    assert_refused(&sandbox, "dir/a.db", "DATABASE_UNSAFE");
    mode("dir/a.db", 0o600);

    for writable_by_all in [0o777, 0o1777] {
        mode("dir", writable_by_all);
        assert_refused(&sandbox, "dir/a.db", "DATABASE_UNSAFE");
        let _ = sandbox.run("--db dir/new.db db init").failure(9);
        assert!(!sandbox.path("dir/new.db").exists());
    }
    assert_snapshot!(sandbox.run("--db dir/a.db db status"), @"
    ------- stderr -------
    error: could not open the database (--db): [HOME]/dir is not safe to use: everybody may write to the directory
    hint: keep the database in a directory that only you can write, and name it with --db
    [exit status: 9]
    ");
    mode("dir", 0o700);
    let _ = sandbox.run("--db dir/a.db db status").success();
}

/// The owner or root may use a sticky directory, which is shared on purpose.
#[test]
fn no_hint_changes_a_shared_or_foreign_directory() {
    let sandbox = Sandbox::with_ada();
    let hints = |words: &str| {
        let mut command = sandbox.command(words.split(' '));
        let ran = sandbox.finish(command.env("XDG_CONFIG_HOME", sandbox.path("shared")));
        assert!([9, 74].contains(&ran.code), "{words}: {ran}");
        ran.stderr
    };
    let mode = |path: &str, mode| {
        std::fs::set_permissions(sandbox.path(path), Permissions::from_mode(mode)).unwrap();
    };
    std::fs::create_dir_all(sandbox.path("shared/authctl/sessions")).unwrap();
    std::fs::copy(sandbox.database(), sandbox.path("shared/a.db")).unwrap();
    sandbox.file("pw", PASSWORD);
    mode("pw", 0o600);
    let signin = "signin ada@example.com --password-file pw";
    let status = "db status --db shared/a.db";
    let create = "db init --db shared/new.db";
    mode("shared", 0o777);
    mode("shared/authctl", 0o777);
    for words in [signin, status, create] {
        assert!(hints(words).contains("chmod "), "{words}");
    }
    mode("shared", 0o1777);
    mode("shared/authctl", 0o1777);
    for words in [signin, status, create] {
        assert!(!hints(words).contains("chmod "), "{words}");
    }
    mode("shared", 0o777);
    mode("shared/authctl", 0o777);
    if give_away(&sandbox.path("shared")) && give_away(&sandbox.path("shared/authctl")) {
        for words in [signin, status, create] {
            let said = hints(words);
            assert!(!said.contains("chmod ") && !said.contains("chown "), "{words}: {said}");
        }
    }
}

#[test]
fn path_in_a_hint_is_quoted_for_the_shell() {
    let sandbox = Sandbox::new();
    let name = "it's; touch pwned #.db";
    sandbox.run_words(&["--db", name, "db", "init"]).success();
    std::fs::set_permissions(sandbox.path(name), Permissions::from_mode(0o644)).unwrap();
    let said = sandbox.run_words(&["--db", name, "db", "status"]).failure(9);
    let (_, hint) = said.split_once("hint: ").unwrap();
    let pasted = std::process::Command::new("sh").args(["-c", hint]).current_dir(sandbox.home()).status().unwrap();
    assert!(pasted.success() && !sandbox.path("pwned").exists(), "{hint}");
    sandbox.run_words(&["--db", name, "db", "status"]).success();
}

#[test]
fn path_is_never_read_as_a_uri() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run_words(&["--db", "", "db", "init"]), @"
    ------- stderr -------
    error: a value is required for '--db <DATABASE>' but none was supplied
    hint: see authctl db init --help
    [exit status: 2]
    ");
    for memory in ["file:x?mode=memory", "file::memory:"] {
        assert_eq!(sandbox.run_words(&["--db", memory, "db", "init"]).code, 2, "{memory}");
    }
    for name in [":memory:", "x?vfs=unix-none"] {
        sandbox.run_words(&["--db", name, "db", "init"]).success();
        assert!(sandbox.path(name).metadata().unwrap().len() > 0, "{name}");
        let status = sandbox.run_words(&["--db", name, "db", "status", "--json"]).json();
        assert_eq!(status["database"], sandbox.home().canonicalize().unwrap().join(name).to_str().unwrap());
    }
}

#[test]
fn missing_directory_is_not_created() {
    let sandbox = Sandbox::new();
    let before = tree(sandbox.home());
    assert_snapshot!(sandbox.run("--db no/such/a.db db init"), @"
    ------- stderr -------
    error: could not make the database: [HOME]/no/such/a.db cannot be made: the directory [HOME]/no/such does not exist
    hint: the directory must exist and be writable for you
    [exit status: 74]
    ");
    before.assert_same(&tree(sandbox.home()));
}

/// Special files: their name in messages, and how to create them.
type Maker = (&'static str, fn(&std::path::Path));

#[test]
fn special_file_as_journal_is_refused_without_waiting() {
    let native = |sandbox: &Sandbox| sandbox.run("--db a.db db init").success();
    let guest = |sandbox: &Sandbox| sandbox.run("--db a.db db init --better-auth kysely").success();
    let kinds: [Maker; 4] = [
        ("a named pipe", |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap()),
        ("a socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
        ("a directory", |path| std::fs::create_dir(path).unwrap()),
        ("a symbolic link", |path| symlink("nowhere", path).unwrap()),
    ];
    for make in [&native as &dyn Fn(&Sandbox) -> String, &guest] {
        for (kind, plant) in kinds {
            for suffix in ["-journal", "-wal", "-shm"] {
                let sandbox = Sandbox::new();
                make(&sandbox);
                let planted = sandbox.path(&format!("a.db{suffix}"));
                plant(&planted);
                for words in ["users list", "db status", "users create a@example.com --name A --generate", "doctor"] {
                    let ran =
                        without_hanging(&sandbox, &mut sandbox.command(words.split(' ').chain(["--db", "a.db"])), "");
                    let answer = format!("{}{}", ran.stdout, ran.stderr);
                    assert!(ran.code == 9 || words == "doctor" && ran.code == 1, "{kind} {suffix} {words}: {ran}");
                    assert!(
                        answer.contains(&format!("a.db{suffix} is not safe to use: it is {kind}")),
                        "{words}: {ran}"
                    );
                    // The link may lead to a journal that the database needs, so the hint must not remove it.
                    let hint = if kind == "a symbolic link" { "ls -li '" } else { "mv '" };
                    assert!(answer.contains(hint), "{words}: {ran}");
                }
                assert!(planted.symlink_metadata().is_ok(), "{kind} {suffix} is unchanged");
            }
        }
    }
    let sandbox = Sandbox::new();
    native(&sandbox);
    std::fs::hard_link(sandbox.file("other", ""), sandbox.path("a.db-wal")).unwrap();
    assert_refused(&sandbox, "a.db", "DATABASE_UNSAFE");
}
