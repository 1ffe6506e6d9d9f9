//! Acts whose entries are in another file than their effect. The log has an entry before such an act
//! and those of its effect after it; a process that dies in between leaves the first alone.

use super::Entry;

/// Follows a log and finds the acts that were intended and have no end.
#[derive(Debug, Default)]
pub struct Intents {
    /// The newest one, as long as no end of it was found.
    open: Option<Entry>,
    unfinished: Vec<u64>,
}

impl Intents {
    /// The event before an act.
    pub const INTENDED: &str = "act.intended";
    /// The event of an act that was given up with nothing changed.
    pub const FAILED: &str = "act.failed";
    /// The event of somebody who found an act without an end.
    pub const INTERRUPTED: &str = "act.interrupted";

    /// Looks at the next entry.
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

    /// The newest act, if it has no end and no later entry says so.
    pub fn open(&self) -> Option<&Entry> {
        self.open.as_ref()
    }

    /// The numbers of all acts of which the log does not say whether they were done.
    pub fn unfinished(&self) -> Vec<u64> {
        self.unfinished.iter().copied().chain(self.open.as_ref().map(|open| open.seq)).collect()
    }
}

/// What an entry says was intended, and its number.
pub fn intention(intended: &Entry) -> String {
    let what = intended.detail.as_deref().unwrap_or("unknown");
    let whom = intended.user_id.as_ref().map(|id| format!(" of user {id}")).unwrap_or_default();
    format!("{what}{whom} (entry {})", intended.seq)
}

/// Whether an entry is the first one of the effect of an act. No other process can act in between; it
/// can record what changed nothing, and that has other names.
fn is_end(intended: &Entry, entry: &Entry) -> bool {
    let events = intended.detail.as_deref().unwrap_or_default();
    let first = events.split([',', ' ']).next().unwrap_or_default();
    entry.event == first && entry.user_id == intended.user_id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::audit::{Actor, Event, Subject};

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
