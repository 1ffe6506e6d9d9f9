//! Supabase: `auth.users` and `auth.identities` as CSV or as a dump of `PostgreSQL`.

use super::record::{Fault, Read, Reading, Record};
use super::system::Context;
use crate::auth::import::row::{About, Fact, ProviderAccount, Reason, SourceBan, SourceUser};

/// Identities that are no accounts elsewhere.
const OWN: [&str; 2] = ["email", "phone"];
/// The word of `PostgreSQL` for a time that never comes.
const INFINITY: &str = "infinity";

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has_column("identitydata") { identity(record, context) } else { user(record, context).map(Reading::user) }
}

fn user(record: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    if record.has("deletedat") {
        return Err(Fault::new(Reason::Deleted, "the user is deleted"));
    }
    if record.is_set("isanonymous")? {
        return Err(Fault::new(Reason::NoEmail, "the user is anonymous"));
    }
    let units = &mut context.units;
    let id = record.id("id")?;
    let about = record.inner("rawusermetadata")?;
    let shown = |names: &[&str]| about.as_ref().map_or(Ok(None), |about| about.first_text(names));
    let ban = match record.text("banneduntil")? {
        None => None,
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
        verified: record.has("emailconfirmedat"),
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        // `role` is one of PostgreSQL.
        ban,
        password: record.hash(&["encryptedpassword"])?,
        left_out: record.filled(&["phone"]),
        ..SourceUser::default()
    })
}

fn identity(record: &Record, context: &mut Context) -> Read {
    let (user, provider) = (record.needed_id(&["userid"])?, record.needed_text(&["provider"])?);
    if OWN.contains(&provider.as_str()) {
        return Ok(Reading::Nothing);
    }
    let subject = match (record.id("providerid")?, record.inner("identitydata")?) {
        (Some(subject), _) => Some(subject),
        (None, Some(data)) => data.id("sub")?,
        (None, None) => None,
    };
    // Older databases have no column for the subject, which is their `id`.
    let subject = subject.map_or_else(|| record.needed_id(&["id"]), Ok)?;
    let created_at = record.date("createdat", &mut context.units)?;
    let account = ProviderAccount { provider: provider_name(provider), subject, created_at };
    Ok(Reading::About(Fact::About { user, what: About::Account(account) }))
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
