//! The table of settings. Parsing, output and storage of a setting follow from its entry.

use super::{Key, Place, Range};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Every key, in the order of output.
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
        name: "password.legacy-until",
        meaning: "day from which passwords whose hashes are not argon2id no longer sign in",
        range: Range::Day,
        place: |policy| Place::Day(&mut policy.password.legacy_until),
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
    Key {
        name: "2fa.required",
        meaning: "users who can only set up a second factor until they have one",
        range: Range::Users,
        place: |policy| Place::Users(&mut policy.second_factor.required),
    },
    Key {
        name: "mail.url",
        meaning: "how mail is sent",
        range: Range::Text("smtp://HOST[:PORT], smtps://HOST[:PORT] or sendmail:[PATH]"),
        place: |policy| Place::Text(&mut policy.mail.url),
    },
    Key {
        name: "mail.from",
        meaning: "the sender of mail",
        range: Range::Text("an address such as 'Accounts <accounts@example.com>'"),
        place: |policy| Place::Text(&mut policy.mail.from),
    },
    Key {
        name: "mail.credentials-file",
        meaning: "a private file with the mail server's user and password, a line each",
        range: Range::Text("an absolute path"),
        place: |policy| Place::Text(&mut policy.mail.credentials_file),
    },
    Key {
        name: "service.name",
        meaning: "the name of the service in mail",
        range: Range::Text("a text"),
        place: |policy| Place::Text(&mut policy.service.name),
    },
    Key {
        name: "service.url",
        meaning: "the page of the service that takes a code, as a link in mail",
        range: Range::Text("https://HOST/..., with {code} and {purpose} where they go"),
        place: |policy| Place::Text(&mut policy.service.url),
    },
];

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::auth::duration;
    use crate::auth::policy::{Policy, PolicyError};

    #[test]
    fn every_key_reads_back_its_default() {
        for key in KEYS {
            let mut policy = Policy::default();
            let default = key.value(&policy);
            key.set(&mut policy, &default).unwrap();
            assert_eq!(policy, Policy::default(), "{}", key.name);
            assert!(!key.meaning.ends_with('.') && key.name.contains('.'), "{}", key.name);
        }
    }

    #[test]
    fn keys_have_unique_names_and_fields() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS[index + 1..].iter().all(|other| other.name != key.name), "{}", key.name);
            let mut policy = Policy::default();
            let other = match key.range {
                Range::Seconds(least, most) => {
                    [least, most, 3 * DAY, 2 * HOUR].map(|s| duration::show(SignedDuration::from_secs(s))).to_vec()
                }
                Range::Number(least, most) => vec![least.to_string(), most.to_string()],
                Range::Words(no, yes) => vec![no.to_owned(), yes.to_owned()],
                Range::Users => vec!["none".to_owned(), "admins".to_owned()],
                Range::Day => vec!["none".to_owned(), "2027-01-31".to_owned()],
                Range::Text(_) => vec!["none".to_owned(), "some text".to_owned()],
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
    fn invalid_value_is_refused_and_changes_nothing() {
        for (name, value) in [
            ("session.lifetime", "1m"),
            ("session.lifetime", "401d"),
            ("session.lifetime", "never"),
            ("password.min-length", "7"),
            ("password.min-length", "-1"),
            ("password.min-length", "8.5"),
            ("password.argon2-memory", "8"),
            ("email.verification", "yes"),
            ("2fa.required", "admin"),
            ("password.legacy-until", "tomorrow"),
            ("password.legacy-until", "2027-02-30"),
            ("password.legacy-until", "2027-01-31T12:00:00Z"),
            ("password.legacy-until", "20270131"),
        ] {
            let mut policy = Policy::default();
            let refused = Key::find(name).unwrap().set(&mut policy, value);
            assert!(matches!(refused, Err(PolicyError::BadValue { .. })), "{name} {value}: {refused:?}");
            assert_eq!(policy, Policy::default());
        }
        assert_eq!(Key::find("session.liftime").unwrap_err(), PolicyError::UnknownKey);
    }

    #[test]
    fn contradicting_settings_are_refused() {
        let mut policy = Policy::default();
        let refused = Key::find("session.lifetime").unwrap().set(&mut policy, "12h");
        assert!(matches!(refused, Err(PolicyError::Contradiction(_))), "{refused:?}");
    }

    #[test]
    fn invalid_settings_are_named_and_the_others_apply() {
        let sound = |settings: &[(&str, &str)]| {
            let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            let (policy, wrong) = Policy::sound(&settings);
            (policy, wrong.into_iter().map(|(key, _)| key).collect::<Vec<String>>())
        };
        assert_eq!(sound(&[]), (Policy::default(), vec![]));
        // Valid only together, in any order, and beside an invalid one.
        let short = [("session.lifetime", "2h"), ("session.move-after", "5m"), ("session.short-lifetime", "1h")];
        let (policy, wrong) = sound(&[&short[..], &[("throttle.first-wait", "soon"), ("later.key", "x")]].concat());
        assert_eq!(
            (policy.session.lives_for, wrong),
            (SignedDuration::from_hours(2), vec!["throttle.first-wait".into()])
        );
        let (policy, wrong) =
            sound(&[("mail.from", "a@b.co"), ("session.lifetime", "2h"), ("throttle.first-wait", "2s")]);
        assert_eq!(wrong, ["session.lifetime"]);
        assert_eq!((policy.mail.from.as_deref(), policy.throttle.first_wait.as_secs()), (Some("a@b.co"), 2));
    }
}
