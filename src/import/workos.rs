//! `WorkOS`: the list of users of its API. It never exports hashes.

use super::record::{Read, Reading, Record};
use super::system::Context;
use crate::auth::import::row::SourceUser;

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let units = &mut context.units;
    let id = record.id("id")?;
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&[], "firstname", "lastname")?,
        image: record.text("profilepictureurl")?,
        verified: record.is_set("emailverified")?,
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        left_out: record.filled(&["metadata", "externalid"]),
        ..SourceUser::default()
    }))
}
