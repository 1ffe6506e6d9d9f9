//! Acts of users on their own account: sign up, change the password, the profile, delete the account.

use super::email::Email;
use super::password::strength;
use super::secret::Password;
use super::session::Session;
use super::storage::{AdminGuard, NewUserRow, PasswordChange, UserChange, UserUpdated, Which};
use super::user::{User, UserRef, check_image, check_name, checked_image};
use super::{Auth, AuthError, InPerson, SessionRequest};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChanged {
    /// The number of live sessions that ended.
    pub sessions_ended: usize,
}

impl Auth<'_> {
    /// Replaces the password of a caller who knows the current one. All other sessions end unless
    /// `keep_sessions`.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session has ended. [`AuthError::WeakPassword`] for the new password,
    /// which is checked first. [`AuthError::WrongPassword`] and [`AuthError::Throttled`] for the current one.
    pub fn change_password(
        &mut self,
        me: InPerson<'_>,
        current: &Password,
        new: &Password,
        keep_sessions: bool,
    ) -> Result<PasswordChanged, AuthError> {
        let user = self.reread(me)?;
        strength::check(new, &[&user.name, &user.email], &self.policy.password)?;
        if self.store.password_hash(&user.id)?.is_none() {
            return Err(AuthError::NoPassword);
        }
        let email = Email::parse(&user.email)?;
        let verified = self.verify_password(&email, current)?.ok_or(AuthError::WrongPassword)?;
        let hash = self.hash(new);
        let hash = self.or_release(&verified.attempts, hash)?;
        let change = PasswordChange {
            user_id: &user.id,
            verified: &verified.hash,
            hash: &hash,
            end: (!keep_sessions).then(|| Which::Others(me.session.id.clone())),
            attempts: &verified.attempts,
            now: self.now,
        };
        let done = self.act_for(&me, |auth| Ok(auth.store.replace_password(&change)?));
        let refused = match done {
            Ok(Some(ended)) => return Ok(PasswordChanged { sessions_ended: self.only_live(ended).len() }),
            Ok(None) => AuthError::ChangedMeanwhile,
            Err(error @ AuthError::Store(_)) => return Err(error),
            Err(refused) => refused,
        };
        // The current password was right, so the attempt is no guess.
        self.store.release_attempt(&verified.attempts)?;
        Err(refused)
    }

    /// Changes the name or the picture of the caller. An empty picture removes it.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session has ended, [`AuthError::Profile`] for an invalid value.
    pub fn update_profile(
        &mut self,
        me: InPerson<'_>,
        name: Option<&str>,
        image: Option<&str>,
    ) -> Result<UserUpdated, AuthError> {
        let change = UserChange {
            name: name.map(check_name).transpose()?.map(str::to_owned),
            image: image.map(checked_image).transpose()?,
            ..UserChange::default()
        };
        self.act_for(&me, |auth| auth.store.update_user(&me.user.id, &change, AdminGuard::Off, auth.now)?)
    }

    /// Deletes the caller and returns the number of deleted session rows.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session has ended, [`AuthError::NotFresh`] if the sign-in is too long
    /// ago, [`AuthError::LastAdmin`] under [`AdminGuard::KeepLastAdmin`].
    pub fn delete_account(&mut self, me: InPerson<'_>, guard: AdminGuard) -> Result<u64, AuthError> {
        if let Err(stale) = self.require_fresh(&me) {
            // If the session has ended, that explains more than its age.
            self.reread(me)?;
            return Err(stale);
        }
        self.act_for(&me, |auth| auth.store.delete_user(&me.user.id, guard, auth.now)?)
    }
}

/// A validated request to sign up. Only [`SignUp::check`] makes one.
#[derive(Debug)]
pub struct SignUp {
    email: Email,
    name: String,
    image: Option<String>,
    password: Password,
}

impl SignUp {
    /// Checks the values before a database is opened or made.
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

    pub fn email(&self) -> &Email {
        &self.email
    }
}

impl Auth<'_> {
    /// Creates the user and, on request, a session in the same transaction.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] if the address is taken.
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
