//! The shapes of exports, as the readers of other systems' files read them.

use std::io::{Cursor, Read as _};

use super::*;
use crate::auth::fixtures::{at, user};
use crate::auth::import::row::{Credential, Fact, SourceUser};
use crate::import::{Export, Format, Input, ReadOptions};

const ARGON2ID: &str =
    "$argon2id$v=19$m=7168,t=1,p=1$cTAYWwiH63jHQCHwTHuoew$CrsnFEd4ba7PAG239E7stjafYp/uuCxIHcUAodYHNZw";

fn written(shape: Shape, with_hashes: bool, users: Vec<ExportedUser>) -> String {
    let mut file = tempfile::tempfile().unwrap();
    let (output, second) = (file.try_clone().unwrap(), tempfile::tempfile().unwrap());
    let mut writer = Writer::new(shape, with_hashes, 1, output, second);
    writer.begin(users.len() as u64);
    assert!(users.into_iter().all(|user| writer.user(user)));
    writer.finish().unwrap();
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

fn two_users() -> Vec<ExportedUser> {
    let ada = User { email_verified: true, created_at: at(0), ..user() };
    let bob = User { id: "user-2".into(), email: "bob@example.com".into(), banned: true, ..user() };
    let hash = StoredHash::from_bytes(ARGON2ID.as_bytes()).unwrap();
    vec![
        ExportedUser { user: ada, hash: Some(hash), accounts: Vec::new() },
        ExportedUser { user: bob, hash: None, accounts: Vec::new() },
    ]
}

fn read_back(text: &str) -> (Format, Vec<SourceUser>) {
    let bytes = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let mut export = Export::open(vec![Input { name: "export".into(), bytes }], ReadOptions::default()).unwrap();
    let mut users = Vec::new();
    while let Some(row) = export.next_row().unwrap() {
        match row.fact.unwrap() {
            Fact::User(user) => users.push(*user),
            Fact::About { .. } => {}
        }
    }
    (export.format(), users)
}

#[test]
fn each_shape_is_recognised_and_read_back() {
    let shapes = [
        (Shape::Authctl, Format::Authctl),
        (Shape::Csv, Format::Csv),
        (Shape::BetterAuth, Format::BetterAuth),
        (Shape::Auth0, Format::Auth0),
        (Shape::Clerk, Format::Clerk),
        (Shape::Keycloak, Format::Keycloak),
        (Shape::Supabase, Format::Supabase),
    ];
    for (shape, expected) in shapes {
        for with_hashes in [false, true] {
            let text = written(shape, with_hashes, two_users());
            let (format, users) = read_back(&text);
            // Without a hash, Clerk's users have nothing that is Clerk's own.
            let expected = if shape == Shape::Clerk && !with_hashes { Format::JsonLines } else { expected };
            assert_eq!(format, expected, "{text}");
            let [ada, bob] = users.as_slice() else { panic!("{text}: {users:?}") };
            assert_eq!(ada.email.as_deref(), Some("ada@example.com"));
            assert!(ada.id.as_deref().is_some_and(|id| id.ends_with("user-1")), "{text}");
            // Clerk's script takes all addresses as verified, and has no bans.
            if shape != Shape::Clerk {
                assert!(ada.verified && !bob.verified && ada.ban.is_none() && bob.ban.is_some(), "{text}: {users:?}");
            }
            if with_hashes && matches!(shape, Shape::Auth0 | Shape::Clerk | Shape::Keycloak | Shape::Supabase) {
                let Credential::Hash { text: hash, .. } = &ada.password else { panic!("{text}") };
                assert_eq!(hash, ARGON2ID, "{text}");
                assert_eq!(bob.password, Credential::None);
            }
        }
    }
}

#[test]
fn empty_export_is_recognised() {
    for shape in [Shape::Authctl, Shape::Csv, Shape::BetterAuth, Shape::Keycloak] {
        let text = written(shape, false, Vec::new());
        assert!(read_back(&text).1.is_empty(), "{text}");
    }
}
