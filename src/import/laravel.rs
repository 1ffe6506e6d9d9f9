//! Laravel: the table `users` as CSV or JSON.

use super::record::{Read, Reading, Record};
use super::system::Context;
use crate::auth::import::row::SourceUser;

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    let units = &mut context.units;
    let id = record.first_id(&["id", "uuid"])?;
    let has_secret = record.has("twofactorsecret");
    // Without the date of its confirmation, a secret was shown and never used.
    let second_factor =
        has_secret && (!record.has_column("twofactorconfirmedat") || record.has("twofactorconfirmedat"));
    if record.has("deletedat") {
        return Err(super::record::Fault::new(crate::auth::import::row::Reason::Deleted, "the user is deleted"));
    }
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.text("email")?,
        name: record.person_name(&["name"], "firstname", "lastname")?,
        username: record.text("username")?,
        image: record.first_text(&["avatar", "profilephotourl"])?,
        verified: record.date("emailverifiedat", units)?.is_some(),
        created_at: record.date("createdat", units)?,
        updated_at: record.date("updatedat", units)?,
        roles: record.text("role")?.into_iter().collect(),
        password: record.hash(&["password"])?,
        second_factor,
        left_out: record.filled(&["phone", "currentteamid"]),
        ..SourceUser::default()
    }))
}
