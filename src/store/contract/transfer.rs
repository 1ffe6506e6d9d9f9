//! Copies of a native database in a new place, from every engine to every engine.

use super::audit::{entries, is_whole};
use super::servers::{schema_of, url_of};
use super::*;
use crate::auth::audit::Actor;
use crate::auth::codes::Purpose;
use crate::auth::policy::KEYS;
use crate::auth::storage::{Depth, DoctorStore as _, NewCodeRow, UserQuery};
use crate::store::OpenError;
use crate::store::postgres;
use crate::store::transfer::{self, Contents, Place, Source, TransferError, TransferOptions, Transferred};

const TARGETS: &[TestEngine] = &[SQLITE_NATIVE, servers::NATIVE];

/// Runs a test from every native engine to every native engine.
fn between_engines(test: impl Fn(&Database, &Database) + Sync) {
    on_engines(
        |engine| engine.is_native,
        |from| {
            for target in TARGETS.iter().filter(|target| (target.is_there)()) {
                println!("to {}", target.name);
                let from = Database::new(from.engine);
                test(&from, &Database::missing(target));
            }
        },
    );
}

fn place(db: &Database) -> Place {
    if !db.engine.is_typed {
        return Place::File(db.path.clone());
    }
    let address = postgres::address_of(&format!("{}&application_name={}", url_of(&db.path), schema_of(&db.path)));
    Place::Server(address.into())
}

fn copy_with(from: &Database, to: &Database, advance: &mut dyn FnMut(u64)) -> Result<Transferred, TransferError> {
    let acting = Actor { at: at(50), ..Actor::default() }.into();
    let options = TransferOptions { names: ["the old one", "the new one"], acting: &acting, wait: WAIT };
    transfer::copy(&mut Source::open(&place(from), WAIT).unwrap(), &place(to), &options, advance)
}

fn copy(from: &Database, to: &Database) -> Result<Transferred, TransferError> {
    copy_with(from, to, &mut |_| {})
}

/// Adds many users as another program would.
fn add_users(db: &Database, count: usize) {
    let no = if db.engine.is_typed { "FALSE" } else { "0" };
    db.edit(&format!(
        r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
           WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
           SELECT 'u' || (7919 * i % 100003), 'N', 'u' || i || '@example.com', {no}, :then, :then FROM n"#
    ));
}

/// Users with everything that a row may have, whose ids are not in the order of insertion.
fn fill(db: &Database) {
    let mut store = two_users(db);
    let name = "Zoë 😀 'ﬁ' ?1 \n".to_owned();
    store.create_user(&NewUserRow { name, role: Some("admin".into()), ..new_user("aaa") }, None, None).unwrap();
    let stored = stored_code("ada", Some("countess"));
    let (purpose, code) = (Purpose::ChangeEmail, code("secret"));
    store.create_code(&NewCodeRow { id: "code".into(), purpose, code: &code, stored, now: at(0) }).unwrap();
    let key = KEYS.iter().find(|key| key.name == "session.lifetime").unwrap();
    store.set_policy(key, Some("30d"), at(4)).unwrap().unwrap();
    let [no, yes] = if db.engine.is_typed { ["FALSE", "TRUE"] } else { ["0", "1"] };
    db.edit(&format!(
        r#"UPDATE "user" SET "banned" = {yes}, "banReason" = 'spam', "banExpires" = :then, "emailVerified" = {yes},
           "image" = 'https://example.com/a.png', "twoFactorEnabled" = {no} WHERE "id" = 'bob';
           INSERT INTO "authctl_twoFactor" VALUES ('factor', 'key:00', 'a', 'ada', {yes}, 3, :then, 7);
           INSERT INTO "authctl_apikey" VALUES ('token', NULL, 'authctl_abcd', 'digest', 'ada', 'guard', :then, :then, NULL)"#
    ));
}

#[test]
fn copy_is_the_same_database_in_a_new_place() {
    between_engines(|from, to| {
        fill(from);
        let counted = Source::open(&place(from), WAIT).unwrap().count().unwrap();
        let mut advanced = 0;
        let Transferred { contents, digest, logged } = copy_with(from, to, &mut |rows| advanced += rows).unwrap();
        logged.unwrap();
        assert_eq!((&contents, advanced), (&counted, 2 * counted.total()));
        let Contents { users, accounts, sessions, codes, second_factors, tokens, settings, attempts, entries: logged } =
            contents;
        assert_eq!((second_factors, tokens), (1, 1));
        assert_eq!((users, accounts, sessions, codes, settings, attempts), (3, 2, 2, 1, 1, 2));

        let (mut old, mut new) = (from.store(), to.store());
        assert_eq!(old.settings().unwrap(), new.settings().unwrap());
        for name in ["ada", "bob", "aaa"] {
            assert_eq!(by_id(&mut *old, name), by_id(&mut *new, name));
            assert_eq!(stored_hash(&mut *old, name), stored_hash(&mut *new, name));
            assert_eq!(old.accounts(name).unwrap(), new.accounts(name).unwrap());
            assert_eq!(old.attempts(&attempts_of(name)).unwrap(), new.attempts(&attempts_of(name)).unwrap());
        }
        for token in ["adas", "bobs"].map(token_of) {
            assert!(new.session(&token).unwrap().is_some());
            assert_eq!(old.session(&token).unwrap(), new.session(&token).unwrap());
        }
        assert!(old.factor("ada").unwrap().is_some());
        assert_eq!(old.factor("ada").unwrap(), new.factor("ada").unwrap());
        assert_eq!(old.api_tokens(None).unwrap().unwrap(), new.api_tokens(None).unwrap().unwrap());
        let of_code = |store: &mut dyn Store| store.code(Purpose::ChangeEmail, &code("secret")).unwrap().unwrap();
        assert_eq!(of_code(&mut *old), of_code(&mut *new));

        // Both logs have an entry of their own after those that were copied.
        let [of_old, of_new] = [&mut old, &mut new].map(|store| entries(&mut **store, 0));
        assert_eq!(of_old[..of_old.len() - 1], of_new[..of_new.len() - 1]);
        assert_eq!(of_new.len() as u64, logged + 1);
        let [last_of_old, last_of_new] = [&of_old, &of_new].map(|log| log.last().unwrap());
        assert_eq!((last_of_old.event.as_str(), last_of_new.event.as_str()), ("database.copied", "database.copied"));
        assert_eq!(last_of_old.detail.as_deref(), Some("to the new one"));
        assert_eq!(last_of_new.detail.as_deref(), Some("from the old one"));
        assert!(is_whole(&mut *old) && is_whole(&mut *new));
        assert_eq!(to.open(WAIT).schema_differences().unwrap(), []);

        // The same rows have the same digest on every engine.
        let third = Database::missing(&SQLITE_NATIVE);
        let again = copy(to, &third).unwrap();
        assert_ne!(again.digest, digest, "there is one entry more");
        let fourth = Database::missing(&SQLITE_NATIVE);
        from.edit(r#"DELETE FROM "authctl_audit""#);
        to.edit(r#"DELETE FROM "authctl_audit""#);
        let fifth = Database::missing(&SQLITE_NATIVE);
        assert_eq!(copy(from, &fourth).unwrap().digest, copy(to, &fifth).unwrap().digest);
    });
}

#[test]
fn copy_goes_on_as_its_original_would() {
    between_engines(|from, to| {
        fill(from);
        copy(from, to).unwrap();
        let mut store = to.store();
        store.create_user(&new_user("eve"), Some(&hash_of("eve")), None).unwrap();
        begin(&mut *store, "eves", "eve", 10, 60);
        assert_eq!(store.end_session(&token_of("adas")).unwrap().unwrap().id, "adas");
        assert!(from.store().session(&token_of("adas")).unwrap().is_some(), "the old database is one of its own");
        // The index for searches has the users.
        for (text, found) in [("ada@", "ada"), ("eve@", "eve"), ("Zoë", "aaa")] {
            let query = UserQuery { search: Some(text.into()), limit: 9, ..UserQuery::default() };
            let users = store.users(&query).unwrap().users;
            assert_eq!(users.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), [found], "{text}");
        }
        assert!(is_whole(&mut *store));
        assert!(to.store().damage(Depth::Full).unwrap().is_empty());
    });
}

#[test]
fn many_rows_keep_their_order() {
    const MANY: usize = 1_203;
    between_engines(|from, to| {
        add_users(from, MANY);
        assert_eq!(copy(from, to).unwrap().contents.users, MANY as u64);
        let order = |db: &Database| {
            let by = if db.engine.is_typed { r#""seq""# } else { "rowid" };
            db.ask(&format!(r#"SELECT string_agg("id", ' ') FROM (SELECT "id" FROM "user" ORDER BY {by}) AS "u""#))
        };
        assert_eq!(order(from), order(to));
        assert_eq!(order(to).unwrap().split(' ').count(), MANY);
    });
}

#[test]
fn nothing_is_written_over() {
    between_engines(|from, to| {
        fill(from);
        (to.engine.create)(to.engine, &to.path);
        to.store().create_user(&new_user("theirs"), None, None).unwrap();
        let log = entries(&mut *from.store(), 0);
        let refused = copy(from, to).unwrap_err();
        let TransferError::Open(OpenError::Exists(_) | OpenError::Server(_)) = refused else { panic!("{refused:?}") };
        assert_eq!((to.count("user"), to.count("session")), (1, 0));
        assert_eq!(entries(&mut *from.store(), 0), log);
    });
}

#[test]
fn writers_wait_for_a_copy_and_readers_do_not() {
    between_engines(|from, to| {
        fill(from);
        let mut looked = 0;
        let mut look = |_| {
            looked += 1;
            let mut other = from.impatient();
            assert!(other.session(&token_of("adas")).unwrap().is_some());
            let written = other.create_user(&new_user("late"), None, None);
            assert!(matches!(written, Err(StoreError::Busy)), "{written:?}");
            // No other process takes a part of the copy for a database.
            assert!(transfer::require_vacant(&place(to), WAIT).is_ok());
        };
        copy_with(from, to, &mut look).unwrap();
        assert!(looked > 1);
        from.store().create_user(&new_user("late"), None, None).unwrap();
    });
}

#[test]
fn copy_whose_connection_breaks_leaves_nothing_and_begins_again() {
    if !(servers::NATIVE.is_there)() {
        return;
    }
    for cut in 1..9 {
        let (from, to) = (Database::new(&SQLITE_NATIVE), Database::missing(&servers::NATIVE));
        fill(&from);
        let mut parts = 0;
        let mut cut_off = |_| {
            parts += 1;
            if parts == cut {
                let its = format!("application_name = '{}' AND pid <> pg_backend_pid()", schema_of(&to.path));
                let sql = format!("SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE {its}");
                assert_eq!(postgres::server::run(&sql).as_deref(), Some("true"));
            }
        };
        let broken = copy_with(&from, &to, &mut cut_off);
        let broken = broken.map(|copied| copied.contents);
        assert!(matches!(broken, Err(TransferError::Write(StoreError::Disconnected(_)))), "part {cut}: {broken:?}");
        transfer::require_vacant(&place(&to), WAIT).unwrap();
        let log = entries(&mut *from.store(), 0);
        assert!(log.iter().all(|entry| entry.event != "database.copied"));
        copy(&from, &to).unwrap().logged.unwrap();
        assert!(is_whole(&mut *to.store()));
    }
}

/// The error about a value that cannot be copied: table, column and row. There is no new database then, and the old one
/// can be copied when the value is right.
fn refused(from: &Database, to: &Database, wrong: &str, right: &str) -> (&'static str, &'static str, String, String) {
    from.edit(wrong);
    let refused = copy(from, to).unwrap_err();
    transfer::require_vacant(&place(to), WAIT).unwrap();
    from.edit(right);
    copy(from, to).unwrap();
    match refused {
        TransferError::Read(StoreError::Inconsistent { table, column, row, problem })
        | TransferError::Write(StoreError::Inconsistent { table, column, row, problem }) => {
            (table, column, row, problem)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn odd_value_is_an_error_that_names_the_row() {
    let right = r#"UPDATE "user" SET "banned" = NULL, "banExpires" = NULL, "updatedAt" = :then;
        UPDATE "session" SET "userAgent" = NULL"#;
    for (wrong, table, column, row) in [
        (r#"UPDATE "user" SET "banned" = 2 WHERE "id" = 'bob'"#, "user", "banned", "bob"),
        (r#"UPDATE "user" SET "banExpires" = 99999999999999 WHERE "id" = 'ada'"#, "user", "banExpires", "ada"),
        (r#"UPDATE "user" SET "updatedAt" = -99999999999 WHERE "id" = 'ada'"#, "user", "updatedAt", "ada"),
        (
            r#"UPDATE "session" SET "userAgent" = CAST(x'ff' AS TEXT) WHERE "id" = 'bobs'"#,
            "session",
            "userAgent",
            "bobs",
        ),
    ] {
        for target in TARGETS.iter().filter(|target| (target.is_there)()) {
            let (from, to) = (Database::new(&SQLITE_NATIVE), Database::missing(target));
            two_users(&from);
            let found = refused(&from, &to, wrong, right);
            assert_eq!((found.0, found.1, found.2.as_str()), (table, column, row), "to {}", target.name);
        }
    }
}

/// The row that the new database refuses, and what it says.
fn refused_row(from: &Database, to: &Database) -> (&'static str, String, String) {
    let log = entries(&mut *from.store(), 0);
    let refused = copy(from, to).unwrap_err();
    let TransferError::Refused { table, row, problem } = refused else { panic!("{refused:?}") };
    transfer::require_vacant(&place(to), WAIT).unwrap();
    assert_eq!(entries(&mut *from.store(), 0), log);
    (table, row, problem)
}

#[test]
fn row_that_refers_to_no_user_is_named() {
    between_engines(|from, to| {
        two_users(from);
        from.orphan("bob");
        let (table, row, problem) = refused_row(from, to);
        assert_eq!((table, row.as_str()), ("session", "bobs"));
        assert!(problem.contains("refer to one that does not exist"), "{problem}");
        from.edit(r#"DELETE FROM "session" WHERE "id" = 'bobs'; DELETE FROM "account" WHERE "userId" = 'bob'"#);
        copy(from, to).unwrap();
    });
}

#[test]
fn text_too_long_for_an_index_is_copied_only_where_it_can_be_stored() {
    let from = Database::new(&SQLITE_NATIVE);
    add_users(&from, 700);
    // The server compresses what repeats.
    let long: String = (0..400).map(|n: u32| crate::auth::secret::digest(n.to_string())).collect();
    from.edit(&format!(r#"UPDATE "user" SET "name" = '{long}' WHERE "email" = 'u600@example.com'"#));
    copy(&from, &Database::missing(&SQLITE_NATIVE)).unwrap();
    if (servers::NATIVE.is_there)() {
        let (table, row, problem) = refused_row(&from, &Database::missing(&servers::NATIVE));
        let id = from.ask(r#"SELECT "id" FROM "user" WHERE "email" = 'u600@example.com'"#);
        assert_eq!((table, Some(row)), ("user", id));
        assert!(problem.contains("too large for the server"), "{problem}");
    }
}

#[test]
fn text_with_nul_is_copied_only_where_it_can_be_stored() {
    let wrong = r#"UPDATE "session" SET "userAgent" = 'a' || char(0) || 'b' WHERE "id" = 'bobs'"#;
    let from = Database::new(&SQLITE_NATIVE);
    two_users(&from);
    from.edit(wrong);
    let to = Database::missing(&SQLITE_NATIVE);
    copy(&from, &to).unwrap();
    let kept = r#"SELECT hex("userAgent") FROM "session" WHERE "id" = 'bobs'"#;
    assert_eq!(to.ask(kept).as_deref(), Some("610062"));
    if (servers::NATIVE.is_there)() {
        let to = Database::missing(&servers::NATIVE);
        let (table, column, row, problem) = refused(&from, &to, wrong, r#"UPDATE "session" SET "userAgent" = NULL"#);
        assert_eq!((table, column, row.as_str()), ("session", "userAgent", "bobs"));
        assert!(problem.contains("NUL"), "{problem}");
    }
}

#[test]
fn additions_of_other_programs_are_named() {
    on_engines(
        |engine| engine.is_native,
        |db| {
            let additions = || Source::open(&place(db), WAIT).unwrap().additions().unwrap();
            assert!(additions().is_empty());
            db.edit(r#"CREATE TABLE "notes" ("text" TEXT)"#);
            assert!(additions().contains(&"table notes".to_owned()), "{:?}", additions());
        },
    );
}
