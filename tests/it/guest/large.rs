//! Rows with values larger than authctl reads: images as `data:` URLs, provider tokens, user agents. All
//! commands work on such users, and no data is lost.

use rusqlite::Connection;

use crate::app::{ARTICLE, App, DRIZZLE, KYSELY, Variant};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

/// Larger than the limit for an image.
const LARGE: usize = 3_000_000;
/// Below the limit, but with the rest of the row more than a megabyte.
const READABLE: usize = 999_990;

fn picture(bytes: usize) -> String {
    format!("'data:image/png;base64,' || substr(hex(zeroblob({bytes})), 1, {bytes} - 22)")
}

/// An app where all of Bob's values that can be large are large.
fn app(variant: Variant) -> App {
    App::changed(variant, |sql| {
        let snake =
            |name: &str| if variant.snake { name.replace("Id", "_id").replace("Agent", "_agent") } else { name.into() };
        let (user_id, user_agent) = (snake("userId"), snake("userAgent"));
        let token = if variant.snake { "access_token" } else { "accessToken" };
        let bob = format!("{user_id} = (SELECT id FROM user WHERE email = 'bob@example.com')");
        let statements = [
            format!("UPDATE user SET image = {} WHERE email = 'bob@example.com'", picture(LARGE)),
            format!("UPDATE user SET image = {} WHERE email = 'ada@example.com'", picture(READABLE)),
            format!("UPDATE session SET {user_agent} = hex(zeroblob({LARGE})) WHERE {bob}"),
            format!("UPDATE account SET {token} = hex(zeroblob({LARGE})) WHERE {bob}"),
            format!("UPDATE verification SET value = hex(zeroblob({LARGE}))"),
        ];
        sql.execute_batch(&statements.join(";")).unwrap();
        verification(sql, variant);
    })
}

/// A large row of the app's own.
fn verification(sql: &Connection, variant: Variant) {
    let (end, made) = match variant.name {
        "kysely" => ("'2100-01-01T00:00:00.000Z'", "'2026-01-01T00:00:00.000Z'"),
        "article" => ("4102444800", "1767225600"),
        _ => ("4102444800000", "1767225600000"),
    };
    let statement = format!(
        "INSERT INTO verification VALUES ('large', 'oauth-state', hex(zeroblob({LARGE})), {end}, {made}, {made})"
    );
    sql.execute_batch(&statement).unwrap();
}

fn image_bytes(app: &App) -> String {
    app.text("SELECT octet_length(image) FROM user WHERE email = 'bob@example.com'")
}

#[test]
fn user_with_a_large_row_is_listed_and_shown() {
    for variant in [KYSELY, DRIZZLE, ARTICLE] {
        let app = app(variant);
        for sort in ["", " --sort email", " --sort created", " --search b"] {
            assert!(app.run(&format!("users list{sort}")).success().contains("bob@example.com"), "{}", variant.name);
        }
        let list = app.run("users list --json --sort email").json();
        let [ada, bob] = [&list["users"][0], &list["users"][1]];
        assert_eq!((ada["image"].as_str().unwrap().len(), &ada["imageBytes"]), (READABLE, &serde_json::Value::Null));
        assert_eq!((&bob["image"], bob["imageBytes"].as_u64()), (&serde_json::Value::Null, Some(LARGE as u64)));
        let shown = app.run("users show bob@example.com").success();
        assert!(shown.contains("(3000000 bytes, left out)"), "{shown}");
        let shown = app.run("users show ada@example.com").success();
        assert!(shown.len() < 2000 && shown.contains("... (999990 bytes)"), "{shown}");
        let sessions = app.run("sessions list --all-users --json").json();
        let agents = sessions["sessions"].as_array().unwrap().iter().map(|one| one["userAgent"].to_string());
        assert!(agents.into_iter().any(|agent| agent.contains("(6000000 bytes, left out)")), "{}", variant.name);
        app.run("doctor").success();
        app.run("db check").success();
        app.run("db status").success();
    }
}

#[test]
fn user_with_a_large_row_is_managed_and_keeps_it() {
    for variant in [KYSELY, DRIZZLE] {
        let app = app(variant);
        app.sandbox.file("pw", OTHER_PASSWORD);
        app.run("users update bob@example.com --name Robert").success();
        app.run("users verify-email bob@example.com").success();
        app.run("users set-role bob@example.com editor").success();
        app.run("users set-password bob@example.com --password-file pw --keep-sessions").success();
        app.run("users ban bob@example.com --yes").success();
        app.run("users unban bob@example.com").success();
        app.run_with_input("signin bob@example.com --no-store --password-stdin", OTHER_PASSWORD).success();
        app.run("users reset-code bob@example.com").success();
        app.run("sessions revoke --user bob@example.com --all --yes").success();
        assert_eq!(image_bytes(&app), LARGE.to_string(), "{}", variant.name);
        assert_eq!(app.text("SELECT octet_length(value) FROM {verification} WHERE id = 'large'"), "6000000");
        app.run("users delete bob@example.com --yes").success();
        assert_eq!(app.text("SELECT count(*) FROM user WHERE email = 'bob@example.com'"), "0");
        assert_eq!(app.text("SELECT count(*) FROM {verification} WHERE id = 'large'"), "1");
    }
}

/// Email address and token are indexed. Deleting a row reads the index entries.
#[test]
fn user_with_large_values_hides_no_other_and_is_deletable() {
    for variant in [KYSELY, DRIZZLE] {
        let user_id = if variant.snake { "user_id" } else { "userId" };
        let app = App::changed(variant, |sql| {
            let large = format!("hex(zeroblob({LARGE}))");
            let bob = format!("{user_id} = (SELECT id FROM user WHERE name = 'Bob')");
            let statements = [
                format!("UPDATE session SET token = {large} WHERE {bob}"),
                format!("UPDATE account SET password = {large} WHERE {bob}"),
                format!("UPDATE user SET email = {large}, role = {large} WHERE name = 'Bob'"),
            ];
            sql.execute_batch(&statements.join(";")).unwrap();
        });
        let bob = app.text("SELECT id FROM user WHERE name = 'Bob'");
        for options in ["", " --sort email", " --sort created", " --search ada", " --role admin", " --role user"] {
            let ran = app.run(&format!("users list{options} --json"));
            assert_eq!(ran.code, 0, "{}{options}: {ran}", variant.name);
        }
        let list = app.run("users list").success();
        assert!(list.contains("(6000000 bytes, left out)") && list.contains("ada@example.com"), "{list}");
        app.run("sessions list --all-users").success();
        let doctor = app.run("doctor");
        assert!(doctor.code <= 1 && !doctor.stdout.contains("allows"), "{doctor}");
        app.run(&format!("users show {bob}")).success();
        app.run(&format!("sessions revoke --user {bob} --all --yes")).success();
        app.run(&format!("users set-role {bob} editor")).success();
        app.run(&format!("users delete {bob} --yes")).success();
        assert_eq!(app.text("SELECT count(*) FROM user WHERE name = 'Bob'"), "0");
    }
}

#[test]
fn large_image_can_be_replaced() {
    let app = app(KYSELY);
    app.run("users update bob@example.com --image https://example.com/bob.png").success();
    assert_eq!(app.text("SELECT image FROM user WHERE email = 'bob@example.com'"), "https://example.com/bob.png");
    let log = app.run("audit list --event user.updated --json").json();
    assert!(log.to_string().contains("(3000000 bytes, left out)"), "{log}");
}

#[test]
fn native_database_with_a_large_picture_is_managed_alike() {
    let sandbox = crate::sandbox::Sandbox::with_ada();
    sandbox.execute(&format!("UPDATE user SET image = {}", picture(LARGE)));
    assert!(sandbox.run("users list").success().contains("ada@example.com"));
    sandbox.run("whoami").success();
    sandbox.run("users update ada@example.com --name Augusta").success();
    sandbox.run_with_input("signin ada@example.com --no-store --password-stdin", PASSWORD).success();
    assert_eq!(sandbox.number("SELECT octet_length(image) FROM user"), i64::try_from(LARGE).unwrap());
    sandbox.run("users delete ada@example.com --yes --force-last-admin").success();
}

/// A row larger than the limit for updates can be read, and its user can be deleted.
#[test]
fn row_beyond_every_limit_is_refused_with_its_reason() {
    let app = App::changed(KYSELY, |sql| {
        // A single value, because authctl's limit for SQLite's heap applies to this process too.
        sql.execute_batch("UPDATE user SET image = zeroblob(52000000) WHERE email = 'bob@example.com'").unwrap();
    });
    assert!(app.run("users list").success().contains("bob@example.com"));
    let error = app.run("users ban bob@example.com --yes --json").json_error(9);
    assert_eq!(error["code"], "DATABASE_LIMIT");
    assert!(error["message"].as_str().unwrap().contains("a value or a row is too large"), "{error}");
    app.run("users delete bob@example.com --yes").success();
}

/// Pages that refer to the same page repeatedly: a file of a few kilobytes with an endless number of rows.
#[test]
fn exponential_page_tree_is_bounded() {
    let app = App::new(DRIZZLE);
    grow(&app);
    // SQLite alone reads the rows of a search, so that the limit of its steps is reached soon. `doctor` reads them here.
    let search = app.sandbox.finish(&mut app.command("users list --search unknown --json"));
    assert_eq!(search.json_error(9)["code"], "DATABASE_LIMIT");
    // A page of users takes the first rows alone.
    app.sandbox.finish(&mut app.command("users list")).success();
    let doctor = app.sandbox.finish(&mut app.command("doctor"));
    assert!(doctor.code == 1 && doctor.stdout.contains("the file is damaged"), "{doctor}");
    assert_eq!(doctor.stdout.matches("takes more than authctl allows").count(), 1, "{doctor}");
}

fn grow(app: &App) {
    let sql = app.sql();
    sql.execute_batch("CREATE TABLE p1 (a); CREATE TABLE p2 (a); CREATE TABLE p3 (a); CREATE TABLE p4 (a)").unwrap();
    let root = |name: &str| -> usize {
        sql.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get::<_, u16>(0))
            .unwrap()
            .into()
    };
    let pages = ["user", "p1", "p2", "p3", "p4"].map(root);
    let size: usize = sql.pragma_query_value(None, "page_size", |row| row.get::<_, u16>(0)).unwrap().into();
    drop(sql);
    let mut file = std::fs::read(app.path()).unwrap();
    let place = |page: usize| (page - 1) * size..page * size;
    let leaf = file[place(pages[0])].to_vec();
    file[place(pages[4])].copy_from_slice(&leaf);
    for pair in pages.windows(2) {
        let page = inner_page(size, u32::try_from(pair[1]).unwrap());
        file[place(pair[0])].copy_from_slice(&page);
    }
    std::fs::write(app.path(), file).unwrap();
}

/// An interior page of a table whose cells all refer to the same child (SQLite file format, section 1.6).
fn inner_page(size: usize, child: u32) -> Vec<u8> {
    const CELLS: u16 = 400;
    const CELL_BYTES: u16 = 5;
    let mut page = vec![0; size];
    let start = u16::try_from(size).unwrap() - CELLS * CELL_BYTES;
    page[0] = 5;
    page[3..5].copy_from_slice(&CELLS.to_be_bytes());
    page[5..7].copy_from_slice(&start.to_be_bytes());
    page[8..12].copy_from_slice(&child.to_be_bytes());
    for cell in 0..CELLS {
        let (pointer, place) = (12 + usize::from(cell) * 2, start + cell * CELL_BYTES);
        page[pointer..pointer + 2].copy_from_slice(&place.to_be_bytes());
        let place = usize::from(place);
        page[place..place + 4].copy_from_slice(&child.to_be_bytes());
        page[place + 4] = 0x7f;
    }
    page
}
