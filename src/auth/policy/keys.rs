//! The keys of `policy`: each names one number of the rules, with its range and meaning. This table
//! is all there is to a setting; parsing, showing and storing follow from it.

use jiff::SignedDuration;

use super::Policy;
use crate::auth::duration;

/// A setting.
#[derive(Debug)]
pub struct Key {
    /// Its name: the group of rules, a dot, the rule.
    pub name: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// What values it takes.
    pub range: Range,
    place: fn(&mut Policy) -> Place<'_>,
}

/// What values a setting takes, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Seconds, written as durations.
    Seconds(i64, i64),
    /// Whole numbers.
    Number(u32, u32),
    /// One of two words: no, yes.
    Words(&'static str, &'static str),
}

/// Where in the policy a setting's value is.
enum Place<'p> {
    Duration(&'p mut SignedDuration),
    Number(&'p mut u32),
    Flag(&'p mut bool),
}

/// Why a setting cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no such key.
    #[error("there is no policy key of this name")]
    UnknownKey,
    /// The value is none that the key takes.
    #[error("{key} takes {takes}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// What it takes.
        takes: String,
    },
    /// The value contradicts another setting.
    #[error("{0}")]
    Contradiction(&'static str),
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Every key, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "session.lifetime",
        meaning: "life of a session, counted again from each move",
        range: Range::Seconds(5 * MINUTE, 400 * DAY),
        place: |policy| Place::Duration(&mut policy.session.lives_for),
    },
    Key {
        name: "session.short-lifetime",
        meaning: "life of a session made with --no-remember",
        range: Range::Seconds(5 * MINUTE, 30 * DAY),
        place: |policy| Place::Duration(&mut policy.session.short_for),
    },
    Key {
        name: "session.move-after",
        meaning: "least time between two moves of a session's end",
        range: Range::Seconds(MINUTE, 30 * DAY),
        place: |policy| Place::Duration(&mut policy.session.move_after),
    },
    Key {
        name: "session.fresh-for",
        meaning: "time after sign-in in which what cannot be undone is allowed",
        range: Range::Seconds(MINUTE, 30 * DAY),
        place: |policy| Place::Duration(&mut policy.session.fresh_for),
    },
    Key {
        name: "password.min-length",
        meaning: "fewest UTF-16 units of a new password",
        range: Range::Number(8, 64),
        place: |policy| Place::Number(&mut policy.password.length_min),
    },
    Key {
        name: "password.max-length",
        meaning: "most UTF-16 units of a new password",
        range: Range::Number(64, 256),
        place: |policy| Place::Number(&mut policy.password.length_max),
    },
    Key {
        name: "password.min-strength",
        meaning: "least zxcvbn score of a new password",
        range: Range::Number(0, 4),
        place: |policy| Place::Number(&mut policy.password.strength_min),
    },
    Key {
        name: "password.argon2-memory",
        meaning: "memory of a new hash in KiB",
        range: Range::Number(19_456, 262_144),
        place: |policy| Place::Number(&mut policy.password.cost.memory_kib),
    },
    Key {
        name: "password.argon2-passes",
        meaning: "passes of a new hash over its memory",
        range: Range::Number(2, 10),
        place: |policy| Place::Number(&mut policy.password.cost.passes),
    },
    Key {
        name: "password.argon2-lanes",
        meaning: "lanes of a new hash",
        range: Range::Number(1, 8),
        place: |policy| Place::Number(&mut policy.password.cost.lanes),
    },
    Key {
        name: "throttle.free-attempts",
        meaning: "failed attempts for an address that cost no wait",
        range: Range::Number(1, 100),
        place: |policy| Place::Number(&mut policy.throttle.free_attempts),
    },
    Key {
        name: "throttle.first-wait",
        meaning: "first wait after them, doubled by each further failure",
        range: Range::Seconds(1, HOUR),
        place: |policy| Place::Duration(&mut policy.throttle.first_wait),
    },
    Key {
        name: "throttle.longest-wait",
        meaning: "longest wait",
        range: Range::Seconds(1, DAY),
        place: |policy| Place::Duration(&mut policy.throttle.longest_wait),
    },
    Key {
        name: "throttle.forget-after",
        meaning: "time after which failures are forgotten",
        range: Range::Seconds(HOUR, 30 * DAY),
        place: |policy| Place::Duration(&mut policy.throttle.forget_after),
    },
    Key {
        name: "email.verification",
        meaning: "whether sign-in refuses users whose address is not verified",
        range: Range::Words("optional", "required"),
        place: |policy| Place::Flag(&mut policy.email.verification_required),
    },
];

impl Key {
    /// Finds a key by its name.
    ///
    /// # Errors
    /// [`PolicyError::UnknownKey`].
    pub fn find(name: &str) -> Result<&'static Self, PolicyError> {
        KEYS.iter().find(|key| key.name == name).ok_or(PolicyError::UnknownKey)
    }

    /// What the key takes, in words.
    pub fn takes(&self) -> String {
        let seconds = |seconds| duration::show(SignedDuration::from_secs(seconds));
        match self.range {
            Range::Seconds(least, most) => format!("a duration from {} to {}", seconds(least), seconds(most)),
            Range::Number(least, most) => format!("a number from {least} to {most}"),
            Range::Words(no, yes) => format!("{no} or {yes}"),
        }
    }

    /// The value that a policy has for this key, as [`Key::set`] reads it.
    pub fn value(&self, policy: &Policy) -> String {
        let mut policy = policy.clone();
        match ((self.place)(&mut policy), self.range) {
            (Place::Duration(value), _) => duration::show(*value),
            (Place::Number(value), _) => value.to_string(),
            (Place::Flag(value), Range::Words(no, yes)) => if *value { yes } else { no }.to_owned(),
            (Place::Flag(value), _) => value.to_string(),
        }
    }

    /// Sets the value in a policy.
    ///
    /// # Errors
    /// [`PolicyError`]; the policy is unchanged then.
    pub fn set(&self, policy: &mut Policy, text: &str) -> Result<(), PolicyError> {
        let mut changed = policy.clone();
        self.place(&mut changed, text)?;
        changed.check()?;
        *policy = changed;
        Ok(())
    }

    /// Puts a value that the key takes in its place, whatever the other keys say.
    fn place(&self, policy: &mut Policy, text: &str) -> Result<(), PolicyError> {
        let fits = match ((self.place)(policy), self.range) {
            (Place::Duration(place), Range::Seconds(least, most)) => duration::parse(text)
                .filter(|value| (least..=most).contains(&value.as_secs()) && value.subsec_nanos() == 0)
                .map(|value| *place = value),
            (Place::Number(place), Range::Number(least, most)) => {
                text.parse().ok().filter(|value| (least..=most).contains(value)).map(|value| *place = value)
            }
            (Place::Flag(place), Range::Words(no, yes)) if text == no || text == yes => {
                *place = text == yes;
                Some(())
            }
            _ => None,
        };
        fits.ok_or_else(|| PolicyError::BadValue { key: self.name, takes: self.takes() })
    }
}

impl Policy {
    /// The defaults, changed by settings. Unknown keys say nothing.
    ///
    /// # Errors
    /// The key whose value cannot be set, or the last one of a contradiction, and why.
    pub fn with<'s>(settings: impl Iterator<Item = (&'s str, &'s str)>) -> Result<Self, (&'s str, PolicyError)> {
        let mut policy = Self::default();
        let mut last = "";
        for (name, value) in settings {
            if let Ok(key) = Key::find(name) {
                key.place(&mut policy, value).map_err(|error| (name, error))?;
                last = name;
            }
        }
        // Only the whole must make sense: the order of rows means nothing.
        policy.check().map_err(|error| (last, error))?;
        Ok(policy)
    }

    /// Refuses settings that contradict each other.
    fn check(&self) -> Result<(), PolicyError> {
        if self.session.move_after >= self.session.lives_for {
            Err(PolicyError::Contradiction("session.move-after must be shorter than session.lifetime"))
        } else if self.session.short_for >= self.session.lives_for {
            Err(PolicyError::Contradiction("session.short-lifetime must be shorter than session.lifetime"))
        } else if self.throttle.first_wait > self.throttle.longest_wait {
            Err(PolicyError::Contradiction("throttle.first-wait must not be longer than throttle.longest-wait"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_shows_what_it_reads_and_its_default_is_in_range() {
        for key in KEYS {
            let mut policy = Policy::default();
            let default = key.value(&policy);
            key.set(&mut policy, &default).unwrap();
            assert_eq!(policy, Policy::default(), "{}", key.name);
            assert!(!key.meaning.ends_with('.') && key.name.contains('.'), "{}", key.name);
        }
    }

    #[test]
    fn names_are_unique_and_each_key_has_a_place_of_its_own() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS[index + 1..].iter().all(|other| other.name != key.name), "{}", key.name);
            let mut policy = Policy::default();
            let other = match key.range {
                Range::Seconds(least, most) => {
                    [least, most, 3 * DAY, 2 * HOUR].map(|s| duration::show(SignedDuration::from_secs(s))).to_vec()
                }
                Range::Number(least, most) => vec![least.to_string(), most.to_string()],
                Range::Words(no, yes) => vec![no.to_owned(), yes.to_owned()],
            };
            let set = other.iter().any(|value| {
                let changed = key.set(&mut policy, value).is_ok();
                changed && policy != Policy::default()
            });
            assert!(set, "{}", key.name);
            let differing: Vec<&str> = KEYS
                .iter()
                .filter(|one| one.value(&policy) != one.value(&Policy::default()))
                .map(|one| one.name)
                .collect();
            assert_eq!(differing, [key.name]);
        }
    }

    #[test]
    fn what_a_key_does_not_take_is_refused_and_changes_nothing() {
        for (name, value) in [
            ("session.lifetime", "1m"),
            ("session.lifetime", "401d"),
            ("session.lifetime", "never"),
            ("password.min-length", "7"),
            ("password.min-length", "-1"),
            ("password.min-length", "8.5"),
            ("password.argon2-memory", "8"),
            ("email.verification", "yes"),
        ] {
            let mut policy = Policy::default();
            let refused = Key::find(name).unwrap().set(&mut policy, value);
            assert!(matches!(refused, Err(PolicyError::BadValue { .. })), "{name} {value}: {refused:?}");
            assert_eq!(policy, Policy::default());
        }
        assert_eq!(Key::find("session.liftime").unwrap_err(), PolicyError::UnknownKey);
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let mut policy = Policy::default();
        let refused = Key::find("session.lifetime").unwrap().set(&mut policy, "12h");
        assert!(matches!(refused, Err(PolicyError::Contradiction(_))), "{refused:?}");
    }
}
