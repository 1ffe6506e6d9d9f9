//! A table of no particular system, as CSV or as JSON: columns are known by their usual names.

use jiff::Timestamp;
use serde_json::Value;

use super::date::Units;
use super::record::{Fault, Read, Reading, Record, is_named};
use super::system::Context;
use crate::auth::import::row::{SourceBan, SourceFactor, SourceUser};

const ID: &[&str] = &["id", "uid", "userid", "uuid"];
const EMAIL: &[&str] = &["email", "emailaddress", "mail", "useremail", "primaryemail", "primaryemailaddress"];
const NAME: &[&str] = &["name", "displayname", "fullname"];
const FIRST_NAME: &str = "firstname";
const LAST_NAME: &str = "lastname";
const USERNAME: &[&str] = &["username", "login", "userlogin", "nickname"];
const IMAGE: &[&str] = &["image", "avatar", "avatarurl", "picture", "photourl"];
/// Whether the address is verified.
const VERIFIED: &[&str] = &["emailverified", "verified", "isverified", "emailconfirmed"];
/// When the address was verified.
const VERIFIED_AT: &[&str] = &["emailverifiedat", "confirmedat", "emailconfirmedat", "verifiedat"];
const CREATED: &[&str] = &["createdat", "created", "datejoined", "registeredat", "creationdate"];
const UPDATED: &[&str] = &["updatedat", "updated", "modifiedat", "lastmodified"];
const ROLE: &str = "role";
const BANNED: &[&str] = &["banned", "disabled", "blocked", "suspended"];
const ACTIVE: &[&str] = &["active", "enabled", "isactive"];
const BAN_REASON: &str = "banreason";
const BAN_EXPIRES: &str = "banexpires";
const PASSWORD: &[&str] =
    &["passwordhash", "passworddigest", "hashedpassword", "encryptedpassword", "password", "passwd", "pwhash"];
/// Whether a second factor is on.
const SECOND_FACTOR: &[&str] = &["twofactorenabled", "mfaenabled"];
/// The secret of a second factor.
const SECRET: &[&str] = &["totpsecret", "otpsecret"];
/// The header word that says how cells are written.
const ESCAPED: &str = "escaped";

const LISTS: [&[&str]; 14] = [
    ID,
    EMAIL,
    NAME,
    USERNAME,
    IMAGE,
    VERIFIED,
    VERIFIED_AT,
    CREATED,
    UPDATED,
    BANNED,
    ACTIVE,
    PASSWORD,
    SECOND_FACTOR,
    SECRET,
];
const NAMES: [&str; 6] = [FIRST_NAME, LAST_NAME, ROLE, BAN_REASON, BAN_EXPIRES, ESCAPED];

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let units = &mut context.units;
    let id = record.first_id(ID)?;
    let is_banned = first_flag(record, BANNED)?.unwrap_or(false) || !first_flag(record, ACTIVE)?.unwrap_or(true);
    let ban = if is_banned {
        Some(SourceBan { reason: record.text(BAN_REASON)?, until: record.date(BAN_EXPIRES, units)? })
    } else {
        None
    };
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.first_text(EMAIL)?,
        name: record.person_name(NAME, FIRST_NAME, LAST_NAME)?,
        username: record.first_text(USERNAME)?,
        image: record.first_text(IMAGE)?,
        verified: is_verified(record, units)?,
        created_at: first_date(record, CREATED, units)?,
        updated_at: first_date(record, UPDATED, units)?,
        roles: record.text(ROLE)?.into_iter().collect(),
        ban,
        password: record.hash(PASSWORD)?,
        second_factor: first_flag(record, SECOND_FACTOR)?.unwrap_or(false)
            || SECRET.iter().any(|name| record.has(name)),
        factor: record.first_text(SECRET)?.map(|text| {
            if text.starts_with("otpauth:") { SourceFactor::Uri(text) } else { SourceFactor::Base32(text) }
        }),
        left_out: record.fields().map(|(name, _)| name).filter(|name| !is_known(name)).map(str::to_owned).collect(),
        ..SourceUser::default()
    }))
}

fn is_known(name: &str) -> bool {
    LISTS.iter().copied().flatten().chain(&NAMES).any(|known| is_named(name, known))
}

fn first_flag(record: &Record, names: &[&str]) -> Result<Option<bool>, Fault> {
    for name in names {
        if let Some(flag) = record.flag(name)? {
            return Ok(Some(flag));
        }
    }
    Ok(None)
}

fn first_date(record: &Record, names: &[&'static str], units: &mut Units) -> Result<Option<Timestamp>, Fault> {
    for name in names {
        if let Some(date) = record.date(name, units)? {
            return Ok(Some(date));
        }
    }
    Ok(None)
}

/// Columns of that name hold a truth value or the date of the verification.
fn is_verified(record: &Record, units: &mut Units) -> Result<bool, Fault> {
    for name in VERIFIED {
        let is_date = |value: &Value| value.as_str().is_some_and(|text| text.len() >= "2024-01-02".len());
        if record.value(name).is_some_and(is_date) {
            return Ok(record.date(name, units)?.is_some());
        }
    }
    Ok(first_flag(record, VERIFIED)?.unwrap_or(false) || first_date(record, VERIFIED_AT, units)?.is_some())
}
