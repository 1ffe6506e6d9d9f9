//! Auth0: users as JSON lines or of the export extension, their hashes in a second file, and files for bulk imports.

use super::hash_text::{SaltOrder, digest, from_base64, from_hex, scrypt};
use super::record::{Fault, Read, Reading, Record, ban, hash_text};
use super::system::Context;
use crate::auth::import::row::{About, Credential, Fact, ProviderAccount, Reason, SourceUser};

/// The provider of users who have a password.
const OWN: &str = "auth0";

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has("passwordhash") && record.has("id") && !record.has("userid") {
        return password_row(record);
    }
    user(record, context).map(Reading::user)
}

/// A row of the file of hashes, which names the user without the provider.
fn password_row(record: &Record) -> Read {
    let id = match record.value("id") {
        Some(serde_json::Value::String(id)) => Some(id.clone()),
        _ => record.inner("id")?.map(|id| id.text("$oid")).transpose()?.flatten(),
    };
    let Some(id) = id else { return Err(Fault::new(Reason::BadId, "the row of a hash names no user")) };
    let what = About::Password(record.hash(&["passwordhash"])?);
    Ok(Reading::About(Fact::About { user: without_provider(&id), what }))
}

fn user(record: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    let units = &mut context.units;
    let given = record.first_id(&["userid", "id"])?;
    // Files for bulk imports have the id without the provider, which the import puts in front.
    let id = given.map(|id| if id.contains('|') { id } else { format!("{OWN}|{id}") });
    let mut accounts = Vec::new();
    for identity in record.list("identities")? {
        let fields = (identity.text("provider")?, identity.id("userid")?);
        let (Some(provider), Some(subject)) = fields else { continue };
        if let Some(provider) = provider_name(&provider, identity.text("connection")?) {
            accounts.push(ProviderAccount { provider, subject, created_at: None, tokens: None });
        }
    }
    if !record.has("identities") {
        accounts.extend(id.as_deref().and_then(account_of_id));
    }
    Ok(SourceUser {
        key: id.as_deref().map(without_provider),
        id,
        email: record.text("email")?,
        name: record.person_name(&["name"], "givenname", "familyname")?,
        username: record.first_text(&["username", "nickname"])?,
        image: record.text("picture")?,
        verified: record.is_set("emailverified")?,
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        ban: ban(record.is_set("blocked")?),
        password: password(record)?,
        accounts,
        second_factor: !record.filled(&["multifactor", "mfafactors"]).is_empty(),
        left_out: record.filled(&["appmetadata", "usermetadata", "phonenumber"]),
        ..SourceUser::default()
    })
}

/// The part of an id by which rows of hashes refer to the user.
fn without_provider(id: &str) -> String {
    match id.split_once('|') {
        Some((OWN, rest)) => rest.to_owned(),
        _ => id.to_owned(),
    }
}

/// The account that an id says, such as `google-oauth2|109`.
fn account_of_id(id: &str) -> Option<ProviderAccount> {
    let (provider, rest) = id.split_once('|')?;
    // Of custom providers the connection stands between: `oauth2|name|subject`.
    let (connection, subject) = rest.split_once('|').map_or((None, rest), |(name, subject)| (Some(name), subject));
    let provider = provider_name(provider, connection.map(str::to_owned))?;
    Some(ProviderAccount { provider, subject: subject.to_owned(), created_at: None, tokens: None })
}

/// The provider as Better Auth names it. `None` for a password or a code by mail.
fn provider_name(provider: &str, connection: Option<String>) -> Option<String> {
    match provider {
        OWN | "email" | "sms" => None,
        "google-oauth2" => Some("google".to_owned()),
        "windowslive" | "waad" => Some("microsoft".to_owned()),
        "oauth2" | "oidc" | "samlp" => Some(connection.unwrap_or_else(|| provider.to_owned())),
        _ => Some(provider.to_owned()),
    }
}

fn password(record: &Record) -> Result<Credential, Fault> {
    match record.inner("custompasswordhash")? {
        Some(parts) => Ok(custom_hash(&parts)?.unwrap_or(Credential::Refused(Reason::HashUnknown))),
        None => record.hash(&["passwordhash"]),
    }
}

/// `custom_password_hash` as one text. `None` if it is of a form that Auth0 does not know either.
fn custom_hash(parts: &Record) -> Result<Option<Credential>, Fault> {
    let (Some(algorithm), Some(hash)) = (parts.text("algorithm")?, parts.inner("hash")?) else { return Ok(None) };
    let encoding = match parts.inner("password")? {
        Some(password) => password.text("encoding")?.unwrap_or_default(),
        None => String::new(),
    };
    if !matches!(encoding.as_str(), "" | "utf8" | "ascii") {
        return Ok(None);
    }
    let salt = parts.inner("salt")?;
    let salt_bytes = match &salt {
        Some(salt) => bytes_of(salt)?,
        None => Some(Vec::new()),
    };
    match algorithm.as_str() {
        "argon2" | "bcrypt" | "pbkdf2" | "ldap" => Ok(hash.text("value")?.map(hash_text)),
        "scrypt" => {
            let number = |name: &str| Ok::<_, Fault>(parts.text(name)?.and_then(|text| text.parse::<u64>().ok()));
            let numbers = (number("cost")?, number("blocksize")?, number("parallelization")?);
            let (Some(cost), Some(block_size), Some(parallelism)) = numbers else { return Ok(None) };
            let (Some(salt), Some(key)) = (salt_bytes, bytes_of(&hash)?) else { return Ok(None) };
            let text = scrypt(cost, block_size, parallelism, &salt, &key);
            Ok(Some(text.map_or(Credential::Refused(Reason::HashCost), hash_text)))
        }
        "md5" | "sha1" | "sha256" | "sha512" => {
            let (Some(salt_bytes), Some(value)) = (salt_bytes, bytes_of(&hash)?) else { return Ok(None) };
            let position = salt.as_ref().map(|salt| salt.text("position")).transpose()?.flatten();
            let order = match position.as_deref() {
                Some("prefix") => SaltOrder::Prefix,
                Some("suffix") => SaltOrder::Suffix,
                _ if salt_bytes.is_empty() => SaltOrder::Suffix,
                _ => return Ok(None),
            };
            Ok(Some(hash_text(digest(&algorithm, order, &salt_bytes, &value))))
        }
        "hmac" => {
            let (Some(function), Some(key)) = (hash.text("digest")?, hash.inner("key")?) else { return Ok(None) };
            let is_known = matches!(function.as_str(), "md5" | "sha1" | "sha256" | "sha512");
            let (Some(key), Some(value), true) = (bytes_of(&key)?, bytes_of(&hash)?, is_known && salt.is_none()) else {
                return Ok(None);
            };
            Ok(Some(hash_text(digest(&function, SaltOrder::Hmac, &key, &value))))
        }
        _ => Ok(None),
    }
}

/// `{"value": .., "encoding": "hex" | "base64" | "utf8"}`.
fn bytes_of(part: &Record) -> Result<Option<Vec<u8>>, Fault> {
    let Some(value) = part.text("value")? else { return Ok(Some(Vec::new())) };
    Ok(match part.text("encoding")?.as_deref() {
        Some("hex") => from_hex(&value),
        Some("base64") => from_base64(&value),
        Some("utf8") | None => Some(value.into_bytes()),
        Some(_) => None,
    })
}
