//! `db convert --to better-auth`: gives a native database to the app at whose path it was made.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use insta::assert_snapshot;
use rusqlite::Connection;
use serde_json::Value;

use crate::backup::names;
use crate::kill::Case;
use crate::machine::{skip, tree};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox, Template};

const CONVERT: &str = "db convert --to better-auth --yes";

/// What Better Auth stores for the password `password`.
const SCRYPT: &str = "00112233445566778899aabbccddeeff:9a098760abf0e95230464650e1160ecd37c82de7f9aea0c41eee704c90daaac45ce13ec6c244f429e4e4ba505cde11131ed35ef08e55b31c226a2ba87069e3ae";

/// Ada is signed in and Bob has a code, both with hashes of authctl. Cat keeps a hash of Better Auth.
fn people() -> Sandbox {
    static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
        let sandbox = Sandbox::with_ada();
        sandbox.run_with_input("users create bob@example.com --name Bob --password-stdin", PASSWORD).success();
        sandbox.run_with_input("users create cat@example.com --name Cat --hash-stdin", SCRYPT).success();
        sandbox.run("users reset-code bob@example.com").success();
        sandbox.run("policy set password.min-length 9").success();
        Template::new(&sandbox)
    });
    TEMPLATE.copy()
}

/// The copies that conversions kept.
fn kept(sandbox: &Sandbox) -> Vec<PathBuf> {
    let directory = sandbox.database().parent().unwrap().to_owned();
    let names = names(&directory).into_iter().filter(|name| name.contains(".before-convert-"));
    names.map(|name| directory.join(name)).collect()
}

fn kind(sandbox: &Sandbox) -> String {
    sandbox.run("db status --json").json()["kind"].as_str().unwrap().to_owned()
}

fn signs_in(sandbox: &Sandbox, email: &str, password: &str) -> i32 {
    sandbox.run_with_input(&format!("signin {email} --password-stdin"), password).code
}

#[test]
fn conversion_keeps_users_and_ends_sessions() {
    let sandbox = people();
    assert_snapshot!(sandbox.run(CONVERT), @"
    ------- stderr -------
    turned [HOME]/.local/share/authctl/auth.db with 3 users into the database of a Better Auth app (drizzle, camelCase, seconds)
    1 password stays valid, 2 users need a new one; 1 session and 1 code end
    the database as it was, with its password hashes and its audit log, is kept in [HOME]/.local/share/authctl/auth.db.before-convert-[TIME]
    `authctl users reset-code USER` makes a code with which a user sets a new password, in the app or in authctl
    ");
    assert_snapshot!(sandbox.run("whoami"), @"
    ------- stderr -------
    error: not signed in
    hint: the session was ended or never was in this database: sign in with `authctl signin`
    [exit status: 4]
    ");
    assert_eq!(kind(&sandbox), "better-auth");
    sandbox.run("doctor").success();
    sandbox.run("db check").success();
    let users = sandbox.run("users list --json").json();
    let emails: Vec<_> =
        users["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
    assert_eq!(emails, ["ada@example.com", "bob@example.com", "cat@example.com"]);

    assert_eq!(signs_in(&sandbox, "cat@example.com", "password"), 0);
    assert_eq!(signs_in(&sandbox, "ada@example.com", PASSWORD), 7);
    let why = sandbox.run("users explain ada@example.com").stdout;
    assert!(why.contains("there is no password"), "{why}");
    let code = sandbox.run("users reset-code ada@example.com").success();
    let reset =
        sandbox.run_with_input("password reset --code-stdin --password-stdin", format!("{code}{OTHER_PASSWORD}\n"));
    reset.success();
    assert_eq!(signs_in(&sandbox, "ada@example.com", OTHER_PASSWORD), 0);
    let scrypt = r#"SELECT count(*) FROM "account" WHERE length("password") = 161 AND "accountId" = "userId""#;
    assert_eq!(sandbox.number(scrypt), 2);

    assert_eq!(sandbox.run("policy show --json").json()["password"]["min-length"], Value::Null);
    let policy = sandbox.run("policy show").stdout;
    let line = policy.lines().find(|line| line.contains("password.min-length")).unwrap();
    assert!(line.contains(" 9 "), "{line}");
    let log = sandbox.run("audit list --event database.converted --json").json();
    let detail = log["entries"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("3 users; removed 2 passwords; ended 1 session and 1 code"), "{detail}");
    let backup = kept(&sandbox).remove(0);
    let head = sandbox.run(&format!("--db {} audit verify --json", backup.display())).json()["head"].clone();
    assert!(detail.contains(head.as_str().unwrap()), "{detail}");
}

/// Every object of a schema, and what SQLite has in its header about it.
fn schema(path: &Path) -> (Vec<[String; 3]>, [i64; 2]) {
    let sql = Connection::open(path).unwrap();
    let mut objects = sql
        .prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")
        .unwrap()
        .query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    objects.sort();
    let number = |name: &str| sql.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap();
    (objects, ["application_id", "user_version"].map(number))
}

/// Options of `db convert`, those of `db init --better-auth` that make the same, and the times of a user.
const FORMS: [(&str, &str, &str); 6] = [
    ("", "drizzle --names camelCase --time seconds", "a number of seconds"),
    ("--time milliseconds", "drizzle --names camelCase --time milliseconds", "a number of milliseconds"),
    ("--names camelCase", "drizzle --names camelCase --time seconds", "a number of seconds"),
    ("--names snake_case", "drizzle", "a number of milliseconds"),
    ("--names snake_case --time seconds", "drizzle --time seconds", "a number of seconds"),
    ("--adapter kysely", "kysely", "a time such as 2026-11-23T13:28:40.302Z"),
];

#[test]
fn converted_database_is_like_a_new_one_of_the_app() {
    for (options, same, time) in FORMS {
        let sandbox = people();
        let created = |sandbox: &Sandbox| {
            let users = sandbox.run("users list --sort email --json").json();
            users["users"].as_array().unwrap().iter().map(|user| user["createdAt"].clone()).collect::<Vec<_>>()
        };
        let before = created(&sandbox);
        let answer = sandbox.run(&format!("{CONVERT} {options} --json")).json();
        assert_eq!(
            (&answer["passwordsKept"], &answer["columnsKept"]),
            (&1.into(), &serde_json::json!([])),
            "{options}"
        );
        sandbox.run(&format!("--db new.db db init --better-auth {same}")).success();
        assert_eq!(schema(&sandbox.database()), schema(&sandbox.path("new.db")), "{options}");
        let status = sandbox.run("db status --json").json();
        assert_eq!((&status["app"]["time"], &status["journalMode"]), (&time.into(), &"delete".into()), "{options}");
        assert_eq!(status["app"]["writable"], true, "{options}");
        assert_eq!(created(&sandbox), before, "{options}");
        assert_eq!(signs_in(&sandbox, "cat@example.com", "password"), 0, "{options}");
        assert_eq!(names(sandbox.database().parent().unwrap()).len(), 2, "{options}: the file and its copy");
    }
}

#[test]
fn roles_and_bans_stay_where_the_app_has_no_place_for_them() {
    let sandbox = people();
    sandbox.run("users set-role ada@example.com admin").success();
    sandbox.run("users ban bob@example.com --for 7d --reason spam").success();
    let before = sandbox.run("users show bob@example.com --json").json()["user"]["banExpires"].clone();
    let ran = sandbox.run(&format!("{CONVERT} --time milliseconds --reset-codes codes.jsonl"));
    let codes = std::fs::read_to_string(sandbox.path("codes.jsonl")).unwrap();
    assert!(
        codes.contains("ada@example.com") && !codes.contains("bob@example.com"),
        "no code for a banned user: {codes}"
    );
    let note = "kept: user.role, user.banned, user.banReason, user.banExpires; the app knows roles and bans with its";
    assert!(ran.code == 0 && ran.stderr.contains(note), "{ran}");
    let bob = sandbox.run("users show bob@example.com --json").json()["user"].clone();
    assert_eq!((&bob["banned"], &bob["banReason"], &bob["banExpires"]), (&true.into(), &"spam".into(), &before));
    assert_eq!(sandbox.run("users show ada@example.com --json").json()["user"]["role"], "admin");
}

/// What programs may add to a native database.
const ADDITIONS: &str = r"
    CREATE TABLE post (id INTEGER PRIMARY KEY, author TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE);
    INSERT INTO post (author) SELECT id FROM user;
    CREATE VIEW names AS SELECT name FROM user;
    CREATE INDEX user_by_phone ON user (phone);
    CREATE INDEX user_by_verified ON User (emailVerified);
    CREATE TRIGGER follow AFTER INSERT ON User BEGIN INSERT INTO post (author) VALUES (new.id); END;
    UPDATE user SET phone = name || ' 1'";

#[test]
fn tables_and_columns_of_other_programs_stay() {
    for (options, left_out) in
        [("", serde_json::json!([])), ("--names snake_case", serde_json::json!(["index user_by_verified"]))]
    {
        let sandbox = people();
        sandbox.execute("ALTER TABLE user ADD COLUMN phone TEXT NOT NULL DEFAULT 'none'");
        sandbox.execute(&format!(
            "ALTER TABLE session ADD COLUMN organization TEXT; {ADDITIONS};
             CREATE TABLE authctl_notes (text); INSERT INTO authctl_notes VALUES ('mine')"
        ));
        let answer = sandbox.run(&format!("{CONVERT} {options} --json")).json();
        assert_eq!(answer["leftOut"], left_out);
        assert_eq!(
            sandbox.number("SELECT count(*) FROM authctl_notes"),
            1,
            "the prefix alone does not make it authctl's"
        );
        assert_eq!(sandbox.number("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'authctl_*'"), 1);
        let text = |sql: &str| sandbox.sql().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("SELECT group_concat(phone) FROM (SELECT phone FROM user ORDER BY name)"), "Ada 1,Bob 1,Cat 1");
        let posts = "SELECT count(*) FROM post JOIN user ON author = user.id";
        assert_eq!(sandbox.number(posts), 3);
        assert_eq!(sandbox.number("SELECT count(*) FROM names"), 3);
        assert_eq!(sandbox.number("SELECT count(organization) FROM session"), 0);
        assert_eq!(sandbox.number("SELECT count(*) FROM pragma_index_list('user') WHERE name = 'user_by_phone'"), 1);
        sandbox.run_with_input("users create eve@example.com --name Eve --password-stdin", PASSWORD).success();
        assert_eq!(sandbox.number(posts), 4, "the trigger runs again");
        assert_eq!(text("SELECT phone FROM user WHERE name = 'Eve'"), "none");
        assert_eq!(text("SELECT \"table\" FROM pragma_foreign_key_list('post')"), "user");
        assert_eq!(sandbox.number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    }
}

/// Columns that a program may add, each with what a conversion to `snake_case` leaves out of it.
const COLUMNS: &[(&str, Option<&str>)] = &[
    ("phone TEXT COLLATE NOCASE CHECK (phone <> '')", None),
    ("\"my, \"\"code\" TEXT DEFAULT 'A' NOT NULL", None),
    ("host TEXT REFERENCES user (id) ON DELETE SET NULL", None),
    ("slug TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL", None),
    ("late INTEGER DEFAULT 5 CHECK (late < createdAt)", Some("constraints of column user.late")),
    ("day INTEGER AS (createdAt / 86400)", Some("column user.day")),
    ("createdAtNote TEXT DEFAULT 'none'", None),
];

#[test]
fn columns_of_other_programs_keep_their_constraints() {
    let left_out: Vec<&str> = COLUMNS.iter().filter_map(|(_, left_out)| *left_out).collect();
    for (options, left_out) in [("", vec![]), ("--names snake_case --time seconds", left_out)] {
        let sandbox = people();
        for (definition, _) in COLUMNS {
            sandbox.execute(&format!("ALTER TABLE user ADD COLUMN {definition}"));
        }
        sandbox.execute("UPDATE user SET phone = name, host = id");
        let dry = sandbox.run(&format!("db convert --to better-auth --dry-run {options} --json")).json();
        let answer = sandbox.run(&format!("{CONVERT} {options} --json")).json();
        assert_eq!(answer["leftOut"], serde_json::json!(left_out));
        assert_eq!((&dry["leftOut"], &dry["columnsKept"]), (&answer["leftOut"], &answer["columnsKept"]));
        let text = |sql: &str| sandbox.sql().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let table = text("SELECT sql FROM sqlite_schema WHERE name = 'user'");
        for (definition, left_out) in COLUMNS {
            assert!(table.contains(definition) != (!options.is_empty() && left_out.is_some()), "{definition}: {table}");
        }
        assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE phone = 'aDa' AND slug = 'ada' AND host = id"), 1);
        assert_eq!(sandbox.number("SELECT sum(late) FROM user WHERE \"my, \"\"code\" = 'A'"), 15);
        sandbox.sql().execute("UPDATE user SET phone = ''", []).unwrap_err();
        sandbox.run_with_input("users create eve@example.com --name Eve --password-stdin", PASSWORD).success();
        sandbox.run("db check").success();
    }
}

/// Tables of an app with rows that refer to rows that a conversion ends, and what is left of them afterwards.
const REFERRING: &str = "
    CREATE TABLE visit (id INTEGER PRIMARY KEY, at REFERENCES session (id) ON DELETE CASCADE, by REFERENCES user (id));
    CREATE TABLE page (id INTEGER PRIMARY KEY, visit REFERENCES visit (id) ON DELETE CASCADE);
    CREATE TABLE device (id INTEGER PRIMARY KEY, last REFERENCES session (id) ON DELETE SET NULL);
    CREATE TABLE link (id INTEGER PRIMARY KEY, code REFERENCES verification (id) ON DELETE CASCADE);
    CREATE TABLE hint (id INTEGER PRIMARY KEY, password REFERENCES account (id) ON DELETE CASCADE);
    INSERT INTO visit SELECT 1, id, userId FROM session;
    INSERT INTO page VALUES (1, 1);
    INSERT INTO device SELECT 1, id FROM session;
    INSERT INTO link SELECT NULL, id FROM verification;
    INSERT INTO hint SELECT NULL, id FROM account";

#[test]
fn rows_that_refer_to_what_ends_are_no_orphans() {
    let sandbox = people();
    sandbox.execute(REFERRING);
    sandbox.run(CONVERT).success();
    let left = ["visit", "page", "device WHERE last IS NULL", "link", "hint"];
    let left = left.map(|rows| sandbox.number(&format!("SELECT count(*) FROM {rows}")));
    assert_eq!(left, [0, 0, 1, 0, 1], "Cat keeps the password, and the row that refers to it");
    assert_eq!(sandbox.number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    sandbox.run("doctor").success();
}

#[test]
fn rows_of_an_app_that_keep_what_would_end_are_named() {
    let ends = "WHERE password LIKE '$argon2id$%'";
    for (table, rows, which) in [("session", 1, ""), ("verification", 1, ""), ("account", 1, ends)] {
        let sandbox = people();
        sandbox.execute(&format!(
            "CREATE TABLE note (id INTEGER PRIMARY KEY, about REFERENCES {table} (id)); INSERT INTO note SELECT NULL, id FROM
             {table} {which} LIMIT 1"
        ));
        for words in [CONVERT, "db convert --to better-auth --dry-run"] {
            let error = sandbox.run(&format!("{words} --json")).json_error(5);
            let message =
                format!("could not convert the database: {rows} row of the app's table note refers to it by about");
            assert_eq!((&error["code"], &error["message"]), (&"ROWS_HELD".into(), &message.into()), "{table}");
        }
        assert_eq!((kind(&sandbox).as_str(), kept(&sandbox)), ("native", vec![]), "{table}");
        sandbox.run("whoami").success();
    }
}

#[test]
fn column_with_a_name_of_the_new_form_is_refused() {
    let sandbox = people();
    sandbox.execute("ALTER TABLE user ADD COLUMN email_verified TEXT");
    let refused = sandbox.run(CONVERT);
    let [first, second] = refused.hinted_documents().try_into().unwrap();
    for document in [&first, &second] {
        sandbox.file("schema.json", document);
        sandbox.run("db convert --to better-auth --dry-run --schema schema.json").success();
    }
    assert_snapshot!(sandbox.run(&format!("{CONVERT} --schema schema.json --names snake_case")), @"
    ------- stderr -------
    error: could not convert the database: the column user.email_verified does not fit into the table of the app
    hint: rename or drop it, or choose another form with --adapter, --names and --time
    [exit status: 9]
    ");
    assert_eq!((kind(&sandbox).as_str(), kept(&sandbox)), ("native", vec![]));
    sandbox.file("schema.json", r#"{"columns": {"user.emailVerified": "emailVerified"}}"#);
    sandbox.run(&format!("{CONVERT} --schema schema.json")).success();
    sandbox.run("users verify-email ada@example.com --schema schema.json").success();
    assert_eq!(sandbox.number("SELECT sum(emailVerified) FROM user WHERE email_verified IS NULL"), 1);
}

#[test]
fn failed_sign_ins_are_not_forgotten() {
    let sandbox = people();
    let fail = || signs_in(&sandbox, "ada@example.com", OTHER_PASSWORD);
    while fail() != 8 {}
    sandbox.run(CONVERT).success();
    assert_eq!(fail(), 8);
    let why = sandbox.run("users explain ada@example.com").stdout;
    assert!(why.contains("locked after 5 failed attempts"), "{why}");
    sandbox.run("users unlock ada@example.com").success();
    assert_eq!(fail(), 7);
}

#[test]
fn codes_go_to_a_new_private_file() {
    let sandbox = people();
    let file = sandbox.file("codes.jsonl", "mine");
    for act in [CONVERT, "db convert --to better-auth --dry-run"] {
        let error = sandbox.run(&format!("{act} --reset-codes codes.jsonl --json")).json_error(6);
        let message = format!("could not convert the database: {} exists already", file.display());
        assert_eq!((&error["code"], &error["message"]), (&"FILE_EXISTS".into(), &message.into()));
        let error = sandbox.run(&format!("{act} --reset-codes no/codes.jsonl --json")).json_error(74);
        assert_eq!(error["code"], "FILE_NOT_WRITTEN");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!((kind(&sandbox).as_str(), kept(&sandbox)), ("native", vec![]));
    assert_eq!(sandbox.run(&format!("{CONVERT} --ttl 2h")).code, 2, "--ttl is about codes");

    std::fs::remove_file(&file).unwrap();
    let ran = sandbox.run(&format!("{CONVERT} --reset-codes codes.jsonl --ttl 24h"));
    assert!(ran.code == 0 && ran.stderr.contains("wrote 2 codes to"), "{ran}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let codes: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let emails: Vec<_> = codes.iter().map(|code| code["email"].as_str().unwrap()).collect();
    assert_eq!(emails, ["ada@example.com", "bob@example.com"]);
    for code in &codes {
        let rows = r#"SELECT "expiresAt" - "createdAt" FROM "verification" WHERE "identifier" = ?1 AND "value" = ?2"#;
        let identifier = format!("reset-password:{}", code["code"].as_str().unwrap());
        let id = code["id"].as_str().unwrap();
        let life: i64 = sandbox.sql().query_row(rows, [identifier.as_str(), id], |row| row.get(0)).unwrap();
        assert_eq!(life, 24 * 60 * 60);
        let input = format!("{}\n{OTHER_PASSWORD}\n", code["code"].as_str().unwrap());
        sandbox.run_with_input("password reset --code-stdin --password-stdin", input).success();
        assert_eq!(signs_in(&sandbox, code["email"].as_str().unwrap(), OTHER_PASSWORD), 0);
    }
}

#[test]
fn dry_run_and_refusals_change_nothing() {
    let sandbox = people();
    sandbox.run("--db app.db db init --better-auth kysely").success();
    sandbox.run("--db app.db users list").success();
    sandbox.run("--db cut.db db init").success();
    Connection::open(sandbox.path("cut.db")).unwrap().execute_batch("DROP TABLE authctl_throttle").unwrap();
    sandbox.run("--db near.db db init").success();
    let near = "ALTER TABLE user ADD COLUMN email_verified TEXT";
    Connection::open(sandbox.path("near.db")).unwrap().execute_batch(near).unwrap();
    sandbox.file("people.json", r#"{"tables": {"user": "people"}}"#);
    sandbox.run("--db rules.db db init").success();
    let nonsense = "INSERT INTO authctl_policy VALUES ('password.min-length', 'many', 1)";
    Connection::open(sandbox.path("rules.db")).unwrap().execute_batch(nonsense).unwrap();
    Connection::open(sandbox.path("other.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let before = tree(sandbox.home());
    assert_snapshot!(sandbox.run("db convert --to better-auth --dry-run"), @"
    ------- stderr -------
    would turn [HOME]/.local/share/authctl/auth.db with 3 users into the database of a Better Auth app (drizzle, camelCase, seconds)
    1 password stays valid, 2 users need a new one; 1 session and 1 code end
    `authctl users reset-code USER` makes a code with which a user sets a new password, in the app or in authctl
    ");
    sandbox.run("--db app.db db status").success();
    assert_snapshot!(sandbox.run("db convert --to better-auth --dry-run --reset-codes codes.jsonl"), @"
    ------- stderr -------
    would turn [HOME]/.local/share/authctl/auth.db with 3 users into the database of a Better Auth app (drizzle, camelCase, seconds)
    1 password stays valid, 2 users need a new one; 1 session and 1 code end
    would write 2 codes to [HOME]/codes.jsonl, for 1 hour from then
    ");
    let dry = sandbox.run("db convert --to better-auth --dry-run --reset-codes codes.jsonl --json").json();
    let codes = (&dry["resetCodes"], &dry["resetCodesWritten"]);
    assert_eq!(codes, (&sandbox.path("codes.jsonl").to_str().unwrap().into(), &2.into()));
    assert_eq!((&dry["kind"], &dry["dryRun"], &dry["kept"]), (&"native".into(), &true.into(), &Value::Null));
    assert_snapshot!(sandbox.run("db convert --to better-auth"), @"
    ------- stderr -------
    error: could not convert the database: a confirmation is needed, and cannot be asked for: standard input is not a terminal
    hint: give it with --yes
    [exit status: 2]
    ");
    assert_snapshot!(sandbox.run(&format!("--db app.db {CONVERT}")), @"
    ------- stderr -------
    error: could not convert the database: [HOME]/app.db belongs to a Better Auth app already
    hint: `authctl db status` describes it
    [exit status: 6]
    ");
    assert_snapshot!(sandbox.run("db convert --to native"), @"
    ------- stderr -------
    error: invalid value 'native' for '--to <KIND>' [possible values: better-auth]
    hint: see authctl db convert --help
    [exit status: 2]
    ");
    for (words, code, name) in [
        ("--db missing.db", 9, "DATABASE_MISSING"),
        ("--db other.db", 9, "DATABASE_FOREIGN"),
        ("--db cut.db", 9, "DATABASE_INCOMPLETE"),
        ("--db near.db", 9, "DATABASE_AMBIGUOUS"),
        ("--db rules.db", 9, "DATABASE_CORRUPT"),
        ("--schema people.json", 9, "DATABASE_FOREIGN"),
        ("--schema missing.json", 2, "SCHEMA_FILE"),
        ("--adapter kysely --time seconds", 2, "USAGE"),
        ("--db postgres://localhost/app", 2, "NOT_A_FILE"),
    ] {
        let error = sandbox.run(&format!("{CONVERT} {words} --json")).json_error(code);
        assert_eq!(error["code"], name, "{words}: {error}");
    }
    before.assert_same(&tree(sandbox.home()));
}

#[test]
fn root_does_not_convert_the_database_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root opens the database of another user");
    }
    let sandbox = people();
    let directory = sandbox.database().parent().unwrap().to_owned();
    let beside = names(&directory).into_iter().map(|name| directory.join(name));
    for path in beside.chain([directory.clone()]) {
        chown(path, Some(65534), Some(65534)).unwrap();
    }
    for words in [CONVERT, "db convert --to better-auth --dry-run"] {
        let error = sandbox.run(&format!("{words} --json")).json_error(9);
        assert_eq!(error["code"], "DATABASE_UNSAFE", "{error}");
        assert!(error["hint"].as_str().unwrap().starts_with("run as that user: sudo -u"), "{error}");
    }
    assert_eq!((kind(&sandbox).as_str(), kept(&sandbox)), ("native", vec![]));
    assert!(!sandbox.path(".local/state").exists());
}

#[test]
fn restore_brings_the_native_database_back() {
    let sandbox = people();
    sandbox.run(CONVERT).success();
    let backup = kept(&sandbox).remove(0);
    let restore = format!("db restore {} --yes", backup.display());
    assert_snapshot!(sandbox.run(&restore), @"
    ------- stderr -------
    error: could not restore the backup: [HOME]/.local/share/authctl/auth.db was not made by authctl, and a restore does not replace it
    hint: stop the app and move its file away, with -wal and -shm beside it; then run this again, to put the backup in its place
    [exit status: 9]
    ");
    std::fs::rename(sandbox.database(), sandbox.path("app.db")).unwrap();
    sandbox.run(&restore).success();
    assert_eq!(kind(&sandbox), "native");
    assert_eq!(signs_in(&sandbox, "ada@example.com", PASSWORD), 0);
    sandbox.run("audit verify").success();
    sandbox.run(CONVERT).success();
}

#[test]
fn copy_in_the_place_of_the_file_is_the_native_database_with_its_additions() {
    let sandbox = people();
    sandbox.execute("ALTER TABLE user ADD COLUMN phone TEXT");
    sandbox.execute(ADDITIONS);
    sandbox.run(CONVERT).success();
    std::fs::rename(kept(&sandbox).remove(0), sandbox.database()).unwrap();
    assert_eq!(kind(&sandbox), "native");
    assert_eq!(sandbox.number("SELECT count(*) FROM user WHERE phone = name || ' 1'"), 3);
    assert_eq!(signs_in(&sandbox, "ada@example.com", PASSWORD), 0);
    sandbox.run("audit verify").success();
}

#[test]
fn another_writer_is_waited_for_or_reported() {
    let sandbox = people();
    let other = sandbox.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = sandbox.run(&format!("{CONVERT} --wait 0s --json")).json_error(75);
    assert_eq!((&error["code"], kept(&sandbox)), (&"DATABASE_BUSY".into(), vec![]));
    let mut patient = sandbox.command(format!("{CONVERT} --wait 1m -q").split(' '));
    let mut patient = patient.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(patient.try_wait().unwrap().is_none(), "it waits");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(patient.wait().unwrap().success());
    assert_eq!(kind(&sandbox), "better-auth");
}

/// A reader keeps SQLite from moving the conversion from the log into the file, whose header is the old one then.
#[test]
fn conversion_in_the_log_counts_at_once() {
    let sandbox = people();
    let reader = sandbox.sql();
    reader.execute_batch("BEGIN; SELECT * FROM user").unwrap();
    sandbox.run(CONVERT).success();
    assert_eq!(std::fs::read(sandbox.database()).unwrap()[68..72], *b"actl", "the file is the old one still");
    assert_eq!(kind(&sandbox), "better-auth");
    assert_eq!(signs_in(&sandbox, "cat@example.com", "password"), 0);
    let _ = sandbox.run(CONVERT).failure(6);
    let _ = sandbox.run("db migrate").failure(9);
    let _ = sandbox.run("db backup b.db").failure(9);
    assert_eq!(reader.query_row("SELECT count(*) FROM authctl_policy", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    drop(reader);
    assert_eq!(kind(&sandbox), "better-auth");
}

/// Checks that a database is whole, in its old state or the new one, and returns whether it was converted.
fn is_converted(sandbox: &Sandbox, when: &str) -> bool {
    // Before the SQLite of the test recovers a journal.
    let kind = kind(sandbox);
    sandbox.run("db check").success();
    assert_eq!(sandbox.run("users list --json").json()["total"], 3, "{when}");
    let own = sandbox.number("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'authctl_*'");
    let sessions = sandbox.number("SELECT count(*) FROM session");
    assert_eq!(
        sandbox.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
        0,
        "{when}"
    );
    let is_done = kind == "better-auth";
    assert!(if is_done { own == 0 && sessions == 0 } else { own > 0 && sessions == 1 }, "{when}: {own} and {sessions}");
    if is_done {
        let [copy] = kept(sandbox).try_into().unwrap_or_else(|kept| panic!("{when}: {kept:?}"));
        sandbox.run(&format!("--db {} db check", copy.display())).success();
    }
    is_done
}

fn check_killed(sandbox: &Sandbox, when: &str) {
    let is_done = is_converted(sandbox, when);
    let again = sandbox.run(CONVERT);
    assert_eq!(again.code, if is_done { 6 } else { 0 }, "{when}: {again}");
    assert_eq!(kind(sandbox), "better-auth", "{when}");
    sandbox.run("audit verify").success();
    let beside = names(sandbox.database().parent().unwrap());
    assert!(beside.iter().all(|name| !name.contains(".new")), "{when}: {beside:?}");
}

#[test]
fn killed_conversion_leaves_the_old_or_the_new_state() {
    let case = Case::new(people(), CONVERT);
    case.kill_by_call(|when| check_killed(&case.sandbox, when));
}

#[test]
fn killed_conversion_of_a_database_with_a_journal_is_undone() {
    let sandbox = people();
    sandbox.sql().query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
    let case = Case::new(sandbox, CONVERT);
    case.kill_by_calls(|call| call == "pwrite64" || call == "unlink", |when| check_killed(&case.sandbox, when));
}

#[test]
fn conversion_that_fails_at_any_call_says_what_is_there() {
    let case = Case::new(people(), CONVERT);
    let sandbox = &case.sandbox;
    case.fail_by_call(|when, ran| {
        let is_done = kind(sandbox) == "better-auth";
        let says = ["was converted", "not known", "the change was made"].iter().any(|words| ran.stderr.contains(words));
        assert!(is_done || ran.code != 0, "{when}: {ran}");
        assert!(!is_done || ran.code == 0 || says, "{when}: {ran}");
        assert!(is_done || [9, 74].contains(&ran.code) || ran.stderr.is_empty(), "{when}: {ran}");
        if is_done {
            assert_eq!(kept(sandbox).len(), 1, "{when}: {ran}");
        } else if !says {
            assert_eq!(kept(sandbox).len(), 0, "{when}: {ran}");
        }
        is_converted(sandbox, when);
    });
}
