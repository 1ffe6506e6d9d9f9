//! Ory Kratos: identities with their credentials.

use serde_json::Value;

use super::record::{Fault, Read, Reading, Record, ban, hash_text};
use super::system::Context;
use crate::auth::import::row::{Credential, ProviderAccount, SourceFactor, SourceUser};

/// Credentials that are second factors.
const SECOND_FACTORS: [&str; 2] = ["totp", "lookupsecret"];

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let units = &mut context.units;
    let id = record.id("id")?;
    let traits = record.inner("traits")?;
    let credentials = record.inner("credentials")?;
    let of = |kind: &str| credentials.as_ref().map_or(Ok(None), |all| all.inner(kind));
    let by_password = of("password")?;
    let identifiers = by_password.as_ref().map_or(Ok(Vec::new()), |password| password.texts("identifiers"))?;
    let email = match traits.as_ref().map(|traits| traits.text("email")).transpose()?.flatten() {
        Some(email) => Some(email),
        None => identifiers.iter().find(|identifier| identifier.contains('@')).cloned(),
    };
    let mut verified = false;
    let mut other_emails = Vec::new();
    for address in record.list("verifiableaddresses")? {
        let Some(value) = address.text("value")?.filter(|value| value.contains('@')) else { continue };
        if email.as_ref().is_some_and(|email| email.trim().eq_ignore_ascii_case(value.trim())) {
            verified |= address.is_set("verified")?;
        } else {
            other_emails.push(value);
        }
    }
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email,
        other_emails,
        name: traits.as_ref().map_or(Ok(None), name)?,
        username: traits.as_ref().map_or(Ok(None), |traits| traits.text("username"))?,
        image: traits.as_ref().map_or(Ok(None), |traits| traits.first_text(&["picture", "avatar"]))?,
        verified,
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        ban: ban(record.text("state")?.as_deref() == Some("inactive")),
        password: by_password.as_ref().map_or(Ok(Credential::None), password)?,
        accounts: of("oidc")?.as_ref().map_or(Ok(Vec::new()), accounts)?,
        second_factor: credentials.as_ref().is_some_and(|all| SECOND_FACTORS.iter().any(|kind| all.has(kind))),
        factor: of("totp")?.as_ref().map_or(Ok(None), factor)?,
        left_out: record.filled(&["metadatapublic", "metadataadmin", "organizationid"]),
        ..SourceUser::default()
    }))
}

/// The name of traits, one text or an object with its parts.
fn name(traits: &Record) -> Result<Option<String>, Fault> {
    match traits.value("name") {
        Some(Value::Object(_)) => match traits.inner("name")? {
            Some(parts) => {
                let joined = parts.person_name(&["full"], "first", "last")?;
                Ok(joined.or(parts.person_name(&[], "givenname", "familyname")?))
            }
            None => Ok(None),
        },
        _ => traits.person_name(&["name", "displayname"], "firstname", "lastname"),
    }
}

/// The factor of an authenticator app, whose address has the secret and says how codes are made.
fn factor(credential: &Record) -> Result<Option<SourceFactor>, Fault> {
    let uri = credential.inner("config")?.map_or(Ok(None), |config| config.text("totpurl"))?;
    Ok(uri.map(SourceFactor::Uri))
}

fn password(credential: &Record) -> Result<Credential, Fault> {
    let Some(config) = credential.inner("config")? else { return Ok(Credential::None) };
    let text = config.text("hashedpassword")?;
    Ok(text.map_or(Credential::None, |text| hash_text(with_logarithm(&text).unwrap_or(text))))
}

/// Kratos' `$scrypt$ln=16384,...` has the cost itself where all others have its logarithm.
fn with_logarithm(text: &str) -> Option<String> {
    let (cost, rest) = text.strip_prefix("$scrypt$ln=")?.split_once(',')?;
    let cost: u64 = cost.parse().ok().filter(|cost: &u64| cost.is_power_of_two())?;
    Some(format!("$scrypt$ln={},{rest}", cost.trailing_zeros()))
}

fn accounts(credential: &Record) -> Result<Vec<ProviderAccount>, Fault> {
    let account =
        |(provider, subject): (String, String)| ProviderAccount { provider, subject, created_at: None, tokens: None };
    let listed = match credential.inner("config")? {
        Some(config) => config.list("providers")?,
        None => Vec::new(),
    };
    let mut found = Vec::new();
    for provider in &listed {
        found.extend(provider.text("provider")?.zip(provider.id("subject")?));
    }
    if found.is_empty() {
        let identifiers = credential.texts("identifiers")?;
        let pairs = identifiers.iter().filter_map(|identifier| identifier.split_once(':'));
        found.extend(pairs.map(|(provider, subject)| (provider.to_owned(), subject.to_owned())));
    }
    Ok(found.into_iter().map(account).collect())
}
