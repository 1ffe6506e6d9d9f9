//! The audit log: its entries, and the entries that each act leaves.

use super::*;
use crate::auth::audit::{Actor, AuditUsers, Chain, Entry, Event, FORM, Intents, Subject};
use crate::auth::codes::Purpose;
use crate::auth::policy::{KEYS, ThrottleRules};
use crate::auth::prune::Pruning;
use crate::auth::storage::{AdminGuard, Ban, CodeEffect, CodeProof, CodeUse, EndSessions, NewCodeRow, UserChange};

/// The entries, except those that announce an act in a guest database.
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
fn entry_names_its_actor() {
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
fn entries_are_read_in_order_until_the_reader_stops() {
    on_every_engine(|db| {
        let mut store = db.store();
        assert_eq!(entries(&mut *store, 0), []);
        for number in 0..5 {
            // Two connections continue one chain.
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
        for (count, expected) in [(0, &[][..]), (2, &[4, 5]), (5, &[1, 2, 3, 4, 5]), (usize::MAX, &[1, 2, 3, 4, 5])] {
            let newest: Vec<u64> = store.newest_entries(count).unwrap().iter().map(|entry| entry.seq).collect();
            assert_eq!(newest, expected, "{count}");
        }
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn refused_or_empty_act_leaves_no_entry() {
    on_every_place_of_state(|db| {
        let mut store = db.with(&["ada", "bob"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        db.edit(r#"UPDATE "user" SET "role" = 'admin' WHERE "id" = 'ada'"#);
        let before = entries(&mut *store, 0);
        let ban = UserChange { ban: Some(Ban::Imposed { reason: None, until: None }), ..UserChange::default() };
        let twin = NewUserRow { email: email("ada"), ..new_user("twin") };
        store.create_user(&twin, None, Some(&new_session("x", "twin", at(0), at(60)))).unwrap_err();
        let same_token = NewSessionRow { id: "second".into(), ..new_session("adas", "ada", at(3), at(63)) };
        store.begin_session(&same_token, &hash_of("ada"), Some(&hash("new")), None, &attempts_of("ada")).unwrap_err();
        let other = new_session("other", "ada", at(3), at(63));
        assert!(store.begin_session(&other, &hash("older"), None, None, &attempts_of("ada")).unwrap().is_none());
        assert!(store.move_session("unknown", at(3), at(63)).unwrap().is_none());
        assert!(store.end_session(&token_of("unknown")).unwrap().is_none());
        let ids = Which::Ids(vec!["adas".into(), "unknown".into()]);
        assert!(store.end_sessions("ada", &ids).unwrap().is_err());
        assert_eq!(store.end_sessions_by_id(&["unknown".into()], &[]).unwrap(), []);
        assert!(replace_password(&mut *store, "older", "new", Some(Which::All), 3).unwrap().is_none());
        assert!(replace_password(&mut *store, "hash of ada", "new", Some(ids), 3).unwrap().is_none());
        for id in ["ada", "unknown"] {
            store.update_user(id, &ban, AdminGuard::KeepLastAdmin, at(3)).unwrap().unwrap_err();
        }
        let taken = UserChange { email: Some(email("bob")), ..UserChange::default() };
        store.update_user("ada", &taken, AdminGuard::Off, at(3)).unwrap_err();
        for id in ["ada", "unknown"] {
            delete_user(&mut *store, id, AdminGuard::KeepLastAdmin, at(3)).unwrap().unwrap_err();
        }
        assert_eq!(store.prune(at(3), &mut Pruning::by(10)).unwrap(), 0);
        store.set_policy(&KEYS[0], Some("nonsense"), at(3)).unwrap().unwrap_err();
        store.count_attempt(&attempts_of("ada"), at(3), &ThrottleRules::default()).unwrap();
        store.clear_attempts(&attempts_of("ada")).unwrap();
        assert_eq!(entries(&mut *store, 0), before);
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn search_for_an_interrupted_act_reads_only_the_end() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let ada = by_id(&mut *store, "ada").unwrap();
        for _ in 0..3 {
            store.record(Event::user("signin.failed", &ada)).unwrap();
        }
        // Reading the entry before the last one fails.
        let unreadable = r#"UPDATE "authctl_audit" SET "at" = 9223372036854775807 WHERE "seq" = (SELECT max("seq") - 1 FROM "authctl_audit")"#;
        db.edit(unreadable);
        store.each_entry(0, &mut |_| true).unwrap_err();
        assert_eq!(store.interrupted().unwrap(), None);
        store.create_user(&new_user("bob"), None, None).unwrap();
    });
}

#[test]
fn act_inside_an_impersonation_is_finished_with_its_entries() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        store.act_as(Actor { acting_as: Some("ada".into()), ..Actor::default() }.into());
        assert!(store.end_session(&token_of("adas")).unwrap().is_some());
        assert_eq!(store.interrupted().unwrap(), None);
    });
}

#[test]
fn act_without_its_entry_changes_nothing() {
    on_every_place_of_state(|db| {
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
        delete_user(&mut *store, "ada", AdminGuard::Off, at(3)).unwrap_err();
        store.prune(at(99), &mut Pruning::by(10)).unwrap_err();
        store.count_attempt(&attempts_of("ada"), at(3), &ThrottleRules::default()).unwrap();
        store.unlock("ada", &|_| vec![attempts_of("ada")]).unwrap_err();
        let mut store = db.store();
        assert!(store.attempts(&attempts_of("ada")).unwrap().is_some(), "the attempts are cleared with the entry only");
        assert_eq!(by_id(&mut *store, "ada"), ada);
        assert_eq!(store.session(&token_of("adas")).unwrap().unwrap().0.expires_at, at(60));
        assert_eq!((db.count("user"), db.count("session")), (1, 1));
    });
}

/// The number of the last entry that the test has seen.
#[derive(Default)]
struct Seen(u64);

impl Seen {
    /// The newer entries, each as `event user session detail`.
    fn next(&mut self, store: &mut dyn Store) -> Vec<String> {
        let newer = entries(store, self.0);
        self.0 = newer.last().map_or(self.0, |entry| entry.seq);
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let line = |entry: &Entry| {
            let [user, session, detail] = [&entry.user_id, &entry.session_id, &entry.detail].map(text);
            format!("{} {user} {session} {detail}", entry.event)
        };
        newer.iter().map(line).collect()
    }
}

#[test]
fn each_act_leaves_its_entries() {
    on_every_place_of_state(|db| {
        let mut store = db.store();
        let mut seen = Seen::default();
        let first = new_session("first", "ada", at(0), at(60));
        store.create_user(&new_user("ada"), Some(&hash_of("ada")), Some(&first)).unwrap();
        assert_eq!(seen.next(&mut *store), ["user.created ada - roles: user", "session.begun ada first -"]);
        let upgraded = hash("costlier hash");
        let second = new_session("second", "ada", at(1), at(61));
        store.begin_session(&second, &hash_of("ada"), Some(&upgraded), None, &attempts_of("ada")).unwrap().unwrap();
        assert_eq!(seen.next(&mut *store), ["password.rehashed ada - unknown", "session.begun ada second -"]);
        store.move_session("first", at(2), at(90)).unwrap().unwrap();
        store.end_session(&token_of("first")).unwrap().unwrap();
        assert_eq!(seen.next(&mut *store), ["session.moved ada first -", "session.ended ada first -"]);

        replace_password(&mut *store, "costlier hash", "new", Some(Which::All), 3).unwrap().unwrap();
        assert_eq!(seen.next(&mut *store), ["password.changed ada - -", "session.ended ada second -"]);
        begin(&mut *store, "third", "ada", 3, 60);
        set_password(&mut *store, "ada", "hash of ada", Some(Which::All), 4).unwrap().unwrap();
        assert_eq!(seen.next(&mut *store).split_off(1), ["password.set ada - -", "session.ended ada third -"]);

        for id in ["four", "five", "six", "seven"] {
            begin(&mut *store, id, "ada", 4, 60);
        }
        assert_eq!(seen.next(&mut *store).len(), 4);
        store.end_sessions("ada", &Which::Ids(vec!["four".into()])).unwrap().unwrap();
        store.end_sessions_by_id(&["five".into(), "unknown".into()], &[]).unwrap();
        assert_eq!(seen.next(&mut *store), ["session.ended ada four -", "session.ended ada five -"]);
        store.prune(at(60), &mut Pruning::by(10)).unwrap();
        assert_eq!(seen.next(&mut *store), ["sessions.pruned - - 2 expired sessions"]);
        let lifetime = KEYS.iter().find(|key| key.name == "session.lifetime").unwrap();
        store.set_policy(lifetime, Some("30d"), at(5)).unwrap().unwrap();
        assert_eq!(seen.next(&mut *store), ["policy.set - - session.lifetime = 30d"]);
        begin(&mut *store, "last", "ada", 5, 60);
        assert_eq!(delete_user(&mut *store, "ada", AdminGuard::Off, at(6)).unwrap().unwrap().sessions, 1);
        assert_eq!(seen.next(&mut *store), ["session.begun ada last -", "user.deleted ada - with 1 session"]);
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn update_leaves_an_entry_for_each_kind_of_change() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let mut seen = Seen::default();
        let _ = seen.next(&mut *store);
        let none = UserChange::default;
        let spam = Ban::Imposed { reason: Some("spam".into()), until: None };
        for (change, expected) in [
            (UserChange { name: Some("Countess".into()), image: Some(None), ..none() }, vec!["user.updated ada - -"]),
            (UserChange { image: Some(None), ..none() }, vec![]),
            (UserChange { email: Some(email("countess")), ..none() }, vec!["email.changed ada - -"]),
            (
                UserChange { email: Some(email("ada")), email_verified: Some(true), ..none() },
                vec!["email.changed ada - -", "email.verified ada - -"],
            ),
            (UserChange { email_verified: Some(true), ..none() }, vec![]),
            (UserChange { email_verified: Some(false), ..none() }, vec!["email.unverified ada - -"]),
            (UserChange { ban: Some(Ban::Lifted), ..none() }, vec![]),
            (
                UserChange {
                    name: Some("Ada".into()),
                    role: Some(Some("editor,reviewer".into())),
                    ban: Some(spam),
                    end: EndSessions::Always,
                    ..none()
                },
                vec![
                    "user.updated ada - -",
                    "role.set ada - roles: editor,reviewer",
                    "user.banned ada - -",
                    "session.ended ada adas -",
                ],
            ),
        ] {
            if change.end == EndSessions::Always {
                begin(&mut *store, "adas", "ada", 0, 60);
                let _ = seen.next(&mut *store);
            }
            store.update_user("ada", &change, AdminGuard::Off, at(1)).unwrap().unwrap();
            assert_eq!(seen.next(&mut *store), expected, "{change:?}");
        }
    });
}

#[test]
fn used_code_leaves_entries_for_code_and_change() {
    on_every_place_of_state(|db| {
        let mut store = db.with(&["ada", "bob"]);
        let mut seen = Seen::default();
        let _ = seen.next(&mut *store);
        let change = UserChange { email: Some(email("new")), email_verified: Some(true), ..UserChange::default() };
        let secret = code("secret");
        let use_code = |store: &mut dyn Store| {
            let (proof, effect) = (CodeProof::Nothing, CodeEffect::User(&change));
            let request = CodeUse { purpose: Purpose::ChangeEmail, code: &secret, proof, effect, now: at(1) };
            store.use_code(&request).map(|used| used.is_ok())
        };
        for user in ["ada", "bob"] {
            let (id, purpose) = (format!("code of {user}"), Purpose::ChangeEmail);
            let stored = stored_code(user, Some("new"));
            store.create_code(&NewCodeRow { id, purpose, code: &secret, stored, now: at(0) }).unwrap();
            assert_eq!(seen.next(&mut *store), [format!("code.created {user} - change-email")]);
            let expected = ["code.used ada - change-email", "email.changed ada - -", "email.verified ada - -"];
            if user == "ada" {
                assert!(use_code(&mut *store).unwrap());
                assert_eq!(seen.next(&mut *store), expected);
                assert!(!use_code(&mut *store).unwrap());
            } else {
                // Ada has the address now, so the code has no effect and leaves no entry.
                assert!(matches!(use_code(&mut *store), Err(StoreError::EmailTaken)));
            }
            assert_eq!(seen.next(&mut *store), [""; 0]);
        }
    });
}

/// Runs an act and returns the entries that it added.
fn added(store: &mut dyn Store, act: impl FnOnce(&mut dyn Store)) -> Vec<Entry> {
    let before = entries(store, 0).len();
    act(store);
    entries(store, 0).split_off(before)
}

#[test]
fn entry_has_the_address_of_the_user_before_the_act() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let about = |store: &mut dyn Store, act: &mut dyn FnMut(&mut dyn Store)| {
            let new = added(store, |store| act(store));
            assert!(!new.is_empty());
            for entry in &new {
                let of_user = entry.user_id.is_some();
                assert_eq!(entry.user_email.as_deref(), of_user.then_some("ada@example.com"), "{entry:?}");
            }
            new.into_iter().map(|entry| entry.event).collect::<Vec<_>>()
        };
        let mut seen = Vec::new();
        for id in ["one", "two", "three", "four"] {
            seen.extend(about(&mut *store, &mut |store| drop(begin(store, id, "ada", 0, 60))));
        }
        seen.extend(about(&mut *store, &mut |store| drop(store.move_session("one", at(1), at(70)).unwrap().unwrap())));
        seen.extend(about(&mut *store, &mut |store| drop(store.end_session(&token_of("one")).unwrap().unwrap())));
        seen.extend(about(&mut *store, &mut |store| drop(store.end_sessions_by_id(&["two".into()], &[]).unwrap())));
        let three = Which::Ids(vec!["three".into()]);
        seen.extend(about(&mut *store, &mut |store| drop(store.end_sessions("ada", &three).unwrap())));
        let issued = new_session("issued", "ada", at(0), at(60));
        seen.extend(about(&mut *store, &mut |store| {
            store.issue_session(&issued, crate::auth::ActAs::AnyUser).unwrap().unwrap();
        }));
        let others = Some(Which::Others("four".into()));
        seen.extend(about(&mut *store, &mut |store| {
            replace_password(store, "hash of ada", "new", others.clone(), 3).unwrap().unwrap();
        }));
        seen.extend(about(&mut *store, &mut |store| {
            set_password(store, "ada", "hash of ada", None, 4).unwrap().unwrap();
        }));
        let (code, stored) = (code("secret"), stored_code("ada", Some("countess")));
        let new = NewCodeRow { id: "code".into(), purpose: Purpose::ChangeEmail, code: &code, stored, now: at(0) };
        seen.extend(about(&mut *store, &mut |store| store.create_code(&new).unwrap()));
        let moved = UserChange {
            email: Some(email("countess")),
            email_verified: Some(true),
            end: EndSessions::Always,
            ..UserChange::default()
        };
        let (proof, effect) = (CodeProof::Nothing, CodeEffect::User(&moved));
        let request = CodeUse { purpose: Purpose::ChangeEmail, code: &code, proof, effect, now: at(5) };
        seen.extend(about(&mut *store, &mut |store| {
            store.use_code(&request).unwrap().unwrap();
        }));
        let expected = "session.begun session.moved session.ended session.issued password.changed password.set code.created \
                    code.used email.changed email.verified";
        for event in expected.split(' ') {
            assert!(seen.iter().any(|seen| seen == event), "{event}: {seen:?}");
        }
        let deleted = added(&mut *store, |store| {
            delete_user(&mut *store, "ada", AdminGuard::Off, at(6)).unwrap().unwrap();
        });
        let [deleted] = &deleted[..] else { unreachable!("{deleted:?}") };
        assert_eq!(deleted.user_email.as_deref(), Some("countess@example.com"), "read before the row is gone");
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn entry_has_the_old_and_new_values() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        let changes_of = |store: &mut dyn Store, change: UserChange| {
            let new = added(store, |store| drop(store.update_user("ada", &change, AdminGuard::Off, at(1)).unwrap()));
            new.into_iter().map(|entry| entry.changes.unwrap()).collect::<Vec<_>>()
        };
        let none = UserChange::default;
        let name = UserChange { name: Some("Countess".into()), ..none() };
        assert_eq!(changes_of(&mut *store, name), [r#"{"name":{"from":"ada","to":"Countess"}}"#]);
        let verified = UserChange { email_verified: Some(true), ..none() };
        assert_eq!(changes_of(&mut *store, verified), [r#"{"emailVerified":{"from":false,"to":true}}"#]);
        let moved = UserChange { email: Some(email("countess")), ..none() };
        assert_eq!(
            changes_of(&mut *store, moved),
            [
                r#"{"email":{"from":"ada@example.com","to":"countess@example.com"},"emailVerified":{"from":true,"to":false}}"#
            ]
        );
        let role = UserChange { role: Some(Some("editor,admin".into())), ..none() };
        let before = db.engine.role.map_or("null".to_owned(), |role| format!("\"{role}\""));
        assert_eq!(changes_of(&mut *store, role), [format!(r#"{{"role":{{"from":{before},"to":"editor,admin"}}}}"#)]);
        let ban = Ban::Imposed { reason: Some("spam".into()), until: Some(at(60)) };
        assert_eq!(
            changes_of(&mut *store, UserChange { ban: Some(ban), ..none() }),
            [
                r#"{"banned":{"from":false,"to":true},"banReason":{"from":null,"to":"spam"},"banExpires":{"from":null,"to":"2026-09-21T14:14:20.000Z"}}"#
            ]
        );
        let longer = Ban::Imposed { reason: Some("spam".into()), until: None };
        assert_eq!(
            changes_of(&mut *store, UserChange { ban: Some(longer), ..none() }),
            [r#"{"banExpires":{"from":"2026-09-21T14:14:20.000Z","to":null}}"#]
        );
        let minimum = KEYS.iter().find(|key| key.name == "password.min-length").unwrap();
        for (value, expected) in
            [(Some("12"), Some(("8", "12"))), (Some("12"), None), (None, Some(("12", "8"))), (None, None)]
        {
            let new = added(&mut *store, |store| drop(store.set_policy(minimum, value, at(5)).unwrap().unwrap()));
            let expected =
                expected.map(|(from, to)| format!(r#"{{"password.min-length":{{"from":"{from}","to":"{to}"}}}}"#));
            assert_eq!(new.first().and_then(|entry| entry.changes.clone()), expected, "{value:?}");
            assert_eq!(new.len(), usize::from(expected.is_some()), "{value:?}");
        }
        // Another program may have stored a URL with a password.
        db.edit(
        r#"INSERT INTO "authctl_policy" ("key", "value", "updatedAt") VALUES ('mail.url', 'smtp://a:hunter2@b', 0)"#,
    );
        let url = KEYS.iter().find(|key| key.name == "mail.url").unwrap();
        let new = added(&mut *store, |store| drop(store.set_policy(url, None, at(6)).unwrap().unwrap()));
        assert_eq!(new[0].changes.as_deref(), Some(r#"{"mail.url":{"from":"a URL with credentials","to":"none"}}"#));
        // No entry has a password hash.
        assert!(entries(&mut *store, 0).iter().all(|entry| !format!("{entry:?}").contains("hash of")));
    });
}

#[test]
fn entry_has_the_address_of_the_actor_at_the_time() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada", "root"]);
        let acts = |id: &str, email: &str| Actor {
            signed_in: Some(id.into()),
            signed_in_email: Some(email.into()),
            ..Actor::default()
        };
        let actors = |new: Vec<Entry>| new.into_iter().map(|entry| entry.actor_email).collect::<Vec<_>>();
        // The address in the row is newer than the one read at sign-in.
        store.act_as(acts("root", "old@example.com").into());
        let name = UserChange { name: Some("Countess".into()), ..UserChange::default() };
        let new = added(&mut *store, |store| drop(store.update_user("ada", &name, AdminGuard::Off, at(1)).unwrap()));
        assert_eq!(actors(new), [Some("root@example.com".to_owned())]);
        // Users who change their own address or delete themselves act under the old address.
        store.act_as(acts("ada", "old@example.com").into());
        let moved = UserChange { email: Some(email("countess")), ..UserChange::default() };
        let new = added(&mut *store, |store| drop(store.update_user("ada", &moved, AdminGuard::Off, at(2)).unwrap()));
        assert_eq!(actors(new), [Some("ada@example.com".to_owned())]);
        let new = added(&mut *store, |store| {
            delete_user(&mut *store, "ada", AdminGuard::Off, at(3)).unwrap().unwrap();
        });
        assert_eq!(actors(new), [Some("countess@example.com".to_owned())]);
        // The actor no longer exists, so the address read at sign-in is used.
        let new = added(&mut *store, |store| {
            delete_user(&mut *store, "root", AdminGuard::Off, at(4)).unwrap().unwrap();
        });
        assert_eq!(actors(new), [Some("old@example.com".to_owned())]);
        assert!(is_whole(&mut *store));
    });
}

#[test]
fn entry_about_an_orphaned_session_has_no_address() {
    on_every_engine(|db| {
        let mut store = db.with(&["ada"]);
        begin(&mut *store, "adas", "ada", 0, 60);
        db.orphan("ada");
        let new = added(&mut *store, |store| drop(store.end_session(&token_of("adas")).unwrap().unwrap()));
        assert_eq!((new[0].user_id.as_deref(), new[0].user_email.as_deref()), (Some("ada"), None));
    });
}

#[test]
fn log_is_read_backwards_from_an_entry() {
    on_every_place_of_state(|db| {
        let mut store = db.with(&["ada", "bob"]);
        for number in 0..600 {
            let user = Subject::read(if number % 2 == 0 { "ada" } else { "bob" }, Some("ada@example.com".into()));
            store.record(Event::user("signin.failed", &user)).unwrap();
        }
        let forward: Vec<u64> = all_entries(&mut *store, 0).iter().map(|entry| entry.seq).collect();
        let newest = *forward.last().unwrap();
        let users = AuditUsers { ids: vec!["ada".into(), "bob".into()], email: Some(email("ada")) };
        let mut of_users = Vec::new();
        let mut add = |entry: Entry| {
            of_users.push(entry.seq);
            true
        };
        store.each_entry_of(&users, 0, &mut add).unwrap();
        let mut back = |users: Option<&AuditUsers>, before: Option<u64>, count: usize| {
            let mut seqs = Vec::new();
            let mut found = |entry: Entry| {
                seqs.push(entry.seq);
                seqs.len() < count
            };
            store.each_entry_back(users, before, &mut found).unwrap();
            seqs
        };
        let reversed = |seqs: &[u64]| seqs.iter().rev().copied().collect::<Vec<_>>();
        assert_eq!(back(None, None, usize::MAX), reversed(&forward));
        assert_eq!(back(Some(&users), None, usize::MAX), reversed(&of_users));
        assert_eq!(back(None, Some(newest), 2), [newest - 1, newest - 2]);
        assert_eq!(back(Some(&users), Some(newest), 2), [newest - 1, newest - 2]);
        assert_eq!(back(None, Some(1), 2), [0; 0]);
    });
}
