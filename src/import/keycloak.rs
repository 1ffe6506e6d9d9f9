//! Keycloak: a realm as JSON, and the files of its users.

use super::date::Unit;
use super::hash_text::{from_base64, pbkdf2, to_base64};
use super::record::{Fault, Read, Reading, Record, ban, hash_text};
use crate::auth::import::row::{Credential, FactorProblem, ProviderAccount, Reason, SourceFactor, SourceUser};

/// Roles that every user has.
const NOISE: [&str; 2] = ["offline_access", "uma_authorization"];
const DEFAULT_ROLES: &str = "default-roles-";
/// Credentials that are second factors.
const SECOND_FACTORS: [&str; 4] = ["otp", "totp", "hotp", "webauthn"];

pub(super) fn read(record: &Record) -> Read {
    if record.has("serviceaccountclientid") {
        return Err(Fault::new(Reason::ServiceAccount, "the account belongs to a client and not to a person"));
    }
    let id = record.id("id")?;
    let mut accounts = Vec::new();
    for identity in record.list("federatedidentities")? {
        if let (Some(provider), Some(subject)) = (identity.text("identityprovider")?, identity.id("userid")?) {
            accounts.push(ProviderAccount { provider, subject, created_at: None, tokens: None });
        }
    }
    let credentials = record.list("credentials")?;
    let mut password = Credential::None;
    let (mut second_factor, mut factor) = (record.is_set("totp")?, None);
    for credential in &credentials {
        let kind = credential.text("type")?.unwrap_or_default();
        if kind == "password" && password == Credential::None {
            password = self::password(credential)?;
        }
        if SECOND_FACTORS.contains(&kind.as_str()) {
            second_factor = true;
            let found = self::factor(&kind, credential)?;
            // The first one that can be kept counts.
            if matches!(factor, None | Some(SourceFactor::Unusable(_))) {
                factor = Some(found);
            }
        }
    }
    let is_noise = |role: &String| NOISE.contains(&role.as_str()) || role.starts_with(DEFAULT_ROLES);
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&[], "firstname", "lastname")?,
        username: record.text("username")?,
        verified: record.is_set("emailverified")?,
        created_at: record.date_in("createdtimestamp", Unit::Milliseconds)?,
        roles: record.texts("realmroles")?.into_iter().filter(|role| !is_noise(role)).collect(),
        ban: ban(record.flag("enabled")? == Some(false)),
        password,
        accounts,
        second_factor,
        factor,
        left_out: record.filled(&["attributes", "groups", "clientroles"]),
        ..SourceUser::default()
    }))
}

/// A second factor. The older form has its fields side by side, and the text of the secret is the key unless an encoding is
/// named.
fn factor(kind: &str, credential: &Record) -> Result<SourceFactor, Fault> {
    if kind == "webauthn" {
        return Ok(SourceFactor::Unusable(FactorProblem::OtherKind));
    }
    let inner = (credential.inner("secretdata")?, credential.inner("credentialdata")?);
    let (secret, data) = match &inner {
        (Some(secret), Some(data)) => (secret, data),
        _ => (credential, credential),
    };
    let is = |name: &str, wanted: &str| Ok::<_, Fault>(data.text(name)?.is_some_and(|value| value == wanted));
    let is_timed = kind == "totp" || is("subtype", "totp")?;
    if !(is_timed && is("digits", "6")? && is("period", "30")? && is("algorithm", "HmacSHA1")?) {
        return Ok(SourceFactor::Unusable(FactorProblem::OtherCodes));
    }
    Ok(match (secret.text("value")?, data.text("secretencoding")?.as_deref()) {
        (Some(value), None) => SourceFactor::Text(value),
        (Some(value), Some("BASE32")) => SourceFactor::Base32(value),
        _ => SourceFactor::Unusable(FactorProblem::NoSecret),
    })
}

fn password(credential: &Record) -> Result<Credential, Fault> {
    let secret = credential.inner("secretdata")?;
    let data = credential.inner("credentialdata")?;
    let (Some(secret), Some(data)) = (secret, data) else {
        return if credential.has("hashedsaltedvalue") {
            hash(credential, credential, "hashedsaltedvalue")
        } else if credential.has("value") {
            Ok(Credential::Plain)
        } else {
            Ok(Credential::Refused(Reason::HashUnknown))
        };
    };
    hash(&secret, &data, "value")
}

/// The hash of its pieces, which the older form has side by side.
fn hash(secret: &Record, data: &Record, value: &str) -> Result<Credential, Fault> {
    let unknown = Ok(Credential::Refused(Reason::HashUnknown));
    let Some(value) = secret.text(value)? else { return Ok(Credential::None) };
    let algorithm = data.text("algorithm")?.unwrap_or_default();
    let (Some(salt), Some(key)) = (from_base64(&secret.text("salt")?.unwrap_or_default()), from_base64(&value)) else {
        // Hashes of extensions are whole texts, such as bcrypt's.
        return if value.starts_with('$') { Ok(hash_text(value)) } else { unknown };
    };
    let Some(iterations) = number(data.first_text(&["hashiterations"])?) else { return unknown };
    let text = match algorithm.as_str() {
        "pbkdf2" | "pbkdf2-sha1" => pbkdf2("sha1", iterations, &salt, &key),
        "pbkdf2-sha256" => pbkdf2("sha256", iterations, &salt, &key),
        "pbkdf2-sha512" => pbkdf2("sha512", iterations, &salt, &key),
        "argon2" => match argon2(data, iterations, &salt, &key)? {
            Some(text) => text,
            None => return unknown,
        },
        _ => return unknown,
    };
    Ok(hash_text(text))
}

fn argon2(data: &Record, iterations: u64, salt: &[u8], key: &[u8]) -> Result<Option<String>, Fault> {
    let Some(parameters) = data.inner("additionalparameters")? else { return Ok(None) };
    // Each parameter is a list of one text.
    let parameter = |name: &str| Ok::<_, Fault>(parameters.texts(name)?.into_iter().next());
    let numbers = (number(parameter("memory")?), number(parameter("parallelism")?));
    let (Some(memory), Some(parallelism)) = numbers else { return Ok(None) };
    let version = match parameter("version")?.as_deref() {
        Some("1.3") | None => 19,
        Some("1.0") => 16,
        Some(_) => return Ok(None),
    };
    let kind = match parameter("type")?.as_deref() {
        Some("id") | None => "argon2id",
        Some("i") => "argon2i",
        Some("d") => "argon2d",
        Some(_) => return Ok(None),
    };
    let (salt, key) = (to_base64(salt), to_base64(key));
    Ok(Some(format!("${kind}$v={version}$m={memory},t={iterations},p={parallelism}${salt}${key}")))
}

fn number(text: Option<String>) -> Option<u64> {
    text?.parse().ok()
}
