//! The ids of rows, which belong to a table: users may be numbered by the database while sessions have random text. In
//! the program an id is always text, and each id has one text.

use crate::auth::secret::digest;
use crate::store::engine::{Value, ValueRef};

/// The ids of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Ids {
    /// For the tables that are not listed.
    pub(in crate::store) default: IdStrategy,
    pub(in crate::store) tables: Vec<(&'static str, IdStrategy)>,
    /// Whether `session.impersonatedBy` has the ids of users; otherwise it has their text.
    pub(in crate::store) impersonator_is_reference: bool,
}

impl Ids {
    pub(in crate::store) fn of(&self, table: &str) -> IdStrategy {
        self.tables.iter().find(|(listed, _)| *listed == table).map_or(self.default, |(_, strategy)| *strategy)
    }

    /// A condition that `session.impersonatedBy` means the user whose id is in a column.
    pub(in crate::store) fn impersonator_is(&self, user_id: &str) -> String {
        let strategy = if self.impersonator_is_reference { IdStrategy::Text } else { self.of("user") };
        strategy.equals_text(user_id, r#""session"."impersonatedBy""#)
    }

    /// How a column stores ids: `id` those of its table, the others those of users.
    pub(in crate::store) fn of_column(&self, table: &str, column: &str) -> IdStrategy {
        match column {
            "id" => self.of(table),
            "impersonatedBy" if !self.impersonator_is_reference => IdStrategy::Text,
            _ => self.of("user"),
        }
    }
}

/// What precedes the bytes of an id. Apps have ids of text that begin with `0x`.
const BLOB: &str = "blob:";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum IdStrategy {
    /// Random text that authctl chooses.
    Text,
    /// A UUID as text.
    Uuid,
    /// The 16 bytes of a UUID.
    UuidBytes,
    /// A number that the app chooses.
    Number,
    /// A number that the database chooses.
    Serial,
    /// A UUID in a column of PostgreSQL's type.
    TypedUuid,
    /// As [`Self::Number`], in a column of a type of PostgreSQL.
    TypedNumber(IntegerType),
    /// As [`Self::Serial`], in a column of a type of PostgreSQL.
    TypedSerial(IntegerType),
}

/// PostgreSQL's types of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum IntegerType {
    Small,
    Integer,
    Big,
}

impl IntegerType {
    /// The type with a name, as PostgreSQL's `format_type` spells it.
    pub(in crate::store) fn named(name: &str) -> Option<Self> {
        [Self::Small, Self::Integer, Self::Big].into_iter().find(|one| one.name() == name)
    }

    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::Small => "smallint",
            Self::Integer => "integer",
            Self::Big => "bigint",
        }
    }

    fn holds(self, number: i64) -> bool {
        match self {
            Self::Small => i16::try_from(number).is_ok(),
            Self::Integer => i32::try_from(number).is_ok(),
            Self::Big => true,
        }
    }
}

/// The values of a column between two ids.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) struct Range {
    pub(in crate::store) first: Value,
    pub(in crate::store) last: Value,
    pub(in crate::store) is_text: bool,
}

/// The places of the digits of a UUID.
const UUID_FORM: &str = "00000000-0000-0000-0000-000000000000";

impl IdStrategy {
    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid | Self::TypedUuid => "UUIDs",
            Self::UuidBytes => "UUIDs as bytes",
            Self::Number | Self::TypedNumber(_) => "numbers, chosen by the app",
            Self::Serial | Self::TypedSerial(_) => "numbers, chosen by the database",
        }
    }

    /// The type of PostgreSQL that holds such ids.
    pub(in crate::store) fn type_name(self) -> &'static str {
        match self {
            Self::Text | Self::Uuid => "text",
            Self::UuidBytes => "bytea",
            Self::TypedUuid => "uuid",
            Self::Number | Self::Serial => IntegerType::Big.name(),
            Self::TypedNumber(kind) | Self::TypedSerial(kind) => kind.name(),
        }
    }

    /// The strategy that the type of a column of PostgreSQL tells, for a database that makes others in a usual way; `None`
    /// without a type.
    pub(in crate::store) fn of_type(kind: &str, usual: Self) -> Option<Self> {
        match kind {
            "" => None,
            "uuid" => Some(Self::TypedUuid),
            _ => Some(match (IntegerType::named(kind), usual) {
                (Some(integer), _) => Self::TypedSerial(integer),
                (None, Self::Uuid | Self::TypedUuid) => Self::Uuid,
                (None, _) => Self::Text,
            }),
        }
    }

    /// Derives an id from random text; the database chooses the others.
    pub(in crate::store) fn make(self, random: &str) -> String {
        match self {
            Self::Uuid | Self::UuidBytes | Self::TypedUuid => uuid(random),
            _ => random.to_owned(),
        }
    }

    pub(in crate::store) fn is_chosen_by_database(self) -> bool {
        matches!(self, Self::Serial | Self::TypedSerial(_))
    }

    /// The text of an id; `None` for a value that names no row. Bytes that are no UUID are written in hexadecimal, after
    /// [`BLOB`].
    pub(in crate::store) fn read(self, value: ValueRef<'_>) -> Option<String> {
        match value {
            ValueRef::Null => None,
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
            ValueRef::Blob(bytes) if self == Self::UuidBytes && bytes.len() == 16 => Some(hyphenated(&hex(bytes))),
            ValueRef::Blob(bytes) => Some(format!("{BLOB}{}", hex(bytes).to_ascii_uppercase())),
        }
    }

    /// The value of an id in the database: the inverse of [`IdStrategy::read`]. An id that a column of a type of PostgreSQL
    /// cannot hold names no row, as NULL does; the server refuses a statement with any other value.
    pub(in crate::store) fn write(self, id: &str) -> Value {
        match self {
            Self::TypedUuid => return if is_uuid(id) { Value::from(id) } else { Value::Null },
            Self::TypedNumber(kind) | Self::TypedSerial(kind) => {
                return number(id).filter(|number| kind.holds(*number)).into();
            }
            _ => {}
        }
        let is_hex = |hex: &&str| !hex.contains(|c: char| c.is_ascii_lowercase());
        if let Some(bytes) = id.strip_prefix(BLOB).filter(is_hex).and_then(bytes_of) {
            return Value::Blob(bytes);
        }
        match self {
            Self::Number | Self::Serial => number(id).map_or_else(|| Value::from(id), Value::Integer),
            Self::UuidBytes if is_uuid(id) => bytes_of(&id.replace('-', "")).map_or(Value::Null, Value::Blob),
            _ => Value::from(id),
        }
    }

    /// Whether the table can hold an id that another system chose.
    pub(in crate::store) fn takes(self, id: &str) -> bool {
        match self {
            Self::Text => !id.starts_with(BLOB),
            Self::Uuid | Self::UuidBytes | Self::TypedUuid => is_uuid(id),
            Self::Number => number(id).is_some(),
            Self::TypedNumber(kind) => number(id).is_some_and(|number| kind.holds(number)),
            Self::Serial | Self::TypedSerial(_) => false,
        }
    }

    /// The first and the last id that begin with a text, in the order of their bytes, and whether the column has another
    /// type than text. `None` if no id can: numbers have no beginnings.
    pub(in crate::store) fn range(self, prefix: &str) -> Option<Range> {
        match self {
            Self::Number | Self::Serial | Self::TypedNumber(_) | Self::TypedSerial(_) => None,
            Self::UuidBytes | Self::TypedUuid => {
                let filled = |digit: char| {
                    let id =
                        prefix.chars().chain(UUID_FORM.chars().skip(prefix.chars().count()).map(|sign| match sign {
                            '-' => '-',
                            _ => digit,
                        }));
                    Some(id.collect::<String>()).filter(|id| is_uuid(id)).map(|id| self.write(&id))
                };
                Some(Range { first: filled('0')?, last: filled('f')?, is_text: false })
            }
            Self::Text | Self::Uuid => {
                Some(Range { first: prefix.into(), last: format!("{prefix}{}", char::MAX).into(), is_text: true })
            }
        }
    }

    /// Whether a value is an id as this table has them.
    pub(in crate::store) fn is_usual(self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Blob(bytes) => self == Self::UuidBytes && bytes.len() == 16,
            value => self.read(value).is_some(),
        }
    }

    /// A condition that a column with ids equals the text of an id.
    pub(in crate::store) fn equals_text(self, column: &str, text: &str) -> String {
        match self {
            Self::UuidBytes => format!("lower(hex({column})) = replace({text}, '-', '')"),
            Self::Text | Self::Uuid => format!("{column} = {text}"),
            // Columns without a type do not convert one to the other, and other types refuse to.
            _ => format!("CAST({column} AS TEXT) = {text}"),
        }
    }
}

/// The number that an id is the text of.
fn number(id: &str) -> Option<i64> {
    id.parse::<i64>().ok().filter(|number| number.to_string() == id)
}

/// Whether a text is a UUID.
pub(in crate::store) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

/// Hexadecimal digits in the groups of a UUID.
fn hyphenated(hex: &str) -> String {
    [&hex[0..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
}

/// A version 4 UUID (RFC 9562) whose random bits are those of the given text.
fn uuid(random: &str) -> String {
    let mut hex: Vec<char> = digest(random).chars().take(32).collect();
    hex[12] = '4';
    hex[16] = match hex[16].to_digit(16).unwrap_or(0) & 3 {
        0 => '8',
        1 => '9',
        2 => 'a',
        _ => 'b',
    };
    hyphenated(&hex.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_uuid_has_version_4() {
        let id = uuid("0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq");
        let parts: Vec<&str> = id.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        assert_ne!(uuid("a"), uuid("b"));
    }

    #[test]
    fn id_is_read_back_as_the_value_that_it_is() {
        let bytes: Vec<u8> = (0..16).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        for (strategy, value, id) in [
            (IdStrategy::Text, text("0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq"), "0RGbFb8XxpYd1y7hLxPZ2lZbKhjm1oQq"),
            (IdStrategy::Text, text("7"), "7"),
            (IdStrategy::Text, text("0x7F3A01"), "0x7F3A01"),
            (IdStrategy::UuidBytes, text("0x10"), "0x10"),
            (IdStrategy::Serial, text("0x10"), "0x10"),
            (IdStrategy::Text, Value::Blob(vec![1, 0xab]), "blob:01AB"),
            (IdStrategy::Uuid, text("00010203-0405-0607-0809-0a0b0c0d0e0f"), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
            (IdStrategy::UuidBytes, Value::Blob(bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
            (IdStrategy::UuidBytes, Value::Blob(vec![1]), "blob:01"),
            (IdStrategy::UuidBytes, text("ada"), "ada"),
            (IdStrategy::Number, Value::Integer(7001), "7001"),
            (IdStrategy::Serial, Value::Integer(-1), "-1"),
            (IdStrategy::Serial, text("ada"), "ada"),
            (IdStrategy::Serial, text("07"), "07"),
        ] {
            assert_eq!(strategy.read(ValueRef::from(&value)).as_deref(), Some(id), "{strategy:?}");
            assert_eq!(strategy.write(id), value, "{strategy:?} {id}");
        }
        assert_eq!(IdStrategy::Text.write("blob:ab"), text("blob:ab"), "not as it is read");
        assert_eq!(IdStrategy::Text.read(ValueRef::Null), None);
    }

    #[test]
    fn id_that_a_type_cannot_hold_names_no_row() {
        use IdStrategy::{TypedNumber, TypedSerial, TypedUuid};
        const UUID: &str = "00010203-0405-4607-8809-0a0b0c0d0e0f";
        let [small, integer, big] = ["smallint", "integer", "bigint"].map(|name| IntegerType::named(name).unwrap());
        for (strategy, id, value) in [
            (TypedUuid, UUID, Value::from(UUID)),
            (TypedUuid, "ada", Value::Null),
            (TypedUuid, "blob:01", Value::Null),
            (TypedUuid, "7", Value::Null),
            (TypedSerial(small), "32767", Value::Integer(32_767)),
            (TypedSerial(small), "32768", Value::Null),
            (TypedSerial(integer), "-2147483648", Value::Integer(i32::MIN.into())),
            (TypedSerial(integer), "2147483648", Value::Null),
            (TypedNumber(big), "9223372036854775807", Value::Integer(i64::MAX)),
            (TypedNumber(big), "9223372036854775808", Value::Null),
            (TypedNumber(big), "07", Value::Null),
            (TypedNumber(big), "1e3", Value::Null),
            (TypedNumber(big), "", Value::Null),
        ] {
            assert_eq!(strategy.write(id), value, "{strategy:?} {id}");
            if value != Value::Null {
                assert_eq!(strategy.read(ValueRef::from(&value)).as_deref(), Some(id));
            }
        }
        assert_eq!(IntegerType::named("numeric"), None);
        assert!(is_uuid(&TypedUuid.make("random")));
        assert_eq!(
            [TypedUuid, TypedSerial(big), TypedNumber(big)].map(IdStrategy::is_chosen_by_database),
            [false, true, false]
        );
    }

    #[test]
    fn only_users_and_references_to_them_have_the_ids_of_users() {
        let ids = Ids {
            default: IdStrategy::Text,
            tables: vec![("user", IdStrategy::Serial), ("session", IdStrategy::Uuid)],
            impersonator_is_reference: false,
        };
        assert_eq!(ids.of_column("session", "id"), IdStrategy::Uuid);
        assert_eq!(ids.of_column("session", "userId"), IdStrategy::Serial);
        assert_eq!(ids.of_column("session", "impersonatedBy"), IdStrategy::Text);
        assert_eq!(ids.of_column("account", "id"), IdStrategy::Text);
    }
}
