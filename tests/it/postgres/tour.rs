//! One tour on PostgreSQL and in an SQLite file: the same words, and the same exit codes.

use insta::assert_snapshot;

use super::Place;
use crate::readme::check_on_server;
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

/// The length of a digest in hexadecimal digits.
const DIGEST: usize = 64;

const LIST: &str = "address,name,role,verified\neve@example.com,Evelyn,editor,yes\nkim@example.com,Kim,,\n";

/// The commands, each with its input.
const TOUR: &[(&str, &str)] = &[
    ("signup ada@example.com --name Ada --password-stdin", PASSWORD),
    ("signup ada@example.com --name Ada --password-stdin", PASSWORD),
    ("whoami", ""),
    ("whoami --json", ""),
    ("signin ADA@example.com --password-stdin --no-store --print-token -q", OTHER_PASSWORD),
    ("sessions", ""),
    ("sessions revoke --others", ""),
    ("password change --password-stdin", "correct horse battery staple\nnine purple umbrellas sing\n"),
    ("users create root@example.com --name Root --role admin --verified --password-stdin", PASSWORD),
    ("users create eve@example.com --name Éve --password-stdin --json", PASSWORD),
    ("users list", ""),
    ("users list --search ÉVE", ""),
    ("users list --sort name --limit 1 --json", ""),
    ("users show root@example.com", ""),
    ("users ban ada@example.com --for 7d --reason spam", ""),
    ("users explain ada@example.com", ""),
    ("whoami", ""),
    ("signin ada@example.com --password-stdin", OTHER_PASSWORD),
    ("users unban ada@example.com", ""),
    ("users set-role root@example.com user", ""),
    ("users set-role ada@example.com admin", ""),
    ("users set-role root@example.com user", ""),
    ("users set-role ada@example.com user", ""),
    ("users set-role unknown@example.com user", ""),
    ("users update eve@example.com --name Eva", ""),
    ("password reset --code-stdin --password-stdin", "no-code-of-any-user\nnine purple umbrellas sing\n"),
    ("signin ada@example.com --password-stdin", OTHER_PASSWORD),
    ("policy set session.lifetime 20d", ""),
    ("policy show", ""),
    ("policy unset session.lifetime", ""),
    ("audit list --event user", ""),
    ("audit tail -n 2 --json", ""),
    ("audit export", ""),
    ("stats --since 7d", ""),
    ("users apply - --yes", LIST),
    ("users apply - --yes", LIST),
    ("users create kim@example.com --name Kim --role editor --no-password --ensure", ""),
    ("roles list", ""),
    ("users ban kim@example.com unknown@example.com eve@example.com", ""),
    ("users delete eve@example.com --yes", ""),
    ("sessions prune", ""),
    ("sessions list --all-users", ""),
    ("db check", ""),
    ("db migrate", ""),
    ("signout", ""),
    ("whoami", ""),
    ("signout", ""),
];

/// What `db check` says of an SQLite file that it did not check.
const UNCHECKED: &str = "indexes were not compared with their tables: --full";

/// What differs between any two databases: their names, digests, and columns that are as wide as these.
fn tamed(text: &str, database: &str) -> String {
    let text = text.replace(database, "[DATABASE]").replace("authctl's tables in", "the database");
    // What was not checked.
    let text = text.replace("the server keeps its pages and indexes: `pg_amcheck` checks them", UNCHECKED);
    let line = |line: &str| {
        let is_notice = line.contains("server-role") || line.contains("docs/postgres.md");
        let line = line.replace(", 1 notice (", " (");
        let spaced = line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
        let parts = spaced.split_inclusive(|c: char| !c.is_ascii_hexdigit());
        let part = |part: &str| if part.len() == DIGEST + 1 { "[DIGEST]".to_owned() } else { part.to_owned() };
        if is_notice { String::new() } else { parts.map(part).collect() }
    };
    text.lines().map(line).collect()
}

#[test]
fn words_and_exit_codes_are_those_on_sqlite() {
    let Some(place) = Place::empty() else { return };
    let file = Sandbox::new();
    assert_eq!(place.run("users list --json").json_error(9)["code"], "DATABASE_MISSING");
    let (_, after) = place.url().split_once("://").unwrap();
    let there = ["postgres://", after].concat();
    let here = "[HOME]/.local/share/authctl/auth.db";
    let mut differing = Vec::new();
    for (words, input) in TOUR {
        let on_server = tamed(&place.run_with_input(words, input).to_string(), &there);
        let in_file = tamed(&file.run_with_input(words, *input).to_string(), here);
        if on_server != in_file {
            differing.push(format!("{words}\n--- on PostgreSQL\n{on_server}--- on SQLite\n{in_file}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn tour_of_readme_is_the_same_word_for_word() {
    let Some(place) = Place::empty() else { return };
    check_on_server("README.md", "Five-minute tour", place.url());
}

#[test]
fn sign_up_makes_the_tables_and_says_so() {
    let Some(place) = Place::empty() else { return };
    let ran = place.sign_up("ada@example.com").to_string().replace(place.url(), "[DATABASE]");
    assert_snapshot!(ran, @"
    ------- stderr -------
    note: created authctl's tables in [DATABASE]
    created the account of Somebody <ada@example.com> and signed in; the session ends in 7 days
    the session is kept unencrypted, readable by you alone, in [HOME]/.config/authctl/sessions/[KEY].json
    ");
    let again = place.run("db init").to_string().replace(place.url(), "[DATABASE]");
    assert_snapshot!(again, @"
    ------- stderr -------
    error: could not make the database: [DATABASE] has the tables of authctl already
    hint: pass --if-missing if that is what you want
    [exit status: 6]
    ");
    place.assert_whole();
}

#[test]
fn what_only_files_have_is_refused() {
    let Some(place) = Place::new() else { return };
    place.create("ada@example.com", "--role admin");
    for words in ["db backup copy.db", "db restore copy.db", "db convert"] {
        place.run(words).failure(2);
    }
    assert_eq!(place.number(r#"SELECT count(*) FROM "user""#), 1);
}

#[test]
fn status_and_doctor_describe_the_server() {
    let Some(place) = Place::new() else { return };
    place.create("ada@example.com", "--role admin");
    let status = place.run("db status --json").json();
    assert_eq!(status["database"], place.url(), "{status}");
    let doctor = place.run("doctor --json");
    assert!(doctor.code <= 1, "{doctor}");
    place.run("doctor --fix --yes").success();
    place.assert_whole();
}
