//! Following the chain of entries, to find where it is broken.

use super::Entry;

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// The entry with this number is not there.
    Missing(u64),
    /// The entry with this number is not what was written.
    Changed(u64),
}

/// Follows a chain from its first entry on.
#[derive(Debug, Default)]
pub struct Chain {
    seq: u64,
    hash: String,
}

impl Chain {
    /// Looks at the next entry.
    ///
    /// # Errors
    /// [`Break`] when it does not follow.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), Break> {
        if entry.seq != self.seq + 1 {
            return Err(Break::Missing(self.seq + 1));
        }
        if entry.hash != entry.hash_after(&self.hash) {
            return Err(Break::Changed(entry.seq));
        }
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }

    /// How many entries have been followed.
    pub fn entries(&self) -> u64 {
        self.seq
    }

    /// The hash of the last one; empty before the first.
    pub fn head(&self) -> &str {
        &self.hash
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::auth::audit::{Actor, Event, GENESIS};

    fn log(count: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for number in 0..count {
            let event = Event::user("user.created", &format!("user-{number}")).with("by a test");
            entries.push(Entry::following(entries.last(), &Actor::default(), event));
        }
        entries
    }

    fn verdict(entries: &[Entry]) -> Result<u64, Break> {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.follow(entry))?;
        Ok(chain.entries())
    }

    #[test]
    fn a_log_as_it_was_written_is_sound() {
        assert_eq!(verdict(&log(0)), Ok(0));
        assert_eq!(verdict(&log(5)), Ok(5));
    }

    #[test]
    fn an_edited_removed_moved_or_inserted_entry_breaks_the_chain() {
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
    fn entries_verify_after_their_time_was_kept_in_whole_seconds() {
        for milliseconds in [-1_500, -1, 0, 1, 1_763_904_520_302] {
            let at = Timestamp::from_millisecond(milliseconds).unwrap();
            let actor = Actor { at, ..Actor::default() };
            let mut entry = Entry::following(None, &actor, Event::default());
            entry.at = Timestamp::from_second(milliseconds.div_euclid(1000)).unwrap();
            assert_eq!(verdict(&[entry]), Ok(1), "{milliseconds}");
        }
    }

    #[test]
    fn what_is_absent_is_not_what_is_empty_and_no_field_runs_into_the_next() {
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
}
