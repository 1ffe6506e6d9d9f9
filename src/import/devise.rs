//! Devise: the table `users` of a Rails app.

use super::record::{Fault, Read, Reading, Record};
use super::system::Context;
use crate::auth::import::row::{Reason, SourceUser};

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has("deletedat") || record.has("discardedat") {
        return Err(Fault::new(Reason::Deleted, "the user is deleted"));
    }
    let units = &mut context.units;
    let id = record.id("id")?;
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&["name", "fullname"], "firstname", "lastname")?,
        username: record.first_text(&["username", "login"])?,
        image: record.first_text(&["image", "avatarurl"])?,
        verified: record.date("confirmedat", units)?.is_some(),
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        roles: record.text("role")?.into_iter().collect(),
        // `locked_at` is the lock after wrong passwords, which ends by itself.
        password: record.hash(&["encryptedpassword"])?,
        accounts: account(record)?.into_iter().collect(),
        second_factor: record.is_set("otprequiredforlogin")?,
        left_out: record.filled(&["phone", "unconfirmedemail"]),
        ..SourceUser::default()
    }))
}

/// The columns that the guide of `OmniAuth` adds.
fn account(record: &Record) -> Result<Option<crate::auth::import::row::ProviderAccount>, Fault> {
    let (Some(provider), Some(subject)) = (record.text("provider")?, record.id("uid")?) else { return Ok(None) };
    let provider = match provider.as_str() {
        "email" => return Ok(None),
        "google_oauth2" => "google".to_owned(),
        _ => provider,
    };
    Ok(Some(crate::auth::import::row::ProviderAccount { provider, subject, created_at: None, tokens: None }))
}
