//! Organizations of a Better Auth app, which an operator administers without being a member.

use jiff::{SignedDuration, Timestamp};

use super::email::Email;
use super::storage::{NewInvitation, NewMember};
use super::user::{User, is_role};
use super::{Auth, AuthError};

/// The role whose last member an organization cannot do without.
pub const OWNER: &str = "owner";

/// The longest list of roles in bytes.
const ROLES_BYTES_MAX: usize = 200;

/// An organization, with the numbers of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationInfo {
    pub id: String,
    pub name: String,
    /// The name in addresses, which no other organization has.
    pub slug: String,
    pub created_at: Option<Timestamp>,
    pub members: u64,
    pub owners: u64,
    /// Invitations that can be accepted.
    pub invitations: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user_id: String,
    /// `None` if the user is gone.
    pub email: Option<String>,
    /// Roles, separated by commas.
    pub role: String,
    pub joined_at: Option<Timestamp>,
}

impl Member {
    pub fn is_owner(&self) -> bool {
        has_owner(&self.role)
    }
}

/// Whether roles, separated by commas, have that of an owner.
pub fn has_owner(roles: &str) -> bool {
    roles.split(',').any(|role| role.trim() == OWNER)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The secret of the link: who has it and the address can accept.
    pub id: String,
    pub email: String,
    pub role: String,
    pub expires_at: Timestamp,
}

/// Checks roles that are separated by commas, and writes them without blanks.
fn check_roles(roles: &str) -> Result<String, AuthError> {
    let roles: Vec<&str> = roles.split(',').map(str::trim).collect();
    let text = roles.join(",");
    if text.len() <= ROLES_BYTES_MAX && roles.iter().all(|role| is_role(role)) {
        Ok(text)
    } else {
        Err(AuthError::InvalidRole)
    }
}

impl Auth<'_> {
    /// Lists the organizations by name.
    ///
    /// # Errors
    /// [`AuthError::NoOrganizations`].
    pub fn organizations(&mut self) -> Result<Vec<OrganizationInfo>, AuthError> {
        self.store.organizations(self.now)?
    }

    /// Finds an organization by id, slug or the first characters of the id, and its members.
    ///
    /// # Errors
    /// [`AuthError::NoOrganizations`], [`AuthError::NoSuchOrganization`].
    pub fn members(&mut self, named: &str) -> Result<(OrganizationInfo, Vec<Member>), AuthError> {
        self.in_organization(named, |auth, named| auth.store.members(named, auth.now)?)
    }

    /// Makes a user a member.
    ///
    /// # Errors
    /// [`AuthError::AlreadyMember`], [`AuthError::InvalidRole`], and as for [`Self::members`].
    pub fn add_member(
        &mut self,
        named: &str,
        user: &User,
        role: &str,
    ) -> Result<(OrganizationInfo, Member), AuthError> {
        let role = check_roles(role)?;
        let id = self.entropy.id()?;
        self.in_organization(named, |auth, organization| {
            let (role, id) = (role.as_str(), id.as_str());
            auth.store.add_member(&NewMember { organization, user_id: &user.id, role, id, now: auth.now })?
        })
    }

    /// Removes a member, also from teams, and from the organization that sessions of the user have chosen. The user may be
    /// gone.
    ///
    /// # Errors
    /// [`AuthError::LastOwner`], [`AuthError::NotAMember`], and as for [`Self::members`].
    pub fn remove_member(&mut self, named: &str, user_id: &str) -> Result<(OrganizationInfo, Member), AuthError> {
        self.in_organization(named, |auth, named| auth.store.remove_member(named, user_id, auth.now)?)
    }

    /// Sets the roles of a member.
    ///
    /// # Errors
    /// [`AuthError::LastOwner`], [`AuthError::NotAMember`], [`AuthError::InvalidRole`], and as for [`Self::members`].
    pub fn set_member_role(
        &mut self,
        named: &str,
        user: &User,
        role: &str,
    ) -> Result<(OrganizationInfo, Member), AuthError> {
        let role = check_roles(role)?;
        self.in_organization(named, |auth, named| auth.store.set_member_role(named, &user.id, &role, auth.now)?)
    }

    /// Invites an address, in the name of a member.
    ///
    /// # Errors
    /// [`AuthError::AlreadyMember`], [`AuthError::AlreadyInvited`], [`AuthError::NotAMember`] for the inviter,
    /// [`AuthError::InvalidRole`], and as for [`Self::members`].
    pub fn invite(
        &mut self,
        named: &str,
        email: &Email,
        role: &str,
        life: SignedDuration,
        inviter: Option<&User>,
    ) -> Result<(OrganizationInfo, Invitation), AuthError> {
        let role = check_roles(role)?;
        let id = self.entropy.id()?;
        let expires_at = self.after(life);
        self.in_organization(named, |auth, organization| {
            let inviter_id = inviter.map(|user| user.id.as_str());
            let (role, id, now) = (role.as_str(), id.as_str(), auth.now);
            auth.store.invite(&NewInvitation { organization, email, role, id, inviter_id, now, expires_at })?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_words_between_commas() {
        assert_eq!(check_roles("owner, admin").unwrap(), "owner,admin");
        for roles in ["", "a,,b", "a b", "ü", &"a".repeat(201)] {
            assert!(matches!(check_roles(roles), Err(AuthError::InvalidRole)), "{roles}");
        }
        assert!(has_owner("admin, owner") && !has_owner("owners,co-owner"));
    }
}
