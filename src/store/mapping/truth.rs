//! The encoding of booleans, which belongs to a column: 0 and 1, words, or a date where Better Auth has a boolean, as
//! in a database that Auth.js made (`emailVerified` holds when the address was verified).

use jiff::Timestamp;

use super::TimeEncoding;
use crate::store::engine::{Value, ValueRef};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TruthEncoding {
    /// 0 and 1.
    Number,
    /// `false` and `true`.
    Word,
    /// `FALSE` and `TRUE`.
    UpperWord,
    /// 0 and 1 as text.
    Digit,
    /// NULL, and when it became true.
    Time(TimeEncoding),
}

/// Numbers that may be an instant and are no boolean.
const INSTANTS_FROM: i64 = 1_000_000_000;

impl TruthEncoding {
    pub(in crate::store) fn write(self, truth: bool, now: Timestamp) -> Value {
        match self {
            Self::Number => Value::Integer(truth.into()),
            Self::Word => Value::Text(truth.to_string()),
            Self::UpperWord => Value::Text(truth.to_string().to_ascii_uppercase()),
            Self::Digit => Value::Text(u8::from(truth).to_string()),
            Self::Time(encoding) if truth => encoding.write(now),
            Self::Time(_) => Value::Null,
        }
    }

    /// Reads a boolean in any encoding in which it is clear; `None` for any other value. A date is true, and NULL false.
    pub(in crate::store) fn read(self, value: ValueRef<'_>) -> Option<bool> {
        match (Self::shown_by(value), value) {
            (_, ValueRef::Null) => Some(false),
            (Some(Self::Number), value) => Some(value == ValueRef::Integer(1)),
            (Some(Self::Time(_)), ValueRef::Text(_)) => Some(true),
            (Some(Self::Time(_)), _) => matches!(self, Self::Time(_)).then_some(true),
            (Some(_), value) => Some(matches!(value.as_text()?.to_ascii_lowercase().as_str(), "true" | "1")),
            (None, _) => None,
        }
    }

    /// The encoding of a value; `None` when no encoding fits.
    pub(in crate::store) fn shown_by(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(0 | 1) => Some(Self::Number),
            ValueRef::Integer(number) if number < INSTANTS_FROM => None,
            ValueRef::Text(_) => match value.as_text()? {
                "true" | "false" => Some(Self::Word),
                "0" | "1" => Some(Self::Digit),
                word if ["true", "false"].contains(&word.to_ascii_lowercase().as_str()) => Some(Self::UpperWord),
                _ => TimeEncoding::shown_by(value).map(Self::Time),
            },
            value => TimeEncoding::shown_by(value).map(Self::Time),
        }
    }
}

/// A condition for rows in which a column is clearly true, in a database of an app or a native one.
pub(in crate::store) fn is_true(column: &str, is_guest: bool) -> String {
    if !is_guest {
        return format!(r#"coalesce("{column}" = 1, FALSE)"#);
    }
    // No boolean is below the instants but 0 and 1, and no word is like a date.
    format!(
        r#"coalesce("{column}" IN (1, '1') OR lower("{column}") = 'true' OR "{column}" LIKE '____-__-__%'
           OR (typeof("{column}") IN ('integer', 'real') AND "{column}" >= {INSTANTS_FROM}), FALSE)"#
    )
}

/// A condition for rows in which a column is clearly false, likewise.
pub(in crate::store) fn is_false(column: &str, is_guest: bool) -> String {
    let words =
        if is_guest { format!(r#" OR "{column}" = '0' OR lower("{column}") = 'false'"#) } else { String::new() };
    format!(r#"("{column}" IS NULL OR "{column}" = 0{words})"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODINGS: [TruthEncoding; 6] = [
        TruthEncoding::Number,
        TruthEncoding::Word,
        TruthEncoding::UpperWord,
        TruthEncoding::Digit,
        TruthEncoding::Time(TimeEncoding::Milliseconds),
        TruthEncoding::Time(TimeEncoding::Zulu),
    ];

    #[test]
    fn every_encoding_reads_back_and_is_recognised() {
        let now = Timestamp::from_second(1_763_904_520).unwrap();
        for encoding in ENCODINGS {
            for truth in [true, false] {
                let value = encoding.write(truth, now);
                assert_eq!(encoding.read(ValueRef::from(&value)), Some(truth), "{encoding:?}");
                if value != Value::Null {
                    assert_eq!(TruthEncoding::shown_by(ValueRef::from(&value)), Some(encoding));
                }
            }
        }
    }

    #[test]
    fn value_that_is_no_boolean_is_not_read() {
        let text = |text: &str| Value::Text(text.to_owned());
        for value in [Value::Integer(2), Value::Integer(-1), text("maybe"), text(""), text("2"), Value::Blob(vec![1])] {
            for encoding in ENCODINGS {
                assert_eq!(encoding.read(ValueRef::from(&value)), None, "{encoding:?} {value:?}");
            }
        }
        // A large number is a date only where the others are.
        let instant = Value::Integer(1_763_904_520_000);
        assert_eq!(TruthEncoding::Number.read(ValueRef::from(&instant)), None);
        assert_eq!(TruthEncoding::Number.read(ValueRef::from(&text("2025-11-23T13:28:40.302Z"))), Some(true));
    }
}
