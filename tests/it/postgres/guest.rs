//! The database of an app on a server: the acts, and what they leave as it was.

use ::postgres::{Client, NoTls};

use super::{Place, server};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

/// The acts, each with its input. All of them succeed.
const ACTS: &[(&str, &str)] = &[
    ("users create root@example.com --name Root --role admin --password-stdin", PASSWORD),
    ("users create ada@example.com --name Ada --password-stdin", PASSWORD),
    ("users create eve@example.com --name Eve --password-stdin", PASSWORD),
    ("signin ada@example.com --password-stdin", PASSWORD),
    ("whoami", ""),
    ("sessions", ""),
    ("password change --password-stdin", "correct horse battery staple\nnine purple umbrellas sing\n"),
    ("account update --name Adele", ""),
    ("users show ada@example.com", ""),
    ("users list --search ada", ""),
    ("sessions list --all-users", ""),
    ("users ban ada@example.com --for 1h --reason spam", ""),
    ("users unban ada@example.com", ""),
    ("users set-role ada@example.com admin", ""),
    ("users set-role ada@example.com user", ""),
    ("users verify-email ada@example.com", ""),
    ("users reset-code ada@example.com -q", ""),
    ("signin ada@example.com --password-stdin", OTHER_PASSWORD),
    ("users lockdown eve@example.com --yes", ""),
    ("sessions prune", ""),
    ("db prune", ""),
    ("signout", ""),
    ("audit verify", ""),
    ("db status", ""),
];

fn fixture(shape: &str) -> String {
    let path = format!("{}/tests/fixtures/better-auth/postgres/{shape}.sql", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The database of an app in a shape. `None` skips the test.
fn place(shape: &str) -> Option<Place> {
    let place = Place::empty()?;
    Client::connect(place.url(), NoTls).unwrap().batch_execute(&fixture(shape)).unwrap();
    Some(place)
}

/// Every relation, column, constraint and index of the database that is not the server's.
fn described(place: &Place) -> String {
    let sql = "SELECT string_agg(line, E'\n' ORDER BY line) FROM (
        SELECT n.nspname || ' ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(a.attname || ' '
            || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text, '') AS line
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'
        UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint
        UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index) AS everything (line)";
    Client::connect(place.url(), NoTls).unwrap().query_one(sql, &[]).unwrap().get(0)
}

#[test]
fn acts_change_rows_alone() {
    for shape in ["drizzle-serial", "drizzle-uuid", "prisma"] {
        let Some(place) = place(shape) else { return };
        let before = described(&place);
        for (words, input) in ACTS {
            let ran = place.run_with_input(words, input);
            assert_eq!(ran.code, 0, "{shape}: {words}: {ran}");
        }
        assert_eq!(described(&place), before, "{shape}");
    }
}

/// The statements of an app whose tables do not show in which zone its times are.
fn without_zone() -> String {
    fixture("prisma").replace("TIMESTAMP(3)", "TIMESTAMP").replace("ON UPDATE CASCADE", "ON UPDATE NO ACTION")
}

#[test]
fn commands_that_need_no_time_work_where_times_are_not_clear() {
    let Some(place) = Place::empty() else { return };
    let mut app = Client::connect(place.url(), NoTls).unwrap();
    app.batch_execute(&without_zone()).unwrap();
    app.batch_execute(
        r#"INSERT INTO "user" ("id", "name", "email", "createdAt", "updatedAt")
           VALUES ('a', 'Ada', 'ada@example.com', '2026-01-01 12:00', '2026-01-01 12:00');
           INSERT INTO "session" ("id", "token", "userId", "createdAt", "updatedAt", "expiresAt")
           VALUES ('s', repeat('t', 32), 'a', '2026-01-01 12:00', '2026-01-01 12:00', '2026-01-01 13:00')"#,
    )
    .unwrap();
    let problem =
        "user.createdAt and 12 other columns hold times without a zone, in UTC or in the local time of the app";
    let remedy = r#"name the zone of the app in a file for --schema: {"zone": "UTC"} or {"zone": "America/New_York"}"#;
    let status = place.run("db status --json").json();
    assert_eq!((&status["users"], &status["app"]["time"]), (&1.into(), &"not clear".into()), "{status}");
    assert_eq!((&status["liveSessions"], &status["expiredSessions"]), (&().into(), &().into()), "{status}");
    assert_eq!(status["app"]["refusals"][0]["remedy"], remedy, "{status}");
    let status = place.run("db status").success();
    assert!(status.contains(problem), "{status}");
    for words in ["doctor --json", "db check --json"] {
        let found = place.run(words);
        assert_eq!(found.code, 1, "{found}");
        let report: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let said = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
        assert!(findings.iter().all(|one| !said(one, "message").contains("could not be checked")), "{report}");
        let times: Vec<_> = findings.iter().filter(|one| one["check"] == "app-times").collect();
        let [times] = times.as_slice() else { panic!("{report}") };
        assert!(said(times, "message").ends_with(problem) && said(times, "hint") == remedy, "{times}");
    }
    for words in ["policy set session.lifetime 20d", "policy show", "db init --state", "audit list", "audit verify"] {
        place.run(words).success();
    }
    for words in [
        "users list",
        "users show a",
        "sessions list --all-users",
        "users ban a --yes",
        "stats",
        "db prune --yes",
        "whoami",
    ] {
        let mut command = place.command(words);
        command.env("AUTHCTL_TOKEN", "t".repeat(32));
        let refused = place.sandbox.finish(&mut command);
        assert_eq!(refused.code, 9, "{words}: {refused}");
        let said = refused.to_string();
        assert!(
            said.contains(&format!("can be read in two ways: {problem}")) && said.contains(remedy),
            "{words}: {said}"
        );
    }
    // An id is looked up in the log, and an address among the users.
    place.run("audit list --user a").success();
    let unclear = place.run("audit list --user ada@example.com --json").json_error(9);
    assert_eq!(unclear["code"], "DATABASE_AMBIGUOUS", "{unclear}");
}

#[test]
fn app_in_new_york_reads_the_times_that_authctl_writes() {
    let sql = without_zone();
    let Some(place) = Place::empty() else { return };
    let mut app = Client::connect(place.url(), NoTls).unwrap();
    app.batch_execute(&sql).unwrap();
    let create = "users create ada@example.com --name Ada --password-stdin";
    let refused = place.run_with_input(create, PASSWORD);
    assert_eq!(refused.code, 9, "{refused}");
    assert!(refused.to_string().contains(r#"{"zone": "UTC"}"#), "{refused}");
    std::fs::write(place.sandbox.path("zone.json"), r#"{"zone": "America/New_York"}"#).unwrap();
    place.run_with_input(&format!("{create} --schema zone.json"), PASSWORD).success();
    let off = r#"SELECT abs(extract(epoch FROM clock_timestamp() - "createdAt" AT TIME ZONE 'America/New_York'))::float8
        FROM "user""#;
    let seconds: f64 = app.query_one(off, &[]).unwrap().get(0);
    assert!(seconds < 300.0, "{seconds} s off");
    // The app stores a session that ends in an hour, by its own clock.
    app.batch_execute(
        r#"INSERT INTO "session" ("id", "token", "userId", "createdAt", "updatedAt", "expiresAt")
           SELECT 's', repeat('t', 32), "id", local.now, local.now, local.now + interval '1 hour'
           FROM "user", (SELECT clock_timestamp() AT TIME ZONE 'America/New_York') AS local (now)"#,
    )
    .unwrap();
    let mut whoami = place.command("whoami --schema zone.json");
    whoami.env("AUTHCTL_TOKEN", "t".repeat(32));
    place.sandbox.finish(&mut whoami).success();
}

#[test]
fn state_of_each_database_is_its_own() {
    let Some(place) = place("drizzle") else { return };
    place.create("ada@example.com", "");
    let audit = |place: &Place, url: &str| place.sandbox.finish(&mut place.command_at(url, "audit list --json"));
    let log = audit(&place, place.url()).to_string();
    assert!(log.contains("user.created"), "{log}");
    // Another database of the same server, with the same home.
    let Some(other) = server::database() else { return };
    Client::connect(other.url(), NoTls).unwrap().batch_execute(&fixture("prisma")).unwrap();
    assert!(!audit(&place, other.url()).to_string().contains("user.created"));
}
