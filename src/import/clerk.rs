//! Clerk: the CSV of its dashboard, the JSON of its API, which never has a hash, and the JSON that its own script imports.

use super::date::Unit;
use super::hash_text::{from_base64, from_hex, pbkdf2};
use super::record::{Fault, Read, Reading, Record, ban};
use super::system::Context;
use crate::auth::import::row::{Credential, ProviderAccount, SourceFactor, SourceUser};

/// The status of an address or an account that the user has proved.
const PROVED: &str = "verified";

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has_column("emailaddresses") {
        return of_api(record);
    }
    let id = record.first_id(&["id", "userid"])?;
    let email = record.first_text(&["primaryemailaddress", "email"])?;
    let addresses = |name: &str| -> Result<Vec<String>, Fault> {
        let text = record.text(name)?.unwrap_or_default();
        Ok(text.split('|').map(|address| address.trim().to_owned()).filter(|address| !address.is_empty()).collect())
    };
    let verified = addresses("verifiedemailaddresses")?;
    let unverified = addresses("unverifiedemailaddresses")?;
    let is_primary = |address: &String| email.as_ref().is_some_and(|email| email.trim().eq_ignore_ascii_case(address));
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        verified: verified.iter().any(&is_primary),
        other_emails: verified.iter().chain(&unverified).filter(|address| !is_primary(address)).cloned().collect(),
        name: record.person_name(&[], "firstname", "lastname")?,
        username: record.text("username")?,
        created_at: record.date("createdat", &mut context.units)?,
        password: password(record)?,
        second_factor: record.has("totpsecret"),
        factor: record.text("totpsecret")?.map(SourceFactor::Base32),
        left_out: record.filled(&["primaryphonenumber"]),
        email,
        ..SourceUser::default()
    }))
}

/// A user as the API answers.
fn of_api(record: &Record) -> Read {
    let id = record.id("id")?;
    let primary = record.id("primaryemailaddressid")?;
    let (mut email, mut verified, mut other_emails) = (None, false, Vec::new());
    for address in record.list("emailaddresses")? {
        let Some(text) = address.text("emailaddress")? else { continue };
        if primary.is_some() && address.id("id")? == primary {
            verified = is_proved(&address)?;
            email = Some(text);
        } else {
            other_emails.push(text);
        }
    }
    let mut accounts = Vec::new();
    for account in record.list("externalaccounts")? {
        let subject = account.first_id(&["provideruserid", "googleid", "facebookid"])?;
        if let (Some(provider), Some(subject), true) = (account.text("provider")?, subject, is_proved(&account)?) {
            let provider = provider.strip_prefix("oauth_").unwrap_or(&provider).to_owned();
            accounts.push(ProviderAccount { provider, subject, created_at: None, tokens: None });
        }
    }
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email,
        verified,
        other_emails,
        name: record.person_name(&[], "firstname", "lastname")?,
        username: record.text("username")?,
        image: if record.is_set("hasimage")? { record.text("imageurl")? } else { None },
        created_at: record.date_in("createdat", Unit::Milliseconds)?,
        updated_at: record.date_in("updatedat", Unit::Milliseconds)?,
        ban: ban(record.is_set("banned")?),
        accounts,
        second_factor: record.is_set("twofactorenabled")? || record.is_set("totpenabled")?,
        left_out: record.filled(&["phonenumbers", "publicmetadata", "privatemetadata", "unsafemetadata"]),
        ..SourceUser::default()
    }))
}

/// Whether the user has proved an address or an account.
fn is_proved(part: &Record) -> Result<bool, Fault> {
    let status = part.inner("verification")?.map(|verification| verification.text("status")).transpose()?;
    Ok(status.flatten().as_deref() == Some(PROVED))
}

fn password(record: &Record) -> Result<Credential, Fault> {
    let Some(text) = record.first_text(&["passworddigest", "password"])? else { return Ok(Credential::None) };
    let hasher = record.text("passwordhasher")?;
    let text = match hasher.as_deref() {
        // Clerk's own forms, which look like those of Django.
        Some("pbkdf2_sha256") => pieces_of_pbkdf2("sha256", &text, from_base64, from_base64),
        Some("pbkdf2_sha1") => pieces_of_pbkdf2("sha1", &text, |salt| Some(salt.as_bytes().to_vec()), from_hex),
        Some("scrypt_firebase") => pieces_of_firebase(&text),
        _ => None,
    }
    .unwrap_or(text);
    Ok(Credential::Hash { text, claimed: hasher.map(kind) })
}

/// The kind of hash by the name that Clerk has for it.
fn kind(hasher: String) -> String {
    let kind = match hasher.as_str() {
        "bcrypt_sha256_django" => "bcrypt-sha256",
        "ldap_ssha" => "ldap-ssha",
        "md5_phpass" => "phpass",
        "pbkdf2_sha1" => "pbkdf2-sha1",
        "pbkdf2_sha256" | "pbkdf2_sha256_django" => "pbkdf2-sha256",
        "scrypt_firebase" => "firebase-scrypt",
        "scrypt_werkzeug" => "scrypt",
        // argon2i, argon2id, bcrypt, md5, phpass and sha256 are the names of the kinds.
        _ => return hasher,
    };
    kind.to_owned()
}

/// `pbkdf2_sha256$iterations$salt$key`.
fn pieces_of_pbkdf2(
    function: &str,
    text: &str,
    salt_of: impl Fn(&str) -> Option<Vec<u8>>,
    key_of: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<String> {
    let pieces: Vec<&str> = text.split('$').collect();
    let [_, iterations, salt, key] = pieces.as_slice() else { return None };
    Some(pbkdf2(function, iterations.parse().ok()?, &salt_of(salt)?, &key_of(key)?))
}

/// `hash$salt$signer key$salt separator$rounds$memory cost`.
fn pieces_of_firebase(text: &str) -> Option<String> {
    let pieces: Vec<&str> = text.split('$').collect();
    let [hash, salt, signer_key, separator, rounds, memory] = pieces.as_slice() else { return None };
    let number = |text: &str| text.parse::<u32>().ok();
    Some(format!(
        "$fbscrypt$v=1,n={},r={},p=1,ss={separator},sk={signer_key}${salt}${hash}",
        number(memory)?,
        number(rounds)?
    ))
}
