//! What a doctor finds and fixes, rows that are not valid, and the description of a database.

use super::*;
use crate::auth::odd::OddRows;
use crate::auth::prune::Pruning;
use crate::auth::storage::{Depth, Orphans, Storage, StrayAccounts, WrittenAfter};

fn events(store: &mut dyn Store) -> Vec<String> {
    let mut events = Vec::new();
    let mut push = |entry: crate::auth::audit::Entry| {
        events.push(format!("{} {}", entry.event, entry.user_id.unwrap_or_default()).trim().to_owned());
        true
    };
    store.each_entry(0, &mut push).unwrap();
    let unrelated = ["user.created", "session.begun", "act.intended"];
    events.retain(|event| !unrelated.iter().any(|name| event.starts_with(name)));
    events
}

#[test]
fn new_database_has_no_findings() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "one", "ada", 0, 60);
        assert_eq!(store.damage(Depth::Full).unwrap(), [""; 0]);
        assert_eq!(store.schema_differences().unwrap(), []);
        assert_eq!(store.orphans().unwrap(), Orphans::default());
        assert_eq!(store.odd_rows(9).unwrap(), OddRows::default());
        assert_eq!(store.stray_accounts().unwrap(), StrayAccounts::default());
        assert_eq!(store.twins().unwrap(), [""; 0]);
        assert_eq!(store.written_after(at(1)).unwrap().rows, 0);
        assert_eq!(store.settings().unwrap(), []);
    });
}

#[test]
fn fix_without_findings_leaves_no_entry() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "one", "ada", 0, 60);
        assert_eq!(store.delete_orphans().unwrap(), Orphans::default());
        assert_eq!(store.fix_stray_accounts(at(1)).unwrap(), 0);
        assert_eq!(store.lower_addresses(at(1)).unwrap(), 0);
        assert_eq!(store.prune_codes(at(1), &mut Pruning::by(9)).unwrap(), 0);
        store.remove_settings(&["session.lifetime".into()]).unwrap();
        assert_eq!(events(&mut *store), [""; 0]);
        assert_eq!(ids(&mut *store, "ada"), ["one"]);
    });
}

#[test]
fn only_orphans_are_counted_and_deleted() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "of-ada", "ada", 0, 60);
        begin(&mut *store, "of-bob", "bob", 0, 60);
        let ours = "email-verification:";
        let codes = [(ours, "ada\na@b.co"), (ours, "bob\na@b.co"), (ours, "other"), ("app:", "{\n}")];
        for (id, (purpose, value)) in codes.into_iter().enumerate() {
            db.edit(&format!(
                r#"INSERT INTO "verification" VALUES ('{id}', '{purpose}{id}', '{value}', :then, :then, :then)"#
            ));
        }
        db.orphan("bob");
        let orphans = Orphans { sessions: 1, accounts: 1, codes: 1 };
        assert_eq!(store.orphans().unwrap(), orphans);
        assert_eq!(store.delete_orphans().unwrap(), orphans);
        assert_eq!(store.orphans().unwrap(), Orphans::default());
        assert_eq!([db.count("session"), db.count("account"), db.count("verification")], [1, 1, 3]);
        assert_eq!(events(&mut *store), ["orphans.deleted"]);
    });
}

#[test]
fn address_is_lowered_unless_another_user_has_it() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "cy", "dee", "eve"]);
        for (id, email) in
            [("ada", "Ada@Example.com"), ("bob", "Twin@x.org"), ("cy", "TWIN@x.org"), ("dee", "Eve@example.com")]
        {
            db.edit(&format!(r#"UPDATE "user" SET "email" = '{email}' WHERE "id" = '{id}'"#));
        }
        let mut twins = store.twins().unwrap();
        twins.sort();
        assert_eq!(twins, ["eve@example.com", "twin@x.org"]);
        assert_eq!(store.lower_addresses(at(9)).unwrap(), 1);
        let emails: Vec<_> = ["ada", "bob", "cy", "dee", "eve"].map(|id| by_id(&mut *store, id).unwrap().email).into();
        assert_eq!(emails, ["ada@example.com", "Twin@x.org", "TWIN@x.org", "Eve@example.com", "eve@example.com"]);
        assert_eq!(by_id(&mut *store, "ada").unwrap().updated_at, at(9));
        assert_eq!(events(&mut *store), ["email.changed ada"]);
    });
}

#[test]
fn addresses_of_several_users_are_lowered_at_once() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "cy"]);
        db.edit(r#"UPDATE "user" SET "email" = upper("email") WHERE "id" <> 'bob'"#);
        assert_eq!(store.lower_addresses(at(9)).unwrap(), 2);
        let users = ["ada", "bob", "cy"].map(|id| by_id(&mut *store, id).unwrap());
        assert_eq!(users.each_ref().map(|user| user.email.as_str()), EMAILS);
        assert_eq!(users.map(|user| user.updated_at == at(9)), [true, false, true]);
        let mut events = events(&mut *store);
        events.sort();
        assert_eq!(events, ["email.changed ada", "email.changed cy"]);
    });
}

const EMAILS: [&str; 3] = ["ada@example.com", "bob@example.com", "cy@example.com"];

#[test]
fn stray_account_is_corrected_when_its_place_is_free() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "cy", "dee"]);
        db.edit(r#"UPDATE "account" SET "accountId" = 'ada@example.com' WHERE "userId" = 'ada'"#);
        // Bob has two accounts, and dee's account has the place of cy's.
        db.edit(
            r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
           VALUES ('second', 'x', 'credential', 'bob', :then, :then), ('other', 'y', 'github', 'ada', :then, :then)"#,
        );
        db.edit(r#"UPDATE "account" SET "accountId" = 'z' WHERE "userId" = 'cy'"#);
        db.edit(r#"UPDATE "account" SET "accountId" = 'cy' WHERE "userId" = 'dee'"#);
        let stray = StrayAccounts { all: 4, correctable: 2, surplus: 1, unclear: vec!["cy".into()] };
        assert_eq!(store.stray_accounts().unwrap(), stray);
        assert_eq!(stored_hash(&mut *store, "ada"), None);
        assert_eq!(store.fix_stray_accounts(at(9)).unwrap(), 3);
        // Dee's account has left cy's place, so the next run can correct cy's.
        assert_eq!(
            store.stray_accounts().unwrap(),
            StrayAccounts { all: 1, correctable: 1, ..StrayAccounts::default() }
        );
        assert_eq!(stored_hash(&mut *store, "ada").as_deref(), Some("hash of ada"));
        assert_eq!(stored_hash(&mut *store, "bob").as_deref(), Some("hash of bob"));
        assert_eq!(events(&mut *store), ["account.corrected ada", "account.corrected dee", "account.deleted bob"]);
    });
}

#[test]
fn password_is_set_in_the_only_account_wherever_it_is() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob", "cy"]);
        let second = |id: &str, user: &str| {
            db.edit(&format!(
                r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
                   VALUES ('{id}', '{id}', 'credential', '{user}', :then, :then)"#
            ));
        };
        db.edit(r#"UPDATE "account" SET "accountId" = 'other of ' || "userId" WHERE "userId" <> 'cy'"#);
        second("second", "bob");
        db.edit(r#"UPDATE "account" SET "password" = NULL WHERE "userId" = 'cy'"#);
        second("third", "cy");
        for user in ["ada", "bob", "cy"] {
            set_password(&mut *store, user, "new", None, 1).unwrap().unwrap();
            assert_eq!(stored_hash(&mut *store, user).as_deref(), Some("new"), "{user}");
        }
        // Ada's account was corrected. Bob has a third one now, and his others are of no use.
        assert_eq!(store.accounts("ada").unwrap().len(), 1);
        assert_eq!(store.stray_accounts().unwrap(), StrayAccounts { all: 3, surplus: 3, ..StrayAccounts::default() });
        assert_eq!(store.fix_stray_accounts(at(9)).unwrap(), 3);
        for user in ["ada", "bob", "cy"] {
            assert_eq!(store.accounts(user).unwrap().len(), 1, "{user}");
            assert_eq!(stored_hash(&mut *store, user).as_deref(), Some("new"), "{user}");
        }
    });
}

#[test]
fn rows_and_entries_from_the_future_are_counted() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "one", "ada", 100, 200);
        db.edit(&format!(r#"UPDATE "user" SET "updatedAt" = {} WHERE "id" = 'bob'"#, db.time(100)));
        db.edit(r#"UPDATE "authctl_audit" SET "at" = 1790000100 WHERE "seq" = 2"#);
        let after = |rows, entries, is_newest_before| WrittenAfter { rows, entries, is_newest_before };
        assert_eq!(store.written_after(at(99)).unwrap(), after(2, 1, true));
        assert_eq!(store.written_after(at(100)).unwrap(), after(0, 0, true));
        db.edit(
            r#"UPDATE "authctl_audit" SET "at" = 1790000100 WHERE "seq" = (SELECT max("seq") FROM "authctl_audit")"#,
        );
        assert_eq!(store.written_after(at(99)).unwrap(), after(2, 2, false));
        db.edit(r#"DELETE FROM "authctl_audit""#);
        assert_eq!(store.written_after(at(99)).unwrap(), after(2, 0, false));
    });
}

#[test]
fn code_is_pruned_at_its_expiry_time() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        for end in [10, 20] {
            let instant = db.time(end);
            db.edit(&format!(
                r#"INSERT INTO "verification" VALUES ('{end}', 'x:{end}', 'y', {instant}, :then, :then)"#
            ));
        }
        assert_eq!([9, 10, 19, 20].map(|now| store.count_expired_codes(at(now)).unwrap()), [0, 1, 1, 2]);
        assert_eq!(store.prune_codes(at(10), &mut Pruning::by(9)).unwrap(), 1);
        assert_eq!(db.count("verification"), 1);
        assert_eq!(events(&mut *store), ["codes.pruned"]);
    });
}

#[test]
fn code_from_the_future_is_pruned_unless_the_clock_is_behind() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        // The log begins in 1970; its newest entry gets the current time.
        let newest = |at: i64| {
            let seq = r#"(SELECT max("seq") FROM "authctl_audit")"#;
            db.edit(&format!(r#"UPDATE "authctl_audit" SET "at" = {at} WHERE "seq" = {seq}"#));
        };
        for (id, identifier, end) in [
            ("ours", "change-email:x", 172_801),
            ("short", "email-verification:x", 172_800),
            ("other", "state:x", 999_999_999),
            ("old", "state:y", 0),
        ] {
            let end = db.time(end);
            db.edit(&format!(
                r#"INSERT INTO "verification" VALUES ('{id}', '{identifier}', 'y', {end}, :then, :then)"#
            ));
        }
        newest(1_790_000_000 + 86_401);
        assert_eq!(store.count_expired_codes(at(0)).unwrap(), 1);
        newest(1_790_000_000 + 86_400);
        assert_eq!(store.count_expired_codes(at(0)).unwrap(), 2);
        assert_eq!(store.prune_codes(at(0), &mut Pruning::by(9)).unwrap(), 2);
        assert_eq!(db.count("verification"), 2);
        assert_eq!(store.count_expired_codes(at(0)).unwrap(), 0);
    });
}

#[test]
fn invalid_setting_can_be_listed_and_removed() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        db.edit(r#"INSERT INTO "authctl_policy" VALUES ('session.lifetime', 'forever', 1), ('mail.from', CAST(x'ff' AS TEXT), 1)"#);
        assert!(matches!(store.policy(), Err(StoreError::Inconsistent { .. })));
        let keys: Vec<String> = store.settings().unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["mail.from", "session.lifetime"]);
        store.remove_settings(&keys).unwrap();
        assert!(store.policy().is_ok());
        assert_eq!(events(&mut *store), ["policy.removed", "policy.removed"]);
    });
}

#[test]
fn info_counts_users_and_live_sessions() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "one", "ada", 0, 10);
        begin(&mut *store, "two", "ada", 0, 20);
        begin(&mut *store, "bobs", "bob", 0, 30);
        let sessions = [9, 10, 20, 30].map(|now| {
            let info = store.info(at(now)).unwrap();
            (info.users, info.live_sessions.unwrap(), info.expired_sessions.unwrap())
        });
        assert_eq!(sessions, [(2, 3, 0), (2, 2, 1), (2, 1, 2), (2, 0, 3)]);
    });
}

#[test]
fn info_describes_the_file_and_the_engine() {
    on_every_engine(|db| {
        let info = db.store().info(at(0)).unwrap();
        assert_eq!((info.users, info.live_sessions, info.expired_sessions), (0, Some(0), Some(0)));
        assert_eq!(info.schema_version, db.engine.schema_version);
        assert_eq!(info.guest.is_some(), !db.engine.is_native);
        let version = db.ask(db.engine.version).unwrap();
        match info.storage {
            Storage::File { sqlite_version, journal_mode } => {
                assert_eq!((journal_mode.as_str(), sqlite_version), (db.engine.journal_mode, version));
                assert_eq!(info.bytes, std::fs::metadata(&db.path).unwrap().len());
            }
            Storage::Server(server) => {
                assert_eq!((server.version, server.is_replica, server.behind), (version, false, None));
                assert!(server.clock > at(0), "{}", server.clock);
            }
        }
    });
}
