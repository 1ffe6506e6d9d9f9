//! Lists of users: pages, orders, searches and filters.

use super::*;
use crate::auth::storage::{UserPage, UserQuery, UserSort};

fn query() -> UserQuery {
    UserQuery { count: true, limit: 50, ..UserQuery::default() }
}

fn page(store: &mut dyn Store, query: &UserQuery) -> (Vec<String>, u64, Option<String>) {
    let UserPage { users, total, next } = store.users(query).unwrap();
    (users.into_iter().map(|user| user.id).collect(), total.unwrap(), next.map(|place| place.id))
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
            Some(next) => query.after = Some(next.into()),
            None => return seen,
        }
    }
}

#[test]
fn page_of_an_empty_database_is_empty() {
    on_every_engine(|db| {
        assert_eq!(page(&mut *db.store(), &query()), (vec![], 0, None));
    });
}

#[test]
fn pages_show_each_user_once_in_every_order() {
    on_every_engine(|db| {
        let mut store = db.store();
        // The addresses are u1 to u7; several users share a name or a creation time.
        for number in 1..=7 {
            let name = ["Zoe", "ada", "Ada"][number % 3].to_owned();
            let created_at = at([0, 5, 5, 5][number % 4]);
            store.create_user(&NewUserRow { name, created_at, ..new_user(&format!("u{number}")) }, None, None).unwrap();
        }
        let by_name = if db.engine.is_by_language() {
            ["u1", "u4", "u7", "u2", "u5", "u3", "u6"]
        } else {
            ["u2", "u5", "u3", "u6", "u1", "u4", "u7"]
        };
        for (sort, expected) in [
            (UserSort::Email, ["u1", "u2", "u3", "u4", "u5", "u6", "u7"]),
            (UserSort::Name, by_name),
            (UserSort::Created, ["u4", "u1", "u2", "u3", "u5", "u6", "u7"]),
        ] {
            for limit in [1, 2, 3, 6, 7, 8, 1000] {
                assert_eq!(walk(&mut *store, &UserQuery { sort, limit, ..query() }), expected, "{sort:?} by {limit}");
            }
        }
    });
}

#[test]
fn pages_repeat_no_user_while_others_come_and_go() {
    on_every_engine(|db| {
        let mut store = db.with(&["b", "d", "f", "h"]);
        let first = UserQuery { limit: 2, ..query() };
        assert_eq!(page(&mut *store, &first), (vec!["b".into(), "d".into()], 4, Some("d".into())));
        for name in ["a", "c", "e"] {
            store.create_user(&new_user(name), None, None).unwrap();
        }
        delete_user(&mut *store, "f", crate::auth::storage::AdminGuard::Off, at(1)).unwrap().unwrap();
        let second = UserQuery { after: Some("d".into()), ..first };
        assert_eq!(page(&mut *store, &second), (vec!["e".into(), "h".into()], 6, None));
    });
}

#[test]
fn page_can_begin_after_a_user_outside_the_filter() {
    on_every_engine(|db| {
        let mut store = db.with(&["a", "b", "c"]);
        db.edit(r#"UPDATE "user" SET "banned" = '1' WHERE "id" <> 'b'"#);
        let query = UserQuery { banned_at: Some(at(0)), after: Some("b".into()), ..query() };
        assert_eq!(page(&mut *store, &query), (vec!["c".into()], 2, None));
    });
}

#[test]
fn page_begins_at_its_place_after_its_user_was_deleted() {
    on_every_engine(|db| {
        let mut store = db.with(&["a", "b", "c", "d"]);
        for (sort, gone) in [(UserSort::Email, "a"), (UserSort::Name, "b"), (UserSort::Created, "c")] {
            let first = UserQuery { sort, limit: 1, keeps_place: true, ..query() };
            let next = store.users(&first).unwrap().next;
            assert_eq!(next.as_ref().map(|place| place.id.as_str()), Some(gone));
            delete_user(&mut *store, gone, crate::auth::storage::AdminGuard::Off, at(1)).unwrap().unwrap();
            let left: Vec<String> =
                store.users(&UserQuery { sort, ..query() }).unwrap().users.into_iter().map(|one| one.id).collect();
            assert_eq!(walk(&mut *store, &UserQuery { sort, ..query() }), left);
            let page = store.users(&UserQuery { after: next, limit: 50, ..first }).unwrap();
            assert_eq!(page.users.into_iter().map(|one| one.id).collect::<Vec<_>>(), left);
        }
    });
}

#[test]
fn page_after_an_unknown_user_is_refused() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for sort in [UserSort::Email, UserSort::Name, UserSort::Created] {
            for gone in ["carol", "", "ada@example.com", "ad"] {
                let refused = store.users(&UserQuery { sort, after: Some(gone.into()), ..query() });
                assert!(matches!(refused, Err(StoreError::NoSuchPlace(_))), "{gone:?}: {refused:?}");
            }
        }
    });
}

#[test]
fn search_has_no_wildcards() {
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
            ("unknown", &[]),
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
fn total_is_known_when_it_was_counted_or_the_page_has_all() {
    on_every_engine(|db| {
        let mut store = db.with(&["a", "b", "c"]);
        let uncounted = UserQuery { count: false, ..query() };
        assert_eq!(store.users(&uncounted).unwrap().total, Some(3));
        assert_eq!(store.users(&UserQuery { limit: 2, ..uncounted.clone() }).unwrap().total, None);
        assert_eq!(store.users(&UserQuery { after: Some("a".into()), ..uncounted }).unwrap().total, None);
        assert_eq!(store.users(&UserQuery { limit: 2, ..query() }).unwrap().total, Some(3));
    });
}

/// More users than are sorted.
#[test]
fn long_filtered_list_is_in_the_order_of_a_short_one() {
    on_every_engine(|db| {
        let mut store = db.with(&["a"]);
        let columns = r#""emailVerified", "createdAt", "updatedAt""#;
        db.edit(&format!(
            r#"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
               INSERT INTO "user" ("id", "name", "email", {columns})
               SELECT 'n' || i, 'Name ' || (i * 7 % 100), (i * 7919 % 6007) || '@x.org', {columns} FROM n, "user""#
        ));
        let total = store.users(&query()).unwrap().total;
        assert_eq!(total, Some(6001));
        let all = |store: &mut dyn Store, sort| walk(store, &UserQuery { sort, limit: 1000, ..query() });
        for sort in [UserSort::Email, UserSort::Name, UserSort::Created] {
            let mut expected = all(&mut *store, sort);
            expected.retain(|id| id != "a");
            let mut named = expected.clone();
            named.retain(|id| id[1..].parse::<u32>().unwrap() * 7 % 100 == 99);
            for (search, expected) in [("X.org", expected), ("Name 99", named)] {
                let query = UserQuery { search: Some(search.into()), sort, limit: 1000, ..query() };
                assert_eq!(walk(&mut *store, &query), expected, "{search} {sort:?}");
            }
        }
    });
}

#[test]
fn role_filter_matches_whole_roles() {
    on_every_engine(|db| {
        let roles =
            ["admin", "editor,admin", "editor, admin , x", "superadmin", "administrator,editor", "Admin", "a%min"];
        let mut store = db.store();
        for (number, role) in roles.iter().enumerate() {
            let user = NewUserRow { role: Some((*role).to_owned()), ..new_user(&format!("u{number}")) };
            store.create_user(&user, None, None).unwrap();
        }
        store.create_user(&new_user("u7"), None, None).unwrap();
        for role in ["admin", "editor", "Admin", "a%min", "a_min", "%", "min", "x", "editor,admin", "unknown"] {
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
fn filters_combine_and_the_total_counts_matches() {
    on_every_engine(|db| {
        let mut store = db.with(&["a", "b", "c", "d", "e"]);
        db.edit(
            r#"UPDATE "user" SET "banned" = '1' WHERE "id" IN ('a', 'b', 'c');
           UPDATE "user" SET "banned" = NULL WHERE "id" = 'd';
           UPDATE "user" SET "emailVerified" = '1' WHERE "id" IN ('c', 'e');
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
