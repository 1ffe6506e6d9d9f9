//! `users lockdown`, and what other acts end and leave open beyond sessions, in a database with the tables of plugins.

use insta::assert_snapshot;

use crate::app::{App, DRIZZLE};

const TABLES: &str = include_str!("../../fixtures/plugin-tables/drizzle.sql");

/// Rows of plugins that give access to Bob's account, and one of Ada's.
const ROWS: &str = "
    CREATE TEMP TABLE b AS SELECT user.id AS bob, session.id AS session, token FROM user JOIN session ON user_id = user.id
      WHERE email = 'bob@example.com';
    INSERT INTO oauth_client (id, client_id, redirect_uris) VALUES ('c', 'client', '[]');
    INSERT INTO oauth_refresh_token (id, token, client_id, session_id, user_id, expires_at, created_at, scopes)
      SELECT 'offline', 'x', 'client', session, bob, 4102444800000, 1795465791000, '[\"openid\",\"offline_access\"]' FROM b
      UNION ALL SELECT 'online', 'y', 'client', session, bob, 4102444800000, 1795465791000, '[\"openid\"]' FROM b;
    INSERT INTO oauth_access_token (id, token, client_id, session_id, user_id, expires_at, created_at, scopes)
      SELECT 'access', 'x', 'client', session, bob, 4102444800000, 1795465791000, '[]' FROM b;
    INSERT INTO apikey (id, reference_id, \"key\", created_at, updated_at)
      SELECT 'of-bob', bob, 'x', 1795465791000, 1795465791000 FROM b
      UNION ALL SELECT 'of-ada', id, 'y', 1795465791000, 1795465791000 FROM user WHERE email = 'ada@example.com';
    INSERT INTO device_code (id, device_code, user_code, user_id, expires_at, status)
      SELECT 'd', 'd', 'u', bob, 4102444800000, 'approved' FROM b;
    INSERT INTO passkey (id, public_key, user_id, credential_id, counter, device_type, backed_up)
      SELECT 'p', 'k', bob, 'c', 0, 'singleDevice', 0 FROM b;
    INSERT INTO jwks (id, public_key, private_key, created_at) VALUES ('j', 'p', 'p', 1795465791000);
    INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
      SELECT 'trust', 'trust-device-x', bob, 4102444800000, 1795465791000, 1795465791000 FROM b
      UNION ALL SELECT 'magic', 'magic-link:x', '{\"type\":\"magic-link\",\"email\":\"bob@example.com\"}', 4102444800000, 1795465791000, 1795465791000
      UNION ALL SELECT 'otp', 'sign-in-otp-bob@example.com', '123456:0', 4102444800000, 1795465791000, 1795465791000
      UNION ALL SELECT 'of-ada', 'sign-in-otp-ada@example.com', '123456:0', 4102444800000, 1795465791000, 1795465791000;";

fn app() -> App {
    App::changed(DRIZZLE, |connection| connection.execute_batch(&format!("{TABLES}{ROWS}")).unwrap())
}

/// What of Bob's is open: access tokens, refresh tokens, keys, devices and pending rows.
fn open(app: &App) -> String {
    app.text(
        "SELECT (SELECT count(*) FROM session JOIN user ON user_id = user.id WHERE email = 'bob@example.com') || ' ' ||
         (SELECT count(*) FROM oauth_access_token WHERE revoked IS NULL) || ' ' ||
         (SELECT count(*) FROM oauth_refresh_token WHERE revoked IS NULL) || ' ' ||
         (SELECT count(*) FROM apikey WHERE enabled AND id = 'of-bob') || ' ' ||
         (SELECT count(*) FROM device_code WHERE status = 'approved') || ' ' ||
         (SELECT count(*) FROM verification WHERE id <> 'of-ada')",
    )
}

#[test]
fn lockdown_ends_what_the_dry_run_lists() {
    let app = app();
    let before = std::fs::read(app.path()).unwrap();
    assert_snapshot!(app.run("users lockdown bob@example.com --dry-run"), @"
    session              1
    OAuth access token   1
    OAuth refresh token  2
    API key              1
    device code          1
    trusted device       1
    pending code         3
    ------- stderr -------
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    note: JWTs that the app signed are valid until they expire; no table has them
    note: links that verify an address are signed and work until they expire, after 1 hour by default
    would lock down Bob <bob@example.com> in [HOME]/app.db and end 1 session, 1 OAuth access token, 2 OAuth refresh tokens, 1 API key, 1 device code, 1 trusted device, 3 pending codes
    the user can sign in again with a password, 1 passkey; `--ban` refuses every sign-in
    ");
    let dry = app.run("users lockdown bob@example.com --dry-run --json").json();
    let _ = app.run("users lockdown bob@example.com").failure(2);
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
    assert_eq!(open(&app), "1 1 2 1 1 4");
    let done = app.run("users lockdown bob@example.com --yes --json").json();
    assert_eq!(done["ended"], dry["ended"]);
    assert_eq!((&done["dryRun"], &dry["dryRun"]), (&false.into(), &true.into()));
    assert_eq!(done["ended"]["oauthRefreshTokens"], 2);
    let codes: Vec<_> = done["notReached"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, ["COOKIE_CACHE", "SECONDARY_STORAGE", "JWT", "VERIFICATION_LINK"]);
    assert_eq!(open(&app), "0 0 0 0 0 0");
    assert_eq!(app.text("SELECT count(*) FROM apikey WHERE enabled"), "1");
    app.assert_instant("SELECT revoked FROM oauth_access_token");
    let again = app.run("users lockdown bob@example.com --yes");
    assert!(again.stderr.contains("app.db: there was nothing to end"), "{again}");
    again.success();
}

#[test]
fn lockdown_bans_and_makes_a_code_in_the_same_step() {
    let app = app();
    let words = "users lockdown bob@example.com --yes --ban --reset-code --ttl 30m --json --reason stolen";
    let done = app.run(words).json();
    assert_eq!((&done["banned"], &done["user"]["banReason"]), (&true.into(), &"stolen".into()));
    let identifier = format!("reset-password:{}", done["code"].as_str().unwrap());
    assert_eq!(app.text("SELECT identifier FROM verification WHERE id <> 'of-ada'"), identifier);
    let entries = app.run("audit list --json --user bob@example.com").json()["entries"].clone();
    let events: Vec<&str> = entries.as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert!(events.contains(&"user.locked-down") && events.contains(&"user.banned"), "{events:?}");
    for way in ["--yes", "--dry-run"] {
        let refused = app.run(&format!("users lockdown ada@example.com {way} --ban --json")).json_error(5);
        assert_eq!(refused["code"], "LAST_ADMIN", "{way}");
    }
    let _ = app.run("users lockdown ada@example.com --yes --ttl 30m").failure(2);
    let _ = app.run("users lockdown unknown@example.com --yes").failure(3);
}

/// What each act leaves, in the order of [`open`], and the notice that says so.
#[test]
fn act_ends_the_tokens_of_sessions_and_says_what_is_left() {
    for (words, left, said) in [
        ("users ban bob@example.com", "0 0 1 1 1 4", "1 OAuth refresh token, 1 API key"),
        (
            "users set-password bob@example.com --generate",
            "0 0 1 1 1 3",
            "1 OAuth refresh token, 1 API key, 1 device code, 1 trusted device, 2 pending codes",
        ),
        (
            "sessions revoke --user bob@example.com",
            "0 0 1 1 1 4",
            "1 OAuth refresh token, 1 API key, 1 device code, 1 trusted device, 3 pending codes",
        ),
    ] {
        let app = app();
        let json = app.run(&format!("{words} --json"));
        let note =
            format!("still open for bob@example.com: {said}; `authctl users lockdown bob@example.com` ends that");
        assert!(json.stderr.contains(&note), "{words}: {json}");
        let answer: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((&answer["stillOpen"]["apiKeys"], &answer["stillOpen"]["sessions"]), (&1.into(), &0.into()));
        assert_eq!(open(&app), left, "{words}");
        app.run("users lockdown bob@example.com --yes").success();
        let after = app.run(words);
        assert!(!after.stderr.contains("still open"), "{words}: {after}");
    }
}

#[test]
fn prune_deletes_what_the_dry_run_counts() {
    let app = app();
    app.sql()
        .execute_batch(
            "INSERT INTO oauth_client_assertion VALUES ('a', 1735689600000), ('b', 4102444800000);
             UPDATE apikey SET expires_at = 1735689600000 WHERE id = 'of-ada';
             UPDATE device_code SET expires_at = 1735689600000;
             INSERT INTO organization (id, name, slug, created_at) VALUES ('o', 'O', 'o', 1735689600000);
             INSERT INTO invitation (id, organization_id, email, status, expires_at, created_at, inviter_id)
               SELECT 'i', 'o', 'x@example.com', 'pending', 1735689600000, 1735689600000, id FROM user LIMIT 1",
        )
        .unwrap();
    let before = std::fs::read(app.path()).unwrap();
    assert_snapshot!(app.run("db prune --dry-run"), @"
    session               1
    deviceCode            1
    oauthClientAssertion  1
    apikey                1
    ------- stderr -------
    would delete 4 expired rows in [HOME]/app.db
    ");
    let dry = app.run("db prune --invitations --dry-run --json").json();
    assert_eq!((&dry["pruned"]["invitation"], &dry["total"]), (&1.into(), &5.into()));
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
    let doctor: serde_json::Value = serde_json::from_str(&app.run("doctor --json").stdout).unwrap();
    let findings = doctor["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == "expired-rows").unwrap();
    assert_eq!((&found["count"], &found["severity"]), (&4.into(), &"notice".into()));
    let done = app.run("db prune --invitations --json").json();
    assert_eq!((&done["pruned"], &done["dryRun"]), (&dry["pruned"], &false.into()));
    assert_eq!(app.text("SELECT count(*) || (SELECT id FROM oauth_client_assertion) FROM invitation"), "0b");
    assert_eq!(app.run("db prune --json").json()["total"], 0);
}

#[test]
fn rows_that_the_app_keeps_stay_and_the_others_go() {
    let expired = "UPDATE apikey SET expires_at = 1735689600000; UPDATE device_code SET expires_at = 1735689600000;
        INSERT INTO oauth_client_assertion VALUES ('a', 1735689600000);
        CREATE TABLE usage (key TEXT REFERENCES apikey (id)); INSERT INTO usage VALUES ('of-ada')";
    let change = format!("{TABLES}{ROWS}; {expired}");
    let app = App::changed(DRIZZLE, |connection| connection.execute_batch(&change).unwrap());
    let keys = app.text("SELECT CAST(count(*) AS TEXT) FROM apikey");
    assert_ne!(keys, "1");
    let ran = app.run("db prune");
    let error = ran.failure(5);
    assert!(error.contains("usage") && error.contains("were deleted"), "{error}");
    assert_eq!(app.text("SELECT group_concat(id) FROM apikey"), "of-ada");
    assert_eq!(app.text("SELECT CAST(count(*) AS TEXT) FROM device_code"), "0");
    assert_eq!(app.text("SELECT CAST(count(*) AS TEXT) FROM oauth_client_assertion"), "0");
}

#[test]
fn rows_that_a_broken_foreign_key_keeps_stay_and_the_others_go() {
    let expired = "UPDATE apikey SET expires_at = 1735689600000; UPDATE device_code SET expires_at = 1735689600000;
        CREATE TABLE usage (key TEXT REFERENCES device_code (user_id))";
    let change = format!("{TABLES}{ROWS}; {expired}");
    let app = App::changed(DRIZZLE, |connection| connection.execute_batch(&change).unwrap());
    let error = app.run("db prune --json").json_error(5);
    assert_eq!(error["code"], "APP_REFUSES", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("usage.key refers to device_code.user_id") && message.contains("deleted"), "{error}");
    assert_eq!(app.text("SELECT (SELECT count(*) FROM apikey) || ' ' || (SELECT count(*) FROM device_code)"), "0 1");
}

/// More rows than one transaction deletes are in front of the others.
#[test]
fn rows_behind_many_that_the_app_keeps_go() {
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)";
    let change = format!(
        "{TABLES}{ROWS}; DELETE FROM apikey; DELETE FROM session; DELETE FROM verification;
         {many} INSERT INTO apikey (id, reference_id, key, expires_at, created_at, updated_at)
           SELECT 'k' || i, user.id, 'k' || i, 1000, 1, 1 FROM n, user WHERE email LIKE 'ada%';
         {many} INSERT INTO session (id, token, user_id, expires_at, created_at, updated_at)
           SELECT 's' || i, 't' || i, user.id, 1000 + i, 1, 1 FROM n, user WHERE email LIKE 'ada%';
         INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
           VALUES ('v1', 'a', 'b', 1000, 1, 1), ('v2', 'a', 'b', 1000, 1, 1);
         CREATE TABLE usage (key TEXT REFERENCES apikey (id), session TEXT REFERENCES session (id), code REFERENCES verification (id));
         {many} INSERT INTO usage SELECT 'k' || i, 's' || i, NULL FROM n WHERE i <= 2050;
         INSERT INTO usage VALUES (NULL, NULL, 'v1')"
    );
    let app = App::changed(DRIZZLE, |connection| connection.execute_batch(&change).unwrap());
    let left = "SELECT (SELECT count(*) FROM apikey) || ' ' || (SELECT count(*) FROM session) || ' ' ||
        (SELECT group_concat(id) FROM verification)";
    let dry = app.run("db prune --dry-run --json").json();
    assert_eq!((&dry["pruned"]["apikey"], &dry["pruned"]["session"]), (&2100.into(), &2100.into()));
    let error = app.run("db prune --json").json_error(5);
    assert_eq!(error["code"], "ROWS_HELD");
    let message = error["message"].as_str().unwrap();
    for told in ["2050 rows of the app's table usage refer to it by session", "by key", "by code", " were deleted, but"]
    {
        assert!(message.contains(told), "{told}: {error}");
    }
    assert!(!error["hint"].as_str().unwrap().contains("nothing was changed"), "{error}");
    assert_eq!(app.text(left), "2050 2050 v1");
    assert!(app.run("sessions prune").failure(5).contains("2050 rows of the app's table usage"));
    assert_eq!(app.text(left), "2050 2050 v1");
}

#[test]
fn check_names_what_is_broken_between_tables() {
    let app = app();
    app.run("db check").success();
    app.sql()
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO organization (id, name, slug, created_at) VALUES ('o', 'O', 'lost', 1735689600000), ('p', 'P', 'kept', 1);
             INSERT INTO member (id, organization_id, user_id, role, created_at) SELECT 'm', 'p', id, 'owner', 1 FROM user LIMIT 1;
             INSERT INTO member (id, organization_id, user_id, created_at) VALUES ('n', 'p', 'gone', 1);
             UPDATE apikey SET reference_id = 'gone' WHERE id = 'of-bob';
             UPDATE account SET account_id = 'other' WHERE provider_id = 'credential'",
        )
        .unwrap();
    let before = std::fs::read(app.path()).unwrap();
    assert_snapshot!(app.run("db check"), @"
    problem: references: rows that refer to rows that do not exist: 1 of apikey.reference_id (no user or organization); 1 of member.user_id (no user)
      hint: the app may fail where it follows them, and a key of a deleted user stays valid: look at these rows, and delete those of no use in the app
    problem: organization-owners: organizations without an owner: lost
      hint: its members cannot choose one in the app: write the role owner into the row of a member
    problem: account-ids: password accounts whose accountId is not their user's id, which no sign-in finds: 4
      hint: `authctl doctor --fix` sets those right that are their user's only one
    [HOME]/app.db: not sound, 3 problems (indexes were not compared with their tables: --full)
    [exit status: 1]
    ");
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
}
