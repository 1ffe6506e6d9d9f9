//! Users for another system.

use super::import::{batch, imported};
use super::*;
use crate::auth::storage::{ExportedUser, ImportedAccount, ImportedUser, OnConflict, Sink};

#[derive(Default)]
struct Taken {
    counts: Vec<u64>,
    users: Vec<ExportedUser>,
    wants_one: bool,
}

impl Sink for Taken {
    fn begin(&mut self, users: u64) {
        self.counts.push(users);
    }

    fn user(&mut self, user: ExportedUser) -> bool {
        self.users.push(user);
        !self.wants_one
    }
}

fn exported(store: &mut dyn Store, wants_one: bool) -> (Vec<u64>, Vec<ExportedUser>) {
    let mut taken = Taken { wants_one, ..Taken::default() };
    store.export(&mut taken).unwrap();
    (taken.counts, taken.users)
}

#[test]
fn users_are_read_with_their_accounts_the_oldest_first() {
    on_every_engine(|db| {
        let mut store = db.store();
        let mut ada = imported("ada");
        ada.user.created_at = at(9);
        ada.accounts.insert(
            0,
            ImportedAccount { id: "second".into(), provider_id: "twitter".into(), ..ada.accounts[0].clone() },
        );
        let users = [
            ada,
            ImportedUser { hash: None, accounts: Vec::new(), ..imported("cy") },
            ImportedUser { hash: None, accounts: Vec::new(), ..imported("bob") },
        ];
        super::import::import(&mut *store, &batch(&users, OnConflict::Fail, [0, 3])).unwrap().unwrap();
        let (counts, users) = exported(&mut *store, false);
        assert_eq!(counts, [3]);
        assert_eq!(users.iter().map(|one| one.user.id.as_str()).collect::<Vec<_>>(), ["bob", "cy", "ada"]);
        let ada = &users[2];
        assert_eq!(ada.hash.as_ref().unwrap().expose(), hash_of("ada").expose());
        let accounts: Vec<_> =
            ada.accounts.iter().map(|one| (one.provider_id.as_str(), one.account_id.as_str())).collect();
        assert_eq!(accounts, [("google", "subject-of-ada"), ("twitter", "subject-of-ada")]);
        assert!(users[0].hash.is_none() && users[0].accounts.is_empty());
        let (_, first) = exported(&mut *store, true);
        assert_eq!(first.len(), 1, "it stops when nothing more is wanted");
    });
}

/// Ids are numbers and UUIDs there, and times of every kind.
#[test]
fn app_with_types_of_its_own_has_an_export() {
    for engine in typed_apps::ENGINES {
        typed_apps::on_app(engine, "SELECT 1", |db| {
            let mut store = db.store();
            let made = store.create_user(&new_user("ada"), Some(&hash_of("ada")), None).unwrap().0;
            let (counts, users) = exported(&mut *store, false);
            assert_eq!((counts, users.len(), &users[0].user), (vec![1], 1, &made));
            assert!(users[0].hash.is_some());
        });
    }
}

#[test]
fn database_without_users_has_an_export() {
    on_every_engine(|db| {
        let (counts, users) = exported(&mut *db.store(), false);
        assert_eq!((counts, users.len()), (vec![0], 0));
    });
}
