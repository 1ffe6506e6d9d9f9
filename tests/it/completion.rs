//! The completion scripts in the real shells, and the answers of the program to them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::generated::on_this_machine;
use crate::machine::tree;
use crate::postgres::Place;
use crate::sandbox::{Sandbox, program};

/// What the program answers for words of which the last is completed.
fn candidates(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let ran = sandbox.run_words(&[&["--internal-complete", "bash", "--", "authctl"], words].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words:?}");
    ran.stdout.lines().map(str::to_owned).collect()
}

fn with_people() -> Sandbox {
    let sandbox = Sandbox::with_ada();
    for words in ["adam@example.com --role editor", "bob@example.com --role admin"] {
        sandbox.run(&format!("users create {words} --name N --no-password")).success();
    }
    sandbox
}

#[test]
fn completion_knows_the_data() {
    let sandbox = with_people();
    let at = |words: &[&str]| candidates(&sandbox, words);
    assert_eq!(at(&["users", "show", "ada"]), ["ada@example.com", "adam@example.com"]);
    assert_eq!(at(&["users", "show", "b"]), ["bob@example.com"]);
    assert_eq!(at(&["sessions", "list", "--user", "bo"]), ["bob@example.com"]);
    assert_eq!(at(&["sessions", "list", "--user=bo"]), ["--user=bob@example.com"]);
    assert_eq!(at(&["signin", "bo"]), ["bob@example.com"]);
    let id = sandbox.run("whoami --json").json();
    let (session, user) = (id["session"]["id"].as_str().unwrap(), id["user"]["id"].as_str().unwrap());
    assert_eq!(at(&["sessions", "revoke", &session[..6]]), [session]);
    assert_eq!(at(&["users", "show", &user[..6]]), [user]);
    assert_eq!(at(&["guard", "--role", ""]), ["admin", "editor", "user"]);
    assert_eq!(at(&["users", "set-role", "ada@example.com", "ad"]), ["ada@example.com", "adam@example.com", "admin"]);
    let token = sandbox.run("tokens create --json").json();
    let token = token["apiToken"]["id"].as_str().unwrap();
    assert_eq!(at(&["tokens", "revoke", &token[..6]]), [token]);
    assert_eq!(at(&["policy", "set", "session.l"]), ["session.lifetime"]);
    assert_eq!(at(&["help", "exit"]), ["exit-codes"]);
    assert_eq!(at(&["help", "who"]), ["whoami"]);
    // New addresses are not those of users.
    assert!(at(&["signup", "b"]).is_empty());
    assert!(at(&["users", "create", "b"]).is_empty());
}

#[test]
fn completion_shows_a_command_once_and_files_where_files_are_meant() {
    let sandbox = with_people();
    sandbox.file("backup.db", "");
    let at = |words: &[&str]| candidates(&sandbox, words);
    assert_eq!(at(&["sign"]), ["signup", "signin", "signout"], "no other names");
    assert_eq!(at(&["user", "sho"]), ["show"], "other names are understood");
    assert_eq!(at(&["sessions", "revoke", "--oth"]), ["--others"]);
    for words in [&["db", "restore", "ba"][..], &["--db", "ba"], &["db", "backup", "ba"]] {
        assert_eq!(at(words), ["backup.db"], "{words:?}");
    }
    for words in [&["users", "show", "ba"][..], &["policy", "set", "ba"], &["users", "ban", "--reason", "ba"], &["ba"]]
    {
        assert!(at(words).is_empty(), "{words:?}");
    }
}

#[test]
fn completion_reads_the_database_that_the_line_names() {
    let sandbox = Sandbox::with_ada();
    sandbox.run("--db other.db db init").success();
    sandbox.run("--db other.db users create eve@example.com --name Eve --no-password").success();
    assert_eq!(candidates(&sandbox, &["--db", "other.db", "users", "show", ""])[0], "eve@example.com");
    assert_eq!(candidates(&sandbox, &["users", "show", "--db=other.db", "e"]), ["eve@example.com"]);
    sandbox.run("--db app.db db init --better-auth drizzle").success();
    sandbox.run("--db app.db users create eva@example.com --name Eva --no-password").success();
    assert_eq!(candidates(&sandbox, &["--db", "app.db", "users", "show", "e"]), ["eva@example.com"]);
}

#[test]
fn completion_without_a_database_is_silent_and_makes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("text.db", "no database");
    let before = tree(sandbox.home());
    for database in ["", "missing.db", "text.db", "postgres://ada@localhost:1/app"] {
        for words in [&["users", "show", "a"][..], &["sessions", "revoke", "a"]] {
            let named = [&["--db", database][..], words].concat();
            assert!(candidates(&sandbox, if database.is_empty() { words } else { &named }).is_empty(), "{named:?}");
        }
    }
    assert_eq!(candidates(&sandbox, &["guard", "--role", ""]), ["admin", "user"]);
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn completion_writes_nothing_to_an_old_database() {
    let sandbox = Sandbox::with_ada();
    sandbox.execute("PRAGMA user_version = 9");
    let before = sandbox.number("PRAGMA user_version");
    assert_eq!(candidates(&sandbox, &["users", "show", "a"]), ["ada@example.com"]);
    assert_eq!(sandbox.number("PRAGMA user_version"), before);
    sandbox.execute("PRAGMA user_version = 99");
    assert!(candidates(&sandbox, &["users", "show", "a"]).is_empty(), "a newer schema may differ");
}

#[test]
fn completion_knows_the_data_of_a_server() {
    let Some(place) = Place::new() else { return };
    place.create("ada@example.com", "--role editor");
    let ask = |words: &[&str]| {
        let words = [&["--internal-complete", "bash", "--", "authctl"], words].concat();
        let mut command = place.sandbox.command(words);
        let ran = place.sandbox.finish(command.env("AUTHCTL_DB", place.url()));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        ran.stdout
    };
    // The wait for a server is short, and the machine of a test may be busy.
    let answers = |words: &[&str], wanted: &str| (0..20).any(|_| ask(words) == wanted);
    assert!(answers(&["users", "show", "ad"], "ada@example.com\n"));
    assert!(answers(&["guard", "--role", "ed"], "editor\n"));
    place.sql().batch_execute("UPDATE authctl_schema_history SET version = version + 90").unwrap();
    assert_eq!(ask(&["users", "show", "ad"]), "");
}

/// Runs a shell with a script and words, and the program in its path. Returns the lines that it prints.
fn in_shell(
    sandbox: &Sandbox,
    shell: &str,
    options: &[&str],
    code: &str,
    script: &str,
    words: &[&str],
) -> Option<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(script);
    let mut path = OsString::from(program().parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = Command::new(shell);
    command.args(options).arg("-c").arg(code);
    // The name of the shell itself comes first, but in fish.
    command.args((shell != "fish").then_some(shell)).arg(script).args(words);
    command.current_dir(sandbox.home()).env_clear().env("HOME", sandbox.home()).env("PATH", path);
    let output = on_this_machine(&mut command)?;
    assert!(output.stderr.is_empty(), "{shell}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_words_that_it_splits() {
    // Readline splits the line at blanks and separators.
    const ASK: &str = r#"source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _authctl authctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\n' "${COMPREPLY[@]}""#;
    let sandbox = with_people();
    let at = |words: &[&str]| in_shell(&sandbox, "bash", &["--norc"], ASK, "authctl.bash", words);
    let Some(commands) = at(&["authctl who", "authctl", "who"]) else { return };
    assert_eq!(commands, ["whoami"]);
    assert_eq!(at(&["authctl sessions rev", "authctl", "sessions", "rev"]).unwrap(), ["revoke"]);
    assert_eq!(at(&["authctl users show bo", "authctl", "users", "show", "bo"]).unwrap(), ["bob@example.com"]);
    let split = ["authctl users show bob@ex", "authctl", "users", "show", "bob", "@", "ex"];
    assert_eq!(at(&split).unwrap(), ["example.com"]);
    let joined = ["authctl sessions list --user=bo", "authctl", "sessions", "list", "--user", "=", "bo"];
    assert_eq!(at(&joined).unwrap(), ["bob@example.com"]);
    assert_eq!(at(&["authctl guard -- authct", "authctl", "guard", "--", "authct"]).unwrap(), ["authctl"]);
    assert_eq!(at(&["authctl users show zz", "authctl", "users", "show", "zz"]).unwrap(), [""], "no files");
}

#[test]
fn bash_quotes_what_users_wrote() {
    const ASK: &str = r#"source "$1"; COMP_LINE='authctl users show x'; COMP_WORDS=(authctl users show x); COMP_CWORD=3
        _authctl; printf '%s\n' "${COMPREPLY[@]}""#;
    let sandbox = Sandbox::with_ada();
    sandbox.execute(r#"UPDATE "user" SET "email" = 'x$(id)@example.com'"#);
    let Some(found) = in_shell(&sandbox, "bash", &["--norc"], ASK, "authctl.bash", &[]) else { return };
    // An id may begin with the same letter.
    assert!(found.contains(&r"x\$\(id\)@example.com".to_owned()), "{found:?}");
}

#[test]
fn zsh_completes_the_data_and_commands_of_guard() {
    // The functions of zsh's own completion print what they are given.
    const ASK: &str = r#"_describe() { print -rl -- "${(@P)3}" }; _normal() { print -r -- "normal $CURRENT $words" }
        compdef() { }; source "$1"; shift; words=("$@"); CURRENT=$#; _authctl"#;
    let sandbox = with_people();
    let at = |words: &[&str]| in_shell(&sandbox, "zsh", &["-f"], ASK, "_authctl", words);
    let Some(commands) = at(&["authctl", "who"]) else { return };
    assert_eq!(commands, ["whoami:Show who is signed in"]);
    assert_eq!(at(&["authctl", "users", "show", "bo"]).unwrap(), ["bob@example.com"]);
    assert_eq!(at(&["authctl", "guard", "--", "ls", "-"]).unwrap(), ["normal 2 ls -"]);
}

#[test]
fn fish_completes_the_data_and_commands_of_guard() {
    const ASK: &str = r#"source $argv[1]; complete -C "$argv[2]""#;
    let sandbox = with_people();
    let at = |line: &str| in_shell(&sandbox, "fish", &["--no-config"], ASK, "authctl.fish", &[line]);
    let Some(commands) = at("authctl who") else { return };
    assert_eq!(commands, ["whoami\tShow who is signed in"]);
    let shown = |line: &str| -> Vec<String> {
        at(line).unwrap().iter().map(|one| one.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(shown("authctl users show bo"), ["bob@example.com"]);
    assert_eq!(shown("authctl guard -- authct"), ["authctl"]);
    assert!(shown("authctl users show zz").is_empty(), "no files");
}
