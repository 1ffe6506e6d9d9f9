//! Signing up.

use super::email::Email;
use super::password::strength;
use super::secret::Password;
use super::session::Session;
use super::storage::NewUserRow;
use super::user::{User, UserRef, check_image, check_name};
use super::{Auth, AuthError, SessionRequest};

/// What somebody signs up with. Made by [`SignUp::check`] alone, so it is always acceptable.
#[derive(Debug)]
pub struct SignUp {
    email: Email,
    name: String,
    image: Option<String>,
    password: Password,
}

impl SignUp {
    /// Checks everything that can be checked without a database, so that a refused sign-up leaves
    /// no trace.
    ///
    /// # Errors
    /// [`AuthError`] for the address, the name, the picture or the password, in this order.
    pub fn check(
        email: &str,
        name: &str,
        image: Option<&str>,
        password: Password,
        rules: &super::policy::PasswordRules,
    ) -> Result<Self, AuthError> {
        let email = Email::parse(email)?;
        let name = check_name(name)?.to_owned();
        let image = image.map(check_image).transpose()?.map(str::to_owned);
        strength::check(&password, &[&name, email.as_str()], rules)?;
        Ok(Self { email, name, image, password })
    }

    /// The canonical address.
    pub fn email(&self) -> &Email {
        &self.email
    }
}

impl Auth<'_> {
    /// Makes the user and, if wished, a session in the same transaction.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] when the address is taken, before and after hashing alike.
    pub fn sign_up(
        &mut self,
        request: &SignUp,
        session_request: Option<&SessionRequest>,
    ) -> Result<(User, Option<Session>), AuthError> {
        if self.store.user(&UserRef::Email(request.email.clone()))?.is_some() {
            return Err(AuthError::UserExists);
        }
        let hash = self.hash(&request.password)?;
        let user = NewUserRow {
            id: self.entropy.id()?,
            account_id: self.entropy.id()?,
            email: request.email.clone(),
            name: request.name.clone(),
            image: request.image.clone(),
            email_verified: false,
            role: None,
            now: self.now,
        };
        let session = session_request.map(|session_request| self.new_session(session_request, &user.id)).transpose()?;
        Ok(self.store.create_user(&user, Some(&hash), session.as_ref())?)
    }
}
