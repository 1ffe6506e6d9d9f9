//! Who may import whom.

use super::assert_none;
use super::source::{Source, program};

/// What a part of the program may know of the other parts.
struct Wall {
    part: &'static str,
    /// Paths, with all that is below them.
    may: &'static [&'static str],
    /// Paths below those that it still may not.
    but: &'static [&'static str],
}

/// What every part that touches secrets may know of the rules: the types that cannot be shown.
const SECRETS: &[&str] = &["auth::secret"];

const WALLS: &[Wall] = &[
    Wall { part: "auth", may: &[], but: &[] },
    Wall { part: "store", may: &["auth", "paths::quoted"], but: &[] },
    Wall { part: "output", may: &["auth", "error::ExitCode"], but: &[] },
    // A session file is kept in a private directory, which `paths` makes.
    Wall { part: "session_file", may: &["auth::secret", "input_file", "paths"], but: &[] },
    Wall { part: "prompt", may: &["auth::secret", "input_file"], but: &[] },
    Wall { part: "input_file", may: &[], but: &[] },
    Wall { part: "paths", may: SECRETS, but: &[] },
    // Who gets a message is an address; what the message says is decided elsewhere.
    Wall { part: "mail", may: &["auth::email", "auth::secret", "input_file"], but: &[] },
    // The top of the tree names the arguments of each command. Exit codes are words of help too, and durations
    // and networks are written in one way.
    Wall { part: "cli", may: &["commands", "error::ExitCode", "auth::duration", "auth::session"], but: &[] },
    Wall {
        part: "context",
        may: &["auth", "input_file", "session_file", "prompt", "paths", "store", "mail::Report", "mail::handover"],
        but: &[],
    },
    Wall {
        part: "commands",
        may: &[
            "cli",
            "context",
            "auth",
            "output",
            "session_file",
            "prompt",
            // The path of a backup is read like that of a database, and `db status` says who chose the database.
            "paths::resolve",
            "paths::DatabaseLocation",
            "paths::DatabasePlace",
            "paths::PathError",
            "store::OpenError",
            // `db` and `doctor` are about the engine itself.
            "store::sqlite",
            // Beyond the design: a command may refuse with words and a code of its own.
            "error::CommandError",
            "error::Attempted",
            // `doctor` tells in its report what stops other commands.
            "error::Failure",
            "error::ExitCode",
            "mail",
            "error::StillLive",
        ],
        // A command has nothing to print with.
        but: &["output::write_answer", "output::write_message"],
    },
    Wall {
        part: "error",
        may: &[
            "auth::AuthError",
            "auth::SignedOut",
            "auth::storage::StoreError",
            "auth::policy",
            "auth::audit",
            "auth::password::HashError",
            "auth::password::strength::WeakPassword",
            "cli::UsageError",
            "mail::MailError",
            "context::ClockError",
            "context::Done",
            "context::SchemaFileError",
            "context::NoToken",
            "context::TokenOf",
            "paths::PathError",
            "prompt::PromptError",
            "session_file::SessionFileError",
            "store::OpenError",
            "store::CopyError",
            // Errors quote what people typed, and say when a ban ends.
            "output::text",
            "output::json",
        ],
        but: &[],
    },
];

/// The part of the program that a file belongs to; `lib.rs` and `main.rs` are none, they join all.
fn part(source: &Source) -> Option<String> {
    source.module().split("::").nth(1).filter(|part| !part.is_empty()).map(str::to_owned)
}

fn is_below(path: &str, top: &str) -> bool {
    path == top || path.strip_prefix(top).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn no_part_knows_more_of_the_others_than_it_may() {
    let mut offences = Vec::new();
    for source in program() {
        let Some(part) = part(&source) else { continue };
        let Some(wall) = WALLS.iter().find(|wall| wall.part == part) else {
            offences.push(format!("{} belongs to `{part}`, which has no wall: say what it may import", source.path));
            continue;
        };
        for path in source.paths() {
            let Some(ours) = path.strip_prefix("crate::").or((path == "crate").then_some("*")) else { continue };
            let allowed = wall.may.iter().any(|may| is_below(ours, may));
            let refused = wall.but.iter().any(|but| is_below(ours, but));
            if !is_below(ours, &part) && (!allowed || refused) {
                let may = if wall.may.is_empty() { "nothing of ours".to_owned() } else { wall.may.join(", ") };
                let but = if wall.but.is_empty() { String::new() } else { format!(" but not {}", wall.but.join(", ")) };
                offences.push(format!("{} imports {ours}, and `{part}` may import {may}{but}", source.path));
            }
        }
    }
    assert_none(&offences);
}

#[test]
fn each_wall_stands_around_something() {
    let program = program();
    for wall in WALLS {
        assert!(program.iter().any(|source| part(source).as_deref() == Some(wall.part)), "no part `{}`", wall.part);
    }
}

#[test]
fn main_only_runs_the_library() {
    let main = program().into_iter().find(|source| source.path == "src/main.rs").unwrap();
    let ours: Vec<String> = main.paths().into_iter().filter(|path| !path.starts_with("std::")).collect();
    assert_eq!(ours, ["authctl::run"], "src/main.rs does more than to run the library");
}

/// Calls that open a file by its name.
const OPENING: &[&str] = &["openat", "File::open", "File::options", "fs::read", "fs::read_to_string", "fs::copy"];

#[test]
fn database_files_are_opened_in_one_place() {
    // Closing a descriptor of a database drops SQLite's locks: see `store/sqlite/descriptors.rs`.
    let mut offences = Vec::new();
    for source in program().iter().filter(|source| source.path.starts_with("src/store/sqlite/")) {
        let file = source.path.trim_start_matches("src/store/sqlite/");
        for path in source.paths() {
            let ends = |call: &str| path == call || path.ends_with(&format!("::{call}"));
            // A lock file and a directory are no databases; a new file is handed over as it is made.
            let opens = ["descriptors.rs", "lock.rs", "staging.rs"];
            if OPENING.iter().any(|call| ends(call)) && !opens.contains(&file) {
                offences.push(format!("{} calls {path}: check a database with `preflight::inspect`", source.path));
            }
            if ["Connection::open", "Connection::open_with_flags"].iter().any(|call| ends(call)) && file != "connect.rs"
            {
                offences.push(format!("{} calls {path}: connect with `connect::connect`", source.path));
            }
        }
    }
    assert_none(&offences);
}
