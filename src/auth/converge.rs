//! Brings users to the values that an operator wants, by the acts that change one value each.

use jiff::Timestamp;

use super::account::{check_role, words};
use super::storage::{AdminGuard, UserUpdated};
use super::user::{User, check_name, checked_image};
use super::{Auth, AuthError};

/// The values that a user is to have. `None` leaves a value as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedUser {
    pub name: Option<String>,
    pub image: Option<String>,
    /// Roles, separated by commas.
    pub role: Option<String>,
    pub verified: Option<bool>,
    pub banned: Option<bool>,
}

/// A value of a user that is not as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    Name { from: String, to: String },
    Image { from: Option<String>, to: String },
    Role { from: String, to: String },
    Verified(bool),
    Banned(bool),
}

/// What an operator allows beside the changes.
#[derive(Debug, Clone)]
pub struct ConvergeOptions {
    pub guard: AdminGuard,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    /// The reason of a ban.
    pub reason: Option<String>,
}

impl WantedUser {
    /// Checks the values without a database.
    ///
    /// # Errors
    /// [`AuthError::Profile`], [`AuthError::InvalidRole`], [`AuthError::RoleTwin`].
    pub fn check(&self, allow_twin: bool) -> Result<(), AuthError> {
        self.name.as_deref().map(check_name).transpose()?;
        self.image.as_deref().map(checked_image).transpose()?;
        self.role.as_deref().map(|role| check_role(role, allow_twin)).transpose()?;
        Ok(())
    }

    /// The values that are to change, in the order in which they change.
    pub fn differences(&self, user: &User, now: Timestamp) -> Vec<Difference> {
        let name = self.name.as_ref().filter(|name| **name != user.name);
        let image = self.image.as_ref().filter(|image| **image != user.image.as_deref().unwrap_or_default());
        let role = self.role.as_ref().filter(|role| words(role) != words(user.roles()));
        let verified = self.verified.filter(|verified| *verified != user.email_verified);
        let banned = self.banned.filter(|banned| *banned != user.is_banned(now));
        [
            name.map(|to| Difference::Name { from: user.name.clone(), to: to.clone() }),
            image.map(|to| Difference::Image { from: user.image.clone(), to: to.clone() }),
            role.map(|to| Difference::Role { from: user.roles().to_owned(), to: to.clone() }),
            verified.map(Difference::Verified),
            banned.map(Difference::Banned),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Difference {
    /// Whether the change can take an administrator away, so that it is made after the changes that add one.
    pub fn may_take_an_admin(&self) -> bool {
        let is_admin = |roles: &str| words(roles).contains("admin");
        match self {
            Self::Role { from, to } => is_admin(from) && !is_admin(to),
            Self::Banned(banned) => *banned,
            Self::Name { .. } | Self::Image { .. } | Self::Verified(_) => false,
        }
    }
}

impl Auth<'_> {
    /// Makes one change, as the act for that value does.
    ///
    /// # Errors
    /// Those of the act.
    pub fn converge(
        &mut self,
        user: &User,
        difference: &Difference,
        options: &ConvergeOptions,
    ) -> Result<UserUpdated, AuthError> {
        match difference {
            Difference::Name { to, .. } => self.change_user(user, Some(to), None, None),
            Difference::Image { to, .. } => self.change_user(user, None, Some(to), None),
            Difference::Role { to, .. } => self.set_role(user, to, options.allow_twin, options.guard, false),
            Difference::Verified(verified) => self.set_verified(user, *verified),
            Difference::Banned(true) => self.ban(user, None, options.reason.clone(), options.guard),
            Difference::Banned(false) => self.unban(user),
        }
    }
}
