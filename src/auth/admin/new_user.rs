//! Users that an operator wishes to make.

use std::collections::BTreeSet;

use super::PasswordInput;
use crate::auth::email::Email;
use crate::auth::policy::PasswordRules;
use crate::auth::storage::{UserQuery, UserSort};
use crate::auth::user::{User, check_image, check_name};
use crate::auth::{Auth, AuthError};

/// A user that an operator makes.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Address as typed.
    pub email: &'a str,
    /// Display name.
    pub name: &'a str,
    /// Address of a picture.
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    /// Whether the address is verified.
    pub verified: bool,
    /// The password; `None` for a user without one.
    pub password: Option<&'a PasswordInput>,
    /// Whether it may be weak.
    pub allow_weak: bool,
}

/// A validated request to create a user.
#[derive(Debug)]
pub struct ValidatedNewUser<'a> {
    pub(super) email: Email,
    pub(super) name: &'a str,
    pub(super) image: Option<&'a str>,
    pub(super) role: Option<String>,
    pub(super) verified: bool,
    pub(super) password: Option<&'a PasswordInput>,
}

impl<'a> NewUser<'a> {
    /// Checks everything that can be checked without a database, so that a refused user leaves no
    /// trace.
    ///
    /// # Errors
    /// [`AuthError`] for the address, the name, the picture, the roles or the password, in this order.
    pub fn check(&self, rules: &PasswordRules) -> Result<ValidatedNewUser<'a>, AuthError> {
        let email = Email::parse(self.email)?;
        let name = check_name(self.name)?;
        let image = self.image.map(check_image).transpose()?;
        let role = self.role.map(|role| check_role(role, self.allow_twin)).transpose()?;
        if let Some(given) = self.password {
            given.check(&[name, email.as_str()], self.allow_weak, rules)?;
        }
        Ok(ValidatedNewUser { email, name, image, role, verified: self.verified, password: self.password })
    }
}

/// The longest list of roles in bytes.
const ROLE_BYTES_MAX: usize = 200;

/// What is asked of a user who may exist already (`--if-missing`). What is `None` is not asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// Display name.
    pub name: Option<&'a str>,
    /// Address of a picture.
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    /// A verified address.
    pub verified: bool,
    /// A password, whichever it is.
    pub password: bool,
}

impl Auth<'_> {
    /// Requires that a user who exists is as the user would be who was to be made.
    ///
    /// # Errors
    /// [`AuthError::UserDiffers`], and [`AuthError`] for values that no user can have.
    pub fn require_as_expected(&mut self, user: &User, expected: &Expected<'_>) -> Result<(), AuthError> {
        let mut differences = Vec::new();
        if let Some(name) = expected.name.map(check_name).transpose()?
            && name != user.name
        {
            differences.push(format!("the name is {} and not {name}", user.name));
        }
        if let Some(image) = expected.image.map(check_image).transpose()?
            && user.image.as_deref() != Some(image)
        {
            differences.push("the picture is another one".to_owned());
        }
        if let Some(role) = expected.role.map(|role| check_role(role, expected.allow_twin)).transpose()?
            && words(&role) != words(user.roles())
        {
            differences.push(format!("the role is {} and not {role}", user.roles()));
        }
        if expected.verified && !user.email_verified {
            differences.push("the address is not verified".to_owned());
        }
        if user.is_banned(self.now) {
            differences.push("the user is banned".to_owned());
        }
        if expected.password && self.store.password_hash(&user.id)?.is_none() {
            differences.push("the user has no password".to_owned());
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(AuthError::UserDiffers { email: user.email.clone(), differences: differences.join("; ") })
    }

    /// Lists those of these roles that mean nothing to authctl and that no user has: likely misspelled.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn unknown_roles(&mut self, roles: &str) -> Result<Vec<String>, AuthError> {
        let mut unknown = Vec::new();
        for role in words(roles).into_iter().filter(|role| !["admin", "user"].contains(role)) {
            let query = UserQuery {
                search: None,
                role: Some(role.to_owned()),
                banned_at: None,
                unverified: false,
                sort: UserSort::Email,
                limit: 1,
                after: None,
            };
            if self.store.users(&query)?.users.is_empty() {
                unknown.push(role.to_owned());
            }
        }
        Ok(unknown)
    }
}

/// The single roles of a list.
fn words(roles: &str) -> BTreeSet<&str> {
    roles.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// Whether a role differs from `admin` in case only. It gives no right of an administrator, and whoever
/// reads it believes that it does.
fn is_twin_of_admin(role: &str) -> bool {
    role != "admin" && role.eq_ignore_ascii_case("admin")
}

/// Checks roles: words of letters, digits, `_`, `-`, separated by commas.
pub(super) fn check_role(role: &str, allow_twin: bool) -> Result<String, AuthError> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if role.len() > ROLE_BYTES_MAX || !role.split(',').all(is_word) {
        return Err(AuthError::InvalidRole);
    }
    match role.split(',').find(|word| is_twin_of_admin(word)) {
        Some(twin) if !allow_twin => Err(AuthError::RoleTwin(twin.to_owned())),
        Some(_) | None => Ok(role.to_owned()),
    }
}
