//! Databases of apps that keep sessions and codes elsewhere. The numbers of rows that a database does not have are not
//! known, and what ends them says so.

use super::plugins::Keys;
use super::*;
use crate::auth::access::AccessKind;
use crate::auth::storage::{Ban, EndSessions, Lockdown, UserChange};

#[test]
fn access_in_tables_that_the_database_lacks_is_not_counted() {
    for missing in [&["session"][..], &["verification"], &["session", "verification"]] {
        // On a server, an app whose sessions are elsewhere is recognised only with a file that says so.
        let is_meant = |engine: &TestEngine| !(engine.is_native || engine.is_typed && missing.contains(&"session"));
        on_engines(is_meant, |db| {
            db.add_plugins(Keys::Absent);
            db.with(&["ada"]);
            db.edit_plugins("INSERT INTO {apikey} VALUES ('k', 'ada', 'x', TRUE, NULL)");
            for table in missing {
                db.edit(&format!(r#"DROP TABLE "{table}""#));
            }
            let mut store = db.store();
            let found = store.account_access("ada", at(30)).unwrap().unwrap().counts;
            let lockdown =
                Lockdown { user_id: "ada", ban: None, guard: AdminGuard::KeepLastAdmin, code: None, now: at(30) };
            let (_, ended) = store.lock_down(&lockdown).unwrap().unwrap();
            for kind in AccessKind::ALL {
                let is_missing = kind.table().is_some_and(|table| missing.contains(&table));
                let expected = (!is_missing).then_some(u64::from(kind == AccessKind::ApiKey));
                assert_eq!([found, ended].map(|counts| counts.of(kind)), [expected; 2], "{kind:?}, {missing:?}");
            }
        });
    }
}

#[test]
fn change_says_in_which_tables_it_ends_rows() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let role = |role: &str| UserChange {
            role: Some(Some(role.to_owned())),
            end: EndSessions::IfRoleIsLost,
            ..UserChange::default()
        };
        let ban = Some(Ban::Imposed { reason: None, until: None });
        for (change, expected) in [
            (UserChange { name: Some("Lovelace".into()), ..UserChange::default() }, &[][..]),
            (role("admin,user"), &[]),
            (role("user"), &["session"]),
            (UserChange { email: Some(email("lovelace")), ..UserChange::default() }, &["verification"]),
            (UserChange { ban, end: EndSessions::Always, ..UserChange::default() }, &["session"]),
        ] {
            let updated = store.update_user("ada", &change, AdminGuard::Off, at(1)).unwrap().unwrap();
            assert_eq!(updated.ends_in, expected, "{change:?}");
        }
    });
}
