//! `WordPress`: the table `wp_users`, and second factors of `wp_usermeta`.

use super::record::{Fault, Read, Reading, Record, ban};
use super::system::Context;
use crate::auth::import::row::{About, Fact, Reason, SourceUser};

/// The start of the word of `MySQL` for no date.
const NO_DATE: &str = "0000-00-00";

/// The names under which the plugins Two Factor, WP 2FA and miniOrange keep that a second factor is on.
const SECOND_FACTORS: [&str; 4] =
    ["_two_factor_enabled_providers", "_two_factor_totp_key", "wp_2fa_enabled_methods", "mo2f_configured_2FA_method"];
/// Values of the same fields of a user without one: nothing, and an empty list of PHP.
const NONE: [&str; 2] = ["", "a:0:{}"];

pub(super) fn read(record: &Record, context: &mut Context) -> Read {
    if record.has_column("metakey") {
        return meta(record);
    }
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

/// A row of `wp_usermeta`.
fn meta(record: &Record) -> Read {
    let user = record.needed_id(&["userid"])?;
    let is_on = record.text("metavalue")?.is_some_and(|value| !NONE.contains(&value.as_str()));
    let is_factor = record.text("metakey")?.is_some_and(|name| SECOND_FACTORS.contains(&name.as_str()));
    Ok(if is_on && is_factor {
        Reading::About(Fact::About { user, what: About::SecondFactor(None) })
    } else {
        Reading::Nothing
    })
}
