//! Every statement of the store uses an index. The statements are read from the source, so that new ones are
//! covered too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use authctl::store::sqlite;
use rusqlite::Connection;

/// Statements that may scan a table, by a part of their text, each with the reason.
const MAY_SCAN: &[(&str, &str)] = &[
    (r#"ORDER BY "seq" ASC LIMIT 1"#, "reads the oldest entry of the audit log from the start of the table"),
    (r#"GROUP BY "role""#, "`roles list` counts the users of all roles but the default one, by their index"),
    ("LIKE '%admin%'", "roles are words in a text; it runs only when an administrator is deleted"),
    (r#"WHERE "impersonatedBy" ="#, "Better Auth has no such index; it runs only when an administrator loses the role"),
    (
        r#"DELETE FROM "verification" WHERE CASE WHEN octet_length("value")"#,
        "Better Auth has no such index; it runs only at a deletion",
    ),
    (
        r#"DELETE FROM "verification" WHERE octet_length("identifier")"#,
        "an app that hashes identifiers has no index that finds them",
    ),
    (r"SELECT count(*), count(", "`stats` counts flags of every user, which have no index"),
    (
        r#"SELECT "createdAt" FROM "user" WHERE TRUE"#,
        "the texts of an app's times, whose order is not that of the times",
    ),
    (r#"SELECT count(*) FROM "user" WHERE TRUE"#, "`db status` counts everything"),
    (r#"SELECT count(*) FROM "session" WHERE TRUE"#, "`db status` counts everything"),
    (r#"SELECT count(*) FROM "account" WHERE TRUE"#, "the count of a table by its name"),
    (r#"SELECT count(*) FROM "verification" WHERE TRUE"#, "the count of a table by its name"),
    (r#"ORDER BY "seq" DESC LIMIT"#, "reads the newest entries of the audit log from the end of the table"),
    (r#"FROM "authctl_throttle" WHERE TRUE"#, "`db convert` moves all of them"),
    (r#"SELECT substr("secret", 1, 16)"#, "`doctor` and `secret` read the name of every key"),
    (r#"FROM "authctl_policy""#, "a row for each setting that is not the default; all of them are wanted"),
    (r#"SELECT "type" || ' ' || "name""#, "the schema, compared whole"),
    (r#"octet_length("token") <> ?1"#, "`db status` and `doctor` read the token of every session"),
    (r#"octet_length("identifier") - instr"#, "`db status` and `doctor` read the identifier of every code"),
    (r#"instr("value", ?1)"#, "`doctor` reads every code"),
    (r#""userId" IS NOT NULL AND NOT EXISTS"#, "`doctor` reads every session and account"),
    (r#"FROM "user" WHERE TRUE"#, "`doctor` reads every user"),
    (r#"FROM "account" WHERE TRUE"#, "all values of a column decide its encoding where a sample does not"),
    (r#"FROM "verification" WHERE TRUE"#, "all values of a column decide its encoding where a sample does not"),
    (r#"FROM "session" WHERE TRUE"#, "`doctor` reads every session"),
    (r#""event" = ?1 ORDER BY "seq""#, "an import reads what the log says of earlier ones"),
    (r#"LEFT JOIN "account" ON"#, "an export reads every user"),
    (r#"lower("email")"#, "`doctor` reads every address"),
    (r#""createdAt" > ?1 OR "updatedAt" > ?2"#, "a doctor and a sweep of sessions look at the times of every row"),
    (r#"SELECT octet_length("identifier"),"#, "reads the newest rows from the end of the table"),
    (r#"WHERE "expiresAt" IS NULL"#, "the column of a native database is never null"),
    (r#""createdAt" <= ?2 OR "updatedAt" > ?3"#, "`doctor` looks at the times of every row"),
    (r#"FROM "authctl_audit" WHERE "at" >"#, "`doctor` reads the times of every entry"),
    (r#"DELETE FROM "verification" WHERE TRUE"#, "after a restoration no code is left"),
    (r#"DELETE FROM "session" WHERE TRUE"#, "after a restoration no session is left"),
    (r#"DELETE FROM "authctl_apikey" WHERE TRUE"#, "after a restoration no API token is left"),
    (
        "\"user\".\"id\" = \"authctl_apikey\".\"userId\"\n           WHERE TRUE",
        "an operator lists the tokens of all users",
    ),
    (r#"FROM "authctl_schema_history""#, "a row for each migration, read only when one is missing"),
];

/// The placeholders for names, and all names that each stands for.
const NAMES: &[(&str, &[&str])] = &[
    ("{column}", &["email", "id"]),
    (
        "{chosen}",
        &[
            r#""id" = ?1"#,
            r#""token" = ?1"#,
            r#""impersonatedBy" = ?1"#,
            r#""userId" = ?1 ORDER BY "createdAt" DESC, rowid DESC"#,
        ],
    ),
    ("{is_row}", &[r#"(rowid = ?1 OR "id" = ?2)"#]),
    ("{is_user}", &[r#""id" = ?1"#]),
    ("{is_key}", &[r#""key" = ?1"#]),
    ("{is_sought}", &[r#""id" = ?1"#, r#""email" = ?1"#]),
    ("{are_sought}", &[r#""providerId" = ?1 AND "accountId" = ?2"#]),
    ("{columns}", &[r#""createdAt""#]),
    ("{order}", &["rowid"]),
    ("{stamp}", &["", r#", "updatedAt" = ?5"#]),
    ("{direction}", &["ASC", "DESC"]),
    ("{HASH_SAMPLE}", &["50"]),
    (
        "{over}",
        &[
            r#""expiresAt" <= ?1 ORDER BY "expiresAt""#,
            r#""expiresAt" > ?1 ORDER BY "expiresAt""#,
            r#""createdAt" > ?1 OR "updatedAt" > ?2"#,
        ],
    ),
    ("{SAMPLE}", &["50"]),
    ("{of_email}", &[r#""email""#]),
    ("{of_id}", &[r#""id""#]),
    ("{COMPLETED_MAX}", &["50"]),
    ("{which_tokens}", &[r#""authctl_apikey"."id" = ?1"#, r#""authctl_apikey"."userId" = ?1"#, "TRUE"]),
    ("{named}", &[r#""identifier""#]),
    ("{IDENTIFIER}", &[r#"CASE WHEN octet_length("identifier") <= 100000 THEN "identifier" END"#]),
    ("{HISTORY}", &["authctl_schema_history"]),
    ("{table}", &["user", "session", "account", "verification"]),
    ("{COLUMNS}", &["*"]),
    ("{CHUNK}", &["256"]),
    (
        "{of_user}",
        &[
            r#""userId" = ?1"#,
            r#""actorId" = ?1 AND "actorId" IS DISTINCT FROM "userId""#,
            r#""userEmail" = ?1 COLLATE NOCASE"#,
            r#""actorEmail" = ?1 COLLATE NOCASE AND "actorEmail" IS DISTINCT FROM "userEmail""#,
        ],
    ),
    ("{part}", &[r#"CASE WHEN "createdAt" < ?3 THEN 0 ELSE 1 END"#]),
    ("{verified}", &[r#"count(CASE WHEN coalesce("emailVerified" = 1, FALSE) THEN 1 END)"#]),
    ("{factor}", &["0"]),
    ("{id}", &["1"]),
    ("{provider}", &["2"]),
    ("{subject}", &["3"]),
    ("{password}", &["NULL"]),
    ("{differs}", &[r#""updatedAt" IS DISTINCT FROM ?2"#]),
    ("{own}", &[r#""own"."userId" = "account"."userId" AND "own"."providerId" = ?1"#]),
    ("{is_own}", &[r#""account"."userId" = "account"."accountId""#]),
    ("{is_right}", &[r#""account"."userId" = "own"."accountId""#]),
    ("{is_other}", &[r#""account"."userId" = "other"."accountId""#]),
    ("{TOKEN}", &[r#"CASE WHEN octet_length("session"."token") <= 100000 THEN "session"."token" END"#]),
    ("{PASSWORD}", &[r#"CASE WHEN octet_length("password") <= 100000 THEN "password" END"#]),
    ("{VALUE}", &[r#"CASE WHEN octet_length("value") <= 100000 THEN "value" END"#]),
    (
        "{condition}",
        &[
            r#""userId" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "userId")"#,
            r#"octet_length("token") <> ?1"#,
            r#"NOT (octet_length("identifier") - instr("identifier", ':') = ?1)"#,
            r#"instr("value", ?1) > 0 AND NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "value")"#,
        ],
    ),
];

/// The statements of the most frequent lookups, which must be found.
const INDEXES: &[&str] = &[
    "user USING INDEX user_email_unique (email=?)",
    "user USING INDEX sqlite_autoindex_user_1 (id=?)",
    "session USING INDEX session_token_unique (token=?)",
    "session USING INDEX session_userId_idx (userId=?)",
    "session USING INDEX session_expiresAt_idx (expiresAt<?)",
    "session USING INDEX sqlite_autoindex_session_1 (id=?)",
    "account USING INDEX account_providerId_accountId_unique (providerId=? AND accountId=?)",
    "account USING COVERING INDEX account_userId_idx (userId=?)",
    "user USING COVERING INDEX user_createdAt_idx (createdAt>? AND createdAt<?)",
    "authctl_audit USING INTEGER PRIMARY KEY (rowid>?)",
    "authctl_throttle USING PRIMARY KEY (key=?)",
    "authctl_apikey USING INDEX authctl_apikey_key_unique (key=?)",
    "authctl_apikey USING INDEX authctl_apikey_userId_idx (userId=?)",
    "authctl_audit USING INDEX authctl_audit_user (userId=? AND rowid>?)",
    "authctl_audit USING INDEX authctl_audit_actor (actorId=? AND rowid>?)",
    "authctl_audit USING INDEX authctl_audit_userEmail (userEmail=? AND rowid>?)",
    "authctl_audit USING INDEX authctl_audit_actorEmail (actorEmail=? AND rowid>?)",
];

struct Statement {
    file: String,
    sql: String,
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(name)
}

/// The raw string literals of a source file, each with the code up to the next one.
fn raw_texts(source: &str) -> Vec<(&str, &str)> {
    let mut parts = source.split("r#\"").skip(1);
    std::iter::from_fn(|| parts.next()).map(|part| part.split_once("\"#").expect("a raw text ends")).collect()
}

/// Fills in the arguments of `format!`: all columns for a list of columns, which does not change a plan, and
/// names from [`NAMES`].
fn filled(text: &str) -> Vec<String> {
    let sql = text.replace("{}", "*");
    let mut filled = vec![sql];
    for (place, names) in NAMES {
        filled = filled.iter().flat_map(|sql| names.iter().map(|name| sql.replace(place, name))).collect();
    }
    // A statement without the placeholder now appears once for each name.
    filled.sort();
    filled.dedup();
    filled
}

/// Files whose statements are about the tables of apps and their plugins, or about the schema itself. Which indexes
/// these tables have is up to the app.
const ABOUT_APPS: &[&str] = &[
    "sql/app_keys.rs",
    "sql/constraints.rs",
    "sql/deletion.rs",
    "sql/inventory.rs",
    "sql/key_owners.rs",
    "sql/members.rs",
    "sql/organizations.rs",
    "sql/plugins.rs",
    "sql/sample.rs",
    "sql/prune.rs",
    "sql/reach.rs",
    "sql/steps.rs",
    "sql/roles.rs",
    "sql/second_factor.rs",
    "sql/app_factor.rs",
    "sql/app_secrets.rs",
    "sql/access.rs",
    // The rows of an import are in tables of their own.
    "sqlite/import.rs",
    "sqlite/claims.rs",
    "sqlite/catalog.rs",
    "sqlite/description.rs",
    "sqlite/keys.rs",
    "sqlite/repair.rs",
    "sqlite/search.rs",
];

/// All statements that search for rows.
fn statements() -> Vec<Statement> {
    let mut statements = Vec::new();
    // Detection of an app's database reads only a few rows of each table.
    let files = ["sql", "sqlite"].map(|folder| fs::read_dir(source(folder)).unwrap());
    for entry in files.into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Of tests.
            continue;
        }
        let file = path.strip_prefix(source("")).unwrap().to_str().unwrap().to_owned();
        if ABOUT_APPS.contains(&file.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // Ordinary string literals contain no statement.
        for verb in ["\"SELECT", "\"UPDATE", "\"DELETE"] {
            let (all, raw) = (text.matches(verb).count(), text.matches(&format!("r#{verb}")).count());
            assert_eq!(all, raw, "src/store/{file} has a {verb} that is not in r#\"...\"#");
        }
        for (sql, after) in raw_texts(&text) {
            // Pages of users are assembled from parts, whose plans unit tests check. Rows are changed by id.
            if after.contains("filter.text()") || sql.contains("{changes}") {
                continue;
            }
            if ["SELECT", "UPDATE", "DELETE"].iter().any(|verb| sql.trim_start().starts_with(verb)) {
                statements.extend(filled(sql).into_iter().map(|sql| Statement { file: file.clone(), sql }));
            }
        }
    }
    statements
}

/// All statements with their plans on a new database, made once for all tests.
static PLANS: LazyLock<Vec<(Statement, Vec<String>)>> = LazyLock::new(|| {
    use std::os::unix::fs::PermissionsExt as _;
    let private = fs::Permissions::from_mode(0o700);
    let directory = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap().join("auth.db");
    sqlite::create(&path, Duration::ZERO).unwrap();
    let connection = Connection::open(&path).unwrap();
    let with_plan = |statement| {
        let plan = plan(&connection, &statement);
        (statement, plan)
    };
    statements().into_iter().map(with_plan).collect()
});

fn plan(connection: &Connection, statement: &Statement) -> Vec<String> {
    let Statement { file, sql } = statement;
    let mut explained = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("src/store/{file}: {sql}: {error}"));
    explained.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap()
}

/// The plan calls walking a partial index a scan.
const INTENDED: &str = "SCAN authctl_audit USING COVERING INDEX authctl_audit_intended";

#[test]
fn newest_intended_act_is_found_by_its_index() {
    let asks = |statement: &Statement| statement.sql.contains("'act.intended'");
    let plans: Vec<&Vec<String>> = PLANS.iter().filter(|(one, _)| asks(one)).map(|(_, plan)| plan).collect();
    assert_eq!(plans, [&[INTENDED]]);
}

fn may_scan(sql: &str) -> bool {
    MAY_SCAN.iter().any(|(part, _)| sql.contains(part))
}

#[test]
fn every_statement_finds_its_rows_by_an_index() {
    let reads_whole_table = |step: &String| step.starts_with("SCAN") || step.contains("AUTOMATIC");
    let slow: Vec<String> = PLANS
        .iter()
        .filter(|(statement, plan)| plan.iter().any(reads_whole_table) && !may_scan(&statement.sql))
        .map(|(statement, plan)| format!("src/store/{}: {}\n  {plan:?}", statement.file, statement.sql))
        .collect();
    assert!(slow.is_empty(), "these statements read a whole table:\n{}", slow.join("\n"));
}

#[test]
fn frequent_look_ups_use_their_indexes() {
    let steps: BTreeSet<&String> = PLANS.iter().flat_map(|(_, plan)| plan).collect();
    for index in INDEXES {
        let step = format!("SEARCH {index}");
        assert!(steps.contains(&step), "no statement does {step}; they do {steps:#?}");
    }
}

#[test]
fn each_exception_is_a_statement_that_reads_a_whole_table() {
    for (part, reason) in MAY_SCAN {
        let scans = |(statement, plan): &(Statement, Vec<String>)| {
            statement.sql.contains(part) && plan.iter().any(|step| step.starts_with("SCAN"))
        };
        assert!(PLANS.iter().any(scans), "no statement has {part} ({reason}): strike it out");
    }
}
