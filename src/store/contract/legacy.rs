//! Passwords whose hashes are not argon2id.

use super::audit::entries;
use super::second_factor::on_native_engines;
use super::*;
use crate::auth::prune::Pruning;

/// A hash of argon2id, one of another system, one of Better Auth, and a weak one in argon2id, of an end that has come.
const HASHES: [(&str, &str); 4] = [
    ("ada", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ("bob", "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"),
    ("cy", "pbkdf2_sha256$12000$q76pwKGAfXhV$rgzsrpyeZyxxjboJ9NrJIyIe4xh+AY8vRkzauMUUjiU="),
    (
        "eve",
        "$authctl-wrap$v=1,k=md5,s=$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
];

#[test]
fn legacy_passwords_are_deleted_in_parts_and_each_has_an_entry() {
    on_native_engines(|db| {
        let mut store = db.with(&["ada", "bob", "cy", "eve"]);
        for (user, text) in HASHES {
            set_password(&mut *store, user, text, None, 1).unwrap().unwrap();
        }
        let before = entries(&mut *store, 0).len();
        assert_eq!(store.count_legacy_passwords().unwrap(), 3);
        let (mut pruning, mut deleted) = (Pruning::by(2), Vec::new());
        while !pruning.is_over {
            deleted.push(store.prune_legacy_passwords(&mut pruning).unwrap());
        }
        assert_eq!(deleted.iter().sum::<u64>(), 3, "{deleted:?}");
        assert_eq!(store.count_legacy_passwords().unwrap(), 0);
        assert_eq!(stored_hash(&mut *store, "ada").unwrap(), HASHES[0].1);
        for user in ["bob", "cy", "eve"] {
            assert!(store.accounts(user).unwrap().is_empty(), "{user}: the account goes with its password");
            assert!(by_id(&mut *store, user).is_some(), "{user}");
        }
        let mut told: Vec<_> =
            entries(&mut *store, 0)[before..].iter().map(|entry| (entry.event.clone(), entry.detail.clone())).collect();
        told.sort();
        let of = |kind: &str| ("password.pruned".to_owned(), Some(kind.to_owned()));
        assert_eq!(told, [of("bcrypt"), of("md5"), of("pbkdf2-sha256")]);
    });
}
