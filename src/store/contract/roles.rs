//! Roles that are lost, and the sessions that go with them.

use super::*;
use crate::auth::storage::{AdminGuard, EndSessions, UserChange};

fn set(store: &mut dyn Store, role: &str) -> Vec<String> {
    let change = UserChange { role: Some(Some(role.into())), end: EndSessions::IfRoleIsLost, ..UserChange::default() };
    names(&store.update_user("ada", &change, AdminGuard::Off, at(1)).unwrap().unwrap().ended)
}

#[test]
fn sessions_end_with_a_role_that_the_user_has_at_that_moment_and_not_after_it() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        begin(&mut *store, "bobs", "bob", 0, 60);
        for (before, role) in [("", "editor"), ("user", "editor"), ("editor", "admin,editor")] {
            db.edit(&format!(r#"UPDATE "user" SET "role" = nullif('{before}', '')"#));
            assert_eq!(set(&mut *store, role), [""; 0], "{before} to {role}");
        }
        // What somebody else has just given counts, whatever the caller has read.
        db.edit(r#"UPDATE "user" SET "role" = 'admin'"#);
        assert_eq!(set(&mut *store, "editor"), ["adas"]);
        assert_eq!((ids(&mut *store, "ada"), ids(&mut *store, "bob")), (vec![], vec!["bobs".to_owned()]));
    });
}
