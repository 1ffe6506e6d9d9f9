//! Django: `dumpdata` as JSON with mixed models, and `auth_user` as CSV.

use super::record::{Fault, Read, Reading, Record, ban};
use super::system::Context;
use crate::auth::import::row::{About, Credential, Fact, SourceUser};

/// The sign of a password that no text matches.
const UNUSABLE: char = '!';
/// The model of allauth for addresses.
const ADDRESS_MODEL: &str = "account.emailaddress";
/// The models of django-otp for second factors.
const OTP_MODELS: [&str; 3] = ["otp_totp.totpdevice", "otp_static.staticdevice", "otp_webauthn.webauthncredential"];
const USER_MODEL_END: &str = ".user";

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let Some(fields) = record.inner("fields")? else { return row(record, context) };
    let model = record.text("model")?.unwrap_or_default().to_lowercase();
    if model == ADDRESS_MODEL {
        return address(&fields, "user");
    }
    if OTP_MODELS.contains(&model.as_str()) && fields.flag("confirmed")? != Some(false) {
        let user = fields.id("user")?;
        return Ok(
            user.map_or(Reading::Nothing, |user| Reading::About(Fact::About { user, what: About::SecondFactor(None) }))
        );
    }
    // The model of an app is called otherwise, but it has a password.
    if model.ends_with(USER_MODEL_END) && fields.has_column("password") {
        return user(record.id("pk")?, &fields, context).map(Reading::user);
    }
    Ok(Reading::Nothing)
}

fn row(record: &Record, context: &mut Context) -> Read {
    let is_address = record.has_column("verified") && record.has_column("primary");
    if is_address { address(record, "userid") } else { user(record.id("id")?, record, context).map(Reading::user) }
}

fn address(record: &Record, user: &str) -> Read {
    match (record.id(user)?, record.text("email")?, record.is_set("verified")?) {
        (Some(user), Some(email), true) => Ok(Reading::About(Fact::About { user, what: About::Verified(email) })),
        _ => Ok(Reading::Nothing),
    }
}

fn user(id: Option<String>, fields: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    let mut roles = Vec::new();
    for role in ["is_superuser", "is_staff"] {
        if fields.is_set(&role.replace('_', ""))? {
            roles.push(role.to_owned());
        }
    }
    let username = fields.text("username")?;
    let is_unusable = fields.text("password")?.is_some_and(|password| password.starts_with(UNUSABLE));
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: fields.text("email")?.or_else(|| username.clone().filter(|name| name.contains('@'))),
        name: fields.person_name(&["name", "fullname"], "firstname", "lastname")?,
        username,
        created_at: fields.date("datejoined", &mut context.units)?,
        roles,
        ban: ban(fields.flag("isactive")? == Some(false)),
        password: if is_unusable { Credential::None } else { fields.hash(&["password"])? },
        left_out: fields.filled(&["groups", "userpermissions"]),
        ..SourceUser::default()
    })
}
