//! The part of the port that keeps API tokens.

use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use crate::auth::AuthError;
use crate::auth::api_token::{ApiToken, StoredToken, TokenScope};
use crate::auth::secret::Token;
use crate::auth::user::User;

/// API tokens of a native database, and the API keys of an app's.
pub trait ApiTokenStore {
    /// Finds a token of a native database by its text, live or not, and its owner. An app checks the keys of its database.
    fn api_token(&mut self, token: &ApiToken) -> Result<Option<(StoredToken, User)>, StoreError>;

    /// Whether a text is an API key of an app, live or not.
    fn is_app_key(&mut self, text: &Token) -> Result<bool, StoreError>;

    /// Writes the last use of a token of a native database.
    fn use_api_token(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Lists the tokens of an owner, or of all, the newest first. Refuses with [`AuthError::NoApiKeys`] in the database of an
    /// app that has none.
    fn api_tokens(&mut self, owner_id: Option<&str>) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError>;

    /// Stores a token. Refuses with [`AuthError::NoSuchUser`], and with [`AuthError::Banned`].
    fn create_api_token(&mut self, new: &NewApiToken<'_>) -> Result<Result<StoredToken, AuthError>, StoreError>;

    /// Ends tokens of an owner, or of any, and returns them as they were: those with the ids, or all. Refuses with
    /// [`AuthError::NoSuchToken`].
    fn revoke_api_tokens(
        &mut self,
        owner_id: Option<&str>,
        ids: Option<&[String]>,
        deletes: bool,
        now: Timestamp,
    ) -> Result<Result<Vec<StoredToken>, AuthError>, StoreError>;

    /// Replaces the text of a token, and returns the token as stored. Refuses with [`AuthError::NoSuchToken`].
    fn rotate_api_token(&mut self, rotation: &TokenRotation<'_>) -> Result<Result<StoredToken, AuthError>, StoreError>;
}

/// A token to insert.
#[derive(Debug)]
pub struct NewApiToken<'a> {
    pub id: String,
    pub token: &'a ApiToken,
    pub owner_id: &'a str,
    pub name: Option<&'a str>,
    pub scopes: &'a [TokenScope],
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// A new text for a token.
#[derive(Debug)]
pub struct TokenRotation<'a> {
    pub id: &'a str,
    /// The owner whom the token must have; `None` for any.
    pub owner_id: Option<&'a str>,
    pub token: &'a ApiToken,
    pub now: Timestamp,
    /// The life of the new text; `None` for that of the old one.
    pub life: Option<SignedDuration>,
}
