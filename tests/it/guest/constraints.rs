//! Constraints of an app's schema that refuse an act: the error names the table, the column, the rows or the words, and
//! nothing is changed.

use insta::assert_snapshot;

use super::refused::Odd;
use crate::sandbox::past_authctl;

/// Gives users a column of roles with a constraint.
fn with_role(constraint: &str) -> Odd {
    Odd::changed(
        "drizzle-ms",
        &format!(
            "PRAGMA foreign_keys = OFF; DELETE FROM session; DELETE FROM account; DELETE FROM user;
             CREATE TABLE roles (name text PRIMARY KEY); INSERT INTO roles VALUES ('owner'), ('member');
             ALTER TABLE user DROP COLUMN role; ALTER TABLE user ADD COLUMN role text {constraint}"
        ),
    )
}

const CREATE: &str = "users create new@example.com --name New --no-password";

#[test]
fn new_user_gets_a_role_that_the_column_takes() {
    for (constraint, role) in [
        ("CHECK (role IN ('user', 'owner'))", Some("user")),
        ("CHECK (role IN ('member', 'owner'))", None),
        ("NOT NULL CHECK (role IN ('owner', 'USER'))", Some("USER")),
        ("CONSTRAINT role_check CHECK(\"user\".\"role\" in ('member', 'owner'))", None),
        ("NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'owner'))", Some("member")),
        ("REFERENCES roles (name)", None),
        ("REFERENCES roles (name) DEFERRABLE INITIALLY DEFERRED", None),
        ("CHECK (length(role) < 9)", Some("user")),
    ] {
        let odd = with_role(constraint);
        let created = odd.run(&format!("{CREATE} --json")).json();
        // A user without a role has that of every user.
        assert_eq!(created["user"]["role"], role.unwrap_or("user"), "{constraint}");
        let sql = past_authctl(&odd.sandbox.path("app.db"));
        let of_new = r#"SELECT "role" FROM "user" WHERE "email" = 'new@example.com'"#;
        let stored = sql.query_row(of_new, [], |row| row.get::<_, Option<String>>(0)).unwrap();
        assert_eq!(stored.as_deref(), role, "{constraint}");
        odd.run("users create chief@example.com --name Chief --no-password --role owner").success();
    }
}

#[test]
fn refused_role_names_the_words_that_the_column_takes() {
    for constraint in [
        "NOT NULL CHECK (role IN ('member', 'owner'))",
        "NOT NULL CONSTRAINT role_check CHECK (\"role\" in ('member', 'owner') AND role <> 'a b')",
        "NOT NULL REFERENCES roles (name)",
        "NOT NULL REFERENCES roles (name) DEFERRABLE INITIALLY DEFERRED",
    ] {
        let odd = with_role(constraint);
        for (words, refused) in [(CREATE.to_owned(), "user"), (format!("{CREATE} --role boss"), "boss")] {
            let error = odd.run(&format!("{words} --json")).json_error(5);
            assert_eq!(error["code"], "APP_REFUSES", "{constraint}");
            let told = format!("user.role takes member, owner, and not {refused}");
            assert!(error["message"].as_str().unwrap().ends_with(&told), "{constraint}: {error}");
            assert!(error["hint"].as_str().unwrap().contains("--role"), "{error}");
        }
        assert!(odd.is_as_made(), "{constraint}");
        odd.run(&format!("{CREATE} --role member")).success();
        let error = odd.run("users set-role new@example.com boss --json").json_error(5);
        assert!(error["message"].as_str().unwrap().ends_with("takes member, owner, and not boss"), "{error}");
        odd.run("users set-role new@example.com owner").success();
    }
}

#[test]
fn refused_role_without_a_list_of_words_names_the_check() {
    let odd = with_role("CHECK (role <> 'admin' OR email LIKE '%@corp.example')");
    let error = odd.run(&format!("{CREATE} --role admin --json")).json_error(5);
    let told = "user.email and user.role must meet the check role <> 'admin' OR email LIKE '%@corp.example'";
    assert!(error["message"].as_str().unwrap().ends_with(told), "{error}");
    assert!(odd.is_as_made());
}

#[test]
fn rows_of_the_app_that_keep_a_user_or_session_are_counted() {
    let of_user = |column: &str| {
        format!("CREATE TABLE consent ({column}); INSERT INTO consent SELECT id FROM user WHERE name IN ('Bob', 'Emo')")
    };
    let of_email = |column: &str| {
        format!(
            "CREATE TABLE consent ({column}); INSERT INTO consent SELECT email FROM user WHERE name IN ('Bob', 'Emo')"
        )
    };
    let delete = "users delete bob@example.com --yes";
    let address = "users update bob@example.com --email new@example.com";
    for (schema, words) in [
        (of_user("who TEXT NOT NULL REFERENCES user (id) ON DELETE SET NULL"), delete),
        (of_user("who TEXT CHECK (who IS NOT NULL) REFERENCES user (id) ON DELETE SET NULL"), delete),
        (of_user("who TEXT CHECK (who <> '') DEFAULT '' REFERENCES user (id) ON DELETE SET DEFAULT"), delete),
        (of_user("who TEXT DEFAULT 'gone' REFERENCES user (id) ON DELETE SET DEFAULT"), delete),
        (of_email("who TEXT REFERENCES user (email)"), delete),
        (of_email("who TEXT NOT NULL REFERENCES user (email) ON DELETE SET NULL"), delete),
        (of_email("who TEXT REFERENCES user (email)"), address),
        (of_email("who TEXT REFERENCES user (email) ON UPDATE RESTRICT"), address),
        (of_email("who TEXT NOT NULL REFERENCES user (email) ON UPDATE SET NULL"), address),
        (
            "CREATE TABLE consent (who TEXT NOT NULL REFERENCES session (id) ON DELETE SET NULL);
             INSERT INTO consent SELECT session.id FROM session JOIN user ON user.id = user_id WHERE email LIKE 'ada%' LIMIT 1"
                .to_owned(),
            "sessions revoke --user ada@example.com --all --yes",
        ),
    ] {
        let odd = Odd::changed("drizzle-ms", &schema);
        let error = odd.run(&format!("{words} --json")).json_error(5);
        assert_eq!(error["code"], "ROWS_HELD", "{schema}: {error}");
        let told = "1 row of the app's table consent refers to it by who";
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(told), "{schema}: {error}");
        let is_never_null = schema.contains("TEXT NOT NULL") && schema.contains("ON DELETE SET NULL") && words != address;
        assert_eq!(message.ends_with("with ON DELETE SET NULL, and must have a value)"), is_never_null, "{schema}");
        assert!(odd.is_as_made(), "{schema}");
    }
}

/// Tables of an app with foreign keys that cannot work.
const BROKEN: [&str; 4] = [
    "CREATE TABLE post (by TEXT REFERENCES user (id) ON DELETE CASCADE, team TEXT REFERENCES teams)",
    "CREATE TABLE note (by TEXT REFERENCES user (name))",
    "CREATE TABLE tag (post TEXT REFERENCES post)",
    "CREATE TABLE mark (by TEXT NOT NULL REFERENCES user (id) ON DELETE SET NULL)",
];

#[test]
fn foreign_keys_that_cannot_work_are_named_by_the_checks() {
    let odd = Odd::changed("drizzle-ms", &BROKEN.join(";"));
    assert_snapshot!(odd.run("db check"), @"
    problem: foreign-keys: foreign keys of the app's schema that cannot work: 4
      post.team refers to the table teams, which does not exist: let post.team refer to a table that exists, or remove the foreign key
      note.by refers to user.name, which is neither the primary key nor unique: let note.by refer to the primary key of user, or make user.name unique
      tag.post refers to the table post, which has no primary key of 1 column: let tag.post refer to columns of post that are unique
      mark.by refers to user.id with ON DELETE SET NULL, and must have a value: let mark.by be null, or give the foreign key another action, such as ON DELETE CASCADE
      hint: the database refuses acts that need one of them, such as deleting a user: correct the app's schema
    [HOME]/app.db: not sound, 1 problem (indexes were not compared with their tables: --full)
    [exit status: 1]
    ");
    let ran = odd.run("doctor --json");
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let keys = findings.iter().find(|finding| finding["check"] == "foreign-keys").unwrap();
    assert_eq!((&keys["count"], &keys["severity"], ran.code), (&4.into(), &"problem".into(), 1), "{keys}");
    assert!(odd.is_as_made());
}

#[test]
fn act_that_needs_a_broken_foreign_key_names_it() {
    let delete = "users delete bob@example.com --yes";
    let renaming = "users update bob@example.com --name Robert";
    for (schema, words, told) in [
        (BROKEN[0], delete, "post.team refers to the table teams, which does not exist"),
        (BROKEN[0], &format!("{delete} --dry-run"), "post.team refers to the table teams, which does not exist"),
        (BROKEN[1], delete, "note.by refers to user.name, which is neither the primary key nor unique"),
        (BROKEN[1], renaming, "note.by refers to user.name, which is neither the primary key nor unique"),
    ] {
        let odd = Odd::changed("drizzle-ms", schema);
        let error = odd.run(&format!("{words} --json")).json_error(5);
        assert_eq!(error["code"], "APP_REFUSES", "{words}: {error}");
        assert!(error["message"].as_str().unwrap().ends_with(told), "{words}: {error}");
        assert!(error["hint"].as_str().unwrap().starts_with("in the app's schema, let "), "{words}: {error}");
        assert!(odd.is_as_made(), "{words}");
    }
}

#[test]
fn act_that_needs_no_broken_foreign_key_goes_on() {
    for (schema, code) in BROKEN.into_iter().zip([5, 5, 0, 0]) {
        let odd = Odd::changed("drizzle-ms", schema);
        for words in ["ban bob@example.com", "unban bob@example.com", "set-role bob@example.com admin"] {
            odd.run(&format!("users {words}")).success();
        }
        odd.run("users update bob@example.com --email new@example.com").success();
        odd.run("sessions revoke --user ada@example.com --all --yes").success();
        assert_eq!(odd.run("users delete new@example.com --yes").code, code, "{schema}");
    }
}

#[test]
fn foreign_key_that_fails_at_the_commit_is_named() {
    let odd = Odd::changed(
        "drizzle-ms",
        "CREATE TABLE note (by TEXT REFERENCES user (id) DEFERRABLE INITIALLY DEFERRED, text TEXT);
         PRAGMA foreign_keys = OFF; INSERT INTO note VALUES ('gone', 'before'); PRAGMA foreign_keys = ON;
         CREATE TRIGGER kept AFTER DELETE ON user BEGIN INSERT INTO note VALUES (old.id, 'a'), (old.id, 'b'); END",
    );
    let error = odd.run("users delete bob@example.com --yes --json").json_error(5);
    assert_eq!(error["code"], "APP_REFUSES", "{error}");
    let told = "2 rows of the table note would refer by by to no row of user";
    assert!(error["message"].as_str().unwrap().ends_with(told), "{error}");
    assert!(odd.is_as_made());
}

#[test]
fn users_who_keep_a_user_are_counted_with_what_helps() {
    let odd = Odd::changed(
        "drizzle-ms",
        "ALTER TABLE user ADD COLUMN manager TEXT REFERENCES user (id) ON DELETE CASCADE;
         UPDATE user SET manager = (SELECT id FROM user WHERE email = 'bob@example.com') WHERE email <> 'bob@example.com'",
    );
    assert_snapshot!(odd.run("users delete bob@example.com --yes"), @"
    ------- stderr -------
    error: could not delete the user: 4 users refer to it by user.manager
    hint: change or clear user.manager of these users in the app, and try again; nothing was changed
    [exit status: 5]
    ");
    assert!(odd.is_as_made());
}

#[test]
fn other_constraints_are_told_in_our_words() {
    for (schema, words, told) in [
        (
            "ALTER TABLE user ADD COLUMN plan TEXT CHECK (name <> 'New')",
            CREATE,
            "user.name must meet the check name <> 'New'",
        ),
        (
            "CREATE TABLE log (what TEXT CONSTRAINT not_new CHECK (what <> 'New'));
             CREATE TRIGGER t AFTER INSERT ON user BEGIN INSERT INTO log VALUES (NEW.name); END",
            CREATE,
            "log.what must meet the check not_new",
        ),
        (
            "CREATE TABLE log (what TEXT NOT NULL);
             CREATE TRIGGER t AFTER INSERT ON user BEGIN INSERT INTO log VALUES (NULL); END",
            CREATE,
            "the column log.what must have a value",
        ),
        (
            "CREATE TABLE team (id INTEGER PRIMARY KEY); PRAGMA foreign_keys = OFF;
             ALTER TABLE user ADD COLUMN team INTEGER DEFAULT 1 REFERENCES team (id)",
            CREATE,
            "user.team must name a row of the table team",
        ),
        (
            "CREATE UNIQUE INDEX one_name ON user (name)",
            "users update bob@example.com --name Ada",
            "another row has the same value in user.name",
        ),
    ] {
        let odd =
            Odd::changed("drizzle-ms", &format!("UPDATE user SET name = 'Ada' WHERE email LIKE 'ada%'; {schema}"));
        let error = odd.run(&format!("{words} --json")).json_error(5);
        assert_eq!(error["code"], "APP_REFUSES", "{schema}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.ends_with(&format!("the database refuses this: {told}")), "{schema}: {message}");
        assert!(odd.is_as_made(), "{schema}");
    }
}

#[test]
fn all_columns_that_need_a_value_are_named_at_once() {
    let odd = Odd::changed(
        "drizzle-ms",
        "CREATE TABLE old AS SELECT * FROM user; PRAGMA foreign_keys = OFF; DELETE FROM user; DELETE FROM account;
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, '`name` text', '`tenant` text NOT NULL, `region` text NOT NULL, `name` text')
           WHERE name = 'user';
         UPDATE sqlite_schema SET sql = replace(sql, '`scope` text', '`scope` text, `kind` text NOT NULL') WHERE name = 'account'",
    );
    let error = odd.run("users create new@example.com --name New --generate --json").json_error(9);
    let told = "the columns user.tenant, user.region, account.kind need values in a new row";
    assert!(error["message"].as_str().unwrap().contains(told), "{error}");
    let line = r#"{"values": {"user.tenant": "...", "user.region": "...", "account.kind": "..."}}"#;
    assert!(error["hint"].as_str().unwrap().ends_with(line), "{error}");
    // The act needs no new row of accounts.
    let error = odd.run(&format!("{CREATE} --json")).json_error(9);
    assert!(!error["message"].as_str().unwrap().contains("account.kind"), "{error}");
    let values = odd.sandbox.file("hints.json", line);
    odd.run(&format!("users create new@example.com --name New --generate --schema {}", values.display())).success();
}

/// The app registers such functions itself, so its file is sound, and a backup in its place would lose rows.
#[test]
fn function_that_only_the_app_has_stops_an_act_and_is_no_damage() {
    let odd = Odd::changed(
        "drizzle-ms",
        "CREATE INDEX by_name ON user (lower(name)); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'lower(', 'unaccent(') WHERE name = 'by_name'",
    );
    assert_snapshot!(odd.run("users delete bob@example.com --yes"), @"
    ------- stderr -------
    error: could not delete the user: the app's schema uses a function or collation that only the app has: unknown function: unaccent()
    hint: do this in the app; `authctl doctor` names the tables; nothing was changed
    [exit status: 5]
    ");
    odd.run("users create new@example.com --name New --no-password").failure(5);
    assert!(odd.is_as_made());
    odd.run("users ban bob@example.com").success();
    for words in ["doctor", "db check", "db check --full"] {
        let checked = odd.run(words).success();
        assert!(checked.contains("app-functions"), "{checked}");
        assert!(!checked.contains("damaged"), "{checked}");
    }
}
