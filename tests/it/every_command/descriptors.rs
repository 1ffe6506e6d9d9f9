//! SQLite's locks: while SQLite has a database open, the process must not open or close the database, its WAL,
//! the WAL index or its journal in any other way. Closing any descriptor of a file releases all POSIX locks that
//! the process has on it, so other processes could write at the same time.

use std::collections::BTreeMap;

use super::examples::EXAMPLES;
use super::sandbox;
use crate::kill::Home;
use crate::machine::chmod;
use crate::sandbox::{PASSWORD, Sandbox};
use crate::strace;

/// The suffixes of the files that SQLite keeps beside a database.
const SIDECARS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The code that opened a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    /// SQLite, which never sets `O_NONBLOCK`.
    Sqlite,
    /// authctl itself, which always sets it.
    Program,
}

/// The descriptors of one process: number, opener and database.
type Table = BTreeMap<i32, (Opener, String)>;

/// Arguments, and the preparation of the home directory.
type Prepared = (&'static str, fn(&Sandbox));

/// The database of a path that names one of the four files.
fn database_of(path: &str) -> Option<&str> {
    let base = SIDECARS.iter().find_map(|suffix| path.strip_suffix(suffix)).unwrap_or(path);
    let name = base.rsplit('/').next()?;
    (name.contains(".db") && name.strip_suffix(".lock").is_none()).then_some(base)
}

/// The descriptor and the path of `7</home/auth.db>`.
fn described(text: &str) -> Option<(i32, &str)> {
    let (number, rest) = text.split_once('<')?;
    Some((number.trim().parse().ok()?, rest.split_once('>')?.0))
}

/// Reads a trace and returns what the program opened or closed while SQLite had the same database open.
fn offences(trace: &str) -> Vec<String> {
    let mut processes: BTreeMap<&str, Table> = BTreeMap::new();
    let mut leaders: BTreeMap<String, &str> = BTreeMap::new();
    let mut unfinished: BTreeMap<&str, String> = BTreeMap::new();
    let mut found = Vec::new();
    for line in trace.lines() {
        let Some((task, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(task, begun.to_owned());
            continue;
        }
        let whole = match call.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, rest)) => format!("{}{rest}", unfinished.remove(task).unwrap_or_default()),
            None => call.to_owned(),
        };
        let Some((words, result)) = whole.rsplit_once(" = ") else { continue };
        let process = leaders.get(task).copied().unwrap_or(task);
        if words.contains("CLONE_THREAD") {
            leaders.insert(result.trim().to_owned(), process);
            continue;
        }
        let table = processes.entry(process).or_default();
        let is_in_use = |table: &Table, base: &str| table.values().any(|it| it.0 == Opener::Sqlite && it.1 == base);
        if let Some(closed) = words.strip_prefix("close(") {
            let Some((number, path)) = described(closed) else { continue };
            let opened = table.remove(&number);
            let Some(base) = database_of(path) else { continue };
            if opened.is_none_or(|(opener, _)| opener == Opener::Program) && is_in_use(table, base) {
                found.push(line.to_owned());
            }
        } else if words.starts_with("dup") || words.starts_with("close_range") {
            if words.split('<').skip(1).any(|it| it.split('>').next().and_then(database_of).is_some()) {
                found.push(line.to_owned());
            }
        } else if let Some((number, path)) = described(result) {
            let Some(base) = database_of(path) else { continue };
            let opener = if words.contains("O_NONBLOCK") { Opener::Program } else { Opener::Sqlite };
            if opener == Opener::Program && is_in_use(table, base) {
                found.push(line.to_owned());
            }
            table.insert(number, (opener, base.to_owned()));
        }
    }
    found
}

/// Whether SQLite opened a database at all.
fn opens_a_database(trace: &str) -> bool {
    trace.lines().any(|line| line.contains("auth.db\"") && line.contains("O_RDWR") && !line.contains("O_NONBLOCK"))
}

/// Runs a command under strace and returns what it opened and closed.
fn traced(sandbox: &Sandbox, words: &str, input: Option<String>) -> String {
    const CALLS: &str = "trace=open,openat,openat2,creat,close,close_range,dup,dup2,dup3,clone,clone3";
    let trace = sandbox.path("trace");
    let options = ["-f", "-y", "-qq", "-e", CALLS, "-e", "signal=none"];
    let mut command = strace::command(&sandbox.command(words.split_whitespace()), &options, &trace);
    // Some examples fail; other tests check their exit codes.
    let _ = match input {
        Some(input) => sandbox.finish_with_input(&mut command, input),
        None => sandbox.finish(&mut command),
    };
    std::fs::read_to_string(trace).unwrap()
}

/// Runs every example in a copy of one home directory, then the given commands with their preparation.
fn each_command_leaves_the_locks(home: &Home, more: &[Prepared]) {
    let sandbox = &home.sandbox;
    if !strace::is_usable() {
        return;
    }
    let mut opened = 0;
    let mut check = |words: &str, input| {
        let trace = traced(sandbox, words, input);
        let found = offences(&trace);
        assert!(found.is_empty(), "`{words}` opens or closes a file that SQLite has open:\n{}", found.join("\n"));
        opened += usize::from(opens_a_database(&trace));
    };
    let of_files = ["hash", "completions", "help"];
    for example in EXAMPLES.iter().filter(|example| !of_files.iter().any(|word| example.words.starts_with(word))) {
        home.put_back();
        check(example.words, example.input.map(|input| input(sandbox)));
    }
    for (words, prepare) in more {
        home.put_back();
        prepare(sandbox);
        check(words, None);
    }
    let tried = EXAMPLES.len() + more.len();
    assert!(opened > tried / 2, "of {tried} commands only {opened} opened a database");
}

fn nothing(_: &Sandbox) {}

fn loosen(sandbox: &Sandbox) {
    chmod(&sandbox.database(), 0o644);
    chmod(sandbox.database().parent().unwrap(), 0o777);
}

fn remove_database(sandbox: &Sandbox) {
    std::fs::remove_file(sandbox.database()).unwrap();
}

fn cut_off(sandbox: &Sandbox) {
    let file = std::fs::OpenOptions::new().write(true).open(sandbox.database()).unwrap();
    file.set_len(8192).unwrap();
}

#[test]
fn native_commands_leave_sqlites_locks_alone() {
    let more: &[Prepared] = &[
        ("doctor --fix --yes", loosen),
        ("doctor", cut_off),
        ("db migrate", crate::db::make_old),
        ("whoami", crate::db::make_old),
        ("db backup later.db", crate::db::make_old),
        ("db restore backup.db --dry-run", nothing),
        ("db restore backup.db --keep-sessions", remove_database),
        ("db restore backup.db", nothing),
        ("db init", remove_database),
        ("signout --all", nothing),
    ];
    each_command_leaves_the_locks(&Home::new(sandbox()), more);
}

#[test]
fn guest_commands_leave_sqlites_locks_alone() {
    let guest = Sandbox::new();
    guest.run("db init --better-auth kysely").success();
    guest.sign_up("ada@example.com", "Ada").success();
    guest.run("users set-role ada@example.com admin").success();
    guest.run_with_input("users create bob@example.com --name Bob --password-stdin", PASSWORD).success();
    let more: &[Prepared] = &[
        ("db backup later.db", nothing),
        ("db migrate", nothing),
        ("doctor --fix --yes", loosen),
        ("whoami", |sandbox| std::fs::remove_dir_all(sandbox.path(".local/state")).unwrap()),
    ];
    each_command_leaves_the_locks(&Home::new(guest), more);
}

#[test]
fn offences_are_found_in_a_trace() {
    let open = |number: i32, flags: &str, path: &str| {
        format!("7 openat(AT_FDCWD</>, \"{path}\", {flags}) = {number}</d/{path}>")
    };
    let close = |number: i32, path: &str| format!("7 close({number}</d/{path}>) = 0");
    let ours = "O_RDONLY|O_NONBLOCK";
    let theirs = "O_RDWR|O_NOFOLLOW";
    let fine = [open(3, ours, "a.db"), open(4, theirs, "a.db"), close(4, "a.db"), close(3, "a.db")];
    assert!(offences(&fine.join("\n")).is_empty());
    let other_file = [open(3, ours, "a.db"), open(4, theirs, "b.db"), close(3, "a.db"), open(3, ours, "c.db")];
    assert!(offences(&other_file.join("\n")).is_empty());
    let closed = [open(3, ours, "a.db"), open(4, theirs, "a.db-wal"), close(3, "a.db")];
    assert_eq!(offences(&closed.join("\n")), [close(3, "a.db")]);
    let opened = [open(4, theirs, "a.db"), open(5, ours, "a.db-shm")];
    assert_eq!(offences(&opened.join("\n")), [open(5, ours, "a.db-shm")]);
    let of_a_thread = [
        open(4, theirs, "a.db"),
        "7 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 8".to_owned(),
        "8 openat(AT_FDCWD</>, \"a.db\", O_RDONLY|O_NONBLOCK <unfinished ...>".to_owned(),
        "8 <... openat resumed>) = 5</d/a.db>".to_owned(),
    ];
    assert_eq!(offences(&of_a_thread.join("\n")).len(), 1);
}
