//! Users of other systems.

use super::*;
use crate::auth::import::Counts;
use crate::auth::import::row::OauthTokens;
use crate::auth::storage::{
    ImportBatch, ImportProgress, ImportResult, ImportedAccount, ImportedUser, NewBan, OnConflict, UserChange, UserQuery,
};

/// A user with a password and an account at a provider.
pub(super) fn imported(name: &str) -> ImportedUser {
    ImportedUser {
        user: NewUserRow {
            email_verified: true,
            ban: Some(NewBan { reason: Some("disabled in clerk".into()), until: None }),
            created_at: at(-86_400),
            updated_at: at(-60),
            ..new_user(name)
        },
        keeps_id: true,
        replaces_role: false,
        hash: Some(hash_of(name)),
        accounts: vec![ImportedAccount {
            id: format!("google-of-{name}"),
            provider_id: "google".into(),
            account_id: format!("subject-of-{name}"),
            created_at: at(-86_400),
            tokens: None,
        }],
        factor: None,
    }
}

pub(super) fn batch(users: &[ImportedUser], on_conflict: OnConflict, rows: [u64; 2]) -> ImportBatch<'_> {
    let (key, about, now) = ("key", "clerk export users.csv", at(10));
    ImportBatch { users, on_conflict, is_new: false, key, about, rows, total: 9, now }
}

/// Imports a batch and ignores the results before the commit.
pub(super) fn import(
    store: &mut dyn Store,
    batch: &ImportBatch<'_>,
) -> Result<Result<Vec<ImportResult>, AuthError>, StoreError> {
    store.import_users(batch, &mut |_| Ok(()))
}

fn run(store: &mut dyn Store, users: &[ImportedUser], on_conflict: OnConflict) -> Result<Vec<ImportResult>, AuthError> {
    let rehearsed = store.rehearse_import(users, on_conflict).unwrap();
    let done = import(&mut *store, &batch(users, on_conflict, [0, 1])).unwrap();
    if let Ok(results) = &done {
        let kinds = |results: &[ImportResult]| results.iter().map(std::mem::discriminant).collect::<Vec<_>>();
        assert_eq!(kinds(&rehearsed), kinds(results), "the plan is what is done");
    }
    done
}

#[test]
fn imported_user_is_whole_and_logged() {
    on_every_engine(|db| {
        let mut store = db.store();
        let users = [imported("ada"), ImportedUser { hash: None, accounts: Vec::new(), ..imported("bob") }];
        let results = run(&mut *store, &users, OnConflict::Fail).unwrap();
        assert_eq!(results, [ImportResult::Created; 2]);
        let ada = by_id(&mut *store, "ada").unwrap();
        assert_eq!((ada.created_at, ada.updated_at, ada.email_verified), (at(-86_400), at(-60), true));
        assert_eq!((ada.banned, ada.ban_reason.as_deref()), (true, Some("disabled in clerk")));
        assert_eq!(store.password_hash("ada").unwrap().unwrap().expose(), hash_of("ada").expose());
        let providers: Vec<_> = store.accounts("ada").unwrap().into_iter().map(|one| one.provider_id).collect();
        assert_eq!(providers.len(), 2, "{providers:?}");
        assert!(store.password_hash("bob").unwrap().is_none());
        assert_eq!(
            store
                .users(&UserQuery { search: Some("ada@ex".into()), limit: 9, ..UserQuery::default() })
                .unwrap()
                .users
                .len(),
            1
        );
        let events: Vec<_> = store.newest_entries(9).unwrap().into_iter().map(|entry| entry.event).collect();
        assert_eq!(events.iter().filter(|event| *event == "user.imported").count(), 2, "{events:?}");
        assert_eq!(events.iter().filter(|event| *event == "users.imported").count(), 1, "{events:?}");
    });
}

#[test]
fn existing_user_fails_the_import_or_is_skipped() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        // The same id, the same address, and the same account of the provider.
        let mut same_address = imported("other");
        same_address.user.email = email("ada");
        let taken = [imported("ada"), same_address];
        for user in &taken {
            let users = [imported("bob"), user.clone()];
            assert!(matches!(run(&mut *store, &users, OnConflict::Fail), Err(AuthError::UserExists)));
            assert!(by_id(&mut *store, "bob").is_none(), "nothing is imported");
        }
        let users = [imported("bob"), taken[0].clone(), taken[1].clone()];
        let results = run(&mut *store, &users, OnConflict::Skip).unwrap();
        assert_eq!(results, [ImportResult::Created, ImportResult::Skipped, ImportResult::Skipped]);
        let mut same_account = imported("eve");
        same_account.accounts = imported("bob").accounts;
        assert_eq!(run(&mut *store, &[same_account], OnConflict::Skip).unwrap(), [ImportResult::Skipped]);
        assert_eq!((db.count("user"), db.count("account")), (2, 3));
        assert_eq!(by_id(&mut *store, "ada").unwrap().created_at, at(0), "the stored user stays");
    });
}

#[test]
fn update_goes_by_the_id_alone() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        store.create_user(&new_user("bob"), None, Some(&new_session("first", "bob", at(0), at(60)))).unwrap();
        let mut bob = ImportedUser { accounts: Vec::new(), ..imported("bob") };
        bob.user.name = "Robert".into();
        bob.user.ban = None;
        let results = run(&mut *store, &[bob.clone()], OnConflict::Update).unwrap();
        assert_eq!(results, [ImportResult::Updated { sessions: 1 }]);
        let stored = by_id(&mut *store, "bob").unwrap();
        assert_eq!((stored.name.as_str(), stored.email_verified, stored.created_at), ("Robert", true, at(0)));
        assert!(store.password_hash("bob").unwrap().is_some());
        assert_eq!(run(&mut *store, &[bob.clone()], OnConflict::Update).unwrap(), [ImportResult::Unchanged]);
        // Another address is not taken, and verifies nothing.
        let unverified = UserChange { email_verified: Some(false), ..UserChange::default() };
        store.update_user("bob", &unverified, AdminGuard::Off, at(9)).unwrap().unwrap();
        let moved = ImportedUser { user: NewUserRow { email: email("robert"), ..bob.user.clone() }, ..bob.clone() };
        assert_eq!(run(&mut *store, &[moved], OnConflict::Update).unwrap(), [ImportResult::Unchanged]);
        let stored = by_id(&mut *store, "bob").unwrap();
        assert_eq!((stored.email.as_str(), stored.email_verified), ("bob@example.com", false));
        // The address of another user does not make the row that user.
        bob.user.id = "eve".into();
        bob.user.email = email("ada");
        assert_eq!(run(&mut *store, &[bob], OnConflict::Update).unwrap(), [ImportResult::Taken]);
        assert_eq!(db.count("user"), 2);
    });
}

#[test]
fn tokens_of_accounts_are_stored() {
    on_every_engine(|db| {
        let mut store = db.store();
        let mut ada = imported("ada");
        let tokens = OauthTokens {
            access: Some("access".into()),
            id: Some("identity".into()),
            access_expires_at: Some(at(60)),
            scope: Some("email".into()),
            ..OauthTokens::default()
        };
        ada.accounts[0].tokens = Some(Box::new(tokens));
        assert_eq!(run(&mut *store, &[ada, imported("bob")], OnConflict::Fail).unwrap(), [ImportResult::Created; 2]);
        let of = |column: &str, subject: &str| {
            db.ask(&format!(
                r#"SELECT CAST("{column}" AS TEXT) FROM "account" WHERE "accountId" = 'subject-of-{subject}'"#
            ))
        };
        let stored = ["accessToken", "refreshToken", "idToken", "scope"].map(|column| of(column, "ada"));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(stored, [text("access"), None, text("identity"), text("email")]);
        assert!(of("accessTokenExpiresAt", "ada").is_some() && of("refreshTokenExpiresAt", "ada").is_none());
        assert_eq!(of("accessToken", "bob"), None);
    });
}

#[test]
fn log_tells_how_far_an_import_came() {
    on_every_engine(|db| {
        let mut store = db.store();
        assert_eq!(store.import_progress("key").unwrap(), None);
        let users = [imported("ada"), imported("bob"), imported("cy")];
        import(&mut *store, &batch(&users[..2], OnConflict::Fail, [0, 5])).unwrap().unwrap();
        import(&mut *store, &batch(&users[2..], OnConflict::Fail, [5, 9])).unwrap().unwrap();
        let counts = Counts { created: 3, ..Counts::default() };
        let ImportProgress { rows, counts: known, .. } = store.import_progress("key").unwrap().unwrap();
        assert_eq!((rows, known), (9, counts));
        assert_eq!(store.import_progress("other").unwrap(), None);
        // A new run begins anew.
        import(&mut *store, &batch(&[], OnConflict::Skip, [0, 2])).unwrap().unwrap();
        assert_eq!(store.import_progress("key").unwrap().unwrap().rows, 2);
    });
}

#[test]
fn address_in_another_spelling_is_taken() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        if db.engine.is_native {
            return;
        }
        db.edit(r#"UPDATE "user" SET "email" = 'ADA@Example.com' WHERE "id" = 'ada'"#);
        let mut twin = imported("twin");
        twin.user.email = email("ada");
        assert_eq!(run(&mut *store, &[twin], OnConflict::Skip).unwrap(), [ImportResult::Skipped]);
    });
}

#[test]
fn results_are_told_before_the_commit_and_an_error_of_the_listener_takes_the_batch_back() {
    on_every_engine(|db| {
        let mut store = db.store();
        let users = [imported("ada"), imported("bob")];
        let mut heard = Vec::new();
        let done = store.import_users(&batch(&users, OnConflict::Fail, [0, 2]), &mut |results| {
            heard.extend_from_slice(results);
            Err(StoreError::Engine("the file is full".into()))
        });
        assert!(matches!(done, Err(StoreError::Engine(_))), "{done:?}");
        assert_eq!(heard, [ImportResult::Created; 2]);
        assert!(by_id(&mut *store, "ada").is_none());
        assert_eq!(store.import_progress("key").unwrap(), None);
        import(&mut *store, &batch(&users, OnConflict::Fail, [0, 2])).unwrap().unwrap();
        assert!(by_id(&mut *store, "ada").is_some());
    });
}

#[test]
fn batch_of_new_users_meets_one_whom_another_process_has_added() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let new = |users, on_conflict| ImportBatch { is_new: true, ..batch(users, on_conflict, [0, 3]) };
        let mut same_account = imported("eve");
        same_account.accounts = imported("bob").accounts;
        let users = [imported("bob"), imported("ada"), imported("cy")];
        assert!(matches!(import(&mut *store, &new(&users, OnConflict::Fail)), Ok(Err(AuthError::UserExists))));
        assert!(by_id(&mut *store, "bob").is_none(), "nothing is imported");
        let results = import(&mut *store, &new(&users, OnConflict::Skip)).unwrap().unwrap();
        assert_eq!(results, [ImportResult::Created, ImportResult::Skipped, ImportResult::Created]);
        let results = import(&mut *store, &new(&[same_account], OnConflict::Skip)).unwrap().unwrap();
        assert_eq!(results, [ImportResult::Skipped]);
        let counts = store.import_progress("key").unwrap().unwrap().counts;
        assert_eq!((db.count("user"), counts.skipped), (3, 1), "the newest run begins at the first row");
    });
}

#[test]
fn new_users_are_found_by_a_search_whatever_the_order_of_their_ids() {
    on_every_engine(|db| {
        let mut store = db.store();
        let banned = imported("ada");
        let users: Vec<_> = ["zoe", "bob", "mia", "amy"]
            .map(|name| ImportedUser { user: NewUserRow { ban: None, ..imported(name).user }, ..imported(name) })
            .into_iter()
            .chain([banned])
            .collect();
        let told = ImportBatch { is_new: true, ..batch(&users, OnConflict::Fail, [0, 5]) };
        assert_eq!(import(&mut *store, &told).unwrap().unwrap(), [ImportResult::Created; 5]);
        for user in &users {
            let query = UserQuery { search: Some(user.user.email.to_string()), limit: 9, ..UserQuery::default() };
            let found = store.users(&query).unwrap().users;
            assert_eq!(found.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), [user.user.id.as_str()]);
            assert_eq!(found[0].banned, user.user.ban.is_some());
            assert_eq!(store.accounts(&user.user.id).unwrap().len(), 2);
        }
    });
}
