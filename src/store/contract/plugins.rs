//! The tables of plugins in the databases of apps, in the names and encodings of each app, and access to accounts
//! that their rows open.

use super::audit::entries;
use super::*;
use crate::auth::AuthError;
use crate::auth::access::{AccessCounts, AccessKind};
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{AdminGuard, Ban, EndSessions, Lockdown, UserChange};

/// What the foreign keys of plugin tables say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// As Better Auth generates them.
    Generated,
    NoAction,
    Absent,
}

const TABLES: &str = "
    CREATE TABLE {oauthClient} (id TEXT PRIMARY KEY, {clientId} TEXT UNIQUE, {redirectUris} TEXT, {userId} TEXT [user]);
    CREATE TABLE {oauthRefreshToken} (id TEXT PRIMARY KEY, token TEXT, {clientId} TEXT, {sessionId} TEXT [session],
      {userId} TEXT [user], {expiresAt} [time], {createdAt} [time], revoked [time], scopes TEXT);
    CREATE TABLE {oauthAccessToken} (id TEXT PRIMARY KEY, token TEXT, {clientId} TEXT, {sessionId} TEXT [session],
      {userId} TEXT [user], {expiresAt} [time], {createdAt} [time], revoked [time], scopes TEXT);
    CREATE TABLE {apikey} (id TEXT PRIMARY KEY, {referenceId} TEXT, {key} TEXT, {enabled} [truth], {expiresAt} [time]);
    CREATE TABLE {deviceCode} (id TEXT PRIMARY KEY, {deviceCode} TEXT, {userCode} TEXT, {userId} TEXT,
      {expiresAt} [time], status TEXT);
    CREATE TABLE {twoFactor} (id TEXT PRIMARY KEY, secret TEXT, {backupCodes} TEXT, {userId} TEXT [user],
      verified [truth], {failedVerificationCount} INTEGER, {lockedUntil} [time]);
    CREATE TABLE {passkey} (id TEXT PRIMARY KEY, {publicKey} TEXT, {userId} TEXT [user]);
    CREATE TABLE {organization} (id TEXT PRIMARY KEY, name TEXT, slug TEXT);
    CREATE TABLE {member} (id TEXT PRIMARY KEY, {organizationId} TEXT, {userId} TEXT [user], role TEXT);
    CREATE TABLE {invitation} (id TEXT PRIMARY KEY, {organizationId} TEXT, email TEXT, status TEXT,
      {expiresAt} [time], {inviterId} TEXT [user]);
    CREATE TABLE {oauthClientAssertion} (id TEXT PRIMARY KEY, {expiresAt} [time]);
    CREATE TABLE {jwks} (id TEXT PRIMARY KEY, {publicKey} TEXT, {privateKey} TEXT)";

impl Database {
    /// Spells names of plugins as the app does: `{userId}` is a column, `[60]` the instant of a second.
    pub(super) fn spelled(&self, sql: &str) -> String {
        let mut spelled = String::new();
        for piece in sql.split_inclusive('}') {
            let Some((before, name)) = piece.strip_suffix('}').and_then(|piece| piece.rsplit_once('{')) else {
                spelled.push_str(piece);
                continue;
            };
            spelled.push_str(before);
            spelled.push('"');
            for letter in name.chars() {
                if letter.is_ascii_uppercase() && !self.engine.fixture.ends_with("kysely") {
                    spelled.push('_');
                    spelled.push(letter.to_ascii_lowercase());
                } else {
                    spelled.push(letter);
                }
            }
            spelled.push('"');
        }
        for second in [-60, 30, 60, 600] {
            spelled = spelled.replace(&format!("[{second}]"), &self.time(second));
        }
        let [time, truth] = match self.engine.fixture {
            "postgres/kysely" => ["timestamptz", "boolean"],
            _ if self.engine.is_typed => ["timestamp", "boolean"],
            "kysely" => ["date", "INTEGER"],
            _ => ["INTEGER", "INTEGER"],
        };
        spelled.replace("[time]", time).replace("[truth]", truth)
    }

    /// Adds the tables of plugins, as the app does when it gets them.
    pub(super) fn add_plugins(&self, keys: Keys) {
        let key = |parent: &str, action: &str| match keys {
            Keys::Generated => format!(r#"REFERENCES "{parent}" ("id") ON DELETE {action}"#),
            Keys::NoAction => format!(r#"REFERENCES "{parent}" ("id")"#),
            Keys::Absent => String::new(),
        };
        let tables = self.spelled(TABLES);
        let tables =
            tables.replace("[user]", &key("user", "CASCADE")).replace("[session]", &key("session", "SET NULL"));
        self.edit(&tables);
    }

    /// Changes rows of plugins as another program would.
    pub(super) fn edit_plugins(&self, sql: &str) {
        self.edit(&self.spelled(sql));
    }

    pub(super) fn ask_plugins(&self, sql: &str) -> String {
        self.ask(&self.spelled(sql)).unwrap_or_default()
    }
}

/// Runs a test on the databases of apps.
pub(super) fn on_apps(test: impl Fn(&Database) + Sync) {
    on_engines(|engine| !engine.is_native, test);
}

/// As [`on_apps`], where columns take any value.
pub(super) fn on_loose_apps(test: impl Fn(&Database) + Sync) {
    on_engines(|engine| !engine.is_native && !engine.is_typed, test);
}

/// Runs a test on the databases of apps with the tables of plugins, with each kind of foreign keys.
pub(super) fn on_every_app(test: impl Fn(&Database) + Sync) {
    for keys in [Keys::Generated, Keys::NoAction, Keys::Absent] {
        let is_meant = |engine: &TestEngine| {
            // One app on a server shows the other keys.
            let is_second = [servers::DRIZZLE.name, servers::STATE.name].contains(&engine.name);
            !engine.is_native && (keys == Keys::Generated || !is_second)
        };
        on_engines(is_meant, |db| {
            db.add_plugins(keys);
            test(db);
        });
    }
}

/// Rows of plugins that open the accounts of ada and bob.
const ROWS: &str = "
    INSERT INTO {oauthRefreshToken} VALUES ('r-offline', 't', 'c', 'adas', 'ada', [600], [-60], NULL, '[\"offline_access\"]'),
      ('r-online', 't', 'c', 'adas', 'ada', [600], [-60], NULL, '[\"openid\"]'),
      ('r-bob', 't', 'c', 'bobs', 'bob', [600], [-60], NULL, NULL), ('r-old', 't', 'c', NULL, 'ada', [-60], [-60], NULL, NULL);
    INSERT INTO {oauthAccessToken} VALUES ('a-session', 't', 'c', 'adas', 'ada', [600], [-60], NULL, '[]'),
      ('a-alone', 't', 'c', NULL, 'ada', [600], [-60], NULL, '[]'), ('a-bob', 't', 'c', 'bobs', 'bob', [600], [-60], NULL, '[]');
    INSERT INTO {apikey} VALUES ('k1', 'ada', 'x', TRUE, NULL), ('k2', 'ada', 'y', NULL, [600]), ('k-off', 'ada', 'z', FALSE, NULL),
      ('k-old', 'ada', 'z', TRUE, [-60]), ('k-bob', 'bob', 'w', TRUE, NULL);
    INSERT INTO {deviceCode} VALUES ('d1', 'd', 'u', 'ada', [600], 'approved'), ('d2', 'd', 'u', NULL, [600], 'pending'),
      ('d3', 'd', 'u', 'bob', [600], 'pending');
    INSERT INTO {jwks} VALUES ('j', 'p', 'p');
    INSERT INTO {passkey} VALUES ('p', 'k', 'ada')";

/// Rows of `verification`, of ada and of bob.
pub(super) fn add_pending(db: &Database) {
    for (id, identifier, value) in [
        ("v1", "reset-password:abc", "ada"),
        ("v2", "trust-device-x", "ada"),
        ("v3", "2fa-q", "ada"),
        ("v4", "2fa-attempts-2fa-q", "1"),
        ("v5", "magic-link:z", r#"{"type":"magic-link","email":"ada@example.com"}"#),
        ("v6", "sign-in-otp-ada@example.com", "123456:0"),
        ("v7", "one-time-token:1", "token of adas"),
        // `sign-in-otp-ada@example.com`, from an app that hashes identifiers.
        ("v8", &crate::auth::secret::hashed_identifier("sign-in-otp-ada@example.com"), "123456:0"),
        ("w1", "reset-password:def", "bob"),
        ("w2", "2fa-attempts-2fa-b", "1"),
        ("w3", "one-time-token:2", "token of bobs"),
        ("w4", "magic-link:y", r#"{"type":"magic-link","email":"bob@example.com"}"#),
    ] {
        let (end, now) = (db.time(600), db.time(0));
        db.edit(&format!(
            r#"INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
               VALUES ('{id}', '{identifier}', '{value}', {end}, {now}, {now})"#
        ));
    }
}

pub(super) fn lockdown(ban: Option<Ban>) -> Lockdown<'static> {
    Lockdown { user_id: "ada", ban, guard: AdminGuard::KeepLastAdmin, code: None, now: at(30) }
}

fn counted(counts: &[(AccessKind, u64)]) -> AccessCounts {
    let mut all = AccessCounts::default();
    for (kind, count) in counts {
        all.add(*kind, *count);
    }
    all
}

/// The ids of the rows that a condition selects.
pub(super) fn selected(db: &Database, table: &str, condition: &str) -> String {
    let sql =
        format!("SELECT string_agg(id, ' ') FROM (SELECT id FROM {{{table}}} WHERE {condition} ORDER BY id) AS found");
    db.ask_plugins(&sql)
}

#[test]
fn lockdown_ends_every_way_in_and_none_of_others() {
    on_every_app(|db| {
        let mut store = two_users(db);
        begin(&mut *store, "acting", "bob", 3, 60);
        db.edit(r#"UPDATE "session" SET "impersonatedBy" = 'ada' WHERE "id" = 'acting'"#);
        db.edit_plugins(ROWS);
        add_pending(db);
        let access = store.account_access("ada", at(30)).unwrap().unwrap();
        let expected = counted(&[
            (AccessKind::Session, 1),
            (AccessKind::Impersonation, 1),
            (AccessKind::AccessToken, 2),
            (AccessKind::RefreshToken, 2),
            (AccessKind::ApiKey, 2),
            (AccessKind::DeviceCode, 1),
            (AccessKind::TrustedDevice, 1),
            (AccessKind::Challenge, 1),
            (AccessKind::Code, 4),
        ]);
        assert_eq!((access.counts, access.passkeys, access.signs_jwts), (expected, 1, true));
        assert_eq!(access.providers, ["credential"]);
        let (user, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!((user.id.as_str(), ended), ("ada", expected));

        assert_eq!(selected(db, "oauthAccessToken", "revoked IS NULL"), "a-bob");
        assert_eq!(selected(db, "oauthRefreshToken", "revoked IS NULL"), "r-bob");
        assert_eq!(selected(db, "oauthAccessToken", "revoked = [30]"), "a-alone a-session");
        assert_eq!(selected(db, "apikey", "{enabled} = TRUE"), "k-bob");
        assert_eq!(selected(db, "deviceCode", "status = 'denied'"), "d1");
        let left = r#"SELECT string_agg("id", ' ') FROM (SELECT "id" FROM "verification" ORDER BY "id") AS found"#;
        assert_eq!(db.ask(left).unwrap(), "w1 w2 w3 w4");
        assert_eq!((ids(&mut *store, "ada"), ids(&mut *store, "bob")), (Vec::new(), vec!["bobs".to_owned()]));
        let access = store.account_access("ada", at(30)).unwrap().unwrap();
        assert!(access.counts.is_empty(), "{:?}", access.counts);
        // An act that found nothing to end leaves no entry.
        let entries_before = entries(&mut *store, 0).len();
        store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!(entries(&mut *store, 0).len(), entries_before);
    });
}

#[test]
fn lockdown_is_recorded_with_its_counts_first() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        let before = entries(&mut *store, 0).len();
        let (_, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!(ended, counted(&[(AccessKind::Session, 1)]));
        let new = entries(&mut *store, 0).split_off(before);
        let new: Vec<_> = new.iter().filter(|entry| entry.event != "act.intended").collect();
        let events: Vec<&str> = new.iter().map(|entry| entry.event.as_str()).collect();
        assert_eq!(events, ["user.locked-down", "session.ended"]);
        assert_eq!(new[0].detail.as_deref(), Some("1 session"));
        assert_eq!(ids(&mut *store, "bob"), ["bobs"]);
    });
}

#[test]
fn refused_lockdown_changes_nothing() {
    on_every_app(|db| {
        let mut store = two_users(db);
        db.edit_plugins(ROWS);
        db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
        let ban = Ban::Imposed { reason: None, until: None };
        let refused = store.lock_down(&lockdown(Some(ban.clone()))).unwrap();
        assert!(matches!(refused, Err(AuthError::LastAdmin)), "{refused:?}");
        assert_eq!(selected(db, "apikey", "{enabled} = TRUE"), "k-bob k-old k1");
        assert_eq!(
            (ids(&mut *store, "ada"), selected(db, "oauthAccessToken", "revoked IS NULL")),
            (vec!["adas".to_owned()], "a-alone a-bob a-session".to_owned())
        );
        let forced = Lockdown { guard: AdminGuard::Off, ..lockdown(Some(ban)) };
        assert!(store.lock_down(&forced).unwrap().unwrap().0.banned);
        let unknown = Lockdown { user_id: "unknown", ..lockdown(None) };
        assert!(matches!(store.lock_down(&unknown).unwrap(), Err(AuthError::NoSuchUser(_))));
    });
}

/// Ends ada's session.
type EndSession = fn(&mut dyn Store);

#[test]
fn session_that_ends_takes_its_tokens_along() {
    let by_id = |store: &mut dyn Store| drop(store.end_sessions_by_id(&["adas".into()], &[]).unwrap());
    let by_token = |store: &mut dyn Store| drop(store.end_session(&token_of("adas")).unwrap().unwrap());
    let by_user = |store: &mut dyn Store| drop(store.end_sessions("ada", &Which::All).unwrap().unwrap());
    let by_password = |store: &mut dyn Store| drop(set_password(store, "ada", "new", Some(Which::All), 30).unwrap());
    let by_ban = |store: &mut dyn Store| {
        let ban = Some(Ban::Imposed { reason: None, until: None });
        let change = UserChange { ban, end: EndSessions::Always, ..UserChange::default() };
        store.update_user("ada", &change, AdminGuard::Off, at(30)).unwrap().unwrap();
    };
    let by_pruning = |store: &mut dyn Store| assert_eq!(store.prune(at(120), &mut Pruning::by(1)).unwrap(), 1);
    let ends: [(&str, EndSession); 6] = [
        ("id", by_id),
        ("token", by_token),
        ("user", by_user),
        ("password", by_password),
        ("ban", by_ban),
        ("pruning", by_pruning),
    ];
    on_every_app(|db| {
        let mut store = two_users(db);
        db.edit(&format!(r#"UPDATE "session" SET "expiresAt" = {} WHERE "id" = 'bobs'"#, db.time(600)));
        for (how, end) in ends {
            if ids(&mut *store, "ada").is_empty() {
                db.edit(r#"UPDATE "user" SET "banned" = FALSE"#);
                begin(&mut *store, "adas", "ada", 0, 60);
                db.edit_plugins(
                    "DELETE FROM {oauthAccessToken}; DELETE FROM {oauthRefreshToken}; DELETE FROM {apikey};
                    DELETE FROM {deviceCode}; DELETE FROM {passkey}; DELETE FROM {jwks}",
                );
            }
            db.edit_plugins(ROWS);
            end(&mut *store);
            assert_eq!(ids(&mut *store, "ada"), [""; 0], "{how}");
            assert_eq!(selected(db, "oauthAccessToken", "revoked IS NULL"), "a-alone a-bob", "{how}");
            assert_eq!(selected(db, "oauthRefreshToken", "revoked IS NULL"), "r-bob r-offline r-old", "{how}");
            assert_eq!(selected(db, "apikey", "{enabled} = TRUE"), "k-bob k-old k1", "{how}");
        }
    });
}

/// The user who acted as another made the tokens of the session, so that none of them outlives it.
#[test]
fn impersonation_that_ends_takes_all_its_tokens_along() {
    let ban = || Some(Ban::Imposed { reason: None, until: None });
    on_every_app(|db| {
        for by_lockdown in [true, false] {
            let mut store = if by_lockdown { two_users(db) } else { db.store() };
            db.edit_plugins("DELETE FROM {oauthAccessToken}; DELETE FROM {oauthRefreshToken}");
            db.edit(r#"DELETE FROM "session"; UPDATE "user" SET "banned" = FALSE"#);
            begin(&mut *store, "bobs", "bob", 0, 60);
            begin(&mut *store, "own", "bob", 0, 60);
            db.edit(r#"UPDATE "session" SET "impersonatedBy" = 'ada' WHERE "id" = 'bobs'"#);
            db.edit_plugins(
                "INSERT INTO {oauthRefreshToken} VALUES
                   ('r-acting', 't', 'c', 'bobs', 'bob', [600], [-60], NULL, '[\"offline_access\"]'),
                   ('r-own', 't', 'c', 'own', 'bob', [600], [-60], NULL, '[\"offline_access\"]');
                 INSERT INTO {oauthAccessToken} VALUES ('a-acting', 't', 'c', 'bobs', 'bob', [600], [-60], NULL, '[]')",
            );
            if by_lockdown {
                let (_, ended) = store.lock_down(&lockdown(ban())).unwrap().unwrap();
                assert_eq!((ended.of(AccessKind::RefreshToken), ended.of(AccessKind::AccessToken)), (Some(1), Some(1)));
            } else {
                let change = UserChange { ban: ban(), end: EndSessions::Always, ..UserChange::default() };
                store.update_user("ada", &change, AdminGuard::Off, at(30)).unwrap().unwrap();
            }
            assert_eq!(selected(db, "oauthRefreshToken", "revoked IS NULL"), "r-own", "{by_lockdown}");
            assert_eq!(selected(db, "oauthAccessToken", "revoked IS NULL"), "", "{by_lockdown}");
            assert_eq!(ids(&mut *store, "bob"), ["own"]);
        }
    });
}

/// Older versions of the plugin have one table for both tokens, and no column that revokes them.
#[test]
fn token_without_a_column_for_its_end_is_deleted() {
    on_apps(|db| {
        db.edit_plugins(
            "CREATE TABLE {oauthAccessToken} (id TEXT PRIMARY KEY, {accessToken} TEXT, {refreshToken} TEXT,
               {accessTokenExpiresAt} [time], {refreshTokenExpiresAt} [time], {clientId} TEXT, {userId} TEXT, scopes TEXT)",
        );
        let mut store = two_users(db);
        db.edit_plugins(
            "INSERT INTO {oauthAccessToken} VALUES ('a', 'x', 'y', [-60], [600], 'c', 'ada', ''),
            ('b', 'x', 'y', [-60], [600], 'c', 'bob', '')",
        );
        let (_, ended) = store.lock_down(&lockdown(None)).unwrap().unwrap();
        assert_eq!(ended.of(AccessKind::AccessToken), Some(1));
        assert_eq!(selected(db, "oauthAccessToken", "TRUE"), "b");
    });
}

#[test]
fn new_user_has_false_in_the_flags_of_plugins() {
    on_apps(|db| {
        db.edit_plugins(r#"ALTER TABLE "user" ADD COLUMN {isAnonymous} [truth]"#);
        drop(db.with(&["ada"]));
        let stored = r#"SELECT CAST({isAnonymous} IS NOT NULL AND NOT {isAnonymous} AS TEXT) FROM "user""#;
        assert_eq!(db.ask_plugins(stored), if db.engine.is_typed { "true" } else { "1" });
    });
}

#[test]
fn only_expired_rows_of_plugins_are_pruned() {
    on_every_app(|db| {
        let mut store = two_users(db);
        db.edit_plugins(ROWS);
        let rows = "INSERT INTO {deviceCode} VALUES ('d-old', 'd', 'u', NULL, [-60], 'pending');
             INSERT INTO {oauthClientAssertion} VALUES ('c-old', [-60]), ('c', [600]);
             INSERT INTO {invitation} VALUES ('i-old', 'o', 'e', 'pending', [-60], 'ada'), ('i', 'o', 'e', 'pending', [600], 'ada');
             INSERT INTO {oauthAccessToken} VALUES ('a-old', 't', 'c', 'adas', 'ada', [-60], [-60], NULL, '[]'),
               ('a-odd', 't', 'c', NULL, 'ada', ODD, [-60], NULL, '[]'), ('a-null', 't', 'c', NULL, 'ada', NULL, [-60], NULL, '[]')";
        let odd = if db.engine.is_typed { "'infinity'" } else { "'soon'" };
        db.edit_plugins(&rows.replace("ODD", odd));
        for (kind, live, expired) in [
            (Expiring::DeviceCode, "d1 d2 d3", "d-old"),
            (Expiring::AccessToken, "a-alone a-bob a-null a-odd a-session", "a-old"),
            (Expiring::RefreshToken, "r-bob r-offline r-online", "r-old"),
            (Expiring::ClientAssertion, "c", "c-old"),
            (Expiring::ApiKey, "k-bob k-off k1 k2", "k-old"),
            (Expiring::Invitation, "i", "i-old"),
        ] {
            let table = kind.table();
            assert_eq!(store.count_expired_rows(kind, at(-60)).unwrap(), 1, "at its end, {table}");
            assert_eq!(store.prune_rows(kind, at(-61), &mut Pruning::by(9)).unwrap(), 0, "before its end, {table}");
            assert_eq!(store.prune_rows(kind, at(30), &mut Pruning::by(9)).unwrap(), 1, "{expired}");
            assert_eq!(selected(db, table, "TRUE"), live);
            assert_eq!(entries(&mut *store, 0).pop().unwrap().event, "rows.pruned");
            let length = entries(&mut *store, 0).len();
            assert_eq!(
                (store.prune_rows(kind, at(30), &mut Pruning::by(9)).unwrap(), entries(&mut *store, 0).len()),
                (0, length)
            );
        }
        assert_eq!(
            store.prune_rows(Expiring::ApiKey, at(900), &mut Pruning::by(1)).unwrap(),
            1,
            "the limit of a batch"
        );
    });
}

#[test]
fn refresh_token_of_a_live_access_token_is_not_pruned() {
    on_apps(|db| {
        db.edit_plugins(
            "CREATE TABLE {oauthRefreshToken} (id TEXT PRIMARY KEY, {clientId} TEXT, {userId} TEXT, {expiresAt} [time]);
             CREATE TABLE {oauthAccessToken} (id TEXT PRIMARY KEY, {clientId} TEXT, {userId} TEXT, {expiresAt} [time],
               {refreshId} TEXT REFERENCES {oauthRefreshToken} (id) ON DELETE CASCADE)",
        );
        let mut store = two_users(db);
        db.edit_plugins(
            "INSERT INTO {oauthRefreshToken} VALUES ('r', 'c', 'ada', [-60]);
             INSERT INTO {oauthAccessToken} VALUES ('a', 'c', 'ada', [60], 'r')",
        );
        assert_eq!(store.prune_rows(Expiring::RefreshToken, at(30), &mut Pruning::by(9)).unwrap(), 0);
        assert_eq!(store.prune_rows(Expiring::AccessToken, at(60), &mut Pruning::by(9)).unwrap(), 1);
        assert_eq!(store.prune_rows(Expiring::RefreshToken, at(60), &mut Pruning::by(9)).unwrap(), 1);
    });
}

/// What `broken_references` finds, without the names of the database.
fn broken(store: &mut dyn Store) -> Vec<(String, u64)> {
    let fold = |name: &str| name.replace('_', "").replace("sessions", "session").to_ascii_lowercase();
    let found = store.broken_references().unwrap();
    let mut found: Vec<_> =
        found.iter().map(|one| (format!("{}.{}", fold(&one.table), fold(&one.column)), one.rows)).collect();
    found.sort();
    found
}

#[test]
fn reference_that_leads_nowhere_is_found_in_every_plugin() {
    on_every_app(|db| {
        let mut store = two_users(db);
        let off = db.engine.ignore_foreign_keys;
        db.edit_plugins(ROWS);
        db.edit_plugins("INSERT INTO {oauthClient} VALUES ('c', 'c', '[]', NULL)");
        assert_eq!(broken(&mut *store), []);
        // An API key may be one of an organization, and an operator of the operating system has no row.
        db.edit_plugins(&format!(
            r#"INSERT INTO {{organization}} VALUES ('org', 'Org', 'org');
               INSERT INTO {{apikey}} VALUES ('of-org', 'org', 'x', TRUE, NULL);
               INSERT INTO {{member}} VALUES ('m', 'org', 'bob', 'owner');
               UPDATE "session" SET "impersonatedBy" = 'os:root@host' WHERE "id" = 'bobs';
               {off}; DELETE FROM "session" WHERE "userId" = 'ada'; DELETE FROM "account" WHERE "userId" = 'ada'"#
        ));
        // An app without foreign keys leaves the id of an ended session in its tokens.
        assert_eq!(broken(&mut *store), []);
        db.edit_plugins(&format!(
            r#"{off}; UPDATE "session" SET "impersonatedBy" = 'ada';
               INSERT INTO {{twoFactor}} VALUES ('f', 's', 'b', 'ada', TRUE, 0, NULL);
               INSERT INTO {{invitation}} VALUES ('i', 'gone', 'e', 'pending', [60], 'ada');
               INSERT INTO {{member}} VALUES ('n', 'gone', 'ada', 'member');
               UPDATE {{oauthClient}} SET {{userId}} = 'ada';
               DELETE FROM "user" WHERE "id" = 'ada'"#
        ));
        let expected = [
            ("apikey.referenceid", 4),
            ("devicecode.userid", 1),
            ("invitation.inviterid", 1),
            ("invitation.organizationid", 1),
            ("member.organizationid", 1),
            ("member.userid", 1),
            ("oauthaccesstoken.userid", 2),
            ("oauthclient.userid", 1),
            ("oauthrefreshtoken.userid", 3),
            ("passkey.userid", 1),
            ("session.impersonatedby", 1),
            ("twofactor.userid", 1),
        ];
        assert_eq!(broken(&mut *store), expected.map(|(name, rows)| (name.to_owned(), rows)));
    });
}

#[test]
fn organization_without_owner_is_found_if_the_app_has_owners() {
    on_every_app(|db| {
        let mut store = two_users(db);
        db.edit_plugins(
            "INSERT INTO {organization} VALUES ('o1', 'One', 'one'), ('o2', 'Two', 'two'), ('o3', 'Three', 'three');
             INSERT INTO {member} VALUES ('m1', 'o1', 'ada', 'admin, owner'), ('m2', 'o2', 'ada', 'coowner,Owner')",
        );
        assert_eq!(store.organizations_without_owner().unwrap(), ["three", "two"]);
        // A row whose user does not exist owns nothing.
        let off = db.engine.ignore_foreign_keys;
        db.edit_plugins(&format!("{off}; UPDATE {{member}} SET {{userId}} = 'gone' WHERE id = 'm1'"));
        assert_eq!(store.organizations_without_owner().unwrap(), ["one", "three", "two"]);
        db.edit_plugins("UPDATE {member} SET role = 'boss'");
        assert_eq!(store.organizations_without_owner().unwrap(), [""; 0]);
    });
}
