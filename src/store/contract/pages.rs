//! Pages of users: together they are everybody who fits, each once, in order.

use super::*;
use crate::auth::storage::{StoreError, UserPage, UserQuery, UserSort};

fn query() -> UserQuery {
    UserQuery {
        search: None,
        role: None,
        banned_at: None,
        unverified: false,
        sort: UserSort::Email,
        limit: 50,
        after: None,
    }
}

fn page(store: &mut dyn Store, query: &UserQuery) -> (Vec<String>, u64, Option<String>) {
    let UserPage { users, total, next } = store.users(query).unwrap();
    (users.into_iter().map(|user| user.id).collect(), total, next)
}

/// The ids on all pages, whose totals agree.
fn walk(store: &mut dyn Store, query: &UserQuery) -> Vec<String> {
    let mut query = query.clone();
    let mut seen = Vec::new();
    loop {
        let (ids, total, next) = page(store, &query);
        assert!(ids.len() <= query.limit as usize);
        assert_eq!(next.is_some(), seen.len() + ids.len() < usize::try_from(total).unwrap(), "{ids:?} of {total}");
        assert!(next.is_none() || next.as_ref() == ids.last());
        seen.extend(ids);
        match next {
            Some(next) => query.after = Some(next),
            None => return seen,
        }
    }
}

#[test]
fn the_first_page_of_nobody_is_empty_and_the_last() {
    on_every_engine(|db| {
        assert_eq!(page(&mut *db.store(), &query()), (vec![], 0, None));
    });
}

#[test]
fn pages_of_every_size_show_everybody_once_in_every_order() {
    on_every_engine(|db| {
        let mut store = db.store();
        // By address u1 .. u7; names and moments that many share.
        for number in 1..=7 {
            let name = ["Zoe", "ada", "Ada"][number % 3].to_owned();
            let now = at([0, 5, 5, 5][number % 4]);
            store.create_user(&NewUserRow { name, now, ..new_user(&format!("u{number}")) }, None, None).unwrap();
        }
        for (sort, expected) in [
            (UserSort::Email, ["u1", "u2", "u3", "u4", "u5", "u6", "u7"]),
            (UserSort::Name, ["u2", "u5", "u3", "u6", "u1", "u4", "u7"]),
            (UserSort::Created, ["u4", "u1", "u2", "u3", "u5", "u6", "u7"]),
        ] {
            for limit in [1, 2, 3, 6, 7, 8, 1000] {
                assert_eq!(walk(&mut *store, &UserQuery { sort, limit, ..query() }), expected, "{sort:?} by {limit}");
            }
        }
    });
}

#[test]
fn a_walk_that_meets_new_users_and_deleted_ones_shows_nobody_twice() {
    on_every_engine(|db| {
        let mut store = db.with(&["b", "d", "f", "h"]);
        let first = UserQuery { limit: 2, ..query() };
        assert_eq!(page(&mut *store, &first), (vec!["b".into(), "d".into()], 4, Some("d".into())));
        for name in ["a", "c", "e"] {
            store.create_user(&new_user(name), None, None).unwrap();
        }
        store.delete_user("f", crate::auth::storage::AdminGuard::Off, at(1)).unwrap().unwrap();
        let second = UserQuery { after: Some("d".into()), ..first };
        assert_eq!(page(&mut *store, &second), (vec!["e".into(), "h".into()], 6, None));
    });
}

#[test]
fn a_page_begins_also_after_a_user_whom_the_filter_leaves_out() {
    on_every_engine(|db| {
        let mut store = db.with(&["a", "b", "c"]);
        db.edit(r#"UPDATE "user" SET "banned" = 1 WHERE "id" <> 'b'"#);
        let query = UserQuery { banned_at: Some(at(0)), after: Some("b".into()), ..query() };
        assert_eq!(page(&mut *store, &query), (vec!["c".into()], 2, None));
    });
}

#[test]
fn a_page_after_somebody_who_is_gone_has_no_place_to_begin() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for sort in [UserSort::Email, UserSort::Name, UserSort::Created] {
            for gone in ["carol", "", "ada@example.com", "ad"] {
                let refused = store.users(&UserQuery { sort, after: Some(gone.into()), ..query() });
                assert!(matches!(refused, Err(StoreError::NoSuchPlace)), "{gone:?}: {refused:?}");
            }
        }
    });
}

#[test]
fn a_search_takes_every_sign_for_itself() {
    on_every_engine(|db| {
        let mut store = db.store();
        for (id, name) in [("ada", "Ada 100%"), ("bob", "b_b\\"), ("eve", "Éve '\"; x"), ("zoe", "Zoe")] {
            store.create_user(&NewUserRow { name: name.into(), ..new_user(id) }, None, None).unwrap();
        }
        for (search, expected) in [
            ("ADA@EX", &["ada"][..]),
            ("a 1", &["ada"]),
            ("%", &["ada"]),
            ("0%", &["ada"]),
            ("_", &["bob"]),
            ("\\", &["bob"]),
            ("\\b", &[]),
            ("a%a", &[]),
            ("_oe", &[]),
            ("example.com\nzoe", &[]),
            ("zOe", &["zoe"]),
            ("É", &["eve"]),
            ("'\"; x", &["eve"]),
            ("EXAMPLE.com", &["ada", "bob", "eve", "zoe"]),
            ("", &["ada", "bob", "eve", "zoe"]),
            ("nobody", &[]),
        ] {
            let expected: Vec<String> = expected.iter().map(|id| (*id).to_owned()).collect();
            for limit in [1, 50] {
                let query = UserQuery { search: Some(search.into()), limit, ..query() };
                assert_eq!(walk(&mut *store, &query), expected, "{search:?} by {limit}");
            }
        }
    });
}

#[test]
fn a_role_is_one_whole_word_as_the_rules_read_it() {
    on_every_engine(|db| {
        let roles =
            ["admin", "editor,admin", "editor, admin , x", "superadmin", "administrator,editor", "Admin", "a%min"];
        let mut store = db.store();
        for (number, role) in roles.iter().enumerate() {
            let user = NewUserRow { role: Some((*role).to_owned()), ..new_user(&format!("u{number}")) };
            store.create_user(&user, None, None).unwrap();
        }
        store.create_user(&new_user("u7"), None, None).unwrap();
        for role in ["admin", "editor", "Admin", "a%min", "a_min", "%", "min", "x", "editor,admin", "nobody"] {
            let found = store.users(&UserQuery { role: Some(role.into()), ..query() }).unwrap();
            let found: Vec<String> = found.users.into_iter().map(|user| user.id).collect();
            let all = store.users(&query()).unwrap().users;
            let expected: Vec<String> =
                all.into_iter().filter(|user| user.has_role(role)).map(|user| user.id).collect();
            assert_eq!(found, expected, "{role:?}");
        }
    });
}

#[test]
fn filters_narrow_together_and_the_total_counts_what_fits() {
    on_every_engine(|db| {
        let mut store = db.with(&["a", "b", "c", "d", "e"]);
        db.edit(
            r#"UPDATE "user" SET "banned" = 1 WHERE "id" IN ('a', 'b', 'c');
           UPDATE "user" SET "banned" = NULL WHERE "id" = 'd';
           UPDATE "user" SET "emailVerified" = 1 WHERE "id" IN ('c', 'e');
           UPDATE "user" SET "role" = 'editor' WHERE "id" IN ('b', 'c')"#,
        );
        let banned = UserQuery { banned_at: Some(at(0)), ..query() };
        let unverified = UserQuery { unverified: true, ..query() };
        assert_eq!(walk(&mut *store, &banned), ["a", "b", "c"]);
        assert_eq!(walk(&mut *store, &unverified), ["a", "b", "d"]);
        let both = UserQuery { unverified: true, limit: 1, ..banned };
        assert_eq!(page(&mut *store, &both), (vec!["a".into()], 2, Some("a".into())));
        assert_eq!(walk(&mut *store, &both), ["a", "b"]);
        assert_eq!(walk(&mut *store, &UserQuery { role: Some("editor".into()), ..both.clone() }), ["b"]);
        assert_eq!(walk(&mut *store, &UserQuery { search: Some("a@".into()), ..both }), ["a"]);
    });
}
