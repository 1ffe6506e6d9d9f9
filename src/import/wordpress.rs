//! `WordPress`: the table `wp_users`.

use super::record::{Fault, Read, Reading, Record, ban};
use super::system::Context;
use crate::auth::import::row::{Reason, SourceUser};

/// The start of the word of `MySQL` for no date.
const NO_DATE: &str = "0000-00-00";

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    // Columns of networks of sites.
    if record.is_set("deleted")? {
        return Err(Fault::new(Reason::Deleted, "the user is deleted"));
    }
    let id = record.id("id")?;
    let has_date = record.text("userregistered")?.is_some_and(|date| !date.starts_with(NO_DATE));
    Ok(Reading::user(SourceUser {
        key: id.clone(),
        id,
        email: record.text("useremail")?,
        name: record.person_name(&["displayname"], "firstname", "lastname")?,
        username: record.first_text(&["userlogin", "usernicename"])?,
        created_at: if has_date { record.date("userregistered", &mut context.units)? } else { None },
        ban: ban(record.is_set("spam")?),
        password: record.hash(&["userpass"])?,
        left_out: record.filled(&["userurl"]),
        ..SourceUser::default()
    }))
}
