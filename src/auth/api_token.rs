//! API tokens: secrets with which a program acts for a user, within the scopes of the token.
//!
//! A token is no sign-in. Its bearer is a type of its own, so the compiler refuses the acts that need a person, such as a
//! change of the password.

mod format;
pub mod permissions;
mod scope;

use jiff::{SignedDuration, Timestamp};

use super::session::latest;
use super::storage::{NewApiToken, StoreError, TokenRotation};
use super::user::{User, check_name};
use super::{Admitted, Auth, AuthError, InPerson, Scope, SignedOut};

pub use format::{ApiToken, Mistyped};
pub use scope::{TokenRight, TokenScope};

/// How much later than the last use that was written a use is written again.
const USE_WRITTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A stored token, without its text: it gives no access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The row id, which `tokens list` shows and `tokens revoke` takes.
    pub id: String,
    pub name: Option<String>,
    /// The first characters of the token.
    pub start: Option<String>,
    /// The id of the user, or of the organization of an app.
    pub owner_id: String,
    /// The address of the user; `None` for an organization.
    pub owner_email: Option<String>,
    pub scopes: Vec<TokenScope>,
    pub created_at: Timestamp,
    /// `None` for a key of an app that does not expire.
    pub expires_at: Option<Timestamp>,
    /// The last use that was written.
    pub last_used: Option<Timestamp>,
    /// An app refuses a key that is disabled.
    pub is_enabled: bool,
}

impl StoredToken {
    /// Whether the token has not expired and is not disabled.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.is_enabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// The end of the token if it begins anew, with its own life if none is given.
    pub fn end_after(&self, now: Timestamp, life: Option<SignedDuration>) -> Option<Timestamp> {
        let own = self.expires_at.map(|end| end.duration_since(self.created_at));
        life.or(own).map(|life| now.saturating_add(life).unwrap_or(Timestamp::MAX))
    }

    /// Whether a use now is to be written. A time from a wrong clock is replaced.
    fn is_use_due(&self, now: Timestamp) -> bool {
        self.last_used.is_none_or(|used| now.duration_since(used) >= USE_WRITTEN_AFTER || used > latest(now))
    }
}

/// A program that acts for a user by a token, within a scope that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBearer {
    token: StoredToken,
    user: User,
}

impl TokenBearer {
    pub fn token(&self) -> &StoredToken {
        &self.token
    }

    /// The owner of the token.
    pub fn user(&self) -> &User {
        &self.user
    }
}

/// A request for a new token.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    pub name: Option<&'a str>,
    pub scopes: &'a [TokenScope],
    pub life: SignedDuration,
}

impl Auth<'_> {
    /// Finds the owner of a token, and checks that the token has a scope. Writes the use, at most once an hour.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] for a token that is unknown or over, or of another user than `guard` admitted;
    /// [`AuthError::Banned`], [`AuthError::ScopeMissing`]; [`AuthError::WrongRole`] if the scope is about other users and the owner
    /// is no administrator.
    pub fn authenticate_token(
        &mut self,
        token: &ApiToken,
        scope: &TokenScope,
        admitted: Option<&Admitted>,
    ) -> Result<TokenBearer, AuthError> {
        self.require_safe_place()?;
        if self.store.guest().is_some() {
            return Err(AuthError::NotSignedIn(SignedOut::TokenOfApp));
        }
        let found = self.store.api_token(token)?;
        let (token, user) = found.ok_or(AuthError::NotSignedIn(SignedOut::TokenEnded))?;
        if admitted.is_some_and(|admitted| admitted.user_id != user.id) {
            return Err(AuthError::NotSignedIn(SignedOut::Guarded));
        }
        if !token.is_live(self.now) {
            return Err(AuthError::NotSignedIn(SignedOut::TokenExpired));
        }
        user.require_not_banned(self.now)?;
        if !token.scopes.contains(scope) {
            return Err(AuthError::ScopeMissing(scope.to_string()));
        }
        let needs_admin = TokenRight::ALL.iter().any(|right| right.name() == scope.as_str() && right.needs_admin());
        if needs_admin && !user.has_role("admin") {
            return Err(AuthError::WrongRole("admin".to_owned()));
        }
        if token.is_use_due(self.now) {
            match self.store.use_api_token(&token.id, self.now) {
                // A replica does not keep the use, and gives the same answer.
                Ok(()) | Err(StoreError::ReadOnlyServer) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(TokenBearer { token, user })
    }

    /// Makes a token for a user: the caller, or any user for an operator.
    ///
    /// # Errors
    /// [`AuthError::Profile`] for an invalid name, [`AuthError::NoSuchUser`], [`AuthError::Banned`]; for the caller
    /// [`AuthError::NotFresh`] and those of [`super::Caller::check`].
    pub fn create_token(
        &mut self,
        owner: &User,
        me: Option<InPerson<'_>>,
        request: &TokenRequest<'_>,
    ) -> Result<(ApiToken, StoredToken), AuthError> {
        let name = request.name.map(check_name).transpose()?;
        let token = ApiToken::generate(self.entropy)?;
        let new = NewApiToken {
            id: self.entropy.id()?,
            token: &token,
            owner_id: &owner.id,
            name,
            scopes: request.scopes,
            now: self.now,
            expires_at: self.after(request.life),
        };
        let stored = match me {
            Some(me) => {
                self.require_fresh(&me)?;
                self.act_for(&me, |auth| auth.store.create_api_token(&new)?)?
            }
            None => self.store.create_api_token(&new)??,
        };
        Ok((token, stored))
    }

    /// Lists the tokens of a scope, the newest first, those that have expired included.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn tokens(&mut self, scope: &Scope) -> Result<Vec<StoredToken>, AuthError> {
        self.store.api_tokens(scope.user_id())?
    }

    /// Ends tokens of a scope, all of them without ids, and returns them. An app refuses a key that is disabled, and forgets
    /// one that is deleted; a database of authctl deletes every token that ends.
    ///
    /// # Errors
    /// [`AuthError::NoSuchToken`] if one of the ids is not a token of the scope; then no token ends.
    pub fn revoke_tokens(
        &mut self,
        scope: &Scope,
        ids: Option<&[String]>,
        deletes: bool,
    ) -> Result<Vec<StoredToken>, AuthError> {
        let now = self.now;
        self.within(scope, |auth| auth.store.revoke_api_tokens(scope.user_id(), ids, deletes, now)?)
    }

    /// Gives a token of a scope a new text, for as long as the old one if no life is given. The old one is refused from now
    /// on.
    ///
    /// # Errors
    /// [`AuthError::NoSuchToken`]; for the caller [`AuthError::NotFresh`].
    pub fn rotate_token(
        &mut self,
        scope: &Scope,
        id: &str,
        life: Option<SignedDuration>,
    ) -> Result<(ApiToken, StoredToken), AuthError> {
        if let Scope::Own(me) = scope {
            self.require_fresh(&me.in_person())?;
        }
        let token = ApiToken::generate(self.entropy)?;
        let rotation = TokenRotation { id, owner_id: scope.user_id(), token: &token, now: self.now, life };
        let stored = self.within(scope, |auth| auth.store.rotate_api_token(&rotation)?)?;
        Ok((token, stored))
    }

    fn within<T>(
        &mut self,
        scope: &Scope,
        act: impl FnOnce(&mut Self) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        match scope {
            Scope::Own(me) => self.act_for(&me.in_person(), act),
            Scope::User(_) | Scope::AllUsers => act(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    fn token() -> StoredToken {
        StoredToken {
            id: "token".into(),
            name: None,
            start: None,
            owner_id: "ada".into(),
            owner_email: None,
            scopes: Vec::new(),
            created_at: at(0),
            expires_at: Some(at(60)),
            last_used: None,
            is_enabled: true,
        }
    }

    #[test]
    fn token_is_over_at_its_end_and_while_disabled() {
        assert!(token().is_live(at(59)) && !token().is_live(at(60)));
        assert!(StoredToken { expires_at: None, ..token() }.is_live(at(1 << 30)));
        assert!(!StoredToken { is_enabled: false, ..token() }.is_live(at(0)));
    }

    #[test]
    fn life_begins_anew() {
        assert_eq!(token().end_after(at(9), None), Some(at(69)));
        assert_eq!(token().end_after(at(9), Some(SignedDuration::from_secs(5))), Some(at(14)));
        assert_eq!(StoredToken { expires_at: None, ..token() }.end_after(at(9), None), None);
    }

    #[test]
    fn use_is_written_once_an_hour() {
        assert!(token().is_use_due(at(0)));
        let used = StoredToken { last_used: Some(at(0)), ..token() };
        assert!(!used.is_use_due(at(3599)) && used.is_use_due(at(3600)));
        // The clock was set back.
        assert!(!used.is_use_due(at(-3600)) && used.is_use_due(at(-25 * 3600)));
    }
}
