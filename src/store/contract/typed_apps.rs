//! Apps on a server whose columns have types of their own: ids that are numbers or UUIDs, words of an enum, and tables in
//! other schemas.

use super::audit::{entries, is_whole};
use super::plugins::lockdown;
use super::servers::{self, schema_of};
use super::*;
use crate::auth::access::AccessKind;
use crate::auth::codes::Purpose;
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{
    Ban, CodeEffect, CodeProof, CodeUse, Constraint, NewCodeRow, UserChange, UserQuery, UserSort,
};
use crate::auth::{ActAs, AuthError};

/// Runs a test on an app with changes of its tables.
pub(super) fn on_app(engine: &'static TestEngine, changes: &str, test: impl Fn(&Database)) {
    if (engine.is_there)() {
        let db = Database::new(engine);
        db.edit(changes);
        test(&db);
    }
}

/// Adds a user with the hash `hash of NAME`.
fn add(store: &mut dyn Store, name: &str) -> String {
    store.create_user(&new_user(name), Some(&hash_of(name)), None).unwrap().0.id
}

fn all() -> UserQuery {
    UserQuery { limit: 100, ..UserQuery::default() }
}

fn role(role: &str) -> UserChange {
    UserChange { role: Some(Some(role.into())), ..UserChange::default() }
}

pub(super) const ENGINES: [&TestEngine; 6] =
    [&servers::SERIAL, &servers::UUID, &servers::PRISMA, &servers::LOCAL, &servers::NUMBERS, &servers::TEXTS];

#[test]
fn every_act_finds_its_rows_whatever_the_types_are() {
    for engine in ENGINES {
        println!("on {}", engine.name);
        on_app(engine, "SELECT 1", |db| {
            let mut store = db.store();
            let store = &mut *store;
            let (ada, bob) = (add(store, "ada"), add(store, "bob"));
            let again = store.create_user(&NewUserRow { id: "other".into(), ..new_user("ada") }, None, None);
            assert!(matches!(again, Err(StoreError::EmailTaken)), "{again:?}");
            assert_eq!(stored_hash(store, &ada).as_deref(), Some("hash of ada"));
            let adas = begin(store, "adas", &ada, 0, 60);
            begin(store, "bobs", &bob, 0, 60);
            assert_eq!((adas.user_id.as_str(), adas.expires_at), (ada.as_str(), at(60)));
            let (session, user) = store.session(&token_of("adas")).unwrap().unwrap();
            assert_eq!((&session.id, &user.id, user.created_at), (&adas.id, &ada, at(0)));
            let acting =
                NewSessionRow { impersonated_by: Some(ada.clone()), ..new_session("acting", &bob, at(1), at(50)) };
            store.update_user(&ada, &role("admin"), AdminGuard::Off, at(1)).unwrap().unwrap();
            store.issue_session(&acting, ActAs::NonAdmins).unwrap().unwrap();
            assert_eq!(
                store.account_access(&ada, at(5)).unwrap().unwrap().counts.of(AccessKind::Impersonation),
                Some(1)
            );
            let code = code("secret");
            let stored = StoredCode { user_id: bob.clone(), ..stored_code("bob", None) };
            let purpose = Purpose::EmailVerification;
            store.create_code(&NewCodeRow { id: "c".into(), purpose, code: &code, stored, now: at(0) }).unwrap();
            let verified = UserChange { email_verified: Some(true), ..UserChange::default() };
            let effect = CodeEffect::User(&verified);
            let request = CodeUse { purpose, code: &code, proof: CodeProof::Nothing, effect, now: at(9) };
            assert!(store.use_code(&request).unwrap().unwrap().0.email_verified);
            let ban = Some(Ban::Imposed { reason: Some("spam".into()), until: Some(at(90)) });
            let banned = UserChange { ban, ..UserChange::default() };
            let user = store.update_user(&bob, &banned, AdminGuard::Off, at(9)).unwrap().unwrap().user;
            assert_eq!((user.banned, user.ban_expires), (true, Some(at(90))));
            let query = |now| UserQuery { banned_at: Some(at(now)), ..all() };
            assert_eq!([50, 95].map(|now| store.users(&query(now)).unwrap().users.len()), [1, 0]);
            set_password(store, &bob, "new", Some(Which::All), 30).unwrap().unwrap();
            assert_eq!(store.sessions(&bob).unwrap(), []);
            assert_eq!((store.count_expired(at(59)).unwrap(), store.count_expired(at(60)).unwrap()), (0, 1));
            assert_eq!(store.prune(at(60), &mut Pruning::by(9)).unwrap(), 1);
            assert_eq!((store.orphans().unwrap().count(), store.stray_accounts().unwrap().all), (0, 0));
            assert_eq!((store.odd_rows(9).unwrap().rows, store.broken_references().unwrap()), (0, Vec::new()));
            for sort in [UserSort::Email, UserSort::Name, UserSort::Created] {
                let first = store.users(&UserQuery { sort, limit: 1, ..all() }).unwrap();
                let after = UserQuery { sort, after: first.next, ..all() };
                assert_eq!(store.users(&after).unwrap().users.len(), 1, "{sort:?}");
            }
            let gone = delete_user(store, &bob, AdminGuard::Off, at(99)).unwrap().unwrap();
            assert_eq!((gone.accounts, store.users(&all()).unwrap().users.len()), (1, 1));
        });
    }
}

#[test]
fn id_of_another_type_names_no_row() {
    for engine in [&servers::SERIAL, &servers::UUID] {
        on_app(engine, "SELECT 1", |db| {
            let mut store = db.store();
            let store = &mut *store;
            add(store, "ada");
            for id in ["ada", "", "0", "99999999999", "99999999999999999999", "00000000-0000-4000-8000-000000000000"] {
                assert_eq!(by_id(store, id), None, "{id}");
                assert_eq!((store.sessions(id).unwrap(), store.session_by_id(id).unwrap()), (Vec::new(), None), "{id}");
                assert_eq!(stored_hash(store, id), None, "{id}");
                assert_eq!(store.end_sessions_by_id(&[id.to_owned()], &[]).unwrap(), [], "{id}");
                let renamed = UserChange { name: Some("x".into()), ..UserChange::default() };
                let refused = store.update_user(id, &renamed, AdminGuard::Off, at(1)).unwrap();
                assert!(matches!(refused, Err(AuthError::NoSuchUser(_))), "{id}");
            }
        });
    }
}

/// The role of a new user is a word of the column's type, and another one is refused with those that it takes.
#[test]
fn role_is_a_word_of_an_enum() {
    let kind = r#"CREATE TYPE kind AS ENUM ('USER', 'ADMIN', 'STUDENT');
                  ALTER TABLE "user" ALTER "role" TYPE kind USING "role"::kind"#;
    let check = r#"ALTER TABLE "user" ADD CHECK ("role" IN ('USER', 'ADMIN', 'STUDENT'))"#;
    for changes in [kind, check] {
        on_app(&servers::KYSELY, changes, |db| {
            let mut store = db.store();
            let (ada, _) = store.create_user(&new_user("ada"), None, None).unwrap();
            assert_eq!(ada.role.as_deref(), Some("USER"));
            let mut set = |word: &str| store.update_user("ada", &role(word), AdminGuard::Off, at(1));
            match set("king") {
                Err(StoreError::Constraint(Constraint::Role { place, refused, taken })) => {
                    assert_eq!((place.as_str(), refused.as_str()), ("user.role", "king"));
                    assert_eq!(taken, ["USER", "ADMIN", "STUDENT"]);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(set("ADMIN").unwrap().unwrap().user.role.as_deref(), Some("ADMIN"));
            let admins = UserQuery { role: Some("ADMIN".into()), ..all() };
            assert_eq!(store.users(&admins).unwrap().users.len(), 1);
            store
                .delete_user(&DeletionRequest {
                    id: "ada",
                    guard: AdminGuard::KeepLastAdmin,
                    force_shared: false,
                    new_owner: None,
                    now: at(2),
                })
                .unwrap()
                .unwrap();
        });
    }
}

#[test]
fn limits_of_columns_are_told_as_those_of_the_app() {
    let changes = r#"ALTER TABLE "user" ALTER "name" TYPE varchar(5);
                     ALTER TABLE "user" ADD COLUMN "team" text NOT NULL DEFAULT 't' CHECK ("team" <> 'x')"#;
    on_app(&servers::KYSELY, changes, |db| {
        let mut store = db.with(&["ada"]);
        let mut name = |name: &str| {
            let change = UserChange { name: Some(name.into()), ..UserChange::default() };
            store.update_user("ada", &change, AdminGuard::Off, at(1)).map(|done| done.unwrap().user.name)
        };
        assert!(matches!(name("Augusta"), Err(StoreError::Constraint(Constraint::Other(_)))));
        assert_eq!(name("Ada").unwrap(), "Ada");
        let schema = schema_of(&db.path);
        servers::run_in_apps(&format!(
            r#"SET search_path = "{schema}";
               CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not today'; END$$;
               CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
               CREATE TRIGGER refuse BEFORE UPDATE ON "user" FOR EACH ROW EXECUTE FUNCTION refuse();
               CREATE TRIGGER skip BEFORE INSERT ON "user" FOR EACH ROW EXECUTE FUNCTION skip()"#
        ));
        match name("Eve") {
            Err(StoreError::Trigger(words)) => assert_eq!(words, "not today"),
            other => panic!("{other:?}"),
        }
        let skipped = db.store().create_user(&new_user("bob"), None, None);
        assert!(matches!(skipped, Err(StoreError::Trigger(_))), "{skipped:?}");
    });
}

/// Columns that compare addresses without regard to case, as some apps have them.
#[test]
fn address_in_another_case_is_taken() {
    let changes = r#"ALTER TABLE "user" ALTER "email" TYPE public.citext"#;
    if !(servers::KYSELY.is_there)() {
        return;
    }
    servers::run_in_apps("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public");
    on_app(&servers::KYSELY, changes, |db| {
        let mut store = db.with(&["ada"]);
        db.edit(r#"UPDATE "user" SET "email" = 'ADA@example.com'"#);
        let taken = store.create_user(&NewUserRow { id: "other".into(), ..new_user("ada") }, None, None);
        assert!(matches!(taken, Err(StoreError::EmailTaken)), "{taken:?}");
        assert_eq!(names_of(&store.users_with_address("ada@example.com").unwrap()), ["ada"]);
    });
}

fn names_of(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.id.as_str()).collect()
}

/// Tables of other schemas go with their users as those of the app's own do, and keep them likewise.
#[test]
fn rows_in_another_schema_go_or_keep_the_user() {
    on_app(&servers::DRIZZLE, "SELECT 1", |db| {
        let own = schema_of(&db.path);
        let made = |action: &str| {
            servers::run_in_apps(&format!(
                r#"DROP SCHEMA IF EXISTS "{own}_blog" CASCADE; CREATE SCHEMA "{own}_blog"; SET search_path = "{own}_blog";
                   CREATE TABLE post (id int PRIMARY KEY, author text REFERENCES "{own}"."user" (id) ON DELETE {action});
                   CREATE TABLE "user" (id text PRIMARY KEY, post int REFERENCES post ON DELETE CASCADE);
                   INSERT INTO post SELECT 1, id FROM "{own}"."user" WHERE id = 'ada';
                   INSERT INTO post SELECT 2, id FROM "{own}"."user" WHERE id = 'ada';
                   INSERT INTO post VALUES (3, 'bob'), (4, NULL); INSERT INTO "user" VALUES ('reader', (SELECT min(id) FROM post))"#
            ));
        };
        let left = || {
            let sql = format!(r#"SELECT string_agg(id::text, ' ' ORDER BY id) FROM "{own}_blog".post"#);
            servers::run_in_apps(&sql).unwrap()
        };
        let mut store = db.with(&["ada", "bob"]);
        made("NO ACTION");
        match delete_user(&mut *store, "ada", AdminGuard::Off, at(0)) {
            Err(StoreError::Held(holders)) => {
                let held: Vec<_> = holders.iter().map(|holder| (holder.table.clone(), holder.rows)).collect();
                assert_eq!(held, [(format!("{own}_blog.post"), 2)]);
            }
            other => panic!("{other:?}"),
        }
        made("CASCADE");
        let gone = delete_user(&mut *store, "ada", AdminGuard::Off, at(0)).unwrap().unwrap();
        let mut tables: Vec<_> = gone.tables.iter().map(|rows| (rows.table.clone(), rows.deleted)).collect();
        tables.sort();
        assert_eq!(tables, [(format!("{own}_blog.post"), 2), (format!("{own}_blog.user"), 1)]);
        assert_eq!(left(), "3 4");
        made("SET NULL");
        delete_user(&mut *store, "bob", AdminGuard::Off, at(0)).unwrap().unwrap();
        assert_eq!(left(), "3 4");
        servers::run_in_apps(&format!(r#"DROP SCHEMA "{own}_blog" CASCADE"#));
    });
}

/// API keys name their users by text beside ids of other types.
#[test]
fn keys_of_a_user_are_found_by_the_text_of_the_id() {
    let changes = r#"CREATE TABLE "organization" ("id" integer PRIMARY KEY, "name" text, "slug" text);
        CREATE TABLE "apikey" ("id" integer PRIMARY KEY, "reference_id" text, "key" text, "enabled" boolean, "config_id" text)"#;
    on_app(&servers::SERIAL, changes, |db| {
        let mut store = db.store();
        let (ada, bob) = (add(&mut *store, "ada"), add(&mut *store, "bob"));
        db.edit(&format!(
            r#"INSERT INTO "organization" VALUES (99, 'O', 'o');
               INSERT INTO "apikey" VALUES (1, '{ada}', 'a', TRUE, NULL), (2, '{bob}', 'b', TRUE, NULL), (3, '99', 'c', TRUE, 'org')"#
        ));
        let open =
            || db.ask(r#"SELECT string_agg("id"::text, ' ' ORDER BY "id") FROM "apikey" WHERE "enabled""#).unwrap();
        let (_, ended) =
            store.lock_down(&crate::auth::storage::Lockdown { user_id: &ada, ..lockdown(None) }).unwrap().unwrap();
        assert_eq!((ended.of(AccessKind::ApiKey), open()), (Some(1), "2 3".into()));
        assert_eq!(store.broken_references().unwrap(), []);
        let gone = delete_user(&mut *store, &ada, AdminGuard::Off, at(0)).unwrap().unwrap();
        assert_eq!(
            gone.tables.iter().map(|rows| (rows.table.as_str(), rows.deleted)).collect::<Vec<_>>(),
            [("apikey", 1)]
        );
    });
}

#[test]
fn sessions_kept_elsewhere_are_beside_ids_of_any_type() {
    for engine in [&servers::SERIAL_ELSEWHERE, &servers::UUID_ELSEWHERE] {
        on_app(engine, "SELECT 1", |db| {
            let mut store = db.store();
            let store = &mut *store;
            let ada = add(store, "ada");
            assert_eq!(store.sessions(&ada).unwrap(), []);
            assert!(store.session(&token_of("adas")).unwrap().is_none());
            assert_eq!((store.count_expired(at(9)).unwrap(), store.info(at(9)).unwrap().live_sessions), (0, None));
            set_password(store, &ada, "new", Some(Which::All), 3).unwrap().unwrap();
            let refused =
                store.begin_session(&new_session("s", &ada, at(0), at(9)), &hash("new"), None, None, &attempts_of("a"));
            assert!(matches!(refused, Err(StoreError::NotOurs(_))), "{refused:?}");
            delete_user(store, &ada, AdminGuard::Off, at(9)).unwrap().unwrap();
        });
    }
}

#[test]
fn missing_columns_are_null_of_any_type() {
    let changes = r#"ALTER TABLE "user" DROP "name"; ALTER TABLE "user" DROP "createdAt"; ALTER TABLE "user" DROP "banned";
                     ALTER TABLE "user" DROP "role"; ALTER TABLE "session" DROP "impersonatedBy""#;
    on_app(&servers::KYSELY, "SELECT 1", |db| {
        drop(db.with(&["ada", "bob"]));
        db.edit(changes);
        let mut store = db.store();
        begin(&mut *store, "adas", "ada", 0, 60);
        for sort in [UserSort::Email, UserSort::Name, UserSort::Created] {
            for banned_at in [None, Some(at(0))] {
                let query = UserQuery { sort, banned_at, role: Some("user".into()), ..all() };
                let found = store.users(&query).unwrap().users.len();
                assert_eq!(found, if banned_at.is_some() { 0 } else { 2 });
            }
        }
        assert!(store.session(&token_of("adas")).unwrap().is_some());
        store.odd_rows(9).unwrap();
        delete_user(&mut *store, "ada", AdminGuard::KeepLastAdmin, at(9)).unwrap().unwrap();
    });
}

/// An app in New York whose summer time ends: the hour that comes twice is read as the earlier one.
#[test]
fn local_times_are_read_in_their_zone() {
    on_app(&servers::LOCAL, "SELECT 1", |db| {
        let mut store = db.with(&["ada"]);
        let (summer, first, second) = ("2026-07-23T13:28:40.302Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z");
        for (stored, written, read) in [
            ("2026-07-23 09:28:40.302", summer, summer),
            ("2026-11-01 01:30:00", first, first),
            ("2026-11-01 01:30:00", second, first),
        ] {
            let [written, read]: [Timestamp; 2] = [written, read].map(|instant| instant.parse().unwrap());
            let made = new_session(written.to_string().as_str(), "ada", at(0), written);
            let hash = hash_of("ada");
            store.begin_session(&made, &hash, None, None, &attempts_of("ada")).unwrap();
            let id = written.to_string();
            assert_eq!(
                db.ask(&format!(r#"SELECT "expiresAt"::text FROM "session" WHERE "id" = '{id}'"#)).unwrap(),
                stored
            );
            assert_eq!(store.session_by_id(&id).unwrap().unwrap().expires_at, read);
        }
    });
}

/// As many processes would: each user once, a session for each, and a log without acts that failed.
#[test]
fn crowd_writes_one_after_the_other() {
    const CROWD: usize = 16;
    on_app(&servers::KYSELY, "SELECT 1", |db| {
        let start = std::sync::Barrier::new(CROWD);
        std::thread::scope(|scope| {
            for number in 0..CROWD {
                let start = &start;
                scope.spawn(move || {
                    let (mut store, name) = (db.store(), format!("u{number}"));
                    start.wait();
                    // Two at a time want the same address.
                    let shared = NewUserRow { id: name.clone(), ..new_user(&format!("u{}", number / 2)) };
                    match store.create_user(&shared, Some(&hash_of(&name)), None) {
                        Ok(_) => drop(begin(&mut *store, &format!("s{number}"), &name, 0, 60)),
                        Err(StoreError::EmailTaken) => {}
                        Err(error) => panic!("{error}"),
                    }
                });
            }
        });
        assert_eq!(["user", "session", "account"].map(|table| db.count(table)), [8; 3]);
        let mut store = db.store();
        assert!(is_whole(&mut *store));
        let log = entries(&mut *store, 0);
        assert!(log.iter().all(|entry| !entry.event.contains("failed")), "{log:?}");
    });
}

/// Keys that are checked at the end of the transaction, and ids that only the database may choose.
#[test]
fn late_keys_and_identities_are_those_of_any_app() {
    let changes = r#"ALTER TABLE "user" ALTER "id" SET GENERATED ALWAYS; ALTER TABLE "session" ALTER "id" SET GENERATED ALWAYS;
        CREATE TABLE "note" ("author" integer REFERENCES "user" ("id") DEFERRABLE INITIALLY DEFERRED)"#;
    on_app(&servers::SERIAL, changes, |db| {
        let mut store = db.store();
        let ada = add(&mut *store, "ada");
        begin(&mut *store, "adas", &ada, 0, 60);
        db.edit(&format!(r#"INSERT INTO "note" VALUES ({ada})"#));
        let held = delete_user(&mut *store, &ada, AdminGuard::Off, at(0));
        assert!(matches!(&held, Err(StoreError::Held(holders)) if holders[0].table == "note"), "{held:?}");
        db.edit(r#"DELETE FROM "note""#);
        delete_user(&mut *store, &ada, AdminGuard::Off, at(0)).unwrap().unwrap();
    });
}

/// The zone counts for the tables of plugins too, whose columns no mapping lists.
#[test]
fn local_times_of_plugins_are_read_in_the_zone() {
    let changes = r#"CREATE TABLE "invitation" ("id" text PRIMARY KEY, "organizationId" text, "email" text, "inviterId" text,
        "expiresAt" timestamp)"#;
    on_app(&servers::LOCAL, changes, |db| {
        db.edit(&format!(r#"INSERT INTO "invitation" VALUES ('i', 'o', 'e', NULL, {})"#, db.time(60)));
        let mut store = db.store();
        let expired = [59, 60].map(|second| store.count_expired_rows(Expiring::Invitation, at(second)).unwrap());
        assert_eq!(expired, [0, 1]);
    });
}
