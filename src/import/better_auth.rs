//! Better Auth: its tables as JSON, as JSON lines or as CSV, in the names of the schema or of the database.

use super::authctl::list;
use super::record::{Fault, Read, Reading, Record, is_named};
use super::system::Context;
use crate::auth::import::row::{About, Fact, OauthTokens, ProviderAccount, SourceBan, SourceFactor, SourceUser};

/// The provider of accounts that hold a password.
const CREDENTIAL: &str = "credential";

/// The tables that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    User,
    Account,
    TwoFactor,
}

fn table(name: &str) -> Option<Table> {
    let is = |names: [&str; 2]| names.iter().any(|own| is_named(name, own));
    if is(["user", "users"]) {
        Some(Table::User)
    } else if is(["account", "accounts"]) {
        Some(Table::Account)
    } else if is(["twofactor", "twofactors"]) {
        Some(Table::TwoFactor)
    } else {
        None
    }
}

pub(super) fn is_table(name: &str) -> bool {
    table(name).is_some()
}

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let table = match record.table() {
        "" if record.has_column("accountid") && record.has_column("providerid") => Some(Table::Account),
        "" if record.has_column("secret") && record.has_column("backupcodes") => Some(Table::TwoFactor),
        "" => Some(Table::User),
        name => table(name),
    };
    match table {
        Some(Table::User) => user(record, context).map(Reading::user),
        Some(Table::Account) => account(record, context),
        Some(Table::TwoFactor) => {
            let user = record.needed_id(&["userid"])?;
            // One that the user never confirmed is not usable.
            let factor = match (record.flag("verified")?, record.text("secret")?) {
                (Some(false), _) | (_, None) => None,
                (_, Some(secret)) => Some(SourceFactor::Sealed(secret)),
            };
            Ok(Reading::About(Fact::About { user, what: About::SecondFactor(factor) }))
        }
        None => Ok(Reading::Nothing),
    }
}

fn user(record: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    let units = &mut context.units;
    let id = record.id("id")?;
    let ban = if record.is_set("banned")? {
        Some(SourceBan { reason: record.text("banreason")?, until: record.date("banexpires", units)? })
    } else {
        None
    };
    let roles = record.text("role")?.unwrap_or_default();
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&["name"], "firstname", "lastname")?,
        username: record.first_text(&["displayusername", "username"])?,
        image: record.text("image")?,
        verified: record.is_set("emailverified")?,
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        roles: list(&roles),
        ban,
        second_factor: record.is_set("twofactorenabled")?,
        left_out: record.filled(&["phonenumber", "metadata"]),
        ..SourceUser::default()
    })
}

/// The tokens of an account, if they are wanted and there are any.
fn tokens(record: &Record, context: &mut Context) -> Result<Option<Box<OauthTokens>>, Fault> {
    if !context.keeps_tokens {
        return Ok(None);
    }
    let units = &mut context.units;
    let tokens = OauthTokens {
        access: record.text("accesstoken")?,
        refresh: record.text("refreshtoken")?,
        id: record.text("idtoken")?,
        access_expires_at: record.date("accesstokenexpiresat", units)?,
        refresh_expires_at: record.date("refreshtokenexpiresat", units)?,
        scope: record.text("scope")?,
    };
    Ok(tokens.any())
}

fn account(record: &Record, context: &mut Context) -> Read {
    let (user, provider) = (record.needed_id(&["userid"])?, record.needed_text(&["providerid"])?);
    let what = if provider == CREDENTIAL {
        About::Password(record.hash(&["password"])?)
    } else {
        let subject = record.needed_id(&["accountid"])?;
        let created_at = record.date("createdat", &mut context.units)?;
        let tokens = tokens(record, context)?;
        About::Account(ProviderAccount { provider, subject, created_at, tokens })
    };
    Ok(Reading::About(Fact::About { user, what }))
}
