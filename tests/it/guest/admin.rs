//! Roles, bans and impersonation in an app's database: they need the admin plugin, and are refused without it.

use insta::assert_snapshot;
use rusqlite::types::Value;

use crate::app::{ARTICLE, App, DRIZZLE, KYSELY, Variant};
use crate::sandbox::PASSWORD;

#[test]
fn ban_is_stored_as_by_the_app_with_a_note() {
    let app = App::new(DRIZZLE);
    assert_snapshot!(app.run("users ban bob@example.com --for 7d --reason spam"), @"
    ------- stderr -------
    note: if the app caches sessions in cookies they go on there until the cache ends, after 5 minutes by default
    note: sessions and keys that the app keeps outside this database are not reached
    banned Bob <bob@example.com> until [TIME]: spam and ended 1 session in [HOME]/app.db
    ");
    let bob = "FROM {user} WHERE email = 'bob@example.com'";
    assert_eq!(
        app.row(&format!("SELECT banned, {{.banReason}} {bob}")),
        [Value::Integer(1), Value::Text("spam".into())]
    );
    app.assert_instant(&format!("SELECT {{.banExpires}} {bob}"));
    app.assert_instant(&format!("SELECT {{.updatedAt}} {bob}"));
    assert_eq!(app.text(&format!("SELECT count(*) FROM {{session}} WHERE {{.userId}} = (SELECT id {bob})")), "0");
    app.run("users unban bob@example.com").success();
    let lifted = app.row(&format!("SELECT banned, {{.banReason}}, {{.banExpires}} {bob}"));
    assert_eq!(lifted, [Value::Integer(0), Value::Null, Value::Null]);
}

#[test]
fn role_is_stored_as_by_the_app() {
    let app = App::new(KYSELY);
    app.run("users set-role bob@example.com admin,editor").success();
    assert_eq!(app.text("SELECT role FROM {user} WHERE email = 'bob@example.com'"), "admin,editor");
    assert_eq!(app.run("users set-role ada@example.com user").code, 0);
    assert_snapshot!(app.run("users set-role bob@example.com user"), @"
    ------- stderr -------
    error: could not set the role: this is the last administrator
    hint: make another user administrator first, or pass --force-last-admin
    [exit status: 5]
    ");
}

#[test]
fn impersonation_is_a_session_as_the_app_makes_it() {
    let app = App::new(DRIZZLE);
    let ada = app.text(
        "SELECT token FROM {session} JOIN {user} ON {user}.id = {.userId} WHERE role = 'admin' AND {.ipAddress} <> ''",
    );
    let ran = app.run_as(&ada, "users impersonate bob@example.com --print-token");
    assert!(ran.stderr.contains("note: the app gives this session its usual life"), "{ran}");
    let token = ran.success();
    let found = app.row(
        "SELECT token, {.impersonatedBy} = (SELECT id FROM {user} WHERE email = 'ada@example.com'),
         {.userId} = (SELECT id FROM {user} WHERE email = 'bob@example.com'), {.expiresAt} - {.createdAt}
         FROM {session} ORDER BY rowid DESC LIMIT 1",
    );
    let wanted = [Value::Text(token.trim().into()), Value::Integer(1), Value::Integer(1), Value::Integer(3_600_000)];
    assert_eq!(found, wanted);
}

#[test]
fn without_the_plugin_no_role_is_shown() {
    let app = App::new(ARTICLE);
    for words in ["users list", "users show ada@example.com"] {
        let shown = app.run(words);
        assert!(shown.stdout.contains("ada@example.com"), "{shown}");
        assert!(!shown.stdout.to_lowercase().contains("role"), "{shown}");
    }
    assert!(App::new(KYSELY).run("users list").stdout.contains("ROLE"));
}

#[test]
fn without_the_plugin_nothing_is_changed() {
    let app = App::new(ARTICLE);
    let before = std::fs::read(app.path()).unwrap();
    assert_snapshot!(app.run("users ban bob@example.com"), @"
    ------- stderr -------
    error: could not ban the user: the database has no column banned in its table user: its app knows no such thing
    hint: the admin plugin of Better Auth has this column: add it to the app and run its migration; nothing was changed
    [exit status: 9]
    ");
    for words in [
        "users unban bob@example.com",
        "users set-role bob@example.com admin",
        "users impersonate bob@example.com",
        "users create new@example.com --name New --role admin --generate",
    ] {
        let error = app.run(&format!("{words} --json")).json_error(9);
        assert_eq!(error["code"], "COLUMN_MISSING", "{words}");
    }
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
}

#[test]
fn second_factor_stops_a_sign_in_and_is_no_blocker() {
    let app = App::new(Variant { name: "two-factor", admin: false, ..DRIZZLE });
    let error = app.run_with_input("signin ada@example.com --password-stdin --json", PASSWORD).json_error(5);
    assert_eq!(error["code"], "TWO_FACTOR_REQUIRED");
    assert_snapshot!(app.run("users explain ada@example.com"), @"
    Ada Lovelace <ada@example.com> can sign in with the right password
    ------- stderr -------
    the app asks for the second factor too, which authctl checks only with the secret of the app
    ");
    app.run("users delete ada@example.com --yes").success();
    assert_eq!(app.text("SELECT count(*) FROM two_factor"), "0");
}

fn two_factor() -> App {
    App::new(Variant { name: "two-factor", admin: false, ..DRIZZLE })
}

#[test]
fn factor_that_locks_the_user_out_is_explained_with_its_fix() {
    for (edit, code, state, fix) in [
        ("UPDATE two_factor SET locked_until = 4102444800000", "ACCOUNT_TEMPORARILY_LOCKED", "locked", "unlock"),
        ("UPDATE two_factor SET verified = 0", "TOTP_NOT_ENABLED", "unverified", "reset-2fa"),
        ("DELETE FROM two_factor", "TOTP_NOT_ENABLED", "missing", "reset-2fa"),
    ] {
        let app = two_factor();
        app.sql().execute_batch(edit).unwrap();
        let explained = app.run("users explain ada@example.com --json");
        assert_eq!(explained.code, 1, "{edit}: {explained}");
        let answer: serde_json::Value = serde_json::from_str(&explained.stdout).unwrap();
        assert_eq!((&answer["reasons"][0]["code"], &answer["secondFactor"]), (&code.into(), &state.into()), "{edit}");
        let hint = answer["reasons"][0]["hint"].as_str().unwrap();
        let command = hint.split('`').nth(1).unwrap().strip_prefix("authctl ").unwrap();
        assert!(command.contains(fix), "{edit}: {hint}");
        app.run(&format!("{command} --yes")).success();
        let after = app.run("users explain ada@example.com --json").json();
        assert_eq!(after["canSignIn"], true, "{edit}");
        assert_eq!(after["secondFactor"], if fix == "unlock" { "working" } else { "off" }, "{edit}");
    }
}

#[test]
fn reset_of_a_factor_asks_first_and_removes_both_halves() {
    let app = two_factor();
    let before = std::fs::read(app.path()).unwrap();
    let dry = app.run("users reset-2fa ada@example.com --dry-run --json").json();
    assert_eq!((&dry["wasEnabled"], &dry["factors"], &dry["changed"]), (&true.into(), &1.into(), &false.into()));
    let _ = app.run("users reset-2fa ada@example.com").failure(2);
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
    let done = app.run("users reset-2fa ada@example.com --yes --json").json();
    assert_eq!((&done["changed"], &done["user"]["twoFactorEnabled"]), (&true.into(), &false.into()));
    assert_eq!(
        app.text(
            "SELECT count(*) || (SELECT two_factor_enabled FROM user WHERE email = 'ada@example.com') FROM two_factor"
        ),
        "00"
    );
    assert_snapshot!(app.run("users reset-2fa ada@example.com --yes"), @"
    ------- stderr -------
    Ada Lovelace <ada@example.com> has no second factor in [HOME]/app.db; nothing was changed
    ");
    app.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
}

#[test]
fn reset_of_a_factor_ends_devices_under_hashed_identifiers() {
    let app = two_factor();
    let hashed = "'47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'";
    app.sql()
        .execute_batch(&format!(
            "INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
             SELECT email, {hashed}, id, 4102444800000, 1795465791000, 1795465791000 FROM user
             WHERE email IN ('ada@example.com', 'bob@example.com')"
        ))
        .unwrap();
    app.run("users reset-2fa ada@example.com --yes").success();
    let left = app.text(&format!("SELECT group_concat(id) FROM verification WHERE identifier = {hashed}"));
    assert_eq!(left, "bob@example.com");
}

#[test]
fn a_short_session_says_that_the_app_makes_it_long() {
    let app = App::new(KYSELY);
    let words = "signin ada@example.com --no-remember --print-token --password-stdin";
    let noted = app.run_with_input(words, PASSWORD).stderr;
    assert_snapshot!(noted, @"
    note: the app gives this session its usual life, of 7 days by default, when it is first used there
    signed in as Ada Lovelace <ada@example.com>; the session ends in 1 day
    ");
    let quiet = app.run_with_input(&format!("{words} --quiet"), PASSWORD);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn reading_extends_no_session_of_an_app() {
    let app = App::new(DRIZZLE);
    let sql = "UPDATE session SET updated_at = updated_at - 90000000, expires_at = updated_at + 604800000 - 90000000";
    app.sql().execute_batch(sql).unwrap();
    let before = std::fs::read(app.path()).unwrap();
    let token = app.text("SELECT token FROM session ORDER BY rowid LIMIT 1");
    app.run_as(&token, "whoami").success();
    assert!(std::fs::read(app.path()).unwrap() == before, "the file was written to");
}
