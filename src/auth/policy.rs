//! The settings of the rules, with their defaults. Each setting has a key, under which a database stores a value
//! of its own.

mod keys;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::duration;
use super::user::User;

pub use keys::KEYS;

/// The longest `session.lifetime`.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24 * 400);

/// The settings of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    pub session: SessionRules,
    pub password: PasswordRules,
    pub throttle: ThrottleRules,
    pub email: EmailRules,
    pub second_factor: FactorRules,
    pub mail: MailRules,
    pub service: ServiceRules,
}

/// Without a URL no mail is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailRules {
    /// `smtp://HOST`, `smtps://HOST` or `sendmail:`.
    pub url: Option<String>,
    pub from: Option<String>,
    /// A file with two lines, the user and the password for the server.
    pub credentials_file: Option<String>,
}

/// What mail says of the service whose accounts these are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceRules {
    pub name: Option<String>,
    /// The page that takes a code. `{code}` and `{purpose}` stand for those of the mail.
    pub url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmailRules {
    /// Whether sign-in requires a verified address: no, as in Better Auth.
    pub verification_required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactorRules {
    pub required: FactorRequired,
}

/// The users who must have a second factor. Without one they can only set it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FactorRequired {
    #[default]
    None,
    /// Those with the role `admin`.
    Admins,
    All,
}

impl FactorRequired {
    const NAMES: &[(&str, Self)] = &[("none", Self::None), ("admins", Self::Admins), ("all", Self::All)];

    pub fn includes(self, user: &User) -> bool {
        match self {
            Self::None => false,
            Self::Admins => user.has_role("admin"),
            Self::All => true,
        }
    }
}

/// The defaults are Better Auth's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRules {
    /// Life of a session, counted again from each extension: 7 days.
    pub lives_for: SignedDuration,
    /// Life of a session with `--no-remember`: 1 day.
    pub short_for: SignedDuration,
    /// Least time between two extensions: 1 day.
    pub move_after: SignedDuration,
    /// How long after the sign-in acts that cannot be undone are allowed: 1 day.
    pub fresh_for: SignedDuration,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            lives_for: SignedDuration::from_hours(7 * 24),
            short_for: SignedDuration::from_hours(24),
            move_after: SignedDuration::from_hours(24),
            fresh_for: SignedDuration::from_hours(24),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest UTF-16 units: 8, as Better Auth counts.
    pub length_min: u32,
    /// Most UTF-16 units: 128, as Better Auth counts.
    pub length_max: u32,
    /// Least zxcvbn score, 0 to 4. 2 means more than a million guesses, more than the throttle allows in the life
    /// of a session.
    pub strength_min: u32,
    pub cost: Argon2Cost,
    /// The day on which passwords whose hashes are not argon2id stop to sign in.
    pub legacy_until: Option<Date>,
}

impl PasswordRules {
    /// The end of passwords whose hashes are not argon2id: the start of the day in UTC.
    pub fn legacy_end(&self) -> Option<Timestamp> {
        let end = |day: Date| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
        self.legacy_until.map(end)
    }

    /// Whether passwords whose hashes are not argon2id no longer sign in.
    pub fn is_legacy_over(&self, now: Timestamp) -> bool {
        self.legacy_end().is_some_and(|end| end <= now)
    }
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { length_min: 8, length_max: 128, strength_min: 2, cost: Argon2Cost::default(), legacy_until: None }
    }
}

/// The cost of an argon2id hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    pub lanes: u32,
}

impl Argon2Cost {
    /// Whether a hash of this cost is cheaper to guess: it takes less memory or less work.
    pub fn is_weaker_than(self, other: Self) -> bool {
        let work = |cost: Self| u64::from(cost.memory_kib) * u64::from(cost.passes);
        self.memory_kib < other.memory_kib || work(self) < work(other)
    }
}

impl Default for Argon2Cost {
    /// The first set of the OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Limits on attempts, counted for each address, known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThrottleRules {
    /// Attempts that cost no wait: 5.
    pub free_attempts: u32,
    /// The first wait: 15 seconds. Each further failure doubles it.
    pub first_wait: SignedDuration,
    /// The longest wait: 15 minutes, so that a stranger cannot lock a user out permanently.
    pub longest_wait: SignedDuration,
    /// The age at which failures no longer count: 24 hours.
    pub forget_after: SignedDuration,
}

impl ThrottleRules {
    /// The limits on unknown codes. All unknown codes count together, so the waits are short: a stranger must not
    /// keep users waiting, and guesses do not find a code of 142 bits.
    #[must_use]
    pub fn of_unknown_codes(&self) -> Self {
        Self {
            first_wait: self.first_wait.min(SignedDuration::from_secs(1)),
            longest_wait: self.longest_wait.min(SignedDuration::from_secs(5)),
            ..self.clone()
        }
    }
}

impl Default for ThrottleRules {
    fn default() -> Self {
        Self {
            free_attempts: 5,
            first_wait: SignedDuration::from_secs(15),
            longest_wait: SignedDuration::from_mins(15),
            forget_after: SignedDuration::from_hours(24),
        }
    }
}

#[derive(Debug)]
pub struct Key {
    /// The group of rules, a dot and the rule.
    pub name: &'static str,
    /// A description in one line.
    pub meaning: &'static str,
    pub range: Range,
    place: fn(&mut Policy) -> Place<'_>,
}

/// The valid values of a setting. Both ends of a range are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Seconds, written as durations.
    Seconds(i64, i64),
    /// Whole numbers.
    Number(u32, u32),
    /// One of two words, for no and yes.
    Words(&'static str, &'static str),
    /// `none`, `admins` or `all`.
    Users,
    /// A day, or `none`.
    Day,
    /// A text, described for messages, or `none`.
    Text(&'static str),
}

/// The field of a setting in the policy.
enum Place<'p> {
    Duration(&'p mut SignedDuration),
    Number(&'p mut u32),
    Flag(&'p mut bool),
    Users(&'p mut FactorRequired),
    Day(&'p mut Option<Date>),
    Text(&'p mut Option<String>),
}

/// The word for a text or a day that is not set.
const NONE: &str = "none";

/// The longest text in bytes.
const TEXT_BYTES_MAX: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("there is no policy key of this name")]
    UnknownKey,
    #[error("{key} takes {takes}")]
    BadValue { key: &'static str, takes: String },
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Key {
    /// # Errors
    /// [`PolicyError::UnknownKey`].
    pub fn find(name: &str) -> Result<&'static Self, PolicyError> {
        KEYS.iter().find(|key| key.name == name).ok_or(PolicyError::UnknownKey)
    }

    /// Describes the valid values.
    pub fn takes(&self) -> String {
        let seconds = |seconds| duration::show(SignedDuration::from_secs(seconds));
        match self.range {
            Range::Seconds(least, most) => format!("a duration from {} to {}", seconds(least), seconds(most)),
            Range::Number(least, most) => format!("a number from {least} to {most}"),
            Range::Words(no, yes) => format!("{no} or {yes}"),
            Range::Users => "none, admins or all".to_owned(),
            Range::Day => format!("a date such as 2027-01-31 (its start in UTC), or {NONE}"),
            Range::Text(kind) => format!("{kind}, or {NONE}"),
        }
    }

    /// Writes the value of the policy as [`Key::set`] reads it.
    pub fn value(&self, policy: &Policy) -> String {
        let mut policy = policy.clone();
        match ((self.place)(&mut policy), self.range) {
            (Place::Duration(value), _) => duration::show(*value),
            (Place::Number(value), _) => value.to_string(),
            (Place::Flag(value), Range::Words(no, yes)) => if *value { yes } else { no }.to_owned(),
            (Place::Flag(value), _) => value.to_string(),
            (Place::Users(value), _) => {
                let name = FactorRequired::NAMES.iter().find(|(_, one)| *one == *value);
                name.map_or(NONE, |(name, _)| name).to_owned()
            }
            (Place::Day(value), _) => value.map_or_else(|| NONE.to_owned(), |day| day.to_string()),
            (Place::Text(value), _) => value.clone().unwrap_or_else(|| NONE.to_owned()),
        }
    }

    /// Sets the value in a policy. On an error the policy is unchanged.
    pub fn set(&self, policy: &mut Policy, text: &str) -> Result<(), PolicyError> {
        let mut changed = policy.clone();
        self.place(&mut changed, text)?;
        changed.check()?;
        *policy = changed;
        Ok(())
    }

    /// Sets a valid value without a check of contradictions.
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
            (Place::Users(place), Range::Users) => {
                FactorRequired::NAMES.iter().find(|(name, _)| *name == text).map(|(_, users)| *place = *users)
            }
            (Place::Day(place), Range::Day) => day(text).map(|value| *place = value),
            _ => None,
        };
        fits.ok_or_else(|| PolicyError::BadValue { key: self.name, takes: self.takes() })
    }
}

/// Reads a day as it is written, or the word for none.
#[expect(clippy::option_option, reason = "the outer one is whether the text is valid")]
fn day(text: &str) -> Option<Option<Date>> {
    if text == NONE {
        return Some(None);
    }
    // The parser takes a date with a time too, and other ways to write a date.
    text.parse::<Date>().ok().filter(|day| day.to_string() == text).map(Some)
}

impl Policy {
    /// Applies settings to the defaults. Unknown keys are ignored.
    ///
    /// # Errors
    /// The key of the invalid value, or the last key if settings contradict each other.
    pub fn with<'s>(settings: impl Iterator<Item = (&'s str, &'s str)>) -> Result<Self, (&'s str, PolicyError)> {
        let mut policy = Self::default();
        let mut last = "";
        for (name, value) in settings {
            if let Ok(key) = Key::find(name) {
                key.place(&mut policy, value).map_err(|error| (name, error))?;
                last = name;
            }
        }
        // Contradictions are checked at the end, because the order of rows has no meaning.
        policy.check().map_err(|error| (last, error))?;
        Ok(policy)
    }

    /// Applies as many settings as are valid together. Returns the others with their errors.
    pub fn sound(settings: &[(String, String)]) -> (Self, Vec<(String, PolicyError)>) {
        if let Ok(policy) = Self::with(settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
            return (policy, Vec::new());
        }
        let mut policy = Self::default();
        let mut left: Vec<_> =
            settings.iter().filter_map(|(name, value)| Key::find(name).ok().map(|key| (key, value))).collect();
        // A setting may be valid only after another one.
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
