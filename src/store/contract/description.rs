//! What the database says of itself.

use super::*;

#[test]
fn info_counts_users_and_sessions_at_a_moment() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "one", "ada", 0, 10);
        begin(&mut *store, "two", "ada", 0, 20);
        begin(&mut *store, "bobs", "bob", 0, 30);
        let sessions = [9, 10, 20, 30].map(|now| {
            let info = store.info(at(now)).unwrap();
            (info.users, info.live_sessions.unwrap(), info.expired_sessions.unwrap())
        });
        assert_eq!(sessions, [(2, 3, 0), (2, 2, 1), (2, 1, 2), (2, 0, 3)]);
    });
}

#[test]
fn info_describes_the_file_and_the_engine() {
    on_every_engine(|db| {
        let info = db.store().info(at(0)).unwrap();
        assert_eq!((info.users, info.live_sessions, info.expired_sessions), (0, Some(0), Some(0)));
        assert_eq!(info.schema_version, db.engine.is_native.then_some(sqlite::LATEST));
        assert_eq!(info.app.is_some(), !db.engine.is_native);
        assert_eq!(info.journal_mode, db.engine.journal_mode);
        assert_eq!(info.sqlite_version, db.ask("SELECT sqlite_version()").unwrap());
        assert_eq!(info.bytes, std::fs::metadata(&db.path).unwrap().len());
    });
}
