//! Supabase: `auth.users`, `auth.identities` and `auth.mfa_factors` as CSV or as a dump of `PostgreSQL`, and the JSON of its
//! API for administrators.

use super::record::{Fault, Read, Reading, Record, ban};
use super::system::Context;
use crate::auth::import::row::{About, Fact, ProviderAccount, Reason, SourceBan, SourceUser};

/// Identities that are no accounts elsewhere.
const OWN: [&str; 2] = ["email", "phone"];
/// The word of `PostgreSQL` for a time that never comes.
const INFINITY: &str = "infinity";
/// The word of the API for the end of a ban.
const NO_BAN: &str = "none";
/// The status of a second factor that the user has proved.
const PROVED: &str = "verified";

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has_column("identitydata") {
        identity(record, context)
    } else if record.has_column("factortype") {
        factor(record)
    } else {
        user(record, context).map(Reading::user)
    }
}

fn user(record: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    if record.has("deletedat") {
        return Err(Fault::new(Reason::Deleted, "the user is deleted"));
    }
    if record.is_set("isanonymous")? {
        return Err(Fault::new(Reason::NoEmail, "the user is anonymous"));
    }
    let mut accounts = Vec::new();
    for identity in record.list("identities")? {
        accounts.extend(account(&identity, context)?);
    }
    let mut second_factor = false;
    for factor in record.list("factors")? {
        second_factor |= is_proved(&factor)?;
    }
    let units = &mut context.units;
    let id = record.id("id")?;
    let about =
        record.inner("rawusermetadata")?.map_or_else(|| record.inner("usermetadata"), |about| Ok(Some(about)))?;
    // A request says how long the ban lasts, and not from when.
    let is_banned = record.text("banduration")?.is_some_and(|duration| duration != NO_BAN);
    let shown = |names: &[&str]| about.as_ref().map_or(Ok(None), |about| about.first_text(names));
    let banned = match record.text("banneduntil")? {
        None => ban(is_banned),
        Some(until) if until.trim() == INFINITY => Some(SourceBan::default()),
        Some(_) => Some(SourceBan { reason: None, until: record.date("banneduntil", units)? }),
    };
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: match &about {
            Some(about) => about.person_name(&["name", "fullname", "displayname"], "firstname", "lastname")?,
            None => None,
        },
        username: shown(&["preferredusername", "username"])?,
        image: shown(&["avatarurl", "picture"])?,
        // `confirmed_at` may be the date of the phone.
        verified: record.has("emailconfirmedat") || record.is_set("emailconfirm")?,
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        // `role` is one of PostgreSQL.
        ban: banned,
        password: record.hash(&["encryptedpassword", "passwordhash"])?,
        accounts,
        second_factor,
        left_out: record.filled(&["phone"]),
        ..SourceUser::default()
    })
}

/// A row of `auth.mfa_factors`.
fn factor(record: &Record) -> Read {
    let user = record.needed_id(&["userid"])?;
    let is_proved = is_proved(record)?;
    Ok(if is_proved { Reading::About(Fact::About { user, what: About::SecondFactor(None) }) } else { Reading::Nothing })
}

/// Whether the user has proved a second factor. One that was only begun is not asked for.
fn is_proved(factor: &Record) -> Result<bool, Fault> {
    Ok(factor.text("status")?.as_deref() == Some(PROVED))
}

/// A row of `auth.identities`.
fn identity(record: &Record, context: &mut Context) -> Read {
    let user = record.needed_id(&["userid"])?;
    let account = account(record, context)?;
    Ok(account.map_or(Reading::Nothing, |account| Reading::About(Fact::About { user, what: About::Account(account) })))
}

/// The account of an identity, unless it is the user's own.
fn account(record: &Record, context: &mut Context) -> Result<Option<ProviderAccount>, Fault> {
    let provider = record.needed_text(&["provider"])?;
    if OWN.contains(&provider.as_str()) {
        return Ok(None);
    }
    let subject = match (record.id("providerid")?, record.inner("identitydata")?) {
        (Some(subject), _) => Some(subject),
        (None, Some(data)) => data.id("sub")?,
        (None, None) => None,
    };
    // Older databases have no column for the subject, which is their `id`.
    let subject = subject.map_or_else(|| record.needed_id(&["id"]), Ok)?;
    let created_at = record.date("createdat", &mut context.units)?;
    Ok(Some(ProviderAccount { provider: provider_name(provider), subject, created_at, tokens: None }))
}

/// The provider as Better Auth names it.
fn provider_name(provider: String) -> String {
    match provider.as_str() {
        "azure" => "microsoft".to_owned(),
        "linkedin_oidc" => "linkedin".to_owned(),
        "slack_oidc" => "slack".to_owned(),
        _ => provider,
    }
}
