//! Lucia: version 2 with `auth_user` and `user_key`, version 3 with tables of the app.

use super::record::{Fault, Read, Reading, Record, is_named};
use super::system::Context;
use crate::auth::import::row::{About, Credential, Fact, ProviderAccount, SourceUser};

/// Providers of version 2 whose keys hold a password.
const OWN: [&str; 2] = ["email", "username"];

pub(super) fn is_table(name: &str) -> bool {
    ["authuser", "userkey", "user", "users", "key", "keys", "authkey", "oauthaccount"]
        .iter()
        .any(|own| is_named(name, own))
}

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has_column("provideruserid") {
        oauth_account(record)
    } else if record.has_column("userid") && record.has_column("hashedpassword") && !record.has_column("email") {
        key(record)
    } else {
        user(record, context).map(Reading::user)
    }
}

fn user(record: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    let id = record.id("id")?;
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&["name", "displayname"], "firstname", "lastname")?,
        username: record.text("username")?,
        image: record.first_text(&["image", "avatar", "avatarurl", "picture"])?,
        verified: record.is_set("emailverified")?,
        created_at: record.date("createdat", &mut context.units)?,
        updated_at: record.date("updatedat", &mut context.units)?,
        roles: record.text("role")?.into_iter().collect(),
        password: record.hash(&["passwordhash", "hashedpassword", "password"])?,
        second_factor: record.has("totpkey") || record.has("twofactorsecret"),
        ..SourceUser::default()
    })
}

/// A key of version 2, whose id is `provider:identifier`.
fn key(record: &Record) -> Read {
    let (user, id) = (record.needed_id(&["userid"])?, record.needed_text(&["id"])?);
    let password = record.hash(&["hashedpassword"])?;
    let what = if password == Credential::None {
        match id.split_once(':') {
            Some((provider, subject)) if !OWN.contains(&provider) => {
                let (provider, subject) = (provider.to_owned(), subject.to_owned());
                About::Account(ProviderAccount { provider, subject, created_at: None, tokens: None })
            }
            _ => return Ok(Reading::Nothing),
        }
    } else {
        About::Password(password)
    };
    Ok(Reading::About(Fact::About { user, what }))
}

/// A row of the table that the guides of version 3 propose for providers.
fn oauth_account(record: &Record) -> Read {
    let provider = record.needed_text(&["providerid", "provider"])?;
    let (user, subject) = (record.needed_id(&["userid"])?, record.needed_id(&["provideruserid"])?);
    let account = ProviderAccount { provider, subject, created_at: None, tokens: None };
    Ok(Reading::About(Fact::About { user, what: About::Account(account) }))
}
