//! Cognito: `list-users` as JSON, and CSV in the form of its import template. It never exports hashes.

use serde_json::{Map, Value};

use super::date::{Unit, date};
use super::record::{Fault, Read, Reading, Record, ban};
use crate::auth::import::row::{ProviderAccount, Reason, SourceUser};

pub(super) fn read(record: &Record) -> Read {
    let attributes = attributes(record)?;
    let field = attributes.as_ref().unwrap_or(record);
    let id = field.id("sub")?;
    let created_at = record.value("usercreatedate").map(|value| {
        date(value, || Unit::Seconds).ok_or_else(|| Fault::new(Reason::BadValue, "UserCreateDate is not a date"))
    });
    let updated_at = record.value("userlastmodifieddate").and_then(|value| date(value, || Unit::Seconds));
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: field.text("email")?,
        name: field.person_name(&["name"], "givenname", "familyname")?,
        username: record.first_text(&["cognito:username", "username"])?,
        image: field.text("picture")?,
        verified: field.is_set("emailverified")?,
        created_at: created_at.transpose()?,
        updated_at,
        ban: ban(record.flag("enabled")? == Some(false)),
        accounts: accounts(field)?,
        second_factor: record.is_set("cognito:mfaenabled")?
            || !record.filled(&["mfaoptions", "usermfasettinglist"]).is_empty(),
        left_out: field.filled(&["phonenumber", "address", "birthdate", "locale", "zoneinfo"]),
        ..SourceUser::default()
    }))
}

/// The list of names and values as a record. `None` in CSV, where attributes are columns.
fn attributes(record: &Record) -> Result<Option<Record>, Fault> {
    if !record.has_column("attributes") {
        return Ok(None);
    }
    let mut fields = Map::new();
    for attribute in record.list("attributes")? {
        if let (Some(name), Some(value)) = (attribute.text("name")?, attribute.text("value")?) {
            fields.insert(name, Value::String(value));
        }
    }
    Ok(Some(Record::of_object(record.line, None, fields)))
}

/// The attribute `identities`, a list as JSON in a text.
fn accounts(field: &Record) -> Result<Vec<ProviderAccount>, Fault> {
    let mut accounts = Vec::new();
    for identity in field.list("identities")? {
        let fields = (identity.text("providername")?, identity.id("userid")?);
        let (Some(provider), Some(subject)) = fields else { continue };
        let provider = match provider.as_str() {
            "Google" | "Facebook" => provider.to_lowercase(),
            "SignInWithApple" => "apple".to_owned(),
            "LoginWithAmazon" => "amazon".to_owned(),
            _ => provider,
        };
        let created_at = identity.date_in("datecreated", Unit::Milliseconds)?;
        accounts.push(ProviderAccount { provider, subject, created_at, tokens: None });
    }
    Ok(accounts)
}
