//! Acts on more rows than one statement meets.

use super::audit::entries;
use super::*;
use crate::auth::prune::Pruning;

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
