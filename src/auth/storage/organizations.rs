//! The part of the port that keeps organizations of apps.

use jiff::Timestamp;

use super::StoreError;
use crate::auth::AuthError;
use crate::auth::email::Email;
use crate::auth::organization::{Invitation, Member, OrganizationInfo};

/// The organizations of an app. Every method refuses with [`AuthError::NoOrganizations`] in a database that has none, and
/// those that name an organization, by id or slug, with [`AuthError::NoSuchOrganization`].
pub trait OrganizationStore {
    /// Lists organizations by name.
    fn organizations(&mut self, now: Timestamp) -> Result<Result<Vec<OrganizationInfo>, AuthError>, StoreError>;

    fn members(
        &mut self,
        named: &str,
        now: Timestamp,
    ) -> Result<Result<(OrganizationInfo, Vec<Member>), AuthError>, StoreError>;

    /// Makes a user a member. Refuses with [`AuthError::AlreadyMember`].
    fn add_member(&mut self, new: &NewMember<'_>) -> Result<Result<(OrganizationInfo, Member), AuthError>, StoreError>;

    /// Removes a member, and returns the member as before. Refuses with [`AuthError::NotAMember`] and
    /// [`AuthError::LastOwner`].
    fn remove_member(
        &mut self,
        named: &str,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Result<(OrganizationInfo, Member), AuthError>, StoreError>;

    /// Sets the roles of a member. Refuses as [`Self::remove_member`] does.
    fn set_member_role(
        &mut self,
        named: &str,
        user_id: &str,
        role: &str,
        now: Timestamp,
    ) -> Result<Result<(OrganizationInfo, Member), AuthError>, StoreError>;

    /// Stores an invitation. Refuses with [`AuthError::AlreadyMember`], [`AuthError::AlreadyInvited`], and
    /// [`AuthError::NotAMember`] for the inviter.
    fn invite(
        &mut self,
        new: &NewInvitation<'_>,
    ) -> Result<Result<(OrganizationInfo, Invitation), AuthError>, StoreError>;
}

/// A member to insert.
#[derive(Debug)]
pub struct NewMember<'a> {
    pub organization: &'a str,
    pub user_id: &'a str,
    pub role: &'a str,
    /// Random text for the id of the row.
    pub id: &'a str,
    pub now: Timestamp,
}

/// An invitation to insert.
#[derive(Debug)]
pub struct NewInvitation<'a> {
    pub organization: &'a str,
    pub email: &'a Email,
    pub role: &'a str,
    /// Random text for the id of the row, which is the secret of the link.
    pub id: &'a str,
    /// The member who invites; `None` for an owner.
    pub inviter_id: Option<&'a str>,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}
