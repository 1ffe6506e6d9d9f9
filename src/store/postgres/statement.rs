//! Statements as PostgreSQL spells them: parameters are numbered `$1`, have no declared type and are sent as text, so that
//! the server takes the type of the column that each is compared with or written to.

use std::borrow::Cow;
use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::auth::storage::StoreError;
use crate::store::engine::Value;

/// A statement and the values of its parameters, in their order.
pub(super) struct Statement<'v> {
    pub(super) sql: String,
    values: Vec<Parameter<'v>>,
}

impl<'v> Statement<'v> {
    /// Reads a statement of the store, whose parameters are spelled `?1`, `?2` and so on. A value that it does not use
    /// is left out, because PostgreSQL refuses a parameter whose type nothing shows.
    ///
    /// # Errors
    /// [`StoreError::Engine`] for a text with NUL, which PostgreSQL cannot store.
    pub(super) fn new(sql: &str, values: &'v [Value]) -> Result<Self, StoreError> {
        // The place of each value that is used, and the values in this order.
        let mut places: Vec<Option<usize>> = vec![None; values.len() + 1];
        let mut used: Vec<usize> = Vec::new();
        let mut rendered = String::with_capacity(sql.len());
        let mut rest = sql;
        while let Some(at) = rest.find(['?', '\'', '"']) {
            rendered.push_str(&rest[..at]);
            let found = &rest[at..];
            if let Some(after) = found.strip_prefix('?') {
                let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let number = after[..digits].parse::<usize>().unwrap_or_default();
                let known = places.get(number).copied().flatten();
                let place = known.unwrap_or_else(|| {
                    used.push(number);
                    used.len() - 1
                });
                if let Some(known) = places.get_mut(number) {
                    *known = Some(place);
                }
                rendered.push('$');
                rendered.push_str(&(place + 1).to_string());
                rest = &after[digits..];
            } else {
                // A quote in a quoted word is doubled, and so begins another one.
                let end = found[1..].find(&found[..1]).map_or(found.len(), |end| end + 2);
                rendered.push_str(&found[..end]);
                rest = &found[end..];
            }
        }
        rendered.push_str(rest);
        let values = used.into_iter().map(|number| {
            let value = number.checked_sub(1).and_then(|index| values.get(index));
            value
                .ok_or_else(|| StoreError::Engine(format!("the statement has no value ?{number}")))
                .and_then(Parameter::new)
        });
        Ok(Self { sql: rendered, values: values.collect::<Result<_, _>>()? })
    }

    /// The values, each without a declared type.
    pub(super) fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::UNKNOWN)).collect()
    }
}

/// Whether a statement writes rows.
pub(super) fn is_write(sql: &str) -> bool {
    ["INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| sql.starts_with(verb))
}

/// A value that is sent as text. Its `Debug` form shows nothing, because it may be a secret.
pub(super) struct Parameter<'v>(&'v Value);

impl<'v> Parameter<'v> {
    pub(super) fn new(value: &'v Value) -> Result<Self, StoreError> {
        match value {
            Value::Text(text) if text.contains('\0') => {
                Err(StoreError::Engine("PostgreSQL stores no text with the character NUL".into()))
            }
            value => Ok(Self(value)),
        }
    }

    /// The text of the value; `None` for NULL.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        text(self.0)
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => return None,
        Value::Integer(number) => number.to_string().into(),
        Value::Real(number) => number.to_string().into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => [r"\x", &base16ct::lower::encode_string(bytes)].concat().into(),
    })
}

/// The text of an array. The server takes the type of its values from the column that is compared with them.
pub(super) fn array<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let quoted = values.map(|value| match text(value) {
        Some(text) => format!(r#""{}""#, text.replace('\\', r"\\").replace('"', r#"\""#)),
        None => "NULL".to_owned(),
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

impl std::fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parameter")
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(text) = self.text() else { return Ok(IsNull::Yes) };
        out.put_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_the_order_of_their_use() {
        let values = ["a", "b", "c"].map(Value::from);
        let statement = Statement::new(r#"SELECT ?3, '?2', "it''s ?1" WHERE ?1 = ?3"#, &values).unwrap();
        assert_eq!(statement.sql, r#"SELECT $1, '?2', "it''s ?1" WHERE $2 = $1"#);
        let texts: Vec<_> = statement.values.iter().map(|value| value.text().unwrap().into_owned()).collect();
        assert_eq!(texts, ["c", "a"]);
    }

    #[test]
    fn values_are_written_as_text() {
        let values =
            [Value::Null, Value::Integer(-5), Value::Real(0.5), Value::Text("x".into()), Value::Blob(vec![1, 255])];
        let texts = values.each_ref().map(|value| Parameter(value).text().map(Cow::into_owned));
        assert_eq!(texts.each_ref().map(Option::as_deref), [None, Some("-5"), Some("0.5"), Some("x"), Some(r"\x01ff")]);
    }

    #[test]
    fn array_quotes_its_values() {
        let values = [Value::Null, Value::Integer(-5), Value::from(r#"a"b\c,{}"#), Value::Blob(vec![1])];
        assert_eq!(array(values.iter()), r#"{NULL,"-5","a\"b\\c,{}","\\x01"}"#);
    }

    #[test]
    fn text_with_nul_is_refused() {
        assert!(matches!(Statement::new("SELECT ?1", &[Value::from("a\0b")]), Err(StoreError::Engine(_))));
    }
}
