//! The allowed imports between parts of the program.

use super::assert_none;
use super::source::{Source, program};

/// The imports that a part of the program may use.
struct Wall {
    part: &'static str,
    /// Paths, each with everything below it.
    may: &'static [&'static str],
    /// Exceptions below those paths.
    but: &'static [&'static str],
}

/// The secret types of the rules, which every part that handles secrets may import.
const SECRETS: &[&str] = &["auth::secret"];

const WALLS: &[Wall] = &[
    Wall { part: "auth", may: &[], but: &[] },
    // `input_file` reads the certificates and keys of a connection.
    Wall { part: "store", may: &["auth", "input_file", "getent", "paths::quoted"], but: &[] },
    Wall { part: "output", may: &["auth", "error::ExitCode"], but: &[] },
    // Readers of exports make the rows of an import, spell hashes as verifiers do, and know no rule.
    Wall { part: "import", may: &["auth::import", "auth::password::encoding"], but: &[] },
    // `paths` creates the private directory of session files.
    Wall { part: "session_file", may: &["auth::secret", "input_file", "paths"], but: &[] },
    Wall { part: "prompt", may: &["auth::secret", "input_file", "interrupt"], but: &[] },
    Wall { part: "interrupt", may: &[], but: &[] },
    Wall { part: "getent", may: &[], but: &[] },
    Wall { part: "input_file", may: &[], but: &[] },
    Wall { part: "output_file", may: &[], but: &[] },
    // Exports of authctl are what its own reader reads.
    Wall { part: "export", may: &["auth", "import::authctl", "output::csv", "output::json"], but: &[] },
    Wall { part: "paths", may: SECRETS, but: &[] },
    // The recipient is an address. Other modules decide the text of a message.
    Wall { part: "mail", may: &["auth::email", "auth::secret", "input_file", "getent"], but: &[] },
    // The top of the clap tree names the arguments of each command. Help also has the exit codes, and durations
    // and networks have one syntax.
    Wall { part: "cli", may: &["commands", "error::ExitCode", "auth::duration", "auth::session"], but: &[] },
    Wall {
        part: "context",
        may: &[
            "auth",
            "input_file",
            "getent",
            "session_file",
            "prompt",
            "paths",
            "store",
            "mail::Report",
            "mail::handover",
        ],
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
            // Backup paths parse like database paths, and `db status` shows the source of the path.
            "paths::resolve",
            "paths::session_key",
            "paths::require_writable_directory",
            "paths::DatabaseLocation",
            "paths::DatabasePlace",
            "paths::PathError",
            "store::Migrated",
            "store::OpenError",
            // `db` and `doctor` manage the engine itself.
            "store::postgres",
            "store::sqlite",
            "import",
            "export",
            "input_file",
            "interrupt",
            "output_file",
            "store::transfer",
            // A command may fail with its own message and exit code.
            "error::CommandError",
            "error::Attempted",
            "error::HintOfCommand",
            // The report of `doctor` includes errors that stop other commands.
            "error::Failure",
            "error::ExitCode",
            "mail",
            "error::StillLive",
        ],
        // Commands return reports and cannot print.
        but: &["output::write_answer", "output::write_bytes", "output::write_message"],
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
            "auth::second_factor::SealError",
            "auth::password::strength::WeakPassword",
            "cli::UsageError",
            "mail::MailError",
            "context::ClockError",
            "context::Done",
            "context::NotReady",
            "context::SchemaFileError",
            "context::NoToken",
            "context::TokenOf",
            "import::ImportError",
            "interrupt",
            "paths::ConfigProblem",
            "paths::PathError",
            "prompt::PromptError",
            "session_file::SessionFileError",
            "store::postgres::AddressError",
            "store::postgres::ConnectError",
            "store::postgres::ServerError",
            "store::OpenError",
            "store::CopyError",
            "store::transfer::TransferError",
            // Errors quote user input and the end of a ban.
            "output::text",
            "output::json",
        ],
        but: &[],
    },
];

/// The part of the program that a file belongs to; `None` for `lib.rs` and `main.rs`, which join all parts.
fn part(source: &Source) -> Option<String> {
    source.module().split("::").nth(1).filter(|part| !part.is_empty()).map(str::to_owned)
}

fn is_below(path: &str, top: &str) -> bool {
    path == top || path.strip_prefix(top).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn parts_import_only_what_they_may() {
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
fn every_part_has_files() {
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
    // Closing a descriptor of a database releases SQLite's locks.
    let mut offences = Vec::new();
    for source in program().iter().filter(|source| source.path.starts_with("src/store/sqlite")) {
        let file = source.path.trim_start_matches("src/store/sqlite/");
        for path in source.paths() {
            let ends = |call: &str| path == call || path.ends_with(&format!("::{call}"));
            // Lock files and directories are not databases, and a new file is passed on after its creation.
            let opens = ["descriptors.rs", "staging.rs"];
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
