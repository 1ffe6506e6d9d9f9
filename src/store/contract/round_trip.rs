//! The import of an export is the identity.

use std::io::{Cursor, Read as _, Seek as _};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::import::batch;
use super::*;
use crate::auth::Auth;
use crate::auth::fixtures::{FactorKeyring, entropy};
use crate::auth::import::examine::Rules;
use crate::auth::import::stage::Stage as _;
use crate::auth::import::{Counts, Import, RowReport};
use crate::auth::password::{ImportedHash, NoPeppers};
use crate::auth::policy::Policy;
use crate::auth::storage::{ImportProgress, ImportedAccount, ImportedUser, NewBan, OnConflict};
use crate::export::{Shape, Writer};
use crate::import::{Export, Input, ReadOptions};
use crate::store::sqlite::SqliteStage;

/// Apps with other encodings of times and booleans, and other names of columns, besides those of [`ENGINES`].
const APPS: [&TestEngine; 9] = [
    &TestEngine {
        name: "sqlite_prisma_text",
        fixture: "prisma-text",
        overrides: r#"{"time": "text"}"#,
        ..SQLITE_GUEST
    },
    &TestEngine {
        name: "sqlite_prisma_milliseconds",
        fixture: "prisma-ms",
        overrides: r#"{"time": "milliseconds"}"#,
        ..SQLITE_GUEST
    },
    &TestEngine {
        name: "sqlite_time_per_column",
        fixture: "time-per-column",
        overrides: r#"{"time": "seconds", "times": {"user.updatedAt": "text", "user.banExpires": "text",
            "account.updatedAt": "text"}}"#,
        ..SQLITE_GUEST
    },
    &TestEngine {
        name: "sqlite_renamed",
        fixture: "kysely",
        create: create_renamed,
        overrides: r#"{"columns": {"user.email": "mail", "user.image": "picture", "account.accountId": "subject"}}"#,
        ..SQLITE_GUEST
    },
    &servers::DRIZZLE,
    &servers::PRISMA,
    &servers::LOCAL,
    &servers::NUMBERS,
    &servers::TEXTS,
];

/// The number of cases. Two databases of a server take a second.
const CASES: u32 = 6;
const CASES_ON_A_SERVER: u32 = 1;
const SHRINKS: u32 = 20;

fn create_renamed(engine: &TestEngine, path: &Path) {
    create_guest(engine, path);
    let renamed = r#"ALTER TABLE "user" RENAME "email" TO "mail"; ALTER TABLE "user" RENAME "image" TO "picture";
        ALTER TABLE "account" RENAME "accountId" TO "subject""#;
    rusqlite::Connection::open(path).unwrap().execute_batch(renamed).unwrap();
}

/// Kind, class, hash and password.
const VECTORS: &str = include_str!("../../../tests/fixtures/hashes/vectors.tsv");
/// Kind, hash, password, digest in hex and wrap.
const WRAPPED: &str = include_str!("../../../tests/fixtures/hashes/wrapped.tsv");

/// Hashes as a database stores them.
fn hashes(is_native: bool) -> Vec<StoredHash> {
    let strong = VECTORS.lines().filter_map(|line| {
        let [kind, _, text, _] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let is_there = is_native || kind == "better-auth-scrypt";
        ImportedHash::parse(text, None).unwrap().stored().filter(|_| is_there)
    });
    let wrapped = WRAPPED.lines().filter(|_| is_native).map(|line| hash(line.split('\t').nth(4).unwrap()));
    let peppered = is_native.then(|| hash(PEPPERED));
    strong.chain(wrapped).chain(peppered).collect()
}

const PEPPERED: &str = "$authctl-pepper$0f3a$2b$10$U.8liPJUxpLqHvhIWaVtu.M.nZCAKCf/CthcGvOiEgzr0sFLbrZii";

/// A user as any part of authctl may have stored one. The number makes id and address unlike those of others.
fn user(hashes: Vec<StoredHash>) -> impl Strategy<Value = ImportedUser> {
    // Letters of other scripts, marks of direction, blanks of every kind, and quotes: all but control characters.
    let name = "[^\\p{Cc}]{0,12}[A-Za-z0-9\u{202e}\"'=,\\\\é😀][^\\p{Cc}]{0,12}";
    let id = "[^\\p{Cc}]{1,40}";
    let email = "[a-z0-9_+-]{1,9}(\\.[a-z0-9'+]{1,5}[a-z])?@[a-z0-9][a-z0-9-]{0,5}\\.[a-z]{2,9}";
    let role = option::of("(user|admin|editor|Dev_1|-)(,(user|admin|editor)){0,2}");
    let image = option::of("https?://[!-~é😀]{1,30}");
    let ban = option::of((option::of("[^\\p{Cc}]{1,20}"), option::of(-100_000_000_i64..100_000_000)));
    let accounts = vec(("[a-z-]{1,9}", "[^\\p{Cc}]{1,20}", 0_i64..1_000_000), 0..4);
    let hash = option::of(proptest::sample::select(hashes));
    let times = (-800_000_000_000_i64..0, 0_i64..90_000_000_000);
    (id, email, name, any::<bool>(), role, image, ban, accounts, hash, times).prop_map(
        |(id, email, name, email_verified, role, image, ban, accounts, hash, (created, age))| {
            let instant = |ms: i64| Timestamp::from_millisecond(at(0).as_millisecond() + ms).unwrap();
            let created_at = instant(created);
            let providers: std::collections::BTreeSet<_> = accounts.into_iter().collect();
            ImportedUser {
                user: NewUserRow {
                    account_id: String::new(),
                    email: Email::parse(&email).unwrap(),
                    email_verified,
                    image,
                    role,
                    ban: ban.map(|(reason, until)| NewBan { reason, until: until.map(at) }),
                    created_at,
                    updated_at: instant((created + age).min(0)),
                    id,
                    name,
                },
                keeps_id: true,
                replaces_role: false,
                hash,
                factor: None,
                accounts: providers
                    .into_iter()
                    .map(|(provider_id, account_id, later)| ImportedAccount {
                        id: String::new(),
                        provider_id,
                        account_id,
                        created_at: instant((created + later).min(0)),
                        tokens: None,
                    })
                    .collect(),
            }
        },
    )
}

/// Users who have nothing in common that only one may have.
fn users(is_native: bool) -> impl Strategy<Value = Vec<ImportedUser>> {
    vec(user(hashes(is_native)), 0..40).prop_map(|users| {
        let mut taken = std::collections::BTreeSet::new();
        let mut kept = Vec::new();
        for (number, mut one) in users.into_iter().enumerate() {
            one.user.account_id = format!("credential {number}");
            for (index, account) in one.accounts.iter_mut().enumerate() {
                account.id = format!("account {number} {index}");
            }
            let accounts: Vec<_> =
                one.accounts.iter().map(|of| format!("{} {}", of.provider_id, of.account_id)).collect();
            let claims: Vec<_> =
                accounts.into_iter().chain([one.user.id.clone(), one.user.email.to_string()]).collect();
            let distinct: std::collections::BTreeSet<_> = claims.iter().cloned().collect();
            if distinct.len() == claims.len() && taken.is_disjoint(&distinct) {
                taken.extend(distinct);
                kept.push(one);
            }
        }
        kept
    })
}

/// The bytes of `export --with-hashes`.
fn exported(store: &mut dyn Store) -> String {
    let mut file = tempfile::tempfile().unwrap();
    let (output, second) = (file.try_clone().unwrap(), tempfile::tempfile().unwrap());
    let mut writer = Writer::new(Shape::Authctl, true, 1, output, second);
    store.export(&mut writer).unwrap();
    writer.finish().unwrap();
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

/// The rows of an export, and the rules for them.
fn staged(store: &mut dyn Store, text: &str, on_conflict: OnConflict) -> (SqliteStage, Rules) {
    let bytes = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let mut export = Export::open(vec![Input { name: "users.jsonl".into(), bytes }], ReadOptions::default()).unwrap();
    let mut stage = SqliteStage::new().unwrap();
    while let Some(row) = export.next_row().unwrap() {
        stage.keep(row).unwrap();
    }
    let rules = Rules {
        key: "key".into(),
        system: export.format().name(),
        on_conflict,
        weak_hashes: None,
        drops_unusable: false,
        pepper: None,
        roles: Vec::new(),
        takes_roles: export.takes_roles(),
        email_domain: None,
        placeholder_email: false,
        second_factors: None,
        app_secrets: crate::auth::app_secrets::AppSecrets::default(),
        jobs: NonZeroUsize::MIN,
        is_atomic: false,
        app_verifies_bcrypt: false,
        scheme: store.scheme().unwrap(),
        now: at(0),
    };
    (stage, rules)
}

/// Imports an export as the command does.
fn import(store: &mut dyn Store, text: &str) -> Vec<RowReport> {
    let (mut stage, rules) = staged(store, text, OnConflict::Fail);
    let mut import = Import { stage: &mut stage, rules: &rules };
    let plan = import.plan::<AuthError>(Some(&mut *store), None, Some(|_: &[_]| Ok(()))).unwrap();
    assert_eq!(plan.refused_rows(), 0, "{:?}", plan.refusals);
    let (mut reports, mut entropy) = (Vec::new(), entropy(1));
    let policy = Policy::default();
    let mut auth = Auth {
        store,
        policy: &policy,
        now: at(0),
        entropy: &mut entropy,
        peppers: &NoPeppers,
        factor_keys: &FactorKeyring::new(1),
        app_secrets: &crate::auth::app_secrets::AppSecrets::default(),
    };
    let told = |rows: &[RowReport]| {
        // All rows are one batch, which may run twice.
        reports = rows.to_vec();
        Ok(())
    };
    auth.import::<AuthError>(&mut import, &plan, "users.jsonl", Some(told), |_| ControlFlow::Continue(())).unwrap();
    reports
}

/// An export without the fractions of the seconds of its times.
fn in_seconds(text: &str) -> String {
    let parts = text.split("Z\"").map(|part| {
        let whole = part.trim_end_matches(|c: char| c.is_ascii_digit());
        whole.strip_suffix('.').unwrap_or(part)
    });
    parts.collect::<Vec<_>>().join("Z\"")
}

fn require_identity(engine: &'static TestEngine, users: &[ImportedUser]) -> Result<(), TestCaseError> {
    let first = Database::new(engine);
    let mut store = first.store();
    store.import_users(&batch(users, OnConflict::Fail, [0, 1]), &mut |_| Ok(())).unwrap().unwrap();
    let text = exported(&mut *store);
    // The users of an app arrive in a native database as they were too, which has whole seconds.
    let native = (!engine.is_native).then_some(&SQLITE_NATIVE);
    for target in std::iter::once(engine).chain(native) {
        let second = Database::new(target);
        let mut other = second.store();
        let reports = import(&mut *other, &text);
        prop_assert_eq!(reports.len(), users.len());
        for report in reports {
            prop_assert_eq!(&report.warnings, &[], "{:?}", report);
        }
        let [before, after] = [&text, &exported(&mut *other)]
            .map(|text| if target.name == engine.name { text.clone() } else { in_seconds(text) });
        prop_assert_eq!(before, after, "into {}", target.name);
    }
    Ok(())
}

#[test]
fn import_of_an_export_gives_the_same_export() {
    let engines = ENGINES.iter().chain(APPS).filter(|engine| engine.name != servers::STATE.name);
    on_each(engines, |engine| {
        let cases = if engine.is_typed { CASES_ON_A_SERVER } else { CASES };
        let config = Config { cases, max_shrink_iters: SHRINKS, failure_persistence: None, ..Config::default() };
        let run = TestRunner::new(config).run(&users(engine.is_native), |users| require_identity(engine, &users));
        run.unwrap_or_else(|failed| panic!("{failed}"));
    });
}

#[test]
fn resumed_import_counts_what_its_first_run_refused() {
    let source = Database::new(&SQLITE_NATIVE);
    let text = exported(&mut *source.with(&["ada", "bob", "cy"]));
    let text = text.replace("passwordHash", "other");
    let db = Database::new(&SQLITE_NATIVE);
    let mut store = db.store();
    store.create_user(&NewUserRow { email: email("ada"), ..new_user("eve") }, None, None).unwrap();
    let (mut stage, rules) = staged(&mut *store, &text, OnConflict::Update);
    let mut import = Import { stage: &mut stage, rules: &rules };
    let whole = import.plan::<AuthError>(Some(&mut *store), None, Some(|_: &[_]| Ok(()))).unwrap();
    let counts = Counts { created: 1, refused: 1, ..Counts::default() };
    store.create_user(&new_user("bob"), None, None).unwrap();
    let before = ImportProgress { rows: 2, counts, at: at(0) };
    let resumed = import.plan::<AuthError>(Some(&mut *store), Some(before), Some(|_: &[_]| Ok(()))).unwrap();
    assert_eq!((whole.refused_rows(), resumed.refused_rows()), (1, 1));
    assert_eq!(whole.refused, resumed.refused);
}
