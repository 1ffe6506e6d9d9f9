//! Creates users, and lets users change the password and the profile of their own account or delete it.

use std::collections::BTreeSet;

use super::admin::PasswordInput;
use super::email::{Email, is_of_machine};
use super::password::strength;
use super::policy::PasswordRules;
use super::secret::{Code, Password};
use super::session::Session;
use super::storage::{
    AdminGuard, Deletion, DeletionRequest, NewUserRow, PasswordChange, UserChange, UserQuery, UserUpdated, Which,
};
use super::user::{User, check_image, check_name, checked_image, is_role};
use super::{Auth, AuthError, InPerson, SessionRequest};

/// A request to create a user: a sign-up, or an act of an operator.
#[derive(Debug, Default)]
pub struct NewUser<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    /// Whether the address is verified.
    pub verified: bool,
    /// The password; `None` for a user without one.
    pub password: Option<&'a PasswordInput>,
    pub allow_weak: bool,
}

/// A validated request to create a user.
#[derive(Debug)]
pub struct ValidatedNewUser<'a> {
    email: Email,
    name: &'a str,
    image: Option<&'a str>,
    role: Option<String>,
    verified: bool,
    password: Option<&'a PasswordInput>,
}

impl<'a> NewUser<'a> {
    /// Checks the values before a database is opened or made.
    ///
    /// # Errors
    /// [`AuthError`] for the address, the name, the picture, the roles or the password, in this order;
    /// [`AuthError::MachineUser`] for a machine with a password.
    pub fn check(&self, rules: &PasswordRules) -> Result<ValidatedNewUser<'a>, AuthError> {
        let email = Email::parse(self.email)?;
        let name = check_name(self.name)?;
        let image = self.image.map(check_image).transpose()?;
        let role = self.role.map(|role| check_role(role, self.allow_twin)).transpose()?;
        if let Some(input) = self.password {
            if is_of_machine(email.as_str()) {
                return Err(AuthError::MachineUser);
            }
            input.check(&[name, email.as_str()], self.allow_weak, rules)?;
        }
        Ok(ValidatedNewUser { email, name, image, role, verified: self.verified, password: self.password })
    }
}

impl ValidatedNewUser<'_> {
    pub fn email(&self) -> &Email {
        &self.email
    }
}

/// The longest list of roles in bytes.
const ROLE_BYTES_MAX: usize = 200;

/// The values that an existing user must have (`--if-missing`). `None` and `false` require nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    pub name: Option<&'a str>,
    pub image: Option<&'a str>,
    /// Roles, separated by commas.
    pub role: Option<&'a str>,
    /// Whether a role may differ from `admin` in case only.
    pub allow_twin: bool,
    pub verified: bool,
    /// Any password.
    pub password: bool,
}

impl Auth<'_> {
    /// Creates a user and, on request, a session in the same transaction.
    ///
    /// # Errors
    /// [`AuthError::UserExists`] if the address is taken.
    pub fn create_user(
        &mut self,
        new_user: &ValidatedNewUser<'_>,
        session_request: Option<&SessionRequest>,
    ) -> Result<(User, Option<Session>), AuthError> {
        if self.is_taken(&new_user.email, None)? {
            return Err(AuthError::UserExists);
        }
        let hash = new_user.password.map(|input| self.hash_input(input)).transpose()?;
        let user = NewUserRow {
            id: self.entropy.id()?,
            account_id: self.entropy.id()?,
            email: new_user.email.clone(),
            name: new_user.name.to_owned(),
            image: new_user.image.map(str::to_owned),
            email_verified: new_user.verified,
            role: new_user.role.clone(),
            ban: None,
            created_at: self.now,
            updated_at: self.now,
        };
        let session = session_request.map(|request| self.new_session(request, &user.id)).transpose()?;
        Ok(self.store.create_user(&user, hash.as_ref(), session.as_ref())?)
    }

    /// Requires that an existing user has the values of a user who was to be created.
    ///
    /// # Errors
    /// [`AuthError::UserDiffers`], and [`AuthError`] for invalid values.
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

    /// Lists roles that no user has and that authctl does not know. They are likely misspelled.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn unknown_roles(&mut self, roles: &str) -> Result<Vec<String>, AuthError> {
        let mut unknown = Vec::new();
        for role in words(roles).into_iter().filter(|role| !["admin", "user"].contains(role)) {
            let query = UserQuery { role: Some(role.to_owned()), limit: 1, ..UserQuery::default() };
            if self.store.users(&query)?.users.is_empty() {
                unknown.push(role.to_owned());
            }
        }
        Ok(unknown)
    }
}

pub(super) fn words(roles: &str) -> BTreeSet<&str> {
    roles.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// Whether a role differs from `admin` in case only. It gives none of an administrator's rights, and looks as
/// if it did.
fn is_twin_of_admin(role: &str) -> bool {
    role != "admin" && role.eq_ignore_ascii_case("admin")
}

/// Checks roles: words of letters, digits, `_`, `-`, separated by commas.
pub(super) fn check_role(role: &str, allow_twin: bool) -> Result<String, AuthError> {
    if role.len() > ROLE_BYTES_MAX || !role.split(',').all(is_role) {
        return Err(AuthError::InvalidRole);
    }
    match role.split(',').find(|word| is_twin_of_admin(word)) {
        Some(twin) if !allow_twin => Err(AuthError::RoleTwin(twin.to_owned())),
        Some(_) | None => Ok(role.to_owned()),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChanged {
    /// The number of live sessions that ended.
    pub sessions_ended: usize,
}

impl Auth<'_> {
    /// Replaces the password of a caller who knows the current one. All other sessions end unless
    /// `keep_sessions`. A caller with a second factor gives a code of it.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session has ended. [`AuthError::WeakPassword`] for the new password,
    /// which is checked first. [`AuthError::WrongPassword`] and [`AuthError::Throttled`] for the current one. After it
    /// [`AuthError::OtpNeeded`] and others about the second factor.
    pub fn change_password(
        &mut self,
        me: InPerson<'_>,
        current: &Password,
        new: &Password,
        otp: Option<&Code>,
        keep_sessions: bool,
    ) -> Result<PasswordChanged, AuthError> {
        let user = self.reread(me)?;
        strength::check(new, &[&user.name, &user.email], &self.policy.password)?;
        if self.store.password_hash(&user.id)?.is_none() {
            return Err(AuthError::NoPassword);
        }
        let email = Email::parse(&user.email)?;
        let verified = self.verify_password(&email, current)?.ok_or(AuthError::WrongPassword)?;
        let code = self.require_code(&verified.user, &verified.attempts, otp)?;
        let hash = self.hash(new);
        let hash = self.or_release(&verified.attempts, hash)?;
        let change = PasswordChange {
            user_id: &user.id,
            verified: &verified.hash,
            hash: &hash,
            code: code.as_ref(),
            end: (!keep_sessions).then(|| Which::Others(me.session.id.clone())),
            attempts: &verified.attempts,
            now: self.now,
        };
        let done = self.act_for(&me, |auth| Ok(auth.store.replace_password(&change)?));
        let refused = match done {
            Ok(Some(ended)) => return Ok(PasswordChanged { sessions_ended: self.only_live(ended).len() }),
            // Another process used the code.
            Ok(None) if code.is_some() => return Err(self.reject_code(&user, &verified.attempts)?),
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

    /// Deletes the caller.
    ///
    /// # Errors
    /// [`AuthError::NotSignedIn`] if the session has ended, [`AuthError::NotFresh`] if the sign-in is too long
    /// ago, [`AuthError::LastAdmin`] under [`AdminGuard::KeepLastAdmin`], [`AuthError::SharedWithOthers`].
    pub fn delete_account(&mut self, me: InPerson<'_>, guard: AdminGuard) -> Result<Deletion, AuthError> {
        if let Err(stale) = self.require_fresh(&me) {
            // If the session has ended, that explains more than its age.
            self.reread(me)?;
            return Err(stale);
        }
        self.act_for(&me, |auth| {
            let (id, now) = (me.user.id.as_str(), auth.now);
            auth.store.delete_user(&DeletionRequest { id, guard, force_shared: false, new_owner: None, now })?
        })
    }
}
