//! `FusionAuth`: users in the form of its import API.

use super::date::Unit;
use super::hash_text::{from_base64, pbkdf2};
use super::record::{Fault, Read, Reading, Record, ban, hash_text};
use crate::auth::import::row::{Credential, Reason, SourceUser};

/// The lengths in characters of bcrypt's salt and digest.
const BCRYPT_SALT: usize = 22;
const BCRYPT_DIGEST: usize = 31;

pub(super) fn read(record: &Record) -> Read {
    let id = record.id("id")?;
    let two_factor = record.inner("twofactor")?;
    let has_methods = two_factor.map_or(Ok(false), |all| all.list("methods").map(|methods| !methods.is_empty()))?;
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&["fullname"], "firstname", "lastname")?,
        username: record.text("username")?,
        image: record.text("imageurl")?,
        verified: record.is_set("verified")?,
        created_at: record.date_in("insertinstant", Unit::Milliseconds)?,
        updated_at: record.date_in("lastupdateinstant", Unit::Milliseconds)?,
        ban: ban(record.flag("active")? == Some(false)),
        password: password(record)?,
        second_factor: has_methods || record.is_set("twofactorenabled")?,
        left_out: record.filled(&["data", "mobilephone", "registrations", "memberships"]),
        ..SourceUser::default()
    }))
}

fn password(record: &Record) -> Result<Credential, Fault> {
    let unknown = Ok(Credential::Refused(Reason::HashUnknown));
    let Some(value) = record.text("password")? else { return Ok(Credential::None) };
    // Without the name of a scheme, FusionAuth hashes the text itself.
    let Some(scheme) = record.text("encryptionscheme")? else { return Ok(Credential::Plain) };
    let factor = record.text("factor")?.and_then(|factor| factor.parse::<u64>().ok());
    let (Some(factor), Some(salt)) = (factor, record.text("salt")?) else { return unknown };
    let text = match scheme.as_str() {
        "bcrypt" if salt.len() == BCRYPT_SALT && value.len() == BCRYPT_DIGEST => {
            Some(format!("$2a${factor:02}${salt}{value}"))
        }
        "salted-pbkdf2-hmac-sha256" | "salted-pbkdf2-hmac-sha256-512" => {
            from_base64(&salt).zip(from_base64(&value)).map(|(salt, key)| pbkdf2("sha256", factor, &salt, &key))
        }
        // Where `salted-md5` and `salted-sha256` put the salt is not documented, and a guess cannot be seen to be wrong.
        _ => None,
    };
    text.map_or(unknown, |text| Ok(hash_text(text)))
}
