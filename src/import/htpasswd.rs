//! htpasswd files of web servers: `name:hash`.

use super::record::{Fault, Read, Reading, Record};
use crate::auth::import::row::{Reason, SourceUser};

const NAME: &str = "0";
const HASH: &str = "1";

pub(super) fn read(record: &Record) -> Read {
    let Some(name) = record.text(NAME)? else {
        return Err(Fault::new(Reason::Syntax, "the line does not begin with a name"));
    };
    if !record.has_column(HASH) {
        return Err(Fault::new(Reason::Syntax, "the line has no colon"));
    }
    let is_email = name.contains('@');
    Ok(Reading::user(SourceUser {
        key: Some(name.clone()),
        email: is_email.then(|| name.clone()),
        username: (!is_email).then_some(name),
        password: record.hash(&[HASH])?,
        ..SourceUser::default()
    }))
}
