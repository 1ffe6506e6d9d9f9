//! Auth.js (`NextAuth`): the tables User and Account.

use super::date::Unit;
use super::record::{Fault, Read, Reading, Record};
use super::system::Context;
use crate::auth::import::row::{About, Fact, OauthTokens, ProviderAccount, SourceUser};

/// Providers that are no accounts elsewhere: a password, or a mailed link.
const OWN: [&str; 3] = ["credentials", "email", "nodemailer"];

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has_column("provideraccountid") {
        account(record, context)
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
        name: record.text("name")?,
        username: record.text("username")?,
        image: record.text("image")?,
        // The date of the verification.
        verified: match record.value("emailverified") {
            Some(serde_json::Value::Bool(is_verified)) => *is_verified,
            _ => record.date("emailverified", &mut context.units)?.is_some(),
        },
        // Not of Auth.js, but many apps add them.
        created_at: record.date("createdat", &mut context.units)?,
        updated_at: record.date("updatedat", &mut context.units)?,
        roles: record.text("role")?.into_iter().collect(),
        password: record.hash(&["password", "passwordhash", "hashedpassword"])?,
        ..SourceUser::default()
    })
}

fn account(record: &Record, context: &Context) -> Read {
    let provider = record.needed_text(&["provider"])?;
    if OWN.contains(&provider.as_str()) {
        return Ok(Reading::Nothing);
    }
    let (user, subject) = (record.needed_id(&["userid"])?, record.needed_id(&["provideraccountid"])?);
    let tokens = if context.keeps_tokens { tokens(record)? } else { None };
    let account = ProviderAccount { provider, subject, created_at: None, tokens };
    Ok(Reading::About(Fact::About { user, what: About::Account(account) }))
}

fn tokens(record: &Record) -> Result<Option<Box<OauthTokens>>, Fault> {
    let tokens = OauthTokens {
        access: record.text("accesstoken")?,
        refresh: record.text("refreshtoken")?,
        id: record.text("idtoken")?,
        access_expires_at: record.date_in("expiresat", Unit::Seconds)?,
        refresh_expires_at: None,
        scope: record.text("scope")?,
    };
    Ok(tokens.any())
}
