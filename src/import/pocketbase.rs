//! `PocketBase`: the collection `users`, and its table of external accounts.

use super::record::{Fault, Read, Reading, Record};
use super::system::Context;
use crate::auth::import::row::{About, Fact, ProviderAccount, SourceUser};

/// The user of an external account, before version 0.23 and since.
const OWNER: [&str; 2] = ["recordid", "recordref"];

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let is_account = record.has_column("provider") && OWNER.iter().any(|owner| record.has_column(owner));
    if is_account { account(record, context) } else { user(record, context).map(Reading::user) }
}

fn user(record: &Record, context: &mut Context) -> Result<SourceUser, Fault> {
    let units = &mut context.units;
    let id = record.id("id")?;
    Ok(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.text("name")?,
        username: record.text("username")?,
        // `avatar` is the name of a file of the server.
        verified: record.is_set("verified")?,
        created_at: record.date("created", units)?,
        updated_at: record.date("updated", units)?,
        password: record.hash(&["passwordhash", "password"])?,
        left_out: record.filled(&["avatar"]),
        ..SourceUser::default()
    })
}

fn account(record: &Record, context: &mut Context) -> Read {
    let (user, subject) = (record.needed_id(&OWNER)?, record.needed_id(&["providerid"])?);
    let provider = record.needed_text(&["provider"])?;
    let created_at = record.date("created", &mut context.units)?;
    let account = ProviderAccount { provider, subject, created_at, tokens: None };
    Ok(Reading::About(Fact::About { user, what: About::Account(account) }))
}
