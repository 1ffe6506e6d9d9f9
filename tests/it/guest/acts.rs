//! Acts on accounts in databases created by the real library, for every kind of app: each act leaves the same
//! rows as the app would.

use rusqlite::types::Value;

use crate::app::{App, Ids, KYSELY, Time, Variant};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

const SQUARE: Variant = Variant { snake: true, time: Time::Milliseconds, ..KYSELY };

macro_rules! variants {
    ($($test:ident: $variant:expr,)*) => {$(
        #[test]
        fn $test() {
            everything(&App::new($variant), $variant);
        }
    )*};
}

variants! {
    a_guest_of_the_articles_app: Variant { name: "article", time: Time::Seconds, admin: false, ..KYSELY },
    a_guest_of_drizzle: Variant { name: "drizzle-ms", ..SQUARE },
    a_guest_of_drizzle_as_it_was: Variant { name: "drizzle-s", time: Time::Seconds, ..SQUARE },
    a_guest_of_drizzle_with_names_in_the_plural: Variant { name: "plural", plural: true, ..SQUARE },
    a_guest_of_drizzle_with_numbers_for_ids: Variant { name: "integer-ids", ids: Ids::Serial, ..SQUARE },
    a_guest_of_drizzle_with_uuids: Variant { name: "uuid-ids", ids: Ids::Uuid, ..SQUARE },
    a_guest_of_kysely: KYSELY,
    a_guest_of_kysely_without_plugins: Variant { name: "kysely-plain", admin: false, ..KYSELY },
    a_guest_of_prisma: Variant { name: "prisma-text", time: Time::Text("+00:00"), ..KYSELY },
    a_guest_of_prisma_with_milliseconds: Variant { name: "prisma-ms", time: Time::Milliseconds, ..KYSELY },
    a_guest_of_an_app_with_user_names: Variant { name: "username", admin: false, ..SQUARE },
    a_guest_of_an_app_with_issuers: Variant { name: "issuer", ..KYSELY },
    a_guest_of_an_app_with_argon2:
        Variant { name: "argon2", time: Time::Seconds, admin: false, hash: ("$argon2id$v=19$m=65536,t=3,p=4$", 0), ..KYSELY },
    a_guest_of_an_app_with_bcrypt:
        Variant { name: "bcrypt", time: Time::Seconds, admin: false, hash: ("$2b$10$", 60), ..KYSELY },
}

/// One database for many acts, because a password hash takes longer than everything else.
fn everything(app: &App, variant: Variant) {
    the_people_of_the_app_are_seen(app, variant);
    a_user_is_made_and_signs_in(app, variant);
    a_password_is_set(app, variant);
    codes_of_both_sides_count(app);
    an_address_is_verified_and_a_user_deleted(app);
    app.run("audit verify").success();
    let entries = app.run("audit list --json").json();
    assert!(entries["entries"].as_array().unwrap().len() > 10, "{entries}");
}

fn the_people_of_the_app_are_seen(app: &App, variant: Variant) {
    let users = app.run("users list --json").json();
    let emails: Vec<&str> =
        users["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
    assert_eq!(emails.len(), 5, "{emails:?}");
    let mallory = app.run("users show mallory@example.com --json").json();
    assert_eq!(mallory["user"]["banned"], variant.admin, "{mallory}");
    let sessions = app.run("sessions list --all-users --json").json();
    assert!(sessions["sessions"].as_array().unwrap().len() >= 3, "{sessions}");

    // Hashes and passwords made by the library. One variant of each scheme is enough, because sign-ins are slow.
    if ["kysely", "argon2", "bcrypt"].contains(&variant.name) {
        for (email, password) in [("bob", "\u{fb01}nger-\u{c5}ngstr\u{f6}m-9"), ("ada", PASSWORD), ("emo", "😀😀😀😀")]
        {
            let words = format!("signin {email}@example.com --no-store --password-stdin");
            app.run_with_input(&words, password).success();
        }
        app.run_with_input("signin ada@example.com --no-store --password-stdin", OTHER_PASSWORD).failure(7);
    }
    if variant.admin {
        let explained = app.run("users explain mallory@example.com --json");
        assert!(explained.code == 1 && explained.stdout.contains("BANNED_USER"), "{explained}");
        assert!(explained.stdout.contains("spam"), "{explained}");
    }
    if variant.name == "kysely" {
        let words = "signin mallory@example.com --no-store --password-stdin";
        assert!(app.run_with_input(words, "mallory-was-here-1").failure(5).contains("spam"));
    }

    // The library's own token. Reading writes nothing.
    let before = std::fs::read(app.path()).unwrap();
    let token = app.text("SELECT token FROM {session} WHERE {.ipAddress} <> '' ORDER BY rowid LIMIT 1");
    let me = app.run_as(&token, "whoami --json").json();
    assert_eq!(me["session"]["ipAddress"], "203.0.113.7", "{me}");
    assert_eq!(me["session"]["expiresAt"], "2100-01-01T00:00:00.000Z", "{me}");
    app.run_as(&token, "sessions list").success();
    assert!(std::fs::read(app.path()).unwrap() == before, "{} was written to by looking", variant.name);
}

fn a_user_is_made_and_signs_in(app: &App, variant: Variant) {
    let made = app.run("users create New@Example.com --name New --generate --json").json();
    let password = made["password"].as_str().unwrap();
    for instant in ["createdAt", "updatedAt"] {
        app.assert_instant(&format!("SELECT {{.{instant}}} FROM {{user}} WHERE email = 'new@example.com'"));
        app.assert_instant(&format!("SELECT {{.{instant}}} FROM {{account}} ORDER BY rowid DESC LIMIT 1"));
    }
    app.assert_id("SELECT id FROM {user} WHERE email = 'new@example.com'");
    app.assert_id("SELECT id FROM {account} ORDER BY rowid DESC LIMIT 1");
    let found = app.row(
        "SELECT {.providerId}, {.accountId} = {.userId}, {.userId} = (SELECT id FROM {user} WHERE email = 'new@example.com')
         FROM {account} ORDER BY rowid DESC LIMIT 1",
    );
    assert_eq!(found, [Value::Text("credential".into()), Value::Integer(1), Value::Integer(1)]);
    let hash = app.text("SELECT password FROM {account} ORDER BY rowid DESC LIMIT 1");
    let (start, length) = variant.hash;
    assert!(hash.starts_with(start) && (length == 0 || hash.len() == length), "{hash}");
    if variant.admin {
        let plugin = app.row("SELECT role, banned FROM {user} WHERE email = 'new@example.com'");
        assert_eq!(plugin, [Value::Text("user".into()), Value::Integer(0)]);
    }
    if variant.name == "issuer" {
        assert_eq!(app.text("SELECT issuer FROM account ORDER BY rowid DESC LIMIT 1"), "local:credential");
    }

    let token = app.run_with_input("signin new@example.com --password-stdin --print-token", password).success();
    let session = app.row("SELECT token, {.ipAddress} FROM {session} ORDER BY rowid DESC LIMIT 1");
    assert_eq!(session, [Value::Text(token.trim().into()), Value::Text(String::new())]);
    assert!(token.trim().len() == 32 && token.trim().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    for instant in ["createdAt", "updatedAt", "expiresAt"] {
        app.assert_instant(&format!("SELECT {{.{instant}}} FROM {{session}} ORDER BY rowid DESC LIMIT 1"));
    }
    app.assert_id("SELECT id FROM {session} ORDER BY rowid DESC LIMIT 1");
    assert_eq!(app.run_as(token.trim(), "whoami --json").json()["user"]["email"], "new@example.com");
    app.run_as(token.trim(), "signout").success();
    app.run_as(token.trim(), "whoami").failure(4);
}

fn a_password_is_set(app: &App, variant: Variant) {
    let updated = "SELECT {.updatedAt} FROM {account} WHERE {.accountId} = (SELECT id FROM {user} WHERE email = 'ada@example.com')";
    let before = app.value(updated);
    let hash = app.text(&updated.replace("{.updatedAt}", "password"));
    let stderr = app.run_with_input("users set-password ada@example.com --password-stdin", OTHER_PASSWORD).stderr;
    assert!(stderr.contains("note: if the app caches sessions in cookies"), "{stderr}");
    assert_ne!(app.value(updated), before, "{}", variant.name);
    app.assert_instant(updated);
    let set = app.text(&updated.replace("{.updatedAt}", "password"));
    let (start, length) = variant.hash;
    assert!(set != hash && set.starts_with(start) && (length == 0 || set.len() == length), "{set}");
    let sessions =
        "SELECT count(*) FROM {session} WHERE {.userId} = (SELECT id FROM {user} WHERE email = 'ada@example.com')";
    assert_eq!(app.text(sessions), "0");
}

fn codes_of_both_sides_count(app: &App) {
    // A code of the app, as its mail would contain it.
    let pending = app.text("SELECT identifier FROM {verification} WHERE identifier LIKE 'reset-password:%'");
    let code = pending.strip_prefix("reset-password:").unwrap();
    app.run_with_input("password reset --code-stdin --password-stdin", format!("{code}\n{OTHER_PASSWORD}")).success();
    app.run_with_input("signin bob@example.com --no-store --password-stdin", OTHER_PASSWORD).success();

    // A code of authctl in the app's format.
    let code = app.run("users reset-code emo@example.com").success();
    let row = "FROM {verification} ORDER BY rowid DESC LIMIT 1";
    assert_eq!(app.text(&format!("SELECT identifier {row}")), format!("reset-password:{}", code.trim()));
    assert_eq!(code.trim().len(), 24);
    assert_eq!(
        app.text(&format!("SELECT value {row}")),
        app.text("SELECT id FROM {user} WHERE email = 'emo@example.com'")
    );
    app.assert_id(&format!("SELECT id {row}"));
    for instant in ["createdAt", "updatedAt", "expiresAt"] {
        app.assert_instant(&format!("SELECT {{.{instant}}} {row}"));
    }
}

fn an_address_is_verified_and_a_user_deleted(app: &App) {
    app.run("users verify-email emo@example.com").success();
    let emo = "FROM {user} WHERE email = 'emo@example.com'";
    assert_eq!(app.text(&format!("SELECT {{.emailVerified}} {emo}")), "1");
    app.assert_instant(&format!("SELECT {{.updatedAt}} {emo}"));
    let id = app.text(&format!("SELECT id {emo}"));
    app.run("users delete emo@example.com --yes").success();
    for (table, column) in
        [("user", "id"), ("session", "{.userId}"), ("account", "{.userId}"), ("verification", "value")]
    {
        assert_eq!(app.text(&format!("SELECT count(*) FROM {{{table}}} WHERE {column} = '{id}'")), "0", "{table}");
    }
    app.run("users show emo@example.com").failure(3);
}
