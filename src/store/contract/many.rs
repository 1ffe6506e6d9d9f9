//! Acts on more rows than one statement meets.

use super::audit::entries;
use super::organizations::with_organizations;
use super::plugins::on_apps;
use super::*;
use crate::auth::prune::Pruning;
use crate::auth::storage::{DeletionRequest, NewOwner};

const MANY: usize = 1_203;

/// Ada's and bob's sessions in turn, with ids that are not in the order of insertion, whose end is `at(60)`.
fn sessions(db: &Database) -> (Box<dyn Store>, Vec<String>) {
    let store = db.with(&["ada", "bob"]);
    let [begin, end] = [0, 60].map(|seconds| db.time(seconds));
    db.edit(&format!(
        r#"INSERT INTO "session" ("id", "token", "userId", "expiresAt", "createdAt", "updatedAt")
           WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
           SELECT 's' || (7919 * i % 100003), 'token' || i, CASE i % 2 WHEN 0 THEN 'ada' ELSE 'bob' END,
           {end}, {begin}, {begin} FROM n"#
    ));
    (store, (1..=MANY).map(|number| format!("s{}", 7919 * number % 100_003)).collect())
}

#[test]
fn many_sessions_end_in_the_order_of_their_ids() {
    on_every_engine(|db| {
        let (mut store, mut ids) = sessions(db);
        ids.reverse();
        assert_eq!(names(&store.end_sessions_by_id(&ids, &[]).unwrap()), ids);
        assert_eq!(db.count("session"), 0);
        let mut ended = entries(&mut *store, 0);
        ended.retain(|entry| entry.event == "session.ended");
        let logged: Vec<String> = ended.iter().map(|entry| entry.session_id.clone().unwrap()).collect();
        assert_eq!(logged, ids);
        for (number, entry) in (1..=MANY).rev().zip(&ended) {
            let email = if number % 2 == 0 { "ada@example.com" } else { "bob@example.com" };
            assert_eq!(entry.user_email.as_deref(), Some(email), "{number}");
        }
    });
}

#[test]
fn many_expired_sessions_go_but_for_those_that_are_kept() {
    on_every_engine(|db| {
        let (mut store, ids) = sessions(db);
        let reference = r#"TEXT REFERENCES "session" ("id")"#;
        db.edit(&format!("CREATE TABLE visit (id TEXT PRIMARY KEY, during {reference})"));
        db.edit(&format!("INSERT INTO visit VALUES ('first', '{}')", ids[700]));
        let mut pruning = Pruning::by(2 * MANY);
        assert_eq!(store.prune(at(70), &mut pruning).unwrap(), MANY as u64 - 1);
        assert_eq!((pruning.kept, pruning.holders.len(), pruning.is_over), (1, 1, true));
        assert_eq!(db.ask(r#"SELECT "id" FROM "session""#).as_ref(), Some(&ids[700]));
        let entry = entries(&mut *store, 0).pop().unwrap();
        assert_eq!((&*entry.event, entry.detail.as_deref()), ("sessions.pruned", Some("1202 expired sessions")));
    });
}

/// Bob is a member of every second organization, with another role.
#[test]
fn many_organizations_are_handed_over_in_one_act() {
    on_apps(|db| {
        let mut store = with_organizations(db);
        let numbers = format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
        for rows in [
            format!("{{organization}} {numbers} SELECT 'x' || i, 'X' || i, 'x' || i, [30] FROM n"),
            format!("{{member}} {numbers} SELECT 'a' || i, 'x' || i, 'ada', 'owner', [30] FROM n"),
            format!("{{member}} {numbers} SELECT 'b' || i, 'x' || i, 'bob', 'admin', [30] FROM n WHERE i % 2 = 0"),
        ] {
            db.edit_plugins(&format!("INSERT INTO {rows}"));
        }
        let new_owner = Some(NewOwner { user_id: "bob", random: "random" });
        let guard = AdminGuard::Off;
        let request = DeletionRequest { id: "ada", guard, force_shared: false, new_owner, now: at(60) };
        let deletion = store.delete_user(&request).unwrap().unwrap();
        assert_eq!((deletion.moved_organizations.len(), deletion.ownerless.len()), (MANY + 2, 0));
        let roles = "SELECT CAST(count(DISTINCT {organizationId}) AS TEXT) || ' ' || CAST(count(DISTINCT id) AS TEXT)
                     FROM {member} WHERE {userId} = 'bob' AND role = ";
        for (role, expected) in [("owner", "603 603"), ("admin,owner", "601 601"), ("member,owner", "1 1")] {
            assert_eq!(db.ask_plugins(&format!("{roles}'{role}'")), expected, "{role}");
        }
        let moved = entries(&mut *store, 0).into_iter().filter(|entry| entry.event == "ownership.moved");
        assert_eq!(moved.count(), MANY + 2);
    });
}
