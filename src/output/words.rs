//! Turns of phrase that several topics share.

use std::path::Path;

use super::escape::escape;
use crate::auth::user::User;

/// A user, as people are named in sentences.
pub fn who(user: &User) -> String {
    format!("{} <{}>", escape(&user.name), escape(&user.email))
}

/// A path.
pub fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

/// An answer to a question.
pub fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
