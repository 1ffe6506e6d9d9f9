//! One record of a file, with its fields by name and in the types that systems need.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::date::{self, Unit, Units};
use super::error::ImportError;
use crate::auth::import::row::{Credential, Fact, Reason, RowFault, SourceBan, SourceUser};

/// What a file says next.
pub(super) enum Item {
    Record(Record),
    /// A record that cannot be read.
    Fault {
        line: u64,
        fault: Fault,
    },
}

impl Item {
    pub(super) fn fault(line: u64, reason: Reason, detail: &str) -> Self {
        Self::Fault { line, fault: Fault::new(reason, detail) }
    }

    pub(super) fn too_large(line: u64) -> Self {
        let detail = format!("the record is longer than {} bytes", super::RECORD_BYTES_MAX);
        Self::Fault { line, fault: Fault::new(Reason::TooLarge, detail) }
    }

    /// The number of the line on which the record begins.
    pub(super) fn line(&self) -> u64 {
        match self {
            Self::Record(record) => record.line,
            Self::Fault { line, .. } => *line,
        }
    }
}

/// Why a record is not taken.
#[derive(Debug)]
pub(super) enum Fault {
    Row {
        reason: Reason,
        detail: String,
    },
    /// The record shows that the whole file cannot be taken.
    File(ImportError),
}

impl Fault {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Row { reason, detail: detail.into() }
    }
}

/// What a record says, in the words of its system's reader.
pub(super) enum Reading {
    /// The record is of no interest, such as a group of users.
    Nothing,
    User(Box<SourceUser>),
    /// A fact about the user of another record.
    About(Fact),
}

impl Reading {
    pub(super) fn user(user: SourceUser) -> Self {
        Self::User(Box::new(user))
    }
}

/// What a reader of a system makes of a record.
pub(super) type Read = Result<Reading, Fault>;

/// A record. Names of fields match in any case, and with or without `_`, `-` and blanks: the caller names
/// `emailverified`.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: u64,
    /// The name of the table, where a file has several.
    pub(super) table: Option<Rc<str>>,
    names: Rc<[Box<str>]>,
    values: Vec<Value>,
}

impl Record {
    pub(super) fn of_object(line: u64, table: Option<Rc<str>>, fields: Map<String, Value>) -> Self {
        let (names, values): (Vec<_>, Vec<_>) =
            fields.into_iter().map(|(name, value)| (name.into_boxed_str(), value)).unzip();
        Self { line, table, names: names.into(), values }
    }

    pub(super) fn of_row(line: u64, names: Rc<[Box<str>]>, values: Vec<Value>) -> Self {
        Self { line, table: None, names, values }
    }

    /// Takes the field that names the table, where tables are mixed.
    pub(super) fn name_table(mut self) -> Self {
        let name = ["table", "model"].iter().find_map(|name| self.value(name).and_then(Value::as_str));
        if let Some(table) = name.map(Rc::from).filter(|_| self.table.is_none()) {
            self.table = Some(table);
        }
        self
    }

    /// The object of a field as a record of its own.
    pub(super) fn inner(&self, name: &str) -> Result<Option<Self>, Fault> {
        match self.nested(name)? {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self::of_object(self.line, None, fields))),
            Some(_) => Err(self.bad_value(name, "an object")),
        }
    }

    /// The objects of a list as records of their own.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>, Fault> {
        let Some(list) = self.nested(name)? else { return Ok(Vec::new()) };
        let Value::Array(items) = list else { return Err(self.bad_value(name, "a list")) };
        let records = items.into_iter().map(|item| match item {
            Value::Object(fields) => Ok(Self::of_object(self.line, None, fields)),
            _ => Err(self.bad_value(name, "a list of objects")),
        });
        records.collect()
    }

    /// The fields as one object.
    pub(super) fn to_value(&self) -> Value {
        let fields = self.names.iter().map(ToString::to_string).zip(self.values.iter().cloned());
        Value::Object(fields.collect())
    }

    pub(super) fn table(&self) -> &str {
        self.table.as_deref().unwrap_or_default()
    }

    /// The names and values of all fields that have one.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(Box::as_ref).zip(&self.values).filter(|(_, value)| is_filled(value))
    }

    /// The value of a field, if it has one: neither null nor an empty text.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.fields().find(|(of, _)| is_named(of, name)).map(|(_, value)| value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The name of a field as the file spells it.
    fn spelt<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.iter().find(|of| is_named(of, name)).map_or(name, Box::as_ref)
    }

    fn bad_value(&self, name: &str, expected: &str) -> Fault {
        Fault::new(Reason::BadValue, format!("{} is not {expected}", self.spelt(name)))
    }

    /// Whether the table has such a column, with or without a value in this record.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.names.iter().any(|of| is_named(of, name))
    }

    /// The text of a field; a number is its digits.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
            Some(_) => Err(self.bad_value(name, "a text")),
        }
    }

    /// The first text of several fields.
    pub(super) fn first_text(&self, names: &[&str]) -> Result<Option<String>, Fault> {
        for name in names {
            if let Some(text) = self.text(name)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The id of a field, byte for byte.
    pub(super) fn id(&self, name: &str) -> Result<Option<String>, Fault> {
        let bad = |detail: &str| Fault::new(Reason::BadId, format!("{} {detail}", self.spelt(name)));
        match self.value(name) {
            Some(Value::Number(number)) if number.is_f64() => Err(bad("is not a whole number")),
            Some(Value::String(text)) if is_exponent_form(text) => {
                Err(bad("is a rounded number: a spreadsheet has changed the file"))
            }
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(bad("is not a text")),
            _ => self.text(name),
        }
    }

    /// The first id of several fields.
    pub(super) fn first_id(&self, names: &[&str]) -> Result<Option<String>, Fault> {
        for name in names {
            if let Some(id) = self.id(name)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The first id of several fields, without which the record says nothing.
    pub(super) fn needed_id(&self, names: &[&str]) -> Result<String, Fault> {
        let missing = || Fault::new(Reason::BadId, format!("{} is missing", self.spelt(names.first().unwrap_or(&""))));
        self.first_id(names)?.ok_or_else(missing)
    }

    /// The first text of several fields, without which the record says nothing.
    pub(super) fn needed_text(&self, names: &[&str]) -> Result<String, Fault> {
        let missing =
            || Fault::new(Reason::BadValue, format!("{} is missing", self.spelt(names.first().unwrap_or(&""))));
        self.first_text(names)?.ok_or_else(missing)
    }

    /// A truth value: `true`, `t`, `yes`, `1` and their opposites, in any case.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        flag_of(value).map(Some).ok_or_else(|| self.bad_value(name, "a truth value"))
    }

    pub(super) fn is_set(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.flag(name)?.unwrap_or(false))
    }

    /// A date. Numbers have one unit in the whole column.
    pub(super) fn date(&self, name: &'static str, units: &mut Units) -> Result<Option<Timestamp>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = date::number(value).unwrap_or_default();
        date::date(value, || units.of(self.table(), name, number))
            .map(Some)
            .ok_or_else(|| self.bad_value(name, "a date with year, month and day"))
    }

    /// A date whose numbers have a known unit.
    pub(super) fn date_in(&self, name: &str, unit: Unit) -> Result<Option<Timestamp>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        date::date(value, || unit).map(Some).ok_or_else(|| self.bad_value(name, "a date"))
    }

    /// A value with parts, which tables hold as JSON in a text.
    pub(super) fn nested(&self, name: &str) -> Result<Option<Value>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map(Some).map_err(|_| self.bad_value(name, "valid JSON"))
            }
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// The texts of a list, or the one text.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Fault> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(items)) => {
                let text = |item: &Value| item.as_str().map(str::to_owned);
                items.iter().map(|item| text(item).ok_or_else(|| self.bad_value(name, "a list of texts"))).collect()
            }
            Some(_) => Err(self.bad_value(name, "a list of texts")),
        }
    }

    /// A password hash that is one text.
    pub(super) fn hash(&self, names: &[&str]) -> Result<Credential, Fault> {
        Ok(self.first_text(names)?.map_or(Credential::None, hash_text))
    }

    /// The name to show: the first of the names, else first and last name.
    pub(super) fn person_name(&self, names: &[&str], first: &str, last: &str) -> Result<Option<String>, Fault> {
        if let Some(name) = self.first_text(names)?.filter(|name| !name.trim().is_empty()) {
            return Ok(Some(name));
        }
        let parts = [self.text(first)?, self.text(last)?];
        let parts: Vec<&str> = parts.iter().flatten().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        Ok((!parts.is_empty()).then(|| parts.join(" ")))
    }

    /// Those of the fields that have a value, as the file names them.
    pub(super) fn filled(&self, names: &[&str]) -> Vec<String> {
        let listed = |of: &str| names.iter().any(|name| is_named(of, name));
        self.fields().filter(|(of, value)| listed(of) && !is_empty_value(value)).map(|(of, _)| of.to_owned()).collect()
    }

    /// The fault with what the record shows of its user.
    pub(super) fn row_fault(&self, reason: Reason, detail: String) -> RowFault {
        let shown = |names: &[&str]| self.first_text(names).ok().flatten();
        RowFault {
            reason,
            detail,
            id: shown(&["id", "userid", "localid", "pk", "sub", "entryuuid"]),
            email: shown(&["email", "useremail", "primaryemailaddress", "mail"]),
        }
    }
}

/// A password hash that is one text. A blank text is no password.
pub(super) fn hash_text(text: String) -> Credential {
    if text.trim().is_empty() { Credential::None } else { Credential::Hash { text, claimed: None } }
}

/// The ban of a user whom the system has disabled.
pub(super) fn ban(is_disabled: bool) -> Option<SourceBan> {
    is_disabled.then(SourceBan::default)
}

/// Whether a name of the file is that of a field.
pub(super) fn is_named(of: &str, name: &str) -> bool {
    if of.len() < name.len() {
        return false;
    }
    let mut letters =
        of.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ')).map(|byte| byte.to_ascii_lowercase());
    name.bytes().all(|byte| letters.next() == Some(byte)) && letters.next().is_none()
}

/// Whether the column has names of people, one of whom may be called Null.
pub(super) fn is_name_of_person(column: &str) -> bool {
    let names =
        ["name", "firstname", "lastname", "displayname", "fullname", "username", "nickname", "givenname", "familyname"];
    names.iter().any(|name| is_named(column, name))
}

/// Whether a cell says that there is no value.
pub(super) fn is_null_word(text: &str) -> bool {
    matches!(text, "" | "NULL" | "null" | "\\N")
}

fn is_filled(value: &Value) -> bool {
    !matches!(value, Value::Null) && value.as_str() != Some("")
}

fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "{}" || text == "[]",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(is_set) => !is_set,
        Value::Number(_) => false,
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// `1.23457E+17`, as spreadsheets write long numbers.
fn is_exponent_form(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    exponent.strip_prefix('+').is_some_and(digits) && digits(whole) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        let Ok(Value::Object(fields)) = serde_json::from_str(json) else { panic!("{json}") };
        Record::of_object(1, None, fields)
    }

    #[test]
    fn field_names_match_in_any_case_and_spelling() {
        for name in ["emailVerified", "email_verified", "Email Verified", "EMAIL-VERIFIED"] {
            assert!(is_named(name, "emailverified"), "{name}");
        }
        for name in ["emailVerifiedAt", "email", "verified", ""] {
            assert!(!is_named(name, "emailverified"), "{name}");
        }
    }

    #[test]
    fn values_of_the_wrong_type_are_faults() {
        let record = record(r#"{"a":"yes","b":"2","c":{},"d":1.5,"e":"1.23457E+17","f":12345678901234567890,"g":""}"#);
        assert_eq!(record.flag("a").unwrap(), Some(true));
        assert!(record.flag("b").is_err());
        assert!(record.text("c").is_err());
        for name in ["c", "d", "e"] {
            assert!(matches!(record.id(name), Err(Fault::Row { reason: Reason::BadId, .. })), "{name}");
        }
        assert_eq!(record.id("f").unwrap().as_deref(), Some("12345678901234567890"));
        assert_eq!(record.id("g").unwrap(), None);
    }
}
