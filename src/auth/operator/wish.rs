//! Users that an operator wishes to make.

use super::{GivenPassword, Weakness};
use crate::auth::AuthError;
use crate::auth::email::Email;
use crate::auth::policy::PasswordRules;
use crate::auth::user::{check_image, check_name};

/// A user that an operator makes.
#[derive(Debug)]
pub struct UserWish<'a> {
    /// Address as typed.
    pub email: &'a str,
    /// Display name.
    pub name: &'a str,
    /// Address of a picture.
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether the address is verified.
    pub verified: bool,
    /// The password, if there shall be one.
    pub password: Option<&'a GivenPassword>,
    /// Whether it may be weak.
    pub weakness: Weakness,
}

/// A wish that can be granted as far as it can be told without a database.
#[derive(Debug)]
pub struct CheckedWish<'a> {
    pub(super) email: Email,
    pub(super) name: &'a str,
    pub(super) image: Option<&'a str>,
    pub(super) role: Option<String>,
    pub(super) verified: bool,
    pub(super) password: Option<&'a GivenPassword>,
}

impl<'a> UserWish<'a> {
    /// Checks everything that can be checked without a database, so that a refused user leaves no
    /// trace.
    ///
    /// # Errors
    /// [`AuthError`] for the address, the name, the picture, the roles or the password, in this order.
    pub fn check(&self, rules: &PasswordRules) -> Result<CheckedWish<'a>, AuthError> {
        let email = Email::parse(self.email)?;
        let name = check_name(self.name)?;
        let image = self.image.map(check_image).transpose()?;
        let role = self.role.map(check_role).transpose()?;
        if let Some(given) = self.password {
            given.check(&[name, email.as_str()], self.weakness, rules)?;
        }
        Ok(CheckedWish { email, name, image, role, verified: self.verified, password: self.password })
    }
}

/// The longest list of roles in bytes.
const ROLE_BYTES_MAX: usize = 200;

/// Checks roles: words of letters, digits, `_`, `-`, separated by commas.
pub(super) fn check_role(role: &str) -> Result<String, AuthError> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if role.len() <= ROLE_BYTES_MAX && role.split(',').all(is_word) {
        Ok(role.to_owned())
    } else {
        Err(AuthError::InvalidRole)
    }
}
