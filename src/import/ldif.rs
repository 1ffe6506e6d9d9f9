//! LDIF (RFC 2849): the entries of a directory.

use serde_json::{Map, Value};

use super::date::of_text;
use super::error::ImportError;
use super::hash_text::from_base64;
use super::input::Bytes;
use super::lines::{Line, TooLong, next_line};
use super::record::{Fault, Item, Read, Reading, Record, ban, hash_text};
use super::{LINE_BYTES_MAX, RECORD_BYTES_MAX};
use crate::auth::import::row::{Credential, Reason, SourceUser};

/// Classes of entries that are people.
const PERSONS: [&str; 7] =
    ["person", "inetorgperson", "organizationalperson", "posixaccount", "shadowaccount", "account", "user"];
/// The bit of Active Directory for a disabled account.
const ACCOUNT_DISABLED: u64 = 2;
/// The scheme of `OpenLDAP` for a password that is not hashed.
const CLEAR: &str = "{CLEARTEXT}";
/// Schemes of passwords that another system checks.
const ELSEWHERE: [&str; 2] = ["{SASL}", "{KERBEROS}"];

/// Divides a file into entries.
pub(super) struct LdifEntries {
    bytes: Bytes,
    /// The line after the last unfolded one.
    next: Option<Line>,
    has_begun: bool,
}

impl LdifEntries {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, next: None, has_begun: false }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        let mut fields = Map::new();
        let mut line = 0;
        let mut size = 0;
        let mut fault = None;
        while let Some((number, text)) = self.unfolded()? {
            if text.is_empty() {
                if fields.is_empty() && fault.is_none() {
                    continue;
                }
                break;
            }
            if text.starts_with('#') {
                continue;
            }
            if line == 0 {
                line = number;
            }
            size += text.len();
            if size > RECORD_BYTES_MAX {
                return Err(ImportError::RecordTooLarge { file: self.bytes.name().to_owned(), line });
            }
            match attribute(&text) {
                Some((name, _)) if fields.is_empty() && name == "version" => line = 0,
                Some((name, Some(value))) => add(&mut fields, name, value),
                Some((_, None)) => {}
                None => fault = Some(Item::fault(number, Reason::Syntax, "a line has no colon")),
            }
        }
        if let Some(fault) = fault {
            return Ok(Some(fault));
        }
        Ok((!fields.is_empty()).then(|| Item::Record(Record::of_object(line, None, fields))))
    }

    /// The next line together with those that go on with it. Empty between two entries.
    fn unfolded(&mut self) -> Result<Option<(u64, String)>, ImportError> {
        if !self.has_begun {
            self.has_begun = true;
            self.next = next_line(&mut self.bytes, LINE_BYTES_MAX, TooLong::Refuse)?;
        }
        let Some(first) = self.next.take() else { return Ok(None) };
        let mut whole = first.text.unwrap_or_default();
        loop {
            self.next = next_line(&mut self.bytes, LINE_BYTES_MAX, TooLong::Refuse)?;
            let Some(next) = &mut self.next else { break };
            let text = next.text.take().unwrap_or_default();
            let Some(rest) = text.strip_prefix(' ') else {
                next.text = Some(text);
                break;
            };
            whole.push_str(rest);
            if whole.len() > RECORD_BYTES_MAX {
                return Err(ImportError::RecordTooLarge { file: self.bytes.name().to_owned(), line: first.number });
            }
        }
        Ok(Some((first.number, whole)))
    }
}

/// The name of an attribute without its options, in lower case, and its value, if it is a text.
fn attribute(line: &str) -> Option<(String, Option<String>)> {
    let (name, rest) = line.split_once(':')?;
    let name = name.split(';').next().unwrap_or_default().trim().to_lowercase();
    let value = if let Some(encoded) = rest.strip_prefix(':') {
        from_base64(encoded.trim()).and_then(|bytes| String::from_utf8(bytes).ok())
    } else if rest.starts_with('<') {
        None
    } else {
        Some(rest.trim_start_matches(' ').to_owned())
    };
    Some((name, value))
}

/// Attributes may have several values.
fn add(fields: &mut Map<String, Value>, name: String, value: String) {
    match fields.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(values) => values.push(Value::String(value)),
        other => *other = Value::String(value),
    }
}

pub(super) fn read(record: &Record) -> Read {
    let first = |name: &str| Ok::<_, Fault>(record.texts(name)?.into_iter().next());
    if record.has("changetype") && first("changetype")?.as_deref() != Some("add") {
        return Err(Fault::new(Reason::Syntax, "the entry is a change and not an export"));
    }
    let classes = record.texts("objectclass")?;
    let is_person = classes.iter().any(|class| PERSONS.contains(&class.to_lowercase().as_str()))
        || record.has("mail")
        || record.has("userpassword");
    // A computer of Active Directory is a person as well.
    if !is_person || classes.iter().any(|class| class.eq_ignore_ascii_case("computer")) {
        return Ok(Reading::Nothing);
    }
    let mut emails = record.texts("mail")?.into_iter();
    let parts: Vec<String> = [first("givenname")?, first("sn")?].into_iter().flatten().collect();
    let created_at = match first("createtimestamp")?.or(first("whencreated")?) {
        Some(text) => {
            let date = of_text(&text).ok_or_else(|| Fault::new(Reason::BadValue, "createTimestamp is not a date"))?;
            Some(date)
        }
        None => None,
    };
    Ok(Reading::user(SourceUser {
        key: first("dn")?,
        id: first("entryuuid")?.or(first("nsuniqueid")?).or(first("ipauniqueid")?),
        email: emails.next(),
        other_emails: emails.collect(),
        name: first("displayname")?.or(first("cn")?).or((!parts.is_empty()).then(|| parts.join(" "))),
        username: first("uid")?.or(first("samaccountname")?),
        created_at,
        updated_at: first("modifytimestamp")?.and_then(|text| of_text(&text)),
        ban: ban(is_disabled(record)?),
        password: password(&record.texts("userpassword")?),
        left_out: record.filled(&["telephonenumber", "mobile", "memberof"]),
        ..SourceUser::default()
    }))
}

fn is_disabled(record: &Record) -> Result<bool, Fault> {
    let control = record.texts("useraccountcontrol")?;
    let flags = control.first().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let locked = record.texts("nsaccountlock")?.iter().any(|value| value.eq_ignore_ascii_case("true"));
    Ok(record.has("pwdaccountlockedtime") || locked || flags & ACCOUNT_DISABLED != 0)
}

/// The first of several passwords that has the form of a hash.
fn password(values: &[String]) -> Credential {
    let starts = |value: &str, scheme: &str| value.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    let is_hash = |value: &String| {
        value.starts_with(['{', '$']) && !starts(value, CLEAR) && !ELSEWHERE.iter().any(|scheme| starts(value, scheme))
    };
    let is_clear = |value: &String| !value.is_empty() && (starts(value, CLEAR) || !value.starts_with(['{', '$']));
    if let Some(hash) = values.iter().find(|value| is_hash(value)) {
        hash_text(hash.clone())
    } else if values.iter().any(is_clear) {
        Credential::Plain
    } else {
        Credential::None
    }
}
