//! Turns of phrase that several topics share.

use std::path::Path;

use super::escape::escape;
use crate::auth::user::User;

/// A user, as people are named in sentences.
pub(super) fn who(user: &User) -> String {
    format!("{} <{}>", escape(&user.name), escape(&user.email))
}

/// A path.
pub(super) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

/// A number of things, in the singular when it is one.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

/// An answer to a question.
pub(super) fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
