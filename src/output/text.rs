//! Text output: escaping and times.
//!
//! Strangers write names, addresses and user agents. Without escapes, a control sequence in one acts on the
//! administrator's terminal.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::auth::audit::counted;
pub use crate::auth::duration::rfc3339;
use crate::auth::user::User;

/// Replaces control characters and invisible characters by `\u{...}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |safe, c| {
        // Writing to a `String` cannot fail.
        let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
    })
}

/// Replaces the same characters by what `replace` writes.
pub(super) fn escape_with(text: &str, replace: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if is_unsafe(c) && !joins(before, c, rest.clone().next()) {
            replace(&mut safe, c);
        } else {
            safe.push(c);
        }
        before = Some(c);
    }
    Cow::Owned(safe)
}

/// Whether an invisible character belongs to the spelling of a word: a joiner or non-joiner between letters, as in
/// Persian and in the scripts of India, but not between Latin letters.
fn joins(before: Option<char>, c: char, after: Option<char>) -> bool {
    let is_letter = |c: char| !c.is_ascii() && c.is_alphabetic();
    // A virama (U+094D and its counterparts in other blocks) is not a letter.
    let is_virama = |c: char| matches!(c, '\u{900}'..='\u{d7f}') && u32::from(c) % 0x80 == 0x4d;
    matches!(c, '\u{200c}' | '\u{200d}')
        && before.is_some_and(|c| is_letter(c) || is_virama(c))
        && after.is_some_and(is_letter)
}

/// C0, DEL and C1 controls, line and paragraph separators, and the invisible characters that
/// reorder or hide text (Unicode Standard, 23.2 and 23.3; Trojan Source, CVE-2021-42574).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A number with a comma before each group of three digits, such as `44,194`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As [`counted`], with a [`grouped`] number.
pub fn counted_grouped(count: u64, noun: &str) -> String {
    counted(count, noun).replacen(&count.to_string(), &grouped(count), 1)
}

/// A user in a sentence: name and address, or what there is of them.
pub fn who(user: &User) -> String {
    match (escape(&user.name), escape(&user.email)) {
        (name, email) if email.is_empty() => format!("{name} (id {})", escape(&user.id)).trim_start().to_owned(),
        (name, email) if name.is_empty() => format!("<{email}>"),
        (name, email) => format!("{name} <{email}>"),
    }
}

/// A text in a table; a dash for an empty one.
pub fn cell(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { escape(text).into_owned() }
}

/// A value as text that is safe for a terminal.
pub fn escaped(value: impl fmt::Display) -> String {
    escape(&format!("{value:#}")).into_owned()
}

/// A path as text that is safe for a terminal.
pub fn shown(path: &Path) -> String {
    escaped(path.display())
}

pub fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// An instant relative to now: "in 7 days", "3 hours ago", "now".
pub fn relative(instant: Timestamp, now: Timestamp) -> String {
    // In whole seconds, as databases store them.
    let seconds = instant.as_second() - now.as_second();
    let amount = nearest(seconds.unsigned_abs());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {amount}"),
        _ => format!("{amount} ago"),
    }
}

/// An instant in the time zone of this machine: "2026-12-04 11:00:00 +01:00".
pub fn local(instant: Timestamp) -> String {
    instant.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The same without what a person does not look for: "2026-12-04 11:00".
pub fn local_minute(instant: Timestamp) -> String {
    instant.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A length of time in its largest unit, rounded to the nearest: a second after it began, a session of a week still
/// ends in 7 days.
fn nearest(seconds: u64) -> String {
    let unit = [DAY, HOUR, MINUTE].into_iter().find(|unit| seconds + unit / 120 >= *unit).unwrap_or(1);
    amount((seconds + unit / 2) / unit * unit)
}

/// A length of time in its largest unit, rounded down: "1 day", "59 minutes".
pub fn amount(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..MINUTE => (seconds, "second"),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auth::fixtures::at;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape("\u{1b}]0;pwn\u{7}\u{1b}[2J"), "\\u{1b}]0;pwn\\u{7}\\u{1b}[2J");
        assert_eq!(escape("a\nadmin@x\r\t"), "a\\u{a}admin@x\\u{d}\\u{9}");
        assert_eq!(escape("\u{9b}31m\u{7f}"), "\\u{9b}31m\\u{7f}");
        assert_eq!(escape("\u{202e}txt\u{2066}\u{200b}\u{ad}"), "\\u{202e}txt\\u{2066}\\u{200b}\\u{ad}");
    }

    #[test]
    fn joiner_stays_only_between_letters_that_need_it() {
        for word in ["\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", "\u{915}\u{94d}\u{200d}\u{937}"] {
            assert_eq!(escape(word), word);
        }
        for (text, shown) in [
            ("ad\u{200d}min", "ad\\u{200d}min"),
            ("\u{200c}\u{645}", "\\u{200c}\u{645}"),
            ("\u{645}\u{200d}", "\u{645}\\u{200d}"),
            ("\u{645}\u{200d}\u{200d}\u{645}", "\u{645}\\u{200d}\\u{200d}\u{645}"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn ordinary_text_is_not_escaped() {
        for text in ["Ada Lovelace", "Ångström", "مرحبا", "日本語", "👩‍🚀".replace('\u{200d}', "").as_str()]
        {
            assert_eq!(escape(text), text);
        }
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_unsafe_character(text in any::<String>()) {
            let left = escape(&text).replace(['\u{200c}', '\u{200d}'], "");
            prop_assert!(!left.chars().any(is_unsafe));
            let once = escape(&text).into_owned();
            prop_assert_eq!(escape(&once), once.as_str());
        }
    }

    #[test]
    fn year_before_0_has_a_sign_and_six_digits() {
        for text in ["-000001-01-01T00:00:00.000Z", "-009999-01-02T01:59:59.000Z", "0000-01-01T00:00:00.000Z"] {
            assert_eq!(rfc3339(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn rfc3339_has_milliseconds_in_utc() {
        assert_eq!(rfc3339(Timestamp::from_millisecond(1_790_000_000_005).unwrap()), "2026-09-21T14:13:20.005Z");
        assert_eq!(rfc3339(Timestamp::from_second(0).unwrap()), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn relative_time_has_the_largest_unit() {
        let told = |seconds| relative(at(seconds), at(0));
        assert_eq!(told(0), "now");
        assert_eq!(told(1), "in 1 second");
        assert_eq!(told(-59), "59 seconds ago");
        assert_eq!(told(3_599), "in 1 hour");
        assert_eq!(told(3_540), "in 59 minutes");
        assert_eq!(told(89), "in 1 minute");
        assert_eq!(told(90), "in 2 minutes");
        assert_eq!(told(-7_200), "2 hours ago");
        assert_eq!(told(7 * 86_400 - 1), "in 7 days");
        assert_eq!(told(6 * 86_400), "in 6 days");
        assert_eq!(told(86_399), "in 1 day");
        assert_eq!(told(-86_400), "1 day ago");
    }
}
