//! Users and sessions as programs read them. Field names are Better Auth's; what is absent is null;
//! tokens and hashes have no field.

use serde::Serialize;

use super::time::rfc3339;
use crate::auth::session::Session;
use crate::auth::user::User;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView<'a> {
    id: &'a str,
    name: &'a str,
    email: &'a str,
    email_verified: bool,
    image: Option<&'a str>,
    /// Only of an image that is too large to be told; `image` is null then.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_bytes: Option<u64>,
    created_at: String,
    updated_at: String,
    role: Option<&'a str>,
    banned: bool,
    ban_reason: Option<&'a str>,
    ban_expires: Option<String>,
    two_factor_enabled: bool,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: &user.id,
            name: &user.name,
            email: &user.email,
            email_verified: user.email_verified,
            image: user.image.as_deref(),
            image_bytes: user.image_left_out,
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
            role: user.role.as_deref(),
            banned: user.banned,
            ban_reason: user.ban_reason.as_deref(),
            ban_expires: user.ban_expires.map(rfc3339),
            two_factor_enabled: user.two_factor_enabled,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView<'a> {
    id: &'a str,
    user_id: &'a str,
    expires_at: String,
    created_at: String,
    updated_at: String,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    impersonated_by: Option<&'a str>,
    /// Only in lists: whether it is the session that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
}

impl<'a> From<&'a Session> for SessionView<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            id: &session.id,
            user_id: &session.user_id,
            expires_at: rfc3339(session.expires_at),
            created_at: rfc3339(session.created_at),
            updated_at: rfc3339(session.updated_at),
            ip_address: session.ip_address.as_deref(),
            user_agent: session.user_agent.as_deref(),
            impersonated_by: session.impersonated_by.as_deref(),
            current: None,
        }
    }
}

impl SessionView<'_> {
    /// The session in a list: marked when it is the one that asks.
    #[must_use]
    pub fn among(self, current: &str) -> Self {
        Self { current: Some(self.id == current), ..self }
    }
}
