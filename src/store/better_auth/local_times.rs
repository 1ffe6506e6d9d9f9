//! PostgreSQL's `timestamp` says nothing of a zone. Prisma and Drizzle write the time in UTC there. Better Auth's own
//! adapter wrote the app's local time until version 1.3.14, and its tables look the same wherever the app runs.

use super::description::Signs;
use crate::auth::storage::{WriteBlocker, WriteScope};
use crate::store::mapping::{TimeEncoding, Zone};

/// The zone of UTC under its other names.
const UTC: &[&str] = &["UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal"];

/// What is known of the columns of local times.
pub(super) struct LocalTimes {
    /// The zone in the `--schema` file.
    zone: Option<Zone>,
    signs: Signs,
    /// The columns whose zone nothing shows.
    unclear: Vec<String>,
}

impl LocalTimes {
    pub(super) fn new(zone: Option<Zone>, signs: Signs) -> Self {
        Self { zone, signs, unclear: Vec::new() }
    }

    /// The encoding of a column, and what shows it. Takes its name, whether it has the digits of milliseconds, and whether
    /// the columns of its table are named in snake case, as Drizzle's are.
    pub(super) fn of(&mut self, column: &str, has_milliseconds: bool, is_snake_case: bool) -> (TimeEncoding, String) {
        if let Some(zone) = self.zone {
            let is_utc = UTC.contains(&zone.name());
            let encoding = if is_utc { TimeEncoding::Calendar } else { TimeEncoding::LocalTime(zone) };
            return (encoding, "the --schema file".to_owned());
        }
        let maker = if has_milliseconds || self.signs.is_of_prisma {
            "Prisma makes it"
        } else if is_snake_case || self.signs.is_of_drizzle {
            "Drizzle makes it"
        } else {
            self.unclear.push(column.to_owned());
            "it is"
        };
        (TimeEncoding::Calendar, format!("the type of {column}, as {maker}"))
    }

    /// Why no time is read or written: there is a column whose zone nothing shows, so that an instant could be hours off.
    pub(super) fn unclear(&self) -> Option<WriteBlocker> {
        let (first, others) = self.unclear.split_first()?;
        let (subject, verb) = match others.len() {
            0 => (first.clone(), "holds"),
            1 => (format!("{first} and another column"), "hold"),
            others => (format!("{first} and {others} other columns"), "hold"),
        };
        Some(WriteBlocker {
            problem: format!("{subject} {verb} times without a zone, in UTC or in the local time of the app"),
            remedy:
                r#"name the zone of the app in a file for --schema: {"zone": "UTC"} or {"zone": "America/New_York"}"#
                    .to_owned(),
            scope: WriteScope::Times,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_of_the_file_wins_over_signs() {
        let prisma = Signs { is_of_prisma: true, is_of_drizzle: false };
        let of = |zone: Option<&str>, signs, has_milliseconds, is_snake_case| {
            let mut times = LocalTimes::new(zone.and_then(Zone::named), signs);
            let (encoding, _) = times.of("user.createdAt", has_milliseconds, is_snake_case);
            times.unclear().is_none().then_some(encoding)
        };
        let new_york = Some(TimeEncoding::LocalTime(Zone::named("America/New_York").unwrap()));
        assert_eq!(of(Some("America/New_York"), prisma, true, true), new_york);
        assert_eq!(of(Some("Etc/UTC"), Signs::default(), false, false), Some(TimeEncoding::Calendar));
        for (signs, has_milliseconds, is_snake_case) in [
            (prisma, false, false),
            (Signs { is_of_drizzle: true, is_of_prisma: false }, false, false),
            (Signs::default(), true, false),
            (Signs::default(), false, true),
        ] {
            assert_eq!(of(None, signs, has_milliseconds, is_snake_case), Some(TimeEncoding::Calendar));
        }
        assert_eq!(of(None, Signs::default(), false, false), None);
    }

    #[test]
    fn columns_without_a_zone_are_counted() {
        let mut times = LocalTimes::new(None, Signs::default());
        for (column, subject) in [
            ("user.createdAt", "user.createdAt holds"),
            ("user.updatedAt", "user.createdAt and another column hold"),
            ("session.expiresAt", "user.createdAt and 2 other columns hold"),
        ] {
            times.of(column, false, false);
            let problem = times.unclear().unwrap().problem;
            assert!(problem.starts_with(subject), "{problem}");
        }
    }
}
