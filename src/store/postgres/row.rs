//! Rows as the store reads them. The type of a column decides how its value is decoded.

use std::error::Error;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::store::engine::{Columns, Value, ValueRef};

/// The decoded values of a row.
pub(super) struct Cells(Vec<Value>);

impl Cells {
    pub(super) fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let cell = |index| row.try_get::<_, Cell>(index).map(|Cell(value)| value);
        (0..row.len()).map(cell).collect::<Result<_, _>>().map(Self)
    }
}

impl Columns for Cells {
    fn column(&self, index: usize) -> Option<ValueRef<'_>> {
        self.0.get(index).map(ValueRef::from)
    }
}

/// A value of any type, in a form that the server reads back as the same value: a number or boolean is an integer, an
/// instant or UUID a text. What has no form of its own is bytes.
struct Cell(Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => Value::Integer(bool::from_sql(kind, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(kind, raw)?),
            Type::OID => Value::Integer(u32::from_sql(kind, raw)?.into()),
            Type::FLOAT4 => Value::Real(f32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(kind, raw)?),
            Type::TIMESTAMPTZ | Type::TIMESTAMP => instant(i64::from_be_bytes(raw.try_into()?)),
            Type::UUID => Value::Text(uuid(raw.try_into()?)),
            Type::BYTEA => Value::Blob(raw.to_owned()),
            _ if is_text(kind) => std::str::from_utf8(raw).map_or_else(|_| Value::Blob(raw.to_owned()), Value::from),
            _ => Value::Blob(raw.to_owned()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Whether the binary form of a type is its text.
fn is_text(kind: &Type) -> bool {
    matches!(*kind, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::XML)
        || matches!(kind.kind(), Kind::Enum(_))
        || kind.name() == "citext"
}

/// 2000-01-01 in microseconds since 1970: PostgreSQL counts from there.
const EPOCH: i64 = 946_684_800_000_000;

/// An instant in the form of RFC 3339. The ends of the range are no instants, and the calendar ends before PostgreSQL's.
fn instant(microseconds: i64) -> Value {
    match microseconds {
        i64::MAX => Value::from("infinity"),
        i64::MIN => Value::from("-infinity"),
        microseconds => {
            let instant = Timestamp::from_microsecond(microseconds.saturating_add(EPOCH));
            Value::Text(instant.map_or_else(|_| format!("{microseconds} microseconds after 2000"), |at| at.to_string()))
        }
    }
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex = base16ct::lower::encode_string(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(kind: &Type, raw: &[u8]) -> Value {
        Cell::from_sql(kind, raw).unwrap().0
    }

    #[test]
    fn instants_keep_their_microseconds() {
        let of = |microseconds: i64| cell(&Type::TIMESTAMPTZ, &microseconds.to_be_bytes());
        assert_eq!([of(0), of(-1)], ["2000-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z"].map(Value::from));
        assert_eq!([of(i64::MAX), of(i64::MIN)], ["infinity", "-infinity"].map(Value::from));
    }

    #[test]
    fn value_is_decoded_by_its_type() {
        assert_eq!(cell(&Type::BOOL, &[1]), Value::Integer(1));
        assert_eq!(cell(&Type::INT4, &[0, 0, 0, 7]), Value::Integer(7));
        assert_eq!(cell(&Type::VARCHAR, b"ada"), Value::from("ada"));
        assert_eq!(cell(&Type::TEXT, b"\xff"), Value::Blob(vec![0xff]));
        assert_eq!(cell(&Type::UUID, &[0xab; 16]), Value::from("abababab-abab-abab-abab-abababababab"));
        assert_eq!(cell(&Type::POINT, &[0; 16]), Value::Blob(vec![0; 16]));
    }
}
