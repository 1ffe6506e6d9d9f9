//! What a setting is: a name, a range, and a place in the policy; how its value is read and shown.

use jiff::SignedDuration;

use super::{KEYS, Policy};
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
    pub(super) place: fn(&mut Policy) -> Place<'_>,
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
    /// A text of this kind, or `none`.
    Text(&'static str),
}

/// Where in the policy a setting's value is.
pub(super) enum Place<'p> {
    Duration(&'p mut SignedDuration),
    Number(&'p mut u32),
    Flag(&'p mut bool),
    Text(&'p mut Option<String>),
}

/// How a text that is not set is written.
const NONE: &str = "none";

/// The longest text in bytes.
const TEXT_BYTES_MAX: usize = 1024;

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
            Range::Text(kind) => format!("{kind}, or {NONE}"),
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
            (Place::Text(value), _) => value.clone().unwrap_or_else(|| NONE.to_owned()),
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
            (Place::Text(place), Range::Text(_)) if !text.is_empty() && text.len() <= TEXT_BYTES_MAX => {
                *place = (text != NONE).then(|| text.to_owned());
                (!text.chars().any(char::is_control)).then_some(())
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

    /// The defaults, changed by as many settings as make sense together, and the keys of the others,
    /// each with what is wrong.
    pub fn sound(settings: &[(String, String)]) -> (Self, Vec<(String, PolicyError)>) {
        if let Ok(policy) = Self::with(settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
            return (policy, Vec::new());
        }
        let mut policy = Self::default();
        let mut left: Vec<_> =
            settings.iter().filter_map(|(name, value)| Key::find(name).ok().map(|key| (key, value))).collect();
        // A setting may make sense only after another one.
        loop {
            let before = left.len();
            left.retain(|(key, value)| key.set(&mut policy, value).is_err());
            if left.len() == before {
                break;
            }
        }
        let wrong = left.into_iter().filter_map(|(key, value)| {
            key.set(&mut policy.clone(), value).err().map(|error| (key.name.to_owned(), error))
        });
        let wrong = wrong.collect();
        (policy, wrong)
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
