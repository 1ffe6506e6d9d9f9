//! Instants as text. Drivers and databases write them in many forms, and each column keeps its own.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The form of an instant as text: everything but the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct TextForm {
    /// Between date and time: `T`, `t` or a blank.
    separator: u8,
    /// The digits of the fraction of a second, at most nine; `None` without seconds.
    digits: Option<u8>,
    zone: Zone,
}

/// What follows the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Zone {
    /// As it is written, filled up with zeros: `Z`, ` UTC`, `+00:00`, or nothing, which means UTC.
    text: [u8; ZONE_MAX],
    /// The minutes east of UTC.
    minutes: i16,
}

/// `2026-11-23T13:28:40.302Z`.
const EXAMPLE: Timestamp = Timestamp::constant(1_795_440_520, 302_000_000);

/// The bytes of the longest zone: ` -05:00`.
const ZONE_MAX: usize = 7;

impl TextForm {
    /// `2026-11-23T13:28:40.302Z`: JavaScript's, which Kysely writes.
    pub(in crate::store) const ZULU: Self = Self::new(b'T', 3, b'Z');
    /// `2026-11-23 13:28:40`: SQLite's `CURRENT_TIMESTAMP`.
    pub(in crate::store) const SPACED: Self = Self::new(b' ', 0, 0);
    /// `2026-11-23 13:28:40.302`: SQLite's `strftime('%Y-%m-%d %H:%M:%f')`.
    pub(in crate::store) const SPACED_MILLISECONDS: Self = Self::new(b' ', 3, 0);

    const fn new(separator: u8, digits: u8, zone: u8) -> Self {
        Self { separator, digits: Some(digits), zone: Zone { text: [zone, 0, 0, 0, 0, 0, 0], minutes: 0 } }
    }

    /// Reads an instant with its form. A date alone is not an instant, and text without a zone is in UTC.
    pub(in crate::store) fn read(text: &str) -> Option<(Self, Timestamp)> {
        let separator = *text.as_bytes().get("2026-11-23".len())?;
        if !text.is_ascii() || !matches!(separator, b'T' | b't' | b' ') {
            return None;
        }
        let minutes = "2026-11-23 13:28".len();
        let (digits, end) = match text.get(minutes..)?.strip_prefix(':').map(|rest| (rest, minutes + ":40".len())) {
            None => (None, minutes),
            Some((rest, end)) => match rest.get(2..)?.strip_prefix('.') {
                None => (Some(0), end),
                Some(fraction) => {
                    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
                    (Some(u8::try_from(digits).ok().filter(|digits| (1..=9).contains(digits))?), end + 1 + digits)
                }
            },
        };
        let (civil, zone) = text.split_at_checked(end)?;
        let zone = Zone::read(zone)?;
        let civil: DateTime = civil.parse().ok()?;
        let instant = zone.offset()?.to_timestamp(civil).ok()?;
        Some((Self { separator, digits, zone }, instant))
    }

    /// Writes an instant, rounded down to the digits of the form.
    pub(in crate::store) fn write(self, instant: Timestamp) -> String {
        let civil = self.zone.offset().unwrap_or(Offset::UTC).to_datetime(instant);
        let mut text = format!("{}{}{:02}:{:02}", civil.date(), self.separator as char, civil.hour(), civil.minute());
        if let Some(digits) = self.digits {
            let seconds = format!(":{:02}.{:09}", civil.second(), civil.subsec_nanosecond());
            text.extend(seconds.get(..if digits > 0 { 4 + usize::from(digits) } else { 3 }));
        }
        text.extend(self.zone.letters().map(char::from));
        text
    }

    /// The SQL expression that writes a column of whole seconds.
    pub(super) fn of_seconds(self, column: &str) -> String {
        let mut format = ["%Y-%m-%d", &char::from(self.separator).to_string(), "%H:%M"].concat();
        if let Some(digits) = self.digits {
            format.push_str(":%S");
            format.extend(std::iter::once('.').chain(std::iter::repeat_n('0', digits.into())).filter(|_| digits > 0));
        }
        format.extend(self.zone.letters().map(char::from));
        let seconds = i64::from(self.zone.minutes) * 60;
        ["strftime('", &format, "', ", column, &format!(" + {seconds}, 'unixepoch')")].concat()
    }

    /// Whether the same program may write both: their fractions and offsets may differ from instant to instant.
    pub(in crate::store) fn is_alike(self, other: Self) -> bool {
        let shape = |form: Self| (form.separator, form.digits.is_some(), form.zone.shape());
        shape(self) == shape(other)
    }

    /// An instant in this form, for messages.
    pub(super) fn example(self) -> String {
        self.write(EXAMPLE)
    }

    /// The digits of the fraction of a second.
    pub(in crate::store) fn digits(self) -> u8 {
        self.digits.unwrap_or(0)
    }
}

impl Zone {
    fn read(text: &str) -> Option<Self> {
        let name = text.strip_prefix(' ').unwrap_or(text);
        let minutes = match name {
            "" if text.is_empty() => 0,
            "Z" | "z" | "UTC" => 0,
            offset => minutes_of(offset)?,
        };
        let mut zone = Self { text: [0; ZONE_MAX], minutes };
        zone.text.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(zone)
    }

    fn letters(self) -> impl Iterator<Item = u8> {
        self.text.into_iter().filter(|letter| *letter != 0)
    }

    fn offset(self) -> Option<Offset> {
        Offset::from_seconds(i32::from(self.minutes) * 60).ok()
    }

    /// The text with the same digits and sign for all offsets.
    fn shape(self) -> [u8; ZONE_MAX] {
        self.text.map(|letter| match letter {
            b'0'..=b'9' => b'0',
            b'-' => b'+',
            other => other,
        })
    }
}

/// The minutes of an offset: `+02:00`, `+0200` or `+02`.
fn minutes_of(offset: &str) -> Option<i16> {
    let (sign, digits) = match offset.as_bytes().first()? {
        b'+' => (1, &offset[1..]),
        b'-' => (-1, &offset[1..]),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').filter(|rest| !rest.is_empty()).unwrap_or(minutes);
    let number = |text: &str, below: i16| {
        let is_number = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten().filter(|number: &i16| *number < below)
    };
    let minutes = if minutes.is_empty() { 0 } else { number(minutes, 60)? };
    Some(sign * (number(hours, 24)? * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (TextForm, Timestamp) {
        TextForm::read(text).unwrap_or_else(|| panic!("{text} is not read"))
    }

    #[test]
    fn every_form_that_is_read_is_written_back() {
        let zones = ["", "Z", "z", " UTC", "UTC", " Z", "+00:00", " +00:00", "-00:00", "+0000", " +0000", "+00"];
        for separator in ["T", "t", " "] {
            for time in ["13:28", "13:28:40", "13:28:40.3", "13:28:40.302", "13:28:40.302001", "13:28:40.302001009"] {
                for zone in zones {
                    let text = ["2026-11-23", separator, time, zone].concat();
                    let (form, instant) = read(&text);
                    assert_eq!(form.write(instant), text);
                    assert_eq!(instant.as_second() / 60, 1_795_440_520 / 60, "{text}");
                }
            }
        }
        for (text, second) in [
            ("2026-11-23T15:28:40+02:00", 1_795_440_520),
            ("2026-11-23 08:28:40.000-0500", 1_795_440_520),
            ("2026-11-24 00:13:40 +10:45", 1_795_440_520),
            ("1969-12-31T23:59:59.500Z", 0),
            ("9999-12-30 22:00:00.999", Timestamp::MAX.as_second()),
        ] {
            let (form, instant) = read(text);
            assert_eq!((form.write(instant).as_str(), instant.as_second()), (text, second));
        }
    }

    #[test]
    fn form_rounds_down_and_fills_up() {
        for (text, fraction, expected) in [
            ("2026-11-23 13:28:40.000000", 302_999_999, "2026-11-23 13:28:40.302999"),
            ("2026-11-23T13:28:40Z", 999_999_999, "2026-11-23T13:28:40Z"),
            ("2026-11-23T13:28", 999_999_999, "2026-11-23T13:28"),
            ("2026-11-23T15:28:40.0+02:00", 302_000_000, "2026-11-23T15:28:40.3+02:00"),
            ("2026-11-23T13:28:40.000000000Z", 2_000_000, "2026-11-23T13:28:40.002000000Z"),
        ] {
            let instant = Timestamp::new(1_795_440_520, fraction).unwrap();
            assert_eq!(read(text).0.write(instant), expected);
        }
    }

    #[test]
    fn constants_are_the_forms_of_their_texts() {
        assert_eq!(read("2026-11-23T13:28:40.302Z").0, TextForm::ZULU);
        assert_eq!(read("2026-11-23 13:28:40").0, TextForm::SPACED);
        assert_eq!(read("2026-11-23 13:28:40.302").0, TextForm::SPACED_MILLISECONDS);
    }

    #[test]
    fn text_that_is_no_instant_is_not_read() {
        for text in [
            "",
            "soon",
            "2026-11-23",
            "2026-11-23 ",
            "2026-11-23 13",
            "2026-11-23_13:28:40",
            "2026-11-23T13:28:40.",
            "2026-11-23T13:28:40.1234567890Z",
            "2026-11-23T13:28:4",
            "2026-11-23T13:28:",
            "2026-13-23T13:28:40Z",
            "2026-11-23T25:28:40Z",
            "2026-11-23T13:28:40 ",
            "2026-11-23T13:28:40  Z",
            "2026-11-23T13:28:40Zulu",
            "2026-11-23T13:28:40+0",
            "2026-11-23T13:28:40+02:",
            "2026-11-23T13:28:40+02:0",
            "2026-11-23T13:28:40+02:60",
            "2026-11-23T13:28:40+24:00",
            "2026-11-23T13:28:40+02:00:00",
            "2026-11-23T13:28:40 CET",
            "2026-11-23\u{a0}13:28:40",
            "20261123T132840Z",
        ] {
            assert_eq!(TextForm::read(text), None, "{text}");
        }
    }

    #[test]
    fn forms_of_one_program_are_alike() {
        let is_alike = |one: &str, other: &str| read(one).0.is_alike(read(other).0);
        assert!(is_alike("2026-11-23T13:28:40Z", "2026-11-23T13:28:40.302001Z"));
        assert!(is_alike("2026-11-23T13:28:40-05:00", "2026-07-23T13:28:40.5+04:00"));
        for other in ["2026-11-23 13:28:40Z", "2026-11-23T13:28:40", "2026-11-23T13:28Z", "2026-11-23T13:28:40+00:00"] {
            assert!(!is_alike("2026-11-23T13:28:40Z", other), "{other}");
        }
    }
}
