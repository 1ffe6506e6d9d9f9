//! `import` and `export`: users of other systems arrive whole, and sign in with the passwords that they had.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::kill::is_full;
use crate::machine::tree;
use crate::pty::Terminal;
use crate::sandbox::{PASSWORD, Ran, Sandbox, past_authctl};

/// Exports of other systems with what is to be there after their import. Each password is known.
fn cases() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(fixture("cases.json")).unwrap()).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The words of an import of a case. Arguments that are files of the fixtures get their paths.
fn words(case: &Value, more: &[&str]) -> Vec<String> {
    let path = |name: &String| fixture(name).to_str().unwrap().to_owned();
    let args = texts(&case["args"]).into_iter().map(|arg| if arg.contains('/') { path(&arg) } else { arg });
    let files: Vec<String> = texts(&case["files"]).iter().map(path).collect();
    let database = ["--db".to_owned(), format!("{}.db", case["name"].as_str().unwrap())];
    let more = more.iter().map(|word| (*word).to_owned());
    database.into_iter().chain(["import".to_owned()]).chain(files).chain(args).chain(more).collect()
}

fn run(sandbox: &Sandbox, words: &[String]) -> Ran {
    sandbox.run_words(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The users of a database, as an export has them.
fn exported(sandbox: &Sandbox, name: &str) -> Vec<Value> {
    let text = sandbox.run(&format!("--db {name}.db export --quiet")).success();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_export_becomes_the_users_of_its_system() {
    let sandbox = Sandbox::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let (wanted, refused) = (case["users"].as_array().unwrap(), case["refused"].as_array().unwrap());
        let planned = run(&sandbox, &words(&case, &["--dry-run", "--json", "--report", "plan.jsonl"]));
        assert!(!sandbox.path(&format!("{name}.db")).exists(), "{name}: a plan makes no database");
        let ran = run(&sandbox, &words(&case, &["--json", "--report", &format!("{name}.jsonl")]));
        if wanted.is_empty() {
            assert_eq!((planned.code, ran.code), (1, 1), "{name}: {ran}");
            assert!(!sandbox.path(&format!("{name}.db")).exists(), "{name}");
            continue;
        }
        let code = i32::from(!refused.is_empty());
        assert_eq!((planned.code, ran.code), (code, code), "{name}: {planned}{ran}");
        let [planned, done] = [planned.stdout, ran.stdout].map(|text| serde_json::from_str::<Value>(&text).unwrap());
        for field in ["rows", "created", "skipped", "refused", "passwords", "wrapped", "withoutPassword", "accounts"] {
            assert_eq!(planned[field], done[field], "{name}: the plan says what is done, {field}");
        }
        let report = std::fs::read_to_string(sandbox.path(&format!("{name}.jsonl"))).unwrap();
        let rows: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found: BTreeSet<(u64, String)> = rows
            .iter()
            .filter(|row| row["result"] == "refused")
            .map(|row| (row["row"].as_u64().unwrap(), row["reason"].as_str().unwrap().to_owned()))
            .collect();
        let told: BTreeSet<(u64, String)> = refused
            .iter()
            .map(|row| (row["row"].as_u64().unwrap(), row["reason"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(found, told, "{name}");
        let users = exported(&sandbox, name);
        assert_eq!(users.len(), wanted.len(), "{name}: {users:?}");
        for user in wanted {
            let email = &user["email"];
            let stored = users.iter().find(|one| one["email"] == *email).unwrap_or_else(|| panic!("{name}: {email}"));
            require_equal(name, user, stored);
        }
    }
}

/// Compares a user of a case with the stored one.
fn require_equal(name: &str, user: &Value, stored: &Value) {
    let email = &user["email"];
    for field in ["id", "name", "emailVerified", "banned"] {
        if !user[field].is_null() {
            assert_eq!(stored[field], user[field], "{name}, {email}: {field}");
        }
    }
    let role = |value: &Value| value["role"].as_str().unwrap_or("user").to_owned();
    assert_eq!(role(stored), role(user), "{name}, {email}: role");
    if let Some(created_at) = user["createdAt"].as_str() {
        let second = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        assert_eq!(second(stored["createdAt"].as_str().unwrap()), second(created_at), "{name}, {email}: createdAt");
    }
    if let Some(providers) = user["providers"].as_array() {
        let credential = (stored["hasPassword"] == true).then_some("credential");
        let accounts = stored["accounts"].as_array().unwrap();
        let found: BTreeSet<&str> =
            accounts.iter().map(|account| account["providerId"].as_str().unwrap()).chain(credential).collect();
        let wanted: BTreeSet<&str> = providers.iter().map(|one| one.as_str().unwrap()).collect();
        assert_eq!(found, wanted, "{name}, {email}: accounts");
    }
}

/// One user for each kind of hash. `AUTHCTL_SWEEP=full` has every user of every file.
#[test]
fn imported_passwords_sign_in_and_are_hashed_anew() {
    let sandbox = Sandbox::new();
    let mut seen = BTreeSet::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        for user in case["users"].as_array().unwrap() {
            let (Some(password), Some(kind)) = (user["password"].as_str(), user["hash"].as_str()) else { continue };
            let is_new = !kind.is_empty() && seen.insert(kind.to_owned());
            if !is_new && !is_full() {
                continue;
            }
            if !sandbox.path(&format!("{name}.db")).exists() {
                let _ = run(&sandbox, &words(&case, &["--quiet"]));
            }
            let email = user["email"].as_str().unwrap();
            let sign_in = format!("--db {name}.db signin {email} --password-stdin");
            // The unit tests refuse a wrong password for every kind.
            if seen.len() == 1 || is_full() {
                let wrong = sandbox.run_with_input(&sign_in, "never the right password");
                assert_eq!(wrong.code, 7, "{name}, {kind}: {wrong}");
            }
            let right = sandbox.run_with_input(&sign_in, password);
            if user["banned"] == true {
                // Only the right password shows the ban.
                assert_eq!(right.code, 5, "{name}, {kind}: {right}");
                continue;
            }
            assert_eq!(right.code, 0, "{name}, {kind}: {right}");
            let users = exported(&sandbox, name);
            let stored = users.iter().find(|one| one["email"] == email).unwrap();
            assert_eq!(stored["passwordKind"], "argon2id", "{name}, {kind}");
            sandbox.run_with_input(&sign_in, password).success();
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
}

/// An export of as many users, with a hash of [`PASSWORD`].
fn table(sandbox: &Sandbox, users: usize) -> String {
    let hash = sandbox.run_with_input("hash generate --password-stdin", PASSWORD).success();
    let head = "id,email,name,created_at,password_hash\n".to_owned();
    let row = |number: usize| {
        format!("u{number:06},user{number}@example.com,User {number},2024-01-02T03:04:05Z,\"{}\"\n", hash.trim())
    };
    head + &(1..=users).map(row).collect::<String>()
}

#[test]
fn second_run_meets_users_who_are_there() {
    let sandbox = Sandbox::new();
    sandbox.file("users.csv", table(&sandbox, 3));
    assert_snapshot!(sandbox.run("import users.csv"), @"
    ------- stderr -------
    note: created the database [HOME]/.local/share/authctl/auth.db
    imported 3 users into [HOME]/.local/share/authctl/auth.db
    the files of the export still hold every hash: remove them when they are of no use
    ");
    assert_snapshot!(sandbox.run("import users.csv"), @"
    export       csv from users.csv
    rows         3
    users        0 new, 0 verified, 0 banned
    passwords    3 argon2id
    done before  3 rows
    ------- stderr -------
    this export was imported before ([TIME]): 0 rows to do; --on-conflict skip looks at each row again
    ");
    let before = exported_default(&sandbox);
    let skipped = sandbox.run("import users.csv --on-conflict skip --json").json();
    assert_eq!((&skipped["created"], &skipped["skipped"]), (&0.into(), &3.into()), "{skipped}");
    let unchanged = sandbox.run("import users.csv --on-conflict update --json").json();
    assert_eq!((&unchanged["created"], &unchanged["unchanged"]), (&0.into(), &3.into()), "{unchanged}");
    assert_eq!(exported_default(&sandbox), before, "nothing has changed");
    sandbox.file("more.csv", table(&sandbox, 4));
    let ran = sandbox.run("import more.csv");
    assert_eq!(ran.code, 6, "{ran}");
    assert_eq!(exported_default(&sandbox), before, "nothing was imported");
    assert!(ran.stderr.contains("3 users of the export exist already"), "{ran}");
}

fn exported_default(sandbox: &Sandbox) -> String {
    sandbox.run("export --with-hashes --yes --quiet").success()
}

#[test]
fn invalid_rows_stop_the_import_before_the_first_write() {
    let sandbox = Sandbox::new();
    sandbox.file("users.csv", "email,name\nada@example.com,Ada\nnot an address,Bob\nADA@example.com,Twin\n");
    assert_snapshot!(sandbox.run("import users.csv"), @"
    ------- stderr -------
    note: row 2 (line 3) not an address: bad-email: the address is not valid
    note: row 3 (line 4) ADA@example.com: duplicate-in-file: row 1 has the same address
    error: could not import: 2 of 3 rows cannot be imported (1 bad-email, 1 duplicate-in-file), and nothing was
    hint: correct these rows, or import the others with --skip-invalid
    [exit status: 1]
    ");
    assert!(!sandbox.database().exists());
    assert_snapshot!(sandbox.run("import users.csv --skip-invalid"), @"
    ------- stderr -------
    note: created the database [HOME]/.local/share/authctl/auth.db
    imported 1 user into [HOME]/.local/share/authctl/auth.db (1 without a password), refused 2
    row 2 (line 3) not an address: bad-email: the address is not valid
    row 3 (line 4) ADA@example.com: duplicate-in-file: row 1 has the same address
    [exit status: 1]
    ");
    assert_eq!(sandbox.number(r#"SELECT count(*) FROM "user""#), 1);
}

#[test]
fn export_is_imported_as_it_was() {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.run("users ban bob@example.com --reason spam").success();
    sandbox.run("users set-role ada@example.com admin,editor").success();
    let first = exported_default(&sandbox);
    sandbox.file("users.jsonl", &first);
    sandbox.run("--db other.db import users.jsonl").success();
    let second = sandbox.run("--db other.db export --with-hashes --yes --quiet").success();
    assert_eq!(first, second);
    sandbox.run_with_input("--db other.db signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    for format in ["csv", "better-auth", "auth0", "clerk", "keycloak", "supabase"] {
        let text = sandbox.run(&format!("export --format {format} --quiet")).success();
        assert!(!text.contains("$argon2id$"), "{format}: no hash without --with-hashes");
        let file = format!("{format}.txt");
        sandbox.file(&file, &text);
        if format != "supabase" {
            sandbox.run(&format!("--db {format}.db import {file} --format {format}")).success();
        }
    }
}

#[test]
fn export_to_a_file_is_private_and_replaces_none() {
    let sandbox = Sandbox::with_ada();
    let ran = sandbox.run("export --output users.jsonl --with-hashes --yes --json").json();
    assert_eq!((&ran["users"], &ran["hashes"]), (&1.into(), &1.into()), "{ran}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&sandbox.path("users.jsonl").metadata().unwrap().permissions());
    assert_eq!(mode & 0o7777, 0o600);
    let before = tree(sandbox.home());
    assert_eq!(sandbox.run("export --output users.jsonl").code, 6);
    assert_eq!(sandbox.run("export --output no/users.jsonl").code, 74);
    assert_eq!(sandbox.run("export --with-hashes").code, 2, "without a yes");
    before.assert_same(&tree(sandbox.home()));
    let entry = sandbox.run("audit list --event export.secrets --json").json();
    assert_eq!(entry["entries"].as_array().unwrap().len(), 1, "{entry}");
}

#[test]
fn export_for_auth0_is_divided_into_files_that_it_takes() {
    let sandbox = Sandbox::new();
    let row = |number: usize| format!("{number},user{number}@example.com,{}\n", "x".repeat(200));
    sandbox.file("users.csv", "id,email,name\n".to_owned() + &(1..=3_000).map(row).collect::<String>());
    sandbox.run("import users.csv").success();
    let told = sandbox.run("export --format auth0 --output users.json --split --json").json();
    let files = texts(&told["files"]);
    assert!(files.len() > 1, "{told}");
    let mut users = 0;
    for name in &files {
        let text = std::fs::read_to_string(sandbox.path(name)).unwrap();
        assert!(text.len() <= 500_000);
        users += serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap().len();
    }
    assert_eq!(users, 3_000);
    let before = tree(sandbox.home());
    assert_eq!(sandbox.run("export --format auth0 --output users.json --split").code, 6);
    assert_eq!(sandbox.run("export --output users.jsonl --split").code, 2);
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn everything_about_one_person_names_no_other() {
    let sandbox = Sandbox::with_ada_and_bob();
    sandbox.run("users impersonate bob@example.com").success();
    let about = sandbox.run("export --user bob@example.com").success();
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["user"]["email"], "bob@example.com");
    assert_eq!(about["accounts"].as_array().unwrap().len(), 1);
    assert!(!about["entries"].as_array().unwrap().is_empty());
    let text = about.to_string();
    assert!(!text.contains("ada@example.com") && !text.contains("$argon2id$"), "{text}");
}

#[test]
fn spreadsheet_formulas_are_protected_and_come_back() {
    let sandbox = Sandbox::new();
    sandbox.run("users create a@example.com --name =cmd --no-password").success();
    let csv = sandbox.run("export --format csv --quiet").success();
    assert!(csv.contains("\"'=cmd\""), "{csv}");
    sandbox.file("users.csv", csv);
    sandbox.run("--db other.db import users.csv").success();
    assert_eq!(exported(&sandbox, "other")[0]["name"], "=cmd");
}

#[test]
fn trial_proves_a_password_before_anything_is_written() {
    let sandbox = Sandbox::new();
    sandbox.file("users.csv", table(&sandbox, 1));
    let words = "import users.csv --try user1@example.com --password-stdin";
    let wrong = sandbox.run_with_input(words, "nine purple umbrellas");
    assert_eq!((wrong.code, sandbox.database().exists()), (7, false), "{wrong}");
    let unknown = sandbox.run_with_input("import users.csv --try eve@example.com --password-stdin", PASSWORD);
    assert_eq!(unknown.code, 3, "{unknown}");
    sandbox.run_with_input(words, PASSWORD).success();
}

#[test]
fn unusable_files_are_refused_in_words_of_their_own() {
    let sandbox = Sandbox::with_ada();
    let own = sandbox.database().to_str().unwrap().to_owned();
    sandbox.file("empty", "");
    sandbox.file("nul.csv", "email,name\na@example.com,\0\n");
    sandbox.file("latin.csv", b"email,name\na@example.com,Andr\xe9\n".as_slice());
    sandbox.file("deep.json", "[".repeat(100_000));
    sandbox.file("unknown", "nothing that anybody knows\n");
    let before = tree(sandbox.home());
    let mut told = BTreeSet::new();
    for file in [own.as_str(), "empty", "nul.csv", "latin.csv", "deep.json", "unknown", "missing.csv"] {
        let ran = sandbox.run(&format!("import {file} --json"));
        let error = ran.json_error(2);
        assert!(told.insert(error["message"].as_str().unwrap().to_owned()), "{error}");
    }
    before.assert_same(&tree(sandbox.home()));
}

/// An import is killed at some moment and run again. What is there at last is what an undisturbed run makes. Batches of an
/// app have 100 users. `AUTHCTL_SWEEP=full` has more rows than one batch of a native database, and four moments.
#[test]
fn killed_import_goes_on_behind_its_last_batch() {
    let (native, app) = if is_full() { ((30_000, 4), (1_000, 3)) } else { ((6_000, 1), (600, 1)) };
    let sandbox = Sandbox::new();
    sandbox.file("native.csv", table(&sandbox, native.0));
    require_resumable(&sandbox, "native", native.1, |_| {});
    let row = |number: usize| format!("u{number:06},user{number}@example.com,User {number},2024-01-02T03:04:05Z\n");
    sandbox.file("app.csv", "id,email,name,created_at\n".to_owned() + &(1..=app.0).map(row).collect::<String>());
    require_resumable(&sandbox, "app", app.1, |name| {
        sandbox.run(&format!("--db {name}.db db init --better-auth kysely")).success();
    });
}

/// Kills imports of an export, each into a database of its own that `make` makes, and compares what they leave when they
/// have run again.
fn require_resumable(sandbox: &Sandbox, export: &str, moments: u32, make: impl Fn(&str)) {
    let words = |name: &str| format!("--db {name}.db import {export}.csv --report {name}.jsonl --yes");
    let whole = format!("{export}-whole");
    make(&whole);
    let start = std::time::Instant::now();
    sandbox.run(&words(&whole)).success();
    let duration = start.elapsed();
    let all = |name: &str| sandbox.run(&format!("--db {name}.db export --with-hashes --yes --quiet")).success();
    let report = |name: &str| std::fs::read_to_string(sandbox.path(&format!("{name}.jsonl"))).unwrap();
    // The log of an app's database is in a file of its own.
    let imported = |name: &str| {
        let database = past_authctl(&sandbox.path(&format!("{name}.db")));
        let sql = r#"SELECT count(*) FROM "authctl_audit" WHERE "event" = 'user.imported'"#;
        database.query_row(sql, [], |row| row.get::<_, i64>(0)).ok()
    };
    for moment in 0..moments {
        let name = format!("{export}-{moment}");
        make(&name);
        let mut command = sandbox.command(words(&name).split(' '));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The clock gives random moments.
        let part = f64::from(jiff::Timestamp::now().subsec_nanosecond()) / 1e9;
        std::thread::sleep(duration.mul_f64(part));
        child.kill().unwrap();
        child.wait().unwrap();
        sandbox.run(&words(&name)).success();
        assert!(all(&name) == all(&whole), "{name}: the databases have the same users");
        assert!(report(&name) == report(&whole), "{name}: each row is reported once");
        assert_eq!(imported(&name), imported(&whole), "{name}: each user has one entry");
        sandbox.run(&format!("--db {name}.db audit verify")).success();
        sandbox.run(&format!("--db {name}.db db check")).success();
    }
}

/// An export of as many users whose hashes are weak, so that each takes the time of a password.
fn weak_table(users: usize) -> String {
    let digest = "5f4dcc3b5aa765d61d8327deb882cf99";
    let row = |number: usize| format!("u{number:06},user{number}@example.com,User {number},{digest}\n");
    "id,email,name,password_hash\n".to_owned() + &(1..=users).map(row).collect::<String>()
}

/// Begins an import, and returns when a batch of it is committed.
fn begun_import(sandbox: &Sandbox, words: &str) -> Child {
    let before = imported_users(sandbox);
    let mut command = sandbox.command(words.split(' '));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while imported_users(sandbox) == before {
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// The number of users, as far as there is a database.
fn imported_users(sandbox: &Sandbox) -> i64 {
    let count = || past_authctl(&sandbox.database()).query_row(r#"SELECT count(*) FROM "user""#, [], |row| row.get(0));
    if sandbox.database().exists() { count().unwrap_or(0) } else { 0 }
}

#[test]
fn interrupted_import_ends_behind_a_batch_and_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.file("users.csv", weak_table(300));
    let words = "import users.csv --weak-hashes wrap";
    let child = begun_import(&sandbox, words);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{told}");
    let kept = imported_users(&sandbox);
    assert!((64..300).contains(&kept) && kept % 64 == 0, "{kept}");
    let line = format!("error: interrupted: {kept} of 300 rows were imported\n");
    assert!(told.ends_with(&(line + "hint: run the command again for what is left\n")), "{told}");
    let mut child = begun_import(&sandbox, words);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(2), "the second Ctrl-C does not wait for the batch");
    sandbox.run(words).success();
    assert_eq!(imported_users(&sandbox), 300);
    sandbox.run("audit verify").success();
}

#[test]
fn key_interrupts_an_import_after_its_question() {
    let sandbox = Sandbox::new();
    sandbox.file("users.csv", weak_table(300));
    let mut terminal = Terminal::new().run(sandbox.command("import users.csv --weak-hashes wrap".split(' ')));
    terminal.wait_for_hidden("[y/N]").press("y");
    while imported_users(&sandbox) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    terminal.press("\x03");
    let ended = terminal.end();
    assert_eq!(ended.code, 130, "{:?}", ended.screen);
    assert!(ended.given_back && ended.screen.contains("run the command again"), "{:?}", ended.screen);
    assert!(imported_users(&sandbox) > 0, "{:?}", ended.screen);
}

#[test]
fn atomic_import_is_whole_or_does_not_happen() {
    let sandbox = Sandbox::new();
    sandbox.run("--db app.db db init --better-auth kysely").success();
    let row = |number: usize| format!("{number},user{number}@example.com\n");
    sandbox.file("users.csv", "id,email\n".to_owned() + &(1..=150).map(row).collect::<String>());
    let entries = |name: &str| {
        let listed = sandbox.run(&format!("--db {name} audit list --event users.imported --json")).json();
        listed["entries"].as_array().unwrap().len()
    };
    sandbox.run("--db app.db import users.csv --atomic --yes").success();
    assert_eq!(entries("app.db"), 1, "batches of an app have 100 rows");
    sandbox.file("long.csv", "id,email\n".to_owned() + &(1..=10_001).map(row).collect::<String>());
    let long = sandbox.run("import long.csv --atomic --json").json_error(2);
    assert_eq!(
        (&long["message"], sandbox.database().exists()),
        (&"could not import: --atomic takes at most 10000 rows".into(), false)
    );
}

#[test]
fn app_gets_the_bcrypt_that_it_verifies() {
    let sandbox = Sandbox::new();
    sandbox.run("--db app.db db init --better-auth kysely").success();
    sandbox.run_with_input("--db app.db users create bob@example.com --name Bob --password-stdin", PASSWORD).success();
    let row = "ada,ada@example.com,Ada,$2y$10$U.8liPJUxpLqHvhIWaVtu.M.nZCAKCf/CthcGvOiEgzr0sFLbrZii\n";
    sandbox.file("users.csv", format!("id,email,name,password_hash\n{row}"));
    let refused = sandbox.run("--db app.db import users.csv --yes");
    assert!(refused.stderr.contains("--app-verifies bcrypt"), "{refused}");
    let done = sandbox.run("--db app.db import users.csv --yes --app-verifies bcrypt");
    assert!(done.code == 0 && done.stderr.contains("bcrypt.compare(password, hash)"), "{done}");
    let sql = r#"SELECT "password" FROM "account" WHERE "userId" = 'ada'"#;
    let stored: String = past_authctl(&sandbox.path("app.db")).query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(stored.starts_with("$2b$10$U.8liPJUxpLqHvhIWaVtu"), "{stored}");
    let native = sandbox.run("import users.csv --app-verifies bcrypt --json").json_error(2);
    assert!(native["message"].as_str().unwrap().contains("for the database of an app"), "{native}");
}

#[test]
fn second_factor_is_reported_by_export_and_import() {
    let sandbox = Sandbox::with_ada_and_bob();
    let sql = r#"UPDATE "user" SET "twoFactorEnabled" = 1 WHERE "email" = 'ada@example.com'"#;
    past_authctl(&sandbox.database()).execute(sql, []).unwrap();
    for format in ["authctl", "csv"] {
        let ran = sandbox.run(&format!("export --format {format}"));
        assert!(ran.stderr.contains("1 user with a second factor: no export holds it"), "{ran}");
        sandbox.file("users", ran.success());
        let refused = sandbox.run(&format!("--db {format}.db import users"));
        assert!(
            refused.stderr.contains("1 second-factor") && refused.stderr.contains("--second-factor drop"),
            "{refused}"
        );
        let words = format!("--db {format}.db import users --second-factor drop");
        let planned = sandbox.run(&format!("{words} --dry-run")).success();
        assert!(planned.contains("1 cannot be taken: these users must enable them again"), "{planned}");
        let done = sandbox.run(&words);
        assert!(done.stderr.contains("1 user had a second factor and must enable it again"), "{done}");
    }
    let told = sandbox.run("export --output users.jsonl --json").json();
    assert_eq!(told["secondFactors"], 1, "{told}");
}

#[test]
fn users_whose_password_is_left_out_get_codes() {
    let sandbox = Sandbox::new();
    sandbox.run("--db app.db db init --better-auth kysely").success();
    let bcrypt = "$2b$10$U.8liPJUxpLqHvhIWaVtu.M.nZCAKCf/CthcGvOiEgzr0sFLbrZii";
    let rows = [("ada", bcrypt, "false"), ("bob", "", "false"), ("eve", bcrypt, "true")];
    let row = |(name, hash, banned): (&str, &str, &str)| format!("{name},{name}@example.com,{name},{hash},{banned}\n");
    sandbox.file("users.csv", format!("id,email,name,password_hash,banned\n{}", rows.map(row).concat()));
    let import = "--db app.db import users.csv --unusable-hashes drop --yes --json";
    let refused = sandbox.run("--db app.db import users.csv --yes");
    assert!(refused.code == 1 && refused.stderr.contains("--reset-codes FILE"), "{refused}");
    sandbox.file("taken.jsonl", "");
    assert_eq!(sandbox.run(&format!("{import} --reset-codes taken.jsonl")).code, 6);
    let done = sandbox.run(&format!("{import} --reset-codes codes.jsonl")).json();
    assert_eq!((&done["created"], &done["resetCodesWritten"]), (&3.into(), &1.into()), "{done}");
    let code: Value = serde_json::from_str(&std::fs::read_to_string(sandbox.path("codes.jsonl")).unwrap()).unwrap();
    assert_eq!((&code["id"], &code["email"]), (&"ada".into(), &"ada@example.com".into()));
    // A run that ended before the codes is made good by the same command.
    let again = sandbox.run(&format!("{import} --reset-codes again.jsonl")).json();
    assert_eq!(again["resetCodesWritten"], 1, "{again}");
    let code: Value = serde_json::from_str(&std::fs::read_to_string(sandbox.path("again.jsonl")).unwrap()).unwrap();
    let input = format!("{}\n{PASSWORD}", code["code"].as_str().unwrap());
    sandbox.run_with_input("--db app.db password reset --code-stdin --password-stdin", input).success();
    let last = sandbox.run(&format!("{import} --reset-codes last.jsonl")).json();
    assert_eq!(last["resetCodesWritten"], 0, "a user with a password needs no code: {last}");
}
