//! The encodings of booleans, which belong to a column.

use jiff::Timestamp;

use super::encoding::TimeEncoding;
use super::schema::identifier;
use crate::store::engine::{Dialect, Value, ValueRef};

/// The encoding of booleans: 0 and 1, words, or a date where Better Auth has a boolean, as in a database that Auth.js made
/// (`emailVerified` holds when the address was verified).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TruthEncoding {
    /// 0 and 1.
    Number,
    /// 0.0 and 1.0: a driver of JavaScript that stores each number so, in a column without a type.
    Real,
    /// `false` and `true`.
    Word,
    /// `FALSE` and `TRUE`.
    UpperWord,
    /// 0 and 1 as text.
    Digit,
    /// A column of PostgreSQL's type for booleans. The engine reads and writes it as 0 and 1.
    Boolean,
    /// NULL, and when it became true.
    Time(TimeEncoding),
    /// 0, and when it became true.
    TimeOrZero(TimeEncoding),
}

/// Numbers that may be an instant and are no boolean.
pub(in crate::store) const INSTANTS_FROM: i32 = 1_000_000_000;

impl TruthEncoding {
    pub(in crate::store) fn write(self, truth: bool, now: Timestamp) -> Value {
        match self {
            Self::Number | Self::Boolean => Value::Integer(truth.into()),
            Self::Real => Value::Real(truth.into()),
            Self::Word => Value::Text(truth.to_string()),
            Self::UpperWord => Value::Text(truth.to_string().to_ascii_uppercase()),
            Self::Digit => Value::Text(u8::from(truth).to_string()),
            Self::Time(encoding) | Self::TimeOrZero(encoding) if truth => encoding.write(now),
            Self::Time(_) => Value::Null,
            Self::TimeOrZero(TimeEncoding::FractionalSeconds | TimeEncoding::RealMilliseconds) => Value::Real(0.0),
            Self::TimeOrZero(_) => Value::Integer(0),
        }
    }

    /// Reads a boolean in any encoding in which it is clear; `None` for any other value. A date is true, and NULL false.
    pub(in crate::store) fn read(self, value: ValueRef<'_>) -> Option<bool> {
        match (Self::shown_by(value), value) {
            (_, ValueRef::Null) => Some(false),
            (Some(Self::Number), value) => Some(value == ValueRef::Integer(1)),
            (Some(Self::Real), value) => Some(value == ValueRef::Real(1.0)),
            (Some(Self::Time(_)), ValueRef::Text(_)) => Some(true),
            (Some(Self::Time(_)), _) => matches!(self, Self::Time(_) | Self::TimeOrZero(_)).then_some(true),
            (Some(_), value) => Some(matches!(value.as_text()?.to_ascii_lowercase().as_str(), "true" | "1")),
            (None, _) => None,
        }
    }

    /// Describes values in this encoding, for messages.
    pub(in crate::store) fn plural(self) -> &'static str {
        match self {
            Self::Number | Self::Real => "0 and 1",
            Self::Word => "'true' and 'false'",
            Self::UpperWord => "'TRUE' and 'FALSE'",
            Self::Digit => "0 and 1 as text",
            Self::Boolean => "booleans",
            Self::Time(_) | Self::TimeOrZero(_) => "dates",
        }
    }

    /// The encoding of a value; `None` when no encoding fits.
    pub(in crate::store) fn shown_by(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(0 | 1) => Some(Self::Number),
            ValueRef::Real(0.0 | 1.0) => Some(Self::Real),
            ValueRef::Integer(number) if number < INSTANTS_FROM.into() => None,
            ValueRef::Real(number) if number < INSTANTS_FROM.into() => None,
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
pub(in crate::store) fn is_true(column: &str, is_guest: bool, dialect: &Dialect) -> String {
    if !is_guest {
        return format!(r#"coalesce("{column}" = {}, FALSE)"#, dialect.truths[1]);
    }
    // No boolean is below the instants but 0 and 1, and no word is like a date.
    let column = identifier(column);
    let (is_one, is_late, text) =
        ((dialect.is_digit)(&column, '1'), (dialect.is_late)(&column), (dialect.text)(&column));
    format!("coalesce({is_one} OR lower({text}) = 'true' OR {text} LIKE '____-__-__%' OR {is_late}, FALSE)")
}

/// A condition for rows in which a column is clearly false, likewise.
pub(in crate::store) fn is_false(column: &str, is_guest: bool, dialect: &Dialect) -> String {
    let is_no = || format!(r#""{column}" = {}"#, dialect.truths[0]);
    let spells = if is_guest { spells_false(&identifier(column), dialect) } else { is_no() };
    format!(r#"("{column}" IS NULL OR {spells})"#)
}

/// A condition for rows in which a column has a value that is false, in the database of an app. Takes the column as SQL
/// spells it.
pub(in crate::store) fn spells_false(column: &str, dialect: &Dialect) -> String {
    let (is_zero, text) = ((dialect.is_digit)(column, '0'), (dialect.text)(column));
    format!("coalesce({is_zero} OR lower({text}) = 'false', FALSE)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mapping::TextForm;
    use crate::store::sqlite::DIALECT;

    const ZULU: TimeEncoding = TimeEncoding::Text(TextForm::ZULU);

    const TRUTHS: [TruthEncoding; 11] = [
        TruthEncoding::Number,
        TruthEncoding::Real,
        TruthEncoding::Word,
        TruthEncoding::UpperWord,
        TruthEncoding::Digit,
        TruthEncoding::Boolean,
        TruthEncoding::Time(TimeEncoding::Milliseconds),
        TruthEncoding::Time(TimeEncoding::FractionalSeconds),
        TruthEncoding::Time(ZULU),
        TruthEncoding::TimeOrZero(TimeEncoding::Seconds),
        TruthEncoding::TimeOrZero(TimeEncoding::RealMilliseconds),
    ];

    #[test]
    fn every_boolean_encoding_reads_back_and_is_recognised() {
        let now = Timestamp::from_second(1_763_904_520).unwrap();
        for encoding in TRUTHS {
            for truth in [true, false] {
                let value = encoding.write(truth, now);
                assert_eq!(encoding.read(ValueRef::from(&value)), Some(truth), "{encoding:?}");
                // False is NULL or 0 beside dates, and only the type of a column shows booleans.
                let is_shown = encoding != TruthEncoding::Boolean
                    && !matches!(encoding, TruthEncoding::Time(_) | TruthEncoding::TimeOrZero(_));
                if truth && encoding != TruthEncoding::Boolean || is_shown {
                    let shown = TruthEncoding::shown_by(ValueRef::from(&value));
                    assert_eq!(shown.map(TruthEncoding::plural), Some(encoding.plural()));
                }
            }
        }
    }

    #[test]
    fn conditions_in_sql_agree_with_what_is_read() {
        let sql = rusqlite::Connection::open_in_memory().unwrap();
        let holds = |condition: &str, value: &str| -> bool {
            let select = ["SELECT ", condition, " FROM (SELECT ", value, " AS flag)"].concat();
            sql.query_row(&select, [], |row| row.get(0)).unwrap()
        };
        for (value, truth) in [
            ("0", Some(false)),
            ("1", Some(true)),
            ("0.0", Some(false)),
            ("1.0", Some(true)),
            ("'0'", Some(false)),
            ("'TRUE'", Some(true)),
            ("'FALSE'", Some(false)),
            ("'False'", Some(false)),
            ("'2025-11-23T13:28:40.302Z'", Some(true)),
            ("NULL", Some(false)),
            ("2", None),
            ("0.5", None),
            ("-1.0", None),
            ("'maybe'", None),
        ] {
            let read = sql
                .query_row(&["SELECT ", value].concat(), [], |row| {
                    Ok(TruthEncoding::Number.read(crate::store::sqlite::engine::value_ref(row.get_ref(0)?)))
                })
                .unwrap();
            assert_eq!(read, truth, "{value}");
            assert_eq!(holds(&is_true("flag", true, &DIALECT), value), truth == Some(true), "{value}");
            assert_eq!(holds(&is_false("flag", true, &DIALECT), value), truth == Some(false), "{value}");
            let spells = truth == Some(false) && value != "NULL";
            assert_eq!(holds(&spells_false("flag", &DIALECT), value), spells, "{value}");
        }
    }

    #[test]
    fn value_that_is_no_boolean_is_not_read() {
        let text = |text: &str| Value::Text(text.to_owned());
        let numbers = [Value::Integer(2), Value::Integer(-1), Value::Real(0.5), Value::Real(2.0), Value::Real(-1.0)];
        let others = [text("maybe"), text(""), text("2"), Value::Blob(vec![1])];
        for value in numbers.into_iter().chain(others) {
            for encoding in TRUTHS {
                assert_eq!(encoding.read(ValueRef::from(&value)), None, "{encoding:?} {value:?}");
            }
        }
        // A large number is a date only where the others are.
        let instant = Value::Integer(1_763_904_520_000);
        assert_eq!(TruthEncoding::Number.read(ValueRef::from(&instant)), None);
        assert_eq!(TruthEncoding::Number.read(ValueRef::from(&text("2025-11-23T13:28:40.302Z"))), Some(true));
    }
}
