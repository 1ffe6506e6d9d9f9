//! Settings of roles and databases, foreign objects, policies and encodings: they change nothing, or are an error.

use ::postgres::{Client, NoTls};
use jiff::{SignedDuration, Timestamp};

use super::{Place, server};
use crate::machine::skip;
use crate::sandbox::PASSWORD;

/// Settings that a role may have. None of them may change what authctl reads or writes.
const SETTINGS: &[&str] = &[
    "DateStyle = 'SQL, DMY'",
    "IntervalStyle = 'sql_standard'",
    "TimeZone = 'America/St_Johns'",
    "bytea_output = 'escape'",
    "extra_float_digits = -15",
    "standard_conforming_strings = off",
    "backslash_quote = on",
    "quote_all_identifiers = on",
    "transform_null_equals = on",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "client_encoding = 'LATIN1'",
    "lc_messages = 'C.UTF-8'",
    "search_path = evil, pg_catalog, public",
    "row_security = off",
    "enable_seqscan = off",
    "check_function_bodies = off",
];

/// Objects that take the place of the server's own where they are found first.
const EVIL: &str = r#"
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
    CREATE FUNCTION evil.octet_length(text) RETURNS integer LANGUAGE sql AS $$ SELECT 0 $$;
    CREATE FUNCTION evil.strpos(text, text) RETURNS integer LANGUAGE sql AS $$ SELECT 0 $$;
    CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1970-01-01Z'::timestamptz $$;
    CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT FALSE $$;
    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
    CREATE OPERATOR evil.< (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
    CREATE AGGREGATE evil.count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '41');
    CREATE TABLE evil."user" (id text);
    CREATE TABLE evil.authctl_head (one boolean);
    CREATE TABLE evil.authctl_schema_history (version integer);
    INSERT INTO evil.authctl_schema_history VALUES (99);
    GRANT ALL ON SCHEMA evil TO PUBLIC;
    GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC;"#;

/// A role that may make the schema. It lives as long as the server.
fn role(place: &Place, settings: &[&str]) -> String {
    let role = format!("{}_role", place.name());
    place.execute(&format!("CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}", place.name()));
    for setting in settings {
        place.execute(&format!("ALTER ROLE {role} SET {setting}"));
    }
    role
}

#[test]
fn settings_and_foreign_objects_change_nothing() {
    if server::private().is_none() {
        return;
    }
    let place = Place::empty().unwrap();
    place.execute(&format!("{EVIL} ALTER DATABASE {} SET timezone = 'Asia/Tokyo'", place.name()));
    let place = place.as_role(&role(&place, SETTINGS));
    let mut own = Client::connect(place.url(), NoTls).unwrap();
    let refused =
        own.batch_execute("SELECT FROM no_such_table").unwrap_err().as_db_error().unwrap().message().to_owned();
    // Some packages of the server have no translations.
    if refused.contains("does not exist") && !server::is_chosen() {
        skip("the server has no German messages");
    }
    let run = |words: &str, input: &str| {
        let mut command = place.command(words);
        place.sandbox.finish_with_input(command.env("TZ", "Pacific/Kiritimati"), input)
    };
    run("signup ada@example.com --name Añá --password-stdin", PASSWORD).success();
    let (now, me) = (Timestamp::now(), run("whoami --json", "").json());
    assert_eq!(me["user"]["name"], "Añá");
    let instant = |name: &str| me["session"][name].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(now.duration_since(instant("createdAt")).abs() < SignedDuration::from_mins(1), "{me}");
    let left = instant("expiresAt").duration_since(now);
    assert!((left - SignedDuration::from_hours(7 * 24)).abs() < SignedDuration::from_mins(1), "{me}");
    run("signup ADA@example.com --name Other --password-stdin", PASSWORD).failure(6);
    run("users create eve@example.com --name Eve --role admin --password-stdin", PASSWORD).success();
    let listed = run("users list --search añá --json", "").json();
    assert_eq!(listed["total"], 1, "{listed}");
    run("users ban ada@example.com --for 1h", "").success();
    run("whoami", "").failure(4);
    run("users unban ada@example.com", "").success();
    run("signin ada@example.com --password-stdin", PASSWORD).success();
    run("sessions prune", "").success();
    run("audit verify", "").success();
    let checked = run("db check", "");
    assert_eq!(checked.code, 0, "{checked}");
    run("doctor", "").success();
    let evil = own.query_one(r#"SELECT count(*) FROM "user""#, &[]).unwrap();
    assert_eq!(evil.get::<_, i64>(0), 41, "the path of the role is hostile");
}

#[test]
fn role_that_only_reads_changes_nothing() {
    let Some(server) = server::private() else { return };
    let place = Place::empty().unwrap();
    let role = role(&place, &[]);
    let place = place.as_role(&role);
    place.sign_up("ada@example.com").success();
    let read_only = format!("ALTER ROLE {role} SET default_transaction_read_only = on");
    // The session is due to be extended.
    place.execute(
        r#"UPDATE session SET "updatedAt" = now() - interval '2 days', "expiresAt" = now() + interval '5 days'"#,
    );
    server.execute(&read_only);
    place.run("whoami").success();
    place.run("users list").success();
    assert_eq!(place.run("db status --json").json()["server"]["readOnly"], true);
    assert!(place.run("doctor").success().contains("default_transaction_read_only"));
    for words in ["users ban ada@example.com", "policy set session.lifetime 20d", "sessions prune", "signout"] {
        let ran = place.run(words);
        assert_eq!(ran.code, 9, "{words}: {ran}");
    }
    assert_eq!(place.run("users ban ada@example.com --json").json_error(9)["code"], "DATABASE_READ_ONLY");
    server.execute(&read_only.replace(" = on", " = off"));
    place.run("whoami").success();
    place.assert_whole();
}

#[test]
fn several_servers_without_the_wanted_one_may_have_it_soon() {
    let Some(server) = server::private() else { return };
    let Some(place) = Place::new() else { return };
    let (directory, port) = (server.directory.display(), server.port);
    let rest = format!("dbname={} user={} target_session_attrs=standby", place.name(), server::SUPERUSER);
    let hint = |hosts: &str| {
        let mut command = place.command_at(&format!("{hosts} {rest}"), "users list --wait 0s --json");
        let error = place.sandbox.finish(&mut command).json_error(9);
        assert_eq!(error["code"], "DATABASE_UNREACHABLE");
        error["hint"].as_str().unwrap().to_owned()
    };
    assert!(hint(&format!("host={directory},{directory} port={port},{port}")).contains("--wait 30s"));
    assert!(hint(&format!("host={directory} port={port}")).contains("target_session_attrs"));
}

#[test]
fn rows_that_a_policy_hides_are_an_error() {
    if server::private().is_none() {
        return;
    }
    let place = Place::new().unwrap();
    place.sign_up("ada@example.com").success();
    let role = role(&place, &[]);
    place.execute(&format!(
        r#"GRANT USAGE ON SCHEMA authctl TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA authctl TO {role};
           ALTER TABLE "user" ENABLE ROW LEVEL SECURITY"#
    ));
    let other = place.as_role(&role);
    for words in ["users list", "users ban ada@example.com", "users show ada@example.com"] {
        let refused = other.run(words).failure(9);
        assert!(refused.contains("row-level security"), "{words}: {refused}");
    }
    assert_eq!(place.number(r#"SELECT count(*) FROM "user" WHERE banned"#), 0);
    // The owner is under no policy, and sees what was done to the table.
    place.run("users list").success();
    let checked = place.run("db check");
    assert!(checked.code == 1 && checked.to_string().contains("table user is not as authctl made it"), "{checked}");
}

/// A database in another encoding, which is dropped with the value.
struct Encoded<'s>(&'s server::Server, String);

impl<'s> Encoded<'s> {
    fn new(server: &'s server::Server, encoding: &str) -> Self {
        let name = format!("authctl_{}", encoding.to_lowercase());
        server.execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"));
        Self(server, name)
    }
}

impl Drop for Encoded<'_> {
    fn drop(&mut self) {
        self.0.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.1));
    }
}

#[test]
fn database_in_another_encoding_is_refused() {
    let Some(server) = server::private() else { return };
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let encoded = Encoded::new(server, encoding);
        let place = Place::at(&server.url(&encoded.1));
        for words in ["db init", "signup ada@example.com --name Ada --password-stdin", "users list"] {
            let refused = place.run_with_input(words, PASSWORD).failure(9);
            assert!(refused.contains(&format!("has the encoding {encoding}, and authctl needs UTF8")), "{refused}");
        }
        let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'authctl'";
        assert_eq!(place.number(made), 0);
    }
}
