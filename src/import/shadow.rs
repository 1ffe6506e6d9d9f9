//! `/etc/shadow` and files of that form.

use super::record::{Fault, Read, Reading, Record, ban, hash_text};
use crate::auth::import::row::{Reason, SourceUser};

const NAME: &str = "0";
const HASH: &str = "1";
/// The sign of a locked account, before its hash.
const LOCK: char = '!';

pub(super) fn read(record: &Record) -> Read {
    let Some(name) = record.text(NAME)? else {
        return Err(Fault::new(Reason::Syntax, "the line does not begin with a name"));
    };
    let field = record.text(HASH)?.unwrap_or_default();
    let hash = field.trim_start_matches(LOCK);
    // Accounts of services have no password.
    if matches!(hash, "" | "*" | "x") {
        return Err(Fault::new(Reason::NoPassword, format!("the account {name:?} has no password")));
    }
    let is_email = name.contains('@');
    Ok(Reading::user(SourceUser {
        key: Some(name.clone()),
        email: is_email.then(|| name.clone()),
        username: (!is_email).then_some(name),
        ban: ban(field.starts_with(LOCK)),
        password: hash_text(hash.to_owned()),
        ..SourceUser::default()
    }))
}
