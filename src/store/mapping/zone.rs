//! The time zone of an app whose columns hold local times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A zone of the IANA database of this system, such as `America/New_York`.
///
/// An encoding is copied to wherever a value is read, so the rules of the zone are not owned: they stay in memory until the
/// process ends, which opens one database and so knows one zone or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Zone(&'static TimeZone);

impl Zone {
    /// `None` if the system has no such zone, or no database of zones.
    pub(in crate::store) fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(|zone| Self(Box::leak(Box::new(zone))))
    }

    pub(in crate::store) fn name(self) -> &'static str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local time of an instant.
    pub(super) fn local(self, instant: Timestamp) -> DateTime {
        self.0.to_datetime(instant)
    }

    /// The instant of a local time. One that the clocks show twice, when summer time ends, is the earlier of both.
    pub(super) fn instant(self, local: DateTime) -> Option<Timestamp> {
        self.0.to_ambiguous_timestamp(local).compatible().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_that_comes_twice_is_the_earlier_one() {
        let zone = Zone::named("America/New_York").unwrap();
        assert_eq!(zone.name(), "America/New_York");
        for (instant, local, read) in [
            ("2026-07-23T13:28:40.302Z", "2026-07-23T09:28:40.302", "2026-07-23T13:28:40.302Z"),
            ("2026-11-23T13:28:40Z", "2026-11-23T08:28:40", "2026-11-23T13:28:40Z"),
            // Summer time ends at 06:00 in UTC.
            ("2026-11-01T05:30:00Z", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
            ("2026-11-01T06:30:00Z", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
            ("2026-11-01T07:00:00Z", "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"),
        ] {
            let shown = zone.local(instant.parse().unwrap());
            assert_eq!(shown, local.parse().unwrap(), "{instant}");
            assert_eq!(zone.instant(shown), Some(read.parse().unwrap()), "{local}");
        }
    }

    #[test]
    fn unknown_zone_has_no_name() {
        for name in ["", "Mars/Olympus", "../UTC", "America"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        assert_eq!(Zone::named("UTC").unwrap().name(), "UTC");
    }
}
