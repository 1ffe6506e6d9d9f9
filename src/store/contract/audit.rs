//! The audit log: entries are signed by whoever acts and read in order, and a fact and its entries
//! are one: what was refused leaves none, what cannot leave one did not happen.

use super::*;
use crate::auth::audit::{Actor, Chain, Entry, Event, FORM, Intents, Subject};
use crate::auth::policy::{KEYS, ThrottleRules};
use crate::auth::storage::{AdminGuard, Ban, EndSessions, PasswordChange, StoreError, UserChange, Which};

/// The entries but for those that only intend an act, which guests have.
pub(super) fn entries(store: &mut dyn Store, after: u64) -> Vec<Entry> {
    all_entries(store, after).into_iter().filter(|entry| entry.event != Intents::INTENDED).collect()
}

fn all_entries(store: &mut dyn Store, after: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut found = |entry| {
        entries.push(entry);
        true
    };
    store.each_entry(after, &mut found).unwrap();
    entries
}

pub(super) fn is_whole(store: &mut dyn Store) -> bool {
    let mut chain = Chain::default();
    all_entries(store, 0).iter().all(|entry| chain.follow(entry).is_ok())
}

#[test]
fn whoever_acts_signs_every_entry() {
    on_every_engine(|db| {
        let mut store = db.store();
        store.record(Event::new("signin.failed")).unwrap();
        let ada = Actor {
            os_user: "ada".into(),
            host: "mill".into(),
            signed_in: Some("ada-id".into()),
            signed_in_email: Some("ada@example.com".into()),
            acting_as: None,
            reason: Some("why 'not'; \u{1b}[2J 😀".into()),
            at: at(7),
        };
        store.act_as(ada.clone().into());
        store.create_user(&new_user("bob"), None, None).unwrap();
        store.act_as(Actor { reason: None, signed_in: None, signed_in_email: None, at: at(8), ..ada }.into());
        let bob = by_id(&mut *store, "bob").unwrap();
        store.record(Event::session("session.begun", &bob, "bobs").with("some detail")).unwrap();

        let log = entries(&mut *db.store(), 0);
        let [first, second, third] = &log[..] else { unreachable!("{log:?}") };
        assert_eq!((first.seq, first.os_user.as_str(), first.host.as_str()), (1, "unknown", "unknown"));
        let expected = Entry {
            seq: second.seq,
            form: FORM,
            at: at(7),
            event: "user.created".into(),
            os_user: "ada".into(),
            host: "mill".into(),
            actor_id: Some("ada-id".into()),
            actor_email: Some("ada@example.com".into()),
            user_id: Some("bob".into()),
            user_email: Some("bob@example.com".into()),
            session_id: None,
            reason: Some("why 'not'; \u{1b}[2J 😀".into()),
            detail: Some("roles: user".into()),
            changes: second.changes.clone(),
            hash: second.hash.clone(),
        };
        assert_eq!(second, &expected);
        assert_eq!((third.seq, third.at, &third.reason, &third.actor_id), (second.seq + 1, at(8), &None, &None));
        assert_eq!((third.user_id.as_deref(), third.session_id.as_deref()), (Some("bob"), Some("bobs")));
        assert_eq!(third.detail.as_deref(), Some("some detail"));
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn entries_are_read_in_order_after_a_number_and_until_the_reader_has_enough() {
    on_every_engine(|db| {
        let mut store = db.store();
        assert_eq!(entries(&mut *store, 0), []);
        for number in 0..5 {
            // From two connections in turn: the chain is in the database and not in the process.
            let event = Event::user("user.updated", Subject::read(&format!("user-{number}"), None));
            if number % 2 == 0 { store.record(event) } else { db.store().record(event) }.unwrap();
        }
        let seqs =
            |store: &mut dyn Store, after| entries(store, after).iter().map(|entry| entry.seq).collect::<Vec<_>>();
        assert_eq!(seqs(&mut *store, 0), [1, 2, 3, 4, 5]);
        assert_eq!(seqs(&mut *store, 3), [4, 5]);
        for after in [5, 6, u64::MAX] {
            assert_eq!(seqs(&mut *store, after), [0; 0], "{after}");
        }
        let mut seen = Vec::new();
        let mut two = |entry: Entry| {
            seen.push(entry.seq);
            seen.len() < 2
        };
        store.each_entry(1, &mut two).unwrap();
        assert_eq!(seen, [2, 3]);
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn a_fact_that_was_refused_or_did_nothing_leaves_no_entry() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
        let before = entries(&mut *store, 0);
        let ban = UserChange { ban: Some(Ban::Imposed { reason: None, until: None }), ..UserChange::default() };
        let twin = NewUserRow { email: email("ada"), ..new_user("twin") };
        store.create_user(&twin, None, Some(&new_session("x", "twin", at(0), at(60)))).unwrap_err();
        let same_token = NewSessionRow { id: "second".into(), ..new_session("adas", "ada", at(3), at(63)) };
        store.begin_session(&same_token, &hash_of("ada"), Some(&hash("new")), &attempts_of("ada")).unwrap_err();
        let other = new_session("other", "ada", at(3), at(63));
        assert!(store.begin_session(&other, &hash("older"), None, &attempts_of("ada")).unwrap().is_none());
        assert!(store.move_session("unknown", at(3), at(63)).unwrap().is_none());
        assert!(store.end_session(&token_of("unknown")).unwrap().is_none());
        let ids = Which::Ids(vec!["adas".into(), "unknown".into()]);
        assert!(store.end_sessions("ada", &ids).unwrap().is_err());
        assert_eq!(store.end_sessions_by_id(&["unknown".into()]).unwrap(), []);
        let mut change = PasswordChange {
            user_id: "ada",
            verified: &hash("older"),
            hash: &hash("new"),
            end: Some(Which::All),
            attempts: &attempts_of("ada"),
            now: at(3),
        };
        assert!(store.replace_password(&change).unwrap().is_none());
        let in_force = hash_of("ada");
        (change.verified, change.end) = (&in_force, Some(ids));
        assert!(store.replace_password(&change).unwrap().is_none());
        for id in ["ada", "unknown"] {
            store.update_user(id, &ban, AdminGuard::KeepLastAdmin, at(3)).unwrap().unwrap_err();
        }
        let taken = UserChange { email: Some(email("bob")), ..UserChange::default() };
        store.update_user("ada", &taken, AdminGuard::Off, at(3)).unwrap_err();
        for id in ["ada", "unknown"] {
            store.delete_user(id, AdminGuard::KeepLastAdmin, at(3)).unwrap().unwrap_err();
        }
        assert_eq!(store.prune(at(3), 10).unwrap(), 0);
        store.set_policy(&KEYS[0], Some("nonsense"), at(3)).unwrap().unwrap_err();
        store.count_attempt(&attempts_of("ada"), at(3), &ThrottleRules::default()).unwrap();
        store.clear_attempts(&attempts_of("ada")).unwrap();
        assert_eq!(entries(&mut *store, 0), before);
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn entries_after_the_end_of_an_act_are_not_read_to_find_an_interrupted_one() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let ada = by_id(&mut *store, "ada").unwrap();
        for _ in 0..3 {
            store.record(Event::user("signin.failed", &ada)).unwrap();
        }
        // Whatever reads the one in the middle fails.
        let unreadable = r#"UPDATE "authctl_audit" SET "at" = 9223372036854775807 WHERE "seq" = (SELECT max("seq") - 1 FROM "authctl_audit")"#;
        db.edit(unreadable);
        store.each_entry(0, &mut |_| true).unwrap_err();
        assert_eq!(store.interrupted().unwrap(), None);
        store.create_user(&new_user("bob"), None, None).unwrap();
    });
}

#[test]
fn a_fact_whose_entry_cannot_be_written_did_not_happen() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        db.edit(r#"UPDATE "authctl_audit" SET "seq" = 9223372036854775807 WHERE "seq" = 1"#);
        let ada = by_id(&mut *store, "ada");
        let refused = store.record(Event::user("signin.failed", ada.as_ref().unwrap())).unwrap_err();
        assert!(matches!(refused, StoreError::LogFull(9_223_372_036_854_775_807)), "{refused:?}");
        store.create_user(&new_user("bob"), None, None).unwrap_err();
        store.end_session(&token_of("adas")).unwrap_err();
        store.move_session("adas", at(1), at(99)).unwrap_err();
        let change = UserChange { name: Some("Eve".into()), end: EndSessions::Always, ..UserChange::default() };
        store.update_user("ada", &change, AdminGuard::Off, at(3)).unwrap_err();
        store.delete_user("ada", AdminGuard::Off, at(3)).unwrap_err();
        store.prune(at(99), 10).unwrap_err();
        store.count_attempt(&attempts_of("ada"), at(3), &ThrottleRules::default()).unwrap();
        store.unlock("ada", &|_| vec![attempts_of("ada")]).unwrap_err();
        let mut store = db.store();
        assert!(store.attempts(&attempts_of("ada")).unwrap().is_some(), "the attempts are cleared with the entry only");
        assert_eq!(by_id(&mut *store, "ada"), ada);
        assert_eq!(store.session(&token_of("adas")).unwrap().unwrap().0.expires_at, at(60));
        assert_eq!((db.count("user"), db.count("session")), (1, 1));
    });
}
