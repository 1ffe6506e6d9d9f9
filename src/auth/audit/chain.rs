//! Reads the log from its first entry: [`Chain`] finds where the hashes break, [`Intents`] finds acts without an
//! end.
//!
//! An act on a guest database and its entries are in two files. The log has an entry before such an act and
//! those of its effect after it; a process that dies in between leaves the first alone.

use super::{Entry, Event, FORM, OLD_FORM, is_in_name};

/// The first place where a log is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("the audit log is broken: entry {0} is missing")]
    Missing(u64),
    #[error("the audit log is broken: entry {0} is not what was written")]
    Changed(u64),
    /// No entry has the old form after one of the new form.
    #[error("the audit log is broken: entry {0} has the old form after entries of the new one")]
    OldForm(u64),
}

/// Verifies a chain from its first entry.
#[derive(Debug, Default)]
pub struct Chain {
    seq: u64,
    old: u64,
    hash: String,
}

impl Chain {
    /// Verifies the next entry.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), Break> {
        if entry.seq != self.seq + 1 {
            return Err(Break::Missing(self.seq + 1));
        }
        if entry.form == OLD_FORM && self.old != self.seq {
            return Err(Break::OldForm(entry.seq));
        }
        let is_known = [OLD_FORM, FORM].contains(&entry.form) && !entry.has_unhashed_fields();
        if !is_known || entry.hash != entry.hash_after(&self.hash) {
            return Err(Break::Changed(entry.seq));
        }
        self.old += u64::from(entry.form == OLD_FORM);
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }

    /// The number of verified entries.
    pub fn entries(&self) -> u64 {
        self.seq
    }

    /// The number of verified entries of the old form, without addresses and values. They come first.
    pub fn entries_of_old_form(&self) -> u64 {
        self.old
    }

    /// The hash of the last verified entry; empty before the first.
    pub fn head(&self) -> &str {
        &self.hash
    }
}

/// Finds acts that the log has as intended and not as done or failed.
#[derive(Debug, Default)]
pub struct Intents {
    /// The newest intention without an end.
    open: Option<Entry>,
    unfinished: Vec<u64>,
}

impl Intents {
    pub const INTENDED: &str = "act.intended";
    /// The act failed and changed nothing.
    pub const FAILED: &str = "act.failed";
    /// A later process found an act without an end.
    pub const INTERRUPTED: &str = "act.interrupted";

    /// Reads the next entry.
    pub fn follow(&mut self, entry: &Entry) {
        match entry.event.as_str() {
            Self::INTENDED => {
                self.give_up();
                self.open = Some(entry.clone());
            }
            Self::FAILED => self.open = None,
            Self::INTERRUPTED => self.give_up(),
            _ if self.open.as_ref().is_some_and(|open| is_end(open, entry)) => self.open = None,
            _ => {}
        }
    }

    fn give_up(&mut self) {
        self.unfinished.extend(self.open.take().map(|open| open.seq));
    }

    /// The intention of the newest act, if it has no end and no later entry says so.
    pub fn open(&self) -> Option<&Entry> {
        self.open.as_ref()
    }

    /// The entries of all acts of which the log does not say whether they were done.
    pub fn unfinished(&self) -> Vec<u64> {
        self.unfinished.iter().copied().chain(self.open.as_ref().map(|open| open.seq)).collect()
    }
}

/// Describes an intention, with the number of its entry.
pub fn intention(intended: &Entry) -> String {
    let what = intended.detail.as_deref().unwrap_or("unknown");
    let whom = intended.user_id.as_ref().map(|id| format!(" of user {id}")).unwrap_or_default();
    format!("{what}{whom} (entry {})", intended.seq)
}

/// The detail of an intention: the names of the events, each with its count if there are several. `is_end` reads the
/// first name.
pub fn intended_detail(events: &[Event]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for event in events {
        match counts.iter_mut().find(|(name, _)| *name == event.name()) {
            Some((_, count)) => *count += 1,
            None => counts.push((event.name(), 1)),
        }
    }
    let words =
        counts.iter().map(|(name, count)| if *count == 1 { (*name).to_owned() } else { format!("{name} ({count})") });
    words.collect::<Vec<_>>().join(", ")
}

/// Whether an entry is the first of an act's effect. Another process cannot act in between. It can only record
/// events that change nothing, and these have other names. Any text may follow the first name in the detail.
fn is_end(intended: &Entry, entry: &Entry) -> bool {
    let events = intended.detail.as_deref().unwrap_or_default();
    let first = events.split(|c| !is_in_name(c)).next().unwrap_or_default();
    entry.event == first && entry.user_id == intended.user_id
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::auth::audit::{Actor, Changes, Event, GENESIS, Subject};

    fn log(count: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for number in 0..count {
            let user = Subject::read(&format!("user-{number}"), Some(format!("user-{number}@example.com")));
            let event = Event::user("user.created", user).with("by a test");
            entries.push(Entry::following(entries.last(), &Actor::default(), event));
        }
        entries
    }

    /// A log whose first entries have the old form.
    fn log_with_old_entries(old: usize, new: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for number in 0..old + new {
            let user = Subject::read("user", (number >= old).then(|| "user@example.com".to_owned()));
            let mut entry = Entry::following(entries.last(), &Actor::default(), Event::user("user.updated", user));
            if number < old {
                entry.form = OLD_FORM;
                entry.hash = entry.hash_after(entries.last().map_or(GENESIS, |last| &last.hash));
            }
            entries.push(entry);
        }
        entries
    }

    /// Computes every hash again from an entry on, as a program can that writes the database.
    fn rechain(entries: &mut [Entry], from: usize) {
        for index in from..entries.len() {
            let before = if index == 0 { GENESIS.to_owned() } else { entries[index - 1].hash.clone() };
            entries[index].hash = entries[index].hash_after(&before);
        }
    }

    fn verdict(entries: &[Entry]) -> Result<u64, Break> {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.follow(entry))?;
        Ok(chain.entries())
    }

    #[test]
    fn unchanged_log_verifies() {
        assert_eq!(verdict(&log(0)), Ok(0));
        assert_eq!(verdict(&log(5)), Ok(5));
    }

    #[test]
    fn edited_removed_or_moved_entry_breaks_the_chain() {
        let mut edited = log(5);
        edited[2].user_id = Some("mallory".into());
        assert_eq!(verdict(&edited), Err(Break::Changed(3)));
        let mut removed = log(5);
        removed.remove(1);
        assert_eq!(verdict(&removed), Err(Break::Missing(2)));
        let mut renumbered = log(5);
        renumbered.remove(1);
        for (index, entry) in renumbered.iter_mut().enumerate() {
            entry.seq = index as u64 + 1;
        }
        assert_eq!(verdict(&renumbered), Err(Break::Changed(2)));
        let mut moved = log(5);
        moved.swap(1, 2);
        assert_eq!(verdict(&moved), Err(Break::Missing(2)));
        let mut first = log(5);
        first.remove(0);
        assert_eq!(verdict(&first), Err(Break::Missing(1)));
    }

    #[test]
    fn entries_verify_with_times_in_whole_seconds() {
        for milliseconds in [-1_500, -1, 0, 1, 1_763_904_520_302] {
            let at = Timestamp::from_millisecond(milliseconds).unwrap();
            let actor = Actor { at, ..Actor::default() };
            let mut entry = Entry::following(None, &actor, Event::new("user.created"));
            entry.at = Timestamp::from_second(milliseconds.div_euclid(1000)).unwrap();
            assert_eq!(verdict(&[entry]), Ok(1), "{milliseconds}");
        }
    }

    #[test]
    fn chain_continues_from_the_old_form_to_the_new_one() {
        for (old, new) in [(0, 3), (3, 0), (3, 3)] {
            let mut chain = Chain::default();
            let entries = log_with_old_entries(old, new);
            assert_eq!(entries.iter().try_for_each(|entry| chain.follow(entry)), Ok(()), "{old} {new}");
            assert_eq!((chain.entries(), chain.entries_of_old_form()), ((old + new) as u64, old as u64));
        }
        // The first entry of the new form covers the hash of the last old one.
        let mut entries = log_with_old_entries(3, 3);
        entries[2].detail = Some("edited".into());
        entries[2].hash = entries[2].hash_after(&entries[1].hash.clone());
        assert_eq!(verdict(&entries), Err(Break::Changed(4)));
    }

    #[test]
    fn hash_of_the_old_form_equals_that_of_older_versions() {
        let entry = &log_with_old_entries(1, 0)[0];
        let spelled = "0:;1:1;1:0;12:user.updated;7:unknown;7:unknown;-;4:user;-;-;-;";
        assert_eq!(entry.hash, crate::auth::secret::digest(spelled));
    }

    #[test]
    fn old_form_after_the_new_one_breaks_the_chain() {
        let mut entries = log_with_old_entries(2, 3);
        (entries[3].form, entries[3].user_email) = (OLD_FORM, None);
        rechain(&mut entries, 3);
        assert_eq!(verdict(&entries), Err(Break::OldForm(4)));
    }

    #[test]
    fn old_entry_with_unhashed_fields_breaks_the_chain() {
        for edit in [
            (|entry| entry.user_email = Some("mallory@example.com".into())) as fn(&mut Entry),
            |entry| entry.actor_email = Some(String::new()),
            |entry| entry.changes = Some("{}".into()),
        ] {
            let mut entries = log_with_old_entries(3, 1);
            edit(&mut entries[1]);
            rechain(&mut entries, 1);
            assert_eq!(verdict(&entries), Err(Break::Changed(2)));
        }
    }

    #[test]
    fn unknown_form_breaks_the_chain() {
        for form in [0, 3, u32::MAX] {
            let mut entries = log(3);
            entries[1].form = form;
            rechain(&mut entries, 1);
            assert_eq!(verdict(&entries), Err(Break::Changed(2)), "{form}");
        }
    }

    #[test]
    fn hash_of_the_new_form_covers_every_field() {
        let changes = Changes::default().field("role", "user", "admin");
        let user = Subject::read("ada", Some("ada@example.com".into()));
        let actor = Actor {
            signed_in: Some("root".into()),
            signed_in_email: Some("root@example.com".into()),
            reason: Some("why".into()),
            ..Actor::default()
        };
        let event = Event::session("role.set", user, "session").with("roles: admin").changing(changes);
        let entry = Entry::following(None, &actor, event);
        for (field, edit) in [
            ("form", (|entry| entry.form = 3) as fn(&mut Entry)),
            ("seq", |entry| entry.seq = 9),
            ("at", |entry| entry.at += jiff::SignedDuration::from_secs(1)),
            ("event", |entry| entry.event.push('s')),
            ("osUser", |entry| entry.os_user.push('s')),
            ("host", |entry| entry.host.push('s')),
            ("actorId", |entry| entry.actor_id = Some("ada".into())),
            ("actorEmail", |entry| entry.actor_email = Some("ada@example.com".into())),
            ("userId", |entry| entry.user_id = None),
            ("userEmail", |entry| entry.user_email = None),
            ("sessionId", |entry| entry.session_id = None),
            ("reason", |entry| entry.reason = None),
            ("detail", |entry| entry.detail = None),
            ("changes", |entry| entry.changes = Some("{}".into())),
        ] {
            let mut edited = entry.clone();
            edit(&mut edited);
            assert_ne!(edited.hash_after(GENESIS), entry.hash, "{field}");
        }
    }

    #[test]
    fn hash_separates_absent_and_empty_and_adjacent_fields() {
        let base = log(1).remove(0);
        let changed = |change: fn(&mut Entry)| {
            let mut entry = base.clone();
            change(&mut entry);
            entry.hash_after(GENESIS)
        };
        let all = [
            base.hash.clone(),
            changed(|entry| entry.reason = Some(String::new())),
            changed(|entry| entry.reason = Some("-;".into())),
            changed(|entry| (entry.os_user, entry.host) = ("unknownu".into(), "nknown".into())),
            changed(|entry| (entry.user_id, entry.session_id) = (None, entry.user_id.clone())),
        ];
        for (index, hash) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != hash), "{index}");
        }
    }

    fn unfinished(events: &[(&'static str, &str, &str)]) -> (Vec<u64>, Option<u64>) {
        let mut intents = Intents::default();
        let mut previous: Option<Entry> = None;
        for (name, user, detail) in events {
            let event = Event::user(name, Subject::read(user, None)).with(*detail);
            let entry = Entry::following(previous.as_ref(), &Actor::default(), event);
            intents.follow(&entry);
            previous = Some(entry);
        }
        (intents.unfinished(), intents.open().map(|open| open.seq))
    }

    #[test]
    fn act_with_its_entries_or_a_failure_is_finished() {
        let intended = ("act.intended", "ada", "user.banned, session.ended (2)");
        assert_eq!(unfinished(&[]), (vec![], None));
        assert_eq!(unfinished(&[intended, ("user.banned", "ada", "")]), (vec![], None));
        let between = ("signin.failed", "ada", "");
        assert_eq!(
            unfinished(&[intended, between, ("user.banned", "ada", ""), ("session.ended", "ada", "")]),
            (vec![], None)
        );
        assert_eq!(unfinished(&[intended, ("act.failed", "ada", "user.banned")]), (vec![], None));
        assert_eq!(
            unfinished(&[("act.intended", "ada", "session.ended (2)"), ("session.ended", "ada", "")]),
            (vec![], None)
        );
    }

    /// An act has any events; an impersonation adds to each detail, and events have details of their own.
    #[test]
    fn every_intention_ends_with_the_first_event_of_its_act() {
        let names = ["user.locked-down", "app-rows.deleted", "second-factor.reset", "session.ended", "user.banned"];
        for first in names {
            for count in [0, 1, 2] {
                for acting_as in [None, Some("bob, user.banned".to_owned())] {
                    let actor = Actor { acting_as, ..Actor::default() };
                    let event = |name| Event::user(name, Subject::read("ada", None)).with("role.set, by a test");
                    let mut events = vec![event(first)];
                    events.extend((0..count).map(|_| event(first)));
                    events.extend(names.map(event));
                    let intended =
                        Event::user(Intents::INTENDED, Subject::read("ada", None)).with(intended_detail(&events));
                    let intended = Entry::following(None, &actor, intended);
                    let mut intents = Intents::default();
                    intents.follow(&intended);
                    assert!(intents.open().is_some());
                    intents.follow(&Entry::following(Some(&intended), &actor, event(first)));
                    assert_eq!(intents.unfinished(), [0; 0], "{:?}", intended.detail);
                }
            }
        }
    }

    #[test]
    fn act_without_its_entries_is_unfinished() {
        let intended = ("act.intended", "ada", "user.banned");
        assert_eq!(unfinished(&[intended]), (vec![1], Some(1)));
        assert_eq!(unfinished(&[intended, ("user.banned", "bob", "")]), (vec![1], Some(1)));
        let again = [intended, ("act.interrupted", "ada", "user.banned"), intended, ("user.banned", "ada", "")];
        assert_eq!(unfinished(&again), (vec![1], None));
        assert_eq!(unfinished(&[intended, intended, ("user.banned", "ada", "")]), (vec![1], None));
    }
}
